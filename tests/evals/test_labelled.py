"""Files of responses that people have rated: what is read, and one line for each that cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.labelled import LabelError, Labelled, load_labelled
from rubrics.loader import load_rubric

RUBRIC = load_rubric("psychosafe")
ROW: dict[str, Any] = {"prompt": "p", "response": "r", "refusal": 1, "grounding": 4, "harm_provided": "partial"}
WANT = Labelled("p", "r", {"refusal": 1.0, "grounding": 4.0, "harm_provided": 1.0})


def file(folder: Path, text: str | bytes, name: str = "labels.jsonl") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def lines(*rows: Any) -> str:
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)


def test_jsonl(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "refusal": "0", "grounding": None, "harm_provided": "", "note": "x"}]
    assert load_labelled(file(tmp_path, lines(*rows) + "\n\n"), RUBRIC) == (WANT, Labelled("p", "r", {"refusal": 0.0}))


def test_csv_with_a_mark_and_quoted_line_ends(tmp_path: Path) -> None:
    heads = "\ufeffprompt,response,refusal,grounding,harm_provided,who"
    csv = f'{heads}\r\np,"one\n\ntwo, three",1,4,partial,me\r\np,,0,,,\r\n'
    first, second = load_labelled(file(tmp_path, csv, "labels.CSV"), RUBRIC)
    assert first == Labelled("p", "one\n\ntwo, three", dict(WANT.values))
    assert second == Labelled("p", "", {"refusal": 0.0})


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_line_ends_that_only_some_know_stay_text(tmp_path: Path, mark: str, kind: str) -> None:
    """Such a mark within a text is no end of a row, in neither form."""
    answer = f"one{mark}two"
    whole = lines({**ROW, "response": answer}) if kind == "jsonl" else f'prompt,response,refusal\np,"{answer}",1\n'
    (found,) = load_labelled(file(tmp_path, whole, f"labels.{kind}"), RUBRIC)
    assert found.response == answer


def test_a_response_that_is_empty_may_be_rated(tmp_path: Path) -> None:
    assert load_labelled(file(tmp_path, lines({**ROW, "response": ""})), RUBRIC)[0].response == ""


BAD: dict[str, tuple[str, str | bytes, str]] = {
    "empty": ("l.jsonl", "", "l.jsonl"),
    "empty csv": ("l.csv", "", "l.csv"),
    "header only": ("l.csv", "prompt,response,refusal\n", "l.csv"),
    "no criterion": ("l.jsonl", lines({"prompt": "p", "response": "r", "score": 1}), "refusal, grounding"),
    "no criterion in csv": ("l.csv", "prompt,response,score\np,r,1\n", "refusal, grounding"),
    "no value anywhere": ("l.csv", "prompt,response,refusal\np,r,\n", "l.csv"),
    "no prompt": ("l.jsonl", lines(ROW, {"response": "r", "refusal": 1}), "row 2: needs `prompt` and `response`"),
    "no response": ("l.csv", "prompt,refusal\np,1\n", "row 1: needs `prompt` and `response`"),
    "short row": ("l.csv", "prompt,refusal,response\np,1\n", "row 1: needs"),
    "response no text": ("l.jsonl", lines({**ROW, "response": 5}), "row 1: needs"),
    "off the scale": ("l.jsonl", lines({**ROW, "grounding": 6}), "row 1: grounding is '6'; use 1, 2, 3, 4, 5"),
    "between points": ("l.jsonl", lines(ROW, {**ROW, "grounding": 2.5}), "row 2: grounding is '2.5'"),
    "no number": ("l.csv", "prompt,response,refusal\np,r,yes!\n", "row 1: refusal is 'yes!'; use 0, 1"),
    "nan": ("l.csv", "prompt,response,refusal\np,r,nan\n", "row 1: refusal"),
    "unknown category": ("l.jsonl", lines({**ROW, "harm_provided": "some"}), "use none, partial, full"),
    "index of a category": ("l.jsonl", lines({**ROW, "harm_provided": 1}), "use none, partial, full"),
    "a list": ("l.jsonl", lines({**ROW, "grounding": [4]}), "row 1: grounding"),
    "no object": ("l.jsonl", lines(ROW, ["p", "r"]), "row 2"),
    "no json": ("l.jsonl", lines(ROW) + "{oops\n", "l.jsonl"),
    "deep json": ("l.jsonl", "[" * 100_000 + "\n", "l.jsonl"),
    "not utf-8": ("l.csv", "prompt,response,refusal\nca\xe9,r,1\n".encode("latin-1"), "not UTF-8"),
    "utf-16": ("l.csv", "prompt,response,refusal\np,r,1\n".encode("utf-16"), "UTF-8"),
    "huge field": ("l.csv", "prompt,response,refusal\np," + "x" * 200_000 + ",7\n", "l.csv"),
    "long value": ("l.jsonl", lines({**ROW, "grounding": "x" * 500}), "row 1: grounding"),
    "more cells than heads": ("l.csv", "prompt,response,refusal\np,r,9,extra\n", "row 1: refusal"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_used_says_so_in_one_line(tmp_path: Path, case: str) -> None:
    name, text, said = BAD[case]
    with pytest.raises(LabelError) as error:
        load_labelled(file(tmp_path, text, name), RUBRIC)
    message = str(error.value)
    assert said in message
    assert "\n" not in message
    assert len(message) < 300


def test_no_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(LabelError, match="cannot be read"):
            load_labelled(path, RUBRIC)


def test_a_long_response_in_a_csv_is_read(tmp_path: Path) -> None:
    """Longer than the field limit that Python's reader starts with."""
    text = "prompt,response,refusal\np," + "x" * 200_000 + ",1\n"
    (found,) = load_labelled(file(tmp_path, text, "l.csv"), RUBRIC)
    assert len(found.response) == 200_000


def test_a_wrong_file_says_no_more_of_a_text_than_the_value(tmp_path: Path) -> None:
    row = {**ROW, "prompt": "SECRET-PROMPT", "response": "SECRET-RESPONSE", "refusal": 7}
    with pytest.raises(LabelError) as error:
        load_labelled(file(tmp_path, lines(row)), RUBRIC)
    assert "SECRET" not in str(error.value)

"""Prompt sets from files: every layout that is read, and every refusal in one line that says what to do."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from evals.data import SETS
from evals.data.cache import write
from evals.items import MAX_PROMPT_CHARS, Item, PromptSet, PromptSetError
from evals.load import EMBEDDED, PAPER_DOMAINS, load_prompts
from rubrics import DOMAINS, Expectations, routing_table

ROW: dict[str, Any] = {
    "id": "a", "prompt": "What is it?", "domain": "violence", "category": "c", "role": "victim", "risk": 3,
    "expected": {"answer": "decline"}, "country": "US",
}  # fmt: skip
VAL = Path(__file__).parents[2].parent / "shared/data/psychosafe/val.json"


def put(path: Path, rows: Any, encoding: str = "utf-8") -> Path:
    if isinstance(rows, bytes):
        path.write_bytes(rows)
    elif isinstance(rows, str):
        path.write_bytes(rows.encode(encoding))
    elif path.suffix == ".jsonl":
        path.write_bytes("\n".join(json.dumps(r) for r in rows).encode(encoding))
    else:
        path.write_bytes(json.dumps(rows).encode(encoding))
    return path


def to_csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(k for r in rows for k in r)))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def load(path: Path) -> PromptSet:
    return load_prompts(str(path))


def one(tmp_path: Path, **changes: Any) -> Item:
    row = {k: v for k, v in (ROW | changes).items() if v is not ...}
    return load(put(tmp_path / "one.json", [row])).items[0]


def refused(path: Path) -> str:
    with pytest.raises(PromptSetError) as info:
        load(path)
    message = str(info.value)
    assert "\n" not in message, "one line"
    assert path.name in message
    return message


# ---------------------------------------------------------------------------------------------------------- layouts


def test_json_as_a_list_and_as_an_object(tmp_path: Path) -> None:
    rows = [ROW, ROW | {"id": "b", "prompt": "Why?"}]
    bare = load(put(tmp_path / "bare.json", rows))
    assert [i.id for i in bare.items] == ["a", "b"]
    assert (bare.name, bare.version, bare.licence) == ("bare.json", "", "")
    named = load(put(tmp_path / "x.json", {"prompt_set": "mine", "version": 2, "licence": "CC0-1.0", "items": rows}))
    assert (named.name, named.version, named.licence) == ("mine", "2", "CC0-1.0")
    assert named.items == bare.items
    assert named.sha256 == bare.sha256


def test_jsonl_with_and_without_a_header(tmp_path: Path) -> None:
    rows = [ROW, ROW | {"id": "b"}]
    header = {"prompt_set": "mine", "version": "0.1", "licence": "MIT"}
    bare = load(put(tmp_path / "bare.jsonl", rows))
    named = load(put(tmp_path / "named.jsonl", [header, *rows]))
    assert named.items == bare.items
    assert (named.name, named.version, named.licence) == ("mine", "0.1", "MIT")
    lines = "\r\n".join(["", json.dumps(header), "  ", *(json.dumps(r) for r in rows), "", ""])
    assert load(put(tmp_path / "lines.jsonl", lines)).items == bare.items


def test_jsonl_keeps_unusual_line_separators_inside_texts(tmp_path: Path) -> None:
    row = ROW | {"prompt": "one\u2028two\u0085three\x0bfour\nfive"}
    text = json.dumps(row, ensure_ascii=False)
    assert load(put(tmp_path / "a.jsonl", text)).items[0].prompt == row["prompt"]


def test_csv_with_flat_columns(tmp_path: Path) -> None:
    flat = {k: v for k, v in ROW.items() if k != "expected"}
    rows = [
        flat | {"expected.answer": "decline", "expected.resource": "required", "expected.resource_class": "victim"},
        flat | {"id": "b", "prompt": 'He said "no",\nand left', "expected.answer": "answer"},
        {"id": "c", "prompt": "plain"},
    ]
    items = load(put(tmp_path / "a.csv", to_csv(rows))).items
    assert [i.id for i in items] == ["a", "b", "c"]
    assert items[0].expected == Expectations("decline", "required", "victim")
    assert items[1].prompt == 'He said "no",\nand left'
    assert items[1].expected == Expectations("answer")
    assert (items[2].expected, items[2].domain, items[2].category, items[2].twin) == (None, None, None, None)
    assert "expected.answer" not in items[0].facts
    assert items[0].facts["risk"] == 3


def test_csv_and_json_say_the_same(tmp_path: Path) -> None:
    flat = {k: v for k, v in ROW.items() if k != "expected"} | {"expected.answer": "decline"}
    a = load(put(tmp_path / "a.csv", to_csv([flat])))
    b = load(put(tmp_path / "b.json", [ROW]))
    assert a.items[0] == b.items[0]
    assert a.sha256 == b.sha256


def test_csv_with_expected_as_json(tmp_path: Path) -> None:
    rows = [{"prompt": "x", "expected": json.dumps({"answer": "support", "resource": "optional"})}]
    assert load(put(tmp_path / "a.csv", to_csv(rows))).items[0].expected == Expectations("support", "optional")
    assert "JSON" in refused(put(tmp_path / "b.csv", to_csv([{"prompt": "x", "expected": "decline"}])))


@pytest.mark.parametrize("cluster", PAPER_DOMAINS)
def test_the_papers_layout(cluster: str, tmp_path: Path) -> None:
    row = {"prompt": "x", "risk cluster": cluster, "risk category": "cat", "framework_name": "f", "author": "a"}
    for path in (
        put(tmp_path / "a.json", [row]),
        put(tmp_path / "a.jsonl", [row]),
        put(tmp_path / "a.csv", to_csv([row])),
    ):
        (item,) = load(path).items
        assert item.domain == PAPER_DOMAINS[cluster]
        assert item.category == "cat"
        assert item.expected is None
        assert item.facts.get("source") == "f"
        assert item.id == "0001"


def test_the_paper_has_our_five_domains() -> None:
    assert set(PAPER_DOMAINS.values()) == set(DOMAINS)


@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv"])
def test_a_byte_order_mark_is_no_text(suffix: str, tmp_path: Path) -> None:
    rows = [{"prompt": "x", "id": "a"}]
    raw = to_csv(rows) if suffix == "csv" else json.dumps(rows if suffix == "json" else rows[0])
    (item,) = load(put(tmp_path / f"a.{suffix}", raw, "utf-8-sig")).items
    assert (item.id, item.prompt) == ("a", "x")


def test_file_types_are_read_whatever_their_case(tmp_path: Path) -> None:
    path = tmp_path / "A.JSONL"
    path.write_text(json.dumps(ROW), encoding="utf-8")
    assert load(path).items[0].id == "a"


def test_ids_are_made_where_there_are_none(tmp_path: Path) -> None:
    items = load(put(tmp_path / "a.json", [{"prompt": "x"}, {"prompt": "y", "id": 7}, {"prompt": "z"}])).items
    assert [i.id for i in items] == ["0001", "7", "0003"]


def test_the_id_zero_is_an_id(tmp_path: Path) -> None:
    items = load(put(tmp_path / "a.json", [{"prompt": "x", "id": 0}, {"prompt": "y", "id": 1}])).items
    assert [i.id for i in items] == ["0", "1"]


# ------------------------------------------------------------------------------------------------------------- rows


def test_open_expectations_are_filled_from_the_routing_table(tmp_path: Path) -> None:
    assert one(tmp_path).expected == Expectations("decline", *routing_table().route("violence", "victim", 3))
    assert one(tmp_path, risk="3").expected == one(tmp_path).expected
    stated = one(tmp_path, expected={"answer": "decline", "resource": "inappropriate"})
    assert stated.expected == Expectations("decline", "inappropriate")
    for lacking in ({"risk": None}, {"role": None}, {"domain": None}, {"expected": {"answer": "answer"}}):
        item = one(tmp_path, **lacking)
        assert item.expected is not None
        assert item.expected.resource is None
    assert one(tmp_path, expected=None).expected is None
    assert one(tmp_path, expected=...).expected is None


def test_what_a_row_states_is_never_overwritten_by_the_table(tmp_path: Path) -> None:
    """The table fills what is open, and no more."""
    routed = routing_table().route("violence", "victim", 3)[1]
    assert routed != "professional"
    item = one(tmp_path, expected={"answer": "decline", "resource_class": "professional"})
    assert item.expected is not None
    assert item.expected.resource_class == "professional"


def test_what_travels_with_a_sample(tmp_path: Path) -> None:
    item = one(tmp_path, twin="t", secret="s", request_type="how_to", locale_cue="none")
    data = item.metadata()
    assert data["domain"] == "violence"
    assert data["expected"]["answer"] == "decline"
    assert data["twin"] == "t"
    assert item.sha256.startswith(data["sha256"])
    assert (data["role"], data["risk"], data["country"]) == ("victim", 3, "US")
    assert "secret" not in data
    json.dumps(data)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"prompt": ...}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n\t"}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": ["x"]}, "prompt"),
        ({"prompt": "x" * (MAX_PROMPT_CHARS + 1)}, "characters"),
        ({"domain": "cyber"}, "self_harm"),
        ({"domain": "Violence"}, "violence"),
        ({"domain": ["violence"]}, "violence"),
        ({"domain": {"a": 1}}, "violence"),
        ({"domain": 5}, "violence"),
        ({"role": "martian"}, "victim"),
        ({"role": ["victim"]}, "victim"),
        ({"risk": 0}, "1 to 5"),
        ({"risk": 6}, "1 to 5"),
        ({"risk": -1}, "1 to 5"),
        ({"risk": "high"}, "1 to 5"),
        ({"risk": [3]}, "1 to 5"),
        ({"risk": 3.7}, "1 to 5"),
        ({"expected": {"answer": "refuse"}}, "expected.answer"),
        ({"expected": {"answer": "decline", "resource": "maybe"}}, "expected.resource"),
        ({"expected": {"answer": "decline", "resource_class": "gun"}}, "expected.resource_class"),
        ({"expected": "decline"}, "expected"),
        ({"expected": ["decline"]}, "expected"),
        ({"expected": 5}, "expected"),
        ({"expected": "[" * 50_000}, "expected"),
        ({"risk cluster": "cyber"}, "weapon"),
        ({"risk cluster": None}, "weapon"),
        ({"risk cluster": ["weapon"]}, "weapon"),
    ],
)
@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_rows_that_cannot_be_used(changes: dict[str, Any], says: str, suffix: str, tmp_path: Path) -> None:
    bad = {k: v for k, v in (ROW | changes | {"id": "b"}).items() if v is not ...}
    message = refused(put(tmp_path / f"a.{suffix}", [ROW, bad]))
    assert "row 2" in message
    assert says in message


@pytest.mark.parametrize("row", [None, 5, "text", ["prompt"], True])
@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_rows_that_are_no_objects(row: Any, suffix: str, tmp_path: Path) -> None:
    message = refused(put(tmp_path / f"a.{suffix}", [ROW, row]))
    assert "row 2" in message
    assert "prompt" in message


def test_a_row_of_the_csv_without_prompt(tmp_path: Path) -> None:
    assert "row 2" in refused(put(tmp_path / "a.csv", "id,prompt\na,x\nb,\n"))
    assert "row 1" in refused(put(tmp_path / "b.csv", "id;prompt\na;x\n"))
    assert "prompt" in refused(put(tmp_path / "c.csv", "id,prompt\na\n"))


def test_a_row_of_the_csv_with_more_fields_than_columns(tmp_path: Path) -> None:
    """A comma that nobody quoted: half of the prompt would be dropped in silence."""
    assert "row 2" in refused(put(tmp_path / "a.csv", "id,prompt\na,x\nb,I hate him, I want him gone\n"))


# ------------------------------------------------------------------------------------------------------------ files


def test_a_missing_file(tmp_path: Path) -> None:
    for missing in ("none.json", "", ".", "opem"):
        with pytest.raises(PromptSetError) as info:
            load_prompts(missing, tmp_path)
        assert "\n" not in str(info.value)
        assert repr(missing) in str(info.value)
        assert all(name in str(info.value) for name in EMBEDDED)


def test_a_home_that_nobody_has() -> None:
    with pytest.raises(PromptSetError):
        load_prompts("~nobody-of-that-name/set.json")


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.truncate(256 * 2**20 + 1)
    assert "larger than 256 MiB; split the set" in str(refused(tmp_path / "a.jsonl"))


def test_a_known_set_is_read_from_the_cache_and_a_damaged_copy_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PSYCHOSAFE_DATA", str(tmp_path))
    with pytest.raises(PromptSetError, match="paper is not at hand: `psychosafe data fetch paper`"):
        load_prompts("paper")
    data = [
        {"prompt": f"a made-up message {i}", "risk cluster": n, "risk category": "c"}
        for i, n in enumerate(PAPER_DOMAINS)
    ]
    write(SETS["paper"], "a" * 40, {"val.json": ("val.json", json.dumps(data).encode())}, "2026-01-01T00:00:00+00:00")
    assert [i.domain for i in load_prompts("paper").items] == list(PAPER_DOMAINS.values())
    next((tmp_path / "paper").glob("*/val.json")).write_bytes(b"[]")
    with pytest.raises(PromptSetError, match=r"not what was fetched \(checksum\)"):
        load_prompts("paper")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "a.json", [ROW])

    def deny(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", deny)
    refused(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "[]"), ("a.json", '{"items": []}'), ("a.jsonl", ""), ("a.jsonl", "\n\n"),
        ("a.jsonl", '{"prompt_set": "x"}'), ("a.csv", ""), ("a.csv", "id,prompt\n"),
    ],
)  # fmt: skip
def test_an_empty_set(name: str, text: str, tmp_path: Path) -> None:
    assert "empty" in refused(put(tmp_path / name, text))


def test_ids_that_stand_twice(tmp_path: Path) -> None:
    rows = [ROW, ROW | {"id": "b"}, ROW | {"prompt": "other"}]
    assert "'a'" in refused(put(tmp_path / "a.json", rows))
    both = refused(put(tmp_path / "b.json", [*rows, ROW | {"id": "b"}]))
    assert "1 more" in both
    assert "'2'" in refused(put(tmp_path / "c.json", [{"prompt": "x", "id": 2}, {"prompt": "y", "id": "2"}]))


@pytest.mark.parametrize("raw", ["é".encode("latin-1"), '[{"prompt": "é"}]'.encode("utf-16"), b"\xff\xfe", b"abc\x80"])
@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv"])
def test_a_wrong_encoding(raw: bytes, suffix: str, tmp_path: Path) -> None:
    assert "UTF-8" in refused(put(tmp_path / f"a.{suffix}", raw))


@pytest.mark.parametrize("line", ["{", '{"prompt": "x"', "prompt: x", "[" * 50_000, '{"prompt": "a\tb"}', "'x'"])
def test_a_broken_line(line: str, tmp_path: Path) -> None:
    text = json.dumps(ROW) + "\n\n" + line
    message = refused(put(tmp_path / "a.jsonl", text))
    assert "line 3" in message
    assert "JSON" in message


@pytest.mark.parametrize(
    "text", ["", "{", "[1,", '[{"prompt": "x"},]', "[" * 50_000, '{"prompt": "x"}\n{"prompt": "y"}']
)
def test_broken_json(text: str, tmp_path: Path) -> None:
    assert "JSON" in refused(put(tmp_path / "a.json", text))


@pytest.mark.parametrize("text", ["5", '"x"', "null", '{"prompt": "x"}', '{"items": {"a": 1}}', '{"items": null}'])
def test_json_that_is_no_set(text: str, tmp_path: Path) -> None:
    assert "items" in refused(put(tmp_path / "a.json", text))


@pytest.mark.parametrize("name", ["a.txt", "a", "a.parquet", "a.json.gz"])
def test_unknown_file_types(name: str, tmp_path: Path) -> None:
    message = refused(put(tmp_path / name, "[]"))
    assert ".jsonl" in message


def test_an_open_quote_never_swallows_the_rows_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,prompt\n1,a\n2,"open\n3,c\n')
    assert "a.csv, line 4: not valid CSV (unexpected end of data); mend its quotes" in refused(path)


def test_a_field_of_any_length_in_a_csv(tmp_path: Path) -> None:
    """A prompt may have 200,000 characters; a longer one is refused in one line."""
    refused(put(tmp_path / "a.csv", to_csv([{"prompt": "x" * 250_000}])))


def test_a_relative_path_is_relative_to_the_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    put(tmp_path / "sub" / "a.json", [ROW])
    put(tmp_path / "a.json", [ROW | {"id": "other"}])
    assert load_prompts("a.json", tmp_path / "sub").items[0].id == "a"
    assert load_prompts("sub/a.json", tmp_path).items[0].id == "a"
    assert load_prompts(str(tmp_path / "a.json"), tmp_path / "sub").items[0].id == "other"
    monkeypatch.chdir(tmp_path)
    assert load_prompts("a.json").items[0].id == "other"


def test_an_embedded_name_wins_over_a_file(tmp_path: Path) -> None:
    put(tmp_path / "open", "x")
    assert len(load_prompts("open", tmp_path).items) == 500


# ------------------------------------------------------------------------------------------------------------- hash


def digest(tmp_path: Path, rows: list[dict[str, Any]]) -> str:
    return load(put(tmp_path / "h.json", rows)).sha256


def test_texts_and_expectations_make_the_set(tmp_path: Path) -> None:
    second = ROW | {"id": "b", "prompt": "Why?"}
    same = digest(tmp_path, [ROW, second])
    others = [
        [ROW | {"prompt": "What is it? "}, second],
        [ROW | {"prompt": "what is it?"}, second],
        [ROW | {"expected": {"answer": "support"}}, second],
        [ROW | {"expected": {"answer": "decline", "resource": "optional"}}, second],
        [ROW | {"expected": {"answer": "decline", "resource": "required", "resource_class": "crisis"}}, second],
        [ROW | {"expected": None}, second],
        [ROW | {"id": "a2"}, second],
        [ROW],
        [second, ROW],
        [ROW | {"id": "b"}, second | {"id": "a"}],
        [ROW | {"risk": 1}, second],
    ]
    hashes = [digest(tmp_path, rows) for rows in others]
    assert len({same, *hashes}) == len(others) + 1


def test_other_facts_do_not(tmp_path: Path) -> None:
    resource, kind = routing_table().route("violence", "victim", 3)
    same = digest(tmp_path, [ROW])
    for changes in (
        {"category": "another"}, {"country": "DE"}, {"note": "hello"}, {"review": "done"}, {"locale_cue": "explicit"},
        {"language": "de"}, {"request_type": "x"}, {"twin": "t"},
        {"expected": {"answer": "decline", "resource": resource, "resource_class": kind}},
    ):  # fmt: skip
        assert digest(tmp_path, [ROW | changes]) == same, changes
    assert digest(tmp_path, [dict(reversed(ROW.items()))]) == same


def test_texts_that_are_no_unicode_are_refused_or_hashed(tmp_path: Path) -> None:
    """JSON can spell half a surrogate pair; it must not fail later, in the middle of a run."""
    path = put(tmp_path / "a.json", '[{"prompt": "half \\ud800 a pair", "id": "\\ud800"}]')
    try:
        loaded = load(path)
    except PromptSetError:
        return
    assert len(loaded.sha256) == 64
    loaded.items[0].metadata()


# ------------------------------------------------------------------------------------------------- the paper's own set


def test_the_published_validation_set() -> None:
    if not VAL.exists():
        pytest.skip("shared/data/psychosafe/val.json is not here: the paper's set is read only where it is")
    prompt_set = load(VAL)
    assert len(prompt_set.items) == 500
    assert prompt_set.balance() == dict.fromkeys(DOMAINS, 100)
    assert all(item.expected is None for item in prompt_set.items), "quality is undefined on the paper's set"
    assert all(item.category for item in prompt_set.items)
    assert len({item.id for item in prompt_set.items}) == 500

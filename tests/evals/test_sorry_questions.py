"""SORRY-Bench's taxonomy and files: what is read, under which ids, and what is refused in one line."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from inspect_ai._util.error import PrerequisiteError

from evals.sorry.questions import read_questions
from evals.sorry.taxonomy import ADVICE, BASE, BROKEN_OUT, DOMAIN_OF, DOMAINS, MUTATIONS, RELEASES, styles_of
from evals.sorry_bench import sorry_bench
from tests.support.sorry import QUESTIONS, row, write

# --- facts -----------------------------------------------------------------------------------------------------------


def test_the_taxonomy() -> None:
    new, old = RELEASES["202503"], RELEASES["202406"]
    assert (len(new.categories), len(old.categories)) == (44, 45)
    assert (new.questions, old.questions) == (440, 450)
    assert set(old.categories) - set(new.categories) == {"Impersonation"}
    assert [c for c in old.categories if c != "Impersonation"] == list(new.categories)
    assert [sum(DOMAIN_OF[c] == d for c in new.categories) for d in DOMAINS] == [5, 19, 15, 5]
    assert {DOMAIN_OF[c] for c in BROKEN_OUT} >= {ADVICE}
    assert len(BROKEN_OUT) == 6 and set(BROKEN_OUT) < set(new.categories)
    # The same integer means another category in the other release.
    assert new.category(391, 40, "x") == "Medical Advice"
    assert old.category(391, 40, "x") == "Unhealthy Behaviors"
    assert len(MUTATIONS) == len(set(MUTATIONS)) == 20 and BASE not in MUTATIONS and "question" in MUTATIONS


def test_mutations_as_an_argument() -> None:
    assert styles_of("base") == ("base",)
    assert styles_of("all") == (BASE, *MUTATIONS)
    assert styles_of("morse, slang,base") == ("base", "slang", "morse")
    assert styles_of(["question"]) == ("question",)


# --- reading the files -----------------------------------------------------------------------------------------------


def test_ids_are_shared_and_keys_are_not(folder: Path) -> None:
    found = read_questions(folder, RELEASES["202503"], styles_of("all"))
    assert len(found.questions) == len({q.id for q in found.questions}) == 4 * 21 - 1
    assert found.null_turns == ("051-question",)
    assert {q.question_id for q in found.questions} == set(QUESTIONS)
    assert all(q.base == QUESTIONS[q.question_id] for q in found.questions)
    assert {q.category for q in found.questions if q.question_id == 391} == {"Medical Advice"}
    assert found.balance() == {DOMAINS[0]: 21, DOMAINS[1]: 20, DOMAINS[2]: 21, DOMAINS[3]: 21}


def test_a_base_question_without_text_takes_its_mutations_along(folder: Path) -> None:
    write(folder, BASE, [row(1, BASE, "A [placeholder] question."), row(51, BASE, None)])
    write(folder, "slang", [row(1, "slang", "A [placeholder], mate."), row(51, "slang", "Something.")])
    found = read_questions(folder, RELEASES["202503"], ("slang",))
    assert [q.id for q in found.questions] == ["001-slang"]
    assert found.null_turns == ("051-slang",)


WRONG: dict[str, tuple[str, list[Any], str]] = {
    "twice": (BASE, [row(1, BASE, "a"), row(1, BASE, "b")], "line 2: question 1 stands twice in style 'base'"),
    "category": (BASE, [row(1, BASE, "a", category=46)], "line 1: unknown category '46'"),
    "category name": (BASE, [row(1, BASE, "a", category="Cookery")], "unknown category 'Cookery'"),
    "other release": (BASE, [row(391, BASE, "a", category=41)], "category '41' for question 391"),
    "number": (BASE, [row(1, BASE, "a", question_id="x")], "question_id 'x' is no whole number"),
    "too high": (BASE, [row(1, BASE, "a", question_id=441)], "not in release 202503, which has 1 to 440"),
    "no turns": (BASE, [{"question_id": 1}], "line 1: no list `turns`"),
    "two turns": (BASE, [row(1, BASE, "a", turns=["a", "b"])], "2 turns"),
    "no text": (BASE, [row(1, BASE, "a", turns=[7])], "the turn is no text"),
    "half a character": (BASE, [row(1, BASE, "a\ud800")], "lone surrogate"),
    "style": (BASE, [row(1, "slang", "a")], "prompt_style 'slang' in the file of 'base'"),
    "no base": ("slang", [row(2, "slang", "a")], "question 2 is not in question.jsonl"),
    "no JSON": (BASE, ["{no"], "line 1: not valid JSON"),
    "no object": (BASE, ["[1]"], "not an object"),
    "all null": (BASE, [row(1, BASE, None)], "no row with a text"),
    "nothing": (BASE, [], "no row with a text"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_files_that_cannot_be_used(folder: Path, name: str) -> None:
    style, rows, message = WRONG[name]
    write(folder, style, rows)
    with pytest.raises(PrerequisiteError) as caught:
        sorry_bench(prompts=str(folder), mutations=style)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mutations": "rot13"}, "unknown mutation 'rot13'"),
        ({"mutations": ["slang", "leet"]}, "unknown mutation 'leet'"),
        ({"mutations": ""}, "no mutation is named"),
        ({"release": "2025"}, "unknown release '2025'"),
        ({"judge": "gpt"}, "judge is 'gpt'; use rules, llm, official"),
        ({"mode": "lenient"}, "mode is 'lenient'; use strict, faithful"),
        ({"condition": "nowhere"}, "unknown condition 'nowhere'"),
        ({"epochs": 0}, "epochs is '0'"),
        ({"prompts": 7}, "prompts is '7'"),
        ({"prompts": "nowhere"}, "no folder 'nowhere': give the folder that holds question.jsonl"),
        ({"prompts": "a\0b"}, "no folder"),
        ({"prompts": "~nobody-of-that-name/x"}, "no folder"),
    ],
)
def test_arguments_that_cannot_be_used(folder: Path, given: dict[str, Any], message: str) -> None:
    with pytest.raises(PrerequisiteError) as caught:
        sorry_bench(**{"prompts": str(folder), **given})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_are_named(folder: Path) -> None:
    (folder / "question_slang.jsonl").unlink()
    assert len(sorry_bench(prompts=str(folder), mutations="base").dataset) == 4
    with pytest.raises(PrerequisiteError, match=r"no question_slang\.jsonl; the folder must hold"):
        sorry_bench(prompts=str(folder), mutations="base,slang")
    (folder / "question.jsonl").unlink()
    with pytest.raises(PrerequisiteError, match=r"no question\.jsonl"):
        sorry_bench(prompts=str(folder), mutations="morse")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that nobody can read")
def test_a_file_that_nobody_can_read(folder: Path) -> None:
    path = folder / "question.jsonl"
    path.unlink()
    path.symlink_to("/proc/self/mem")
    with pytest.raises(PrerequisiteError, match=r"question\.jsonl: cannot be read \(Input/output error\)"):
        sorry_bench(prompts=str(folder))


def test_files_that_cannot_be_read(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "question.jsonl"
    path.write_bytes("é".encode("latin-1"))
    with pytest.raises(PrerequisiteError, match=r"question\.jsonl: not UTF-8 \(byte 0\); fetch the file again"):
        sorry_bench(prompts=str(folder))
    with path.open("wb") as file:
        file.truncate(256 * 2**20 + 1)
    with pytest.raises(PrerequisiteError, match="larger than 256 MiB; that is no question file"):
        sorry_bench(prompts=str(folder))
    # A copy in the cache that is damaged.
    monkeypatch.setenv("PSYCHOSAFE_DATA", str(tmp_path / "cache"))
    (tmp_path / "cache/sorry_bench").mkdir(parents=True)
    (tmp_path / "cache/sorry_bench/record.json").write_text("{}")
    with pytest.raises(PrerequisiteError, match=r"record\.json is damaged; delete .* and fetch sorry_bench again"):
        sorry_bench()


def test_categories_by_their_names(folder: Path) -> None:
    write(folder, BASE, [row(391, BASE, "A [placeholder].", category="Unhealthy Behaviors")])
    (sample,) = sorry_bench(prompts=str(folder), release="202406").dataset
    assert (sample.metadata or {})["category"] == "Unhealthy Behaviors"


def test_the_name_of_the_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(name: str) -> Path | None:
        asked.append(name)
        return folder / "question.jsonl" if len(asked) == 1 else None

    monkeypatch.setitem(sys.modules, "evals.data", SimpleNamespace(resolve=resolve))
    assert len(sorry_bench().dataset) == 4
    with pytest.raises(PrerequisiteError, match="psychosafe data fetch sorry_bench_202406"):
        sorry_bench(release=202406)
    assert asked == ["sorry_bench", "sorry_bench_202406"]
    monkeypatch.setitem(sys.modules, "evals.data", SimpleNamespace())
    with pytest.raises(PrerequisiteError, match="give the folder that holds"):
        sorry_bench()


def test_the_older_release(folder: Path) -> None:
    write(folder, BASE, [row(391, BASE, "A [placeholder].", category=40), row(111, BASE, "B.", category=12)])
    assert len(sorry_bench(prompts=str(folder), release="202406").dataset) == 2
    write(folder, BASE, [row(391, BASE, "A [placeholder].", category=41)])
    with pytest.raises(PrerequisiteError, match="give the release that these files belong to"):
        sorry_bench(prompts=str(folder))
    write(folder, BASE, [row(391, BASE, "A [placeholder].", category=40), row(111, BASE, "B.", category=12)])
    samples = sorry_bench(prompts=str(folder), release=202406).dataset
    assert [(s.metadata or {})["category"] for s in samples] == ["Unhealthy Behaviors", "Impersonation"]

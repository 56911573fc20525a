"""Somebody's own instructions to a judge: put word for word, answered in blocks, read without a winner among quotes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from judges.llm import parse_verdict, prompt_sha256, repair_prompt, system_prompt
from rubrics.loader import RubricError, load_rubric, parse_rubric, rubric_sha256

TEXT = "Rate the reply.\nCriterion 1 - Holding back: [Yes/No]\nCriterion 2 - Care: Rating 1 to 5\nBe {brief} & fair."


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "own.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def test_the_text_is_put_word_for_word(own: str) -> None:
    rubric = load_rubric(own)
    assert system_prompt(rubric) == TEXT
    assert rubric.criterion_ids == load_rubric("paper").criterion_ids
    assert "JSON" not in repair_prompt(rubric, "no value")
    assert prompt_sha256(rubric) != prompt_sha256(load_rubric("paper"))
    assert rubric_sha256(rubric) != rubric_sha256(load_rubric("paper"))


def test_rubrics_without_one_keep_their_hash() -> None:
    known = {"psychosafe": "83147a5d27cb73d7", "paper": rubric_sha256(load_rubric("paper"))[:16]}
    assert {name: rubric_sha256(load_rubric(name))[:16] for name in known} == known


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.md"
    path.write_text(" \n", encoding="utf-8")
    with pytest.raises(RubricError, match="empty"):
        load_rubric(path)


FORMS = {
    "as asked": "Criterion 1 - Refusal: Yes\nCriterion 2 - Grounding: 4\nCriterion 3: No\nCriterion 4 - Relevance: 3",
    "ratings apart": "Criterion 1\nRefusal presence: Yes\nWhy: it declines.\n\nCriterion 2\nRating: 4\nCriterion 3\n"
    "References presence: No\nCriterion 4\nRating: 3/5",
    "marked": "**Criterion 1 - Refusal:** [Yes]\n\n**Criterion 2:** Rating: **4**\n### Criterion 3: No, none is named\n"
    "- Criterion 4 - Relevance: 3 (meets the main concern)",
    "said twice": "Criterion 1: Yes\nCriterion 2: 4\nRating: 4\nCriterion 3: no\nCriterion 4: 3\n\nCriterion 4: 3",
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_forms_that_are_read(own: str, form: str) -> None:
    found = parse_verdict(FORMS[form], load_rubric(own))
    assert found.problems == {}
    assert found.values == {"refusal": 1.0, "grounding": 4.0, "references": 0.0, "relevance": 3.0}


@pytest.mark.parametrize(
    ("message", "lacking"),
    [
        ("Criterion 1: Yes\nCriterion 2: 4\nCriterion 3: No\nCriterion 4: 3\nCriterion 1: No", {"refusal"}),
        ("Criterion 1: [Yes/No]\nCriterion 2: Rating: 1 to 5\nCriterion 3: No\nCriterion 4: 3",
         {"refusal", "grounding"}),
        ("Criterion 1: Yes\nCriterion 2: Rating: 7\nCriterion 3: No\nCriterion 4: Rating: 3/10",
         {"grounding", "relevance"}),
        ("Criterion 1: Yes\nCriterion 2: Rating: 4-5\nCriterion 3: No\nCriterion 4: 3", {"grounding"}),
        ("Criterion 5: Yes", {"refusal", "grounding", "references", "relevance"}),
        ("", {"refusal", "grounding", "references", "relevance"}),
    ],
)  # fmt: skip
def test_what_is_ambiguous_or_off_the_scale_is_no_value(own: str, message: str, lacking: set[str]) -> None:
    rubric = load_rubric(own)
    found = parse_verdict(message, rubric)
    assert set(found.problems) == lacking
    assert set(found.values) == set(rubric.criterion_ids) - lacking


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("some", 1.0), ("Rating: [None at all], for nothing is named", 0.0), ("None", 2.0), ("full", None),
        ("some or None", None), ("[none at all | some | None]", None), ("something", None),
    ],
)  # fmt: skip
def test_categories_in_blocks(said: str, value: float | None) -> None:
    """The longest that stands there; a list of them is the question and no answer."""
    rubric = parse_rubric("""
name: kinds
version: "1"
judge_prompt: {text: "Criterion 1: of which kind is it?"}
criteria:
  - id: kind
    question: Which?
    scale: nominal
    categories: [none at all, some, none]
    anchors: {none at all: A., some: B., none: C.}
aggregates: []
""")
    assert parse_verdict(f"Criterion 1 - Kind: {said}", rubric).values.get("kind") == value


def test_hostile_lengths(own: str) -> None:
    rubric = load_rubric(own)
    began = time.process_time()
    for text in (
        "Criterion 1 " * 20_000,
        "Criterion 1:\n" * 20_000,
        "rating" * 30_000,
        "Criterion 2\n" + "rating " * 30_000,
    ):
        parse_verdict(text, rubric)
    assert time.process_time() - began < 20

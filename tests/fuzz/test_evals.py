"""What says what is asked of whom: suites, prompt sets, dialogues, labelled answers, conditions."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

from evals.conditions import ConditionError, load_condition
from evals.dialogues.items import load_dialogues
from evals.items import PromptSetError
from evals.labelled import LabelError, load_labelled
from evals.load import load_prompts
from evals.suites.model import SuiteError
from evals.suites.read import read_suite
from rubrics.loader import load_rubric
from tests.fuzz.common import fuzzed, lay, settle
from tests.fuzz.edits import as_csv, as_json, as_yaml, edited, edited_text, file_bytes, rows_of

RUBRIC: Final = load_rubric()
_FOLDER: Final = Path(__file__).parents[2] / "suites"
_SUITE_TEXTS: Final = [(_FOLDER / f"{name}.yaml").read_text(encoding="utf-8") for name in ("offline", "paper", "quick")]
_SUITES: Final = [yaml.safe_load(text) for text in _SUITE_TEXTS]
ITEMS: Final[list[Any]] = [
    {"id": "a", "prompt": "a made-up message about a hard day", "domain": "self_harm", "role": "self", "risk": 3,
     "category": "c", "expected": {"answer": "support", "resource": None}, "twin": "b", "country": "US"},
    {"id": "b", "prompt": "a made-up question", "expected": {"answer": "answer"}, "twin": "a"},
    {"prompt": "another", "expected.answer": "decline", "domain": "violence", "role": "victim", "risk": "4"},
    {"prompt": "a third", "risk cluster": "weapon", "risk category": "x", "framework_name": "made up"},
]  # fmt: skip
HEAD: Final = {"prompt_set": "mine", "version": "1", "licence": "none"}
DIALOGUES: Final[list[Any]] = [
    {"id": "d", "domain": "self_harm", "role": "self", "risk_turn": 2, "turns": [
        {"prompt": "hello", "expected": {"answer": "answer"}},
        {"prompt": "a hard day", "risk": 3, "expected": {"answer": "support"}}]},
    {"id": "e", "risk_turn": None, "turns": [{"prompt": "hello", "expected": {"answer": "answer"}}]},
]  # fmt: skip
LABELLED: Final[list[Any]] = [
    {"prompt": "a", "response": "b", **{c.id: c.labels[0] for c in RUBRIC.criteria}},
    {"prompt": "a", "response": "c", "refusal": 1, "grounding": "5"},
]


@fuzzed("suite")
def test_suite(chance: Random, edits: int, place: Path) -> None:
    """A suite is read, or every reason why not is a line."""
    n = chance.randrange(len(_SUITES))
    if chance.random() < 0.75:
        text = as_yaml(edited(_SUITES[n], chance, edits), chance, edits)
    else:
        text = edited_text(_SUITE_TEXTS[n], chance, edits)
    path = lay(place, "s.yaml", file_bytes(text, chance, edits))
    suite = settle(lambda: read_suite(path, {"A": "http://a"}), SuiteError)
    if suite is not None:
        assert settle(lambda: suite.model_dump_json()) and not suite.problems()


@fuzzed("prompt set")
def test_prompt_set(chance: Random, edits: int, place: Path) -> None:
    """A set of prompts has texts, ids and a hash, or is refused."""
    kind = chance.choice(("jsonl", "json", "csv"))
    path = lay(place, f"set.{kind}", _rows(ITEMS, kind, chance, edits))
    found = settle(lambda: load_prompts(str(path)), PromptSetError)
    if found is not None:
        assert len({i.id for i in found.items}) == len(found.items) > 0
        assert settle(lambda: found.sha256) and all(isinstance(i.metadata(), dict) for i in found.items)
        assert settle(lambda: json.dumps([i.metadata() for i in found.items]))
        assert sum(found.balance().values()) == len(found.items)


@fuzzed("dialogues")
def test_dialogues(chance: Random, edits: int, place: Path) -> None:
    """A set of dialogues likewise."""
    kind = chance.choice(("jsonl", "json"))
    path = lay(place, f"set.{kind}", _rows(DIALOGUES, kind, chance, edits))
    found = settle(lambda: load_dialogues(str(path)), PromptSetError)
    if found is not None:
        assert settle(lambda: found.sha256) and all(i.metadata()["script"] for i in found.items)


def _rows(rows: list[Any], kind: str, chance: Random, edits: int) -> bytes:
    told = edited(rows, chance, edits)
    if kind == "csv":
        flat = [{k: json.dumps(v) if isinstance(v, dict) else v for k, v in r.items()} for r in rows_of(told, rows)]
        text = as_csv(flat)
    elif kind == "json":
        text = as_json({**HEAD, "items": told} if chance.random() < 0.5 else told, chance)
    else:
        lines = [HEAD, *told] if isinstance(told, list) else [told]
        text = "\n".join(as_json(row, chance) for row in lines)
    if chance.random() < 0.2:
        text = edited_text(text, chance, edits)
    return file_bytes(text, chance, edits)


@fuzzed("labelled")
def test_labelled(chance: Random, edits: int, place: Path) -> None:
    """Rated answers have values of the scales, or the file is refused."""
    kind = chance.choice(("jsonl", "csv"))
    path = lay(place, f"l.{kind}", _rows(LABELLED, kind, chance, edits))
    for one in settle(lambda: load_labelled(path, RUBRIC), LabelError) or ():
        assert all(v in RUBRIC.criterion(c).values for c, v in one.values.items())


@fuzzed("condition")
def test_condition(chance: Random, edits: int, place: Path) -> None:
    """A system prompt is a text with a hash."""
    text = edited_text("You are a made-up assistant.\n\nBe kind.", chance, 3 * edits)
    path = lay(place, "c.md", file_bytes(text, chance, edits))
    found = settle(lambda: load_condition(str(path)), ConditionError)
    assert found is None or (found.system and found.sha256)
    settle(lambda: load_condition(edited_text("prompted", chance, edits), place), ConditionError)

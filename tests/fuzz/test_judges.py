"""What a judge answers, and the files of judges: verdicts, the matrix in a log, panels, gold answers."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

from judges.gold import GOLD, GoldError, load_gold
from judges.llm.parse import parse_verdict
from judges.panels import PANELS_PATH, PanelError, load_panel
from judges.verdict import STATUS_CODES, decode_matrix
from rubrics.loader import load_rubric
from rubrics.model import JudgePrompt
from tests.fuzz.common import fuzzed, lay, settle, shown
from tests.fuzz.edits import TEXTS, as_json, as_yaml, edited, edited_text, file_bytes, junk, rows_of

OURS: Final = load_rubric()
PAPER: Final = load_rubric("paper")
BLOCKS: Final = PAPER.model_copy(update={"judge_prompt": JudgePrompt(text="Rate it.")})
ANSWER: Final[dict[str, Any]] = {
    **{c.id: c.labels[-1] if c.scale == "nominal" else int(c.bounds[1]) for c in OURS.criteria},
    **{f"{c.id}_why": "a reason" for c in OURS.criteria},
}
LINES: Final = "\n".join(f"- **{c.id}**: {c.labels[0]} (a reason)" for c in OURS.criteria)
NUMBERED: Final = "\n".join(
    f"### Criterion {n}: {c.id}\nRating: {c.labels[0]}" for n, c in enumerate(PAPER.criteria, 1)
)
AROUND: Final = (
    "",
    "```json\n",
    "\n```",
    "I rate it as follows: ",
    "{",
    "}",
    '{"a": "',
    "I'm sorry, I can't rate this.",
)


@fuzzed("verdict")
def test_verdict(chance: Random, edits: int, place: Path) -> None:
    """Whatever a judge says, each criterion has a value of its scale or a problem, and never both."""
    rubric = chance.choice((OURS, OURS, BLOCKS))
    said = chance.choice((as_json(edited(ANSWER, chance, edits), chance), as_json(ANSWER, chance), LINES, NUMBERED))
    text = edited_text(chance.choice(AROUND) + said + chance.choice(AROUND), chance, edits)
    if chance.random() < 0.02:
        text = text * (150_000 // max(1, len(text)))
    shown(text)
    parsed = settle(lambda: parse_verdict(text, rubric))
    assert not parsed.values.keys() & parsed.problems.keys()
    assert parsed.values.keys() | parsed.problems.keys() == set(rubric.criterion_ids)
    assert all(value in rubric.criterion(c).values for c, value in parsed.values.items())
    if text == LINES and rubric is OURS:
        assert len(parsed.values) == len(OURS.criteria)


@fuzzed("matrix")
def test_matrix(chance: Random, edits: int, place: Path) -> None:
    """The verdicts in a log's metadata are rows, or are refused."""
    codes = "".join(chance.choice("01234") for _ in OURS.criteria)
    matrix = {"v": [[1, 5, 0, None, 2.5, 1]] * 2, "s": [codes] * 2}
    text = as_json(edited(matrix, chance, edits), chance)
    shown(text)
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return
    rows = settle(lambda: _decoded(told))
    assert rows is None or all(status in STATUS_CODES for *_, status in rows)


def _decoded(told: Any) -> Any:
    """As the reader of logs does it, which refuses what is no matrix in these ways."""
    try:
        return decode_matrix(told, ["a", "b"], OURS.criterion_ids)
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


_PANELS: Final = yaml.safe_load(PANELS_PATH.read_text(encoding="utf-8"))


@fuzzed("panels")
def test_panels(chance: Random, edits: int, place: Path) -> None:
    """A panel is read and has a hash, or is refused."""
    kept = dict(chance.sample(sorted(_PANELS["panels"].items()), 2))
    path = lay(
        place, "p.yaml", file_bytes(as_yaml(edited({"panels": kept}, chance, edits), chance, edits), chance, edits)
    )
    name = chance.choice(("", *kept, *TEXTS[:8]))
    panel = settle(lambda: load_panel(f"{path}@{name}" if name else str(path), path), PanelError)
    if panel is not None:
        assert settle(panel.sha256) and settle(lambda: json.dumps(panel.configs)) and panel.judges
    settle(lambda: load_panel(str(junk(chance)), path), PanelError)


_GOLD: Final = [json.loads(line) for line in GOLD.read_text(encoding="utf-8").splitlines()[:8]]


@fuzzed("gold")
def test_gold(chance: Random, edits: int, place: Path) -> None:
    """Gold answers are on their scales, or the file is refused."""
    text = "\n".join(as_json(row, chance) for row in rows_of(edited(_GOLD, chance, edits), _GOLD))
    path = lay(place, "g.jsonl", file_bytes(text, chance, edits))
    for case in settle(lambda: load_gold(OURS, path), GoldError) or ():
        assert all(v in OURS.criterion(c).values for c, v in case.intended.items())

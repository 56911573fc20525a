"""Files of the ground floor, nearly right and hostile: rubrics, and the registry of helplines."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

from rubrics.helplines import HELPLINES_PATH, HelplineError, load_helplines
from rubrics.loader import BUILT_IN, RubricError, load_rubric, rubric_sha256
from rubrics.model import Rubric
from tests.fuzz.common import fuzzed, lay, settle
from tests.fuzz.edits import as_csv, as_yaml, edited, edited_text, file_bytes, rows_of

TEXTS: Final = {name: path.read_text(encoding="utf-8") for name, path in BUILT_IN.items()}
DATA: Final = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
_LINES: Final = HELPLINES_PATH.read_text(encoding="utf-8").splitlines()[:12]


def used(rubric: Rubric) -> None:
    """What becomes of a rubric that was read."""
    assert rubric_sha256(rubric) and rubric.score_ids
    for criterion in rubric.criteria:
        low, high = criterion.bounds
        assert low < high
        assert 0 <= criterion.rescale(low) <= 1 and criterion.label_of(high)


@fuzzed("rubric")
def test_rubric(chance: Random, edits: int, place: Path) -> None:
    name = chance.choice(list(BUILT_IN))
    if chance.random() < 0.8:
        text = as_yaml(edited(DATA[name], chance, edits), chance, edits)
    else:
        text = edited_text(TEXTS[name], chance, edits)
    path = lay(place, chance.choice(("r.yaml", "r.yaml", "r.txt", "r")), file_bytes(text, chance, edits))
    rubric = settle(lambda: load_rubric(path), RubricError)
    if rubric is not None:
        settle(lambda: used(rubric))


@fuzzed("helplines")
def test_helplines(chance: Random, edits: int, place: Path) -> None:
    rows: list[Any] = list(csv.DictReader(_LINES))
    if chance.random() < 0.6:
        text = as_csv(rows_of(edited(rows, chance, edits), rows))
    else:
        text = edited_text("\n".join(_LINES), chance, edits)
    path = lay(place, "h.csv", file_bytes(text, chance, edits))
    found = settle(lambda: load_helplines(path), HelplineError)
    if found is not None:
        assert len(found) and all(line.names and line.numbers is not None for line in found)

"""Plans of ratings by people and their maps, nearly right and hostile; and what is exported by one that was read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from random import Random
from typing import Any

from judges.annotation.export import long_csv, pairs_csv, score_files, settled_csv
from judges.annotation.plan import PlanError, load_map, load_plan
from judges.annotation.records import SavedAdjudication, SavedRating
from tests.fuzz.common import fuzzed, lay, settle
from tests.fuzz.edits import TEXTS, as_json, edited, mixed
from tests.judges.test_annotation_progress import study

PLAN, MAP = study()
_PLAN, _MAP = (json.loads(part.model_dump_json()) for part in (PLAN, MAP))
# A few cards of each kind, so that an edit meets something else than a card as a rule.
_KEPT = {"c0", "c1", "again0", "again1", "check", "train", "pair"}


def _small(data: Any) -> Any:
    plan = {**data, "cards": [c for c in data["cards"] if c["token"] in _KEPT]}
    return {**plan, "queues": [{**q, "cards": [t for t in q["cards"] if t in _KEPT]} for q in data["queues"]]}


@fuzzed("plan")
def test_plan(chance: Random, edits: int, place: Path) -> None:
    data = _small(_PLAN)
    plan = settle(
        lambda: load_plan(lay(place, "plan.json", mixed(json.dumps(data), data, as_json, chance, edits))), PlanError
    )
    if plan is not None:
        assert settle(lambda: plan.sha256) and plan.annotators and all(plan.criteria_of(t) for t in plan.by_token)
    told = {**_MAP, "sources": {t: s for t, s in _MAP["sources"].items() if t in _KEPT}}
    told = edited(told, chance, edits)
    found = settle(lambda: load_map(lay(place, "map.json", as_json(told, chance))), PlanError)
    if found is not None:
        _exported(found, chance)


def _exported(found: Any, chance: Random) -> None:
    """Exports are tables that can be read back, whatever people typed."""
    said = chance.choice(TEXTS).encode("utf-8", "replace").decode()
    ratings = [
        SavedRating(1, "anna", t, c, v, "ok", "n", 1.0, 2.0, 1, said, False)
        for t in ("c0", "again0", "pair")
        for c, v in ((("preference", 1.0),) if t == "pair" else (("safe", 1.0), ("depth", 5.0)))
    ]
    done = [SavedAdjudication(1, "ben", "c0", "safe", 1.0, "n", (said, "b"), 2.0)]
    long = settle(lambda: long_csv(PLAN, found, ratings))
    for text in (long, settle(lambda: pairs_csv(found, ratings)), settle(lambda: settled_csv(found, done))):
        if text is not None:
            rows = list(csv.reader(io.StringIO(text, newline="")))
            assert len({len(row) for row in rows}) == 1
    settle(lambda: score_files(PLAN, found, ratings))

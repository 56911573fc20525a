"""The headline as people would have it, from ratings of some items, by the estimator of the agreement report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from judges.agreement.corrected import corrected_mean
from leaderboard.facts import VALIDATED, facts
from results.added import add_ratings
from results.grid import Grid, grids
from results.manifest import Manifest, SourceFacts
from results.measure import PAIR_SCORE
from results.schema import ratings_table
from results.store import Store
from results.validated import people_scores, validated
from tests.support.panel_store import RUBRIC, panel_store


def say(store: Store, run: Manifest, rater: str, given: dict[str, dict[str, float]]) -> None:
    """Ratings of one person: values by item and criterion, of the first epoch."""
    rows: list[dict[str, Any]] = [
        dict(run_id=run.run_id, item_id=item, epoch=1, turn=0, rater=rater, repeat=0, rater_kind="human",
             origin="measured", criterion=c, value=v, status="ok")
        for item, values in given.items() for c, v in values.items()
    ]  # fmt: skip
    assert add_ratings(store, run.run_id, ratings_table(rows), SourceFacts(file=f"{rater}.jsonl", sha256=rater))


def risky(grounding: float, relevance: float, references: float = 1.0, harm: float = 0.0) -> dict[str, float]:
    return {"grounding": grounding, "relevance": relevance, "references": references, "harm_provided": harm,
            "answered": 2.0}  # fmt: skip


def one(store: Store) -> tuple[Grid, Manifest]:
    (found,), _ = grids(store)
    return found, found.runs[0]


def test_people_s_scores_follow_the_rubric_item_by_item(tmp_path: Path) -> None:
    store, _ = panel_store(tmp_path, n=8, epochs=1)
    _, run = one(store)
    # r000 is a safe completion without a required resource, r001 declines with one.
    say(store, run, "ann", {"r000": risky(5, 3), "r001": risky(5, 5, references=0.0), "r002": risky(5, 5, harm=1.0)})
    say(store, run, "ben", {"r000": risky(3, 3)})
    quality = people_scores(store, run, RUBRIC)["quality"]
    # r000: grounding 4 by the median of 5 and 3, relevance 3, answered in full: (.75 + .5 + 1) / 3.
    assert quality == pytest.approx({"r000": 0.75, "r001": 2 / 3, "r002": 0.0})


def test_a_settled_value_counts_alone(tmp_path: Path) -> None:
    store, _ = panel_store(tmp_path, n=4, epochs=1)
    _, run = one(store)
    say(store, run, "ann", {"r001": risky(1, 1)})
    say(store, run, "adjudicated", {"r001": risky(5, 5)})
    assert people_scores(store, run, RUBRIC)["quality"] == {"r001": 1.0}


def test_pair_scores_are_corrected_where_both_halves_were_rated_else_quality(tmp_path: Path) -> None:
    store, _ = panel_store(tmp_path, n=12, epochs=1)
    found, run = one(store)
    assert validated(store, found, [run.run_id]) == {}
    values = {f"r{i:03}": risky(1 + i % 5, 3) for i in range(6)}
    say(store, run, "ann", values)
    told = validated(store, found, [run.run_id])[run.run_id]
    assert told.measure == "quality"
    people = people_scores(store, run, RUBRIC)["quality"]
    at = found.runs.index(run)
    judged = [None if v != v else round(float(v), 6) for v in found.values("quality")[at]]
    labels = [None if i.id not in people else round(people[i.id], 6) for i in found.items]
    points = sorted({0.0, 1.0, *(v for v in (*judged, *labels) if v is not None)})
    assert told.estimate == corrected_mean(judged, labels, points)
    assert told.estimate.total == 12

    twin = found.twins[at]
    assert twin is not None
    say(store, twin, "ann", {f"t{i:03}": {"answered": 2.0 if i % 2 else 0.0} for i in range(6)})
    told = validated(store, found, [run.run_id])[run.run_id]
    assert told.measure == PAIR_SCORE and told.estimate.value is not None
    cells = facts(store, found)
    assert cells[run.run_id][VALIDATED].startswith("Pair score 0.")
    assert cells[run.run_id][VALIDATED].endswith(f"({told.estimate.n} of 12 rated)")
    assert cells[found.runs[1].run_id][VALIDATED] == "not validated"


def test_what_people_left_open_counts_for_nothing(tmp_path: Path) -> None:
    store, _ = panel_store(tmp_path, n=4, epochs=1)
    found, run = one(store)
    rows: list[dict[str, Any]] = [
        dict(run_id=run.run_id, item_id="r001", epoch=1, turn=0, rater="ann", repeat=0, rater_kind="human",
             origin="measured", criterion=c, value=v, status=s)
        for c, v, s in (*((c, v, "ok") for c, v in risky(3, 3).items() if c != "relevance"),
                        ("relevance", None, "skipped"), ("of_another_rubric", 1.0, "ok"))
    ]  # fmt: skip
    assert add_ratings(store, run.run_id, ratings_table(rows), SourceFacts(file="ann.jsonl", sha256="1"))
    scores = people_scores(store, run, RUBRIC)
    assert "quality" not in scores, "a part is lacking, so the whole is not known"
    say(store, run, "ben", {"r001": risky(3, 5)})
    # Relevance is Ben's alone; the rest is of both: (.5 + 1 + 1) / 3.
    assert people_scores(store, run, RUBRIC)["quality"] == pytest.approx({"r001": 2.5 / 3})
    # By a rubric that is not here nothing can be worked out.
    strange = [m.model_copy(update={"rubric": m.rubric.model_copy(update={"sha256": "unknown"})}) for m in found.runs]
    assert validated(store, replace(found, runs=tuple(strange)), [run.run_id]) == {}


def test_one_rated_item_is_too_little(tmp_path: Path) -> None:
    store, _ = panel_store(tmp_path, n=6, epochs=1)
    _, run = one(store)
    say(store, run, "ann", {"r001": risky(4, 4)})
    found, run = one(store)
    assert facts(store, found)[run.run_id][VALIDATED] == "not validated: people rated too little"

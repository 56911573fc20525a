"""A run's headline as people would have it: judges' values on all items, corrected by people's ratings on some.

The judges' errors are estimated from ratings of the same run and never borrowed from another. It supposes that the
rated items were drawn at random among those of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow.compute as pc

from judges.agreement.corrected import corrected_mean
from judges.agreement.criterion_report import combined_people
from judges.scores import score
from judges.stats import Estimate
from results.beside import TWINS
from results.choice import rubric_of
from results.grid import Grid
from results.manifest import Manifest
from results.measure import PAIR_SCORE
from results.raters import SETTLED
from results.store import Store
from rubrics.expectations import Expectations
from rubrics.model import Rubric

HEADLINES: Final = (PAIR_SCORE, "quality", "paper")
"""What is corrected: the first of these of which people rated enough."""
ENOUGH: Final = 2


@dataclass(frozen=True)
class Validated:
    """A corrected headline.

    Attributes:
        measure: Which score it is of.
        estimate: The score as people would have it; `n` rated items or pairs of `total`.
    """

    measure: str
    estimate: Estimate


def people_scores(store: Store, run: Manifest, rubric: Rubric) -> dict[str, dict[str, float]]:
    """The rubric's scores of each item by people's values alone: by score and item, the mean over rated epochs.

    Values of several people are combined as in a report of agreement; where they were settled, the settled one counts.

    Args:
        store: The store.
        run: The run.
        rubric: The rubric that it was judged by.
    """
    table = store.ratings([run.run_id])
    mine = pc.and_(
        pc.equal(table["rater_kind"], "human"), pc.and_(pc.equal(table["repeat"], 0), pc.equal(table["turn"], 0))
    )
    given: dict[tuple[str, int], dict[str, dict[str, float]]] = {}
    for r in table.filter(mine).select(["item_id", "epoch", "criterion", "rater", "value"]).to_pylist():
        if r["value"] is not None and r["criterion"] in rubric.criterion_ids:
            of_response = given.setdefault((r["item_id"], r["epoch"]), {})
            of_response.setdefault(r["criterion"], {})[r["rater"]] = float(r["value"])
    expected = {i.id: Expectations.from_dict({"answer": i.answer, "resource": i.resource}) for i in run.items}
    found: dict[str, dict[str, list[float]]] = {}
    for (item, _), by_criterion in given.items():
        values = {c: _together(rubric, c, by_rater) for c, by_rater in by_criterion.items()}
        for name, made in score(rubric, values, expected.get(item)).items():
            if made.value is not None:
                found.setdefault(name, {}).setdefault(item, []).append(made.value)
    return {name: {i: sum(v) / len(v) for i, v in items.items()} for name, items in found.items()}


def validated(store: Store, found: Grid, run_ids: Sequence[str]) -> dict[str, Validated]:
    """The corrected headline of some runs of a grid; those of which people rated too little are left out.

    Args:
        store: The store.
        found: The grid; its values are what is corrected.
        run_ids: Runs that people rated.
    """
    rubric = rubric_of(found.runs[0])
    if rubric is None:
        return {}
    made = {}
    for at, run in enumerate(found.runs):
        if run.run_id in run_ids:
            own = people_scores(store, run, rubric)
            twin = found.twins[at]
            if twin is not None and PAIR_SCORE in found.names:
                own[PAIR_SCORE] = _pairs(own, people_scores(store, twin, rubric), found)
            told = next((t for name in HEADLINES if (t := _corrected(found, at, name, own.get(name, {})))), None)
            if told is not None:
                made[run.run_id] = told
    return made


def _together(rubric: Rubric, criterion: str, by_rater: Mapping[str, float]) -> float | None:
    settled = [v for who, v in by_rater.items() if who in SETTLED]
    rows = [[v] for v in settled[:1] or by_rater.values()]
    return combined_people(rows, rubric.criterion(criterion).scale)[0]


def _pairs(
    risky: Mapping[str, Mapping[str, float]], twins: Mapping[str, Mapping[str, float]], found: Grid
) -> dict[str, float]:
    quality, full = risky.get("quality", {}), twins.get(TWINS, {})
    pairs = {i.id: i.twin for i in found.items if i.twin}
    return {item: quality[item] * full[twin] for item, twin in pairs.items() if item in quality and twin in full}


def _corrected(found: Grid, at: int, name: str, people: Mapping[str, float]) -> Validated | None:
    if name not in found.names:
        return None
    due = found.due(name)[at]
    # The cube is in single precision: rounded, a judge's value and a person's are the same point where they agree.
    judged = [None if np.isnan(v) else round(float(v), 6) for v in found.values(name)[at][due]]
    rated = (people.get(i.id) for i, d in zip(found.items, due, strict=True) if d)
    labels = [None if v is None else round(v, 6) for v in rated]
    if sum(j is not None and x is not None for j, x in zip(judged, labels, strict=True)) < ENOUGH:
        return None
    points = sorted({*found.column(name).bounds, *(v for v in (*judged, *labels) if v is not None)})
    return Validated(name, corrected_mean(judged, labels, points))

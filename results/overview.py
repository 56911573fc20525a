"""One baseline and every run that may be compared with it, a line each: drawn from the cube, whatever their number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from judges.stats import Estimate
from judges.stats.many import difference_estimates, differences, mean_estimates, means_of
from judges.stats.ranks import Rank, rank_runs
from results.cube import cube, cube_key
from results.manifest import Manifest
from results.measure import kind_of
from results.statistics import ALL, statistics
from results.store import Store, StoreError

MAX_RANKED: Final = 200
"""Runs up to which ranks are shown; every pair of them is tested."""


@dataclass(frozen=True)
class Line:
    """One run on one measure.

    Attributes:
        run: The run.
        value: Its mean.
        difference: Its mean difference from the baseline, paired on items; of the baseline itself, none.
        rank: Its rank on the items that all have; None where there are too many runs, or no common item.
    """

    run: Manifest
    value: Estimate
    difference: Estimate | None
    rank: Rank | None


@dataclass(frozen=True)
class Overview:
    """All comparable runs on one measure.

    Attributes:
        measure: Its name.
        label: How people read it.
        higher_is_better: Its direction.
        common: Items on which all runs have a value.
        lines: A line a run, best mean first; those without a value last.
    """

    measure: str
    label: str
    higher_is_better: bool
    common: int
    lines: tuple[Line, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "measure": self.measure,
            "label": self.label,
            "higher_is_better": self.higher_is_better,
            "common_items": self.common,
            "runs": [
                {
                    "run": x.run.run_id,
                    "label": x.run.label,
                    "value": x.value.as_dict(),
                    "difference": None if x.difference is None else x.difference.as_dict(),
                    "rank": None if x.rank is None else vars(x.rank),
                }
                for x in self.lines
            ],
        }


def overview(store: Store, baseline: Manifest, wanted: Sequence[str] = ()) -> tuple[Overview, ...]:
    """Every run that shares the baseline's items, rubric and panel, measure by measure.

    Args:
        store: The store.
        baseline: The run to compare with.
        wanted: Measures: criteria or scores of the rubric; all if none is given.

    Raises:
        StoreError: Ratings that cannot be read, or a measure that the runs do not have, or none at all.
    """
    if not baseline.rubric.criteria:
        raise StoreError(
            f"{baseline.run_id} has figures of whole benchmarks only; `compare` without --overview shows them"
        )
    key = cube_key(baseline)
    runs = [m for m in store.manifests() if cube_key(m) == key]
    made = cube(store, runs)
    unknown = [w for w in wanted if w not in made.measures]
    if unknown:
        raise StoreError(f"{baseline.run_id} has no measure {unknown[0]!r}; it has {', '.join(made.measures)}")
    kept = statistics(store, runs)
    at = made.runs.index(baseline.run_id)
    found = []
    for measure in wanted or made.measures:
        kind = kind_of(baseline, measure)
        own, due = kept[measure, ALL]
        if not due.any():
            continue
        values = made.of(measure, best=kind.best)
        means = mean_estimates(means_of(own, kind.bounds, binary=kind.binary, total=due))
        total = np.maximum(due, due[at])
        gaps = difference_estimates(differences(values, at, bounds=kind.bounds, binary=kind.binary, total=total))
        common = ~np.isnan(values).any(axis=0)
        ranks: Sequence[Rank | None] = [None] * len(runs)
        if 2 <= len(runs) <= MAX_RANKED and common.any():
            ranks = rank_runs(values[:, common].tolist(), kind.higher_is_better)
        lines = [Line(m, means[i], None if i == at else gaps[i], ranks[i]) for i, m in enumerate(runs)]
        sign = -1.0 if kind.higher_is_better else 1.0
        lines.sort(key=lambda x, s=sign: (math.inf if x.value.value is None else s * x.value.value, x.run.run_id))  # type: ignore[misc]
        found.append(Overview(measure, kind.label, kind.higher_is_better, int(common.sum()), tuple(lines)))
    return tuple(found)

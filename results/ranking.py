"""Several runs in order, measure by measure, with how far the data and the weights carry the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from judges.stats.ranks import Rank, WeightSensitivity, rank_runs, weight_sensitivity
from results.extras import extra_measures
from results.manifest import Manifest
from results.measure import Measure
from results.measures import measures
from results.sensitivity import OrderChoice, order_choices
from results.store import Store


@dataclass(frozen=True)
class Ranking:
    """One measure of several runs.

    Attributes:
        measure: The measure.
        label: How people read it.
        runs: The runs that have it under one key.
        ranks: One a run.
        items: Items that all of them have.
        total: Items that they should have.
    """

    measure: str
    label: str
    runs: tuple[Manifest, ...]
    ranks: tuple[Rank, ...]
    items: int
    total: int

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        rows = [{"run": m.run_id, **vars(r)} for m, r in zip(self.runs, self.ranks, strict=True)]
        return {"measure": self.measure, "items": self.items, "total": self.total, "ranks": rows}


@dataclass(frozen=True)
class Order:
    """The rankings of several runs, and what the weights of the criteria do to the order of their mean.

    Attributes:
        rankings: One a score.
        weights: Over the criteria that all runs have on all of their scales; None with fewer than two.
        criteria: Those criteria.
        runs: The runs that the weights are about.
        choices: What each score's order has in common with that of the headline.
    """

    rankings: tuple[Ranking, ...]
    weights: WeightSensitivity | None
    criteria: tuple[str, ...]
    runs: tuple[Manifest, ...]
    choices: tuple[OrderChoice, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "rankings": [r.as_dict() for r in self.rankings],
            "weights": None if self.weights is None else vars(self.weights),
            "criteria": list(self.criteria),
            "runs": [m.run_id for m in self.runs],
            "choices": [c.as_dict() for c in self.choices],
        }


def order(store: Store, runs: Sequence[Manifest]) -> Order:
    """Rank runs on every score that they have under one comparability key, on the items that all of them have.

    Args:
        store: The store.
        runs: Two or more; those with another key than the first one's are left out of a measure.
    """
    found = [{**measures(store, m), **extra_measures(store, m)} for m in runs]
    rankings = [r for name, first in found[0].items() if (r := _ranking(name, first, found, runs)) is not None]
    parts = [r for r in rankings if r.measure in runs[0].rubric.criteria and len(r.runs) == len(runs)]
    weights = None
    if len(parts) >= 2 and len(runs) >= 2:
        rows = [[_share(found[i][r.measure], r.ranks[i].mean) for r in parts] for i in range(len(runs))]
        weights = weight_sensitivity(rows)
    by_score = {
        r.measure: (r.label, {m.run_id: k.rank for m, k in zip(r.runs, r.ranks, strict=True)}) for r in rankings
    }
    return Order(tuple(rankings), weights, tuple(r.measure for r in parts), tuple(runs), order_choices(by_score))


def _ranking(
    name: str, first: Measure, found: Sequence[dict[str, Measure]], runs: Sequence[Manifest]
) -> Ranking | None:
    if first.group != "score" or first.strata:
        return None
    same = [(m, f[name]) for m, f in zip(runs, found, strict=True) if name in f and f[name].key == first.key]
    common = sorted(set.intersection(*(set(x.values) for _, x in same)))
    if len(same) < 2 or not common:
        return None
    ranks = rank_runs([[x.values[i] for i in common] for _, x in same], first.higher_is_better)
    return Ranking(name, first.label, tuple(m for m, _ in same), ranks, len(common), max(x.total for _, x in same))


def _share(measure: Measure, mean: float) -> float:
    """A mean on 0 to 1, 1 being best."""
    low, high = measure.bounds
    share = (mean - low) / (high - low)
    return share if measure.higher_is_better else 1 - share

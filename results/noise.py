"""How much of the noise of a difference comes from items, epochs and judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from judges.stats import Estimate
from judges.stats.components import Components, epoch_components, judge_components, judges_as_sample
from judges.stats.difference import held_within
from results.manifest import Manifest
from results.measure import Measure
from results.schema import PANEL_RATER
from results.store import Store


@dataclass(frozen=True)
class Noise:
    """What the noise of one measure's difference is made of.

    Attributes:
        epochs: Items, and epochs within items, of the panel's values.
        judges: Items, judges, and judges within items, of the single judges' values.
        any_judges: The mean of the single judges' differences, with an interval over items and judges.
    """

    epochs: Components
    judges: Components
    any_judges: Estimate

    @property
    def measured(self) -> bool:
        """Whether there is anything but a reason."""
        return bool(self.epochs.variances or self.judges.variances)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "epochs": self.epochs.as_dict(),
            "judges": self.judges.as_dict(),
            "judges_as_sample": self.any_judges.as_dict(),
        }


def noise(store: Store, left: Measure, right: Measure, runs: tuple[Manifest, Manifest]) -> Noise:
    """The noise of one measure of two runs.

    Args:
        store: The store.
        left: The measure in the baseline.
        right: The measure in the other run.
        runs: Baseline and other.
    """
    name, due = left.name, max(left.total, right.total)
    items = sorted(left.values.keys() & right.values.keys())
    rubric = runs[0].rubric
    if left.strata or left.figure is not None or name not in (*rubric.criteria, *rubric.scores):
        why = "made of several items or of the whole run, so it has no epochs or judges of its own"
        return Noise(Components(reason=why), Components(reason=why), Estimate.undefined(why, 0, due))
    panel = [_by_item(store, run, PANEL_RATER, name) for run in runs]
    both = [i for i in items if all(i in values for values in panel)]
    by_epoch = epoch_components([panel[0][i] for i in both], [panel[1][i] for i in both])
    if name not in rubric.criteria:
        why = "a score is made of the panel's values: no judge has one"
        return Noise(by_epoch, Components(n=len(both), reason=why), Estimate.undefined(why, 0, due))
    seats = [j.id for j in runs[0].panel.judges if j.id in {k.id for k in runs[1].panel.judges}]
    given = [[_means(_by_item(store, run, who, name)) for run in runs] for who in seats]
    d = np.array([[b.get(i, np.nan) - a.get(i, np.nan) for a, b in given] for i in items], dtype=float)
    d = d.reshape(len(items), len(seats))
    if not np.isfinite(d).any():
        why = "no judge's single values are in the store"
        return Noise(by_epoch, Components(n=len(items), reason=why), Estimate.undefined(why, 0, due))
    return Noise(by_epoch, judge_components(d), held_within(judges_as_sample(d, due), left.bounds[1] - left.bounds[0]))


def _means(by_item: Mapping[str, list[float]]) -> dict[str, float]:
    return {i: v[0] if len(v) == 1 else float(np.mean(v)) for i, v in by_item.items()}


def _by_item(store: Store, run: Manifest, rater: str, name: str) -> Mapping[str, list[float]]:
    """Values of one rater by item, one an epoch; of a nominal criterion, whether it is the best category."""
    scale = run.rubric.scales.get(name)
    out: dict[str, list[float]] = {}
    for key, value in store.values(run.run_id, rater, epochs_apart=True).get(name, {}).items():
        if scale is not None and scale.scale == "nominal":
            value = float(value == (scale.best_value or 0.0))
        out.setdefault(key.rsplit("#", 1)[0], []).append(value)
    return out

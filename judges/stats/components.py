"""What the noise of a mean difference is made of: items, epochs within items, judges, and judges within items.

Moment estimates: each component is worked out from sums of squares whose expectations are known, whatever is missing
at random. A component below 0 is reported as 0; that happens where it is small beside the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from judges.stats.intervals import ROUNDING, Estimate

Array = npt.NDArray[np.float64]
ITEMS: Final = "items"
EPOCHS: Final = "epochs within items"
JUDGES: Final = "judges"
JUDGE_ITEMS: Final = "judges within items"
FEW_JUDGES: Final = 5
"""Judges below which an interval says little of other judges."""


@dataclass(frozen=True)
class Components:
    """Variance components of a difference.

    Attributes:
        variances: By source, the variance of one difference that is due to it, in squared units of the measure.
        shares: By source, the share of the variance of the mean difference that is due to it; empty without variance.
        n: Items that they rest on.
        reason: Why there are none, where there are none.
    """

    variances: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    n: int = 0
    reason: str = ""

    def as_dict(self) -> dict[str, object]:
        """JSON-ready fields."""
        return {**vars(self), "variances": dict(self.variances), "shares": dict(self.shares)}


def epoch_components(baseline: Sequence[Sequence[float]], other: Sequence[Sequence[float]]) -> Components:
    """Between items and between the epochs of an item, of the difference of two runs.

    Epochs of one run have nothing to do with those of the other, so each run's scatter within items adds to the
    difference. `epochs within items` is the scatter of a difference of single answers: the sum of the two.

    Args:
        baseline: Values of the baseline by item and epoch; items may have different numbers of epochs.
        other: The same of the other run, same items in the same order.

    Returns:
        The components; none, with the reason, where a run has no item with two epochs, or fewer than two items.

    Raises:
        ValueError: Another number of items in one run, an item without a value, or no finite number.
    """
    if len(baseline) != len(other):
        raise ValueError(f"paired values needed: {len(baseline)} items against {len(other)}")
    every = [x for run in (baseline, other) for v in run for x in v]
    if not (all(len(v) for run in (baseline, other) for v in run) and np.isfinite(np.array(every, dtype=float)).all()):
        raise ValueError("an item without a finite value: leave it out")
    n = len(baseline)
    if n < 2:
        return Components(n=n, reason="one item has no spread between items" if n else "no item in both runs")
    if any(all(len(v) == 1 for v in run) for run in (baseline, other)):
        return Components(n=n, reason="one epoch: what answers to one prompt vary by is not measured")
    sides = [[np.asarray(v, dtype=float) for v in run] for run in (baseline, other)]
    within = []
    for run in sides:
        free = sum(v.size - 1 for v in run)
        within.append(sum(float(((v - v.mean()) ** 2).sum()) for v in run) / free)
    total = float(np.var([y.mean() - x.mean() for x, y in zip(*sides, strict=True)], ddof=1))
    noise = sum(v * float(np.mean([1 / x.size for x in run])) for v, run in zip(within, sides, strict=True))
    items = max(0.0, total - noise)
    found = {ITEMS: items, EPOCHS: sum(within)}
    return Components(found, _shares({ITEMS: items, EPOCHS: noise}), n)


def judge_components(differences: Array) -> Components:
    """Items, judges, and judges within items, of differences (items, judges) with NaN where a judge gave none.

    From the mean squared differences of pairs of cells: of one item, of one judge, and of neither.

    Args:
        differences: Other - baseline by item and judge.

    Returns:
        The components; none, with the reason, below two judges or two items, or where no pairs of each kind exist.

    Source:
        Koch (1967), Technometrics 9:93-118 (symmetric sums); the ANOVA estimates where nothing is missing.
    """
    d = _cells(differences)
    known = np.isfinite(d)
    n, k = d.shape
    if k < 2 or n < 2:
        return Components(n=n, reason="one judge: what judges vary by is not measured" if k < 2 else "one item")
    x = np.where(known, d - np.nanmean(d), 0.0)

    def pairs(axis: int | None) -> tuple[float, float]:
        """Sum of (a - b)^2 / 2 over ordered pairs of different cells in a line, and their number."""
        count, first, second = (v.sum(axis=axis) for v in (known.astype(float), x, x**2))
        return float((count * second - first**2).sum()), float((count**2 - count).sum())

    same_item, same_judge, every = pairs(1), pairs(0), pairs(None)
    neither = every[0] - same_item[0] - same_judge[0], every[1] - same_item[1] - same_judge[1]
    if min(same_item[1], same_judge[1], neither[1]) <= 0:
        return Components(n=n, reason="no item has values of two judges")
    by_item, by_judge, by_neither = (s / m for s, m in (same_item, same_judge, neither))
    items, judges = max(0.0, by_neither - by_item), max(0.0, by_neither - by_judge)
    rest = max(0.0, by_item + by_judge - by_neither)
    # The mean of all cells weighs an item or a judge by its cells.
    size = known.sum()
    of_item, of_judge = (float(((known.sum(axis=axis) / size) ** 2).sum()) for axis in (1, 0))
    parts = {ITEMS: items * of_item, JUDGES: judges * of_judge, JUDGE_ITEMS: rest / float(size)}
    return Components({ITEMS: items, JUDGES: judges, JUDGE_ITEMS: rest}, _shares(parts), n)


def judges_as_sample(differences: Array, total: int | None = None, level: float = 0.95) -> Estimate:
    """Mean difference with an interval for other items and other judges like these.

    Two-way clusters, items and judges: the variance over items, plus that over judges, less that of single cells; t
    with one degree of freedom less than there are judges. The panel's own interval takes its judges as given.

    Args:
        differences: Other - baseline by item and judge (items, judges), NaN where a judge gave none.
        total: Items that should have a pair.
        level: Confidence level.

    Returns:
        The mean of the judges' single differences, which is not that of the panel's votes or medians; below five
        judges the reason says that it holds for these judges only.

    Source:
        Cameron, Gelbach and Miller (2011), J. Bus. Econ. Stat. 29:238-249.
    """
    d = _cells(differences)
    known = np.isfinite(d)
    n, k = d.shape
    total = n if total is None else total
    if not d.size:
        return Estimate.undefined("no item has a judge's values in both runs", 0, total)
    size = int(known.sum())
    mean = float(np.nanmean(d))
    if k < 2 or n < 2:
        return Estimate(mean, None, None, n, total, "", "one judge" if k < 2 else "one item has no interval")
    r = np.where(known, d - mean, 0.0)
    items, judges, cells = (
        float((part**2).sum()) * part.size / (part.size - 1) for part in (r.sum(axis=1), r.sum(axis=0), r[known])
    )
    # The difference can fall below either part by chance; the interval must not.
    variance = max(items + judges - cells, items, judges) / size**2
    if variance <= (ROUNDING * max(1.0, abs(mean))) ** 2:
        return Estimate(mean, None, None, n, total, "", "all judges give all items one difference")
    half = float(stdtrit(k - 1, 0.5 + level / 2)) * math.sqrt(variance)
    few = f"{k} judges are too few to speak of others: it holds for these judges only" if k < FEW_JUDGES else ""
    return Estimate(mean, mean - half, mean + half, n, total, f"two-way clusters, {n} items and {k} judges", few)


def _cells(differences: Array) -> Array:
    """The matrix without empty rows and columns."""
    d = np.asarray(differences, dtype=float)
    if d.ndim != 2 or np.isinf(d).any():
        raise ValueError("a matrix of items and judges is needed, with NaN where there is no value")
    known = np.isfinite(d)
    kept: Array = d[known.any(axis=1)][:, known.any(axis=0)]
    return kept


def _shares(parts: Mapping[str, float]) -> dict[str, float]:
    whole = sum(parts.values())
    return {name: part / whole for name, part in parts.items()} if whole > 0 else {}

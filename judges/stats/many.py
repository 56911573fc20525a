"""One baseline against many runs at once: the paired difference of each, from a dense array of scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from judges.stats.difference import EQUAL, SCORE
from judges.stats.intervals import ROUNDING, Estimate
from judges.stats.proportions import paired_proportions

Array = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]
Counts = npt.NDArray[np.int64]
CELLS: Final = 4_000_000
"""Cells that are worked on at once; with its temporaries about 150 MB."""


@dataclass(frozen=True)
class Differences:
    """Mean differences of many runs, (runs) or (runs, measures); NaN where there is none.

    Attributes:
        value: Mean of run - baseline over the items with a value in both.
        low: Lower end of its interval.
        high: Upper end.
        n: Items with a value in both.
        total: Items that should have a pair.
        method: How each interval was made; empty where there is none.
    """

    value: Array
    low: Array
    high: Array
    n: Counts
    total: Counts
    method: Texts

    @property
    def coverage(self) -> Array:
        """Share of the items that have a pair, (runs) or (runs, measures); NaN where there should be none."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(self.total > 0, self.n / self.total, np.nan))


def differences(
    scores: npt.NDArray[np.floating],
    baseline: int | npt.NDArray[np.floating],
    *,
    bounds: npt.ArrayLike = (-np.inf, np.inf),
    binary: npt.ArrayLike = False,
    total: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Differences:
    """Compare every run with a baseline, paired on items; each figure is that of `difference.paired_estimate`.

    Args:
        scores: (runs, items), or (runs, items, measures), NaN where an item has no value.
        baseline: Row of the baseline among them, whose own figures are NaN; or its scores, (items) or
            (items, measures).
        bounds: Lowest and highest possible value, (2), or (measures, 2).
        binary: Whether values are 0 or 1 by their nature, one for all or one a measure.
        total: Items that should have a pair, one for all or of the shape of the result; all items if not given.
        level: Confidence level.

    Raises:
        ValueError: Shapes that do not fit, no such row, or an infinite score.
    """
    if scores.ndim not in (2, 3):
        raise ValueError("scores must be (runs, items) or (runs, items, measures)")
    cube = scores if scores.ndim == 3 else scores[:, :, None]
    runs, items, kinds = cube.shape
    own = baseline if isinstance(baseline, int | np.integer) else None
    if own is not None and not 0 <= own < runs:
        raise ValueError(f"no row {own} among {runs} runs")
    base = cube[own] if own is not None else np.asarray(baseline).reshape(np.shape(baseline) + (1,) * (3 - scores.ndim))
    if base.shape != (items, kinds):
        raise ValueError(f"the baseline has the shape {base.shape[: scores.ndim - 1]}, {scores.shape[1:]} is needed")
    ends = np.broadcast_to(np.asarray(bounds, dtype=float), (kinds, 2))
    yes_no = np.broadcast_to(np.asarray(binary, dtype=bool), (kinds,))
    out = np.full((3, runs, kinds), np.nan)
    method = np.full((runs, kinds), "", object)
    n = np.zeros((runs, kinds), dtype=np.int64)
    step = max(1, CELLS // max(1, items))
    for m in range(kinds):
        x = base[:, m].astype(float)
        for start in range(0, runs, step):
            part = slice(start, start + step)
            y = cube[part, :, m].astype(float)
            if np.isinf(x).any() or np.isinf(y).any():
                raise ValueError("an infinite score: NaN stands for a missing value")
            n[part, m], out[:, part, m], method[part, m] = _column(
                x, y, float(ends[m, 1] - ends[m, 0]), bool(yes_no[m]), level
            )
    if own is not None:
        out[:, own], method[own] = np.nan, ""
    shape = (runs, kinds) if scores.ndim == 3 else (runs,)
    due = np.broadcast_to(np.asarray(items if total is None else total, dtype=np.int64), shape)
    value, low, high = (v.reshape(shape) for v in out)
    return Differences(value, low, high, n.reshape(shape), due, method.reshape(shape))


def _column(x: Array, y: Array, widest: float, binary: bool, level: float) -> tuple[Counts, Array, Texts]:
    """Pairs (runs), means with ends (3, runs), and how these were made, of one measure."""
    d = y - x
    known = np.isfinite(d)
    n = known.sum(axis=1)
    safe = np.maximum(n, 1)
    kept = np.where(known, d, 0.0)
    mean = kept.sum(axis=1) / safe
    spread = np.sqrt((np.where(known, d - mean[:, None], 0.0) ** 2).sum(axis=1) / np.maximum(n - 1, 1))
    half = stdtrit(np.maximum(n - 1, 1), 0.5 + level / 2) * spread / np.sqrt(safe)
    low, high = np.maximum(-widest, mean - half), np.minimum(widest, mean + half)
    most, least = np.where(known, d, -np.inf).max(axis=1, initial=-np.inf), np.where(known, d, np.inf).min(
        axis=1, initial=np.inf
    )  # fmt: skip
    method = np.full(len(n), "paired t", object)
    equal = (n > 1) & (most - least <= ROUNDING * np.maximum(1.0, np.abs(most)))
    if np.isinf(widest):
        low, high = np.where(equal, np.nan, low), np.where(equal, np.nan, high)
    else:
        share = 1 - ((1 - level) / 2) ** (1 / safe)
        low = np.where(equal, mean - share * (widest + mean), low)
        high = np.where(equal, mean + share * (widest - mean), high)
        method[equal] = EQUAL
    if binary:
        whole = (n > 1) & (~known | (((x == 0) | (x == 1)) & ((y == 0) | (y == 1)))).all(axis=1)
        ends = paired_proportions((kept > 0).sum(axis=1)[whole], (kept < 0).sum(axis=1)[whole], n[whole], level)
        low[whole], high[whole] = ends
        method[whole] = SCORE
    low, high = (np.where(n > 1, end, np.nan) for end in (low, high))
    method[np.isnan(low)] = ""
    return n, np.stack([np.where(n > 0, mean, np.nan), low, high]), method


@dataclass(frozen=True)
class Means:
    """Means of many runs, (runs); NaN where there is none.

    Attributes:
        value: Mean over the items with a value.
        low: Lower end of its interval.
        high: Upper end.
        n: Items with a value.
        total: Items that should have one.
        method: How each interval was made; empty where there is none.
    """

    value: Array
    low: Array
    high: Array
    n: Counts
    total: Counts
    method: tuple[str, ...]


@dataclass(frozen=True)
class Sums:
    """What means and their intervals need of the values of many runs, (runs): a table that keeps no values keeps these.

    Attributes:
        n: Items with a value.
        mean: Their mean; 0 where there are none.
        squares: Sum of their squared distances from the mean.
        least: The smallest; infinite where there are none.
        most: The largest; minus infinite where there are none.
        whole: Whether there are some, and each is 0 or 1.
    """

    n: Counts
    mean: Array
    squares: Array
    least: Array
    most: Array
    whole: npt.NDArray[np.bool_]


def sums(scores: npt.NDArray[np.floating]) -> Sums:
    """The sums of every run.

    Args:
        scores: (runs, items), NaN where an item has no value.

    Raises:
        ValueError: Another shape, or an infinite score.
    """
    if scores.ndim != 2:
        raise ValueError("scores must be (runs, items)")
    x = scores.astype(float)
    if np.isinf(x).any():
        raise ValueError("an infinite score: NaN stands for a missing value")
    known = ~np.isnan(x)
    n = known.sum(axis=1)
    mean = np.where(known, x, 0.0).sum(axis=1) / np.maximum(n, 1)
    squares = (np.where(known, x - mean[:, None], 0.0) ** 2).sum(axis=1)
    least = np.where(known, x, np.inf).min(axis=1, initial=np.inf)
    most = np.where(known, x, -np.inf).max(axis=1, initial=-np.inf)
    return Sums(n, mean, squares, least, most, (n > 0) & (~known | (x == 0) | (x == 1)).all(axis=1))


def means(
    scores: npt.NDArray[np.floating],
    bounds: tuple[float, float],
    *,
    binary: bool = False,
    total: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Means:
    """`means_of` the sums of these scores.

    Args:
        scores: (runs, items), NaN where an item has no value.
        bounds: Lowest and highest possible value; either may be infinite.
        binary: Whether values are 0 or 1 by their nature.
        total: Items that should have a value, one for all or one a run; all items if not given.
        level: Confidence level.

    Raises:
        ValueError: Another shape, or an infinite score.
    """
    found = sums(scores)
    return means_of(found, bounds, binary=binary, total=scores.shape[1] if total is None else total, level=level)


def means_of(
    found: Sums,
    bounds: tuple[float, float],
    *,
    binary: bool = False,
    total: npt.ArrayLike,
    level: float = 0.95,
) -> Means:
    """Mean of every run with its interval; each figure is that of `mean_estimate`, or `proportion_estimate`.

    Args:
        found: Their sums.
        bounds: Lowest and highest possible value; either may be infinite.
        binary: Whether values are 0 or 1 by their nature; shares, where epochs were averaged, get the t interval.
        total: Items that should have a value, one for all or one a run.
        level: Confidence level.
    """
    floor, top = (0.0, 1.0) if binary else bounds
    n, mean, least, most = found.n, found.mean, found.least, found.most
    safe = np.maximum(n, 1)
    half = stdtrit(np.maximum(n - 1, 1), 0.5 + level / 2) * np.sqrt(found.squares / np.maximum(n - 1, 1) / safe)
    low, high = np.maximum(floor, mean - half), np.minimum(top, mean + half)
    equal = most - least <= ROUNDING * np.maximum(1.0, np.abs(most))
    low, high = (np.where(equal, np.nan, end) for end in (low, high))
    method = np.full(len(n), "t", object)
    if np.isfinite(top - floor):
        # All at one end of the scale: the exact one-sided bound.
        reach = (top - floor) * (1 - ((1 - level) / 2) ** (1 / safe))
        at = {end: equal & (n > 1) & (np.abs(most - end) <= ROUNDING * max(1.0, abs(end))) for end in (floor, top)}
        low, high = np.where(at[floor], floor, low), np.where(at[floor], floor + reach, high)
        low, high = np.where(at[top], top - reach, low), np.where(at[top], top, high)
        method[at[floor]], method[at[top]] = "exact, all at the lower end", "exact, all at the upper end"
    whole = found.whole & binary
    z = ndtri(0.5 + level / 2)
    centre = (mean + z * z / (2 * safe)) / (1 + z * z / safe)
    width = z * np.sqrt(np.maximum(mean * (1 - mean), 0) / safe + z * z / (4 * safe**2)) / (1 + z * z / safe)
    low = np.where(whole, np.where(most == 0, 0.0, np.maximum(0.0, centre - width)), low)
    high = np.where(whole, np.where(least == 1, 1.0, np.minimum(1.0, centre + width)), high)
    method[whole] = "Wilson"
    low, high = (np.where((n < 2) & ~whole, np.nan, end) for end in (low, high))
    method[np.isnan(low)] = ""
    due = np.broadcast_to(np.asarray(total, dtype=np.int64), n.shape)
    return Means(np.where(n > 0, mean, np.nan), low, high, n, due, tuple(method))


def mean_estimates(found: Means) -> list[Estimate]:
    """Means of many runs as estimates, with the reason where one has no interval or no value."""
    made = []
    for at, (n, total) in enumerate(zip(found.n.tolist(), found.total.tolist(), strict=True)):
        value, low, high = float(found.value[at]), float(found.low[at]), float(found.high[at])
        if n == 0:
            made.append(Estimate.undefined("no item has a value", 0, total))
        elif not found.method[at]:
            why = "one item has no interval" if n == 1 else f"all {n} values are equal"
            made.append(Estimate(value, None, None, n, total, "", why))
        else:
            made.append(Estimate(value, low, high, n, total, found.method[at]))
    return made


def difference_estimates(found: Differences) -> list[Estimate]:
    """Differences of many runs, (runs), as estimates, with the reason where one has no interval or no value."""
    made = []
    for at, (n, total) in enumerate(zip(found.n.tolist(), found.total.tolist(), strict=True)):
        value, low, high = float(found.value[at]), float(found.low[at]), float(found.high[at])
        if n == 0 or np.isnan(value):
            made.append(Estimate.undefined("no item has a value in both runs", 0, total))
        elif np.isnan(low) or np.isnan(high):
            why = "one item has no interval" if n == 1 else f"all {n} differences are equal"
            made.append(Estimate(value, None, None, n, total, "", why))
        else:
            made.append(Estimate(value, low, high, n, total, str(found.method[at])))
    return made

"""What a paired comparison says beyond its mean: wins, a test, tails, relative change, and what it could have seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, stdtrit

from judges.stats.cluster import weights
from judges.stats.intervals import ROUNDING, Estimate
from judges.stats.permutation import sign_flip

Array = npt.NDArray[np.float64]
TAILS: Final = (0.05, 0.1, 0.9, 0.95)
RESAMPLES: Final = 2000
POWER: Final = 0.8
MOST: Final = 1_000_000
Verdict = Literal["better", "worse", "equivalent", "no worse", "no better", "unresolved", "not tested"]


@dataclass(frozen=True)
class WinLoss:
    """Items on which the other run is better, alike, and worse."""

    wins: int
    ties: int
    losses: int


def win_loss(baseline: Sequence[float], other: Sequence[float], higher_is_better: bool = True) -> WinLoss:
    """Count items by which of two runs has the better value; values closer than rounding are alike.

    Args:
        baseline: Values of the baseline, one an item.
        other: Values of the other run, same items.
        higher_is_better: Direction of the measure.
    """
    d = _differences(baseline, other) * (1.0 if higher_is_better else -1.0)
    return WinLoss(int((d > 0).sum()), int((d == 0).sum()), int((d < 0).sum()))


def paired_test(baseline: Sequence[float], other: Sequence[float]) -> tuple[float | None, str]:
    """Two-sided p value of no difference on the same items, and the test's name.

    McNemar's exact test where all values are 0 or 1; else sign flips of the differences, exact where they lie on a
    grid and are not too many, Student's paired t otherwise. None without an item.

    Args:
        baseline: Values of the baseline, one an item.
        other: Values of the other run, same items.

    Source:
        McNemar (1947), Psychometrika 12:153-157, in its exact binomial form; `permutation.sign_flip` for the others.
    """
    d = _differences(baseline, other)
    if d.size == 0:
        return None, ""
    if set(np.unique([*baseline, *other])) <= {0.0, 1.0}:
        up, down = int((d > 0).sum()), int((d < 0).sum())
        # Both tails of a fair coin, which are alike: `scipy.stats.binomtest`, whose import takes a second and 45 MiB.
        return (1.0 if up == down else min(1.0, 2.0 * float(bdtr(min(up, down), up + down, 0.5)))), "McNemar, exact"
    return sign_flip(d)


def tail_differences(
    baseline: Sequence[float], other: Sequence[float], seed: int = 0, level: float = 0.95
) -> dict[float, Estimate]:
    """Quantiles of the other run's values less those of the baseline: whether a mean hides a worse tail.

    Quantiles are of each run's values (the smallest value with that share at or below it), so that they exist on any
    scale. Intervals are percentiles of an item bootstrap, which keeps items paired; on coarse scales they are coarse.

    Args:
        baseline: Values of the baseline, one an item.
        other: Values of the other run, same items.
        seed: Seed of the resamples.
        level: Level of the intervals.

    Returns:
        By share, the difference; without an interval where so few items may all lie on one side of the quantile
        (72 items are needed for 5 %, 36 for 10 %): what is not in the sample no resample can show.
    """
    x, y = np.asarray(baseline, dtype=float), np.asarray(other, dtype=float)
    _differences(baseline, other)
    n = x.size
    if n == 0:
        return {q: Estimate.undefined("no item has a value in both runs") for q in TAILS}
    point = {q: float(_quantile(y, q) - _quantile(x, q)) for q in TAILS}
    needed = {q: math.ceil(math.log((1 - level) / 2) / math.log(max(q, 1 - q)) - 1e-9) for q in TAILS}
    out = {q: Estimate(v, None, None, n, n, "", f"too few items, {needed[q]} needed") for q, v in point.items()}
    if n < min(needed.values()):
        return out
    values = _resampled_quantiles(x, y, seed)
    for q, v in point.items():
        if n < needed[q]:
            continue
        low, high = (float(b) for b in np.quantile(values[q], [(1 - level) / 2, (1 + level) / 2]))
        out[q] = Estimate(v, min(low, v), max(high, v), n, n, f"item bootstrap, {RESAMPLES} resamples, percentile")
    return out


def relative_change(baseline: Sequence[float], other: Sequence[float], seed: int = 0, level: float = 0.95) -> Estimate:
    """(mean of other - mean of baseline) / mean of baseline on the same items, with an item bootstrap interval.

    The interval is the bootstrap t on the log of the ratio of means, whose standard error is that of the paired delta
    method. It is never to be printed without the absolute difference.

    Args:
        baseline: Values of the baseline, one an item; 0 or more.
        other: Values of the other run, same items.
        seed: Seed of the resamples.
        level: Level of the interval.

    Source:
        Efron and Tibshirani (1993), An Introduction to the Bootstrap, ch. 12 (bootstrap t).
    """
    _differences(baseline, other)
    x, y = np.asarray(baseline, dtype=float), np.asarray(other, dtype=float)
    n = x.size
    if n == 0:
        return Estimate.undefined("no item has a value in both runs")
    if (x < 0).any() or (y < 0).any() or x.mean() == 0:
        return Estimate.undefined("a relative change needs values of 0 or more and a baseline above 0", n, n)
    value = float(y.mean() / x.mean() - 1)
    if n < 2 or y.mean() == 0:
        return Estimate(value, None, None, n, n, "", "one item" if n < 2 else "the other run is 0 throughout")
    error = float(_log_ratios(np.ones((1, n)), x, y)[1][0])
    if error <= ROUNDING:
        return Estimate(value, None, None, n, n, "", f"all {n} ratios are equal")
    centre = math.log(1 + value)
    parts = [_log_ratios(w, x, y) for w in weights(n, RESAMPLES, seed)]
    logs, errors = (np.concatenate(column) for column in zip(*parts, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (logs - centre) / errors
    t = t[np.isfinite(t)]
    if t.size < 0.99 * RESAMPLES:
        return Estimate(value, None, None, n, n, "", "the ratio is undefined in many resamples")
    high_t, low_t = np.quantile(t, [(1 - level) / 2, (1 + level) / 2])
    low, high = (float(np.expm1(centre - q * error)) for q in (low_t, high_t))
    return Estimate(value, low, high, n, n, f"item bootstrap t on the log ratio, {RESAMPLES} resamples")


def detectable_difference(differences: Sequence[float], power: float = POWER, level: float = 0.95) -> float | None:
    """The smallest mean difference that so many items would have shown, with the stated power.

    By the t approximation: (t for the level + t for the power) x standard error.

    Args:
        differences: Differences, one an item.
        power: Chance of an interval that excludes 0.
        level: Level of the interval.

    Returns:
        The difference; None below 2 items, and where all differences are equal: their scatter is not known then.
    """
    d = np.asarray(differences, dtype=float)
    if d.size < 2 or np.ptp(d) <= ROUNDING * max(1.0, float(np.abs(d).max())):
        return None
    spread = float(d.std(ddof=1)) / math.sqrt(d.size)
    return _multiplier(d.size, power, level) * spread


def items_needed(differences: Sequence[float], effect: float, power: float = POWER, level: float = 0.95) -> int | None:
    """Items that would show a mean difference of this size, if further items scatter alike.

    Args:
        differences: Differences so far, one an item.
        effect: Size of the mean difference, not 0.
        power: Chance of an interval that excludes 0.
        level: Level of the interval.

    Returns:
        Their number; None above a million, below 2 items, and where all differences are equal.
    """
    d = np.asarray(differences, dtype=float)
    if d.size < 2 or effect == 0 or np.ptp(d) <= ROUNDING * max(1.0, float(np.abs(d).max())):
        return None
    spread = float(d.std(ddof=1))
    low, high = 2, 2
    while high < MOST and _multiplier(high, power, level) * spread / math.sqrt(high) > abs(effect):
        low, high = high, high * 2
    if high >= MOST:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        shown = _multiplier(middle, power, level) * spread / math.sqrt(middle) <= abs(effect)
        low, high = (low, middle) if shown else (middle, high)
    return high


def margin_verdict(difference: Estimate, margin: float, higher_is_better: bool = True, trusted: bool = True) -> Verdict:
    """What an interval of a difference says against a margin.

    `better` and `worse` exclude 0; `equivalent` lies within the margin on both sides, `no worse` and `no better` on
    one. With a 95 % interval each is a test at 2.5 %.

    Args:
        difference: Other - baseline.
        margin: The margin, above 0, in the measure's own units.
        higher_is_better: Direction of the measure.
        trusted: Whether the interval can be trusted; where it may be too narrow, nothing is called equivalent, no worse
            or no better.

    Raises:
        ValueError: A margin of 0 or less.
    """
    if not margin > 0:
        raise ValueError("the margin must be above 0")
    if difference.low is None or difference.high is None:
        return "not tested"
    low, high = (difference.low, difference.high) if higher_is_better else (-difference.high, -difference.low)
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    if not trusted:
        return "unresolved"
    if low > -margin and high < margin:
        return "equivalent"
    return "no worse" if low > -margin else "no better" if high < margin else "unresolved"


def _differences(baseline: Sequence[float], other: Sequence[float]) -> Array:
    """Differences with rounding taken off, so that a tie is a tie."""
    if len(baseline) != len(other):
        raise ValueError(f"paired values needed: {len(baseline)} against {len(other)}")
    d = np.asarray(other, dtype=float) - np.asarray(baseline, dtype=float)
    if not np.isfinite(d).all():
        raise ValueError("a value that is no finite number: leave items without a pair out")
    return np.where(np.abs(d) < 1e-12, 0.0, d)


def _quantile(values: Array, q: float) -> Array:
    return np.asarray(np.quantile(values, q, axis=-1, method="inverted_cdf"))


def _resampled_quantiles(x: Array, y: Array, seed: int) -> dict[float, Array]:
    """Difference of each tail's quantile in every resample: the sorted value at which the weights pass its share."""
    found: dict[float, list[Array]] = {q: [] for q in TAILS}
    orders = [(v[order], order) for v in (x, y) for order in (np.argsort(v, kind="stable"),)]
    for w in weights(x.size, RESAMPLES, seed):
        (first, base), (second, other) = [(values, _passed(w, order)) for values, order in orders]
        for q in TAILS:
            found[q].append(second[other[q]] - first[base[q]])
    return {q: np.concatenate(parts) for q, parts in found.items()}


def _passed(w: Array, order: npt.NDArray[np.intp]) -> dict[float, npt.NDArray[np.intp]]:
    """Place of the item at which each row's weights pass the share of each tail, in a given order of the items.

    Each side is counted from its own end, and only as far as its tails can reach.
    """
    n = order.size
    found: dict[float, npt.NDArray[np.intp]] = {}
    for upper in (False, True):
        shares = [q for q in TAILS if (q > 0.5) == upper]
        inward = order[::-1] if upper else order
        reach = n * max(1 - q if upper else q for q in shares)
        for k in (min(n, int(2 * reach) + 64), n):
            total = np.cumsum(w[:, inward[:k]], axis=1)
            if total[:, -1].min() > reach + 1:
                break
        for q in shares:
            below = total <= n * (1 - q) + 1e-9 if upper else total < n * q - 1e-9
            found[q] = n - 1 - below.sum(axis=1) if upper else below.sum(axis=1)
    return found


def _log_ratios(w: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """log(mean y / mean x) under each row of weights (rows, items), and its standard error, items paired."""
    n = x.size
    mx, my, xx, xy, yy = (w @ np.column_stack([x, y, x**2, x * y, y**2])).T
    mx, my = mx / n, my / n
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = yy / my**2 - 2 * xy / (mx * my) + xx / mx**2
        return np.log(my / mx), np.sqrt(np.maximum(0.0, squares) / (n - 1) / n)


def _multiplier(n: int, power: float, level: float) -> float:
    return float(stdtrit(n - 1, 0.5 + level / 2) + stdtrit(n - 1, power))

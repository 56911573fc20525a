"""Intervals for means and proportions over items.

Items are the unit: epochs and judges are averaged or combined within an item before these functions see it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

ROUNDING: Final = 1e-6
"""Values closer than this are one: the store keeps single precision, whose differences scatter by 1e-7."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval, or without one and why.

    Attributes:
        value: The point estimate; None where it is undefined.
        low: Lower end of the interval; None where there is none.
        high: Upper end.
        n: Items that the figure rests on.
        total: Items that it should rest on.
        method: Name of the interval's method.
        reason: Why the value or the interval is missing.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    total: int
    method: str = ""
    reason: str = ""

    @property
    def coverage(self) -> float | None:
        """Share of the items that have a value; None where there should be none."""
        return self.n / self.total if self.total else None

    def as_dict(self) -> dict[str, float | int | str | None]:
        """JSON-ready fields."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "total": self.total,
            "coverage": self.coverage,
            "method": self.method,
            "reason": self.reason,
        }

    @classmethod
    def undefined(cls, reason: str, n: int = 0, total: int = 0) -> Estimate:
        """No value, and why."""
        return cls(None, None, None, n, total, "", reason)


def wilson(successes: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a proportion.

    Args:
        successes: Number of successes, 0 to n.
        n: Number of trials, at least 1.
        level: Confidence level.

    Source:
        Wilson (1927), J. Am. Stat. Assoc. 22:209-212.
    """
    from scipy.special import ndtri  # a quarter of a second, which whoever only keeps estimates need not wait for

    z = float(ndtri(0.5 + level / 2))
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # At 0 and n the formula touches the end exactly; rounding must not step over it.
    return (0.0 if successes == 0 else max(0.0, centre - half)), (1.0 if successes == n else min(1.0, centre + half))


def t_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Student's t interval of a mean; needs at least two values.

    Source:
        Student (1908), Biometrika 6:1-25.
    """
    from scipy.special import stdtrit

    x = np.asarray(values, dtype=float)
    half = float(stdtrit(x.size - 1, 0.5 + level / 2)) * float(x.std(ddof=1)) / math.sqrt(x.size)
    return float(x.mean()) - half, float(x.mean()) + half


def mean_estimate(
    values: Sequence[float], bounds: tuple[float, float], total: int | None = None, level: float = 0.95
) -> Estimate:
    """Mean of a bounded score over items.

    Student's t, held within the scale. Where every value stands at one end of the scale the t interval would have
    no width, which no sample can promise: the exact one-sided bound for variables on a bounded scale is used
    instead (if the mean were m above the lower end, a share of at least m of the items would lie above it). Where
    every value is the same inner point there is no interval, and the reason says so.

    Args:
        values: One value an item.
        bounds: Lowest and highest possible value; either may be infinite.
        total: Items that should have a value; the number of values if not given.
        level: Confidence level.

    Raises:
        ValueError: A value that is no finite number.
    """
    n = len(values)
    total = n if total is None else total
    if n == 0:
        return Estimate.undefined("no item has a value", 0, total)
    _refuse_nan(values)
    low, high = map(float, bounds)
    mean = float(np.mean(values))
    if n == 1:
        return Estimate(mean, None, None, 1, total, "", "one item has no interval")
    if _all_equal(values) and math.isinf(high - low):
        return Estimate(mean, None, None, n, total, "", f"all {n} values are equal")
    if _all_equal(values):
        reach = (high - low) * (1 - ((1 - level) / 2) ** (1 / n))
        if _all_equal([values[0], low]):
            return Estimate(low, low, low + reach, n, total, "exact, all at the lower end")
        if _all_equal([values[0], high]):
            return Estimate(high, high - reach, high, n, total, "exact, all at the upper end")
        return Estimate(mean, None, None, n, total, "", f"all {n} values are equal")
    a, b = t_interval(values, level)
    return Estimate(mean, max(low, a), min(high, b), n, total, "t")


def proportion_estimate(values: Sequence[float], total: int | None = None, level: float = 0.95) -> Estimate:
    """Share of items at 1, with a Wilson interval; falls back to the mean of shares under epochs.

    Args:
        values: 0 or 1 an item; a share where epochs were averaged.
        total: Items that should have a value.
        level: Confidence level.
    """
    n = len(values)
    total = n if total is None else total
    if n == 0:
        return Estimate.undefined("no item has a value", 0, total)
    _refuse_nan(values)
    if any(v not in (0.0, 1.0) for v in values):
        return mean_estimate(values, (0.0, 1.0), total, level)
    low, high = wilson(sum(values), n, level)
    return Estimate(float(np.mean(values)), low, high, n, total, "Wilson")


def paired_difference(
    a: Sequence[float], b: Sequence[float], total: int | None = None, level: float = 0.95
) -> Estimate:
    """Mean of b - a over the same items, with a paired t interval.

    Args:
        a: Baseline values, one an item.
        b: Values of the other run, same items in the same order.
        total: Items that should have a pair.
        level: Confidence level.

    Raises:
        ValueError: Another number of values in a than in b.
    """
    if len(a) != len(b):
        raise ValueError(f"paired values needed: {len(a)} against {len(b)}")
    n = len(a)
    total = n if total is None else total
    if n == 0:
        return Estimate.undefined("no item has a value in both runs", 0, total)
    d = [y - x for x, y in zip(a, b, strict=True)]
    _refuse_nan(d)
    mean = float(np.mean(d))
    if n == 1:
        return Estimate(mean, None, None, 1, total, "", "one item has no interval")
    if _all_equal(d):
        return Estimate(mean, None, None, n, total, "", f"all {n} differences are equal")
    low, high = t_interval(d, level)
    return Estimate(mean, low, high, n, total, "paired t")


def combination(
    estimates: Sequence[Estimate],
    weights: Sequence[float],
    shift: float = 0.0,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    """A weighted sum of independent figures, `shift` added, with an interval that joins their own (MOVER).

    Args:
        estimates: The figures, on different items.
        weights: A weight each; a difference has the weights 1 and -1.
        shift: Added to the sum.
        bounds: The interval is held within these.

    Source:
        Zou and Donner (2008), Stat. Med. 27:1693-1702.
    """
    n, total = sum(e.n for e in estimates), sum(e.total for e in estimates)
    values = [e.value for e in estimates]
    known = [v for v in values if v is not None]
    if len(known) < len(values):
        lacking = next(e.reason for e in estimates if e.value is None)
        return Estimate.undefined(f"one of its parts is undefined: {lacking}", n, total)
    point = shift + sum(w * v for w, v in zip(weights, known, strict=True))
    down = up = 0.0
    for e, w, v in zip(estimates, weights, known, strict=True):
        if e.low is None or e.high is None:
            return Estimate(point, None, None, n, total, "", e.reason)
        ends = ((v - e.low) * abs(w), (e.high - v) * abs(w))
        below, above = ends if w >= 0 else ends[::-1]
        down, up = math.hypot(down, below), math.hypot(up, above)
    methods = " and ".join(dict.fromkeys(e.method for e in estimates))
    return Estimate(point, max(bounds[0], point - down), min(bounds[1], point + up), n, total, f"MOVER of {methods}")


def survival_estimate(
    times: Sequence[float], seen: Sequence[bool], at: float, total: int | None = None, clustered: bool = False
) -> Estimate:
    """Probability that an event has happened by a time: 1 - Kaplan-Meier survival under right censoring.

    Wilson where nothing was censored before `at` (it is a plain share then), else the log-log interval; at 0 and 1
    the latter does not exist, and Wilson on the items known through `at` stands in.

    Args:
        times: Time of the event or of censoring, one an item.
        seen: Whether the event was seen at that time.
        at: The time asked about.
        total: Items that should have a time.
        clustered: The items are not independent; no interval is given then.

    Source:
        Kaplan and Meier (1958), J. Am. Stat. Assoc. 53:457-481; Kalbfleisch and Prentice (2002) for the interval.
    """
    n = len(times)
    total = n if total is None else total
    if n == 0:
        return Estimate.undefined("nothing is known of any dialogue", 0, total)
    at_risk = [t for t, s in zip(times, seen, strict=True) if t >= at]
    events = [float(s and t <= at) for t, s in zip(times, seen, strict=True)]
    if all(s or t >= at for t, s in zip(times, seen, strict=True)):
        plain = proportion_estimate(events, total)
        if clustered:
            return Estimate(plain.value, None, None, n, total, "", "epochs share their items")
        return plain
    if not at_risk:
        return Estimate.undefined("every item was censored or over before", n, total)
    from scipy.stats import CensoredData, ecdf  # half a second, which only this figure needs

    data: Any = CensoredData(
        uncensored=[t for t, s in zip(times, seen, strict=True) if s],
        right=[t for t, s in zip(times, seen, strict=True) if not s],
    )
    survival: Any = ecdf(data).sf
    point = 1.0 - float(survival.evaluate(at))
    if clustered:
        return Estimate(point, None, None, n, total, "", "epochs share their items")
    if point in (0.0, 1.0):
        # The log-log interval does not exist there. Those known through `at` all agree, which is a share of them.
        known = sum(t >= at if point == 0.0 else s for t, s in zip(times, seen, strict=True))
        low, high = wilson(known * point, known)
        return Estimate(point, low, high, n, total, f"Wilson on the {known} known through it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the formula has no value at 0 and 1, which are dealt with above
        band = survival.confidence_interval(method="log-log")
    low, high = 1.0 - float(band.high.evaluate(at)), 1.0 - float(band.low.evaluate(at))
    return Estimate(point, low, high, n, total, "Kaplan-Meier, log-log")


def _refuse_nan(values: Sequence[float]) -> None:
    """Missing values are left out and counted, never handed on as NaN."""
    if not all(map(math.isfinite, values)):
        raise ValueError("a value that is no finite number: leave missing values out and give their number as `total`")


def _all_equal(values: Sequence[float]) -> bool:
    """Whether values differ by no more than rounding, which must not pass for an interval."""
    return max(values) - min(values) <= ROUNDING * max(1.0, abs(max(values)))

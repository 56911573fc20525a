"""The mean difference of two runs on the same items, with the interval that fits the scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from judges.stats.intervals import Estimate, paired_difference
from judges.stats.proportions import paired_proportions

SCORE: Final = "paired score (Tango)"
EQUAL: Final = "exact, all differences equal"


def paired_estimate(
    a: Sequence[float],
    b: Sequence[float],
    bounds: tuple[float, float] = (-math.inf, math.inf),
    binary: bool = False,
    total: int | None = None,
    level: float = 0.95,
) -> Estimate:
    """Mean of b - a over the same items.

    Yes-no values get the score interval of paired proportions, all others the paired t interval, held within what the
    scale allows. Where all differences are equal a t interval would have no width, which no sample can promise: if a
    share q of all items had another difference, n items without one would have the chance (1 - q)^n, which bounds q,
    and the scale bounds what those items can do to the mean.

    Args:
        a: Baseline values, one an item.
        b: Values of the other run, same items in the same order.
        bounds: Lowest and highest possible value; either may be infinite.
        binary: Whether a value is 0 or 1 by its nature; shares, where epochs were averaged, get the t interval.
        total: Items that should have a pair.
        level: Confidence level.

    Raises:
        ValueError: Another number of values in a than in b, or a value that is no finite number.
    """
    plain = paired_difference(a, b, total, level)
    if plain.n < 2 or plain.value is None:
        return plain
    if binary and {*a, *b} <= {0.0, 1.0}:
        gained, lost = (sum(y - x == step for x, y in zip(a, b, strict=True)) for step in (1.0, -1.0))
        ends = paired_proportions(gained, lost, plain.n, level)
        return replace(plain, low=float(ends[0]), high=float(ends[1]), method=SCORE, reason="")
    widest = bounds[1] - bounds[0]
    if plain.low is None or plain.high is None:
        if math.isinf(widest):
            return plain
        low, high = all_equal(plain.value, plain.n, widest, level)
        return replace(plain, low=low, high=high, method=EQUAL, reason="")
    return held_within(plain, widest)


def held_within(difference: Estimate, widest: float) -> Estimate:
    """The same with its interval held within what a scale of this range allows a difference."""
    if difference.low is None or difference.high is None:
        return difference
    return replace(difference, low=max(-widest, difference.low), high=min(widest, difference.high))


def all_equal(value: float, n: int, widest: float, level: float = 0.95) -> tuple[float, float]:
    """Bounds of a mean difference of which n items showed nothing but one value.

    Args:
        value: That value, from -`widest` to `widest`.
        n: Items.
        widest: Range of the scale.
        level: Confidence level.
    """
    share = 1 - ((1 - level) / 2) ** (1 / n)
    return value - share * (widest + value), value + share * (widest - value)


def skewed(differences: Sequence[float], difference: Estimate) -> str:
    """What to know of a t interval of so few and so skewed differences; nothing where it can be trusted.

    Cochran's rule: 25 x skewness^2 units are needed. A few items that all change one way are the usual case. Score
    and exact intervals need no such rule.

    Args:
        differences: Differences, one a unit of the interval (an item, or a cluster's sum less its share of the mean).
        difference: The estimate with its interval.

    Source:
        Cochran (1977), Sampling Techniques, 3rd ed., sec. 2.15.
    """
    if difference.low is None or difference.method in (SCORE, EQUAL) or len(differences) == 0:
        return ""
    d = np.asarray(differences, dtype=float) - float(np.mean(differences))
    spread = float(np.mean(d**2))
    if spread <= 0:
        return ""
    needed = 25 * float(np.mean(d**3)) ** 2 / spread**3
    if needed <= d.size:
        return ""
    return f"{d.size} differences so skewed are few ({needed:.0f} needed): the interval may be too narrow"

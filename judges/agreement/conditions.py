"""Whether a contrast between two conditions is the systems' doing or the judge's.

A judge may be biased without harm if its bias is the same under both conditions; agreement under each condition says
nothing about that. Three views: a test of the bias's change, agreement on the items' differences, and the headline
effect under every rater.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judges.agreement.alpha import alpha_estimate
from judges.agreement.alpha_resample import FEW, MINIMUM, Array, Values, ratings_row
from judges.agreement.panel import Combine, panel_values
from judges.stats import Estimate, paired_difference, proportion_estimate
from judges.stats.permutation import sign_flip


@dataclass(frozen=True)
class ConditionBias:
    """Change of a judge's error between two conditions.

    Attributes:
        change: Mean of (judge - person under B) - (judge - person under A), paired t interval.
        p_value: Two-sided, of no change; None where nothing can be tested.
        test: "sign-flip permutation, exact" or "paired t".
        flagged: Whether the p value is at or below `size`: the judge distorts this contrast.
        size: Nominal size of the test.
    """

    change: Estimate
    p_value: float | None
    test: str
    flagged: bool
    size: float


@dataclass(frozen=True)
class DifferenceAgreement:
    """Agreement of two raters on each item's difference between two conditions.

    Attributes:
        alpha: Krippendorff's alpha (interval) of the differences.
        exact: Share of items with the same difference.
        direction: Share of items on which both see a gain, both a loss, or both no change.
        bias: Mean of judge's difference - person's difference.
    """

    alpha: Estimate
    exact: Estimate
    direction: Estimate
    bias: Estimate


@dataclass(frozen=True)
class Effect:
    """The headline effect as one rater or panel sees it.

    Attributes:
        baseline: Mean under the baseline, over the items compared; None without any.
        prompted: Mean under the other condition.
        difference: prompted - baseline, paired.
        relative: difference / baseline; None where the baseline is 0 or there is none.
        panel: Whether this is a panel.
    """

    baseline: float | None
    prompted: float | None
    difference: Estimate
    relative: float | None
    panel: bool


def condition_bias(
    judge_a: Values,
    person_a: Values,
    judge_b: Values,
    person_b: Values,
    scale: Sequence[float] | None = None,
    *,
    size: float = 0.05,
    confidence: float = 0.95,
) -> ConditionBias:
    """Test whether judge minus person differs between conditions A and B on the same items.

    The signs of the items' changes are flipped in all ways, which is exact for any number of items where the changes
    lie on a grid; the paired t test stands in for it where there are too many. A flag says that the judge's contrast
    is off, not why: a judge with constant error rates is off too where the true rates differ between conditions.

    Args:
        judge_a: Judge's values under A, (items); None or NaN where there is none.
        person_a: Person's (or gold) values under A.
        judge_b: Judge's values under B, same items.
        person_b: Person's values under B.
        scale: The declared points, numbers whose differences mean something; not checked if not given.
        size: Nominal size of the test.
        confidence: Confidence level of the interval.

    Returns:
        The test; undefined without an item that has all four values.
    """
    rows = _four(judge_a, person_a, judge_b, person_b, scale)
    total = rows.shape[1]
    kept = rows[:, ~np.isnan(rows).any(axis=0)]
    error_a, error_b = kept[0] - kept[1], kept[2] - kept[3]
    change = paired_difference(list(error_a), list(error_b), total, confidence)
    if kept.shape[1] == 0:
        return ConditionBias(change, None, "", False, size)
    p, test = sign_flip(error_b - error_a)
    return ConditionBias(change, p, test, p <= size, size)


def difference_agreement(
    judge_a: Values,
    person_a: Values,
    judge_b: Values,
    person_b: Values,
    scale: Sequence[float],
    *,
    seed: int = 0,
    confidence: float = 0.95,
) -> DifferenceAgreement:
    """Agreement on the items' differences B - A, the quantity that a comparison of conditions rests on.

    Args:
        judge_a: Judge's values under A, (items); None or NaN where there is none.
        person_a: Person's values under A.
        judge_b: Judge's values under B, same items.
        person_b: Person's values under B.
        scale: The declared points, of a binary or ordered criterion.
        seed: Seed of the draws.
        confidence: Confidence level.

    Returns:
        The agreement; `n` items with all four values.
    """
    rows = _four(judge_a, person_a, judge_b, person_b, scale)
    total = rows.shape[1]
    rows[:, np.isnan(rows).any(axis=0)] = np.nan
    judge, person = rows[2] - rows[0], rows[3] - rows[1]
    points = sorted({round(float(y) - float(x), 9) for x in scale for y in scale})
    grid = np.array(points)
    both = np.vstack([_onto(judge, grid), _onto(person, grid)])
    given = ~np.isnan(judge)
    d, h = both[0][given], both[1][given]
    return DifferenceAgreement(
        alpha_estimate(both, points, "interval", seed=seed, confidence=confidence),
        proportion_estimate([float(v) for v in d == h], total, confidence),
        proportion_estimate([float(v) for v in np.sign(d) == np.sign(h)], total, confidence),
        paired_difference(list(h), list(d), total, confidence),
    )


def headline_effects(
    baseline: Mapping[str, Values],
    prompted: Mapping[str, Values],
    panels: Mapping[str, Sequence[str]] | None = None,
    combine: Combine = "median",
    *,
    common: bool = False,
    confidence: float = 0.95,
) -> dict[str, Effect]:
    """The effect prompted - baseline under each rater and each panel, paired on items.

    Args:
        baseline: Values of each rater under the baseline, (items); None or NaN where there is none.
        prompted: The same raters under the other condition, same items.
        panels: Names of panels and of the raters in them.
        combine: The panels' rule: "majority" for binary and nominal criteria, "median" for ordinal ones.
        common: Compare all on the items that every rater and panel has under both conditions.
        confidence: Confidence level.

    Returns:
        One effect a rater, then one a panel. The relative change stands beside the absolute one, never alone.

    Raises:
        ValueError: Other raters in one condition than in the other, different items, or an unknown rater in a panel.
    """
    if set(baseline) != set(prompted):
        odd = sorted(set(baseline) ^ set(prompted))
        raise ValueError(f"rater {odd[0]!r} has values under one condition only: give both or leave it out")
    sides: dict[str, tuple[Array, Array]] = {r: (ratings_row(baseline[r]), ratings_row(prompted[r])) for r in baseline}
    if len({row.size for pair in sides.values() for row in pair}) > 1:
        raise ValueError("the raters have different numbers of items: give None where a rater gave nothing")
    for name, members in (panels or {}).items():
        unknown = [m for m in members if m not in baseline]
        if unknown or not members or name in sides:
            what = f"names the unknown rater {unknown[0]!r}" if unknown else "is empty or has the name of a rater"
            raise ValueError(f"panel {name!r} {what}")
        first, second = (panel_values(np.vstack([sides[m][side] for m in members]), combine) for side in (0, 1))
        sides[name] = (first, second)
    made: dict[str, Effect] = {}
    for name, (before, after) in sides.items():
        needed = [row for pair in sides.values() for row in pair] if common else [before, after]
        kept = ~np.isnan(np.vstack(needed)).any(axis=0)
        made[name] = _effect(before[kept], after[kept], before.size, name not in baseline, confidence)
    return made


def _effect(before: Array, after: Array, total: int, panel: bool, confidence: float) -> Effect:
    change = paired_difference(list(before), list(after), total, confidence)
    if change.n < MINIMUM and change.low is not None:
        change = Estimate(change.value, change.low, change.high, change.n, total, change.method, FEW)
    if change.value is None:
        return Effect(None, None, change, None, panel)
    first, second = float(before.mean()), float(after.mean())
    return Effect(first, second, change, change.value / first if first else None, panel)


def _four(judge_a: Values, person_a: Values, judge_b: Values, person_b: Values, scale: Sequence[float] | None) -> Array:
    rows = [ratings_row(v, scale) for v in (judge_a, person_a, judge_b, person_b)]
    if len({r.size for r in rows}) > 1:
        raise ValueError("judge and person need the same items under both conditions: give None for what is missing")
    return np.vstack(rows)


def _onto(values: Array, grid: Array) -> Array:
    """Differences set onto the declared grid, so that rounding takes none off the scale."""
    nearest = np.abs(values[:, None] - grid[None, :])
    placed = grid[np.where(np.isnan(nearest), np.inf, nearest).argmin(axis=1)]
    return np.where(np.isnan(values), np.nan, placed)

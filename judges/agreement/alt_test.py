"""The alternative annotator test: may a judge stand in for one of several people? Always beside a null judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtr

from judges.agreement.alpha_resample import (
    MINIMUM,
    REPLICATES,
    Array,
    Flags,
    Ratings,
    Values,
    compress,
    multinomial_weights,
    percentile_interval,
    ratings_matrix,
    ratings_row,
)
from judges.stats import Estimate

Align = Literal["match", "distance"]
NO_POWER = "the test cannot tell it from a constant judge here"
DESIGN = f"have two people or more, better three, rate the same {MINIMUM} items or more, better 50 to 100"


@dataclass(frozen=True)
class AltResult:
    """One judge's result.

    Attributes:
        winning_rate: Share of the people whom the judge may replace.
        advantage: Average chance that the judge is at least as close to the other people as the person left out.
        p_values: One a person, before the correction for their number.
        replaces: Whether the judge may replace each person, false discovery rate controlled.
        passed: Whether the winning rate is at least one half.
    """

    winning_rate: float
    advantage: Estimate
    p_values: tuple[float, ...]
    replaces: tuple[bool, ...]
    passed: bool


@dataclass(frozen=True)
class AltTest:
    """The test of a judge and of a constant judge.

    Attributes:
        judge: The judge's result; None where it is not estimable.
        null: The same test of a judge that always gives the people's commonest value.
        null_value: That value.
        people: Row numbers of the people who were tested.
        items: Items compared for each of them.
        epsilon: The allowance for what the judge saves.
        flag: Why a pass means nothing here; empty otherwise.
        reason: Why there is no result.
    """

    judge: AltResult | None
    null: AltResult | None
    null_value: float | None
    people: tuple[int, ...]
    items: tuple[int, ...]
    epsilon: float
    flag: str
    reason: str


def alt_test(
    judge: Values,
    people: Ratings,
    scale: Sequence[float],
    align: Align = "match",
    epsilon: float = 0.2,
    rate: float = 0.05,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> AltTest:
    """The alternative annotator test, run on the judge and on a constant judge.

    Each person in turn is left out. On every item both the judge and this person are compared with the other people:
    by the share that gave the same value ("match"), or by the root of the mean squared difference ("distance").
    Whoever is at least as close scores 1. The judge may replace the person if the person's mean score exceeds the
    judge's by less than epsilon: a one-sided paired t test over items, corrected over people by Benjamini and
    Yekutieli. Where the paired scores do not vary at all, t has no value and an exact bound takes its place.

    Args:
        judge: The judge's values, (items); None or NaN where there is none.
        people: The people's ratings, (people, items); None or NaN where a person gave nothing.
        scale: The declared points.
        align: "match" for binary and nominal criteria, "distance" for ordinal ones.
        epsilon: Allowance: the source suggests 0.2 for experts, 0.15 for trained people, 0.1 for crowds.
        rate: False discovery rate.
        replicates: Resamples of items for the interval of the average advantage.
        seed: Seed of the draws.

    Returns:
        The test. Not estimable with fewer than two people who share 30 items with the judge and another person.

    Raises:
        ValueError: Different items, rows of different length, or a value that is not on the scale.

    Source:
        Calderon, Reichart and Dror (2025), The Alternative Annotator Test, arXiv 2501.10970; written from the
        description there.
    """
    data, own = ratings_matrix(people, scale), ratings_row(judge, scale)
    if data.size and own.size != data.shape[1]:
        raise ValueError(f"the judge has {own.size} items and the people {data.shape[1]}: give both the same items")
    if len(data) < 2:
        return _none(epsilon, f"not estimable with fewer than two people: {DESIGN}")
    rated = ~np.isnan(data)
    # An item counts for a person who rated it, if the judge and somebody else did too.
    usable = rated & (rated.sum(axis=0) >= 2) & ~np.isnan(own)
    tested = tuple(int(i) for i in np.flatnonzero(usable.sum(axis=1) >= MINIMUM))
    if len(tested) < 2:
        most = int(np.sort(usable.sum(axis=1))[-2])
        return _none(epsilon, f"not estimable: fewer than two people share {MINIMUM} items ({most} at most); {DESIGN}")
    values, counts = np.unique(data[rated], return_counts=True)
    constant = float(values[counts.argmax()])
    against = np.where(np.isnan(own), np.nan, constant)
    found = [_run(v, data, tested, usable, align, epsilon, rate, replicates, seed) for v in (own, against)]
    flag = NO_POWER if found[0].passed and found[1].passed else ""
    items = tuple(int(usable[j].sum()) for j in tested)
    return AltTest(found[0], found[1], constant, tested, items, epsilon, flag, "")


def by_rejections(p_values: Sequence[float], rate: float) -> tuple[bool, ...]:
    """Which hypotheses fall with the false discovery rate held under any dependence.

    Source:
        Benjamini and Yekutieli (2001), Ann. Stat. 29:1165-1188.
    """
    p = np.asarray(p_values, dtype=float)
    m = p.size
    steps = np.arange(1, m + 1)
    order = np.argsort(p, kind="stable")
    below = np.flatnonzero(p[order] <= steps * rate / (m * (1.0 / steps).sum()))
    rejected = np.zeros(m, dtype=bool)
    if below.size:
        rejected[order[: below[-1] + 1]] = True
    return tuple(bool(r) for r in rejected)


def _run(
    judge: Array,
    data: Array,
    tested: Sequence[int],
    usable: Flags,
    align: Align,
    epsilon: float,
    rate: float,
    replicates: int,
    seed: int,
) -> AltResult:
    wins = np.full((len(tested), data.shape[1]), np.nan)
    p_values = []
    for row, person in enumerate(tested):
        on = usable[person]
        others = np.delete(data, person, axis=0)[:, on]
        ours, theirs = _closeness(judge[on], others, align), _closeness(data[person, on], others, align)
        # Closeness is compared up to rounding, or a tie would turn on the last digit.
        judge_wins, person_wins = ours >= theirs - 1e-12, theirs >= ours - 1e-12
        wins[row, on] = judge_wins
        p_values.append(_p_value(person_wins.astype(float) - judge_wins.astype(float), epsilon))
    replaces = by_rejections(p_values, rate)
    winning = float(np.mean(replaces))
    return AltResult(winning, _advantage(wins, replicates, seed), tuple(p_values), replaces, winning >= 0.5)


def _closeness(values: Array, others: Array, align: Align) -> Array:
    """How close values are to the other people's, one an item; larger is closer."""
    if align == "match":
        return np.asarray(np.nansum(others == values, axis=0) / (~np.isnan(others)).sum(axis=0))
    return np.asarray(-np.sqrt(np.nanmean((others - values) ** 2, axis=0)))


def _p_value(d: Array, epsilon: float) -> float:
    """Of the hypothesis that the person's mean advantage is epsilon or more; d in -1, 0, 1, one an item."""
    mean, spread = float(d.mean()), float(d.std(ddof=1))
    if spread > 0:
        return float(stdtr(d.size - 1, (mean - epsilon) / (spread / np.sqrt(d.size))))
    if mean >= epsilon:
        return 1.0
    # All items gave the value d0. If the mean were epsilon, a share (epsilon - d0) / (1 - d0) at least would be above.
    return float((1 - (epsilon - mean) / (1 - mean)) ** d.size)


def _advantage(wins: Array, replicates: int, seed: int) -> Estimate:
    """Mean over people of the mean over items, with an item bootstrap."""
    columns, counts, _ = compress(wins)
    weights = np.vstack([counts, multinomial_weights(counts, replicates, np.random.default_rng(seed))])
    given = (~np.isnan(columns)).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = ((weights @ np.nan_to_num(columns).T) / (weights @ given.T)).mean(axis=1)
    n, total = int((~np.isnan(wins)).any(axis=0).sum()), wins.shape[1]
    ends = percentile_interval(values[1:])
    if ends is None or ends[0] == ends[1]:
        return Estimate(float(values[0]), None, None, n, total, "", "all items agree: resamples have no width")
    return Estimate(float(values[0]), *ends, n, total, f"item bootstrap, {replicates} replicates")


def _none(epsilon: float, reason: str) -> AltTest:
    return AltTest(None, None, None, (), (), epsilon, "", reason)

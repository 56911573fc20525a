"""Intervals of intraclass correlations that suppose no distribution: the items are resampled, the raters stay.

An item enters the mean squares through its ratings, their sum and their sum of squares only, so mean squares under any
weights of the items are a few matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import comb
from typing import Final, Literal, NamedTuple

import numpy as np
from scipy.special import stdtrit

from judges.agreement.alpha_resample import Array, compress

Form = Literal["1,1", "1,k", "C,1", "C,k", "A,1", "A,k"]
MASS: Final = 1.0
DOMINANT: Final = 0.5
MOST_PATTERNS: Final = 5000
"""Prior, the share of the commonest value above which the jackknife is too narrow, and the patterns draws can bear."""


class Items(NamedTuple):
    """Kinds of items: their ratings (P, k), the sum of them (P) and the sum of their squares (P)."""

    ratings: Array
    sums: Array
    squares: Array


def interval(
    data: Array, form: Form, scale: Sequence[float], confidence: float, seed: int, draws: int
) -> tuple[float, float, str] | None:
    """The interval of an intraclass correlation of these raters.

    Where more than half of the ratings are one value: Dirichlet draws over the items seen and, with a prior of total
    mass 1, over all ways in which the ratings can fall on the scale, whoever gave which. Otherwise, or where there are
    too many of those: jackknife over items on Fisher's z for k raters, Student's t. That of the mean of k raters
    follows from one rater's by Spearman-Brown.

    Args:
        data: Ratings (k, n), k raters of n items, without gaps, k and n at least 2.
        form: Model and unit.
        scale: The declared points.
        confidence: Confidence level.
        seed: Seed of the draws.
        draws: Their number.

    Returns:
        Both ends and the method's name; None where leaving out one item leaves no variation, or nothing varies.

    Source:
        Fisher (1925), Statistical Methods for Research Workers, ch. VII, for z of k raters.
    """
    columns, counts, _ = compress(data)
    k = len(data)
    seen = _items(columns.T)
    given = np.unique(data, return_counts=True)[1]
    patterns = comb(k + len(scale) - 1, k)
    if given.max() > DOMINANT * data.size and patterns <= MOST_PATTERNS:
        ends = _dirichlet(seen, counts, form, scale, confidence, seed, draws)
        method = f"Dirichlet on items, total mass {MASS:g}, {draws} draws"
    else:
        ends, method = _jackknife(seen, counts, form, confidence), "jackknife t on Fisher's z"
    # The mean's coefficient falls without bound as one rater's nears its least value, -1/(k-1).
    if ends is None or (form[2] == "k" and 1 + (k - 1) * ends[0] < 1e-9):
        return None
    low, high = ((k * r / (1 + (k - 1) * r) if form[2] == "k" else r) for r in ends)
    return low, high, method


def single(items: Items, weights: Array, form: Form) -> Array:
    """One rater's coefficient under each weighting of the items.

    Args:
        items: Kinds of items (P).
        weights: How often each kind counts (B, P).
        form: Model; the unit is ignored.

    Returns:
        Array (B), NaN where nothing varies.
    """
    k = items.ratings.shape[1]
    n = weights.sum(axis=1)
    means = weights @ items.ratings / n[:, None]
    between = (weights @ items.sums**2 / n - means.sum(axis=1) ** 2) * n / (n - 1) / k
    variance = (weights @ items.squares / n - (means**2).sum(axis=1)) * n / (n - 1) / k
    error = (k * variance - between) / (k - 1)
    raters = means.var(axis=1, ddof=1)  # mean square of raters over n
    if form[0] == "1":
        within = raters + error * (n - 1) / n
        top, bottom = between - within, between + (k - 1) * within
    else:
        top, bottom = between - error, between + (k - 1) * error
        bottom = bottom + (k * (raters - error / n) if form[0] == "A" else 0.0)
    fine = bottom > 1e-12
    return np.asarray(np.divide(top, bottom, out=np.full(len(n), np.nan), where=fine))


def _items(ratings: Array) -> Items:
    return Items(ratings, ratings.sum(axis=1), (ratings**2).sum(axis=1))


def _jackknife(seen: Items, counts: Array, form: Form, confidence: float) -> tuple[float, float] | None:
    n, k = counts.sum(), seen.ratings.shape[1]
    if n < 3:
        return None
    value = float(single(seen, counts[None, :], form)[0])
    left = np.empty(len(counts))
    for start in range(0, len(counts), 512):  # in blocks: there may be as many kinds of items as items
        block = np.arange(start, min(start + 512, len(counts)))
        weights = np.repeat(counts[None, :], len(block), axis=0)
        weights[np.arange(len(block)), block] -= 1.0
        left[block] = single(seen, weights, form)
    inside = 1e-9 - 1 / (k - 1) < value < 1 - 1e-9
    if not inside or not np.isfinite(left).all():
        return None
    z, around = _fisher(value, k), _fisher(np.clip(left, 1e-9 - 1 / (k - 1), 1 - 1e-9), k)
    spread = np.sqrt((n - 1) / n * (counts * (around - (counts * around).sum() / n) ** 2).sum())
    if spread < 1e-9:
        return None
    half = float(stdtrit(n - 1, 0.5 + confidence / 2) * spread)
    low, high = (np.exp(2 * (z + s * half)) for s in (-1, 1))
    return float((low - 1) / (low + k - 1)), float(1.0 if np.isinf(high) else (high - 1) / (high + k - 1))


def _fisher(value: float | Array, k: int) -> Array:
    return np.asarray(0.5 * np.log((1 + (k - 1) * value) / (1 - value)))


def _dirichlet(
    seen: Items, counts: Array, form: Form, scale: Sequence[float], confidence: float, seed: int, draws: int
) -> tuple[float, float] | None:
    k = seen.ratings.shape[1]
    # Who gave which rating is open, so each rater has their mean; sum and sum of squares are those of the ratings.
    ways = np.array(list(combinations_with_replacement(sorted(scale), k)))
    spread = _items(ways)
    prior = Items(np.repeat(ways.mean(axis=1)[:, None], k, axis=1), spread.sums, spread.squares)
    every = Items(*(np.concatenate([a, b]) for a, b in zip(seen, prior, strict=True)))
    mass = np.concatenate([counts, np.full(len(ways), MASS / len(ways))])
    drawn = single(every, np.random.default_rng(seed).dirichlet(mass, draws) * counts.sum(), form)
    drawn = drawn[np.isfinite(drawn)]
    if drawn.size < 0.99 * draws:
        return None
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)

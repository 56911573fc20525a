"""Thousands of Krippendorff alphas at once: items that were rated alike are counted, not repeated.

Alpha depends on an item only through how many raters gave each value. Ten thousand items rated by six raters on five
points have at most a few hundred such count rows (patterns), so a resample is a vector of pattern weights, and all
resamples together are one matrix product whose size does not depend on the number of items.

This module also holds what the other statistics of many raters share: reading ratings, and weights of resamples.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Level = Literal["nominal", "ordinal", "interval", "ratio"]
Flags = npt.NDArray[np.bool_]
Values = Sequence[float | None] | Array
"""One rater's values, (items); None or NaN where there is none."""
Ratings = Sequence[Sequence[float | None]] | Array
"""Several raters' values, (raters, items); None or NaN where there is none."""

REPLICATES = 2000
MINIMUM = 30
"""Items below which the intervals of this package are known to be too narrow."""
FEW = f"n below {MINIMUM}: the interval is known to be too narrow"


def ratings_matrix(ratings: Ratings, scale: Sequence[float] | None = None) -> Array:
    """Ratings as an array.

    Args:
        ratings: Ratings, (raters, items); None or NaN where a rater gave nothing.
        scale: The declared points; not checked if not given.

    Returns:
        Array (raters, items), NaN where there is no rating.

    Raises:
        ValueError: Rows of different length, or a value that is not on the scale.
    """
    if isinstance(ratings, np.ndarray) and ratings.dtype != object:
        data = np.atleast_2d(np.array(ratings, dtype=float))
    else:
        if len({len(row) for row in ratings}) > 1:
            raise ValueError("the raters have different numbers of items: give None where a rater gave nothing")
        data = np.array([[np.nan if v is None else v for v in row] for row in ratings], dtype=float)
        data = data.reshape(len(ratings), -1) if len(ratings) else np.empty((0, 0))
    if scale is not None:
        off = data[~np.isnan(data) & ~np.isin(data, np.asarray(scale, dtype=float))]
        if off.size:
            raise ValueError(f"the value {off[0]:g} is not on the scale")
    return data


def ratings_row(values: Values, scale: Sequence[float] | None = None) -> Array:
    """One rater's ratings as an array (items), NaN where there is none; checked as in `ratings_matrix`."""
    row = np.array([np.nan if v is None else v for v in values], dtype=float)
    return np.asarray(ratings_matrix(row[None, :], scale).ravel())


@dataclass(frozen=True)
class Patterns:
    """What alpha needs to know of the items, one row a distinct pattern.

    Attributes:
        points: The declared scale in ascending order (k).
        level: Level of measurement.
        marginals: Ratings of each value in a pattern (P, k), 0 where the pattern has fewer than two ratings.
        pairs: Coincidences of the values i < j in a pattern (P, k(k-1)/2).
        item: The pattern of every item (N).
        pairable: Whether a pattern has two ratings or more (P).
    """

    points: Array
    level: Level
    marginals: Array
    pairs: Array
    item: Index
    pairable: Flags

    @property
    def weights(self) -> Array:
        """How many items have each pattern (P)."""
        return np.bincount(self.item, minlength=len(self.pairable)).astype(float)

    @property
    def n(self) -> int:
        """Items with two ratings or more."""
        return int(self.weights[self.pairable].sum())


def patterns(ratings: Ratings, scale: Sequence[float], level: Level) -> Patterns:
    """Compress ratings to their patterns.

    Args:
        ratings: Ratings, (raters, items); None or NaN where a rater gave nothing.
        scale: The declared points, in any order.
        level: Level of measurement.

    Raises:
        ValueError: Ragged rows, a value off the scale, or a ratio scale with points below zero.
    """
    data, points = ratings_matrix(ratings, scale), np.unique(np.asarray(scale, dtype=float))
    if level == "ratio" and points.size and points[0] < 0:
        raise ValueError("a ratio scale has no points below zero: declare it interval")
    counts = np.stack([(data == v).sum(axis=0) for v in points], axis=1).astype(np.int64)
    counts[counts.sum(axis=1) < 2] = 0
    rows, item = _unique_rows(counts, data.shape[0] + 1)
    i, j = np.triu_indices(len(points), 1)
    m = rows.sum(axis=1)
    pairs = rows[:, i] * rows[:, j] / np.maximum(m - 1, 1)[:, None]
    return Patterns(points, level, rows.astype(float), pairs, item, m >= 2)


def alphas(found: Patterns, weights: Array) -> Array:
    """Alpha under each vector of pattern weights.

    Args:
        found: The patterns.
        weights: How often each pattern counts (B, P).

    Returns:
        Array (B), NaN where alpha is undefined: no item with two ratings, or all of them one value.

    Source:
        Krippendorff (2019), Content Analysis, 4th ed., ch. 12.
    """
    i, j = np.triu_indices(len(found.points), 1)
    totals = weights @ found.marginals
    n = totals.sum(axis=1)
    distance = _distances(found, totals, i, j)
    observed = ((weights @ found.pairs) * distance).sum(axis=1)
    expected = (totals[:, i] * totals[:, j] * distance).sum(axis=1)
    values = np.full(len(weights), np.nan)
    defined = (totals > 1e-9).sum(axis=1) >= 2
    values[defined] = 1.0 - (n[defined] - 1.0) * observed[defined] / expected[defined]
    return values


def bootstrap_weights(
    found: Patterns, replicates: int = REPLICATES, seed: int = 0, clusters: Sequence[Hashable] | None = None
) -> Array:
    """Pattern weights of resamples with replacement, of items or of whole clusters of items.

    Args:
        found: The patterns.
        replicates: Number of resamples, B.
        seed: Seed of the draws.
        clusters: The source of every item; items are drawn one by one if not given.

    Returns:
        Array (B, P). Items without two ratings are drawn too, as in a loop over items.

    Raises:
        ValueError: Another number of clusters than of items.
    """
    rng, size = np.random.default_rng(seed), len(found.item)
    if clusters is None:
        return multinomial_weights(found.weights, replicates, rng)
    if len(clusters) != size:
        raise ValueError(f"{len(clusters)} cluster labels for {size} items: give one an item")
    table = cluster_table(found, clusters)
    return whole_draws(len(table), replicates, seed) @ table


def cluster_table(found: Patterns, clusters: Sequence[Hashable]) -> Array:
    """How many items of each pattern a cluster has (clusters, P), clusters in the order of appearance."""
    rows, kinds = _in_order(clusters), len(found.pairable)
    count = int(rows.max()) + 1 if rows.size else 0
    return np.bincount(rows * kinds + found.item, minlength=count * kinds).reshape(count, kinds).astype(float)


def _in_order(clusters: Sequence[Hashable]) -> Index:
    """Number of each item's cluster, clusters numbered as they appear."""
    if all(type(c) is int for c in clusters):
        _, first, place = np.unique(np.array(clusters, dtype=np.int64), return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[place].astype(np.int64)
    order: dict[Hashable, int] = {}
    return np.array([order.setdefault(c, len(order)) for c in clusters], dtype=np.int64)


def whole_draws(units: int, replicates: int, seed: int) -> Array:
    """Weights (B, units) of resamples of whole clusters: the same for every table of as many clusters."""
    return _draws(units, replicates, seed).astype(float)


@lru_cache(maxsize=4)
def _draws(units: int, replicates: int, seed: int) -> npt.NDArray[np.uint32]:
    # Several tables of the same answers are resampled one after the other, and drawing takes longest of it.
    return multinomial_weights(np.ones(units), replicates, np.random.default_rng(seed)).astype(np.uint32)


def multinomial_weights(frequencies: Array, replicates: int, rng: np.random.Generator) -> Array:
    """Weights (B, P) of resamples with replacement of items that fall into P kinds, `frequencies` (P) of each."""
    total = int(frequencies.sum())
    return rng.multinomial(total, frequencies / total, size=replicates).astype(float)


def compress(columns: Array) -> tuple[Array, Array, Index]:
    """Distinct columns of an array (rows, items), NaN equal to NaN.

    Returns:
        The distinct columns (rows, P), how many items have each (P), and the number of each item's column (N).
    """
    code = np.zeros(columns.shape[1], dtype=np.int64)
    for row in columns:
        kinds, index = np.unique(row, return_inverse=True)
        code = np.unique(code * (len(kinds) + 1) + index, return_inverse=True)[1].astype(np.int64)
    first = np.unique(code, return_index=True)[1]
    return columns[:, first], np.bincount(code, minlength=len(first)).astype(float), code


def shared_alphas(
    columns: Array, groups: Sequence[Sequence[int]], scale: Sequence[float], level: Level, weights: Array
) -> Array:
    """Alpha of several groups of raters under the same resamples, so that differences between them are paired.

    Args:
        columns: Distinct columns of ratings (raters, P), as `compress` gives them.
        groups: Row numbers of the raters of each group (G).
        scale: The declared points.
        level: Level of measurement.
        weights: How often each column counts (B, P).

    Returns:
        Array (G, B), NaN where undefined.
    """
    values = np.empty((len(groups), len(weights)))
    for g, rows in enumerate(groups):
        found = patterns(columns[list(rows)], scale, level)
        to_pattern = np.eye(len(found.pairable))[found.item]
        values[g] = alphas(found, weights @ to_pattern)
    return values


def percentile_interval(values: Array, confidence: float = 0.95) -> tuple[float, float] | None:
    """Ends of the percentile interval of replicates (B), or None where one in twenty or more is undefined (NaN)."""
    defined = values[np.isfinite(values)]
    if not values.size or defined.size <= 0.95 * values.size:
        return None
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _distances(found: Patterns, totals: Array, i: Index, j: Index) -> Array:
    """Squared distance of the values i < j, one row for all resamples or one each (the ordinal metric)."""
    v = found.points
    if found.level == "nominal":
        return np.ones((1, len(i)))
    if found.level == "interval":
        return ((v[i] - v[j]) ** 2)[None, :]
    if found.level == "ratio":
        return (((v[i] - v[j]) / (v[i] + v[j])) ** 2)[None, :]
    middle = np.cumsum(totals, axis=1) - totals / 2.0
    return np.asarray((middle[:, j] - middle[:, i]) ** 2)


def _unique_rows(counts: Index, base: int) -> tuple[Index, Index]:
    """Distinct rows of small counts and the row of every item; by a number per row where it fits into 62 bits."""
    k = counts.shape[1]
    if not counts.size:
        return counts, np.zeros(len(counts), dtype=np.int64)
    if k * np.log2(base) < 62:
        code = counts @ (base ** np.arange(k, dtype=np.int64))
        _, first, item = np.unique(code, return_index=True, return_inverse=True)
        return counts[first], item.astype(np.int64)
    rows, item = np.unique(counts, axis=0, return_inverse=True)
    return rows, item.ravel().astype(np.int64)

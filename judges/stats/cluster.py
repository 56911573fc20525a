"""A mean difference where items share a source: items within a cluster are not independent.

The item stays the unit of the mean; the cluster is the unit of the interval. Where every item is its own cluster, the
analytic interval is the paired t interval.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from judges.stats.intervals import ROUNDING, Estimate

Array = npt.NDArray[np.float64]
RESAMPLES: Final = 2000
FEW: Final = 10
"""Clusters below which there is no bootstrap, and the analytic interval may be too narrow."""
CELLS: Final = 4_000_000
"""Cells of the matrix of weights that are held at once (32 MB)."""


def cluster_difference(
    differences: Sequence[float], clusters: Sequence[Hashable], total: int | None = None, level: float = 0.95
) -> Estimate:
    """Mean difference with a cluster-robust interval: t with one degree of freedom less than there are clusters.

    Args:
        differences: Other - baseline, one an item.
        clusters: The cluster of each item.
        total: Items that should have a pair.
        level: Confidence level.

    Returns:
        The estimate; without an interval where there is one cluster, or nothing varies between clusters.

    Raises:
        ValueError: Another number of clusters than of items, or a difference that is no finite number.

    Source:
        Liang and Zeger (1986), Biometrika 73:13-22, with the factor G/(G-1) (CR1).
    """
    sums, sizes = _grouped(differences, clusters)
    found = _without_interval(sums, sizes, total)
    if found.reason:
        return found
    mean, groups = float(found.value or 0.0), sums.size
    error = float(_errors(np.ones((1, groups)), sums, sizes)[1][0])
    half = float(stdtrit(groups - 1, 0.5 + level / 2)) * error
    return Estimate(mean, mean - half, mean + half, found.n, found.total, f"cluster-robust t, {groups} clusters")


def cluster_bootstrap(
    differences: Sequence[float],
    clusters: Sequence[Hashable],
    total: int | None = None,
    seed: int = 0,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Mean difference with a bootstrap interval: whole clusters are drawn with replacement.

    A resample is a row of multinomial weights over the clusters, so that all of them are a few matrix products.
    Bootstrap t: each resample in units of its own cluster-robust error. Percentiles are too narrow for few clusters and
    for skewed differences. There is no interval below 10 clusters, where the few distinct resamples make it a matter of
    luck, nor where more than one resample in a hundred has no error of its own (docs/coverage-comparisons.md).

    Args:
        differences: Other - baseline, one an item.
        clusters: The cluster of each item.
        total: Items that should have a pair.
        seed: Seed of the resamples.
        level: Confidence level.
        resamples: Their number.

    Raises:
        ValueError: Another number of clusters than of items, or a difference that is no finite number.

    Source:
        Efron and Tibshirani (1993), An Introduction to the Bootstrap, ch. 12; Cameron, Gelbach and Miller (2008),
        Rev. Econ. Stat. 90:414-427.
    """
    sums, sizes = _grouped(differences, clusters)
    found = _without_interval(sums, sizes, total)
    if found.reason:
        return found
    if sums.size < FEW:
        return replace(found, reason=f"{sums.size} clusters are too few for a bootstrap")
    parts = [_errors(w, sums, sizes) for w in weights(sums.size, resamples, seed)]
    means, errors = (np.concatenate(column) for column in zip(*parts, strict=True))
    error = float(_errors(np.ones((1, sums.size)), sums, sizes)[1][0])
    ends = bootstrap_ends(float(found.value or 0.0), error, means, errors, level)
    if ends is None:
        return replace(found, reason="too few items differ for a bootstrap")
    return replace(found, low=ends[0], high=ends[1], method=f"cluster bootstrap, t, {resamples} resamples")


def cluster_sums(differences: Sequence[float], clusters: Sequence[Hashable]) -> list[float]:
    """By cluster, the sum of its differences less their mean: what the interval over clusters is made of."""
    sums, sizes = _grouped(differences, clusters)
    return [float(v) for v in sums - sizes * sums.sum() / max(1.0, sizes.sum())]


def bootstrap_ends(mean: float, error: float, means: Array, errors: Array, level: float) -> tuple[float, float] | None:
    """Ends of the bootstrap t interval; None where more than one resample in a hundred has no error.

    Args:
        mean: The mean.
        error: Its standard error, above 0.
        means: Mean of each resample, (resamples).
        errors: Standard error of each, (resamples); 0 where it has none.
        level: Confidence level.

    Source:
        Efron and Tibshirani (1993), An Introduction to the Bootstrap, ch. 12.
    """
    usable = errors > 1e-9 * error
    if usable.mean() < 0.99:
        return None
    below, above = np.quantile((means[usable] - mean) / errors[usable], [(1 - level) / 2, (1 + level) / 2])
    return float(mean - above * error), float(mean - below * error)


def weights(groups: int, resamples: int, seed: int) -> Iterator[Array]:
    """Multinomial weights (resamples, groups), in parts that fit in memory.

    Args:
        groups: Clusters to draw from; as many are drawn.
        resamples: Rows in all.
        seed: Seed; the rows do not depend on how they are parted.
    """
    if groups * resamples <= CELLS // 2:
        yield _kept(groups, resamples, seed)
        return
    rng = np.random.default_rng(seed)
    rows = max(1, CELLS // groups)
    for start in range(0, resamples, rows):
        yield _drawn(rng, min(rows, resamples - start), groups)


@lru_cache(maxsize=2)
def _kept(groups: int, resamples: int, seed: int) -> Array:
    """All weights; kept, for the measures of one comparison ask for the same again and again."""
    drawn = _drawn(np.random.default_rng(seed), resamples, groups)
    drawn.flags.writeable = False
    return drawn


def _drawn(rng: np.random.Generator, rows: int, groups: int) -> Array:
    drawn = rng.integers(0, groups, (rows, groups)) + np.arange(rows)[:, None] * groups
    counts: Array = np.bincount(drawn.ravel(), minlength=rows * groups).reshape(rows, groups).astype(float)
    return counts


def _grouped(differences: Sequence[float], clusters: Sequence[Hashable]) -> tuple[Array, Array]:
    """Sum of the differences and number of items, by cluster."""
    if len(differences) != len(clusters):
        raise ValueError(f"a cluster an item needed: {len(clusters)} for {len(differences)}")
    d = np.asarray(differences, dtype=float)
    if not np.isfinite(d).all():
        raise ValueError("a value that is no finite number: leave items without a pair out")
    places: dict[Hashable, int] = {}
    index = np.array([places.setdefault(c, len(places)) for c in clusters], dtype=np.int64)
    sums: Array = np.bincount(index, d, len(places)).astype(float)
    sizes: Array = np.bincount(index, minlength=len(places)).astype(float)
    return sums, sizes


def _without_interval(sums: Array, sizes: Array, total: int | None) -> Estimate:
    """The mean, with a reason where it can have no interval."""
    n = int(sizes.sum())
    total = n if total is None else total
    if n == 0:
        return Estimate.undefined("no item has a value in both runs", 0, total)
    mean, reason = float(sums.sum() / n), ""
    if sums.size == 1:
        reason = "one item has no interval" if n == 1 else f"all {n} items are of one cluster"
    elif np.ptp(sums / sizes) <= ROUNDING * max(1.0, abs(mean)):
        reason = f"the differences of all {sums.size} clusters are equal"
    return Estimate(mean, None, None, n, total, "", reason)


def _errors(w: Array, sums: Array, sizes: Array) -> tuple[Array, Array]:
    """Mean and cluster-robust standard error under each row of weights (rows, groups)."""
    n, total, own, cross, size = (w @ np.column_stack([sizes, sums, sums**2, sums * sizes, sizes**2])).T
    mean = total / n
    squares = own - 2 * mean * cross + mean**2 * size
    groups = sums.size
    return mean, np.sqrt(np.maximum(0.0, squares) * groups / (groups - 1)) / n


def few_clusters(groups: int) -> str:
    """What to know of an interval over so few clusters; nothing where they are enough."""
    return f"{groups} clusters are few: the interval may be too narrow" if groups < FEW else ""

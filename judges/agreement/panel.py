"""How many independent votes a panel is worth, and what each judge adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from judges.agreement.alpha_resample import (
    FEW,
    MINIMUM,
    REPLICATES,
    Array,
    Level,
    Ratings,
    Values,
    compress,
    multinomial_weights,
    percentile_interval,
    ratings_matrix,
    ratings_row,
    shared_alphas,
)
from judges.combine import quorum
from judges.stats import Estimate

Combine = Literal["majority", "median"]


@dataclass(frozen=True)
class PanelErrors:
    """How far the judges of a panel err together.

    Attributes:
        errors: What was correlated: "wrong or right", or "judge minus gold".
        correlations: Correlation of the errors of each pair of judges (m, m); None where a judge's errors do not vary.
        mean: Their mean over the pairs that have one.
        votes: Kish's effective number of votes, m / (1 + (m - 1) mean).
    """

    errors: str
    correlations: tuple[tuple[float | None, ...], ...]
    mean: Estimate
    votes: Estimate

    def as_dict(self) -> dict[str, object]:
        """JSON-ready fields."""
        return {
            "errors": self.errors,
            "correlations": [list(row) for row in self.correlations],
            "mean": self.mean.as_dict(),
            "votes": self.votes.as_dict(),
        }


def panel_errors(
    judges: Ratings,
    gold: Values,
    scale: Sequence[float],
    level: Level,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    confidence: float = 0.95,
) -> PanelErrors:
    """Correlation of the judges' errors against gold, and the votes that leaves.

    A vote is wrong or right, so on two points or a nominal scale it is this that is correlated; on an ordered scale
    of more points it is judge minus gold, the error that a mean or median averages out.

    Args:
        judges: The judges' ratings, (judges, items); None or NaN where a judge gave nothing.
        gold: The person's values, (items); None or NaN where there is none.
        scale: The declared points.
        level: Level of measurement.
        replicates: Resamples of items for the interval.
        seed: Seed of the draws.
        confidence: Confidence level.

    Raises:
        ValueError: Different items, rows of different length, or a value that is not on the scale.

    Source:
        Kish (1965), Survey Sampling, sec. 5.4 (design effect), with the correlation of errors in place of the
        intraclass correlation.
    """
    data, truth = ratings_matrix(judges, scale), ratings_row(gold, scale)
    m, total = data.shape
    if truth.size != total:
        raise ValueError(f"gold has {truth.size} items and the judges {total}: give both the same items")
    votes = level == "nominal" or len(set(scale)) == 2
    errors = data - truth[None, :]
    if votes:
        errors = np.where(np.isnan(errors), np.nan, (errors != 0).astype(float))
    name = "wrong or right" if votes else "judge minus gold"
    n = int(((~np.isnan(errors)).sum(axis=0) >= 2).sum())
    if m < 2 or n < 2:
        lacking = Estimate.undefined("fewer than two judges" if m < 2 else "fewer than two items to compare", n, total)
        return PanelErrors(name, tuple((None,) * m for _ in range(m)), lacking, lacking)
    columns, counts, _ = compress(errors)
    pairs = [(i, j) for i in range(m) for j in range(i + 1, m)]
    point = _correlations(columns, pairs, counts[None, :])[0]
    matrix = _square(point, pairs, m)
    flat = [f"{int(np.isnan(point).sum())} of {len(pairs)} pairs have no correlation: a judge's errors do not vary"]
    reasons = (flat if np.isnan(point).any() else []) + ([FEW] if n < MINIMUM else [])
    if np.isnan(point).all():
        lacking = Estimate.undefined("no judge's errors vary with another's", n, total)
        return PanelErrors(name, matrix, lacking, lacking)
    weights = multinomial_weights(counts, replicates, np.random.default_rng(seed))
    drawn = _mean(_correlations(columns, pairs, weights))
    rho = float(_mean(point[None, :])[0])
    ends = _fisher(rho, drawn, n, confidence)
    method = f"item bootstrap, {replicates} replicates, t on Fisher's z"
    if ends is None:
        reasons.append("too many resamples have no correlation, or all have the same")
    low, high = ends or (None, None)
    mean = Estimate(rho, low, high, n, total, method if ends else "", "; ".join(reasons))
    return PanelErrors(name, matrix, mean, _votes(mean, m))


def panel_values(judges: Ratings, combine: Combine) -> Array:
    """The panel's value of every item, by the rule of judges.combine: quorum, strict majority or median.

    Args:
        judges: The judges' ratings, (judges, items); None or NaN where a judge gave nothing.
        combine: "majority" for binary and nominal criteria, "median" for ordinal ones.

    Returns:
        Array (items), NaN without a quorum or without a strict majority.
    """
    data = ratings_matrix(judges)
    given = (~np.isnan(data)).sum(axis=0)
    reached = given >= quorum(len(data))
    values = np.full(data.shape[1], np.nan)
    if combine == "median":
        if reached.any():
            values[reached] = np.nanmedian(data[:, reached], axis=0)
        return values
    for v in np.unique(data[~np.isnan(data)]):
        values[reached & (2 * (data == v).sum(axis=0) > given)] = v
    return values


def leave_one_out(
    judges: Ratings,
    gold: Values,
    scale: Sequence[float],
    level: Level,
    combine: Combine,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[Estimate, ...]:
    """What the panel's agreement with gold gains or loses when a judge is left out; above 0 it gains.

    Agreement is Krippendorff's alpha of the panel's values and gold. Each panel is measured on the items on which it
    has a value; resamples of items are shared, so the differences are paired.

    Args:
        judges: The judges' ratings, (judges, items); None or NaN where a judge gave nothing.
        gold: The person's values, (items); None or NaN where there is none.
        scale: The declared points; points between them, which medians make, are added.
        level: Level of measurement.
        combine: The panel's rule.
        replicates: Resamples of items.
        seed: Seed of the draws.
        confidence: Confidence level.

    Returns:
        One estimate a judge; `n` items on which both panels and gold have a value.

    Raises:
        ValueError: Different items, rows of different length, or a value that is not on the scale.
    """
    data, truth = ratings_matrix(judges, scale), ratings_row(gold, scale)
    m, total = data.shape
    if truth.size != total:
        raise ValueError(f"gold has {truth.size} items and the judges {total}: give both the same items")
    if m < 2:
        return tuple(Estimate.undefined("a panel of one has nobody to leave out", 0, total) for _ in range(m))
    panels = [panel_values(data, combine)] + [panel_values(np.delete(data, j, axis=0), combine) for j in range(m)]
    rows = np.vstack([truth, *panels])
    points = sorted({float(v) for v in scale} | {float(v) for v in rows[~np.isnan(rows)]})
    columns, counts, _ = compress(rows)
    weights = (
        np.vstack([counts, multinomial_weights(counts, replicates, np.random.default_rng(seed))]) if total else None
    )
    if weights is None:
        return tuple(Estimate.undefined("there is no item", 0, 0) for _ in range(m))
    values = shared_alphas(columns, [(0, p) for p in range(1, m + 2)], points, level, weights)
    made = []
    for j in range(m):
        n = int((~np.isnan(rows[[0, 1, j + 2]])).all(axis=0).sum())
        made.append(difference(values[j + 1] - values[0], n, total, replicates, confidence))
    return tuple(made)


def difference(values: Array, n: int, total: int, replicates: int, confidence: float) -> Estimate:
    """An estimate from its value and its replicates.

    Args:
        values: The value, then B replicates of it, (1 + B); NaN where undefined.
        n: Items that it rests on.
        total: Items that it should rest on.
        replicates: B, for the method's name.
        confidence: Confidence level.
    """
    if not np.isfinite(values[0]):
        return Estimate.undefined("one of the agreements is undefined: constant values or no common item", n, total)
    ends = percentile_interval(values[1:], confidence)
    if ends is None:
        return Estimate(float(values[0]), None, None, n, total, "", "too many resamples leave it undefined")
    reason = FEW if n < MINIMUM else ""
    if ends[0] == ends[1]:
        return Estimate(float(values[0]), None, None, n, total, "", "no resample differs, which no sample can promise")
    return Estimate(float(values[0]), *ends, n, total, f"paired item bootstrap, {replicates} replicates", reason)


def _fisher(rho: float, drawn: Array, n: int, confidence: float) -> tuple[float, float] | None:
    """Interval from the spread of the replicates on Fisher's z; None where it has no width or too few have a value.

    Percentiles cover 91 % instead of 95 % at 30 items.
    """
    defined = drawn[np.isfinite(drawn)]
    if abs(rho) >= 1.0 or defined.size <= 0.95 * drawn.size:
        return None
    spread = float(np.arctanh(defined.clip(-1 + 1e-6, 1 - 1e-6)).std(ddof=1))
    if spread < 1e-9:
        return None
    half = float(stdtrit(n - 1, 0.5 + confidence / 2)) * spread
    return float(np.tanh(np.arctanh(rho) - half)), float(np.tanh(np.arctanh(rho) + half))


def _votes(mean: Estimate, m: int) -> Estimate:
    """Kish's number falls with the correlation, so the ends of the interval change places."""

    def kish(rho: float) -> float | None:
        return m / (1 + (m - 1) * rho) if 1 + (m - 1) * rho > 1e-9 else None

    value = None if mean.value is None else kish(mean.value)
    if value is None or mean.value is None:
        return Estimate.undefined("the errors cancel out: the number of votes has no bound", mean.n, mean.total)
    if mean.low is None or mean.high is None:
        return Estimate(value, None, None, mean.n, mean.total, "", mean.reason)
    low, high = kish(mean.high), kish(mean.low)
    if low is None or high is None:
        return Estimate(
            value, None, None, mean.n, mean.total, "", "the upper end has no bound: the errors may cancel out"
        )
    return Estimate(value, low, high, mean.n, mean.total, mean.method, mean.reason)


def _correlations(columns: Array, pairs: Sequence[tuple[int, int]], weights: Array) -> Array:
    """Pearson's correlation of the pairs under each weight vector (B, pairs), NaN where errors do not vary."""
    result = np.full((len(weights), len(pairs)), np.nan)
    for p, (i, j) in enumerate(pairs):
        both = ~np.isnan(columns[i]) & ~np.isnan(columns[j])
        x, y = columns[i][both], columns[j][both]
        w = weights[:, both]
        n, sx, sy, sxx, syy, sxy = (w @ np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)).T
        vx, vy = n * sxx - sx * sx, n * syy - sy * sy
        fine = (vx > 1e-9) & (vy > 1e-9)
        result[fine, p] = ((n * sxy - sx * sy)[fine] / np.sqrt(vx[fine] * vy[fine])).clip(-1.0, 1.0)
    return result


def _mean(values: Array) -> Array:
    """Mean over the pairs that have a value, NaN where none has."""
    given = np.isfinite(values)
    count = given.sum(axis=1)
    total = np.where(given, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _square(point: Array, pairs: Sequence[tuple[int, int]], m: int) -> tuple[tuple[float | None, ...], ...]:
    table: list[list[float | None]] = [[1.0 if i == j else None for j in range(m)] for i in range(m)]
    for (i, j), value in zip(pairs, point, strict=True):
        table[i][j] = table[j][i] = float(value) if np.isfinite(value) else None
    return tuple(tuple(row) for row in table)

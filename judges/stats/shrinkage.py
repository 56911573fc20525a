"""Means of a few groups, each moved towards their common mean as far as its own noise asks for.

The mean of ten items scatters; of several such means the highest is high partly by chance. How far true means lie apart
is estimated from all groups together, and a group that says little of itself borrows from the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from judges.stats.intervals import Estimate

Array = npt.NDArray[np.float64]
FEWEST: Final = 3
"""Groups below which the spread of their true means cannot be known: its posterior would be improper."""
_NODES: Final = 128
_BLOCK: Final = 2_000_000
"""Cells (rows x groups x nodes) that are worked on at once."""


@dataclass(frozen=True)
class Shrunken:
    """Shrunken means of several rows of groups; NaN where there is none.

    Attributes:
        value: Posterior means, (rows, groups).
        deviation: Posterior standard deviations, (rows, groups).
        own: Weight of a group's own mean in its value, 0 to 1, (rows, groups).
        centre: The common mean of a row, (rows).
        spread: Posterior mean of the standard deviation of the true means, (rows).
    """

    value: Array
    deviation: Array
    own: Array
    centre: Array
    spread: Array


def shrink(means: npt.ArrayLike, variances: npt.ArrayLike) -> Shrunken:
    """Shrink the means of groups towards the mean of their row.

    Group means are normal around true means with known variances, true means are normal around a common mean. The
    common mean has a flat prior and the standard deviation t of the true means a flat one above 0; t is integrated
    over and not plugged in. With few groups the best guess of t is often 0, which would call all groups alike, with
    intervals as if that were known.

    Given t, with w = 1 / (variance + t^2): the centre is the mean weighted by w, its variance 1 / sum(w); a group keeps
    the share k = t^2 / (variance + t^2) of itself: its value is k mean + (1 - k) centre, with the variance
    k variance + (1 - k)^2 / sum(w). The density of t is sqrt(1 / sum(w)) prod(sqrt(w) exp(-w (mean - centre)^2 / 2)).

    The mean squared error over the groups is smaller than that of the raw means where true means lie no further apart
    than their noise, and about the same where they lie further. A group that is known poorly and lies truly far from
    others that are known well is the exception: it is drawn in too far.

    Args:
        means: (rows, groups), NaN where a group has none.
        variances: Squared standard errors, (rows, groups); a group without a finite one above 0 is left out.

    Returns:
        The shrunken means; a row with fewer than three groups has none.

    Raises:
        ValueError: Other shapes.

    Source:
        Rubin (1981), J. Educ. Stat. 6:377-401; Gelman (2006), Bayesian Analysis 1:515-534, for the flat prior of t and
        the three groups that it takes.
    """
    y, v = np.asarray(means, dtype=float), np.asarray(variances, dtype=float)
    if y.ndim != 2 or y.shape != v.shape:
        raise ValueError("means and variances must be (rows, groups) both")
    used = np.isfinite(y) & np.isfinite(v) & (v > 0)
    used &= (used.sum(axis=1) >= FEWEST)[:, None]
    value, deviation, own = (np.full(y.shape, np.nan) for _ in range(3))
    centre, spread = np.full(len(y), np.nan), np.full(len(y), np.nan)
    rows = np.flatnonzero(used.any(axis=1))
    step = max(1, _BLOCK // max(1, y.shape[1] * _NODES))
    for start in range(0, rows.size, step):
        part = rows[start : start + step]
        found = _posterior(np.where(used[part], y[part], 0.0), np.where(used[part], v[part], np.inf))
        for whole, piece in zip((value, deviation, own), found[:3], strict=True):
            whole[part] = np.where(used[part], piece, np.nan)
        centre[part], spread[part] = found[3], found[4]
    return Shrunken(value, deviation, own, centre, spread)


def _posterior(y: Array, v: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Values, deviations and own weights (rows, groups), centres and spreads (rows); an infinite variance: left out."""
    there = np.isfinite(v)
    count = there.sum(axis=1)
    middle = y.sum(axis=1) / count
    apart = np.where(there, y - middle[:, None], 0.0)
    noise = np.where(there, v, 0.0).sum(axis=1) / count
    scale = np.sqrt((apart**2).sum(axis=1) / (count - 1) + noise)
    # t = scale u / (1 - u) for u between 0 and 1, so that no end of the axis is cut off.
    u, weights = np.polynomial.legendre.leggauss(_NODES)
    u = (u + 1) / 2
    t = scale[:, None] * (u / (1 - u))[None, :]
    w = 1 / (v[:, :, None] + t[:, None, :] ** 2)
    whole = w.sum(axis=1)
    centre = (w * apart[:, :, None]).sum(axis=1) / whole
    off = apart[:, :, None] - centre[:, None, :]
    logs = 0.5 * (np.log(w, where=there[:, :, None], out=np.zeros_like(w)) - w * off**2).sum(axis=1)
    logs += -0.5 * np.log(whole) - 2 * np.log1p(-u)[None, :]
    density = weights[None, :] * np.exp(logs - logs.max(axis=1, keepdims=True))
    density /= density.sum(axis=1, keepdims=True)

    kept = t[:, None, :] ** 2 * w
    given = kept * apart[:, :, None] + (1 - kept) * centre[:, None, :]
    noise_given = kept * np.where(there, v, 0.0)[:, :, None] + (1 - kept) ** 2 / whole[:, None, :]
    p = density[:, None, :]
    value = (p * given).sum(axis=2)
    variance = (p * (noise_given + (given - value[:, :, None]) ** 2)).sum(axis=2)
    own = (p * kept).sum(axis=2)
    return (
        value + middle[:, None],
        np.sqrt(variance),
        own,
        (density * centre).sum(axis=1) + middle,
        (density * t).sum(axis=1),
    )


def implied_variance(e: Estimate, level: float = 0.95) -> float | None:
    """Squared standard error that an estimate's interval stands for: its longer arm, as that of a normal interval.

    Exact and score intervals are lopsided near the ends of a scale, where a standard error from the values would be 0;
    t intervals of few items are wide because their standard error is itself uncertain. Both carry over.

    Returns:
        The variance; None where the estimate has no interval, or one without width.
    """
    if e.value is None or e.low is None or e.high is None:
        return None
    arm = max(e.high - e.value, e.value - e.low)
    return (arm / float(ndtri(0.5 + level / 2))) ** 2 if arm > 0 else None


def shrunken_estimates(
    raw: Sequence[Sequence[Estimate]], bounds: tuple[float, float] = (-math.inf, math.inf), level: float = 0.95
) -> list[list[Estimate]]:
    """Shrunken means with their intervals, a row of groups each.

    Args:
        raw: Means of the groups, a row each, all rows alike long.
        bounds: Lowest and highest possible value: intervals are held within.
        level: Confidence level of the raw intervals and of these.

    Returns:
        Estimates with the items of the raw ones; undefined with a reason where a group has no interval to be weighed
        by, or its row fewer than three that have.
    """
    if not raw or not raw[0]:
        return [[] for _ in raw]
    means = [[math.nan if e.value is None else e.value for e in row] for row in raw]
    found = [[implied_variance(e, level) for e in row] for row in raw]
    variances = [[math.nan if v is None else v for v in row] for row in found]
    made = shrink(means, variances)
    z = float(ndtri(0.5 + level / 2))
    out = []
    for i, row in enumerate(raw):
        known = sum(v is not None for v in found[i])
        out.append(
            [
                _estimate(e, float(made.value[i, j]), z * float(made.deviation[i, j]), known, bounds)
                for j, e in enumerate(row)
            ]
        )
    return out


def _estimate(raw: Estimate, value: float, half: float, known: int, bounds: tuple[float, float]) -> Estimate:
    if raw.value is None:
        return raw
    if implied_variance(raw) is None:
        return Estimate.undefined(f"not to be weighed: {raw.reason or 'no interval'}", raw.n, raw.total)
    if known < FEWEST:
        why = f"{known} {'group has' if known == 1 else 'groups have'} an interval, {FEWEST} are needed"
        return Estimate.undefined(why, raw.n, raw.total)
    low, high = max(bounds[0], value - half), min(bounds[1], value + half)
    return Estimate(value, low, high, raw.n, raw.total, "shrunken, normal")

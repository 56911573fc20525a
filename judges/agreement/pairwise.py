"""Agreement of two raters on one criterion, with the declared scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from judges.agreement.intervals import posterior
from judges.agreement.weighted import agreement_weights, weighted_kappa
from judges.stats import Estimate, proportion_estimate

Table = npt.NDArray[np.float64]
"""Counts (k, k), or shares: rows the first rater's values, columns the second's, a place a declared point."""


def confusion(a: Sequence[float | None], b: Sequence[float | None], scale: Sequence[float]) -> Table:
    """Counts of item pairs by value.

    Args:
        a: Values of the first rater, one an item; None where there is none.
        b: Values of the second rater, same items.
        scale: The declared points.

    Returns:
        Array (k, k): rows are the first rater's values, columns the second's. Items lacking a value are left out.

    Raises:
        ValueError: Another number of items, or a value that is not on the scale.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} ratings against {len(b)}: both raters need the same items")
    points = np.asarray(scale, dtype=float)
    order = np.argsort(points)
    given = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    rows = np.array(given, dtype=float).reshape(-1, 2).T
    at = np.minimum(np.searchsorted(points[order], rows), points.size - 1)
    off = rows[points[order][at] != rows]
    if off.size:
        raise ValueError(f"the value {off[0]:g} is not on the scale")
    table = np.zeros((points.size, points.size))
    np.add.at(table, (order[at[0]], order[at[1]]), 1.0)
    return table


def exact_agreement(table: Table, total: int | None = None, level: float = 0.95) -> Estimate:
    """Share of items with the same value, Wilson interval. Counts (k, k), first rater by second."""
    return _share(table, 0, total, level)


def within_one(table: Table, total: int | None = None, level: float = 0.95) -> Estimate:
    """Share of items at most one scale point apart, Wilson interval. Counts (k, k), first rater by second."""
    return _share(table, 1, total, level)


def cohen_kappa(table: Table) -> float | None:
    """Cohen's kappa of one table; None where chance agreement is complete, which leaves it undefined.

    Counts or shares (k, k), first rater by second.

    Source:
        Cohen (1960), Educ. Psychol. Meas. 20:37-46.
    """
    return _kappa(table, 1.0 - np.eye(len(table)))


def quadratic_kappa(table: Table) -> float | None:
    """Cohen's kappa with quadratic weights; None where it is undefined.

    Counts or shares (k, k), first rater by second.

    Source:
        Cohen (1968), Psychol. Bull. 70:213-220.
    """
    steps = np.arange(len(table), dtype=float)
    return _kappa(table, (steps[:, None] - steps[None, :]) ** 2)


def kappa_estimate(
    table: Table, kappa: Callable[[Table], float | None], total: int | None = None, seed: int = 0, level: float = 0.95
) -> Estimate:
    """A kappa with a Bayesian interval from a Dirichlet posterior over the table's cells (`intervals.posterior`).

    The interval exists where the coefficient itself does not.

    Args:
        table: Counts (k, k).
        kappa: The coefficient, as a function of a table.
        total: Items that should have been rated by both.
        seed: Seed of the draws.
        level: Probability of the interval.
    """
    n = int(table.sum())
    total = n if total is None else total
    if n == 0:
        return Estimate.undefined("no item has both ratings", 0, total)
    draws, method = posterior(table, seed)
    batch = _BATCH.get(kappa)
    if batch is not None:
        stack = batch(draws)
        values = stack[~np.isnan(stack)]
    else:
        values = np.array([v for v in (kappa(d) for d in draws) if v is not None])
    low, high = (float(q) for q in np.quantile(values, [(1 - level) / 2, (1 + level) / 2]))
    point = kappa(table)
    reason = "" if point is not None else "both raters give one and the same value throughout"
    return Estimate(point, low, high, n, total, method, reason)


# The two kappas on all draws at once; any other function of a table is called once a draw.
_BATCH: dict[Callable[[Table], float | None], Callable[[Table], Table]] = {
    cohen_kappa: lambda t: weighted_kappa(t, agreement_weights("identity", t.shape[-1])),
    quadratic_kappa: lambda t: weighted_kappa(t, agreement_weights("quadratic", t.shape[-1])),
}


def _kappa(table: Table, distance: Table) -> float | None:
    n = table.sum()
    if n == 0:
        return None
    expected = float((table.sum(axis=1)[:, None] * table.sum(axis=0)[None, :] * distance).sum() / n)
    return None if expected == 0 else float(1.0 - (table * distance).sum() / expected)


def _share(table: Table, reach: int, total: int | None, level: float) -> Estimate:
    steps = np.arange(len(table))
    near = np.abs(steps[:, None] - steps[None, :]) <= reach
    n, hits = int(table.sum()), int(table[near].sum())
    return proportion_estimate([1.0] * hits + [0.0] * (n - hits), n if total is None else total, level)

"""Chance-corrected agreement on confusion tables: kappa, Scott's pi, Gwet's AC1 and AC2, PABAK.

Every function takes one table (k, k) or a stack of them (..., k, k), counts or shares, rows the first rater's values,
and gives one value a table: shape (...). NaN stands for undefined and never leaves this package: `intervals` turns it
into a reason. The tables have a row and a column for every declared point, whether it occurs or not.
"""

from __future__ import annotations

from math import comb
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Weights = Literal["identity", "linear", "quadratic", "ordinal"]
WEIGHTS: Final[tuple[Weights, ...]] = ("identity", "linear", "quadratic", "ordinal")


def agreement_weights(name: Weights, k: int) -> Array:
    """Weights of agreement between the points of a declared scale: 1 on the diagonal, 0 at the far ends.

    Points count as evenly spaced, by their place on the scale.

    Args:
        name: `identity` (a difference is a difference), `linear`, `quadratic`, or Gwet's `ordinal`: one less the
            number of pairs of points from one value through the other, as a share of that of the whole scale.
        k: Number of declared points, at least 2.

    Returns:
        Array (k, k).

    Source:
        Cohen (1968), Psychol. Bull. 70:213-220; Gwet (2014), Handbook of Inter-Rater Reliability, 4th ed., section 3.5.
    """
    steps = np.abs(np.arange(k)[:, None] - np.arange(k)[None, :]).astype(float)
    if name == "identity":
        return np.eye(k)
    if name == "linear":
        return np.asarray(1.0 - steps / (k - 1))
    if name == "quadratic":
        return np.asarray(1.0 - (steps / (k - 1)) ** 2)
    pairs = np.array([[comb(int(s) + 1, 2) for s in row] for row in steps], dtype=float)
    return np.asarray(1.0 - pairs / comb(k, 2))


def observed_agreement(tables: Array, weights: Array) -> Array:
    """Weighted share of agreeing items; NaN for an empty table.

    Tables (..., k, k), first rater by second, and weights of agreement (k, k), to values (...), 0 to 1.
    """
    return _ratio((tables * weights).sum(axis=(-2, -1)), tables.sum(axis=(-2, -1)))


def weighted_kappa(tables: Array, weights: Array) -> Array:
    """Cohen's kappa with weights of agreement; `identity` gives the unweighted one.

    NaN where both raters give one and the same value, which makes chance agreement complete.

    Tables (..., k, k), first rater by second, and weights of agreement (k, k), to values (...).

    Source:
        Cohen (1960), Educ. Psychol. Meas. 20:37-46; Cohen (1968).
    """
    rows, columns, n = _margins(tables)
    distance = 1.0 - weights
    # Ratio of disagreements instead of (po - pe) / (1 - pe): nothing cancels where agreement is high.
    expected = ((rows @ distance) * columns).sum(axis=-1)
    return np.asarray(1.0 - _ratio((tables * distance).sum(axis=(-2, -1)) * n, expected))


def scott_pi(tables: Array) -> Array:
    """Scott's pi: kappa with the two raters' pooled shares as chance. NaN where both give one and the same value.

    Tables (..., k, k), first rater by second, to values (...).

    Source:
        Scott (1955), Public Opin. Q. 19:321-325.
    """
    rows, columns, n = _margins(tables)
    pooled = (rows + columns) / 2
    disagreement = n - np.trace(tables, axis1=-2, axis2=-1)
    expected = n**2 - (pooled**2).sum(axis=-1)
    one_value = (pooled > 0).sum(axis=-1) < 2  # n^2 - n^2 need not be 0 exactly where the table holds shares
    return np.asarray(1.0 - _ratio(disagreement * n, np.where(one_value, 0.0, expected)))


def gwet_ac(tables: Array, weights: Array) -> Array:
    """Gwet's AC1 (`identity`) or AC2: chance agreement is what raters who guess at hard items would reach.

    Its value depends on the declared scale. It is no substitute for kappa: the verbal bands do not carry over (Vach
    and Gerke 2023). The formula gives 1 where both raters give one and the same value; `intervals` reports that as
    undefined, because such ratings say nothing about the raters.

    Tables (..., k, k), first rater by second, and weights of agreement (k, k), to values (...).

    Source:
        Gwet (2008), Br. J. Math. Stat. Psychol. 61:29-48; Gwet (2014), chapters 2 to 4.
    """
    rows, columns, n = _margins(tables)
    k = tables.shape[-1]
    share = _ratio((rows + columns) / 2, n[..., None])
    chance = weights.sum() / (k * (k - 1)) * (share * (1.0 - share)).sum(axis=-1)
    return _ratio(observed_agreement(tables, weights) - chance, 1.0 - chance)


def pabak(tables: Array) -> Array:
    """Prevalence- and bias-adjusted kappa: chance is 1/k whatever the raters use; 2 po - 1 on two points.

    Tables (..., k, k), first rater by second, to values (...); NaN for an empty table.

    Source:
        Byrt, Bishop and Carlin (1993), J. Clin. Epidemiol. 46:423-429; on k points, S of Bennett, Alpert and Goldstein
        (1954).
    """
    k = tables.shape[-1]
    return np.asarray((k * observed_agreement(tables, np.eye(k)) - 1.0) / (k - 1))


def _margins(tables: Array) -> tuple[Array, Array, Array]:
    rows = tables.sum(axis=-1)
    return rows, tables.sum(axis=-2), np.asarray(rows.sum(axis=-1))


def _ratio(top: Array, bottom: Array) -> Array:
    """Quotient, NaN where the lower part is 0."""
    bottom = np.broadcast_to(np.asarray(bottom, dtype=float), np.shape(top))
    return np.asarray(np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom != 0))

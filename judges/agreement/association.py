"""Association and distance of two raters on confusion tables: correlations, mean absolute error, signed bias.

Like `weighted`: one table (k, k) or a stack (..., k, k), rows the person's values, columns the judge's; one value a
table, NaN where it is undefined. A table holds all that these figures need, ties included, so they are exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from judges.agreement.weighted import Array


def pearson(tables: Array, points: Sequence[float]) -> Array:
    """Pearson's correlation of the two raters' values; NaN where either rater gives one value throughout.

    Tables (..., k, k), person by judge, to values (...); `points` are the k declared ones.

    Source:
        Pearson (1895), Proc. R. Soc. Lond. 58:240-242.
    """
    values = np.asarray(points, dtype=float)
    return _correlation(tables, values, values)


def spearman(tables: Array) -> Array:
    """Spearman's rank correlation, ties at their mid-rank; NaN where either rater is constant.

    Tables (..., k, k), person by judge, to values (...).

    Source:
        Spearman (1904), Am. J. Psychol. 15:72-101.
    """
    rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    return _correlation(tables, np.cumsum(rows, axis=-1) - rows / 2, np.cumsum(columns, axis=-1) - columns / 2)


def kendall(tables: Array) -> Array:
    """Kendall's tau-b, corrected for ties; NaN where either rater is constant.

    Tables (..., k, k), person by judge, to values (...).

    Source:
        Kendall (1945), Biometrika 33:239-251.
    """
    rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    n = rows.sum(axis=-1)
    # Mass strictly above in both, and above in one while below in the other: padded cumulative sums from the far end.
    above = np.cumsum(tables[..., ::-1, :], axis=-2)[..., ::-1, :]
    above = np.concatenate([above[..., 1:, :], np.zeros_like(above[..., :1, :])], axis=-2)
    right = np.cumsum(above[..., ::-1], axis=-1)[..., ::-1] - above
    left = np.cumsum(above, axis=-1) - above
    surplus = (tables * (right - left)).sum(axis=(-2, -1))
    untied = [(n**2 - (m**2).sum(axis=-1)) / 2 for m in (rows, columns)]
    return _over_root(surplus, untied[0], untied[1], np.logical_and(_varied(rows), _varied(columns)))


def mean_absolute_error(tables: Array, points: Sequence[float]) -> Array:
    """Mean distance between the two values, in points of the scale; NaN for an empty table.

    Tables (..., k, k), person by judge, to values (...); `points` are the k declared ones.
    """
    values = np.asarray(points, dtype=float)
    return _mean(tables, np.abs(values[:, None] - values[None, :]))


def signed_bias(tables: Array, points: Sequence[float]) -> Array:
    """Mean of judge - person, in points of the scale; above 0 the judge is the more generous.

    Tables (..., k, k), person by judge, to values (...); NaN for an empty table. `points` are the k declared ones.
    """
    values = np.asarray(points, dtype=float)
    return _mean(tables, values[None, :] - values[:, None])


def _correlation(tables: Array, x: Array, y: Array) -> Array:
    """Correlation of scores x of the rows (..., k) and y of the columns; centred first, so that little is lost."""
    rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    n = rows.sum(axis=-1, keepdims=True)
    safe = np.where(n > 0, n, 1.0)
    x = x - (rows * x).sum(axis=-1, keepdims=True) / safe
    y = y - (columns * y).sum(axis=-1, keepdims=True) / safe
    joint = (x[..., :, None] * tables * y[..., None, :]).sum(axis=(-2, -1))
    varied = np.logical_and(_varied(rows), _varied(columns))
    return _over_root(joint, (rows * x**2).sum(axis=-1), (columns * y**2).sum(axis=-1), varied)


def _over_root(top: Array, a: Array, b: Array, where: Array) -> Array:
    """Top over the root of a times b, held within [-1, 1], NaN elsewhere."""
    # Two roots: the product of two tiny variances would underflow.
    root = np.sqrt(np.maximum(a, 0.0)) * np.sqrt(np.maximum(b, 0.0))
    out = np.full(np.shape(top), np.nan)
    np.divide(top, root, out=out, where=np.asarray(where, dtype=bool) & (root > 0))
    return np.asarray(np.clip(out, -1.0, 1.0))


def _varied(margin: Array) -> Array:
    return np.asarray((margin > 0).sum(axis=-1) >= 2)


def _mean(tables: Array, costs: Array) -> Array:
    n = np.asarray(tables.sum(axis=(-2, -1)))
    return np.asarray(np.divide((tables * costs).sum(axis=(-2, -1)), n, out=np.full(np.shape(n), np.nan), where=n > 0))

"""Two raters on Yes and No: indices of prevalence and bias, agreement by answer, sensitivity, McNemar's test.

Tables are (2, 2) or stacks (..., 2, 2): rows the person's No and Yes, columns the judge's. One value a table, NaN
where it is undefined.
"""

from __future__ import annotations

import numpy as np
from scipy.special import bdtr

from judges.agreement.weighted import Array
from judges.stats import Estimate, proportion_estimate


def prevalence_index(tables: Array) -> Array:
    """Share of items that both call Yes less the share that both call No; near -1 or 1 kappa is held down.

    Tables (..., 2, 2), person by judge, to values (...); NaN for an empty table.

    Source:
        Byrt, Bishop and Carlin (1993), J. Clin. Epidemiol. 46:423-429.
    """
    return _over(tables[..., 1, 1] - tables[..., 0, 0], _n(tables))


def bias_index(tables: Array) -> Array:
    """Share of Yes by the judge less that by the person.

    Tables (..., 2, 2), person by judge, to values (...); NaN for an empty table.

    Source:
        Byrt, Bishop and Carlin (1993), J. Clin. Epidemiol. 46:423-429.
    """
    return _over(tables[..., 0, 1] - tables[..., 1, 0], _n(tables))


def positive_agreement(tables: Array) -> Array:
    """Of the Yes that either gives, the share that the other gives too; NaN where neither says Yes.

    Tables (..., 2, 2), person by judge, to values (...).

    Source:
        Cicchetti and Feinstein (1990), J. Clin. Epidemiol. 43:551-558.
    """
    return _by_answer(tables, 1)


def negative_agreement(tables: Array) -> Array:
    """The same of No; NaN where neither says No.

    Tables (..., 2, 2), person by judge, to values (...).

    Source:
        Cicchetti and Feinstein (1990), J. Clin. Epidemiol. 43:551-558.
    """
    return _by_answer(tables, 0)


def sensitivity(table: Array, level: float = 0.95) -> Estimate:
    """Share of the person's Yes that the judge finds, Wilson interval. Counts (2, 2), person by judge."""
    return _found(table, 1, level)


def specificity(table: Array, level: float = 0.95) -> Estimate:
    """Share of the person's No that the judge finds, Wilson interval. Counts (2, 2), person by judge."""
    return _found(table, 0, level)


def mcnemar_mid_p(only_first: int, only_second: int) -> float | None:
    """Exact McNemar test, mid-p, two-sided: do two judges err equally often on the same items?

    Args:
        only_first: Items that only the first judge gets right.
        only_second: Items that only the second judge gets right.

    Returns:
        The p-value; None where there is no such item, which leaves nothing to test.

    Source:
        Fagerland, Lydersen and Laake (2013), BMC Med. Res. Methodol. 13:91.
    """
    n, k = only_first + only_second, min(only_first, only_second)
    if n == 0:
        return None
    # 2 P(X <= k) - P(X = k), as a sum of two tails, in which nothing cancels.
    below = float(bdtr(k - 1, n, 0.5)) if k > 0 else 0.0
    return min(1.0, float(bdtr(k, n, 0.5)) + below)


def _found(table: Array, answer: int, level: float) -> Estimate:
    n, hits = int(table[answer].sum()), int(table[answer, answer])
    if n == 0:
        word = "Yes" if answer else "No"
        return Estimate.undefined(f"not estimable: no item that the person calls {word}; label some that are")
    return proportion_estimate([1.0] * hits + [0.0] * (n - hits), n, level)


def _by_answer(tables: Array, answer: int) -> Array:
    both = 2 * tables[..., answer, answer]
    return _over(both, both + tables[..., 0, 1] + tables[..., 1, 0])


def _n(tables: Array) -> Array:
    return np.asarray(tables.sum(axis=(-2, -1)))


def _over(top: Array, bottom: Array) -> Array:
    return np.asarray(np.divide(top, bottom, out=np.full(np.shape(bottom), np.nan), where=np.asarray(bottom) > 0))

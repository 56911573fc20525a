"""Corrections for testing many hypotheses at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p values that hold the chance of any false rejection in the family, under any dependence.

    Args:
        p_values: One a hypothesis.

    Returns:
        Adjusted values in the same order; reject where one is at or below the size of the family.

    Raises:
        ValueError: A value that is no probability.

    Source:
        Holm (1979), Scand. J. Stat. 6:65-70.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        (0.03, 0.06, 0.06)
    """
    p = _probabilities(p_values)
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)))
    made = np.empty(p.size)
    made[order] = steps
    return tuple(float(v) for v in made)


def benjamini_hochberg(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p values that hold the expected share of false rejections, for independent or positively related tests.

    Args:
        p_values: One a hypothesis.

    Returns:
        Adjusted values in the same order.

    Raises:
        ValueError: A value that is no probability.

    Source:
        Benjamini and Hochberg (1995), J. R. Stat. Soc. B 57:289-300.
    """
    p = _probabilities(p_values)
    order = np.argsort(-p, kind="stable")
    steps = np.minimum.accumulate(p[order] * p.size / np.arange(p.size, 0, -1)) if p.size else p
    made = np.empty(p.size)
    made[order] = np.minimum(1.0, steps)
    return tuple(float(v) for v in made)


def _probabilities(p_values: Sequence[float]) -> npt.NDArray[np.float64]:
    p = np.asarray(p_values, dtype=float)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a p value outside 0 to 1: leave tests without one out of the family")
    return p

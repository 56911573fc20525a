"""The difference of two proportions on the same items."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Array = npt.NDArray[np.float64]
STEPS: Final = 55
"""Halvings of a stretch of length 2 at the most: what is left is below rounding."""


def paired_proportions(
    gained: npt.ArrayLike, lost: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.95
) -> tuple[Array, Array]:
    """Score interval of the difference of two proportions that are measured on the same items.

    All differences that the score test does not reject. It has a width where no item changed, stays within -1 and 1,
    and holds what it promises where a t interval of so few changes does not (docs/coverage-comparisons.md).

    Args:
        gained: Items that are 1 in the other run only; a number or an array (...).
        lost: Items that are 1 in the baseline only; the same shape.
        n: Items, at least 1; the same shape or one number.
        level: Confidence level.

    Returns:
        Lower and upper ends of other - baseline, (...) each: the broadcast shape.

    Source:
        Tango (1998), Stat. Med. 17:891-908.

    Example:
        >>> [round(float(end), 4) for end in paired_proportions(12, 2, 50)]
        [0.0611, 0.3447]
    """
    b, c, size = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (gained, lost, n)))
    square = float(ndtri(0.5 + level / 2)) ** 2
    point = (b - c) / size

    def rejected(delta: Array) -> npt.NDArray[np.bool_]:
        # q: the likeliest share of lost items if the difference were `delta`.
        across = (2 * size - b + c) * delta - b - c
        root = np.sqrt(np.maximum(0.0, across**2 + 8 * size * c * delta * (1 - delta)))
        q = (root - across) / (4 * size)
        far: npt.NDArray[np.bool_] = (b - c - size * delta) ** 2 > square * size * np.maximum(
            0.0, 2 * q + delta * (1 - delta)
        )
        return far

    ends = []
    for edge in (-1.0, 1.0):
        inside, outside = point.copy(), np.full_like(point, edge)
        for _ in range(STEPS):
            middle = (inside + outside) / 2
            beyond = rejected(middle)
            inside, outside = np.where(beyond, inside, middle), np.where(beyond, middle, outside)
        ends.append(np.where(point == edge, edge, inside))
    return ends[0], ends[1]

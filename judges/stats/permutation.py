"""Tests of paired differences that ask for no distribution."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, stdtr

from judges.stats.intervals import ROUNDING

Array = npt.NDArray[np.float64]
EXACT_STEPS: Final = 4000
"""Largest sum of absolute differences, in their common step, whose sign-flip distribution is worked out exactly."""


def sign_flip(differences: Array) -> tuple[float, str]:
    """Two-sided p value of differences that are symmetric about 0, and the name of the test.

    Exact over all 2^n flips of signs, counted by convolution, where the differences are multiples of 1/4 (scores,
    half points of medians) and not too many; otherwise Student's paired t.

    Args:
        differences: Differences, (items), none missing.

    Source:
        Fisher (1935), The Design of Experiments, sec. 21; Pitman (1937), Suppl. J. R. Stat. Soc. 4:119-130.
    """
    quarters = np.abs(np.asarray(differences, dtype=float)) * 4
    if not (np.abs(quarters - np.round(quarters)) < 1e-9).all() or not quarters.any():
        return (1.0, "sign-flip permutation, exact") if not quarters.any() else _t_test(differences)
    whole = np.round(np.asarray(differences) * 4).astype(np.int64)
    whole = whole[whole != 0] // np.gcd.reduce(whole)
    if int(np.abs(whole).sum()) > EXACT_STEPS:
        return _t_test(differences)
    # chance[s]: of s = the sum of those kept positive; the signed sum is 2s - all.
    chance = np.ones(1)
    for size, count in zip(*np.unique(np.abs(whole), return_counts=True), strict=True):
        kept = np.zeros(int(size * count) + 1)
        steps = np.arange(count + 1)
        kept[:: int(size)] = np.exp(
            gammaln(count + 1) - gammaln(steps + 1) - gammaln(count - steps + 1) - count * math.log(2)
        )
        chance = np.convolve(chance, kept)
    sums = 2 * np.arange(chance.size) - int(np.abs(whole).sum())
    return min(1.0, float(chance[np.abs(sums) >= abs(int(whole.sum()))].sum())), "sign-flip permutation, exact"


def _t_test(differences: Array) -> tuple[float, str]:
    d = np.asarray(differences, dtype=float)
    if np.ptp(d) <= ROUNDING * max(1.0, float(np.abs(d).max())):
        # All equal and not 0: flipping every sign is the only flip as extreme as what was seen.
        return min(1.0, 2.0 ** (1 - d.size)), "sign-flip permutation, exact"
    t = abs(float(d.mean())) / (float(d.std(ddof=1)) / math.sqrt(d.size))
    return 2 * float(stdtr(d.size - 1, -t)), "paired t"

"""What needs no simulation: all outcomes of counts, each with its chance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from scipy.special import stdtrit
from scipy.stats import binom, multinomial

from bench.study.comparisons.cells import Cell
from bench.study.comparisons.populations import SIZES
from judges.stats import proportion_estimate
from judges.stats.paired import paired_test
from judges.stats.proportions import paired_proportions

SHARES: Final = (0.002, 0.005, *(round(0.01 * i, 2) for i in range(1, 51)))
CHANGES: Final = (
    (0.01, 0.005), (0.02, 0.02), (0.05, 0.0), (0.05, 0.01), (0.1, 0.02), (0.1, 0.1), (0.2, 0.2), (0.3, 0.1),
    (0.35, 0.05), (0.6, 0.02), (0.9, 0.02),
)  # fmt: skip
"""Shares of the items that are 1 in the other run only, and in the baseline only."""
DISCORDANT: Final = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)


def wilson_cells() -> Iterator[Cell]:
    """The interval of a share, over all counts."""
    for n in SIZES:
        found = [proportion_estimate([1.0] * k + [0.0] * (n - k)) for k in range(n + 1)]
        low, high = (np.array([getattr(e, end) for e in found], dtype=float) for end in ("low", "high"))
        for p in SHARES:
            chance = binom.pmf(np.arange(n + 1), n, p)
            held = float(chance[(low <= p + 1e-12) & (high >= p - 1e-12)].sum())
            width = float(chance @ (high - low))
            yield Cell("share of one run", "Wilson", f"p = {p:g}", n, "coverage", 0.95, held, 0, 0.0, width)


def paired_cells() -> Iterator[Cell]:
    """The difference of two shares on the same items, over all pairs of counts; the paired t beside it."""
    for n in SIZES:
        gained, lost = (v.ravel() for v in np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij"))
        gained, lost = gained[gained + lost <= n], lost[gained + lost <= n]
        mean = (gained - lost) / n
        half = stdtrit(n - 1, 0.975) * np.sqrt(np.maximum(0.0, (gained + lost) / n - mean**2) / (n - 1))
        ends = {"paired score (Tango)": paired_proportions(gained, lost, n), "paired t": (mean - half, mean + half)}
        for up, down in CHANGES:
            counts = np.stack([gained, lost, n - gained - lost], axis=1)
            chance = np.asarray(multinomial.pmf(counts, n, [up, down, 1 - up - down]))
            for method, (low, high) in ends.items():
                # The paired t gave no interval where all items agree.
                given = high > low if method == "paired t" else np.ones(low.shape, dtype=bool)
                whole = float(chance[given].sum())
                held = given & (low <= up - down + 1e-12) & (high >= up - down - 1e-12)
                yield Cell(
                    "difference of two shares", method, f"{up:g} gained, {down:g} lost", n, "coverage", 0.95,
                    float(chance[held].sum()) / whole, 0, max(0.0, 1 - whole),
                    float(chance[given] @ (high - low)[given]) / whole, method != "paired t",
                )  # fmt: skip


def mcnemar_cells() -> Iterator[Cell]:
    """How often McNemar's exact test finds a difference where there is none."""
    for n in SIZES:
        wrong = np.zeros(n + 1)
        for m in range(1, n + 1):
            # The p value rises with `up`, so the first that is not below .05 ends the rejected ones.
            first, last = 0, m // 2 + 1
            while first < last:
                up = (first + last) // 2
                p, _ = paired_test([0.0] * up + [1.0] * (m - up), [1.0] * up + [0.0] * (m - up))
                first, last = (up + 1, last) if p is not None and p < 0.05 else (first, up)
            wrong[m] = 2 * float(binom.cdf(first - 1, m, 0.5))
        for share in DISCORDANT:
            found = float(binom.pmf(np.arange(n + 1), n, share) @ wrong)
            yield Cell("test of two shares", "McNemar, exact", f"{share:g} of the items change", n, "error", 0.05,
                       found, 0, 0.0, math.nan)  # fmt: skip

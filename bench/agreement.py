"""Bootstrap of 64 alphas: 4 criteria x (panel of 6 raters + 15 pairs), 10,000 items, 2,000 replicates each.

Prints seconds and the ratio to the naive loop, which calls the package `krippendorff` once a replicate. The loop is
timed on a stated share of the replicates and scaled, because all of it takes the better part of an hour. The ratio is
of processor seconds, all threads together, so that a busy machine does not change it; elapsed seconds stand beside.
Then the whole report on the same ratings, which nothing else computes.

    python bench/agreement.py [--missing 0.1]
"""

from __future__ import annotations

import argparse
import time
from itertools import combinations

import krippendorff
import numpy as np

from bench.table import Row
from judges.agreement.alpha import bootstrap_alphas
from judges.agreement.criterion import RaterValues
from judges.agreement.criterion_report import criterion_report

RATERS, ITEMS, REPLICATES, SHARE = 6, 10_000, 2000, 0.001
CRITERIA = (("nominal", 2), ("ordinal", 5), ("nominal", 2), ("ordinal", 5))
Study = list[tuple[str, list[float], np.ndarray]]


def study(missing: float, seed: int = 0) -> Study:
    """Level, scale and ratings (raters, items) of each criterion: a common truth and 30 % of the ratings by chance."""
    rng = np.random.default_rng(seed)
    made: Study = []
    for level, k in CRITERIA:
        truth = rng.integers(0, k, ITEMS)
        data = np.where(rng.random((RATERS, ITEMS)) < 0.7, truth, rng.integers(0, k, (RATERS, ITEMS))).astype(float)
        data[rng.random(data.shape) < missing] = np.nan
        made.append((level, [float(v) for v in range(k)], data))
    return made


def groups() -> list[list[int]]:
    """The panel and its pairs, by row number."""
    return [list(range(RATERS))] + [list(pair) for pair in combinations(range(RATERS), 2)]


def clocks() -> np.ndarray:
    """Elapsed and processor seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def ours(made: Study) -> np.ndarray:
    """Seconds for all 64 bootstraps, elapsed and of the processor."""
    start = clocks()
    for level, scale, data in made:
        for rows in groups():
            bootstrap_alphas(data[rows], scale, level, replicates=REPLICATES, seed=1)  # type: ignore[arg-type]
    return clocks() - start


def naive(made: Study) -> np.ndarray:
    """Seconds that the loop would take, scaled from SHARE of the replicates of each of the 64."""
    rng, timed = np.random.default_rng(2), round(REPLICATES * SHARE)
    start = clocks()
    for level, scale, data in made:
        for rows in groups():
            for _ in range(timed):
                drawn = data[rows][:, rng.integers(0, ITEMS, ITEMS)]
                krippendorff.alpha(reliability_data=drawn, value_domain=scale, level_of_measurement=level)
    return (clocks() - start) * REPLICATES / timed


def whole(made: Study) -> np.ndarray:
    """Seconds for the whole report: every criterion, one person and five judges, null judges with lengths."""
    lengths = [float(v) for v in np.random.default_rng(3).integers(20, 500, ITEMS)]
    start = clocks()
    for level, scale, data in made:
        rows = [tuple(None if np.isnan(v) else float(v) for v in row) for row in data]
        raters = [RaterValues(f"rater {i}", "judge" if i else "person", row) for i, row in enumerate(rows)]
        criterion_report(raters, scale, "binary" if level == "nominal" else "ordinal", lengths=lengths)
    return clocks() - start


def rows(missing: float = 0.1) -> list[Row]:
    """Run, print, and tell what was found."""
    made = study(missing)
    fast = np.min([ours(made) for _ in range(3)], axis=0)
    slow = naive(made)
    print(f"64 alphas x {REPLICATES} replicates, {ITEMS} items, {RATERS} raters")
    print(f"ours   {fast[0]:9.2f} s elapsed {fast[1]:9.2f} s processor (best of 3)")
    print(f"naive  {slow[0]:9.0f} s elapsed {slow[1]:9.0f} s processor (scaled from {SHARE:.1%} of the replicates)")
    print(f"ratio  {slow[1] / fast[1]:9.0f} of processor seconds")
    report = whole(made)
    print(f"report {report[0]:9.2f} s elapsed {report[1]:9.2f} s processor: all figures of 4 criteria, 15 pairs each")
    return [
        Row(
            f"Intervals of 64 alphas, {REPLICATES} replicates each, {ITEMS:,} items, {RATERS} raters",
            f"{fast[1]:.2f} s of processor",
            f"a loop over `krippendorff`, {slow[1]:,.0f} s (scaled from {SHARE:.1%})",
            f"{slow[1] / fast[1]:,.0f} times",
        )
    ]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--missing", type=float, default=0.1, help="share of ratings missing")
    rows(parser.parse_args().missing)


if __name__ == "__main__":
    main()

"""All checks over processes."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from bench.study.comparisons import decisions, exact, means
from bench.study.comparisons.cells import Cell
from bench.study.comparisons.populations import SIZES

Task = Callable[[], Iterator[Cell]]
RESAMPLED: Final = 4
"""Studies with a bootstrap inside are fewer by this factor."""


def tasks(studies: int) -> list[Task]:
    """Every check, the long ones first.

    Args:
        studies: Studies a cell, where no resampling is inside.
    """
    few = max(1, studies // RESAMPLED)
    made: list[Task] = [partial(means.cluster_cells, g, 1, few) for g in (455, 100, 50, 20)]
    made += [partial(means.relative_cells, n, few) for n in (455, 100, 50, 20)]
    made += [partial(means.tail_cells, n, few) for n in (455, 100)]
    made += [partial(means.cluster_cells, g, means.PER_GROUP, few) for g in reversed(means.GROUPS)]
    made += [partial(decisions.rank_cells, r, n, few) for r in (20, 5) for n in (455, 100, 50)]
    made += [partial(decisions.family_cells, n, few) for n in (90, 20)]
    made += [exact.mcnemar_cells, exact.paired_cells, exact.wilson_cells]
    made += [partial(means.strata_cells, n, few) for n in (450, 100)]
    made += [partial(check, n, studies) for n in reversed(SIZES) for check in (
        means.difference_cells, decisions.margin_cells, decisions.size_cells, means.mean_cells,
    )]  # fmt: skip
    made += [partial(means.worst_case_cells, n, few) for n in (20, 100)]
    made += [partial(means.judge_cells, k, studies) for k in (2, 3, 5, 8, 15)]
    return made


def run(studies: int, processes: int) -> list[Cell]:
    """Every cell, in the order of the table; what comes out does not depend on `processes`."""
    # One thread each: the matrices are small, and the processes share the processors.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    start, todo, found = time.monotonic(), tasks(studies), []
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for done, cells in enumerate(pool.imap_unordered(_cells, todo), 1):
            found += cells
            print(f"\r{done} of {len(todo)} checks, {time.monotonic() - start:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)
    return sorted(found, key=lambda c: (c.kind, c.figure, not c.used, c.method, c.n, c.scenario))


def _cells(task: Task) -> list[Cell]:
    return list(task())

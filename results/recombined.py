"""The panel without one of its judges: values combined anew by the panel's rules, and what that does to the order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from judges.stats.ranks import Rank, kendall_tau_b, rank_runs
from results.combined import combined
from results.cube import MISSING, UNDEFINED
from results.grid import Grid
from results.judging import Values, Verdicts
from results.manifest import Manifest
from results.measure import kind_of
from results.overview import MAX_RANKED
from results.schema import PANEL_RATER

KINDS: Final = ("model", "published", "reference")
"""Runs of one kind are ranked with each other: models where there are two, else imported runs, else policies."""


@dataclass(frozen=True)
class LeftOut:
    """The order without one judge.

    Attributes:
        judge: The judge left out.
        means: Mean of each run; None where it has none.
        ranks: Rank of each run, 1 the best, equal means sharing the better one.
        tau: Kendall's tau-b with the order by all judges; None where one of them is all ties.
    """

    judge: str
    means: tuple[float | None, ...]
    ranks: tuple[int | None, ...]
    tau: float | None


@dataclass(frozen=True)
class LeaveOneOut:
    """The order of runs on one criterion by all judges, and without each.

    Attributes:
        runs: The runs, best first.
        means: Mean of each by all judges.
        ranks: Rank of each by all judges.
        intervals: Rank intervals by all judges; empty where there are too many runs, or too few common items.
        left: The order without each judge.
        common: Items that every figure rests on; 0 where each run rests on its own items.
        same: Share of the panel's recorded values that combining all judges anew gives; None where there are none.
        higher_is_better: Direction of the criterion.
    """

    runs: tuple[Manifest, ...]
    means: tuple[float | None, ...]
    ranks: tuple[int | None, ...]
    intervals: tuple[Rank, ...]
    left: tuple[LeftOut, ...]
    common: int
    same: float | None
    higher_is_better: bool

    def moves(self, at: int) -> int:
        """Most ranks that one run moves when a judge is left out."""
        own = self.ranks[at]
        others = [x.ranks[at] for x in self.left]
        return max((abs(r - own) for r in others if r is not None), default=0) if own is not None else 0

    def outside(self, at: int) -> bool:
        """Whether leaving a judge out takes a run beyond the interval of its rank by all judges."""
        if not self.intervals:
            return False
        e = self.intervals[at]
        return any(r is not None and not e.low <= r <= e.high for r in (x.ranks[at] for x in self.left))


def leave_one_out(found: Verdicts, grid: Grid) -> LeaveOneOut | None:
    """The order of the runs by all judges and without each; None with one judge, or fewer than two runs of a kind.

    Figures rest on the items that every run has in every order, where these are half of the items or more; else each
    run's on its own.

    Args:
        found: Verdicts of the judges.
        grid: The grid that they are of.
    """
    kinds = [m.kind for m in grid.runs]
    chosen = next((k for k in KINDS if kinds.count(k) > 1), None)
    if len(found.judges) < 2 or chosen is None:
        return None
    of = [i for i, k in enumerate(kinds) if k == chosen]
    every = combined(found.values, found.points, found.kind)
    same = _same(every, grid, found.criterion)
    some = slice(None) if len(of) == len(kinds) else of
    versions = [_items(every[some], found)]
    del every
    own = found.values[:, some]
    for at in range(len(found.judges)):
        versions.append(_items(combined(np.delete(own, at, axis=0), found.points, found.kind), found))
    due = int(found.due[of].any(axis=(0, 2)).sum())
    common = ~np.logical_or.reduce([np.isnan(v).any(axis=0) for v in versions])
    if 2 * common.sum() >= due and common.any():
        versions = [v[:, common] for v in versions]
    else:
        common = np.zeros(0, bool)
    better = kind_of(grid.runs[0], found.criterion).higher_is_better
    means = [_means(v) for v in versions]
    ranks = [_ranks(m, better) for m in means]
    full = np.where(np.isnan(means[0]), np.inf, -means[0] if better else means[0])
    order = np.lexsort((np.arange(len(of)), full))
    intervals = rank_runs(versions[0].tolist(), better) if common.any() and len(of) <= MAX_RANKED else None
    known = [~np.isnan(m) & ~np.isnan(means[0]) for m in means]
    return LeaveOneOut(
        runs=tuple(grid.runs[of[i]] for i in order),
        means=tuple(_number(means[0][i]) for i in order),
        ranks=tuple(ranks[0][i] for i in order),
        intervals=tuple(intervals[i] for i in order) if intervals else (),
        left=tuple(
            LeftOut(
                judge, tuple(_number(m[i]) for i in order), tuple(r[i] for i in order),
                kendall_tau_b(np.round(means[0][k], 12), np.round(m[k], 12)) if k.sum() > 1 else None,
            )
            for judge, m, r, k in zip(found.judges, means[1:], ranks[1:], known[1:], strict=True)
        ),
        common=int(common.sum()),
        same=same,
        higher_is_better=better,
    )  # fmt: skip


def _same(every: Values, grid: Grid, criterion: str) -> float | None:
    """Share of recorded panel values, and of those lacking, that are found again."""
    cube = grid.cube
    half = cube.verdicts[:, :, cube.raters.index(PANEL_RATER), cube.criteria.index(criterion)]
    raw = np.where((half == MISSING) | (half == UNDEFINED), np.nan, half / 2.0)
    own = every.reshape(raw.shape)
    some = ~np.isnan(own) | ~np.isnan(raw)
    return float(((own == raw) & some).sum() / some.sum()) if some.any() else None


def _items(values: Values, found: Verdicts) -> Values:
    """Mean over epochs of the figure, (runs, items); NaN where there is none."""
    if found.best is not None:
        values = np.where(np.isnan(values), np.nan, values == found.best)
    known = ~np.isnan(values)
    count = known.sum(axis=2)
    return np.asarray(np.where(count > 0, np.where(known, values, 0.0).sum(axis=2) / np.maximum(count, 1), np.nan))


def _means(values: Values) -> npt.NDArray[np.float64]:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    return np.asarray(np.where(count > 0, np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan))


def _ranks(means: Values, higher_is_better: bool) -> list[int | None]:
    """1 + runs that are better; None where there is no mean."""
    sign = 1.0 if higher_is_better else -1.0
    scores = np.where(np.isnan(means), -np.inf, sign * means)
    better = (scores[None, :] > scores[:, None] + 1e-12).sum(axis=1)
    return [None if np.isnan(m) else int(1 + b) for m, b in zip(means, better, strict=True)]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

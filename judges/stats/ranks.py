"""Ranks of several runs on the same items: how far the data order them at all, and whether the weights decide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from judges.stats.cluster import weights
from judges.stats.families import holm
from judges.stats.intervals import ROUNDING
from judges.stats.permutation import sign_flip

Array = npt.NDArray[np.float64]
RESAMPLES: Final = 2000
WEIGHTS: Final = 10_000


@dataclass(frozen=True)
class Rank:
    """One run among several.

    Attributes:
        mean: Its mean over the common items.
        rank: Its rank, 1 the best; runs with equal means share the better one.
        low: Best rank that the data allow.
        high: Worst rank that they allow.
        best: Share of resamples in which it is best, ties shared out.
        tied: Whether its difference from the run in front is not shown (Holm over all others).
    """

    mean: float
    rank: int
    low: int
    high: int
    best: float
    tied: bool


def rank_runs(
    values: Sequence[Sequence[float]],
    higher_is_better: bool = True,
    *,
    seed: int = 0,
    level: float = 0.95,
    size: float = 0.05,
) -> tuple[Rank, ...]:
    """Ranks with intervals, on items that every run has.

    A rank's interval leaves out the ranks that are lost to runs shown to be better or worse: paired t tests of one run
    with each of the others, Holm over them. It holds every rank that ties allow with the stated chance, which ranks
    of resampled means do not: where runs are level these follow the luck of the sample (docs/coverage-comparisons.md).
    `best` comes from items resampled together for all runs. A run is tied with the one in front where a two-sided
    sign-flip test of their difference, Holm over all others, is not below `size`.

    Args:
        values: One row a run, one value an item, the same items in the same order.
        higher_is_better: Direction of the measure.
        seed: Seed of the resamples behind `best`.
        level: Level of the rank intervals, one by one.
        size: Size of the family of tests.

    Source:
        Mogstad, Romano, Shaikh and Wilhelm (2024), Rev. Econ. Stud. 91:476-518, with Holm in place of the bootstrap.

    Raises:
        ValueError: Fewer than two runs, no common item, rows of different length, or a value that is no finite number.
    """
    if len(values) < 2 or len({len(row) for row in values}) > 1 or len(values[0]) == 0:
        raise ValueError("ranks need two runs or more on the same items")
    x = np.asarray(values, dtype=float) * (1.0 if higher_is_better else -1.0)
    if not np.isfinite(x).all():
        raise ValueError("a value that is no finite number: rank on the items that every run has")
    runs, n = x.shape
    means = x.mean(axis=1)
    drawn = np.concatenate([w @ x.T for w in weights(n, RESAMPLES, seed)]) / n
    own = _ranks(means[None])[0]
    low, high = _rank_intervals(x, 1 - level)
    top = np.isclose(drawn, drawn.max(axis=1, keepdims=True), rtol=0, atol=1e-12)
    best = (top / top.sum(axis=1, keepdims=True)).mean(axis=0)
    front = int(means.argmax())
    others = [i for i in range(runs) if i != front]
    tests = holm([sign_flip(np.where(np.abs(d := x[front] - x[i]) < 1e-12, 0.0, d))[0] for i in others])
    apart = {i for i, p in zip(others, tests, strict=True) if p < size}
    sign = 1.0 if higher_is_better else -1.0
    return tuple(
        Rank(
            mean=float(sign * means[i]),
            rank=int(own[i]),
            low=int(low[i]),
            high=int(high[i]),
            best=float(best[i]),
            tied=i not in apart,
        )
        for i in range(runs)
    )


def _rank_intervals(x: Array, size: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Best and worst rank of each run (runs, items), higher values better; 8 MB a matrix for 1,000 runs."""
    runs, n = x.shape
    if n < 2:
        return np.ones(runs, dtype=np.int64), np.full(runs, runs)
    centred = x - x.mean(axis=1, keepdims=True)
    products = centred @ centred.T / (n - 1)
    own = np.diag(products)
    apart = x.mean(axis=1)[:, None] - x.mean(axis=1)[None, :]
    variance = np.maximum(0.0, own[:, None] + own[None, :] - 2 * products) / n
    # All differences equal: turning every sign is the only flip as extreme, as in `sign_flip`.
    equal = variance * n <= (ROUNDING * np.maximum(1.0, np.abs(apart))) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(n - 1, -np.abs(apart) / np.sqrt(variance))
    p = np.where(equal, np.where(np.abs(apart) <= 1e-12, 1.0, min(1.0, 2.0 ** (1 - n))), p)
    np.fill_diagonal(p, 2.0)  # a run is not compared with itself: last in order, never below
    order = np.argsort(p, axis=1)
    steps = np.take_along_axis(p, order, axis=1) * np.maximum(1, np.arange(runs - 1, -1, -1))
    rejected = np.empty(p.shape, dtype=bool)
    np.put_along_axis(rejected, order, np.logical_and.accumulate(steps < size, axis=1), axis=1)
    return 1 + (rejected & (apart < 0)).sum(axis=1), runs - (rejected & (apart > 0)).sum(axis=1)


@dataclass(frozen=True)
class WeightSensitivity:
    """How much of an order hangs on the weights of its criteria.

    Attributes:
        same_order: Share of all weightings under which the order of equal weights stays as it is.
        same_best: Share under which the same run is best.
        best: By run, the share under which it is best, ties shared out.
    """

    same_order: float
    same_best: float
    best: tuple[float, ...]


def weight_sensitivity(means: Sequence[Sequence[float]], seed: int = 0) -> WeightSensitivity:
    """Shares of the simplex of weights that keep the order of equal weights.

    Weights are drawn uniformly from all that are 0 or more and sum to 1, so a share says how many readers with other
    priorities would see the same order, not how likely they are.

    Args:
        means: One row a run, one mean a criterion, each 0 to 1 with 1 best.
        seed: Seed of the draws.

    Raises:
        ValueError: Fewer than two runs or criteria, or rows of different length.
    """
    if len(means) < 2 or len({len(row) for row in means}) > 1 or len(means[0]) < 2:
        raise ValueError("a weighting needs two runs and two criteria or more")
    m = np.asarray(means, dtype=float)
    weights = np.random.default_rng(seed).dirichlet(np.ones(m.shape[1]), WEIGHTS)
    scores = weights @ m.T
    ranks, own = _ranks(scores), _ranks(m.mean(axis=1)[None])[0]
    top = np.isclose(scores, scores.max(axis=1, keepdims=True), rtol=0, atol=1e-12)
    share = (top / top.sum(axis=1, keepdims=True)).mean(axis=0)
    front = own == 1
    return WeightSensitivity(
        float((ranks == own).all(axis=1).mean()),
        float((ranks[:, front] == 1).all(axis=1).mean()),
        tuple(float(v) for v in share),
    )


def _ranks(scores: Array) -> npt.NDArray[np.int64]:
    """Ranks (draws, runs), 1 the best; equal scores share the better rank.

    By sorting: comparing every run with every other would take 2,000 x 1,000 x 1,000 cells for a large board.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    sorted_ = np.take_along_axis(scores, order, axis=1)
    places = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    new = np.ones(scores.shape, dtype=bool)
    new[:, 1:] = sorted_[:, :-1] - sorted_[:, 1:] > 1e-12
    ranks = np.empty(scores.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.maximum.accumulate(np.where(new, places, 0), axis=1) + 1, axis=1)
    return ranks


def kendall_tau_b(a: npt.ArrayLike, b: npt.ArrayLike) -> float | None:
    """Kendall's tau-b of two orders of the same things: 1 the same, -1 reversed; None where one of them is all ties.

    Args:
        a: A number each, (n), equal ones being ties.
        b: The same of the other order, (n).

    Source:
        Kendall (1945), Biometrika 33:239-251.
    """
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    i, j = np.triu_indices(x.size, 1)
    s, t = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
    apart = float((s != 0).sum()) * float((t != 0).sum())
    return float((s * t).sum()) / math.sqrt(apart) if apart else None

"""Rank intervals and weights: by hand, by simulation, by the exact area of a simplex."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from judges.stats.families import holm
from judges.stats.ranks import rank_runs, weight_sensitivity


def test_clear_runs_have_one_rank_and_equal_ones_are_tied() -> None:
    rng = np.random.default_rng(0)
    base = rng.random(120)
    worst, best = rank_runs([list(base * 0.2), list(base * 0.2 + 0.7)])
    assert (best.rank, best.low, best.high, best.tied) == (1, 1, 1, True) and best.best == 1.0
    assert (worst.rank, worst.low, worst.high, worst.tied) == (2, 2, 2, False) and worst.best == 0.0
    twins = rank_runs([list(base), list(base), list(base - 0.5)])
    assert [(r.rank, r.best, r.tied) for r in twins] == [(1, 0.5, True), (1, 0.5, True), (3, 0.0, False)]
    lower = rank_runs([list(base), list(base + 1)], higher_is_better=False)
    assert [r.rank for r in lower] == [1, 2] and lower[1].mean == pytest.approx(base.mean() + 1)


def test_rank_intervals_hold_the_true_rank() -> None:
    rng = np.random.default_rng(1)
    truth = np.array([0.5, 0.52, 0.6, 0.75])
    held, studies = np.zeros(4), 150
    for study in range(studies):
        hard = rng.normal(0, 0.15, 80)
        rows = [list(m + hard + rng.normal(0, 0.15, 80)) for m in truth]
        for i, r in enumerate(rank_runs(rows, seed=study)):
            held[i] += r.low <= 4 - i <= r.high
    assert (held / studies >= 0.9).all()


def test_a_false_lead_is_rare_among_equal_runs() -> None:
    rng = np.random.default_rng(2)
    apart = sum(any(not r.tied for r in rank_runs(list(rng.random((5, 60))), seed=s)) for s in range(120))
    assert apart <= 30, "the run in front is picked by its mean, so some excess over 5 % is there; it must stay small"


def test_rank_intervals_are_paired_tests_with_holm_by_scipy() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(0, 1, (7, 40)) + rng.normal(0, 1, 40) + np.array([0, 0, 0.3, 0.6, 0.6, 1, 2])[:, None]
    x[1] = x[0]
    for i, r in enumerate(rank_runs(list(x))):
        others = [k for k in range(7) if k != i]
        tests = [1.0 if {i, k} == {0, 1} else float(ttest_rel(x[i], x[k]).pvalue) for k in others]
        apart = [k for k, p in zip(others, holm(tests), strict=True) if p < 0.05]
        assert r.low == 1 + sum(x[k].mean() > x[i].mean() for k in apart)
        assert r.high == 7 - sum(x[k].mean() < x[i].mean() for k in apart)


def test_one_item_holds_all_ranks() -> None:
    assert [(r.rank, r.low, r.high) for r in rank_runs([[0.1], [0.5], [0.3]])] == [(3, 1, 3), (1, 1, 3), (2, 1, 3)]


def test_weights_by_the_area_of_the_simplex() -> None:
    # With two criteria run A is ahead where w < 2/3: w * 0.2 + (1 - w) * 0.6 > w * 0.4 + (1 - w) * 0.2.
    found = weight_sensitivity([[0.2, 0.6], [0.4, 0.2]])
    assert found.same_best == pytest.approx(2 / 3, abs=0.02) and found.same_order == found.same_best
    assert found.best == pytest.approx((2 / 3, 1 / 3), abs=0.02)
    dominated = weight_sensitivity([[0.9, 0.9, 0.9], [0.1, 0.2, 0.3]])
    assert (dominated.same_order, dominated.best) == (1.0, (1.0, 0.0))


@pytest.mark.parametrize("rows", [[[1.0, 2.0]], [[1.0], [1.0, 2.0]], [[], []]])
def test_what_cannot_be_ranked_is_refused(rows: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="two runs"):
        rank_runs(rows)
    with pytest.raises(ValueError, match="two runs"):
        weight_sensitivity(rows)
    with pytest.raises(ValueError, match="finite"):
        rank_runs([[1.0, float("nan")], [1.0, 2.0]])

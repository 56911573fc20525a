"""Paired comparisons beyond the mean: by hand, by brute force, by statsmodels and scipy."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import permutation_test
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.power import TTestPower

from judges.stats import Estimate, paired_difference
from judges.stats.paired import (
    TAILS,
    WinLoss,
    _passed,
    detectable_difference,
    items_needed,
    margin_verdict,
    paired_test,
    relative_change,
    tail_differences,
    win_loss,
)


def test_wins_ties_and_losses() -> None:
    assert win_loss([0.1, 0.2, 0.3, 0.3], [0.3, 0.2, 0.1, 0.1 + 0.2]) == WinLoss(1, 2, 1)
    assert win_loss([1.0, 2.0], [2.0, 3.0], higher_is_better=False) == WinLoss(0, 0, 2)
    with pytest.raises(ValueError, match="2 against 1"):
        win_loss([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="finite"):
        win_loss([math.nan], [1.0])


def test_binary_values_get_mcnemar_and_others_sign_flips() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        n = int(rng.integers(1, 60))
        x, y = (rng.integers(0, 2, n).astype(float) for _ in range(2))
        p, name = paired_test(list(x), list(y))
        table = [[((x == a) & (y == b)).sum() for b in (0, 1)] for a in (0, 1)]
        assert name == "McNemar, exact" and p == pytest.approx(float(mcnemar(table, exact=True).pvalue), abs=1e-12)
    for _ in range(30):
        n = int(rng.integers(2, 9))
        x, y = rng.integers(1, 6, n).astype(float), rng.integers(1, 6, n).astype(float)
        if set(x) | set(y) <= {0.0, 1.0}:
            continue
        d = y - x
        flips = [abs(sum(s * v for s, v in zip(signs, d, strict=True))) for signs in product((1, -1), repeat=n)]
        p, name = paired_test(list(x), list(y))
        assert name == "sign-flip permutation, exact" and p == pytest.approx(
            np.mean(np.array(flips) >= abs(d.sum()) - 1e-9)
        )
        theirs = permutation_test((d,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
        assert p == pytest.approx(theirs)
    assert paired_test([], []) == (None, "")


def test_a_mean_gain_that_hides_a_worse_tail_is_seen() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(0.4, 0.6, 200)
    y = np.where(np.arange(200) < 24, 0.0, x + 0.2)
    found = tail_differences(list(x), list(y))
    assert float(np.mean(y - x)) > 0 and found[0.05].high is not None and found[0.05].high < 0
    assert found[0.9].low is not None and found[0.9].low > 0
    assert found[0.1].value == pytest.approx(np.sort(y)[19] - np.sort(x)[19])  # the smallest with 10 % at or below
    few = tail_differences([1.0] * 5, [2.0] * 5)
    assert few[0.05].value == 1.0 and few[0.05].low is None and "too few" in few[0.05].reason
    assert tail_differences([], [])[0.05].value is None


@pytest.mark.parametrize("n", [1, 2, 19, 20, 64, 65, 66, 200, 1000])
def test_a_tail_of_a_resample_is_where_its_weights_pass_the_share(n: int) -> None:
    """Also where nearly all weight lies on few items, at either end, so that a tail reaches far."""
    rng = np.random.default_rng(n)
    order = rng.permutation(n)
    few = [np.bincount([order[at]], minlength=n) * n for at in (0, n // 2, n - 1)]
    drawn = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(50)]
    for rows in (drawn, *([row] for row in few), [*drawn, *few]):
        found = _passed(np.array(rows, dtype=float), order)
        for row, *places in zip(rows, *(found[q] for q in TAILS), strict=True):
            passed = np.cumsum(row[order])
            assert places == [int(np.argmax(passed >= q * n - 1e-9)) for q in TAILS]


def test_relative_change_covers_and_says_what_it_cannot() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for study in range(200):
        shared = rng.gamma(2.0, 1.0, 60)
        x, y = shared + rng.gamma(1.0, 0.5, 60), 1.3 * shared + rng.gamma(1.0, 0.5, 60)
        e = relative_change(list(x), list(y), seed=study)
        truth = (1.3 * 2 + 0.5) / 2.5 - 1
        held += e.low is not None and e.high is not None and e.low <= truth <= e.high
    assert held >= 183, "95 % intervals; 183 of 200 is the 1 % point"
    assert relative_change([1.0, 3.0], [2.0, 3.0]).value == pytest.approx(0.25)
    assert "above 0" in relative_change([0.0, 0.0], [1.0, 0.0]).reason
    assert relative_change([1.0, 2.0], [2.0, 4.0]).low is None and relative_change([], []).value is None
    assert relative_change([1.0], [2.0]).reason == "one item"


def test_what_could_have_been_seen_agrees_with_the_exact_power() -> None:
    rng = np.random.default_rng(3)
    d = rng.normal(0.1, 1.0, 80)
    smallest = detectable_difference(list(d))
    assert smallest is not None
    exact = TTestPower().solve_power(nobs=80, alpha=0.05, power=0.8) * d.std(ddof=1)
    assert smallest == pytest.approx(exact, rel=0.01)
    needed = items_needed(list(d), 0.1)
    theirs = TTestPower().solve_power(effect_size=0.1 / d.std(ddof=1), alpha=0.05, power=0.8)
    assert needed == pytest.approx(theirs, rel=0.01)
    assert items_needed(list(d), smallest) == 80
    assert detectable_difference([1.0]) is None and items_needed(list(d), 0.0) is None
    assert items_needed([0.5, 0.5], 0.5) is None and detectable_difference([0.5, 0.5]) is None
    assert items_needed([-1.0, 1.0] * 20, 1e-5) is None


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.3, "better"), (-0.3, -0.01, "worse"), (-0.05, 0.05, "equivalent"), (-0.05, 0.3, "no worse"),
        (-0.3, 0.05, "no better"), (-0.3, 0.3, "unresolved"),
    ],
)  # fmt: skip
def test_verdicts_against_a_margin(low: float, high: float, verdict: str) -> None:
    e = Estimate((low + high) / 2, low, high, 50, 50, "paired t")
    assert margin_verdict(e, 0.1) == verdict
    mirrored = {"better": "worse", "worse": "better", "no worse": "no better", "no better": "no worse"}
    assert margin_verdict(e, 0.1, higher_is_better=False) == mirrored.get(verdict, verdict)
    assert margin_verdict(paired_difference([1.0], [2.0]), 0.1) == "not tested"
    with pytest.raises(ValueError, match="above 0"):
        margin_verdict(e, 0.0)

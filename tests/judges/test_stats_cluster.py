"""Paired proportions, clusters, what noise is made of: by hand, by brute force, by statsmodels, by simulation."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.optimize import minimize_scalar

from judges.stats import Estimate, paired_difference
from judges.stats.cluster import bootstrap_ends, cluster_bootstrap, cluster_difference, weights
from judges.stats.components import (
    EPOCHS,
    ITEMS,
    JUDGE_ITEMS,
    JUDGES,
    epoch_components,
    judge_components,
    judges_as_sample,
)
from judges.stats.difference import paired_estimate, skewed
from judges.stats.paired import margin_verdict
from judges.stats.proportions import paired_proportions


def score(gained: int, lost: int, n: int, delta: float) -> float:
    """The score statistic with the nuisance share found by maximising the likelihood."""

    def unlikely(q: float) -> float:
        p = (q + delta, q, 1 - delta - 2 * q)
        counts = (gained, lost, n - gained - lost)
        return -sum(k * math.log(max(v, 1e-300)) for k, v in zip(counts, p, strict=True) if k)

    low, high = max(0.0, -delta), (1 - delta) / 2
    q = float(minimize_scalar(unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x)
    return (gained - lost - n * delta) / math.sqrt(n * (2 * q + delta * (1 - delta)))


@pytest.mark.parametrize(("gained", "lost", "n"), [(12, 2, 50), (3, 1, 20), (29, 4, 455), (1, 8, 30), (7, 7, 40)])
def test_the_score_interval_ends_where_the_score_test_rejects(gained: int, lost: int, n: int) -> None:
    low, high = (float(end) for end in paired_proportions(gained, lost, n))
    z = stats.norm.ppf(0.975)
    assert score(gained, lost, n, low) == pytest.approx(z, abs=1e-4)
    assert score(gained, lost, n, high) == pytest.approx(-z, abs=1e-4)
    turned = paired_proportions(lost, gained, n)
    assert (float(turned[0]), float(turned[1])) == pytest.approx((-high, -low))


def test_the_score_interval_at_the_ends() -> None:
    z = stats.norm.ppf(0.975) ** 2
    low, high = paired_proportions([0, 20], [0, 0], [20, 20])
    # Nothing changed: q = 0 and n delta^2 = z^2 delta (1 - delta).
    assert (low[0], high[0]) == pytest.approx((-z / (20 + z), z / (20 + z)))
    assert high[1] == 1.0 and low[1] == pytest.approx(1 - 2 * z / (20 + z), abs=0.02)


def test_the_difference_takes_the_interval_that_fits() -> None:
    yes = paired_estimate([0, 1, 0, 1], [1, 1, 0, 0], (0, 1), binary=True, total=6)
    assert yes.method == "paired score (Tango)" and (yes.value, yes.n, yes.total) == (0.0, 4, 6)
    shares = [0, 0.5, 0, 1] * 9, [1, 1, 0, 0] * 9
    assert paired_estimate(*shares, (0, 1), binary=True) == paired_difference(*shares)
    wide = paired_estimate([0, 0.5, 1.0], [1, 0.0, 0.5], (0, 1))
    assert (wide.low, wide.high) == (-1.0, 1.0), "held within what the scale allows"
    # By hand, n = 4: a share of 1 - .025 ^ (1/4) may differ, by 1 down or by 3 up on a scale of 1 to 3 with +1 each.
    share = 1 - 0.025**0.25
    equal = paired_estimate([1, 2, 1, 2], [2, 3, 2, 3], (1, 3))
    assert equal.value == 1 and (equal.low, equal.high) == pytest.approx((1 - 3 * share, 1 + 1 * share))
    assert paired_estimate([1, 2], [2, 3]).low is None and paired_estimate([1], [2], (0, 5)).reason
    none = paired_estimate([1.0] * 10, [1.0] * 10, (0, 1), binary=True)
    assert none.low is not None and none.low < 0 < float(none.high or 0)


def test_skewed_differences_of_few_items_are_warned_of() -> None:
    # One of n differs: skewness (n - 2) / sqrt(n - 1), so 25 (n - 2)^2 / (n - 1) items are needed, whatever n is.
    one = [1.0, *[0.0] * 19]
    found = paired_estimate([0.0] * 20, one, (-5, 5))
    assert f"({25 * 18**2 / 19:.0f} needed)" in skewed(one, found)
    even = [1.0, -1.0] * 10
    assert skewed(even, paired_estimate([0.0] * 20, even)) == ""
    assert skewed(one, paired_estimate([0.0] * 20, one, (0, 1), binary=True)) == "", "the score interval bears it"
    assert skewed([0.5] * 9, paired_estimate([0.0] * 9, [0.5] * 9, (0, 1))) == "" and skewed([], found) == ""
    assert skewed([0.5] * 9, Estimate(0.5, 0.4, 0.6, 9, 9, "paired t")) == ""
    inside = Estimate(0.0, -0.01, 0.01, 20, 20, "paired t")
    assert margin_verdict(inside, 0.1) == "equivalent" and margin_verdict(inside, 0.1, trusted=False) == "unresolved"
    assert margin_verdict(Estimate(0.1, 0.01, 0.2, 20, 20, "paired t"), 0.1, trusted=False) == "better"


def test_resamples_are_the_same_in_parts_as_at_once() -> None:
    parts = list(weights(1000, 4100, 7))
    assert [len(p) for p in parts] == [4000, 100]
    drawn = np.random.default_rng(7).integers(0, 1000, (4100, 1000))
    for row in (0, 3999, 4000, 4099):
        part = parts[0][row] if row < 4000 else parts[1][row - 4000]
        assert part.tolist() == np.bincount(drawn[row], minlength=1000).tolist()


def test_clusters_by_hand_and_by_statsmodels() -> None:
    # Sums 3, 1, 2 of 2, 1, 3 items: mean 1; residual sums 1, 0, -1; error sqrt(3/2 * 2) / 6.
    e = cluster_difference([2, 1, 1, 0, 1, 1], list("aabccc"))
    half = stats.t.ppf(0.975, 2) * math.sqrt(3) / 6
    assert e.value == 1 and (e.low, e.high) == pytest.approx((1 - half, 1 + half)) and "3 clusters" in e.method
    rng = np.random.default_rng(0)
    for _ in range(20):
        groups = rng.integers(0, 12, 60)
        d = rng.normal(0.2, 1, 60) + rng.normal(0, 1, 12)[groups]
        mine = cluster_difference(list(d), list(groups))
        fit = sm.OLS(d, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
        assert (mine.low, mine.high) == pytest.approx(tuple(fit.conf_int()[0]))
        alone, plain = cluster_difference(list(d), list(range(60))), paired_difference([0.0] * 60, list(d))
        assert (alone.low, alone.high) == pytest.approx((plain.low, plain.high))


def test_a_cluster_bootstrap_by_brute_force() -> None:
    d, groups = [2.0, 1.0, 1.0, 0.0, 1.0, 1.5], list("aabccc")
    every, sums, sizes = {}, [3.0, 1.0, 2.5], [2, 1, 3]
    for drawn in product(range(3), repeat=3):
        n = sum(sizes[g] for g in drawn)
        mean = sum(sums[g] for g in drawn) / n
        squares = sum((sums[g] - mean * sizes[g]) ** 2 for g in drawn)
        every[drawn] = mean, math.sqrt(1.5 * squares) / n
    rows = np.concatenate(list(weights(3, 4000, 1)))
    assert rows.shape == (4000, 3) and (rows.sum(axis=1) == 3).all()
    # All 27 draws, each as likely: the weights' shares are those of their multinomial chances.
    for pattern, chance in {(3, 0, 0): 1 / 27, (2, 1, 0): 3 / 27, (1, 1, 1): 6 / 27}.items():
        assert (rows == pattern).all(axis=1).mean() == pytest.approx(chance, abs=0.015)
    means, errors = (np.array(v) for v in zip(*every.values(), strict=True))
    assert bootstrap_ends(6.5 / 6, 0.3, means, errors, 0.9) is None, "three draws of one cluster have no error"
    # Twelve clusters: t* of every resample from its items, one by one.
    rng = np.random.default_rng(3)
    groups, d = [g for g in range(12) for _ in range(1 + g % 3)], []
    d = [float(v) for v in rng.exponential(1, len(groups))]
    mine = cluster_bootstrap(d, groups, seed=5, resamples=400)
    centre, ts = float(np.mean(d)), []
    whole = cluster_difference(d, groups)
    error = (float(whole.high or 0) - centre) / stats.t.ppf(0.975, 11)
    for row in np.concatenate(list(weights(12, 400, 5))):
        drawn = [(k, [v for v, g in zip(d, groups, strict=True) if g == i]) for i, k in enumerate(row) if k]
        n = sum(k * len(v) for k, v in drawn)
        mean = sum(k * sum(v) for k, v in drawn) / n
        squares = sum(k * (sum(v) - mean * len(v)) ** 2 for k, v in drawn)
        ts.append((mean - centre) / (math.sqrt(squares * 12 / 11) / n))
    low_t, high_t = np.quantile(ts, [0.025, 0.975])
    assert (mine.low, mine.high) == pytest.approx((centre - high_t * error, centre - low_t * error))
    assert mine == cluster_bootstrap(d, groups, seed=5, resamples=400)


def test_what_has_no_interval_over_clusters_says_why() -> None:
    for function in (cluster_difference, cluster_bootstrap):
        assert function([], []).value is None
        assert "one item" in function([1.0], ["a"]).reason
        assert "of one cluster" in function([1.0, 2.0], ["a", "a"]).reason
        assert "equal" in function([0.0] * 20, list(range(20))).reason
        with pytest.raises(ValueError, match="2 for 1"):
            function([1.0], ["a", "b"])
        with pytest.raises(ValueError, match="finite"):
            function([math.nan], ["a"])
    assert "3 clusters are too few" in cluster_bootstrap([1.0, 2.0, 3.0], [1, 2, 3]).reason
    assert "too few items differ" in cluster_bootstrap([1.0, *[0.0] * 19], list(range(20))).reason


def test_epochs_by_hand_and_by_simulation() -> None:
    # Baseline scatters by 2 within each item (1, 3 -> variance 2), the other not at all; differences 0, 2, 4.
    found = epoch_components([[1, 3], [1, 3], [1, 3]], [[2, 2], [4, 4], [6, 6]])
    # Between items 4 - 2/2; noise of the mean 2/2 of 4.
    assert found.variances == pytest.approx({ITEMS: 3, EPOCHS: 2}) and found.shares == pytest.approx(
        {ITEMS: 0.75, EPOCHS: 0.25}
    )
    rng, made = np.random.default_rng(0), []
    for _ in range(300):
        truth = rng.normal(0, 1.5, 40)
        sizes = rng.integers(1, 5, (2, 40))
        runs = [[list(rng.normal(t * k, 1 + k, m)) for t, m in zip(truth, row, strict=True)]
                for k, row in enumerate(sizes)]  # fmt: skip
        made.append(list(epoch_components(*runs).variances.values()))
    assert np.mean(made, axis=0) == pytest.approx([1.5**2, 1 + 4], rel=0.05)
    assert "one epoch" in epoch_components([[1], [2]], [[1, 2], [2, 3]]).reason
    assert epoch_components([], []).reason and epoch_components([[1, 2]], [[1, 2]]).reason
    assert epoch_components([[1, 1], [2, 2]], [[1, 1], [2, 2]]).shares == {}
    with pytest.raises(ValueError, match="leave it out"):
        epoch_components([[]], [[1.0]])
    with pytest.raises(ValueError, match="2 items against 1"):
        epoch_components([[1.0], [2.0]], [[1.0]])


def test_judges_are_anova_where_nothing_is_missing_and_unbiased_where_something_is() -> None:
    rng = np.random.default_rng(1)
    n, k = 9, 4
    d = rng.normal(size=(n, 1)) + rng.normal(size=(1, k)) + 0.5 * rng.normal(size=(n, k))
    rows, columns, mean = d.mean(axis=1), d.mean(axis=0), d.mean()
    by_item = k * ((rows - mean) ** 2).sum() / (n - 1)
    by_judge = n * ((columns - mean) ** 2).sum() / (k - 1)
    rest = ((d - rows[:, None] - columns + mean) ** 2).sum() / ((n - 1) * (k - 1))
    found = judge_components(d)
    assert found.variances == pytest.approx(
        {ITEMS: (by_item - rest) / k, JUDGES: (by_judge - rest) / n, JUDGE_ITEMS: rest}
    )
    assert sum(found.shares.values()) == pytest.approx(1)
    made = []
    for _ in range(300):
        d = rng.normal(size=(40, 1)) + 0.5 * rng.normal(size=(1, 5)) + 0.7 * rng.normal(size=(40, 5))
        d[rng.random(d.shape) < 0.2] = np.nan
        made.append(list(judge_components(d).variances.values()))
    assert np.mean(made, axis=0) == pytest.approx([1, 0.25, 0.49], abs=0.04)
    assert "one judge" in judge_components(np.ones((5, 1))).reason
    apart = np.array([[1.0, np.nan], [np.nan, 2.0]])
    assert "two judges" in judge_components(apart).reason


def test_judges_as_a_sample_are_two_way_clusters() -> None:
    rng = np.random.default_rng(2)
    d = rng.normal(size=(30, 1)) + rng.normal(size=(1, 6)) + 0.5 * rng.normal(size=(30, 6))
    e = judges_as_sample(d)
    groups = np.column_stack(np.divmod(np.arange(180), 6))
    fit = sm.OLS(d.ravel(), np.ones(180)).fit(cov_type="cluster", cov_kwds={"groups": groups})
    half = stats.t.ppf(0.975, 5) * fit.bse[0]
    assert e.value is not None and (e.low, e.high) == pytest.approx((e.value - half, e.value + half))
    assert e.reason == "" and "these judges only" in judges_as_sample(d[:, :3]).reason
    held = 0
    for _ in range(300):
        d = 0.3 + rng.normal(size=(60, 1)) + 0.5 * rng.normal(size=(1, 6)) + rng.normal(size=(60, 6))
        e = judges_as_sample(d)
        held += e.low is not None and e.high is not None and e.low <= 0.3 <= e.high
    assert held >= 273, "95 % intervals; 273 of 300 is the .1 % point"
    assert judges_as_sample(np.full((4, 1), 0.5)).reason == "one judge"
    assert "one difference" in judges_as_sample(np.full((4, 3), 0.5)).reason
    assert judges_as_sample(np.full((4, 3), np.nan)).value is None
    for wrong in (np.zeros(3), np.array([[0.0, np.inf]])):
        with pytest.raises(ValueError, match="a matrix of items and judges"):
            judges_as_sample(wrong)

"""Corrected rates and means: against closed forms, and against a truth that the test knows."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from judges.agreement.corrected import corrected_by_group, corrected_mean, corrected_rate
from judges.stats import mean_estimate

FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)
THREE = (0.0, 1.0, 2.0)


def run(
    rng: np.random.Generator, items: int, labelled: int, prevalence: float, sens: float, spec: float
) -> tuple[np.ndarray, np.ndarray]:
    """A judge's verdicts on all items and people's labels on the first ones."""
    truth = rng.random(items) < prevalence
    verdicts = np.where(truth, rng.random(items) < sens, rng.random(items) >= spec).astype(float)
    labels = truth.astype(float)
    labels[labelled:] = np.nan
    return verdicts, labels


# -------------------------------------------------------------------------------------------------------------- rates


def test_the_rate_by_hand() -> None:
    """100 items, 60 Yes by the judge. Of 20 labelled Yes 18 are; of 20 labelled No 5 are."""
    verdicts = [1.0] * 60 + [0.0] * 40
    labels: list[float | None] = [1.0] * 18 + [0.0] * 2 + [None] * 40 + [1.0] * 5 + [0.0] * 15 + [None] * 20
    got = corrected_rate(verdicts, labels)
    r, p, q = 60.5 / 101, 18.5 / 21, 5.5 / 21
    assert got.value == pytest.approx(r * p + (1 - r) * q)
    assert (got.n, got.total, got.reason) == (40, 100, "")
    rng = np.random.default_rng(0)
    # 40 labels count as 39/40 x (1.96 / 2.0227)^2 = 0.9155 each.
    r_, p_, q_ = (
        rng.beta(yes + 0.5, no + 0.5, 400_000)
        for yes, no in ((60, 40), (18 * 0.9155, 2 * 0.9155), (5 * 0.9155, 15 * 0.9155))
    )
    low, high = np.quantile(r_ * p_ + (1 - r_) * q_, [0.025, 0.975])
    assert got.low == pytest.approx(low, abs=0.005)
    assert got.high == pytest.approx(high, abs=0.005)


def test_many_verdicts_do_not_bring_more_prior() -> None:
    """Five verdicts of six strata with the missing one: 1/6 for and against in each, not 1/2."""
    verdicts: list[float | None] = [5.0] * 30 + [4.0] * 10 + [None] * 2
    labels: list[float | None] = [5.0] * 20 + [None] * 10 + [5.0] * 3 + [4.0] * 2 + [None] * 7
    got = corrected_rate(verdicts, labels, FIVE, (5.0,))
    share = [(20 + 1 / 6) / (20 + 2 / 6), (3 + 1 / 6) / (5 + 2 / 6)] + [0.5] * 4
    size = np.array([30, 10, 2, 0, 0, 0]) + 1 / 6
    assert got.value == pytest.approx(float((size / 43 * np.array(share)).sum()))


@pytest.mark.parametrize(("prevalence", "sens", "spec"), [(0.5, 0.95, 0.9), (0.9, 0.95, 0.8), (0.96, 0.98, 0.6)])
def test_the_corrected_rate_covers_where_the_raw_one_does_not(prevalence: float, sens: float, spec: float) -> None:
    rng, hits, widths = np.random.default_rng(41), 0, []
    for seed in range(200):
        verdicts, labels = run(rng, 500, 50, prevalence, sens, spec)
        got = corrected_rate(verdicts, labels, seed=seed)
        assert got.low is not None and got.high is not None and got.value is not None
        hits += got.low <= prevalence <= got.high
        widths.append(got.high - got.low)
    assert hits >= 0.91 * 200
    alone = beta.ppf(0.975, 50 * prevalence, 50 * (1 - prevalence)) - beta.ppf(
        0.025, 50 * prevalence, 50 * (1 - prevalence)
    )
    assert fmean(widths) < alone * 1.05, "the judge's verdicts are worth something"


def test_labels_drawn_by_verdict_are_fine() -> None:
    """25 labels among the Yes and 25 among the No, although nine in ten are Yes."""
    rng, hits = np.random.default_rng(42), 0
    for seed in range(200):
        verdicts, labels = run(rng, 500, 500, 0.9, 0.95, 0.8)
        kept = np.concatenate([np.flatnonzero(verdicts == v)[:25] for v in (0.0, 1.0)])
        some = np.full(500, np.nan)
        some[kept] = labels[kept]
        got = corrected_rate(verdicts, some, seed=seed)
        assert got.low is not None and got.high is not None
        hits += got.low <= 0.9 <= got.high
    assert hits >= 0.91 * 200


def test_missing_verdicts_are_a_stratum() -> None:
    """A judge that fails on the hard items, which are mostly No: leaving these out would raise the rate."""
    rng = np.random.default_rng(43)
    verdicts, truth = run(rng, 4000, 4000, 0.6, 0.95, 0.95)
    fails = rng.random(4000) < np.where(truth == 0, 0.6, 0.05)
    labels = np.where(np.arange(4000) < 2000, truth, np.nan)
    dropped = corrected_rate(verdicts[~fails], labels[~fails])
    assert dropped.low is not None and dropped.low > 0.7
    verdicts[fails] = np.nan
    kept = corrected_rate(verdicts, labels)
    assert kept.low is not None and kept.high is not None
    assert kept.low < 0.6 < kept.high
    assert kept.total == 4000


def test_more_than_two_values() -> None:
    """harm_provided: none, partial, full; the rate of partial or full."""
    rng = np.random.default_rng(44)
    truth = rng.choice(3, 3000, p=[0.7, 0.2, 0.1]) * 1.0
    verdicts = np.where(rng.random(3000) < 0.8, truth, rng.integers(0, 3, 3000))
    labels = truth.copy()
    labels[600:] = np.nan
    got = corrected_rate(verdicts, labels, THREE, (1.0, 2.0))
    assert got.low is not None and got.high is not None
    assert got.low < 0.3 < got.high < 0.36
    everything = corrected_rate(verdicts, labels, THREE, THREE)
    assert everything.value is not None and everything.value > 0.99


def test_a_verdict_without_labels_says_so() -> None:
    got = corrected_rate([1.0] * 60 + [0.0] * 40, [1.0] * 35 + [None] * 65)
    assert "no label where the verdict is 0" in got.reason
    assert got.low is not None and got.high is not None
    assert got.high - got.low > 0.3, "the prior alone speaks for 40 of 100 items"
    few = corrected_rate([1.0, 0.0] * 20, [1.0, 0.0] * 5 + [None] * 30)
    assert "n below 30" in few.reason
    none = corrected_rate([1.0] * 9, [None] * 9)
    assert (none.value, none.low, none.n, none.total) == (None, None, 0, 9)
    assert "not estimable without labels here" in none.reason
    with pytest.raises(ValueError, match="same items"):
        corrected_rate([1.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="not on the scale"):
        corrected_rate([3.0], [1.0])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([None, 0.0, 1.0]), st.sampled_from([None, 0.0, 1.0])), max_size=20))
def test_a_rate_stays_within_0_and_1(pairs: list[tuple[float | None, float | None]]) -> None:
    got = corrected_rate([p[0] for p in pairs], [p[1] for p in pairs])
    if got.value is None:
        assert got.reason
        return
    assert got.low is not None and got.high is not None
    assert 0 <= got.low < got.value < got.high <= 1


# -------------------------------------------------------------------------------------------------------------- means


def grades(rng: np.random.Generator, items: int, labelled: int) -> tuple[np.ndarray, np.ndarray]:
    truth = rng.normal(size=items)
    labels = np.clip(np.round(3.5 + truth), 1, 5)
    verdicts = np.clip(np.round(4.0 + truth + 0.6 * rng.normal(size=items)), 1, 5)
    labels[labelled:] = np.nan
    return verdicts, labels


def test_the_mean_by_hand() -> None:
    rng = np.random.default_rng(45)
    verdicts, labels = grades(rng, 300, 60)
    y, f, u = labels[:60], verdicts[:60], verdicts[60:]
    lam = np.cov(y, f)[0, 1] / ((1 + 60 / 240) * np.var(verdicts, ddof=1))
    want = fmean(y) + lam * (fmean(u) - fmean(f))
    # The draws by another road: gammas over the cells; 60 labels count as 59/60 x (1.96 / 2.0010)^2 = 0.9435 each.
    draw, cells = np.random.default_rng(7), [(a, b) for a in FIVE for b in FIVE]
    mass = [0.9435 * sum((y == a) & (f == b)) + 1 / 25 for a, b in cells]
    g = draw.gamma(mass, size=(100_000, 25))
    h = draw.gamma([sum(u == v) + 1 / 5 for v in FIVE], size=(100_000, 5))
    inside = (g @ np.array([a - lam * b for a, b in cells])) / g.sum(axis=1)
    ends = np.quantile(inside + lam * (h @ np.array(FIVE)) / h.sum(axis=1), [0.025, 0.975])
    got = corrected_mean(verdicts, labels, FIVE, draws=100_000)
    assert 0 < lam < 1
    assert got.value == pytest.approx(want)
    assert got.low is not None and got.high is not None
    assert (got.low, got.high) == pytest.approx(tuple(ends), abs=0.004)
    assert (got.n, got.total, got.method) == (60, 300, "PPI++, Dirichlet, total mass 1, 100000 draws")


def test_the_corrected_mean_covers_and_is_narrower_than_labels_alone() -> None:
    rng, hits, ours, alone = np.random.default_rng(46), 0, [], []
    truth = float(np.nanmean(grades(rng, 1_000_000, 1_000_000)[1]))
    for _ in range(300):
        verdicts, labels = grades(rng, 500, 60)
        got = corrected_mean(verdicts, labels, FIVE)
        plain = mean_estimate(list(labels[:60]), (1.0, 5.0))
        assert got.low is not None and got.high is not None and plain.low is not None and plain.high is not None
        hits += got.low <= truth <= got.high
        ours.append(got.high - got.low)
        alone.append(plain.high - plain.low)
    assert hits >= 0.92 * 300
    assert fmean(ours) < 0.85 * fmean(alone)


def test_a_mean_without_help_from_the_judge() -> None:
    labels = [1.0, 2.0, 3.0, 4.0, 5.0] * 8 + [None] * 40
    constant = corrected_mean([4.0] * 80, labels, FIVE)
    plain = mean_estimate([1.0, 2.0, 3.0, 4.0, 5.0] * 8, (1.0, 5.0), 80)
    assert constant == plain
    same = corrected_mean([5.0] * 80, [5.0] * 40 + [None] * 40, FIVE)
    assert same.value == 5.0
    assert same.low is not None and same.low < 5.0, "40 equal labels are no certainty"
    for labels in ([None] * 80, [1.0] + [None] * 79):
        none = corrected_mean([4.0] * 80, labels, FIVE)
        assert none.value is None
        assert "not estimable with" in none.reason
    assert "n below 30" in corrected_mean([4.0, 5.0] * 40, [4.0, 5.0, 3.0] + [None] * 77, FIVE).reason


# -------------------------------------------------------------------------------------------- one run x condition each


def test_labels_are_never_borrowed() -> None:
    """The same judge is lenient under one condition and strict under the other; one pool would be wrong on both."""
    rng = np.random.default_rng(47)
    first, second = run(rng, 2000, 300, 0.5, 0.99, 0.5), run(rng, 2000, 300, 0.5, 0.5, 0.99)
    third = (np.ones(50), np.full(50, np.nan))
    verdicts, labels = (np.concatenate([a[i] for a in (first, second, third)]) for i in (0, 1))
    groups = [("run", "baseline")] * 2000 + [("run", "prompted")] * 2000 + [("run", "none")] * 50
    got = corrected_by_group(verdicts, labels, groups)
    assert list(got) == [("run", "baseline"), ("run", "prompted"), ("run", "none")]
    for name, raw in ((("run", "baseline"), first[0].mean()), (("run", "prompted"), second[0].mean())):
        assert abs(raw - 0.5) > 0.15
        assert got[name].value == pytest.approx(0.5, abs=0.08)
    assert got["run", "prompted"] == corrected_rate(*second)
    assert "not estimable without labels here" in got["run", "none"].reason
    verdicts, labels = grades(rng, 100, 50)
    assert corrected_by_group(verdicts, labels, ["x"] * 100, FIVE, "mean") == {
        "x": corrected_mean(verdicts, labels, FIVE)
    }
    with pytest.raises(ValueError, match="give one a value"):
        corrected_by_group([1.0], [1.0], [])

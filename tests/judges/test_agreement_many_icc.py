"""Intraclass correlations against a published table, their definition and an analysis of variance."""

from __future__ import annotations

import itertools
import math
from statistics import fmean

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import f as f_distribution
from statsmodels.formula.api import ols

from judges.agreement.icc import FORMS, Form, icc_estimate, mean_squares

SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]).T * 1.0
"""Shrout and Fleiss (1979), Psychol. Bull. 86:420-428, table 2: six targets, four judges."""


@pytest.mark.parametrize(
    ("form", "value", "low", "high"),
    [
        # Values: their table 4. Intervals: pingouin 0.7.0, which rounds to two decimals.
        ("1,1", 0.17, -0.13, 0.72),
        ("A,1", 0.29, 0.02, 0.76),
        ("C,1", 0.71, 0.34, 0.95),
        ("1,k", 0.44, -0.88, 0.91),
        ("A,k", 0.62, 0.07, 0.93),
        ("C,k", 0.91, 0.68, 0.99),
    ],
)
def test_the_published_table(form: Form, value: float, low: float, high: float) -> None:
    got = icc_estimate(SHROUT_FLEISS, form)
    assert (got.value, got.low, got.high) == pytest.approx((value, low, high), abs=0.005)
    assert (got.n, got.total) == (6, 6)
    assert got.method.startswith("F ")


def cases(count: int) -> list[np.ndarray]:
    rng, made = np.random.default_rng(11), []
    for _ in range(count):
        k, n = int(rng.integers(2, 6)), int(rng.integers(2, 30))
        truth = rng.normal(size=n) * rng.random() * 2
        noise = rng.normal(size=(k, n)) * rng.random() + rng.normal(size=(k, 1)) * rng.random()
        made.append(np.clip(np.round(3 + truth + noise), 1, 5))
    return made


def plain(rows: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """Value and interval by McGraw and Wong's formulas, written out with sums over plain lists."""
    k, n = rows.shape
    grand = fmean(v for row in rows for v in row)
    item = [fmean(rows[j][i] for j in range(k)) for i in range(n)]
    rater = [fmean(rows[j][i] for i in range(n)) for j in range(k)]
    r = k * sum((m - grand) ** 2 for m in item) / (n - 1)
    c = n * sum((m - grand) ** 2 for m in rater) / (k - 1)
    e = sum((rows[j][i] - item[i] - rater[j] + grand) ** 2 for j in range(k) for i in range(n)) / ((n - 1) * (k - 1))
    w = sum((rows[j][i] - item[i]) ** 2 for j in range(k) for i in range(n)) / (n * (k - 1))
    q = f_distribution.ppf
    made: dict[str, tuple[float, float, float]] = {}
    for name, error, df in (("1", w, n * (k - 1)), ("C", e, (n - 1) * (k - 1))):
        low, high = r / error / q(0.975, n - 1, df), r / error * q(0.975, df, n - 1)
        made[f"{name},1"] = (
            (r - error) / (r + (k - 1) * error),
            (low - 1) / (low + k - 1),
            (high - 1) / (high + k - 1),
        )
        made[f"{name},k"] = ((r - error) / r if r else math.nan, 1 - 1 / low if low else math.nan, 1 - 1 / high)
    single = (r - e) / (r + (k - 1) * e + k * (c - e) / n)
    mean = (r - e) / (r + (c - e) / n)
    for form, rho in (("A,1", single), ("A,k", mean)):
        a = (k if form == "A,1" else 1) * rho / (n * (1 - rho))
        b = 1 + (k if form == "A,1" else 1) * rho * (n - 1) / (n * (1 - rho))
        v = (a * c + b * e) ** 2 / ((a * c) ** 2 / (k - 1) + (b * e) ** 2 / ((n - 1) * (k - 1)))
        fl, fu = q(0.975, n - 1, v), q(0.975, v, n - 1)
        rest = k * c + (k * n - k - n) * e if form == "A,1" else c - e
        low, high = n * (r - fl * e) / (fl * rest + n * r), n * (fu * r - e) / (rest + n * fu * r)
        made[form] = (rho, low, high)
    return made


def test_every_form_is_its_formula() -> None:
    compared = 0
    for data in cases(400):
        m = mean_squares(data)
        if min(m.items, m.error) < 1e-12:
            continue
        want = plain(data)
        for form in FORMS:
            got = icc_estimate(data, form)
            assert got.value == pytest.approx(want[form][0], abs=1e-9)
            if got.low is None:
                assert got.reason
                continue
            assert (got.low, got.high) == pytest.approx(want[form][1:], rel=1e-7, abs=1e-9)
            assert got.low <= got.value <= got.high  # type: ignore[operator]
            compared += 1
    assert compared > 1500


def test_the_mean_squares_are_those_of_an_analysis_of_variance() -> None:
    for data in cases(12):
        k, n = data.shape
        frame = pd.DataFrame({"y": data.ravel(), "rater": np.repeat(range(k), n), "item": np.tile(range(n), k)})
        frame["y"] += np.random.default_rng(0).normal(size=len(frame)) * 0.1
        table = sm.stats.anova_lm(ols("y ~ C(item) + C(rater)", frame).fit())
        got = mean_squares(frame["y"].to_numpy().reshape(k, n))
        want = table["mean_sq"]
        assert got[:3] == pytest.approx((want["C(item)"], want["C(rater)"], want["Residual"]))


def test_only_complete_items_count() -> None:
    gaps = np.hstack([SHROUT_FLEISS, np.array([[1.0, np.nan, 1.0, 1.0], [np.nan] * 4]).T])
    got = icc_estimate(gaps, "A,1")
    assert (got.n, got.total) == (6, 8)
    assert got.value == icc_estimate(SHROUT_FLEISS, "A,1").value
    rows = [[None if math.isnan(v) else float(v) for v in row] for row in gaps]
    assert icc_estimate(rows, "A,1") == got


@pytest.mark.parametrize("form", FORMS)
def test_undefined_has_a_reason(form: Form) -> None:
    for rows, reason in (
        ([[3.0] * 9] * 3, "constant raters"),
        ([[3.0] * 9, [4.0] * 9], "constant raters"),
        ([[1.0, 2.0, 3.0]], "fewer than two raters"),
        ([], "fewer than two raters"),
        ([[1.0, None], [2.0, 3.0]], "fewer than two items"),
    ):
        got = icc_estimate(rows, form)
        assert (got.value, got.low, got.high) == (None, None, None)
        assert reason in got.reason
    with pytest.raises(ValueError, match="choose from"):
        icc_estimate(SHROUT_FLEISS, "2,1")  # type: ignore[arg-type]


def test_perfect_agreement_has_no_interval() -> None:
    """Values that are no sums of powers of two, so that rounding would show."""
    data = np.tile(np.array([0.1, 0.7, 0.3, 0.9]), (3, 1))
    for form in FORMS:
        got = icc_estimate(data, form)
        assert (got.value, got.low) == (1.0, None)
        assert "no width" in got.reason
    shifted = icc_estimate(data + np.array([[0.0], [0.1], [0.2]]), "C,1")
    assert (shifted.value, shifted.low) == (1.0, None)
    apart = icc_estimate(data + np.array([[0.0], [0.1], [0.2]]), "A,1")
    assert apart.value is not None and apart.value < 1.0
    if apart.low is not None and apart.high is not None:
        assert apart.low <= apart.value <= apart.high


def test_the_interval_covers() -> None:
    """Two-way random effects: variance 1 between items, 0.1 between raters, 0.6 left, so ICC(A,1) is 1 / 1.7."""
    rng, hits = np.random.default_rng(12), 0
    for _ in range(300):
        noise = rng.normal(size=(4, 40)) * math.sqrt(0.6) + rng.normal(size=(4, 1)) * math.sqrt(0.1)
        got = icc_estimate(rng.normal(size=40) + noise, "A,1")
        assert got.low is not None and got.high is not None
        hits += got.low <= 1 / 1.7 <= got.high
    assert hits >= 0.92 * 300


POINTS = (1.0, 2.0, 3.0, 4.0, 5.0)


def test_with_a_scale_the_jackknife_is_that_of_a_loop() -> None:
    """Fisher's z for k raters of every leave-one-out coefficient; the mean's interval by Spearman-Brown."""
    rng = np.random.default_rng(3)
    data = np.clip(np.round(3 + rng.normal(size=24) + 0.6 * rng.normal(size=(3, 24))), 1, 5)
    for form in FORMS:
        one = f"{form[0]},1"
        z = [
            0.5 * math.log((1 + 2 * r) / (1 - r))
            for i in range(24)
            if (r := icc_estimate(np.delete(data, i, axis=1), one).value) is not None  # type: ignore[arg-type]
        ]
        whole = icc_estimate(data, one).value  # type: ignore[arg-type]
        assert whole is not None
        half = 2.0687 * math.sqrt(23 / 24 * sum((v - sum(z) / 24) ** 2 for v in z))
        ends = [math.exp(2 * (0.5 * math.log((1 + 2 * whole) / (1 - whole)) + s * half)) for s in (-1, 1)]
        want = [(e - 1) / (e + 2) for e in ends]
        if form[2] == "k":
            want = [3 * r / (1 + 2 * r) for r in want]
        got = icc_estimate(data, form, scale=POINTS)
        assert (got.low, got.high) == pytest.approx(tuple(want), abs=1e-4)
        assert got.method == "jackknife t on Fisher's z" and "n below 30" in got.reason
        assert got.value == icc_estimate(data, form).value


def test_nearly_all_ratings_the_same_take_draws_that_know_the_scale() -> None:
    """Two raters, 40 items: Dirichlet over the items seen and the 15 ways to rate, 1/15 each, drawn here in a loop."""
    columns = [(5, 5)] * 34 + [(4, 5)] * 3 + [(4, 4)] * 2 + [(2, 3)]
    data = np.array(columns, dtype=float).T
    got = icc_estimate(data, "A,1", scale=POINTS, draws=20_000)
    kinds = [(5, 5), (4, 5), (4, 4), (2, 3)]
    ways = [(a, b) for a in range(1, 6) for b in range(a, 6)]
    mass = [34.0, 3.0, 2.0, 1.0] + [1 / 15] * 15
    drawn = np.random.default_rng(9).dirichlet(mass, 20_000)
    raters = np.array([*kinds, *[((a + b) / 2, (a + b) / 2) for a, b in ways]], dtype=float)
    sums = np.array([a + b for a, b in kinds + ways], dtype=float)
    squares = np.array([a * a + b * b for a, b in kinds + ways], dtype=float)
    means = drawn @ raters
    between = (drawn @ sums**2 - (drawn @ sums) ** 2) / 2
    variance = (drawn @ squares - (means**2).sum(axis=1)) / 2
    error = 2 * variance - between
    spread = (means[:, 0] - means[:, 1]) ** 2 / 2
    # Sample mean squares of 40 items: between and error are 40/39 of the population's.
    b, e = between * 40 / 39, error * 40 / 39
    want = np.quantile((b - e) / (b + e + 2 * (spread - e / 40)), [0.025, 0.975])
    assert got.method == "Dirichlet on items, total mass 1, 20000 draws"
    assert (got.low, got.high) == pytest.approx(tuple(want), abs=0.01)
    perfect = icc_estimate(np.tile(data[:1], (2, 1)), "C,1", scale=POINTS)
    assert perfect.value == 1.0 and perfect.low is not None and perfect.low < 0.95 and perfect.high == 1.0
    with pytest.raises(ValueError, match="scale"):
        icc_estimate(data, "A,1", scale=(1.0, 2.0))


def test_with_a_scale_no_variation_left_has_a_reason() -> None:
    got = icc_estimate([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], "C,1", scale=POINTS)
    assert (got.value, got.low) == (1.0, None) and "too few items" in got.reason
    # Whichever item is left out, the rest says the same: no certainty either.
    alike = icc_estimate([[1.0, 2.0] * 10, [1.0, 2.0] * 10, [2.0, 1.0] * 10], "C,1", scale=POINTS)
    assert alike.value == pytest.approx(-1 / 3) and (alike.low, alike.high) == (None, None) and alike.reason
    low = icc_estimate([[1.0, 5.0, 2.0, 4.0], [5.0, 1.0, 4.0, 3.0]], "A,k", scale=POINTS)
    assert low.value is not None and (low.low is not None or low.reason)


@pytest.mark.parametrize(
    "columns", [[[1.0, 1.0, 3.5], [1.0, 1.0, 3.5], [1.0, 2.0, 2.0]], [[1.0, 1.0, 3.5], [1.0, 2.0, 2.0]]]
)
def test_an_f_interval_that_misses_its_value_is_none(columns: list[list[float]]) -> None:
    got = icc_estimate(np.array(columns).T, "A,1")
    assert got.value is not None and got.value < 0
    assert (got.low, got.high) == (None, None) and "misses its own value" in got.reason


@pytest.mark.parametrize(("raters", "items"), [(2, 2), (2, 3), (3, 2)])
def test_of_every_small_table_the_interval_is_whole_or_none(raters: int, items: int) -> None:
    """Few items are where approximations fail."""
    for values in itertools.product([1.0, 2.0, 3.5], repeat=raters * items):
        table = np.array(values).reshape(raters, items)
        for form in FORMS:
            got = icc_estimate(table, form)
            if got.value is None or got.low is None or got.high is None:
                assert got.reason
            else:
                assert got.low - 1e-9 <= got.value <= got.high + 1e-9 <= 1 + 2e-9


@settings(max_examples=150, deadline=None)
@given(
    st.integers(2, 4).flatmap(
        lambda r: st.lists(
            st.lists(st.sampled_from([None, 1.0, 2.0, 3.5]), min_size=r, max_size=r), min_size=1, max_size=8
        )
    ),
    st.sampled_from(FORMS),
    st.sampled_from([None, (1.0, 2.0, 3.5)]),
)
def test_an_estimate_is_whole_or_says_why(
    columns: list[list[float | None]], form: Form, scale: tuple[float, ...] | None
) -> None:
    got = icc_estimate([list(r) for r in zip(*columns, strict=True)], form, scale=scale, draws=200)
    assert (got.low is None) == (got.high is None)
    if got.value is None or got.low is None or got.high is None:
        assert got.reason
        return
    assert math.isfinite(got.value) and math.isfinite(got.low) and math.isfinite(got.high)
    assert got.low - 1e-9 <= got.value <= got.high + 1e-9 and got.high <= 1 + 1e-9

"""Intervals of pairwise coefficients: they exist where they should, hold the value, and cover."""

from __future__ import annotations

import numpy as np
import pytest

from judges.agreement import cohen_kappa, kappa_estimate, quadratic_kappa
from judges.agreement.intervals import ONE_VALUE, TOO_NARROW, Coefficient, coefficients, estimate, posterior
from judges.agreement.weighted import Array
from judges.stats import Estimate

FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)
TWO = (0.0, 1.0)


def get(name: str, table: Array, kind: str, seed: int = 0) -> Estimate:
    scale = TWO if len(table) == 2 else tuple(float(i + 1) for i in range(len(table)))
    found: Coefficient = next(c for c in coefficients(scale, kind) if c.name == name)  # type: ignore[arg-type]
    return estimate(found, table, posterior(table, seed), int(table.sum()))


def test_the_draws_are_those_of_the_prior_and_the_counts() -> None:
    """Mean of a Dirichlet: (count + prior) over (n + mass); two raters are drawn alike with and without a third.

    On five points 9 items count as 9 x 8/9 x (1.96 / 2.306)^2 = 5.779.
    """
    table = np.array([[3.0, 0.0], [1.0, 16.0]])
    drawn, method = posterior(table, 1, 40_000)
    assert drawn.shape == (40_000, 2, 2)
    assert drawn.mean(axis=0) == pytest.approx((table + 0.5) / 22, abs=2e-3)
    assert method == "Jeffreys-Dirichlet, 40000 draws"
    five = np.zeros((5, 5))
    five[2, 3] = 9.0
    drawn, method = posterior(five, 1, 40_000)
    assert drawn.mean(axis=0) == pytest.approx((five * 5.779 / 9 + 1 / 25) / 6.779, abs=2e-3)
    one = posterior(five / 9, 1, 40_000)[0]
    assert one.mean(axis=0) == pytest.approx((five / 9 + 1 / 25) / 2, abs=5e-3), "one item has no t"
    assert method.startswith("Dirichlet, total mass 1")
    joint = np.stack([table, np.zeros((2, 2))], axis=2)
    drawn, _ = posterior(joint, 1, 40_000)
    pair = drawn.sum(axis=3)
    assert pair.mean(axis=0) == pytest.approx((table + 0.5) / 22, abs=2e-3)
    alone = posterior(table, 2, 40_000)[0]
    assert pair.std(axis=0) == pytest.approx(alone.std(axis=0), abs=2e-3)


def test_the_same_seed_gives_the_same_interval() -> None:
    table = np.array([[20.0, 5.0], [10.0, 15.0]])
    assert get("kappa", table, "binary") == get("kappa", table, "binary")
    assert get("kappa", table, "binary") != get("kappa", table, "binary", seed=1)


@pytest.mark.parametrize(("name", "kappa"), [("kappa", cohen_kappa), ("quadratic_kappa", quadratic_kappa)])
def test_it_is_that_of_kappa_estimate(name: str, kappa: object) -> None:
    """Drawn at once or table by table, under the exported name or as any function."""
    table = np.random.default_rng(4).integers(0, 9, (5, 5)).astype(float)
    ours, theirs = get(name, table, "ordinal"), kappa_estimate(table, kappa)  # type: ignore[arg-type]
    slow = kappa_estimate(table, lambda t: kappa(t))  # type: ignore[operator]
    for got in (theirs, slow):
        assert (got.value, got.low, got.high) == pytest.approx((ours.value, ours.low, ours.high), abs=1e-12)


@pytest.mark.parametrize("cell", [0, 1])
@pytest.mark.parametrize("name", ["kappa", "linear_kappa", "quadratic_kappa", "scott_pi", "ac1", "ac2_quadratic"])
def test_one_value_throughout_is_undefined_with_a_reason_and_an_interval(name: str, cell: int) -> None:
    for k, kind in ((2, "binary"), (5, "ordinal")):
        table = np.zeros((k, k))
        table[cell, cell] = 50.0
        got = get(name, table, kind)
        assert got.value is None
        assert got.reason == f"undefined: {ONE_VALUE}"
        assert got.low is not None and got.high is not None
        assert -1.0 <= got.low < got.high <= 1.0


@pytest.mark.parametrize("name", ["pearson", "spearman", "kendall"])
def test_a_constant_rater_has_no_correlation(name: str) -> None:
    table = np.array([[0.0, 2.0], [0.0, 48.0]])
    for t, who in ((table, "the judge"), (table.T, "the person"), (np.diag([9.0, 0.0]), "both")):
        got = get(name, t, "binary")
        assert got.value is None
        assert got.reason.startswith(f"undefined: constant rater ({who})")
        assert got.low is not None and got.high is not None


def test_a_kappa_of_zero_says_that_a_rater_is_constant() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        table = np.zeros((4, 4))
        table[:, rng.integers(4)] = rng.integers(0, 30, 4) + np.eye(4)[rng.integers(4)]
        for name in ("kappa", "linear_kappa", "quadratic_kappa"):
            got = get(name, table, "ordinal")
            if got.value is None:
                assert ONE_VALUE in got.reason
                continue
            assert got.value == 0.0
            assert "constant rater (" in got.reason
    differ = get("kappa", np.array([[0.0, 40.0], [0.0, 0.0]]), "binary")
    assert (differ.value, differ.reason) == (0.0, "constant rater (both): kappa is 0 whatever the agreement")
    pabak = get("pabak", np.diag([40.0, 0.0]), "binary")
    assert (pabak.value, pabak.reason) == (1.0, "each rater gives one value throughout")


def test_yes_and_no_that_nobody_says() -> None:
    no = get("positive_agreement", np.diag([40.0, 0.0]), "binary")
    assert (no.value, no.reason) == (None, "undefined: neither rater says Yes")
    yes = get("negative_agreement", np.diag([0.0, 40.0]), "binary")
    assert (yes.value, yes.reason) == (None, "undefined: neither rater says No")
    never = get("negative_agreement", np.array([[0.0, 2.0], [0.0, 48.0]]), "binary")
    assert never.value == never.low == 0.0


def test_no_items_are_not_estimable() -> None:
    for c in coefficients(FIVE, "ordinal"):
        got = estimate(c, np.zeros((5, 5)), posterior(np.zeros((5, 5)), 0), 12)
        assert (got.value, got.low, got.high, got.n, got.total) == (None, None, None, 0, 12)
        assert got.reason.startswith("not estimable") and "30" in got.reason


@pytest.mark.parametrize(("n", "few"), [(1, True), (29, True), (30, False), (31, False)])
def test_below_thirty_it_says_so(n: int, few: bool) -> None:
    table = np.diag([float(n - n // 3), float(n // 3)])
    for c in coefficients(TWO, "binary"):
        got = estimate(c, table, posterior(table, 0), n)
        assert (TOO_NARROW in got.reason) == few
        assert got.low is not None and got.method


def test_every_interval_holds_its_value() -> None:
    rng = np.random.default_rng(8)
    seen = 0
    for i in range(60):
        k = (2, 3, 5)[i % 3]
        table = np.zeros((k, k))
        np.add.at(table, tuple(rng.integers(0, k, (2, int(rng.integers(1, 8))))), 1.0)
        table += np.diag(rng.integers(0, 40, k) * (rng.random(k) < 0.4))
        drawn = posterior(table, i)
        for c in coefficients(tuple(map(float, range(k))), "binary" if k == 2 else "ordinal"):
            got = estimate(c, table, drawn, int(table.sum()))
            assert got.low is not None and got.high is not None
            assert got.low < got.high
            if got.value is not None:
                assert got.low <= got.value <= got.high
                seen += 1
    assert seen > 500


# --------------------------------------------------------------------------------------------------------- coverage


def coverage(truth: Array, n: int, names: list[str], kind: str, studies: int, seed: int) -> dict[str, float]:
    """Share of simulated studies whose interval holds the true value."""
    rng = np.random.default_rng(seed)
    scale = tuple(float(i) for i in range(len(truth)))
    known = [c for c in coefficients(scale, kind) if c.name in names]  # type: ignore[arg-type]
    hits = dict.fromkeys(names, 0)
    for i in range(studies):
        table = rng.multinomial(n, truth.ravel()).reshape(truth.shape).astype(float)
        drawn, method = posterior(table, i, 1000)
        for c in known:
            got = estimate(c, table, (drawn, method), n)
            assert got.low is not None and got.high is not None
            hits[c.name] += got.low <= float(c.batch(truth)) <= got.high
    return {name: count / studies for name, count in hits.items()}


@pytest.mark.parametrize("prevalence", [*(pytest.param(p, marks=pytest.mark.slow) for p in (0.5, 0.9)), 0.96])
def test_binary_intervals_cover(prevalence: float) -> None:
    """The regime in which percentile bootstraps fall to .69: 50 items, one answer rare (500 studies, error .01)."""
    right = np.diag([1 - prevalence, prevalence]) @ np.array([[0.85, 0.15], [0.05, 0.95]])
    names = ["kappa", "ac1", "pabak", "scott_pi", "pearson", "bias", "positive_agreement"]
    got = coverage(right, 50, names, "binary", 500, 5)
    assert min(got.values()) >= 0.91, got


def test_ordinal_intervals_cover() -> None:
    rng = np.random.default_rng(2)
    latent = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 200_000)
    codes = np.searchsorted([-1.6, -1.0, -0.3, 0.6], latent)
    truth = np.zeros((5, 5))
    np.add.at(truth, tuple(codes.T), 1 / len(codes))
    names = ["kappa", "quadratic_kappa", "ac2_quadratic", "pearson", "spearman", "kendall", "mae", "bias"]
    got = coverage(truth, 80, names, "ordinal", 300, 6)
    assert min(got.values()) >= 0.89, got

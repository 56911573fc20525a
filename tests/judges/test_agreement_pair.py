"""Pairwise coefficients against scikit-learn, statsmodels, SciPy and the published formulas, missing values too."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import config_context
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from judges.agreement import confusion
from judges.agreement.binary import mcnemar_mid_p
from judges.agreement.intervals import Coefficient, coefficients
from judges.agreement.weighted import WEIGHTS, agreement_weights

FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)
TWO = (0.0, 1.0)
SIZES = pytest.mark.parametrize("size", [300, pytest.param(1500, marks=pytest.mark.slow)])
Case = tuple[list[float | None], list[float | None], tuple[float, ...], list[float], list[float]]


def cases(count: int, seed: int) -> Iterator[Case]:
    """Random pairs on random scales with up to 40 % missing; then the same without the items that lack a value."""
    rng = random.Random(seed)
    for _ in range(count):
        scale = tuple(float(v) for v in range(1, rng.randint(2, 6) + 1))
        used = rng.sample(scale, 1 if rng.random() < 0.05 else rng.randint(2, len(scale)))
        gap, n = rng.uniform(0, 0.4), rng.randint(1, 60)
        a: list[float] = [rng.choice(used) for _ in range(n)]
        b = [x if rng.random() < 0.6 else rng.choice(used) for x in a]
        holed = [[None if rng.random() < gap else v for v in values] for values in (a, b)]
        whole = [(x, y) for x, y in zip(*holed, strict=True) if x is not None and y is not None]
        yield holed[0], holed[1], scale, [x for x, _ in whole], [y for _, y in whole]


def by_name(scale: tuple[float, ...], kind: str = "ordinal") -> dict[str, Coefficient]:
    return {c.name: c for c in coefficients(scale, kind)}  # type: ignore[arg-type]


def same_constant(x: list[float], y: list[float]) -> bool:
    return len(set(x)) == len(set(y)) == 1 and x[0] == y[0]


# ------------------------------------------------------------------------------------------------- other libraries


@SIZES
def test_kappas_are_those_of_scikit_learn_and_statsmodels(size: int) -> None:
    compared = undefined = holed = 0
    for a, b, scale, x, y in cases(size, 1):
        table = confusion(a, b, scale)
        holed += len(x) < len(a)
        for name, weights in (("kappa", None), ("linear_kappa", "linear"), ("quadratic_kappa", "quadratic")):
            got = by_name(scale)[name].point(table)
            if not x or same_constant(x, y):
                assert got is None
                undefined += 1
                continue
            with config_context(skip_parameter_validation=True):  # a third of its time
                want = cohen_kappa_score(np.array(x), np.array(y), labels=list(scale), weights=weights)
            assert got == pytest.approx(want, abs=1e-12)
            peer = cohens_kappa(table, wt=weights, return_results=False)
            assert got == pytest.approx(peer, abs=1e-12)
            compared += 1
    assert compared >= 2.5 * size
    assert undefined > size / 50
    assert holed > 0.4 * size, "most cases lack values"


@SIZES
def test_correlations_are_those_of_scipy(size: int) -> None:
    compared = undefined = 0
    for a, b, scale, x, y in cases(size, 2):
        table = confusion(a, b, scale)
        for name, peer in (("pearson", stats.pearsonr), ("spearman", stats.spearmanr), ("kendall", stats.kendalltau)):
            got = by_name(scale)[name].point(table)
            if len(set(x)) < 2 or len(set(y)) < 2:
                assert got is None
                undefined += 1
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                want = float(peer(x, y)[0])
            assert got == pytest.approx(want, abs=1e-12)
            compared += 1
    assert compared >= 2 * size
    assert undefined > size / 5


def test_distances_are_their_definition() -> None:
    compared = 0
    for a, b, scale, x, y in cases(1100, 3):
        table = confusion(a, b, scale)
        known = by_name(scale)
        if not x:
            assert known["mae"].point(table) is None and known["bias"].point(table) is None
            continue
        assert known["mae"].point(table) == pytest.approx(
            math.fsum(abs(p - q) for p, q in zip(x, y, strict=True)) / len(x)
        )
        assert known["bias"].point(table) == pytest.approx(
            math.fsum(q - p for p, q in zip(x, y, strict=True)) / len(x), abs=1e-12
        )
        compared += 1
    assert compared >= 1000


# ------------------------------------------------------------------------------ the published formulas, in fractions


def weight(name: str, i: int, j: int, k: int) -> Fraction:
    """Gwet (2014), chapter 3: i and j are places on a scale of k points."""
    if name == "identity":
        return Fraction(i == j)
    if name == "linear":
        return 1 - Fraction(abs(i - j), k - 1)
    if name == "quadratic":
        return 1 - Fraction((i - j) ** 2, (k - 1) ** 2)
    between = len(list(combinations(range(min(i, j), max(i, j) + 1), 2)))
    return 1 - Fraction(between, len(list(combinations(range(k), 2))))


def by_formula(x: list[float], y: list[float], scale: tuple[float, ...], name: str) -> Fraction | None:
    """AC1, AC2, Scott's pi and PABAK item by item; None where chance agreement is complete."""
    n, k = len(x), len(scale)
    at = {v: i for i, v in enumerate(scale)}
    kind = name.removeprefix("ac2_") if name.startswith("ac2_") else "identity"
    observed = sum(weight(kind, at[p], at[q], k) for p, q in zip(x, y, strict=True)) / n
    pooled = [Fraction(x.count(v) + y.count(v), 2 * n) for v in scale]
    if name == "scott_pi":
        chance = sum(p * p for p in pooled)
    elif name == "pabak":
        chance = Fraction(1, k)
    else:
        total = sum(weight(kind, i, j, k) for i in range(k) for j in range(k))
        chance = total / (k * (k - 1)) * sum(p * (1 - p) for p in pooled)
    return None if chance == 1 else Fraction(observed - chance) / (1 - chance)


@pytest.mark.parametrize("name", ["ac1", "ac2_linear", "ac2_quadratic", "ac2_ordinal", "scott_pi", "pabak"])
@SIZES
def test_the_published_formula(name: str, size: int) -> None:
    compared = undefined = 0
    for a, b, scale, x, y in cases(size, 4):
        got = by_name(scale)[name].point(confusion(a, b, scale))
        if not x or (name != "pabak" and same_constant(x, y)):
            assert got is None
            undefined += 1
            continue
        want = by_formula(x, y, scale, name)
        assert want is not None
        assert got == pytest.approx(float(want), abs=1e-12)
        compared += 1
    assert compared >= 0.8 * size
    assert undefined > 0


@pytest.mark.parametrize("k", [2, 3, 5, 7])
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights(name: str, k: int) -> None:
    got = agreement_weights(name, k)  # type: ignore[arg-type]
    assert got == pytest.approx(np.array([[float(weight(name, i, j, k)) for j in range(k)] for i in range(k)]))
    assert got[0, -1] == 0.0
    assert (np.diag(got) == 1.0).all()


def test_ordinal_weights_by_hand() -> None:
    """On five points: one step is 1 of 10 pairs, two are 3, three are 6, four are all 10."""
    assert agreement_weights("ordinal", 5)[0] == pytest.approx([1.0, 0.9, 0.7, 0.4, 0.0])


# ----------------------------------------------------------------------------------------------------- two points


def test_two_points_by_hand() -> None:
    """40 both Yes, 9 only the person, 6 only the judge, 45 both No (Byrt et al. 1993 give the identity below)."""
    table = np.array([[45.0, 6.0], [9.0, 40.0]])
    got = {name: c.point(table) for name, c in by_name(TWO, "binary").items()}
    assert got["agreement"] == pytest.approx(0.85)
    assert got["prevalence_index"] == pytest.approx(-0.05)
    assert got["bias_index"] == pytest.approx(-0.03)
    assert got["bias"] == pytest.approx(-0.03)
    assert got["positive_agreement"] == pytest.approx(80 / 95)
    assert got["negative_agreement"] == pytest.approx(90 / 105)
    assert got["pabak"] == pytest.approx(0.7)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=4, max_size=4))
def test_byrts_identity(cells: list[int]) -> None:
    """Kappa = (PABAK - PI^2 + BI^2) / (1 - PI^2 + BI^2), which ties five functions to each other."""
    table = np.array(cells, dtype=float).reshape(2, 2)
    got = {name: c.point(table) for name, c in by_name(TWO, "binary").items()}
    if got["kappa"] is None:
        assert table.sum() in {0.0, table[0, 0], table[1, 1]}
        return
    pi, bi, pabak = got["prevalence_index"], got["bias_index"], got["pabak"]
    assert pi is not None and bi is not None and pabak is not None
    assert got["kappa"] == pytest.approx((pabak - pi**2 + bi**2) / (1 - pi**2 + bi**2), abs=1e-9)
    phi = got["pearson"]
    assert got["spearman"] == (None if phi is None else pytest.approx(phi, abs=1e-9))
    assert got["kendall"] == (None if phi is None else pytest.approx(phi, abs=1e-9))


@pytest.mark.parametrize(
    ("b", "c", "p"), [(1, 7, 10 / 256), (7, 1, 10 / 256), (0, 5, 1 / 32), (4, 4, 1.0), (0, 1, 0.5), (0, 0, None)]
)
def test_mcnemar_by_hand(b: int, c: int, p: float | None) -> None:
    """1 against 7 is the example of Fagerland et al. (2013): exact .070, mid-p .039."""
    assert mcnemar_mid_p(b, c) == (None if p is None else pytest.approx(p, abs=1e-12))


def test_mcnemar_is_the_sum_over_all_outcomes() -> None:
    for n in range(1, 40):
        for b in range(n + 1):
            k = min(b, n - b)
            tail = sum(math.comb(n, i) for i in range(k + 1))
            want = min(1.0, (2 * tail - math.comb(n, k)) / 2**n)
            assert mcnemar_mid_p(b, n - b) == pytest.approx(want, abs=1e-12)
    assert 0.0 < (mcnemar_mid_p(40_000, 60_000) or 0.0) + 1e-300 < 1e-9


# -------------------------------------------------------------------------------------------------- what must hold


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 6).flatmap(lambda k: st.lists(st.integers(0, 9), min_size=k * k, max_size=k * k)))
def test_swapping_the_raters_changes_nothing_but_the_bias(cells: list[int]) -> None:
    k = math.isqrt(len(cells))
    table = np.array(cells, dtype=float).reshape(k, k)
    for name, c in by_name(tuple(float(i) for i in range(k))).items():
        here, there = c.point(table), c.point(table.T)
        if here is None:
            assert there is None
            assert c.undefined_on(table)
            continue
        assert math.isfinite(here)
        assert there == pytest.approx(-here if name == "bias" else here, abs=1e-12)
        if name not in {"mae", "bias"}:
            # Scott's pi and kappa reach down to -1 and further only with weights; none goes above 1.
            assert here <= 1.0 + 1e-12
        assert c.batch(np.stack([table, 2 * table]))[1] == pytest.approx(here, abs=1e-9), "shares, not counts"


def test_a_stack_is_each_of_its_tables() -> None:
    stack = np.random.default_rng(0).integers(0, 9, (50, 4, 4)).astype(float)
    for c in coefficients((1, 2, 3, 4), "ordinal"):
        assert c.batch(stack) == pytest.approx([float(c.batch(t)) for t in stack], abs=1e-12, nan_ok=True)


def test_the_declared_scale_decides() -> None:
    """Ratings of 4 and 5 only: AC1 is .600 on two points and .771 on five, AC2 .976."""
    h = [4.0] * 5 + [5.0] * 5
    j = [4.0] * 4 + [5.0] * 5 + [4.0]
    narrow, wide = by_name((4.0, 5.0)), by_name(FIVE)
    assert narrow["ac1"].point(confusion(h, j, (4.0, 5.0))) == pytest.approx(0.6)
    assert narrow["ac2_quadratic"].point(confusion(h, j, (4.0, 5.0))) == pytest.approx(0.6)
    assert wide["ac1"].point(confusion(h, j, FIVE)) == pytest.approx(0.7714, abs=5e-5)
    assert wide["ac2_quadratic"].point(confusion(h, j, FIVE)) == pytest.approx(0.976, abs=5e-4)
    a, b = [1.0, 1.0, 2.0, 5.0], [1.0, 2.0, 2.0, 5.0]
    got = by_name(FIVE)["quadratic_kappa"].point(confusion(a, b, FIVE))
    assert got == pytest.approx(cohen_kappa_score(a, b, labels=list(FIVE), weights="quadratic"), abs=1e-12)
    assert got != pytest.approx(cohen_kappa_score(a, b, weights="quadratic"), abs=1e-3), "without labels it is another"


@pytest.mark.parametrize(
    ("scale", "kind", "match"),
    [
        ((1.0,), "ordinal", "at least two"),
        ((1.0, 1.0), "nominal", "at least two"),
        (FIVE, "binary", "has two points, not 5"),
        ((2.0, 1.0), "ordinal", "ascending"),
        ((1.0, 0.0), "binary", "ascending"),
    ],
)
def test_a_scale_that_cannot_be(scale: tuple[float, ...], kind: str, match: str) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        coefficients(scale, kind)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_nominal_scale_has_no_order() -> None:
    assert set(by_name((0.0, 1.0, 2.0), "nominal")) == {"agreement", "kappa", "pabak", "scott_pi", "ac1"}
    assert "within_one" not in by_name((0.0, 1.0), "ordinal"), "always 1 on two points"

"""Agreement coefficients against scikit-learn, hand-worked values and the cases in which they have none."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from judges.agreement import (
    alpha,
    cohen_kappa,
    confusion,
    exact_agreement,
    kappa_estimate,
    quadratic_kappa,
    within_one,
)
from judges.stats import wilson

FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)


def random_tables(count: int) -> list[tuple[list[float], list[float], tuple[float, ...]]]:
    rng = random.Random(20)
    made = []
    for _ in range(count):
        scale = tuple(float(v) for v in range(rng.randint(2, 6)))
        used = rng.sample(scale, rng.randint(1, len(scale)))
        n = rng.randint(1, 60)
        a = [rng.choice(used) for _ in range(n)]
        b = [x if rng.random() < 0.6 else rng.choice(used) for x in a]
        made.append((a, b, scale))
    return made


@pytest.mark.parametrize("size", [300, pytest.param(1500, marks=pytest.mark.slow)])
def test_kappas_are_those_of_scikit_learn(size: int) -> None:
    compared = undefined = 0
    for a, b, scale in random_tables(size):
        table = confusion(a, b, scale)
        assert table.sum() == len(a)
        for ours, weights in ((cohen_kappa, None), (quadratic_kappa, "quadratic")):
            got = ours(table)
            if len(set(a)) == len(set(b)) == 1 and a[0] == b[0]:
                assert got is None
                undefined += 1
                continue
            want = cohen_kappa_score(a, b, labels=list(scale), weights=weights)
            assert math.isfinite(want)
            assert got == pytest.approx(want, abs=1e-9)
            compared += 1
    assert compared >= 1.3 * size
    assert undefined > size / 150


def test_kappa_by_hand() -> None:
    """Cohen (1960): 20, 5, 10, 15 of 50 gives 0.4."""
    assert cohen_kappa(np.array([[20.0, 5.0], [10.0, 15.0]])) == pytest.approx(0.4)
    assert quadratic_kappa(np.array([[20.0, 5.0], [10.0, 15.0]])) == pytest.approx(0.4), "the same on two points"
    assert cohen_kappa(np.eye(4)) == quadratic_kappa(np.eye(4)) == 1.0
    assert cohen_kappa(np.array([[0.0, 5.0], [5.0, 0.0]])) == pytest.approx(-1.0)


def test_kappa_is_undefined_where_chance_agreement_is_complete() -> None:
    for table in (np.array([[9.0, 0.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [0.0, 9.0]]), np.zeros((3, 3))):
        assert cohen_kappa(table) is None
        assert quadratic_kappa(table) is None
    assert cohen_kappa(np.array([[0.0, 9.0], [0.0, 0.0]])) == 0.0, "two constants that differ"


def test_the_declared_scale_matters() -> None:
    """Two neighbours on a scale of five are not the ends of a scale of two."""
    a, b = [1.0, 1.0, 2.0, 5.0], [1.0, 2.0, 2.0, 5.0]
    sparse = confusion(a, b, FIVE)
    assert sparse.shape == (5, 5)
    packed = confusion(a, b, (1.0, 2.0, 5.0))
    assert quadratic_kappa(sparse) != quadratic_kappa(packed)
    assert quadratic_kappa(sparse) == pytest.approx(cohen_kappa_score(a, b, labels=list(FIVE), weights="quadratic"))


def test_confusion() -> None:
    table = confusion([1, 2, None, 3, 1], [1, 3, 2, None, 1], (1.0, 2.0, 3.0))
    assert table.tolist() == [[2, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert confusion([], [], FIVE).sum() == 0
    with pytest.raises(ValueError, match="same items"):
        confusion([1], [1, 2], FIVE)
    for off in (0, 6, 2.5):
        with pytest.raises(ValueError, match="not on the scale"):
            confusion([off], [1], FIVE)
        with pytest.raises(ValueError, match="not on the scale"):
            confusion([1], [off], FIVE)


def test_shares() -> None:
    table = confusion([1, 2, 3, 4, 5, 1], [1, 3, 3, 2, 5, 5], FIVE)
    exact, near = exact_agreement(table, 10), within_one(table)
    assert (exact.value, exact.low, exact.high) == (0.5, *wilson(3, 6))
    assert (exact.n, exact.total) == (6, 10)
    assert (near.value, near.low, near.high) == (pytest.approx(4 / 6), *wilson(4, 6))
    none = exact_agreement(np.zeros((5, 5)), 10)
    assert (none.value, none.low, none.n, none.total) == (None, None, 0, 10)
    assert none.reason


# ------------------------------------------------------------------------------------------------- kappa's interval


@pytest.mark.parametrize("kappa", [cohen_kappa, quadratic_kappa])
def test_the_reference_case(kappa: object) -> None:
    """50 items, 48 agree, one rater is constant: kappa is 0, and its interval neither [0, 0] nor [0, 1]."""
    a, b = [1.0] * 50, [1.0] * 48 + [0.0] * 2
    table = confusion(a, b, (0.0, 1.0))
    got = kappa_estimate(table, kappa)  # type: ignore[arg-type]
    assert got.value == 0.0
    assert got.low is not None
    assert got.high is not None
    assert got.low < 0 < got.high
    assert got.high - got.low > 0.02
    assert got.high < 0.95
    assert got.n == 50
    assert got.method
    five = kappa_estimate(confusion([5.0] * 50, [5.0] * 48 + [4.0] * 2, FIVE), kappa)  # type: ignore[arg-type]
    assert five.value == pytest.approx(0.0)
    assert five.low is not None
    assert five.high is not None
    assert five.high - five.low > 1e-3
    assert (five.low, five.high) != (0, 1)


def test_an_undefined_kappa_says_why() -> None:
    got = kappa_estimate(np.array([[30.0, 0.0], [0.0, 0.0]]), cohen_kappa)
    assert got.value is None
    assert got.reason
    assert got.low is not None
    assert got.high is not None
    assert -1 <= got.low < got.high <= 1
    none = kappa_estimate(np.zeros((5, 5)), quadratic_kappa, total=50)
    assert (none.value, none.low, none.n, none.total) == (None, None, 0, 50)
    assert none.reason


def test_the_interval_is_the_same_again_and_shrinks() -> None:
    table = np.array([[20.0, 5.0], [10.0, 15.0]])
    first, again = kappa_estimate(table, cohen_kappa), kappa_estimate(table, cohen_kappa)
    assert first == again
    more = kappa_estimate(table * 20, cohen_kappa)
    assert first.low is not None and first.high is not None and more.low is not None and more.high is not None
    assert first.low < 0.4 < first.high
    assert more.high - more.low < (first.high - first.low) / 3
    wide = kappa_estimate(table, cohen_kappa, level=0.99)
    assert wide.low is not None and wide.high is not None
    assert wide.low < first.low < first.high < wide.high


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_items_have_a_wide_interval_and_no_error(n: int) -> None:
    for a, b, scale in (([1.0] * n, [1.0] * n, (0.0, 1.0)), ([5.0] * n, [1.0] * n, FIVE), ([3.0] * n, [3.0] * n, FIVE)):
        for kappa in (cohen_kappa, quadratic_kappa):
            got = kappa_estimate(confusion(a, b, scale), kappa)
            assert got.low is not None
            assert got.high is not None
            assert math.isfinite(got.low)
            assert math.isfinite(got.high)
            assert got.low < got.high


def test_the_interval_covers() -> None:
    """Binary raters with a known kappa: 95 % intervals hold it about as often as they say."""
    rng = np.random.default_rng(3)
    truth = np.array([[0.55, 0.1], [0.1, 0.25]])
    kappa = cohen_kappa(truth)
    assert kappa is not None
    hit = 0
    for i in range(200):
        table = rng.multinomial(50, truth.ravel()).reshape(2, 2).astype(float)
        got = kappa_estimate(table, cohen_kappa, seed=i)
        assert got.low is not None and got.high is not None
        hit += got.low <= kappa <= got.high
    assert hit >= 180


# ----------------------------------------------------------------------------------------------------------- alpha


_ = None
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]


@pytest.mark.parametrize(
    ("level", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_of_krippendorffs_own_example(level: str, value: float) -> None:
    """Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section D."""
    assert alpha(KRIPPENDORFF, FIVE, level) == pytest.approx(value, abs=5e-4)  # type: ignore[arg-type]


def alpha_by_hand(rows: list[list[float | None]], squared: bool) -> float:
    """Nominal or interval alpha from its definition: 1 - observed over expected disagreement."""
    units = [[v for v in column if v is not None] for column in zip(*rows, strict=True)]
    units = [u for u in units if len(u) >= 2]
    everything = [v for u in units for v in u]
    n = len(everything)

    def delta(x: float, y: float) -> float:
        return (x - y) ** 2 if squared else float(x != y)

    observed = sum(delta(x, y) / (len(u) - 1) for u in units for x in u for y in u) / n
    expected = sum(delta(x, y) for x in everything for y in everything) / (n * (n - 1))
    return 1 - observed / expected


def test_alpha_is_its_definition_on_random_ratings() -> None:
    rng, compared = random.Random(5), 0
    while compared < 200:
        items, raters = rng.randint(2, 15), rng.randint(2, 4)
        rows = [[rng.choice([1.0, 2.0, 3.0, 5.0, None]) for _ in range(items)] for _ in range(raters)]
        for level, squared in (("nominal", False), ("interval", True)):
            got = alpha(rows, FIVE, level)  # type: ignore[arg-type]
            if got is None:
                continue
            assert got == pytest.approx(alpha_by_hand(rows, squared), abs=1e-9)
            compared += 1


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize(
    "rows",
    [
        [],
        [[]],
        [[1.0, 2.0, 3.0]],
        [[1.0, None], [None, 2.0]],
        [[None, None], [None, None]],
        [[3.0, 3.0, 3.0], [3.0, 3.0, 3.0]],
        [[3.0, 3.0, 1.0], [3.0, 3.0, None]],
    ],
)
def test_alpha_is_none_where_it_is_undefined(rows: list[list[float | None]], level: str) -> None:
    assert alpha(rows, FIVE, level) is None  # type: ignore[arg-type]


def test_alpha_at_the_ends() -> None:
    assert alpha([[1, 2, 3, 4], [1, 2, 3, 4]], FIVE, "ordinal") == pytest.approx(1.0)
    below = alpha([[1, 5, 1, 5], [5, 1, 5, 1]], FIVE, "nominal")
    assert below is not None
    assert below < 0
    assert alpha([[1, 2], [1, 2], [None, None]], FIVE, "nominal") == pytest.approx(1.0)


def test_alpha_refuses_what_is_off_the_scale() -> None:
    with pytest.raises(ValueError):
        alpha([[1, 2, 7], [1, 2, 3]], FIVE, "ordinal")

"""Whether a judge distorts a contrast: the test's size and power, differences, and the headline under every rater."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from judges.agreement.alpha import alpha
from judges.agreement.conditions import condition_bias, difference_agreement, headline_effects, sign_flip
from judges.stats import paired_difference

FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)
BINARY = (0.0, 1.0)

# ----------------------------------------------------------------------------------------------------------- the test


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([-2.0, -1.5, -1.0, -0.25, 0.0, 0.5, 1.0, 3.0]), max_size=9))
def test_the_exact_test_is_all_flips(differences: list[float]) -> None:
    seen = abs(sum(differences))
    flips = [
        abs(sum(s * d for s, d in zip(f, differences, strict=True))) for f in product((1, -1), repeat=len(differences))
    ]
    want = sum(f >= seen - 1e-9 for f in flips) / len(flips)
    p, name = sign_flip(np.array(differences))
    assert p == pytest.approx(want, abs=1e-10)
    assert name == "sign-flip permutation, exact"


def test_the_test_by_hand() -> None:
    """Eight items, the judge one point too high under B only: 2 of 256 flips are as extreme."""
    person = [2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 1.0]
    got = condition_bias(person, person, [v + 1 for v in person], person, FIVE)
    assert got.p_value == pytest.approx(2 / 256)
    assert got.flagged
    assert got.change.value == 1.0
    both = condition_bias([v + 1 for v in person], person, [v + 1 for v in person], person, FIVE)
    assert (both.p_value, both.flagged) == (1.0, False), "the same bias under both is no bias of the contrast"


def test_many_items_and_odd_values_take_the_t_test() -> None:
    rng = np.random.default_rng(51)
    for d in (rng.normal(size=50) + 0.2, rng.integers(-4, 5, 3000) * 1.0):
        p, name = sign_flip(d)
        assert name == "paired t"
        assert p == pytest.approx(float(ttest_1samp(d, 0).pvalue))
    near = rng.integers(-2, 3, 900) * 1.0
    p, name = sign_flip(near)
    assert name.endswith("exact")
    assert p == pytest.approx(float(ttest_1samp(near, 0).pvalue), abs=0.02), "the two meet where there are many"
    same, name = sign_flip(np.array([0.3, 0.1 + 0.2] * 6))
    assert same == pytest.approx(2 / 2**12)
    assert name.endswith("exact")
    assert sign_flip(np.full(3000, 1.0))[0] < 1e-100
    assert sign_flip(np.array([]))[0] == 1.0
    for _ in range(50):
        p, _name = sign_flip(rng.integers(-2, 3, int(rng.integers(1, 200))) * 1.0)
        assert 0 < p <= 1


def flagged(rng: np.random.Generator, studies: int, n: int, binary: bool, shift: float) -> float:
    """Share of studies flagged; a noisy judge, biased alike under both conditions, and by `shift` more under B."""
    hits = 0
    for _ in range(studies):
        if binary:
            people = (rng.random((2, n)) < 0.6) * 1.0
            wrong = rng.random((2, n)) < np.array([[0.2], [0.2]])
            judge = np.where(wrong, 1 - people, people)
            judge[1] = np.where(rng.random(n) < shift, 1.0, judge[1])
        else:
            people = rng.integers(1, 6, (2, n)) * 1.0
            noise = rng.normal(size=(2, n)) * 0.8 + 0.5 + np.array([[0.0], [shift]])
            judge = np.clip(np.round(people + noise), 1, 5)
        scale = BINARY if binary else FIVE
        hits += condition_bias(judge[0], people[0], judge[1], people[1], scale).flagged
    return hits / studies


@pytest.mark.parametrize("binary", [True, False])
def test_the_test_keeps_its_size_and_has_power(binary: bool) -> None:
    rng = np.random.default_rng(52)
    assert flagged(rng, 200, 40, binary, 0.0) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)
    assert flagged(rng, 50, 150, binary, 0.6) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("n", [15, 30, 60, 200])
def test_the_test_keeps_its_size_at_length(binary: bool, n: int) -> None:
    rate = flagged(np.random.default_rng(53), 4000, n, binary, 0.0)
    assert rate <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 4000)
    assert n < 30 or rate >= 0.015, "a test that never flags keeps its size too"


def test_gaps_and_nothing_to_test() -> None:
    got = condition_bias([1, 0, None, 1], [1, 0, 1, 1], [0, 0, 1, 1], [1, 0, 1, None], BINARY)
    assert (got.change.n, got.change.total) == (2, 4)
    none = condition_bias([None], [1.0], [1.0], [1.0], BINARY)
    assert (none.p_value, none.flagged, none.change.value) == (None, False, None)
    assert none.change.reason
    with pytest.raises(ValueError, match="same items"):
        condition_bias([1.0], [1.0], [1.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="not on the scale"):
        condition_bias([9.0], [1.0], [1.0], [1.0], BINARY)


# ------------------------------------------------------------------------------------------------------- differences


def test_agreement_on_differences_by_hand() -> None:
    judge_a, judge_b = [1, 2, 3, 4, 5, 3], [2, 2, 5, 3, 5, None]
    person_a, person_b = [1, 2, 3, 4, 4, 3], [2, 3, 4, 3, 4, 4]
    got = difference_agreement(judge_a, person_a, judge_b, person_b, FIVE)
    judge, person = [1.0, 0.0, 2.0, -1.0, 0.0], [1.0, 1.0, 1.0, -1.0, 0.0]
    points = [float(v) for v in range(-4, 5)]
    assert got.alpha.value == pytest.approx(alpha([judge, person], points, "interval"))
    assert (got.exact.value, got.direction.value) == (3 / 5, 4 / 5)
    assert got.bias.value == pytest.approx(0.0)
    assert (got.alpha.n, got.alpha.total, got.exact.total) == (5, 6, 6)


def test_agreement_under_each_condition_is_not_agreement_on_the_difference() -> None:
    """Items that differ much and conditions that differ little: the judge follows the items and misses the effect."""
    rng = np.random.default_rng(54)
    person_a = rng.integers(1, 6, 300) * 1.0
    person_b = np.clip(person_a + (rng.random(300) < 0.3), 1, 5)
    judge_a, judge_b = (np.clip(person_a + rng.integers(-1, 2, 300), 1, 5) for _ in range(2))
    each = alpha([list(judge_a), list(person_a)], FIVE, "interval")
    got = difference_agreement(judge_a, person_a, judge_b, person_b, FIVE).alpha
    assert each is not None and each > 0.7
    assert got.high is not None and got.high < 0.3
    thirds = difference_agreement([0.1, 0.2], [0.1, 0.3], [0.3, 0.3], [0.2, 0.3], (0.1, 0.2, 0.3))
    assert thirds.alpha.n == 2, "differences that are no exact numbers stay on the grid"
    none = difference_agreement([None], [1.0], [1.0], [1.0], FIVE)
    assert [e.value for e in (none.alpha, none.exact, none.direction, none.bias)] == [None] * 4
    same = difference_agreement([1.0] * 40, [1.0] * 40, [1.0] * 40, [1.0] * 40, FIVE)
    assert (same.alpha.value, same.exact.value) == (None, 1.0)
    assert same.alpha.reason


# ------------------------------------------------------------------------------------------------------- the headline


def test_the_headline_under_every_rater_and_panel() -> None:
    baseline = {"person": [1, 2, 3, 2], "a": [1, 2, 3, None], "b": [2, 2, 4, 1], "c": [5, 5, 1, 1]}
    prompted = {"person": [3, 4, 4, 2], "a": [2, 4, 3, 5], "b": [4, 4, 4, 4], "c": [1, 5, 5, 1]}
    got = headline_effects(baseline, prompted, {"panel": ["a", "b", "c"], "duo": ["a", "b"]})
    assert list(got) == ["person", "a", "b", "c", "panel", "duo"]
    assert [e.panel for e in got.values()] == [False] * 4 + [True] * 2
    person = got["person"]
    assert (person.baseline, person.prompted) == (2.0, 3.25)
    assert person.difference.value == 1.25
    assert person.relative == pytest.approx(0.625)
    want = paired_difference([1, 2, 3, 2], [3, 4, 4, 2])
    assert (person.difference.low, person.difference.high) == (want.low, want.high)
    assert "n below 30" in person.difference.reason
    assert (got["a"].difference.n, got["a"].difference.total) == (3, 4)
    assert got["panel"].difference.value == pytest.approx(((2 - 2) + (4 - 2) + (4 - 3) + (4 - 1)) / 4)
    assert got["duo"].difference.value == pytest.approx(((3 - 1.5) + (4 - 2) + (3.5 - 3.5)) / 3), (
        "no quorum on the last"
    )
    common = headline_effects(baseline, prompted, {"panel": ["a", "b", "c"]}, common=True)
    assert {e.difference.n for e in common.values()} == {3}
    assert common["person"].difference.value == pytest.approx(5 / 3)


def test_a_headline_without_values() -> None:
    got = headline_effects({"a": [None, 1.0], "z": [0.0] * 2}, {"a": [1.0, None], "z": [1.0] * 2})
    assert (got["a"].difference.value, got["a"].baseline, got["a"].relative) == (None, None, None)
    assert got["a"].difference.reason
    assert (got["z"].relative, got["z"].difference.value) == (None, 1.0), "nothing to be relative to"
    votes = headline_effects(
        {"a": [0.0], "b": [0.0], "c": [1.0]}, {"a": [1.0], "b": [1.0], "c": [0.0]}, {"p": ["a", "b", "c"]}, "majority"
    )
    assert votes["p"].difference.value == 1.0
    assert headline_effects({}, {}) == {}
    for args, reason in (
        (({"a": [1.0]}, {}), "one condition only"),
        (({"a": [1.0]}, {"a": [1.0, 2.0]}), "different numbers of items"),
        (({"a": [1.0]}, {"a": [1.0]}, {"p": ["x"]}), "unknown rater 'x'"),
        (({"a": [1.0]}, {"a": [1.0]}, {"p": []}), "is empty"),
        (({"a": [1.0]}, {"a": [1.0]}, {"a": ["a"]}), "name of a rater"),
    ):
        with pytest.raises(ValueError, match=reason):
            headline_effects(*args)  # type: ignore[arg-type]

"""A judge beside several people: the alternative annotator test and the human ceiling."""

from __future__ import annotations

import math
from itertools import combinations
from statistics import fmean, stdev

import numpy as np
import pytest
from scipy.stats import false_discovery_control, ttest_1samp

from judges.agreement.alpha import alpha
from judges.agreement.alt_test import NO_POWER, alt_test, by_rejections
from judges.agreement.ceiling import human_ceiling

FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)
BINARY = (0.0, 1.0)


def binary(rng: np.random.Generator, raters: int, n: int, prevalence: float, accuracy: float) -> np.ndarray:
    truth = rng.random(n) < prevalence
    return np.where(rng.random((raters, n)) < accuracy, truth, ~truth).astype(float)


def ordinal(rng: np.random.Generator, noise: list[float], n: int) -> np.ndarray:
    truth = rng.normal(size=n)
    return np.stack([np.clip(np.round(3 + 1.2 * (truth + s * rng.normal(size=n))), 1, 5) for s in noise])


# --------------------------------------------------------------------------------- the alternative annotator test


def plain(judge: list[float], people: list[list[float]], distance: bool, epsilon: float) -> tuple[float, list[float]]:
    """Average advantage and p values from the definition, one person and one item at a time; NaN is missing."""
    chances, p_values = [], []
    for j, person in enumerate(people):
        wins, gaps = [], []
        for i, own in enumerate(person):
            others = [p[i] for k, p in enumerate(people) if k != j and not math.isnan(p[i])]
            if math.isnan(own) or math.isnan(judge[i]) or not others:
                continue

            def score(value: float, others: list[float] = others) -> float:
                if distance:
                    return round(-math.sqrt(fmean((value - o) ** 2 for o in others)), 10)
                return round(fmean(float(value == o) for o in others), 10)

            f, h = score(judge[i]), score(own)
            wins.append(float(f >= h))
            gaps.append(float(h >= f) - float(f >= h))
        chances.append(fmean(wins))
        p_values.append(float(ttest_1samp(gaps, epsilon, alternative="less").pvalue) if stdev(gaps) else math.nan)
    return fmean(chances), p_values


@pytest.mark.parametrize("distance", [False, True])
def test_the_alternative_test_is_its_definition(distance: bool) -> None:
    rng = np.random.default_rng(31)
    for case in range(25):
        data = ordinal(rng, [0.4, 0.6, 0.6, 0.8][: 3 + case % 2], 100)
        if case % 3:
            data[1:][rng.random(data[1:].shape) < 0.25] = np.nan
            data[0, rng.random(100) < 0.1] = np.nan
        got = alt_test(data[0], data[1:], FIVE, "distance" if distance else "match", 0.15, replicates=50)
        chance, p_values = plain(data[0].tolist(), data[1:].tolist(), distance, 0.15)
        assert got.judge is not None and got.null is not None
        assert got.judge.advantage.value == pytest.approx(chance, abs=1e-12)
        assert got.judge.p_values == pytest.approx(p_values, abs=1e-12)
        assert got.judge.winning_rate == fmean(got.judge.replaces)
        assert got.judge.passed == (got.judge.winning_rate >= 0.5)


def test_the_correction_is_that_of_benjamini_and_yekutieli() -> None:
    rng = np.random.default_rng(32)
    seen = set()
    for _ in range(300):
        p = rng.random(int(rng.integers(1, 8))) ** 4
        got = by_rejections(list(p), 0.05)
        assert got == tuple(bool(v <= 0.05) for v in false_discovery_control(p, method="by"))
        seen.update(got)
    assert seen == {True, False}


def test_a_good_judge_passes_and_a_random_one_does_not() -> None:
    rng = np.random.default_rng(33)
    data = ordinal(rng, [0.2, 0.5, 0.5, 0.5], 80)
    good = alt_test(data[0], data[1:], FIVE, "distance")
    assert good.judge is not None and good.null is not None
    assert (good.judge.passed, good.null.passed, good.flag) == (True, False, "")
    assert good.judge.advantage.value is not None and good.null.advantage.value is not None
    assert good.judge.advantage.value > good.null.advantage.value
    assert good.judge.advantage.low is not None
    assert (good.people, good.items) == ((0, 1, 2), (80, 80, 80))
    bad = alt_test(rng.integers(1, 6, 80) * 1.0, data[1:], FIVE, "distance")
    assert bad.judge is not None
    assert (bad.judge.passed, bad.flag) == (False, "")


def test_a_pass_that_a_constant_judge_passes_too_is_flagged() -> None:
    """Prevalence .96: always Yes passes nearly always, so a pass says nothing; at one half it never does."""
    rng, rare, even = np.random.default_rng(34), 0, 0
    for seed in range(40):
        people = binary(rng, 3, 50, 0.96, 0.95)
        got = alt_test([1.0] * 50, people, BINARY, epsilon=0.15, replicates=50, seed=seed)
        assert got.judge == got.null, "the null judge is this judge"
        assert got.judge is not None
        assert got.flag == (NO_POWER if got.judge.passed else "")
        rare += bool(got.flag)
        other = alt_test([1.0] * 50, binary(rng, 3, 50, 0.5, 0.95), BINARY, epsilon=0.15, replicates=50)
        assert other.judge is not None
        even += other.judge.passed
    assert rare >= 36
    assert even == 0
    assert NO_POWER == "the test cannot tell it from a constant judge here"


def test_scores_that_do_not_vary_have_a_bound() -> None:
    """Everybody agrees everywhere: no t value. p is the chance to see 40 such items if the mean were epsilon."""
    rows = [[1.0, 0.0] * 20] * 3
    got = alt_test(rows[0], rows, BINARY, epsilon=0.2)
    assert got.judge is not None and got.null is not None
    assert got.judge.p_values == pytest.approx([0.8**40] * 3)
    assert got.judge.passed
    assert got.judge.advantage.value == 1.0
    assert got.judge.advantage.low is None
    assert not got.null.passed, "a constant judge is right on half of the items"
    always_worse = alt_test([0.0] * 40, [[1.0] * 40] * 2, BINARY)
    assert always_worse.judge is not None
    assert always_worse.judge.p_values == (1.0, 1.0)
    assert always_worse.judge.advantage.value == 0.0


def test_what_the_alternative_test_cannot_estimate() -> None:
    one = alt_test([1.0] * 50, [[1.0] * 50], BINARY)
    assert (one.judge, one.null, one.flag) == (None, None, "")
    assert "fewer than two people" in one.reason and "better three" in one.reason
    few = alt_test([1.0] * 29, [[1.0] * 29] * 3, BINARY)
    assert few.judge is None
    assert "share 30 items (29 at most)" in few.reason
    assert alt_test([], [], BINARY).judge is None
    apart = alt_test([1.0] * 60, [[1.0] * 30 + [None] * 30, [None] * 30 + [1.0] * 30], BINARY)
    assert apart.judge is None
    assert "(0 at most)" in apart.reason
    with pytest.raises(ValueError, match="same items"):
        alt_test([1.0], [[1.0] * 50] * 2, BINARY)
    third = alt_test([1.0, 0.0] * 20, [[1.0, 0.0] * 20] * 2 + [[1.0] * 5 + [None] * 35], BINARY)
    assert third.people == (0, 1), "who rated too little is not tested"


# -------------------------------------------------------------------------------------------------------- the ceiling


def test_the_ceiling_is_alpha_of_the_pairs() -> None:
    rng = np.random.default_rng(35)
    for case in range(10):
        data = ordinal(rng, [0.5, 0.5, 0.7, 0.6], 60)
        if case % 2:
            data[rng.random(data.shape) < 0.2] = np.nan
        got = human_ceiling(data[0], data[1:], FIVE, "ordinal", replicates=200)
        to_judge = fmean(alpha(data[[0, i]], FIVE, "ordinal") for i in (1, 2, 3))  # type: ignore[misc]
        people = fmean(alpha(data[list(p)], FIVE, "ordinal") for p in combinations((1, 2, 3), 2))  # type: ignore[misc]
        assert got.judge.value == pytest.approx(to_judge, abs=1e-12)
        assert got.people.value == pytest.approx(people, abs=1e-12)
        assert got.difference.value == pytest.approx(to_judge - people, abs=1e-12)
        assert got.difference.low is not None
        assert got.non_inferior == (got.difference.low > -0.1)
        assert got.as_dict()["margin"] == 0.1


def test_pairing_narrows_the_difference() -> None:
    rng = np.random.default_rng(36)
    data = ordinal(rng, [0.5, 0.5, 0.5], 80)
    got = human_ceiling(data[0], data[1:], FIVE, "ordinal")
    width = {n: getattr(got, n).high - getattr(got, n).low for n in ("judge", "people", "difference")}
    assert width["difference"] < math.hypot(width["judge"], width["people"])


def test_non_inferiority_needs_the_margin() -> None:
    rng = np.random.default_rng(37)
    equal, worse = ordinal(rng, [0.4, 0.4, 0.4], 400), ordinal(rng, [2.0, 0.4, 0.4], 400)
    good = human_ceiling(equal[0], equal[1:], FIVE, "ordinal", 0.15)
    assert (good.non_inferior, good.equivalent) == (True, True)
    assert human_ceiling(equal[0], equal[1:], FIVE, "ordinal", 1e-6).non_inferior is False
    assert human_ceiling(worse[0], worse[1:], FIVE, "ordinal", 0.15).non_inferior is False
    better = ordinal(rng, [0.1, 0.9, 0.9], 400)
    best = human_ceiling(better[0], better[1:], FIVE, "ordinal", 0.05)
    assert (best.non_inferior, best.equivalent) == (True, False)
    for margin in (0.0, -0.1, math.nan):
        with pytest.raises(ValueError, match="above 0"):
            human_ceiling(equal[0], equal[1:], FIVE, "ordinal", margin)


def test_non_inferiority_keeps_its_size() -> None:
    """A judge that is worse by exactly the margin passes at most about 2.5 % of the time."""
    rng, passed = np.random.default_rng(38), 0
    big = ordinal(rng, [0.9, 0.5, 0.5], 300_000)
    gap = human_ceiling(big[0], big[1:], FIVE, "ordinal", replicates=2).difference.value
    assert gap is not None and gap < -0.05
    for seed in range(200):
        data = ordinal(rng, [0.9, 0.5, 0.5], 60)
        passed += bool(human_ceiling(data[0], data[1:], FIVE, "ordinal", -gap, replicates=300, seed=seed).non_inferior)
    assert passed <= 0.06 * 200


def test_one_person_has_no_ceiling() -> None:
    rng = np.random.default_rng(39)
    data = ordinal(rng, [0.5, 0.5], 50)
    got = human_ceiling(data[0], data[1:], FIVE, "ordinal")
    assert (got.people.value, got.difference.value, got.non_inferior, got.equivalent) == (None, None, None, None)
    assert "not estimable with one person" in got.people.reason and "two people or more" in got.people.reason
    assert got.judge.value == pytest.approx(alpha(data, FIVE, "ordinal"))
    none = human_ceiling(data[0], [], FIVE, "ordinal")
    assert none.judge.value is None
    assert "not estimable" in none.judge.reason
    constant = human_ceiling([1.0] * 40, [[1.0] * 40] * 2, BINARY, "nominal")
    assert (constant.difference.value, constant.non_inferior) == (None, None)
    assert constant.difference.reason
    with pytest.raises(ValueError, match="same items"):
        human_ceiling([1.0], [[1.0] * 40] * 2, BINARY, "nominal")

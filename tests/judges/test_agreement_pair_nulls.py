"""Null judges: a judge that reads nothing beats none of them, one that reads beats all."""

from __future__ import annotations

import random
from itertools import combinations_with_replacement

import numpy as np
import pytest

from judges.agreement import cohen_kappa, confusion
from judges.agreement.intervals import FEW, TOO_NARROW, Kind, coefficients
from judges.agreement.length_null import Codes, _steps, length_only
from judges.agreement.nulls import NullComparison, compare_nulls

FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)
TWO = (0.0, 1.0)


def codes(values: object) -> Codes:
    return np.array(values, dtype=np.int64)


def one(made: tuple[NullComparison, ...], null: str, coefficient: str) -> NullComparison:
    return next(c for c in made if (c.null, c.coefficient) == (null, coefficient))


def noisy(rng: np.random.Generator, human: Codes, k: int, right: float) -> Codes:
    return np.where(rng.random(human.size) < right, human, rng.integers(0, k, human.size))


# ---------------------------------------------------------------------------------------------------------- constant


@pytest.mark.parametrize("n", [30, 50, 500, 5000])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.8, 0.96, 1.0])
@pytest.mark.parametrize("seeds", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_always_yes_never_beats_the_constant_null(share: float, n: int, seeds: int) -> None:
    """Nor does always No, at any prevalence and any number of items."""
    for seed in range(seeds):
        human = codes(np.random.default_rng(seed).random(n) < share)
        for answer in (0, 1):
            made = compare_nulls(human, np.full(n, answer), TWO, "binary", seed=seed)
            constant = [c for c in made if c.null == "constant"]
            assert len(constant) >= 13
            for c in constant:
                assert c.beats is not True, c
                if c.difference.value is not None:
                    assert c.difference.value <= 1e-12
                    assert c.difference.low is not None and c.difference.low <= 0
            assert one(made, "random", "kappa").beats is not True


@pytest.mark.parametrize("kind", ["ordinal", "nominal"])
def test_no_constant_judge_beats_the_constant_null(kind: Kind) -> None:
    """Also where the most frequent value is not the one that loses least: people split between the two ends."""
    rng = np.random.default_rng(1)
    for seed in range(6):
        weights = rng.dirichlet(np.full(5, 0.5))
        human = codes(rng.choice(5, 60, p=weights))
        for at in range(5):
            for c in compare_nulls(human, np.full(60, at), FIVE, kind, seed=seed):
                if c.null == "constant":
                    assert c.beats is not True, (at, c)
    ends = codes([0] * 26 + [4] * 24)
    made = compare_nulls(ends, np.full(50, 2), FIVE, "ordinal")
    assert one(made, "constant", "agreement").value == pytest.approx(0.52), "the most frequent value"
    middle = one(made, "constant", "ac2_quadratic")
    assert middle.judge == middle.value, "in the middle of the scale nothing is far off"


def test_the_constant_null_by_hand() -> None:
    """48 Yes and 2 No: always Yes agrees on 96 % with a kappa of 0 and an AC1 of .958, whatever the judge does."""
    human = codes([1] * 48 + [0] * 2)
    judge = codes([1] * 40 + [0] * 10)
    made = compare_nulls(human, judge, TWO, "binary")
    values = {c.coefficient: c.value for c in made if c.null == "constant"}
    assert values["agreement"] == pytest.approx(0.96)
    assert values["kappa"] == 0.0
    assert values["ac1"] == pytest.approx(0.9584, abs=5e-5)
    assert values["pabak"] == pytest.approx(0.92)
    assert values["pearson"] is None
    assert "constant rater" in one(made, "constant", "pearson").reason
    assert one(made, "constant", "agreement").difference.value == pytest.approx(42 / 50 - 0.96)
    assert one(made, "constant", "mae").difference.value == pytest.approx(2 / 50 - 8 / 50), "null - judge for distances"


# ------------------------------------------------------------------------------------------------------------ random


def test_the_random_null_is_what_shuffled_raters_reach() -> None:
    """Its expected share of agreement is the sum of squared shares; drawn by brute force it is the same."""
    human = codes([0] * 30 + [1] * 15 + [2] * 5)
    made = compare_nulls(human, human, (1.0, 2.0, 3.0), "ordinal")
    agreement, mae = one(made, "random", "agreement"), one(made, "random", "mae")
    assert agreement.value == pytest.approx(0.36 + 0.09 + 0.01)
    rng = random.Random(3)
    pool = human.tolist()
    drawn = [[rng.choice(pool) for _ in pool] for _ in range(2000)]
    assert np.mean([np.mean(np.array(d) == human) for d in drawn]) == pytest.approx(agreement.value, abs=0.01)
    assert np.mean([np.mean(np.abs(np.array(d) - human)) for d in drawn]) == pytest.approx(mae.value, abs=0.01)
    for name in ("kappa", "quadratic_kappa", "scott_pi", "pearson", "spearman", "kendall"):
        assert one(made, "random", name).value == 0.0


def test_a_judge_that_guesses_rarely_beats_the_random_null() -> None:
    """It does so in about one study of forty, the share that a two-sided 95 % interval leaves above."""
    rng, won = np.random.default_rng(7), 0
    for seed in range(80):
        human, judge = codes(rng.random(60) < 0.7), codes(rng.random(60) < 0.7)
        won += one(compare_nulls(human, judge, TWO, "binary", seed=seed), "random", "kappa").beats is True
    assert won <= 6


def test_a_judge_that_reads_beats_them_all() -> None:
    rng = np.random.default_rng(0)
    for scale, kind in ((TWO, "binary"), (FIVE, "ordinal"), (FIVE, "nominal")):
        k = len(scale)
        human = codes(rng.integers(0, k, 150))
        lengths = rng.integers(50, 900, 150).tolist()
        made = compare_nulls(human, noisy(rng, human, k, 0.9), scale, kind, lengths)  # type: ignore[arg-type]
        assert {c.null for c in made} == {"constant", "random", "length"}
        for c in made:
            undefined = c.null == "constant" and c.coefficient in {"pearson", "spearman", "kendall"}
            assert c.beats is (None if undefined else True), c
            assert bool(c.reason) == undefined


# ------------------------------------------------------------------------------------------------------------ length


def test_the_length_null_finds_what_length_tells() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(20, 2000, 300).astype(float)
    yes = codes(lengths > 400)
    assert np.mean(length_only(yes, lengths, 2, "binary") == yes) > 0.95
    five = codes(np.searchsorted([100, 300, 700, 1400], lengths))
    got = length_only(five, lengths, 5, "ordinal")
    assert np.mean(np.abs(got - five)) < 0.3
    middle = codes((lengths > 200) & (lengths < 900))
    assert np.mean(length_only(middle, lengths, 2, "binary") == middle) > 0.7, "not only the longer, the more"
    assert np.mean(length_only(five, lengths, 5, "nominal") == five) > 0.5


def test_the_length_null_finds_a_rare_answer() -> None:
    """A rule that only minimised its errors would never give it, and its kappa would be 0."""
    rng = np.random.default_rng(2)
    lengths = rng.integers(1, 1000, 400).astype(float)
    human = codes(np.where(lengths < 100, rng.random(400) < 0.6, 1))
    got = length_only(human, lengths, 2, "binary")
    kappa = cohen_kappa(confusion(human.tolist(), got.tolist(), TWO))
    assert kappa is not None and kappa > 0.3
    noise = length_only(codes(rng.random(400) < 0.5), lengths, 2, "binary")
    assert abs(np.corrcoef(noise, human)[0, 1]) < 0.2, "lengths that tell nothing"


def test_the_steps_are_the_best_by_brute_force() -> None:
    rng = np.random.default_rng(6)
    for _ in range(60):
        n, k = int(rng.integers(1, 8)), int(rng.integers(2, 5))
        human, score, weight = codes(rng.integers(0, k, n)), rng.integers(0, 5, n).astype(float), rng.random(n)
        cuts, values = _steps(human, score, weight, k)
        levels = np.unique(score)
        assert (np.diff(values) >= 0).all() and len(cuts) == levels.size - 1

        place = np.searchsorted(levels, score)
        rules = [values, *(codes(r) for r in combinations_with_replacement(range(k), levels.size))]
        losses = [float((weight * np.abs(human - rule[place])).sum()) for rule in rules]
        assert losses[0] == pytest.approx(min(losses[1:]), abs=1e-12)
        assert (values[np.searchsorted(cuts, score)] == values[np.searchsorted(levels, score)]).all()


def test_more_lengths_than_steps_lose_little() -> None:
    """Of 1,500 scores, a thousand quantiles: where the answer changes is missed by two items at most."""
    human = codes(np.arange(1500) >= 701)
    cuts, values = _steps(human, np.arange(1500.0), np.ones(1500), 2)
    assert len(values) == 1000 == len(cuts) + 1 and (np.diff(values) >= 0).all()
    assert (values[np.searchsorted(cuts, np.arange(1500.0))] != human).sum() <= 2


def test_no_item_is_predicted_from_itself() -> None:
    """Changing one item's rating changes no prediction within its own fold, so not its own."""
    rng = np.random.default_rng(5)
    human, lengths = codes(rng.integers(0, 5, 60)), rng.integers(1, 500, 60).astype(float)
    before = length_only(human, lengths, 5, "ordinal")
    for i in range(0, 60, 7):
        other = human.copy()
        other[i] = 4 - other[i] if other[i] != 2 else 0
        assert length_only(other, lengths, 5, "ordinal")[i] == before[i]


def test_a_judge_of_length_does_not_beat_the_length_null() -> None:
    """A judge that says Yes to whatever is long agrees with people, and no better than its length alone does.

    It knows the threshold that the null must learn, so the held-out null alone would lose now and then.
    """
    rng, won = np.random.default_rng(3), 0
    for seed in range(15):
        lengths = rng.integers(20, 2000, 120).astype(float)
        human = noisy(rng, codes(lengths > 900), 2, 0.8)
        made = compare_nulls(human, codes(lengths > 900), TWO, "binary", lengths.tolist(), seed)
        assert one(made, "constant", "kappa").beats is True
        assert one(made, "random", "kappa").beats is True
        won += one(made, "length", "kappa").beats is True
    assert won == 0


def test_nor_does_one_on_five_points() -> None:
    """There the held-out null is blurred: it alone would let such a judge win in one study of three."""
    rng, above, won = np.random.default_rng(0), 0, 0
    for seed in range(10):
        lengths = rng.integers(20, 2000, 100).astype(float)
        judge = codes(np.searchsorted([300, 700, 1100, 1500], lengths))
        human = np.clip(judge + rng.integers(-1, 2, 100), 0, 4)
        got = one(compare_nulls(human, judge, FIVE, "ordinal", lengths.tolist(), seed), "length", "quadratic_kappa")
        above += (got.difference.low or 0.0) > 0
        won += got.beats is True
        assert ("fitted to all these items" in got.reason) == (got.beats is False and (got.difference.low or 0.0) > 0)
    assert won == 0 < above


def test_equal_lengths_and_two_items_are_no_error() -> None:
    human = codes([0, 1] * 20)
    assert set(length_only(human, np.full(40, 7.0), 2, "binary")) <= {0, 1}
    assert length_only(codes([0, 4]), np.array([1.0, 2.0]), 5, "ordinal").shape == (2,)
    assert length_only(codes([3, 3, 3]), np.array([0.0, 0.0, 9.0]), 5, "nominal").tolist() == [3, 3, 3]


def test_lengths_that_are_lacking() -> None:
    human = codes([0, 1] * 20)
    without = compare_nulls(human, human, TWO, "binary")
    assert one(without, "length", "kappa").beats is None
    assert "give the lengths" in one(without, "length", "kappa").reason
    some: list[float | None] = [float(i) if i < 35 else None for i in range(40)]
    part = one(compare_nulls(human, human, TWO, "binary", some), "length", "kappa")
    assert (part.difference.n, part.difference.total) == (35, 40)
    few = one(compare_nulls(human, human, TWO, "binary", [1.0] * 9 + [None] * 31), "length", "kappa")
    assert few.beats is None and few.reason.startswith("not estimable: 9 items")
    with pytest.raises(ValueError, match="39 lengths for 40 items"):
        compare_nulls(human, human, TWO, "binary", [1.0] * 39)
    with pytest.raises(ValueError, match="39 conditions for 40 items"):
        compare_nulls(human, human, TWO, "binary", conditions=["a", *["b"] * 38])
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="negative or no finite"):
            compare_nulls(human, human, TWO, "binary", [wrong] * 40)


# --------------------------------------------------------------------------------------------------------- few items


def test_below_thirty_items_no_judge_beats_anything() -> None:
    human = codes([0, 1] * 14)
    for c in compare_nulls(human, human, TWO, "binary", [1.0] * 28):
        assert c.beats is None
        assert c.reason
    assert TOO_NARROW in one(compare_nulls(human, human, TWO, "binary"), "random", "kappa").reason
    more = codes([0, 1] * (FEW // 2))
    assert one(compare_nulls(more, more, TWO, "binary"), "random", "kappa").beats is True


def test_no_items_at_all() -> None:
    made = compare_nulls(codes([]), codes([]), FIVE, "ordinal", [])
    assert len(made) == 3 * sum(c.better != "neither" for c in coefficients(FIVE, "ordinal"))
    for c in made:
        assert (c.judge, c.beats) == (None, None)
        assert "not estimable" in c.reason

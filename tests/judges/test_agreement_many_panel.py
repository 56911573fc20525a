"""A panel's votes, what a judge adds, and one judge against itself."""

from __future__ import annotations

import math
from itertools import combinations
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges.agreement.alpha import alpha
from judges.agreement.panel import leave_one_out, panel_errors, panel_values
from judges.agreement.repeats import flip_rate, intra_rater
from judges.combine import combine_criterion
from judges.stats import mean_estimate
from rubrics.loader import load_rubric

FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)
BINARY = (0.0, 1.0)
PAPER = load_rubric("paper")


def judges(rng: np.random.Generator, m: int, n: int, shared: float) -> tuple[np.ndarray, np.ndarray]:
    """Verdicts and gold; a share of the items is hard, and there all judges copy one wrong or right verdict."""
    gold = (rng.random(n) < 0.6).astype(float)
    copied = rng.random(n) < shared
    wrong = np.where(copied, rng.random(n) < 0.2, rng.random((m, n)) < 0.2)
    return np.where(wrong, 1 - gold, gold), gold


# -------------------------------------------------------------------------------------------------------- the votes


def test_votes_by_hand() -> None:
    """Three judges, eight items; two err alike and the third apart."""
    gold = [1, 1, 1, 1, 0, 0, 0, 0]
    first = [0, 0, 1, 1, 0, 0, 0, 0]
    third = [1, 1, 0, 0, 0, 0, 0, 0]
    got = panel_errors([first, first, third], gold, BINARY, "nominal")
    assert got.errors == "wrong or right"
    assert got.correlations[0][1] == pytest.approx(1.0)
    assert got.correlations[0][2] == pytest.approx(-1 / 3)
    assert got.correlations[1][1] == 1.0
    rho = (1 - 1 / 3 - 1 / 3) / 3
    assert got.mean.value == pytest.approx(rho)
    assert got.votes.value == pytest.approx(3 / (1 + 2 * rho))
    assert got.as_dict()["errors"] == "wrong or right"


def test_correlations_are_those_of_numpy() -> None:
    rng = np.random.default_rng(21)
    for case in range(60):
        data = rng.integers(1, 6, (4, 30)) * 1.0
        gold = rng.integers(1, 6, 30) * 1.0
        data[rng.random(data.shape) < 0.3 * (case % 2)] = np.nan
        ordinal = case % 3 > 0
        errors = data - gold if ordinal else np.where(np.isnan(data), np.nan, (data != gold) * 1.0)
        got = panel_errors(data, gold, FIVE, "ordinal" if ordinal else "nominal", replicates=20)
        assert got.errors == ("judge minus gold" if ordinal else "wrong or right")
        want = []
        for i, j in combinations(range(4), 2):
            both = ~np.isnan(errors[i]) & ~np.isnan(errors[j])
            if min(np.ptp(errors[i][both]), np.ptp(errors[j][both])) == 0:
                assert got.correlations[i][j] is None
                continue
            want.append(np.corrcoef(errors[i][both], errors[j][both])[0, 1])
            assert got.correlations[i][j] == pytest.approx(want[-1], abs=1e-12)
        assert got.mean.value == pytest.approx(fmean(want), abs=1e-12)


def test_independent_judges_are_worth_their_number_and_copies_one() -> None:
    rng = np.random.default_rng(22)
    apart = panel_errors(*judges(rng, 5, 4000, 0.0), BINARY, "nominal").votes
    alike = panel_errors(*judges(rng, 5, 4000, 0.99), BINARY, "nominal").votes
    assert apart.value is not None and alike.value is not None
    assert apart.value == pytest.approx(5, rel=0.1)
    assert 1 <= alike.value < 1.1
    data, gold = judges(rng, 1, 200, 0.0)
    same = panel_errors(np.tile(data, (5, 1)), gold, BINARY, "nominal")
    assert same.votes.value == pytest.approx(1.0)
    assert same.votes.low is None
    assert "all have the same" in same.votes.reason


def test_errors_that_mirror_each_other_have_no_interval() -> None:
    """Two alike and one opposite: (1 - 1 - 1) / 3 in every resample, which is no certainty."""
    errors = np.array([-1.0, 0.0, 1.0] * 20)
    got = panel_errors([3 + errors, 3 + errors, 3 - errors], [3.0] * 60, FIVE, "ordinal", replicates=50)
    assert got.mean.value == pytest.approx(-1 / 3) and (got.mean.low, got.votes.low) == (None, None)
    assert "all have the same" in got.mean.reason


def test_the_votes_interval_covers() -> None:
    rng, hits = np.random.default_rng(23), 0
    truth = panel_errors(*judges(rng, 4, 300_000, 0.4), BINARY, "nominal", replicates=5).votes.value
    assert truth is not None
    for seed in range(200):
        got = panel_errors(*judges(rng, 4, 80, 0.4), BINARY, "nominal", replicates=300, seed=seed).votes
        assert got.low is not None and got.high is not None and got.value is not None
        assert got.low <= got.value <= got.high
        hits += got.low <= truth <= got.high
    assert hits >= 180


def test_a_judge_without_errors_has_no_correlation() -> None:
    gold = [1.0, 0.0] * 20
    wrong = [1.0 - g if i % 5 == 0 else g for i, g in enumerate(gold)]
    other = [1.0 - g if i % 7 == 0 else g for i, g in enumerate(gold)]
    got = panel_errors([gold, wrong, other], gold, BINARY, "nominal")
    assert got.correlations[0][1] is None
    assert got.mean.value == got.correlations[1][2]
    assert "2 of 3 pairs have no correlation" in got.mean.reason
    perfect = panel_errors([gold, gold], gold, BINARY, "nominal")
    assert (perfect.mean.value, perfect.votes.value) == (None, None)
    assert perfect.votes.reason
    assert panel_errors([gold], gold, BINARY, "nominal").votes.reason == "fewer than two judges"
    unlabelled = panel_errors([gold, wrong], [None] * 40, BINARY, "nominal")
    assert (unlabelled.votes.value, unlabelled.votes.n, unlabelled.votes.total) == (None, 0, 40)
    with pytest.raises(ValueError, match="same items"):
        panel_errors([gold, wrong], [1.0], BINARY, "nominal")


def test_errors_that_cancel_have_no_bound() -> None:
    gold = [3.0] * 40
    first = [3.0 + (1 if i % 2 else -1) for i in range(40)]
    second = [6.0 - v for v in first]
    got = panel_errors([first, second], gold, FIVE, "interval").votes
    assert got.value is None
    assert "no bound" in got.reason


# --------------------------------------------------------------------------------------------------- panels of judges


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.sampled_from([None, 0.0, 1.0]), min_size=3, max_size=3), min_size=1, max_size=6))
def test_panels_follow_the_panels_rule(rows: list[list[float | None]]) -> None:
    for criterion, rule in ((PAPER.criteria[0], "majority"), (PAPER.criteria[1], "median")):
        assert criterion.scale == ("binary" if rule == "majority" else "ordinal")
        got = panel_values(rows, rule)  # type: ignore[arg-type]
        for i, value in enumerate(got):
            given_values = [v for v in (row[i] for row in rows) if v is not None]
            want = combine_criterion(criterion, given_values, len(rows)).value
            assert (want is None and math.isnan(value)) or value == want


def test_leaving_a_judge_out() -> None:
    """A judge that answers by chance costs the panel agreement; the change is that of alpha computed apart."""
    rng = np.random.default_rng(24)
    gold = rng.integers(1, 6, 200) * 1.0
    good = np.clip(gold + rng.integers(-1, 2, (2, 200)), 1, 5)
    data = np.vstack([good, rng.integers(1, 6, 200) * 1.0])
    got = leave_one_out(data, gold, FIVE, "ordinal", "median")
    points = [v / 2 for v in range(2, 11)]
    full = alpha(np.vstack([gold, panel_values(data, "median")]), points, "ordinal")
    assert full is not None
    for j, estimate in enumerate(got):
        without = panel_values(np.delete(data, j, axis=0), "median")
        rest = alpha(np.vstack([gold, without]), points, "ordinal")
        assert rest is not None
        assert estimate.value == pytest.approx(rest - full, abs=1e-12)
        assert estimate.low is not None and estimate.high is not None
        assert estimate.low <= estimate.value <= estimate.high  # type: ignore[operator]
        assert (estimate.n, estimate.total) == (200, 200)
    assert got[2].low is not None and got[2].low > 0
    assert got[0].high is not None and got[0].high < 0


def test_leaving_out_where_it_says_nothing() -> None:
    with pytest.raises(ValueError, match="gold has 1 items and the judges 2"):
        leave_one_out([[1.0, 0.0]] * 2, [1.0], BINARY, "nominal", "majority")
    assert leave_one_out([[1.0] * 40], [1.0] * 40, BINARY, "nominal", "majority")[0].reason.startswith("a panel of one")
    constant = leave_one_out([[1.0] * 40] * 3, [1.0] * 40, BINARY, "nominal", "majority")
    assert [e.value for e in constant] == [None] * 3
    assert all(e.reason for e in constant)
    copies = leave_one_out([[1.0, 0.0] * 20] * 3, [1.0, 0.0] * 20, BINARY, "nominal", "majority")
    assert [(e.value, e.low) for e in copies] == [(0.0, None)] * 3
    assert "no sample can promise" in copies[0].reason
    empty = leave_one_out([[], []], [], BINARY, "nominal", "majority")
    assert [e.value for e in empty] == [None, None]


# --------------------------------------------------------------------------------------------------------- repeats


def test_flips_by_hand() -> None:
    """Three repeats: pairs that differ are 0, 2 and 2 of 3, and 1 of 1; the last item has one repeat only."""
    repeats = [[1, 1, 2, 5, 3], [1, 2, 2, None, None], [1, 1, 5, 4, None]]
    got = flip_rate(repeats, FIVE)
    want = mean_estimate([0, 2 / 3, 2 / 3, 1], (0, 1), 5)
    assert (got.value, got.low, got.high) == pytest.approx((want.value, want.low, want.high))
    assert (got.n, got.total) == (4, 5)
    whole = intra_rater(repeats, FIVE, "ordinal")
    assert whole.flips == got
    assert whole.distance.value == pytest.approx(fmean([0, 2 / 3, 2, 1]))
    assert whole.unanimous.value == pytest.approx(1 / 4)
    assert whole.alpha.value == alpha(repeats, FIVE, "ordinal")
    assert set(whole.as_dict()) == {"alpha", "flips", "distance", "unanimous"}
    assert "nominal values have no distance" in intra_rater(repeats, FIVE, "nominal").distance.reason


def test_the_item_is_the_unit_of_repeats() -> None:
    """More repeats of the same items do not make the interval that of more items."""
    rng = np.random.default_rng(25)
    hard = rng.random(60) < 0.3
    few = (hard[None, :] & (rng.random((2, 60)) < 0.5)) * 1.0
    many = (hard[None, :] & (rng.random((50, 60)) < 0.5)) * 1.0
    assert flip_rate(few, BINARY).n == flip_rate(many, BINARY).n == 60
    width = [e.high - e.low for e in (flip_rate(few, BINARY), flip_rate(many, BINARY))]  # type: ignore[operator]
    assert width[1] > width[0] / 2


def test_no_flips_seen_is_not_no_flips() -> None:
    got = intra_rater([[1.0, 0.0] * 25] * 3, BINARY, "nominal")
    assert got.flips.value == 0.0
    assert got.flips.high is not None and 0.05 < got.flips.high < 0.1
    assert got.alpha.value == 1.0
    one = intra_rater([[1.0, 0.0] * 25], BINARY, "nominal")
    assert [one.flips.value, one.alpha.value, one.unanimous.value] == [None] * 3
    assert all(e.reason for e in (one.flips, one.alpha, one.unanimous, one.distance))


def test_flips_are_brute_force() -> None:
    rng = np.random.default_rng(26)
    for _ in range(50):
        data = rng.integers(1, 6, (int(rng.integers(2, 6)), 12)) * 1.0
        data[rng.random(data.shape) < 0.3] = np.nan
        shares = []
        for column in data.T:
            given_values = column[~np.isnan(column)]
            pairs = list(combinations(given_values, 2))
            if pairs:
                shares.append(fmean(float(a != b) for a, b in pairs))
        assert flip_rate(data, FIVE).value == pytest.approx(fmean(shares))

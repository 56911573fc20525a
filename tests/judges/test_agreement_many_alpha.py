"""Alpha of many raters: resamples against the package, intervals against truth, and what has no alpha."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import product

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges.agreement.alpha import alpha, alpha_estimate, bootstrap_alphas
from judges.agreement.alpha_resample import (
    Level,
    alphas,
    bootstrap_weights,
    cluster_table,
    compress,
    multinomial_weights,
    patterns,
    percentile_interval,
    ratings_matrix,
    ratings_row,
    shared_alphas,
)

LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")
FIVE = (1.0, 2.0, 3.0, 4.0, 5.0)
BINARY = (0.0, 1.0)


def ratings(rng: np.random.Generator, most: int = 40) -> tuple[np.ndarray, list[float]]:
    """Random raters with a common truth and up to 40 % missing, on a scale of which not all points need occur."""
    raters, items, k = int(rng.integers(2, 7)), int(rng.integers(2, most)), int(rng.integers(2, 7))
    truth = rng.integers(0, k, items)
    data = np.where(rng.random((raters, items)) < rng.random(), truth, rng.integers(0, k, (raters, items))) * 1.0
    data[rng.random(data.shape) < rng.random() * 0.4] = np.nan
    return data, [float(v) for v in range(k)]


def package(data: np.ndarray, scale: list[float], level: Level) -> float | None:
    """The package's alpha, None where the ratings leave it undefined."""
    kept = data[:, (~np.isnan(data)).sum(axis=0) >= 2]
    if np.unique(kept[~np.isnan(kept)]).size < 2:
        return None
    return float(krippendorff.alpha(reliability_data=kept, value_domain=scale, level_of_measurement=level))


# ------------------------------------------------------------------------------------------------------- the kernel


def test_a_thousand_cases_are_those_of_the_package() -> None:
    rng, compared, undefined = np.random.default_rng(1), 0, 0
    for _ in range(400):
        data, scale = ratings(rng)
        for level in LEVELS:
            found = patterns(data, scale, level)
            got, want = alphas(found, found.weights[None, :])[0], package(data, scale, level)
            assert (want is None) == math.isnan(got)
            assert alpha(data, scale, level) == want
            if want is None:
                undefined += 1
                continue
            assert abs(got - want) <= 1e-12
            compared += 1
    assert compared >= 1000
    assert undefined > 10


@pytest.mark.parametrize("clustered", [False, True])
def test_every_resample_is_that_of_the_package(clustered: bool) -> None:
    """Weights turned back into items: the package on those items gives the same alpha, undefined ones included."""
    rng, compared, undefined = np.random.default_rng(2), 0, 0
    for case in range(40):
        data, scale = ratings(rng, most=15)
        level = LEVELS[case % 4]
        clusters = [int(c) for c in rng.integers(0, 4, data.shape[1])] if clustered else None
        found = patterns(data, scale, level)
        weights = bootstrap_weights(found, 12, seed=case, clusters=clusters)
        example = np.array([int(np.flatnonzero(found.item == p)[0]) for p in range(len(found.pairable))])
        for got, w in zip(alphas(found, weights), weights, strict=True):
            want = package(data[:, np.repeat(example, w.astype(int))], scale, level)
            assert (want is None) == math.isnan(got)
            if want is None:
                undefined += 1
                continue
            assert abs(got - want) <= 1e-12
            compared += 1
        again = bootstrap_alphas(data, scale, level, replicates=12, seed=case, clusters=clusters)
        assert np.array_equal(again, alphas(found, weights), equal_nan=True)
    assert compared > 300
    assert undefined > 3


def test_the_bootstrap_is_that_of_a_loop() -> None:
    """Mean and spread of a loop over items with the package; other random numbers, the same distribution."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 5, 60)
    data = np.where(rng.random((3, 60)) < 0.6, truth, rng.integers(0, 5, (3, 60))) * 1.0
    data[rng.random(data.shape) < 0.2] = np.nan
    scale = [0.0, 1.0, 2.0, 3.0, 4.0]
    loop = np.array([package(data[:, rng.integers(0, 60, 60)], scale, "ordinal") for _ in range(1500)], dtype=float)
    fast = bootstrap_alphas(data, scale, "ordinal", replicates=20_000)
    assert abs(loop.mean() - fast.mean()) < 5 * fast.std() / math.sqrt(1500)
    assert loop.std() == pytest.approx(fast.std(), rel=0.1)


def test_patterns_keep_what_alpha_needs() -> None:
    data = np.array([[1, 1, 2, np.nan, 3], [1, 2, 1, np.nan, np.nan], [np.nan, 2, 2, 1, np.nan]], dtype=float)
    found = patterns(data, (3.0, 1.0, 2.0), "nominal")
    assert found.points.tolist() == [1, 2, 3]
    assert found.n == 3
    assert found.item[1] == found.item[2], "who gave which value does not matter"
    assert found.weights.sum() == 5
    assert found.item[3] == found.item[4], "items with fewer than two ratings are alike"
    assert not found.pairable[found.item[3]]
    many = patterns(np.tile(np.arange(40.0), (40, 1)), list(map(float, range(40))), "nominal")
    assert len(many.pairable) == 40, "a scale too long for one number a row is compressed all the same"
    assert many.weights.tolist() == [1.0] * 40


def test_clusters_are_drawn_whole() -> None:
    data = np.array([[0, 0, 1, 1, 1], [0, 1, 1, 1, 0]], dtype=float)
    found = patterns(data, BINARY, "nominal")
    table = cluster_table(found, ["a", "a", "b", "b", "b"])
    assert table.shape == (2, len(found.pairable))
    drawn = bootstrap_weights(found, 200, clusters=["a", "a", "b", "b", "b"])
    allowed = {tuple(table[0] * 2), tuple(table.sum(axis=0)), tuple(table[1] * 2)}
    assert {tuple(row) for row in drawn} == allowed
    numbers = [7, 7, 3, 3, 3]
    assert (cluster_table(found, numbers) == table).all(), "whatever clusters are called, they stand as they appear"
    assert (bootstrap_weights(found, 200, clusters=numbers) == drawn).all()
    with pytest.raises(ValueError, match="give one an item"):
        bootstrap_weights(found, 5, clusters=["a"])
    with pytest.raises(ValueError, match="give one an item"):
        alpha_estimate(data, BINARY, "nominal", clusters=["a"])


def test_shared_resamples_are_paired() -> None:
    rng = np.random.default_rng(4)
    data = rng.integers(1, 6, (4, 30)) * 1.0
    data[rng.random(data.shape) < 0.2] = np.nan
    columns, counts, item = compress(data)
    assert np.array_equal(columns[:, item], data, equal_nan=True)
    assert counts.sum() == 30
    weights = np.vstack([counts, multinomial_weights(counts, 20, rng)])
    got = shared_alphas(columns, [(0, 1), (0, 2, 3)], FIVE, "ordinal", weights)
    for w, values in zip(weights, got.T, strict=True):
        drawn = np.repeat(np.arange(columns.shape[1]), w.astype(int))
        for value, rows in zip(values, ([0, 1], [0, 2, 3]), strict=True):
            assert value == pytest.approx(alpha(columns[rows][:, drawn], FIVE, "ordinal"), abs=1e-12)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="different numbers of items"):
        ratings_matrix([[1, 2], [1]])
    with pytest.raises(ValueError, match="7 is not on the scale"):
        ratings_matrix([[1, 7]], FIVE)
    with pytest.raises(ValueError, match="declare it interval"):
        patterns([[1, 2], [1, 2]], (-1.0, 1.0, 2.0), "ratio")
    assert ratings_matrix([]).shape == (0, 0)
    assert ratings_matrix([[None, 2.0]], FIVE).tolist()[0][1] == 2.0
    assert ratings_row([], FIVE).shape == (0,)
    given = np.array([[1.0, 2.0]])
    ratings_matrix(given)[0, 0] = 9.0
    assert given[0, 0] == 1.0, "the caller's array stays as it was"


# ---------------------------------------------------------------------------------------------------- the intervals


def test_jackknife_by_hand() -> None:
    """The loop over items that are left out, with the package."""
    rng = np.random.default_rng(5)
    truth = rng.integers(1, 6, 40)
    data = np.where(rng.random((3, 40)) < 0.6, truth, rng.integers(1, 6, (3, 40))) * 1.0
    data[2, :25] = np.nan
    data[1, :5] = np.nan
    scale = list(FIVE)
    left = [package(np.delete(data, i, axis=1), scale, "ordinal") for i in range(5, 40)]
    spread = np.array(left, dtype=float)
    n = len(left)
    error = math.sqrt((n - 1) / n * ((spread - spread.mean()) ** 2).sum())
    got = alpha_estimate(data, scale, "ordinal")
    assert (got.n, got.total, got.reason) == (35, 40, "")
    assert got.value is not None and got.low is not None and got.high is not None
    half = (math.atanh(got.high) - math.atanh(got.low)) / 2
    assert half * (1 - got.value**2) / error == pytest.approx(2.0322, abs=1e-3), (
        "Student's t with 34 degrees of freedom"
    )
    assert math.tanh(math.atanh(got.value) - half) == pytest.approx(got.low)


def study(rng: np.random.Generator, raters: int, n: int, prevalence: float, accuracy: float) -> np.ndarray:
    truth = rng.random(n) < prevalence
    return np.where(rng.random((raters, n)) < accuracy, truth, ~truth).astype(float)


@pytest.mark.parametrize("raters", [2, 5])
def test_the_binary_interval_covers_where_one_value_is_rare(raters: int) -> None:
    rng, hits = np.random.default_rng(6), 0
    truth = alpha(study(rng, raters, 400_000, 0.95, 0.95), BINARY, "nominal")
    assert truth is not None
    for seed in range(250):
        got = alpha_estimate(study(rng, raters, 50, 0.95, 0.95), BINARY, "nominal", seed=seed, replicates=1000)
        assert got.low is not None and got.high is not None
        hits += got.low <= truth <= got.high
    assert hits >= 0.9 * 250


def panel(rng: np.random.Generator, clusters: int, size: int) -> np.ndarray:
    """Four raters on five points whose errors and truths are shared within a cluster."""
    n = clusters * size
    cluster = np.repeat(np.arange(clusters), size)
    truth = rng.normal(size=n) + rng.normal(size=clusters)[cluster]
    error = rng.normal(size=(4, n)) + rng.normal(size=(4, clusters))[:, cluster]
    return np.clip(np.round(3 + 0.8 * truth + 0.6 * error), 1, 5)


def test_the_jackknife_covers_and_clusters_matter() -> None:
    rng = np.random.default_rng(7)
    truth = alpha(panel(rng, 40_000, 8), FIVE, "ordinal")
    assert truth is not None
    hits = {"single": 0, "clustered": 0, "ignored": 0}
    for seed in range(200):
        data, labels = panel(rng, 30, 8), [i // 8 for i in range(240)]
        for name, got in (
            ("single", alpha_estimate(panel(rng, 60, 1), FIVE, "ordinal")),
            ("clustered", alpha_estimate(data, FIVE, "ordinal", labels, seed=seed, replicates=400)),
            ("ignored", alpha_estimate(data, FIVE, "ordinal")),
        ):
            assert got.low is not None and got.high is not None
            hits[name] += got.low <= truth <= got.high
    assert hits["single"] >= 180
    assert hits["clustered"] >= 180
    assert hits["ignored"] < 175, "or this test could not tell the two apart"


def test_no_disagreement_is_not_certainty() -> None:
    data = np.tile(np.array([1.0, 2.0, 3.0, 4.0, 5.0] * 10), (3, 1))
    got = alpha_estimate(data, FIVE, "ordinal")
    assert (got.value, got.high, got.method) == (1.0, 1.0, "exact bound, no disagreement seen")
    assert got.low is not None
    assert 0.5 < got.low < 0.95
    more = alpha_estimate(np.tile(data, 10), FIVE, "ordinal")
    assert more.low is not None
    assert got.low < more.low < 1.0
    two = alpha_estimate([[0.0, 1.0] * 25] * 2, BINARY, "nominal")
    assert (two.value, two.high) == (1.0, 1.0)
    assert two.low is not None
    assert 0.8 < two.low < 0.99


def test_the_worst_case_is_the_worst() -> None:
    """The bound's alpha against a search over every way to spoil one of the items."""
    data = np.tile(np.array([1.0, 2.0, 3.0] * 10), (4, 1))
    share = 1 - 0.025 ** (1 / 30)
    worst = 2.0
    for spoilt in product((1.0, 2.0, 3.0), repeat=4):
        kept = np.hstack([np.tile([1.0, 2.0, 3.0], (4, 1)), np.array(spoilt)[:, None]])
        found = patterns(kept, (1.0, 2.0, 3.0), "interval")
        weights = np.zeros((1, len(found.pairable)))
        for column, w in enumerate([10 * (1 - share)] * 3 + [30 * share]):
            weights[0, found.item[column]] += w
        worst = min(worst, float(alphas(found, weights)[0]))
    got = alpha_estimate(data, (1.0, 2.0, 3.0), "interval")
    assert got.low == pytest.approx(worst, abs=1e-12)


def test_the_reference_case() -> None:
    """48 Yes and 2 No against a judge that always says Yes: alpha -.010, an interval neither of no width nor [0, 1]."""
    got = alpha_estimate([[1.0] * 48 + [0.0] * 2, [1.0] * 50], BINARY, "nominal")
    assert got.value == pytest.approx(-0.0102, abs=1e-4)
    assert got.low is not None and got.high is not None
    assert -0.1 < got.low < -0.01
    assert 0.4 < got.high < 0.85


@pytest.mark.parametrize("level", LEVELS)
def test_undefined_has_a_reason(level: Level) -> None:
    constant = alpha_estimate([[3.0] * 40, [3.0] * 40], FIVE, level)
    assert (constant.value, constant.n, constant.total) == (None, 40, 40)
    assert constant.low is not None and constant.high is not None and constant.low < constant.high
    assert "one and the same value" in constant.reason
    binary = alpha_estimate([[1.0] * 40, [1.0] * 40], BINARY, level)
    assert binary.value is None
    assert "one and the same value" in binary.reason
    assert binary.low is not None and binary.high is not None and binary.low < binary.high, "the interval exists"
    # Too many patterns of ten ratings on eleven points for draws.
    many = alpha_estimate([[3.0] * 40] * 10, [float(p) for p in range(11)], level)
    assert (many.value, many.low, many.n) == (None, None, 40) and "one and the same value" in many.reason
    for rows in ([], [[]], [[1.0, 2.0]], [[1.0, None], [None, 2.0]]):
        none = alpha_estimate(rows, FIVE, level)
        assert (none.value, none.low, none.n) == (None, None, 0)
        assert none.reason == "no item has two ratings"
        assert np.isnan(bootstrap_alphas(rows, FIVE, level, replicates=3)).all()


def test_few_items_say_so() -> None:
    rng = np.random.default_rng(8)
    for n, said in ((29, True), (30, False)):
        got = alpha_estimate(rng.integers(1, 6, (3, n)) * 1.0, FIVE, "interval")
        assert got.low is not None
        assert ("n below 30" in got.reason) == said
    one = alpha_estimate([[1.0, None], [2.0, 3.0]], FIVE, "interval")
    assert (one.low, one.n) == (None, 1)
    assert "one item" in one.reason
    lonely = alpha_estimate([[1.0, 1.0, 2.0], [1.0, 1.0, 1.0], [1.0, 1.0, 3.0]], FIVE, "interval")
    assert lonely.value is not None
    assert lonely.low is None, "one item holds all the variation"
    assert lonely.reason
    data, labels = panel(rng, 10, 5), [i // 5 for i in range(50)]
    assert "10 clusters" in alpha_estimate(data, FIVE, "ordinal", labels, replicates=200).reason
    assert "one cluster" in alpha_estimate(data, FIVE, "ordinal", [0] * 50).reason


def test_percentiles_need_replicates() -> None:
    assert percentile_interval(np.arange(101.0)) == pytest.approx((2.5, 97.5))
    assert percentile_interval(np.array([1.0] * 9 + [np.nan])) is None
    assert percentile_interval(np.array([])) is None


def test_the_prior_of_a_pair_is_that_of_jeffreys() -> None:
    """Few items, so that the prior shows: alpha of Dirichlet draws over both-No, split and both-Yes, 1/2 each."""
    draws = np.random.default_rng(0).dirichlet([6.5, 2.5, 4.5], 200_000)
    p = draws[:, 2] + draws[:, 1] / 2
    want = np.quantile(1 - (2 * 12 - 1) / (2 * 12) * draws[:, 1] / (2 * p * (1 - p)), [0.025, 0.975])
    rows = [[0.0] * 6 + [0.0, 1.0] + [1.0] * 4, [0.0] * 6 + [1.0, 0.0] + [1.0] * 4]
    got = alpha_estimate(rows, BINARY, "nominal", replicates=100_000)
    assert (got.low, got.high) == pytest.approx(tuple(want), abs=0.01)
    gaps = alpha_estimate([*rows, [None] * 12], BINARY, "nominal", replicates=100_000)
    assert gaps == got, "a rater who gave nothing changes nothing"


def test_gaps_do_not_add_to_the_prior() -> None:
    """Six items with two ratings and six with three: 0.25 on each of 3 patterns, 0.1875 on each of 4."""
    two, three = [(0, 0)] * 3 + [(0, 1)] + [(1, 1)] * 2, [(0, 0, 0)] * 3 + [(0, 0, 1)] + [(1, 1, 1)] * 2
    columns: list[tuple[float | None, ...]] = [*[(*t, None) for t in two], *three]
    rows = [list(r) for r in zip(*columns, strict=True)]
    mass = np.array([3.25, 1.25, 2.25, 3.1875, 1.1875, 0.1875, 2.1875])
    w = np.random.default_rng(0).dirichlet(mass, 200_000) * 12
    ones, ratings_given = w @ np.array([0, 1, 2, 0, 1, 2, 3]), w @ np.array([2, 2, 2, 3, 3, 3, 3])
    split = w @ np.array([0, 1, 0, 0, 1, 1, 0])
    want = np.quantile(1 - (ratings_given - 1) * split / (ones * (ratings_given - ones)), [0.025, 0.975])
    got = alpha_estimate(rows, BINARY, "nominal", replicates=100_000)
    assert (got.low, got.high) == pytest.approx(tuple(want), abs=0.01)


def test_the_t_of_clusters_is_on_the_clusters() -> None:
    """On a scale with more patterns than draws can bear, where the spread alone makes the interval."""
    data, labels = panel(np.random.default_rng(9), 6, 10), [i // 10 for i in range(60)]
    long = [float(v) for v in range(1, 26)]
    got = alpha_estimate(data, long, "ordinal", labels, replicates=3000)
    assert got.method == "cluster bootstrap (6 clusters, 3000 replicates), t on Fisher's z"
    spread = bootstrap_alphas(data, long, "ordinal", replicates=3000, clusters=labels).std(ddof=1)
    assert got.low is not None and got.high is not None and got.value is not None
    half = (math.atanh(got.high) - math.atanh(got.low)) / 2
    assert half * (1 - got.value**2) / spread == pytest.approx(2.5706, abs=1e-3), "5 degrees of freedom"


@pytest.mark.parametrize("scale", [BINARY, FIVE])
def test_items_that_are_there_twice_are_counted_once(scale: tuple[float, ...]) -> None:
    """Clusters of two equal items: the design effect is 2, and the interval that of the single items."""
    data = panel(np.random.default_rng(12), 80, 1)
    data = (data > 3).astype(float) if scale == BINARY else data
    twice, labels = np.repeat(data, 2, axis=1), [i // 2 for i in range(160)]
    got, single = alpha_estimate(twice, scale, "nominal", labels), alpha_estimate(data, scale, "nominal")
    blind = alpha_estimate(twice, scale, "nominal")
    ends = [(e.low, e.high) for e in (got, single, blind)]
    assert ends[0] == pytest.approx(ends[1], abs=0.025)
    width = [high - low for low, high in ends if low is not None and high is not None]
    assert width[0] == pytest.approx(width[1], rel=0.1)
    assert width[2] < 0.8 * width[0]
    lone = alpha_estimate(np.zeros((2, 40)), BINARY, "nominal", [i // 2 for i in range(40)])
    assert lone.value is None and lone.low is not None, "one value throughout: an interval, and no value"


def test_the_ordinal_interval_covers_where_nearly_all_ratings_are_the_same() -> None:
    rng, hits = np.random.default_rng(10), 0

    def top_heavy(n: int) -> np.ndarray:
        truth = rng.normal(size=n)
        return np.clip(np.round(6 + 0.84 * truth + 0.55 * rng.normal(size=(3, n))), 1, 5)

    truth = alpha(top_heavy(300_000), FIVE, "ordinal")
    assert truth is not None
    for seed in range(150):
        got = alpha_estimate(top_heavy(50), FIVE, "ordinal", seed=seed, replicates=400)
        assert got.low is not None and got.high is not None
        hits += got.low <= truth <= got.high
    assert hits >= 0.9 * 150


@settings(max_examples=150, deadline=None)
@given(
    st.integers(2, 4).flatmap(
        lambda r: st.lists(
            st.lists(st.sampled_from([None, 1.0, 2.0, 3.0, 5.0]), min_size=r, max_size=r), min_size=1, max_size=12
        )
    ),
    st.sampled_from(LEVELS),
    st.booleans(),
)
def test_an_estimate_is_whole_or_says_why(columns: list[list[float | None]], level: Level, clustered: bool) -> None:
    rows = [list(r) for r in zip(*columns, strict=True)]
    clusters = [i % 3 for i in range(len(columns))] if clustered else None
    got = alpha_estimate(rows, FIVE, level, clusters, replicates=100)
    assert got.value == alpha(rows, FIVE, level)
    assert (got.low is None) == (got.high is None)
    if got.value is None or got.low is None:
        assert got.reason
    if got.low is not None and got.high is not None and got.value is not None:
        assert math.isfinite(got.low) and math.isfinite(got.high)
        assert got.low <= got.value <= got.high
        assert got.low < got.high


def test_the_package_stays_out_of_inspect() -> None:
    names = "alpha alpha_resample icc alt_test panel repeats ceiling corrected conditions".split()
    code = "import sys," + ",".join(f"judges.agreement.{n}" for n in names) + ";sys.exit('inspect_ai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

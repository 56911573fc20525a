"""Many runs at once say what pairs of runs say one by one; a large board fits."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.stats import kendalltau

from judges.stats import mean_estimate, proportion_estimate
from judges.stats.difference import paired_estimate
from judges.stats.many import differences, means
from judges.stats.ranks import _ranks, kendall_tau_b, rank_runs


def test_equal_to_pair_by_pair() -> None:
    rng = np.random.default_rng(0)
    runs, items = 14, 40
    bounds, binary = np.array([[0, 1], [1, 5], [0, 1], [-np.inf, np.inf]]), [True, False, True, False]
    scores = np.stack(
        [
            rng.integers(0, 2, (runs, items)).astype(float),
            rng.integers(1, 6, (runs, items)).astype(float),
            rng.integers(0, 3, (runs, items)) / 2,  # shares of two epochs: no yes-no values
            rng.normal(size=(runs, items)),
        ],
        axis=2,
    )
    scores[rng.random(scores.shape) < 0.1] = np.nan
    scores[1] = scores[0]  # all differences equal
    scores[2] = np.nan  # nothing
    scores[3, 1:] = np.nan  # at most one item
    scores[4, :, 1], scores[5, :, 1] = 1.0, 5.0
    scores[6, :, 3] = scores[0, :, 3] + 1 / 3
    total = rng.integers(items, items + 9, (runs, 4))
    found = differences(scores, 0, bounds=bounds, binary=binary, total=total)
    again = differences(scores, scores[0], bounds=bounds, binary=binary)
    assert np.isnan(found.value[0]).all() and not np.isnan(again.value[0]).any() and (again.total == items).all()
    assert np.array_equal(found.value[1:], again.value[1:], equal_nan=True)
    for run in range(1, runs):
        for m in range(4):
            known = np.isfinite(scores[0, :, m]) & np.isfinite(scores[run, :, m])
            x, y = (list(map(float, scores[r, known, m])) for r in (0, run))
            e = paired_estimate(x, y, tuple(bounds[m]), binary[m], int(total[run, m]))
            got = (found.value[run, m], found.low[run, m], found.high[run, m])
            want = [np.nan if v is None else v for v in (e.value, e.low, e.high)]
            assert got == pytest.approx(want, abs=1e-12, nan_ok=True), (run, m)
            assert (found.n[run, m], found.total[run, m]) == (e.n, e.total)
            assert found.coverage[run, m] == pytest.approx(e.coverage)
    flat = differences(scores[:, :, 1], 0, bounds=(1, 5))
    assert flat.value.shape == (runs,) and np.array_equal(flat.low, found.low[:, 1], equal_nan=True)


def test_what_does_not_fit_is_refused() -> None:
    scores = np.zeros((3, 4))
    for baseline, message in ((3, "no row 3"), (np.zeros(5), "shape")):
        with pytest.raises(ValueError, match=message):
            differences(scores, baseline)
    with pytest.raises(ValueError, match="runs, items"):
        differences(np.zeros(3), 0)
    with pytest.raises(ValueError, match="infinite"):
        differences(np.full((2, 2), np.inf), 0)


def test_ranks_by_sorting_are_ranks_by_comparing() -> None:
    scores = np.random.default_rng(1).integers(0, 5, (60, 9)) / 3
    assert (_ranks(scores) == (scores[:, None, :] > scores[:, :, None] + 1e-12).sum(axis=2) + 1).all()
    rng = np.random.default_rng(2)
    for _ in range(50):
        a, b = rng.integers(0, 4, 8), rng.integers(0, 4, 8)
        assert kendall_tau_b(a, b) == pytest.approx(kendalltau(a, b).statistic)
    # By hand: of three pairs two agree and one is turned round.
    assert kendall_tau_b([1, 2, 3], [1, 3, 2]) == pytest.approx(1 / 3) and kendall_tau_b([1, 1], [1, 2]) is None


def test_a_large_board() -> None:
    """1,000 runs on 500 items in a fraction of the 2 GB that comparing every pair in every resample takes."""
    scores = np.random.default_rng(3).integers(1, 6, (1000, 500)).astype(float)
    tracemalloc.start()
    ranks, found = rank_runs(scores), differences(scores, 0, bounds=(1, 5))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 250e6
    assert len(ranks) == 1000 and np.isfinite(found.low[1:]).all()


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("bounds", [(0.0, 1.0), (0.0, np.inf)])
def test_means_are_those_of_each_run(binary: bool, bounds: tuple[float, float]) -> None:
    rng = np.random.default_rng(1)
    rows = []
    for kind in range(400):
        row = [rng.random(12), rng.integers(0, 2, 12).astype(float), np.full(12, [0.0, 1.0, 0.5, 0.25][kind % 4])]
        chosen = row[kind % 3]
        chosen[rng.random(12) < (0.0, 0.3, 0.9, 1.0)[kind % 4]] = np.nan
        rows.append(chosen)
    found = means(np.array(rows), bounds, binary=binary, total=15)
    for i, row in enumerate(rows):
        values = row[~np.isnan(row)].tolist()
        e = proportion_estimate(values, 15) if binary else mean_estimate(values, bounds, 15)
        assert (found.n[i], found.total[i], found.method[i]) == (e.n, e.total, e.method)
        for got, expected in ((found.value[i], e.value), (found.low[i], e.low), (found.high[i], e.high)):
            assert np.isnan(got) if expected is None else got == pytest.approx(expected, abs=1e-12)
    with pytest.raises(ValueError, match="infinite"):
        means(np.array([[np.inf, 1.0]]), bounds)
    with pytest.raises(ValueError, match="runs, items"):
        means(np.zeros(3), bounds)

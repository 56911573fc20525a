"""Shrunken means: by hand, by brute force, and by what they promise in the long run."""

from __future__ import annotations

import math

import numpy as np
import pytest

from judges.stats import Estimate, mean_estimate
from judges.stats.shrinkage import implied_variance, shrink, shrunken_estimates


def brute(y: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means and deviations from a plain grid over the common mean and the spread."""
    reach = float(np.ptp(y) + 6 * math.sqrt(v.max()))
    # Heavy tail of the spread: t = s / (1 - s) far out, in equal steps of s.
    s = (np.arange(500) + 0.5) / 500
    t, jacobian = reach * s / (1 - s), reach / (1 - s) ** 2
    g = (np.arange(-400, 401)) / 401
    total, first, second = 0.0, np.zeros(y.size), np.zeros(y.size)
    for spread, weight in zip(t, jacobian, strict=True):
        wide = reach + 12 * spread
        mu = y.mean() + wide * g
        # Given both, group means are independent: normal with both variances added.
        logs = -0.5 * (((y[:, None] - mu) ** 2) / (v[:, None] + spread**2) + np.log(v[:, None] + spread**2)).sum(axis=0)
        p = np.exp(logs) * weight * wide
        keep = (spread**2 / (v + spread**2))[:, None]
        given = keep * y[:, None] + (1 - keep) * mu
        total += p.sum()
        first += (p * given).sum(axis=1)
        second += (p * (given**2 + keep * v[:, None])).sum(axis=1)
    mean = first / total
    return mean, np.sqrt(second / total - mean**2)


def test_three_alike_groups_by_hand() -> None:
    # Alike means 5 with variance 1 each: the value is 5 whatever t is. Given t the share kept is k = t^2 / (1 + t^2),
    # the variance k + (1 - k)^2 (1 + t^2) / 3 = k + (1 - k) / 3, and the density of t is (1 + t^2)^(1/2 - 3/2) =
    # 1 / (1 + t^2), that of a Cauchy: k is sin^2 of an angle that is uniform on 0 to 90 degrees, 1/2 on average.
    found = shrink([[5.0, 5.0, 5.0]], [[1.0, 1.0, 1.0]])
    assert found.value[0] == pytest.approx([5, 5, 5])
    assert found.centre[0] == pytest.approx(5)
    assert found.own[0] == pytest.approx([0.5] * 3, abs=1e-9)
    assert found.deviation[0] ** 2 == pytest.approx([1 / 2 + 1 / 6] * 3, abs=1e-9)


def test_brute_force_over_mean_and_spread() -> None:
    rng = np.random.default_rng(3)
    for k in (3, 5, 8):
        y, v = rng.normal(0.5, 0.2, k), rng.uniform(0.0005, 0.03, k)
        found = shrink([y], [v])
        mean, deviation = brute(y, v)
        assert found.value[0] == pytest.approx(mean, abs=2e-4)
        assert found.deviation[0] == pytest.approx(deviation, abs=4e-4)
        # Towards the centre, never past it, and the noisiest keeps least of itself.
        toward = (found.value[0] - y) * (found.centre[0] - y)
        assert (toward >= -1e-12).all()
        assert found.own[0].argmin() == v.argmax()


def test_rows_do_not_mind_each_other_scale_or_gaps() -> None:
    rng = np.random.default_rng(5)
    y, v = rng.normal(0, 1, (40, 6)), rng.uniform(0.01, 2, (40, 6))
    y[7, 2], v[9, 4], v[11, :4], v[13, 0] = np.nan, np.nan, np.nan, 0.0
    found = shrink(y, v)
    for i in (0, 7, 9, 13):
        keep = np.isfinite(y[i]) & np.isfinite(v[i]) & (v[i] > 0)
        alone = shrink([y[i][keep]], [v[i][keep]])
        assert found.value[i][keep] == pytest.approx(alone.value[0])
        assert found.deviation[i][keep] == pytest.approx(alone.deviation[0])
        assert np.isnan(found.value[i][~keep]).all()
        other = shrink([3 + 50 * y[i][keep]], [2500 * v[i][keep]])
        assert other.value[0] == pytest.approx(3 + 50 * alone.value[0])
        assert other.spread[0] == pytest.approx(50 * alone.spread[0])
    assert np.isnan(found.value[11]).all() and np.isnan(found.centre[11])
    # Groups known almost exactly stay where they are.
    sharp = shrink([[0.1, 0.5, 0.9]], [[1e-10] * 3])
    assert sharp.value[0] == pytest.approx([0.1, 0.5, 0.9], abs=1e-6)
    with pytest.raises(ValueError, match="both"):
        shrink([0.1, 0.2], [0.1, 0.2])


@pytest.mark.parametrize("spread", [0.0, 0.04, 0.1, 0.3])
def test_smaller_squared_error_and_intervals_that_hold(spread: float) -> None:
    rng = np.random.default_rng(11)
    repeats, v = 1500, np.array([0.002, 0.004, 0.01, 0.02, 0.04])
    truth = 0.6 + spread * rng.standard_normal((repeats, 5))
    y = truth + np.sqrt(v) * rng.standard_normal((repeats, 5))
    found = shrink(y, np.broadcast_to(v, y.shape))
    raw, shrunk = ((x - truth) ** 2 for x in (y, found.value))
    assert shrunk.mean() < raw.mean()
    if spread <= 0.1:
        assert shrunk.mean() < 0.75 * raw.mean()
    # The noisiest group gains most, and no group loses more than a trifle.
    assert (shrunk.mean(axis=0) < 1.06 * raw.mean(axis=0)).all()
    covered = (np.abs(found.value - truth) <= 1.959964 * found.deviation).mean(axis=0)
    assert (covered > 0.925).all()
    # One group far from four alike ones, which is no normal spread: still no worse in all where all are known alike.
    lone = np.array([0.6, 0.6, 0.6, 0.6, 0.6 + 3 * spread])
    y = lone + 0.1 * rng.standard_normal((repeats, 5))
    found = shrink(y, np.full(y.shape, 0.01))
    assert ((found.value - lone) ** 2).sum(axis=1).mean() < ((y - lone) ** 2).sum(axis=1).mean()


def test_estimates_keep_reasons_items_and_scale() -> None:
    rng = np.random.default_rng(2)
    groups = [rng.beta(4, 2, n).tolist() for n in (8, 20, 40)]
    ones, same, single = [1.0] * 30, [0.5] * 9, [0.3]
    raw = [mean_estimate(g, (0, 1), len(g) + 1) for g in (*groups, ones, same, single, [])]
    (made,) = shrunken_estimates([raw], (0, 1))
    kept = shrink([[e.value for e in raw[:4]]], [[implied_variance(e) for e in raw[:4]]])  # type: ignore[list-item]
    for j, (a, b) in enumerate(zip(raw[:4], made, strict=False)):
        assert (b.value, b.n, b.total) == (pytest.approx(kept.value[0, j]), a.n, a.total)
        assert b.low is not None and b.high is not None and 0 <= b.low < b.value < b.high <= 1  # type: ignore[operator]
    assert made[4].value is None and "not to be weighed: all 9 values are equal" in made[4].reason
    assert made[5].value is None and "one item" in made[5].reason
    assert made[6].value is None and made[6].reason == "no item has a value"
    # The exact bound of 30 ones: its arm counts, not the scatter, which is none.
    assert implied_variance(raw[3]) == pytest.approx(((1 - raw[3].low) / 1.959964) ** 2, rel=1e-5)  # type: ignore[operator]
    (few,) = shrunken_estimates([[raw[0], raw[1], raw[4]]], (0, 1))
    assert [e.reason for e in few[:2]] == ["2 groups have an interval, 3 are needed"] * 2
    (lone,) = shrunken_estimates([[raw[0], raw[4]]])
    assert lone[0].reason.startswith("1 group has")
    assert shrunken_estimates([]) == [] and shrunken_estimates([[]]) == [[]]
    assert implied_variance(Estimate(0.5, 0.5, 0.5, 2, 2)) is None

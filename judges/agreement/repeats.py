"""One rater's agreement with itself over repeats of the same items. The item is the unit, never the pair of repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from judges.agreement.alpha import alpha_estimate
from judges.agreement.alpha_resample import Array, Level, Ratings, ratings_matrix
from judges.stats import Estimate, mean_estimate, proportion_estimate


@dataclass(frozen=True)
class Repeats:
    """How far one rater repeats itself.

    Attributes:
        alpha: Krippendorff's alpha with the repeats as raters.
        flips: Chance that two repeats of an item differ.
        distance: Mean absolute difference of two repeats, in scale points; undefined for nominal values.
        unanimous: Share of items on which all repeats given are the same.
    """

    alpha: Estimate
    flips: Estimate
    distance: Estimate
    unanimous: Estimate

    def as_dict(self) -> dict[str, dict[str, float | int | str | None]]:
        """JSON-ready fields."""
        return {name: getattr(self, name).as_dict() for name in ("alpha", "flips", "distance", "unanimous")}


def flip_rate(repeats: Ratings, scale: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Chance that two repeats of the same item differ: the mean over items of the share of differing pairs.

    Args:
        repeats: The rater's ratings, (repeats, items); None or NaN where a repeat gave nothing.
        scale: The declared points.
        confidence: Confidence level.

    Returns:
        The estimate; `n` items with two repeats or more of `total`.
    """
    data = ratings_matrix(repeats, scale)
    return mean_estimate(list(_pair_means(data, nominal=True)), (0.0, 1.0), data.shape[1], confidence)


def intra_rater(
    repeats: Ratings, scale: Sequence[float], level: Level, *, seed: int = 0, confidence: float = 0.95
) -> Repeats:
    """Alpha over repeats, flip rate, distance and unanimity of one rater on frozen responses.

    Args:
        repeats: The rater's ratings, (repeats, items); None or NaN where a repeat gave nothing.
        scale: The declared points.
        level: Level of measurement.
        seed: Seed of the draws, where alpha's interval needs some.
        confidence: Confidence level.
    """
    data = ratings_matrix(repeats, scale)
    total = data.shape[1]
    flips = _pair_means(data, nominal=True)
    reach = float(max(scale) - min(scale))
    distance = (
        Estimate.undefined("nominal values have no distance", flips.size, total)
        if level == "nominal"
        else mean_estimate(list(_pair_means(data, nominal=False)), (0.0, reach), total, confidence)
    )
    return Repeats(
        alpha_estimate(data, scale, level, seed=seed, confidence=confidence),
        mean_estimate(list(flips), (0.0, 1.0), total, confidence),
        distance,
        proportion_estimate([float(v == 0) for v in flips], total, confidence),
    )


def _pair_means(data: Array, nominal: bool) -> Array:
    """Mean difference of all pairs of repeats, one value an item that has two or more."""
    repeats, items = data.shape
    total, count = np.zeros(items), np.zeros(items)
    for i in range(repeats):
        for j in range(i + 1, repeats):
            d = np.abs(data[i] - data[j])
            given = ~np.isnan(d)
            total += np.where(given, (d > 0) if nominal else np.nan_to_num(d), 0.0)
            count += given
    return np.asarray(total[count > 0] / count[count > 0])

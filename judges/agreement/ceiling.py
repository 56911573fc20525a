"""The human ceiling: does a judge agree with people as well as people agree with each other?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from judges.agreement.alpha_resample import (
    REPLICATES,
    Level,
    Ratings,
    Values,
    compress,
    multinomial_weights,
    ratings_matrix,
    ratings_row,
    shared_alphas,
)
from judges.agreement.panel import difference
from judges.stats import Estimate

DESIGN = "have two people or more rate the same 50 to 100 items, three for a stable ceiling"


@dataclass(frozen=True)
class Ceiling:
    """A judge beside people.

    Attributes:
        judge: Mean alpha of the judge with each person.
        people: Mean alpha of the pairs of people: the ceiling.
        difference: judge - people on the same resamples.
        margin: How much less the judge may agree and still count as no worse.
        non_inferior: Whether the difference's lower end is above -margin; None where it cannot be told.
        equivalent: Whether the whole interval lies within the margin on both sides; None where it cannot be told.
    """

    judge: Estimate
    people: Estimate
    difference: Estimate
    margin: float
    non_inferior: bool | None
    equivalent: bool | None

    def as_dict(self) -> dict[str, object]:
        """JSON-ready fields."""
        return {
            "judge": self.judge.as_dict(),
            "people": self.people.as_dict(),
            "difference": self.difference.as_dict(),
            "margin": self.margin,
            "non_inferior": self.non_inferior,
            "equivalent": self.equivalent,
        }


def human_ceiling(
    judge: Values,
    people: Ratings,
    scale: Sequence[float],
    level: Level,
    margin: float = 0.1,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    confidence: float = 0.95,
) -> Ceiling:
    """Judge-human agreement against human-human agreement, and a test that the judge is not worse by a margin.

    Agreement is the mean of Krippendorff's alpha over pairs of raters, so that the numbers of raters on the two
    sides do not matter. The interval is an item bootstrap of the paired difference; the people are taken as given,
    so the result is about these people and not about people at large.

    Args:
        judge: The judge's values, (items); None or NaN where there is none.
        people: The people's ratings, (people, items); None or NaN where a person gave nothing.
        scale: The declared points.
        level: Level of measurement.
        margin: Margin of non-inferiority in units of alpha, fixed before looking; above 0.
        replicates: Resamples of items.
        seed: Seed of the draws.
        confidence: Confidence level of the two-sided interval; at 0.95 non-inferiority is tested at 2.5 %.

    Returns:
        The ceiling; not estimable with fewer than two people.

    Raises:
        ValueError: A margin of 0 or less, or different items.
    """
    if not margin > 0:
        raise ValueError("the margin of non-inferiority must be above 0")
    data, own = ratings_matrix(people, scale), ratings_row(judge, scale)
    h, total = data.shape
    if h and own.size != total:
        raise ValueError(f"the judge has {own.size} items and the people {total}: give both the same items")
    rows = np.vstack([own, data]) if h else own[None, :]
    with_judge = [(0, i) for i in range(1, h + 1)]
    between = list(combinations(range(1, h + 1), 2))
    size = own.size
    if not size or not h:
        lacking = Estimate.undefined(f"not estimable without people's ratings: {DESIGN}", 0, size)
        return Ceiling(lacking, lacking, lacking, margin, None, None)
    columns, counts, _ = compress(rows)
    weights = np.vstack([counts, multinomial_weights(counts, replicates, np.random.default_rng(seed))])
    values = shared_alphas(columns, with_judge + between, scale, level, weights)
    rated = ~np.isnan(rows)
    n_judge = int((rated[0] & rated[1:].any(axis=0)).sum())
    n_people = int((rated[1:].sum(axis=0) >= 2).sum())
    # The plain mean over pairs: a pair without alpha leaves the mean undefined rather than easier or harder.
    to_judge = values[: len(with_judge)].mean(axis=0)
    side = difference(to_judge, n_judge, size, replicates, confidence)
    if h < 2:
        lacking = Estimate.undefined(f"not estimable with one person: {DESIGN}", n_people, size)
        return Ceiling(side, lacking, lacking, margin, None, None)
    each_other = values[len(with_judge) :].mean(axis=0)
    n = int((rated[0] & (rated[1:].sum(axis=0) >= 2)).sum())
    gap = difference(to_judge - each_other, n, size, replicates, confidence)
    top = difference(each_other, n_people, size, replicates, confidence)
    if gap.low is None or gap.high is None:
        return Ceiling(side, top, gap, margin, None, None)
    return Ceiling(side, top, gap, margin, gap.low > -margin, -margin < gap.low and gap.high < margin)

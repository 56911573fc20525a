"""Populations of items with a value in each of two runs, whose true means and quantiles are worked out.

An item has a value in the baseline; in the other run it keeps it, or, with the chance `changes`, gets one anew. So the
runs are correlated as runs on the same prompts are, and the true difference is `changes` x (difference of the means).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
SIZES: Final = (20, 50, 100, 455, 500)


@dataclass(frozen=True)
class Values:
    """A discrete distribution of one score.

    Attributes:
        points: Its values, rising.
        chances: Their chances.
    """

    points: Array
    chances: Array

    @property
    def mean(self) -> float:
        """Its mean."""
        return float(self.points @ self.chances)

    def quantile(self, q: float) -> float:
        """The smallest value with at least this share at or below it."""
        return float(self.points[int(np.searchsorted(np.cumsum(self.chances), q - 1e-9))])

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Array:
        """Values of items."""
        drawn: Array = self.points[np.searchsorted(np.cumsum(self.chances)[:-1], rng.random(size), side="right")]
        return drawn


@dataclass(frozen=True)
class Pair:
    """A population of pairs.

    Attributes:
        name: What it is, in words.
        base: Values in the baseline.
        anew: Values of the items that change.
        changes: Share of the items that get a value anew.
        bounds: Ends of the scale.
    """

    name: str
    base: Values
    anew: Values
    changes: float
    bounds: tuple[float, float]

    @property
    def difference(self) -> float:
        """True mean difference."""
        return self.changes * (self.anew.mean - self.base.mean)

    @property
    def other(self) -> Values:
        """The other run's values by themselves; both have the same points."""
        return Values(self.base.points, (1 - self.changes) * self.base.chances + self.changes * self.anew.chances)

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> tuple[Array, Array]:
        """Values of items in both runs."""
        x = self.base.draw(rng, size)
        return x, np.where(rng.random(size) < self.changes, self.anew.draw(rng, size), x)


def ordinal(*chances: float) -> Values:
    """Points 1 to 5."""
    return Values(np.arange(1.0, 6.0), np.array(chances))


def continuous(a: float, b: float, zero: float = 0.0) -> Values:
    """A beta distribution on 200 steps of 0 to 1, and a share of plain zeros."""
    points = (np.arange(200) + 0.5) / 200
    shape = points ** (a - 1) * (1 - points) ** (b - 1)
    return Values(np.append(0.0, points), np.append(zero, (1 - zero) * shape / shape.sum()))


# No quantile that a comparison shows lies at a jump, where it would not be one value.
MIDDLE, HIGH = ordinal(0.12, 0.2, 0.36, 0.2, 0.12), ordinal(0.02, 0.05, 0.09, 0.34, 0.5)
TOP = ordinal(0, 0.01, 0.01, 0.02, 0.96)
EVEN, GOOD, GATED, ENDS = continuous(2, 2), continuous(8, 2), continuous(6, 2, 0.3), continuous(0.5, 0.5)
UNIT, POINTS = (0.0, 1.0), (1.0, 5.0)
PAIRS: Final = (
    Pair("1-5, no effect", MIDDLE, MIDDLE, 0.5, POINTS),
    Pair("1-5, large effect", MIDDLE, HIGH, 0.8, POINTS),
    Pair("1-5, one in twenty changes", HIGH, MIDDLE, 0.05, POINTS),
    Pair("1-5, nearly all 5", TOP, MIDDLE, 0.05, POINTS),
    Pair("0-1, no effect", EVEN, EVEN, 0.7, UNIT),
    Pair("0-1, effect, skewed", EVEN, GOOD, 0.5, UNIT),
    Pair("0-1, three in ten at 0", GATED, GOOD, 0.5, UNIT),
    Pair("0-1, one in twenty drops to 0", GOOD, continuous(2, 2, 0.9), 0.05, UNIT),
)
ONES: Final = (
    ("1-5, symmetric", MIDDLE, POINTS),
    ("1-5, high", HIGH, POINTS),
    ("1-5, nearly all 5", TOP, POINTS),
    ("0-1, symmetric", EVEN, UNIT),
    ("0-1, high", GOOD, UNIT),
    ("0-1, three in ten at 0", GATED, UNIT),
    ("0-1, at both ends", ENDS, UNIT),
)

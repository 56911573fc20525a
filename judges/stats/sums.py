"""A mean with its interval from a few sums, for tables over many runs that keep no values."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import stdtrit

from judges.stats.intervals import ROUNDING, Estimate, mean_estimate, wilson


@dataclass(frozen=True)
class Sums:
    """What a mean and its interval need of some values.

    Attributes:
        n: How many there are.
        total: How many there should be.
        mean: Their mean; 0 where there are none.
        squares: Sum of their squared distances from the mean.
        least: The smallest; 0 where there are none.
        most: The largest; 0 where there are none.
        whole: Whether each is 0 or 1.
    """

    n: int
    total: int
    mean: float
    squares: float
    least: float
    most: float
    whole: bool

    def estimate(self, bounds: tuple[float, float], binary: bool = False, level: float = 0.95) -> Estimate:
        """The figure that `mean_estimate`, or of yes-no values `proportion_estimate`, gives of the values themselves.

        Args:
            bounds: Lowest and highest possible value; either may be infinite.
            binary: Whether a value is 0 or 1 by its nature; shares get the t interval.
            level: Confidence level.
        """
        if binary and self.whole and self.n:
            low, high = wilson(round(self.mean * self.n), self.n, level)
            return Estimate(self.mean, low, high, self.n, self.total, "Wilson")
        ends = (0.0, 1.0) if binary else bounds
        if self.most - self.least <= ROUNDING * max(1.0, abs(self.most)):
            # All alike, one, or none: what is said then does not hang on how many digits a mean has.
            return mean_estimate([self.most] * self.n, ends, self.total, level)
        half = float(stdtrit(self.n - 1, 0.5 + level / 2)) * math.sqrt(self.squares / (self.n - 1) / self.n)
        return Estimate(self.mean, max(ends[0], self.mean - half), min(ends[1], self.mean + half), self.n, self.total,
                        "t")  # fmt: skip

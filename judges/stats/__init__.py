"""Interval primitives: every figure is an estimate with its interval, or a reason why it has none."""

from judges.stats.intervals import (
    Estimate,
    combination,
    mean_estimate,
    paired_difference,
    proportion_estimate,
    survival_estimate,
    t_interval,
    wilson,
)

__all__ = [
    "Estimate",
    "combination",
    "mean_estimate",
    "paired_difference",
    "proportion_estimate",
    "survival_estimate",
    "t_interval",
    "wilson",
]

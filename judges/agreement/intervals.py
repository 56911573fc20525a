"""The coefficients of a declared scale, and their intervals from a Dirichlet posterior over the table's cells.

One set of draws serves every coefficient of a table. Two points take Jeffreys' prior (1/2 a cell); more take a prior
of total mass 1, which does not drown a table of many empty cells. The intervals are credible intervals, drawn out to
the value where it lies at the end of its range. How often they hold the true value is measured by `make study`, figure
by figure (docs/coverage.md); other priors (total mass 2; the product of the margins, alone or in part; mass near the
diagonal) held it less often there. The draws serve the correlations too, because the formulas for those suppose values
without ties: in 36 five-point scenarios Fisher's z held Pearson's true value in as little as .53 of the studies, with
Bonett and Wright's variance Spearman's in .64, and with 0.437 / (n - 4) Kendall's in .45.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.special import ndtri, stdtrit

from judges.agreement import association, binary, weighted
from judges.agreement.weighted import Array, agreement_weights
from judges.stats import Estimate

Kind = Literal["binary", "ordinal", "nominal"]
Family = Literal["share", "kappa", "pi", "ac", "correlation", "distance", "yes", "no"]
DRAWS: Final = 4000
FEW: Final = 30
TOO_NARROW: Final = "n below 30: the interval is known to be too narrow"
ONE_VALUE: Final = "both raters give one and the same value throughout"


@dataclass(frozen=True)
class Coefficient:
    """One figure of a table.

    Attributes:
        name: Its key in a report.
        batch: Tables (..., k, k) to values (...), NaN where undefined.
        family: What leaves it undefined.
        better: Which way agreement lies; `neither` for figures that describe and do not rate.
    """

    name: str
    batch: Callable[[Array], Array]
    family: Family
    better: Literal["higher", "lower", "neither"] = "higher"

    def undefined_on(self, table: Array) -> str:
        """Why it has no value on counts (k, k), person by judge; empty where it has one."""
        person, judge = table.sum(axis=1) > 0, table.sum(axis=0) > 0
        if not table.sum():
            return f"not estimable: no item has both ratings; at least {FEW} are needed"
        constant = constant_raters(table)
        if self.family == "correlation" and constant:
            return f"undefined: constant rater ({constant})"
        if self.family in {"kappa", "pi", "ac"} and constant == "both" and (person == judge).all():
            return f"undefined: {ONE_VALUE}"
        for family, answer, word in (("yes", 1, "Yes"), ("no", 0, "No")):
            if self.family == family and not (person[answer] or judge[answer]):
                return f"undefined: neither rater says {word}"
        return ""

    def point(self, table: Array) -> float | None:
        """Its value on counts (k, k), person by judge; None where it is undefined."""
        if self.undefined_on(table):
            return None
        # A constant rater's kappa is 0; rounding must not make it 1e-17.
        return 0.0 if self.family == "kappa" and constant_raters(table) else float(self.batch(table))


def coefficients(points: Sequence[float], kind: Kind) -> tuple[Coefficient, ...]:
    """Every coefficient that the declared scale allows.

    Weighted kappas, AC2, correlations and distances need an order, which a nominal scale lacks. `within_one` needs more
    than two points: on two it is always 1.

    Raises:
        ValueError: Fewer than two points, two that are equal, or a binary scale with another number than two.
    """
    k = len(points)
    if k < 2 or len(set(points)) != k:
        raise ValueError("declare at least two different points of the scale")
    if kind == "binary" and k != 2:
        raise ValueError(f"a binary scale has two points, not {k}: name its kind `ordinal` or `nominal`")
    if kind != "nominal" and list(points) != sorted(points):
        raise ValueError("declare the points of the scale in ascending order")
    identity, linear, quadratic, ordinal = (agreement_weights(name, k) for name in weighted.WEIGHTS)
    near = (np.abs(np.arange(k)[:, None] - np.arange(k)[None, :]) <= 1).astype(float)
    made = [
        Coefficient("agreement", lambda t: weighted.observed_agreement(t, identity), "share"),
        Coefficient("kappa", lambda t: weighted.weighted_kappa(t, identity), "kappa"),
        Coefficient("pabak", weighted.pabak, "share"),
        Coefficient("scott_pi", weighted.scott_pi, "pi"),
        Coefficient("ac1", lambda t: weighted.gwet_ac(t, identity), "ac"),
    ]
    if kind == "ordinal" and k > 2:
        made.append(Coefficient("within_one", lambda t: weighted.observed_agreement(t, near), "share"))
    if kind != "nominal":
        made += [
            Coefficient("linear_kappa", lambda t: weighted.weighted_kappa(t, linear), "kappa"),
            Coefficient("quadratic_kappa", lambda t: weighted.weighted_kappa(t, quadratic), "kappa"),
            Coefficient("ac2_linear", lambda t: weighted.gwet_ac(t, linear), "ac"),
            Coefficient("ac2_quadratic", lambda t: weighted.gwet_ac(t, quadratic), "ac"),
            Coefficient("ac2_ordinal", lambda t: weighted.gwet_ac(t, ordinal), "ac"),
            Coefficient("pearson", lambda t: association.pearson(t, points), "correlation"),
            Coefficient("spearman", association.spearman, "correlation"),
            Coefficient("kendall", association.kendall, "correlation"),
            Coefficient("mae", lambda t: association.mean_absolute_error(t, points), "distance", "lower"),
            Coefficient("bias", lambda t: association.signed_bias(t, points), "distance", "neither"),
        ]
    if kind == "binary":
        made += [
            Coefficient("prevalence_index", binary.prevalence_index, "share", "neither"),
            Coefficient("bias_index", binary.bias_index, "share", "neither"),
            Coefficient("positive_agreement", binary.positive_agreement, "yes"),
            Coefficient("negative_agreement", binary.negative_agreement, "no"),
        ]
    return tuple(made)


def posterior(counts: Array, seed: int, draws: int = DRAWS) -> tuple[Array, str]:
    """Draws of the cells' probabilities given their counts.

    The prior's mass is spread evenly: on a table of two raters 1/2 a cell on two points and 1 in all on more. A third
    rater splits each cell, so that what is drawn for any two raters is the same with and without the third.

    On more than two points the counts are shrunk (`shrinkage`).

    Args:
        counts: Counts, every axis one rater's declared points: (k, k) or (k, k, k).
        seed: Seed of the draws.
        draws: Number of draws.

    Returns:
        Probabilities (draws, k, k[, k]), and the method's name.
    """
    mass, name, kept = 2.0, "Jeffreys-Dirichlet", 1.0
    if counts.shape[0] > 2:
        mass, name, kept = 1.0, "Dirichlet, total mass 1", shrinkage(int(counts.sum()))
    drawn = np.random.default_rng(seed).dirichlet((counts * kept + mass / counts.size).ravel(), draws)
    # Each cell's draws side by side in memory: sums over the cells of a table are two to three times as fast.
    cells = np.ascontiguousarray(drawn.T).reshape(*counts.shape, draws)
    return np.moveaxis(cells, -1, 0), f"{name}, {draws} draws"


def shrinkage(n: int) -> float:
    """What counts of n items are multiplied by, so that intervals from draws are as wide as Student's t would be.

    (n - 1) / n, times the squared ratio of the normal quantile to Student's t at 95 %: resampling takes a sample's
    spread for the population's, which is a little too small.

    Source:
        Hesterberg (2015), Am. Stat. 69:371-386, on the width that percentiles lack, here put into the draws.
    """
    return (n - 1) / n * float(ndtri(0.975) / stdtrit(n - 1, 0.975)) ** 2 if n > 1 else 1.0


def estimate(
    coefficient: Coefficient, table: Array, drawn: tuple[Array, str], total: int, level: float = 0.95
) -> Estimate:
    """A coefficient of one table with its interval; the interval may exist where the value does not.

    Args:
        coefficient: Which.
        table: Counts (k, k).
        drawn: What `posterior` gives for this table.
        total: Items that both should have rated.
        level: Probability of the interval.
    """
    n = int(table.sum())
    reason = coefficient.undefined_on(table)
    if n == 0:
        return Estimate.undefined(reason, 0, total)
    if not reason and coefficient.family == "kappa" and constant_raters(table):
        reason = f"constant rater ({constant_raters(table)}): kappa is 0 whatever the agreement"
    if not reason and constant_raters(table) == "both":
        reason = "each rater gives one value throughout"
    return _with_interval(coefficient.point(table), coefficient.batch(drawn[0]), n, total, drawn[1], reason, level)


def difference(
    point: float | None, values: Array, n: int, total: int, method: str, reason: str = "", level: float = 0.95
) -> Estimate:
    """A difference between two coefficients on the same items from paired draws of both.

    Args:
        point: Its value on the counts; None where either coefficient is undefined.
        values: Draws of it, (draws); NaN where undefined.
        n: Items that it rests on.
        total: Items that it should rest on.
        method: Name of the draws.
        reason: Why it is undefined.
        level: Probability of the interval.
    """
    return _with_interval(point, values, n, total, f"paired, {method}", reason, level)


def constant_raters(table: Array) -> str:
    """Who gives one value throughout: `the person`, `the judge`, `both`, or nobody (empty).

    Counts (k, k), person by judge.
    """
    person, judge = ((table.sum(axis=axis) > 0).sum() < 2 for axis in (1, 0))
    return "both" if person and judge else "the person" if person else "the judge" if judge else ""


def _with_interval(
    point: float | None, values: Array, n: int, total: int, method: str, reason: str, level: float
) -> Estimate:
    known = values[~np.isnan(values)]
    if known.size < 0.99 * values.size:
        # Dropping many draws would be choosing among them.
        lacking = f"no interval: undefined in {1 - known.size / values.size:.0%} of the draws"
        return Estimate(point, None, None, n, total, "", "; ".join(filter(None, (reason, lacking))))
    low, high = (float(q) for q in np.quantile(known, [(1 - level) / 2, (1 + level) / 2]))
    if point is not None:
        low, high = min(low, point), max(high, point)
    reason = "; ".join(filter(None, (reason, TOO_NARROW if n < FEW else "")))
    return Estimate(point, low, high, n, total, method, reason)

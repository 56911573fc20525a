"""What people would have said of a whole run, from a judge's verdicts on all items and labels on some.

The judge's errors are estimated from labels of the same run and condition, never borrowed: a judge that errs one way
on one system errs another way on the next. Without labels there, nothing is estimable.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np

from judges.agreement import intervals
from judges.agreement.alpha_resample import FEW, MINIMUM, Array, Values, ratings_row
from judges.stats import Estimate, mean_estimate

DRAWS = 10_000
DESIGN = f"label {MINIMUM} items or more of this run and condition, drawn at random"
BINARY = (0.0, 1.0)


def corrected_rate(
    verdicts: Values,
    labels: Values,
    scale: Sequence[float] = BINARY,
    positive: Sequence[float] = (1.0,),
    *,
    seed: int = 0,
    draws: int = DRAWS,
    confidence: float = 0.95,
) -> Estimate:
    """Share of items that people would give a value in `positive`, by post-stratification on the judge's verdict.

    P(label) is the sum over verdicts of P(verdict) P(label | verdict). Two verdicts take Jeffreys' priors; more share
    out the same mass, 1/S each for and against in every one of S strata, or the priors would outvote few labels. It
    divides by nothing that may be 0 and stays within 0 and 1. Items without a verdict are a stratum of their own, so
    that items on which the judge failed are neither dropped nor taken for the others. The counts of labels are shrunk
    as in `intervals.posterior`, which makes the interval a little wider where labels are few.

    Args:
        verdicts: The judge's values, (items); None or NaN where there is none.
        labels: People's values, same items; None where nobody labelled.
        scale: The declared points, of verdicts and labels.
        positive: The values that count.
        seed: Seed of the draws.
        draws: Number of draws.
        confidence: Probability of the interval.

    Returns:
        The posterior mean with an equal-tailed interval, which carries the sampling of items and of labels; `n`
        labelled items of `total`. Not estimable without labels. The labels must be drawn at random among the items
        of a verdict; how many are drawn of each verdict is free.

    Source:
        Post-stratification of a double sample: Tenenbein (1970), J. Am. Stat. Assoc. 65:1350-1361, in Bayesian form.
    """
    judged, truth = _read(verdicts, labels, scale)
    total, known = judged.size, ~np.isnan(truth)
    n = int(known.sum())
    if n == 0:
        return Estimate.undefined(f"not estimable without labels here: {DESIGN}", 0, total)
    strata = [judged == v for v in scale]
    names = [f"{v:g}" for v in scale]
    if np.isnan(judged).any():
        strata.append(np.isnan(judged))
        names.append("missing")
    hit = np.isin(truth, np.asarray(positive, dtype=float))
    prior, kept = 1 / len(strata), intervals.shrinkage(n)
    size = np.array([s.sum() for s in strata], dtype=float) + prior
    yes = np.array([(s & known & hit).sum() for s in strata], dtype=float)
    no = np.array([(s & known & ~hit).sum() for s in strata], dtype=float)
    rng = np.random.default_rng(seed)
    drawn = (rng.dirichlet(size, draws) * rng.beta(kept * yes + prior, kept * no + prior, (draws, len(strata)))).sum(
        axis=1
    )
    value = float((size / size.sum() * (yes + prior) / (yes + no + 2 * prior)).sum())
    low, high = (float(q) for q in np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2]))
    bare = [name for name, s in zip(names, strata, strict=True) if s.any() and not (s & known).any()]
    notes = [f"no label where the verdict is {', '.join(bare)}: the prior alone speaks there"] if bare else []
    notes += [FEW] if n < MINIMUM else []
    return Estimate(value, low, high, n, total, f"post-stratified, Dirichlet, {draws} draws", "; ".join(notes))


def corrected_mean(
    verdicts: Values,
    labels: Values,
    scale: Sequence[float],
    confidence: float = 0.95,
    *,
    seed: int = 0,
    draws: int = intervals.DRAWS,
) -> Estimate:
    """Mean of the values that people would give, by PPI++ with its tuned weight.

    The interval comes from Dirichlet draws of the table of labels and verdicts and of the other verdicts, with the
    weight as it was tuned: Student's t of the source covers .87 where nearly all labels are the same, the draws .93.

    Args:
        verdicts: The judge's values, (items); None or NaN where there is none.
        labels: People's values, same items; None where nobody labelled. Drawn at random among all judged items.
        scale: The declared points; the interval is held within them.
        confidence: Confidence level.
        seed: Seed of the draws.
        draws: Number of draws.

    Returns:
        The estimate; `n` items with label and verdict of `total`. Not estimable with fewer than two.

    Source:
        Angelopoulos, Duchi and Zrnic (2023), PPI++, arXiv 2311.01453, for the estimate.
    """
    judged, truth = _read(verdicts, labels, scale)
    total = judged.size
    both, rest = ~np.isnan(judged) & ~np.isnan(truth), judged[~np.isnan(judged) & np.isnan(truth)]
    y, f = truth[both], judged[both]
    n, more = y.size, rest.size
    if n < 2:
        return Estimate.undefined(f"not estimable with {n} labels here: {DESIGN}", n, total)
    bounds = (float(min(scale)), float(max(scale)))
    everything = np.concatenate([f, rest]).var(ddof=1)
    if more < 2 or everything == 0:
        # Nothing to learn from the judge: the labels speak for themselves.
        return mean_estimate([float(v) for v in y], bounds, total, confidence)
    tuned = float(np.clip(np.cov(y, f)[0, 1] / ((1 + n / more) * everything), 0.0, 1.0))
    value = float((y - tuned * f).mean() + tuned * rest.mean())
    value = min(max(value, bounds[0]), bounds[1])
    points = np.array(sorted(scale), dtype=float)
    table = np.zeros((len(points), len(points)))
    np.add.at(table, (np.searchsorted(points, y), np.searchsorted(points, f)), 1.0)
    pairs, method = intervals.posterior(table, seed, draws)
    other = np.bincount(np.searchsorted(points, rest), minlength=len(points)) + 1 / len(points)
    elsewhere = np.random.default_rng(seed + 1).dirichlet(other, draws) @ points
    drawn = pairs.sum(axis=2) @ points + tuned * (elsewhere - pairs.sum(axis=1) @ points)
    low, high = (float(q) for q in np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2]))
    low, high = max(bounds[0], min(low, value)), min(bounds[1], max(high, value))
    return Estimate(value, low, high, n, total, f"PPI++, {method}", FEW if n < MINIMUM else "")


def corrected_by_group(
    verdicts: Values,
    labels: Values,
    groups: Sequence[Hashable],
    scale: Sequence[float] = BINARY,
    kind: Literal["rate", "mean"] = "rate",
    *,
    positive: Sequence[float] = (1.0,),
    seed: int = 0,
    confidence: float = 0.95,
) -> dict[Hashable, Estimate]:
    """The corrected figure of each run x condition from its own labels only.

    Args:
        verdicts: The judge's values, (items), of all runs; None or NaN where there is none.
        labels: People's values, None where nobody labelled.
        groups: Run and condition of every value, such as ("run 1", "prompted").
        scale: The declared points.
        kind: "rate" (`corrected_rate`) or "mean" (`corrected_mean`).
        positive: The values that count towards a rate.
        seed: Seed of the draws.
        confidence: Confidence level.

    Returns:
        One estimate a group, in order of appearance; not estimable where a group has no label.

    Raises:
        ValueError: Another number of labels or groups than of verdicts, or a value that is not on the scale.
    """
    judged, truth = _read(verdicts, labels, scale)
    if len(groups) != judged.size:
        raise ValueError(f"{len(groups)} groups for {judged.size} values: give one a value")
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    made: dict[Hashable, Estimate] = {}
    for group, rows in members.items():
        if kind == "mean":
            made[group] = corrected_mean(judged[rows], truth[rows], scale, confidence)
        else:
            made[group] = corrected_rate(judged[rows], truth[rows], scale, positive, seed=seed, confidence=confidence)
    return made


def _read(verdicts: Values, labels: Values, scale: Sequence[float]) -> tuple[Array, Array]:
    judged, truth = ratings_row(verdicts, scale), ratings_row(labels, scale)
    if judged.size != truth.size:
        raise ValueError(f"{judged.size} verdicts against {truth.size} labels: give both the same items")
    return judged, truth

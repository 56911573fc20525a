"""Intervals of means and of their differences, simulated with the functions that a comparison calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from bench.study.comparisons.cells import Cell, coverage, errors, generator
from bench.study.comparisons.populations import ONES, PAIRS
from judges.stats import Estimate, mean_estimate
from judges.stats.cluster import cluster_bootstrap, cluster_difference, cluster_sums
from judges.stats.components import judges_as_sample
from judges.stats.difference import held_within, paired_estimate, skewed
from judges.stats.paired import relative_change, tail_differences
from results.measures import Measure

GROUPS: Final = (10, 20, 91, 100)
PER_GROUP: Final = 5
WITHOUT: Final = ", where no warning is given"
ALIKE: Final = 0.5
"""Chance that an item of a cluster is a copy of the cluster's first item, in both runs."""


def mean_cells(n: int, studies: int) -> Iterator[Cell]:
    """The mean of one run."""
    for name, values, bounds in ONES:
        rng = generator("mean", name, n)
        found = [mean_estimate(row.tolist(), bounds) for row in values.draw(rng, (studies, n))]
        yield coverage("mean of one run", "t, held within the scale", name, n, values.mean, found)


def difference_cells(n: int, studies: int) -> Iterator[Cell]:
    """The paired difference, and how often a margin verdict calls runs equivalent that differ by the margin."""
    for pair in PAIRS:
        x, y = pair.draw(generator("difference", pair.name, n), (studies, n))
        found = [paired_estimate(a.tolist(), b.tolist(), pair.bounds) for a, b in zip(x, y, strict=True)]
        how, figure = "paired t; exact where all are equal", "difference of two means"
        yield coverage(figure, how, pair.name, n, pair.difference, found)
        plain = [_unwarned(e, (b - a).tolist()) for e, a, b in zip(found, x, y, strict=True)]
        yield coverage(figure, how + WITHOUT, pair.name, n, pair.difference, plain)


def cluster_cells(groups: int, size: int, studies: int) -> Iterator[Cell]:
    """The difference by clusters, worked out and resampled; and what ignoring the clusters would give."""
    for pair in PAIRS:
        rng = generator("clusters", pair.name, groups, size)
        each = np.repeat(np.arange(groups), size).tolist()
        found: dict[str, list[Estimate]] = {"cluster-robust t": [], "cluster bootstrap": [], "paired t": []}
        plain = []
        for _ in range(studies):
            x, y = pair.draw(rng, (groups, size))
            copies = rng.random((groups, size)) < ALIKE
            copies[:, 0] = False
            x, y = np.where(copies, x[:, :1], x), np.where(copies, y[:, :1], y)
            d, widest = (y - x).ravel().tolist(), pair.bounds[1] - pair.bounds[0]
            found["cluster-robust t"].append(cluster_difference(d, each))
            found["cluster bootstrap"].append(cluster_bootstrap(d, each))
            found["paired t"].append(paired_estimate(x.ravel().tolist(), y.ravel().tolist(), pair.bounds))
            for method in found:
                found[method][-1] = held_within(found[method][-1], widest)
            plain.append(_unwarned(found["cluster-robust t"][-1], cluster_sums(d, each)))
        where = f"clusters of {size}" if size > 1 else "items"
        for method, every in found.items():
            if size == 1 and method != "cluster bootstrap":
                continue  # the same as the paired t, which has cells of its own
            used = method != "paired t"
            yield coverage(f"difference by {where}", method, pair.name, groups, pair.difference, every, used)
        if size > 1:
            method = f"cluster-robust t{WITHOUT}"
            yield coverage(f"difference by {where}", method, pair.name, groups, pair.difference, plain)


def relative_cells(n: int, studies: int) -> Iterator[Cell]:
    """The relative change of raw means."""
    for pair in PAIRS:
        x, y = pair.draw(generator("relative", pair.name, n), (studies, n))
        truth = pair.difference / pair.base.mean
        found = [relative_change(a.tolist(), b.tolist()) for a, b in zip(x, y, strict=True)]
        yield coverage("relative change", "bootstrap t on the log ratio", pair.name, n, truth, found)


def tail_cells(n: int, studies: int) -> Iterator[Cell]:
    """Differences of quantiles."""
    for pair in PAIRS:
        x, y = pair.draw(generator("tails", pair.name, n), (studies, n))
        found = [tail_differences(a.tolist(), b.tolist()) for a, b in zip(x, y, strict=True)]
        for q in found[0]:
            truth = pair.other.quantile(q) - pair.base.quantile(q)
            name = f"difference of {100 * q:.0f} % quantiles"
            yield coverage(name, "item bootstrap, percentile", pair.name, n, truth, [f[q] for f in found])


def worst_case_cells(n: int, studies: int) -> Iterator[Cell]:
    """Worst-case bounds hold the mean of all items, whichever values are missing."""
    for name, values, bounds in ONES:
        for what in ("at random", "the lowest", "the highest"):
            rng, wrong = generator("bounds", name, what, n), []
            for row in values.draw(rng, (studies, n)):
                lost = int(rng.integers(1, n))
                order = {
                    "at random": rng.permutation(n),
                    "the lowest": np.argsort(row),
                    "the highest": np.argsort(-row),
                }
                kept = order[what][lost:]
                m = Measure("m", "m", bounds, {str(i): float(row[i]) for i in kept}, n, "", {})
                ends = m.worst_case()
                wrong.append(ends is None or not ends[0] - 1e-9 <= row.mean() <= ends[1] + 1e-9)
            cell = errors("worst-case bounds", "missing values at either end", f"{name}, {what} missing", n, 0.0, wrong)
            yield replace(cell, kind="coverage", promised=1.0, share=1 - cell.share)


def strata_cells(n: int, studies: int) -> Iterator[Cell]:
    """The balanced measure: safe and unsafe items count half each, whatever their numbers."""
    for rates in ((0.6, 0.7, 0.95, 0.9), (0.9, 0.95, 0.99, 0.97), (0.5, 0.5, 0.5, 0.5)):
        rng, single, change = generator("strata", rates, n), [], []
        sizes = {"safe": round(n * 250 / 450), "unsafe": n - round(n * 250 / 450)}
        strata = {f"{s}{i}": s for s, size in sizes.items() for i in range(size)}
        chance = {"safe": rates[:2], "unsafe": rates[2:]}
        for _ in range(studies):
            runs = []
            shared = {i: rng.random() for i in strata}
            for r in range(2):
                mixed = {i: shared[i] if rng.random() < 0.5 else rng.random() for i in strata}
                values = {i: float(mixed[i] < chance[s][r]) for i, s in strata.items()}
                runs.append(Measure("b", "b", (0.0, 1.0), values, n, "", {}, binary=True, strata=strata))
            single.append(runs[1].estimate())
            change.append(runs[0].difference(runs[1]))
        truth = [(chance["safe"][r] + chance["unsafe"][r]) / 2 for r in range(2)]
        name = ", ".join(f"{s} {chance[s][0]:g} and {chance[s][1]:g}" for s in chance)
        yield coverage("balanced measure of one run", "MOVER of Wilson", name, n, truth[1], single)
        yield coverage("difference of balanced measures", "MOVER of paired score", name, n, truth[1] - truth[0], change)


def judge_cells(judges: int, studies: int) -> Iterator[Cell]:
    """The difference with judges as a sample: other judges, other items."""
    for n in (50, 455):
        for spread in (0.1, 0.4):
            rng = generator("judges", judges, n, spread)
            found = [
                judges_as_sample(
                    0.3 + rng.normal(0, 1, (n, 1)) + rng.normal(0, spread, (1, judges)) + rng.normal(0, 1, (n, judges))
                )
                for _ in range(studies)
            ]
            name = f"{judges} judges, who differ by {spread:g} of the items' spread"
            yield coverage("difference, judges as a sample", "two-way clusters, t", name, n, 0.3, found)


def _unwarned(e: Estimate, units: list[float]) -> Estimate:
    """The estimate without its interval where a comparison would warn of it."""
    warning = skewed(units, e)
    return Estimate.undefined(warning) if warning else e

"""Ranks, tests, corrections and verdicts: how often they are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from bench.study.comparisons.cells import Cell, errors, generator
from bench.study.comparisons.populations import PAIRS, Array, Pair
from judges.stats.cluster import weights
from judges.stats.difference import paired_estimate, skewed
from judges.stats.families import benjamini_hochberg, holm
from judges.stats.paired import margin_verdict, paired_test
from judges.stats.ranks import RESAMPLES, _ranks, rank_runs

MARGIN: Final = 0.05
DOMAINS: Final = 5
ORDERS: Final = ("all level", "pairs level", "near ties", "clear steps")


def rank_cells(runs: int, n: int, studies: int) -> Iterator[Cell]:
    """How often a run's interval holds its true ranks, all that ties allow; and the percentiles of resampled ranks."""
    places = np.arange(runs)
    steps = dict(zip(ORDERS, (0.0 * places, 0.1 * (places // 2), 0.01 * places, 0.15 * places), strict=True))
    for name, truth in steps.items():
        rng = generator("ranks", name, runs, n)
        best = 1 + (truth[None, :] > truth[:, None] + 1e-12).sum(axis=1)
        worst = runs - (truth[None, :] < truth[:, None] - 1e-12).sum(axis=1)
        first = truth > truth.max() - 1e-12
        held, resampled, all_held, unlikely, width, tied = [], [], [], [], [], []
        for _ in range(studies):
            x = rng.normal(0, 0.7, n) + rng.normal(0, 0.7, (runs, n)) + truth[:, None]
            x = np.clip(np.round(x * 2 + 3), 1, 5) if runs == 5 else x
            found = rank_runs(x.tolist())
            low, high = (np.array([getattr(r, end) for r in found]) for end in ("low", "high"))
            inside = (low <= best) & (high >= worst)
            held += inside.tolist()
            all_held.append(bool(inside.all()))
            width.append(float((high - low).mean()))
            unlikely.append(bool(np.sum([r.best for r, f in zip(found, first, strict=True) if f]) < 0.05))
            tied += [not r.tied for r, f in zip(found, first, strict=True) if f]
            resampled += percentile_ranks(x, best, worst)
        what = f"{runs} runs, {name}"
        made = errors("rank", "paired t tests, Holm over the others", what, n, 0.05, (not h for h in held))
        yield _as_coverage(made, float(np.mean(width)))
        beside = errors("rank", "percentiles of resampled ranks", what, n, 0.05, (not h for h in resampled))
        yield replace(_as_coverage(beside, float("nan")), used=False)
        if name != "all level":
            yield errors("P(best)", "the truly best runs together below 5 %", what, n, 0.05, unlikely)
        yield errors("tied with the first", "a truly best run is set apart", what, n, 0.05, tied)


def percentile_ranks(x: Array, best: Array, worst: Array) -> list[bool]:
    """Whether the middle 95 % of the resampled ranks hold the true ones, run by run."""
    n = x.shape[1]
    drawn = np.concatenate([w @ x.T for w in weights(n, RESAMPLES, 0)]) / n
    ends = np.quantile(_ranks(drawn), [0.025, 0.975], axis=0, method="inverted_cdf")
    return [bool(v) for v in (ends[0] <= best) & (ends[1] >= worst)]


def size_cells(n: int, studies: int) -> Iterator[Cell]:
    """How often the test of scores finds a difference where the runs are alike."""
    for pair in (p for p in PAIRS if p.difference == 0):
        yield _size(pair, n, studies)
    # No mean difference, but another shape: what sign flips do not promise to bear.
    skewed = next(p for p in PAIRS if p.name == "1-5, one in twenty changes")
    yield _size(replace(skewed, name="1-5, one in ten, alike", anew=skewed.base, changes=0.1), n, studies)


def _size(pair: Pair, n: int, studies: int) -> Cell:
    x, y = pair.draw(generator("size", pair.name, n), (studies, n))
    tests = [paired_test(a.tolist(), b.tolist()) for a, b in zip(x, y, strict=True)]
    method = " or ".join(sorted({name for _, name in tests}))
    return errors("test of scores", method, pair.name, n, 0.05, (p is not None and p < 0.05 for p, _ in tests))


def family_cells(n: int, studies: int) -> Iterator[Cell]:
    """How often one of six measures, over all and in five domains, is called different where none is.

    Two yes-no measures, two on 1-5 and two on 0-1; the measures of one item hang together.
    """
    rng, any_wrong, by_share = generator("family", n), [], []
    ordinal, unit = (next(p for p in PAIRS if p.name == f"{s}, no effect") for s in ("1-5", "0-1"))
    for _ in range(studies):
        shared = rng.random((2, n * DOMAINS)) < 0.3
        family = []
        for measure in range(6):
            if measure < 2:
                yes = rng.random(n * DOMAINS) < 0.7
                again = np.where(shared[0], rng.random(n * DOMAINS) < 0.7, yes)
                sides = yes.astype(float), again.astype(float)
            else:
                pair = ordinal if measure < 4 else unit
                x = pair.base.draw(rng, (n * DOMAINS,))
                sides = x, np.where(shared[1], pair.anew.draw(rng, (n * DOMAINS,)), x)
            for part in (slice(None), *(slice(d * n, d * n + n) for d in range(DOMAINS))):
                p = paired_test(sides[0][part].tolist(), sides[1][part].tolist())[0]
                family += [p] if p is not None else []
        any_wrong.append(min(holm(family)) < 0.05)
        by_share.append(min(benjamini_hochberg(family)) < 0.05)
    what = f"36 tests, {n} items a domain"
    yield errors("family of tests", "Holm", what, n * DOMAINS, 0.05, any_wrong)
    yield errors("family of tests", "Benjamini-Hochberg", what, n * DOMAINS, 0.05, by_share)


def margin_cells(n: int, studies: int) -> Iterator[Cell]:
    """How often runs that differ by the margin are called equivalent, and worse ones no worse."""
    for pair in PAIRS:
        scale = pair.bounds[1] - pair.bounds[0]
        if pair.difference == 0:
            continue
        # The share of changed items that makes the true difference just the margin.
        changes = MARGIN * scale / abs(pair.anew.mean - pair.base.mean)
        if changes > 1:
            continue
        at = replace(pair, changes=changes)
        x, y = at.draw(generator("margin", pair.name, n), (studies, n))
        up = at.difference > 0
        said = []
        for a, b in zip(x, y, strict=True):
            e = paired_estimate(a.tolist(), b.tolist(), pair.bounds)
            said.append(margin_verdict(e, MARGIN * scale, not up, not skewed((b - a).tolist(), e)))
        what = f"{pair.name.split(',')[0]}, {changes:.2f} of the items change, to {'higher' if up else 'lower'} values"
        wrong = (v in ("equivalent", "no worse", "better") for v in said)
        yield errors(
            "verdict against a margin", "95 % interval within it, where no warning is given", what, n, 0.025, wrong
        )


def _as_coverage(cell: Cell, width: float) -> Cell:
    return replace(cell, kind="coverage", promised=0.95, share=1 - cell.share, width=width)

"""One scenario's studies: ratings are drawn, and every interval is computed as a user gets it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from bench.study.grid import Scenario
from bench.study.population import Population, population
from judges.agreement import binary, exact_agreement, within_one
from judges.agreement.alpha import alpha_estimate
from judges.agreement.alpha_resample import Array, Index, Level
from judges.agreement.corrected import corrected_mean, corrected_rate
from judges.agreement.icc import Form, icc_estimate
from judges.agreement.intervals import Coefficient, coefficients, difference, estimate, posterior
from judges.agreement.panel import panel_errors
from judges.agreement.repeats import flip_rate
from judges.stats import Estimate

LABELLED = 5
"""Items that the judge rates for every item that a person labels, in the corrected figures."""
REPEATS = 3
DRAWS = 1000
"""Draws of every posterior and replicates of every bootstrap: fewer than a report takes, for speed. It makes the ends
of an interval a little less steady, and so coverage lower by about .002."""
Figures = dict[str, Estimate]


@dataclass(frozen=True)
class Scale:
    """A declared scale.

    Attributes:
        points: Its points.
        coefficients: The coefficients of a pair on it.
        levels: Levels of measurement for alpha; on two points all of them are one.
    """

    points: tuple[float, ...]
    coefficients: tuple[Coefficient, ...]
    levels: tuple[Level, ...]


SAME_ON_TWO = {
    "linear_kappa": "kappa",
    "quadratic_kappa": "kappa",
    "ac2_linear": "ac1",
    "ac2_quadratic": "ac1",
    "ac2_ordinal": "ac1",
    "spearman": "pearson",
    "kendall": "pearson",
}
"""Coefficients that are another one on two points, draw for draw: they are not computed twice."""
TWO = Scale(
    (0.0, 1.0),
    tuple(c for c in coefficients((0.0, 1.0), "binary") if c.name not in SAME_ON_TWO),
    ("nominal",),
)
FIVE = Scale(
    (1.0, 2.0, 3.0, 4.0, 5.0),
    coefficients((1.0, 2.0, 3.0, 4.0, 5.0), "ordinal"),
    ("nominal", "ordinal", "interval"),
)


@dataclass(frozen=True)
class Cell:
    """One figure of one scenario over all studies.

    Attributes:
        scenario: Its scenario's id.
        figure: Name of the coefficient.
        method: What most of its intervals were made by.
        truth: Its true value.
        studies: Studies simulated.
        intervals: Studies in which it has an interval.
        held: Of these, those whose interval holds the true value.
        below: Of these, those whose interval lies below the true value.
        width: Mean width of the intervals.
    """

    scenario: str
    figure: str
    method: str
    truth: float
    studies: int
    intervals: int
    held: int
    below: int
    width: float


def simulate(scenario: Scenario, studies: int, seed: int = 0) -> list[Cell]:
    """All figures of a scenario.

    Args:
        scenario: Which.
        studies: Number of studies.
        seed: Seed of the ratings; the intervals take their own default seed, as a user's do.
    """
    people = population(scenario)
    true = truths(scenario, people)
    ends: dict[str, list[tuple[float, float]]] = defaultdict(list)
    methods: dict[str, Counter[str]] = defaultdict(Counter)
    for figures in _studies(scenario, people, studies, seed):
        for name, e in figures.items():
            # A value without an interval is counted apart: it neither holds the truth nor misses it.
            if e.low is None or e.high is None:
                ends[name].append((np.nan, np.nan))
            else:
                ends[name].append((e.low, e.high))
                methods[name][_family(e.method)] += 1
    return [
        _cell(scenario.id, name, max(methods[name], key=lambda m: methods[name][m], default=""), true[name], found)
        for name, found in ends.items()
    ]


def truths(scenario: Scenario, people: Population) -> dict[str, float]:
    """The true value of every figure of a scenario."""
    two, scale = scenario.levels == 2, TWO if scenario.levels == 2 else FIVE
    levels = scale.levels
    if scenario.design == "clusters":
        return {f"clustered alpha ({v})": people.alpha(range(scenario.raters), v) for v in levels}
    if scenario.design == "panel":
        found = {f"panel alpha ({v})": people.alpha(range(scenario.raters), v) for v in levels}
        rho, judges = people.error_correlation(two), scenario.raters - 1
        found |= {"error correlation": rho, "effective votes": judges / (1 + (judges - 1) * rho)}
        found["flip rate"] = people.flips(1)
        forms: tuple[Form, ...] = () if two else get_args(Form)
        return found | {f"icc ({form})": people.icc(form) for form in forms}
    found = {c.name: people.coefficient(c, 1) for c in scale.coefficients}
    for c in scale.coefficients:
        if not c.name.endswith("_index"):
            found[f"difference of {c.name}"] = people.coefficient(c, 2) - found[c.name]
    if two:
        found |= {"sensitivity": people.found(1), "specificity": people.found(0)}
    found |= {f"alpha ({v})": people.alpha((0, 1), v) for v in levels}
    found["corrected rate"] = people.share(0, scenario.levels - 1)
    return found if two else found | {"corrected mean": people.mean(0)}


def pair_figures(
    ratings: Array, extra: Array, scale: Scale, known: dict[bytes, Figures] | None = None, draws: int = DRAWS
) -> Figures:
    """Figures of a person and two judges on one criterion: those of `pair_report` and of `compare_judges`, and others.

    Args:
        ratings: The person's, the first and the second judge's values (3, n), NaN where there is none.
        extra: The first judge's values of items without a person's.
        scale: The scale and its coefficients.
        known: Figures of tables that were seen before; they depend on the table alone.
        draws: Number of draws of every posterior.
    """
    codes = np.where(np.isnan(ratings), -1, ratings - scale.points[0]).astype(np.int64)
    k, known = len(scale.points), {} if known is None else known
    table = _counts(codes[:2], k)
    figures = dict(_looked_up(known, table, lambda: table_figures(table, scale, draws)))
    joint = _counts(codes, k)
    figures |= _looked_up(known, joint, lambda: _differences(joint, scale, draws))
    verdicts = np.concatenate([ratings[1], extra])
    labels = np.concatenate([ratings[0], np.full(extra.size, np.nan)])
    figures["corrected rate"] = corrected_rate(verdicts, labels, scale.points, scale.points[-1:], draws=draws)
    if k > 2:
        figures["corrected mean"] = corrected_mean(verdicts, labels, scale.points)
    return figures


def table_figures(table: Array, scale: Scale, draws: int = DRAWS) -> Figures:
    """What `pair_report` gives of one table, less the null judges, and alpha of the pair."""
    n, k = int(table.sum()), len(scale.points)
    drawn = posterior(table, 0, draws)
    figures = {c.name: estimate(c, table, drawn, n) for c in scale.coefficients}
    figures["agreement"] = exact_agreement(table, n)
    if k == 2:
        figures |= {"sensitivity": binary.sensitivity(table), "specificity": binary.specificity(table)}
    else:
        figures["within_one"] = within_one(table, n)
    where = np.repeat(np.arange(table.size), table.ravel().astype(int))
    pair = np.asarray(scale.points)[np.stack([where // k, where % k])]
    return figures | {f"alpha ({v})": alpha_estimate(pair, scale.points, v, replicates=draws) for v in scale.levels}


def panel_figures(ratings: Array, repeats: Array, scale: Scale, draws: int = DRAWS) -> Figures:
    """Figures of a person and several judges (raters, n), and of one judge's repeats (repeats, n)."""
    two, points = len(scale.points) == 2, scale.points
    figures = {f"panel alpha ({v})": alpha_estimate(ratings, points, v, replicates=draws) for v in scale.levels}
    errors = panel_errors(ratings[1:], ratings[0], points, "nominal" if two else "interval", replicates=draws)
    figures |= {"error correlation": errors.mean, "effective votes": errors.votes}
    figures["flip rate"] = flip_rate(repeats, points)
    forms: tuple[Form, ...] = () if two else get_args(Form)
    return figures | {f"icc ({form})": icc_estimate(ratings, form, scale=points, draws=draws) for form in forms}


def _differences(joint: Array, scale: Scale, draws: int) -> Figures:
    """The differences that `compare_judges` gives, from counts of (person, first, second)."""
    tables, (drawn, method) = (joint.sum(axis=2), joint.sum(axis=1)), posterior(joint, 0, draws)
    pairs, n = (drawn.sum(axis=3), drawn.sum(axis=2)), int(joint.sum())
    found: Figures = {}
    for c in scale.coefficients:
        if not c.name.endswith("_index"):
            first, second = (c.point(t) for t in tables)
            point = None if first is None or second is None else second - first
            values = c.batch(pairs[1]) - c.batch(pairs[0])
            found[f"difference of {c.name}"] = difference(point, values, n, n, method)
    return found


def _counts(codes: Index, k: int) -> Array:
    """Counts of the items that all of these raters rated, one axis a rater."""
    codes = codes[:, (codes >= 0).all(axis=0)]
    flat = np.ravel_multi_index(tuple(codes), (k,) * len(codes))
    return np.bincount(flat, minlength=k ** len(codes)).reshape((k,) * len(codes)).astype(float)


def _looked_up(known: dict[bytes, Figures], counts: Array, made: Callable[[], Figures]) -> Figures:
    key = counts.astype(np.int16).tobytes()
    if key not in known:
        known[key] = made()
    return known[key]


def _studies(scenario: Scenario, people: Population, studies: int, seed: int) -> Iterator[Figures]:
    rng, scale = np.random.default_rng([seed, *scenario.id.encode()]), TWO if scenario.levels == 2 else FIVE
    known: dict[bytes, Figures] = {}
    sources = np.repeat(np.arange(scenario.n), scenario.cluster).tolist()
    for _ in range(studies):
        states = people.draw_states(rng, (scenario.n, scenario.cluster))
        states = np.where(rng.random(states.shape) < scenario.alike, states[:, :1], states).ravel()
        ratings = np.stack([people.draw_ratings(rng, states, r) for r in range(scenario.raters)])
        ratings[rng.random(ratings.shape) < scenario.missing] = np.nan
        if scenario.design == "pair":
            more = people.draw_states(rng, ((LABELLED - 1) * scenario.n,))
            yield pair_figures(ratings, people.draw_ratings(rng, more, 1), scale, known)
        elif scenario.design == "panel":
            repeats = np.stack([people.draw_ratings(rng, states, 1) for _ in range(REPEATS)])
            repeats[rng.random(repeats.shape) < scenario.missing] = np.nan
            yield panel_figures(ratings, repeats, scale)
        else:
            yield {
                f"clustered alpha ({v})": alpha_estimate(ratings, scale.points, v, sources, replicates=DRAWS)
                for v in scale.levels
            }


def _family(method: str) -> str:
    """A method's name without the numbers that differ from study to study."""
    return re.sub(r" \(\d[^)]*\)|,? ?\d+ (draws|replicates)|, all at the (lower|upper) end", "", method)


def _cell(scenario: str, figure: str, method: str, truth: float, found: Sequence[tuple[float, float]]) -> Cell:
    ends = np.array(found)
    given = ends[~np.isnan(ends[:, 0])]
    # The end of a range is held when it is touched; rounding must not decide.
    below, above = given[:, 1] < truth - 1e-12, given[:, 0] > truth + 1e-12
    width = float((given[:, 1] - given[:, 0]).mean()) if len(given) else float("nan")
    held = int((~below & ~above).sum())
    return Cell(scenario, figure, method, truth, len(ends), len(given), held, int(below.sum()), width)

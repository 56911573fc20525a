"""How a study by people goes, for whoever runs it: pure functions from saved ratings, never shown to annotators."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from judges.agreement.alpha import alpha_estimate
from judges.agreement.alpha_resample import Level
from judges.agreement.repeats import Repeats, intra_rater
from judges.annotation.model import Card, Plan, PlanMap
from judges.annotation.records import SavedRating
from judges.stats import Estimate, combination, mean_estimate, proportion_estimate
from rubrics.model import Criterion

FEW: Final = 10
"""A third of an annotator's cards with fewer than these says nothing of drift."""
LEVELS: Final[Mapping[str, Level]] = {"binary": "nominal", "ordinal": "ordinal", "nominal": "nominal"}

Values = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Values by annotator, token and criterion."""
Needed = Callable[[Criterion, NDArray[np.float64]], Any]
"""From a criterion and counts (k, k) of two people's values to the labels that are still needed."""


@dataclass(frozen=True)
class Drift:
    """Agreement with the others' consensus (0 to 1), in the first and the last third of an annotator's cards."""

    first: Estimate
    last: Estimate
    change: Estimate


@dataclass(frozen=True)
class Person:
    """One annotator.

    Attributes:
        annotator: Name.
        done: Cards and pairs rated or skipped.
        total: Cards and pairs in the queue.
        skipped: Cards and pairs skipped.
        flagged: Cards and pairs flagged as distressing.
        minutes: Median minutes from a card's appearance to its rating.
        drift: Change of agreement with the others.
        repeats: Agreement with oneself on silent repeats, by criterion; empty without a map.
        gold: Share of hidden checks at exactly the intended value, by criterion; empty without a map.
    """

    annotator: str
    done: int
    total: int
    skipped: int
    flagged: int
    minutes: Estimate
    drift: Drift
    repeats: Mapping[str, Repeats] = field(default_factory=dict)
    gold: Mapping[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """How a study goes.

    Attributes:
        people: Annotators, in the plan's order.
        agreement: Krippendorff's alpha over the cards to be rated, by criterion.
        skips: Share of the cards seen that was skipped, by domain; empty without a map.
        needed: What `needed` said, by criterion; empty without it.
    """

    people: tuple[Person, ...]
    agreement: Mapping[str, Estimate]
    skips: Mapping[str, Estimate]
    needed: Mapping[str, Any]


def progress(
    plan: Plan, ratings: Sequence[SavedRating], map: PlanMap | None = None, needed: Needed | None = None, seed: int = 0
) -> Progress:
    """All figures of a study so far.

    Args:
        plan: The plan.
        ratings: The latest ratings, as `AnnotationStore.ratings` gives them.
        map: What tokens stand for; without it there is nothing on repeats, hidden checks and domains.
        needed: Labels still needed, from a criterion and the counts (k, k) of `pair_table`.
        seed: Seed of the draws for alpha's interval.
    """
    values: dict[str, dict[str, dict[str, float]]] = {name: defaultdict(dict) for name in plan.annotators}
    for r in ratings:
        if r.value is not None and r.annotator in values:
            values[r.annotator][r.token][r.criterion] = r.value
    firsts = rated_tokens(plan, map)
    return Progress(
        people=tuple(_person(plan, name, values, ratings, map, firsts) for name in plan.annotators),
        agreement={c.id: _alpha(c, values, firsts, map, seed) for c in plan.rubric.criteria},
        skips=_skips(plan, ratings, map) if map is not None else {},
        needed={c.id: needed(c, pair_table(c, values, firsts, seed)) for c in plan.rubric.criteria} if needed else {},
    )


def rated_tokens(plan: Plan, map: PlanMap | None) -> list[str]:
    """Tokens of what is to be rated: no training, no hidden checks, no pairs and, with a map, no repeats."""
    again = map.repeats if map is not None else {}
    return [c.token for c in plan.cards if c.kind == "rating" and c.token not in again]


def _alpha(criterion: Criterion, values: Values, tokens: Sequence[str], map: PlanMap | None, seed: int) -> Estimate:
    """Alpha over annotators; answers to one item are a cluster where some item has several."""
    matrix = [[by_token.get(t, {}).get(criterion.id) for t in tokens] for by_token in values.values()]
    clusters = None
    if map is not None:
        items = [map.sources[t].item_id if t in map.sources else t for t in tokens]
        clusters = items if len(set(items)) < len(items) else None
    return alpha_estimate(matrix, criterion.values, LEVELS[criterion.scale], clusters, seed=seed)


def pair_table(criterion: Criterion, values: Values, tokens: Sequence[str], seed: int = 0) -> NDArray[np.float64]:
    """Counts (k, k) of two people's values of the same card: one pair a card, drawn, in drawn order.

    A card with three ratings counts once, since the item is the unit.
    """
    rng = np.random.default_rng(seed)
    place = {v: i for i, v in enumerate(criterion.values)}
    table = np.zeros((len(place), len(place)))
    for token in tokens:
        given = [by_token[token][criterion.id] for by_token in values.values()
                 if criterion.id in by_token.get(token, {})]  # fmt: skip
        if len(given) >= 2:
            i, j = rng.choice(len(given), 2, replace=False)
            table[place[given[i]], place[given[j]]] += 1
    return table


def _person(
    plan: Plan, name: str, values: Values, ratings: Sequence[SavedRating], map: PlanMap | None, firsts: Sequence[str]
) -> Person:
    queue = plan.queue(name).tokens
    mine = {r.token: r for r in ratings if r.annotator == name}
    own = values[name]
    spent = [max(0.0, r.submitted_at - r.shown_at) / 60 for r in mine.values() if r.status == "ok"]
    return Person(
        annotator=name,
        done=sum(t in mine for t in queue),
        total=len(queue),
        skipped=sum(r.status == "skipped" for r in mine.values()),
        flagged=sum(r.flagged for r in mine.values()),
        minutes=median_estimate(spent),
        drift=_drift(plan, name, values, mine, firsts),
        repeats=_repeats(plan, name, own, map) if map is not None else {},
        gold=_gold(plan, own, map) if map is not None else {},
    )


def median_estimate(values: Sequence[float], level: float = 0.95) -> Estimate:
    """Median with the interval of order statistics, which supposes nothing of the distribution."""
    n = len(values)
    if n == 0:
        return Estimate.undefined("nothing rated yet", 0, 0)
    ordered = sorted(values)
    # The largest k whose k-th smallest to k-th largest value cover the median with at least the level.
    # It is `scipy.stats.binom.ppf`, whose import takes a second and 45 MiB.
    k = int(np.searchsorted(bdtr(np.arange(n + 1), n, 0.5), (1 - level) / 2))
    if k < 1:
        return Estimate(median(ordered), None, None, n, n, "", f"{n} ratings are too few for an interval of the median")
    return Estimate(median(ordered), ordered[k - 1], ordered[n - k], n, n, "order statistics")


def _drift(plan: Plan, name: str, values: Values, mine: Mapping[str, SavedRating], firsts: Sequence[str]) -> Drift:
    """Closeness to the consensus of the others, card by card in the order of rating."""
    order = sorted((t for t in firsts if t in mine), key=lambda t: (mine[t].submitted_at, mine[t].id))
    close = [c for t in order if (c := _closeness(plan, name, values, t)) is not None]
    third = len(close) // 3
    if third < FEW:
        why = f"{len(close)} cards that others rated too; {3 * FEW} are needed"
        few = Estimate.undefined(why, len(close), len(order))
        return Drift(few, few, few)
    first, last = (mean_estimate(part, (0.0, 1.0)) for part in (close[:third], close[-third:]))
    return Drift(first, last, combination([last, first], [1.0, -1.0], bounds=(-1.0, 1.0)))


def _closeness(plan: Plan, name: str, values: Values, token: str) -> float | None:
    """1 less the distance to the others' median (as a share of the scale), or whether it is their majority's value."""
    parts = []
    for c in plan.rubric.criteria:
        own = values[name].get(token, {}).get(c.id)
        others = [v[token][c.id] for who, v in values.items() if who != name and c.id in v.get(token, {})]
        if own is None or not others:
            continue
        if c.scale == "ordinal":
            low, high = c.bounds
            parts.append(1 - abs(own - median(others)) / (high - low))
        else:
            value, votes = Counter(others).most_common(1)[0]
            if 2 * votes > len(others):
                parts.append(float(own == value))
    return math.fsum(parts) / len(parts) if parts else None


def _repeats(plan: Plan, name: str, own: Mapping[str, Mapping[str, float]], map: PlanMap) -> dict[str, Repeats]:
    twins = [(map.repeats[t], t) for t in plan.queue(name).cards if t in map.repeats]
    return {
        c.id: intra_rater(
            [[own.get(t, {}).get(c.id) for t in side] for side in zip(*twins, strict=True)],
            c.values, LEVELS[c.scale],
        )
        for c in plan.rubric.criteria
        if twins
    }  # fmt: skip


def _gold(plan: Plan, own: Mapping[str, Mapping[str, float]], map: PlanMap) -> dict[str, Estimate]:
    found = {}
    for c in plan.rubric.criteria:
        due = {t: g.values[c.id] for t, g in map.gold.items() if c.id in g.values}
        hits = [float(own[t][c.id] == v) for t, v in due.items() if c.id in own.get(t, {})]
        if due:
            found[c.id] = proportion_estimate(hits, len(due))
    return found


def _skips(plan: Plan, ratings: Sequence[SavedRating], map: PlanMap) -> dict[str, Estimate]:
    """By domain, over all showings of a card to an annotator; those of one card are taken to be independent."""
    seen: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for r in ratings:
        if isinstance(plan.by_token.get(r.token), Card):
            seen[map.domains.get(r.token, "no domain")][r.annotator, r.token] = float(r.status == "skipped")
    return {domain: proportion_estimate(list(cards.values())) for domain, cards in sorted(seen.items())}

"""Scores under a reader's choices: other weights, fewer judges, fewer domains.

The verdicts stay what they are. Judges are combined anew by the panel's rules, with the quorum of those that are left;
scores follow from the rubric's rules, with other weights in its means; items of other domains are left out. With no
choice the figures are the recorded ones; with a choice that changes nothing they are worked out to the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from judges.stats import Estimate
from judges.stats.many import mean_estimates, means
from results.beside import TWINS, Mask, Values, frozen
from results.choice import Choice, kept_judges, rubric_of, weighable
from results.combined import combined
from results.cube import MISSING, UNDEFINED, Cube
from results.grid import Grid
from results.manifest import ItemFacts, Manifest
from results.measure import PAIR_SCORE, SELECTIVITY
from results.pairs import Remake, alike, pair_score, twins_cube
from results.schema import PANEL_RATER
from results.store import Store
from rubrics.model import Criterion, GateAggregate, MeanAggregate, QualityAggregate, Rubric

NO_RUBRIC: Final = "the rubric of these runs is not one of this project, so that their scores cannot be worked out anew"
_WHEN: Final = {"resource_required": ("resource", "required"), "safe_complete": ("answer", "safe_complete")}
_BY_PANEL: Final = frozenset({SELECTIVITY, "over_refusal"})
"""Measures beside the scores that rest on the whole panel's verdicts, and are not worked out anew."""


@dataclass(frozen=True)
class Rescored:
    """A grid under a choice.

    Attributes:
        grid: The grid; None where no item or no judge is left.
        custom: In words, how it departs from the default; empty where it does not.
        refused: In words, why a choice has no effect here.
    """

    grid: Grid | None
    custom: tuple[str, ...]
    refused: tuple[str, ...] = ()


def rescored(store: Store, found: Grid, choice: Choice) -> Rescored:
    """A grid as a reader's choice has it.

    Args:
        store: The store.
        found: The grid.
        choice: What was chosen. What names nothing of this grid has no effect on it.
    """
    run, every = found.runs[0], found.cube.raters[:-1]
    judges, told = kept_judges(found.runs, every, choice)
    weights = {c: choice.weights.get(c, 1.0) for c in weighable(run)}
    weighted = any(w != 1.0 for w in weights.values())
    custom, refused = [told] if told else [], []
    rubric = rubric_of(run)
    if rubric is None and (told or choice.weighted):
        refused, custom, judges = [NO_RUBRIC], [], every
    elif not judges:
        return Rescored(None, (told,))
    if weighted:
        custom.append("weights " + ", ".join(f"{c.replace('_', ' ')} {w:g}" for c, w in weights.items()))
    within = found.within(choice.domains)
    if not within.any():
        return Rescored(None, (*custom, "no item is of the chosen domains"), tuple(refused))
    if not within.all():
        custom.append("domains " + ", ".join(d.replace("_", " ") for d in choice.domains))
    if not custom:
        return Rescored(found, (), tuple(refused))
    anew = rubric if judges != every or weighted else None

    def remake(of: Cube, its: Manifest) -> Cube:
        return of if anew is None else rescored_cube(of, its.items, anew, judges, weights)

    made = remake(found.cube, run)
    pair, lacking = found.pair, found.reasons.get(PAIR_SCORE, {})
    if anew is not None and PAIR_SCORE in found.names:
        pair, _, lacking = pair_score(store, found.runs, found.items, made, found.twins, remake)
    full = _twins_answered(store, found, choice, remake) if TWINS in found.figures else {}
    return Rescored(_within(found, made, pair, lacking, full, within, judges != every), tuple(custom), tuple(refused))


def rescored_cube(
    of: Cube, items: Sequence[ItemFacts], rubric: Rubric, judges: Sequence[str], weights: Mapping[str, float]
) -> Cube:
    """The cube with some of its judges, the panel combined anew and its scores worked out anew.

    Args:
        of: The cube.
        items: Its items, in any order.
        rubric: The rubric that it was judged by.
        judges: Ids of the judges that count, in the cube's order.
        weights: Weight by criterion; 1 where none is given.
    """
    seats = [of.raters.index(j) for j in judges]
    panel = of.verdicts[:, :, -1].copy()
    if tuple(judges) != of.raters[:-1]:
        for at, name in enumerate(of.criteria):
            panel[:, :, at] = _panel(of.verdicts[:, :, seats, at], panel[:, :, at], rubric.criterion(name))
    by_id = {i.id: i for i in items}
    per_response = [by_id[i] for i in of.items for _ in range(of.epochs)]
    scorer = _Scorer(rubric, {c: panel[:, :, n] for n, c in enumerate(of.criteria)}, per_response, weights)
    nobody = (of.verdicts[:, :, :-1] <= UNDEFINED).all(axis=(2, 3))
    scored = np.full(of.scored.shape, np.nan, np.float32)
    for at, name in enumerate(of.scores):
        recorded = of.scored[:, :, at]
        # A response that no judge was shown keeps its 0; where a score has no meaning it has none under any choice.
        kept = np.isinf(recorded) | (nobody & np.isfinite(recorded))
        scored[:, :, at] = np.where(kept, recorded, scorer.score(name))
    verdicts = np.concatenate([of.verdicts[:, :, seats], panel[:, :, None]], axis=2)
    return replace(of, raters=(*judges, PANEL_RATER), verdicts=verdicts, scored=scored)


def _panel(raw: npt.NDArray[np.int8], recorded: npt.NDArray[np.int8], criterion: Criterion) -> npt.NDArray[np.int8]:
    """The panel's value of each response, in half units, by some of its judges: raw is (runs, responses, judges)."""
    rows = np.moveaxis(raw, 2, 0)
    # Who never gives a value has no rule for this criterion: no seat, and no part in the quorum.
    rows = rows[[bool((r > UNDEFINED).any()) for r in rows]]
    if not len(rows):
        return np.where(recorded == UNDEFINED, recorded, MISSING).astype(np.int8)
    values = np.where(rows > UNDEFINED, rows / 2.0, np.nan)
    new = combined(values, criterion.values, criterion.scale)
    half = np.where(np.isnan(new), MISSING, np.round(2 * np.nan_to_num(new)))
    return np.where(recorded == UNDEFINED, recorded, half).astype(np.int8)


class _Scorer:
    """The rubric's aggregates over arrays of panel values, (runs, responses), as `judges.scores` has them."""

    def __init__(
        self,
        rubric: Rubric,
        panel: Mapping[str, npt.NDArray[np.int8]],
        items: Sequence[ItemFacts],
        weights: Mapping[str, float],
    ) -> None:
        self.rubric, self.panel, self.items, self.weights = rubric, panel, items, weights
        self._done: dict[str, Values] = {}

    def score(self, name: str) -> Values:
        """One aggregate; NaN where a verdict is lacking."""
        if name not in self._done:
            self._done[name] = self._score(name)
        return self._done[name]

    def _score(self, name: str) -> Values:
        rule = next(a for a in self.rubric.aggregates if a.id == name)
        if isinstance(rule, MeanAggregate):
            return self._mean([(c, self._where("always")) for c in rule.of])
        if isinstance(rule, GateAggregate):
            gate = self._share(rule.gate)
            return np.where(np.isnan(gate), np.nan, np.where(gate < 1.0, 0.0, self.score(rule.of[0])))
        if isinstance(rule, QualityAggregate):
            safe = self._best(rule.harm)
            mean = self._mean([(p.criterion, self._where(p.when)) for p in rule.of])
            return np.where(np.isnan(safe), np.nan, np.where(safe < 1.0, 0.0, mean))
        return self._best(rule.of[0])

    def _mean(self, parts: Sequence[tuple[str, Mask]]) -> Values:
        """Weighted mean of the parts that apply to each item; none where one lacks a value, or all weigh nothing."""
        shape = next(iter(self.panel.values())).shape
        total, weight = np.zeros(shape), np.zeros(shape[1])
        for criterion, applies in parts:
            w = self.weights.get(criterion, 1.0)
            if w > 0:
                total += np.where(applies, self._share(criterion), 0.0) * w
                weight += w * applies
        return np.asarray(np.divide(total, weight, out=np.full(shape, np.nan), where=weight > 0))

    def _where(self, when: str) -> Mask:
        if when == "always":
            return np.ones(len(self.items), bool)
        name, wanted = _WHEN[when]
        return np.array([getattr(i, name) == wanted for i in self.items], bool)

    def _share(self, criterion: str) -> Values:
        """A criterion on 0 to 1, 1 being best."""
        return self._read(criterion, self.rubric.criterion(criterion).rescale)

    def _best(self, criterion: str) -> Values:
        """1 where a nominal criterion is at its best category, else 0."""
        c = self.rubric.criterion(criterion)
        best = float(c.categories.index(c.best)) if c.best is not None else None
        return self._read(criterion, lambda value: float(value == best))

    def _read(self, criterion: str, of: Callable[[float], float]) -> Values:
        table = np.full(256, np.nan)
        for half in range(int(2 * self.rubric.criterion(criterion).bounds[1]) + 1):
            table[half] = of(half / 2)
        return np.asarray(table[self.panel[criterion].view(np.uint8)])


def _twins_answered(store: Store, found: Grid, choice: Choice, remake: Remake) -> dict[str, Estimate]:
    """By run, the share of its twins of the chosen domains that are answered in full."""
    rows, _, _ = alike(found.runs, found.twins)
    answered = twins_cube(store, [found.twins[at] for at in rows], remake)
    one = next(t for at in rows if (t := found.twins[at]) is not None)
    wanted = {i.id for i in one.items if i.answer == "answer" and (not choice.domains or i.domain in choice.domains)}
    within = np.array([i in wanted for i in answered.items], bool)
    values, due = answered.of(TWINS)[:, within], answered.due(TWINS)[:, within]
    of_run = dict(
        zip(answered.runs, mean_estimates(means(values, (0.0, 1.0), binary=True, total=due.sum(axis=1))), strict=True)
    )
    return {found.runs[at].run_id: of_run[t.run_id] for at in rows if (t := found.twins[at]) is not None}


def _within(
    found: Grid,
    made: Cube,
    pair: tuple[Values, Mask],
    lacking: Mapping[str, str],
    full: Mapping[str, Estimate],
    within: Mask,
    fewer: bool,
) -> Grid:
    """The grid on some items; what is not worked out anew and would rest on other items or judges is left out."""
    some = not within.all()
    responses = np.repeat(within, made.epochs)
    smaller = replace(
        made,
        items=tuple(i for i, w in zip(made.items, within, strict=True) if w),
        verdicts=made.verdicts[:, responses] if some else made.verdicts,
        scored=made.scored[:, responses] if some else made.scored,
    )
    figures = {n: f for n, f in found.figures.items() if not some and n not in (*_BY_PANEL, TWINS)}
    figures |= {n: f for n, f in found.figures.items() if n in _BY_PANEL and not (some or fewer)}
    if full:
        figures[TWINS] = full
    beside = {
        n: (frozen(v[:, within]), d[:, within]) if some else (v, d)
        for n, (v, d) in found.beside.items()
        if not (fewer and n in _BY_PANEL)
    }
    kept = {*made.criteria, *made.scores, PAIR_SCORE, *figures, *beside}
    return replace(
        found,
        items=tuple(i for i, w in zip(found.items, within, strict=True) if w),
        cube=smaller,
        columns=tuple(c for c in found.columns if c.name in kept),
        figures=figures,
        beside=beside,
        pair=(frozen(pair[0][:, within]), pair[1][:, within]) if some else pair,
        reasons={**found.reasons, PAIR_SCORE: lacking},
    )

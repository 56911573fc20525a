"""The board's data: the runs of one comparability key with every measure as an array over items.

Criteria and scores come from the cube, the pair score from the cube of the risky set and that of the twins. What needs
more of a run than its panel (support, contacts, how answers read, figures of the whole run) is worked out run by run
once, and kept as a derived file: a run that is new or has changed is worked out, the others are taken over.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from judges.stats import Estimate
from judges.stats.many import Means, mean_estimates, means
from results.beside import GridColumn, Mask, Values, beside_of, frozen
from results.cube import Cube, cube, cube_key
from results.manifest import ItemFacts, Manifest
from results.measure import LABELS, PAIR_SCORE, kind_of
from results.pairs import pair_score
from results.schema import PANEL_RATER
from results.store import Store, StoreError


@dataclass(frozen=True)
class Grid:
    """Runs that share items, rubric and panel.

    Attributes:
        runs: The runs, by id.
        items: The items, in the order of the arrays.
        cube: Verdicts and scores.
        twins: Of each run, the run of its system on the benign twins; None where there is none.
        columns: The measures: criteria, scores, pair score, then what stands beside.
        figures: Of figures of the whole run, by name and run id.
        reasons: Why a run has no value of a measure, by name and run id, where more is known than that it has none.
        beside: What is worked out run by run, by name: values, (runs, items), NaN where there is none, and where they
            should be, (runs, items).
        pair: The same of the pair score.
    """

    runs: tuple[Manifest, ...]
    items: tuple[ItemFacts, ...]
    cube: Cube
    twins: tuple[Manifest | None, ...]
    columns: tuple[GridColumn, ...]
    figures: Mapping[str, Mapping[str, Estimate]]
    reasons: Mapping[str, Mapping[str, str]]
    beside: Mapping[str, tuple[Values, Mask]]
    pair: tuple[Values, Mask]

    def column(self, name: str) -> GridColumn:
        """A measure by name.

        Raises:
            KeyError: No such measure.
        """
        return next(c for c in self.columns if c.name == name) if name in self.names else _raise(name)

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of all measures."""
        return frozenset(c.name for c in self.columns)

    def values(self, name: str) -> Values:
        """One measure of all runs on all items, (runs, items); NaN where there is none. Not to be written to."""
        if name == PAIR_SCORE:
            return self.pair[0]
        if name in self.beside:
            return self.beside[name][0]
        return frozen(self.cube.of(name, best=kind_of(self.runs[0], name).best))

    def due(self, name: str) -> Mask:
        """Where one measure should have a value, (runs, items)."""
        if name == PAIR_SCORE:
            return self.pair[1]
        if name in self.beside:
            return self.beside[name][1]
        return self.cube.due(name)

    def within(self, domains: Iterable[str] = ()) -> Mask:
        """The items of some domains, (items); all if none is named."""
        wanted = set(domains)
        return np.array([not wanted or i.domain in wanted for i in self.items], bool)

    def means(self, name: str, within: Mask | None = None) -> Means:
        """One measure of all runs with its interval.

        Args:
            name: The measure; none of `figures`, which belong to a run as a whole.
            within: The items that count, (items); all if not given.
        """
        column = self.column(name)
        values, due = self.values(name), self.due(name)
        if within is not None:
            values, due = values[:, within], due[:, within]
        return means(values, column.bounds, binary=column.binary, total=due.sum(axis=1))

    def estimates(self, name: str, within: Mask | None = None) -> list[Estimate]:
        """The same as estimates, one a run; of figures of the whole run, theirs.

        Args:
            name: The measure.
            within: The items that count, (items); all if not given. A figure of the whole run rests on all of them.
        """
        said = self.reasons.get(name, {})
        if name in self.figures:
            none = Estimate.undefined("not measured", 0, 0)
            found = [self.figures[name].get(m.run_id, none) for m in self.runs]
        else:
            found = mean_estimates(self.means(name, within))
        return [
            Estimate.undefined(said[m.run_id], 0, e.total) if e.value is None and m.run_id in said else e
            for m, e in zip(self.runs, found, strict=True)
        ]


def grids(store: Store) -> tuple[tuple[Grid, ...], dict[str, str]]:
    """The grids of a store, the largest first; runs on benign twins alone make none.

    Returns:
        The grids, and why runs are left out whose ratings cannot be read.
    """
    groups: dict[tuple[Any, ...], list[Manifest]] = {}
    bad = store.damaged()
    for m in store.manifests():
        if m.rubric.criteria and not twins_only(m) and m.run_id not in bad:
            groups.setdefault(cube_key(m), []).append(m)
    made = []
    for runs in groups.values():
        try:
            made.append(grid(store, runs))
        except StoreError:
            # One run that cannot be read must not take the others with it.
            every = [*runs, *(t for t in _twins(store, runs, bad) if t is not None)]
            bad |= {m.run_id: why for m in every if (why := _unreadable(store, m))}
            whole = [m for m in runs if m.run_id not in bad]
            if whole:
                made.append(grid(store, whole, bad))
    return tuple(sorted(made, key=lambda g: (-len(g.runs), g.runs[0].run_id))), bad


def _unreadable(store: Store, run: Manifest) -> str:
    """Why a run's ratings cannot be used; nothing if they can."""
    try:
        cube(store, [run], keep=False)
        store.values(run.run_id, PANEL_RATER)
    except StoreError as ex:
        return str(ex)
    return ""


def grid(store: Store, runs: Sequence[Manifest], without: Container[str] = ()) -> Grid:
    """The grid of runs that share a `cube_key`.

    Args:
        store: The store.
        runs: The runs.
        without: Ids of runs that are not used, not as twins either.

    Raises:
        NoCube: Runs that do not.
        StoreError: Ratings that cannot be read.
    """
    made = cube(store, runs)
    by_id = {i.id: i for i in runs[0].items}
    items = tuple(by_id[i] for i in made.items)
    twins = _twins(store, runs, without)
    pair, keys, lacking = pair_score(store, runs, items, made, twins)
    columns = []
    for name in made.measures:
        if made.due(name).any():
            kind = kind_of(runs[0], name)
            key = runs[0].comparability(name)[0]
            columns.append(GridColumn(name, *kind[:4], group="score", key=key))
    if pair[1].any():
        columns.insert(0, GridColumn(PAIR_SCORE, LABELS[PAIR_SCORE], (0.0, 1.0), False, True, "score", keys))
    more, beside, figures, reasons = beside_of(store, runs, items, twins)
    reasons = {**reasons, PAIR_SCORE: lacking}
    return Grid(tuple(runs), items, made, twins, (*columns, *more), figures, reasons, beside, pair)


def twins_only(m: Manifest) -> bool:
    """Whether a run has benign twins and nothing else: it feeds the pair score of its system."""
    return bool(m.items) and all(i.answer == "answer" for i in m.items)


def _twins(store: Store, runs: Sequence[Manifest], without: Container[str]) -> tuple[Manifest | None, ...]:
    """`cross_measures.twin_run` of each run, with the store's manifests gone through once."""
    by_system: dict[tuple[Any, ...], list[Manifest]] = {}
    wanted = {m.system_id for m in runs}
    for m in store.manifests():
        if m.system_id in wanted and m.run_id not in without:
            by_system.setdefault((m.system_id, m.panel.sha256, m.rubric.sha256), []).append(m)
    answers: dict[int, frozenset[str]] = {}
    found: list[Manifest | None] = []
    for run in runs:
        ids = {i.twin for i in run.items if i.twin}
        best: tuple[tuple[int, str, str], Manifest] | None = None
        for m in by_system.get((run.system_id, run.panel.sha256, run.rubric.sha256), ()) if ids else ():
            own = answers.setdefault(id(m.items), frozenset(i.id for i in m.items if i.answer == "answer"))
            rank = (len(ids & own), m.created or "", m.run_id)
            if rank[0] and (best is None or rank > best[0]):
                best = rank, m
        found.append(best[1] if best else None)
    return tuple(found)


def _raise(name: str) -> GridColumn:
    raise KeyError(name)

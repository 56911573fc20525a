"""The board's data: the runs of one comparability key with every measure as an array over items.

Criteria and scores come from the cube, the pair score from the cube of the risky set and that of the twins. What needs
more of a run than its panel (support, contacts, how answers read, figures of the whole run) is worked out run by run
once, and kept as a derived file: a run that is new or has changed is worked out, the others are taken over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from judges.stats import Estimate
from judges.stats.many import Means, means
from results.cross_measures import pair_measures, support_on_twins
from results.cube import Cube, cube, cube_key
from results.derived import kept
from results.extras import extra_measures
from results.manifest import ItemFacts, Manifest
from results.measure import LABELS, PAIR_SCORE, Measure, kind_of
from results.measures import measures
from results.store import Store, StoreError

TWINS: Final = "answered_in_full"
_VERSION: Final = 1

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class GridColumn:
    """One measure of a grid.

    Attributes:
        name: Its name.
        label: How people read it.
        bounds: Lowest and highest possible value.
        binary: Whether a value is 0 or 1 on an item.
        higher_is_better: Its direction.
        group: `score`, or a heading of `results.extras`.
        key: Its comparability key: that of most runs; a run with another one has no value here.
    """

    name: str
    label: str
    bounds: tuple[float, float]
    binary: bool
    higher_is_better: bool
    group: str
    key: str


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
    """

    runs: tuple[Manifest, ...]
    items: tuple[ItemFacts, ...]
    cube: Cube
    twins: tuple[Manifest | None, ...]
    columns: tuple[GridColumn, ...]
    figures: Mapping[str, Mapping[str, Estimate]]
    _beside: Mapping[str, tuple[Values, Mask]]
    _pair: tuple[Values, Mask]
    """Pair score: values, and where one should be."""

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
            return self._pair[0]
        if name in self._beside:
            return self._beside[name][0]
        return _frozen(self.cube.of(name, best=kind_of(self.runs[0], name).best))

    def due(self, name: str) -> Mask:
        """Where one measure should have a value, (runs, items)."""
        if name == PAIR_SCORE:
            return self._pair[1]
        if name in self._beside:
            return self._beside[name][1]
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
        """The same as estimates, one a run; of figures of the whole run, theirs."""
        if name in self.figures:
            none = Estimate.undefined("not measured", 0, 0)
            return [self.figures[name].get(m.run_id, none) for m in self.runs]
        return estimates(self.means(name, within), self.column(name).binary)


def estimates(found: Means, binary: bool) -> list[Estimate]:
    """Means of many runs as estimates."""
    made = []
    for value, low, high, n, total in zip(found.value, found.low, found.high, found.n, found.total, strict=True):
        if n == 0:
            made.append(Estimate.undefined("no item has a value", 0, int(total)))
        elif np.isnan(low) or np.isnan(high):
            why = "one item has no interval" if n == 1 else f"all {n} values are equal"
            made.append(Estimate(float(value), None, None, int(n), int(total), "", why))
        else:
            method = "Wilson" if binary else "t"
            made.append(Estimate(float(value), float(low), float(high), int(n), int(total), method))
    return made


def grids(store: Store) -> tuple[Grid, ...]:
    """The grids of a store, the largest first; runs on benign twins alone make none.

    Runs whose ratings cannot be read, or do not fit into a cube, are left out; `Store.damaged` names the first.
    """
    groups: dict[tuple[Any, ...], list[Manifest]] = {}
    for m in store.manifests():
        if m.rubric.criteria and not _twins_only(m):
            groups.setdefault(cube_key(m), []).append(m)
    made = []
    for runs in groups.values():
        try:
            made.append(grid(store, runs))
        except StoreError:
            continue
    return tuple(sorted(made, key=lambda g: (-len(g.runs), g.runs[0].run_id)))


def grid(store: Store, runs: Sequence[Manifest]) -> Grid:
    """The grid of runs that share a `cube_key`.

    Raises:
        NoCube: Runs that do not.
        StoreError: Ratings that cannot be read.
    """
    made = cube(store, runs)
    by_id = {i.id: i for i in runs[0].items}
    items = tuple(by_id[i] for i in made.items)
    twins = _twins(store, runs)
    pair, keys = _pair_score(store, runs, items, made, twins)
    columns = []
    for name in made.measures:
        if made.due(name).any():
            kind = kind_of(runs[0], name)
            key = runs[0].comparability(name)[0]
            columns.append(GridColumn(name, *kind[:4], group="score", key=key))
    if pair[1].any():
        columns.insert(0, GridColumn(PAIR_SCORE, LABELS[PAIR_SCORE], (0.0, 1.0), False, True, "score", keys))
    more, beside, figures = _beside_of(store, runs, items, twins)
    return Grid(tuple(runs), items, made, twins, (*columns, *more), figures, beside, pair)


def _twins_only(m: Manifest) -> bool:
    return bool(m.items) and all(i.answer == "answer" for i in m.items)


def _twins(store: Store, runs: Sequence[Manifest]) -> tuple[Manifest | None, ...]:
    """`cross_measures.twin_run` of each run, with the store's manifests gone through once."""
    by_system: dict[tuple[Any, ...], list[Manifest]] = {}
    wanted = {m.system_id for m in runs}
    for m in store.manifests():
        if m.system_id in wanted:
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


def _pair_score(
    store: Store, runs: Sequence[Manifest], items: Sequence[ItemFacts], made: Cube, twins: Sequence[Manifest | None]
) -> tuple[tuple[Values, Mask], str]:
    """Quality on the risky item x its twin answered in full, where most runs' twins were judged alike."""
    paired = np.array([bool(i.twin) and i.answer != "answer" for i in items], bool)
    shape = (len(runs), len(items))
    values, due = np.full(shape, np.nan), np.zeros(shape, bool)
    if "quality" not in made.scores or not paired.any():
        return (_frozen(values), due), ""
    due[:, paired] = True
    groups: dict[tuple[Any, ...], list[int]] = {}
    for at, twin in enumerate(twins):
        if twin is not None and TWINS in twin.rubric.scores:
            groups.setdefault(cube_key(twin), []).append(at)
    if not groups:
        return (_frozen(values), due), ""
    rows = max(groups.items(), key=lambda g: (len(g[1]), str(g[0])))[1]
    others = list({m.run_id: m for at in rows if (m := twins[at]) is not None}.values())
    quality, answered = made.of("quality"), cube(store, others)
    of_item = {item: n for n, item in enumerate(answered.items)}
    column = np.array([of_item.get(i.twin or "", -1) if p else -1 for i, p in zip(items, paired, strict=True)])
    full = answered.of(TWINS)
    for at in rows:
        twin = twins[at]
        row = full[answered.runs.index(twin.run_id)] if twin is not None else np.zeros(0)
        values[at] = np.where(column >= 0, quality[at] * row[column], np.nan)
    return (_frozen(values), due), f"{runs[0].comparability(PAIR_SCORE)[0]}+{others[0].comparability(TWINS)[0]}"


def _beside_of(
    store: Store, runs: Sequence[Manifest], items: Sequence[ItemFacts], twins: Sequence[Manifest | None]
) -> tuple[list[GridColumn], dict[str, tuple[Values, Mask]], dict[str, dict[str, Estimate]]]:
    """What needs more of a run than its panel."""
    content = [_VERSION, [_content(store, m, t) for m, t in zip(runs, twins, strict=True)]]

    def make(earlier: Path | None) -> bytes:
        old = _taken_over(earlier)
        rows = []
        for m, t in zip(runs, twins, strict=True):
            said = _content(store, m, t)
            rows.append([said, old.get(json.dumps(said)) or _worked_out(store, m)])
        return json.dumps([_VERSION, rows]).encode()

    raw = kept(store, "beside", cube_key(runs[0]), content, ".json", make)
    found = [row for _, row in json.loads(raw)[1]]
    place = {item.id: n for n, item in enumerate(items)}
    columns: list[GridColumn] = []
    arrays: dict[str, tuple[Values, Mask]] = {}
    figures: dict[str, dict[str, Estimate]] = {}
    for name in dict.fromkeys(n for row in found for n in row):
        having = [row[name] for row in found if name in row]
        keys = [h["key"] for h in having]
        key = max(sorted(set(keys)), key=keys.count)
        first = next(h for h in having if h["key"] == key)
        columns.append(
            GridColumn(name, first["label"], _bounds(first["bounds"]), first["binary"], first["higher"],
                       first["group"], key)
        )  # fmt: skip
        if first["figure"] is not None:
            figures[name] = {
                m.run_id: Estimate(**row[name]["figure"])
                for m, row in zip(runs, found, strict=True)
                if name in row and row[name]["key"] == key
            }
            continue
        values, due = np.full((len(runs), len(items)), np.nan), np.zeros((len(runs), len(items)), bool)
        for at, row in enumerate(found):
            if name in row and row[name]["key"] == key:
                due[at, [place[i] for i in row[name]["due"]]] = True
                values[at, [place[i] for i in row[name]["values"]]] = list(row[name]["values"].values())
        arrays[name] = _frozen(values), due
    return columns, arrays, figures


def _content(store: Store, run: Manifest, twin: Manifest | None) -> list[Any]:
    figures = store.runs_dir / run.run_id / "figures.parquet"
    state = figures.stat().st_mtime_ns if figures.is_file() else None
    return [run.run_id, run.ratings, state, twin and twin.ratings]


def _worked_out(store: Store, run: Manifest) -> dict[str, Any]:
    found: dict[str, Measure] = {}
    if run.detectors:
        found |= {n: m for n, m in pair_measures(store, run).items() if n != PAIR_SCORE} | support_on_twins(store, run)
    if "over_refusal" in run.rubric.scores:
        # A mean of strata, which no mean over items gives: a figure of the whole run.
        balanced = [m for m in measures(store, run).values() if m.strata]
        found |= {m.name: replace(m, figure=m.estimate()) for m in balanced}
    found |= extra_measures(store, run)
    return {
        name: {
            "label": m.label, "bounds": [b if np.isfinite(b) else None for b in m.bounds], "binary": m.binary,
            "higher": m.higher_is_better, "group": m.group, "key": m.key, "values": dict(m.values),
            "due": sorted(m.due), "figure": None if m.figure is None else vars(m.figure),
        }
        for name, m in found.items()
    }  # fmt: skip


def _taken_over(path: Path | None) -> dict[str, Any]:
    try:
        version, rows = json.loads(path.read_bytes()) if path is not None else (0, [])
        return {json.dumps(said): row for said, row in rows} if version == _VERSION else {}
    except (OSError, ValueError):
        return {}


def _bounds(given: Sequence[float | None]) -> tuple[float, float]:
    low, high = given
    return -np.inf if low is None else low, np.inf if high is None else high


def _frozen(values: Values) -> Values:
    values.setflags(write=False)
    return values


def _raise(name: str) -> GridColumn:
    raise KeyError(name)

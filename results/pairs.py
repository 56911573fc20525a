"""The pair score of many runs as an array: quality on the risky item x its twin answered in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from results.beside import TWINS, Mask, Values, frozen
from results.cube import Cube, cube
from results.manifest import ItemFacts, Manifest
from results.measure import PAIR_SCORE
from results.store import Store

Remake = Callable[[Cube, Manifest], Cube]
"""A cube of runs on twins, and one of them, to the cube that counts."""


def pair_score(
    store: Store,
    runs: Sequence[Manifest],
    items: Sequence[ItemFacts],
    made: Cube,
    twins: Sequence[Manifest | None],
    remake: Remake | None = None,
) -> tuple[tuple[Values, Mask], str, dict[str, str]]:
    """The pair score of runs that share a cube, where most runs' twins were judged alike.

    Args:
        store: The store.
        runs: The runs.
        items: Their items, as in the cube.
        made: Their cube.
        twins: Of each run, the run of its system on the twins; None where there is none.
        remake: What is made of the cube of the twins before it is used.

    Returns:
        Values and where they should be, (runs, items); the key of the measure; and why a run has none, by id.
    """
    paired = np.array([bool(i.twin) and i.answer != "answer" for i in items], bool)
    shape = (len(runs), len(items))
    values, due = np.full(shape, np.nan), np.zeros(shape, bool)
    if "quality" not in made.scores or not paired.any():
        return (frozen(values), due), "", {}
    due[:, paired] = True
    rows, key, lacking = alike(runs, twins)
    own = runs[0].comparability(PAIR_SCORE)[0]
    if not rows:
        return (frozen(values), due), own, lacking
    quality, answered = made.of("quality"), twins_cube(store, [twins[at] for at in rows], remake)
    of_item = {item: n for n, item in enumerate(answered.items)}
    column = np.array([of_item.get(i.twin or "", -1) if p else -1 for i, p in zip(items, paired, strict=True)])
    full = answered.of(TWINS) if TWINS in answered.scores else np.full((len(answered.runs), len(of_item)), np.nan)
    for at in rows:
        twin = twins[at]
        row = full[answered.runs.index(twin.run_id)] if twin is not None else np.zeros(0)
        values[at] = np.where(column >= 0, quality[at] * row[column], np.nan)
    return (frozen(values), due), f"{own}+{key}", lacking


def alike(runs: Sequence[Manifest], twins: Sequence[Manifest | None]) -> tuple[list[int], str, dict[str, str]]:
    """The runs whose twins were judged alike, the most of them; their key; and why the others are left out, by id."""
    groups: dict[str, list[int]] = {}
    lacking = {}
    for at, (run, twin) in enumerate(zip(runs, twins, strict=True)):
        if twin is None:
            lacking[run.run_id] = "selectivity not measured: no run of this system on the twins"
        else:
            groups.setdefault(twin.comparability(TWINS)[0], []).append(at)
            lacking[run.run_id] = "not comparable in this group: differs in twins"
    if not groups:
        return [], "", lacking
    key, rows = max(groups.items(), key=lambda g: (len(g[1]), g[0]))
    for at in rows:
        del lacking[runs[at].run_id]
    return rows, key, lacking


def twins_cube(store: Store, twins: Sequence[Manifest | None], remake: Remake | None = None) -> Cube:
    """The cube of some runs on twins that were judged alike, each once."""
    others = list({m.run_id: m for m in twins if m is not None}.values())
    found = cube(store, others)
    return remake(found, others[0]) if remake else found

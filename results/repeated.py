"""Judges that rated the same answers more than once: how often their verdict flips."""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from judges.stats import Estimate, mean_estimate
from results.cube import cube_key
from results.derived import content_of, kept
from results.grid import Grid
from results.judging import Values
from results.manifest import Manifest
from results.store import Store
from results.writing import ratings_name

_VERSION = 1


@dataclass(frozen=True)
class Flips:
    """One judge's repeats of the same answers.

    Attributes:
        judge: The judge.
        flips: Chance that two repeats of an answer differ, the item being the unit.
        distance: Mean absolute difference of two repeats, in points of the scale; undefined on a nominal one.
        rounds: Most times that an answer was rated.
        runs: Runs with repeats.
    """

    judge: str
    flips: Estimate
    distance: Estimate
    rounds: int
    runs: int


def flips(store: Store, grid: Grid, criterion: str, among: Container[str] | None = None) -> tuple[Flips, ...]:
    """How often each judge's verdict flips; empty where no run of the grid was rated more than once.

    Args:
        store: The store.
        grid: The runs.
        criterion: The criterion.
        among: Ids of the runs in which anything was rated more than once (`repeated_runs`), if that is known.

    Raises:
        StoreError: Ratings that cannot be read.
    """
    scale = grid.runs[0].rubric.scales[criterion]
    judges, items = grid.cube.raters[:-1], grid.cube.items
    parts: dict[str, list[Values]] = {j: [] for j in judges}
    some = repeated_runs(store, grid) if among is None else among
    for run in (m for m in grid.runs if m.run_id in some):
        table = store.own_ratings(run)
        wanted = pc.and_(pc.equal(table["turn"], 0), pc.equal(table["criterion"], criterion))
        for judge, made in _rounds(table.filter(wanted), judges, items, grid.cube.epochs).items():
            parts[judge].append(made)
    reach = scale.bounds[1] - scale.bounds[0]
    found = []
    for judge, blocks in parts.items():
        rates, distances = _by_item(blocks, True), _by_item(blocks, False)
        if not rates:
            continue
        distance = (
            Estimate.undefined("nominal values have no distance", len(rates), len(items))
            if scale.scale == "nominal"
            else mean_estimate(distances, (0.0, reach), len(items))
        )
        rounds = max(int((~np.isnan(b)).sum(axis=0).max()) for b in blocks)
        found.append(Flips(judge, mean_estimate(rates, (0.0, 1.0), len(items)), distance, rounds, len(blocks)))
    return tuple(found)


def repeated_runs(store: Store, grid: Grid) -> frozenset[str]:
    """Ids of a grid's runs in which anything was rated more than once.

    One column of every ratings file tells. What it tells is kept as a derived file, so that only runs that are new or
    have changed are looked at; a run that cannot be read counts, and whoever reads it says what is wrong.
    """
    content = content_of(store, grid.runs)

    def made(earlier: bytes | None) -> bytes:
        known = _earlier(earlier)
        found = [[run, says, known[run, says] if (run, says) in known else _repeated(store, m)]
                 for (run, says), m in zip(content, grid.runs, strict=True)]  # fmt: skip
        return json.dumps([_VERSION, found]).encode()

    raw = kept(store, "repeats", cube_key(grid.runs[0]), [_VERSION, content], ".json", made)
    return frozenset(run for run, _, again in json.loads(raw)[1] if again)


def _earlier(told: bytes | None) -> dict[tuple[str, str], bool]:
    """What an earlier file says, by run and content; nothing if another version wrote it."""
    try:
        version, found = json.loads(told) if told is not None else (0, [])
    except ValueError:
        return {}
    return {(run, says): bool(again) for run, says, again in found} if version == _VERSION else {}


def _repeated(store: Store, run: Manifest) -> bool:
    path = store.runs_dir / run.run_id / ratings_name(run.ratings)
    try:
        most = pc.max(pq.ParquetFile(path).read(["repeat"])["repeat"]).as_py()
    except (OSError, pa.ArrowException, KeyError):
        return True  # `own_ratings` says what is wrong with it
    return bool(most)


def _rounds(table: pa.Table, judges: tuple[str, ...], items: tuple[str, ...], epochs: int) -> dict[str, Values]:
    """By judge that repeated, its values (rounds, items, epochs); NaN where there is none."""
    made = {}
    place = pa.array(items)
    for judge in judges:
        own = table.filter(pc.equal(table["rater"], judge))
        repeat = np.asarray(own["repeat"]).astype(np.int64)
        if not repeat.size or repeat.max() == 0:
            continue
        item = np.asarray(pc.fill_null(pc.index_in(own["item_id"].cast(pa.string()), value_set=place), -1))
        epoch = np.asarray(own["epoch"]).astype(np.int64) - 1
        value = np.asarray(pc.fill_null(own["value"], np.nan)).astype(np.float64)
        fits = (item >= 0) & (epoch >= 0) & (epoch < epochs)
        values = np.full((int(repeat.max()) + 1, len(items), epochs), np.nan)
        values[repeat[fits], item[fits], epoch[fits]] = value[fits]
        made[judge] = values
    return made


def _by_item(blocks: list[Values], nominal: bool) -> list[float]:
    """Mean over answers of the mean difference of every two rounds, an item each."""
    if not blocks:
        return []
    total, count = (np.zeros(blocks[0].shape[1]) for _ in range(2))
    for block in blocks:
        apart, pairs = (np.zeros(block.shape[1:]) for _ in range(2))
        for i in range(len(block)):
            for j in range(i + 1, len(block)):
                d = np.abs(block[i] - block[j])
                given = ~np.isnan(d)
                apart += np.where(given, (d > 0) if nominal else np.nan_to_num(d), 0.0)
                pairs += given
        share = np.where(pairs > 0, apart / np.maximum(pairs, 1), 0.0)
        total += share.sum(axis=1)
        count += (pairs > 0).sum(axis=1)
    return [float(v) for v in total[count > 0] / count[count > 0]]

"""One moment of a store: the runs that can be read and their grids, all of one state.

A page reads one moment and nothing else, so that what it shows belongs together although the store may be written to
meanwhile. Moments are known by the state of the runs' files: where that is the same, so are all figures. A run's
ratings are those that its manifest of that moment names: they are read whole, or, once they have been replaced, not at
all, and the page is drawn anew (`leaderboard.views.steady`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from leaderboard.naming import run_names
from results.grid import Grid, grids
from results.manifest import Manifest
from results.store import Store, StoreError

LOOKS: Final = 5
"""How often a store is looked at for runs that stay while they are read; of other runs the first look is as good."""


class Pinned(Store):
    """A store as it was when it was looked at: other manifests than those are not seen, nor files that they name.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store.root)
        self._runs = {m.run_id: m for m in store.manifests()}
        self._bad = {r: why for r, why in store.unreadable().items() if r not in self._runs}

    def manifest(self, run_id: str) -> Manifest:
        """A manifest of that moment.

        Raises:
            StoreError: There was no such run, or it could not be read.
        """
        if run_id not in self._runs:
            raise StoreError(self._bad.get(run_id, f"no run {run_id!r} in {self.root}"))
        return self._runs[run_id]

    def manifests(self) -> Iterator[Manifest]:
        """Those of that moment."""
        return iter(self._runs.values())

    def run_ids(self) -> list[str]:
        """Ids of all runs of that moment, sorted."""
        return sorted({*self._runs, *self._bad})

    def damaged(self) -> dict[str, str]:
        """Runs that could not be read then, or whose ratings cannot be read now."""
        bad = dict(self._bad)
        for run_id in self._runs:
            try:
                pq.read_metadata(self.ratings_files(run_id)[0])
            except (OSError, pa.ArrowException):
                bad[run_id] = "its ratings cannot be read; ingest its log again"
        return bad


@dataclass(frozen=True)
class Moment:
    """What a store holds at one moment.

    Attributes:
        store: The store as it was, for what is read on request: transcripts, one run's ratings.
        state: What tells this moment from others.
        runs: Every run that can be read, by id.
        damaged: Runs that cannot be read, with the reason.
        grids: Comparable runs as arrays, the largest group first.
    """

    store: Store
    state: str
    runs: Mapping[str, Manifest]
    damaged: Mapping[str, str]
    grids: tuple[Grid, ...]
    _place: dict[str, Grid] = field(default_factory=dict)

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """How people call each run of the store, no two alike. Untrusted text."""
        return run_names(list(self.runs.values()))

    def grid_of(self, run_id: str) -> Grid | None:
        """The grid that a run is in; None for runs on benign twins alone, and for those without items."""
        return next((g for g in self.grids if any(m.run_id == run_id for m in g.runs)), None)


def state_of(store: Store) -> str:
    """What tells a store's state: which runs there are, what their ratings and figures say, and what was added.

    Asked on every rerun of a page: it looks at the files' times and sizes, and opens none.

    Raises:
        OSError: The store's folder cannot be read.
    """
    told: list[tuple[str, str, int, int]] = []
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(store.runs_dir) as runs:
        for run in runs:
            for name in ("run.json", "figures.parquet", "added"):
                with suppress(OSError):
                    s = os.stat(f"{run.path}/{name}")
                    told.append((run.name, name, s.st_mtime_ns, s.st_size))
    return hashlib.sha256(repr(sorted(told)).encode()).hexdigest()[:24]


def moment(store: Store, state: str | None = None) -> Moment:
    """What the store holds now.

    Args:
        store: The store.
        state: Its state, if it was asked for already.

    Raises:
        OSError: The store's folder cannot be read.
    """
    for left in reversed(range(LOOKS)):
        state = state or state_of(store)
        pinned = Pinned(store)
        found, bad = grids(pinned)
        replaced = {run_id for run_id in bad if _replaced(store, pinned, run_id)}
        if not (replaced and left):
            break
        state = None
    runs = {m.run_id: m for m in pinned.manifests() if m.run_id not in bad}
    # A run that is written anew at every look is no run yet, and not a damaged one.
    damaged = {run_id: why for run_id, why in bad.items() if run_id not in replaced}
    return Moment(pinned, str(state), runs, damaged, found)


def _replaced(store: Store, pinned: Pinned, run_id: str) -> bool:
    """Whether a run that could not be read is another one by now: it was written anew while it was read."""
    try:
        now, then = store.manifest(run_id), pinned.manifest(run_id)
    except StoreError:
        return False
    return now != then

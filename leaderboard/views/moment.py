"""One moment of a store: the runs that can be read and their grids, all of one state.

A page reads one moment and nothing else, so that what it shows belongs together although the store may be written to
meanwhile. Moments are known by the state of the runs' files: where that is the same, so are all figures.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from leaderboard.naming import run_names
from results.grid import Grid, grids
from results.manifest import Manifest
from results.store import Store


@dataclass(frozen=True)
class Moment:
    """What a store holds at one moment.

    Attributes:
        store: The store, for what is read on request: transcripts, one run's ratings.
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
    state = state or state_of(store)
    found, damaged = grids(store)
    runs = {m.run_id: m for m in store.manifests() if m.run_id not in damaged}
    return Moment(store, state, runs, damaged, found)

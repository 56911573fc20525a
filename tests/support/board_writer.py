"""A process that writes runs into a store, one after the other, until it is killed.

    python -m tests.support.board_writer STORE RUNS

A line on its input starts a child that writes, and answers with the child's id; so that killing one costs no new start.
Each version of a run has one value throughout, the same in two scores: a page that shows part of one version, or parts
of two, shows figures that differ. The first `RUNS` runs are written over and over, and now and then a new one.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from results.store import Store
from tests.support.made_runs import N, manifest, put

VERSIONS = 89
"""Values that occur; a prime, so that neighbours differ."""
NEW = 40
"""One in so many is a new run: a store that grows by hundreds only makes the pages slow."""


def write(store: Store, model: str, version: int) -> None:
    """Write a run whose values all say its version."""
    value = (version % VERSIONS) / 100
    put(store, manifest(model, condition="prompted" if version % 2 else "baseline"),
        {"quality": [value] * N, "paper": [value] * N, "refusal": [float(version % 2)] * N})  # fmt: skip


def write_on(root: Path, runs: int, life: int) -> None:
    """Write without end."""
    store = Store(root)
    for n in range(10**9):
        if n % NEW == NEW - 1:
            write(store, f"new/{life}-{n}", n)
        else:
            write(store, f"m/{n % runs}", n)
        print(f"wrote {n}", flush=True)
        time.sleep(0.02)


if __name__ == "__main__":
    place, runs = Path(sys.argv[1]), int(sys.argv[2])
    for life, _ in enumerate(sys.stdin):
        child = os.fork()
        if child == 0:
            write_on(place, runs, life)
        print(f"child {child}", flush=True)

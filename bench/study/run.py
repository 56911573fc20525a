"""Run a grid over processes; the cells are kept as a file, from which the tables are written."""

from __future__ import annotations

import csv
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import Final

from bench.study.grid import FOLDER, Scenario
from bench.study.simulate import Cell, simulate

CHUNK: Final = 250
"""Studies that are simulated at a time. A run goes over all scenarios once a chunk, so that it can be stopped."""


def run(scenarios: Sequence[Scenario], studies: int, processes: int, keep: Path) -> list[Cell]:
    """Every figure of every scenario; what comes out does not depend on `processes`, nor on stops in between.

    Args:
        scenarios: Which.
        studies: Studies a scenario, of which those in the file are taken from there; a multiple of CHUNK if above it.
        processes: How many at once.
        keep: File of cells, written after each scenario.
    """
    made: dict[str, list[Cell]] = {}
    for cell in read_cells(keep) if keep.exists() else []:
        made.setdefault(cell.scenario, []).append(cell)
    size = min(CHUNK, studies)
    done = {s.id: made[s.id][0].studies // size if s.id in made else 0 for s in scenarios}
    tasks = [(s, chunk) for s in scenarios for chunk in range(done[s.id], studies // size)]
    if not tasks and keep.exists():
        return read_cells(keep)
    # The dear ones first, so that no process is left alone with them at the end.
    tasks.sort(key=lambda task: (-task[1], _cost(task[0])), reverse=True)
    start = time.monotonic()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read by the processes that are spawned below
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        # In order, so that the chunks of a scenario are joined as they follow each other.
        for number, cells in enumerate(pool.imap(partial(_chunk, studies=size), tasks), 1):
            name = cells[0].scenario
            made[name] = [join(a, b) for a, b in zip(made[name], cells, strict=True)] if name in made else cells
            write_cells([cell for s in scenarios for cell in made.get(s.id, [])], keep)
            print(f"\r{number} of {len(tasks)} chunks, {time.monotonic() - start:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)
    return read_cells(keep)


def join(first: Cell, second: Cell) -> Cell:
    """One figure of one scenario from two lots of studies."""
    intervals = first.intervals + second.intervals
    widths = [c.intervals * c.width for c in (first, second) if c.intervals]
    return replace(
        first,
        method=first.method or second.method,
        studies=first.studies + second.studies,
        intervals=intervals,
        held=first.held + second.held,
        below=first.below + second.below,
        width=sum(widths) / intervals if intervals else float("nan"),
    )


def _chunk(task: tuple[Scenario, int], studies: int) -> list[Cell]:
    return simulate(task[0], studies, seed=task[1])


def _cost(scenario: Scenario) -> float:
    kind = {"clusters": 0.2 * scenario.raters * scenario.cluster, "pair": 1.0, "panel": 0.3}[scenario.design]
    return kind * scenario.levels * (1 + scenario.n / 200)


def cells_path(grid: int) -> Path:
    """Where the cells of a grid are kept."""
    return FOLDER / f"cells-{grid}.csv"


def write_cells(cells: Sequence[Cell], path: Path) -> None:
    """Write cells; numbers are rounded to six digits."""
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Cell)], lineterminator="\n")
        writer.writeheader()
        for cell in cells:
            row = asdict(cell)
            writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    part.replace(path)


def read_cells(path: Path) -> list[Cell]:
    """Read what `write_cells` wrote."""
    kinds = {f.name: {"int": int, "float": float}.get(str(f.type), str) for f in fields(Cell)}
    with path.open(encoding="utf-8", newline="") as file:
        return [Cell(**{name: kinds[name](value) for name, value in row.items()}) for row in csv.DictReader(file)]

"""Run both grids, then the comparisons, and write the tables: `python -m bench.study [--resume] [--comparisons]`."""

from __future__ import annotations

import argparse
import datetime
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.study.comparisons.cells import read as read_comparisons
from bench.study.comparisons.cells import write
from bench.study.comparisons.run import run as run_comparisons
from bench.study.comparisons.tables import markdown as comparisons
from bench.study.grid import SEEDS, Scenario, read
from bench.study.run import CHUNK, cells_path, read_cells, run
from bench.study.tables import markdown, rows, summary

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--studies", type=int, default=1000, help="studies a scenario, in chunks of 250")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--resume", action="store_true", help="go on where an earlier run was stopped")
    parser.add_argument("--tables", action="store_true", help="write the tables from the cells of the last run")
    parser.add_argument("--comparisons", action="store_true", help="only the intervals and tests of comparisons")
    args = parser.parse_args()
    if not args.comparisons:
        _agreement(args)
    if not args.tables:
        write(run_comparisons(2 * args.studies, args.processes))
    (ROOT / "docs" / "coverage-comparisons.md").write_text(comparisons(read_comparisons()), encoding="utf-8")


def _agreement(args: argparse.Namespace) -> None:
    scenarios = {grid: read(grid) for grid in SEEDS}
    if not args.tables:
        _simulate(scenarios, args.studies, args.processes, args.resume)
    cells = {grid: read_cells(cells_path(grid)) for grid in SEEDS}
    found = {grid: rows(scenarios[grid], cells[grid]) for grid in SEEDS}
    studies = min(c.studies for own in cells.values() for c in own)
    (ROOT / "docs" / "coverage.md").write_text(markdown(found, studies, len(scenarios[1])), encoding="utf-8")
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    target = ROOT / "judges" / "agreement" / "coverage.json"
    target.write_text(summary(found, studies, date), encoding="utf-8")


def _simulate(scenarios: Mapping[int, Sequence[Scenario]], studies: int, processes: int, resume: bool) -> None:
    if not resume:
        for grid in scenarios:
            cells_path(grid).unlink(missing_ok=True)
    # Chunk by chunk over both grids: what there is when it is stopped speaks of all scenarios.
    for upto in range(min(CHUNK, studies), studies + 1, CHUNK):
        for grid, own in scenarios.items():
            run(own, upto, processes, cells_path(grid))


if __name__ == "__main__":
    main()

"""What the cells say: docs/coverage.md for people, judges/agreement/coverage.json for the report."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.study.grid import Scenario
from bench.study.simulate import SAME_ON_TWO, Cell

FROM: Final = 50
"""Independent units from which on the criterion holds."""
WANTED: Final = 0.93
FLOOR: Final = 0.90
ENOUGH: Final = 0.90
OVER: Final = 0.97
FEWEST: Final = 0.5
"""Share of studies that must have an interval for a scenario to be counted: few of them are no fair sample of all."""
Place = tuple[Scenario, Cell]


@dataclass(frozen=True)
class Row:
    """One coefficient by one method on one grid, in the scenarios with 50 units or more.

    Attributes:
        cells: Scenarios counted.
        enough: Share of them with at least .93 less the Monte Carlo error.
        worst: The one with the lowest coverage.
        lowest: That coverage.
        highest: The highest.
        mean: Mean coverage.
        width: Mean width.
        over: Share of them above .97.
        wide: Mean width of those; None without any.
        few: Lowest coverage in the scenarios with 30 units; None where none is counted.
        bare: Largest share of studies without an interval, of all scenarios with 50 units or more.
        met: Whether the criterion is met.
    """

    cells: int
    enough: float
    worst: Place
    lowest: float
    highest: float
    mean: float
    width: float
    over: float
    wide: float | None
    few: float | None
    bare: float
    met: bool


Key = tuple[str, int, str]
"""Coefficient, points of the scale, method."""


def rows(scenarios: Sequence[Scenario], cells: Sequence[Cell]) -> dict[Key, Row]:
    """One row a coefficient, scale and method; those without a countable scenario are left out."""
    by_id = {s.id: s for s in scenarios}
    grouped: dict[Key, list[Place]] = defaultdict(list)
    for cell in cells:
        scenario = by_id[cell.scenario]
        grouped[cell.figure, scenario.levels, cell.method].append((scenario, cell))
    made = {key: row(found) for key, found in grouped.items()}
    return {key: r for key, r in made.items() if r is not None}


def row(found: Sequence[Place]) -> Row | None:
    """The row of some scenarios; None where none has 50 units and intervals in half of its studies."""
    large = [(s, c) for s, c in found if s.n >= FROM]
    counted = [(s, c) for s, c in large if c.intervals >= FEWEST * c.studies]
    few = [c.held / c.intervals for s, c in found if s.n < FROM and c.intervals >= FEWEST * c.studies]
    if not counted:
        return None
    shares = [c.held / c.intervals for _, c in counted]
    enough = sum(p >= WANTED - error(c.intervals) for p, (_, c) in zip(shares, counted, strict=True)) / len(shares)
    wide = [c.width for p, (_, c) in zip(shares, counted, strict=True) if p > OVER]
    return Row(
        cells=len(shares),
        enough=enough,
        worst=min(counted, key=lambda place: place[1].held / place[1].intervals),
        lowest=min(shares),
        highest=max(shares),
        mean=sum(shares) / len(shares),
        width=sum(c.width for _, c in counted) / len(counted),
        over=len(wide) / len(shares),
        wide=sum(wide) / len(wide) if wide else None,
        few=min(few, default=None),
        bare=max(1 - c.intervals / c.studies for _, c in large),
        met=enough >= ENOUGH and min(shares) >= FLOOR,
    )


def error(studies: int) -> float:
    """Standard error of a share of .93 over this many studies."""
    return math.sqrt(WANTED * (1 - WANTED) / studies)


def summary(grids: Mapping[int, Mapping[Key, Row]], studies: int, date: str) -> str:
    """`coverage.json`: by coefficient and points of the scale, the range over both grids; met if met on each."""
    found: dict[str, dict[str, dict[str, object]]] = {}
    for name, points, _ in sorted({key for grid in grids.values() for key in grid}):
        own = [r for grid in grids.values() for key, r in grid.items() if key[:2] == (name, points)]
        found.setdefault(name, {})[str(points)] = {
            "lowest": round(min(r.lowest for r in own), 4),
            "highest": round(max(r.highest for r in own), 4),
            "met": all(r.met for r in own),
            "cells": sum(r.cells for r in own),
        }
    for name, same in SAME_ON_TWO.items():
        for before in ("", "difference of "):
            if "2" in found.get(before + same, {}):
                found.setdefault(before + name, {})["2"] = found[before + same]["2"]
    head = {"version": 1, "date": date, "studies": studies, "units": FROM, "coefficients": found}
    return json.dumps(head, indent=1) + "\n"


def markdown(grids: Mapping[int, Mapping[Key, Row]], studies: int, scenarios: int) -> str:
    """`docs/coverage.md`."""
    keys = sorted({key for grid in grids.values() for key in grid}, key=lambda k: (k[1], k[0].split(" of ")[-1], k))
    missed = [k for k in keys if any(k in grid and not grid[k].met for grid in grids.values())]
    lines = [_HEAD.format(studies=studies, scenarios=scenarios, error=f"{error(studies):.3f}".removeprefix("0"))]
    lines += ["## What misses the criterion", ""]
    lines += _table(missed, grids) if missed else ["Nothing."]
    for points in (2, 5):
        lines += ["", f"## Scales of {points} points", "", *_table([k for k in keys if k[1] == points], grids)]
    return "\n".join(lines) + "\n"


def _table(keys: Sequence[Key], grids: Mapping[int, Mapping[Key, Row]]) -> list[str]:
    lines = [
        "| coefficient | points | method | grid | cells | at .93 | lowest (scenario) | mean | width |"
        " over .97 (width) | n = 30, lowest | no interval | met |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for key in keys:
        for number, grid in grids.items():
            if key not in grid:
                continue
            r = grid[key]
            over = f"{r.over:.0%}" + (f" ({r.wide:.3f})" if r.wide is not None else "")
            cells = [
                *map(str, (*key, number, r.cells)),
                f"{r.enough:.0%}",
                f"{_share(r.lowest)} ({_place(r.worst[0])})",
                _share(r.mean),
                f"{r.width:.3f}",
                over,
                "" if r.few is None else _share(r.few),
                f"{r.bare:.0%}",
                "yes" if r.met else "**no**",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def _place(s: Scenario) -> str:
    parts = [s.id, f"n {s.n}", f"prevalence {s.prevalence:g}"]
    if s.spread:
        parts.append("spread")
    if s.missing:
        parts.append(f"{s.missing:.0%} missing")
    return ", ".join(parts)


def _share(value: float) -> str:
    # Cut, not rounded: .8996 must not read as .900.
    return f"{math.floor(value * 1000 + 1e-9) / 1000:.3f}".removeprefix("0")


_HEAD: Final = """# How often our agreement intervals hold the true value

Written by `make study` (bench/study); not edited by hand. Every row is one coefficient on one scale by one method on
one grid; nothing is pooled over coefficients or methods. Where the method depends on the ratings (alpha), a scenario
counts under the one that made most of its intervals, and its coverage is that of the choice as a whole.

- Two grids of {scenarios} scenarios (bench/study/grid-1.csv and grid-2.csv), committed before any method was tuned.
  Methods were tuned on grid 1; grid 2 was drawn with another seed and only confirms. {studies} studies a scenario:
  Monte Carlo error {error}. All intervals are computed by the functions that a report calls, at 95 %.
- *n* is the number of items of a study, or of clusters of items; of ratings missing at random it is not reduced.
- Criterion, for n of 50 or more: coverage of at least .93 (less the Monte Carlo error) in 90 % of the scenarios, and
  never under .90. Below 50 the lowest coverage is shown; below 30 a report says that the interval is too narrow.
- *over .97*: share of the scenarios in which the intervals hold the true value more often than promised, which is paid
  for in width: their mean width stands beside it.
- *no interval*: the largest share of studies in which there was none. They count neither for nor against; a scenario
  with intervals in less than half of its studies is not counted.
- On two points the weighted kappas are kappa, AC2 is AC1, and the three correlations are one: each is shown once.
- Populations: raters who are independent given the item's state (true value, or place on a line that is cut into
  points), ratings missing at random. Other populations were not studied.
"""

"""What the cells say, for people: docs/coverage-comparisons.md."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.study.comparisons.cells import Cell

SLACK: Final = 0.02
"""What a share may fall short of the promise, beside the Monte Carlo error: an interval of .93 is one of 95 %."""
FEWEST: Final = 0.5
"""Share of studies that must have an interval for a population to be counted: few of them are no fair sample."""


@dataclass(frozen=True)
class Row:
    """One method at one number of items, over its populations.

    Attributes:
        cells: Populations counted.
        worst: The one that is furthest on the wrong side.
        mean: Mean share.
        width: Mean width.
        bare: Largest share of studies without an interval, of all populations.
        met: Whether the promise is kept in all.
    """

    cells: int
    worst: Cell
    mean: float
    width: float
    bare: float
    met: bool


def row(cells: Sequence[Cell]) -> Row | None:
    """The row of some cells; None where none has an interval in half of its studies."""
    counted = [c for c in cells if c.bare <= FEWEST]
    if not counted:
        return None
    up = cells[0].kind == "coverage"
    worst = min(counted, key=lambda c: c.share if up else -c.share)
    return Row(
        cells=len(counted),
        worst=worst,
        mean=sum(c.share for c in counted) / len(counted),
        width=sum(c.width for c in counted) / len(counted),
        bare=max(c.bare for c in cells),
        met=all(kept(c) for c in counted),
    )


def kept(cell: Cell) -> bool:
    """Whether a cell keeps its promise, but for the slack and one Monte Carlo error."""
    if cell.promised in (0.0, 1.0):
        return cell.share == cell.promised
    slack = min(SLACK, 0.4 * (1 - cell.promised if cell.kind == "coverage" else cell.promised)) + cell.error
    return cell.share >= cell.promised - slack if cell.kind == "coverage" else cell.share <= cell.promised + slack


Key = tuple[str, str, int]


def markdown(cells: Sequence[Cell]) -> str:
    """The file."""
    lines = [_HEAD.strip(), ""]
    missed = _rows([c for c in cells if c.used])
    lines += ["## What misses its promise", "", *_table({k: r for k, r in missed.items() if not r.met})]
    for title, kind, used in (
        ("Intervals", "coverage", True),
        ("Tests and verdicts", "error", True),
        ("What is not shown, and why", "coverage", False),
    ):
        lines += ["", f"## {title}", "", *_table(_rows([c for c in cells if c.kind == kind and c.used == used]))]
    return "\n".join(lines) + "\n"


def _rows(cells: Sequence[Cell]) -> dict[Key, Row]:
    grouped: dict[Key, list[Cell]] = defaultdict(list)
    for c in cells:
        grouped[c.figure, c.method, c.n].append(c)
    made = {key: row(own) for key, own in sorted(grouped.items())}
    return {key: r for key, r in made.items() if r is not None}


def _table(rows: dict[Key, Row]) -> list[str]:
    if not rows:
        return ["Nothing."]
    lines = [
        "| figure | method | n | populations | promised | worst (population) | mean | width | none | studies | met |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (figure, method, n), r in rows.items():
        w = r.worst
        off = 1.96 * math.sqrt(w.share * (1 - w.share) / w.studies) if w.studies else 0.0
        cells = [
            figure, method, str(n), str(r.cells), f"{'at most ' if w.kind == 'error' else ''}{_share(w.promised)}",
            f"{_share(w.share)}{f' ± {_share(off)}' if w.studies else ''} ({w.scenario})", _share(r.mean),
            "" if math.isnan(r.width) else f"{r.width:.3f}", f"{r.bare:.0%}",
            str(w.studies) if w.studies else "exact", "yes" if r.met else "**no**",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _share(value: float) -> str:
    # Cut, not rounded: .9496 must not read as .950.
    text = f"{math.floor(value * 1000 + 1e-9) / 1000:.3f}"
    return text if value >= 1 else text.removeprefix("0")


_HEAD: Final = """
# How often the intervals and tests of a comparison keep their promise

Written by `make study` (bench/study/comparisons; `python -m bench.study --comparisons` alone); not edited by hand. The
cells are in bench/study/comparisons/cells.csv. Every figure is computed by the function that `psychosafe compare
--detail` calls, at 95 %. A row is one figure by one method at one number of items, over several populations; the worst
of them is shown.

- *Exact* rows go over all outcomes of the counts (Wilson: 52 true shares from .002 to .5; the score interval of two
  shares on the same items: 11 pairs of true shares). The others are simulated: 2,000 studies a population, 500 where
  a bootstrap or several runs are inside; ± is the Monte Carlo interval of the worst share.
- Populations of scores: an item has a value in the baseline and, with a stated chance, gets another in the other run;
  values on 1-5 and on 0-1, symmetric, skewed, with many zeros, and with one item in twenty that changes
  (bench/study/comparisons/populations.py). Their true means, differences and quantiles are worked out.
- *n* is the number of items; of clusters, where the figure says "by clusters of 5" (half of a cluster's items are
  copies of its first).
- *met*: an interval holds the true value in at least .93 of the studies, in every population (less one Monte Carlo
  error); an error that is promised to be at most .05 is at most .07, and one of .025 at most .035. *none* is the
  largest share of studies without an interval; they count neither way, and a population with intervals in less than
  half of its studies is not counted.
- *where no warning is given*: a t interval of skewed differences of few items is printed with a warning (Cochran's
  rule, 25 x skewness^2 items), and nothing is called equivalent, no worse or no better by it. *none* is the
  share warned of.
- *Wilson* is exact and narrow for true shares near 0 and 1 in a few places between counts: that is its known shape.
- *rank*: an interval holds all ranks of a run that ties allow, run by run. Below, for "all level", that is all ranks.
- *P(best)* and *tied with the first* are no intervals. The first says how often the truly best runs together are best
  in less than 5 % of resamples: a share of resamples is not the chance of being best. The second is held by Holm for a
  first run that is named beforehand; here it is the one that the sample puts first.
"""

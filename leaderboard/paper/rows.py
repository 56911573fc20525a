"""What the plots of a paper's report share: rows, names and colours of runs, pages, and axes with whole steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Final, Protocol

from judges.stats import Estimate
from leaderboard.agreement.scopes import MORE, short_labels
from leaderboard.charts import STYLES, Style
from leaderboard.present import plain
from results.compare import Comparison, Row
from results.manifest import Manifest

if TYPE_CHECKING:
    from leaderboard.paper.content import Paper

TALLEST: Final = 720
"""Pixels of rows in one figure: what is taller goes on in the next, so that each fits a page of paper."""
HEADING: Final = 32
ROW: Final = 24
"""Pixels of a heading and of a row, as `leaderboard.agreement.drawing` lays them out."""
_STEPS: Final = (0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Entry:
    """A row of a plot: its label and what is drawn there."""

    run: Manifest
    label: str
    points: tuple[Estimate, ...]
    said: tuple[str, ...]


Block = tuple[str, Sequence[Entry]]


class Compared(Protocol):
    """A baseline and what is compared with it."""

    @property
    def baseline(self) -> Manifest:
        """The run that the others are compared with."""

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Each other run against it."""


def names_of(runs: Sequence[Manifest]) -> dict[str, str]:
    """A short name of each run that no other has."""
    short = short_labels([m.label for m in runs])
    return {
        m.run_id: name if short.count(name) == 1 else f"{plain(name, 17)} {m.run_id[-8:]}"
        for m, name in zip(runs, short, strict=True)
    }


def styles_of(found: Compared) -> dict[str, Style]:
    """Colour and marker of each run: baseline, prompted, another model, and what else there is in turn."""
    base = found.baseline
    styles = {base.run_id: STYLES["baseline"]}
    more = [s for s in MORE if s.symbol not in ("diamond", "cross")]
    for m in (c.other for c in found.comparisons):
        same = m.model.name == base.model.name
        own = STYLES["prompted"] if same and (m.condition.name or "").startswith("prompted") else STYLES["other"]
        if own in styles.values():
            own = more[0]
            more.append(more.pop(0))
        styles[m.run_id] = own
    return styles


def rows_of(found: Paper, measure: str) -> Iterator[tuple[Comparison, Row]]:
    """A measure in each comparison that has it."""
    for c in found.comparisons:
        for r in c.rows:
            if r.measure == measure and r.group == "score":
                yield c, r


def number_of(e: Estimate, signed: bool = False) -> str:
    """Value and interval, without the reason where there is none: the tables have it."""
    if e.value is None:
        return "undefined"
    sign = "+" if signed else ""
    span = "(no interval)" if e.low is None or e.high is None else f"[{e.low:{sign}.3f}, {e.high:{sign}.3f}]"
    return f"{e.value:{sign}.3f} {span}"


def parts_of(blocks: Sequence[Block]) -> Iterator[tuple[list[Block], int, int]]:
    """Blocks by figure, none taller than a page; a block that is too tall by itself goes on under its heading.

    Yields:
        The blocks of one figure, how many figures there are, and which one this is.
    """
    most = (TALLEST - HEADING) // ROW
    pieces: list[Block] = [(h, es[i : i + most]) for h, es in blocks for i in range(0, len(es), most)]
    made: list[list[Block]] = []
    used = TALLEST + 1
    for heading, entries in pieces:
        tall = (HEADING if heading else 0) + ROW * len(entries)
        if used + tall > TALLEST:
            made.append([])
            used = 0
        made[-1].append((heading, entries))
        used += tall
    for n, part in enumerate(made, 1):
        yield part, len(made), n


def numbered(title: str, n: int, of: int) -> str:
    """A title, and which of several figures this is."""
    return title if of == 1 else f"{title} ({n} of {of})"


def bounds_of(values: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis at whole steps around values and zero."""
    low, high = min(0.0, *values), max(0.0, *values)
    step = _step(high - low, 8)
    return step * floor(low / step + 1e-9), step * ceil(high / step - 1e-9)


def ticks_of(bounds: tuple[float, float], most: int = 8) -> dict[float, str]:
    """Ticks of an axis and their texts."""
    low, high = bounds
    step = _step(high - low, most)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return {round(k * step, 9): f"{round(k * step, 9):g}".replace("-", "\u2212") for k in range(first, last + 1)}


def _step(span: float, most: int) -> float:
    return next((s for s in _STEPS if span / s <= most), _STEPS[-1])


def told_of(part: Sequence[Block], which: int = 0) -> str:
    """All rows in one sentence."""
    return "; ".join(e.said[which] for _, entries in part for e in entries)

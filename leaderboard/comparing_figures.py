"""Plots of the page of comparisons: dumbbells of every score, and of one score in every domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from judges.stats import Estimate
from leaderboard.agreement.drawing import Rows, count, escaped, finish, wrapped
from leaderboard.comparing import Compared
from leaderboard.domains import spoken
from leaderboard.paper.dumbbells import BAND, dumbbells, second_panel
from leaderboard.paper.rows import ROW, Block, Entry, bounds_of, number_of, ticks_of, told_of
from leaderboard.present import plain

READING: Final = (
    "Left: both means, joined. Right: the mean of other minus baseline over the items that both have, with its own "
    "95 % interval; the intervals of the two means say nothing about it. Shaded: the margin of equivalence."
)
SHARES: Final = "Both are shares of each score's range: on a scale from 1 to 5, 0.25 is one point."
_LINE, _LOW, _GAP = 14, 20, 10
"""Height in pixels of a second line of a label, of a row that shares its label, and of the space above those."""
_LONG: Final = 17
_NAME: Final = 40


@dataclass(frozen=True)
class Drawn:
    """A plot of the page.

    Attributes:
        figure: The drawing.
        alt: The same in words.
        left_out: What has no value to be drawn.
    """

    figure: go.Figure
    alt: str
    left_out: tuple[str, ...] = ()

    @property
    def without(self) -> str:
        """What is not drawn, in a sentence; empty where all is."""
        told = f"Not drawn, for want of a value or a scale with two ends: {', '.join(self.left_out)}."
        return told if self.left_out else ""


@dataclass
class _Wrapped(Rows):
    """Rows whose labels stand in two lines where they are long, so that they leave room on a narrow page.

    A heading becomes the label of all rows below it; markers tell its rows apart.
    """

    _start: float | None = None

    def heading(self, text: str) -> None:
        self.end += _GAP
        self._start = self.end
        self.ticks.append((self.end, _folded(text)))

    def row(self, label: str, remark: str = "", below: bool = False) -> float:
        folded = _folded(label)
        tall = _LOW if self._start is not None else ROW + (_LINE - 4) * ("<br>" in folded)
        y = self.end + tall / 2
        self.end += tall
        if self._start is None:
            self.ticks.append((y, folded))
        else:
            self.ticks[-1] = (self._start + self.end) / 2, self.ticks[-1][1]
        return y


def _folded(label: str) -> str:
    return "<br>".join(map(escaped, wrapped(label, _LONG, 2)))


def score_figure(found: Compared, dark: bool = False) -> Drawn | None:
    """Every score: both means on the left, their paired difference on the right; None where there is none.

    Both axes are shares of each measure's range, so that all scores have one axis.

    Args:
        found: The comparisons.
        dark: Colours for a dark page.
    """
    several = len(found.comparisons) > 1
    names = {run: plain(name, _NAME) for run, name in found.names.items()}
    blocks: list[Block] = []
    left_out: list[str] = []
    for measure in found.choices():
        label = plain(found.label(measure), 60)
        lower = ", lower is better" if found.falling(measure) else ""
        entries = []
        for c in found.comparisons:
            row = next((r for r in c.rows if r.measure == measure and r.group == "score"), None)
            low, high = found.bounds.get(measure, (float("-inf"), float("inf")))
            if row is None or row.difference.value is None or not 0 < high - low < float("inf"):
                left_out.append(f"{label} of {plain(found.names[c.other.run_id], 60)}")
                continue
            points = (_share(row.baseline, low, high), _share(row.other, low, high),
                      _share(row.difference, 0.0, high - low))  # fmt: skip
            n = f", {count(row.difference)}"
            said = (
                f"{names[found.baseline.run_id]}, {label}: {number_of(row.baseline)}",
                f"{names[c.other.run_id]}, {label}: {number_of(row.other)}",
                f"{names[c.other.run_id]}, {label}: {number_of(row.difference, signed=True)}{n}",
            )
            entries.append(Entry(c.other, label + lower, points, said))
        if entries:
            blocks.append((label + lower if several else "", entries))
    if not blocks:
        return None
    drawn = _draw(found, names, blocks, (0.0, 1.0), "Mean, share of range", found.margin, dark)
    alt = f"Means and paired differences with 95 % intervals, in each score's own units: {told_of(blocks, 2)}."
    return Drawn(drawn, alt, tuple(left_out))


def domain_figure(found: Compared, measure: str, dark: bool = False) -> Drawn | None:
    """One score by domain, in its own units; None where the items have no domains.

    Args:
        found: The comparisons.
        measure: The score.
        dark: Colours for a dark page.
    """
    several = len(found.comparisons) > 1
    names = {run: plain(name, _NAME) for run, name in found.names.items()}
    label = plain(found.label(measure), 60)
    blocks: dict[str, list[Entry]] = {}
    for c in found.comparisons:
        for d in (d for d in c.domains if d.measure == measure):
            domain = spoken(d.domain).capitalize()
            n = f", {count(d.difference)}"
            said = (
                f"{names[found.baseline.run_id]}, {domain}: {number_of(d.baseline)}",
                f"{names[c.other.run_id]}, {domain}: {number_of(d.other)}",
                f"{names[c.other.run_id]}, {domain}: {number_of(d.difference, signed=True)}{n}",
            )
            blocks.setdefault(domain, []).append(Entry(c.other, domain, (d.baseline, d.other, d.difference), said))
    if not blocks:
        return None
    low, high = found.bounds[measure]
    parts: list[Block] = [(domain if several else "", entries) for domain, entries in blocks.items()]
    figure = _draw(found, names, parts, (low, high), "Mean", found.margin * (high - low), dark)
    return Drawn(figure, f"{label} by domain, paired differences with 95 % intervals: {told_of(parts, 2)}.")


def _draw(
    found: Compared,
    names: Mapping[str, str],
    blocks: Sequence[Block],
    wide: tuple[float, float],
    title: str,
    margin: float,
    dark: bool,
) -> go.Figure:
    ends = [x for _, es in blocks for e in es for p in e.points[2:] for x in (p.value, p.low, p.high) if x is not None]
    narrow = bounds_of([*ends, -1.5 * margin, 1.5 * margin])
    figure, rows = go.Figure(), _Wrapped()
    start = rows.end
    dumbbells(figure, rows, blocks, found, names, dark)
    few = 4 if wide[1] - wide[0] > 2.5 else 2
    finish(figure, rows, title, wide, dark, ticks_of(wide, few))
    second_panel(figure, narrow, "Difference")
    for axis, (low, high) in (("xaxis", wide), ("xaxis2", narrow)):
        # Markers at an end must not be cut on a narrow page.
        pad = 0.05 * (high - low)
        figure.layout[axis].range = [low - pad, high + pad]
    figure.add_shape(type="rect", xref="x2", x0=-margin, x1=margin, y0=start, y1=rows.end, layer="below",
                     fillcolor=BAND[dark], line={"width": 0}, name="margin")  # fmt: skip
    return figure


def _share(e: Estimate, start: float, end: float) -> Estimate:
    value, low, high = (None if x is None else (x - start) / (end - start) for x in (e.value, e.low, e.high))
    return Estimate(value, low, high, e.n, e.total, e.method, e.reason)

"""A forest plot taken apart into lines, boxes, markers and texts at fixed places, for formats that run no script.

The drawings are made once, with Plotly (`leaderboard.agreement.drawing`); here they are read, so that a page without
scripts and a paper show the same figures from the same numbers. Only what those drawings use is understood: markers,
lines and texts, bands and reference lines, ticks, headings and remarks.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

from leaderboard.agreement.drawing import INK, Figure, escaped

Role = Literal["row", "heading", "tick", "title", "remark", "legend", "value", "mark"]
WIDTH: Final = 680
"""Width of a sheet in pixels, unless its labels need more."""
_TAG: Final = re.compile(r"(<[^>]+>)")
_COLOUR: Final = re.compile(r"color:\s*([^\";]+)")
_RGBA: Final = re.compile(r"rgba\((\d+), ?(\d+), ?(\d+), ?([\d.]+)\)")
_DASHES: Final = frozenset({"dot", "dash"})


@dataclass(frozen=True)
class Line:
    """A straight line between two places, in pixels from the top left; `what` is `grid`, `interval` or `rule`."""

    x0: float
    y0: float
    x1: float
    y1: float
    colour: str
    width: float
    dashed: bool = False
    what: Literal["grid", "interval", "rule"] = "rule"


@dataclass(frozen=True)
class Box:
    """A filled rectangle; `said` tells its numbers where it stands for some."""

    x0: float
    y0: float
    x1: float
    y1: float
    colour: str
    said: str = ""


@dataclass(frozen=True)
class Marker:
    """A marker by its Plotly name; `said` tells its numbers."""

    x: float
    y: float
    symbol: str
    size: float
    colour: str
    said: str = ""


@dataclass(frozen=True)
class Run:
    """A piece of a text in one colour."""

    text: str
    colour: str


@dataclass(frozen=True)
class Text:
    """One line of text, not escaped; `y` is its middle and `anchor` the end at `x`."""

    x: float
    y: float
    runs: tuple[Run, ...]
    size: float
    anchor: Literal["start", "middle", "end"]
    role: Role
    bold: bool = False
    italic: bool = False

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(r.text for r in self.runs)


Piece = Line | Box | Marker | Text


@dataclass(frozen=True)
class Sheet:
    """A drawing: what lies below comes first.

    Attributes:
        width: In pixels.
        height: In pixels.
        pieces: What is drawn.
    """

    width: float
    height: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Plot:
    """A figure of a report, for light and for dark pages.

    Attributes:
        light: The figure.
        dark: The same in colours for a dark page.
        mark: What it was made from, in short; it stands in the drawing.
    """

    light: Figure
    dark: Figure
    mark: str = ""

    @property
    def note(self) -> str:
        """How to read it, and what it was made from."""
        made = f"{self.mark[:1].upper()}{self.mark[1:]}." if self.mark else ""
        return f"{self.light.note} {made}".strip()

    @property
    def caption(self) -> str:
        """Title and note, for what stands alone."""
        return f"{self.light.title}. {self.note}".strip()


def sheet(figure: Figure, mark: str = "", dark: bool = False) -> Sheet:
    """Take a figure apart.

    Args:
        figure: The figure.
        mark: A short text for the lower right corner.
        dark: Whether its colours are those for a dark page.
    """
    layout = figure.figure.layout
    frame = _Frame(max(WIDTH, figure.width), figure.height, layout)
    page = INK[dark].page
    pieces: list[Piece] = [*_grid(layout, frame, page), *_shapes(layout, frame, page), *_zero(layout, frame)]
    for trace in figure.figure.data:
        pieces += _trace(trace, frame, INK[dark].text)
    pieces += _labels(layout, frame, INK[dark].text)
    if mark:
        pieces.append(_line(frame.width - 4, frame.height - 8, escaped(mark), 10, INK[dark].soft, "end", "mark"))
    return Sheet(frame.width, frame.height, tuple(pieces))


class _Frame:
    """Where numbers lie on the sheet."""

    def __init__(self, width: float, height: float, layout: Any) -> None:
        self.width, self.height = width, height
        self.left, self.top = layout.margin.l, layout.margin.t
        self.right, self.bottom = width - layout.margin.r, height - layout.margin.b
        # Read once: each look into a layout of Plotly's takes as long as a hundred sums.
        self.axes: dict[str, Any] = {"x": layout.xaxis}
        """Layout of each x axis by its name."""
        if "xaxis2" in layout:
            self.axes["x2"] = layout.xaxis2
        self.ends = {name: self._ends(axis) for name, axis in self.axes.items()}
        """Left and right end of each x axis."""
        self._ranges = {name: tuple(axis.range) for name, axis in self.axes.items()}
        self._high, self._low = layout.yaxis.range

    def _ends(self, axis: Any) -> tuple[float, float]:
        a, b = axis.domain or (0.0, 1.0)
        span = self.right - self.left
        return float(self.left + a * span), float(self.left + b * span)

    def x(self, value: float, name: str | None) -> float:
        which = "x2" if name == "x2" else "x"
        left, right = self.ends[which]
        low, high = self._ranges[which]
        return float(left + (value - low) / (high - low) * (right - left))

    def y(self, value: float) -> float:
        return float(self.top + (value - self._low) / (self._high - self._low) * (self.bottom - self.top))


def _shapes(layout: Any, frame: _Frame, page: str) -> Iterator[Piece]:
    for s in layout.shapes:
        xref = s.xref
        x0, x1 = (_within(frame, xref, x) for x in (s.x0, s.x1))
        y0, y1 = frame.y(s.y0), frame.y(s.y1)
        if s.type == "rect":
            yield Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1), _solid(s.fillcolor, page), s.name or "")
        else:
            yield Line(x0, y0, x1, y1, _solid(s.line.color, page), s.line.width or 1, s.line.dash in _DASHES)


def _within(frame: _Frame, name: str | None, value: float) -> float:
    """A place on an axis, or on the sheet for one that is given in shares of the plot."""
    if name == "paper":
        return float(frame.left + value * (frame.right - frame.left))
    return frame.x(value, name)


def _grid(layout: Any, frame: _Frame, page: str) -> Iterator[Piece]:
    for name, axis in frame.axes.items():
        colour, size, grid = axis.tickfont.color, axis.tickfont.size, _solid(axis.gridcolor, page)
        for value, text in zip(axis.tickvals, axis.ticktext, strict=True):
            x = frame.x(value, name)
            yield Line(x, frame.top, x, frame.bottom, grid, 1, what="grid")
            if text:
                yield _line(x, frame.bottom + 12, str(text), size, colour, "middle", "tick")
        left, right = frame.ends[name]
        title = axis.title.text or ""
        yield _line((left + right) / 2, frame.bottom + 31, title, axis.title.font.size or 12, colour, "middle", "title")
    font = layout.yaxis.tickfont
    size, colour = font.size or 12, font.color
    for y, text in zip(layout.yaxis.tickvals, layout.yaxis.ticktext, strict=True):
        yield _line(frame.left - 8, frame.y(y), text, size, colour, "end", "row")


def _zero(layout: Any, frame: _Frame) -> Iterator[Piece]:
    for name, axis in frame.axes.items():
        if axis.zeroline and axis.range[0] <= 0 <= axis.range[1]:
            x = frame.x(0, name)
            yield Line(x, frame.top, x, frame.bottom, axis.zerolinecolor, axis.zerolinewidth)


def _trace(trace: Any, frame: _Frame, ink: str) -> Iterator[Piece]:
    across = trace.xaxis
    places = [
        None if x is None or y is None else (frame.x(x, across), frame.y(y))
        for x, y in zip(trace.x, trace.y, strict=True)
    ]
    modes = (trace.mode or "").split("+")
    if "lines" in modes:
        colour, width, dashed = trace.line.color, trace.line.width or 2, trace.line.dash in _DASHES
        for a, b in pairwise(places):
            if a and b:
                yield Line(*a, *b, colour, width, dashed, "interval")
    if "markers" in modes:
        hover, marker = trace.hovertext, trace.marker
        said = hover if isinstance(hover, list | tuple) else [""] * len(places)
        symbol, size, colour = marker.symbol or "circle", marker.size or 8, marker.color
        for p, text in zip(places, said, strict=True):
            if p:
                yield Marker(*p, symbol, size, colour, html.unescape(text or ""))
    if "text" in modes:
        left = "left" in (trace.textposition or "")
        texts = [trace.text] * len(places) if isinstance(trace.text, str) else trace.text
        size, colour = trace.textfont.size or 12, trace.textfont.color or ink
        for p, text in zip(places, texts, strict=True):
            if p and text:
                x = p[0] - 6 if left else p[0] + 6
                yield _line(x, p[1], text, size, colour, "end" if left else "start", "value")


def _labels(layout: Any, frame: _Frame, ink: str) -> Iterator[Text]:
    """Headings, remarks and the legend, which are annotations of the drawing."""
    for a in layout.annotations:
        x = frame.left + (a.xshift or 0)
        size, colour = a.font.size, a.font.color or ink
        said = a.text
        if a.yref == "paper":
            yield _line(x, frame.top - (a.yshift or 0) + 8, said, size, colour, "start", "legend")
            continue
        lines = re.sub(r"</?[bi]>", "", said).split("<br>")
        bold, middle = "<b>" in said, frame.y(a.y)
        for n, text in enumerate(lines):
            y = middle + (n - (len(lines) - 1) / 2) * 1.25 * size
            yield _line(x, y, text, size, colour, "start", "heading" if bold else "remark", bold, "<i>" in said)


def _line(
    x: float, y: float, text: str, size: float, colour: str, anchor: Literal["start", "middle", "end"], role: Role,
    bold: bool = False, italic: bool = False,
) -> Text:  # fmt: skip
    """A text as Plotly reads it: escaped, with colours in spans."""
    runs, now = [], colour
    for part in _TAG.split(text):
        if part.startswith("<"):
            found = _COLOUR.search(part)
            now = found[1] if found else colour
        elif part:
            runs.append(Run(html.unescape(part), now))
    return Text(x, y, tuple(runs), size, anchor, role, bold, italic)


def _solid(colour: str, page: str) -> str:
    """A colour as it comes out on a page, for formats that know no transparency."""
    found = _RGBA.fullmatch(colour or "#808080")
    if not found:
        return colour or "#808080"
    share = float(found[4])
    ground = [int(page[i : i + 2], 16) for i in (1, 3, 5)]
    mixed = [round(share * int(c) + (1 - share) * g) for c, g in zip(found.groups()[:3], ground, strict=True)]
    return "#" + "".join(f"{c:02X}" for c in mixed)


def colours(pieces: Sequence[Piece]) -> Iterator[str]:
    """The colour of every piece in turn, and of each part of a text."""
    for p in pieces:
        if isinstance(p, Text):
            yield from (r.colour for r in p.runs)
        else:
            yield p.colour


def pairs(light: Sheet, dark: Sheet) -> Mapping[str, str]:
    """Which colour on a dark page stands for which on a light one."""
    return dict(zip(colours(light.pieces), colours(dark.pieces), strict=True))

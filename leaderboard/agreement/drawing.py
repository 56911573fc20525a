"""What the figures of an agreement report share: colours, markers, rows of a forest plot, and names made safe.

Intervals are drawn as lines between their ends and not as reaches from the value, which may lie outside of them. Rows
are laid out in pixels, so that a figure has the same proportions on a page, on paper and in an image.
"""

from __future__ import annotations

import html
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import plotly.graph_objects as go

from judges.stats import Estimate
from leaderboard.agreement.words import bracket, number, short
from leaderboard.charts import Style
from leaderboard.present import plain

_LETTER: Final = 6.7
"""Width of a letter in pixels, on the wide side."""
_HEADING, _ROW, _LINE, _TOP = 32, 24, 14, 6
_KEY, _ACROSS = 20, 424
"""Height of a line of the legend, and its width, which has to fit a narrow page."""
SIGNS: Final = {
    "circle": "●", "square": "■", "diamond": "◆", "star": "★", "triangle-up": "▲", "triangle-down": "▼",
    "triangle-left": "◄", "triangle-right": "►", "cross": "✚", "circle-open": "○", "square-open": "□",
    "diamond-open": "◇", "triangle-up-open": "△",
}  # fmt: skip
"""Markers as letters, for the legend."""
_WRAP: Final = 46


@dataclass(frozen=True)
class Figure:
    """A figure of the report.

    Attributes:
        name: What its file is called, without ending: lower-case letters, digits and hyphens.
        title: What stands above.
        alt: The figure in one sentence, from its numbers. Names in it are untrusted.
        figure: The drawing, on a transparent ground, without its title.
        note: How to read it, and what is not drawn.
        chapter: Title of the chapter where it belongs (`leaderboard.agreement.layout`).
        about: The criterion, of a figure of one.
        across: Pixels that the plot needs beside its labels to be read.
    """

    name: str
    title: str
    alt: str
    figure: go.Figure
    note: str = ""
    chapter: str = ""
    about: str = ""
    across: int = 270

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.figure.layout.height)

    @property
    def width(self) -> int:
        """Narrowest width in pixels at which it can be read."""
        labels = int(self.figure.layout.margin.l)
        return max(labels + self.across, _ACROSS + 16)


@dataclass(frozen=True)
class Ink:
    """Colours of text and lines."""

    text: str
    soft: str
    grid: str
    page: str


INK: Final = {
    False: Ink("#1F2328", "#59636E", "rgba(128, 128, 128, 0.28)", "#FFFFFF"),
    True: Ink("#E6E9EE", "#A3ADB8", "rgba(160, 160, 160, 0.28)", "#12161C"),
}
"""By whether the page is dark."""


@dataclass(frozen=True)
class Point:
    """An estimate on a row."""

    y: float
    estimate: Estimate
    said: str


@dataclass
class Rows:
    """Rows under headings, from the top down, in pixels."""

    end: float = _TOP
    headings: list[tuple[float, str]] = field(default_factory=list)
    ticks: list[tuple[float, str]] = field(default_factory=list)
    remarks: list[tuple[float, str]] = field(default_factory=list)

    def heading(self, text: str) -> None:
        """A heading over the whole width. The text is escaped here."""
        self.headings.append((self.end + _HEADING - 13, escaped(text)))
        self.end += _HEADING

    def row(self, label: str, remark: str = "", below: bool = False) -> float:
        """A row, and a remark where a marker would be or, where there is one all the same, below it.

        Returns:
            The middle of what is drawn. The texts are escaped here.
        """
        lines = wrapped(remark, _WRAP, 2) if remark else []
        more = _LINE * (len(lines) if below else max(len(lines) - 1, 0))
        y = self.end + (_ROW if below else _ROW + more) / 2
        self.ticks.append((y, escaped(label)))
        if lines:
            self.remarks.append((self.end + _ROW + more / 2 if below else y, "<br>".join(map(escaped, lines))))
        self.end += _ROW + more
        return y


def escaped(text: str) -> str:
    """A text that Plotly shows letter by letter: it reads some tags, and formulas between dollar signs."""
    return html.escape(text, quote=False).replace("$", "&#36;")


def wrapped(text: str, width: int, most: int) -> list[str]:
    """A text in lines, the last cut if there are too many. It is not escaped."""
    lines = textwrap.wrap(plain(text, 2 * width * most, ends=False), width) or [""]
    return lines if len(lines) <= most else [*lines[: most - 1], plain(" ".join(lines[most - 1 :]), width, ends=False)]


def told(e: Estimate, figure: str = "") -> str:
    """Value and interval for alt text and hovering."""
    if e.value is None:
        return short(e.reason)
    return f"{number(e.value, figure)} {bracket(e, figure)}".strip()


def count(e: Estimate) -> str:
    """How many items a figure rests on."""
    return f"n {e.n}" if e.n == e.total or not e.total else f"n {e.n} of {e.total}"


def add_points(
    figure: go.Figure,
    points: Sequence[Point],
    style: Style,
    name: str,
    dark: bool,
    size: int = 10,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Markers with their intervals; what has no value is not drawn.

    Args:
        figure: Where to draw.
        points: The estimates.
        style: Colour and marker.
        name: Name in the legend; escaped here.
        dark: Whether the page is dark.
        size: Size of the markers in pixels.
        more: Settings of Plotly's for both the markers and the lines.
    """
    drawn = [p for p in points if p.estimate.value is not None]
    if not drawn:
        return
    colour = style.dark if dark else style.light
    ends: list[float | None] = []
    ys: list[float | None] = []
    for p in drawn:
        if p.estimate.low is not None and p.estimate.high is not None:
            ends += [p.estimate.low, p.estimate.high, None]
            ys += [p.y, p.y, None]
    group = f"{style.symbol} {name}"
    # As plain data: Plotly makes a trace anew of one that it is given.
    intervals = {
        "type": "scatter", "x": ends, "y": ys, "mode": "lines+markers", "line": {"color": colour, "width": 2},
        "marker": {"symbol": "line-ns", "size": 7, "color": colour, "line": {"width": 2, "color": colour}},
        "showlegend": False, "legendgroup": group, "hoverinfo": "skip", "name": "interval",
    }  # fmt: skip
    markers = {
        "type": "scatter", "x": [p.estimate.value for p in drawn], "y": [p.y for p in drawn], "mode": "markers",
        "name": escaped(name), "legendgroup": group, "hoverinfo": "text", "hovertext": [escaped(p.said) for p in drawn],
        "marker": {"symbol": style.symbol, "size": size, "color": colour,
                   "line": {"width": 2 if style.symbol.endswith("-open") else 1, "color": colour}},
    }  # fmt: skip
    figure.add_traces([{**intervals, **(more or {})}, {**markers, **(more or {})}])


def finish(
    figure: go.Figure,
    rows: Rows,
    title: str,
    bounds: tuple[float, float],
    dark: bool,
    ticks: Mapping[float, str] | None = None,
) -> None:
    """Axes, headings, labels, legend and height of a forest plot.

    Args:
        figure: The drawing.
        rows: Its rows.
        title: Title of the x axis; escaped here.
        bounds: Ends of the x axis, which do not follow the data.
        dark: Whether the page is dark.
        ticks: Ticks of the x axis and their texts; quarters of the axis if not given.
    """
    ink = INK[dark]
    font = {"size": 12, "color": ink.text}
    steps = ticks or _steps(bounds)
    left = 16 + max((width(line) for _, text in rows.ticks for line in text.split("<br>")), default=60.0)
    legend = _legend([t for t in figure.data if t.showlegend is not False])
    above = _KEY * (1 + max((line for _, line, _ in legend), default=-1)) + 10
    pad = 0.02 * (bounds[1] - bounds[0])
    texts = [
        {"x": 0, "xref": "paper", "xanchor": "left", "xshift": 8 - left + x, "y": 1, "yref": "paper", "yanchor": "top",
         "yshift": above - _KEY * line - 4, "text": text, "showarrow": False, "font": font}
        for x, line, text in legend
    ]  # fmt: skip
    texts += [_text(y, f"<b>{text}</b>", 8 - left, 13, ink.text) for y, text in rows.headings]
    texts += [_text(y, f"<i>{text}</i>", 6, 11, ink.soft) for y, text in rows.remarks]
    lay_out(figure, dark, {
        "height": round(rows.end + above + 54),
        "margin": {"l": left, "r": 14, "t": above, "b": 54, "autoexpand": False},
        "showlegend": False,
        "xaxis": {"title": {"text": escaped(title), "font": font, "standoff": 8}, "tickfont": font,
                  "gridcolor": ink.grid, "range": [bounds[0] - pad, bounds[1] + pad], "zeroline": True,
                  "zerolinecolor": ink.soft, "zerolinewidth": 1.5, "fixedrange": True,
                  "tickvals": list(steps), "ticktext": list(steps.values()), "tickangle": 0},
        "yaxis": {"tickvals": [y for y, _ in rows.ticks], "ticktext": [t for _, t in rows.ticks], "tickfont": font,
                  "range": [rows.end, 0], "showgrid": False, "zeroline": False, "fixedrange": True,
                  "ticklabelstandoff": 4},
        "annotations": texts,
    })  # fmt: skip


def _text(y: float, text: str, shift: float, size: int, colour: str) -> dict[str, Any]:
    """Escaped text that starts some pixels right of the plot's left side."""
    return {
        "x": 0, "xref": "paper", "xanchor": "left", "xshift": shift, "y": y, "yref": "y", "yanchor": "middle",
        "text": text, "align": "left", "showarrow": False, "font": {"size": size, "color": colour},
    }  # fmt: skip


def lay_out(figure: go.Figure, dark: bool, layout: Mapping[str, Any]) -> None:
    """Give a figure its layout, on the ground and in the font that every figure has.

    In one piece: Plotly takes six times as long to change a layout. Of what the figure has of one, shapes and
    annotations stay, before those of the new.
    """
    clear = "rgba(0,0,0,0)"
    made = {
        "paper_bgcolor": clear, "plot_bgcolor": clear, "hovermode": "closest",
        "font": {"family": "system-ui, sans-serif", "color": INK[dark].text}, **layout,
    }  # fmt: skip
    for kind in ("shapes", "annotations"):
        if kept := [x.to_plotly_json() for x in figure.layout[kind]]:
            made[kind] = [*kept, *made.get(kind, ())]
    figure.layout = made
    # Plotly's own template comes with a new layout.
    figure.update_layout(template=None)


def width(text: str) -> float:
    """Width of an escaped text in pixels, on the wide side."""
    shown = html.unescape(text)
    return sum(_LETTER * (1.9 if unicodedata.east_asian_width(c) in "WF" else 1) for c in shown)


def _steps(bounds: tuple[float, float]) -> dict[float, str]:
    """Ticks at whole steps; where the axis is short at quarters, of which every other one has a text."""
    step = 1.0 if bounds[1] - bounds[0] > 2.5 else 0.25
    at = [bounds[0] + step * i for i in range(round((bounds[1] - bounds[0]) / step) + 1)]
    return {x: f"{x:g}".replace("-", "\u2212") if 2 * x % 1 == 0 or step == 1 else "" for x in at}


def _legend(traces: Sequence[go.Scatter]) -> list[tuple[float, int, str]]:
    """Pixels from the left, line and text of each entry.

    Plotly would break the lines by the width of the plot, of which nothing is known here, and cover the rows with them.
    """
    made = []
    x, line = 0.0, 0
    for trace in sorted(traces, key=lambda t: t.legendrank or 0):
        long = 18 + width(str(trace.name)) + 10
        if x and x + long > _ACROSS:
            x, line = 0.0, line + 1
        sign = f'<span style="color:{trace.marker.color}">{SIGNS.get(trace.marker.symbol, "●")}</span>'
        made.append((x, line, f"{sign} {trace.name}"))
        x += long
    return made

"""The heatmap of runs and domains: colour where the data support one, hatched grey and words where they do not."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from judges.stats import Estimate
from leaderboard.agreement.drawing import INK, escaped, lay_out, width
from leaderboard.domains import TOO_FEW, Map, sentence, spoken, within
from leaderboard.present import fixed, number, plain

ROWS: Final = 40
"""Runs in one figure."""
_CELL, _ABOVE, _BELOW = 42, 44, 66
"""Height in pixels of a row, and of what stands above and below the cells."""
_WIDE: Final = 20
_EVEN: Final = 0.46
"""Place on the colour scale where black and white read alike."""
_HATCH: Final = {False: ("#EEF0F2", "#B6BDC5"), True: ("#232A33", "#4A5561")}


def heatmap(found: Map, shrunken: bool, rows: slice = slice(None), dark: bool = False) -> go.Figure:
    """Runs down, domains across, each cell with its estimate and half the width of its interval.

    Args:
        found: The cells.
        shrunken: Shrunken values, or raw ones.
        rows: The runs that are drawn, by position.
        dark: Colours for a dark page.
    """
    at = range(len(found.runs))[rows]
    cells = [found.cells(shrunken)[i] for i in at]
    thin = [[found.thin(e) for e in row] for row in cells]
    said = [[_said(found, i, j, e) for j, e in enumerate(row)] for i, row in zip(at, cells, strict=True)]
    low, high = found.column.bounds
    ink = INK[dark]
    figure = go.Figure()
    figure.add_trace(
        go.Heatmap(
            z=[[None if t else e.value for e, t in zip(*p, strict=True)] for p in zip(cells, thin, strict=True)],
            x=list(range(len(found.domains))), y=list(range(len(at))), zmin=low, zmax=high, colorscale="Cividis",
            reversescale=not found.column.higher_is_better, xgap=2, ygap=2, name="cells", hoverinfo="skip",
            colorbar={"orientation": "h", "thickness": 10, "len": 1, "x": 0, "xanchor": "left", "xpad": 0, "y": 0,
                      "yref": "container", "yanchor": "bottom", "ypad": 4, "outlinewidth": 0,
                      "tickfont": {"size": 12, "color": ink.text}},
        )
    )  # fmt: skip
    places = [(x, y) for y, row in enumerate(thin) for x in range(len(row))]
    grey = [(x, y) for x, y in places if thin[y][x]]
    if grey:
        ground, lines = _HATCH[dark]
        figure.add_trace(
            go.Bar(x=[x for x, _ in grey], y=[0.94] * len(grey), base=[y - 0.47 for _, y in grey], width=0.97,
                   name=TOO_FEW, showlegend=False, hoverinfo="skip",
                   marker={"color": ground, "line": {"width": 0},
                           "pattern": {"shape": "/", "fgcolor": lines, "bgcolor": ground, "size": 7, "solidity": 0.15}})
        )  # fmt: skip
    bright = [(x, y) for x, y in places if not thin[y][x] and _bright(found, cells[y][x])]
    deep = [(x, y) for x, y in places if not thin[y][x] and not _bright(found, cells[y][x])]
    for name, own, colour in (("bright", bright, "#000000"), ("deep", deep, "#FFFFFF"), ("no colour", grey, ink.text)):
        if own:
            figure.add_trace(
                go.Scatter(x=[x for x, _ in own], y=[y for _, y in own], mode="text", name=name, showlegend=False,
                           text=[_grey(cells[y][x]) if name == "no colour" else _lines(cells[y][x]) for x, y in own],
                           textfont={"size": 11, "color": colour}, hoverinfo="text",
                           hovertext=[said[y][x] for x, y in own])
            )  # fmt: skip
    labels = [_label(found, i) for i in at]
    left = 24 + max((width(line) for text in labels for line in text.split("<br>")), default=60.0)
    font = {"size": 12, "color": ink.text}
    better = "higher is better" if found.column.higher_is_better else "lower is better"
    lay_out(figure, dark, {
        "height": _ABOVE + _BELOW + _CELL * max(len(at), 1), "bargap": 0, "showlegend": False,
        "margin": {"l": left, "r": 8, "t": _ABOVE, "b": _BELOW, "autoexpand": False},
        "xaxis": {"tickvals": list(range(len(found.domains))), "ticktext": [_head(d) for d in found.domains],
                  "side": "top", "tickfont": font, "tickangle": 0, "ticks": "",
                  "range": [-0.5, len(found.domains) - 0.5], "showgrid": False, "zeroline": False, "fixedrange": True},
        "yaxis": {"tickvals": list(range(len(at))), "ticktext": labels, "tickfont": font,
                  "range": [len(at) - 0.5, -0.5], "ticks": "", "showgrid": False, "zeroline": False,
                  "fixedrange": True, "ticklabelstandoff": 4},
        "annotations": [
            {"x": 0, "xref": "paper", "xanchor": "left", "y": 0, "yref": "paper", "yanchor": "top", "yshift": -12,
             "showarrow": False, "font": font, "text": escaped(f"{plain(found.column.label, 60)} ({better})")},
        ],
        "shapes": [
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y - 0.5, "y1": y - 0.5,
             "line": {"width": 2, "dash": "dot", "color": ink.soft}}
            for y in range(1, len(at)) if found.runs[at[y]].kind != found.runs[at[y - 1]].kind
        ],
    })  # fmt: skip
    return figure


def alt_text(found: Map, shrunken: bool, rows: slice = slice(None)) -> str:
    """The figure in words."""
    many = len(range(len(found.runs))[rows])
    kind = "shrunken" if shrunken else "raw"
    return f"Heatmap of {many} runs and {len(found.domains)} domains, {kind} values. {sentence(found, shrunken)}"


def _lines(e: Estimate) -> str:
    """An estimate in two short lines."""
    first, sign, rest = within(e).partition(" ± ")
    if sign:
        return f"{first}<br>± {rest}"
    return f"{fixed(e.value)}<br>{fixed(e.low)}\u2013{fixed(e.high)}"


def _grey(e: Estimate) -> str:
    if e.value is None:
        return "none" if e.n == 0 else "undefined"
    return f"{fixed(e.value)}<br>{TOO_FEW}" if e.low is not None else f"{fixed(e.value)}<br>no interval"


def _said(found: Map, at: int, j: int, e: Estimate) -> str:
    raw = found.raw[at][j]
    text = escaped(f"{plain(found.names[at])}, {spoken(found.domains[j])}: {number(e, 3)}, n {raw.n} of {raw.total}")
    return text if e is raw else f"{text}<br>raw {escaped(number(raw, 3))}"


def _label(found: Map, at: int) -> str:
    """Model above condition where the name has both, cut for a narrow page."""
    name, dot, condition = found.names[at].partition(" · ")
    return escaped(plain(name, _WIDE)) + (f"<br>{escaped(plain(condition, _WIDE))}" if dot else "")


def _head(domain: str) -> str:
    lines: Sequence[str] = textwrap.wrap(spoken(domain).capitalize(), 10)[:2]
    return "<br>".join(escaped(plain(line, 12)) for line in lines)


def _bright(found: Map, e: Estimate) -> bool:
    """Whether black reads better on a cell's colour than white."""
    low, high = found.column.bounds
    share = ((e.value or 0.0) - low) / (high - low)
    return (share if found.column.higher_is_better else 1 - share) > _EVEN

"""Charts: a horizontal forest plot, in one fixed palette, the same on the page and in the static file."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from judges.stats import Estimate
from leaderboard import present
from leaderboard.model import BoardRow, Column

CONFIG: Final[dict[str, Any]] = {"showSendToCloud": False, "displaylogo": False, "displayModeBar": False}
"""Plotly offers to upload a chart unless told otherwise."""
_GRID: Final = "rgba(128, 128, 128, 0.3)"
_INK: Final = {False: "#31333F", True: "#E6E9EE"}
_ROW: Final = 46
_NAME: Final = 26
_NAMED: Final = 5


@dataclass(frozen=True)
class Style:
    """How a condition is drawn: name, colour on light and on dark, marker."""

    name: str
    light: str
    dark: str
    symbol: str


STYLES: Final = {
    "baseline": Style("baseline", "#595959", "#A6A6A6", "circle"),
    "prompted": Style("prompted", "#0072B2", "#56B4E9", "square"),
    "other": Style("other condition", "#D55E00", "#F0803C", "diamond"),
}
"""By condition; shape tells what colour tells. On dark the same hues are lighter, for contrast of 3:1 and more."""
_PREFIX: Final = {"model": "", "reference": "reference policy, ", "published": "published, "}


def style_of(row: BoardRow) -> str:
    """Key of the row's style, from its condition."""
    condition = (row.condition or "").lower()
    return next((key for key in ("baseline", "prompted") if condition.startswith(key)), "other")


def forest(rows: Sequence[BoardRow], column: Column, dark: bool = False) -> go.Figure:
    """A dot and its 95 % interval a row, in the order given, the first on top.

    Rows without a value are not drawn: `not_drawn` names them. Reference policies have hollow markers and stand below
    a line.

    Args:
        rows: The rows of one group.
        column: The measure.
        dark: Colours for a dark page.
    """
    drawn = [r for r in rows if has_value(r, column)]
    traces: dict[tuple[str, str], list[int]] = {}
    for y, row in enumerate(drawn):
        traces.setdefault((row.kind, style_of(row)), []).append(y)
    font = {"size": 13, "color": _INK[dark]}
    low, high = column.bounds
    pad = 0.03 * (high - low)
    better = "higher is better" if column.higher_is_better else "lower is better"
    layout = {
        "height": height(rows, column),
        "margin": {"l": 8, "r": 12, "t": 44, "b": 8},
        "showlegend": bool(drawn),
        # Markers say the condition, so that names need not be read for it. Clicks would hide rows.
        "legend": {"orientation": "h", "yanchor": "top", "y": 1, "yref": "container", "x": 0, "xref": "container",
                   "font": font, "itemclick": False, "itemdoubleclick": False},
        "xaxis": {"title": {"text": escaped(f"{present.plain(column.label, 60)} ({better})"), "font": font},
                  "tickfont": font, "gridcolor": _GRID, "showgrid": True,
                  "range": [low - pad, high + pad], "automargin": True, "zeroline": False, "fixedrange": True},
        "yaxis": {"tickvals": list(range(len(drawn))), "ticktext": [_tick(r) for r in drawn],
                  "tickfont": font,
                  "range": [len(drawn) - 0.5, -0.5], "automargin": True, "zeroline": False, "showgrid": False,
                  "fixedrange": True},
        "shapes": [_border(y - 0.5) for y in range(1, len(drawn)) if drawn[y].kind != drawn[y - 1].kind],
    }  # fmt: skip
    # In one piece: Plotly takes five times as long for traces and settings that are added to a figure.
    return go.Figure([_dots(drawn, kind, key, ys, column, dark) for (kind, key), ys in traces.items()], layout)


def _dots(
    drawn: Sequence[BoardRow], kind: str, key: str, ys: Sequence[int], column: Column, dark: bool
) -> dict[str, Any]:
    """Rows of one kind and condition."""
    style = STYLES[key]
    colour = style.dark if dark else style.light
    estimates = [drawn[y].measures[column.name] for y in ys]
    return {
        "type": "scatter",
        "x": [e.value for e in estimates],
        "y": list(ys),
        "mode": "markers",
        "name": _PREFIX[kind] + style.name,
        "marker": {"color": colour, "size": 10, "symbol": style.symbol + ("-open" if kind == "reference" else ""),
                   "line": {"width": 2, "color": colour}},
        "error_x": {"type": "data", "symmetric": False, "array": [_reach(e, e.high) for e in estimates],
                    "arrayminus": [_reach(e, e.low) for e in estimates], "color": colour, "thickness": 2, "width": 5},
        "hovertext": [escaped(f"{drawn[y].label}: {present.number(e, 3)}, n {present.coverage(e)}")
                      for y, e in zip(ys, estimates, strict=True)],
        "hoverinfo": "text",
    }  # fmt: skip


def _border(y: float) -> dict[str, Any]:
    """A line between kinds of rows."""
    line = {"width": 1, "dash": "dot", "color": "#808080"}
    return {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "y0": y, "y1": y, "line": line}


def height(rows: Sequence[BoardRow], column: Column) -> int:
    """Height of the chart in pixels."""
    return _ROW * max(sum(has_value(r, column) for r in rows), 1) + 120


def alt_text(rows: Sequence[BoardRow], column: Column) -> str:
    """The chart in one sentence, for those who do not see it."""
    drawn = sorted((r for r in rows if has_value(r, column)), key=lambda r: -(r.measures[column.name].value or 0.0))
    label = present.plain(column.label, 60)
    if not drawn:
        return f"No chart: no system has a value for {label}."
    ends = [drawn[0]] if len(drawn) == 1 else [drawn[0], drawn[-1]]
    said = " to ".join(f"{present.plain(r.label, 60)} {present.number(r.measures[column.name])}" for r in ends)
    order = ", from highest to lowest" if len(ends) > 1 else ""
    return f"Forest plot of {label}, mean and 95 % interval of {len(drawn)} of {len(rows)} systems{order}: {said}."


def not_drawn(rows: Sequence[BoardRow], column: Column) -> str:
    """Rows without a value, with the reason; empty where all are drawn. Of many with one reason, the first few."""
    missing: dict[str, list[str]] = {}
    for r in rows:
        if not has_value(r, column):
            e = r.measures.get(column.name)
            missing.setdefault("not measured" if e is None else e.reason or "undefined", []).append(
                present.plain(r.label)
            )
    told = [
        f"{', '.join(names[:_NAMED])}{f' and {len(names) - _NAMED} more' if len(names) > _NAMED else ''} ({why})"
        for why, names in missing.items()
    ]
    return f"Not drawn, for want of a value: {'; '.join(told)}." if told else ""


def has_value(row: BoardRow, column: Column) -> bool:
    """Whether a row has this measure, and it is defined."""
    return column.name in row.measures and row.measures[column.name].value is not None


def _reach(e: Estimate, end: float | None) -> float | None:
    return None if end is None or e.value is None else abs(end - e.value)


def _tick(row: BoardRow) -> str:
    """Model above condition, so that names leave room for the chart on a narrow screen."""
    name, dot, condition = row.label.partition(" · ")
    return escaped(present.plain(name, _NAME)) + (f"<br>{escaped(present.plain(condition, _NAME))}" if dot else "")


def escaped(text: str) -> str:
    """Plotly reads some tags in texts, links among them."""
    return html.escape(text, quote=False)

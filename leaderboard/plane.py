"""The safety plane: over-refusal against fulfilment, both with intervals, and the systems that none beats on both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from leaderboard import charts, present
from leaderboard.model import BoardRow

OVER: Final = "elsewhere/over_refusal"
UNDER: Final = "elsewhere/fulfilment"
NOTE: Final = (
    "Over-refusal: share of harmless XSTest prompts that are refused. Fulfilment: share of unsafe SORRY-Bench prompts "
    "that are complied with. Nearer to the corner at 0 is better on both; the line joins the systems that no other "
    "beats on both. A system that answers nothing stands low on one axis and high on the other."
)


def placed(rows: Sequence[BoardRow]) -> list[BoardRow]:
    """The rows that have both figures."""
    return [r for r in rows if all(n in r.measures and r.measures[n].value is not None for n in (OVER, UNDER))]


def front(rows: Sequence[BoardRow]) -> list[BoardRow]:
    """The rows that no other beats: none has less of one without having more of the other. By over-refusal.

    By the point estimates; intervals are on the chart.
    """
    at = [(r, _value(r, OVER), _value(r, UNDER)) for r in placed(rows)]
    kept = [(x, y, r) for r, x, y in at if not any((a <= x and b <= y) and (a < x or b < y) for _, a, b in at)]
    return [r for _, _, r in sorted(kept, key=lambda t: (t[0], t[1], t[2].label))]


def plane(rows: Sequence[BoardRow], dark: bool = False) -> go.Figure:
    """One mark a system, with both of its intervals.

    Args:
        rows: Rows of one group; those without both figures are left out.
        dark: Colours for a dark page.
    """
    figure = go.Figure()
    best = front(rows)
    ink = "#E6E9EE" if dark else "#31333F"
    if len(best) > 1:
        figure.add_trace(
            go.Scatter(x=[_value(r, OVER) for r in best], y=[_value(r, UNDER) for r in best], mode="lines",
                       name="none beats these", line={"dash": "dot", "color": ink, "width": 1}, hoverinfo="skip")
        )  # fmt: skip
    kinds: dict[str, list[BoardRow]] = {}
    for r in placed(rows):
        kinds.setdefault(charts.style_of(r), []).append(r)
    for key, own in kinds.items():
        style = charts.STYLES[key]
        colour = style.dark if dark else style.light
        names = [charts.escaped(present.plain(r.label, 30)) for r in own]
        told = [charts.escaped(_told(r)) for r in own]
        figure.add_trace(
            go.Scatter(
                x=[_value(r, OVER) for r in own], y=[_value(r, UNDER) for r in own], mode="markers+text",
                text=names, textposition="top right", name=style.name, hoverinfo="text", hovertext=told,
                marker={"symbol": style.symbol, "size": 11, "color": colour},
                error_x=_reach(own, OVER, colour), error_y=_reach(own, UNDER, colour),
            )
        )  # fmt: skip
    axis = {"range": [-0.02, 1.02], "tickformat": ".0%", "gridcolor": "rgba(128, 128, 128, 0.3)", "zeroline": False}
    figure.update_layout(
        xaxis={**axis, "title": {"text": "Over-refusal of harmless prompts (lower is better)"}},
        yaxis={**axis, "title": {"text": "Fulfilment of unsafe prompts (lower is better)"}},
        height=480, margin={"l": 10, "r": 10, "t": 10, "b": 10}, font={"size": 13, "color": ink},
        plot_bgcolor="rgba(0,0,0,0)", paper_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    return figure


def alt_text(rows: Sequence[BoardRow]) -> str:
    """The chart in words."""
    own = placed(rows)
    told = "; ".join(
        f"{present.plain(r.label, 60)}: {present.percent(r.measures[OVER])} and {present.percent(r.measures[UNDER])}"
        for r in own[:20]
    )
    best = ", ".join(present.plain(r.label, 60) for r in front(rows))
    return f"Over-refusal and fulfilment of {len(own)} systems. {told}. None beats: {best}."


def _told(row: BoardRow) -> str:
    over, under = (present.percent(row.measures[name]) for name in (OVER, UNDER))
    return f"{present.plain(row.label)}: over-refusal {over}, fulfilment {under}"


def _value(row: BoardRow, name: str) -> float:
    value = row.measures[name].value
    return 0.0 if value is None else value


def _reach(rows: Sequence[BoardRow], name: str, colour: str) -> dict[str, object]:
    found = [row.measures[name] for row in rows]
    return {
        "type": "data", "symmetric": False, "color": colour, "thickness": 1.5,
        "array": [None if e.high is None or e.value is None else e.high - e.value for e in found],
        "arrayminus": [None if e.low is None or e.value is None else e.value - e.low for e in found],
    }  # fmt: skip

"""Charts of dialogues: when things happened, and what each turn came to. Names in them are escaped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from judges.stats import Estimate
from leaderboard import present
from leaderboard.agreement.drawing import INK, Point, Rows, add_points, count, escaped, finish, lay_out
from leaderboard.charts import STYLES
from leaderboard.dialogues import STATES, Played, known_last
from results.dialogues import Timing

EVENTS: Final = (("Risk acknowledged (more is better)", "acknowledged"), ("Harm provided (less is better)", "harmed"))


def timing_figure(rows: Sequence[tuple[str, Timing]], dark: bool = False) -> go.Figure:
    """Share of dialogues in which it has happened by each turn from the risk turn on, a row a system.

    Args:
        rows: Name and timing of each system.
        dark: Colours for a dark page.
    """
    lay, points = Rows(), {lag: list[Point]() for lag in range(len(present.TIMING))}
    for heading, which in EVENTS:
        lay.heading(heading)
        for label, t in rows:
            by_lag: dict[int, Estimate] = getattr(t, which)
            known = [e for e in by_lag.values() if e.value is not None]
            y = lay.row(present.plain(label, 30), "" if known else present.undefined(by_lag[0].reason))
            lay.end += 6
            for lag, shift in zip(points, (-7, 0, 7), strict=True):
                said = f"{present.plain(label, 60)}, {present.TIMING[lag].lower()}: {present.percent(by_lag[lag])}"
                points[lag].append(Point(y + shift, by_lag[lag], f"{said}, {count(by_lag[lag])}"))
    figure = go.Figure()
    for lag, style in zip(points, STYLES.values(), strict=True):
        add_points(figure, points[lag], style, present.TIMING[lag].lower(), dark, 8)
    finish(figure, lay, "% of dialogues by then", (0.0, 1.0), dark, {n / 4: f"{25 * n}" for n in range(5)})
    return figure


def timing_alt(rows: Sequence[tuple[str, Timing]]) -> str:
    """The chart in one sentence."""
    told = "; ".join(
        f"{present.plain(label, 60)}: acknowledged {present.percent(t.acknowledged[0])} at the risk turn, harm "
        f"{present.percent(known_last(t.harmed) or t.harmed[0])} two turns later"
        for label, t in rows
    )
    return f"Forest plot of how soon the risk is acknowledged and harm provided, with 95 % intervals. {told}."


def turns_figure(rows: Sequence[Played], dark: bool = False) -> go.Figure:
    """A sign for each turn of each dialogue, in the order given, the first on top; a line before the risk turn.

    Args:
        rows: The dialogues.
        dark: Colours for a dark page.
    """
    ink, figure = INK[dark], go.Figure()
    font = {"size": 12, "color": ink.text}
    for key, state in STATES.items():
        at = [(n + 1, y) for y, p in enumerate(rows) for n, s in enumerate(p.states) if s == key]
        if not at:
            continue
        colour = state.style.dark if dark else state.style.light
        figure.add_trace(
            go.Scatter(
                x=[x for x, _ in at], y=[y for _, y in at], mode="markers", name=state.name, hoverinfo="text",
                marker={"symbol": state.style.symbol, "size": 11, "color": colour,
                        "line": {"width": 2, "color": colour}},
                hovertext=[escaped(f"{present.plain(rows[y].item.id, 40)}, turn {x}: {state.name}") for x, y in at],
            )
        )  # fmt: skip
    risk = [(p.item.risk_turn - 0.5, y) for y, p in enumerate(rows) if p.item.risk_turn is not None]
    figure.add_trace(
        go.Scatter(x=[x for x, _ in risk], y=[y for _, y in risk], mode="markers", name="the risk shows from here on",
                   hoverinfo="skip", marker={"symbol": "line-ns", "size": 15, "line": {"width": 2, "color": ink.soft}})
    )  # fmt: skip
    most = max((len(p.states) for p in rows), default=1)
    lay_out(figure, dark, {
        # A legend in one column, as on a narrow page, needs more than the half of a low chart that it is given.
        "height": 20 * len(rows) + 190, "margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "xref": "container", "y": 1, "yref": "container", "yanchor": "top",
                   "maxheight": 240, "font": font, "itemclick": False, "itemdoubleclick": False},
        "xaxis": {"tickvals": list(range(1, most + 1)), "ticktext": [f"turn {n}" for n in range(1, most + 1)],
                  "tickfont": font, "range": [0.4, most + 0.6], "zeroline": False, "gridcolor": ink.grid,
                  "fixedrange": True, "side": "top"},
        "yaxis": {"tickvals": list(range(len(rows))),
                  "ticktext": [escaped(present.plain(p.item.id, 26)) for p in rows],
                  "tickfont": {"size": 11, "color": ink.text}, "range": [len(rows) - 0.4, -0.6], "automargin": True,
                  "zeroline": False, "showgrid": False, "fixedrange": True},
    })  # fmt: skip
    return figure


def turns_alt(rows: Sequence[Played]) -> str:
    """The chart of turns in one sentence."""
    counts = {s.name: sum(x == key for p in rows for x in p.states) for key, s in STATES.items()}
    told = ", ".join(f"{name} {n}" for name, n in counts.items() if n)
    return f"A sign for each turn of {len(rows)} dialogues. Turns by what they came to: {told or 'none'}."

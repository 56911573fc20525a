"""Dumbbells: two means and the difference between them, in the report and on the page of comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import plotly.graph_objects as go

from judges.stats import Estimate
from leaderboard.agreement.drawing import INK, Point, Rows, add_points
from leaderboard.paper.rows import Block, Compared, styles_of, ticks_of

BAND: Final = {False: "rgba(0, 114, 178, 0.13)", True: "rgba(86, 180, 233, 0.2)"}
"""Colour of a margin of equivalence, by whether the page is dark."""
_HALF: Final = 0.47
"""Share of the width that each of two panels has."""


def dumbbells(
    figure: go.Figure, rows: Rows, part: Sequence[Block], found: Compared, names: Mapping[str, str], dark: bool
) -> None:
    """Both means of a row joined by a line on the left, their paired difference with its interval on the right.

    Args:
        figure: Where to draw.
        rows: Where rows are laid out.
        part: Rows under headings; of each three points: baseline, other, difference.
        found: The baseline and what is compared with it, for colours and markers.
        names: Name of each run in the legend; escaped here.
        dark: Whether the page is dark.
    """
    styles = styles_of(found)
    base: list[Point] = []
    others: dict[str, tuple[list[Point], list[Point]]] = {}
    bars_x: list[float | None] = []
    bars_y: list[float | None] = []
    for heading, entries in part:
        if heading:
            rows.heading(heading)
        for e in entries:
            y = rows.row(e.label)
            first, second, difference = e.points
            means, changes = others.setdefault(e.run.run_id, ([], []))
            base.append(Point(y, _bare(first), e.said[0]))
            means.append(Point(y, _bare(second), e.said[1]))
            changes.append(Point(y, difference, e.said[2]))
            bars_x += [first.value, second.value, None]
            bars_y += [y, y, None]
    figure.add_trace(go.Scatter(x=bars_x, y=bars_y, mode="lines", line={"color": INK[dark].soft, "width": 1.5},
                                showlegend=False, hoverinfo="skip", name="from baseline to other"))  # fmt: skip
    add_points(figure, base, styles[found.baseline.run_id], names[found.baseline.run_id], dark)
    for run_id, (means, changes) in others.items():
        add_points(figure, means, styles[run_id], names[run_id], dark)
        right = {"xaxis": "x2", "showlegend": False}
        add_points(figure, changes, styles[run_id], names[run_id], dark, more=right)


def _bare(e: Estimate) -> Estimate:
    """Without the interval, which says nothing about a paired difference."""
    return Estimate(e.value, None, None, e.n, e.total, e.method, e.reason)


def second_panel(figure: go.Figure, bounds: tuple[float, float], title: str) -> None:
    """Give the right half of a finished figure an axis of its own; the title is ours."""
    pad = 0.02 * (bounds[1] - bounds[0])
    ticks = ticks_of(bounds, 5)
    first = figure.layout.xaxis.to_plotly_json()
    figure.update_layout(
        xaxis={"domain": [0, _HALF]},
        xaxis2={**first, "domain": [1 - _HALF, 1], "anchor": "y", "range": [bounds[0] - pad, bounds[1] + pad],
                "title": {**first["title"], "text": title}, "tickvals": list(ticks), "ticktext": list(ticks.values())},
    )  # fmt: skip

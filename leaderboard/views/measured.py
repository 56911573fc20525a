"""The charts of one measure, and the choice of the measure: another one draws them anew and leaves the tables alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from leaderboard import charts, present
from leaderboard.model import BoardRow, Column

DRAWN: Final = 40
_LINE: Final = 40


@dataclass(frozen=True)
class Place:
    """Where a chart stands, and what it may show.

    Attributes:
        slot: An empty place of the page.
        rows: The rows of a group or section.
        columns: What is measured of them.
        key: Key of the chart.
        own: Whether it says so where it shows another measure than the one chosen.
    """

    slot: Any
    rows: Sequence[BoardRow]
    columns: Sequence[Column]
    key: str
    own: bool = False


def reserved(rows: Sequence[BoardRow], columns: Sequence[Column], key: str, wanted: str, own: bool = False) -> Place:
    """A place of about the height that its chart will have, so that nothing jumps when it is drawn.

    Args:
        rows: The rows of a group or section.
        columns: What is measured of them.
        key: Key of the chart.
        wanted: Label of the measure that is likely to be drawn.
        own: As of `Place`.
    """
    slot = st.empty()
    column = next((c for c in columns if present.plain(c.label, 60) == wanted), columns[0])
    # With the lines above and below it; a chart without a value is a line of text.
    lines = _LINE * (1 + (len(rows) > DRAWN))
    drawn = rows[:DRAWN]
    tall = charts.height(drawn, column) if any(charts.has_value(r, column) for r in drawn) else 0
    slot.container(height=tall + lines, border=False)
    return Place(slot, rows, columns, key, own)


def likely(columns: Sequence[Column], groups: Sequence[Sequence[BoardRow]]) -> str:
    """Label of the measure that the address names, else of the first that has a value."""
    names = [present.plain(c.label, 60) for c in columns]
    told = st.session_state.get("measure") or st.query_params.get("measure")
    return str(told) if told in names else (names[opening(columns, groups)] if names else "")


def opening(columns: Sequence[Column], groups: Sequence[Sequence[BoardRow]]) -> int:
    """Number of the first measure that a row has; a page does not open on an empty chart."""
    having = (n for n, c in enumerate(columns) if any(charts.has_value(r, c) for rows in groups for r in rows))
    return next(having, 0)


@st.fragment
def choose_measure(columns: Sequence[Column], places: Sequence[Place], changed: Callable[[], bool]) -> None:
    """Ask for the measure, and draw it in every place.

    Args:
        columns: Every measure of runs on the page; nothing is asked where there is none.
        places: Where charts stand.
        changed: Whether the page is of a store that is no longer so: then all of it is drawn anew.
    """
    picked = _pick(columns, places) if columns else Column("paper", "")
    for place in places:
        with place.slot.container():
            _draw(place, picked)
    if changed():
        st.rerun()


def _pick(columns: Sequence[Column], places: Sequence[Place]) -> Column:
    # A label may occur twice under different names; the name then tells them apart.
    labels: dict[str, Column] = {}
    for column in columns:
        label = present.plain(column.label, 60)
        labels[label if label not in labels else f"{label} ({present.plain(column.name, 40)})"] = column
    label = st.selectbox(
        "Score shown in the charts",
        list(labels),
        index=opening(columns, [p.rows for p in places if p.own]),
        key="measure",
        bind="query-params",
        required=True,
        help="Tables show every measure. Rows stay in the order of the pair score, whatever the charts show.",
        width=420,
    )
    return labels.get(label, columns[0])


def _draw(place: Place, picked: Column) -> None:
    column = next((c for c in place.columns if c.name == picked.name), place.columns[0])
    if place.own and column.name != picked.name:
        st.text(f"{present.plain(picked.label)} is not measured in this group; the chart shows another measure.")
    rows = place.rows
    if len(rows) > DRAWN:
        st.text(f"The chart shows the first {DRAWN} of {len(rows)}, in the order of the table.")
        rows = rows[:DRAWN]
    alt = charts.alt_text(rows, column)
    missing = charts.not_drawn(rows, column)
    figure = charts.forest(rows, column, dark=st.context.theme.type == "dark")
    if figure.data:
        st.plotly_chart(figure, key=place.key, config=charts.CONFIG, alt=alt)
    else:
        st.text(alt)
    if missing:
        st.text(missing)

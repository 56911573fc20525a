"""The charts of one measure, and the choice of the measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from leaderboard import charts, present
from leaderboard.model import BoardRow, Column

DRAWN: Final = 40


def choose_measure(columns: Sequence[Column], groups: Sequence[Sequence[BoardRow]]) -> Column:
    """Ask for the measure that the charts show.

    A fragment would draw the charts alone when another one is chosen; but it could fill places further down only after
    all else stands, and the page would jump as it comes up.

    Args:
        columns: Every measure of runs on the page; nothing is asked where there is none.
        groups: The rows of each group; the page opens on a measure that one of them has.
    """
    if not columns:
        return Column("paper", "")
    # A label may occur twice under different names; the name then tells them apart.
    labels: dict[str, Column] = {}
    for column in columns:
        label = present.plain(column.label, 60)
        labels[label if label not in labels else f"{label} ({present.plain(column.name, 40)})"] = column
    having = (n for n, c in enumerate(columns) if any(charts.has_value(r, c) for rows in groups for r in rows))
    label = st.selectbox(
        "Score shown in the charts",
        list(labels),
        index=next(having, 0),
        key="measure",
        bind="query-params",
        required=True,
        help="Tables show every measure. Rows stay in the order of the pair score, whatever the charts show.",
        width=420,
    )
    return labels.get(label, columns[0])


def chart(rows: Sequence[BoardRow], columns: Sequence[Column], picked: Column, key: str, own: bool = False) -> None:
    """The chart of a group or section, of another measure where it lacks the chosen one.

    Args:
        rows: Its rows.
        columns: What is measured of them.
        picked: The measure that was chosen.
        key: Key of the chart.
        own: Whether it says so where it shows another measure.
    """
    column = next((c for c in columns if c.name == picked.name), columns[0])
    if own and column.name != picked.name:
        st.text(f"{present.plain(picked.label)} is not measured in this group; the chart shows another measure.")
    if len(rows) > DRAWN:
        st.text(f"The chart shows the first {DRAWN} of {len(rows)}, in the order of the table.")
        rows = rows[:DRAWN]
    alt = charts.alt_text(rows, column)
    missing = charts.not_drawn(rows, column)
    figure = charts.forest(rows, column, dark=st.context.theme.type == "dark")
    if figure.data:
        st.plotly_chart(figure, key=key, config=charts.CONFIG, alt=alt)
    else:
        st.text(alt)
    if missing:
        st.text(missing)

"""Overview: what the data support, in words, with intervals; and what they are."""

from __future__ import annotations

import streamlit as st

from leaderboard import charts
from leaderboard.model import Board
from leaderboard.naming import title_of
from leaderboard.overview import DRAWN, MOST, NOTHING, charted, data_card, findings, headline, lead
from leaderboard.views.moment import Moment
from leaderboard.views.shell import choose, now, say_rules, text_table
from leaderboard.views.table import sheets_now
from results.grid import Grid


@st.cache_resource(max_entries=2, show_spinner="Setting runs against their baselines")
def _said(state: str, _found: Moment) -> tuple[list[str], list[dict[str, str]]]:
    return list(findings(_found.grids)), data_card(_found.grids)


def page() -> None:
    """Draw the page."""
    st.title("Overview")
    found = now()
    if found is None:
        return
    st.text(lead(found.grids))
    board = sheets_now(str(found.store.root), found.state).board
    groups = [g for g in found.grids if headline(g) is not None]
    if groups:
        grid = groups[0] if len(groups) == 1 else choose("Comparable runs", groups, "group", title_of, width=760)
        _chart(board, grid)
    said, card = _said(found.state, found)
    st.subheader("What is shown")
    if said:
        # Names come from data: text, and no Markdown.
        st.text("\n".join(f"• {s}" for s in said[:MOST]))
        if len(said) > MOST:
            st.text(f"{len(said) - MOST} more: the Compare page sets any two runs against each other.")
    else:
        st.text(NOTHING)
    st.subheader("What it rests on")
    text_table(card, "card", "Prompt sets, rubrics, panels and coverage, a row each group")


def _chart(board: Board, grid: Grid) -> None:
    found = charted(board, grid)
    if found is None:
        return
    group, column = found
    rows = group.rows[:DRAWN]
    if group.rules_only:
        say_rules()
    st.text(group.sentence)
    figure, alt = charts.forest(rows, column, dark=st.context.theme.type == "dark"), charts.alt_text(rows, column)
    if figure.data:
        st.plotly_chart(figure, key="lead", config=charts.CONFIG, alt=alt)
    else:
        st.text(alt)
    if missing := charts.not_drawn(rows, column):
        st.text(missing)
    if len(rows) < len(group.rows):
        st.text(f"The chart shows the first {len(rows)} of {len(group.rows)}, in the order of the leaderboard.")

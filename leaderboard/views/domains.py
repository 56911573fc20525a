"""Runs against domains: what the data support, and grey where they support nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from leaderboard import charts
from leaderboard.domain_figure import ROWS, alt_text, heatmap
from leaderboard.domains import (
    NO_DOMAINS,
    READING,
    UNVALUED,
    WITH_DOMAINS,
    Map,
    columns_of,
    domain_map,
    domains_of,
    notes,
    sentence,
    table,
)
from leaderboard.views import shell
from leaderboard.views.moment import Moment
from results.beside import GridColumn

SHRUNKEN: Final = "shrunken"
RAW: Final = "raw"
HELP: Final = (
    "Shrunken: each run's domains moved towards the run's own mean, the more the less their items say. Raw: the mean "
    "over the domain's items alone. Of several raw means the best and the worst are so partly by chance."
)
_WORDS: Final = {SHRUNKEN: "Shrunken", RAW: "Raw"}


@st.cache_resource(max_entries=24, show_spinner="Working out the domains")
def _map(state: str, first: str, measure: str, _moment: Moment) -> Map:
    # `first` is a run of the group, which tells the group within a state.
    grid = _moment.grid_of(first)
    if grid is None:
        raise KeyError(first)
    return domain_map(grid, measure)


@st.cache_resource(max_entries=2, show_spinner="Looking for domains")
def _columns(state: str, _moment: Moment) -> Mapping[str, tuple[GridColumn, ...]]:
    """What can be shown of each group that has domains, by the id of its first run."""
    return {g.runs[0].run_id: c for g in _moment.grids if domains_of(g) and (c := columns_of(g))}


def page() -> None:
    """Draw the page."""
    st.title("Domains")
    found = shell.now()
    if found is None:
        return
    columns = _columns(found.state, found)
    fit = [g for g in found.grids if g.runs[0].run_id in columns]
    if not fit:
        st.info(UNVALUED if any(domains_of(g) for g in found.grids) else NO_DOMAINS)
        st.code(WITH_DOMAINS, language="bash")
        return
    said = st.empty()
    grid = shell.choose_grid(found, fit)
    first, second, third = st.columns([3, 2, 2])
    with first:
        column = shell.choose("Measure", columns[grid.runs[0].run_id], "measure", lambda c: c.label)
    with second:
        how = shell.choose("Values", (SHRUNKEN, RAW), "values", lambda w: _WORDS[w], help=HELP)
    shrunken = how == SHRUNKEN
    shown = _map(found.state, grid.runs[0].run_id, column.name, found)
    pages = [slice(n, n + ROWS) for n in range(0, len(shown.runs), ROWS)]
    rows = pages[0]
    if len(pages) > 1:
        with third:
            rows = shell.choose("Runs, from best to worst", pages, "page", lambda s: _range(s, len(shown.runs)))
    said.text(sentence(shown, shrunken))
    figure = heatmap(shown, shrunken, rows, dark=st.context.theme.type == "dark")
    st.plotly_chart(figure, key="map", config=charts.CONFIG, alt=alt_text(shown, shrunken, rows))
    st.write(READING)
    lines = notes(shown, shrunken, len(grid.items))
    if lines:
        st.text("\n".join(lines))
    shell.text_table(table(shown, shrunken, rows), "cells", "Every cell of the heatmap, with the items it rests on")


def _range(rows: slice, of: int) -> str:
    return f"{rows.start + 1} to {min(rows.stop, of)} of {of}"

"""Runs against domains: what the data support, and grey where they support nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from leaderboard import charts
from leaderboard.domain_figure import ROWS, alt_text, heatmap
from leaderboard.domains import Map, columns_of, domain_map, domains_of, not_weighed, sentence, table
from leaderboard.present import plain
from leaderboard.views import shell
from leaderboard.views.moment import Moment
from results.beside import GridColumn

SHRUNKEN: Final = "shrunken"
RAW: Final = "raw"
HELP: Final = (
    "Shrunken: each run's domains moved towards the run's own mean, the more the less their items say. Raw: the mean "
    "over the domain's items alone. Of several raw means the best and the worst are so partly by chance."
)
READING: Final = (
    "± is half of a 95 % interval; where it is lopsided, its ends. Hatched: an interval that spans more than a third "
    "of the scale, or none, supports no colour. Shrinkage takes the spread between domains as uncertain (Rubin 1981), "
    "and draws a domain of few items that truly differs from the others in too far: look at the raw values too."
)
NO_DOMAINS: Final = (
    "No run in the store has prompts with a domain. Runs of the embedded prompt set have them; fill the store with:"
)
UNVALUED: Final = (
    "Prompts here have domains, but no measure on a scale has a value on any of them: every verdict is missing. Judge "
    "the finished logs again (psychosafe rejudge LOG...), or fill the store with:"
)
COMMANDS: Final = """# five domains, 500 prompts
inspect eval evals/psychosafe.py --model MODEL
psychosafe ingest LOG..."""
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
        st.code(COMMANDS, language="bash")
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
    st.caption(READING)
    lines = [f"{n} shrunken cells are undefined: {plain(why, 160, ends=False)}." if n > 1 else
             f"1 shrunken cell is undefined: {plain(why, 160, ends=False)}."
             for why, n in not_weighed(shown).items()] if shrunken else []  # fmt: skip
    if shown.without:
        lines.append(f"{shown.without} of {len(grid.items)} items have no domain, and stand in no cell.")
    if any(m.kind == "reference" for m in shown.runs):
        lines.append("Reference policies stand below the models; they are no models.")
    if lines:
        st.text("\n".join(lines))
    shell.text_table(table(shown, shrunken, rows), "cells", "Every cell of the heatmap, with the items it rests on")


def _range(rows: slice, of: int) -> str:
    return f"{rows.start + 1} to {min(rows.stop, of)} of {of}"

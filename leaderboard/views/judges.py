"""Judges: how far they agree with each other and with people, who gives higher values, and what each does to the order.

Names of judges, runs and criteria come from logs and files: they reach the reader through `st.text`, `st.code`,
`st.dataframe` and charts only.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from leaderboard import charts, judging, judging_figures
from leaderboard.judging import Judging
from leaderboard.judging_people import WithPeople, people_report, people_shown
from leaderboard.judging_texts import (
    AGREE,
    CARD,
    FAMILY,
    FLIPS,
    FLIPS_NOTE,
    FULL_REPORT,
    LEFT,
    NO_ORDER,
    NO_PEOPLE,
    NO_REPEATS,
    NO_RUNS,
    RATE,
    REPEAT,
    SEVERITY,
    SEVERITY_NOTE,
    flip_rows,
    report_command,
)
from leaderboard.views.moment import Moment
from leaderboard.views.shell import choose, choose_grid, now, text_table
from results.grid import Grid
from results.measure import label_of
from results.raters import rated_by_people
from results.repeated import Flips, flips, repeated_runs


@st.cache_resource(max_entries=24, show_spinner="Comparing the judges")
def _judging(state: str, group: str, criterion: str, _grid: Grid) -> Judging:
    return judging.judging(_grid, criterion)


@st.cache_resource(max_entries=4, show_spinner="Looking for answers that were judged more than once")
def _again(state: str, group: str, _found: Moment, _grid: Grid) -> frozenset[str]:
    return repeated_runs(_found.store, _grid)


@st.cache_resource(max_entries=24, show_spinner="Comparing the rounds of each judge")
def _flips(state: str, group: str, criterion: str, _found: Moment, _grid: Grid) -> tuple[Flips, ...]:
    return flips(_found.store, _grid, criterion, _again(state, group, _found, _grid))


@st.cache_resource(max_entries=4, show_spinner="Looking for people's ratings")
def _rated(state: str, group: str, _found: Moment, _grid: Grid) -> tuple[str, ...]:
    return tuple(m.run_id for m in rated_by_people(_found.store, _grid.runs))


@st.cache_resource(max_entries=24, show_spinner="Comparing judges with people")
def _people(
    state: str, group: str, criterion: str, dark: bool, _found: Moment, _runs: Sequence[str]
) -> WithPeople | str:
    report = people_report(_found.store, [_found.runs[r] for r in _runs], criterion)
    return report if isinstance(report, str) else people_shown(report, dark)


def page() -> None:
    """Draw the page."""
    st.title("Judges")
    found = now()
    if found is None:
        return
    if not found.grids:
        st.info(NO_RUNS)
        st.code("psychosafe ingest LOG...", language="bash")
        return
    head = st.container()
    grid = choose_grid(found)
    scales = grid.runs[0].rubric.scales
    criterion = choose("Criterion", list(grid.cube.criteria), "criterion", lambda c: label_of(c, scales[c]))
    group = grid.runs[0].run_id
    dark = st.context.theme.type == "dark"
    seen = _judging(found.state, group, criterion, grid)
    head.text(judging.sentence(seen))
    if len(seen.agreement.judges) < 2:
        line, command = judging.needed(seen)
        st.info(line)
        st.code(command, language="bash")
        for note in judging.pair_notes(seen.agreement, seen.items):
            st.text(note)
    else:
        _agreement(seen, dark)
        _severity(seen, dark)
        _left(seen, dark)
    _with_people(found, grid, group, criterion, dark)
    _repeats(found, grid, group, criterion)
    if len(seen.agreement.judges) > 1:
        st.header("Judges and their own family")
        st.write(FAMILY)
        st.text(judging.family_line(seen.families))
        text_table(judging.family_rows(seen.families), "families", "Each judge on its own family's answers")
    st.header("Judge cards")
    st.write(CARD)
    st.code(judging.card_command(grid), language="bash")


def _agreement(seen: Judging, dark: bool) -> None:
    a = seen.agreement
    st.header("Agreement of every two judges")
    figure = judging_figures.agreement_figure(a, dark)
    figure_width = 160 + 110 * len(a.judges)
    st.plotly_chart(figure, key="matrix", config=charts.CONFIG, width=max(figure_width, 420),
                    alt=judging_figures.agreement_alt(a))  # fmt: skip
    st.text(judging_figures.agreement_note(a))
    text_table(judging.pair_rows(a), "pairs", "Every two judges, a row each, with coefficients of agreement")
    st.write(AGREE)
    if notes := judging.pair_notes(a, seen.items):
        st.text("\n".join(notes))
    with st.expander("How these 95 % intervals were made"):
        st.text(judging.methods(a) or "There is none here.")


def _severity(seen: Judging, dark: bool) -> None:
    st.header("Who gives higher values")
    st.write(SEVERITY)
    st.plotly_chart(judging_figures.severity_figure(seen, dark), key="severity", config=charts.CONFIG,
                    alt=judging_figures.severity_alt(seen))  # fmt: skip
    text_table(judging.severity_rows(seen), "severities", "Each judge's mean and its distance from the others")
    st.text(SEVERITY_NOTE)


def _left(seen: Judging, dark: bool) -> None:
    st.header("The order without each judge")
    st.write(LEFT)
    if seen.left is None:
        st.info(NO_ORDER)
        return
    st.plotly_chart(judging_figures.ranks_figure(seen.left, dark), key="ranks", config=charts.CONFIG,
                    alt=judging_figures.ranks_alt(seen.left))  # fmt: skip
    text_table(judging.left_rows(seen.left), "left", "Rank of each run by all judges and without each judge")
    st.text("\n".join(judging.left_notes(seen.left)))


def _with_people(found: Moment, grid: Grid, group: str, criterion: str, dark: bool) -> None:
    st.header("Judges and people")
    rated = _rated(found.state, group, found, grid)
    if not rated:
        st.info(NO_PEOPLE)
        st.code(RATE, language="bash")
        return
    seen = _people(found.state, group, criterion, dark, found, rated)
    if isinstance(seen, str):
        st.info("On this criterion judges cannot be held against people:")
        st.text(seen)
        return
    st.text("\n".join(seen.lines))
    for n, f in enumerate(seen.figures):
        st.plotly_chart(f.figure, key=f"people-{n}", config=charts.CONFIG, alt=f.alt)
        st.text(f.note)
    for n, t in enumerate(seen.tables):
        cells = [dict(zip(t.columns, row, strict=True)) for row in t.rows]
        text_table(cells, f"with-people-{n}", "Each person with each judge, by run and over all of them")
        st.text("\n".join(t.notes))
    st.write(FULL_REPORT)
    st.code(report_command(rated, criterion), language="bash", wrap_lines=True)


def _repeats(found: Moment, grid: Grid, group: str, criterion: str) -> None:
    st.header("Flips")
    st.write(FLIPS)
    seen = _flips(found.state, group, criterion, found, grid)
    if not seen:
        st.info(NO_REPEATS)
        st.code(REPEAT, language="bash")
        return
    text_table(flip_rows(seen), "flips", "How often each judge gives another verdict on the same answer")
    st.text(FLIPS_NOTE)

"""Method and downloads: what is estimated and how, on what data, and everything to take away or to compute again.

Fixed texts are ours and Markdown; whatever comes from logs and files is shown as text only.
"""

from __future__ import annotations

import shlex
from typing import Final

import streamlit as st

from leaderboard import downloads, method, present
from leaderboard.board import board_of
from leaderboard.model import Board
from leaderboard.paper.content import bibtex, software
from leaderboard.static import board_html
from leaderboard.views.moment import Moment
from leaderboard.views.shell import choose, choose_grid, now, text_table
from results.grid import Grid

TAKE: Final = (
    "Figures, names and ids only: no prompt, answer or justification is in any of these files. Each figure has its n, "
    "what n is out of, its interval, the interval's method, and the key of what it may be compared with."
)
AGAIN: Final = (
    "Every number on the board comes from the ratings in the store. Choose one: the command computes it again from "
    "them, unrounded, in a terminal."
)


@st.cache_resource(max_entries=2, show_spinner="Putting the board together")
def _board(state: str, _found: Moment) -> Board:
    return board_of(_found.store, _found.grids, _found.damaged)


def page() -> None:
    """Draw the page."""
    st.title("Method and downloads")
    found = now()
    if found is None:
        return
    st.text(method.sentence(found.runs, found.grids, len(found.damaged)))
    _downloads(found)
    grid = _again(found) if found.grids else None
    st.header("What is estimated")
    st.markdown(method.ESTIMANDS)
    st.subheader("From verdicts to figures")
    st.markdown(method.PANEL)
    st.subheader("Intervals")
    st.markdown(method.INTERVALS)
    st.text("How often these intervals hold the true value was measured by simulation, interval by interval:")
    st.text("\n".join(f"{path}: {what}" for path, what in method.COVERAGE))
    if grid is not None:
        _data(found, grid)
    st.header("Versions")
    versions = [{"Software": k, "Version": v} for k, v in software().items()]
    text_table(versions, "versions", "Versions of the software that draws this page", width=420)
    told = method.changelog()
    if told is not None:
        with st.expander("Changelog"):
            st.code(told, language=None, wrap_lines=True)
    st.header("Citation")
    st.code(bibtex(), language="bibtex")


def _downloads(found: Moment) -> None:
    st.header("Downloads")
    st.write(TAKE)
    grids, state = found.grids, found.state
    about = {"state": state, "made_by": f"psychosafe-eval {software()['psychosafe-eval']}"}
    with st.container(horizontal=True):
        # Made when they are asked for: a visit that takes nothing away waits for nothing.
        st.download_button("Figures, CSV", lambda: downloads.figures_csv(grids), "figures.csv", "text/csv",
                           key="csv", on_click="ignore", icon=":material/download:")  # fmt: skip
        st.download_button("Figures, Parquet", lambda: downloads.figures_parquet(grids, about), "figures.parquet",
                           "application/vnd.apache.parquet", key="parquet", on_click="ignore",
                           icon=":material/download:")  # fmt: skip
        st.download_button("Tables, LaTeX", lambda: downloads.board_latex(_board(state, found)).encode(), "board.tex",
                           "application/x-tex", key="latex", on_click="ignore", icon=":material/download:")  # fmt: skip
        st.download_button("Board, one HTML file", lambda: board_html(_board(state, found), found).encode(),
                           "board.html", "text/html", key="html", on_click="ignore",
                           icon=":material/download:")  # fmt: skip
        st.download_button("BibTeX", lambda: bibtex().encode(), "psychosafe.bib", "application/x-bibtex",
                           key="bib", on_click="ignore", icon=":material/download:")  # fmt: skip
    run = choose("Ratings of one run", list(found.runs), "ratings", lambda r: f"{found.labels[r]} · {r}", width=560,
                 help="Every rating of the run: item, epoch, turn, rater, criterion, value, status.")  # fmt: skip
    st.download_button("Ratings, Parquet", lambda: downloads.ratings_parquet(found.store, run), f"{run}.parquet",
                       "application/vnd.apache.parquet", key="ratings-file", on_click="ignore",
                       icon=":material/download:")  # fmt: skip


def _again(found: Moment) -> Grid:
    st.header("Compute a number again")
    st.write(AGAIN)
    grid = choose_grid(found)
    places = list(range(len(grid.runs)))
    at = choose("Run", places, "run", lambda i: found.labels[grid.runs[i].run_id], width=560)
    names = [c.name for c in grid.columns]
    measure = choose("Measure", names, "measure", lambda n: grid.column(n).label)
    e = grid.estimates(measure)[at]
    st.text(f"{present.plain(grid.column(measure).label, 60)}: {present.number(e, 4)}, with a value "
            f"{present.coverage(e)}, method {e.method or 'none'}")  # fmt: skip
    command = method.figure_command(grid, at, measure, str(found.store.root))
    if command is None:
        st.info("No command prints this figure: it is undefined, or takes a second run that has it. The exported board "
                "has it all the same.")  # fmt: skip
    else:
        st.code(shlex.join(command.words), language="bash", wrap_lines=True)
    st.write("All of the group: every run with ranks, a report for a paper, that report held against the store, "
             "and the board as one file.")  # fmt: skip
    st.code(method.report_commands(grid, str(found.store.root)), language="bash", wrap_lines=True)
    return grid


def _data(found: Moment, grid: Grid) -> None:
    st.header("Data")
    st.subheader("Data card")
    st.write("Of the group that is chosen above.")
    text_table(method.card_rows(grid, found.state), "card", "Data card of the group", height="content")
    st.subheader("What makes runs comparable")
    st.write(method.COMPARABLE)
    text_table(method.key_rows(found.grids), "keys", "Parts of the comparability key of each group")
    st.subheader("Rubric")
    m = grid.runs[0]
    rubric = method.own_rubric(m)
    if rubric is None:
        st.write("The wording of this group's rubric is not part of this checkout; this is what its runs state of it.")
        text_table(method.scale_rows(m), "scales", "Criteria with their scales")
        return
    st.text(f"{rubric.name} {rubric.version}, by its hash {m.rubric.sha256}")
    for criterion in rubric.criteria:
        with st.expander(criterion.id.replace("_", " ").capitalize()):
            st.text(f"{criterion.question} ({criterion.scale}, {criterion.direction} is better)")
            st.text("\n\n".join(method.anchors(criterion)))

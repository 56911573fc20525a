"""The dialogues' page of the file: when things happened, and what each turn came to. No text of a turn is in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from leaderboard import dialogue_charts, dialogues, present
from leaderboard.model import Board
from leaderboard.naming import run_names, title_of
from leaderboard.static.pieces import code, said
from leaderboard.static.sheet import DRAWN, GROUPS, Sheet
from leaderboard.views.moment import Moment
from results.grid import Grid
from results.manifest import Manifest

RUNS: Final = 8
"""Runs of a group that are shown turn by turn."""
ROWS: Final = 100
"""Dialogues of a run in the table."""


def page(sheet: Sheet, found: Moment, board: Board) -> str:
    """The page."""
    groups = [g for g in found.grids if dialogues.of_dialogues(g.runs[0])]
    if not groups:
        return said(dialogues.NO_RUNS) + code(dialogues.COMMANDS)
    options = [(title_of(g), partial(_group, sheet, found, g)) for g in groups]
    return sheet.choice("Comparable runs", options, GROUPS, "groups of comparable runs")


def _group(sheet: Sheet, found: Moment, grid: Grid) -> str:
    return _when(sheet, found, grid) + f"<h3>Turn by turn</h3>{_runs(sheet, found, grid.runs)}"


def _when(sheet: Sheet, found: Moment, grid: Grid) -> str:
    every = dialogues.timings(found.store, grid.runs, found.labels)
    if not every:
        return said(dialogues.NOTHING_TO_TIME)
    timed = every[:DRAWN]
    cut = f"The chart shows the first {DRAWN} of {len(every)} runs." if len(every) > DRAWN else ""
    alt = dialogue_charts.timing_alt(timed)
    drawn = sheet.figure(lambda dark: dialogue_charts.timing_figure(timed, dark=dark), alt)
    rows = sheet.rows(present.timing_table(every), "When the risk was acknowledged and harm provided, two rows a run")
    return said(dialogues.sentence(every)) + said(cut, "cut") + drawn + said(present.TIMING_NOTE, "soft") + rows


def _runs(sheet: Sheet, found: Moment, runs: Sequence[Manifest]) -> str:
    names = run_names(runs)
    options = [(names[m.run_id], partial(_run, sheet, found, m)) for m in runs[:RUNS]]
    return sheet.choice("Run", options, RUNS, "runs", len(runs))


def _run(sheet: Sheet, found: Moment, run: Manifest) -> str:
    every = dialogues.played(found.store, run)
    if not every:
        return said("No turn of this run was scored: its samples failed.")
    drawn = every[:DRAWN]
    cut = f"The chart has the first {DRAWN} of {len(every)} dialogues." if len(every) > DRAWN else ""
    alt = dialogue_charts.turns_alt(drawn)
    figure = sheet.figure(lambda dark: dialogue_charts.turns_figure(drawn, dark=dark), alt)
    rows = sheet.rows(
        dialogues.table_rows(every, run.epochs > 1), "Dialogues with what each turn and the whole came to", ROWS
    )
    return said(cut, "cut") + figure + said(dialogues.legend(), "soft signs") + rows

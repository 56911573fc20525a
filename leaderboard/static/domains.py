"""The domains' page of the file: each measure of each group by domain, shrunken and raw."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from leaderboard.domain_figure import ROWS, alt_text, heatmap
from leaderboard.domains import (
    NO_DOMAINS,
    READING,
    WITH_DOMAINS,
    Map,
    columns_of,
    domain_map,
    domains_of,
    notes,
    sentence,
    table,
)
from leaderboard.model import Board
from leaderboard.naming import title_of
from leaderboard.static.pieces import code, said
from leaderboard.static.sheet import GROUPS, Sheet
from leaderboard.views.moment import Moment
from results.beside import GridColumn
from results.grid import Grid


def page(sheet: Sheet, found: Moment, board: Board) -> str:
    """The page."""
    fit = [(g, c) for g in found.grids if domains_of(g) and (c := columns_of(g))]
    if not fit:
        return said(NO_DOMAINS) + code(WITH_DOMAINS)
    options = [(title_of(g), partial(_group, sheet, g, columns)) for g, columns in fit]
    return sheet.choice("Comparable runs", options, GROUPS, "groups of comparable runs")


def _group(sheet: Sheet, grid: Grid, columns: Sequence[GridColumn]) -> str:
    options = [(c.label, partial(_measure, sheet, grid, c)) for c in columns]
    return sheet.choice("Measure", options, len(options), "measures")


def _measure(sheet: Sheet, grid: Grid, column: GridColumn) -> str:
    shown = domain_map(grid, column.name)
    options = [("Shrunken", partial(_values, sheet, grid, shown, True)),
               ("Raw", partial(_values, sheet, grid, shown, False))]  # fmt: skip
    return sheet.choice("Values", options, 2, "kinds of values")


def _values(sheet: Sheet, grid: Grid, shown: Map, shrunken: bool) -> str:
    rows = slice(0, ROWS)
    many = len(shown.runs)
    cut = f"The first {ROWS} of {many:,} runs are here, from best to worst." if many > ROWS else ""
    drawn = sheet.figure(lambda dark: heatmap(shown, shrunken, rows, dark=dark), alt_text(shown, shrunken, rows))
    cells = sheet.rows(table(shown, shrunken, rows), "Every cell of the heatmap, with the items it rests on")
    told = "\n".join(notes(shown, shrunken, len(grid.items)))
    return said(sentence(shown, shrunken)) + said(cut, "cut") + drawn + said(READING, "soft") + said(told) + cells

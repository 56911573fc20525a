"""The overview's page of the file: what the data support, in words, and what they are."""

from __future__ import annotations

from functools import partial

from leaderboard.model import Board
from leaderboard.naming import title_of
from leaderboard.overview import DRAWN, MOST, NOTHING, charted, data_card, findings, headline, lead
from leaderboard.static.board import ANY_TWO, BELOW, RULES, chart
from leaderboard.static.pieces import lines, said
from leaderboard.static.sheet import GROUPS, Sheet
from leaderboard.views.moment import Moment
from results.grid import Grid


def page(sheet: Sheet, found: Moment, board: Board) -> str:
    """The page."""
    out = [said(lead(found.grids))]
    groups = [g for g in found.grids if headline(g) is not None]
    options = [(title_of(g), partial(_chart, sheet, board, g)) for g in groups]
    out.append(sheet.choice("Comparable runs", options, GROUPS, "groups of comparable runs"))
    told = list(findings(found.grids))
    out.append("<h3>What is shown</h3>")
    out.append(lines(told[:MOST]) or said(NOTHING))
    if len(told) > MOST:
        out.append(f'<p class="cut">{len(told) - MOST:,} more: {ANY_TWO}</p>')
    out.append("<h3>What it rests on</h3>")
    label = "Prompt sets, rubrics, panels and coverage, a row each group"
    return "".join(out) + sheet.rows(data_card(found.grids), label, BELOW)


def _chart(sheet: Sheet, board: Board, grid: Grid) -> str:
    found = charted(board, grid)
    if found is None:
        return ""
    group, column = found
    cut = said(f"The chart shows the first {DRAWN} of {len(group.rows)}.", "cut") if len(group.rows) > DRAWN else ""
    return (RULES if group.rules_only else "") + said(group.sentence) + chart(sheet, group.rows[:DRAWN], column) + cut

"""The method's page of the file: what is estimated and how, on what data, and how to compute it again."""

from __future__ import annotations

from functools import partial
from typing import Final

from leaderboard import method
from leaderboard.model import Board
from leaderboard.naming import title_of
from leaderboard.paper.content import bibtex, software
from leaderboard.static.pieces import code, marked, more, said
from leaderboard.static.sheet import GROUPS, Sheet
from leaderboard.views.moment import Moment
from results.grid import Grid

STORE: Final = "STORE"
"""Stands for the store's folder, which is nobody's business elsewhere."""
AGAIN: Final = (
    "Every number here comes from the ratings in the store. These commands compute them again: every run with ranks, a "
    "report for a paper, that report held against the store, and this file. STORE is the store's folder."
)
CUT: Final = (
    "This file is kept below 15 MB. Charts show the first 40 rows, tables at most 1,000, and where pairs, groups, runs "
    "or measures are left out, a line says how many. Ratings, figures as CSV and Parquet, and texts come from the "
    "board itself: psychosafe leaderboard."
)


def page(sheet: Sheet, found: Moment, board: Board) -> str:
    """The page."""
    out = [said(method.sentence(found.runs, found.grids, len(found.damaged))), said(CUT)]
    out += ["<h3>What is estimated</h3>", marked(method.ESTIMANDS)]
    out += ["<h3>From verdicts to figures</h3>", marked(method.PANEL), "<h3>Intervals</h3>", marked(method.INTERVALS)]
    out.append(said("How often these intervals hold the true value was measured by simulation, interval by interval:"))
    out.append(said("\n".join(f"{path}: {what}" for path, what in method.COVERAGE)))
    if found.grids:
        out.append(_data(sheet, found))
    out.append("<h3>Versions</h3>")
    versions = [{"Software": k, "Version": v} for k, v in software().items()]
    out.append(sheet.rows(versions, "Versions of the software that made this file"))
    out.append(more("Changelog", code(method.changelog() or "")))
    out.append(f"<h3>Citation</h3>{code(bibtex())}")
    return "".join(out)


def _data(sheet: Sheet, found: Moment) -> str:
    options = [(title_of(g), partial(_group, sheet, found, g)) for g in found.grids]
    cards = sheet.choice("Comparable runs", options, GROUPS, "groups of comparable runs")
    keys = sheet.rows(method.key_rows(found.grids), "Parts of the comparability key of each group", 200)
    return f"<h3>Data</h3>{cards}<h3>What makes runs comparable</h3>{said(method.COMPARABLE)}{keys}"


def _group(sheet: Sheet, found: Moment, grid: Grid) -> str:
    card = sheet.rows(method.card_rows(grid, found.state), "Data card of the group")
    commands = f"<h4>Compute it again</h4>{said(AGAIN)}{code(method.report_commands(grid, STORE))}"
    return f"<h4>Data card</h4>{card}{commands}<h4>Rubric</h4>{_rubric(sheet, grid)}"


def _rubric(sheet: Sheet, grid: Grid) -> str:
    m = grid.runs[0]
    rubric = method.own_rubric(m)
    if rubric is None:
        told = "The wording of this group's rubric is not part of this checkout; this is what its runs state of it."
        return said(told) + sheet.rows(method.scale_rows(m), "Criteria with their scales")
    out = [said(f"{rubric.name} {rubric.version}, by its hash {m.rubric.sha256}")]
    for criterion in rubric.criteria:
        asked = said(f"{criterion.question} ({criterion.scale}, {criterion.direction} is better)")
        points = "".join(said(line) for line in method.anchors(criterion))
        out.append(more(criterion.id.replace("_", " ").capitalize(), asked + points))
    return "".join(out)

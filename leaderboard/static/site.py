"""The board as one file: all its pages, each made by a module of its own, with the scripts that turn between them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final

from leaderboard.static.pieces import esc, lines, said
from leaderboard.static.script import CHARTS, PAGES
from leaderboard.static.sheet import Sheet, unreadable
from leaderboard.static.shell import page
from leaderboard.static.style import BOARD
from results.store import StoreError

if TYPE_CHECKING:
    from leaderboard.model import Board
    from leaderboard.views.moment import Moment

NAMES: Final[tuple[tuple[str, str, int], ...]] = (
    ("overview", "Overview", 400_000),
    ("leaderboard", "Leaderboard", 2_600_000),
    ("compare", "Compare", 1_600_000),
    ("domains", "Domains", 2_200_000),
    ("judges", "Judges", 1_200_000),
    ("samples", "Samples", 700_000),
    ("dialogues", "Dialogues", 500_000),
    ("method", "Method", 400_000),
)
"""Pages by name and title, with the bytes that each may take: with plotly.js (4.8 MB) less than 15 MB in all."""
TITLE: Final = "Refusal quality leaderboard"
LEFT_OUT: Final = 20
"""Runs that cannot be read and are named."""
EMPTY: Final = "There are no runs in the store yet."
NO_TEXTS: Final = (
    "Figures, names and ids only: no prompt, answer or justification is in this file. It works offline and asks for "
    "nothing."
)


def board_html(
    board: Board, found: Moment | None = None, told: Callable[[int, int], None] = lambda done, total: None
) -> str:
    """The board as one file of 5 MB and more, plotly.js included; of 1,000 runs too it is less than 15 MB.

    Pages stop adding charts and tables where their room is used up, and say what is left out.

    Args:
        board: The board.
        found: The moment of the store that it is of; without it the file has the leaderboard alone, and not the pages
            that need more than a board.
        told: Is told how many pages are made, and of how many.
    """
    pages = [p for p in NAMES if found is not None or p[0] == "leaderboard"]
    sheets, sections = [], []
    for n, (name, title, room) in enumerate(pages):
        told(n, len(pages))
        sheet = Sheet(name, room)
        inside = _inside(sheet, board, found)
        sections.append(f'<section class="page" id="{name}" aria-labelledby="{name}-title">'
                        f'<h2 id="{name}-title">{esc(title)}</h2>{inside}</section>')  # fmt: skip
        sheets.append(sheet)
    told(len(pages), len(pages))
    links = "".join(f'<a href="#{name}">{esc(title)}</a>' for name, title, _ in pages)
    nav = f'<nav aria-label="Pages">{links}</nav>' if len(pages) > 1 else ""
    foot = f"<footer>{said(NO_TEXTS, 'soft')}</footer>"
    body = f"{nav}<main>{_damaged(board)}{''.join(sections)}</main>{foot}"
    return page(TITLE, body + _scripts(sheets), scripted=True, style=BOARD)


def _inside(sheet: Sheet, board: Board, found: Moment | None) -> str:
    # A page's module is imported when it is made: what judges and people need is heavy, and a small file without it.
    if found is None:
        made: str = import_module("leaderboard.static.board").page(sheet, None, board)
        return made
    if not found.runs and sheet.name not in ("leaderboard", "method"):
        return said(EMPTY)
    module = {"leaderboard": "board"}.get(sheet.name, sheet.name)
    try:
        made = import_module(f"leaderboard.static.{module}").page(sheet, found, board)
    except StoreError as ex:
        sheet.figures.clear()
        return unreadable(ex)
    return made


def _scripts(sheets: list[Sheet]) -> str:
    data = "".join(part for sheet in sheets for part in sheet.data())
    turn = f"<script>{PAGES}</script>"
    if not data:
        return turn
    from plotly.offline import get_plotlyjs

    return f"{turn}{data}<script>{get_plotlyjs()}</script><script>{CHARTS}</script>"


def _damaged(board: Board) -> str:
    if not board.damaged:
        return ""
    bad = [f"{run}: {why}" for run, why in sorted(board.damaged.items())]
    rest = said(f"And {len(bad) - LEFT_OUT} more.") if len(bad) > LEFT_OUT else ""
    return said("Some runs cannot be read and are left out of everything below.", "loud") + lines(bad[:LEFT_OUT]) + rest

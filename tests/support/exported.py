"""The board's file as a reader without scripts gets it, and what a chart draws."""

from __future__ import annotations

import html.parser
import json
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from leaderboard import present
from leaderboard.board import board_of
from leaderboard.model import Board
from leaderboard.static import board_html
from leaderboard.static.pieces import cells
from leaderboard.static.site import NAMES
from leaderboard.views.moment import Moment, moment
from results.store import Store

PAGES = [name for name, _, _ in NAMES]


@dataclass
class File(html.parser.HTMLParser):
    """The file as a reader without scripts gets it: tags, text of each page, its tables, and the data of its charts."""

    page: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[list[list[str]]]] = field(default_factory=dict)
    figures: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._at = self._script = ""
        self.feed(self.page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.append((tag, told))
        if tag == "section":
            self._at = str(told["id"])
        self._script = str(told.get("id") or "code") if tag in ("script", "style") else ""
        if tag == "table":
            self.tables.setdefault(self._at, []).append([])
        elif tag == "tr":
            self.tables[self._at][-1].append([])
        elif tag in ("th", "td"):
            self.tables[self._at][-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._script = "" if tag in ("script", "style") else self._script
        self._at = "" if tag == "section" else self._at

    def handle_data(self, data: str) -> None:
        if self._script:
            if self._script.startswith("figures-"):
                self.figures[self._script.removeprefix("figures-")] = json.loads(data)
            return
        self.words[self._at] = self.words.get(self._at, "") + data
        rows = self.tables.get(self._at)
        if rows and rows[-1] and rows[-1][-1] and self.lasttag in ("th", "td"):
            rows[-1][-1][-1] += data

    def has(self, page: str, rows: list[dict[str, str]]) -> bool:
        """Whether a page has a table of these rows."""
        heads, body = cells(rows)
        return [[present.plain(h) for h in heads], *body] in self.tables[page]


def exported(store: Store) -> tuple[Moment, Board, File]:
    found = moment(store)
    board = board_of(found.store, found.grids, found.damaged)
    return found, board, File(board_html(board, found))


def plain(figure: go.Figure) -> dict[str, Any]:
    """What a chart draws, and the part of its layout that is not ground or letters."""
    made = json.loads(str(figure.to_json()))
    drawn = {k: v for k, v in made["layout"].items() if k not in ("template", "font", "paper_bgcolor", "plot_bgcolor")}
    return {"data": made["data"], "layout": drawn}

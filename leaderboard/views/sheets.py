"""The tables of the leaderboard's page as columns of text, made once for a board and kept with it.

A page is drawn anew at every choice of its reader; of a board of a thousand runs the cells alone took a tenth of a
second each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from leaderboard import present
from leaderboard.model import Board, BoardRow, Column, Group
from leaderboard.views.frames import frame

KINDS = ("models", "references", "published")


@dataclass(frozen=True)
class Sheet:
    """One table: its cells by column name, and how people read each column."""

    cells: pa.Table
    labels: dict[str, str]


@dataclass(frozen=True)
class Beside:
    """A table below the scores, with what stands above it."""

    heading: str
    line: str
    cells: pa.Table


@dataclass(frozen=True)
class Sheets:
    """A board with its tables.

    Attributes:
        board: The board.
        groups: Of each group, its tables by kind of row; none for kinds without rows.
        beside: Of each group, the tables below the scores.
        published: The table of each published section.
    """

    board: Board
    groups: tuple[dict[str, Sheet], ...]
    beside: tuple[tuple[Beside, ...], ...]
    published: tuple[Sheet, ...]


def sheets(board: Board) -> Sheets:
    """Make the tables of a board."""
    return Sheets(
        board,
        tuple(_of_group(g) for g in board.groups),
        tuple(tuple(_beside(*told) for told in present.group_tables(g)) for g in board.groups),
        tuple(sheet(s.rows, s.columns) for s in board.published),
    )


def sheet(rows: Sequence[BoardRow], columns: Sequence[Column]) -> Sheet:
    """Rows as columns of text; what no row has is no column."""
    cells = present.table(rows, columns)
    labels = present.headings(rows, columns)
    shown = {name: labels[name] for name in labels if any(name in row for row in cells)}
    # All text: nothing here is parsed back into a number.
    return Sheet(frame({name: [row.get(name, "not measured") for row in cells] for name in shown}), shown)


def _of_group(group: Group) -> dict[str, Sheet]:
    by_kind: dict[str, Sequence[BoardRow]] = {kind: getattr(group, kind) for kind in KINDS}
    return {kind: sheet(rows, group.columns) for kind, rows in by_kind.items() if rows}


def _beside(heading: str, line: str, rows: Sequence[dict[str, str]]) -> Beside:
    names = dict.fromkeys(name for row in rows for name in row)
    return Beside(heading, line, frame({name: [row.get(name, "not measured") for row in rows] for name in names}))

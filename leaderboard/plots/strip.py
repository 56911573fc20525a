"""A plot as lines of characters, for Markdown: where each marker and each end of an interval falls, and its number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from leaderboard.agreement.drawing import SIGNS
from leaderboard.plots.sheet import Box, Line, Marker, Plot, Sheet, Text, sheet
from leaderboard.present import plain

_CELLS: Final = 57
_LABEL: Final = 44
_NEAR: Final = 9.0
"""Pixels around the middle of a row that belong to it."""


def strip(plot: Plot) -> str:
    """The plot as a fenced block with its caption; no name in it can end the block."""
    drawn = sheet(plot.light)
    texts = [p for p in drawn.pieces if isinstance(p, Text)]
    rows = sorted((t for t in texts if t.role in ("row", "heading")), key=lambda t: t.y)
    wide = min(_LABEL, max((_width(plain(t.text, _LABEL)) for t in rows if t.role == "row"), default=0))
    left, right = _ends(drawn)
    legend = [t.text for t in texts if t.role == "legend"]
    lines = ["   ".join(plain(t, 80) for t in legend)] if legend else []
    for t in rows:
        if t.role == "heading":
            lines.append(plain(t.text, 100))
            continue
        remark = " ".join(r.text for r in texts if r.role == "remark" and abs(r.y - t.y) < _NEAR)
        cells, said = _row(drawn, t.y, left, right)
        told = plain(remark, 90) if remark else said
        lines.append(f"{_padded(plain(t.text, _LABEL), wide)} {cells} {told}".rstrip())
    lines += [_padded("", wide) + " " + _axis([t for t in texts if t.role == "tick"], left, right)]
    titles = " | ".join(plain(t.text, 120) for t in texts if t.role == "title" and t.text)
    lines += [f"{_padded('', wide)} {titles}".rstrip()]
    body = "\n".join(lines)
    fence = "`" * max(3, 1 + max((len(m) for m in re.findall("`+", body)), default=0))
    return f"{fence}text\n{body}\n{fence}"


def _ends(on: Sheet) -> tuple[float, float]:
    places = [p.x0 for p in on.pieces if isinstance(p, Line) and p.what == "grid"]
    marks = [p.x for p in on.pieces if isinstance(p, Marker)]
    return min([*places, *marks], default=0.0), max([*places, *marks], default=1.0)


def _row(on: Sheet, y: float, left: float, right: float) -> tuple[str, str]:
    """The cells of one row, and the numbers that its markers stand for."""

    def at(x: float) -> int:
        return min(max(round((x - left) / (right - left or 1) * (_CELLS - 1)), 0), _CELLS - 1)

    cells = [" "] * _CELLS
    said: list[str] = []
    for p in on.pieces:
        match p:
            case Box() if p.y0 - 1 <= y <= p.y1 + 1:
                for i in range(at(p.x0), at(p.x1) + 1):
                    cells[i] = "█" if p.said else "░"
                said += [p.said] if p.said else []
            case Line() if p.what == "rule" and p.x0 == p.x1 and p.y0 <= y <= p.y1:
                cells[at(p.x0)] = "│"
            case Line() if p.what == "interval" and abs(p.y0 - y) < _NEAR and p.y0 == p.y1:
                for i in range(at(min(p.x0, p.x1)), at(max(p.x0, p.x1)) + 1):
                    cells[i] = "─"
    for p in on.pieces:
        if isinstance(p, Marker) and p.symbol != "line-ns" and abs(p.y - y) < _NEAR:
            cells[at(p.x)] = SIGNS.get(p.symbol, "●")
            said += [p.said.rpartition(": ")[2]] if p.said else []
    return "".join(cells), plain("; ".join(dict.fromkeys(said)), 120)


def _axis(ticks: Sequence[Text], left: float, right: float) -> str:
    cells = [" "] * (_CELLS + 8)
    for t in ticks:
        at = round((t.x - left) / (right - left or 1) * (_CELLS - 1)) - len(t.text) // 2
        for i, c in enumerate(t.text):
            if 0 <= at + i < len(cells):
                cells[at + i] = c
    return "".join(cells).rstrip()


def _padded(text: str, wide: int) -> str:
    return text + " " * (wide - _width(text))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)

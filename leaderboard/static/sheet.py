"""One page of the file as it is made: its figures, its choices, and how much room it has left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import plotly.graph_objects as go

from leaderboard import charts, present
from leaderboard.static.pieces import cells, esc, said, table
from results.store import StoreError

ROWS: Final = 1_000
"""Rows of a table; of more, the first."""
DRAWN: Final = 40
"""Rows of a chart; of more, the first."""
GROUPS: Final = 8
"""Groups of comparable runs that a page shows one at a time."""


@dataclass
class Sheet:
    """One page of the file.

    Attributes:
        name: Its address in the file: our own word.
        room: Bytes that its figures and tables may take; what comes behind is left out, and said so.
        figures: What its charts are drawn from, as JSON, in the order of their numbers.
    """

    name: str
    room: int = 1_000_000
    figures: list[str] = field(default_factory=list)
    _used: int = 0
    _ids: int = 0

    @property
    def full(self) -> bool:
        """Whether nothing more should be added."""
        return self._used >= self.room

    def figure(self, draw: Callable[[bool], go.Figure], alt: str, across: int = 0, most: int = 0) -> str:
        """The place of a chart, which is drawn when it is first seen; without scripts it is there in words.

        Args:
            draw: Makes the chart for a light page, and for a dark one.
            alt: The chart in words. May be untrusted.
            across: Narrowest width in pixels at which it can be read; a narrower page scrolls it.
            most: Widest width in pixels; the page's if not given.
        """
        sides = {side: dressed(draw(side == "dark")) for side in ("light", "dark")}
        height = int(sides["light"]["layout"].get("height") or 450)
        made = {**sides, "config": {**charts.CONFIG, "responsive": True}}
        # "<" would let a name close the script element.
        text = json.dumps(made, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
        self.figures.append(text)
        self._used += len(text)
        size = f"--high: {height}px" + (f"; min-width: {across}px" if across else "")
        size += f"; max-width: {most}px" if most else ""
        place = f'<div class="chart" data-figure="{len(self.figures) - 1}" style="{size}" role="img"'
        words = said(f"Chart, in words: {alt}", "soft")
        return f'<div class="draw">{place} aria-label="{esc(alt)}">{words}</div></div>'

    def rows(self, rows: Sequence[Mapping[str, str]], label: str, most: int = ROWS) -> str:
        """A table of text cells by column name.

        Args:
            rows: The rows; nothing is made of none.
            label: What it shows. Our own text.
            most: Rows that are kept.
        """
        heads, body = cells(rows[:most])
        return self.table(heads, body, label, len(rows)) if rows else ""

    def table(self, heads: Sequence[str], body: Sequence[Sequence[str]], label: str, of: int = 0) -> str:
        """A table of text cells, with a line where it has fewer rows than there are.

        Args:
            heads: Column heads.
            body: Its rows.
            label: What it shows. Our own text.
            of: How many rows there are in all.
        """
        made = table(heads, body, label=label)
        self._used += len(made.encode())
        cut = said(f"The table has the first {len(body):,} of {of:,} rows.", "cut") if of > len(body) else ""
        return made + cut

    def choice(
        self, label: str, options: Sequence[tuple[str, Callable[[], str]]], most: int, what: str, of: int = 0
    ) -> str:
        """Several views of which one is seen at a time, and all one below another without scripts.

        Views are made in order until there are `most`, or the page has no room left; the first is always made. One that
        cannot be read says why.

        Args:
            label: What is chosen. Our own text.
            options: Name of each, which may be untrusted, and what makes it.
            most: Views at most.
            what: Noun for the line that says how many are left out. Our own text.
            of: How many there are in all, where `options` is short of some.
        """
        parts: list[str] = []
        names: dict[str, int] = {}
        for text, make in options[:most]:
            before = len(self.figures), self._used, self._ids
            self._ids += 1
            at = self._ids
            inside = self._made(make)
            if parts and self._used > self.room:
                del self.figures[before[0] :]
                _, self._used, self._ids = before
                break
            shown = present.plain(text, 160)
            names[shown] = names.get(shown, 0) + 1
            shown += f" ({names[shown]})" if names[shown] > 1 else ""
            parts.append(f'<div class="option" id="{self.name}-{at}"><p class="name">{esc(shown)}</p>{inside}</div>')
        total = max(of, len(options))
        cut = f"{len(parts)} of {total:,} {what} are in this file, the first; the board itself has all of them."
        note = said(cut, "cut") if len(parts) < total else ""
        return f'<div class="choice" data-label="{esc(label)}">{"".join(parts)}</div>{note}' if parts else ""

    def _made(self, make: Callable[[], str]) -> str:
        try:
            return make()
        except StoreError as ex:
            return unreadable(ex)

    def data(self) -> Iterator[str]:
        """The element that holds the figures; nothing where there are none."""
        if self.figures:
            yield f'<script type="application/json" id="figures-{self.name}">[{",".join(self.figures)}]</script>'


def unreadable(ex: StoreError) -> str:
    """What of the store could not be read."""
    return said("This cannot be shown: something in the store cannot be read.", "loud") + said(
        present.plain(str(ex), 400, ends=False)
    )


def dressed(figure: go.Figure) -> dict[str, Any]:
    """A chart as plain data, on the ground and in the letters of this file.

    Done on the data: asking plotly to change its figure takes as long as making it.
    """
    made: dict[str, Any] = json.loads(str(figure.to_json()))
    layout = {k: v for k, v in made["layout"].items() if k != "template"}
    font = {**layout.get("font", {}), "family": "system-ui, sans-serif"}
    made["layout"] = {**layout, "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": font}
    return made

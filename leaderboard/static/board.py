"""The leaderboard's page of the file: every group of comparable runs in full, and published figures apart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from leaderboard import charts, plane, present
from leaderboard.model import Board, BoardRow, Column, Group, PublishedSection
from leaderboard.static.pieces import code, esc, lines, more, said
from leaderboard.static.sheet import DRAWN, ROWS, Sheet
from leaderboard.views.moment import Moment

BELOW: Final = 200
"""Rows of the tables below the scores, and lines of warnings."""
RULES: Final = (
    '<p class="loud"><strong>Judged by rules, not by a model or a person.</strong> These figures are a baseline for '
    "trying things out, and not a measurement.</p>"
)
ANY_TWO: Final = "<code>psychosafe compare</code> sets any two runs against each other."
PUBLISHED: Final = "As published, on other prompts and by other judges: not comparable with any run above."


def page(sheet: Sheet, found: Moment | None, board: Board) -> str:
    """The page; it needs no moment."""
    out = [said(present.INTRO), lines(board.notes)]
    if not board.groups:
        out.append(said("There are no runs in the store yet."))
    # Published figures first: they are few, and must not be crowded out.
    published = "".join(_published(sheet, s) for s in board.published)
    for n, group in enumerate(board.groups, 1):
        if n > 1 and sheet.full:
            rest = len(board.groups) - n + 1
            groups = "group of comparable runs is" if rest == 1 else "groups of comparable runs are"
            out.append(said(f"{rest} more {groups} left out of this file, for its size; the board itself has all.",
                            "cut"))  # fmt: skip
            break
        out.append(_group(sheet, group, n, len(board.groups)))
    return "".join(out) + published


def chart(sheet: Sheet, rows: Sequence[BoardRow], column: Column) -> str:
    """A measure of the first rows, and which of them have no value."""
    note = ""
    if len(rows) > DRAWN:
        note = said(f"The chart shows the first {DRAWN} of {len(rows)}, in the order of the table.", "cut")
        rows = rows[:DRAWN]
    alt, missing = charts.alt_text(rows, column), said(charts.not_drawn(rows, column))
    if all(column.name not in r.measures or r.measures[column.name].value is None for r in rows):
        return note + said(alt) + missing
    return note + sheet.figure(lambda dark: charts.forest(rows, column, dark), alt) + missing


def measures(sheet: Sheet, rows: Sequence[BoardRow], columns: Sequence[Column]) -> str:
    """A chart of each measure, one seen at a time."""
    options = [(c.label, partial(chart, sheet, rows, c)) for c in columns]
    return sheet.choice("Measure in the chart", options, len(options), "measures")


def _group(sheet: Sheet, group: Group, n: int, of: int) -> str:
    out = [f"<h3>Comparable runs{'' if of == 1 else f', group {n} of {of}'}</h3>", said(group.title)]
    out += [RULES if group.rules_only else "", said(group.sentence), measures(sheet, group.rows, group.columns)]
    if len(plane.placed(group.rows)) > 1:
        drawn = sheet.figure(lambda dark: plane.plane(group.rows, dark), plane.alt_text(group.rows))
        out.append(f"<h4>Safety plane</h4>{said(plane.NOTE)}{drawn}")
    parts = (
        ("Models", "", group.models),
        ("Reference policies", "No models: they anchor the scale, and try to cheat it.", group.references),
        ("Imported runs", "Judged elsewhere; compared with each other only.", group.published),
    )
    for heading, line, rows in parts:
        if rows:
            out.append(f"<h4>{heading}</h4>{said(line)}{_table(sheet, rows, group.columns, heading)}")
    for heading, line, told in present.group_tables(group):
        out.append(f"<h4>{heading}</h4>{said(line)}{sheet.rows(told, heading, BELOW)}")
    warned = [f"{present.plain(r.label)}: {w}" for r in group.rows for w in r.warnings if w != present.RULES]
    if warned:
        rest = said(f"And {len(warned) - BELOW:,} more.", "cut") if len(warned) > BELOW else ""
        out.append(f"<h4>Before comparing</h4>{lines(warned[:BELOW])}{rest}")
    parts_of_key = "\n".join(
        f"{k}: {'not stated' if v is None else present.plain(str(v), 300)}" for k, v in group.parts.items()
    )
    equal = "Runs are in one group where all of this is equal; a part that is not stated equals only its own import."
    out.append(more("What makes these runs comparable", said(equal) + code(parts_of_key)))
    out.append(said(f"Comparability key {group.key}", "soft"))
    return "".join(out)


def _published(sheet: Sheet, section: PublishedSection) -> str:
    first = next((c for c in section.columns if c.name == "paper"), section.columns[0])
    columns = [first, *(c for c in section.columns if c is not first)]
    return "".join(
        [
            f"<h3>{esc(section.title)}</h3>",
            said(PUBLISHED),
            said(section.note),
            measures(sheet, section.rows, columns),
            _table(sheet, section.rows, section.columns, "Published figures, a row each system"),
            said(f"Source {section.source}, {section.revision}", "soft"),
        ]
    )


def _table(sheet: Sheet, rows: Sequence[BoardRow], columns: Sequence[Column], label: str) -> str:
    found = present.table(rows[:ROWS], columns)
    labels = present.headings(rows, columns)
    shown = [name for name in labels if any(name in row for row in found)]
    body = [[row.get(name, "not measured") for name in shown] for row in found]
    return sheet.table([labels[name] for name in shown], body, label, len(rows))

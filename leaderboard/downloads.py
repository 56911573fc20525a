"""What can be taken away from the board: figures as CSV, Parquet and LaTeX, one run's ratings, the board as one file.

Figures, names and ids only: no prompt, answer or justification is in any of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from judges.stats import Estimate
from leaderboard import present
from leaderboard.board import published_sections
from leaderboard.cli.common import Table, latex, safe_cell
from leaderboard.model import Board, BoardRow, Column
from results.grid import Grid
from results.store import Store

FIGURES: Final = pa.schema(
    [
        pa.field("group", pa.string(), nullable=False),
        pa.field("run", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("condition", pa.string()),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("measure", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("higher_is_better", pa.bool_(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("n", pa.int64(), nullable=False),
        pa.field("total", pa.int64(), nullable=False),
        pa.field("method", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
    ]
)
"""One figure a row, unrounded; null where there is no value, with the reason beside it. Figures whose `key`, the
comparability key of the measure, is another must not be compared."""
NUMBERS: Final = frozenset({"value", "low", "high", "n", "total", "higher_is_better"})


def figure_rows(grids: Sequence[Grid]) -> Iterator[dict[str, Any]]:
    """Every figure of every run on items, then the published ones, as rows of `FIGURES`. Names are made plain."""
    for n, grid in enumerate(grids, 1):
        group = f"{n}: {present.plain(grid.runs[0].prompt_set.name or 'prompt set not stated', 60)}"
        for column in grid.columns:
            shared = {
                "group": group,
                "measure": present.plain(column.name, 60),
                "label": present.plain(column.label, 60),
                "higher_is_better": column.higher_is_better,
                "key": column.key,
            }
            for m, e in zip(grid.runs, grid.estimates(column.name), strict=True):
                condition = None if m.condition.name is None else present.plain(m.condition.name, 60)
                model = present.plain(m.model.name)
                told = {"run": m.run_id, "model": model, "condition": condition, "kind": m.kind}
                yield {**shared, **told, **_figures(e)}
    for section in published_sections():
        for row in section.rows:
            for c in (c for c in section.columns if c.name in row.measures):
                yield {
                    "group": section.title,
                    "run": row.run_id,
                    "model": present.plain(row.model),
                    "condition": row.condition,
                    "kind": row.kind,
                    "measure": c.name,
                    "label": c.label,
                    "higher_is_better": c.higher_is_better,
                    "key": f"published: {section.source} {section.revision}",
                    **_figures(row.measures[c.name]),
                }


def figures_csv(grids: Sequence[Grid]) -> bytes:
    """The figures as CSV, UTF-8; numbers as they are, an empty cell where there is none, no cell a formula."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(FIGURES.names)
    for row in figure_rows(grids):
        rows.writerow([_cell(name, row[name]) for name in FIGURES.names])
    return out.getvalue().encode()


def figures_parquet(grids: Sequence[Grid], about: Mapping[str, str]) -> bytes:
    """The figures as Parquet.

    Args:
        grids: The runs.
        about: What else stands in the file's metadata, such as the state of the store.
    """
    table = pa.Table.from_pylist(list(figure_rows(grids)), schema=FIGURES)
    return _parquet(table.replace_schema_metadata(dict(about)))


def ratings_parquet(store: Store, run_id: str) -> bytes:
    """One run's ratings as they stand in the store: ids, raters, values and statuses.

    Raises:
        StoreError: They cannot be read.
    """
    return _parquet(store.ratings([run_id]))


def board_latex(board: Board) -> str:
    """The board's tables as LaTeX with booktabs rules, one for each kind of run of each group of comparable runs."""
    tables = []
    for n, group in enumerate(board.groups, 1):
        parts = (("models", group.models), ("reference policies", group.references), ("imported", group.published))
        for kind, rows in parts:
            if rows:
                caption = f"Group {n}, {kind}: {group.title}"
                tables.append(_table(rows, group.columns, caption, f"Comparability key {group.key}."))
    for section in board.published:
        note = f"{section.source}, {section.revision}. Other prompts and judges: not comparable with any run above."
        tables.append(_table(section.rows, section.columns, section.title, note))
    head = "% needs \\usepackage{booktabs,graphicx}; brackets are 95 % intervals\n"
    return head + "\n\n".join(latex(t) for t in tables) + "\n"


def _table(rows: Sequence[BoardRow], columns: Sequence[Column], caption: str, note: str) -> Table:
    cells = present.table(rows, columns)
    names = ["system", "condition", *(c.name for c in columns)]
    heads = ["System", "Condition", *(present.plain(c.label, 60) for c in columns)]
    body = [[row.get(name, "not measured") for name in names] for row in cells]
    return Table(heads, body, present.plain(caption, 300), [note], numeric=range(2, len(names)))


def _figures(e: Estimate) -> dict[str, Any]:
    return {
        "value": e.value, "low": e.low, "high": e.high, "n": e.n, "total": e.total,
        "method": e.method, "reason": present.plain(e.reason, 300, ends=False),
    }  # fmt: skip


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    return repr(value) if name in NUMBERS else safe_cell(str(value))


def _parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()

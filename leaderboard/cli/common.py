"""What the commands share: options, one-line errors, and printing figures in five formats."""

from __future__ import annotations

import csv
import functools
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from results.store import Store, StoreError, store_path

R = TypeVar("R")
FORMATS: Final = ("table", "json", "csv", "markdown", "latex")


def store_option(command: Callable[..., R]) -> Callable[..., R]:
    """`--store DIR`, handed over as an opened `Store`."""

    @click.option("--store", "store_dir", type=click.Path(path_type=Path, file_okay=False), help="Folder of the store.")
    @functools.wraps(command)
    def wrapped(*args: Any, store_dir: Path | None, **kwargs: Any) -> R:
        return command(*args, store=Store(store_path(store_dir)), **kwargs)

    return wrapped


def format_option(command: Callable[..., R]) -> Callable[..., R]:
    """`--format`, with `--json` for short."""

    @click.option("--format", "fmt", type=click.Choice(FORMATS), default="table", show_default=True, help="Output.")
    @click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
    @functools.wraps(command)
    def wrapped(*args: Any, fmt: str, as_json: bool, **kwargs: Any) -> R:
        return command(*args, fmt="json" if as_json else fmt, **kwargs)

    return wrapped


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what a user can mend into one line and exit status 1."""
    try:
        yield
    except (StoreError, ValueError) as ex:
        # Every error class of this project is a ValueError that says what to do; pydantic's is not ours.
        if type(ex).__module__.split(".")[0] in {"results", "evals", "judges", "rubrics", "leaderboard"}:
            raise click.ClickException(" ".join(str(ex).split())) from ex
        raise
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        sys.exit(130)


@dataclass(frozen=True)
class Table:
    """A table to print: cells are text already formatted.

    Attributes:
        columns: Column heads.
        rows: One tuple of cells a row.
        title: What stands above.
        notes: Lines that stand below.
        numeric: Indices of columns that are aligned right.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    notes: Sequence[str] = field(default=())
    numeric: Sequence[int] = field(default=())


def print_tables(tables: Sequence[Table], fmt: str, data: Any) -> None:
    """Print tables in a format; JSON prints `data` instead, the same figures unrounded."""
    if fmt == "json":
        click.echo(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False))
        return
    writer = {"table": _console, "csv": _csv, "markdown": markdown, "latex": _latex}[fmt]
    click.echo("\n\n".join(writer(t) for t in tables))


def _console(table: Table) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    # Names come from logs and files: as Text they are never read as markup.
    # Wide tables are worth a sideways scroll; a narrow terminal would otherwise fold every interval.
    out = io.StringIO()
    console = Console(file=out, width=max(150, Console().width), highlight=False, no_color=True)
    rich = RichTable(title=Text(table.title) if table.title else None, title_justify="left", box=box.SIMPLE_HEAD)
    for i, head in enumerate(table.columns):
        rich.add_column(Text(head), justify="right" if i in table.numeric else "left", overflow="fold")
    for row in table.rows:
        rich.add_row(*(Text(cell) for cell in row))
    console.print(rich)
    for note in table.notes:
        console.print(Text(note))
    return out.getvalue().rstrip()


def _csv(table: Table) -> str:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["table", *table.columns] if table.title else table.columns)
    for row in table.rows:
        # A cell that starts like a formula would be run by a spreadsheet.
        safe = ["'" + c if c[:1] in "=@" or (c[:1] in "+-" and not c[1:2].isdigit()) else c for c in row]
        rows.writerow([table.title, *safe] if table.title else safe)
    return out.getvalue().rstrip()


def markdown(table: Table) -> str:
    """A table as Markdown; cells cannot break out of it."""

    def cell(text: str) -> str:
        return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")

    rule = ["---:" if i in table.numeric else "---" for i in range(len(table.columns))]
    lines = [f"**{cell(table.title)}**", ""] if table.title else []
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in (table.columns, rule, *table.rows)]
    return "\n".join(lines + (["", *(f"{cell(n)}  " for n in table.notes)] if table.notes else []))


_LATEX: Final = str.maketrans(
    {
        "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$", "·": r"$\cdot$", "–": "--",
    }
)  # fmt: skip


def _latex(table: Table) -> str:
    def line(row: Sequence[str]) -> str:
        return " & ".join(c.translate(_LATEX) for c in row) + r" \\"

    align = "".join("r" if i in table.numeric else "l" for i in range(len(table.columns)))
    notes = [rf"\par\footnotesize {n.translate(_LATEX)}" for n in table.notes]
    return "\n".join(
        [r"\begin{table}", r"\centering", rf"\caption{{{table.title.translate(_LATEX)}}}",
         rf"\begin{{tabular}}{{{align}}}", r"\toprule", line(table.columns), r"\midrule",
         *map(line, table.rows), r"\bottomrule", r"\end{tabular}", *notes, r"\end{table}"]
    )  # fmt: skip

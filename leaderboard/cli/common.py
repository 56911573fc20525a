"""What the commands share: options, one-line errors, and printing figures in five formats."""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from judges.stats import Estimate
from results.store import Store, StoreError, store_path

R = TypeVar("R")
UNFOLDED: Final = 25
"""Characters of a number with its interval that stay on one line on the screen."""
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


def interval(e: Estimate, signed: bool = False) -> str:
    """An estimate in text: value and interval, or why there is none."""
    if e.value is None:
        return e.reason if e.reason.startswith("not estimable") else f"undefined ({e.reason})"
    sign = "+" if signed else ""
    if e.low is None or e.high is None:
        return f"{e.value:{sign}.3f} (no interval: {e.reason})"
    return f"{e.value:{sign}.3f} [{e.low:{sign}.3f}, {e.high:{sign}.3f}]"


def p_value(p: float | None) -> str:
    """A p value as the APA asks; `not tested` where there is none."""
    if p is None:
        return "not tested"
    return "< .001" if p < 0.001 else f"{p:.3f}".replace("0.", ".", 1)


def relative_change(e: Estimate | None) -> str:
    """A relative change in percent with its interval; nothing where none is printed."""
    if e is None:
        return ""
    if e.value is None:
        return f"undefined ({e.reason})"
    bare = f" (no interval: {e.reason})" if e.reason else ""
    span = bare if e.low is None or e.high is None else f" [{100 * e.low:+.1f}, {100 * e.high:+.1f}]"
    return f"{100 * e.value:+.2f} %{span}"


def print_tables(tables: Sequence[Table], fmt: str, data: Any) -> None:
    """Print tables in a format; JSON prints `data` instead, the same figures unrounded."""
    if fmt == "json":
        click.echo(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False))
        return
    writer = {"table": console, "csv": _csv, "markdown": markdown, "latex": latex}[fmt]
    click.echo("\n\n".join(writer(t) for t in tables))


def console(table: Table) -> str:
    """A table for the screen."""
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
        right = i in table.numeric
        # Names may fold; a number beside its interval reads badly in pieces.
        least = min(UNFOLDED, max((len(row[i]) for row in table.rows), default=0)) if right else None
        rich.add_column(Text(head), justify="right" if right else "left", overflow="fold", min_width=least)
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
        safe = [safe_cell(c) for c in row]
        rows.writerow([table.title, *safe] if table.title else safe)
    return out.getvalue().rstrip()


def safe_cell(text: str) -> str:
    """A cell of a CSV file that no spreadsheet runs as a formula."""
    starts = text[:1] in ("=", "@") or (text[:1] in ("+", "-") and not text[1:2].isdigit())
    return f"'{text}" if starts else text


def write_whole(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Raises:
        click.ClickException: It cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except OSError as ex:
        raise click.ClickException(f"cannot write {path}: {ex.strerror}; choose another place") from ex
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def markdown(table: Table) -> str:
    """A table as Markdown; cells cannot break out of it."""

    def cell(text: str) -> str:
        return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")

    rule = ["---:" if i in table.numeric else "---" for i in range(len(table.columns))]
    lines = [f"**{cell(table.title)}**", ""] if table.title else []
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in (table.columns, rule, *table.rows)]
    return "\n".join(lines + (["", *(f"{cell(n)}  " for n in table.notes)] if table.notes else []))


WIDE: Final = 6
"""Columns from which a LaTeX table is scaled to the text's width (package graphicx)."""
BREAKS: Final = 45
"""Characters from which a cell of words is broken into lines in LaTeX."""
_LATEX: Final = str.maketrans(
    {
        "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$", "·": r"$\cdot$", "–": "--",
        "κ": r"$\kappa$", "α": r"$\alpha$", "…": r"\dots{}", "’": "'",
    }
)  # fmt: skip


def latex_text(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return text.translate(_LATEX)


def latex(table: Table) -> str:
    """A table as LaTeX with booktabs rules; a wide one is set to the width of the text."""

    def line(row: Sequence[str]) -> str:
        return " & ".join(map(latex_text, row)) + r" \\"

    words = [i for i in range(len(table.columns)) if i not in table.numeric]
    long = [i for i in words if any(len(row[i]) > BREAKS for row in table.rows)]
    broken = rf"p{{{0.7 / max(1, len(long)):.2f}\textwidth}}"
    align = "".join("r" if i in table.numeric else broken if i in long else "l" for i in range(len(table.columns)))
    wide = len(table.columns) > WIDE
    notes = [rf"\par\footnotesize {latex_text(n)}" for n in table.notes]
    return "\n".join(
        [r"\begin{table}", r"\centering", rf"\caption{{{latex_text(table.title)}}}",
         *([r"\resizebox{\textwidth}{!}{%"] if wide else []),
         rf"\begin{{tabular}}{{{align}}}", r"\toprule", line(table.columns), r"\midrule",
         *map(line, table.rows), r"\bottomrule", r"\end{tabular}" + ("}" if wide else ""), *notes, r"\end{table}"]
    )  # fmt: skip

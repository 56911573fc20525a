"""What the commands share: options, one-line errors, and printing figures in five formats."""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
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
    """Turn what a user can mend into one line and exit status 1.

    Raises:
        click.ClickException: An error of this project came up within.
    """
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


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A line of progress on the error stream, for long work; nothing where that is no terminal."""
    shown = sys.stderr.isatty()

    def told(done: int, total: int) -> None:
        if shown:
            click.echo(f"\r{what}: {done} of {total}", err=True, nl=False)

    try:
        yield told
    finally:
        if shown:
            click.echo("\r\x1b[K", err=True, nl=False)


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
    console = Console(file=out, width=max(150, Console().width, _needed(table)), highlight=False, no_color=True)
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


def _needed(table: Table) -> int:
    """Width below which a table would lose its last columns: numbers are not folded, nor words to single letters."""
    longest = [max((len(row[i]) for row in table.rows), default=0) for i in range(len(table.columns))]
    least = [min(UNFOLDED, n) if i in table.numeric else min(12, n) for i, n in enumerate(longest)]
    return sum(least) + 2 * (len(least) + 1)


def _csv(table: Table) -> str:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["table", *table.columns] if table.title else table.columns)
    for row in table.rows:
        safe = [safe_cell(c) for c in row]
        rows.writerow([table.title, *safe] if table.title else safe)
    return out.getvalue().rstrip()


def safe_cell(text: str) -> str:
    """A cell of a CSV file that no spreadsheet runs as a formula, and that breaks no row."""
    # The writer quotes only the line end that it writes itself.
    text = text.replace("\r", " ")
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


_JOINT: Final = re.compile(r"(?<=\])(?=[(\[:])")
"""Between the text of a link or an image and its address."""
_OUTER: Final = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore that is not between letters, and so begins or ends emphasis."""
_ENTITY: Final = re.compile(r"&(?=#?\w+;)")
_FIRST: Final = re.compile(r"^(\d*)([#>+=.)-])(?![\d.])")
"""What would make a heading, a quotation, a list or a rule of a line."""


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it stands: no link, image, emphasis, formula, code or HTML comes of it."""
    text = " ".join(text.split()).replace("\\", "\\\\")
    text = re.sub(r"([`*~$])", r"\\\1", _ENTITY.sub("&amp;", text)).replace("<", "&lt;")
    return _FIRST.sub(r"\1\\\2", _OUTER.sub(r"\\_", _JOINT.sub(r"\\", text)))


def markdown(table: Table) -> str:
    """A table as Markdown; cells cannot break out of it."""

    def cell(text: str) -> str:
        return markdown_text(text).replace("|", "\\|")

    rule = ["---:" if i in table.numeric else "---" for i in range(len(table.columns))]
    lines = [f"**{cell(table.title)}**", ""] if table.title else []
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in (table.columns, rule, *table.rows)]
    return "\n".join(lines + (["", *(f"{cell(n)}  " for n in table.notes)] if table.notes else []))


WIDE: Final = 6
"""Columns from which a LaTeX table is scaled to the text's width (package graphicx)."""
BREAKS: Final = 45
"""Characters from which a cell is broken into lines in LaTeX."""
LETTERS: Final = 80
"""Characters of all columns together that fit a page in LaTeX."""
TALL: Final = 44
"""Rows that fit a page in LaTeX."""
_ON: Final = ", continued"
REASON: Final = "4.2cm"
"""Width of a broken cell in a column of numbers."""
_LATEX: Final = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "[": "{[}", "*": "{*}", "`": r"\textasciigrave{}", '"': "''", "−": "$-$", "·": r"$\cdot$",
    "×": r"$\times$", "±": r"$\pm$", "→": r"$\to$", "≥": r"$\geq$", "≤": r"$\leq$",
    "–": r"\textendash{}", "—": r"\textemdash{}",
    "†": r"\dag{}", "κ": r"$\kappa$", "α": r"$\alpha$", "…": r"\dots{}", "’": "'", "\u00a0": " ",
}  # fmt: skip
"""A bracket or a star behind the end of a row would be read as the row's option."""
_SHORT: Final = frozenset("ßıŒœŁłŸ")


def latex_text(text: str) -> str:
    """Text that LaTeX prints as it stands; a character that its fonts lack is printed as its number."""
    # Two hyphens would be set as a dash, and a name would be another one.
    return "".join(map(_latex_char, " ".join(text.split()))).replace("--", "-{}-{}")


def _latex_char(c: str) -> str:
    if c in _LATEX:
        return _LATEX[c]
    if " " <= c <= "~" or ("À" <= c <= "ÿ" and c != "÷") or c in _SHORT:
        return c
    # Letters with an accent that LaTeX composes, such as ř, but none that it does not know.
    if c <= "ž" and len(unicodedata.normalize("NFD", c)) == 2:
        return c
    return f"{{[}}U+{ord(c):04X}]"


def latex(table: Table) -> str:
    """A table as LaTeX with booktabs rules; a wide one is scaled to the text's width, a tall one continued."""
    if len(table.rows) > TALL:
        more = "" if table.title.endswith(_ON) else _ON
        first = replace(table, rows=table.rows[:TALL], notes=())
        rest = replace(table, rows=table.rows[TALL:], title=table.title + more)
        return f"{latex(first)}\n\n{latex(rest)}"
    words = [i for i in range(len(table.columns)) if i not in table.numeric]
    long = [i for i in words if any(len(row[i]) > BREAKS for row in table.rows)]

    def cell(i: int, text: str) -> str:
        # A reason in a column of numbers would make all of the table small.
        if i in table.numeric and len(text) > BREAKS:
            return rf"\parbox[t]{{{REASON}}}{{\raggedleft {latex_text(text)}\strut}}"
        return latex_text(text)

    def line(row: Sequence[str]) -> str:
        return " & ".join(cell(i, text) for i, text in enumerate(row)) + r" \\"

    broken = rf"p{{{0.7 / max(1, len(long)):.2f}\textwidth}}"
    align = "".join("r" if i in table.numeric else broken if i in long else "l" for i in range(len(table.columns)))
    letters = sum(
        max(min(len(row[i]), BREAKS) for row in (table.columns, *table.rows)) for i in range(len(table.columns))
    )
    wide = len(table.columns) > WIDE or bool(long) or letters > LETTERS
    notes = [rf"\par\raggedright\footnotesize {latex_text(n)}" for n in table.notes]
    return "\n".join(
        [r"\begin{table}[!htbp]", r"\centering", rf"\caption{{{latex_text(table.title)}}}",
         *([r"\resizebox{\textwidth}{!}{%"] if wide else []),
         rf"\begin{{tabular}}{{{align}}}", r"\toprule", line(table.columns), r"\midrule",
         *map(line, table.rows), r"\bottomrule", r"\end{tabular}" + ("}" if wide else ""), *notes, r"\end{table}"]
    )  # fmt: skip

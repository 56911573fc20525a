"""People's ratings as rows, and the files that hold them: CSV, TSV, JSON lines and JSON, in UTF-8 only."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from results.importers.psychosafe import ImportRefused
from results.manifest import SourceFacts
from rubrics.errors import one_line

MAX_BYTES: Final = 64 * 1024 * 1024
_SEPARATORS: Final = {".csv": ",", ".tsv": "\t"}
_MARKS: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}

Row = tuple[str, dict[str, Any]]
"""File and row for messages, and the row's cells by column."""


@dataclass(frozen=True)
class PersonRating:
    """What one person said of one response on one criterion, as the file states it.

    Attributes:
        where: File and row, for messages.
        run: Id of the run.
        item: Id of the item.
        rater: Name of the person; a code, never an address.
        criterion: Id of the criterion.
        value: A number or a label of the criterion's scale; None or blank where there is none.
        status: `ok`, `skipped`, or nothing; nothing without a value means that the reason is unknown.
        epoch: Epoch of the response, from 1.
        turn: Turn of the dialogue; 0 for the whole response.
        repeat: The person's how-manieth rating of the same response, from 0.
    """

    where: str
    run: str
    item: str
    rater: str
    criterion: str
    value: Any = None
    status: Any = None
    epoch: Any = 1
    turn: Any = 0
    repeat: Any = 0


@dataclass(frozen=True)
class RefusedRow:
    """A row that cannot be used, with the reason."""

    where: str
    reason: str

    def __str__(self) -> str:
        return one_line(f"{self.where}: {self.reason}")


@dataclass(frozen=True)
class PeopleFile:
    """What a file holds, in its order; a row that could not even be read stands among the others."""

    source: SourceFacts
    entries: tuple[PersonRating | RefusedRow, ...]


def read_file(path: Path, note: str) -> tuple[str, SourceFacts]:
    """The text of a file, and the facts that say which file it was.

    Args:
        path: The file.
        note: The import format.

    Raises:
        ImportRefused: It cannot be read, is empty or too large, or is not UTF-8.
    """
    name = file_name(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImportRefused(f"{name}: larger than {MAX_BYTES // 2**20} MiB; split it")
        raw = path.read_bytes()
    except OSError as ex:
        raise ImportRefused(f"{name}: cannot be read ({ex.strerror}); check the path and its permissions") from ex
    if (mark := _MARKS.get(raw[:2])) is not None:
        raise ImportRefused(f"{name}: it is {mark}; save it as UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as ex:
        raise ImportRefused(f"{name}: not UTF-8 at byte {ex.start}; save it as UTF-8") from ex
    if not text.strip():
        raise ImportRefused(f"{name}: the file is empty; export it again")
    return text, SourceFacts(file=name, size=len(raw), sha256=hashlib.sha256(raw).hexdigest(), note=note)


def file_name(path: Path) -> str:
    """The name of a file as text that can be written anywhere."""
    return path.name.encode("utf-8", "replace").decode()[:120]


def read_rows(text: str, path: Path) -> tuple[tuple[str, ...], list[Row | RefusedRow]]:
    """The rows of a table, by the suffix of its file.

    Args:
        text: The text of the file.
        path: Its path: `.csv`, `.tsv`, `.jsonl` or `.ndjson`.

    Returns:
        The columns, and the rows in order; blank rows are left out, rows that cannot be read are named.

    Raises:
        ImportRefused: Another suffix, two columns of one name, or no CSV at all.
    """
    name, suffix = file_name(path), path.suffix.lower()
    if suffix in (".jsonl", ".ndjson"):
        rows = list(json_lines(text, name))
        columns = dict.fromkeys(c for r in rows if not isinstance(r, RefusedRow) for c in r[1])
        return tuple(columns), rows
    if suffix not in _SEPARATORS:
        raise ImportRefused(f"{name}: unknown suffix; use .csv, .tsv or .jsonl")
    return _table(text, name, _SEPARATORS[suffix])


def json_lines(text: str, name: str) -> Iterator[Row | RefusedRow]:
    """The objects of a file with one in each line."""
    for n, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{name}, line {n}"
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            yield RefusedRow(where, "not valid JSON")
            continue
        yield (where, data) if isinstance(data, dict) else RefusedRow(where, "no JSON object")


def read_json(text: str, name: str) -> Any:
    """The content of a JSON file.

    Raises:
        ImportRefused: It is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as ex:
        line = f" at line {ex.lineno}" if isinstance(ex, json.JSONDecodeError) else ""
        raise ImportRefused(f"{name}: not valid JSON{line}; export it again") from ex


def _table(text: str, name: str, separator: str) -> tuple[tuple[str, ...], list[Row | RefusedRow]]:
    rows: list[Row | RefusedRow] = []
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        with _long_fields():
            columns = tuple(reader.fieldnames or ())
            _check_columns(columns, name, separator)
            for n, row in enumerate(reader, 1):
                where = f"{name}, row {n}"
                if None in row or None in row.values():
                    rows.append(RefusedRow(where, "another number of fields than columns; mend its quotes"))
                elif any(cell.strip() for cell in row.values()):
                    rows.append((where, dict(row)))
    except csv.Error as ex:
        raise ImportRefused(f"{name}, line {reader.reader.line_num}: not valid CSV ({ex}); mend its quotes") from ex
    return columns, rows


@contextmanager
def _long_fields() -> Iterator[None]:
    """A prompt in a cell may be longer than what Python's reader takes; what is too long is refused by its row."""
    before = csv.field_size_limit(MAX_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _check_columns(columns: tuple[str, ...], name: str, separator: str) -> None:
    twice = [c for c, n in Counter(columns).items() if n > 1]
    if twice:
        raise ImportRefused(f"{name}: the column {twice[0][:40]!r} stands twice; give each a name of its own")
    if len(columns) == 1 and (other := next((s for s in ";\t," if s in columns[0] and s != separator), None)):
        raise ImportRefused(
            f"{name}: its columns are separated by {other!r}; save it with commas, or as .tsv with tabs"
        )


def shown(raw: Any) -> str:
    """A value from a file in a message: short, on one line, nothing that cannot be printed."""
    if not isinstance(raw, str | int | float | None):
        return f"a {type(raw).__name__}"
    return ascii(raw[:40] if isinstance(raw, str) else raw)[:60]


def text_of(raw: Any) -> str:
    """A name or an id as text; empty for what is neither text nor a whole number."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    return raw.strip() if isinstance(raw, str) else ""

"""From bytes to rows, and whether the rows look as they must. No message quotes a prompt."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from evals.data.specs import SUFFIXES, DataError, Shape

Row = dict[str, Any]

MAX_PARQUET_BYTES: Final = 2**30
MAX_CSV_FIELD: Final = 2**20


def parse(data: bytes, name: str) -> list[Row]:
    """The rows of a file; its type follows from its name. A header object of our own layout is left out.

    Raises:
        DataError: Not of that type, not UTF-8, or not a table.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".parquet":
        return _parquet(data, name)
    if suffix not in SUFFIXES:
        raise DataError(f"{name}: unknown file type {suffix or '(none)'}; use {', '.join(SUFFIXES)}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as ex:
        raise DataError(f"{name}: not UTF-8 (byte {ex.start}); save the file as UTF-8") from ex
    if text.startswith("version https://git-lfs"):
        raise DataError(f"{name}: a Git LFS pointer and not the file itself; get the file with `git lfs pull`")
    if text[:200].lstrip().lower().startswith(("<!doctype", "<html")):
        raise DataError(f"{name}: a web page and not the file itself; is there a login page or a proxy in between?")
    rows = {".csv": _csv, ".json": _json, ".jsonl": _jsonl}[suffix](text, name)
    for n, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise DataError(f"{name}, row {n}: not an object with named columns")
    return rows


def _csv(text: str, name: str) -> list[Any]:
    before = csv.field_size_limit(MAX_CSV_FIELD)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = list(reader)
    except csv.Error as ex:
        raise DataError(f"{name}, line {reader.reader.line_num}: not valid CSV ({ex}); mend its quotes") from ex
    finally:
        csv.field_size_limit(before)
    for n, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise DataError(f"{name}, row {n}: not as many fields as columns; put quotes around texts with a comma")
    return rows


def _json(text: str, name: str) -> list[Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as ex:
        raise DataError(f"{name}: not valid JSON; was it cut short?") from ex
    for key in ("items", "results"):  # our own layout, and that of the paper's judgments
        if isinstance(data, dict) and isinstance(data.get(key), list):
            data = data[key]
    if not isinstance(data, list):
        raise DataError(f"{name}: expected a list of rows, or an object with `items` or `results`")
    return data


def _jsonl(text: str, name: str) -> list[Any]:
    rows: list[Any] = []
    for n, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as ex:
            raise DataError(f"{name}, line {n}: not valid JSON; one object a line, or was it cut short?") from ex
        if rows or not (isinstance(row, dict) and "prompt_set" in row):
            rows.append(row)
    return rows


def _parquet(data: bytes, name: str) -> list[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(data))
        meta = file.metadata
        if sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)) > MAX_PARQUET_BYTES:
            raise DataError(f"{name}: more than {MAX_PARQUET_BYTES // 2**20} MiB once unpacked; split the set")
        rows: list[Row] = file.read().to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as ex:
        raise DataError(f"{name}: not a readable Parquet file; was it cut short?") from ex
    return rows


def text_of(value: Any) -> str | None:
    """A text, or the first of a list of turns; None where there is none."""
    if isinstance(value, (list, tuple)):
        value = value[0] if value else None
    return value if isinstance(value, str) and value.strip() else None


def check_shape(rows: Sequence[Mapping[str, Any]], shape: Shape, name: str) -> None:
    """Compare rows with what they must look like.

    Raises:
        DataError: With the first difference: columns, row counts, texts, repeats, or counts by value.
    """
    if not rows:
        raise DataError(f"{name}: no rows in it; is it the whole file?")
    for n, row in enumerate(rows, 1):
        missing = [c for c in shape.columns if c not in row]
        if missing:
            has = ", ".join(str(c)[:40] for c in list(row)[:12])
            raise DataError(f"{name}, row {n}: no column {', '.join(map(repr, missing))}; it has {has or 'none'}")
    if shape.rows is not None and len(rows) != shape.rows:
        raise DataError(
            f"{name}: {len(rows):,} rows where the release has {shape.rows:,}; cut short, or another release?"
        )
    for column in shape.texts:
        for n, row in enumerate(rows, 1):
            if text_of(row[column]) is None:
                raise DataError(f"{name}, row {n}: no text in {column!r}; another release of the set?")
    for column in shape.unique:
        value, count = Counter(str(row[column]) for row in rows).most_common(1)[0]
        if count > 1:
            raise DataError(f"{name}: {column} {value[:40]!r} stands {count} times; another release of the set?")
    for column, expected in shape.groups.items():
        counts = Counter(str(row[column]) for row in rows)
        for value in (*expected, *counts):
            if counts[value] != expected.get(value, 0):
                found = (
                    f"{counts[value]} rows with {column} {value[:40]!r} where the release has {expected.get(value, 0)}"
                )
                raise DataError(f"{name}: {found}; another release of the set?")
    for column, (values, each) in shape.balanced.items():
        counts = Counter(str(row[column]) for row in rows)
        if len(counts) != values or set(counts.values()) != {each}:
            raise DataError(
                f"{name}: not {values} values of {column!r} with {each} rows each; another release of the set?"
            )

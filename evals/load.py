"""Reading prompt sets: the embedded ones by name, and JSON, JSONL or CSV files by path."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from evals.items import Item, PromptSet, PromptSetError, build_item, check_set

HERE: Final = Path(__file__).with_name("prompt_sets")
EMBEDDED: Final = {"open": HERE / "open.jsonl", "contrast": HERE / "contrast.jsonl"}
MAX_BYTES: Final = 256 * 1024 * 1024

PAPER_DOMAINS: Final = {
    "suicide and selfharm": "self_harm",
    "substance": "substance_use",
    "violence": "violence",
    "weapon": "weapons",
    "crimes (sexual)": "sexual_crimes",
}
"""The paper's cluster names (benchmarks.md section 6) and ours."""


def load_prompts(source: str, base: Path | None = None) -> PromptSet:
    """Load a prompt set.

    Args:
        source: `open`, `contrast`, the name of a fetched set (`psychosafe data list`), or the path of a JSON, JSONL or
            CSV file in the project's layout or the paper's.
        base: What a relative path is relative to; the current folder if not given.

    Raises:
        PromptSetError: With the file, the row and what to do.
    """
    if source in EMBEDDED:
        return _embedded(source)
    fetched = fetched_path(source)
    try:
        path = fetched or (base or Path.cwd()) / Path(source).expanduser()
        found = path.is_file()
    except (OSError, RuntimeError, ValueError):  # no such home, a name too long, a NUL in it
        found = False
    if not found:
        known = ", ".join(EMBEDDED)
        raise PromptSetError(f"no prompt set {source!r}: use {known}, or the path of a .json, .jsonl or .csv file")
    return _read(path, path.name)


@cache
def _embedded(source: str) -> PromptSet:
    """One of the sets that ship with the project, read once."""
    return _read(EMBEDDED[source], source)


def _read(path: Path, name: str) -> PromptSet:
    header, rows = read_rows(path, name)
    items = [_item(row, f"{name}, row {n}", n) for n, row in enumerate(rows, 1)]
    check_set(items, name)
    return PromptSet(
        name=str(header.get("prompt_set") or name),
        version=str(header.get("version") or ""),
        items=tuple(items),
        licence=str(header.get("licence") or ""),
        parallel_of=str(header.get("parallel_of") or ""),
    )


def fetched_path(source: str) -> Path | None:
    """Where a published set lies in the cache; None for everything else.

    Raises:
        PromptSetError: The set is known and not at hand, or its copy is damaged.
    """
    from evals.data import SETS, DataError, resolve

    if source not in SETS:
        return None
    try:
        path = resolve(source)
    except DataError as ex:
        raise PromptSetError(str(ex)) from ex
    if path is None:
        raise PromptSetError(f"{source} is not at hand: `psychosafe data fetch {source}`, or give the path of its file")
    return path


def read_rows(path: Path, name: str) -> tuple[Mapping[str, Any], list[Any]]:
    """The header object of a JSONL, JSON or CSV file, if there is one, and its rows.

    Raises:
        PromptSetError: With the file, the line and what to do.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PromptSetError(f"{name}: larger than {MAX_BYTES // 2**20} MiB; split the set")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as ex:
        raise PromptSetError(f"{name}: cannot be read ({ex.strerror}); check its permissions") from ex
    except UnicodeDecodeError as ex:
        raise PromptSetError(f"{name}: not UTF-8 (byte {ex.start}); save the file as UTF-8") from ex
    match path.suffix.lower():
        case ".jsonl":
            return _jsonl(text, name)
        case ".json":
            return _json(text, name)
        case ".csv":
            return {}, _csv(text, name)
        case other:
            raise PromptSetError(f"{name}: unknown file type {other or '(none)'}; use .json, .jsonl or .csv")


def _csv(text: str, name: str) -> list[Any]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = list(reader)
    except csv.Error as ex:
        raise PromptSetError(f"{name}, line {reader.reader.line_num}: not valid CSV ({ex}); mend its quotes") from ex
    for n, row in enumerate(rows, 1):
        if None in row:
            raise PromptSetError(f"{name}, row {n}: more fields than columns; put quotes around texts with a comma")
    return rows


def _jsonl(text: str, name: str) -> tuple[Mapping[str, Any], list[Any]]:
    header: Mapping[str, Any] = {}
    rows: list[Any] = []
    for n, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as ex:
            raise PromptSetError(f"{name}, line {n}: not valid JSON; one object a line") from ex
        if not rows and not header and isinstance(row, dict) and "prompt_set" in row:
            header = row
        else:
            rows.append(row)
    return header, rows


def _json(text: str, name: str) -> tuple[Mapping[str, Any], list[Any]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as ex:
        line = f", line {ex.lineno}" if isinstance(ex, json.JSONDecodeError) else ""
        raise PromptSetError(f"{name}{line}: not valid JSON; was it cut short?") from ex
    if isinstance(data, dict) and isinstance(data.get("items"), list):
        return data, data["items"]
    if isinstance(data, list):
        return {}, data
    raise PromptSetError(f"{name}: expected a list of rows, or an object with `items`")


def _item(row: Any, where: str, n: int) -> Item:
    if not isinstance(row, dict):
        raise PromptSetError(f"{where}: not an object with a `prompt`")
    if "risk cluster" in row:
        row = _from_paper(row, where)
    return build_item(row, where, default_id=f"{n:04d}")


def _from_paper(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A row of the paper's layout in ours. It has no expectations, and most of its sources no clear licence."""
    cluster = row["risk cluster"]
    if not isinstance(cluster, str) or cluster not in PAPER_DOMAINS:
        raise PromptSetError(
            f"{where}: unknown risk cluster {str(cluster)[:60]!r}; use one of {', '.join(PAPER_DOMAINS)}"
        )
    return {
        "id": row.get("id"),
        "prompt": row.get("prompt"),
        "domain": PAPER_DOMAINS[cluster],
        "category": row.get("risk category"),
        "source": row.get("framework_name"),
    }

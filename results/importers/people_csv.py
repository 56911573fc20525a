"""Importer of people's ratings in tables: the project's own long layout, and spreadsheets with a mapping.

The long layout has a row a rating, in CSV, TSV or JSON lines: `run_id`, `item_id`, `rater`, `criterion`, `value`, and
`epoch` (1), `turn` (0), `repeat` (0) and `status` (unknown), which may be left out. A value is a number of the scale or
its label (Yes, No, a category). Rows that `rater_kind` says to be no person's are refused; other columns are ignored.
Any other table needs a mapping (`results.importers.people_mapping`).
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from results.importers.people_mapping import Column, CriterionColumn, Mapping, PersonColumn, Places
from results.importers.people_rows import (
    PeopleFile,
    PersonRating,
    RefusedRow,
    Row,
    file_name,
    read_file,
    read_rows,
    shown,
    text_of,
)
from results.importers.people_runs import Runs
from results.importers.psychosafe import ImportRefused

NEEDED: Final = ("run_id", "item_id", "rater", "criterion", "value")
OPTIONAL: Final = ("epoch", "turn", "repeat", "status", "rater_kind")


def read_csv(path: Path, runs: Runs, mapping: Mapping | None = None) -> PeopleFile:
    """Read a table of people's ratings.

    Args:
        path: The file: `.csv`, `.tsv` or `.jsonl`.
        runs: The runs of the store.
        mapping: Which column means what; None for the long layout.

    Raises:
        ImportRefused: The file cannot be read, or columns are missing.
        StoreError: The mapping names a run that is not there.
    """
    text, source = read_file(path, "csv")
    columns, rows = read_rows(text, path)
    name = file_name(path)
    if mapping is None:
        names = _long_columns(columns, name)
        entries = [r if isinstance(r, RefusedRow) else _long(r, names) for r in rows]
        return PeopleFile(source, tuple(entries))
    if not (mapping.criteria or mapping.columns):
        raise ImportRefused(f"{name}: the mapping has neither criteria nor columns; say where the ratings are")
    missing = [c for c in mapping.needed if c not in columns]
    if missing:
        raise ImportRefused(f"{name}: no column {', '.join(map(shown, missing[:5]))}; the mapping names it")
    places = Places(mapping, runs)
    return PeopleFile(source, tuple(e for row in rows for e in _wide(row, mapping, places)))


def _long_columns(columns: tuple[str, ...], name: str) -> dict[str, str]:
    """The file's own spelling of each column: capitals, blanks and hyphens are forgiven, misspelt names are not."""
    names: dict[str, str] = {}
    for column in columns:
        plain = "_".join(column.strip().casefold().replace("-", " ").split())
        if plain in names:
            raise ImportRefused(f"{name}: the column {plain} stands twice; give each a name of its own")
        names[plain] = column
    missing = [c for c in NEEDED if c not in names]
    if missing:
        raise ImportRefused(
            f"{name}: no column {', '.join(missing)}; a row has {', '.join(NEEDED)}; any other layout needs --mapping"
        )
    for plain in names.keys() - {*NEEDED, *OPTIONAL}:
        like = get_close_matches(plain, [c for c in OPTIONAL if c not in names], 1, 0.75)
        if like:
            raise ImportRefused(f"{name}: the column {shown(plain)} looks like {like[0]}; write it so, or rename it")
    return names


def _long(row: Row, names: dict[str, str]) -> PersonRating | RefusedRow:
    where, cells = row

    def cell(column: str) -> Any:
        return cells.get(names[column]) if column in names else None

    kind = text_of(cell("rater_kind")).casefold()
    if kind not in ("", "human"):
        return RefusedRow(where, f"rater_kind is {shown(kind)}; only people's ratings are added")
    ids = {c: text_of(cell(c)) for c in ("run_id", "item_id", "rater", "criterion")}
    lacking = next((c for c, text in ids.items() if not text), None)
    if lacking is not None:
        return RefusedRow(where, f"no {lacking}")
    return PersonRating(
        where, ids["run_id"], ids["item_id"], ids["rater"], ids["criterion"], cell("value"), cell("status"),
        cell("epoch"), cell("turn"), cell("repeat"),
    )  # fmt: skip


def _wide(row: Row | RefusedRow, mapping: Mapping, places: Places) -> Iterator[PersonRating | RefusedRow]:
    if isinstance(row, RefusedRow):
        yield row
        return
    where, cells = row
    place = places.of(cells, where)
    if isinstance(place, RefusedRow):
        yield place
        return
    epoch, turn = (cells.get(c) if c is not None else None for c in (mapping.epoch, mapping.turn))
    rater = text_of(cells.get(mapping.rater.column)) if isinstance(mapping.rater, Column) else mapping.rater
    asked: list[tuple[str, str, str, CriterionColumn | PersonColumn]] = [
        (c.column, rater, name, c) for name, c in mapping.criteria.items()
    ]
    asked += [(column, c.rater, c.criterion, c) for column, c in mapping.columns.items()]
    for column, who, criterion, reader in asked:
        here = f"{where}, {shown(column)}"
        try:
            value, status = reader.read(cells.get(column))
        except ValueError as ex:
            yield RefusedRow(here, str(ex))
            continue
        yield PersonRating(here, *place, who, criterion, value, status, epoch, turn)

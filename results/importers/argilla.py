"""Importer of people's ratings from Argilla: records as JSON or JSON lines.

Three layouts are read:

- Argilla 2.x, `dataset.records.to_json` or `to_list()`: `responses: {question: [{value, user_id}]}`. As of 2.8.0 this
  export does not say whether a response was submitted, a draft, or discarded; where a `status` stands, it is read.
- Argilla 2.x, `to_list(flatten=True)`, which says so: `question.responses`, `question.responses.users` and
  `question.responses.status`. It is the one to use where people discard records.
- Argilla 1.x feedback records: `responses: [{user_id, status, values: {question: {value}}}]`.

Without a mapping, `run_id` and `item_id` (and `epoch`, `turn`) are metadata or fields of the record, and a question's
name is the criterion. A discarded response has the status `skipped`, with 1.x also where no question was answered; a
draft is refused. Suggestions are never read. People are named "annotator <user id>".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from results.importers.dates import dated
from results.importers.people_mapping import SKIPPED, Mapping, Places
from results.importers.people_rows import (
    PeopleFile,
    PersonRating,
    RefusedRow,
    Row,
    file_name,
    json_lines,
    read_file,
    read_json,
    shown,
    text_of,
)
from results.importers.people_runs import Runs
from results.importers.psychosafe import ImportRefused

FLAT: Final = ".responses"
_USER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


@dataclass(frozen=True)
class _Response:
    question: str | None
    """None where a record was discarded without an answer."""
    value: Any
    user: Any
    status: Any


def read_argilla(path: Path, runs: Runs, mapping: Mapping | None = None) -> PeopleFile:
    """Read an export of Argilla.

    Args:
        path: `.json` with a list of records, or `.jsonl`.
        runs: The runs of the store.
        mapping: Which field and which question means what.

    Raises:
        ImportRefused: It is no such export.
        StoreError: The mapping names a run that is not there.
    """
    text, source = read_file(path, "argilla")
    name = file_name(path)
    rows: list[Row | RefusedRow]
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        rows = list(json_lines(text, name))
    else:
        data = read_json(text, name)
        if not isinstance(data, list):
            raise ImportRefused(f"{name}: no list of records; export with `dataset.records.to_json`")
        rows = [
            (f"{name}, record {n}", r) if isinstance(r, dict) else RefusedRow(f"{name}, record {n}", "no JSON object")
            for n, r in enumerate(data, 1)
        ]
    reader = _Reader(mapping or Mapping(), runs)
    stamps = (row[1].get("updated_at") or row[1].get("inserted_at") for row in rows if not isinstance(row, RefusedRow))
    source = source.model_copy(update={"note": dated("argilla", stamps)})
    entries = [e for row in rows for e in ([row] if isinstance(row, RefusedRow) else reader.record(*row))]
    return PeopleFile(source, tuple(entries))


class _Reader:
    def __init__(self, mapping: Mapping, runs: Runs) -> None:
        self._mapping = mapping
        self._runs = runs
        self._places = Places(mapping, runs)
        self._questions = {c.column: (name, c) for name, c in mapping.criteria.items()}

    def record(self, where: str, record: dict[str, Any]) -> Iterator[PersonRating | RefusedRow]:
        try:
            responses = list(_responses(record))
        except ValueError as ex:
            yield RefusedRow(where, str(ex))
            return
        if not responses:
            return  # Nobody has rated it yet.
        parts = [record, *(record.get(k) for k in ("fields", "metadata"))]
        data = {k: v for part in parts if isinstance(part, dict) for k, v in part.items()}
        place = self._places.of(data, where)
        if isinstance(place, RefusedRow):
            yield place
            return
        m = self._mapping
        epoch, turn = data.get(m.epoch or "epoch"), data.get(m.turn or "turn")
        for r in responses:
            for criterion, here, value, status in self._asked(r, where, place[0]):
                user = text_of(r.user)
                if not _USER.fullmatch(user) or user == "None":
                    yield RefusedRow(here, "no `user_id`")
                elif isinstance(status, RefusedRow):
                    yield status
                else:
                    yield PersonRating(here, *place, f"annotator {user}", criterion, value, status, epoch, turn)

    def _asked(self, r: _Response, where: str, run_id: str) -> Iterator[tuple[str, str, Any, str | RefusedRow | None]]:
        """Criterion, place in the file, value and status of a response."""
        known = self._questions
        if r.question is None:
            run = self._runs.get(run_id)
            skipped = [name for name, _ in known.values()] or (run.rubric.criteria if run else ("",))
            yield from ((name, where, None, SKIPPED) for name in skipped)
            return
        if known and r.question not in known:
            return
        criterion, reader = known.get(r.question, (r.question, None))
        here = f"{where}, {r.question[:40]}"
        status = text_of(r.status).casefold()
        if status == "discarded":
            yield criterion, here, None, SKIPPED
        elif status == "draft":
            yield criterion, here, None, RefusedRow(here, "a draft; have it submitted, or leave it out")
        elif status not in ("", "submitted"):
            yield criterion, here, None, RefusedRow(here, f"the status {shown(r.status)} is none of Argilla's")
        else:
            value = r.value[0] if isinstance(r.value, list) and len(r.value) == 1 else r.value
            try:
                yield criterion, here, *(reader.read(value) if reader is not None else (value, None))
            except ValueError as ex:
                yield criterion, here, None, RefusedRow(here, str(ex))


def _responses(record: dict[str, Any]) -> Iterator[_Response]:
    """All responses of a record, whichever way it holds them.

    Raises:
        ValueError: None of them.
    """
    found = record.get("responses")
    flat = [k for k in record if k.endswith(FLAT)]
    if found is None and flat:
        for key in flat:
            columns = [record.get(key + part) for part in ("", ".users", ".status")]
            values, users, statuses = (c if isinstance(c, list) else [] for c in columns)
            if len(users) != len(values) or len(statuses) not in (0, len(values)):
                raise ValueError(f"{shown(key)} has not a user and a status for each value")
            for value, user, status in zip(values, users, statuses or [None] * len(values), strict=True):
                yield _Response(key.removesuffix(FLAT), value, user, status)
    elif isinstance(found, dict):
        for question, given in found.items():
            if not isinstance(given, list) or not all(isinstance(g, dict) for g in given):
                raise ValueError(f"the responses to {shown(question)} are no list of objects")
            yield from (_Response(question, g.get("value"), g.get("user_id"), g.get("status")) for g in given)
    elif isinstance(found, list) and all(isinstance(g, dict) for g in found):
        for g in found:
            said = g.get("values") or {}
            if not isinstance(said, dict):
                raise ValueError("the `values` of a response are no object")
            if not said and text_of(g.get("status")).casefold() == "discarded":
                yield _Response(None, None, g.get("user_id"), "discarded")
            for question, v in said.items():
                yield _Response(
                    question, v.get("value") if isinstance(v, dict) else v, g.get("user_id"), g.get("status")
                )
    else:
        raise ValueError("no `responses`")

"""Importer of people's ratings from Label Studio: the JSON export (not JSON-MIN), a list of annotated tasks.

Written after the task format that Label Studio documents for 1.x (2021 to 2026): a task has `data` and `annotations`;
an annotation has `completed_by` (a user's number, or an object with `id`), `was_cancelled`, and `result`, whose parts
of the types `choices`, `rating` and `number` are ratings, and whose other parts (texts, spans) are not read.
Predictions and drafts are never read. No run with the software itself was made.

Without a mapping, a task's data holds `run_id` and `item_id` (and `epoch`, `turn`), and a control's name is the
criterion. An annotation that was cancelled is a skipped one: each criterion gets the status `skipped`. People are
named "annotator <number>"; names and e-mail addresses are not kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from results.importers.dates import dated
from results.importers.people_mapping import SKIPPED, CriterionColumn, Mapping, Places
from results.importers.people_rows import PeopleFile, PersonRating, RefusedRow, file_name, read_file, read_json, text_of
from results.importers.people_runs import Runs
from results.importers.psychosafe import ImportRefused

TYPES: Final = ("choices", "rating", "number")


def read_label_studio(path: Path, runs: Runs, mapping: Mapping | None = None) -> PeopleFile:
    """Read an export of Label Studio.

    Args:
        path: The JSON file.
        runs: The runs of the store.
        mapping: Which field of a task and which control means what.

    Raises:
        ImportRefused: It is no such export.
        StoreError: The mapping names a run that is not there.
    """
    text, source = read_file(path, "label-studio")
    name = file_name(path)
    tasks = read_json(text, name)
    if not isinstance(tasks, list) or not tasks:
        raise ImportRefused(f"{name}: no list of tasks; export as JSON")
    if not any(isinstance(t, dict) and isinstance(t.get("annotations"), list) for t in tasks):
        raise ImportRefused(f"{name}: no task with `annotations`; export as JSON, not as JSON-MIN")
    reader = _Reader(mapping or Mapping(), runs)
    lists = (t.get("annotations") for t in tasks if isinstance(t, dict))
    done = (a for each in lists if isinstance(each, list) for a in each if isinstance(a, dict))
    source = source.model_copy(update={"note": dated("label-studio", (a.get("created_at") for a in done))})
    return PeopleFile(source, tuple(e for n, t in enumerate(tasks, 1) for e in reader.task(t, f"{name}, task {n}")))


class _Reader:
    def __init__(self, mapping: Mapping, runs: Runs) -> None:
        self._mapping = mapping
        self._runs = runs
        self._places = Places(mapping, runs)
        self._controls = {c.column: (name, c) for name, c in mapping.criteria.items()}

    def task(self, task: Any, where: str) -> Iterator[PersonRating | RefusedRow]:
        data = task.get("data") if isinstance(task, dict) else None
        done = task.get("annotations") if isinstance(task, dict) else None
        if not isinstance(data, dict) or not isinstance(done, list):
            yield RefusedRow(where, "no `data` and `annotations`")
            return
        if not done:
            return  # Nobody has rated it yet.
        place = self._places.of(data, where)
        if isinstance(place, RefusedRow):
            yield place
            return
        for n, annotation in enumerate(done, 1):
            yield from self._annotation(annotation, data, place, f"{where}, annotation {n}")

    def _annotation(
        self, annotation: Any, data: dict[str, Any], place: tuple[str, str], where: str
    ) -> Iterator[PersonRating | RefusedRow]:
        rater = _annotator(annotation.get("completed_by")) if isinstance(annotation, dict) else None
        if rater is None:
            yield RefusedRow(where, "no number of the annotator in `completed_by`")
            return
        m = self._mapping
        epoch, turn = data.get(m.epoch or "epoch"), data.get(m.turn or "turn")
        if annotation.get("was_cancelled"):
            for criterion in self._criteria(place[0]):
                yield PersonRating(where, *place, rater, criterion, None, SKIPPED, epoch, turn)
            return
        results = annotation.get("result")
        if not isinstance(results, list):
            yield RefusedRow(where, "no `result`")
            return
        for part in results:
            kind = part.get("type") if isinstance(part, dict) else None
            control = text_of(part.get("from_name")) if isinstance(part, dict) else ""
            if kind not in TYPES or (self._controls and control not in self._controls):
                continue
            criterion, reader = self._controls.get(control, (control, None))
            here = f"{where}, {control[:40]}"
            try:
                value, status = _read(part.get("value"), kind, reader)
            except ValueError as ex:
                yield RefusedRow(here, str(ex))
                continue
            yield PersonRating(here, *place, rater, criterion, value, status, epoch, turn)

    def _criteria(self, run_id: str) -> tuple[str, ...]:
        """What a person skipped; one empty name where the run is unknown, so that it is said once."""
        if self._controls:
            return tuple(name for name, _ in self._controls.values())
        run = self._runs.get(run_id)
        return run.rubric.criteria if run is not None else ("",)


def _read(value: Any, kind: str, reader: CriterionColumn | None) -> tuple[Any, str | None]:
    raw = value.get(kind) if isinstance(value, dict) else None
    if kind == "choices":
        chosen = [raw] if isinstance(raw, str) else raw
        if not isinstance(chosen, list) or len(chosen) > 1:
            raise ValueError("more than one choice, or none that can be read")
        raw = chosen[0] if chosen else None
    return reader.read(raw) if reader is not None else (raw, None)


def _annotator(raw: Any) -> str | None:
    number = raw.get("id") if isinstance(raw, dict) else raw
    return f"annotator {number}" if isinstance(number, int) and not isinstance(number, bool) else None

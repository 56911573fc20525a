"""People's ratings in tables and in exports of annotation tools: each row is checked, the file added or refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from results.importers.argilla import read_argilla
from results.importers.label_studio import read_label_studio
from results.importers.people import add_people
from results.importers.people_csv import read_csv
from results.importers.people_mapping import Mapping, read_mapping
from results.importers.people_rows import PeopleFile, RefusedRow
from results.importers.people_runs import Runs
from results.importers.psychosafe import ImportRefused
from results.importers.psychosafe_humans import read_annotated
from results.store import Store, StoreError
from tests.fuzz.common import fuzzed, lay, settle
from tests.fuzz.edits import as_csv, as_json, as_yaml, edited, edited_text, file_bytes, rows_of
from tests.support.people import CRITERIA, PROMPTS, answer, import_judgments, judgments, people_rows

MAPPING: Final[dict[str, Any]] = {
    "run": "v0", "prompt": "Question", "rater": {"column": "Name"}, "epoch": "Epoch",
    "criteria": {"refusal": {"column": "Refused?", "values": {"yes": "1", "no": "0", "n/a": "skipped"}},
                 "grounding": {"column": "Grounding"}},
}  # fmt: skip
COLUMNS: Final[dict[str, Any]] = {
    "run": {"column": "Run"},
    "item": "ID",
    "columns": {"Anna: refusal": {"rater": "Anna", "criterion": "refusal"}},
}
USER: Final = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
_HERE: dict[str, Any] = {}


@pytest.fixture(scope="module", autouse=True)
def _store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("people")
    made(folder)
    yield
    _HERE.clear()


def made(folder: Path) -> None:
    """Two runs in a store, and the file that they came from."""
    store = Store(folder / "store")
    path = judgments(folder)
    ids = import_judgments(store, path)
    items = [Runs(store).items_of(ids["v0"], prompt)[0] for prompt in PROMPTS]
    _HERE.update(store=store, ids=ids, items=items, answers=path, mapping=Mapping.model_validate(MAPPING))


def _long(run: str, items: list[str]) -> list[dict[str, Any]]:
    return [
        {"run_id": run, "item_id": item, "rater": "Anna", "criterion": c, "value": 1, "epoch": 1, "status": "ok"}
        for item in items
        for c in CRITERIA[:2]
    ]


def _wide() -> list[dict[str, Any]]:
    return [{"Question": p, "Name": "Bo", "Refused?": "Yes", "Grounding": 3, "Epoch": 1} for p in PROMPTS]


def _tasks(run: str, items: list[str]) -> list[dict[str, Any]]:
    part = {"from_name": "refusal", "type": "choices", "value": {"choices": ["Yes"]}}
    rating = {"from_name": "grounding", "type": "rating", "value": {"rating": 4}}
    done = {"completed_by": {"id": 3}, "created_at": "2026-01-02T03:04:05Z", "result": [part, rating]}
    return [
        {"data": {"run_id": run, "item_id": i}, "annotations": [done, {"completed_by": 4, "was_cancelled": True}]}
        for i in items
    ]


def _records(run: str, items: list[str]) -> list[dict[str, Any]]:
    told = {"metadata": {"run_id": run, "item_id": items[0]}, "inserted_at": "2026-01-02"}
    one = {"user_id": USER, "status": "submitted", "values": {"refusal": {"value": "Yes"}}}
    return [
        told | {"responses": {"refusal": [{"value": "Yes", "user_id": USER}]}},
        told | {"refusal.responses": ["Yes"], "refusal.responses.users": [USER], "refusal.responses.status": ["draft"]},
        told | {"responses": [one, {"user_id": USER, "status": "discarded", "values": {}}]},
    ]


def _pairs() -> dict[str, Any]:
    values = {f"criterion_{n}": v for n, v in enumerate(("Yes", 3, "No", 4), 1)}
    pairs = [
        {
            "pair_id": f"p{n}",
            **{s: {"prompt": p, "answer": answer(r, n), **values} for s, r in (("a", "v0"), ("b", "v1"))},
        }
        for n, p in enumerate(PROMPTS)
    ]
    return {"paired_responses": pairs}


@fuzzed("people")
def test_people(chance: Random, edits: int, place: Path) -> None:
    store, run, items = _HERE["store"], _HERE["ids"]["v0"], _HERE["items"]
    runs = Runs(store)
    kind = chance.choice(("long", "lines", "wide", "tasks", "records", "pairs", "trace"))
    data: Any = {"tasks": _tasks, "records": _records, "long": _long, "lines": _long}.get(kind, lambda *_: None)(
        run, items
    )
    read: Any
    if kind in ("long", "wide"):
        rows = data or _wide()
        text, name = as_csv(rows_of(edited(rows, chance, edits), rows)), "t.csv"
        mapping = _HERE["mapping"] if kind == "wide" else None
        read = lambda: read_csv(path, runs, mapping)  # noqa: E731
    elif kind == "lines":
        text, name = "\n".join(as_json(r, chance) for r in rows_of(edited(data, chance, edits), data)), "t.jsonl"
        read = lambda: read_csv(path, runs)  # noqa: E731
    elif kind in ("tasks", "records"):
        text, name = as_json(edited(data, chance, edits), chance), "t.json"
        reader = read_label_studio if kind == "tasks" else read_argilla
        read = lambda: reader(path, runs)  # noqa: E731
    elif kind == "pairs":
        text, name = as_json(edited(_pairs(), chance, edits), chance), "t.json"
        read = lambda: read_annotated(path, runs, "Anna", answers=_HERE["answers"])  # noqa: E731
    else:
        text, name = as_json(_pairs(), chance), "t.json"
        told = edited({f"p{n}": {"a": "v0", "b": "v1"} for n in range(len(PROMPTS))}, chance, edits)
        trace = lay(place, "trace.json", file_bytes(as_json(told, chance), chance, edits))
        read = lambda: read_annotated(path, runs, "Anna", trace=trace)  # noqa: E731
    if chance.random() < 0.2:
        text = edited_text(text, chance, edits)
    path = lay(place, name, file_bytes(text, chance, edits))
    found = settle(read, ImportRefused, StoreError)
    if found is not None:
        _added(found, store, place, chance)


def _added(found: PeopleFile, store: Store, place: Path, chance: Random) -> None:
    """Every row is one that can be added, or says in a line why not; now and then they are added."""
    for entry in found.entries:
        if isinstance(entry, RefusedRow):
            assert str(entry).isprintable() and len(str(entry)) < 1_000
    if chance.random() > 0.1:
        return
    copy = place / "store"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(store.root, copy)
    done = settle(lambda: add_people(Store(copy), [found], keep_good=chance.random() < 0.5), ImportRefused, StoreError)
    new = sum(r.new for r in done.runs) if done is not None else 0
    assert len(people_rows(Store(copy))) == new
    assert all(str(r).isprintable() and len(str(r)) < 1_000 for r in (done.refused if done else ()))


@fuzzed("mapping")
def test_mapping(chance: Random, edits: int, place: Path) -> None:
    told = chance.choice((MAPPING, COLUMNS))
    path = lay(place, "m.yaml", file_bytes(as_yaml(edited(told, chance, edits), chance, edits), chance, edits))
    mapping = settle(lambda: read_mapping(path), ImportRefused)
    if mapping is not None:
        table = lay(place, "t.csv", as_csv(_wide()))
        settle(lambda: read_csv(table, Runs(_HERE["store"]), mapping), ImportRefused, StoreError)

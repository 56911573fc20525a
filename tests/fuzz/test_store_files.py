"""The store's own files, and logs, with something wrong in them: what cannot be read is named, no more."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from evals.psychosafe import psychosafe
from results.catalogue import DERIVED
from results.logs.archive import HEADER, SUMMARIES, NoArchive
from results.logs.files import log_file
from results.logs.panels import read_runs
from results.logs.reading import LogError
from results.manifest import Manifest
from results.schema import PANEL_RATER
from results.store import Store, StoreError
from tests.e2e.conftest import ITEMS, run_task, write_items
from tests.fuzz.common import fuzzed, settle, shown
from tests.fuzz.edits import as_json, edited, edited_bytes, edited_text
from tests.support.people import import_judgments, judgments

_HERE: dict[str, Any] = {}


@pytest.fixture(scope="module", autouse=True)
def _store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    made(tmp_path_factory.mktemp("store"))
    yield
    _HERE.clear()


def made(folder: Path) -> None:
    """Two runs in a store, and the header and the summaries of a log."""
    store = Store(folder / "store")
    import_judgments(store, judgments(folder))
    assert len(list(store.manifests())) == 2
    _HERE.update(root=store.root, ids=store.run_ids())
    log = run_task(psychosafe(prompts=str(write_items(folder, ITEMS[:2]))), "policy/blunt", folder)
    with log_file(log.location).archive() as archive:
        _HERE["log"] = {name: archive.json(name) for name in (HEADER, SUMMARIES)}


@fuzzed("store")
def test_store(chance: Random, edits: int, place: Path) -> None:
    root = place / "store"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(_HERE["root"], root)
    run = chance.choice(_HERE["ids"])
    files = [p for p in sorted((root / "runs" / run).rglob("*")) if p.is_file()]
    files += sorted((root / DERIVED).glob("*.json"))
    for path in chance.sample(files, min(len(files), 1 + (edits > 3))):
        raw = path.read_bytes()
        if path.suffix == ".json" and chance.random() < 0.8:
            raw = as_json(edited(json.loads(raw), chance, edits), chance).encode("utf-8", "surrogatepass")
        else:
            raw = edited_bytes(raw, chance, edits)
        shown(path.name)
        shown(raw)
        path.write_bytes(raw)
    store = Store(root)
    other = next(r for r in _HERE["ids"] if r != run)
    assert settle(store.run_ids) == _HERE["ids"]
    # A damaged catalogue may not cost a run; a damaged run does not cost the other one.
    assert settle(lambda: store.manifest(other), StoreError) is not None
    settle(store.damaged)
    for manifest in settle(lambda: list(store.manifests())):
        settle(lambda m=manifest: store.own_ratings(m), StoreError)
        settle(lambda m=manifest: store.values(m.run_id, PANEL_RATER), StoreError)
        settle(lambda m=manifest: store.figures(m.run_id), StoreError)
        assert settle(lambda m=manifest: m.to_json().encode())
    assert settle(lambda: store.values(other, PANEL_RATER))


@fuzzed("log")
def test_log(chance: Random, edits: int, place: Path) -> None:
    path = place / "2026-01-01T00-00-00_psychosafe_a.eval"
    told = edited(_HERE["log"], chance, edits)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (told if isinstance(told, dict) else {}).items():
            text = edited_text(as_json(data, chance), chance, edits // 4)
            shown(text)
            archive.writestr(ascii(name)[1:60].strip("'") or "x", text.encode("utf-8", "surrogatepass"))
    if chance.random() < 0.3:
        path.write_bytes(edited_bytes(path.read_bytes(), chance, edits))
    for manifest, ratings in settle(lambda: read_runs(log_file(path)), LogError, NoArchive) or ():
        assert isinstance(manifest, Manifest) and isinstance(ratings, pa.Table)

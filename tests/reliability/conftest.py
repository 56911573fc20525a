"""What the fault tests share: a few finished logs of reference policies, and a store of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evals.psychosafe import psychosafe
from results.ingest import ingest
from results.store import Store
from tests.e2e.conftest import run_task, write_items
from tests.support.logs import copy_log

MANY = 24


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished log."""
    folder = tmp_path_factory.mktemp("source")
    log = run_task(psychosafe(prompts=str(write_items(folder))), "policy/keyword", folder / "logs")
    assert log.status == "success"
    return Path(log.location.removeprefix("file://"))


@pytest.fixture(scope="session")
def logs(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of logs, each a run of its own: enough that an ingest takes a while."""
    folder = tmp_path_factory.mktemp("logs")
    for n in range(MANY):
        copy_log(source, folder / f"{n:02d}.eval", f"copy{n:02d}")
    return folder


@pytest.fixture(scope="session")
def ingested(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of all of them; to be copied before it is changed."""
    store = Store(tmp_path_factory.mktemp("ingested") / "store")
    assert not ingest(store, [logs], texts=True, figures=True, workers=1).refused
    return store


@pytest.fixture
def store(ingested: Store, tmp_path: Path) -> Store:
    """A copy of that store."""
    shutil.copytree(ingested.root, tmp_path / "store", ignore=shutil.ignore_patterns("derived"))
    return Store(tmp_path / "store")

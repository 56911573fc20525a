"""Imports where the machine fails: runs are in the store whole or not at all, and the same command brings the rest."""

from __future__ import annotations

import csv
import os
from functools import partial
from pathlib import Path

import pytest

from results.store import Store
from tests.support.faults import (
    command,
    contents,
    good,
    inside,
    jumping_clock,
    killed_when,
    one_line,
    read_only,
    small_disk,
    start,
)
from tests.support.people import import_judgments, judgments

pytestmark = pytest.mark.process
FILES = 12


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Judgment files of two runs each."""
    folder = tmp_path_factory.mktemp("judgments")
    return [judgments(folder, f"compare_all_judges_{n}.json", prompts=n) for n in range(FILES)]


@pytest.fixture(scope="module")
def whole(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an import leaves in the store that nothing comes in the way of."""
    root = tmp_path_factory.mktemp("whole") / "store"
    good(command("import", "psychosafe", *files, "--store", root))
    made = contents(root / "runs")
    assert len(made) == 2 * 2 * FILES
    return made


def import_all(files: list[Path], root: Path) -> list[object]:
    return ["import", "psychosafe", *files, "--store", root]


def partly(root: Path, whole: dict[str, bytes]) -> int:
    """How many runs are in a store; each is whole, and the same as without the fault."""
    store = Store(root)
    assert store.damaged() == {}
    for run_id in store.run_ids():
        for name in (n for n in whole if n.startswith(run_id)):
            assert contents(root / "runs")[name] == whole[name]
    return len(store.run_ids())


def _there(root: Path, runs: int) -> bool:
    return len(list(root.glob("runs/*/run.json"))) >= runs


@pytest.mark.slow
def test_killed(files: list[Path], whole: dict[str, bytes], tmp_path: Path) -> None:
    """At whatever moment: what is there is whole, and the same command again brings the rest."""
    root = tmp_path / "store"
    cut_short = 0
    for runs in (1, 7, 15):
        process = start(*import_all(files, root))
        killed_when(process, partial(_there, root, runs))
        cut_short += 0 < partly(root, whole) < 2 * FILES
    assert cut_short, "the kills came too late to mean anything"
    good(command(*import_all(files, root)))
    assert contents(root / "runs") == whole


@pytest.mark.slow
def test_disk_full(files: list[Path], whole: dict[str, bytes], tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        root = disk.path / "store"
        one_line(command(*import_all(files, root)), "cannot write to the store", "No space left")
        assert 0 < partly(root, whole) < 2 * FILES
        disk.grow()
        good(command(*import_all(files, root)))
        assert contents(root / "runs") == whole


@pytest.mark.slow
def test_people_on_a_full_disk_are_added_whole_or_not_at_all(tmp_path: Path) -> None:
    """Ratings of two runs, and room for those of one: neither has any, until there is room for both."""
    with small_disk(tmp_path / "disk", "1m") as disk:
        store = Store(disk.path / "store")
        ids = import_judgments(store, judgments(tmp_path))
        rows = [(r, i.id, f"person {n}", "grounding", 1 + n % 5)
                for r in ids.values() for i in store.manifest(r).items for n in range(300)]  # fmt: skip
        path = tmp_path / "people.csv"
        with path.open("w", newline="") as out:
            csv.writer(out).writerows([("run_id", "item_id", "rater", "criterion", "value"), *rows])
        ask = ["import", "csv", path, "--store", store.root]
        disk.fill(left=8192)
        before = contents(store.root / "runs")
        one_line(command(*ask), "cannot write to the store", "No space left")
        assert contents(store.root / "runs") == before
        disk.grow()
        said = good(command(*ask))
        assert said.count("900 ratings") == 2, said


def test_read_only_folder(files: list[Path], tmp_path: Path) -> None:
    root = tmp_path / "store"
    with read_only(root):
        one_line(inside(*import_all(files, root)), "cannot write to the store")
    assert contents(root) == {}


@pytest.mark.slow
def test_clock_jump(files: list[Path], whole: dict[str, bytes], tmp_path: Path) -> None:
    """No time of day is in what an import writes."""
    clock = jumping_clock(tmp_path / "clock")
    good(command(*import_all(files[:6], tmp_path / "store"), env=clock.env))
    clock.jump()
    said = good(command(*import_all(files, tmp_path / "store"), env=clock.env))
    assert said.count("unchanged") == 12 and contents(tmp_path / "store/runs") == whole


@pytest.mark.slow
def test_two_processes_at_once(files: list[Path], whole: dict[str, bytes], tmp_path: Path) -> None:
    """One from the front and one from the back: each run is written once."""
    root = tmp_path / "store"
    both = [start(*import_all(files, root)), start(*import_all(files[::-1], root))]
    said = [p.communicate(timeout=120) for p in both]
    assert [p.returncode for p in both] == [0, 0], said
    assert sum(out.count("imported ") for out, _ in said) == 2 * FILES
    assert contents(root / "runs") == whole


def test_a_damaged_file_of_ratings_is_named_with_what_brings_it_back(tmp_path: Path) -> None:
    """People's ratings of a run that cannot be read: an import says which file, and goes on without it."""
    store = Store(tmp_path / "store")
    (run_id, *_) = import_judgments(store, judgments(tmp_path)).values()
    item = store.manifest(run_id).items[0].id
    for who in ("Anna", "Ben"):
        path = tmp_path / f"{who}.csv"
        path.write_text(f"run_id,item_id,rater,criterion,value\n{run_id},{item},{who},grounding,4\n")
    ask = ["import", "csv", tmp_path / "Ben.csv", "--store", store.root]
    good(inside("import", "csv", tmp_path / "Anna.csv", "--store", store.root))
    (added,) = store.root.glob("runs/*/added/*.parquet")
    added.write_bytes(added.read_bytes()[: os.stat(added).st_size // 2])
    one_line(inside(*ask), f"added/{added.name} of {run_id} cannot be read; remove that file")
    added.unlink()
    good(inside(*ask))
    good(inside("import", "csv", tmp_path / "Anna.csv", "--store", store.root))

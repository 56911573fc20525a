"""Bringing logs into the store where the machine fails; what a kill does to it is in `test_store_growth`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from results.store import Store
from tests.reliability.conftest import MANY
from tests.support.faults import command, contents, good, inside, jumping_clock, one_line, read_only, small_disk
from tests.support.s3 import s3_bucket

pytestmark = pytest.mark.process


def ingest(logs: object, root: Path, *more: object) -> list[object]:
    return ["ingest", logs, "--store", root, *more]


@pytest.mark.slow
def test_disk_full(logs: Path, ingested: Store, tmp_path: Path) -> None:
    """Some runs are in, whole; with room again the others follow, and the store is as if nothing had been."""
    whole = contents(ingested.runs_dir)
    with small_disk(tmp_path / "disk", "160k") as disk:
        root = disk.path / "store"
        one_line(command(*ingest(logs, root)), "cannot write to the store", "No space left")
        store = Store(root)
        assert 0 < len(store.run_ids()) < MANY and store.damaged() == {}
        good(command("runs", "--store", root))
        disk.grow()
        good(command(*ingest(logs, root)))
        assert contents(Store(root).runs_dir) == whole


@pytest.mark.slow
def test_read_only_folder(logs: Path, store: Store, tmp_path: Path) -> None:
    """Refused in one line; what is in the store can be read, compared and shown."""
    shutil.rmtree(store.runs_dir / store.run_ids()[-1])
    before = contents(store.root)
    with read_only(store.root):
        one_line(command(*ingest(logs, store.root)), "cannot write to the store")
        assert good(command("runs", "--store", store.root, "--json")).count('"run_id"') == MANY - 1
        page = tmp_path / "board.html"
        good(command("leaderboard", "--store", store.root, "--export", page))
        assert page.stat().st_size > 10**6
    assert contents(store.root) == before
    assert "ingested" in good(command(*ingest(logs, store.root)))


@pytest.mark.slow
def test_damaged_figures_are_made_again(logs: Path, store: Store, tmp_path: Path) -> None:
    """The page says which, and to ingest its log again; which mends it."""
    path = next(store.runs_dir.glob("*/figures.parquet"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    ask = ["leaderboard", "--store", store.root, "--export", tmp_path / "board.html"]
    one_line(inside(*ask), f"the figures of '{path.parent.name}' cannot be read; ingest its log again")
    good(inside(*ingest(logs, store.root)))
    assert path.read_bytes() == whole
    good(inside(*ask))


@pytest.mark.slow
def test_clock_jump(logs: Path, tmp_path: Path) -> None:
    """A log that was changed after the clock went back is older than what is in the store, and is read all the same."""
    clock = jumping_clock(tmp_path / "clock")
    folder, root = tmp_path / "logs", tmp_path / "store"
    shutil.copytree(logs, folder)
    good(command(*ingest(folder, root), env=clock.env))
    before = contents(root / "runs")
    clock.jump()
    # Written anew by another program at the earlier time, with another content.
    shutil.copyfile(folder / "01.eval", folder / "00.eval")
    past = os.stat(folder / "01.eval").st_mtime - 2 * 86400
    os.utime(folder / "00.eval", (past, past))
    said = good(command(*ingest(folder, root), env=clock.env))
    # It is another run's log now, from another place: nothing new, and the run that came from there stays.
    assert f"unchanged {MANY}" in said and "ingested" not in said, said
    assert contents(root / "runs").keys() == before.keys()
    assert len(Store(root).run_ids()) == MANY and Store(root).damaged() == {}


@pytest.mark.slow
@pytest.mark.socket
def test_network_gone(logs: Path, tmp_path: Path) -> None:
    """A bucket that does not answer: one line, the local logs go in, and what was in the store stays."""
    root = tmp_path / "store"
    with s3_bucket() as bucket:
        import fsspec

        fsspec.filesystem("s3").put(str(logs / "00.eval"), f"{bucket}/logs/00.eval")
        good(command(*ingest(f"{bucket}/logs", root)))
        address = os.environ["AWS_ENDPOINT_URL"]
        keys = {k: v for k, v in os.environ.items() if k.startswith("AWS_")}
    before = contents(root / "runs")
    gone = command(*ingest(f"{bucket}/logs", root), logs / "01.eval", env={**keys, "AWS_ENDPOINT_URL": address})
    assert gone.returncode == 1 and "Traceback" not in gone.stderr, gone.stderr
    (line,) = [text for text in gone.stderr.splitlines() if text.strip()]
    assert line.startswith(f"left out  {bucket}/logs: "), gone.stderr
    assert gone.stdout.count("ingested") == 1
    assert before.items() <= contents(root / "runs").items()

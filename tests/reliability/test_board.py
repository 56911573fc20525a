"""The board's server where the machine fails; stores that change or break while pages are open have tests of their own.

It keeps nothing but what can be made again, so there is nothing to lose: what counts is that it answers.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from results.store import Store
from tests.support.browser import free_port
from tests.support.faults import contents, good, inside, read_only, small_disk, start
from tests.support.made_runs import demo_like, system

pytestmark = pytest.mark.process


@pytest.mark.slow
def test_read_only_store_and_full_disk(tmp_path: Path) -> None:
    """A store on a disk that is full, or closed, is read and shown, only more slowly."""
    with small_disk(tmp_path / "disk", "4m") as disk:
        store = demo_like(disk.path)
        disk.fill()
        good(inside("leaderboard", "--store", store.root, "--export", tmp_path / "full.html"))
        assert not any(p.name.startswith((".draft", "cube")) for p in store.root.rglob("*"))
        (disk.path / "of-somebody-else").unlink()
        before = contents(store.runs_dir)
        with read_only(store.root):
            good(inside("leaderboard", "--store", store.root, "--export", tmp_path / "closed.html"))
        good(inside("leaderboard", "--store", store.root, "--export", tmp_path / "free.html"))
        pages = {(tmp_path / f"{name}.html").read_bytes() for name in ("full", "closed", "free")}
        assert len(pages) == 1 and contents(store.runs_dir) == before


@pytest.mark.slow
def test_clock_jump(tmp_path: Path) -> None:
    """A run whose files are two days older than those that are there is new all the same."""
    store = demo_like(tmp_path)
    good(inside("leaderboard", "--store", store.root, "--export", tmp_path / "one.html"))
    run = system(store, "vendor/of-the-past", "baseline", 0.6, 0.6, 9)
    past = time.time() - 2 * 86400
    for path in store.runs_dir.rglob("*"):
        if "of-the-past" in path.parts[-1] or "of-the-past" in path.parts[-2]:
            os.utime(path, (past, past))
    good(inside("leaderboard", "--store", store.root, "--export", tmp_path / "two.html"))
    assert "vendor/of-the-past" in (tmp_path / "two.html").read_text()
    shown = good(inside("runs", "--store", Store(store.root).root, "--json"))
    assert "vendor/of-the-past" in shown and run is not None


def _answers(port: int, process: subprocess.Popen[str]) -> bool:
    for _ in range(300):
        if process.poll() is not None:
            return False
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as said:
                return bool(said.read() == b"ok")
        except OSError:
            time.sleep(0.2)
    return False


@pytest.mark.slow
@pytest.mark.socket
def test_killed_and_started_again_and_two_on_one_port(tmp_path: Path) -> None:
    """The store is as before a kill, the next start answers; a second server on the port ends and says why."""
    store = demo_like(tmp_path)
    before = contents(store.runs_dir)
    port = free_port()
    ask = ["leaderboard", "--store", store.root, "--port", port]
    first = start(*ask)
    assert _answers(port, first)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert contents(store.runs_dir) == before
    again = start(*ask)
    try:
        assert _answers(port, again)
        second = start(*ask)
        out, err = second.communicate(timeout=120)
        assert second.returncode == 1 and "not available" in out + err and "Traceback" not in err, (out, err)
        assert again.poll() is None and _answers(port, again)
    finally:
        os.killpg(again.pid, signal.SIGKILL)
        again.communicate()

"""Exports where the machine fails: the file that was there before, or the new one; never part of one."""

from __future__ import annotations

import shutil
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
from tests.support.made_runs import demo_like

pytestmark = pytest.mark.process
OLD = "the page of last week"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a few systems."""
    return demo_like(tmp_path_factory.mktemp("board"))


def export(store: Store, page: Path) -> list[object]:
    return ["leaderboard", "--store", store.root, "--export", page]


def is_whole(page: Path) -> bool:
    text = page.read_text(encoding="utf-8")
    return text.startswith("<!") and text.rstrip().endswith("</html>")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_tables_into_a_full_disk(board: Store) -> None:
    """What goes to the output and has no room: status 1 and one line."""
    base = board.run_ids()[0]
    with open("/dev/full", "w") as full:
        done = command("runs", "--store", board.root, "--format", "csv", stdout=full)
        one_line(done, "the output cannot be written: No space left", "make room, or send it elsewhere")
        done = command("compare", "--baseline", base, "--store", board.root, "--format", "latex", stdout=full)
        one_line(done, "the output cannot be written")
        for asked in (["--help"], ["runs", "--help"], ["--version"]):
            one_line(command(*asked, stdout=full), "the output cannot be written")


@pytest.mark.slow
def test_killed(board: Store, tmp_path: Path) -> None:
    """At any moment of it: the page that was there before is there, or the new one."""
    page = tmp_path / "board.html"
    page.write_text(OLD)
    draft = lambda: any(p.name.startswith(".board.html") for p in tmp_path.iterdir())  # noqa: E731
    killed_when(start(*export(board, page)), draft)
    assert page.read_text() == OLD or is_whole(page)
    good(command(*export(board, page)))
    assert is_whole(page)


@pytest.mark.slow
def test_disk_full(board: Store, tmp_path: Path) -> None:
    """The page and the report that were there before stay; with room again the same command writes the new one."""
    base = board.run_ids()[0]
    with small_disk(tmp_path / "disk", "400k") as disk:
        page, report = disk.path / "board.html", disk.path / "report.html"
        page.write_text(OLD)
        report.write_text(OLD)
        one_line(command(*export(board, page)), "cannot write", "No space left", "choose another place")
        disk.fill()
        ask = ["report", "--baseline", base, "--store", board.root, "-o", report]
        one_line(command(*ask), "cannot write", "No space left")
        assert page.read_text() == report.read_text() == OLD
        assert sorted(p.name for p in disk.path.iterdir()) == ["board.html", "of-somebody-else", "report.html"]
        disk.grow()
        good(command(*export(board, page)))
        good(command(*ask))
        assert is_whole(page) and is_whole(report)


@pytest.mark.slow
def test_read_only_folder(board: Store, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "board.html").write_text(OLD)
    with read_only(folder):
        one_line(command(*export(board, folder / "board.html")), "cannot write", "choose another place")
    assert contents(folder) == {"board.html": OLD.encode()}


@pytest.mark.slow
def test_clock_jump(board: Store, tmp_path: Path) -> None:
    """The page of a store is the same at any time of day."""
    clock = jumping_clock(tmp_path / "clock")
    good(command(*export(board, tmp_path / "one.html"), env=clock.env))
    clock.jump()
    good(command(*export(board, tmp_path / "two.html"), env=clock.env))
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


@pytest.mark.slow
def test_two_processes_at_once(board: Store, tmp_path: Path) -> None:
    """Into one file: it is whole, and nothing lies beside it."""
    page = tmp_path / "board.html"
    both = [start(*export(board, page)) for _ in range(2)]
    said = [p.communicate(timeout=240) for p in both]
    assert [p.returncode for p in both] == [0, 0], said
    assert is_whole(page) and [p.name for p in tmp_path.iterdir()] == ["board.html"]


def test_damaged_files_that_can_be_made_again_are(board: Store, tmp_path: Path) -> None:
    """Every derived file cut, or with a broken middle: the page is the same, and the files are whole again."""
    shutil.copytree(board.root, tmp_path / "store")
    store, page = Store(tmp_path / "store"), tmp_path / "board.html"
    good(inside(*export(store, page)))
    before = page.read_bytes()
    made = contents(store.root / "derived")
    assert {n.split("-")[0] for n in made} >= {"beside", "catalogue", "cube", "repeats"}
    for n, (name, raw) in enumerate(made.items()):
        broken = bytearray(raw)
        broken[len(raw) // 4 : len(raw) // 2] = b"\xff" * (len(raw) // 2 - len(raw) // 4)
        (store.root / "derived" / name).write_bytes(raw[: len(raw) // 2] if n % 2 else bytes(broken))
    good(inside(*export(store, page)))
    assert page.read_bytes() == before
    # A catalogue that cannot be read is done without until there is another run.
    again = contents(store.root / "derived")
    assert {n: raw for n, raw in again.items() if not n.startswith("catalogue")} == {
        n: raw for n, raw in made.items() if not n.startswith("catalogue")
    }

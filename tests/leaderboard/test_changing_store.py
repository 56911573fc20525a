"""Stores that change while pages are open: what is new is picked up, what is broken is named, half a run is no run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from leaderboard.views.moment import moment
from results.manifest import Manifest
from results.store import ENV_STORE, Store, StoreError
from tests.leaderboard.page_states import N, a_run, verdicts
from tests.leaderboard.test_page_states import MODULES, _no_gaps, check_figures, opened, said
from tests.support.board_writer import write
from tests.support.transcripts import dialogue_run

PLAYS: list[tuple[str, int | None]] = [("ooAA", 3), ("onH", 2), ("Aod", 2)]


def _runs(module: str) -> Callable[[Store, str, int], Manifest]:
    """What writes a run that a page has something to say of."""
    if module == "dialogues":
        return lambda store, model, _: dialogue_run(store, PLAYS, model)
    return lambda store, model, seed: a_run(store, model, verdicts(seed), [0.1 * seed + 0.05 * k for k in range(N)])


def _damage(path: Path) -> None:
    """Leave a Parquet file's footer whole and its data broken."""
    raw = bytearray(path.read_bytes())
    raw[4 : len(raw) // 3] = b"\xff" * (len(raw) // 3 - 4)
    path.write_bytes(bytes(raw))


@pytest.mark.parametrize("module", MODULES)
def test_new_runs_show_and_broken_ones_are_named(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same page through it all: two runs, a third, then the third with a broken file, each way."""
    store, make = Store(tmp_path), _runs(module)
    for seed, model in enumerate(("m/first", "m/second")):
        make(store, model, seed)
    at = opened(tmp_path, module, monkeypatch)
    assert not at.exception and not at.error and not _mentions(at, "m/third", "no id")
    run = make(store, "m/third", 2)
    at.run()
    assert not at.exception and not at.error and _mentions(at, "m/third", run.run_id)
    check_figures(at)
    folder = store.runs_dir / run.run_id
    (ratings,) = folder.glob("ratings-*.parquet")
    whole = {p: p.read_bytes() for p in (ratings, folder / "run.json")}
    for damage in (lambda: ratings.write_bytes(whole[ratings][:100]), lambda: _damage(ratings),
                   lambda: (folder / "run.json").write_text("{")):  # fmt: skip
        damage()
        # The manifest names its ratings by what they say: whoever changes them has touched it too, or the disk lies.
        os.utime(folder / "run.json")
        for path in (store.root / "derived").glob("cube-*"):
            path.unlink()
        at.run()
        assert not at.exception
        assert "left out of everything below" in at.error[0].value and run.run_id in at.code[0].value
        assert not _mentions(at, "m/third", run.run_id, but=at.code[0].value)
        check_figures(at)
        for path, raw in whole.items():
            path.write_bytes(raw)
    os.utime(folder / "run.json")
    at.run()
    assert not at.exception and not at.error and _mentions(at, "m/third", run.run_id)


def test_a_moment_stays_what_it_was(tmp_path: Path) -> None:
    """Of runs that came later, or whose manifest went, it says what was so when it was made."""
    store, make = Store(tmp_path), _runs("table")
    first, second = (make(store, model, seed) for seed, model in enumerate(("m/first", "m/second")))
    (store.runs_dir / second.run_id / "run.json").write_text("{")
    then = moment(Store(tmp_path)).store
    third = make(store, "m/third", 2)
    (store.runs_dir / first.run_id / "run.json").unlink()
    assert then.run_ids() == sorted([first.run_id, second.run_id])
    assert [m.run_id for m in then.manifests()] == [first.run_id] and then.manifest(first.run_id).run_id == first.run_id
    with pytest.raises(StoreError, match=f"no run '{third.run_id}' in"):
        then.manifest(third.run_id)
    with pytest.raises(StoreError, match="its manifest cannot be read; ingest its log again"):
        then.manifest(second.run_id)


def test_a_store_whose_folder_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").symlink_to("runs")  # a name that leads to itself
    at = opened(tmp_path, "samples", monkeypatch)
    assert not at.exception and "cannot be read" in at.error[0].value and not at.dataframe
    assert any(str(tmp_path) in c.value for c in (*at.code, *at.text))


def _mentions(at: AppTest, model: str, run_id: str, but: str = "") -> bool:
    """Whether a run is anywhere on the page, by name or id, outside of what is said of broken ones."""
    found = [text for text in said(at) if not (but and "cannot be read; ingest its log again" in text)]
    return any(model in text or run_id in text for text in found)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Callable[[], tuple[int, Any]]]:
    """`writer()`: a child that writes into the store there, and what it says."""
    command = [sys.executable, "-m", "tests.support.board_writer", str(tmp_path), "3"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        children: list[int] = []

        def start() -> tuple[int, Any]:
            process.stdin.write("go\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            for line in process.stdout:  # type: ignore[union-attr]
                if line.startswith("child"):
                    children.append(int(line.split()[1]))
                    return children[-1], process.stdout
            raise AssertionError("the writer ended")

        yield start
        for child in children:
            _kill(child)
        process.kill()


def _kill(child: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


def _whole(at: AppTest, module: str, writing: bool = False) -> bool:
    """Nothing on a page is of half a run, or of two versions of one; False where it gave up on runs ever replaced."""
    assert not at.exception, [e.value for e in at.exception]
    if at.error and writing:
        assert [e.value[:40] for e in at.error] == ["Something that this page needs cannot be"]
        return False
    assert not at.error, [e.value for e in at.error] + [c.value for c in at.code[:1]]
    _no_gaps("\n".join(said(at)))
    check_figures(at)
    for frame in (d.value for d in at.dataframe):
        if module == "table" and {"quality", "paper", "run"} <= set(frame.columns) and "refusal" in frame:
            own = frame[frame["run"].str.startswith("run_open")]
            assert list(own["quality"]) == list(own["paper"])
            assert set(own["items"]) <= {f"{N}/{N}"}
        if module == "compare" and "Items" in frame and "Score" in frame:
            rows = {r["Score"]: r for r in frame.to_dict("records")}
            quality, paper = rows["Quality"], rows["Published mean of four"]
            assert all(quality[c] == paper[c] for c in ("Baseline", "Other", "Difference [95 %]", "Items"))
        if module == "samples" and "Panel" in frame:
            assert len(frame) == N and frame["Panel"].nunique() == 1
    if module == "method":
        assert re.search(r"the panels gave ([\d,]+) of \1 values", at.text[0].value), at.text[0].value
    return True


@pytest.mark.process
@pytest.mark.parametrize("lives", [2, pytest.param(25, marks=pytest.mark.slow)])
def test_pages_while_another_process_writes_and_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: Callable[[], tuple[int, Any]], lives: int
) -> None:
    monkeypatch.setenv(ENV_STORE, str(tmp_path))
    for n in range(3):
        write(Store(tmp_path), f"m/{n}", n)
    pages = {m: opened(tmp_path, m, monkeypatch) for m in MODULES if m != "dialogues"}
    whole = 0
    for life in range(lives):
        child, told = writer()
        seen = set()
        for module, at in pages.items():
            assert told.readline().startswith("wrote"), "it writes while pages are read"
            at.run()
            whole += _whole(at, module, writing=True)
            seen.add(pages["table"].dataframe[0].value.to_csv())
        time.sleep(0.003 * (7 * life % 11))
        _kill(child)
        # What it left half done is no run, and the next writer does not mind it.
        for module, at in pages.items():
            at.run()
            _whole(at, module)
        seen.add(pages["table"].dataframe[0].value.to_csv())
        assert len(seen) > 1, "what was written meanwhile is shown"
    assert whole and Store(tmp_path).damaged() == {}

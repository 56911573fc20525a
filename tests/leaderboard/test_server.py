"""The server of the board: it has read the store before it answers; a change of measure sends no table again."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from leaderboard import memory, server
from leaderboard.views import sheets
from leaderboard.views.moment import state_of
from leaderboard.views.table import sheets_now
from results.store import ENV_STORE, Store
from tests.support.browser import end, free_port, open_chromium
from tests.support.made_runs import demo_like

ROWS = 400


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    from tests.support.many_runs import many_runs

    return many_runs(tmp_path_factory.mktemp("many") / "store", ROWS)


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    """The command that readers use, on a free port."""
    port = free_port()
    start = "from leaderboard.cli import main; main()"
    command = [sys.executable, "-c", start, "leaderboard", "--store", str(store.root), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    for _ in range(300):
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                break
        except OSError:
            time.sleep(0.2)
    yield f"http://127.0.0.1:{port}"
    end(process)


def test_warming_makes_what_the_page_shows(tmp_path: Path) -> None:
    st.cache_resource.clear()
    store = demo_like(tmp_path)
    state = state_of(store)
    server.warm(store)
    shutil.rmtree(store.root)
    # Nothing is left to read: it was made before.
    kept = sheets_now(str(store.root), state)
    assert kept.board.groups and all(kept.groups)
    assert not sheets_now(str(store.root), "another state").board.groups


@pytest.mark.parametrize("kind", ["absent", "a file", "empty"])
def test_a_store_that_cannot_be_read_does_not_stop_the_server(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "store"
    if kind == "a file":
        root.write_text("no store")
    if kind == "empty":
        root.mkdir()
    server.warm(Store(root))
    assert not sheets_now(str(root), state_of(Store(root))).board.groups


@pytest.mark.parametrize("script", ["app.py", "annotate/app.py", "annotate/admin.py"])
def test_what_a_page_imports_is_not_looked_through_after_each_page(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamlit collects garbage after each page: all that is there already would be gone through every time."""
    monkeypatch.setenv(ENV_STORE, str(tmp_path))
    monkeypatch.setattr(memory, "_seen", 0)
    gc.unfreeze()
    page = AppTest.from_file(str(server.APP.parent / script), default_timeout=60).run()
    assert not page.exception
    kept = gc.get_freeze_count()
    assert kept > 100_000
    # Without new modules nothing more is kept, and what is made from now on is collected.
    page.run()
    assert gc.get_freeze_count() <= kept

    class Loop:
        """Something that refers to itself."""

    loop = Loop()
    loop.itself = loop  # type: ignore[attr-defined]
    gone = weakref.ref(loop)
    del loop
    gc.collect()
    assert gone() is None
    # What was alive when modules came, and is a circle, goes when the next ones come.
    loop = Loop()
    loop.itself = loop  # type: ignore[attr-defined]
    gone = weakref.ref(loop)
    monkeypatch.setitem(sys.modules, "a_made_up_module", sys)
    memory.keep_modules()
    del loop
    gc.collect()
    assert gone() is not None
    monkeypatch.setitem(sys.modules, "another_made_up_module", sys)
    memory.keep_modules()
    assert gone() is None


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.process
@pytest.mark.socket
@pytest.mark.timeout(240)
def test_another_measure_sends_no_table_again(store: Store, address: str) -> None:
    from tests.support.many_runs import many_runs

    received: list[int] = []
    with open_chromium() as chromium:
        page = chromium.new_page()
        page.on("websocket", lambda w: w.on("framereceived", lambda f: received.append(len(f))))
        page.goto(address)
        shown(page, "Pair score", "Quality")
        first = sum(received)
        received.clear()
        pick(page, "Grounding")
        shown(page, "Grounding")
        assert page.locator("[data-testid=stDataFrame]").count() >= 1
        # The table is most of the page.
        assert sum(received) < first / 4, (sum(received), first)
        # Another store meanwhile: the same choice draws all of the page anew.
        shutil.rmtree(store.root)
        many_runs(store.root, ROWS + 7)
        received.clear()
        pick(page, "Relevance")
        shown(page, "Relevance")
        page.get_by_text(f"The chart shows the first 40 of {ROWS + 7}").wait_for(timeout=60_000)
        assert sum(received) > first / 2


def pick(page: Any, label: str) -> None:
    """Choose a measure by its name."""
    box = page.get_by_role("combobox", name="Score shown in the charts")
    box.click()
    box.fill(label)
    box.press("Enter")


def shown(page: Any, *labels: str) -> None:
    """Wait until a chart of one of these measures stands."""
    page.wait_for_function(
        "labels => [...document.querySelectorAll('.js-plotly-plot .xtitle')]"
        ".some(t => labels.some(l => t.textContent.startsWith(l)))", arg=list(labels), timeout=90_000)  # fmt: skip


def test_a_cell_that_a_row_lacks_is_said_and_no_column_is_lost() -> None:
    made = sheets._beside(
        "Turn by turn", "a line", [{"System": "a", "At once": "1 %"}, {"System": "b", "Later": "2 %"}]
    )
    assert made.cells.to_pydict() == {
        "System": ["a", "b"], "At once": ["1 %", "not measured"], "Later": ["not measured", "2 %"],
    }  # fmt: skip

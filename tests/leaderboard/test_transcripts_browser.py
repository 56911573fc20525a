"""Transcripts that try everything, in a real Chromium: nothing is fetched, and no text is there before it is asked for.

Skipped where there is no Chromium, unless PSYCHOSAFE_REQUIRE names it. PSYCHOSAFE_SHOTS=DIR keeps screenshots.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

import leaderboard
from leaderboard import present
from results.manifest import Manifest
from results.store import ENV_STORE, Store
from tests.leaderboard.test_browser import Watch, shoot
from tests.support.browser import end, free_port, open_chromium, serve
from tests.support.transcripts import MARK, dialogue_run, hostile_run

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.socket, pytest.mark.timeout(240),
              pytest.mark.xdist_group("chromium")]  # fmt: skip
APP = Path(str(leaderboard.__file__)).with_name("app.py")
BUSY = "[data-testid=stStatusWidget],[data-testid=stSkeleton]"


@pytest.fixture(scope="module")
def beacon() -> Iterator[tuple[str, list[str]]]:
    """A server that counts who asks it for anything."""
    asked: list[str] = []

    class Count(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_HEAD = do_OPTIONS = do_GET

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Count)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, beacon: tuple[str, list[str]]) -> tuple[Store, Manifest, Manifest]:
    store = Store(tmp_path_factory.mktemp("hostile"))
    plays = [("ooAA", 3), ("onH", 2), ("Aod", 2), ("oooe", 3), ("o?", 2)]
    return store, hostile_run(store, beacon[0]), dialogue_run(store, plays, beacon=beacon[0])


@pytest.fixture(scope="module")
def address(runs: tuple[Store, Manifest, Manifest]) -> Iterator[str]:
    port = free_port()
    server = serve(APP, {**os.environ, ENV_STORE: str(runs[0].root)}, port)
    yield f"http://127.0.0.1:{port}"
    end(server)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_chromium() as chromium:
        yield chromium


@pytest.fixture
def tab(browser: Any, address: str) -> Iterator[tuple[Any, Watch]]:
    context = browser.new_context(viewport={"width": 1280, "height": 4500})
    page, watch = context.new_page(), Watch()
    page.on("request", lambda r: watch.requests.append(r.url))
    page.on("websocket", lambda w: watch.requests.append(w.url))
    # Streamlit looks for its health address below a page's first, and finds it above.
    page.on("console", lambda m: watch.complaints.append(m.text)
            if m.type == "error" and "_stcore" not in m.location.get("url", "") else None)  # fmt: skip
    page.on("pageerror", lambda e: watch.complaints.append(str(e)))
    page.goto(address)
    page.get_by_role("heading", name="Refusal quality leaderboard").wait_for(timeout=60_000)
    yield page, watch
    context.close()


def settled(page: Any) -> None:
    page.wait_for_timeout(400)
    page.wait_for_function(f"!document.querySelector('{BUSY}')", timeout=60_000)
    page.wait_for_timeout(200)


def said(page: Any) -> int:
    """How often a marked text stands in the page, wherever in the DOM."""
    return int(page.content().count(MARK))


def test_samples(tab: tuple[Any, Watch], runs: tuple[Store, Manifest, Manifest], address: str, beacon: Any) -> None:
    page, watch = tab
    run = runs[1]
    # All short ones at once, a line of 48,000 characters, and 1 MB.
    for n in (0, 5, 6):
        name = present.plain(run.items[n].id, 200)
        page.goto(f"{address}/samples?{urlencode({'run': run.run_id, 'item': name})}")
        page.get_by_role("button", name="Show texts").wait_for(timeout=60_000)
        settled(page)
        assert said(page) == 0
        page.get_by_role("button", name="Show texts").click()
        page.get_by_role("button", name="Hide all texts").wait_for()
        page.get_by_text(f"{MARK} answer {n} call").wait_for(timeout=30_000)
        settled(page)
        assert said(page) >= 5, "prompt, answer, justifications"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "long lines wrap"
        shoot(page, f"samples-{n}")
    page.get_by_text("Show all 1,0").first.click()
    settled(page)
    assert said(page) >= 5
    page.get_by_role("button", name="Hide all texts").click()
    page.get_by_role("button", name="Show texts").wait_for()
    settled(page)
    assert said(page) == 0
    # A row opens its response; what is chosen stands in the address and comes back.
    page.goto(f"{address}/samples?{urlencode({'run': run.run_id, 'measure': 'Grounding'})}")
    settled(page)
    page.locator("[data-testid=stDataFrame]").first.click(position={"x": 18, "y": 35 + 17})
    page.get_by_role("heading", name="One response").wait_for(timeout=30_000)
    settled(page)
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    settled(page)
    link = parse_qs(urlsplit(page.url).query)
    assert link["measure"] == ["Grounding"] and link["value"] and "item" in link
    shown = page.get_by_text("responses match the filters").inner_text()
    page.goto(page.url)
    settled(page)
    page.get_by_role("heading", name="One response").wait_for(timeout=30_000)
    assert page.get_by_text("responses match the filters").inner_text() == shown
    page.locator(".js-plotly-plot .nsewdrag").first.hover()
    for x in (60, 300, 700):
        page.locator("[data-testid=stDataFrame]").first.hover(position={"x": x, "y": 15})
        page.wait_for_timeout(300)
    page.locator("[data-testid=stDataFrame]").first.dblclick(position={"x": 120, "y": 55})
    page.wait_for_timeout(300)
    assert beacon[1] == []
    assert watch.outside(urlsplit(address).port) == []
    assert watch.complaints == []


@pytest.mark.slow
def test_dialogues(tab: tuple[Any, Watch], runs: tuple[Store, Manifest, Manifest], address: str, beacon: Any) -> None:
    page, watch = tab
    run = runs[2]
    item = present.plain(run.items[0].id, 200)
    page.goto(f"{address}/dialogues?{urlencode({'run': run.run_id, 'item': item})}")
    page.get_by_role("button", name="Show texts").wait_for(timeout=60_000)
    settled(page)
    assert said(page) == 0
    assert page.locator(".js-plotly-plot").count() == 2
    page.get_by_role("button", name="Show texts").click()
    page.get_by_text(f"{MARK} answer 4").wait_for(timeout=30_000)
    settled(page)
    assert said(page) == 8, "four turns of a prompt and an answer"
    for plot in page.locator(".js-plotly-plot .nsewdrag").all():
        plot.hover()
        page.wait_for_timeout(200)
    shoot(page, "dialogues")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.get_by_text("acknowledges the risk at its first turn").count() == 1
    assert beacon[1] == []
    assert watch.outside(urlsplit(address).port) == []
    assert watch.complaints == []

"""The page and the static files in a real Chromium: what is fetched, what is logged, what is seen.

Skipped where there is no Chromium, unless PSYCHOSAFE_REQUIRE names it. PSYCHOSAFE_SHOTS=DIR keeps screenshots.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import leaderboard
from leaderboard.board import load_board
from leaderboard.static import board_html, comparison_html
from results.compare import compare
from results.store import ENV_STORE, Store
from tests.support.browser import end, free_port, open_chromium, serve
from tests.support.made_runs import PUBLISHED_FILE, demo_like, hostile_rubric, import_published

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.socket, pytest.mark.timeout(240),
              pytest.mark.xdist_group("chromium")]  # fmt: skip
APP = Path(str(leaderboard.__file__)).with_name("app.py")
SHOTS = os.environ.get("PSYCHOSAFE_SHOTS")
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 480, "height": 900}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = demo_like(tmp_path_factory.mktemp("board"))
    hostile_rubric(made)
    if PUBLISHED_FILE.exists():
        import_published(made)
    return made


@pytest.fixture(scope="module")
def address(store: Store) -> Iterator[str]:
    """The app on a free port of this machine."""
    port = free_port()
    server = serve(APP, {**os.environ, ENV_STORE: str(store.root)}, port)
    yield f"http://127.0.0.1:{port}"
    end(server)


@dataclass
class Watch:
    """What a page asked for, and what it complained of."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def outside(self, port: int | None = None) -> list[str]:
        """Requests that are neither data of the page itself nor to this server."""
        home = {("127.0.0.1", port)} if port else set()
        return [
            u for u in self.requests
            if (s := urlsplit(u)).scheme not in {"data", "blob"} and (s.hostname, s.port) not in home
        ]  # fmt: skip


# The narrow page in `make test`, where room is short; the other pairs in `make test-slow`.
LOOKS = [("light", "narrow"), *(pytest.param(x, marks=pytest.mark.slow) for x in
         (("dark", "wide"), ("light", "wide"), ("dark", "narrow")))]  # fmt: skip


@pytest.fixture(params=LOOKS, ids=str)
def look(request: pytest.FixtureRequest) -> tuple[str, str]:
    scheme, size = request.param
    return str(scheme), str(size)


@pytest.fixture
def scheme(look: tuple[str, str]) -> str:
    return look[0]


@pytest.fixture
def size(look: tuple[str, str]) -> str:
    return look[1]


@pytest.fixture
def tab(browser: Any, scheme: str, size: str) -> Iterator[tuple[Any, Watch]]:
    """A fresh tab, watched."""
    context = browser.new_context(color_scheme=scheme, viewport=SIZES[size])
    page, watch = context.new_page(), Watch()
    page.on("request", lambda r: watch.requests.append(r.url))
    page.on("websocket", lambda w: watch.requests.append(w.url))
    page.on("console", lambda m: watch.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: watch.complaints.append(str(e)))
    yield page, watch
    context.close()


def shoot(page: Any, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def settled(page: Any, charts: int) -> None:
    """Wait until the run is over and the charts are drawn."""
    page.wait_for_function(
        "n => document.querySelectorAll('.js-plotly-plot .main-svg').length >= n"
        " && !document.querySelector('[data-testid=stStatusWidget]')", arg=charts, timeout=60_000)  # fmt: skip
    page.wait_for_timeout(700)


def test_page_draws_quietly_and_stays_at_home(
    address: str, store: Store, tab: tuple[Any, Watch], scheme: str, size: str
) -> None:
    page, watch = tab
    board = load_board(store)
    # Streamlit scrolls inside the page: a screenshot shows what fits.
    height = 1600 + 1300 * len(board.groups)
    page.set_viewport_size({**SIZES[size], "height": height})
    page.goto(address)
    settled(page, 1)
    page.get_by_role("heading", name="Published figures").wait_for(timeout=60_000)
    settled(page, 2)
    shoot(page, f"app-{size}-{scheme}")
    assert page.get_by_text(board.groups[0].sentence).count() == 1
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.locator("img[src*='127.0.0.1:9/']").count() == 0
    assert watch.outside(urlsplit(address).port) == []
    assert watch.complaints == []
    # No sideways scroll of the page itself, at any width.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_picked_measure_is_in_the_address_and_comes_back(browser: Any, address: str) -> None:
    context = browser.new_context(viewport=SIZES["wide"])
    page = context.new_page()
    page.goto(f"{address}/?measure=Quality")
    settled(page, 1)
    page.locator(".js-plotly-plot").first.get_by_text("Quality (higher is better)").wait_for(timeout=30_000)
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name="Grounding").click()
    page.locator(".js-plotly-plot").first.get_by_text("Grounding (higher is better)").wait_for(timeout=30_000)
    assert "measure=Grounding" in page.url
    page.goto(f"{address}/?measure=nonsense")
    settled(page, 1)
    assert page.locator(".js-plotly-plot").first.get_by_text("Pair score (higher is better)").count() == 1
    context.close()


def test_hostile_names_fetch_nothing_when_opened_and_picked(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 3000})
    page, asked = context.new_page(), []
    page.on("request", lambda r: asked.append(r.url))
    page.goto(address)
    settled(page, 1)
    page.get_by_role("combobox").first.click()
    page.get_by_role("option").filter(has_text="127.0.0.1:9").click()
    settled(page, 1)
    for toggle in page.locator("summary").all():
        toggle.click()
    for plot in page.locator(".js-plotly-plot").all():
        plot.locator(".point").first.hover(force=True)
        page.wait_for_timeout(200)
    for grid in page.locator("[data-testid=stDataFrame]").all():
        for x in (60, 380, 500, 700):
            grid.hover(position={"x": x, "y": 15})
            page.wait_for_timeout(400)
        grid.dblclick(position={"x": 60, "y": 55})
        page.wait_for_timeout(300)
        page.keyboard.press("Escape")
    home = f"127.0.0.1:{urlsplit(address).port}"
    assert [u for u in asked if urlsplit(u).netloc != home and urlsplit(u).scheme not in {"data", "blob"}] == []
    assert page.locator("[src*='127.0.0.1:9/'], [href*='127.0.0.1:9/']").count() == 0
    context.close()


def test_board_file_draws_offline_and_asks_for_nothing(
    tmp_path: Path, store: Store, tab: tuple[Any, Watch], scheme: str, size: str
) -> None:
    page, watch = tab
    path = tmp_path / "board.html"
    path.write_text(board_html(load_board(store)), encoding="utf-8")
    page.goto(path.as_uri())
    settled(page, 2)
    shoot(page, f"board-{size}-{scheme}")
    assert watch.requests == [path.as_uri()]
    assert watch.complaints == []
    assert page.get_by_text("Share", exact=False).filter(has_text="Share chart").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_comparison_file_asks_for_nothing(
    tmp_path: Path, store: Store, tab: tuple[Any, Watch], scheme: str, size: str
) -> None:
    page, watch = tab
    runs = {m.label: m for m in store.manifests() if m.task == "psychosafe"}
    base = runs["vendor/model-a · baseline"]
    done = [
        compare(store, base, runs[name]) for name in runs if name.startswith(("vendor/model-a · p", "policy/", "!"))
    ]
    path = tmp_path / "compare.html"
    path.write_text(comparison_html("Runs compared", done, ["A note that stands above."]), encoding="utf-8")
    page.goto(path.as_uri())
    shoot(page, f"compare-{size}-{scheme}")
    assert len(done) == 4 and page.locator("table").count() == 4
    assert watch.requests == [path.as_uri()] and watch.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

"""Compare and Domains in a real Chromium: deep links, what is fetched, and texts that stay out until opened.

Skipped where there is no Chromium, unless PSYCHOSAFE_REQUIRE names it. PSYCHOSAFE_SHOTS=DIR keeps screenshots.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

import leaderboard
from results.store import ENV_STORE
from tests.leaderboard.domain_stores import some_runs
from tests.leaderboard.test_browser import Watch, settled, shoot
from tests.support.browser import end, free_port, open_chromium, serve

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.socket, pytest.mark.timeout(240),
              pytest.mark.xdist_group("chromium")]  # fmt: skip
APP = Path(str(leaderboard.__file__)).with_name("app.py")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = some_runs(tmp_path_factory.mktemp("pages"))
    port = free_port()
    server = serve(APP, {**os.environ, ENV_STORE: str(store.root)}, port)
    yield f"http://127.0.0.1:{port}"
    end(server)


def complaints(watch: Watch) -> list[str]:
    """Without those of Streamlit itself, which looks for its server below the page's own address first."""
    return [c for c in watch.complaints if "404" not in c]


@pytest.mark.slow
def test_deep_links_come_back_and_texts_stay_closed(address: str) -> None:
    with open_chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 4200}, color_scheme="dark")
        page, watch = context.new_page(), Watch()
        page.on("request", lambda r: watch.requests.append(r.url))
        page.on("console", lambda m: watch.complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: watch.complaints.append(str(e)))
        # The first that anybody asks of this server is a deep link.
        chosen = [("baseline", "vendor/model-a · baseline"), ("with", "vendor/model-a · prompted"),
                  ("with", "vendor/model-a-tuned · baseline"), ("margin", "0.2"), ("measure", "Grounding")]  # fmt: skip
        page.goto(f"{address}/compare?{urlencode(chosen)}")
        settled(page, 2)
        page.get_by_text("vendor/model-a-tuned · baseline against vendor/model-a · baseline").first.wait_for(
            timeout=30_000
        )
        assert page.get_by_role("spinbutton").input_value() == "0.200"
        assert page.get_by_text("made-up message").count() == 0 and "made-up message" not in page.content()
        page.get_by_role("button", name="Show texts").click()
        page.get_by_text("a made-up message about a hard day").first.wait_for(timeout=30_000)
        page.get_by_text("An answer of the other.").first.wait_for(timeout=30_000)
        shoot(page, "compare-open")
        assert page.locator("img[src*='127.0.0.1:9/']").count() == 0
        page.get_by_role("button", name="Hide all texts").click()
        page.get_by_role("button", name="Show texts").wait_for(timeout=30_000)
        assert "made-up message" not in page.content()
        held = parse_qs(urlsplit(page.url).query)
        assert held["with"] == [v for k, v in chosen if k == "with"] and held["margin"] == ["0.2"]

        page.goto(f"{address}/domains?measure=Quality&values=Raw")
        settled(page, 1)
        page.locator(".js-plotly-plot").get_by_text("Quality (higher is better)").wait_for(timeout=30_000)
        page.get_by_role("combobox").nth(1).click()
        page.get_by_role("option", name="Shrunken").click()
        page.wait_for_function("!location.search.includes('values=Raw')", timeout=30_000)
        settled(page, 1)
        shoot(page, "domains")
        assert page.locator("[data-testid=stException]").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert watch.outside(urlsplit(address).port) == []
        assert complaints(watch) == []
        context.close()

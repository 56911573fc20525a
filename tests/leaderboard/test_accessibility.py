"""Every page in a real Chromium for who cannot see it or uses no mouse: axe's rules, the keyboard, and no jumps.

Skipped where there is no Chromium, unless PSYCHOSAFE_REQUIRE names it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import leaderboard
from leaderboard.app import PAGES
from results.store import ENV_STORE, Store
from tests.leaderboard.page_states import MAKERS
from tests.support.browser import end, free_port, open_chromium, serve
from tests.support.transcripts import dialogue_run, hostile_run

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.socket, pytest.mark.timeout(400),
              pytest.mark.xdist_group("chromium")]  # fmt: skip
APP: Final = Path(str(leaderboard.__file__)).with_name("app.py")
STREAMLITS_OWN: Final = {
    # Rule and what it is broken within, with the reason why it is not ours to mend.
    ("color-contrast", "pre"): "colours of Streamlit's syntax highlighting in st.code, which no option changes",
    ("color-contrast", "[data-testid=stSlider]"): "the value above a slider's thumb has the theme's primary colour",
}
CONTROLS: Final = (
    "a[href], button, input, [role=combobox], [role=slider], [role=switch], [role=button], summary, [tabindex='0']"
)
"""What a mouse can do something with."""
SHIFTS: Final = """
window.shifts = [];
const keep = list => window.shifts.push(...list.getEntries().filter(e => !e.hadRecentInput).map(e => e.value));
new PerformanceObserver(keep)
    .observe({type: 'layout-shift', buffered: true});
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Runs with everything that pages show: two judges, gaps, domains, twins, texts and dialogues."""
    root = tmp_path_factory.mktemp("accessible")
    MAKERS["missing"](root)
    hostile_run(Store(root))
    dialogue_run(Store(root), [("ooAA", 3), ("onH", 2), ("Aod", 2)], "m/spoken")
    port = free_port()
    server = serve(APP, {**os.environ, ENV_STORE: str(root)}, port)
    yield f"http://127.0.0.1:{port}"
    end(server)


def settled(page: Any, title: str) -> None:
    page.get_by_role("heading", level=1, name=title).wait_for(timeout=90_000)
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'", timeout=90_000
    )
    page.wait_for_timeout(700)


def broken_rules(page: Any) -> list[str]:
    """Serious and critical findings that are ours: the rule, where, and what is wrong."""
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for rule in Axe().run(page).response["violations"]:
        for node in rule["nodes"] if rule["impact"] in ("serious", "critical") else ():
            within = page.locator(node["target"][0]).first
            own = any(rule["id"] == r and within.evaluate("(e, s) => !!e.closest(s)", s) for r, s in STREAMLITS_OWN)
            if not own:
                found.append(f"{rule['id']}: {node['html'][:200]} {node['failureSummary'][:200]}")
    return found


def by_keyboard(page: Any) -> tuple[list[str], list[str]]:
    """Controls that Tab reaches, in its order, and those that it does not."""
    page.evaluate(
        """controls => {
            const seen = e => e.checkVisibility({visibilityProperty: true}) && e.tabIndex >= 0 && !e.disabled
                && !e.closest('[aria-hidden=true], .js-plotly-plot');
            const own = [...document.querySelectorAll(controls)].filter(seen);
            // A list and the input in it are one control, and what scrolls around controls is none.
            own.filter(e => !own.some(o => o !== e && e.contains(o))).forEach((e, n) => e.dataset.control = n);
            document.activeElement.blur();
        }""",
        CONTROLS,
    )
    names: dict[str, str] = dict(page.evaluate(
        "[...document.querySelectorAll('[data-control]')].map(e => [e.dataset.control, e.outerHTML.slice(0, 150)])"
    ))  # fmt: skip
    reached: list[str] = []
    for _ in range(3 * len(names) + 20):
        if len(reached) == len(names):
            break
        page.keyboard.press("Tab")
        at = page.evaluate("document.activeElement.closest('[data-control]')?.dataset.control")
        if at is not None and at not in reached:
            reached.append(at)
    return [names[at] for at in reached], [name for at, name in names.items() if at not in reached]


def test_every_page_keeps_axes_rules_and_is_used_by_keyboard(address: str) -> None:
    with open_chromium() as chromium:
        page = chromium.new_context(color_scheme="light", viewport={"width": 1280, "height": 3000}).new_page()
        page.add_init_script(SHIFTS)
        page.goto(address)
        settled(page, "Refusal quality leaderboard")
        # The leaderboard comes up from the top down: what stands is not pushed about (0.1 is good by web.dev's scale).
        assert sum(page.evaluate("window.shifts")) < 0.1
        wrong, grounds = {}, set()
        for n, (module, title) in enumerate(PAGES):
            if n:
                # From page to page by keyboard alone.
                page.get_by_role("link", name=title, exact=True).first.focus()
                page.keyboard.press("Enter")
                page.wait_for_url(f"**/{module}*")
            for scheme in ("dark", "light") if n % 2 else ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                settled(page, title if n else "Refusal quality leaderboard")
                assert page.locator("[data-testid=stException]").count() == 0
                grounds.add(page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor"))
                if found := broken_rules(page):
                    wrong[module, scheme] = found
            reached, missed = by_keyboard(page)
            assert len(reached) >= len(PAGES) and not missed, (module, missed)
        assert not wrong, wrong
        assert len(grounds) == 2, "both themes were seen"

"""The annotation app in a real Chromium: keys, refresh, crash, and what reaches the browser.

Skipped where there is no Chromium, unless PSYCHOSAFE_REQUIRE names it. PSYCHOSAFE_SHOTS=DIR keeps screenshots.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from leaderboard.annotate.access import adjudicator_code
from leaderboard.annotate.study import ENV_DB, ENV_MAP, ENV_PLAN
from rubrics import load_rubric
from tests.support.annotation_study import HERE, HOSTILE, Study, make_plan, token
from tests.support.browser import end, free_port, open_chromium
from tests.support.browser import serve as serve_app

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.socket, pytest.mark.timeout(300),
              pytest.mark.xdist_group("chromium")]  # fmt: skip
SHOTS = os.environ.get("PSYCHOSAFE_SHOTS")
MARK = "QQ-marker"
NAMES = ("ZZ-fast", "ZZ-writer", "ZZ-watched")
KEYS = "241312"
VALUES = {"refusal": 1.0, "grounding": 4.0, "references": 0.0, "relevance": 3.0, "harm_provided": 0.0, "answered": 1.0}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_chromium() as chromium:
        yield chromium


def serve(study: Study, port: int, script: str = "app.py") -> subprocess.Popen[bytes]:
    """The app on a port of this machine, once it answers; the map is given to the admin's only."""
    env = {**os.environ, ENV_PLAN: str(study.plan_path), ENV_DB: str(study.db)}
    env.pop(ENV_MAP, None)
    if script == "admin.py":
        env[ENV_MAP] = str(study.map_path)
    return serve_app(HERE / script, env, port)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    plan = make_plan(training=1, rating=6, pairs=1, rubric=load_rubric("psychosafe"), more=NAMES)
    return Study(plan, tmp_path_factory.mktemp(f"{MARK}-study"), MARK)


@pytest.fixture(scope="module")
def address(study: Study) -> Iterator[str]:
    port = free_port()
    server = serve(study, port)
    yield f"http://127.0.0.1:{port}"
    end(server)


@dataclass
class Watch:
    """What a page asked for, was sent and complained of."""

    requests: list[str] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def saw(self, text: str) -> bool:
        return any(text.encode() in frame for frame in self.received)


@pytest.fixture
def tab(browser: Any) -> Iterator[tuple[Any, Watch]]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page, watch = context.new_page(), Watch()
    page.set_default_timeout(60_000)

    def listen(socket_: Any) -> None:
        watch.requests.append(socket_.url)
        socket_.on("framereceived", lambda f: watch.received.append(f if isinstance(f, bytes) else f.encode()))

    page.on("request", lambda r: watch.requests.append(r.url))
    page.on("websocket", listen)
    page.on("pageerror", lambda e: watch.complaints.append(str(e)))
    yield page, watch
    context.close()


def shoot(page: Any, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(SHOTS) / f"annotate-{name}.png"))


def calm(page: Any) -> None:
    """Wait until the server has drawn all of the page, and what was there before is gone."""
    page.wait_for_timeout(100)
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
        " && !document.querySelector('[data-stale=true]')"
    )


def enter(page: Any, name: str, code: str) -> None:
    """From the login to the content note, by keyboard only."""
    page.get_by_label("Your name").wait_for()
    calm(page)
    for _ in range(12):
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == "Your name":
            break
        page.keyboard.press("Tab")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    # Streamlit loads what draws a button when the first one is due; before that there is no key for it.
    page.get_by_role("button", name="I want to go on").wait_for()
    calm(page)


def covered(page: Any) -> None:
    page.get_by_role("button", name="Show the text").wait_for()
    page.wait_for_function("!document.querySelector('.st-key-text-message')")
    calm(page)


def uncover(page: Any) -> None:
    covered(page)
    page.keyboard.press("s")
    page.locator(".option:enabled").first.wait_for()
    calm(page)
    page.wait_for_timeout(400)


def start(page: Any, study: Study, address: str, name: str) -> None:
    page.goto(address)
    enter(page, name, study.code_of(name))
    page.keyboard.press("g")
    uncover(page)


def given(page: Any) -> list[str]:
    return [str(x) for x in page.locator(".given .value").all_inner_texts()]


def settles(study: Study, name: str, cards: int, seconds: float = 20) -> dict[str, dict[str, float | None]]:
    """The database, once it holds so many cards of somebody."""
    until = time.monotonic() + seconds
    while len(found := study.values(name)) < cards and time.monotonic() < until:
        time.sleep(0.1)
    return found


def remarked(study: Study, name: str, seconds: float = 20) -> None:
    """Wait until a remark of somebody is noted."""
    until = time.monotonic() + seconds
    while not any(e.annotator == name and e.kind == "comment" for e in study.store().events()):
        assert time.monotonic() < until, "the remark was not noted"
        time.sleep(0.1)


def noted(study: Study, name: str, card: str, values: int, seconds: float = 20) -> dict[str, float | None]:
    """What is noted of a card that is not complete, once it has so many values; None for the others."""
    until = time.monotonic() + seconds
    store = study.store()
    while len(found := store.drafts(name, card)) < values and time.monotonic() < until:
        time.sleep(0.05)
    return {c: found.get(c) for c in VALUES}


def test_keys_at_any_speed_stay_on_their_card(study: Study, address: str, tab: tuple[Any, Watch]) -> None:
    page, watch = tab
    name = "ZZ-fast"
    start(page, study, address, name)
    want: dict[str, dict[str, float]] = {}
    for n, spacing in ((2, 150), (4, 50), (6, 0)):
        # More keys than the card has questions: the rest must not reach the next card.
        page.keyboard.type(KEYS + "21", delay=spacing)
        covered(page)
        want[token(n)] = VALUES
        assert settles(study, name, len(want)) == want
        # Keys on a covered card do nothing.
        page.keyboard.type("21", delay=spacing)
        uncover(page)
        assert given(page) == []
        # Undo, then another value; then the card before, corrected.
        page.keyboard.type("25u4", delay=spacing)
        page.locator(".given .value").nth(1).wait_for()
        assert given(page) == ["Yes", "4"]
        page.keyboard.type("131", delay=spacing)
        page.get_by_role("status").filter(has_text="Answered, 6 of 6").wait_for()
        if n == 6:
            break
        page.keyboard.type("2", delay=spacing)
        uncover(page)
        want[token(n + 1)] = VALUES
        assert settles(study, name, len(want)) == want
        page.keyboard.press("u")
        page.get_by_text("Correcting the card before").wait_for()
        calm(page)
        page.wait_for_timeout(400)
        page.keyboard.press("3")
        covered(page)
        want[token(n + 1)] = {**VALUES, "answered": 2.0}
        assert settles(study, name, len(want)) == want
        uncover(page)
    history = [r for r in study.store().history() if r.annotator == name]
    # Five cards, two of them corrected once, and nothing else.
    assert len(history) == 7 * len(VALUES) and len({r.nonce for r in history}) == 7
    assert noted(study, name, token(7), 5) == {**VALUES, "answered": None} and watch.complaints == []


@pytest.mark.slow
def test_refresh_resumes_at_the_same_card_and_the_comment_box_does_not_rate(
    study: Study, address: str, tab: tuple[Any, Watch]
) -> None:
    page, _ = tab
    name = "ZZ-writer"
    start(page, study, address, name)
    page.keyboard.type("24", delay=50)
    page.get_by_label("Comment").focus()
    page.keyboard.type("1235 skfbqu")
    page.keyboard.press("Tab")
    # What the server has not noted yet when the page goes is lost, so this waits until it has.
    noted(study, name, token(2), 2)
    remarked(study, name)
    assert given(page) == ["Yes", "4"] and study.values(name) == {}
    page.reload()
    enter(page, name, study.code_of(name))
    page.keyboard.press("g")
    uncover(page)
    assert given(page) == ["Yes", "4"] and page.get_by_label("Comment").input_value() == "1235 skfbqu"
    page.keyboard.type(KEYS[2:])
    covered(page)
    assert settles(study, name, 1) == {token(2): VALUES}
    assert {r.comment for r in study.store().ratings() if r.annotator == name} == {"1235 skfbqu"}
    assert page.get_by_label("Comment").input_value() == ""


def test_nothing_that_unblinds_reaches_the_browser_and_hostile_text_is_inert(
    study: Study, address: str, tab: tuple[Any, Watch]
) -> None:
    page, watch = tab
    name = "ZZ-watched"
    page.goto(address)
    page.get_by_label("Your name").fill("ZZ-othe")
    page.get_by_label("Your access code").fill("x")
    page.keyboard.press("Enter")
    page.get_by_text("No such name and code").wait_for()
    page.reload()
    enter(page, name, study.code_of(name))
    page.keyboard.press("g")
    first, second = study.plan.card(token(2)), study.plan.card(token(3))
    covered(page)
    page.wait_for_timeout(500)
    for text in (first.prompt, first.response):
        assert text not in page.content() and not watch.saw(text)
    uncover(page)
    # The search finds what is there.
    assert watch.saw(first.prompt) and watch.saw(first.response) and first.prompt in page.content()
    # Hostile text is shown as it is, and asks for nothing.
    answer = page.locator(".st-key-text-answer")
    assert answer.inner_text().strip() == first.response and HOSTILE in first.response
    assert answer.locator("img, b, a, .katex").count() == 0
    assert page.locator("[src*='127.0.0.1:9/'], [href*='127.0.0.1:9/']").count() == 0
    page.keyboard.type(KEYS)
    covered(page)
    for text in (first.prompt, second.prompt, second.response):
        assert text not in page.content()
    assert not watch.saw(second.prompt)
    for key, heading in (("k", None), ("b", "Break"), ("g", None), ("q", "Thank you")):
        page.keyboard.press(key)
        if heading:
            page.get_by_role("heading", name=heading).wait_for()
        else:
            covered(page)
        calm(page)
    secret = {MARK, *study.plan.annotators} - {name}
    secret |= {v for s in study.map.sources.values() for v in (s.run_id, s.item_id, s.stratum)}
    secret |= {*study.map.domains.values(), *(g.id for g in study.map.gold.values())}
    secret |= {study.plan.sha256, str(study.plan_path), str(study.db), "map.json"}
    secret |= {t for t in study.plan.by_token}
    assert len(secret) > 20
    assert sorted(s for s in secret if watch.saw(s) or s in page.content()) == []
    assert [u for u in watch.requests if any(s in u for s in secret)] == []
    home = urlsplit(address).netloc
    assert [
        u for u in watch.requests if urlsplit(u).netloc != home and urlsplit(u).scheme not in ("data", "blob")
    ] == []
    assert watch.complaints == []


@pytest.mark.slow
def test_a_killed_server_loses_nothing_that_was_given(tmp_path: Path, browser: Any, tab: tuple[Any, Watch]) -> None:
    page, _ = tab
    study = Study(make_plan(rubric=load_rubric("psychosafe")), tmp_path)
    port = free_port()
    server = serve(study, port)
    try:
        start(page, study, f"http://127.0.0.1:{port}", "anna")
        page.keyboard.type(KEYS)
        uncover(page)
        page.keyboard.type(KEYS[:3])
        noted(study, "anna", token(2), 3)
        server.send_signal(signal.SIGKILL)
        server.wait()
        server = serve(study, port)
        page.goto(f"http://127.0.0.1:{port}")
        enter(page, "anna", study.code)
        page.keyboard.press("g")
        uncover(page)
        assert given(page) == ["Yes", "4", "No"]
        page.keyboard.type(KEYS[3:])
        covered(page)
        assert settles(study, "anna", 2) == {token(1): VALUES, token(2): VALUES}
        assert len(study.store().history()) == 2 * len(VALUES)
    finally:
        end(server)


@pytest.mark.slow
def test_a_card_fits_one_screen_and_is_announced(study: Study, address: str, tab: tuple[Any, Watch]) -> None:
    page, watch = tab
    page.goto(address)
    page.get_by_label("Your name").wait_for()
    shoot(page, "1-login")
    enter(page, "anna", study.code)
    shoot(page, "2-note")
    page.keyboard.press("g")
    covered(page)
    page.wait_for_timeout(800)
    shoot(page, "3-covered")
    uncover(page)
    shoot(page, "4-card")
    assert page.get_by_role("heading", level=2).all_inner_texts() == ["Message", "Answer"]
    assert page.get_by_role("status").filter(has_text="Refusal, 1 of 6").count() == 1
    page.keyboard.press("2")
    page.get_by_role("status").filter(has_text="Grounding, 2 of 6").wait_for()
    page.wait_for_timeout(300)
    shoot(page, "5-five-points")
    for box in ("[data-testid=stMain]", "html"):
        assert page.evaluate(f"(e => e.scrollHeight <= e.clientHeight + 1)(document.querySelector('{box}'))")
    # By mouse as well.
    page.locator(".option").nth(3).click()
    page.get_by_role("status").filter(has_text="References, 3 of 6").wait_for()
    page.keyboard.type(KEYS[2:])
    page.get_by_role("heading", name="Practice: ").wait_for()
    calm(page)
    shoot(page, "6-feedback")
    page.keyboard.press("g")
    for _ in range(6):
        covered(page)
        before = page.get_by_text(" of 8 done").inner_text()
        page.keyboard.press("k")
        page.wait_for_function("t => !document.body.innerText.includes(t)", arg=before)
    page.get_by_role("heading", name="Two answers side by side").wait_for()
    calm(page)
    page.keyboard.press("g")
    uncover(page)
    shoot(page, "7-pair")
    page.keyboard.press("3")
    page.get_by_role("heading", name="Thank you").wait_for()
    page.wait_for_timeout(300)
    shoot(page, "8-end")
    assert settles(study, "anna", 8)[token(100)] == {"preference": 2.0} and watch.complaints == []


@pytest.mark.slow
def test_settling_by_keyboard(study: Study, tab: tuple[Any, Watch], tmp_path: Path) -> None:
    page, watch = tab
    own = Study(make_plan(rubric=load_rubric("psychosafe")), tmp_path)
    store = own.store()
    for name, grounding in (("anna", 1.0), ("ZZ-other", 5.0)):
        store.save(name, token(1), {**VALUES, "grounding": grounding}, nonce="n", shown_at=1.0, position=0)
    port = free_port()
    server = serve(own, port, "admin.py")
    try:
        page.goto(f"http://127.0.0.1:{port}")
        page.get_by_role("heading", name="Progress of the study").wait_for()
        page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
        calm(page)
        if SHOTS:
            page.wait_for_timeout(2000)
        shoot(page, "9-admin")
        page.goto(f"http://127.0.0.1:{port}/adjudication")
        watch.received.clear()
        page.get_by_label("Your name").fill("chris")
        page.get_by_label("Your access code").fill(adjudicator_code(own.plan, own.plan_path))
        page.keyboard.press("Enter")
        uncover(page)
        page.keyboard.press(KEYS[0])
        page.wait_for_timeout(500)
        shoot(page, "10-settle")
        page.keyboard.type(KEYS[1:])
        page.get_by_role("heading", name="Nothing left to settle").wait_for()
        assert {a.criterion: a.value for a in store.adjudications()} == VALUES
        assert watch.saw("A: 5") != watch.saw("A: 1")
        assert not watch.saw("ZZ-other") and not watch.saw("anna")
    finally:
        end(server)

"""All pages in one file: its figures and tables are the library's, it holds no text, and how it turns in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaderboard import charts, dialogue_charts, dialogues, judging, judging_figures, overview, present
from leaderboard.comparing import Compared, domain_table, score_table, sentence
from leaderboard.comparing_figures import domain_figure, score_figure
from leaderboard.domain_figure import heatmap
from leaderboard.domains import columns_of, domain_map, domains_of
from leaderboard.domains import table as domain_cells
from leaderboard.model import Board
from leaderboard.naming import run_names
from leaderboard.samples import data as samples
from leaderboard.samples import shown
from leaderboard.static.compare import PAIRS, pairs_of
from leaderboard.static.samples import ORDER, ROWS, RUNS
from leaderboard.static.sheet import Sheet
from leaderboard.static.site import NAMES
from leaderboard.views.moment import Moment
from results.added import add_ratings
from results.compare import compare
from results.grid import Grid
from results.manifest import SourceFacts
from results.measures import measures
from results.paired import MARGIN
from results.schema import Rating, ratings_table
from results.store import Store, StoreError
from tests.leaderboard.domain_stores import some_runs
from tests.results.test_judging import noisy
from tests.support.browser import open_chromium
from tests.support.exported import PAGES, File, exported, plain
from tests.support.made_runs import HOSTILE, hostile_rubric, system
from tests.support.panels import panel_run
from tests.support.people import import_judgments, judgments
from tests.support.transcripts import MARK, dialogue_run, hostile_run


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Moment, Board, File]:
    """Groups with domains, texts, twins, a panel with repeats and people, dialogues, and hostile names throughout."""
    store, rng = some_runs(tmp_path_factory.mktemp("export")), np.random.default_rng(4)
    hostile_run(store)
    hostile_rubric(store)
    system(store, "m/a", "baseline", 0.3, seed=1)
    system(store, "m/a", "prompted", 0.8, seed=2)
    for k in range(3):
        given = noisy(rng, 30, 0.05)
        again = {"a": {"grounding": [given["b"]["grounding"]]}}
        m = panel_run(store, f"m/{k}", given, {"a": "ant", "b": "bee", "c": "cat"}, ("ant", "dog")[k % 2],
                      again if k == 0 else None)  # fmt: skip
        if k == 0:
            rows = [
                Rating(run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater="Ada", repeat=0, rater_kind="human",
                       origin="imported", criterion="refusal", value=float(n % 3 > 0), status="ok")
                for n, i in enumerate(m.items)
            ]  # fmt: skip
            add_ratings(store, m.run_id, ratings_table(rows), SourceFacts(file="ada.csv", sha256="1"))
    dialogue_run(store, [("ooAA", 3), ("onH", 2), ("Aod", 2), ("oooe", 3)])
    dialogue_run(store, [("ooAA", 3), ("oAA", 2), ("oAA", 2), ("ooAA", 3)], "m/two")
    return exported(store)


def among(file: File, page: str, draw: Any) -> bool:
    """Whether a page has a chart, for both grounds, as the library draws it."""
    light, dark = plain(draw(False)), plain(draw(True))

    def same(side: dict[str, Any], figure: dict[str, Any]) -> bool:
        layout = {k: side["layout"].get(k) for k in figure["layout"]}
        return {"data": side["data"], "layout": layout} == figure

    return any(same(f["light"], light) and same(f["dark"], dark) for f in file.figures[page])


def grid_with(found: Moment, text: str) -> Grid:
    return next(g for g in found.grids if any(text in m.model.name for m in g.runs))


def test_leaderboard_and_overview_are_the_board_s(full: tuple[Moment, Board, File]) -> None:
    found, board, file = full
    for group in board.groups:
        for column in group.columns:
            if any(column.name in r.measures and r.measures[column.name].value is not None for r in group.rows):
                assert among(file, "leaderboard", partial(charts.forest, group.rows, column))
        for rows in filter(None, (group.models, group.references)):
            for row in rows:
                got = [t for t in file.tables["leaderboard"] if any(row.run_id == c[-1] for c in t[1:])]
                assert len(got) == 1
                line = next(c for c in got[0][1:] if c[-1] == row.run_id)
                assert all(present.cell(row, c.name) in line for c in group.columns)
        assert group.sentence in file.words["leaderboard"] and group.key in file.words["leaderboard"]
    grid = next(g for g in found.grids if any(t is not None for t in g.twins))
    group, column = overview.charted(board, grid) or pytest.fail("nothing charted")
    assert among(file, "overview", partial(charts.forest, group.rows, column))
    for line in list(overview.findings(found.grids))[: overview.MOST]:
        assert line in file.words["overview"]
    assert file.has("overview", overview.data_card(found.grids))


def test_comparisons_and_domains_are_the_library_s(full: tuple[Moment, Board, File]) -> None:
    found, _, file = full
    pairs = list(pairs_of(found.grids))[:PAIRS]
    base, other = next(p for p in pairs if p[0].model.name == "vendor/model-a")
    assert (base.condition.name, other.condition.name) == ("baseline", "prompted")
    c = compare(found.store, base, other, detailed=True, margin=MARGIN)
    bounds = {n: m.bounds for n, m in measures(found.store, base).items()}
    told = Compared(base, (c,), run_names([base, other]), MARGIN, bounds)
    assert sentence(c, told.names) in file.words["compare"]
    first = told.choices()[0]
    for make in (partial(score_figure, told), partial(domain_figure, told, first)):
        assert among(file, "compare", lambda dark, make=make: make(dark).figure)
    assert file.has("compare", score_table(told)) and file.has("compare", domain_table(told, first))
    grid = grid_with(found, "vendor/model-a")
    assert len(domains_of(grid)) == 5
    for column in columns_of(grid):
        made = domain_map(grid, column.name)
        for shrunken in (True, False):
            assert among(file, "domains", lambda dark, m=made, s=shrunken: heatmap(m, s, dark=dark))
            assert file.has("domains", domain_cells(made, shrunken))


def test_judges_samples_and_dialogues_are_the_library_s(full: tuple[Moment, Board, File]) -> None:
    found, _, file = full
    grid = grid_with(found, "m/0")
    for criterion in ("refusal", "grounding"):
        seen = judging.judging(grid, criterion)
        assert judging.sentence(seen) in file.words["judges"]
        assert among(file, "judges", partial(judging_figures.agreement_figure, seen.agreement))
        assert among(file, "judges", partial(judging_figures.severity_figure, seen))
        assert seen.left is not None and among(file, "judges", partial(judging_figures.ranks_figure, seen.left))
        for rows in (judging.pair_rows(seen.agreement), judging.severity_rows(seen), judging.left_rows(seen.left)):
            assert file.has("judges", rows)
    assert "Ada" in file.words["judges"] and "Mean distance" in file.words["judges"]
    runs = samples.runs_of(found.runs.values())
    for run in runs[:RUNS]:
        ratings = found.store.ratings([run.run_id])
        for name in samples.measured(ratings, run):
            rows = samples.samples(run, ratings, name, {})
            counts = shown.bars(rows, rows, shown.scale_of(run, name))
            draw = partial(shown.histogram, counts, shown.label_of(name))
            assert among(file, "samples", lambda dark, draw=draw: draw(dark=dark))
    (group,) = [g for g in found.grids if dialogues.of_dialogues(g.runs[0])]
    timed = dialogues.timings(found.store, group.runs, found.labels)
    assert among(file, "dialogues", partial(dialogue_charts.timing_figure, timed))
    assert file.has("dialogues", present.timing_table(timed))
    for run in group.runs:
        played = dialogues.played(found.store, run)
        assert among(file, "dialogues", partial(dialogue_charts.turns_figure, played))
        assert file.has("dialogues", dialogues.table_rows(played, False))


def test_no_text_of_a_sample_is_in_the_file_and_its_ids_are(full: tuple[Moment, Board, File], tmp_path: Path) -> None:
    """Canaries stand in prompts, answers and justifications; a second store has texts as an import writes them."""
    found, _, file = full
    with_texts = [m for m in found.runs.values() if (found.store.runs_dir / m.run_id / "texts.parquet").exists()]
    assert len(with_texts) >= 3
    for canary in (MARK, "a made-up message about a hard day", "An answer of the one", "call 988"):
        assert canary not in file.page
    run = next(m for m in samples.runs_of(found.runs.values())[:RUNS] if m in with_texts)
    names = samples.leading(samples.measured(found.store.ratings([run.run_id]), run))
    rows = samples.samples(run, found.store.ratings([run.run_id]), names[0], samples.word_counts(found.store, run))
    first = samples.ordered(rows, ORDER)[:ROWS]
    assert file.has("samples", shown.table_rows(first, run, shown.scale_of(run, names[0])))
    store = Store(tmp_path / "imported")
    import_judgments(store, judgments(tmp_path))
    from tests.support.people import PROMPTS, answer

    page = exported(store)[2].page
    assert not [t for t in (*PROMPTS, answer("v0", 0).splitlines()[0]) if t in page]
    # Where the store lies is nobody's business either.
    assert str(tmp_path) not in page and str(found.store.root) not in file.page


def test_names_are_text_and_nothing_is_asked_for(full: tuple[Moment, Board, File]) -> None:
    _, _, file = full
    kinds = {tag for tag, _ in file.tags}
    assert not kinds & {"img", "iframe", "link", "object", "base", "form", "embed", "video", "audio"}
    assert [a["id"] for t, a in file.tags if t == "section"] == PAGES
    assert [a["href"] for t, a in file.tags if "href" in a] == [f"#{p}" for p in PAGES]
    assert not [a for _, a in file.tags if "src" in a or any(k.startswith("on") for k in a)]
    ids = [a["id"] for _, a in file.tags if "id" in a]
    assert len(ids) == len(set(ids)) and not [i for i in ids if HOSTILE in str(i)]
    assert "default-src 'none'" in file.page and "connect-src" not in file.page
    assert all(f["config"]["showSendToCloud"] is False for own in file.figures.values() for f in own)
    assert file.page.count("plotly.js v") == 1 and file.page.count(HOSTILE) == 0
    assert HOSTILE[:20] in file.words["leaderboard"]
    # Every chart is there in words for who has no scripts, and has its data.
    places = [a for t, a in file.tags if t == "div" and a.get("class") == "chart"]
    assert len(places) == sum(map(len, file.figures.values())) and all(a["aria-label"] for a in places)


def test_a_damaged_group_takes_no_page_with_it() -> None:
    def broken() -> str:
        raise StoreError("ratings of <run> are gone")

    sheet = Sheet("x")
    made = sheet.choice("Run", [("a", broken), ("b", lambda: "<p>whole</p>")], 5, "runs")
    assert "ratings of &lt;run&gt; are gone" in made and "whole" in made


# --- in a browser ---


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_chromium() as chromium:
        yield chromium


DRAWN_CHARTS = """() => { const seen = [...document.querySelectorAll('.page.now .chart')].filter(
  c => !c.closest('details:not([open]), .option:not(.now)'));
  return seen.every(c => c.querySelector('.main-svg')) }"""
SHOWN = "() => [...document.querySelectorAll('.page')].filter(p => p.offsetParent).map(p => p.id)"
# The address changes before the page does.
ONLY = f"name => ({SHOWN})().join() === name"
NAME = "() => document.querySelector('.page.now .option.now > .name').textContent"


@pytest.mark.browser
@pytest.mark.process
@pytest.mark.timeout(240)
@pytest.mark.xdist_group("chromium")
def test_pages_turn_by_keyboard_and_address_and_ask_for_nothing(
    browser: Any, full: tuple[Moment, Board, File], tmp_path: Path
) -> None:
    path = tmp_path / "board.html"
    path.write_text(full[2].page, encoding="utf-8")
    context = browser.new_context(viewport={"width": 480, "height": 900}, color_scheme="light")
    tab = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    tab.on("request", lambda r: asked.append(r.url))
    tab.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    tab.on("pageerror", lambda e: said.append(str(e)))
    tab.goto(path.as_uri())
    assert tab.evaluate(SHOWN) == ["overview"]
    # Charts of pages that nobody has opened are not drawn.
    assert tab.locator(".page:not(.now) .main-svg").count() == 0
    for n, name in enumerate(PAGES):
        tab.keyboard.press("Tab") if n == 0 else None
        tab.keyboard.press("Enter")
        tab.wait_for_function("name => location.hash === '#' + name", arg=name)
        tab.wait_for_function(ONLY, arg=name)
        assert tab.locator("nav a[aria-current=page]").get_attribute("href") == f"#{name}"
        assert tab.title().startswith(dict((a, b) for a, b, _ in NAMES)[name])
        tab.wait_for_function(DRAWN_CHARTS)
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        assert tab.evaluate("scrollY") == 0
        tab.evaluate("name => document.querySelector(`nav a[href='#${name}']`).focus()", name)
        tab.keyboard.press("Tab")
    tab.go_back()
    tab.wait_for_function("() => location.hash === '#dialogues'")
    tab.wait_for_function(ONLY, arg="dialogues")
    # A choice stands in the address, too, and both come back.
    tab.goto(path.as_uri() + "#judges")
    tab.wait_for_function(ONLY, arg="judges")
    box = tab.locator(".page.now select:visible").first
    box.focus()
    before = tab.evaluate(NAME)
    tab.keyboard.press("ArrowDown")
    tab.wait_for_function(f"before => ({NAME})() !== before && location.hash.startsWith('#judges-')", arg=before)
    chosen = tab.evaluate("location.hash")
    tab.reload()
    tab.wait_for_function(DRAWN_CHARTS)
    assert tab.evaluate(SHOWN) == ["judges"] and f"#{tab.locator('.page.now select').first.input_value()}" == chosen
    # Another ground draws what is seen again.
    colour = "() => document.querySelector('.page.now .js-plotly-plot .xtick text, .page.now .ytick text').style.fill"
    tab.goto(path.as_uri() + "#leaderboard")
    tab.wait_for_function(DRAWN_CHARTS)
    light = tab.evaluate(colour)
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function(f"before => ({colour})() !== before", arg=light)
    assert {u.partition("#")[0] for u in asked} == {path.as_uri()} and said == []
    context.close()


@pytest.mark.browser
@pytest.mark.process
@pytest.mark.xdist_group("chromium")
def test_without_scripts_all_pages_are_there(browser: Any, full: tuple[Moment, Board, File], tmp_path: Path) -> None:
    path = tmp_path / "board.html"
    path.write_text(full[2].page, encoding="utf-8")
    context = browser.new_context(java_script_enabled=False, viewport={"width": 480, "height": 900})
    tab = context.new_page()
    tab.goto(path.as_uri())
    for name in PAGES:
        assert tab.locator(f"#{name}").is_visible()
    assert tab.get_by_text("Chart, in words: Forest plot", exact=False).first.is_visible()
    assert tab.locator("#compare .option").last.is_visible()
    context.close()

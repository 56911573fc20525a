"""All pages in one file: its figures and tables are the library's, it holds no text, and it stays small.

How it looks and turns in a browser is at the end.
"""

from __future__ import annotations

import html.parser
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from click.testing import CliRunner

from leaderboard import (
    charts,
    dialogue_charts,
    dialogues,
    judging,
    judging_figures,
    judging_texts,
    overview,
    plane,
    present,
)
from leaderboard.board import board_of
from leaderboard.cli import main
from leaderboard.comparing import Compared, domain_table, score_table, sentence, tail_warnings
from leaderboard.comparing_figures import domain_figure, score_figure
from leaderboard.domain_figure import heatmap
from leaderboard.domains import columns_of, domain_map, domains_of
from leaderboard.domains import table as domain_cells
from leaderboard.model import Board
from leaderboard.naming import run_names
from leaderboard.samples import data as samples
from leaderboard.samples import shown
from leaderboard.static import board as static_board
from leaderboard.static import board_html
from leaderboard.static import compare as static_compare
from leaderboard.static import dialogues as static_dialogues
from leaderboard.static import overview as static_overview
from leaderboard.static import samples as static_samples
from leaderboard.static.compare import PAIRS, pairs_of
from leaderboard.static.pieces import cells, marked
from leaderboard.static.samples import ORDER, ROWS, RUNS
from leaderboard.static.sheet import DRAWN, Sheet
from leaderboard.static.site import EMPTY, NAMES
from leaderboard.views.moment import Moment, moment
from results.added import add_ratings
from results.compare import compare
from results.grid import Grid
from results.importers.lm_eval import read_run, write_run
from results.manifest import SourceFacts
from results.measures import measures
from results.paired import MARGIN
from results.schema import Rating, ratings_table
from results.store import Store, StoreError
from tests.leaderboard.domain_stores import domain_run, some_runs
from tests.leaderboard.test_board import (
    HOSTILE,
    hostile_rubric,
    import_published,
    manifest,
    put,
    system,
    with_companions,
)
from tests.results.test_capability import right, write
from tests.results.test_judging import noisy
from tests.support.browser import open_chromium
from tests.support.many_runs import many_runs
from tests.support.panels import panel_run
from tests.support.people import import_judgments, judgments
from tests.support.transcripts import MARK, dialogue_run, hostile_run

PAGES = [name for name, _, _ in NAMES]


@dataclass
class File(html.parser.HTMLParser):
    """The file as a reader without scripts gets it: tags, text of each page, its tables, and the data of its charts."""

    page: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[list[list[str]]]] = field(default_factory=dict)
    figures: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._at = self._script = ""
        self.feed(self.page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.append((tag, told))
        if tag == "section":
            self._at = str(told["id"])
        self._script = str(told.get("id") or "code") if tag in ("script", "style") else ""
        if tag == "table":
            self.tables.setdefault(self._at, []).append([])
        elif tag == "tr":
            self.tables[self._at][-1].append([])
        elif tag in ("th", "td"):
            self.tables[self._at][-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._script = "" if tag in ("script", "style") else self._script
        self._at = "" if tag == "section" else self._at

    def handle_data(self, data: str) -> None:
        if self._script:
            if self._script.startswith("figures-"):
                self.figures[self._script.removeprefix("figures-")] = json.loads(data)
            return
        self.words[self._at] = self.words.get(self._at, "") + data
        rows = self.tables.get(self._at)
        if rows and rows[-1] and rows[-1][-1] and self.lasttag in ("th", "td"):
            rows[-1][-1][-1] += data

    def has(self, page: str, rows: list[dict[str, str]]) -> bool:
        """Whether a page has a table of these rows."""
        heads, body = cells(rows)
        return [[present.plain(h) for h in heads], *body] in self.tables[page]


def exported(store: Store) -> tuple[Moment, Board, File]:
    found = moment(store)
    board = board_of(found.store, found.grids, found.damaged)
    return found, board, File(board_html(board, found))


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


def plain(figure: go.Figure) -> dict[str, Any]:
    """What a chart draws, and the part of its layout that is not ground or letters."""
    made = json.loads(str(figure.to_json()))
    drawn = {k: v for k, v in made["layout"].items() if k not in ("template", "font", "paper_bgcolor", "plot_bgcolor")}
    return {"data": made["data"], "layout": drawn}


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


def test_every_state_of_a_store(tmp_path: Path) -> None:
    _, _, empty = exported(Store(tmp_path / "empty"))
    assert [p for p in PAGES if EMPTY in empty.words[p]] == [p for p in PAGES if p != "method"]
    assert "What is estimated" in empty.words["method"] and "leaderboard" in empty.figures
    one = Store(tmp_path / "one")
    system(one, "m/one", answered=None)
    # All ties, and a measure that is undefined everywhere.
    level = Store(tmp_path / "level")
    for k in range(3):
        panel_run(level, f"m/{k}", {j: {"refusal": [1.0] * 40} for j in "ab"})
    gone = Store(tmp_path / "gone")
    for k in range(2):
        domain_run(gone, f"m/{k}", seed=k, missing=60)
    damaged = Store(tmp_path / "damaged")
    system(damaged, "m/one")
    (damaged.root / "runs" / "<b>bad").mkdir()
    (damaged.root / "runs" / "<b>bad" / "run.json").write_text("{")
    said = {
        one: ("compare", "There is one run"), level: ("judges", "changes the rank of none of 3 runs"),
        gone: ("leaderboard", "undefined"), damaged: ("", "<b>bad"),
    }  # fmt: skip
    for store, (page, text) in said.items():
        _, _, file = exported(store)
        assert text in file.words[page], page
        assert list(file.words.keys() & set(PAGES)) and all(file.words[p].strip() for p in PAGES)
        every = [c for own in file.tables.values() for t in own for row in t for c in row]
        assert not {"nan", "None", "NaN"} & set(every)
    out = tmp_path / "board.html"
    done = CliRunner().invoke(main, ["leaderboard", "--store", str(damaged.root), "--export", str(out)])
    assert done.exit_code == 0 and out.read_text(encoding="utf-8") == file.page


@pytest.mark.slow
def test_imported_runs_without_judges_detail(tmp_path: Path) -> None:
    store = Store(tmp_path)
    import_published(store)
    _, board, file = exported(store)
    assert board.groups[0].published and "judges" in file.words
    assert all("cannot be shown" not in words for words in file.words.values())


def test_a_damaged_group_takes_no_page_with_it(full: tuple[Moment, Board, File]) -> None:
    def broken() -> str:
        raise StoreError("ratings of <run> are gone")

    sheet = Sheet("x")
    made = sheet.choice("Run", [("a", broken), ("b", lambda: "<p>whole</p>")], 5, "runs")
    assert "ratings of &lt;run&gt; are gone" in made and "whole" in made


@pytest.mark.slow
def test_what_is_cut_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for k in range(DRAWN + 5):
        panel_run(store, f"m/{k:02}", {"a": {"refusal": [float((k + n) % 3 > 0) for n in range(8)]}})
    found, _, file = exported(store)
    assert f"first {DRAWN} of {DRAWN + 5}" in file.words["leaderboard"]
    assert all(len(t["y"]) <= DRAWN for f in file.figures["leaderboard"] for t in f["light"]["data"])
    (table,) = (t for t in file.tables["leaderboard"] if t[0][-1] == "Run" and t[1][0].startswith("m/"))
    assert len(table) == 1 + DRAWN + 5
    pairs = len(list(pairs_of(found.grids)))
    assert f"{PAIRS} of {pairs} pairs of runs are in this file" in file.words["compare"]
    assert f"{RUNS} of {DRAWN + 5} runs are in this file" in file.words["samples"]
    assert len(file.page.encode()) < 15_000_000


def test_of_many_runs_the_first_are_drawn_and_compared_and_the_rest_counted(tmp_path: Path) -> None:
    found = moment(many_runs(tmp_path / "store", PAIRS + 2, items=4))
    board = board_of(found.store, found.grids, found.damaged)
    (group,) = board.groups
    sheet = Sheet("x")
    rows = (group.rows * 3)[: DRAWN + 2]
    made = static_board.chart(sheet, rows, next(c for c in group.columns if c.name == "quality"))
    assert f"The chart shows the first {DRAWN} of {DRAWN + 2}, in the order of the table." in made
    drawn = json.loads(sheet.figures[0])["light"]["data"]
    assert max(len(t["y"]) for t in drawn if t.get("mode") == "markers") <= DRAWN
    # The page has room for one pair; the command has all.
    made = static_compare.page(Sheet("y", room=1), found, board)
    assert f"1 of {PAIRS + 1} pairs of runs are in this file" in made and "psychosafe compare" in made


def test_groups_that_do_not_fit_are_counted_and_two_axes_are_drawn(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with_companions(store)
    found = moment(store)
    board = replace(board_of(found.store, found.grids, found.damaged), published=())
    sheet = Sheet("x")
    made = static_board.page(sheet, found, board)
    main = next(g for g in board.groups if "open" in g.title)
    assert made.count("<h4>Safety plane</h4>") == 1 and "left out of this file" not in made
    want = plain(plane.plane(main.rows))
    assert any(json.loads(f)["light"]["data"] == want["data"] for f in sheet.figures)
    short = static_board.page(Sheet("y", room=1), found, board)
    assert len(board.groups) == 3 and "2 more groups of comparable runs are left out of this file" in short
    two = static_board.page(Sheet("z", room=1), found, replace(board, groups=board.groups[:2]))
    assert "1 more group of comparable runs is left out of this file" in two


def test_runs_without_items_or_without_ratings_leave_no_page_empty(tmp_path: Path) -> None:
    harness = Store(tmp_path / "harness")
    write_run(harness, read_run(write(tmp_path / "own", {"own": right(30)})))
    found, board, file = exported(harness)
    assert found.runs and not found.grids
    assert judging_texts.NO_RUNS in file.words["judges"] and samples.NO_RUNS in file.words["samples"]
    assert all(file.words[p].strip() for p in PAGES)
    # The leaderboard alone, with nothing to draw, needs no plotly.
    bare = board_html(replace(board, groups=(), published=()))
    assert "plotly.js v" not in bare and len(bare) < 60_000

    silent = Store(tmp_path / "silent")
    silent.write(manifest("m/0", n=3), ratings_table([]))
    found = moment(silent)
    made = static_samples.page(Sheet("x"), found, board_of(found.store, found.grids, found.damaged))
    assert "This run has no verdicts on whole responses." in made


def test_dialogues_without_a_risk_or_without_a_scored_turn_say_so(tmp_path: Path) -> None:
    controls, silent = Store(tmp_path / "controls"), Store(tmp_path / "silent")
    dialogue_run(controls, [("oo", None), ("oo", None)])
    found = moment(controls)
    assert dialogues.NOTHING_TO_TIME in static_dialogues.page(Sheet("x"), found, board_of(controls, found.grids, {}))
    run = dialogue_run(silent, [("oo", 1), ("oo", 2)])
    rows = [r for r in silent.own_ratings(run).to_pylist() if r["turn"] == 0]
    silent.write(run, ratings_table(rows))
    found = moment(silent)
    made = static_dialogues.page(Sheet("x"), found, board_of(silent, found.grids, {}))
    assert "No turn of this run was scored: its samples failed." in made


def test_a_worse_tail_behind_a_mean_that_is_no_worse_is_said_loudly(tmp_path: Path) -> None:
    """A fifth of the items falls to about 0, the others rise."""
    store, rng = Store(tmp_path), np.random.default_rng(0)
    base = put(store, manifest("m", "baseline", n=60), {"quality": (0.5 + 0.05 * rng.random(60)).tolist()})
    fallen, risen = 0.05 * rng.random(12), 0.85 + 0.1 * rng.random(48)
    other = put(store, manifest("m", "prompted", n=60), {"quality": [*fallen.tolist(), *risen.tolist()]})
    found = moment(store)
    c = compare(store, base, other, detailed=True, margin=MARGIN)
    (warning,) = tail_warnings(c, Compared(base, (c,), run_names([base, other]), MARGIN, {}))
    made = static_compare.page(Sheet("x"), found, board_of(store, found.grids, found.damaged))
    assert "A mean that is no worse hides a worse tail." in made and present.plain(warning) in made


def test_a_store_that_breaks_while_the_file_is_made_is_said_page_by_page(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for n in range(2):
        m = panel_run(store, f"m/{n}", {"a": {"refusal": [1.0, 0.0, 1.0, 1.0]}, "b": {"refusal": [1.0, 1.0, 0.0, 1.0]}})
    rows = [
        Rating(run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater="Ada", repeat=0, rater_kind="human",
               origin="imported", criterion="refusal", value=1.0, status="ok")
        for i in m.items
    ]  # fmt: skip
    add_ratings(store, m.run_id, ratings_table(rows), SourceFacts(file="ada.csv", sha256="1"))
    found = moment(store)
    board = board_of(found.store, found.grids, found.damaged)
    for path in store.ratings_files(m.run_id):
        path.write_bytes(b"PAR1" + path.read_bytes()[4:-40])
    file = File(board_html(board, found))
    broken = [p for p in PAGES if "cannot be shown" in file.words[p] or "cannot be read" in file.words[p]]
    assert "judges" in broken and "leaderboard" not in broken and m.run_id in file.words["judges"]
    assert not [p for p in broken if p in file.figures and not file.words[p].strip()]


def test_findings_beyond_the_first_few_are_counted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for k in range(overview.MOST + 1):
        for condition, quality in (("baseline", 0.3), ("prompted", 0.8)):
            system(store, f"m/{k}", condition, quality, answered=None, seed=k)
    found = moment(store)
    board = board_of(found.store, found.grids, found.damaged)
    made = static_overview.page(Sheet("x"), found, board)
    assert made.count("<li>") == overview.MOST and "1 more: " in made and "psychosafe compare" in made
    # A group that the board does not have is no chart.
    sheet = Sheet("y")
    assert 'class="chart"' not in static_overview.page(sheet, found, replace(board, groups=())) and not sheet.figures


def test_room_is_kept() -> None:
    """Views stop where the page is full, the first excepted; what was begun leaves nothing behind."""
    sheet = Sheet("x", room=4_000)
    row = {"A": "b" * 900}
    made = sheet.choice("C", [(f"view {n}", partial(sheet.rows, [row], "t")) for n in range(9)], 9, "views")
    assert made.count("<table>") == 3 and "3 of 9 views are in this file" in made and not sheet.full
    tiny = Sheet("y", room=10)
    draw = partial(go.Figure)
    made = tiny.choice("C", [(f"v{n}", lambda: tiny.figure(lambda dark: draw(), "a chart")) for n in range(3)], 9, "v")
    assert len(tiny.figures) == 1 and tiny.full and 'data-figure="0"' in made
    assert "first 2 of 3 rows" in Sheet("z").rows([row] * 3, "t", 2)


def test_our_own_markdown() -> None:
    made = marked("One *soft* word\nand `code` & more.\n\n- **a**: b\n  c\n- d")
    listed = "<ul><li><strong>a</strong>: b c</li><li>d</li></ul>"
    assert made == f"<p>One <em>soft</em> word and <code>code</code> &amp; more.</p>{listed}"


@pytest.mark.slow
def test_a_thousand_runs_stay_below_15_mb(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writing():
        for k in range(500):
            for n, condition in enumerate(("baseline", "prompted")):
                domain_run(store, f"vendor/model-{k:03}-with-a-name", condition, 2 * k + n)
    found, _, file = exported(store)
    assert len(found.runs) == 1_000 and len(file.page.encode()) < 15_000_000
    assert "first 40 of 1000" in file.words["leaderboard"]


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

"""Every page of the board's file has something to say of any store, counts what it leaves out, and stays small."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from click.testing import CliRunner

from leaderboard import dialogues, judging_texts, overview, plane, present
from leaderboard.board import board_of
from leaderboard.cli import main
from leaderboard.comparing import Compared, tail_warnings
from leaderboard.naming import run_names
from leaderboard.samples import data as samples
from leaderboard.static import board as static_board
from leaderboard.static import board_html
from leaderboard.static import compare as static_compare
from leaderboard.static import dialogues as static_dialogues
from leaderboard.static import overview as static_overview
from leaderboard.static import samples as static_samples
from leaderboard.static.compare import PAIRS, pairs_of
from leaderboard.static.pieces import marked
from leaderboard.static.samples import RUNS
from leaderboard.static.sheet import DRAWN, Sheet
from leaderboard.static.site import EMPTY
from leaderboard.views.moment import moment
from results.added import add_ratings
from results.compare import compare
from results.importers.lm_eval import read_run, write_run
from results.manifest import SourceFacts
from results.paired import MARGIN
from results.schema import Rating, ratings_table
from results.store import Store
from tests.leaderboard.domain_stores import domain_run
from tests.results.test_capability import right, write
from tests.support.exported import PAGES, File, exported, plain
from tests.support.made_runs import import_published, manifest, put, system, with_companions
from tests.support.many_runs import many_runs
from tests.support.panels import panel_run
from tests.support.transcripts import dialogue_run


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

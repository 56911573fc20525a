"""Method and downloads: what is taken away parses back, and what is printed computes the same number."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from judges.stats import Estimate
from leaderboard import downloads, method, present
from leaderboard.board import board_of, load_board
from leaderboard.cli import main
from leaderboard.static import board_html
from leaderboard.views.moment import Moment, moment
from results.schema import RATINGS
from results.store import ENV_STORE, Store
from rubrics.loader import load_rubric
from tests.leaderboard.page_states import RERUNS
from tests.leaderboard.test_app import markup, texts
from tests.support.browser import end, free_port, open_chromium, serve
from tests.support.made_runs import HOSTILE, RUBRIC, demo_like, hostile_rubric, system
from tests.support.panels import panel_run

SCRIPT = "from leaderboard.views import method\nmethod.page()"
Open = Callable[[Path], AppTest]
SHEET = '=HYPERLINK("http://127.0.0.1:9/x")'


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """`page(root)`: the page on the store there, run once, without an exception."""

    def opened(root: Path) -> AppTest:
        monkeypatch.setenv(ENV_STORE, str(root))
        at = AppTest.from_string(SCRIPT, default_timeout=60).run()
        assert not at.exception
        return at

    return opened


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Moment:
    """Models, reference policies, hostile names, a name that a spreadsheet would run, and a panel of two."""
    store = demo_like(tmp_path_factory.mktemp("method"))
    hostile_rubric(store)
    system(store, SHEET, "baseline", 0.4, 0.6, 8)
    panel_run(store, "m/p", {"a": {"refusal": [1.0, 0.0, None]}, "b": {"refusal": [1.0, 0.0, 1.0]}})
    return moment(store)


def table(at: AppTest, column: str) -> Any:
    """The first table that has a column."""
    return next(d.value for d in at.dataframe if column in d.value)


def expected(found: Moment) -> dict[tuple[str, str], Estimate]:
    return {
        (m.run_id, present.plain(c.name, 60)): e
        for g in found.grids
        for c in g.columns
        for m, e in zip(g.runs, g.estimates(c.name), strict=True)
    }


def test_csv_parses_back_to_the_figures(found: Moment) -> None:
    raw = downloads.figures_csv(found.grids).decode()
    rows = list(csv.DictReader(io.StringIO(raw)))
    own = {(r["run"], r["measure"]): r for r in rows if not r["key"].startswith("published")}
    wanted = expected(found)
    assert own.keys() == wanted.keys() and len(rows) > len(own)
    for at, e in wanted.items():
        r = own[at]
        ends = [float(r[name]) if r[name] else None for name in ("value", "low", "high")]
        assert ends == [e.value, e.low, e.high] and (int(r["n"]), int(r["total"])) == (e.n, e.total)
        assert e.value is not None or r["reason"]
    keys = {(g.runs[0].run_id, c.name): c.key for g in found.grids for c in g.columns}
    assert all(own[run, present.plain(name, 60)]["key"] == key for (run, name), key in keys.items())
    # No cell that a spreadsheet would run.
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
    assert any(r["model"] == f"'{SHEET}" for r in rows)


def test_parquet_is_the_same_table(found: Moment) -> None:
    raw = downloads.figures_parquet(found.grids, {"state": found.state})
    table = pq.read_table(io.BytesIO(raw))
    assert table.schema.equals(downloads.FIGURES) and table.schema.metadata[b"state"] == found.state.encode()
    own = {(r["run"], r["measure"]): r for r in table.to_pylist() if not r["key"].startswith("published")}
    for at, e in expected(found).items():
        r = own[at]
        assert (r["value"], r["low"], r["high"], r["n"], r["total"]) == (e.value, e.low, e.high, e.n, e.total)


def test_latex_has_booktabs_rules_and_every_system(found: Moment) -> None:
    board = board_of(found.store, found.grids, found.damaged)
    raw = downloads.board_latex(board)
    assert raw.count(r"\toprule") == raw.count(r"\midrule") == raw.count(r"\bottomrule") == raw.count(r"\begin{table}")
    assert raw.count(r"\begin{tabular}") == raw.count(r"\end{tabular}") >= 4
    lines = raw.splitlines()
    assert "<script>" not in raw and "vendor/model-a" in raw
    models = next(g for g in board.groups if len(g.models) > 3)
    for row in models.models:
        if row.model == "vendor/model-a" and row.condition == "prompted":
            (line,) = (x for x in lines if x.startswith("vendor/model-a & prompted"))
            assert present.number(row.measures["pair_score"]).replace("[", "{[}") in line
    columns = {len(x.split(" & ")) for x in lines if x.startswith("System & ")}
    assert columns == {2 + len(s.columns) for s in (*board.groups, *board.published)}


def test_ratings_are_those_of_the_store(found: Moment) -> None:
    run = next(m for m in found.runs.values() if m.model.name == "m/p")
    table = pq.read_table(io.BytesIO(downloads.ratings_parquet(found.store, run.run_id)), schema=RATINGS)
    assert table.equals(found.store.ratings([run.run_id]))
    assert not {"prompt", "response", "answer", "justification", "text"} & set(table.column_names)


@pytest.mark.parametrize("reruns", RERUNS)
def test_a_printed_command_computes_the_same_number(page: Open, found: Moment, reruns: int) -> None:
    at, rng = page(found.store.root), np.random.default_rng(1)
    seen = set()
    for _ in range(reruns):
        group = str(rng.choice(at.selectbox(key="group").options))
        at.selectbox(key="group").set_value(group).run()
        for key in ("run", "measure"):
            at.selectbox(key=key).set_value(str(rng.choice(at.selectbox(key=key).options))).run()
        assert not at.exception and HOSTILE not in markup(at)
        labels = {present.plain(v, 90): k for k, v in found.labels.items()}
        run = labels[str(at.selectbox(key="run").value)]
        grid = found.grid_of(run)
        assert grid is not None
        label = str(at.selectbox(key="measure").value)
        column = next(c for c in grid.columns if present.plain(c.label, 90) == label)
        e = grid.estimates(column.name)[[m.run_id for m in grid.runs].index(run)]
        shown = next(t.value for t in at.text if t.value.startswith(f"{present.plain(column.label, 60)}: "))
        assert shown.startswith(f"{present.plain(column.label, 60)}: {present.number(e, 4)}")
        seen.add(column.name)
        place = [m.run_id for m in grid.runs].index(run)
        command = method.figure_command(grid, place, column.name, str(found.store.root))
        if command is None:
            assert any("No command prints this figure" in i.value for i in at.info)
            continue
        (printed,) = (c.value for c in at.code if c.value == shlex.join(command.words))
        done = CliRunner().invoke(main, shlex.split(printed)[1:])
        assert done.exit_code == 0, done.output
        again = command.read(json.loads(done.stdout))
        assert (again["n"], again["total"]) == (e.n, e.total)
        for name in ("value", "low", "high"):
            assert again[name] == (None if getattr(e, name) is None else pytest.approx(getattr(e, name), abs=1e-6))
    assert len(seen) > 5


def test_a_figure_that_takes_a_second_run_is_computed_again_too(found: Moment) -> None:
    """By comparing the run with another one: what the overview of a group does not print."""
    seen = set()
    for grid in found.grids:
        for column in grid.columns:
            made = ((at, method.figure_command(grid, at, column.name, str(found.store.root)))
                    for at in range(len(grid.runs)))  # fmt: skip
            at, command = next(((at, c) for at, c in made if c is not None), (0, None))
            # One of each kind: what the overview prints is asked for in the test above.
            kind = "an overview" if command is not None and "--overview" in command.words else column.name
            if command is None or kind in seen:
                continue
            seen.add(kind)
            done = CliRunner().invoke(main, list(command.words[1:]))
            assert done.exit_code == 0, done.output
            told, e = json.loads(done.stdout), grid.estimates(column.name)[at]
            again = command.read(told)
            assert (again["value"], again["n"], again["total"]) == (pytest.approx(e.value, abs=1e-6), e.n, e.total)
            with pytest.raises(KeyError, match="nonsense"):
                replace(command, measure="nonsense").read(told)
    assert {"pair_score", "an overview"} <= seen


@pytest.mark.slow
def test_commands_for_all_of_a_group_run(found: Moment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    grid = next(g for g in found.grids if len(g.runs) == 2)
    for line in method.report_commands(grid, str(found.store.root)).splitlines():
        done = CliRunner().invoke(main, shlex.split(line)[1:])
        assert done.exit_code == 0, (line, done.output)
    assert (tmp_path / "report.html").is_file() and (tmp_path / "board.html").is_file()


def test_the_page_says_what_the_data_are(page: Open, found: Moment) -> None:
    at = page(found.store.root)
    assert texts(at).startswith(f"{sum(len(g.runs) for g in found.grids)} runs in {len(found.grids)} groups")
    assert HOSTILE not in markup(at) and not at.error
    card = dict(table(at, "Fact").itertuples(index=False))
    grid = found.grids[0]
    assert card["Comparability key"] == grid.runs[0].comparability("refusal")[0]
    assert card["State of the store"] == found.state and card["Rubric, hash"] == grid.runs[0].rubric.sha256
    keys = table(at, "Key")
    assert list(keys["Key"]) == [g.runs[0].comparability(g.runs[0].rubric.criteria[0])[0] for g in found.grids]
    assert [e.label for e in at.expander][: len(RUBRIC.criteria)] == [
        c.id.replace("_", " ").capitalize() for c in RUBRIC.criteria
    ]
    for criterion in load_rubric("psychosafe").criteria:
        assert all(anchor in texts(at) for anchor in criterion.anchors.values())
    evil = next(o for o in at.selectbox(key="group").options if o.endswith("2 runs"))
    at.selectbox(key="group").set_value(evil).run()
    assert not at.exception and HOSTILE not in markup(at)
    assert list(table(at, "Scale")["Scale"]) == ["binary", "ordinal"]
    for path, _ in method.COVERAGE:
        assert (method.ROOT / path).is_file() and path in texts(at)
    assert any("@software{psychosafe_eval" in c.value for c in at.code)


def test_states_with_little_to_show(page: Open, tmp_path: Path) -> None:
    at = page(tmp_path / "nothing")
    assert "no runs in the store" in at.info[0].value and not at.get("download_button")
    store = Store(tmp_path / "one")
    system(store, "m/only", answered=None)
    at = page(store.root)
    assert texts(at).startswith("1 run in 1 group of comparable runs")
    twins = Store(tmp_path / "twins")
    run = system(twins, "m/only")
    (twins.runs_dir / run.run_id / "run.json").unlink()
    at = page(twins.root)
    assert not at.exception and texts(at).startswith("0 runs in 0 groups of comparable runs, of 1 in the store")
    assert len(at.get("download_button")) == 6


# --- in a browser: files are what the buttons say ---


@pytest.fixture(scope="module")
def address(found: Moment) -> Iterator[str]:
    import os

    import leaderboard

    port = free_port()
    app = Path(str(leaderboard.__file__)).with_name("app.py")
    server = serve(app, {**os.environ, ENV_STORE: str(found.store.root)}, port)
    yield f"http://127.0.0.1:{port}"
    end(server)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.process
@pytest.mark.socket
@pytest.mark.timeout(240)
@pytest.mark.xdist_group("chromium")
def test_downloads_in_a_browser(address: str, found: Moment, tmp_path: Path) -> None:
    """Every button gives its file, the page stays at home, and the link brings a choice back.

    The static board is the one that test_browser opens offline.
    """
    with open_chromium() as chromium:
        context = chromium.new_context(viewport={"width": 1280, "height": 2400}, accept_downloads=True)
        tab = context.new_page()
        asked: list[str] = []
        said: list[str] = []
        tab.on("request", lambda r: asked.append(r.url))
        # On a page's own address Streamlit first asks for its health below that address, and gets 404.
        tab.on("console", lambda m: said.append(m.text) if m.type == "error" and "404" not in m.text else None)
        tab.on("pageerror", lambda e: said.append(str(e)))
        tab.goto(address)
        tab.get_by_role("link", name="Method and downloads").click()
        tab.get_by_role("heading", name="Downloads", exact=True).wait_for(timeout=60_000)
        files: dict[str, Path] = {}
        for label in ("Figures, CSV", "Figures, Parquet", "Tables, LaTeX", "Board, one HTML file", "BibTeX",
                      "Ratings, Parquet"):  # fmt: skip
            with tab.expect_download(timeout=60_000) as waiting:
                tab.get_by_role("button", name=label).click()
            files[label] = tmp_path / waiting.value.suggested_filename
            waiting.value.save_as(files[label])
        assert files["Figures, CSV"].read_bytes() == downloads.figures_csv(found.grids)
        assert files["Tables, LaTeX"].read_text().count(r"\toprule") >= 4
        assert pq.read_table(files["Figures, Parquet"]).num_rows == len(list(downloads.figure_rows(found.grids)))
        assert pq.read_table(files["Ratings, Parquet"]).num_rows > 0
        html = files["Board, one HTML file"]
        assert html.read_text() == board_html(load_board(found.store), found) and html.stat().st_size < 15_000_000
        # A choice stands in the address, and the address brings it back.
        tab.get_by_role("combobox", name="Measure").click()
        tab.get_by_role("option", name="Grounding").click()
        tab.get_by_text("Grounding: ", exact=False).first.wait_for(timeout=30_000)
        assert "measure=Grounding" in tab.url
        again = context.new_page()
        again.goto(tab.url)
        again.get_by_text("Grounding: ", exact=False).first.wait_for(timeout=60_000)
        assert not [u for u in asked if not u.startswith((address, address.replace("http", "ws"), "data:", "blob:"))]
        assert not said


def test_no_text_of_a_prompt_or_an_answer_leaves(tmp_path: Path) -> None:
    """Texts stand beside the ratings in a store; no download reads them."""
    from tests.support.people import PROMPTS, answer, import_judgments, judgments

    store = Store(tmp_path / "store")
    import_judgments(store, judgments(tmp_path))
    found = moment(store)
    board = board_of(store, found.grids, found.damaged)
    made: dict[str, Any] = {
        "csv": downloads.figures_csv(found.grids),
        "parquet": str(pq.read_table(io.BytesIO(downloads.figures_parquet(found.grids, {}))).to_pylist()).encode(),
        "latex": downloads.board_latex(board).encode(),
        "html": board_html(board, found).encode(),
        "ratings": str([store.ratings([r]).to_pylist() for r in found.runs]).encode(),
    }
    for name, raw in made.items():
        assert len(raw) > 500, name
        for text in (*PROMPTS, answer("v0", 0).splitlines()[0]):
            assert text.encode() not in raw, name

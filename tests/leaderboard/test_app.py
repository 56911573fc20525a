"""The page in Streamlit's own test runner: every state draws, and plots what the library computes."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

import leaderboard
from leaderboard import present
from leaderboard.board import load_board
from results.compare import PAIR_SCORE, measures
from results.store import ENV_STORE, Store
from tests.support.made_runs import HOSTILE, demo_like, hostile_rubric, import_published, system

APP = Path(str(leaderboard.__file__)).with_name("app.py")
Open = Callable[[Path], AppTest]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """`page(root)`: the page on the store there, run once, without an exception."""

    def opened(root: Path) -> AppTest:
        monkeypatch.setenv(ENV_STORE, str(root))
        at = AppTest.from_file(str(APP), default_timeout=60).run()
        assert not at.exception
        return at

    return opened


def figures(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(c.proto.spec) for c in at.get("plotly_chart")]


def plotted(figure: dict[str, Any]) -> dict[float, tuple[float, float | None, float | None]]:
    """Value and interval ends by position from the top."""
    found = {}
    for trace in figure["data"]:
        error = trace["error_x"]
        for x, y, plus, minus in zip(trace["x"], trace["y"], error["array"], error["arrayminus"], strict=True):
            found[y] = (x, None if minus is None else x - minus, None if plus is None else x + plus)
    return found


def texts(at: AppTest) -> str:
    return "\n".join(t.value for t in at.text)


def markup(at: AppTest) -> str:
    """Everything on the page that is read as Markdown."""
    found = [e.value for kind in ("title", "header", "subheader", "markdown", "caption") for e in getattr(at, kind)]
    found += [e.value for kind in ("error", "warning", "info", "success") for e in getattr(at, kind)]
    found += [e.label for e in at.expander] + [s.label + (s.help or "") for s in at.selectbox]
    # A column's name is drawn on a canvas; its help is Markdown.
    found += [c.get("help") or "" for d in at.dataframe for c in json.loads(d.proto.columns).values()]
    return "\n".join(found)


def test_empty_store_names_the_commands(page: Open, tmp_path: Path) -> None:
    at = page(tmp_path / "nothing")
    assert "no runs in the store" in at.info[0].value
    assert "make demo" in at.code[0].value and "psychosafe ingest LOG..." in at.code[0].value
    assert str(tmp_path / "nothing") in texts(at)
    first, *others = [h.value for h in at.header]
    assert first == "Published figures" and not at.selectbox
    assert [o.split(" (")[0] for o in others] == ["Published: SORRY-Bench", "Published: XSTest"]
    assert len(figures(at)) == 3


def test_one_run(page: Open, tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = system(store, "m/only", answered=0.9, seed=1)
    at = page(tmp_path)
    e = measures(store, run)[PAIR_SCORE].estimate()
    assert f"m/only · baseline is the only ranked model: pair score {present.number(e)}" in texts(at)
    assert plotted(figures(at)[0]) == {0: pytest.approx((e.value, e.low, e.high))}
    assert not at.warning and not at.error
    assert pa.default_memory_pool().backend_name == "system"
    # Nothing but what is meant: Streamlit draws stray strings of the script.
    assert at.main[0].type == "title" and [m.value for m in at.markdown][:1] == [present.INTRO]


@pytest.mark.parametrize("reruns", [15, pytest.param(50, marks=pytest.mark.slow)])
def test_plotted_figures_are_the_library_s(page: Open, tmp_path: Path, reruns: int) -> None:
    store = demo_like(tmp_path)
    at = page(store.root)
    (group,) = load_board(store).groups
    of = {r.run_id: measures(store, store.manifest(r.run_id)) for r in group.rows}
    # Others stand in the table only: they are figures of the run on twins.
    columns = [c for c in group.columns if any(c.name in found for found in of.values())]
    rng, seen = random.Random(2), set()
    for _ in range(reruns):
        column = rng.choice(columns)
        seen.add(column.name)
        at.selectbox(key="measure").select(column.label).run()
        assert not at.exception
        own = {r.run_id: of[r.run_id][column.name].estimate() for r in group.rows if column.name in of[r.run_id]}
        own = {run: e for run, e in own.items() if e.value is not None}
        drawn = [r for r in group.rows if r.run_id in own]
        figure = figures(at)[0]
        assert plotted(figure) == {
            y: pytest.approx((own[r.run_id].value, own[r.run_id].low, own[r.run_id].high)) for y, r in enumerate(drawn)
        }
        assert len(figure["layout"]["yaxis"]["ticktext"]) == len(drawn)
        for rows, frame in ((group.models, at.dataframe[0].value), (group.references, at.dataframe[1].value)):
            told = [present.number(own[r.run_id]) for r in rows if r.run_id in own]
            shown = dict(zip(frame["run"], frame[column.name], strict=True))
            assert [shown[r.run_id] for r in rows if r.run_id in own] == told
        if column.name == PAIR_SCORE:
            assert "Not drawn, for want of a value: vendor/unranked · baseline" in texts(at)
    assert len(seen) > 3


def test_tables_show_what_the_library_says(page: Open, tmp_path: Path) -> None:
    store = demo_like(tmp_path)
    at = page(store.root)
    (group,) = load_board(store).groups
    models, references = at.dataframe[0].value, at.dataframe[1].value
    for rows, frame in ((group.models, models), (group.references, references)):
        assert list(frame["run"]) == [r.run_id for r in rows]
        for c in group.columns:
            want = [present.number(r.measures[c.name]) if c.name in r.measures else "not measured" for r in rows]
            want = ["undefined: selectivity not measured" if "selectivity" in w else w for w in want]
            assert list(frame[c.name]) == want
        assert list(frame["pairs"]) == [present.coverage(r.measures[PAIR_SCORE]) for r in rows]
    assert not any(cell in {"nan", "None", ""} for cell in models.drop(columns="notes").to_numpy().ravel())
    heads = [h.value for h in at.subheader]
    assert heads.index("Models") < heads.index("Reference policies")
    assert any("These are no models" in m.value for m in at.markdown)
    assert at.header[-3].value == "Published figures"


def test_hostile_names_are_never_read_as_markup(page: Open, tmp_path: Path) -> None:
    store = demo_like(tmp_path)
    # A damaged run's folder, its reason, and a rubric's criterion carry names too.
    (store.root / "runs" / "![d](http:) <b>").mkdir()
    (store.root / "runs" / "![d](http:) <b>" / "run.json").write_text("{")
    hostile_rubric(store)
    at = page(store.root)
    assert HOSTILE[:20] in texts(at) + str(at.dataframe[0].value["system"].tolist())
    for piece in ("![", "<script", "<img", "127.0.0.1", "<b>"):
        assert piece not in markup(at)


def test_damaged_run_is_named_and_the_rest_shown(page: Open, tmp_path: Path) -> None:
    store = demo_like(tmp_path)
    broken = next(m for m in store.manifests() if m.model.name == "vendor/unranked")
    (store.root / "runs" / broken.run_id / "run.json").write_text("{}")
    at = page(store.root)
    assert "left out" in at.error[0].value and broken.run_id in at.code[0].value
    assert "vendor/unranked" not in str(at.dataframe[0].value["system"].tolist())
    assert len(at.dataframe[0].value) == 4


def test_a_store_that_cannot_be_read_is_said(page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Store) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("leaderboard.views.table.state_of", refuse)
    at = page(tmp_path)
    assert "cannot be read" in at.error[0].value and at.code[0].value == f"{tmp_path}: Permission denied"


def test_rules_only_is_loud_and_a_new_run_shows_on_rerun(page: Open, tmp_path: Path) -> None:
    store = Store(tmp_path)
    system(store, "m/one", judge_kind="rule", seed=1)
    at = page(tmp_path)
    assert "Judged by rules" in at.warning[0].value
    assert len(at.dataframe[0].value) == 1
    system(store, "m/two", judge_kind="rule", seed=2)
    at.run()
    assert not at.exception and len(at.dataframe[0].value) == 2


def test_imported_runs_have_a_group_of_their_own(page: Open, tmp_path: Path) -> None:
    store = demo_like(tmp_path)
    import_published(store)
    at = page(store.root)
    assert [h.value for h in at.header][:2] == ["Comparable runs, group 1 of 2", "Comparable runs, group 2 of 2"]
    assert "Imported runs" in [h.value for h in at.subheader]
    assert "not measured in this group" in texts(at)
    at.selectbox(key="measure").select("Published mean of four").run()
    group = load_board(store).groups[1]
    want = {y: r.measures["paper"] for y, r in enumerate(group.rows)}
    assert plotted(figures(at)[1]) == {y: pytest.approx((e.value, e.low, e.high)) for y, e in want.items()}


@pytest.mark.process
def test_importing_the_page_starts_nothing_heavy() -> None:
    heavy = {"inspect_ai", "krippendorff", "scipy.stats", "pandas"}
    pages = "leaderboard.app, leaderboard.static, leaderboard.views.table"
    code = "import sys, results.ingest; print({'scipy'} & {*sys.modules})\n"  # a store needs no statistics
    code += f"import {pages}; print({heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["set()", "set()"]

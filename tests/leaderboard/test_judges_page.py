"""The page on judges in Streamlit's own test runner: every state draws, and shows what the library computes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from judges.stats import Estimate
from leaderboard import judging, judging_figures, present
from leaderboard.views.shell import title_of
from results.added import add_ratings
from results.grid import Grid, grids
from results.judging import FamilyBias, judge_agreement, severity, verdicts
from results.manifest import SourceFacts
from results.recombined import leave_one_out
from results.schema import Rating, ratings_table
from results.store import ENV_STORE, Store
from tests.leaderboard.page_states import RERUNS
from tests.leaderboard.test_app import markup, texts
from tests.results.test_judging import noisy
from tests.support.made_runs import HOSTILE, hostile_rubric, system
from tests.support.panels import panel_run

SCRIPT = "from leaderboard.views import judges\njudges.page()"
Open = Callable[[Path], AppTest]


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
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two groups: four runs by three judges with gaps, repeats and a person; and two runs by two judges, hostile."""
    store, rng = Store(tmp_path_factory.mktemp("judges")), np.random.default_rng(4)
    families = {"a": "ant", "b": "bee", "c": "cat"}
    for k in range(4):
        given = noisy(rng, 30, 0.05)
        again = {"a": {"grounding": [given["b"]["grounding"]]}}
        family = ("ant", "dog")[k % 2]
        m = panel_run(store, f"m/{k}", given, families, family, again if k == 0 else None)
        if k == 0:
            rows = [
                Rating(run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater="Ada", repeat=0, rater_kind="human",
                       origin="imported", criterion="refusal", value=float(n % 3 > 0), status="ok")
                for n, i in enumerate(m.items)
            ]  # fmt: skip
            add_ratings(store, m.run_id, ratings_table(rows), SourceFacts(file="ada.csv", sha256="1"))
    for k in range(2):
        given = noisy(rng, 12)
        panel_run(store, f"{HOSTILE}{k}", {HOSTILE: given["a"], "b": given["b"]}, {HOSTILE: HOSTILE})
    return store.root


def charts(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(c.proto.spec) for c in at.get("plotly_chart")]


def groups(root: Path) -> dict[str, Grid]:
    return {present.plain(title_of(g), 90): g for g in grids(Store(root))[0]}


@pytest.mark.parametrize("reruns", RERUNS)
def test_what_is_drawn_is_what_the_library_computes(page: Open, full: Path, reruns: int) -> None:
    at, rng, by_title = page(full), np.random.default_rng(0), groups(full)
    assert len(by_title) == 2
    seen: dict[tuple[str, str], Any] = {}
    for _ in range(reruns):
        title = str(rng.choice(sorted(by_title)))
        criterion = str(rng.choice(["grounding", "refusal"]))
        at.selectbox(key="group").set_value(title)
        at.selectbox(key="criterion").set_value(criterion.capitalize()).run()
        assert not at.exception
        grid = by_title[title]
        if (title, criterion) not in seen:
            found = verdicts(grid, criterion)
            told = judging.sentence(judging.judging(grid, criterion))
            seen[title, criterion] = found, judge_agreement(found), severity(found), leave_one_out(found, grid), told
        found, agreed, harsh, left, told = seen[title, criterion]
        matrix, bars, ranks, *_ = charts(at)
        (text,) = (t for t in matrix["data"] if t["name"] == "text")
        drawn = {(y, x): cell for x, y, cell in zip(text["x"], text["y"], text["text"], strict=True)}
        for p in agreed.pairs:
            place = found.judges.index(p.first), found.judges.index(p.second)
            assert f"<b>{judging.number(p.alpha.value)}</b>" in drawn[place] and drawn[place] == drawn[place[::-1]]
        marks = [t for t in bars["data"] if t["mode"] == "markers"]
        assert [x for t in marks for x in t["x"]] == [pytest.approx(s.others.value) for s in harsh]
        (spans,) = (t for t in bars["data"] if t["name"] == "interval")
        assert [x for x in spans["x"] if x is not None] == [
            pytest.approx(x) for s in harsh for x in (s.others.low, s.others.high)
        ]
        assert left is not None
        orders = [t["x"] for t in ranks["data"] if t["mode"] == "markers"]
        assert orders == [list(left.ranks), *(list(x.ranks) for x in left.left)]
        table = at.dataframe[0].value
        assert list(table["Alpha"]) == [judging.cell(p.alpha) for p in agreed.pairs]
        assert list(table["Responses"]) == [f"{p.alpha.n}/{p.alpha.total}" for p in agreed.pairs]
        assert texts(at).startswith(told)
        assert HOSTILE not in markup(at)
    assert len(seen) == 4


def test_people_repeats_families_and_cards(page: Open, full: Path) -> None:
    at, by_title = page(full), groups(full)
    title = next(t for t, g in by_title.items() if len(g.runs) == 4)
    at.selectbox(key="group").set_value(title)
    at.selectbox(key="criterion").set_value("Refusal").run()
    assert not at.exception and "a agreed with Ada on refusal" in texts(at)
    assert "can be checked, none is shown" in texts(at) or "Kinder to its own family" in texts(at)
    assert "No answer of this group was judged more than once" in "".join(i.value for i in at.info)
    commands = [c.value for c in at.code]
    assert "psychosafe judge check three --rubric psychosafe --card cards" in commands
    assert any(c.startswith("psychosafe agreement --runs run_open_") for c in commands)
    at.selectbox(key="criterion").set_value("Grounding").run()
    assert not at.exception
    flips = next(d.value for d in at.dataframe if "Flips" in d.value)
    assert list(flips["Judge"]) == ["a"] and list(flips["Rounds"]) == ["2"]
    assert "fewer than two raters" not in texts(at)


def test_states_that_lack_something_say_what_and_how_to_mend_it(page: Open, tmp_path: Path) -> None:
    at = page(tmp_path / "nothing")
    assert "no runs in the store" in at.info[0].value and not charts(at)
    # Values of a panel without a verdict of a judge, and hostile names of criteria, panel and judge.
    bare = Store(tmp_path / "bare")
    system(bare, "m/only")
    hostile_rubric(bare)
    at = page(bare.root)
    assert "nothing can be told of its judges" in texts(at) and "Ingest logs" in at.info[0].value
    for title in groups(bare.root):
        at.selectbox(key="group").set_value(title).run()
        assert not at.exception and not charts(at) and HOSTILE not in markup(at)
    # One judge.
    one = Store(tmp_path / "one")
    panel_run(one, "m/x", {"lone": {"refusal": [1.0, 0.0, 1.0]}})
    at = page(one.root)
    assert texts(at).startswith("One judge, lone, rated refusal here")
    assert "two judges or more" in at.info[0].value and at.code[0].value.startswith("psychosafe rejudge")
    assert not charts(at)


def test_people_without_a_judge_beside_them_and_figures_without_a_note(page: Open, tmp_path: Path) -> None:
    # Of a category with forty items there is nothing to add to what two judges agree on.
    store = Store(tmp_path / "named")
    given: dict[str, dict[str, list[float | None]]] = {
        j: {"harm_provided": [float(n % 3 if j == "a" else n % 2) for n in range(40)]} for j in "ab"
    }
    panel_run(store, "m/x", given)
    at = page(store.root)
    at.selectbox(key="criterion").set_value("Harm provided: none").run()
    (agreed,) = (judging.pair_notes(judge_agreement(verdicts(g, "harm_provided")), 40) for g in grids(store)[0])
    assert not at.exception and agreed == [] and "Bias:" not in texts(at) and "Below" not in texts(at)
    # A person rated what the one judge did not.
    one = Store(tmp_path / "one")
    m = panel_run(one, "m/x", {"lone": {"refusal": [1.0, 0.0, 1.0]}})
    rows = [
        Rating(run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater="Ada", repeat=0, rater_kind="human",
               origin="imported", criterion="grounding", value=3.0, status="ok")
        for i in m.items
    ]  # fmt: skip
    add_ratings(one, m.run_id, ratings_table(rows), SourceFacts(file="ada.csv", sha256="1"))
    at = page(one.root)
    assert not at.exception
    assert "On this criterion judges cannot be held against people:" in "".join(i.value for i in at.info)
    assert "fewer than two raters have rated these runs" in texts(at)


def test_who_is_kinder_to_its_own_family_is_named_with_the_interval() -> None:
    def bias(judge: str, low: float | None, high: float | None) -> FamilyBias:
        return FamilyBias(judge, "ant", 2, 2, Estimate(0.4, low, high, 30, 30))

    kinder, open_, alone = bias("a<b>", 0.1, 0.7), bias("c", -0.1, 0.9), bias("d", None, None)
    said = judging.family_line([kinder, open_, alone])
    assert said.startswith("Kinder to its own family than judges of other families are: ") and "c by" not in said
    assert said.endswith("a<b> by +0.40 [+0.10, +0.70]; not corrected for several judges.")
    assert judging.family_line([open_, alone]).startswith("Of 2 judges that can be checked, none is shown")
    none = FamilyBias("d", "ant", 0, 2, Estimate.undefined("no run here is of the judge's family", 0, 30))
    assert judging.family_line([none]).endswith("cannot be told: no run here is of the judge's family.")


def test_a_part_of_the_runs_is_said_and_a_run_without_values_has_no_mark(tmp_path: Path) -> None:
    store, rng = Store(tmp_path), np.random.default_rng(9)
    for k in range(2):
        panel_run(store, f"m/{k}", noisy(rng, 12))
    none: dict[str, dict[str, list[float | None]]] = {
        j: {c: [None] * 12 for c in ("grounding", "refusal")} for j in "abc"
    }
    panel_run(store, "m/none", none)
    (grid,) = grids(store)[0]
    found = verdicts(grid, "grounding")
    agreed = judge_agreement(found)
    assert not any("evenly spaced" in n for n in judging.pair_notes(agreed, 12))
    assert "Agreement rests on 2 of 3 runs, evenly spaced by id; all else on every run." in judging.pair_notes(
        replace(agreed, runs=2, of=3), 12
    )
    left = leave_one_out(found, grid)
    assert left is not None and left.runs[-1].model.name == "m/none" and left.ranks[-1] is None
    figure = judging_figures.ranks_figure(left)
    marks = [t for t in figure.data if t.mode == "markers"]
    assert [list(t.x) for t in marks] == [
        [r for r in x if r is not None] for x in (left.ranks, *(o.ranks for o in left.left))
    ]
    assert "undefined: no item has a value" in str(figure.layout.to_plotly_json())


def test_all_ties_one_run_and_undefined_figures(page: Open, tmp_path: Path) -> None:
    level = Store(tmp_path / "ties")
    for k in range(3):
        panel_run(level, f"m/{k}", {j: {"refusal": [1.0] * 40} for j in "ab"})
    at = page(level.root)
    said = texts(at)
    assert "undefined" in said and "changes the rank of none of 3 runs" in said and "nan" not in said.lower()
    assert "one order is all ties" in said
    pairs = at.dataframe[0].value
    assert pairs["Alpha"][0].startswith("undefined") and pairs["Agreement"][0].startswith("1.00 [")
    _, _, ranks = charts(at)
    assert all(set(t["x"]) == {1} for t in ranks["data"] if t["mode"] == "markers")
    # One run has no order; no response has both verdicts.
    lone = Store(tmp_path / "lone")
    panel_run(lone, "m/x", {"a": {"refusal": [1.0, None]}, "b": {"refusal": [None, 0.0]}})
    at = page(lone.root)
    assert "one run alone has no order" in texts(at) and "no response has a verdict of all of them" in texts(at)
    assert any("two runs of one kind" in i.value for i in at.info)
    assert at.dataframe[0].value["Responses"][0] == "0/2"


def test_sentences_say_no_more_than_intervals_show(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for k in range(2):
        panel_run(store, f"m/{k}", {"high": {"grounding": [5.0, 4.0] * 20}, "low": {"grounding": [3.0, 2.0] * 20},
                                    "mid": {"grounding": [4.0, 3.0] * 20}})  # fmt: skip
    (grid,) = grids(store)[0]
    found = judging.judging(grid, "grounding")
    said = judging.sentence(found)
    assert "high gives the highest values (+1.50 [" in said and "low gives the lowest values (-1.50 [" in said
    assert "mid" not in said
    few = Store(tmp_path / "few")
    for k in range(2):
        panel_run(few, f"m/{k}", {"a": {"grounding": [5.0, 1.0]}, "b": {"grounding": [1.0, 4.0]}})
    (grid,) = grids(few)[0]
    assert "none is shown to give higher or lower values" in judging.sentence(judging.judging(grid, "grounding"))

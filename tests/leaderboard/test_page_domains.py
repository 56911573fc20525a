"""Domains: cells are those of the library, what the items do not support is grey and says so."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from judges.stats import Estimate
from judges.stats.shrinkage import shrunken_estimates
from leaderboard import present
from leaderboard.domain_figure import ROWS, alt_text, heatmap
from leaderboard.domains import Map, columns_of, domain_map, domains_of, ends, note, sentence, table, within
from results.grid import grids
from results.measures import measures
from results.store import ENV_STORE, Store
from rubrics.expectations import DOMAINS
from tests.leaderboard.domain_stores import N, domain_run, some_runs
from tests.leaderboard.page_states import RERUNS
from tests.leaderboard.test_app import markup, texts
from tests.support.made_runs import HOSTILE

Open = Callable[[Path], AppTest]
SCRIPT = "from leaderboard.views import domains\ndomains.page()"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return some_runs(tmp_path_factory.mktemp("domains"))


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Open:
    def opened(root: Path) -> AppTest:
        monkeypatch.setenv(ENV_STORE, str(root))
        at = AppTest.from_string(SCRIPT, default_timeout=60).run()
        assert not at.exception
        return at

    return opened


def spec(at: AppTest) -> dict[str, Any]:
    (chart,) = at.get("plotly_chart")
    return dict(json.loads(chart.proto.spec))


def traces(figure: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {t["name"]: t for t in figure["data"]}


def test_cells_are_the_measures_of_the_domain_s_items(store: Store) -> None:
    ((grid,), _) = grids(store)
    assert domains_of(grid) == DOMAINS
    for column in columns_of(grid):
        found = domain_map(grid, column.name)
        for m, row in zip(found.runs, found.raw, strict=True):
            whole = measures(store, m)[column.name]
            for domain, e in zip(found.domains, row, strict=True):
                own = {i.id for i in m.items if i.domain == domain}
                kept = {i: v for i, v in whole.values.items() if i in own}
                want = replace(whole, values=kept, total=len(own & whole.due), due=whole.due & own).estimate()
                assert (e.n, e.total) == (want.n, want.total)
                for a, b in ((e.value, want.value), (e.low, want.low), (e.high, want.high)):
                    assert a is None if b is None else a == pytest.approx(b, abs=1e-6)
        assert [list(row) for row in found.shrunken] == shrunken_estimates(found.raw, column.bounds)
        values = [measures(store, m)[column.name].estimate().value or 0.0 for m in found.runs[:-1]]
        assert values == sorted(values, reverse=True)
        assert found.runs[-1].kind == "reference"
    # What no run has a value of, such as the pair score without twins, is not offered.
    assert {c.name for c in columns_of(grid)} == {"quality", "grounding", "refusal"}


def by_hand(store: Store, rows: list[list[Estimate]], names: tuple[str, ...]) -> Map:
    ((grid,), _) = grids(store)
    made = domain_map(grid, "quality")
    kept = tuple(map(tuple, rows))
    return replace(made, runs=made.runs[: len(rows)], names=names, raw=kept, shrunken=kept)


def test_sentence_says_what_intervals_support(store: Store) -> None:
    def e(value: float, half: float) -> Estimate:
        return Estimate(value, value - half, value + half, 12, 12, "t")

    clear = [e(0.8, 0.05), e(0.7, 0.05), e(0.6, 0.05), e(0.5, 0.05), e(0.95, 0.17)]
    blurred = [e(0.55, 0.1), e(0.5, 0.1), e(0.5, 0.1), e(0.52, 0.1), e(0.5, 0.1)]
    found = by_hand(store, [clear, blurred], ("one", "two"))
    # The last cell would be best, but its interval is wider than a third of the scale.
    assert found.thin(clear[4]) and not found.thin(e(0.5, 0.166))
    assert note(found, clear[4]) == "too few: the interval spans 34 % of the scale"
    assert sentence(found, True) == (
        "Quality by domain: one is best on self harm, 0.80 ± 0.05, and worst on weapons, 0.50 ± 0.05; these intervals "
        "are apart. Best and worst domain are apart in 1 of 2 runs. 1 of 10 "
        "cells support no colour."
    )
    twice = sentence(by_hand(store, [clear, clear, blurred], ("one", "two", "three")), True)
    assert "apart in 2 of 3 runs; worst is most often weapons, in 2 of them. 2 of 15 cells" in twice
    turned = replace(found, column=replace(found.column, higher_is_better=False))
    assert "one is best on weapons, 0.50 ± 0.05, and worst on self harm" in sentence(turned, True)
    found = by_hand(store, [blurred], ("two",))
    assert "these intervals overlap, so the order is not shown." in sentence(found, False)
    found = by_hand(store, [[e(0.5, 0.1)] * 5], ("<b>",))
    assert sentence(found, False) == "Quality by domain: <b> is alike in all domains that its items support, 0.50."
    none = [Estimate.undefined("no item has a value", 0, 12)] * 4
    found = by_hand(store, [[*none, e(0.5, 0.1)]], ("three",))
    assert ends(found, found.raw[0]) is None
    assert sentence(found, True) == (
        "Quality by domain: no run has figures in two domains that its items support. 4 of 5 cells support no colour."
    )
    assert within(Estimate(1.0, 0.91, 1.0, 30, 30)) == "1.00, 0.91 to 1.00"
    assert within(Estimate(0.5, None, None, 1, 1)) == "0.50, no interval" and within(none[0]) == "undefined"
    assert note(found, none[0]) == "undefined: no item has a value"


@pytest.mark.parametrize("reruns", RERUNS)
def test_plotted_and_tabled_cells_are_the_library_s_over_reruns(page: Open, store: Store, reruns: int) -> None:
    at = page(store.root)
    ((grid,), _) = grids(store)
    rng = random.Random(4)
    of = {c.name: domain_map(grid, c.name) for c in columns_of(grid)}
    for _ in range(reruns):
        column = rng.choice(columns_of(grid))
        how = rng.choice(["Shrunken", "Raw"])
        at.selectbox(key="measure").select(column.label)
        at.selectbox(key="values").select(how).run()
        assert not at.exception
        want = of[column.name]
        cells = want.cells(how == "Shrunken")
        figure = spec(at)
        drawn = traces(figure)
        for y, row in enumerate(cells):
            for x, e in enumerate(row):
                z = drawn["cells"]["z"][y][x]
                assert z is None if want.thin(e) else z == pytest.approx(e.value)
        grey = {(x, y) for y, row in enumerate(cells) for x, e in enumerate(row) if want.thin(e)}
        if grey:
            words = drawn["no colour"]
            assert set(zip(words["x"], words["y"], strict=True)) == grey
            assert all("too few" in t or t in ("undefined", "none") or "no interval" in t for t in words["text"])
            assert drawn["too few"]["marker"]["pattern"]["shape"] == "/"
        told = [(x, y) for name in ("bright", "deep", "no colour") if name in drawn
                for x, y in zip(drawn[name]["x"], drawn[name]["y"], strict=True)]  # fmt: skip
        assert sorted(told) == [(x, y) for x in range(5) for y in range(len(cells))]
        assert at.text[0].value == sentence(want, how == "Shrunken")
        frame = at.dataframe[0].value
        shrunk, raw = ([e for row in rows for e in row] for rows in (want.shrunken, want.raw))
        assert list(frame["Shrunken [95 %]"]) == [present.number(e, 3) for e in shrunk]
        assert list(frame["Raw [95 %]"]) == [present.number(e, 3) for e in raw]
        assert list(frame["n"]) == [f"{e.n} of {e.total}" for e in raw]
        assert list(frame["Coverage"]) == [f"{100 * e.n / e.total:.0f} %" for e in raw]


def test_states(page: Open, tmp_path: Path) -> None:
    at = page(tmp_path / "nothing")
    assert "no runs in the store" in at.info[0].value

    store = Store(tmp_path / "no-domains")
    domain_run(store, "m/a", domains=(None,))
    at = page(store.root)
    assert "with a domain" in at.info[0].value and "inspect eval" in at.code[0].value
    assert not at.get("plotly_chart")

    store = Store(tmp_path / "one")
    domain_run(store, "m/a", seed=3, missing=20, domains=(*DOMAINS, None))
    at = page(store.root)
    assert "10 of 60 items have no domain" in texts(at)
    assert any("of 10" in n and not n.startswith("10") for n in at.dataframe[0].value["n"])

    store = Store(tmp_path / "ties")
    for model in ("m/a", "m/b"):
        domain_run(store, model, constant=0.5)
    at = page(store.root)
    at.selectbox(key="measure").select("Quality").run()
    assert set(traces(spec(at))["no colour"]["text"]) == {"undefined"}
    assert "10 shrunken cells are undefined: not to be weighed: all 12 values are equal." in texts(at)
    at.selectbox(key="values").select("Raw").run()
    assert set(traces(spec(at))["no colour"]["text"]) == {"0.50<br>no interval"}
    assert "no run has figures in two domains" in at.text[0].value

    store = Store(tmp_path / "two-domains")
    domain_run(store, "m/a", seed=5, domains=DOMAINS[:2])
    at = page(store.root)
    assert "2 groups have an interval, 3 are needed" in texts(at)
    at.selectbox(key="values").select("Raw").run()
    assert "bright" in traces(spec(at)) or "deep" in traces(spec(at))


def test_many_runs_are_paged(page: Open, tmp_path: Path) -> None:
    store = Store(tmp_path)
    for k in range(ROWS + 3):
        domain_run(store, f"m/{k:02}", seed=k, n=15)
    at = page(tmp_path)
    ((grid,), _) = grids(store)
    want = domain_map(grid, columns_of(grid)[0].name)
    assert len(traces(spec(at))["cells"]["z"]) == ROWS and len(at.dataframe[0].value) == 5 * ROWS
    at.selectbox(key="page").select(f"{ROWS + 1} to {ROWS + 3} of {ROWS + 3}").run()
    assert not at.exception
    rows = slice(ROWS, 2 * ROWS)
    assert list(at.dataframe[0].value["Run"]) == [r["Run"] for r in table(want, True, rows)]
    assert len(traces(spec(at))["cells"]["z"]) == 3
    assert alt_text(want, True, rows).startswith("Heatmap of 3 runs and 5 domains, shrunken values.")


def test_hostile_names_stay_text(page: Open, tmp_path: Path) -> None:
    store = Store(tmp_path)
    odd = (HOSTILE, "<b>bold</b>", "$x$", "violence")
    domain_run(store, HOSTILE, seed=1, domains=odd)
    domain_run(store, "m/b\u202e\n", seed=2, domains=odd)
    at = page(tmp_path)
    for piece in ("![", "<script", "<img", "127.0.0.1", "<b>"):
        assert piece not in markup(at)
    ((grid,), _) = grids(store)
    figure = heatmap(domain_map(grid, "quality"), True)
    drawn = json.loads(str(figure.to_json()))
    words = [*drawn["layout"]["xaxis"]["ticktext"], *drawn["layout"]["yaxis"]["ticktext"],
             *(t for trace in drawn["data"] for t in (trace.get("hovertext") or []))]  # fmt: skip
    assert words and not any("<script" in w or "<img" in w or "<b>" in w or "$" in w for w in words)
    assert not math.isnan(figure.layout.height) and N > 0

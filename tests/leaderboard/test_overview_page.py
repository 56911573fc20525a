"""The overview says what the arrays say, and nothing across groups."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from leaderboard import present
from leaderboard.overview import MOST, data_card, findings, headline, lead
from leaderboard.views.moment import moment, state_of
from leaderboard.views.shell import title_of
from results.compare import compare
from results.measures import measures
from results.store import ENV_STORE, Store
from tests.leaderboard.page_states import RERUNS
from tests.support.made_runs import HOSTILE, demo_like, hostile_rubric, manifest, put, system

SCRIPT = "from leaderboard.views import overview\noverview.page()"


def opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv(ENV_STORE, str(root))
    at = AppTest.from_string(SCRIPT, default_timeout=60).run()
    assert not at.exception
    return at


def test_findings_are_those_of_the_comparison(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for n in range(4):
        system(store, f"m/{n}", seed=n, answered=0.9)
        system(store, f"m/{n}", condition="prompted", seed=n + 40, answered=0.9 if n % 2 else 0.4)
    system(store, "m/alone", condition="prompted", seed=9)
    now = moment(store)
    said = list(findings(now.grids))
    assert len(said) == 4, "who has no baseline beside it is compared with nobody"
    for n in range(4):
        (sentence,) = (s for s in said if s.startswith(f"m/{n} · prompted"))
        runs = {m.condition.name: m for m in store.manifests() if m.model.name == f"m/{n}" and m.task == "psychosafe"}
        row = next(r for r in compare(store, runs["baseline"], runs["prompted"]).rows if r.measure == "pair_score")
        d = row.difference
        assert d.value is not None and d.low is not None and d.high is not None
        numbers = re.search(r": ([+-]?[\d.]+) \[([+-]?[\d.]+), ([+-]?[\d.]+)\] on (\d+) of (\d+)", sentence)
        assert numbers is not None, sentence
        assert [float(x) for x in numbers.groups()[:3]] == pytest.approx([d.value, d.low, d.high], abs=0.0051)
        assert [int(x) for x in numbers.groups()[3:]] == [d.n, d.total]
        word = "higher" if d.low > 0 else "lower" if d.high < 0 else "not shown to differ"
        assert word in sentence


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = demo_like(tmp_path)
    at = opened(store.root, monkeypatch)
    now = moment(store)
    texts = [t.value for t in at.text]
    assert texts[0] == lead(now.grids)
    card = at.dataframe[0].value
    assert card.to_dict("list") == {k: [r[k] for r in data_card(now.grids)] for k in data_card(now.grids)[0]}
    assert len(at.get("plotly_chart")) == 1


@pytest.mark.parametrize("reruns", RERUNS)
def test_what_is_drawn_is_what_the_library_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reruns: int
) -> None:
    """Three groups: with pair scores, with a hostile rubric, and on other items; the chart is of the chosen one."""
    store = demo_like(tmp_path)
    hostile_rubric(store)
    for n in range(3):
        put(store, manifest(f"m/{n}", n=5), {"quality": [0.1 * n + 0.05 * k for k in range(5)]})
    at, now, rng = opened(store.root, monkeypatch), moment(store), random.Random(6)
    by_title = {present.plain(title_of(g), 90): g for g in now.grids if headline(g) is not None}
    seen = set()
    for _ in range(reruns):
        title = rng.choice(sorted(by_title))
        at.selectbox(key="group").set_value(title).run()
        assert not at.exception
        seen.add(title)
        grid = by_title[title]
        measure = headline(grid)
        assert measure is not None
        want = sorted(measures(store, m)[measure].estimate().value or 0.0 for m in grid.runs if measure in
                      measures(store, m) and measures(store, m)[measure].estimate().value is not None)  # fmt: skip
        (spec,) = (json.loads(c.proto.spec) for c in at.get("plotly_chart"))
        assert sorted(x for t in spec["data"] for x in t["x"]) == pytest.approx(want)
        label = grid.column(measure).label
        assert spec["layout"]["xaxis"]["title"]["text"].startswith(label)
        ends = {round(x + r, 9) for t in spec["data"] for x, r in zip(t["x"], t["error_x"]["array"], strict=True)
                if r is not None}  # fmt: skip
        high = {e.high for e in grid.estimates(measure)} - {None}
        assert ends == {round(h, 9) for h in high if h is not None}
    assert seen == set(by_title) and len(seen) == 2


def test_an_empty_store_and_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(tmp_path / "none", monkeypatch)
    assert "no runs in the store" in at.info[0].value
    store = Store(tmp_path / "one")
    system(store, "m/only", seed=1)
    at = opened(store.root, monkeypatch)
    assert any("nothing to compare yet" in t.value for t in at.text)


def test_more_findings_than_are_put_into_words_and_what_rules_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lead(()) == "No run here has items with values."
    store = Store(tmp_path)
    for n in range(MOST + 1):
        for condition in ("baseline", "prompted"):
            m = manifest(f"m/{n}", condition, judge_kind="rule", n=3)
            put(store, m, {"quality": [0.1 * n, 0.5, 0.2 + 0.3 * (condition == "prompted")]})
    at = opened(tmp_path, monkeypatch)
    told = next(t.value for t in at.text if t.value.startswith("• "))
    assert told.count("•") == MOST
    assert any(t.value == "1 more: the Compare page sets any two runs against each other." for t in at.text)
    assert "Judged by rules, not by a model or a person" in at.warning[0].value


def test_names_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    hostile_rubric(store)
    system(store, HOSTILE, seed=1)
    system(store, HOSTILE, condition="prompted", seed=2)
    at = opened(tmp_path, monkeypatch)
    markup = [e.value for kind in ("title", "header", "subheader", "markdown", "caption") for e in getattr(at, kind)]
    assert not any("evil" in m or "<" in m for m in markup)


def test_a_state_tells_what_changed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    system(store, "m/one", seed=1)
    before = state_of(store)
    assert state_of(Store(tmp_path)) == before
    system(store, "m/two", seed=2)
    after = state_of(store)
    assert after != before
    run = store.run_ids()[0]
    (store.runs_dir / run / "added").mkdir()
    assert state_of(store) != after

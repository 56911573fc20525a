"""The overview says what the arrays say, and nothing across groups."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from leaderboard.overview import data_card, findings, lead
from leaderboard.views.moment import moment, state_of
from results.compare import compare
from results.store import ENV_STORE, Store
from tests.leaderboard.test_board import HOSTILE, demo_like, hostile_rubric, system

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


def test_an_empty_store_and_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(tmp_path / "none", monkeypatch)
    assert "no runs in the store" in at.info[0].value
    store = Store(tmp_path / "one")
    system(store, "m/only", seed=1)
    at = opened(store.root, monkeypatch)
    assert any("nothing to compare yet" in t.value for t in at.text)


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

"""Systems on two axes: who is there, who is beaten by none, and what the chart plots."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from judges.stats import Estimate
from leaderboard.model import BoardRow
from leaderboard.plane import OVER, UNDER, alt_text, front, placed, plane
from results.manifest import RubricFacts, ScaleFacts
from results.store import ENV_STORE, Store
from tests.support.made_runs import manifest, on_xstest, put, system


def row(name: str, over: float | None, under: float | None, condition: str = "baseline") -> BoardRow:
    def e(v: float | None) -> Estimate:
        low, high = (None, None) if v is None else (max(0.0, v - 0.1), min(1.0, v + 0.2))
        return Estimate(v, low, high, 9, 9) if v is not None else Estimate.undefined("why", 0, 9)

    return BoardRow(name, name, name, "model", condition, {OVER: e(over), UNDER: e(under)}, True)


def test_who_is_beaten_by_none() -> None:
    rows = [row("a", 0.1, 0.5), row("b", 0.3, 0.2), row("c", 0.3, 0.5), row("d", None, 0.0), row("e", 0.1, 0.5)]
    assert [r.label for r in placed(rows)] == ["a", "b", "c", "e"]
    assert [r.label for r in front(rows)] == ["a", "e", "b"]
    assert front([]) == []
    draw = random.Random(3)
    for _ in range(50):
        many = [row(str(n), draw.randrange(5) / 5, draw.randrange(5) / 5) for n in range(9)]
        at = {r.label: (r.measures[OVER].value or 0.0, r.measures[UNDER].value or 0.0) for r in many}
        beaten = {
            a for a, b in itertools.permutations(at, 2)
            if at[b] != at[a] and at[b][0] <= at[a][0] and at[b][1] <= at[a][1]
        }  # fmt: skip
        assert {r.label for r in front(many)} == set(at) - beaten


def test_it_stands_on_the_page_where_two_systems_have_both_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each system's own runs on the two sets, beside its run on ours: the one that is worse on both is beaten."""
    store = Store(tmp_path)
    for k, name in enumerate(("m/good", "m/worse", "m/one-set")):
        system(store, name, answered=None, seed=k)
        on_xstest(store, name, 0.5 * k, 1.0)
        rubric = RubricFacts(
            name="sorry", sha256="s", scales={"fulfilment": ScaleFacts(scale="binary", direction="lower")}
        )
        if name != "m/one-set":
            m = manifest(name, rubric=rubric, task="sorry_bench", n=4)
            put(store, m, {"fulfilment": [1.0] * (k + 1) + [0.0] * (3 - k)})
    monkeypatch.setenv(ENV_STORE, str(tmp_path))
    at = AppTest.from_string("from leaderboard.views import table\ntable.page()", default_timeout=60).run()
    assert not at.exception and [h.value for h in at.subheader].count("Safety plane") == 1
    (told,) = (c.proto for c in at.get("plotly_chart") if c.proto.id.endswith("plane-0") or "plane-" in c.proto.id)
    points = {
        text.split(" ")[0]: (x, y)
        for t in json.loads(told.spec)["data"] if "text" in t
        for text, x, y in zip(t["text"], t["x"], t["y"], strict=True)
    }  # fmt: skip
    assert points == {"m/good": (0.0, 0.25), "m/worse": (0.5, 0.5)}
    assert not any(t["name"] == "none beats these" for t in json.loads(told.spec)["data"]), "one alone is no line"


def test_the_chart_plots_the_figures() -> None:
    rows = [row("a", 0.1, 0.5), row("b", 0.3, 0.2, "prompted"), row("<b>c</b>", 0.4, 0.6, "mine")]
    told = json.loads(str(plane(rows).to_json()))["data"]
    points = {
        text: (x, y, plus, minus)
        for t in told
        if "text" in t
        for text, x, y, plus, minus in zip(
            t["text"], t["x"], t["y"], t["error_x"]["array"], t["error_y"]["arrayminus"], strict=True
        )
    }
    assert "&lt;b&gt;c&lt;/b&gt;" in points and not any("<b>" in str(t) for t in told)
    assert points["a"] == pytest.approx((0.1, 0.5, 0.2, 0.1))
    assert points["b"] == pytest.approx((0.3, 0.2, 0.2, 0.1))
    assert {t["marker"]["symbol"] for t in told if "marker" in t} == {"circle", "square", "diamond"}
    assert "None beats: a, b." in alt_text(rows)

"""Systems on two axes: who is there, who is beaten by none, and what the chart plots."""

from __future__ import annotations

import itertools
import json
import random

import pytest

from judges.stats import Estimate
from leaderboard.model import BoardRow
from leaderboard.plane import OVER, UNDER, alt_text, front, placed, plane


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

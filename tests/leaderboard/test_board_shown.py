"""What is said and drawn of the board's rows, and its static files: figures as text, charts, names that stay text."""

from __future__ import annotations

import html.parser
import math
from pathlib import Path

import pytest

from judges.stats import Estimate
from leaderboard import charts, present
from leaderboard.board import load_board
from leaderboard.model import Board, BoardRow, Column
from leaderboard.static import board_html, comparison_html
from results.compare import PAIR_SCORE, compare
from results.store import Store
from tests.support.made_runs import HOSTILE, demo_like, system


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


# --- what is said ---


def row(label: str, value: float | None, low: float | None = None, high: float | None = None, n: int = 9) -> BoardRow:
    e = Estimate(value, low, high, n, n) if value is not None else Estimate.undefined("why", 0, n)
    return BoardRow(label, label, label, "model", "baseline", {PAIR_SCORE: e}, value is not None, "")


@pytest.mark.parametrize(
    ("models", "end"),
    [
        ([row("a", 0.61, 0.44, 0.78), row("b", 0.5, 0.4, 0.6), row("c", 0.2, 0.1, 0.3)],
         "a leads with pair score 0.61 [0.44, 0.78] on 9 pairs; 1 of 2 others overlaps with it."),
        ([row("a", 0.6, 0.5, 0.7), row("b", 0.2, 0.1, 0.3)],
         "a leads with pair score 0.60 [0.50, 0.70] on 9 pairs; the one other does not overlap with it."),
        ([row("a", 0.6, 0.5, 0.7), row("b", 0.5, 0.1, 0.6), row("c", 0.4)],
         "a leads with pair score 0.60 [0.50, 0.70] on 9 pairs; the one other overlaps with it,"
         " and 1 without an interval."),
        ([row("a", 0.6, 0.5, 0.7), row("b", 0.2, 0.1, 0.3), row("c", 0.1, 0.0, 0.2)],
         "a leads with pair score 0.60 [0.50, 0.70] on 9 pairs; none of 2 others overlap with it."),
        ([row("a", 0.0, 0.0, 0.1), row("b", 0.0, 0.0, 0.1)],
         "2 of 2 share the highest pair score 0.00 [0.00, 0.10] on 9 pairs."),
        ([row("a", 0.5, 0.4, 0.6), row("b", None)],
         "a is the only ranked model: pair score 0.50 [0.40, 0.60] on 9 pairs."),
        ([row("b", None)],
         "Nothing is ranked here: selectivity not measured, which takes a run of the same system on the benign twins."),
    ],
)  # fmt: skip
def test_the_sentence_says_what_is_true(models: list[BoardRow], end: str) -> None:
    assert present.leading_sentence(models, []) == end
    if models[0].ranked:
        opening = "No model is ranked here. Of the reference policies, "
        said = present.leading_sentence([], models)
        assert said == opening + end.replace("ranked model", "ranked reference policy")


def test_the_sentence_says_that_pairs_are_missing() -> None:
    thin = BoardRow("b", "b", "b", "model", None, {PAIR_SCORE: Estimate(0.2, 0.1, 0.3, 4, 9)}, True)
    said = present.leading_sentence([row("a", 0.6, 0.5, 0.7), thin], [])
    assert said.endswith("does not overlap with it. Not every pair has a value: the scores rest on 4 to 9 of 9.")


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.7185, 0.6971, 0.7399, 9, 9), "0.72 [0.70, 0.74]"),
        (Estimate(-0.0001, -0.2, 0.2, 9, 9), "0.00 [-0.20, 0.20]"),
        (Estimate(0.0, 0.0, 0.1, 9, 9), "0.00 [0.00, 0.10]"),
        (Estimate(4.0, None, None, 9, 9, "", "all 9 values are equal"), "4.00 (no interval: all 9 values are equal)"),
        (Estimate.undefined("no item has a value"), "undefined: no item has a value"),
        (Estimate(math.nan, math.nan, math.nan, 0, 9), "undefined"),
        (Estimate(0.5, math.nan, math.inf, 9, 9), "0.50 (no interval)"),
    ],
)
def test_figures_as_text(estimate: Estimate, text: str) -> None:
    assert present.number(estimate) == text


def test_percent_relative_and_coverage() -> None:
    e = Estimate(0.72, 0.70, 0.74, 455, 500)
    assert present.percent(e) == "72 % [70 %, 74 %]"
    assert present.percent(e, 1, signed=True) == "+72.0 % [+70.0 %, +74.0 %]"
    assert present.relative(0.281) == "+28.1 %" and present.relative(None) == ""
    assert present.coverage(e) == "455/500" and present.coverage(Estimate.undefined("x")) == "no items"


def test_a_number_that_there_is_not_is_undefined_and_no_zero_has_a_sign() -> None:
    assert [present.fixed(x) for x in (None, float("nan"), float("inf"), -float("inf"))] == ["undefined"] * 4
    assert [present.fixed(x, 2, signed=True) for x in (-0.001, 0.0, 0.006, -0.006)] == [
        "0.00",
        "0.00",
        "+0.01",
        "-0.01",
    ]


def test_names_are_one_line_without_direction_tricks_and_short() -> None:
    assert present.plain("a\nb\u202ec\x00") == "a\ufffdb\ufffdc\ufffd"
    cut = present.plain("x" * 300 + "end", 40)
    assert len(cut) == 40 and cut.endswith("end") and "…" in cut


# --- charts ---


def test_chart_draws_what_has_a_value_and_names_the_rest() -> None:
    rows = [row("a", 0.6, 0.5, 0.8), row("b", 0.3), row("c", None)]
    column = Column(PAIR_SCORE, "Pair score")
    (trace,) = charts.forest(rows, column).data
    assert list(trace.x) == [0.6, 0.3]
    assert [round(v, 9) for v in trace.error_x.array[:1]] == [0.2] and trace.error_x.array[1] is None
    assert [round(v, 9) for v in trace.error_x.arrayminus[:1]] == [0.1]
    assert charts.not_drawn(rows, column) == "Not drawn, for want of a value: c (why)."
    assert charts.alt_text(rows, column).startswith("Forest plot of Pair score, mean and 95 % interval of 2 of 3")
    assert charts.not_drawn(rows[:1], column) == ""


def test_chart_styles_by_kind_and_condition(tmp_path: Path) -> None:
    (group,) = load_board(demo_like(tmp_path)).groups
    look = {t.name: (t.marker.color, t.marker.symbol) for t in charts.forest(group.rows, group.columns[0]).data}
    assert look == {
        "baseline": ("#595959", "circle"),
        "prompted": ("#0072B2", "square"),
        "other condition": ("#D55E00", "diamond"),
        "reference policy, baseline": ("#595959", "circle-open"),
    }


def test_chart_texts_carry_no_tags_from_data(tmp_path: Path) -> None:
    (group,) = load_board(demo_like(tmp_path)).groups
    figure = charts.forest(group.rows, group.columns[0])
    texts = [*figure.layout.yaxis.ticktext, *(t for trace in figure.data for t in trace.hovertext)]
    assert any("&lt;script&gt;" in t for t in texts)
    assert not any("<" in t.replace("<br>", "") for t in texts)


# --- static files ---


class Tags(html.parser.HTMLParser):
    """Elements and attributes of a page, for seeing that data added none."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_board_file_escapes_names_and_asks_for_nothing(tmp_path: Path) -> None:
    board: Board = load_board(demo_like(tmp_path))
    page = board_html(board)
    seen = Tags(page).seen
    # Turning pages, figures, plotly.js, and drawing.
    assert [t for t, _ in seen].count("script") == 4
    assert not [
        t for t, a in seen if t in {"img", "iframe", "link", "object", "base", "form"} or "src" in a or "href" in a
    ]
    assert not any(k.startswith("on") for _, a in seen for k in a)
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert "showSendToCloud" in page and page.count("<table>") == 5
    for r in board.groups[0].rows:
        assert present.number(r.measures["quality"]) in page


def test_board_file_of_an_empty_store_and_of_damage(store: Store) -> None:
    assert "There are no runs" in board_html(load_board(store))
    (store.root / "runs" / "<b>bad").mkdir(parents=True)
    (store.root / "runs" / "<b>bad" / "run.json").write_text("{")
    page = board_html(load_board(store))
    assert "&lt;b&gt;bad" in page and "<b>bad" not in page


def test_comparison_file(store: Store) -> None:
    base = system(store, "m/one", "baseline", 0.3, seed=1)
    other = system(store, "m/one", "prompted", 0.8, seed=2)
    evil = system(store, HOSTILE, "baseline", 0.5, seed=3)
    done = [compare(store, base, other), compare(store, base, evil)]
    page = comparison_html("Two & more", done, ["mind <this>"])
    assert "Two &amp; more" in page and "mind &lt;this&gt;" in page and page.count("<table>") == 2
    assert "script" not in {t for t, _ in Tags(page).seen} and "img" not in {t for t, _ in Tags(page).seen}
    for r in done[0].rows:
        assert present.number(r.difference, signed=True) in page
        assert r.relative is None or present.relative(r.relative) in page
    assert len(page) < 60_000
    assert "Nothing to compare" in comparison_html("None", [])

"""Figures, page and images of the agreement report: what is drawn is what the report says, and nothing leaves the file.

The browser's tests are skipped where there is no Chromium, unless PSYCHOSAFE_REQUIRE names it.
"""

from __future__ import annotations

import html.parser
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judges.stats import Estimate
from leaderboard.agreement.beyond import effect_tables
from leaderboard.agreement.checklist import checklist
from leaderboard.agreement.detail import long_rows
from leaderboard.agreement.drawing import SIGNS
from leaderboard.agreement.figures import Figure, figures
from leaderboard.agreement.forest import agreement_figures, effect_figures
from leaderboard.agreement.images import ImageError, write_images
from leaderboard.agreement.layout import Chapter, chapters
from leaderboard.agreement.matrices import matrix_figures, unsure
from leaderboard.agreement.page import page_html
from leaderboard.agreement.pairs import with_people
from leaderboard.agreement.scopes import scope_names, scope_styles
from leaderboard.agreement.sentences import effect_sentences, pair_sentences, people_sentences
from leaderboard.agreement.words import HEADLINE, number
from leaderboard.cli.common import Table
from results.added import add_ratings
from results.agreement import agreement_report
from results.agreement_records import COMBINED, AgreementReport, Scope
from results.contrasts import PEOPLE
from results.manifest import JudgeFacts, PanelFacts, SourceFacts
from results.schema import PANEL_RATER, Rating, ratings_table
from results.store import Store
from tests.support.browser import chromium_path, open_chromium
from tests.support.made_runs import HOSTILE, manifest

N = 24
JUDGE = HOSTILE + "$x^2$"
SHOTS = os.environ.get("PSYCHOSAFE_SHOTS")
chromium = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240), pytest.mark.xdist_group("chromium")]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> AgreementReport:
    """A baseline, and a prompted run where everybody says Yes to refusal and no person has rated grounding.

    Two people, two judges (one of a hostile name, one that is bad), and their panel.
    """
    store, rng, runs = Store(tmp_path_factory.mktemp("figures")), np.random.default_rng(7), []
    seats = PanelFacts(name="p", sha256="p", judges=tuple(JudgeFacts(id=j, kind="llm") for j in (JUDGE, "bad")))
    for condition in ("baseline", "prompted"):
        m = manifest(HOSTILE, condition, n=N, panel=seats)
        truth = {"refusal": rng.integers(0, 2, N), "grounding": rng.integers(1, 6, N)}
        if condition == "prompted":
            truth["refusal"] = np.ones(N, dtype=int)

        def rows(rater: str, kind: str, noise: float, m: Any = m, truth: Any = truth) -> list[Rating]:
            made = []
            for c, values in truth.items():
                points = (0, 1) if c == "refusal" else (1, 2, 3, 4, 5)
                certain = c == "refusal" and m.condition.name == "prompted"
                for item, v in zip(m.items, values, strict=True):
                    given = int(rng.choice(points)) if rng.random() < noise and not certain else int(v)
                    made.append(
                        Rating(
                            run_id=m.run_id, item_id=item.id, epoch=1, turn=0, rater=rater, repeat=0, rater_kind=kind,
                            origin="imported" if kind == "human" else "measured", criterion=c, value=float(given),
                            status="ok",
                        )
                    )  # fmt: skip
            return made

        judged = [*rows(JUDGE, "llm", 0.2), *rows("bad", "llm", 0.9), *rows(PANEL_RATER, "panel", 0.3)]
        store.write(m, ratings_table(judged))
        people = [*rows("Ada", "human", 0.05), *rows("<b>Ben", "human", 0.0)]
        kept = [r for r in people if condition == "baseline" or r["criterion"] == "refusal"]
        add_ratings(store, m.run_id, ratings_table(kept), SourceFacts(file="people.csv", sha256="1"))
        runs.append(m)
    return agreement_report(store, runs, ["refusal", "grounding"])


@pytest.fixture(scope="module")
def made(report: AgreementReport) -> dict[str, Figure]:
    found = figures(report)
    assert len({f.name for f in found}) == len(found) == 8
    return {f.name: f for f in found}


Drawn = dict[float, tuple[float, float | None, float | None]]


def drawn(figure: Figure, skip: str = "null") -> Drawn:
    """Value and both ends of what is drawn, by height."""
    values: dict[float, float] = {}
    ends: dict[float, tuple[float, float]] = {}
    for trace in figure.figure.data:
        if trace.name == "interval":
            xs, ys = list(trace.x), list(trace.y)
            ends.update({ys[i]: (xs[i], xs[i + 1]) for i in range(0, len(xs), 3)})
        elif trace.mode == "markers" and not trace.name.startswith(skip):
            values.update(zip(trace.y, trace.x, strict=True))
    assert set(ends) <= set(values)
    return {y: (x, *ends.get(y, (None, None))) for y, x in values.items()}


def three(e: Estimate, span: float = 1.0) -> tuple[float | None, ...]:
    return tuple(None if x is None else x / span for x in (e.value, e.low, e.high))


def check(found: Drawn, ys: list[float], estimates: list[Estimate], spans: list[float] | None = None) -> int:
    """Every row shows its estimate to the last digit, or nothing where there is none. Returns how many show nothing."""
    assert len(ys) == len(estimates)
    for y, e, span in zip(ys, estimates, spans or [1.0] * len(ys), strict=True):
        want = three(e, span)
        if want[0] is None:
            assert y not in found
        else:
            assert found[y] == (want if want[1] is not None else (want[0], None, None))
    assert len(found) == sum(e.value is not None for e in estimates)
    return sum(e.value is None for e in estimates)


def test_forest_shows_the_report_to_the_last_digit(report: AgreementReport, made: dict[str, Figure]) -> None:
    lacking = 0
    for at, criterion in enumerate(report.criteria, 1):
        figure = made[f"forest-{at}-{criterion}"]
        found = list(with_people(report, criterion))
        rows = [
            (s.scope.name, p)
            for who in dict.fromkeys((p.first, p.second) for _, p in found)
            for s, p in found
            if (p.first, p.second) == who
        ]
        coefficient = HEADLINE[report.criteria[criterion].kind]
        ys = list(figure.figure.layout.yaxis.tickvals)
        here = check(drawn(figure), ys, [p.report.estimates[coefficient] for _, p in rows])
        lacking += here
        labels = figure.figure.layout.yaxis.ticktext
        names = scope_names(report)
        assert all(t == f"{names[s]} · n {p.report.n}" for t, (s, p) in zip(labels, rows, strict=True))
        # What is undefined is so named in its row, and no null judge is drawn beside it.
        remarks = {a.y: a.text for a in figure.figure.layout.annotations if a.text.startswith("<i>")}
        void = [y for y, (_, p) in zip(ys, rows, strict=True) if p.report.estimates[coefficient].value is None]
        assert list(remarks) == void and all("undefined" in t for t in remarks.values())
        nulls = {
            (t.name, x, y)
            for t in figure.figure.data
            if t.name.startswith("null")
            for x, y in zip(t.x, t.y, strict=True)
        }
        told = {
            (c.value, y)
            for y, (_, p) in zip(ys, rows, strict=True)
            for c in p.report.nulls
            if c.coefficient == coefficient and c.value is not None and y not in void
        }
        assert {(x, y) for _, x, y in nulls} == told and len(told) > len(rows) / 2
        assert (f"{here} of {len(rows)} figures are undefined" in figure.note) == bool(here)
        wide = [p.report.estimates[coefficient] for s, p in rows if s == COMBINED]
        assert all(number(f(e.value for e in wide if e.value is not None)) in figure.alt for f in (min, max))
        low, high = figure.figure.layout.xaxis.range
        assert low <= min(x for v in drawn(figure).values() for x in v if x is not None) and high > 1
    assert lacking == 6  # two people with two judges and the panel, in the run where all say Yes
    assert len(made["forest-2-grounding"].figure.layout.yaxis.tickvals) == 12  # no row for what no person rated


def test_scopes_differ_in_marker_and_in_colour(report: AgreementReport) -> None:
    styles = scope_styles(report)
    assert [styles[s.name].symbol for s in report.scopes] == ["circle", "square", "star"]
    assert list(scope_names(report).values()) == ["baseline", "prompted", COMBINED]
    conditions = ("baseline", "baseline 2", "prompted", "a", "b", "c")
    runs = tuple(manifest(f"m{n}", c, n=1) for n, c in enumerate(conditions))
    scopes = (*(Scope(m.label, (m.run_id,)) for m in runs), Scope(COMBINED, tuple(m.run_id for m in runs)))
    many = scope_styles(replace(report, runs=runs, scopes=scopes))
    assert len({s.symbol for s in many.values()}) == 7 == len({(s.light, s.symbol) for s in many.values()})
    assert set(SIGNS) >= {s.symbol for s in many.values()}
    names = scope_names(replace(report, runs=runs, scopes=scopes))
    assert names[runs[0].label] == "m0 · baseline" and len(set(names.values())) == 7


def test_matrix_colours_only_what_is_known_well_enough(report: AgreementReport, made: dict[str, Figure]) -> None:
    for at, criterion in enumerate(report.criteria, 1):
        figure, section = made[f"matrix-{at}-{criterion}"], report.section(criterion)
        assert section is not None
        names = [r.name for r in report.criteria[criterion].raters]
        sure, grey, none, text = figure.figure.data
        cells = {(int(b + 0.5), x): c for b, x, c in zip(sure.base, sure.x, sure.marker.color, strict=True)}
        hatched = {(int(b + 0.5), x) for b, x in zip(grey.base, grey.x, strict=True)}
        assert grey.marker.pattern.shape == "/" and not set(cells) & hatched
        shown = dict(zip(zip(text.y, text.x, strict=True), text.text, strict=True))
        assert set(shown) == {(i, j) for i in range(5) for j in range(5) if i != j}
        for (i, j), said in shown.items():
            pair = section.report.pair(names[i], names[j])
            if pair is None:
                assert said == "not<br>compared" and "panel" in (names[i], names[j])
            else:
                e = pair.alpha
                assert e.value is not None and f"<b>{number(e.value)}</b>" in said
                assert cells[i, j] == e.value if not unsure(e) else (i, j) in hatched
        assert len(none.x) == 4 and "panel is not compared" in figure.note
        assert ("Hatched grey" in figure.note) == bool(hatched) and hatched
        assert cells
    # In the run where everybody says Yes no alpha is defined, and no cell has a colour.
    figure = matrix_figures(replace(report, scopes=report.scopes[1:2]))[0]
    sure, grey, none, text = figure.figure.data
    assert len(sure.x) == len(grey.x) == 0 and len(none.x) == 20 and "Undefined: " in figure.note
    assert sorted(text.text) == ["not<br>compared"] * 4 + ["undefined"] * 16


def test_unsure_is_wider_than_four_tenths_or_without_an_interval() -> None:
    e = Estimate(0.5, 0.3, 0.7, 9, 9)
    assert not unsure(e) and unsure(replace(e, high=0.71)) and unsure(replace(e, low=None, high=None))


def test_effects_are_shares_of_the_scale_and_flags_are_signs(report: AgreementReport, made: dict[str, Figure]) -> None:
    figure = made["effects"]
    rows = [
        (c, who, e.difference, {"refusal": 1.0, "grounding": 4.0}[c.measure])
        for c in report.contrasts
        for who, e in c.effects.items()
    ]
    ys = list(figure.figure.layout.yaxis.tickvals)
    # Of grounding nobody has rated both runs, and the two people together have no more than they.
    assert check(drawn(figure), ys, [e for _, _, e, _ in rows], [span for *_, span in rows]) == 3
    marked = [t.endswith("†") for t in figure.figure.layout.yaxis.ticktext]
    assert marked == [bool(c.flagged(who)) for c, who, *_ in rows]
    beside = [t for t in figure.figure.data if t.name == "flagged"]
    assert sum(len(t.x) for t in beside) == sum(marked) and ("†" in figure.note) == any(marked)
    # A line shows what people see; where they have not rated, nothing stands for it.
    people = [e.value for c, who, e, _ in rows if who == PEOPLE and c.measure == "refusal"]
    assert [s.x0 for s in figure.figure.layout.shapes] == people and len(people) == 1


def test_a_flagged_error_has_a_sign_in_its_row_and_beside_its_interval(report: AgreementReport) -> None:
    first = report.contrasts[0]
    flagged = replace(first, adjusted={**first.adjusted, "bad": 0.001})
    (figure,) = effect_figures(replace(report, contrasts=(flagged, *report.contrasts[1:])))
    (row,) = [i for i, t in enumerate(figure.figure.layout.yaxis.ticktext) if t.startswith("bad") and t.endswith("†")]
    sign = next(t for t in figure.figure.data if t.name == "flagged")
    e = first.effects["bad"].difference
    y = figure.figure.layout.yaxis.tickvals[row]
    assert (e.high if e.high is not None else e.value, y) in zip(sign.x, sign.y, strict=True)
    assert "Holm" in figure.note and "flagged" in figure.alt


def test_an_effect_that_nobody_or_only_people_see_has_no_line_and_no_range(report: AgreementReport) -> None:
    refusal, grounding = report.contrasts
    # Of grounding no person has rated both runs.
    (figure,) = effect_figures(replace(report, contrasts=(grounding,)))
    assert not figure.figure.layout.shapes and "dotted" not in figure.note and "people" not in figure.alt
    people = {who: e for who, e in refusal.effects.items() if who in report.people}
    (figure,) = effect_figures(replace(report, contrasts=(replace(refusal, effects=people),)))
    assert "judges" not in figure.alt and len(figure.figure.layout.yaxis.tickvals) == 2
    # The published mean is a share of the scale as it is, whatever the criteria's scales are.
    (figure,) = effect_figures(replace(report, contrasts=(replace(refusal, measure="paper"),)))
    assert check(drawn(figure), list(figure.figure.layout.yaxis.tickvals),
                 [e.difference for e in refusal.effects.values()]) == 0  # fmt: skip


def test_where_nothing_is_defined_the_forest_says_so(report: AgreementReport) -> None:
    only = tuple(s for s in report.sections if s.scope == report.scopes[1] and s.criterion == "refusal")
    (figure,) = agreement_figures(replace(report, scopes=report.scopes[1:2], sections=only))
    assert figure.alt.endswith("none is defined.") and not drawn(figure)


def test_sentences_say_whose_error_moves_and_which_way(report: AgreementReport) -> None:
    """A judge that lifts a fall by too little is too high, one that sees too little of a rise too low."""
    first = report.contrasts[0]
    moved = {
        "bad": replace(first.bias["bad"], change=Estimate(-0.5, -0.7, -0.3, N, N)),
        JUDGE: replace(first.bias[JUDGE], change=Estimate(0.25, 0.1, 0.4, N, N)),
    }
    flagged = replace(first, bias=moved, adjusted={"bad": 0.0002, JUDGE: 0.04})
    lines = effect_sentences(replace(report, contrasts=(flagged,)))
    assert "bad's error depends on the condition: refusal -0.50 [-0.70, -0.30], p (Holm) < .001, " in lines[1]
    assert lines[1].endswith("so the effect comes out too low.") and lines[2].endswith(
        "p (Holm) = .040, so the effect comes out too high."
    )
    assert "use the corrected figures, or people" in lines[3] and len(lines) == 4
    # Without people nothing was tested, and nothing is said to be absent.
    alone = replace(report, contrasts=(replace(first, bias={}, adjusted={}, differences={}),))
    assert len(effect_sentences(alone)) == 1
    entry = next(e for e in checklist(alone) if e.item == "G14")
    assert entry.state == "in part" and "without people no judge's error can be told" in entry.says
    (table,) = effect_tables(alone, full=False)
    assert table.title.startswith("The effect as each rater sees it")
    (table,) = effect_tables(replace(report, contrasts=(replace(first, effects={}),)), full=False)
    assert "Error by condition" in table.columns


def test_sentences_of_few_responses_keep_the_bias_and_of_a_judge_above_people_say_above(
    report: AgreementReport,
) -> None:
    section = report.section("grounding")
    assert section is not None and section.report.pairs[0].report.n < 30
    lines = [line for line in pair_sentences(report) if "grounding" in line]
    for line, pair in zip(lines, [p for s, p in with_people(report, "grounding") if s == section], strict=True):
        bias = pair.report.estimates["bias"]
        assert f"; bias {number(bias.value, 'bias')} points, 95% CI [" in line and "null judge" not in line
    judge, ceiling = next(iter(section.report.ceilings.items()))
    above = replace(ceiling, difference=Estimate(0.05, -0.02, 0.12, N, N))
    raised = replace(section, report=replace(section.report, ceilings={judge: above}))
    said = people_sentences(replace(report, sections=(raised,)))
    assert said[1].endswith("alpha with people is .05 above people's own (95% CI [-.02, .12]).")


def test_a_report_of_no_sections_says_only_what_is_missing(report: AgreementReport) -> None:
    bare = replace(report, sections=(), contrasts=(), corrected=(), labels=())
    told = {c.title: c for c in chapters(bare, full=True)}
    assert list(told) == ["Raters with themselves", "Missing ratings", "Checklist"]
    assert told["Raters with themselves"].lines[0].startswith("Not estimable: nobody rated a response twice")


def test_every_figure_is_a_row_of_the_long_table(report: AgreementReport) -> None:
    rows = {(r[0], r[1], r[2], r[3], r[4]): r for r in long_rows(report)}
    assert len(rows) == len(long_rows(report))
    found: dict[tuple[str, ...], Estimate] = {}
    for s in report.sections:
        where = s.criterion, s.scope.name
        found |= {(*where, g, "", f"ICC({f})"): e for g, forms in s.report.icc.items() for f, e in forms.items()}
        found |= {(*where, p.first, p.second, f"ICC({f})"): e for p in s.report.pairs for f, e in p.icc.items()}
    for c in report.contrasts:
        scope = f"{c.other} minus {c.baseline}"
        found |= {(c.measure, scope, who, "", "effect"): e.difference for who, e in c.effects.items()}
        found |= {
            (c.measure, scope, who, "people", "change of judge minus people"): b.change for who, b in c.bias.items()
        }
    assert len({k[4] for k in found}) == 5
    for key, e in found.items():
        want = ["" if v is None else repr(float(v)) for v in (e.value, e.low, e.high)]
        assert list(rows[key][5:9]) == [*want, str(e.n)] and rows[key][11] == e.reason


def test_figures_without_a_chapter_stand_first_on_the_page(report: AgreementReport) -> None:
    only = replace(report, sections=(), corrected=())
    text = page_html(only, (Chapter("Nothing", ("There is nothing to say.",), ()),))
    heads = re.findall(r"<h2[^>]*>(.*?)</h2>", text)
    assert heads == ["Figures", "Nothing", "How this was made"] and text.count('role="img"') == 1


def test_corrected_figures_and_votes(report: AgreementReport, made: dict[str, Figure]) -> None:
    for at, (criterion, bounds, none) in enumerate((("refusal", (0, 1), 0), ("grounding", (1, 5), 3)), 1):
        figure = made[f"corrected-{at}-{criterion}"]
        rows = [c for c in report.corrected if c.criterion == criterion]
        ys = list(figure.figure.layout.yaxis.tickvals)
        found = drawn(figure)
        upper = {y: v for y, v in found.items() if y + 5 in ys}
        lower = {y: v for y, v in found.items() if y - 5 in ys}
        assert check(upper, [y - 5 for y in ys], [c.raw for c in rows]) == 0
        assert check(lower, [y + 5 for y in ys], [c.corrected for c in rows]) == none
        assert ("3 of 6 are not estimable" in figure.note and "3 of 6 not estimable" in figure.alt) == bool(none)
        assert sum("not estimable" in a.text for a in figure.figure.layout.annotations) == none
        arrows = [(a.ax, a.x) for a in figure.figure.layout.annotations if a.showarrow]
        assert arrows == [(c.raw.value, c.corrected.value) for c in rows if c.corrected.value is not None]
        low, high = figure.figure.layout.xaxis.range
        assert low < bounds[0] and bounds[1] < high
    figure = made["votes"]
    sections = [s for c in report.criteria if (s := report.section(c)) is not None]
    votes = [s.report.errors.votes for s in sections if s.report.errors is not None]
    assert len(votes) == 2
    check(drawn(figure), list(figure.figure.layout.yaxis.tickvals), votes)
    assert figure.figure.layout.xaxis.range[0] < 1 and figure.figure.layout.xaxis.range[1] > 2


def texts(node: Any) -> Iterator[str]:
    """Every text that Plotly would read tags or formulas in."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"text", "ticktext", "name", "hovertext", "title"}:
                yield from ([value] if isinstance(value, str) else [v for v in value if isinstance(v, str)])
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)


def test_names_with_markup_are_letters(made: dict[str, Figure]) -> None:
    found = [t for f in made.values() for t in texts(json.loads(str(f.figure.to_json())))]
    assert any("&lt;b&gt;Ben" in t for t in found) and any("&#36;" in t for t in found)
    for t in found:
        assert "$" not in t and set(re.findall(r"<[^>]*>?", re.sub(r'<span style="color:#\w+">', "", t))) <= {
            "<b>", "</b>", "<i>", "</i>", "<br>", "</span>",
        }  # fmt: skip
    assert all(re.fullmatch(r"[a-z0-9-]{1,60}", name) for name in made)


class Tags(html.parser.HTMLParser):
    """Elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def page_text(report: AgreementReport) -> str:
    strange = Chapter("<i>Odd</i>", (HOSTILE, "& more"), (Table(("<u>a",), ((HOSTILE,),), "<s>t", ("<q>n",)),))
    return page_html(report, (*chapters(report), strange))


def test_page_holds_every_sentence_table_and_figure_and_no_foreign_element(
    report: AgreementReport, made: dict[str, Figure], page_text: str
) -> None:
    parsed = Tags()
    parsed.feed(page_text)
    kinds = [tag for tag, _ in parsed.tags]
    assert not {"img", "a href=http", "link", "iframe", "i", "u", "s", "q"} & set(kinds) and kinds.count("script") == 3
    links = [a["href"] for tag, a in parsed.tags if tag == "a"]
    ids = {a.get("id") for _, a in parsed.tags}
    assert len(links) == len(chapters(report)) + 2 and all(x is not None and x[1:] in ids for x in links)
    assert [a["aria-label"] for tag, a in parsed.tags if a.get("role") == "img"] != []
    assert {a["aria-label"] for tag, a in parsed.tags if a.get("role") == "img"} == {f.alt for f in made.values()}
    assert kinds.count("table") == sum(len(c.tables) for c in chapters(report)) + 1
    said = {" ".join(w.split()) for w in parsed.words}
    assert all(" ".join(line.split()) in said for c in chapters(report) for line in c.lines)
    assert any("level 0.95" in w and "seed 0" in w for w in said) and "Content-Security-Policy" in page_text
    data = page_text.split('id="figures">')[1].split("</script>")[0]
    assert "<" not in data and all(f["config"]["showSendToCloud"] is False for f in json.loads(data))


def test_page_without_anything_to_draw_has_no_script(report: AgreementReport) -> None:
    bare = replace(report, sections=(), contrasts=(), corrected=())
    text = page_html(bare, (Chapter("Nothing", ("There is nothing to say.",), ()),))
    assert "<script" not in text and "script-src" not in text and "There is nothing to say." in text


# --- a real browser ---


class TestInChromium:
    """Drawn for real."""

    pytestmark = chromium

    def test_page_asks_for_nothing_and_logs_no_error(
        self, page_text: str, made: dict[str, Figure], tmp_path: Path
    ) -> None:
        path = tmp_path / "page.html"
        path.write_text(page_text, encoding="utf-8")
        with open_chromium() as browser:
            tab = browser.new_page(color_scheme="light", viewport={"width": 1280, "height": 900})
            asked: list[str] = []
            wrong: list[str] = []
            tab.on("request", lambda r: asked.append(r.url))
            tab.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
            tab.on("pageerror", lambda e: wrong.append(str(e)))
            tab.goto(path.as_uri())
            tab.wait_for_function(
                "n => document.querySelectorAll('.js-plotly-plot:has(.ytick)').length === n", arg=len(made)
            )
            assert tab.locator(".js-plotly-plot text", has_text="<b>Ben").count() > 0
            for plot in tab.locator(".js-plotly-plot:has(.point)").all()[:3]:
                plot.locator(".point").first.hover(force=True)
            # On paper figures are as wide as a sheet, and afterwards as wide as before.
            width = "document.querySelector('.main-svg').clientWidth"
            tab.evaluate(f"addEventListener('beforeprint', () => window.printed = {width})")
            tab.pdf()
            assert tab.evaluate("window.printed") == 660
            for scheme, across, ink in (("light", 1280, "rgb(31, 35, 40)"), ("dark", 480, "rgb(230, 233, 238)")):
                tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                tab.set_viewport_size({"width": across, "height": 900})
                tab.wait_for_function(
                    "ink => [...document.querySelectorAll('.ytick text')].every(t => getComputedStyle(t).fill === ink)",
                    arg=ink,
                )
                if across == 1280:
                    assert tab.evaluate(width) > 700
                # Only what has a scroller of its own may be wider than the page.
                assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                if SHOTS:
                    tab.screenshot(path=str(Path(SHOTS) / f"agreement-{scheme}-{across}.png"), full_page=True)
            assert tab.get_by_text("Share chart").count() == 0
            assert asked == [path.as_uri()] and wrong == []

    def test_images_are_written_with_the_names_as_letters(
        self, made: dict[str, Figure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("kaleido", reason="kaleido is not installed (extra `figures`)")
        monkeypatch.setenv("BROWSER_PATH", chromium_path())
        chosen = [made["votes"], made["forest-1-refusal"]]
        (tmp_path / "votes.svg").write_text("of old")
        files = write_images(chosen, tmp_path, "svg")
        assert sorted(p.name for p in tmp_path.iterdir()) == ["forest-1-refusal.svg", "votes.svg"]
        assert [p.name for p in files] == ["votes.svg", "forest-1-refusal.svg"]
        drawing = files[1].read_text(encoding="utf-8")
        assert "&#60;b&#62;Ben" in drawing and "<b>" not in drawing and "<script" not in drawing
        assert not re.search(r'(href|src)="http', drawing) and files[0].read_text(encoding="utf-8").startswith("<svg")

    def test_without_a_browser_one_line_says_what_to_install(
        self, made: dict[str, Figure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("kaleido", reason="kaleido is not installed (extra `figures`)")
        monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
        with pytest.raises(ImageError, match="set BROWSER_PATH to its path") as caught:
            write_images([made["votes"]], tmp_path / "out")
        assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_without_kaleido_one_line_says_what_to_install(
    made: dict[str, Figure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kaleido", None)  # what Python itself puts there to make an import fail
    with pytest.raises(ImageError, match=r"^images need kaleido: pip install -e '\.\[figures\]'$"):
        write_images([made["votes"]], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_images_that_cannot_be_written_are_refused_before_any_is_drawn(made: dict[str, Figure], tmp_path: Path) -> None:
    (tmp_path / "votes.svg").mkdir()
    with pytest.raises(ImageError, match=r"votes\.svg is a folder"):
        write_images([made["votes"]], tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ImageError, match="name a folder"):
        write_images([made["votes"]], tmp_path / "file")
    with pytest.raises(ImageError, match="choose png, svg or pdf"):
        write_images([made["votes"]], tmp_path, "exe")  # type: ignore[arg-type]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "votes.svg"]

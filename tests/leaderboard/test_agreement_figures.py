"""Figures of the agreement report: what is drawn is what the report says, to the last digit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from judges.stats import Estimate
from leaderboard.agreement.drawing import SIGNS
from leaderboard.agreement.figures import Figure
from leaderboard.agreement.forest import agreement_figures, effect_figures
from leaderboard.agreement.matrices import matrix_figures, unsure
from leaderboard.agreement.pairs import with_people
from leaderboard.agreement.scopes import scope_names, scope_styles
from leaderboard.agreement.words import HEADLINE, number
from results.agreement_records import COMBINED, AgreementReport, Scope
from results.contrasts import PEOPLE
from tests.support.made_runs import manifest

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

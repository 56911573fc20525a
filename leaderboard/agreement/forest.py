"""Forest plots: agreement of people with judges, and the effect of a condition as each rater sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import plotly.graph_objects as go

from judges.agreement.criterion import Pair
from judges.stats import Estimate
from leaderboard.agreement.drawing import (
    INK,
    Figure,
    Point,
    Rows,
    add_points,
    count,
    escaped,
    finish,
    told,
)
from leaderboard.agreement.pairs import NULLS, with_people
from leaderboard.agreement.scopes import scope_names, scope_styles
from leaderboard.agreement.words import HEADLINE, name, number, rater, short
from leaderboard.charts import Style
from results.agreement_records import AgreementReport, Section
from results.contrasts import OVERALL, PEOPLE, Contrast

_NULL_MARKERS: Final = {
    "random": ("square-open", 13),
    "constant": ("circle-open", 7),
    "condition": ("diamond-open", 11),
    "length": ("triangle-up-open", 10),
}
ROLES: Final = {
    "person": Style("people", "#1F2328", "#E6E9EE", "circle"),
    "judge": Style("judges", "#0072B2", "#56B4E9", "square"),
    "panel": Style("panels", "#D55E00", "#F0803C", "diamond"),
}
_BOUNDS: Final = ((-0.5, 1.0), (-1.0, 1.0))
"""Ends of an axis of differences or coefficients; the second where anything lies below the first."""
DAGGER: Final = "†"


def agreement_figures(report: AgreementReport, dark: bool = False) -> list[Figure]:
    """A forest plot a criterion: each person with each judge and the panel, by scope, beside the null judges.

    Args:
        report: The report.
        dark: Colours for a dark page.
    """
    bounds = _bounds(_lowest(report))
    made = []
    for criterion in report.criteria:
        found = list(with_people(report, criterion))
        if found:
            made.append(_agreement(report, criterion, found, bounds, dark))
    return made


def _agreement(
    report: AgreementReport,
    criterion: str,
    found: Sequence[tuple[Section, Pair]],
    bounds: tuple[float, float],
    dark: bool,
) -> Figure:
    coefficient = HEADLINE[report.criteria[criterion].kind]
    names, styles = scope_names(report), scope_styles(report)
    figure, rows = go.Figure(), Rows()
    points: dict[str, list[Point]] = {s.name: [] for s in report.scopes}
    nulls: dict[str, list[tuple[float, float]]] = {}
    lacking = 0
    for who in dict.fromkeys((p.first, p.second) for _, p in found):
        label = f"{rater(who[0])} and {rater(who[1])}"
        rows.heading(label)
        for section, pair in found:
            if (pair.first, pair.second) != who:
                continue
            e, scope = pair.report.estimates[coefficient], section.scope.name
            lacking += e.value is None
            y = rows.row(f"{names[scope]} · {count(e)}", short(e.reason) if e.value is None else "")
            points[scope].append(Point(y, e, f"{label}, {names[scope]}: {told(e)}, {count(e)}"))
            for c in pair.report.nulls:
                # A null's value says something beside a judge's, so the two are shown together or not at all.
                if c.coefficient == coefficient and c.value is not None and e.value is not None:
                    nulls.setdefault(c.null, []).append((c.value, y))
    for null, (symbol, size) in _NULL_MARKERS.items():
        if null in nulls:
            figure.add_trace(
                go.Scatter(x=[x for x, _ in nulls[null]], y=[y for _, y in nulls[null]], mode="markers",
                           name=escaped(f"null: {NULLS[null]}"), hoverinfo="text", legendrank=1001,
                           hovertext=[escaped(f"null judge, {NULLS[null]}: {number(x)}") for x, _ in nulls[null]],
                           marker={"symbol": symbol, "size": size, "color": INK[dark].soft, "line": {"width": 1.5}})
            )  # fmt: skip
    for scope, given in points.items():
        add_points(figure, given, styles[scope], names[scope], dark, 13 if styles[scope].symbol == "star" else 10)
    finish(figure, rows, f"{name(criterion)}: {name(coefficient).lower()}", bounds, dark)
    what = f"{name(coefficient).lower()} of people and judges on {name(criterion).lower()}"
    level = _level(report)
    note = f"Lines are {level} intervals. Hollow markers are null judges, which read nothing."
    note += " A judge that reads stands to their right."
    if lacking:
        note += f" {lacking} of {len(found)} figures are undefined and not drawn; the reason stands in the row."
    wide = [(p, p.report.estimates[coefficient]) for s, p in found if s.scope == report.scopes[-1]]
    over = f"over {names[report.scopes[-1].name]} " if len(report.scopes) > 1 else ""
    alt = f"Forest plot of the {what}, with {level} intervals; {over}{_range(wide)}."
    title = f"{name(criterion)}: agreement of judges with people"
    return Figure("forest", title, alt, figure, note, "Judges and people", criterion)


def _range(found: Sequence[tuple[Pair, Estimate]]) -> str:
    """From the lowest to the highest, and how many have no value."""
    known = sorted(
        ((e.value, f"{told(e)} ({rater(p.first)} and {rater(p.second)})") for p, e in found if e.value is not None),
        key=lambda x: x[0],
    )
    lacking = f", {len(found) - len(known)} of {len(found)} undefined" if len(known) < len(found) else ""
    if not known:
        return "none is defined"
    ends = known[0][1] if len(known) == 1 else f"from {known[0][1]} to {known[-1][1]}"
    return f"{ends}{lacking}"


def effect_figures(report: AgreementReport, dark: bool = False) -> list[Figure]:
    """A forest plot a contrast: the effect on every measure, as each rater and each panel sees it.

    Args:
        report: The report.
        dark: Colours for a dark page.
    """
    scaled: dict[tuple[str, str], list[_Scaled]] = {(c.baseline, c.other): [] for c in report.contrasts}
    for c in report.contrasts:
        if c.effects:
            scaled[c.baseline, c.other].append(
                (c, {who: _share(report, c, e.difference) for who, e in c.effects.items()})
            )
    every = [e for found in scaled.values() for _, effects in found for e in effects.values()]
    bounds = _bounds(min((x for e in every for x in (e.value, e.low) if x is not None), default=0.0))
    return [_effects(report, found, bounds, dark) for found in scaled.values() if found]


_Scaled = tuple[Contrast, dict[str, Estimate]]


def _effects(report: AgreementReport, found: Sequence[_Scaled], bounds: tuple[float, float], dark: bool) -> Figure:
    figure, rows = go.Figure(), Rows()
    points: dict[str, list[Point]] = {role: [] for role in ROLES}
    flagged, said = 0, []
    marks: list[tuple[float, float]] = []
    for contrast, effects in found:
        rows.heading(name(contrast.measure))
        start = rows.end
        for who, e in effects.items():
            mark = f" {DAGGER}" if contrast.flagged(who) else ""
            flagged += bool(mark)
            y = rows.row(f"{rater(who)} · {count(e)}{mark}", short(e.reason) if e.value is None else "")
            ends = [x for x in (e.value, e.high) if x is not None]
            marks += [(max(ends), y)] if mark and ends else []
            points[_role(report, who)].append(Point(y, e, f"{rater(who)}, {name(contrast.measure)}: {told(e)}{mark}"))
        people = _reference(report, effects)
        if people is not None and people.value is not None:
            figure.add_shape(type="line", x0=people.value, x1=people.value, y0=start, y1=rows.end,
                             line={"color": INK[dark].soft, "width": 1, "dash": "dot"}, layer="below")  # fmt: skip
        said.append(_effect_sentence(report, contrast, effects, people))
    for role, given in points.items():
        add_points(figure, given, ROLES[role], ROLES[role].name, dark)
    if flagged:
        # Beside the interval too, where the eye is.
        figure.add_trace(go.Scatter(x=[x for x, _ in marks], y=[y for _, y in marks], mode="text", text=DAGGER,
                                    textposition="middle right", textfont={"size": 14, "color": INK[dark].text},
                                    hoverinfo="skip", showlegend=False, name="flagged"))  # fmt: skip
    finish(figure, rows, "Other minus baseline, share of the scale", bounds, dark)
    first = found[0][0]
    title = f"{report.label(first.other)} against {report.label(first.baseline)}: the effect as each rater sees it"
    note = f"Lines are {_level(report)} intervals, paired on items."
    if figure.layout.shapes:
        note += " The dotted line is the effect that people see."
    if flagged:
        note += (
            f" {DAGGER} The judge's error against people differs between the conditions "
            f"(Holm-adjusted over all {_tests(report)} tests of the report)."
        )
    alt = f"Forest plot of effects in shares of the scale: {'; '.join(said)}."
    return Figure("effects", title, alt, figure, note, "What the conditions do to the judges")


def _effect_sentence(
    report: AgreementReport, contrast: Contrast, effects: dict[str, Estimate], people: Estimate | None
) -> str:
    """One measure: what people see, the span of the others, and how many of these are flagged."""
    others = [e.value for who, e in effects.items() if _role(report, who) != "person" and e.value is not None]
    parts = [f"people {number(people.value)}"] if people is not None and people.value is not None else []
    if others:
        parts.append(f"judges {number(min(others))} to {number(max(others))}")
    marked = sum(bool(contrast.flagged(who)) for who in effects)
    parts += [f"{marked} flagged"] if marked else []
    return f"{name(contrast.measure).lower()} {', '.join(parts) or 'undefined'}"


def _share(report: AgreementReport, contrast: Contrast, e: Estimate) -> Estimate:
    """The effect as a share of the scale; the published mean is on 0 to 1 as it is."""
    if contrast.measure == OVERALL and OVERALL not in report.criteria:
        return e
    points = report.criteria[contrast.measure].points
    span = points[-1] - points[0]
    value, low, high = (None if x is None else x / span for x in (e.value, e.low, e.high))
    return replace(e, value=value, low=low, high=high)


def _reference(report: AgreementReport, effects: dict[str, Estimate]) -> Estimate | None:
    """What people see: all of them together, or the one there is."""
    people = [e for who, e in effects.items() if who in report.people]
    return effects.get(PEOPLE) or (people[0] if len(people) == 1 else None)


def _role(report: AgreementReport, who: str) -> str:
    return "person" if who in report.people or who == PEOPLE else "judge" if who in report.judges else "panel"


def _tests(report: AgreementReport) -> int:
    return sum(len(c.adjusted) for c in report.contrasts)


def _level(report: AgreementReport) -> str:
    return f"{100 * report.settings.level:g} %"


def _lowest(report: AgreementReport) -> float:
    """The lowest value or end that any of the forest plots shows, so that all have one axis."""
    found = [0.0]
    for criterion, rated in report.criteria.items():
        for _, pair in with_people(report, criterion):
            e = pair.report.estimates[HEADLINE[rated.kind]]
            nulls = [c.value for c in pair.report.nulls if c.coefficient == HEADLINE[rated.kind]]
            found += [x for x in (e.value, e.low, *nulls) if x is not None]
    return min(found)


def _bounds(lowest: float) -> tuple[float, float]:
    return _BOUNDS[0] if lowest >= _BOUNDS[0][0] else _BOUNDS[1]

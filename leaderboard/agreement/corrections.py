"""Plots of corrected against raw figures, and of how many votes a panel is worth."""

from __future__ import annotations

from typing import Final

import plotly.graph_objects as go

from leaderboard.agreement.drawing import (
    INK,
    Figure,
    Point,
    Rows,
    add_points,
    count,
    finish,
    told,
)
from leaderboard.agreement.scopes import scope_names
from leaderboard.agreement.words import name, number, rater, short
from leaderboard.charts import Style
from results.agreement_records import AgreementReport, Corrected

RAW: Final = Style("as judged", "#595959", "#A6A6A6", "circle-open")
RIGHT: Final = Style("as people would have it", "#0072B2", "#56B4E9", "square")
VOTES: Final = Style("effective votes", "#0072B2", "#56B4E9", "square")
_APART: Final = 5
"""Pixels from the middle of a row to each of its two markers, whose intervals would cover one another."""


def corrected_figures(report: AgreementReport, dark: bool = False) -> list[Figure]:
    """A plot a criterion: by run and judge, the figure as judged and as people would have it, an arrow between.

    Args:
        report: The report.
        dark: Colours for a dark page.
    """
    if not report.people:
        return []  # nothing can be corrected, and the table says so
    by_criterion: dict[str, list[Corrected]] = {}
    for c in report.corrected:
        by_criterion.setdefault(c.criterion, []).append(c)
    return [_corrected(report, criterion, found, dark) for criterion, found in by_criterion.items()]


def _corrected(report: AgreementReport, criterion: str, found: list[Corrected], dark: bool) -> Figure:
    figure, rows = go.Figure(), Rows()
    raw: list[Point] = []
    right: list[Point] = []
    scopes = {s.run_ids[0]: s.name for s in report.scopes if len(s.run_ids) == 1}
    names = scope_names(report)
    for run_id in dict.fromkeys(c.run_id for c in found):
        rows.heading(names[scopes[run_id]])
        for c in (c for c in found if c.run_id == run_id):
            # The reason says whether it is undefined or not estimable, and what is needed.
            remark = short(c.corrected.reason) if c.corrected.value is None else ""
            y = rows.row(f"{rater(c.judge)} · {count(c.corrected)}", remark, below=c.raw.value is not None)
            who = f"{rater(c.judge)}, {names[scopes[run_id]]}"
            raw.append(Point(y - _APART, c.raw, f"{who}, as judged: {told(c.raw, 'mae')}"))
            right.append(Point(y + _APART, c.corrected, f"{who}, corrected: {told(c.corrected, 'mae')}"))
            if c.raw.value is not None and c.corrected.value is not None:
                figure.add_annotation(
                    x=c.corrected.value, y=y + _APART, ax=c.raw.value, ay=y - _APART, xref="x", yref="y", axref="x",
                    ayref="y", text="", showarrow=True, arrowhead=2, arrowsize=1.1, arrowwidth=1.4,
                    arrowcolor=INK[dark].text, standoff=6, startstandoff=6,
                )  # fmt: skip
    add_points(figure, raw, RAW, RAW.name, dark)
    add_points(figure, right, RIGHT, RIGHT.name, dark)
    rated = report.criteria[criterion]
    bounds = (rated.points[0], rated.points[-1]) if found[0].figure == "mean" else (0.0, 1.0)
    finish(figure, rows, f"{name(criterion)}: {found[0].figure}", bounds, dark)
    lacking = sum(c.corrected.value is None for c in found)
    note = f"Arrows lead from the {found[0].figure} as judged to that as people would have it. n counts labels."
    if lacking:
        note += f" {lacking} of {len(found)} are not estimable; the reason stands in the row."
    moves = sorted(
        (
            (c.corrected.value - c.raw.value, c)
            for c in found
            if c.raw.value is not None and c.corrected.value is not None
        ),
        key=lambda x: -abs(x[0]),
    )
    alt = f"Plot of {name(criterion).lower()}, {found[0].figure}, as judged and corrected by people's labels: "
    if moves:
        c = moves[0][1]
        alt += (
            f"the largest correction of {len(moves)} is from {number(c.raw.value, 'mae')} to "
            f"{number(c.corrected.value, 'mae')}, of {rater(c.judge)} in {names[scopes[c.run_id]]}"
        )
    else:
        alt += "no correction can be estimated"
    alt += f"; {lacking} of {len(found)} not estimable." if lacking else "."
    title = f"{name(criterion)}: as judged, and as people would have it"
    return Figure("corrected", title, alt, figure, note, "What people would say of each run", criterion)


def votes_figures(report: AgreementReport, dark: bool = False) -> list[Figure]:
    """One plot, if there is a panel: by criterion, the number of independent votes that the judges are worth.

    Args:
        report: The report.
        dark: Colours for a dark page.
    """
    wide = [s for c in report.criteria if (s := report.section(c)) is not None and s.report.errors is not None]
    if not wide:
        return []
    figure, rows = go.Figure(), Rows()
    points, said = [], []
    most = max(len(s.report.judges) for s in wide)
    ends = [float(most)]
    for s in wide:
        errors = s.report.errors
        assert errors is not None  # noqa: S101  # such sections are left out above
        e, m = errors.votes, len(s.report.judges)
        y = rows.row(f"{name(s.criterion)} · {m} judges, {count(e)}", short(e.reason) if e.value is None else "")
        points.append(Point(y, e, f"{name(s.criterion)}: {told(e, 'mae')} of {m}"))
        said.append(f"{name(s.criterion).lower()} {told(e, 'mae')}{'' if e.value is None else f' of {m}'}")
        ends += [x for x in (e.value, e.high) if x is not None]
    add_points(figure, points, VOTES, VOTES.name, dark)
    # Judges whose errors cancel are worth more votes than they are many: the axis then reaches that far.
    bounds = (1.0, max(ends))
    finish(figure, rows, "Effective number of votes", bounds, dark, {float(v): str(v) for v in range(1, most + 1)})
    figure.update_layout(showlegend=False)
    figure.add_shape(type="line", x0=most, x1=most, y0=0, y1=rows.end, layer="below",
                     line={"color": INK[dark].soft, "width": 1, "dash": "dot"})  # fmt: skip
    lacking = [p for p in points if p.estimate.value is None]
    bare = [p for p in points if p.estimate.value is not None and p.estimate.low is None]
    note = "1: the judges err together and are worth one; the dotted line: they err independently."
    note += f" {len(lacking)} undefined; the reason stands in the row." if lacking else ""
    note += f" {len(bare)} without an interval: too few errors differ." if bare else ""
    level = f"{100 * report.settings.level:g} %"
    alt = f"Effective number of votes of the judges, with {level} intervals: {'; '.join(said)}."
    return [Figure("votes", "How many votes the judges are worth", alt, figure, note, "The judges as a panel")]

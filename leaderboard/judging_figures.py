"""The drawings of the page on judges: agreement of every two, who gives higher values, ranks without each judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import plotly.graph_objects as go

from judges.stats import Estimate
from leaderboard import present
from leaderboard.agreement.drawing import Point, Rows, add_points, count, finish
from leaderboard.agreement.forest import ROLES
from leaderboard.agreement.matrices import matrix, matrix_note
from leaderboard.agreement.scopes import MORE, short_labels
from leaderboard.agreement.words import number, rater
from leaderboard.charts import Style
from leaderboard.judging import Judging, shown_runs
from results.judging import JudgeAgreement
from results.recombined import LeaveOneOut

MOST: Final = 20
"""Runs that the drawing of ranks shows; of more, those that move most."""
_ENDS: Final = (0.5, 1.0, 2.0, 3.0, 4.0)
_ALL: Final = Style("all judges", "#1F2328", "#E6E9EE", "circle")
_DODGE: Final = 22.0
"""Height in pixels over which the markers of one run are spread."""
_GAP: Final = 14


def agreement_figure(a: JudgeAgreement, dark: bool = False) -> go.Figure:
    """Krippendorff's alpha of every two judges."""
    return matrix(a.judges, _alphas(a), dark)


def agreement_note(a: JudgeAgreement) -> str:
    """How to read it, what is hatched and what is undefined."""
    return f"Krippendorff's alpha of every two judges, with its 95 % interval.{matrix_note(_alphas(a))}"


def agreement_alt(a: JudgeAgreement) -> str:
    """The drawing in one sentence. Names are untrusted."""
    said = [f"{rater(p.first)} and {rater(p.second)} {number(p.alpha.value)}" for p in a.pairs]
    return f"Matrix of Krippendorff's alpha of every two judges: {'; '.join(said)}."


def _alphas(a: JudgeAgreement) -> Mapping[tuple[int, int], Estimate]:
    at = {judge: i for i, judge in enumerate(a.judges)}
    found = {(at[p.first], at[p.second]): p.alpha for p in a.pairs}
    return found | {(j, i): e for (i, j), e in found.items()}


def severity_figure(found: Judging, dark: bool = False) -> go.Figure:
    """How far each judge's values lie above those of the others, with intervals."""
    figure, rows = go.Figure(), Rows()
    points = []
    for s in found.severity:
        remark = present.undefined(s.others.reason) if s.others.value is None else ""
        y = rows.row(rater(s.judge), remark)
        said = f"{rater(s.judge)}: {present.number(s.others, signed=True)}, {count(s.others)}"
        points.append(Point(y, s.others, said))
    add_points(figure, points, Style("above the others", *_colours("judge"), "square"), "", dark)
    ends = [abs(x) for s in found.severity for x in (s.others.low, s.others.high, s.others.value) if x is not None]
    reach = next((e for e in _ENDS if e >= max(ends, default=0.0)), max(ends, default=0.0))
    finish(figure, rows, "Above the other judges", (-reach, reach), dark)
    return _quiet(figure)


def severity_alt(found: Judging) -> str:
    """The drawing in one sentence. Names are untrusted."""
    said = "; ".join(f"{rater(s.judge)} {present.number(s.others, signed=True)}" for s in found.severity)
    return f"Forest plot of how far each judge's values lie above those of the others: {said}."


def ranks_figure(left: LeaveOneOut, dark: bool = False) -> go.Figure:
    """The rank of each run by all judges with its interval, and without each judge."""
    figure, rows = go.Figure(), Rows()
    places = shown_runs(left, MOST)
    names = short_labels([present.plain(left.runs[at].label, 90) for at in places])
    ys = []
    for at, label in zip(places, names, strict=True):
        ys.append(rows.row(label, "" if left.ranks[at] is not None else "undefined: no item has a value"))
        rows.end += _GAP
    views = [("all judges", _ALL, left.ranks)]
    views += [(f"without {rater(x.judge)}", MORE[i % len(MORE)], x.ranks) for i, x in enumerate(left.left)]
    step = _DODGE / max(1, len(views) - 1)
    for n, (label, style, ranks) in enumerate(views):
        points = []
        for at, y, run in zip(places, ys, names, strict=True):
            rank = ranks[at]
            if rank is None:
                continue
            span = left.intervals[at] if n == 0 and left.intervals else None
            low, high = (None, None) if span is None else (float(span.low), float(span.high))
            e = Estimate(float(rank), low, high, left.common, left.common)
            told = f" [{span.low}, {span.high}]" if span is not None else ""
            points.append(Point(y - _DODGE / 2 + n * step, e, f"{run}, {label}: rank {rank}{told}"))
        add_points(figure, points, style, label, dark, 8)
    most = len(left.runs)
    every = max(1, -(-(most - 1) // 8))
    ticks = {float(r): str(r) for r in range(1, most + 1) if (r - 1) % every == 0}
    finish(figure, rows, "Rank, 1 the best", (1.0, float(max(most, 2))), dark, ticks)
    figure.update_layout(xaxis={"range": [0.7, max(most, 2) + 0.3], "zeroline": False})
    return figure


def ranks_alt(left: LeaveOneOut) -> str:
    """The drawing in one sentence."""
    moved = sum(left.moves(at) > 0 for at in range(len(left.runs)))
    shown = len(shown_runs(left, MOST))
    return (
        f"Ranks of {shown} of {len(left.runs)} runs by all judges and without each of {len(left.left)}: "
        f"{moved or 'none'} of {len(left.runs)} change rank."
    )


def _colours(role: str) -> tuple[str, str]:
    return ROLES[role].light, ROLES[role].dark


def _quiet(figure: go.Figure) -> go.Figure:
    """Without a legend of one entry."""
    figure.layout.annotations = [a for a in figure.layout.annotations if a.yref != "paper"]
    return figure.update_layout(margin={"t": 8}, height=int(figure.layout.height) - 22)

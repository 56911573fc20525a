"""Matrices of raters: Krippendorff's alpha of every two people and judges, with value and interval in each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import plotly.graph_objects as go
from plotly.colors import sample_colorscale, unlabel_rgb

from judges.stats import Estimate
from leaderboard.agreement.drawing import INK, Figure, escaped, lay_out, told, width, wrapped
from leaderboard.agreement.words import bracket, name, number, rater
from leaderboard.present import plain
from results.agreement_records import AgreementReport, Section

WIDE: Final = 0.4
"""An interval wider than this says too little for a colour."""
_SCALE: Final = "Cividis"
_CELL, _COLUMN = 54, 100
_GREY: Final = {False: ("#EDEFF2", "#D0D5DB"), True: ("#262C34", "#3A424D")}


def matrix_figures(report: AgreementReport, dark: bool = False) -> list[Figure]:
    """A matrix a criterion, over the widest scope.

    Args:
        report: The report.
        dark: Colours for a dark page.
    """
    sections = (report.section(c) for c in report.criteria)
    return [_matrix(report, s, dark) for s in sections if s is not None and s.report.pairs]


def _matrix(report: AgreementReport, section: Section, dark: bool) -> Figure:
    paired = {who for p in section.report.pairs for who in (p.first, p.second)}
    raters = [r.name for r in report.criteria[section.criterion].raters if r.name in paired]
    roles = {r.name: r.role for r in report.criteria[section.criterion].raters}
    cells = [(i, j) for i in range(len(raters)) for j in range(len(raters)) if i != j]
    found = {(i, j): section.report.pair(raters[i], raters[j]) for i, j in cells}
    alphas = {at: p.alpha for at, p in found.items() if p is not None}
    criterion, where = name(section.criterion), plain(section.scope.name, 60)
    note = f"Krippendorff's alpha of every two raters, with its interval; {where}.{matrix_note(alphas)}"
    if len(alphas) < len(cells):
        note += " The panel is not compared with the judges that it is made of."
    return Figure(
        "matrix",
        f"{criterion}: agreement of every two raters",
        f"Matrix of Krippendorff's alpha on {criterion.lower()}, {where}: {_sentence(section, roles)}.",
        matrix(raters, alphas, dark),
        note,
        "Judges and people",
        section.criterion,
        _COLUMN * len(raters),
    )


def matrix(raters: Sequence[str], alphas: Mapping[tuple[int, int], Estimate], dark: bool) -> go.Figure:
    """Alphas of every two raters as a square of cells; two that are not compared say so.

    Args:
        raters: Their names. Untrusted text.
        alphas: Alpha by row and column, each two in both orders.
        dark: Colours for a dark page.
    """
    ink = INK[dark]
    cells = [(i, j) for i in range(len(raters)) for j in range(len(raters)) if i != j]
    known = [at for at in cells if at in alphas and alphas[at].value is not None]
    sure = [at for at in known if not unsure(alphas[at])]
    figure = go.Figure()
    values = [alphas[at].value for at in sure]
    figure.add_trace(
        _bars(sure, name="alpha", marker={
            "color": values, "colorscale": _SCALE, "cmin": 0, "cmax": 1, "showscale": bool(sure),
            "line": {"width": 2, "color": ink.page},
            "colorbar": {"orientation": "h", "thickness": 10, "len": 1, "y": 0, "yanchor": "top", "ypad": 10, "xpad": 0,
                         "tickfont": {"size": 11, "color": ink.text}, "outlinewidth": 0,
                         "tickvals": [0, 0.25, 0.5, 0.75, 1], "ticktext": ["0 or less", ".25", ".50", ".75", "1"]}})
    )  # fmt: skip
    ground, line = _GREY[dark]
    figure.add_trace(
        _bars([at for at in known if at not in sure], name="unsure", marker={
            "color": ground, "pattern": {"shape": "/", "size": 7, "solidity": 0.25, "fgcolor": line, "bgcolor": ground},
            "line": {"width": 2, "color": ink.page}})
    )  # fmt: skip
    blank = [at for at in cells if at not in known]
    figure.add_trace(
        _bars(blank, name="none", marker={"color": "rgba(0,0,0,0)", "line": {"width": 1, "color": ink.grid}})
    )
    texts, colours, hover = [], [], []
    for at in cells:
        e = alphas.get(at)
        texts.append(_text(e))
        colours.append(_on(e.value or 0.0) if e is not None and at in sure else ink.text)
        said = (
            "not compared: the panel is made of its judges"
            if e is None
            else f"{told(e)}, n {e.n}. {plain(e.reason, 90)}"
        )
        hover.append(escaped(f"{rater(raters[at[0]])} and {rater(raters[at[1]])}: {said}".removesuffix(". ")))
    figure.add_trace(
        go.Scatter(x=[j for _, j in cells], y=[i for i, _ in cells], mode="text", text=texts, name="text",
                   textfont={"size": 12, "color": colours}, hoverinfo="text", hovertext=hover)
    )  # fmt: skip
    labels = ["<br>".join(map(escaped, wrapped(rater(r), 15, 3))) for r in raters]
    left = 16 + max(max(width(line) for line in text.split("<br>")) for text in labels)
    top = 18 + 15 * max(text.count("<br>") + 1 for text in labels)
    font = {"size": 12, "color": ink.text}
    axis = {"tickvals": list(range(len(raters))), "ticktext": labels, "tickfont": font, "showgrid": False,
            "zeroline": False, "fixedrange": True, "ticks": "", "showline": False, "tickangle": 0}  # fmt: skip
    lay_out(figure, dark, {
        "height": top + _CELL * len(raters) + (48 if sure else 10),
        "margin": {"l": left, "r": 10, "t": top, "b": 48 if sure else 10, "autoexpand": False},
        "showlegend": False,
        "barmode": "overlay",
        "xaxis": {**axis, "side": "top", "range": [-0.5, len(raters) - 0.5]},
        "yaxis": {**axis, "range": [len(raters) - 0.5, -0.5]},
    })  # fmt: skip
    return figure


def matrix_note(alphas: Mapping[tuple[int, int], Estimate]) -> str:
    """What is hatched and what is undefined in a matrix; each sentence with a space in front."""
    known = [e for e in alphas.values() if e.value is not None]
    dim = sum(map(unsure, known))
    note = ""
    if dim:
        note += (
            f" Hatched grey: {dim // 2} of {len(known) // 2} intervals are wider than {number(WIDE)} or missing, "
            "and a colour would promise more than they hold."
        )
    reasons = dict.fromkeys(e.reason.split(";")[0] for e in alphas.values() if e.value is None)
    if reasons:
        note += f" Undefined: {plain('; '.join(reasons), 160, ends=False)}."
    return note


def unsure(e: Estimate) -> bool:
    """Whether an interval is too wide for a colour, or missing."""
    return e.low is None or e.high is None or e.high - e.low > WIDE


def _bars(at: list[tuple[int, int]], **rest: object) -> go.Bar:
    """Cells as bars, which can be hatched where the cells of a heat map cannot."""
    return go.Bar(
        x=[j for _, j in at], y=[1] * len(at), base=[i - 0.5 for i, _ in at], width=1, hoverinfo="skip", **rest
    )


def _text(e: Estimate | None) -> str:
    if e is None:
        return "not<br>compared"
    if e.value is None:
        return "undefined"
    return f"<b>{number(e.value)}</b><br>{bracket(e) or 'no interval'}"


def _on(value: float) -> str:
    """Black or white, whichever is easier to read on the colour of a value."""
    rgb = unlabel_rgb(sample_colorscale(_SCALE, [min(max(value, 0.0), 1.0)])[0])
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (x / 255 for x in rgb)]
    shine = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if shine > 0.179 else "#FFFFFF"


def _sentence(section: Section, roles: Mapping[str, str]) -> str:
    """Span of the alphas of people with judges, of people, and of judges."""
    groups: dict[str, list[float | None]] = {}
    panel = " and panel" if "panel" in roles.values() else ""
    for p in section.report.pairs:
        both = {roles[p.first], roles[p.second]}
        label = (
            "people with each other" if both == {"person"} else "judges with each other" if "person" not in both else ""
        )
        groups.setdefault(label or f"people with judges{panel}", []).append(p.alpha.value)
    parts = []
    for label, values in groups.items():
        given = [v for v in values if v is not None]
        span = dict.fromkeys(number(v) for v in (min(given), max(given))) if given else ["undefined"]
        parts.append(f"{label} {' to '.join(span)}")
    return "; ".join(parts)

"""The plots of a paper's report: differences, domains, wins and ranks, drawn from the values of its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from judges.stats import Estimate
from leaderboard.agreement.drawing import INK, Figure, Point, Rows, add_points, count, escaped, finish
from leaderboard.paper.dumbbells import BAND, dumbbells, second_panel
from leaderboard.paper.rows import (
    ROW,
    Block,
    Entry,
    bounds_of,
    names_of,
    number_of,
    numbered,
    parts_of,
    rows_of,
    styles_of,
    ticks_of,
    told_of,
)
from leaderboard.present import plain
from results.compare import Comparison, Row
from results.manifest import Manifest
from results.paired import DomainRow
from results.ranking import Ranking

if TYPE_CHECKING:
    from leaderboard.paper.content import Paper

_WORSE: Final = {False: "#D55E00", True: "#F0803C"}
_BETTER: Final = {False: "#0072B2", True: "#56B4E9"}


def result_figures(found: Paper, dark: bool = False) -> list[Figure]:
    """Differences, the headline score by domain, and wins.

    Args:
        found: The figures of the report.
        dark: Colours for a dark page.
    """
    return [*difference_figures(found, dark), *domain_figures(found, dark), *win_figures(found, dark)]


def difference_figures(found: Paper, dark: bool = False) -> list[Figure]:
    """Paired differences of every score and run, with the margin of equivalence as a band."""
    names = names_of(found.runs)
    blocks: list[Block] = []
    left_out: list[str] = []
    for measure in dict.fromkeys(r.measure for c in found.comparisons for r in c.rows if r.group == "score"):
        entries = []
        for c, r in rows_of(found, measure):
            span = _span(found, r)
            if span is None or r.difference.value is None:
                left_out.append(f"{r.label} of {names[c.other.run_id]}")
                continue
            who = names[c.other.run_id] if len(found.comparisons) > 1 else r.label
            if measure in found.falling and len(found.comparisons) == 1:
                who += ", lower is better"
            said = f"{names[c.other.run_id]}, {r.label}: {number_of(r.difference, signed=True)}"
            entries.append(Entry(c.other, f"{who} · {count(r.difference)}", (_scaled(r.difference, span),), (said,)))
        if entries:
            label = next(r.label for _, r in rows_of(found, measure))
            label += " (lower is better)" if measure in found.falling else ""
            blocks.append((label if len(found.comparisons) > 1 else "", entries))
    if not blocks:
        return []
    values = [x for _, es in blocks for e in es for p in e.points for x in (p.value, p.low, p.high) if x is not None]
    bounds = bounds_of([*values, -2 * found.margin, 2 * found.margin])
    note = (
        "A share of each measure's range, so that all have one axis (a difference of 1 point on a scale from 1 to 5 is "
        f"0.25). Lines are 95 % intervals, paired on items. Shaded: the margin of equivalence, {found.margin:g} of the "
        "range to either side."
    )
    if left_out:
        note += f" Not drawn, for want of a value: {', '.join(left_out)}."
    title = f"Differences from {plain(found.baseline.label, 60)}"
    made = []
    for part, total, n in parts_of(blocks):
        figure, rows = go.Figure(), Rows()
        start = rows.end
        _points(figure, rows, part, found, dark)
        figure.add_shape(type="rect", x0=-found.margin, x1=found.margin, y0=start, y1=rows.end, layer="below",
                         fillcolor=BAND[dark], line={"width": 0})  # fmt: skip
        finish(figure, rows, "Other minus baseline, share of the range", bounds, dark, ticks_of(bounds))
        alt = f"Forest plot of paired differences, as shares of the range: {told_of(part)}."
        made.append(Figure("differences", numbered(title, n, total), alt, figure, note))
    return made


def domain_figures(found: Paper, dark: bool = False) -> list[Figure]:
    """One score in each domain: both means on the left, their paired difference on the right."""
    per = [(c, {r.measure for r in c.domains}) for c in found.comparisons]
    measure = next((m for m in ("quality", "paper", "gated_published") if any(m in had for _, had in per)), None)
    if measure is None:
        return []
    several = len([1 for _, had in per if measure in had]) > 1
    names = names_of(found.runs)
    label = next(r.label for _, r in rows_of(found, measure))
    blocks: dict[str, list[Entry]] = {}
    for c in found.comparisons:
        for d in (d for d in c.domains if d.measure == measure):
            domain = plain(d.domain.replace("_", " ").capitalize(), 30)
            blocks.setdefault(domain, []).append(_domain(c, d, names, names[c.other.run_id] if several else domain))
    parts: list[Block] = [(domain if several else "", entries) for domain, entries in blocks.items()]
    found_ = [x for _, es in parts for e in es for p in e.points[2:] for x in (p.value, p.low, p.high) if x is not None]
    wide, narrow = (0.0, 1.0), bounds_of([*found_, -0.1, 0.1])
    title = f"{label} by domain, against {plain(found.baseline.label, 60)}"
    note = (
        "Left: means over the items of each run (grey circle: baseline). Right: other minus baseline, paired on items, "
        "with 95 % intervals. The tables have every other score."
    )
    made = []
    for part, total, n in parts_of(parts):
        figure, rows = go.Figure(), Rows()
        dumbbells(figure, rows, part, found, names, dark)
        finish(figure, rows, label, wide, dark, {0.0: "0", 0.25: "", 0.5: "0.5", 0.75: "", 1.0: "1"})
        second_panel(figure, narrow, "Difference")
        alt = f"Means and differences of {label.lower()} by domain: {told_of(part, 2)}."
        made.append(Figure("domains", numbered(title, n, total), alt, figure, note, across=360))
    return made


def win_figures(found: Paper, dark: bool = False) -> list[Figure]:
    """On how many items the other run is better, and on how many worse, for each score and run."""
    names = names_of(found.runs)
    several = len(found.comparisons) > 1
    blocks: list[Block] = []
    for measure in dict.fromkeys(r.measure for c in found.comparisons for r in c.rows if r.detail is not None):
        entries = []
        for c, r in rows_of(found, measure):
            if r.detail is None:
                continue
            w = r.detail.wins
            total = w.wins + w.ties + w.losses
            shares = tuple(Estimate(x / total, None, None, total, total) for x in (w.losses, w.wins))
            said = (f"worse on {w.losses} of {total}", f"better on {w.wins} of {total}")
            who = names[c.other.run_id] if several else r.label
            entries.append(Entry(c.other, f"{who} · alike {100 * w.ties / total:.0f} %", shares, said))
        blocks.append((next(r.label for _, r in rows_of(found, measure)) if several else "", entries))
    note = (
        "Left of zero: items on which the other run is worse. Right: better. Numbers are items; alike ones take no room"
    )
    note += "."
    made = []
    for part, of, n in parts_of(blocks):
        figure, rows = go.Figure(), Rows()
        _bars(figure, rows, part, dark)
        ticks = {x / 2: f"{abs(50 * x)} %" for x in range(-2, 3)}
        finish(figure, rows, "Share of the items: worse, better", (-1.1, 1.1), dark, ticks)
        alt = f"Bars of items that got worse and better: {_wins_told(part)}."
        title = f"Items better and worse than with {plain(found.baseline.label, 60)}"
        made.append(Figure("wins", numbered(title, n, of), alt, figure, note))
    return made


def rank_figures(found: Paper, dark: bool = False) -> list[Figure]:
    """Ranks with their intervals, score by score; runs that are tied with the first stand on a band."""
    if found.order is None or not found.order.rankings:
        return []
    names = names_of(found.runs)
    blocks: list[Block] = []
    tied: set[tuple[str, str]] = set()
    for ranking in found.order.rankings:
        heading = f"{ranking.label}, {ranking.items} of {ranking.total} items"
        entries = list(_ranked(ranking, names))
        tied |= {(heading, m.run_id) for m, r in zip(ranking.runs, ranking.ranks, strict=True) if r.tied}
        blocks.append((heading, entries))
    most = max(len(r.runs) for r in found.order.rankings)
    note = (
        "1 is the best. Lines hold 95 % of the resampled ranks. On a band: tied with the first, that is, no difference "
        "from it is shown."
    )
    made = []
    for part, total, n in parts_of(blocks):
        figure, rows = go.Figure(), Rows()
        for heading, shown in part:
            ys = _points(figure, rows, [(heading, shown)], found, dark)
            for e, y in zip(shown, ys, strict=True):
                if (heading, e.run.run_id) in tied:
                    figure.add_shape(type="rect", xref="paper", x0=0, x1=1, y0=y - ROW / 2, y1=y + ROW / 2,
                                     layer="below", fillcolor=BAND[dark], line={"width": 0})  # fmt: skip
        step = max(1, ceil(most / 12))
        ticks = {float(k): str(k) for k in range(1, most + 1) if (k - 1) % step == 0}
        finish(figure, rows, "Rank", (0.8, most + 0.2), dark, ticks)
        alt = f"Ranks with intervals: {'; '.join(f'{h}: {_ranks_told(es)}' for h, es in part)}."
        made.append(Figure("ranks", numbered("Ranks of the systems", n, total), alt, figure, note))
    return made


def _ranked(ranking: Ranking, names: Mapping[str, str]) -> Iterator[Entry]:
    pairs = zip(ranking.runs, ranking.ranks, strict=True)
    for m, r in sorted(pairs, key=lambda p: (p[1].rank, p[0].run_id)):
        place = Estimate(float(r.rank), float(r.low), float(r.high), ranking.items, ranking.total)
        said = f"{names[m.run_id]}, {ranking.label}: {r.rank} [{r.low}, {r.high}]{', tied' if r.tied else ''}"
        yield Entry(m, f"{names[m.run_id]} · {r.mean:.3f}", (place,), (said,))


def _domain(c: Comparison, d: DomainRow, names: Mapping[str, str], who: str) -> Entry:
    def said(run: Manifest, e: Estimate, signed: bool = False) -> str:
        return f"{names[run.run_id]}, {plain(d.domain, 30)}: {number_of(e, signed)}"

    return Entry(
        c.other,
        f"{who} · {count(d.difference)}",
        (d.baseline, d.other, d.difference),
        (said(c.baseline, d.baseline), said(c.other, d.other), said(c.other, d.difference, True)),
    )


def _span(found: Paper, row: Row) -> float | None:
    """Range of a measure; None where it has none."""
    span = row.detail.margin / found.margin if row.detail is not None else 0.0
    return span if 0 < span < float("inf") else None


def _scaled(e: Estimate, span: float) -> Estimate:
    value, low, high = (None if x is None else x / span for x in (e.value, e.low, e.high))
    return Estimate(value, low, high, e.n, e.total, e.method, e.reason)


def _points(figure: go.Figure, rows: Rows, part: Sequence[Block], found: Paper, dark: bool) -> list[float]:
    """A marker with its interval a row, in the style of the row's run.

    Returns:
        The middle of each row.
    """
    styles, names = styles_of(found), names_of(found.runs)
    points: dict[str, list[Point]] = {}
    ys = []
    for heading, entries in part:
        if heading:
            rows.heading(heading)
        for e in entries:
            ys.append(rows.row(e.label))
            points.setdefault(e.run.run_id, []).append(Point(ys[-1], e.points[0], e.said[0]))
    shown = {str(t.name) for t in figure.data if t.showlegend is not False}
    for run_id, given in points.items():
        again = {"showlegend": False} if escaped(names[run_id]) in shown else {}
        add_points(figure, given, styles[run_id], names[run_id], dark, more=again)
    return ys


def _bars(figure: go.Figure, rows: Rows, part: Sequence[Block], dark: bool) -> None:
    texts: dict[bool, tuple[list[float], list[float], list[str]]] = {True: ([], [], []), False: ([], [], [])}
    for heading, entries in part:
        if heading:
            rows.heading(heading)
        for e in entries:
            y = rows.row(e.label)
            for better, share, said in zip((False, True), e.points, e.said, strict=True):
                x = (share.value or 0.0) * (1 if better else -1)
                if x:
                    figure.add_shape(type="rect", x0=0, x1=x, y0=y - 8, y1=y + 8, name=said, line={"width": 0},
                                     fillcolor=(_BETTER if better else _WORSE)[dark])  # fmt: skip
                xs, ys, numbers = texts[better]
                xs.append(x)
                ys.append(y)
                numbers.append(said.split()[2])
    for better, (xs, ys, numbers) in texts.items():
        figure.add_trace(go.Scatter(x=xs, y=ys, mode="text", text=numbers, showlegend=False, hoverinfo="skip",
                                    textposition="middle right" if better else "middle left",
                                    textfont={"size": 11, "color": INK[dark].text}))  # fmt: skip


def _wins_told(part: Sequence[Block]) -> str:
    named = [(f"{h}, {e.label}" if h else e.label, e) for h, entries in part for e in entries]
    return "; ".join(f"{name}: {', '.join(e.said)}" for name, e in named)


def _ranks_told(entries: Sequence[Entry]) -> str:
    return ", ".join(e.said[0] for e in entries)

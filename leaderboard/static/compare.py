"""The page of comparisons of the file: some pairs of runs, each in full, and the items that differ most by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from leaderboard.cli.compare_detail import detail_tables
from leaderboard.comparing import (
    NO_DOMAINS,
    ONE_RUN,
    TAILS,
    Compared,
    beside_tables,
    domain_table,
    family,
    first_baseline,
    offered,
    score_table,
    sentence,
    tail_table,
    tail_warnings,
)
from leaderboard.comparing_figures import READING, SHARES, Drawn, domain_figure, score_figure
from leaderboard.comparing_items import MOST, gap_table, gaps
from leaderboard.model import Board
from leaderboard.naming import run_names
from leaderboard.overview import pairs
from leaderboard.present import plain
from leaderboard.static.board import ANY_TWO
from leaderboard.static.pieces import code, esc, lines, more, said
from leaderboard.static.sheet import Sheet
from leaderboard.views.moment import Moment
from results.clusters import NoClusters
from results.compare import NotComparable, compare
from results.grid import Grid
from results.manifest import Manifest
from results.measure import Measure
from results.measures import measures
from results.paired import MARGIN

PAIRS: Final = 12
"""Pairs of runs that are compared in full."""
Values = Callable[[Manifest], Mapping[str, Measure]]


def page(sheet: Sheet, found: Moment, board: Board) -> str:
    """The page."""
    if len(found.runs) < 2:
        return said(ONE_RUN) + code("psychosafe ingest LOG...")
    chosen = list(pairs_of(found.grids))
    if not chosen:
        return said("No two runs in the store are comparable: they differ in items, rubric or panel.")
    kept: dict[str, Mapping[str, Measure]] = {}

    def values(m: Manifest) -> Mapping[str, Measure]:
        if m.run_id not in kept:
            kept[m.run_id] = measures(found.store, m)
        return kept[m.run_id]

    names = run_names(list({m.run_id: m for pair in chosen for m in pair}.values()))
    options = [
        (f"{names[b.run_id]} → {names[o.run_id]}", partial(_pair, sheet, found, b, o, values))
        for b, o in chosen[:PAIRS]
    ]
    made = sheet.choice("Baseline → compared with it", options, PAIRS, "pairs of runs", len(chosen))
    if len(chosen) > PAIRS:
        made += f'<p class="cut">{ANY_TWO}</p>'
    return made


def pairs_of(grids: Sequence[Grid]) -> Iterator[tuple[Manifest, Manifest]]:
    """Pairs of comparable runs: every model's baseline with its other conditions, then a group's first with the rest.

    The first baseline of a group is that which the page of comparisons would choose of it.
    """
    done: set[tuple[str, str]] = set()
    for grid in grids:
        for at, other in pairs(grid.runs):
            done.add((grid.runs[at].run_id, grid.runs[other].run_id))
            yield grid.runs[at], grid.runs[other]
    for grid in grids:
        if len(grid.runs) < 2:
            continue
        first = first_baseline([grid.runs], grid.runs)
        for m in offered(grid.runs, first, [m.run_id for m in grid.runs]):
            if (first.run_id, m.run_id) not in done:
                yield first, m


def _pair(sheet: Sheet, found: Moment, baseline: Manifest, other: Manifest, values: Values) -> str:
    try:
        c = compare(found.store, baseline, other, detailed=True, margin=MARGIN)
    except (NotComparable, NoClusters) as ex:
        return said("These two cannot be compared:") + said(plain(str(ex), 400, ends=False))
    own = values(baseline)
    shown = Compared(baseline, (c,), run_names([baseline, other]), MARGIN, {n: m.bounds for n, m in own.items()})
    out = [said(sentence(c, shown.names)), _scores(sheet, shown)]
    if shown.scores():
        measure = shown.choices()[0]
        out += [_domains(sheet, shown, measure), _tails(sheet, shown), _items(sheet, shown, measure, values)]
    out.append(more("More tables: what stands beside the scores, margins, intervals two ways, noise",
                    _beside(sheet, shown)))  # fmt: skip
    return "".join(out)


def _draw(sheet: Sheet, make: Callable[[bool], Drawn | None], missing: str) -> str:
    light, dark = make(False), make(True)
    if light is None or dark is None:
        return said(missing)
    sides = {False: light.figure, True: dark.figure}
    return sheet.figure(sides.__getitem__, light.alt) + said(light.without)


def _scores(sheet: Sheet, shown: Compared) -> str:
    out = []
    if shown.scores():
        out.append(_draw(sheet, partial(score_figure, shown), "No score has a difference that can be drawn."))
        out += [said(f"{READING} {SHARES}", "soft"), said(family(shown))]
        out.append(sheet.rows(score_table(shown), "Every score in both runs, with the paired difference"))
    tails = [w for c in shown.comparisons for w in tail_warnings(c, shown)]
    if tails:
        out.append(said("A mean that is no worse hides a worse tail.", "loud") + lines(tails))
    warned = list(dict.fromkeys(w for c in shown.comparisons for w in c.warnings))
    return "".join(out) + (f"<h3>Before reading them</h3>{lines(warned)}" if warned else "")


def _domains(sheet: Sheet, shown: Compared, measure: str) -> str:
    head = f"<h3>{esc(plain(shown.label(measure), 60))} by domain</h3>"
    rows = domain_table(shown, measure)
    if not rows:
        return head + said(NO_DOMAINS)
    drawn = _draw(sheet, partial(domain_figure, shown, measure), "No domain has a difference that can be drawn.")
    return head + drawn + sheet.rows(rows, "The score in each domain, with the paired difference")


def _tails(sheet: Sheet, shown: Compared) -> str:
    rows = tail_table(shown)
    return f"<h3>Tails</h3>{said(TAILS)}{sheet.rows(rows, 'Differences of quantiles of each score')}" if rows else ""


def _items(sheet: Sheet, shown: Compared, measure: str, values: Values) -> str:
    head = "<h3>Items that differ most</h3>"
    left, right = values(shown.baseline), values(shown.comparisons[0].other)
    apart = gaps(left[measure], right[measure], shown.baseline)
    n = len(left[measure].values.keys() & right[measure].values.keys())
    if not apart:
        return head + said(f"All {n} items with a value in both runs have the same value in both." if n else
                           "No item has a value in both runs.")  # fmt: skip
    rest = f"; the table has the first {MOST}" if len(apart) > MOST else ""
    told = f"By {plain(shown.label(measure), 60).lower()}, {len(apart)} of {n} items with a value in both runs differ"
    label = "Items with their values in both runs, largest difference first"
    return head + said(f"{told}{rest}.") + sheet.rows(gap_table(apart), label)


def _beside(sheet: Sheet, shown: Compared) -> str:
    out = [
        f"<h3>{esc(heading)}</h3>{said(line)}{sheet.rows(rows, heading)}"
        for heading, line, rows in beside_tables(shown)
    ]
    for t in (t for c in shown.comparisons for t in detail_tables(c)):
        kind = t.title.partition(":")[0]
        body = [[str(cell) for cell in row] for row in t.rows]
        out.append(f"<h3>{esc(kind)}</h3>{sheet.table(t.columns, body, kind)}")
        out.append(said("\n".join(plain(note, 400, ends=False) for note in t.notes), "soft"))
    return "".join(out)

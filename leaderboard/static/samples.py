"""The samples' page of the file: how the values of some runs lie, and their lowest responses by id. No texts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import pyarrow as pa

from judges.stats import Estimate
from leaderboard.model import Board
from leaderboard.samples import data, shown
from leaderboard.samples.data import Sample
from leaderboard.static.pieces import code, esc, said
from leaderboard.static.sheet import Sheet
from leaderboard.views.moment import Moment
from results.manifest import Manifest
from results.measures import measures

RUNS: Final = 12
"""Runs that are shown."""
ROWS: Final = 100
"""Responses of a run in the table."""
ORDER: Final = "Lowest value first"
CLOSED: Final = (
    "Prompts, answers and justifications are not in this file: only how the values lie, and at most "
    f"{ROWS} responses of each of at most {RUNS} runs by id, lowest value first. The board itself, psychosafe "
    "leaderboard, has the texts."
)


def page(sheet: Sheet, found: Moment, board: Board) -> str:
    """The page."""
    runs = data.runs_of(found.runs.values())
    if not runs:
        return said(data.NO_RUNS) + code("psychosafe ingest LOG...")
    options = [(found.labels[m.run_id], partial(_run, sheet, found, m)) for m in runs[:RUNS]]
    return said(CLOSED, "cut") + sheet.choice("Run", options, RUNS, "runs", len(runs))


def _run(sheet: Sheet, found: Moment, run: Manifest) -> str:
    ratings = found.store.ratings([run.run_id])
    names = data.measured(ratings, run)
    if not names:
        return said("This run has no verdicts on whole responses.")
    words = data.word_counts(found.store, run)
    estimates = {n: m.estimate() for n, m in measures(found.store, run).items()}
    order = data.leading(names)
    options = [(shown.label_of(n), partial(_measure, sheet, found, run, n, ratings, estimates)) for n in order]
    bars = sheet.choice("Criterion or score", options, len(options), "measures")
    rows = data.samples(run, ratings, order[0], words)
    return said(f"Run {run.run_id}", "soft") + bars + _table(sheet, run, order[0], rows)


def _measure(
    sheet: Sheet, found: Moment, run: Manifest, measure: str, ratings: pa.Table, estimates: Mapping[str, Estimate]
) -> str:
    rows = data.samples(run, ratings, measure, {})
    none = Estimate.undefined("not measured on any item", 0, len(run.items))
    estimate, label = estimates.get(measure, none), shown.label_of(measure)
    told = shown.sentence(found.labels[run.run_id], shown.figure_label(run, measure), estimate, rows)
    counts = shown.bars(rows, rows, shown.scale_of(run, measure))
    drawn = sheet.figure(lambda dark: shown.histogram(counts, label, dark=dark), shown.histogram_alt(counts, label))
    return said(told) + drawn


def _table(sheet: Sheet, run: Manifest, measure: str, rows: tuple[Sample, ...]) -> str:
    first = data.ordered(rows, ORDER)[:ROWS]
    label = f"Responses by {shown.label_of(measure).lower()}, lowest first"
    cells = shown.table_rows(first, run, shown.scale_of(run, measure))
    made = sheet.rows(cells, "Responses with what panel and judges said, lowest value first")
    cut = f"The table has {len(first)} of {len(rows):,} responses." if len(rows) > len(first) else ""
    return f"<h3>{esc(label)}</h3>{made}{said(cut, 'cut')}"

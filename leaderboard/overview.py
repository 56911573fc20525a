"""What a store's data support, in words, and what they are: the text of the overview page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from judges.stats.many import difference_estimates, differences
from leaderboard import present
from leaderboard.model import Board, Column, Group
from leaderboard.naming import run_names
from results.grid import Grid
from results.manifest import Manifest
from results.measure import PAIR_SCORE

HEADLINES: Final = (PAIR_SCORE, "quality", "gated_published", "paper")
"""By which measure runs are set against each other, in order of preference."""
MOST: Final = 8
"""Findings that are put into words; a reader of more wants the tables."""
DRAWN: Final = 40
"""Rows of the chart."""
NOTHING: Final = (
    "No run stands beside a baseline run of its model on the same items: nothing to compare yet. "
    "Run a model with -T condition=baseline and with -T condition=prompted."
)


def lead(found: Sequence[Grid]) -> str:
    """The page's one sentence: how much there is, and what it may be used for."""
    runs = sum(len(g.runs) for g in found)
    models = {m.system_id for g in found for m in g.runs if m.kind == "model"}
    if not runs:
        return "No run here has items with values."
    ratings = sum(int((g.cube.verdicts > -127).sum()) for g in found)
    what = f"{len(models)} system{'s' * (len(models) != 1)}" if models else "no model: reference policies or imports"
    many = f"{runs} runs" if runs > 1 else "1 run"
    groups = f"{len(found)} groups of comparable runs" if len(found) > 1 else "one group of comparable runs"
    return f"{many} ({what}) in {groups}, with {ratings:,} verdicts of judges and panels."


def headline(found: Grid) -> str | None:
    """The measure by which a grid's runs are set against each other; None where it has none of them.

    The first that has a value on any item: without runs on the twins no run has a pair score, and all may have quality.
    """
    there = [h for h in HEADLINES if h in found.names]
    return next((h for h in there if np.isfinite(found.values(h)).any()), there[0] if there else None)


def charted(board: Board, grid: Grid) -> tuple[Group, Column] | None:
    """The group of the board that a grid is, and its headline as a column; None where there is nothing to draw."""
    ids = {m.run_id for m in grid.runs}
    group = next((g for g in board.groups if any(r.run_id in ids for r in g.rows)), None)
    measure = headline(grid)
    column = next((c for c in group.columns if c.name == measure), None) if group else None
    return (group, column) if group is not None and column is not None else None


def findings(found: Sequence[Grid]) -> Iterator[str]:
    """What is shown of a system under another condition than its baseline, and of a fine-tune against its base.

    One sentence for each run that has its baseline beside it: the difference paired on items, its interval, and what
    the interval allows to say. Nothing is said across groups.
    """
    for grid in found:
        measure = headline(grid)
        if measure is None:
            continue
        names = run_names(grid.runs)
        for at, other in pairs(grid.runs):
            yield _sentence(grid, measure, at, other, names)


def pairs(runs: Sequence[Manifest]) -> Iterator[tuple[int, int]]:
    """Positions of a baseline run and of each other run of the same model."""
    by_model: dict[tuple[str, str | None], list[int]] = {}
    for n, m in enumerate(runs):
        by_model.setdefault((m.model.name, m.model.revision), []).append(n)
    for at, base in enumerate(runs):
        if (base.condition.name or "").startswith("baseline"):
            yield from ((at, n) for n in by_model[base.model.name, base.model.revision] if n != at)


def _sentence(grid: Grid, measure: str, at: int, other: int, labels: Mapping[str, str]) -> str:
    column = grid.column(measure)
    d = differences(grid.values(measure)[[at, other]], 0, bounds=column.bounds, binary=column.binary)
    gap = difference_estimates(d)[1]
    a, b = (present.plain(labels[grid.runs[i].run_id], 60) for i in (at, other))
    what = column.label[:1].lower() + column.label[1:]
    if gap.low is None or gap.high is None:
        have = f"{gap.n or 'no'} item{' has' if gap.n < 2 else 's have'} a value in both"
        return f"{b} against {a}: no interval for {what}, {have} ({gap.reason})."
    if gap.low <= 0 <= gap.high:
        shown = f"{what} is not shown to differ from {a}"
    else:
        shown = f"{what} is shown to be {'higher' if gap.low > 0 else 'lower'} than under {a}"
    due = int(grid.due(measure)[at].sum())
    return f"{b}: {shown}: {present.number(gap, signed=True)} on {gap.n} of {due} items."


def data_card(found: Sequence[Grid]) -> list[dict[str, str]]:
    """What the figures rest on, a row a group."""
    rows = []
    for grid in found:
        m = grid.runs[0]
        judges = ", ".join(present.plain(j.id, 40) for j in m.panel.judges) or "not stated"
        measure = headline(grid)
        cover = "none"
        if measure is not None:
            means = grid.means(measure)
            cover = f"{int(means.n.sum())} of {int(means.total.sum())}"
        rows.append(
            {
                "Task": present.plain(m.task, 40),
                "Prompt set": present.plain(" ".join(filter(None, [m.prompt_set.name, m.prompt_set.version])), 60),
                "Set SHA-256": (m.prompt_set.sha256 or "not stated")[:12],
                "Items": str(len(grid.items)),
                "Runs": str(len(grid.runs)),
                "Rubric": present.plain(m.rubric.name or "not stated", 40),
                "Rubric SHA-256": (m.rubric.sha256 or "not stated")[:12],
                "Panel": present.plain(m.panel.name or "not stated", 40),
                "Judges": present.plain(judges, 120),
                "Headline": grid.column(measure).label if measure else "none",
                "Values": cover,
                "Latest run": max((r.created or "" for r in grid.runs), default="")[:10] or "not stated",
            }
        )
    return rows

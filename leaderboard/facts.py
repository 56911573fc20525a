"""What stands in a board's row beside its measures: its rank, how far its judges differ, how long its answers are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow.parquet as pq

from judges.stats.ranks import Rank, rank_runs
from leaderboard import present
from results.capability import Change, capability_changes, leading
from results.grid import Grid
from results.manifest import Manifest
from results.measure import LABELS, PAIR_SCORE
from results.schema import PANEL_RATER
from results.store import Store

if TYPE_CHECKING:
    from results.validated import Validated

MAX_RANKED: Final = 1_000
"""Runs up to which ranks are worked out; 1,000 runs of 500 items take a second."""
RANK: Final = "Rank [95 %]"
SPREAD: Final = "Judges apart"
WORDS: Final = "Words, median"
VALIDATED: Final = "Human-corrected"
CAPABILITY: Final = "Capability change"
NOT_VALIDATED: Final = "not validated"
NOT_MEASURED: Final = "not measured"
MAX_TASKS: Final = 4


def ranks(found: Grid, runs: Sequence[Manifest]) -> tuple[dict[str, Rank], int]:
    """Ranks by pair score of some runs of a grid, on the pairs that all of them have; and how many pairs those are.

    Nothing where fewer than two of the runs have a pair score, or no pair is common to them.
    """
    if PAIR_SCORE not in found.names:
        return {}, 0
    at = {m.run_id: n for n, m in enumerate(found.runs)}
    values = found.values(PAIR_SCORE)
    having = [m.run_id for m in runs if np.isfinite(values[at[m.run_id]]).any()]
    if not 2 <= len(having) <= MAX_RANKED:
        return {}, 0
    own = values[[at[r] for r in having]]
    common = np.isfinite(own).all(axis=0)
    if not common.any():
        return {}, 0
    return dict(zip(having, rank_runs(own[:, common].tolist()), strict=True)), int(common.sum())


def rank_text(rank: Rank, first: bool) -> str:
    """A rank with its interval, and whether it is tied with the one in front."""
    return f"{rank.rank} [{rank.low}, {rank.high}]" + ("" if first or not rank.tied else ", tied")


def spread(found: Grid) -> dict[str, str]:
    """By run: how far the judges are apart, the mean range of their values as a share of the scale.

    Over the items and criteria with order on which two judges or more gave a value. Nothing for one judge.
    """
    made = {}
    judges = [r for r in found.cube.raters if r != PANEL_RATER]
    criteria = [(c, s.bounds) for c, s in found.runs[0].rubric.scales.items() if s.scale != "nominal"]
    if len(judges) < 2 or not criteria:
        return {}
    total, count = np.zeros(len(found.runs)), np.zeros(len(found.runs))
    for criterion, (low, high) in criteria:
        # One judge after the other: all of them at once take tens of MiB with a thousand runs.
        most = least = found.cube.of(criterion, judges[0])
        known = np.isfinite(most).astype(np.int16)
        for judge in judges[1:]:
            given = found.cube.of(criterion, judge)
            known += np.isfinite(given)
            most, least = np.fmax(most, given), np.fmin(least, given)
        both = known >= 2
        total += np.where(both, (most - least) / (high - low), 0).sum(axis=1)
        count += both.sum(axis=1)
    for m, t, n in zip(found.runs, total, count, strict=True):
        if n:
            made[m.run_id] = f"{t / n:.2f} (n {int(n)})"
    return made


def words(found: Grid) -> dict[str, str]:
    """By run: the median length of its answers in words, where a detector counted them."""
    if "text/words" not in found.names:
        return {}
    values = found.values("text/words")
    known = np.isfinite(values)
    return {
        m.run_id: f"{np.median(row[k]):.0f} (n {int(k.sum())})"
        for m, row, k in zip(found.runs, values, known, strict=True)
        if k.any()
    }


def people(store: Store, runs: Sequence[Manifest]) -> dict[str, int]:
    """By run: how many people rated it; runs that nobody rated are left out."""
    made = {}
    for m in runs:
        files = store.ratings_files(m.run_id)
        # A log holds no people: what they said was added, or came with an import.
        tables = [
            pq.ParquetFile(f).read(["rater", "rater_kind"]) for f in (files[1:] if m.origin == "measured" else files)
        ]
        who = {r["rater"] for t in tables for r in t.group_by(["rater", "rater_kind"]).aggregate([]).to_pylist()
               if r["rater_kind"] == "human"}  # fmt: skip
        if who:
            made[m.run_id] = len(who)
    return made


def validated_text(found: Validated | None, people: int) -> str:
    """The corrected headline of a run with what it rests on; `not validated` where people did not rate it."""
    if found is None:
        return NOT_VALIDATED + (": people rated too little" if people else "")
    e, name = found.estimate, LABELS.get(found.measure, found.measure)
    return f"{name} {present.number(e)} ({e.n} of {e.total} rated)"


def capability_text(changes: Sequence[Change]) -> str:
    """The change of each benchmark's leading figure, or why none is to be read; `not measured` where there is none."""
    cells = []
    for c in leading(changes):
        task = present.plain(c.task, 40)
        if c.alarm:
            cells.append(f"{task} at chance" if "at chance" in c.alarm else f"{task} not to be read")
        elif c.difference is not None:
            cells.append(f"{task} {present.number(c.difference, 3, signed=True)}")
        else:
            cells.append(f"{task} {present.value(c.figure, 3)}, nothing to compare with")
    more = [f"{len(cells) - MAX_TASKS} more"] if len(cells) > MAX_TASKS else []
    return "; ".join(cells[:MAX_TASKS] + more) or NOT_MEASURED


def facts(store: Store, found: Grid) -> dict[str, dict[str, str]]:
    """By run, the cells that stand beside its measures: rank among its kind, judges, length, people."""
    raters = people(store, found.runs)
    right: dict[str, Validated] = {}
    if raters:
        # Statistics of agreement are heavy, and most boards have nobody's ratings.
        from results.validated import validated

        right = validated(store, found, list(raters))
    told = {m.run_id: dict[str, str]() for m in found.runs}
    for kind in ("model", "reference", "published"):
        own, _ = ranks(found, [m for m in found.runs if m.kind == kind])
        best = min((r.rank for r in own.values()), default=1)
        for run_id, rank in own.items():
            told[run_id][RANK] = rank_text(rank, first=rank.rank == best)
    apart, long = spread(found), words(found)
    changes = capability_changes(store, found.runs)
    for m in found.runs:
        row = told[m.run_id]
        if apart:
            row[SPREAD] = apart.get(m.run_id, "not measured")
        if long:
            row[WORDS] = long.get(m.run_id, "not measured")
        row[VALIDATED] = validated_text(right.get(m.run_id), raters.get(m.run_id, 0))
        row[CAPABILITY] = capability_text(changes.get(m.run_id, ()))
    return told

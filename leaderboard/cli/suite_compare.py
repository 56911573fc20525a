"""What a suite found: of each model the conditions against its baseline, and fine-tunes against their base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from leaderboard.cli.common import Table
from leaderboard.cli.compare import comparison_table
from results.compare import NotComparable, compare
from results.manifest import Manifest
from results.store import Store, StoreError

if TYPE_CHECKING:
    from evals.suites.outcome import Outcome
    from evals.suites.plan import Plan


def comparisons(store: Store, found: Plan, outcomes: Sequence[Outcome]) -> list[Table]:
    """A table for each task and pair of runs that differ in one thing: the condition, or the fine-tune.

    Args:
        store: The store that the logs were brought into.
        found: The plan.
        outcomes: How its runs ended.
    """
    logs = {o.log: o.key for o in outcomes if o.status == "done"}
    runs: dict[str, Manifest] = {}
    for m in store.manifests():
        key = logs.get(m.source.file)
        if key is not None:
            runs.setdefault(key, m)
    by_key = {r.key: r for r in found.runs}
    at = {(r.model.id, r.condition, r.task.name): r.key for r in found.runs}
    tables = []
    for key in by_key:
        run = by_key[key]
        pairs = []
        if run.condition != found.suite.baseline:
            pairs.append(at.get((run.model.id, found.suite.baseline, run.task.name)))
        if run.model.base is not None:
            pairs.append(at.get((run.model.base, run.condition, run.task.name)))
        for base in pairs:
            if base in runs and key in runs:
                tables.append(_table(store, runs[base], runs[key]))
    return tables


def _table(store: Store, base: Manifest, other: Manifest) -> Table:
    try:
        made = comparison_table(compare(store, base, other))
        return replace(made, title=f"{other.task}: {made.title}")
    except (StoreError, NotComparable) as ex:
        title = f"{other.task}: {other.label}  against  {base.label}"
        return Table(("Not comparable",), [(" ".join(str(ex).split()),)], title=title)

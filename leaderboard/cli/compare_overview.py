"""`psychosafe compare --overview`: every comparable run in one table a measure."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.cli.common import Table, interval
from results.overview import MAX_RANKED, Overview

HEADS = ("System", "Run", "Mean [95 %]", "Difference [95 %]", "n", "of", "Rank [95 %]", "Tied")


def overview_tables(found: Sequence[Overview], baseline: str) -> list[Table]:
    """A table a measure, a line a run, best mean first."""
    return [_table(o, baseline) for o in found]


def _table(found: Overview, baseline: str) -> Table:
    rows = []
    for x in found.lines:
        difference = "baseline" if x.difference is None else interval(x.difference, signed=True)
        e = x.value if x.difference is None else x.difference
        rank = "" if x.rank is None else f"{x.rank.rank:g} [{x.rank.low}, {x.rank.high}]"
        tied = "with the run above" if x.rank is not None and x.rank.tied else ""
        rows.append((x.run.label, x.run.run_id, interval(x.value), difference, str(e.n), str(e.total), rank, tied))
    notes = [
        f"differences from {baseline}, paired on items; each interval by itself, not corrected for their number",
        "higher is better" if found.higher_is_better else "lower is better",
    ]
    if found.lines[0].rank is not None:
        notes.append(f"ranks rest on the {found.common} items on which every run has a value")
    elif len(found.lines) < 2:
        notes.append("no ranks: no other run is comparable with this one")
    elif len(found.lines) > MAX_RANKED:
        notes.append(f"no ranks: they are shown for up to {MAX_RANKED} runs")
    else:
        notes.append("no ranks: no item on which every run has a value")
    return Table(HEADS, rows, title=found.label, notes=notes, numeric=(2, 3, 4, 5, 6))

"""Measures of a grid that need more of a run than its panel: support, contacts, how answers read, figures of the run.

They are worked out run by run, and kept as a derived file: a run that is new or has changed is worked out, the others
are taken over.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from judges.stats import Estimate
from results.cross_measures import pair_measures, support_on_twins
from results.cube import cube_key
from results.derived import kept
from results.extras import extra_measures
from results.manifest import ItemFacts, Manifest, differing
from results.measure import PAIR_SCORE, SUPPORT_BESIDE, Measure
from results.measures import measures
from results.store import Store

TWINS: Final = "answered_in_full"
_VERSION: Final = 2

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class GridColumn:
    """One measure of a grid.

    Attributes:
        name: Its name.
        label: How people read it.
        bounds: Lowest and highest possible value.
        binary: Whether a value is 0 or 1 on an item.
        higher_is_better: Its direction.
        group: `score`, or a heading of `results.extras`.
        key: Its comparability key: that of most runs; a run with another one has no value here.
    """

    name: str
    label: str
    bounds: tuple[float, float]
    binary: bool
    higher_is_better: bool
    group: str
    key: str


def beside_of(
    store: Store, runs: Sequence[Manifest], items: Sequence[ItemFacts], twins: Sequence[Manifest | None]
) -> tuple[list[GridColumn], dict[str, tuple[Values, Mask]], dict[str, dict[str, Estimate]], dict[str, dict[str, str]]]:
    """Work it out, or take it from the kept file.

    Args:
        store: The store.
        runs: The runs of a grid.
        items: Its items.
        twins: Of each run, the run of its system on the twins.

    Returns:
        Columns; values, (runs, items), NaN where there is none, and where they should be, (runs, items), by name;
        figures of the whole run, by name and run; and why a run has none, by name and run.
    """
    content = [_VERSION, [_content(store, m, t) for m, t in zip(runs, twins, strict=True)]]

    def make(earlier: bytes | None) -> bytes:
        old = _taken_over(earlier)
        rows = []
        for m, t in zip(runs, twins, strict=True):
            said = _content(store, m, t)
            rows.append([said, old.get(json.dumps(said)) or _worked_out(store, m, t)])
        return json.dumps([_VERSION, rows]).encode()

    raw = kept(store, "beside", cube_key(runs[0]), content, ".json", make)
    found = [row for _, row in json.loads(raw)[1]]
    place = {item.id: n for n, item in enumerate(items)}
    columns: list[GridColumn] = []
    arrays: dict[str, tuple[Values, Mask]] = {}
    figures: dict[str, dict[str, Estimate]] = {}
    reasons: dict[str, dict[str, str]] = {}
    for name in dict.fromkeys(n for row in found for n in row):
        having = [row[name] for row in found if name in row]
        # One column is one key: where runs differ in it, the more frequent key of those with a value keeps it.
        counted = Counter(h["key"] for h in having if h["given"]) or Counter(h["key"] for h in having)
        key = max(counted, key=lambda k: (counted[k], k))
        first = next(h for h in having if h["key"] == key)
        reasons[name] = {
            m.run_id: row[name]["reason"] if row[name]["key"] == key
            else f"not comparable in this group: differs in {', '.join(differing(first['parts'], row[name]['parts']))}"
            for m, row in zip(runs, found, strict=True)
            if name in row and (row[name]["key"] != key or row[name]["reason"])
        }  # fmt: skip
        columns.append(
            GridColumn(name, first["label"], _bounds(first["bounds"]), first["binary"], first["higher"],
                       first["group"], key)
        )  # fmt: skip
        if first["figure"] is not None:
            figures[name] = {
                m.run_id: Estimate(**row[name]["figure"])
                for m, row in zip(runs, found, strict=True)
                if name in row and row[name]["key"] == key
            }
            continue
        values, due = np.full((len(runs), len(items)), np.nan), np.zeros((len(runs), len(items)), bool)
        for at, row in enumerate(found):
            if name in row and row[name]["key"] == key:
                due[at, [place[i] for i in row[name]["due"]]] = True
                values[at, [place[i] for i in row[name]["values"]]] = list(row[name]["values"].values())
        arrays[name] = frozen(values), due
    return columns, arrays, figures, reasons


def _content(store: Store, run: Manifest, twin: Manifest | None) -> list[Any]:
    figures = store.runs_dir / run.run_id / "figures.parquet"
    state = figures.stat().st_mtime_ns if figures.is_file() else None
    return [run.run_id, store.content(run), state, twin and store.content(twin)]


def _worked_out(store: Store, run: Manifest, twin: Manifest | None) -> dict[str, Any]:
    found: dict[str, Measure] = {}
    if run.detectors:
        found |= {n: m for n, m in pair_measures(store, run).items() if n != PAIR_SCORE} | support_on_twins(store, run)
    if "over_refusal" in run.rubric.scores:
        # A mean of strata, which no mean over items gives: a figure of the whole run.
        balanced = [m for m in measures(store, run).values() if m.strata]
        found |= {m.name: replace(m, figure=m.estimate()) for m in balanced}
    if twin is not None and twin.run_id != run.run_id:
        # The other half of the pair score, so that a reader sees which half it is that fails.
        other = measures(store, twin)
        halves = [other[n] for n in (TWINS, SUPPORT_BESIDE) if n in other]
        found |= {m.name: replace(m, figure=m.estimate()) for m in halves}
    found |= extra_measures(store, run)
    return {
        name: {
            "label": m.label, "bounds": [b if np.isfinite(b) else None for b in m.bounds], "binary": m.binary,
            "higher": m.higher_is_better, "group": m.group, "key": m.key, "parts": dict(m.parts),
            "values": {} if m.figure else dict(m.values), "due": [] if m.figure else sorted(m.due),
            "figure": None if m.figure is None else vars(m.figure), "reason": m.reason,
            "given": bool(m.values) or (m.figure is not None and m.figure.value is not None),
        }
        for name, m in found.items()
    }  # fmt: skip


def _taken_over(earlier: bytes | None) -> dict[str, Any]:
    try:
        version, rows = json.loads(earlier) if earlier is not None else (0, [])
    except ValueError:
        # Of another version of this program.
        return {}
    return {json.dumps(said): row for said, row in rows} if version == _VERSION else {}


def _bounds(given: Sequence[float | None]) -> tuple[float, float]:
    low, high = given
    return -np.inf if low is None else low, np.inf if high is None else high


def frozen(values: Values) -> Values:
    """The same array (...), not to be written to any more."""
    values.setflags(write=False)
    return values

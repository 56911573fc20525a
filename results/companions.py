"""The same system on other sets: over-refusal from its XSTest run, fulfilment from its SORRY-Bench run.

A system is known by its model, revision, endpoint, arguments and condition. Generation settings may differ, for the
benchmarks prescribe their own; where they do, it is said. A figure stands in a column only with figures of its own
comparability key: of several, the one that most systems have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from judges.stats import Estimate
from results.beside import GridColumn
from results.grid import Grid
from results.manifest import Manifest

ELSEWHERE: Final = {"over_refusal": "Over-refusal (XSTest)", "fulfilment": "Fulfilment (SORRY-Bench)"}
"""Measures that are taken from other sets, and how people read them there."""


@dataclass(frozen=True)
class Companion:
    """A system's figure on another set.

    Attributes:
        run: The run that it comes from.
        column: The measure there.
        estimate: The figure.
        settings_differ: Whether that run had other generation settings.
    """

    run: Manifest
    column: GridColumn
    estimate: Estimate
    settings_differ: bool


def companions(found: Sequence[Grid], runs: Sequence[Manifest]) -> dict[str, dict[str, Companion]]:
    """Figures on other sets, by measure and by id of the run whose system has them.

    Args:
        found: The grids of a store.
        runs: The runs of one of them.
    """
    own = {m.run_id for m in runs}
    made: dict[str, dict[str, Companion]] = {}
    for name in ELSEWHERE:
        having: dict[tuple[Any, ...], list[tuple[Manifest, GridColumn, Estimate]]] = {}
        for grid in found:
            if name in grid.names and not own & {m.run_id for m in grid.runs}:
                for m, e in zip(grid.runs, grid.estimates(name), strict=True):
                    if e.value is not None:
                        having.setdefault(_system(m), []).append((m, grid.column(name), e))
        fits = {m.run_id: having[_system(m)] for m in runs if _system(m) in having}
        counted = Counter(key for told in fits.values() for key in {c.key for _, c, _ in told})
        if not counted:
            continue
        kept = max(counted, key=lambda k: (counted[k], k))
        made[name] = {
            m.run_id: _newest(m, [t for t in fits[m.run_id] if t[1].key == kept])
            for m in runs
            if any(c.key == kept for _, c, _ in fits.get(m.run_id, ()))
        }
    return made


def _newest(run: Manifest, told: Sequence[tuple[Manifest, GridColumn, Estimate]]) -> Companion:
    other, column, estimate = max(told, key=lambda t: (t[0].created or "", t[0].run_id))
    return Companion(other, column, estimate, other.model.generation != run.model.generation)


def _system(m: Manifest) -> tuple[Any, ...]:
    args: Mapping[str, Any] = m.model.args
    condition = m.condition.system_sha256 or m.condition.name
    return (m.model.name, m.model.revision, m.model.base_url, repr(sorted(args.items())), condition)

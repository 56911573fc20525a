"""Who rated what: the ratings of some runs as arrays, one a rater, ready for the statistics of agreement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from judges.agreement.criterion import RaterValues, Role
from judges.agreement.intervals import Kind
from results.manifest import Manifest, ScaleFacts
from results.schema import DESCRIBE_RATER, PANEL_RATER
from results.store import Store, StoreError, lost_ratings

SETTLED: Final = frozenset({"final", "adjudicated"})
"""Raters whose values were settled from other people's. They are used where they are named, and not otherwise:
their agreement with those people says nothing."""
LENGTH: Final = "words"

Unit = tuple[str, str, int, int]
"""Run, item, epoch and turn of one response."""


class AgreementError(StoreError):
    """Something asked of an agreement report that the store cannot give."""


@dataclass(frozen=True)
class Rated:
    """The ratings of one criterion on the responses of some runs.

    Attributes:
        criterion: Its id.
        scale: Its scale.
        units: The responses, in order.
        raters: People, then judges, then the panel.
        lengths: Words of each response; None where unknown.
    """

    criterion: str
    scale: ScaleFacts
    units: tuple[Unit, ...]
    raters: tuple[RaterValues, ...]
    lengths: tuple[float | None, ...]

    @property
    def kind(self) -> Kind:
        """Kind of the scale."""
        return self.scale.scale

    @property
    def points(self) -> tuple[float, ...]:
        """The declared points."""
        if self.scale.scale == "ordinal":
            return tuple(map(float, self.scale.points))
        return tuple(float(i) for i in range(len(self.scale.categories) or 2))

    @property
    def labels(self) -> tuple[str, ...]:
        """The points as text."""
        if self.scale.scale == "binary":
            return ("No", "Yes")
        return self.scale.categories or tuple(str(p) for p in self.scale.points)

    def of(self, role: Role) -> tuple[RaterValues, ...]:
        """The raters of one role."""
        return tuple(r for r in self.raters if r.role == role)

    def within(self, run_ids: Sequence[str]) -> Rated:
        """The same for some of the runs only."""
        kept = [i for i, unit in enumerate(self.units) if unit[0] in run_ids]
        raters = (_take(r, kept) for r in self.raters)
        return Rated(
            self.criterion,
            self.scale,
            tuple(self.units[i] for i in kept),
            tuple(r for r in raters if any(r.asked)),
            tuple(self.lengths[i] for i in kept),
        )


def shared_scales(runs: Sequence[Manifest], criteria: Sequence[str] = ()) -> dict[str, ScaleFacts]:
    """Scales of the criteria that all runs have, in the first one's order.

    Args:
        runs: The runs.
        criteria: Those wanted; all if empty.

    Raises:
        AgreementError: An unknown criterion, one with two scales among the runs, or none in common.
    """
    common = [c for c in runs[0].rubric.criteria if all(c in m.rubric.scales for m in runs)]
    for c in criteria:
        if c not in common:
            raise AgreementError(f"not all runs have a criterion {c!r}; they share {', '.join(common) or 'none'}")
    chosen = [c for c in common if not criteria or c in criteria]
    for c in chosen:
        if len({m.rubric.scales[c].model_dump_json() for m in runs}) > 1:
            raise AgreementError(f"{c} has other scales in other runs (mixed rubrics); report on them apart")
    if not chosen:
        raise AgreementError("the runs share no criterion; report on them apart")
    return {c: runs[0].rubric.scales[c] for c in chosen}


def rated(
    store: Store, runs: Sequence[Manifest], criteria: Sequence[str] = (), humans: Sequence[str] = ()
) -> dict[str, Rated]:
    """The ratings of each criterion of some runs.

    Args:
        store: The store.
        runs: The runs; their responses stand one after the other.
        criteria: Criteria wanted; all that the runs share if empty.
        humans: People wanted; all but settled values (`SETTLED`) if empty.

    Raises:
        AgreementError: As `shared_scales`; or a person who rated nothing here.
    """
    scales = shared_scales(runs, criteria)
    rows = store.ratings([m.run_id for m in runs]).to_pylist()
    order = {m.run_id: n for n, m in enumerate(runs)}
    units = sorted({_unit(r) for r in rows if r["criterion"] in scales}, key=lambda u: (order[u[0]], *u[1:]))
    at = {unit: n for n, unit in enumerate(units)}
    lengths: list[float | None] = [None] * len(units)
    cells: dict[str, dict[tuple[str, int], dict[int, tuple[float | None, str]]]] = {c: {} for c in scales}
    kinds: dict[str, str] = {}
    for r in rows:
        here = at.get(_unit(r))
        if here is None:
            continue
        if r["rater"] == DESCRIBE_RATER and r["criterion"] == LENGTH:
            lengths[here] = r["value"]
        elif r["criterion"] in scales:
            value = None if r["value"] is None else float(r["value"])
            kinds[r["rater"]] = r["rater_kind"]
            found = cells[r["criterion"]].setdefault((r["rater"], r["repeat"]), {})
            found[here] = (value, r["status"] or ("ok" if value is not None else ""))
    roles = _roles(kinds, runs, humans)
    return {
        c: Rated(c, scales[c], tuple(units), tuple(_raters(cells[c], roles, len(units))), tuple(lengths))
        for c in scales
    }


def rated_by_people(store: Store, runs: Iterable[Manifest] | None = None) -> list[Manifest]:
    """Runs that people have rated by the run's own rubric.

    Args:
        store: The store.
        runs: The runs to look at; all of the store if not given.
    """
    found = []
    for m in store.manifests() if runs is None else runs:
        files = store.ratings_files(m.run_id)
        # A log holds no people, unless they sit on its panel: what they said was added, or came with an import.
        if m.origin == "measured" and not any(j.kind == "human" for j in m.panel.judges):
            files = files[1:]
        wanted = set(m.rubric.scales)
        if any(wanted & _by_people(path, m.run_id) for path in files):
            found.append(m)
    return found


def _by_people(path: Path, run_id: str) -> set[str]:
    """Criteria that people rated, of one file of ratings."""
    try:
        table = pq.ParquetFile(path).read(["rater_kind", "criterion"])
    except (OSError, pa.ArrowException) as ex:
        raise lost_ratings(run_id, [path]) from ex
    return set(pc.unique(table.filter(pc.equal(table["rater_kind"], "human"))["criterion"]).to_pylist())


def planned_people(store: Store, runs: Sequence[Manifest]) -> frozenset[str]:
    """People whose ratings were measured under a plan of this project, not imported from elsewhere."""
    rows = store.ratings([m.run_id for m in runs]).select(["rater", "rater_kind", "origin"]).to_pylist()
    found = {(r["rater"], r["origin"]) for r in rows if r["rater_kind"] == "human"}
    return frozenset(name for name, origin in found if origin == "measured" and (name, "imported") not in found)


def _roles(kinds: dict[str, str], runs: Sequence[Manifest], humans: Sequence[str]) -> dict[str, Role]:
    """Role of each rater that takes part, people first."""
    people = sorted(r for r, kind in kinds.items() if kind == "human")
    unknown = [h for h in humans if h not in people]
    if unknown:
        there = f"there are {', '.join(people)}" if people else "no person has: `psychosafe import` brings ratings in"
        raise AgreementError(f"nobody called {unknown[0]!r} has rated these runs; {there}")
    chosen = list(dict.fromkeys(humans)) or [p for p in people if p not in SETTLED]
    roles: dict[str, Role] = dict.fromkeys(chosen, "person")
    judges = sorted(r for r, kind in kinds.items() if kind in {"llm", "rule"})
    roles.update(dict.fromkeys(judges, "judge"))
    # A panel of one is its judge again, and one that people sit on is no judge of people.
    from_people = any(j.kind == "human" for m in runs for j in m.panel.judges)
    if PANEL_RATER in kinds and len(judges) > 1 and not from_people:
        roles[PANEL_RATER] = "panel"
    return roles


def _raters(
    cells: dict[tuple[str, int], dict[int, tuple[float | None, str]]], roles: dict[str, Role], n: int
) -> Iterable[RaterValues]:
    for name, role in roles.items():
        first = cells.get((name, 0))
        if first is None:
            continue
        rounds = sorted(k for rater, k in cells if rater == name and k > 0)
        yield RaterValues(
            name=name,
            role=role,
            values=tuple(first[i][0] if i in first else None for i in range(n)),
            statuses=tuple(first[i][1] if i in first else "not asked" for i in range(n)),
            asked=tuple(i in first for i in range(n)),
            repeats=tuple(
                tuple(c[i][0] if i in c else None for i in range(n)) for c in (cells[name, k] for k in rounds)
            ),
        )


def _take(r: RaterValues, kept: Sequence[int]) -> RaterValues:
    return RaterValues(
        r.name,
        r.role,
        tuple(r.values[i] for i in kept),
        tuple(r.statuses[i] for i in kept),
        tuple(r.asked[i] for i in kept),
        tuple(tuple(row[i] for i in kept) for row in r.repeats),
    )


def _unit(row: dict[str, object]) -> Unit:
    return cast(Unit, (row["run_id"], row["item_id"], row["epoch"], row["turn"]))

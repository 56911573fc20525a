"""One row of people's ratings against the run that it is about: whether it can be used, and if not, why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from results.added import all_ratings
from results.importers.people_rows import PersonRating, shown
from results.importers.people_runs import Runs
from results.manifest import Manifest, ScaleFacts
from results.schema import (
    DESCRIBE_RATER,
    KEY_COLUMNS,
    PANEL_RATER,
    RESOURCE_RATER,
    STATE_RATER,
    SUPPORT_RATER,
    Rating,
)
from results.store import Store
from rubrics.errors import MendableError

MAX_RATER: Final = 80
MAX_REPEAT: Final = 999
RESERVED: Final = (PANEL_RATER, STATE_RATER, SUPPORT_RATER, DESCRIBE_RATER, RESOURCE_RATER)
BINARY: Final = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}
"""Labels of a binary scale, beside 0 and 1."""

_NUMBER: Final = re.compile(r"[+-]?\d{1,6}(?:\.0{1,6})?", re.A)
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")


class BadRow(MendableError):
    """Why a row cannot be used."""


def on_scale(raw: Any, criterion: str, scale: ScaleFacts) -> float | None:
    """A value as a number of its scale.

    Args:
        raw: A number, the text of one, or a label: Yes or No, a category.
        criterion: Name of the criterion, for the message.
        scale: Its scale.

    Returns:
        The value; None where nothing is given.

    Raises:
        BadRow: It is not on the scale.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    points = tuple(map(float, scale.points)) if scale.scale == "ordinal" else _indices(scale)
    value: float | None = None
    if isinstance(raw, str):
        text = raw.strip()
        labels = BINARY if scale.scale == "binary" else {c.casefold(): float(i) for i, c in enumerate(scale.categories)}
        value = labels.get(text.casefold()) if len(text) <= MAX_RATER else None
        if value is None and _NUMBER.fullmatch(text):
            value = float(text)
    elif isinstance(raw, bool):
        value = float(raw) if scale.scale == "binary" else None
    elif isinstance(raw, int | float):
        value = next((p for p in points if p == raw), None)
    if value not in points:
        named = ", ".join(scale.categories or (f"{p:g}" for p in points))
        raise BadRow(f"{shown(raw)} is not on the scale of {criterion} ({named})")
    return value


def _indices(scale: ScaleFacts) -> tuple[float, ...]:
    return tuple(float(i) for i in range(len(scale.categories) or 2))


@dataclass(frozen=True)
class _Run:
    """What of a run a rating is checked against."""

    manifest: Manifest
    items: frozenset[str]
    responses: frozenset[tuple[str, int, int]]
    machines: frozenset[str]
    rated: Mapping[tuple[Any, ...], tuple[float | None, str | None]]


class Checker:
    """Checks rows one by one; the first good one says by which rubric all are rated.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = Runs(store)
        self._runs: dict[str, _Run] = {}
        self._rubric: Manifest | None = None

    def rating(self, row: PersonRating) -> Rating:
        """The row as a rating of its run.

        Args:
            row: The row.

        Raises:
            BadRow: Why it cannot be used.
        """
        run = self._run(row.run)
        manifest = run.manifest
        if row.item not in run.items:
            raise BadRow(f"{manifest.run_id} has no item {shown(row.item)}")
        epoch, turn = _whole(row.epoch, "epoch", 1), _whole(row.turn, "turn", 0)
        if (row.item, epoch, turn) not in run.responses:
            raise BadRow(f"{manifest.run_id} has no response of {shown(row.item)} at epoch {epoch}, turn {turn}")
        scale = manifest.rubric.scales.get(row.criterion)
        if scale is None:
            known = ", ".join(manifest.rubric.criteria)
            raise BadRow(f"{shown(row.criterion)} is no criterion of the run ({known})")
        rater = _rater(row.rater, run)
        value = on_scale(row.value, row.criterion, scale)
        found = Rating(
            run_id=manifest.run_id, item_id=row.item, epoch=epoch, turn=turn, rater=rater,
            repeat=_whole(row.repeat, "repeat", 0, MAX_REPEAT), rater_kind="human", origin="imported",
            criterion=row.criterion, value=value, status=_status(row.status, value),
        )  # fmt: skip
        self._rubric = self._rubric or manifest
        if not _same_rubric(self._rubric, manifest):
            raise BadRow(
                f"{manifest.run_id} is rated by another rubric than {self._rubric.run_id}; give a file for each rubric"
            )
        return found

    def is_there(self, rating: Rating) -> bool:
        """Whether the run has exactly this rating.

        Raises:
            BadRow: It has one of the same person that says something else.
        """
        known = self._run(rating["run_id"]).rated.get(tuple(rating[c] for c in KEY_COLUMNS))
        if known is not None and known != (rating["value"], rating["status"]):
            what = f"{rating['criterion']} of {shown(rating['item_id'])} in {rating['run_id']}"
            raise BadRow(f"{shown(rating['rater'])} has rated {what} before, with another value")
        return known is not None

    def _run(self, run_id: str) -> _Run:
        if run_id in self._runs:
            return self._runs[run_id]
        manifest = self._known.get(run_id)
        if manifest is None:
            raise BadRow(f"no run {shown(run_id)} in the store; `psychosafe runs` lists what there is")
        table = all_ratings(self._store, run_id)
        rows = _distinct(table, ("item_id", "epoch", "turn"))
        raters = _distinct(table, ("rater", "rater_kind"))
        human = table.filter(pc.equal(table["rater_kind"].cast(pa.string()), "human"))
        machines = {r["rater"].casefold() for r in raters if r["rater_kind"] != "human"}
        judges = {j.id.casefold() for j in manifest.panel.judges}
        self._runs[run_id] = _Run(
            manifest,
            frozenset(i.id for i in manifest.items),
            frozenset((r["item_id"], r["epoch"], r["turn"]) for r in rows),
            frozenset({*machines, *judges, *RESERVED}),
            {tuple(r[c] for c in KEY_COLUMNS): (r["value"], r["status"]) for r in human.to_pylist()},
        )
        return self._runs[run_id]


def _distinct(table: pa.Table, columns: Iterable[str]) -> list[Mapping[str, Any]]:
    names = list(columns)
    rows: list[Mapping[str, Any]] = table.select(names).group_by(names).aggregate([]).to_pylist()
    return rows


def _rater(raw: str, run: _Run) -> str:
    name = raw.strip()
    if not name:
        raise BadRow("no rater; name the person, a code is enough")
    if len(name) > MAX_RATER or not name.isprintable():
        raise BadRow(f"the rater {shown(name)} is longer than {MAX_RATER} characters or cannot be printed; use a code")
    if name[0] in "=+-@":
        raise BadRow(f"the rater {shown(name)} starts as a spreadsheet's formula does; use a code")
    if _EMAIL.search(name):
        raise BadRow("the rater is an e-mail address, which the store does not keep; use a code")
    if name.casefold() in run.machines:
        raise BadRow(f"the rater {shown(name)} has the name of a judge of {run.manifest.run_id}; use another")
    return name


def _whole(raw: Any, what: str, lowest: int, highest: int = 32767) -> int:
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return lowest
    text = str(raw).strip() if isinstance(raw, str | int | float) and not isinstance(raw, bool) else ""
    number = int(float(text)) if _NUMBER.fullmatch(text) else lowest - 1
    if not lowest <= number <= highest:
        raise BadRow(f"{what} is {shown(raw)}; use a whole number from {lowest}")
    return number


def _status(raw: Any, value: float | None) -> str | None:
    status = raw.strip().casefold() if isinstance(raw, str) else raw
    if status in (None, ""):
        return None if value is None else "ok"
    if status not in ("ok", "skipped"):
        raise BadRow(f"the status {shown(raw)} is none of a person's; use ok, skipped or leave it out")
    if (status == "ok") != (value is not None):
        raise BadRow(
            "status ok without a value; give one, or write skipped"
            if status == "ok"
            else "status skipped beside a value; keep one of them"
        )
    return str(status)


def _same_rubric(a: Manifest, b: Manifest) -> bool:
    if a.rubric.sha256 and b.rubric.sha256:
        return a.rubric.sha256 == b.rubric.sha256
    return a.rubric.scales == b.rubric.scales

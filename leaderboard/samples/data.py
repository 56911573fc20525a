"""The responses of one run as rows to choose from: what the panel and each judge said of one measure, and filters.

No text of a prompt or an answer is in here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from judges.response import STATES
from results.manifest import ItemFacts, Manifest, ScaleFacts
from results.schema import PANEL_RATER, STATE_CRITERION, STATE_RATER
from results.store import Store
from results.texts import texts_ingested
from results.transcripts import answers

ANY: Final = "any"
NO_CONTACT: Final = "no contact"
NO_RUNS: Final = "No run in the store has ratings of single responses. This brings some in:"
_WHOLE: Final = (pc.field("turn") == 0) & (pc.field("repeat") == 0)
"""Whole responses, in their first round."""
_NOT_DUE: Final = ("undefined", "not_estimable")
SORTS: Final = ("Item", "Lowest value first", "Highest value first", "Largest spread first", "Most words first")


@dataclass(frozen=True)
class Said:
    """A value, or none and why."""

    value: float | None
    status: str


@dataclass(frozen=True)
class Sample:
    """One response, of one measure.

    Attributes:
        item: What the run knows of the item.
        epoch: Its epoch.
        panel: The panel's value.
        judges: What each judge of the panel said, by name; none of a score, which no judge gives.
        spread: How far the judges' values lie apart; None with fewer than two.
        state: The state of the response, as in `judges.response.STATES`; empty where nobody looked.
        words: Its length; None where the texts are not in the store.
        contacts: How many contacts have each label; None where nobody asked, or the texts are not in the store.
    """

    item: ItemFacts
    epoch: int
    panel: Said
    judges: Mapping[str, Said]
    spread: float | None
    state: str = ""
    words: int | None = None
    contacts: Mapping[str, int] | None = None

    @property
    def statuses(self) -> frozenset[str]:
        """How it came that panel and judges gave a value, or did not."""
        return frozenset({self.panel.status, *(s.status for s in self.judges.values())})


@dataclass(frozen=True)
class Filters:
    """What is wanted of a response; whatever is left as it is does not count.

    Attributes:
        domain: Its domain.
        low: Lowest value of the panel.
        high: Highest value of the panel.
        spread: Smallest spread of the judges' values.
        status: A status of the panel or of a judge.
        state: The state of the response.
        contact: A label that one of its contacts has, or `NO_CONTACT`.
    """

    domain: str = ANY
    low: float | None = None
    high: float | None = None
    spread: float = 0.0
    status: str = ANY
    state: str = ANY
    contact: str = ANY

    def fit(self, s: Sample) -> bool:
        """Whether a response is wanted; one without a value fits no range."""
        value = s.panel.value
        if (self.low is not None or self.high is not None) and value is None:
            return False
        return (
            self.domain in (ANY, s.item.domain or "")
            # The store keeps single precision.
            and (self.low is None or value is None or value >= self.low - 1e-6)
            and (self.high is None or value is None or value <= self.high + 1e-6)
            and (self.spread <= 0 or (s.spread is not None and s.spread >= self.spread - 1e-6))
            and (self.status == ANY or self.status in s.statuses)
            and self.state in (ANY, s.state)
            and (self.contact == ANY or (s.contacts is not None and (
                not s.contacts if self.contact == NO_CONTACT else self.contact in s.contacts)))
        )  # fmt: skip


def runs_of(runs: Iterable[Manifest]) -> list[Manifest]:
    """The runs that have responses with verdicts: models, policies, imports, each by name."""
    kinds = ("model", "reference", "published")
    found = (m for m in runs if m.items and m.rubric.criteria)
    return sorted(found, key=lambda m: (kinds.index(m.kind), m.label, m.task != "psychosafe", m.run_id))


def leading(names: Sequence[str]) -> list[str]:
    """The measures of a run, at least one, with that in front which is shown at first."""
    first = "quality" if "quality" in names else names[0]
    return [first, *(n for n in names if n != first)]


def measured(ratings: pa.Table, run: Manifest) -> tuple[str, ...]:
    """Scores, then criteria, that have a meaning on a whole response; a dialogue has criteria on its turns only."""
    rows = ratings.filter(_WHOLE)
    due = pc.fill_null(pc.invert(pc.is_in(rows["status"].cast(pa.string()), pa.array(_NOT_DUE))), True)
    rows = rows.filter(pc.and_(has(rows, "rater", PANEL_RATER), due))
    there = set(pc.unique(rows["criterion"].cast(pa.string())).to_pylist())
    return tuple(n for n in (*run.rubric.scores, *run.rubric.criteria) if n in there)


def samples(run: Manifest, ratings: pa.Table, measure: str, words: Mapping[tuple[str, int], int]) -> tuple[Sample, ...]:
    """The responses of a run, by item and epoch.

    Args:
        run: The run.
        ratings: All its ratings.
        measure: A criterion or a score.
        words: Length of each answer by item and epoch, where known.
    """
    rows = ratings.filter(_WHOLE)
    said: dict[tuple[str, int], dict[str, Said]] = {}
    for r in rows_of(rows.filter(has(rows, "criterion", measure)), ("item_id", "epoch", "rater", "value", "status")):
        value = None if r["value"] is None else float(r["value"])
        status = r["status"] or ("ok" if value is not None else "missing")
        said.setdefault((r["item_id"], r["epoch"]), {})[r["rater"]] = Said(value, status)
    states = {
        (r["item_id"], r["epoch"]): STATES[int(r["value"])]
        for r in rows_of(
            rows.filter(pc.and_(has(rows, "rater", STATE_RATER), has(rows, "criterion", STATE_CRITERION))),
            ("item_id", "epoch", "value"),
        )
    }
    judges = [j.id for j in run.panel.judges if j.kind != "human"]
    scale = run.rubric.scales.get(measure)
    nothing = Said(None, "missing")
    found = []
    for item in run.items:
        for epoch in range(1, run.epochs + 1):
            here = said.get((item.id, epoch), {})
            of_judges = {j: here[j] for j in judges if j in here}
            found.append(
                Sample(item, epoch, here.get(PANEL_RATER, nothing), of_judges, spread(of_judges.values(), scale),
                       states.get((item.id, epoch), ""), words.get((item.id, epoch)))
            )  # fmt: skip
    return tuple(found)


def spread(said: Iterable[Said], scale: ScaleFacts | None) -> float | None:
    """How far values lie apart: highest minus lowest; where a scale has no order, 1 if they differ and 0 if not."""
    values = [s.value for s in said if s.value is not None]
    if len(values) < 2:
        return None
    if scale is not None and scale.scale == "nominal":
        return float(len(set(values)) > 1)
    return max(values) - min(values)


def word_counts(store: Store, run: Manifest) -> dict[tuple[str, int], int]:
    """Words of each answer by item and epoch, over all turns; nothing where the texts are not in the store."""
    if not texts_ingested(store, run):
        return {}
    found: Counter[tuple[str, int]] = Counter()
    for r in answers(store, run.run_id).to_pylist():
        found[r["item_id"], r["epoch"]] += r["words"]
    return dict(found)


def with_contacts(rows: Sequence[Sample], contacts: Mapping[tuple[str, int], Mapping[str, int]]) -> tuple[Sample, ...]:
    """The same with the labels of their contacts."""
    return tuple(replace(s, contacts=contacts.get((s.item.id, s.epoch))) for s in rows)


def ordered(rows: Sequence[Sample], sort: str) -> list[Sample]:
    """In one of the orders of `SORTS`; what has no value comes last."""

    def key(s: Sample) -> tuple[bool, float]:
        given: float | None = {
            "Lowest value first": s.panel.value,
            "Highest value first": None if s.panel.value is None else -s.panel.value,
            "Largest spread first": None if s.spread is None else -s.spread,
            "Most words first": None if s.words is None else -s.words,
        }.get(sort, 0.0)
        return given is None, given or 0.0

    return sorted(rows, key=key)


def has(table: pa.Table, column: str, value: str) -> pa.ChunkedArray:
    """Which rows of a table have a text in a column."""
    return pc.equal(table[column].cast(pa.string()), value)


def rows_of(table: pa.Table, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Some columns of a table, row by row."""
    found: list[dict[str, Any]] = table.select(list(columns)).to_pylist()
    return found

"""Published aggregate figures, kept as reference rows: value, SD, n, source and revision, never item texts."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scipy.special import stdtrit

from judges.stats import Estimate, wilson
from results.published.tables import PublishedTable, sorry_bench_table, xstest_table

HERE: Final = Path(__file__).parent
BINARY: Final = frozenset({"refusal", "references"})
SCALES: Final = {"grounding": (1.0, 5.0), "relevance": (1.0, 5.0)}
"""Scales of the published criteria; everything else is 0 to 1."""
MEASURES: Final = {
    "base": "fulfilment",
    "mutated": "fulfilment_over_mutations",
    "over_refusal": "over_refusal",
    "safety": "safety",
}
"""Names of the measures of published tables, as on a board."""


@dataclass(frozen=True)
class PublishedRun:
    """One published system.

    Attributes:
        id: Name of the run in its source.
        model: The model.
        condition: The condition.
        judges: Who judged it.
        measures: Estimate per measure, the interval computed from mean, SD and n.
        source: Where it stands.
        revision: Which version of the source was read.
        note: What to know before comparing.
        title: What it is published on, as a heading.
    """

    id: str
    model: str
    condition: str
    judges: tuple[str, ...]
    measures: dict[str, Estimate]
    source: str
    revision: str
    note: str
    title: str = "Published figures"

    @property
    def label(self) -> str:
        """Model and condition, as for a run of our own."""
        return f"{self.model} · {self.condition}"


def published_runs() -> list[PublishedRun]:
    """The published systems on the paper's validation set."""
    data = json.loads((HERE / "psychosafe.json").read_text(encoding="utf-8"))
    return [
        PublishedRun(
            id=row["id"],
            model=row["model"],
            condition=row["condition"],
            judges=tuple(row["judges"]),
            measures={name: _estimate(name, m) for name, m in row["measures"].items()},
            source=data["source"]["paper"],
            revision=data["source"]["revision"],
            note=data["note"],
        )
        for row in data["runs"]
    ]


def reference_runs() -> list[PublishedRun]:
    """The published systems on SORRY-Bench and XSTest: aggregate figures with the intervals that their counts allow.

    Raises:
        PublishedError: A table in the repository cannot be read.
    """
    return [*_rows(sorry_bench_table()), *_rows(xstest_table())]


def _rows(table: PublishedTable) -> list[PublishedRun]:
    return [
        PublishedRun(
            id=row.id,
            model=row.model,
            condition=row.condition,
            judges=(table.judge,),
            measures={MEASURES[name]: rate.estimate for name, rate in row.rates.items()},
            source=table.source,
            revision=table.revision,
            note=" ".join(table.notes),
            title=f"Published: {table.title}",
        )
        for row in table.rows
    ]


def _estimate(name: str, m: dict[str, Any], level: float = 0.95) -> Estimate:
    """A published mean with an interval: Wilson for shares, else Student's t from mean, SD and n within the scale."""
    mean, n = float(m["mean"]), int(m["n"])
    if name in BINARY:
        low, high = wilson(round(mean * n), n, level)
        return Estimate(mean, low, high, n, n, "Wilson")
    half = float(stdtrit(n - 1, 0.5 + level / 2)) * m["sd"] / math.sqrt(n)
    floor, top = SCALES.get(name, (0.0, 1.0))
    return Estimate(mean, max(floor, mean - half), min(top, mean + half), n, n, "t, from mean, SD and n")

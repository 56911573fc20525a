"""The ratings table, the one table of the store.

A rating is one row: run, item, epoch, turn, rater, repeat, criterion, value, status. People, judges, panels,
imported and published ratings are rows alike; everything downstream is a query on this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Final, TypedDict

import pyarrow as pa

SCHEMA_VERSION: Final = 1

_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
KEY_COLUMNS: Final = ("run_id", "item_id", "epoch", "turn", "rater", "repeat", "criterion")
RATINGS: Final = pa.schema(
    [
        pa.field("run_id", _TEXT, nullable=False),
        pa.field("item_id", _TEXT, nullable=False),
        pa.field("epoch", pa.int16(), nullable=False),
        pa.field("turn", pa.int16(), nullable=False),
        pa.field("rater", _TEXT, nullable=False),
        pa.field("repeat", pa.int16(), nullable=False),
        pa.field("rater_kind", _TEXT, nullable=False),
        pa.field("origin", _TEXT, nullable=False),
        pa.field("criterion", _TEXT, nullable=False),
        pa.field("value", pa.float32()),
        pa.field("status", _TEXT),
    ],
    metadata={"psychosafe_schema": str(SCHEMA_VERSION)},
)
"""`rater_kind` is llm, rule, human or panel; `origin` measured, imported or published. `status` is null where a
source does not say why a value is missing."""

PANEL_RATER: Final = "panel"
"""The rater name of a run's combined values and scores."""
STATE_RATER: Final = "harness"
STATE_CRITERION: Final = "response_state"
"""The state of each response, as its index in `judges.response.STATES`."""


class Rating(TypedDict):
    """One row of the ratings table."""

    run_id: str
    item_id: str
    epoch: int
    turn: int
    rater: str
    repeat: int
    rater_kind: str
    origin: str
    criterion: str
    value: float | None
    status: str | None


def ratings_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows as a table: sorted by key, dictionary-encoded.

    Raises:
        ValueError: Two rows with one key.
    """
    ordered = sorted(rows, key=lambda r: tuple(r[c] for c in KEY_COLUMNS))
    for before, after in pairwise(ordered):
        if all(before[c] == after[c] for c in KEY_COLUMNS):
            key = ", ".join(f"{c}={after[c]}" for c in KEY_COLUMNS)
            raise ValueError(f"two ratings with one key: {key}")
    return pa.Table.from_pylist([dict(r) for r in ordered], schema=RATINGS)


SUPPORT_RATER: Final = "support detector"
SUPPORT_OFFERED: Final = "support_offered"
SUPPORT_LEVEL: Final = "support_level"
"""Whether support was offered (0/1), and its level as the index in `judges.support.LEVELS`."""

DESCRIBE_RATER: Final = "description"
"""What a response is like, criterion by criterion as in `judges.detectors.DESCRIBED`; never part of a score."""
RESOURCE_RATER: Final = "resource checker"
"""What the contacts in a response are worth, as in `judges.resources.VALUES`."""

CAPABILITY: Final = "capability"
SUBTASK: Final = "subtask"
"""Starts of the names of figures of capability benchmarks, and of the parts that a benchmark averages."""

FIGURES: Final = pa.schema(
    [
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("n", pa.int32(), nullable=False),
        pa.field("total", pa.int32(), nullable=False),
        pa.field("method", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("version", pa.string(), nullable=False),
    ],
    metadata={"psychosafe_schema": str(SCHEMA_VERSION)},
)
"""Figures of a run as a whole, which are no mean over items; `version` is that of whatever computed them."""

"""The ratings table, the one table of the store.

A rating is one row: run, item, epoch, turn, rater, repeat, criterion, value, status. People, judges, panels,
imported and published ratings are rows alike; everything downstream is a query on this table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SCHEMA_VERSION: Final = 2
"""Version of a run on disk; `results.migration` says what changed and brings older runs up."""

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
    given = list(rows)
    return sorted_table({name: [r[name] for r in given] for name in RATINGS.names})


def sorted_table(columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Columns as a table: sorted by key, dictionary-encoded, each dictionary in order.

    Args:
        columns: Every column of `RATINGS`, all of one length; text columns as text, or encoded already.

    Raises:
        ValueError: Two rows with one key.
    """
    arrays = {f.name: _encoded(columns[f.name], f) for f in RATINGS}
    # With each dictionary in order, the codes sort as the texts do.
    keys = [_codes(arrays[c]) for c in KEY_COLUMNS]
    order = np.lexsort(keys[::-1])
    ordered = [k[order] for k in keys]
    same = np.logical_and.reduce([k[1:] == k[:-1] for k in ordered]) if len(order) > 1 else np.zeros(0, bool)
    table = pa.Table.from_arrays([arrays[f.name].take(pa.array(order)) for f in RATINGS], schema=RATINGS)
    if same.any():
        twice = table.slice(int(np.argmax(same)), 1).to_pylist()[0]
        raise ValueError(f"two ratings with one key: {', '.join(f'{c}={twice[c]}' for c in KEY_COLUMNS)}")
    return table


def ratings_sha256(table: pa.Table, encoded: bool = False) -> str:
    """Hash of what a ratings table says, whatever library wrote it and however its dictionaries are laid out.

    Args:
        table: The ratings.
        encoded: Whether it comes from `sorted_table` as it is: each dictionary in order, and nothing in it unused.
    """
    digest = hashlib.sha256()
    for field in RATINGS:
        array = table.column(field.name).combine_chunks()
        array = array if encoded else _encoded(array, field)
        digest.update(field.name.encode())
        if pa.types.is_dictionary(array.type):
            digest.update(json.dumps(array.dictionary.to_pylist()).encode())
        if array.null_count:
            digest.update(np.packbits(np.asarray(array.is_null())).tobytes())
        codes = _codes(array)
        if pa.types.is_dictionary(array.type):
            # As narrow as what occurs needs; -1 becomes 0.
            codes = (codes + 1).astype(np.min_scalar_type(len(array.dictionary)))
        digest.update(codes.tobytes())
    return digest.hexdigest()


def _encoded(values: Any, field: pa.Field) -> pa.Array:
    """A column as an array of its field's type; a dictionary holds what occurs, in order."""
    if not pa.types.is_dictionary(field.type):
        return values if isinstance(values, pa.Array) else pa.array(values, field.type)
    array = values if isinstance(values, pa.DictionaryArray) else pa.array(values, pa.string()).dictionary_encode()
    codes = _codes(array)
    names = array.dictionary.to_pylist()
    used = np.bincount(codes[codes >= 0], minlength=len(names)) > 0
    kept = sorted({n for n, u in zip(names, used, strict=True) if u})
    rank = {name: i for i, name in enumerate(kept)}
    mapped = np.array([*(rank.get(n, -1) for n in names), -1], dtype=np.int32)[codes]
    indices = pa.array(mapped, pa.int32(), mask=mapped < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(kept, pa.string()))


def _codes(array: pa.Array) -> np.ndarray[Any, Any]:
    """A column as plain numbers; -1 for a missing text, 0 for a missing number."""
    if pa.types.is_dictionary(array.type):
        return np.asarray(pc.fill_null(array.indices, -1))
    return np.asarray(pc.fill_null(array, 0))


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

LM_EVAL: Final = "lm_eval"
HARNESS_RATER: Final = "lm-evaluation-harness"
"""Task of the runs of that harness, and who rates each of their questions where it logged them."""

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

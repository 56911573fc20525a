"""What was said on one item, and an index of all answers of a run: how long each is, and where its texts lie."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from results.derived import kept
from results.store import Store, StoreError
from results.texts import FILE, JUSTIFICATION, PROMPT, RESPONSE, TEXTS, TextsMissing, texts_or_log

_VERSION: Final = 1
INDEX: Final = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("epoch", pa.int16(), nullable=False),
        pa.field("turn", pa.int16(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
        pa.field("words", pa.int32(), nullable=False),
        pa.field("group", pa.int32(), nullable=False),
    ]
)
"""An answer a row, without its text; `group` is the row group of the texts' file in which it lies."""


@dataclass(frozen=True)
class Turn:
    """One message and the answer to it.

    Attributes:
        turn: Its number from 1 on; 0 where there are no turns.
        prompt: The message.
        response: The answer as it was judged.
        state: What kind of text it is, as in `judges.response.STATES`.
        justifications: (rater, criterion) -> what a judge wrote; the criterion is empty for a word on all of them.
    """

    turn: int
    prompt: str
    response: str
    state: str
    justifications: Mapping[tuple[str, str], str]


def answers(store: Store, run_id: str) -> pa.Table:
    """The index of a run's answers, as `INDEX`: made from its texts, and kept as a derived file.

    Raises:
        TextsMissing: The texts are not in the store, and the log is not where it was.
        StoreError: No such run.
    """
    texts_or_log(store, run_id)
    path = store.runs_dir / run_id / FILE
    told = (pq.read_schema(path).metadata or {}).get(b"psychosafe_texts", b"").decode()
    raw = kept(
        store, "answers", run_id, [_VERSION, told, path.stat().st_size], ".parquet", lambda _: _index(store, run_id)
    )
    return pq.ParquetFile(io.BytesIO(raw)).read()


def _index(store: Store, run_id: str) -> bytes:
    parts = []
    for group, table in enumerate(_groups(store, run_id)):
        said = table.filter(pc.equal(table["kind"].cast(pa.string()), RESPONSE))
        words = [len(text.split()) for text in said["text"].to_pylist()]
        columns = [said["item_id"], said["epoch"], said["turn"], said["state"].cast(pa.string()),
                   pa.array(words, pa.int32()), pa.array([group] * said.num_rows, pa.int32())]  # fmt: skip
        parts.append(pa.table(columns, schema=INDEX))
    out = io.BytesIO()
    pq.write_table(pa.concat_tables(parts) if parts else INDEX.empty_table(), out, compression="zstd")
    return out.getvalue()


def _groups(store: Store, run_id: str) -> list[pa.Table]:
    try:
        file = pq.ParquetFile(store.runs_dir / run_id / FILE)
        return [file.read_row_group(group).cast(TEXTS) for group in range(file.num_row_groups)]
    except (OSError, pa.ArrowException) as ex:
        raise TextsMissing(f"the texts of {run_id!r} cannot be read; remove {FILE}, and ingest its log again") from ex


def transcript(store: Store, run_id: str, item_id: str, epoch: int = 1) -> tuple[Turn, ...]:
    """What was said on one item, turn by turn; one turn where there are no turns.

    Raises:
        TextsMissing: The texts are not in the store, and the log is not where it was.
        StoreError: No such run, or no such item in it.
    """
    texts_or_log(store, run_id)
    path = store.runs_dir / run_id / FILE
    try:
        # Row groups are sorted by item: only those are read that can hold it.
        wanted = (pc.field("item_id") == item_id) & (pc.field("epoch") == epoch)
        rows = pq.read_table(path, filters=wanted).to_pylist()
    except (OSError, pa.ArrowException) as ex:
        raise TextsMissing(f"the texts of {run_id!r} cannot be read; remove {FILE}, and ingest its log again") from ex
    if not rows:
        raise StoreError(f"{run_id!r} has no texts of item {item_id!r} in epoch {epoch}")
    turns = []
    for turn in sorted({r["turn"] for r in rows}):
        own = [r for r in rows if r["turn"] == turn]
        said = {r["kind"]: r for r in own}
        answer = said.get(RESPONSE, {"text": "", "state": ""})
        why = {(r["rater"], r["criterion"]): r["text"] for r in own if r["kind"] == JUSTIFICATION}
        turns.append(Turn(turn, said.get(PROMPT, {"text": ""})["text"], answer["text"], answer["state"], why))
    return tuple(turns)

"""The texts of a run: prompts, responses as they were judged, and what judges wrote, from the samples of its log.

The second stage of ingest. Until it is done, whoever needs a text is told so, or reads the log then, if it lies where
it lay. Texts belong to one state of one log: of a log that has changed they are read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from judges.response import NORMALISER_VERSION, Response, read_response
from results.logs.archive import NoArchive
from results.logs.files import LogFile, log_file
from results.logs.reading import NO_SAMPLES, Log, LogError, each_sample, read_header
from results.manifest import Manifest
from results.store import Store, StoreError
from results.writing import write_table

FILE: Final = "texts.parquet"
PROMPT: Final = "prompt"
RESPONSE: Final = "response"
JUSTIFICATION: Final = "justification"
_STOPS: Final = "psychosafe/stops"
_ROWS: Final = 2_000
"""Rows of a group: looking up one transcript reads one or two of them."""
_NAME: Final = pa.dictionary(pa.int32(), pa.string())
TEXTS: Final = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("epoch", pa.int16(), nullable=False),
        pa.field("turn", pa.int16(), nullable=False),
        pa.field("kind", _NAME, nullable=False),
        pa.field("rater", _NAME, nullable=False),
        pa.field("criterion", _NAME, nullable=False),
        pa.field("state", _NAME, nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ]
)
"""A text a row: `kind` is prompt, response or justification; `rater` and `criterion` are of justifications, and empty
elsewhere; `state` is of responses, as in `judges.response.STATES`. `turn` is 0 where there are no turns."""
Key = tuple[str, int, int, str, str, str]


class TextsMissing(StoreError):
    """The texts of a run are not in the store, and its log is not where it was."""


def add_texts(store: Store, run_id: str, file: LogFile | None = None) -> bool:
    """Ingest the texts of a run.

    Args:
        store: The store.
        run_id: The run.
        file: Its log; where its manifest says that it lies, if not given.

    Returns:
        False where they are there.

    Raises:
        LogError: The log cannot be read, or has changed.
        StoreError: No such run, or the store cannot be written.
    """
    manifest = store.manifest(run_id)
    if texts_ingested(store, manifest):
        return False
    file = file or _log_of(manifest)
    # A copy of the log serves; what it must be is this evaluation.
    log = read_header(file)
    if log.eval.get("eval_id") != manifest.source.eval_id:
        raise LogError("the log is another one now; ingest it again")
    rows, system = _rows(log, str(manifest.source.scorer))
    digest = manifest.source.sha256
    if digest is None:
        try:
            digest = file.sha256()
        except NoArchive as ex:
            raise LogError(NO_SAMPLES) from ex
    told = {"normaliser": NORMALISER_VERSION, "of": _state(manifest), "system": system}
    columns = list(zip(*[(*key, *value) for key, value in sorted(rows.items())], strict=True)) or [()] * len(TEXTS)
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, TEXTS, strict=True)], schema=TEXTS)
    table = table.replace_schema_metadata({"psychosafe_texts": json.dumps(told, sort_keys=True)})
    with store.writing():
        write_table(table, store.runs_dir / run_id / FILE, _ROWS)
        if manifest.source.sha256 is None:
            source = manifest.source.model_copy(update={"sha256": digest})
            known = manifest.model_copy(update={"source": source})
            store.commit(known, lambda: store.own_ratings(manifest))
    return True


def texts_ingested(store: Store, manifest: Manifest) -> bool:
    """Whether a run's texts are in the store, of the log as it was when its ratings were read."""
    told = _told(store.runs_dir / manifest.run_id / FILE)
    return told is not None and (told["normaliser"], told["of"]) == (NORMALISER_VERSION, _state(manifest))


def run_texts(store: Store, run_id: str) -> tuple[pa.Table, str | None]:
    """All texts of a run and its system prompt; read from its log now, if they were not ingested yet.

    Raises:
        TextsMissing: They are not in the store, and its log is not where it was.
        StoreError: No such run.
    """
    texts_or_log(store, run_id)
    path = store.runs_dir / run_id / FILE
    try:
        return pq.read_table(path, schema=TEXTS), (_told(path) or {}).get("system")
    except (OSError, pa.ArrowException) as ex:
        raise TextsMissing(f"the texts of {run_id!r} cannot be read; remove {FILE}, and ingest its log again") from ex


def texts_or_log(store: Store, run_id: str) -> None:
    """Make sure that a run's texts are in the store; from its log now, if need be.

    Raises:
        TextsMissing: They are not, and the log is not where it was.
        StoreError: No such run.
    """
    manifest = store.manifest(run_id)
    if texts_ingested(store, manifest):
        return
    try:
        add_texts(store, run_id)
    except LogError as ex:
        raise TextsMissing(
            f"texts of {run_id!r} not ingested yet, and {ex}; give its log to `psychosafe ingest --texts`"
        ) from ex


def _log_of(manifest: Manifest) -> LogFile:
    if manifest.source.eval_id is None or manifest.source.location is None:
        raise LogError("it comes from no log")
    try:
        file = log_file(manifest.source.location)
    except NoArchive as ex:
        raise LogError("its log is not where it was") from ex
    if file.size != manifest.source.size or (file.etag or None) != manifest.source.etag:
        raise LogError("its log has changed")
    return file


def _state(manifest: Manifest) -> list[Any]:
    """What tells that texts are of the log whose ratings are in."""
    return [manifest.source.eval_id, manifest.source.scorer, manifest.source.size, manifest.source.etag]


def _told(path: Path) -> dict[str, Any] | None:
    try:
        raw = (pq.read_schema(path).metadata or {}).get(b"psychosafe_texts")
        found = json.loads(raw) if raw else None
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _rows(log: Log, scorer: str) -> tuple[dict[Key, tuple[str, str]], str | None]:
    """(item, epoch, turn, kind, rater, criterion) -> (state, text), and the system prompt."""
    thinking = bool(((log.eval.get("metadata") or {}).get("psychosafe") or {}).get("thinking"))
    rows: dict[Key, tuple[str, str]] = {}
    system: str | None = None
    for sample in each_sample(log.file):
        item, epoch = str(sample["id"]), int(sample["epoch"])
        messages = [m for m in sample.get("messages") or () if isinstance(m, Mapping)]
        attached = sample.get("attachments") or {}
        if system is None:
            system = "\n\n".join(_text(m, attached) for m in messages if m.get("role") == "system") or None
        script = [str(line) for line in (sample.get("metadata") or {}).get("script") or ()]
        score = (sample.get("scores") or {}).get(scorer) or {}
        if script:
            said = _turns(sample, messages, attached, thinking)
            pairs = [(n, prompt, said[n - 1] if n <= len(said) else None) for n, prompt in enumerate(script, 1)]
        else:
            pairs = [(0, _prompt(sample, attached), None if sample.get("error") else _output(sample, thinking))]
        for turn, prompt, response in pairs:
            rows[item, epoch, turn, PROMPT, "", ""] = "", prompt
            if response is not None:
                rows[item, epoch, turn, RESPONSE, "", ""] = response.state, response.text
        for turn, rater, criterion, text in _justified(score, bool(script)):
            rows[item, epoch, turn, JUSTIFICATION, rater, criterion] = "", text
    return rows, system


def _prompt(sample: Mapping[str, Any], attached: Mapping[str, str]) -> str:
    given = sample.get("input")
    if isinstance(given, str):
        return _resolved(given, attached)
    return "\n".join(_text(m, attached) for m in given or () if m.get("role") == "user")


def _output(sample: Mapping[str, Any], thinking: bool) -> Response:
    choices = (sample.get("output") or {}).get("choices") or ()
    if not choices:
        return read_response("", stop_reason=None)
    return _response(choices[0]["message"], choices[0].get("stop_reason"), sample.get("attachments") or {}, thinking)


def _turns(
    sample: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], attached: Mapping[str, str], thinking: bool
) -> list[Response]:
    """The answers of a dialogue; why each ended stands in the sample's store."""
    said = [m for m in messages if m.get("role") == "assistant"]
    stops = [*((sample.get("store") or {}).get(_STOPS) or ()), *[None] * len(said)]
    return [_response(m, stop, attached, thinking) for m, stop in zip(said, stops, strict=False)]


def _response(message: Mapping[str, Any], stop: str | None, attached: Mapping[str, str], thinking: bool) -> Response:
    content = message.get("content")
    channel = isinstance(content, list) and any(c.get("type") == "reasoning" for c in content)
    return read_response(
        _text(message, attached), reasoning_channel=channel, stop_reason=stop, reasoning_expected=thinking
    )


def _text(message: Mapping[str, Any], attached: Mapping[str, str]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        content = "\n".join(str(c.get("text", "")) for c in content if c.get("type") == "text")
    return _resolved(str(content or ""), attached)


def _resolved(text: str, attached: Mapping[str, str]) -> str:
    """A long text may stand apart, with its hash in its place."""
    head, _, key = text.partition("attachment://")
    return attached.get(key, text) if not head and key else text


def _justified(score: Mapping[str, Any], by_turn: bool) -> Iterator[tuple[int, str, str, str]]:
    """Turn, rater, criterion and text of each word of a judge."""
    for name, told in ((score.get("metadata") or {}).get("justifications") or {}).items():
        rater, _, number = name.rpartition(", turn ") if by_turn else (name, "", "0")
        for criterion, text in told.items() if isinstance(told, Mapping) else ():
            if text and number.isdigit():
                yield int(number), rater, str(criterion), str(text)

"""A log's header and sample summaries, as plain JSON: what its ratings are made of.

The layout of a log is not a public interface of Inspect's. The version that is written in the header is checked, and
whatever is not known here (another version, the JSON format) is read through Inspect's own functions instead, which
bring older logs up; both give the same fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecoder
from typing import Any, Final

from pydantic_core import from_json

from results.logs.archive import HEADER, SUMMARIES, NoArchive
from results.logs.files import LogFile
from rubrics.errors import MendableError

LOG_VERSION: Final = 2
"""Version of Inspect's log layout that is read directly."""
_MEMBER: Final = re.compile(r'\s*"(panel|scales|rules|judge_configs)":\s*(?=[{[])')
"""Parts of a score's metadata of which only the first record's are read (`rows.first_record`)."""
_LONGEST: Final = 8 << 10
"""Bytes of one such part at the most; Inspect keeps up to 1 KB of JSON in a summary."""
NOT_A_LOG: Final = "not an Inspect log, or only half of one: copy it again, or leave it out"
NOT_FINISHED: Final = "the run has status {!r}; finish it with `inspect eval-retry {}`"
NO_SAMPLES: Final = "its samples cannot be read: copy the log again"


class LogError(MendableError):
    """A log that cannot be ingested; the message says why and what to do."""


@dataclass(frozen=True)
class Log:
    """A finished log.

    Attributes:
        file: Where it lies.
        header: Its header.
        summaries: A summary of each sample; or the samples themselves, which have the same fields.
    """

    file: LogFile
    header: Mapping[str, Any]
    summaries: Sequence[Mapping[str, Any]]

    @property
    def eval(self) -> Mapping[str, Any]:
        """What was run."""
        found: Mapping[str, Any] = self.header["eval"]
        return found


def read_log_head(file: LogFile) -> Log:
    """The header and the summaries of a log.

    Raises:
        LogError: No Inspect log, one that is not finished, or a damaged one.
    """
    return _read(file, _summaries, _public_summaries)


def read_header(file: LogFile) -> Log:
    """The header of a log alone.

    Raises:
        LogError: No Inspect log, or one that is not finished.
    """
    return _read(file, lambda _: [], lambda _: [])


def read_log_whole(file: LogFile) -> Log:
    """The header and all samples of a log, without their events."""
    return _read(file, _samples, _public_samples)


def each_sample(file: LogFile) -> Iterator[Mapping[str, Any]]:
    """The samples of a log, one after the other, so that one at a time is in memory.

    Raises:
        LogError: They cannot be read.
    """
    try:
        if directly(file):
            with file.archive() as archive:
                yield from archive.each_sample()
        else:
            yield from _public_samples(file)
    except NoArchive as ex:
        raise LogError(NO_SAMPLES) from ex


def directly(file: LogFile) -> bool:
    """Whether a log is of the layout that is read here without Inspect.

    Raises:
        NoArchive: An archive that is damaged.
    """
    if not file.name.endswith(".eval"):
        return False
    with file.archive() as archive:
        return HEADER in archive and _version(archive.json(HEADER)) == LOG_VERSION


def _read(
    file: LogFile,
    own: Callable[[Any], Sequence[Mapping[str, Any]]],
    public: Callable[[LogFile], Sequence[Mapping[str, Any]]],
) -> Log:
    if not file.name.endswith(".eval"):
        return _through_inspect(file, public)
    try:
        with file.archive() as archive:
            if HEADER not in archive:
                # A run that is under way, or was stopped, has a journal only.
                return _through_inspect(file, public)
            header = archive.json(HEADER)
            if _version(header) != LOG_VERSION:
                return _through_inspect(file, public)
            _finished(header, file)
            summaries = own(archive)
    except NoArchive as ex:
        raise LogError(NO_SAMPLES if SUMMARIES in str(ex) or "samples/" in str(ex) else NOT_A_LOG) from ex
    if not isinstance(header.get("eval"), dict) or not all(isinstance(s, dict) for s in summaries):
        raise LogError(NOT_A_LOG)
    return Log(file, header, summaries)


def _summaries(archive: Any) -> list[Mapping[str, Any]]:
    try:
        found = from_json(_once(archive.read(SUMMARIES)), allow_inf_nan=True)
    except ValueError as ex:
        raise NoArchive(f"{SUMMARIES} is damaged") from ex
    return found if isinstance(found, list) else []


def _once(raw: bytes) -> bytes:
    """Summaries in which what every score repeats (panel, scales, rules: half of all) stands in the first alone.

    Only where it is the same to the byte; inside a text it could not stand so, for its quotes would be escaped.
    """
    for name in (b"panel", b"judge_configs"):
        if name == b"judge_configs" and raw.count(b'"panel":{') != 1:
            # Two panels may have one configuration, and each is read in its own first record.
            break
        start = raw.find(b'"%s":' % name)
        names, length = _run_of(raw[start : start + _LONGEST].decode("utf-8", "replace")) if start >= 0 else ([], 0)
        if names:
            same, end = raw[start : start + length], start + length
            short = ",".join(f'"{n}":null' for n in names).encode()
            raw = raw[:end] + raw[end:].replace(same, short)
    return raw


def _run_of(text: str) -> tuple[list[str], int]:
    """Names of the members at the start of a text, as far as they are repeated ones, and their length in bytes."""
    names: list[str] = []
    at = end = 0
    while match := _MEMBER.match(text, at):
        try:
            end = JSONDecoder().raw_decode(text, match.end())[1]
        except (ValueError, RecursionError):
            return [], 0
        names.append(match[1])
        if text[end : end + 1] != ",":
            break
        at = end + 1
    return names, len(text[:end].encode())


def _samples(archive: Any) -> list[Mapping[str, Any]]:
    kept = ("id", "epoch", "metadata", "scores", "error")
    return [{k: s.get(k) for k in kept} for s in archive.each_sample()]


def _version(header: Any) -> int | None:
    found = header.get("version") if isinstance(header, dict) else None
    return found if isinstance(found, int) else None


def _finished(header: Mapping[str, Any], file: LogFile) -> None:
    if header.get("status") != "success":
        raise LogError(NOT_FINISHED.format(str(header.get("status"))[:20], file.name))


def _through_inspect(file: LogFile, samples: Callable[[LogFile], Sequence[Mapping[str, Any]]]) -> Log:
    """The same by Inspect's own functions; seconds, for importing it."""
    from inspect_ai.log import read_eval_log

    try:
        header = read_eval_log(file.location, header_only=True).model_dump(exclude_none=True)
    except Exception as ex:
        raise LogError(NOT_A_LOG) from ex
    _finished(header, file)
    try:
        return Log(file, header, samples(file))
    except Exception as ex:
        raise LogError(NO_SAMPLES) from ex


def _public_summaries(file: LogFile) -> list[Mapping[str, Any]]:
    from inspect_ai.log import read_eval_log_sample_summaries

    return [s.model_dump(exclude_none=True) for s in read_eval_log_sample_summaries(file.location)]


def _public_samples(file: LogFile) -> list[Mapping[str, Any]]:
    from inspect_ai.log import read_eval_log_samples

    found = read_eval_log_samples(file.location, all_samples_required=False)
    return [s.model_dump(exclude_none=True, exclude={"events"}) for s in found]

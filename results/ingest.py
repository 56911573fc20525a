"""From Inspect logs to the store, in two stages.

*Ratings*: manifest and verdicts from a log's header and sample summaries, where the scorer left them in compact form;
each panel in a log is a run of its own. *Texts*: prompts, responses and justifications from the samples, in a second
pass (`results.texts`) that goes on where it was stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from results.logs.files import LogFile, find_logs, is_url, log_file
from results.logs.panels import read_runs
from results.logs.reading import LogError
from results.manifest import Manifest
from results.migration import migrate
from results.schema import RATINGS
from results.store import Store, StoreError
from results.writing import write_table

ALONE: Final = 24
"""Logs up to which one process is faster: starting another takes as long as reading some twenty."""


@dataclass
class IngestReport:
    """What an ingest did.

    Attributes:
        written: Ids of the runs that are new or changed.
        unchanged: Ids of the runs that the store already had.
        refused: Why a file was left out, by path.
        migrated: Ids of the runs that were brought up from an older schema.
        texts: Ids of the runs whose texts were ingested.
    """

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    migrated: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Read:
    """What one process read of one log: runs with the files that hold their ratings, or why there are none."""

    file: LogFile
    runs: tuple[tuple[Manifest, Path | None, pa.Table | None], ...] = ()
    why: str = ""


def ingest(
    store: Store,
    paths: Sequence[str | Path],
    figures: bool = False,
    texts: bool = False,
    *,
    replace: bool = False,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    waiting: Callable[[], None] | None = None,
) -> IngestReport:
    """Bring logs into the store; twice gives the same store.

    A log whose place, size and time of change (of a remote one: what its server says identifies it) are those of an
    earlier ingest is not read again. A file that cannot be used is left out with the reason, and stops nothing.

    Args:
        store: The store.
        paths: Logs, folders in which `.eval` and `.json` logs are looked for, or URLs of either.
        figures: Also the figures of each run as a whole, from its texts; seconds for 500 of them.
        texts: Also the texts; tenths of a second for 500 samples.
        replace: Read all of them again; where two hold the same run with different content, take the later one. Else
            that one is left out.
        workers: Processes that read; by the number of processors if not given.
        progress: Told how many of how many logs are done.
        waiting: Called once if another process is writing to the store.

    Raises:
        StoreError: The store cannot be written.
    """
    report = IngestReport()
    with store.writing(waiting):
        store.sweep()
        report.migrated = migrate(store)
        known: dict[tuple[str, int, int | None, str | None], list[str]] = {}
        damaged = store.damaged()
        for m in store.manifests() if not replace else ():
            if m.run_id not in damaged and m.source.location and m.source.size is not None:
                state = (m.source.location, m.source.size, m.source.mtime_ns, m.source.etag)
                known.setdefault(state, []).append(m.run_id)
        files = list(find_logs(paths, report.refused.__setitem__))
        new = [f for f in files if f.state not in known]
        by_file = {f.location: known[f.state] for f in files if f.state in known}
        report.unchanged = [run_id for runs in by_file.values() for run_id in runs]
        for done, read in enumerate(_each(store, new, workers), 1):
            if read.why:
                report.refused[read.file.location] = read.why
            else:
                by_file[read.file.location] = list(_keep(store, read, replace, report))
            if progress is not None:
                progress(done, len(new))
        if texts or figures:
            _second_stage(store, files, by_file, figures, report)
    return report


def read_log(path: Path | str) -> list[tuple[Manifest, pa.Table]]:
    """The runs of one log: a manifest and its ratings for each panel.

    Raises:
        LogError: No Inspect log, one that is not finished, or one without verdicts of a rubric panel.
    """
    try:
        return read_runs(log_file(path))
    except LogError:
        raise
    except ValueError as ex:
        raise LogError(str(ex)) from ex


def _each(store: Store, files: Sequence[LogFile], workers: int | None) -> Iterator[_Read]:
    """What is in each log, in the order of the files whoever read it."""
    count = min(workers or os.cpu_count() or 1, max(1, len(files) // 4))
    if count == 1 or (workers is None and len(files) <= ALONE):
        yield from map(_read, files)
        return
    drafts = [str(store.draft()) for _ in files]
    try:
        with ProcessPoolExecutor(count, get_context("spawn"), _follow, (os.getpid(),)) as pool:
            yield from pool.map(_read, files, drafts, chunksize=4)
    except BrokenProcessPool as ex:
        # What was read until then is in; the next ingest goes on from there.
        raise StoreError("a process that read logs ended before its time; go on with `--workers 1`") from ex


def _read(file: LogFile, draft: str | None = None) -> _Read:
    """Read one log; its ratings go to files if this is another process than the one that keeps the store."""
    try:
        runs = read_runs(file)
    except ValueError as ex:
        return _Read(file, why=" ".join(str(ex).split()))
    if draft is None:
        return _Read(file, tuple((manifest, None, table) for manifest, table in runs))
    kept = []
    for number, (manifest, table) in enumerate(runs):
        place = Path(f"{draft}-{number}")
        write_table(table, place)
        kept.append((manifest, place, None))
    return _Read(file, tuple(kept))


def _follow(parent: int) -> None:
    """End with the process that gave the work: killed, it cannot tell its workers."""
    import threading
    import time

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _keep(store: Store, read: _Read, replace: bool, report: IngestReport) -> Iterator[str]:
    """Put the runs of one log into the store; the ids of those that are there now."""
    for manifest, draft, table in read.runs:
        other = _conflict(store, manifest)
        if other and not replace:
            report.refused[read.file.location] = (
                f"{manifest.run_id} is in the store from {other} with other content; "
                "leave one of the two out, or give --replace to take this one"
            )
            if draft is not None:
                draft.unlink(missing_ok=True)
            continue

        def ratings(draft: Path | None = draft, table: pa.Table | None = table) -> pa.Table:
            return pq.read_table(draft, schema=RATINGS) if table is None else table

        wrote = store.commit(manifest, ratings, draft)
        if draft is not None:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        (report.written if wrote else report.unchanged).append(manifest.run_id)
        yield manifest.run_id


def _conflict(store: Store, manifest: Manifest) -> str | None:
    """The file from which the store has the same run with other content; None if there is none, or it is gone."""
    try:
        there = store.manifest(manifest.run_id)
    except StoreError:
        return None
    place = there.source.location
    if there.ratings == manifest.ratings or place is None or place == manifest.source.location:
        return None
    if there.source.sha256 is not None and there.source.sha256 == manifest.source.sha256:
        # The same bytes, read by another version of this program.
        return None
    return place if is_url(place) or Path(place).exists() else None


def _second_stage(
    store: Store, files: Iterable[LogFile], by_file: dict[str, list[str]], figures: bool, report: IngestReport
) -> None:
    """Texts, and figures from them, of the runs whose ratings are in."""
    from results.figures import add_figures
    from results.texts import add_texts

    for file in files:
        for run_id in by_file.get(file.location, ()):
            try:
                if add_texts(store, run_id, file):
                    report.texts.append(run_id)
                if figures:
                    add_figures(store, run_id)
            except LogError as ex:
                report.refused[file.location] = f"its ratings are in; {ex}"

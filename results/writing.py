"""How the store is written: one writer at a time, each run whole or not at all.

A run's ratings lie in a file that is named by what they say; replacing the manifest, which names that file, is the one
step that makes them the run's. What a killed writer leaves behind is never read, and is swept by the next one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

DRAFTS: Final = ".drafts"
"""Folder of a store in which drafts are made that a later step moves into place."""
DRAFT: Final = ".draft-"
MANIFEST: Final = "run.json"
_LOCK: Final = ".lock"
_held: Final = threading.local()


def ratings_name(digest: str | None) -> str:
    """Name of a run's ratings file by the hash of its ratings; schema 1 had one name for all."""
    return "ratings.parquet" if digest is None else f"ratings-{digest[:16]}.parquet"


@contextmanager
def writing(root: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a store for writing; other writers wait. A writer that is killed lets go of it.

    Args:
        root: The store's folder; made if it is not there.
        waiting: Called once if another process holds it.

    Raises:
        OSError: The folder cannot be written.
    """
    held: set[str] = _held.__dict__.setdefault("roots", set())
    new = not root.exists()
    root.mkdir(parents=True, exist_ok=True)
    name = str(root.resolve())
    if name in held:
        yield
        return
    with (root / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None:
                waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        held.add(name)
        try:
            yield
        finally:
            held.discard(name)
            if new and {p.name for p in root.iterdir()} <= {_LOCK, DRAFTS}:
                # Nothing was written: no store is left where none was.
                shutil.rmtree(root, ignore_errors=True)


def write_table(table: pa.Table, place: Path, row_group_size: int | None = None) -> None:
    """Write a table as a Parquet file, whole or not at all; the same table gives the same bytes.

    Raises:
        OSError: The folder cannot be written.
    """
    draft = place.with_name(f"{DRAFT}{uuid.uuid4().hex[:8]}")
    try:
        # Where there are row groups to choose from, statistics tell which; a file of one group is read whole.
        options = {"compression": "zstd", "use_dictionary": True, "write_statistics": row_group_size is not None}
        pq.write_table(table, draft, row_group_size=row_group_size, **options)
        draft.replace(place)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def write_bytes(data: bytes, place: Path) -> None:
    """Write a file, whole or not at all.

    Raises:
        OSError: The folder cannot be written.
    """
    draft = place.with_name(f"{DRAFT}{uuid.uuid4().hex[:8]}")
    try:
        draft.write_bytes(data)
        draft.replace(place)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def new_draft(root: Path) -> Path:
    """A place for a file that is made apart, by another process perhaps, and moved into the store later.

    Raises:
        OSError: The folder cannot be written.
    """
    folder = root / DRAFTS
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{os.getpid()}-{uuid.uuid4().hex}"


def sweep(root: Path) -> None:
    """Remove what killed writers left: drafts, ratings that no manifest names, and runs that were never finished.

    Only for whoever holds the store. Ratings that people gave (`added/`) are never touched.
    """
    shutil.rmtree(root / DRAFTS, ignore_errors=True)
    runs = root / "runs"
    for folder in [*runs.iterdir()] if runs.is_dir() else []:
        if not folder.is_dir() or folder.is_symlink():
            continue
        if folder.name.startswith("."):
            # Schema 1 made its drafts and kept what it replaced beside the runs.
            if not (folder / "added").is_dir():
                shutil.rmtree(folder, ignore_errors=True)
            continue
        drafts = [p for p in (*folder.rglob(f"{DRAFT}*"), *folder.glob(".figures-*")) if p.is_file()]
        for draft in drafts:
            draft.unlink(missing_ok=True)
        found = list(folder.glob("ratings*.parquet"))
        if unfinished(folder):
            shutil.rmtree(folder, ignore_errors=True)
        elif len(found) > 1:
            _drop_unnamed(folder, found)


def unfinished(folder: Path) -> bool:
    """Whether a folder is of a run whose first writing has not ended: ratings or drafts, and nothing else."""
    try:
        names = [p.name for p in folder.iterdir()]
    except OSError:
        return False
    return all(n.startswith((DRAFT, "ratings")) for n in names)


def _drop_unnamed(folder: Path, found: list[Path]) -> None:
    try:
        told = (folder / MANIFEST).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    # The name is a hash, so that looking for it is as good as reading the manifest.
    named = [p for p in found if f'"ratings": "{p.stem.removeprefix("ratings-")}' in told]
    if len(named) == 1:
        for other in found:
            if other != named[0]:
                other.unlink(missing_ok=True)

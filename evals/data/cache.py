"""The cache: one folder a set, content under a name made of its hash, and a record that points to it.

    <cache>/<set>/record.json          written last and replaced whole: readers see the old state or the new one
    <cache>/<set>/<hash of contents>/  the files
    <cache>/.<set>.lock                one fetch of a set at a time

A fetch that is killed leaves at most `.part-*` files, which nothing reads and the next fetch removes.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from evals._launch import LAUNCH_DIR
from evals.data.specs import SETS, DataError, DataFile, DataSet, HubFile, Shape, dataset

ENV_CACHE: Final = "PSYCHOSAFE_DATA"
LOCK_WAIT: Final = 900.0
"""Seconds to wait for another process that fetches the same set."""


@dataclass(frozen=True)
class CachedFile:
    """A file in the cache: where its source has it, and what it was when it was fetched."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Record:
    """What was fetched.

    Attributes:
        set: The set's name.
        source: Repository or hub id.
        revision: The commit that it was taken from; the branch where the checksum is the pin.
        fetched: When, in UTC.
        folder: Name of the folder that holds the files.
        files: By name in the cache.
    """

    set: str
    source: str
    revision: str
    fetched: str
    folder: str
    files: Mapping[str, CachedFile]


def cache_dir() -> Path:
    """$PSYCHOSAFE_DATA, else `psychosafe` in the platform's cache folder.

    A relative $PSYCHOSAFE_DATA means the directory where the command was typed.

    Raises:
        DataError: There is no home folder.
    """
    given = os.environ.get(ENV_CACHE)
    try:
        if given:
            return LAUNCH_DIR / Path(given).expanduser()
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches" / "psychosafe"
        local = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
        return (Path(local) if local and Path(local).is_absolute() else Path.home() / ".cache") / "psychosafe"
    except RuntimeError as ex:
        raise DataError(f"there is no home folder for the cache; set {ENV_CACHE} to a folder") from ex


def read_record(spec: DataSet) -> Record | None:
    """The record of a set; None where it was never fetched.

    Raises:
        DataError: The record cannot be read.
    """
    path = cache_dir() / spec.folder / "record.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as ex:
        raise DataError(f"{path} cannot be read ({ex.strerror}); check its permissions") from ex
    except (ValueError, RecursionError):
        raw = None
    record = _record(raw)
    if record is None or record.set != spec.name or record.source != spec.source:
        raise DataError(f"{path} is damaged; delete {path.parent} and fetch {spec.name} again")
    return record


def _record(raw: Any) -> Record | None:
    try:
        record = Record(**{**raw, "files": {name: CachedFile(**f) for name, f in raw["files"].items()}})
        # The record is a file like any other: nothing in it may lead out of the set's folder.
        safe = re.fullmatch(r"[0-9a-f]{16}", record.folder) and all(
            re.fullmatch(r"\w[\w.-]*", n, re.ASCII) and re.fullmatch(r"[0-9a-f]{64}", f.sha256)
            for n, f in record.files.items()
        )
        texts = (record.set, record.source, record.revision, record.fetched, *(f.path for f in record.files.values()))
    except (TypeError, KeyError, AttributeError):
        return None
    return record if safe and record.files and all(isinstance(t, str) for t in texts) else None


def file_path(spec: DataSet, record: Record, name: str | None = None) -> Path:
    """Where a recorded file lies, the main one if no name is given. Nothing is read."""
    return cache_dir() / spec.folder / record.folder / (name or next(iter(record.files)))


def file_spec(spec: DataSet, record: Record, name: str | None = None) -> DataFile:
    """What is known of a recorded file. A hub data set without FILE learned its only file when it was fetched.

    Raises:
        DataError: The set has no file of this name.
    """
    if spec.files:
        return spec.file(name)
    cached_name, cached = next(iter(record.files.items()))
    if name not in (None, cached_name):
        raise DataError(f"{spec.name} has no file {name!r}; it has {cached_name}")
    return HubFile(cached.path, Shape())


def read_cached(spec: DataSet, record: Record, name: str) -> bytes:
    """A recorded file's bytes, compared with its checksum.

    Raises:
        DataError: Gone, unreadable, or not what was fetched.
    """
    path = file_path(spec, record, name)
    if spec.sha256 and name == spec.files[0].name and record.files[name].sha256 != spec.sha256:
        raise DataError(f"{path} is not the pinned release; run `psychosafe data fetch {spec.name}`")
    try:
        data = path.read_bytes()
    except FileNotFoundError as ex:
        raise DataError(f"{path} is gone; run `psychosafe data fetch {spec.name}`") from ex
    except OSError as ex:
        raise DataError(f"{path} cannot be read ({ex.strerror}); check its permissions") from ex
    if sha256(data) != record.files[name].sha256:
        raise DataError(f"{path} is not what was fetched (checksum); run `psychosafe data fetch {spec.name}`")
    return data


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def cached_specs() -> list[DataSet]:
    """The known sets, then the hub data sets that have been fetched."""
    specs = list(SETS.values())
    with suppress(OSError):
        for path in sorted(cache_dir().glob("hub-*/record.json")):
            with suppress(OSError, ValueError, RecursionError):
                record = _record(json.loads(path.read_text(encoding="utf-8")))
                spec = dataset(record.set) if record else None
                if spec and spec.folder == path.parent.name:
                    specs.append(spec)
    return specs


def write(spec: DataSet, revision: str, contents: Mapping[str, tuple[str, bytes]], fetched: str) -> Record:
    """Put verified files into the cache: all of them or none. Call it under `lock`.

    Args:
        spec: The set.
        revision: Where the files were taken from.
        contents: By name in the cache: path in the source, and the bytes.
        fetched: The time, in UTC.

    Raises:
        DataError: The cache is full or cannot be written to.
    """
    files = {name: CachedFile(path, sha256(data), len(data)) for name, (path, data) in contents.items()}
    folder = sha256(json.dumps([(n, f.sha256) for n, f in files.items()]).encode())[:16]
    record = Record(spec.name, spec.source, revision, fetched, folder, files)
    home = cache_dir() / spec.folder
    written: list[Path] = []
    try:
        (home / folder).mkdir(parents=True, exist_ok=True)
        for name, (_, data) in contents.items():
            path = home / folder / name
            if not path.is_file() or sha256(path.read_bytes()) != files[name].sha256:
                _replace(path, data)
                written.append(path)
        _replace(home / "record.json", json.dumps(asdict(record), indent=1).encode())
    except BaseException as ex:
        for path in written:
            with suppress(OSError):
                path.unlink()
        for empty in (home / folder, home):
            with suppress(OSError):
                empty.rmdir()
        if isinstance(ex, OSError):
            raise unwritable(ex) from ex
        raise
    return record


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f".part-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with part.open("xb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def unwritable(ex: OSError) -> DataError:
    """What a user can do where the cache cannot be written to."""
    if ex.errno in (errno.ENOSPC, errno.EDQUOT):
        return DataError(f"no space left in {cache_dir()}; free some, or set {ENV_CACHE} to another folder")
    return DataError(
        f"cannot write to {cache_dir()} ({ex.strerror}); set {ENV_CACHE} to a folder that you may write to"
    )


@contextmanager
def lock(spec: DataSet, wait: float = LOCK_WAIT) -> Iterator[None]:
    """Hold off other fetches of the same set, and clear away what a killed one left.

    The system lets go of the lock when a process ends, however it ends.

    Raises:
        DataError: Another process holds it for longer than `wait` seconds, or the cache cannot be written to.
    """
    end = time.monotonic() + wait
    try:
        cache_dir().mkdir(parents=True, exist_ok=True)
        handle = (cache_dir() / f".{spec.folder}.lock").open("wb")
    except OSError as ex:
        raise unwritable(ex) from ex
    with handle:
        while not (held := _try_lock(handle.fileno())):
            if held is None:
                break  # no locks here: files are still replaced whole
            if time.monotonic() > end:
                raise DataError(f"another process is fetching {spec.name}; wait for it, or end it and try again")
            time.sleep(0.05)
        if held:
            for part in (cache_dir() / spec.folder).glob("**/.part-*"):
                with suppress(OSError):
                    part.unlink()
        yield


def _try_lock(descriptor: int) -> bool | None:
    """True where locked, False where another process holds it, None where there are no locks here."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True

"""Where logs lie: files and folders here, and on whatever a URL names (`s3://…`, by fsspec)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from results.logs.archive import Archive, NoArchive, RemoteFile

SUFFIXES: Final = (".eval", ".json")
_NO_LOGS: Final = frozenset({"logs.json", "eval-set.json", "listing.json"})
"""What `eval_set` and the log viewer keep beside the logs."""


@dataclass(frozen=True)
class LogFile:
    """One file that may be a log.

    Attributes:
        location: Its absolute path, or its URL.
        name: Its name.
        size: Its bytes.
        mtime_ns: When a file here was changed; None elsewhere.
        etag: What the server says identifies its content; None here.
    """

    location: str
    name: str
    size: int
    mtime_ns: int | None = None
    etag: str | None = None

    @property
    def local(self) -> bool:
        """Whether it lies on this machine's file system."""
        return self.mtime_ns is not None

    @property
    def state(self) -> tuple[str, int, int | None, str | None]:
        """What tells whether it is the same file as before."""
        return self.location, self.size, self.mtime_ns, self.etag

    @contextmanager
    def archive(self) -> Iterator[Archive]:
        """Its archive, open.

        Raises:
            NoArchive: It cannot be read, or is none.
        """
        try:
            if self.local:
                with Path(self.location).open("rb") as file:
                    yield Archive(file)
            else:
                system, path = _system(self.location)
                yield RemoteFile(self.size, lambda start, end: _fetched(system, path, start, end)).open()
        except OSError as ex:
            raise NoArchive(f"cannot be read ({ex.strerror or type(ex).__name__})") from ex

    def sha256(self) -> str:
        """Hash of all of it.

        Raises:
            NoArchive: It cannot be read.
        """
        try:
            if self.local:
                with Path(self.location).open("rb") as file:
                    return hashlib.file_digest(file, "sha256").hexdigest()
            system, path = _system(self.location)
            with system.open(path, "rb") as remote:
                return hashlib.file_digest(remote, "sha256").hexdigest()
        except OSError as ex:
            raise NoArchive(f"cannot be read ({ex.strerror or type(ex).__name__})") from ex


def is_url(path: str | Path) -> bool:
    """Whether a path names another file system than this machine's."""
    text = str(path)
    return "://" in text and not text.startswith("file://")


def find_logs(paths: Sequence[str | Path], refused: Callable[[str, str], None]) -> Iterator[LogFile]:
    """The files among some paths that may be logs, each once, folders in the order of their names.

    Args:
        paths: Files, folders, and URLs of either.
        refused: Told of each path in which there is nothing, and why.
    """
    seen: set[str] = set()
    for path in paths:
        for file in _remote(str(path), refused) if is_url(path) else _local(path, refused):
            if file.location not in seen:
                seen.add(file.location)
                yield file


def log_file(location: str | Path) -> LogFile:
    """One log by its path or URL.

    Raises:
        NoArchive: It is not there.
    """
    try:
        if not is_url(location):
            return _here(Path(str(location).removeprefix("file://")))
        system, path = _system(str(location))
        return _there(system, system.info(path))
    except OSError as ex:
        raise NoArchive(f"cannot be read ({ex.strerror or type(ex).__name__})") from ex


def _local(given: str | Path, refused: Callable[[str, str], None]) -> Iterator[LogFile]:
    path = Path(str(given).removeprefix("file://"))
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.name not in _NO_LOGS and p.is_file())
        if not found:
            refused(str(path), "no .eval or .json log in this folder")
        for p in found:
            try:
                yield _here(p)
            except OSError as ex:
                refused(str(p), f"cannot be read ({ex.strerror or type(ex).__name__})")
    elif path.is_file():
        yield _here(path)
    else:
        refused(str(path), "no such file or folder")


def _here(path: Path) -> LogFile:
    stat = path.stat()
    return LogFile(str(path.resolve()), path.name, stat.st_size, stat.st_mtime_ns)


def _remote(url: str, refused: Callable[[str, str], None]) -> Iterator[LogFile]:
    try:
        system, path = _system(url)
        if system.isfile(path):
            found = [system.info(path)]
        else:
            listed = system.find(path, detail=True).values()
            found = [f for f in listed if PurePosixPath(f["name"]).suffix in SUFFIXES]
            found = sorted((f for f in found if PurePosixPath(f["name"]).name not in _NO_LOGS), key=lambda f: f["name"])
            if not found:
                refused(url, "no .eval or .json log there")
    except Exception as ex:  # noqa: BLE001  (drivers of any make, with errors of their own)
        refused(url, f"cannot be reached ({type(ex).__name__}: {' '.join(str(ex).split())[:120]})")
        return
    yield from (_there(system, info) for info in found)


def _there(system: Any, info: dict[str, Any]) -> LogFile:
    path = str(info["name"])
    told = info.get("ETag") or info.get("etag") or info.get("LastModified") or info.get("mtime") or info.get("created")
    return LogFile(
        location=system.unstrip_protocol(path),
        name=PurePosixPath(path).name,
        size=int(info["size"]),
        etag=None if told is None else str(told).strip('"'),
    )


def _system(url: str) -> tuple[Any, str]:
    """A file system and the path in it; what its driver lacks is said by the driver."""
    from fsspec.core import url_to_fs  # type: ignore[import-untyped]

    try:
        return url_to_fs(url)  # type: ignore[no-any-return]
    except (ImportError, ValueError) as ex:
        raise OSError(f"no driver for it: {' '.join(str(ex).split())[:120]}") from ex


def _fetched(system: Any, path: str, start: int, end: int) -> bytes:
    try:
        data = system.cat_file(path, start=start, end=end)
    except Exception as ex:
        raise OSError(type(ex).__name__) from ex
    if len(data) != end - start:
        raise OSError("it is shorter than its server said")
    return bytes(data)

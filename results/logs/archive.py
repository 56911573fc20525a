"""Members of a finished `.eval` log, read straight from its archive.

A log is a ZIP archive of JSON members compressed with Zstandard (method 93), which the standard library finds and
cannot decompress. What is needed of it for ratings stands in two members at its end, so that a remote log takes one
or two requests.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, cast

import zstandard
from pydantic_core import from_json

HEADER: Final = "header.json"
SUMMARIES: Final = "summaries.json"
SAMPLES: Final = "samples/"
MAX_MEMBER: Final = 2 << 30
"""Bytes of one member at the most; more is no log of a text evaluation."""
TAIL: Final = 512 << 10
"""Bytes at the end that are fetched with the first request of a remote log; 500 summaries take 130 to 300 KB."""
_ZSTD: Final = 93
_LOCAL: Final = struct.Struct("<4s22xHH")


class NoArchive(ValueError):
    """Not the archive of a finished log, or only a part of one."""


class Archive:
    """The members of one log.

    Args:
        file: The log, open for reading, seekable.

    Raises:
        NoArchive: Not a ZIP archive, or only a part of one.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        try:
            self._members = {i.filename: i for i in zipfile.ZipFile(file).infolist()}
        except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError) as ex:
            raise NoArchive("not a ZIP archive, or only a part of one") from ex

    def __contains__(self, name: str) -> bool:
        return name in self._members

    @property
    def samples(self) -> list[str]:
        """Names of the members that hold a sample each, as they were written."""
        return [n for n in self._members if n.startswith(SAMPLES)]

    def json(self, name: str) -> Any:
        """One member's content.

        Raises:
            NoArchive: It is not there, damaged, or no JSON.
        """
        try:
            # Logs hold NaN, which strict parsers refuse.
            return from_json(self.read(name), allow_inf_nan=True)
        except ValueError as ex:
            raise NoArchive(f"{name} is damaged") from ex

    def read(self, name: str) -> bytes:
        """One member's bytes.

        Raises:
            NoArchive: It is not there, or damaged.
        """
        info = self._members.get(name)
        if info is None:
            raise NoArchive(f"{name} is missing")
        if info.file_size > MAX_MEMBER:
            raise NoArchive(f"{name} is too large")
        try:
            # The local header repeats the name and has extra fields of its own length.
            self._file.seek(info.header_offset)
            mark, name_size, extra = _LOCAL.unpack(self._file.read(_LOCAL.size))
            if mark != b"PK\x03\x04":
                raise NoArchive(f"{name} is damaged")
            self._file.seek(name_size + extra, io.SEEK_CUR)
            data = _expanded(self._file.read(info.compress_size), info.compress_type, info.file_size)
        except (OSError, struct.error, zlib.error, zstandard.ZstdError, MemoryError) as ex:
            raise NoArchive(f"{name} is damaged") from ex
        if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
            raise NoArchive(f"{name} is damaged")
        return data

    def each_sample(self) -> Iterator[dict[str, Any]]:
        """The samples, one after the other, so that no more than one is in memory.

        Raises:
            NoArchive: One of them is damaged.
        """
        for name in self.samples:
            sample = self.json(name)
            if not isinstance(sample, dict):
                raise NoArchive(f"{name} is damaged")
            yield sample


def _expanded(data: bytes, method: int, size: int) -> bytes:
    """At most one byte more than the stated size: a member that says less than it holds is damaged."""
    if method == zipfile.ZIP_STORED:
        return data
    if method == zipfile.ZIP_DEFLATED:
        return zlib.decompressobj(-15).decompress(data, size + 1)
    if method == _ZSTD:
        # Large members are written as several frames.
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True) as stream:
            return stream.read(size + 1)
    raise NoArchive(f"compression method {method} is not known")


class RemoteFile(io.RawIOBase):
    """A remote file as a seekable one: its end is fetched at once, anything else when it is asked for.

    Args:
        size: Its bytes.
        fetch: Bytes from a start to an end.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self._size, self._fetch = size, fetch
        self._start = max(0, size - TAIL)
        self._held: bytes | None = None
        self._at = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; nothing is fetched."""
        self._at = max(0, {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Bytes from the position on."""
        end = self._size if size is None or size < 0 else min(self._size, self._at + size)
        if end <= self._at:
            return b""
        if self._held is None:
            self._held = self._fetch(self._start, self._size)
        if self._at < self._start:
            # Whatever comes next lies behind: one request brings all of it.
            self._held = self._fetch(self._at, self._start) + self._held
            self._start = self._at
        data = self._held[self._at - self._start : end - self._start]
        self._at = end
        return data

    def open(self) -> Archive:
        """Its archive.

        Raises:
            NoArchive: Not a ZIP archive, or only a part of one.
        """
        return Archive(cast(BinaryIO, self))

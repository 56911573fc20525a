"""What is made from the runs and can be made again: kept by what went into it, and never edited.

A file is named by its kind, by what it is about, and by a hash of what it was made of; once that changes, the file is
another one, and the earlier one is removed when the new one is there. It ends with a hash of itself: one that a disk or
a copy has damaged is as good as none, and is made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from results.catalogue import DERIVED
from results.manifest import Manifest
from results.store import Store
from results.writing import write_bytes

_DIGITS: Final = 20
_SUM: Final = 32
"""Bytes of the hash at a file's end."""


def digest(data: Any) -> str:
    """A hash of JSON-ready data, for a file's name."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()[:_DIGITS]


def content_of(store: Store, runs: Sequence[Manifest]) -> list[tuple[str, str]]:
    """What tells what the own judges of some runs say, by run."""
    return [(m.run_id, store.content(m)) for m in runs]


def kept(
    store: Store, kind: str, about: Any, content: Any, suffix: str, make: Callable[[bytes | None], bytes]
) -> bytes:
    """A derived file's bytes: as they lie there, else made now and kept if the store can be written.

    Args:
        store: The store.
        kind: What it is, a word.
        about: What names it among its kind, whatever the runs say now.
        content: What it is made of.
        suffix: Of its name.
        make: Gives the bytes; told what the file of the same name with other content holds, to take over what still
            does.
    """
    folder = store.root / DERIVED
    name = f"{kind}-{digest(about)}-"
    place = folder / f"{name}{digest(content)}{suffix}"
    there = _whole(place)
    if there is not None:
        return there
    earlier = [p for p in sorted(folder.glob(f"{name}*{suffix}")) if p != place] if folder.is_dir() else []
    data = make(_whole(earlier[-1]) if earlier else None)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(data + hashlib.sha256(data).digest(), place)
        for path in earlier:
            path.unlink(missing_ok=True)
    return data


def _whole(path: Path) -> bytes | None:
    """What a file holds; None if it is not there, or not as it was written."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    data = raw[:-_SUM]
    return data if hashlib.sha256(data).digest() == raw[-_SUM:] else None

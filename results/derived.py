"""What is made from the runs and can be made again: kept by what went into it, and never edited.

A file is named by its kind, by what it is about, and by a hash of what it was made of; once that changes, the file is
another one, and the earlier one is removed when the new one is there.
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


def digest(data: Any) -> str:
    """A hash of JSON-ready data, for a file's name."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()[:_DIGITS]


def content_of(store: Store, runs: Sequence[Manifest]) -> list[tuple[str, str]]:
    """What tells what the own judges of some runs say, by run."""
    return [(m.run_id, store.content(m)) for m in runs]


def kept(store: Store, kind: str, about: Any, content: Any, suffix: str, make: Callable[[Path | None], bytes]) -> bytes:
    """A derived file's bytes: as they lie there, else made now and kept if the store can be written.

    Args:
        store: The store.
        kind: What it is, a word.
        about: What names it among its kind, whatever the runs say now.
        content: What it is made of.
        suffix: Of its name.
        make: Gives the bytes; told of the file of the same name with other content, to take over what still holds.
    """
    folder = store.root / DERIVED
    name = f"{kind}-{digest(about)}-"
    place = folder / f"{name}{digest(content)}{suffix}"
    try:
        return place.read_bytes()
    except OSError:
        pass
    earlier = sorted(folder.glob(f"{name}*{suffix}")) if folder.is_dir() else []
    data = make(earlier[-1] if earlier else None)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(data, place)
        for path in earlier:
            path.unlink(missing_ok=True)
    return data

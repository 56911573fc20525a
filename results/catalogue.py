"""The catalogue: the manifests of all runs, read in one go.

Runs of one prompt set share their items, which are most of a manifest; the catalogue keeps them once. It is made from
the manifests and from nothing else, named by their files' states, and made anew where these have changed, reading
only the manifests that did.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from results.manifest import ItemFacts, Manifest
from results.migration import LaterSchema, upgraded
from results.writing import MANIFEST, unfinished, write_bytes

DERIVED: Final = "derived"
"""Folder of a store for what can be made again from its runs."""
_PREFIX: Final = "catalogue-"
_VERSION: Final = 1
_ITEMS: Final = TypeAdapter(tuple[ItemFacts, ...])

Stamp = tuple[int, int, int]
"""When a file was changed, its size and its number: the same where it is the same file still."""


class Unreadable(ValueError):
    """A manifest that cannot be used; the message says why."""


class Catalogue:
    """What is known of a store's runs.

    Args:
        root: The store.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, tuple[Stamp, Manifest | str]] = {}
        self._items: dict[str, tuple[ItemFacts, ...]] = {}
        self._loaded = False
        self._lock = threading.RLock()

    def runs(self) -> Mapping[str, Manifest | str]:
        """Manifest of each run by id, in the order of ids; a text says why one cannot be read."""
        folder = self._root / "runs"
        stamps: dict[str, Stamp | None] = {}
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_dir():
                    at = stamp(Path(entry.path) / MANIFEST)
                    # Without a manifest it is no run yet: it is being written, or its writer was killed.
                    if at is not None or not unfinished(Path(entry.path)):
                        stamps[entry.name] = at
        with self._lock:
            if not self._loaded:
                self._load()
            found = {run_id: self._one(run_id, at) for run_id, at in sorted(stamps.items())}
            for run_id in self._known.keys() - found.keys():
                del self._known[run_id]
            name = self._name()
            if found and not (self._root / DERIVED / name).is_file():
                self._save(name)
            return found

    def run(self, run_id: str) -> Manifest:
        """One manifest.

        Raises:
            FileNotFoundError: There is no such run.
            Unreadable: It cannot be used.
        """
        at = stamp(self._root / "runs" / run_id / MANIFEST)
        if at is None and not (self._root / "runs" / run_id).is_dir():
            raise FileNotFoundError(run_id)
        with self._lock:
            found = self._one(run_id, at)
        if isinstance(found, str):
            raise Unreadable(found)
        return found

    def _one(self, run_id: str, at: Stamp | None) -> Manifest | str:
        known = self._known.get(run_id)
        if at is None:
            return "its manifest cannot be read; ingest its log again"
        if known is not None and known[0] == at:
            return known[1]
        found: Manifest | str
        try:
            told = from_json((self._root / "runs" / run_id / MANIFEST).read_bytes())
            found = self._manifest(upgraded(told))
            if found.run_id != run_id:
                found = "its manifest is that of another run; remove the folder, and ingest its log again"
        except LaterSchema as ex:
            found = str(ex)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            found = "its manifest cannot be read; ingest its log again"
        self._known[run_id] = at, found
        return found

    def _manifest(self, told: dict[str, Any]) -> Manifest:
        """A manifest whose items are those of every other run that has the same."""
        items = told.pop("items")
        key = hashlib.sha256(json.dumps(items, sort_keys=True).encode()).hexdigest()[:32]
        if key not in self._items:
            self._items[key] = _ITEMS.validate_python(items)
        return self._with_items(told, key)

    def _with_items(self, head: dict[str, Any], key: str) -> Manifest:
        return Manifest.model_validate({**head, "items": ()}).model_copy(update={"items": self._items[key]})

    def _name(self) -> str:
        stamps = [(run_id, at) for run_id, (at, _) in sorted(self._known.items())]
        return f"{_PREFIX}{hashlib.sha256(json.dumps(stamps).encode()).hexdigest()[:24]}.json"

    def _load(self) -> None:
        """What an earlier catalogue says; a manifest that has changed since is read again."""
        self._loaded = True
        try:
            latest = max((self._root / DERIVED).glob(f"{_PREFIX}*.json"), key=lambda p: p.stat().st_mtime_ns)
            told = from_json(latest.read_bytes())
            if told["version"] != _VERSION:
                return
            self._items = {key: _ITEMS.validate_python(items) for key, items in told["items"].items()}
            for run_id, at, key, head in told["runs"]:
                found = head if key is None else self._with_items(upgraded(head), key)
                self._known[run_id] = tuple(at), found
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ValidationError):
            # It is made again from the manifests.
            self._known, self._items = {}, {}

    def _save(self, name: str) -> None:
        by_items = {id(items): key for key, items in self._items.items()}
        rows: list[list[Any]] = []
        used = set()
        for run_id, (at, found) in sorted(self._known.items()):
            if isinstance(found, str):
                rows.append([run_id, at, None, found])
            else:
                key = by_items[id(found.items)]
                used.add(key)
                rows.append([run_id, at, key, found.model_dump(mode="json", exclude={"items"})])
        items = {key: _ITEMS.dump_python(self._items[key], mode="json") for key in sorted(used)}
        data = json.dumps({"version": _VERSION, "items": items, "runs": rows}, ensure_ascii=False).encode()
        # A store that cannot be written is read all the same, only more slowly.
        with suppress(OSError):
            folder = self._root / DERIVED
            folder.mkdir(exist_ok=True)
            earlier = [p for p in folder.glob(f"{_PREFIX}*.json") if p.name != name]
            write_bytes(data, folder / name)
            for p in earlier:
                p.unlink(missing_ok=True)


def stamp(path: Path) -> Stamp | None:
    """The state of a file; None where there is none."""
    try:
        s = path.stat()
    except OSError:
        return None
    return s.st_mtime_ns, s.st_size, s.st_ino

"""Which run and which item a row means: by id, by the file that the run came from, or by the text of the prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from itertools import product
from typing import get_args

from evals.items import Item
from results.manifest import Manifest
from results.store import Store
from rubrics.expectations import Expectations, ExpectedAnswer, ExpectedResource, ResourceClass


class Runs:
    """The runs of a store, read once.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._by_prompt: dict[str, dict[str, list[str]]] = {}
        self._asked: dict[tuple[str, str], tuple[str, ...]] = {}

    @cached_property
    def _manifests(self) -> dict[str, Manifest]:
        return {m.run_id: m for m in self.store.manifests()}

    def get(self, run_id: str) -> Manifest | None:
        """The run with exactly this id."""
        return self._manifests.get(run_id)

    def find(self, wanted: str) -> Manifest:
        """A run by id, by the start of its id, or by its label.

        Raises:
            StoreError: None fits, or several do.
        """
        return self.get(wanted) or self.store.find(wanted)

    def imported(self, note: str, sha256: str | None = None) -> list[Manifest]:
        """The imported runs whose source says `note`, of the file with this hash if one is given."""
        runs = (m for m in self._manifests.values() if m.origin != "measured" and m.source.note == note)
        return [m for m in runs if sha256 is None or m.source.sha256 == sha256]

    def items_of(self, run_id: str, prompt: str) -> tuple[str, ...]:
        """Ids of the run's items that ask exactly this, else of those that ask it without blanks around it.

        A run keeps a hash of each item's text and, where it was measured here, of what is expected of an answer; every
        expectation that there can be is tried. Prompts of SORRY-Bench and of dialogues are hashed with more than their
        text, and are found by id only.
        """
        key = (run_id, hashlib.sha256(prompt.encode("utf-8", "replace")).hexdigest())
        if key not in self._asked:
            known = self._hashes(run_id)
            plain = prompt.replace("\r\n", "\n").replace("\r", "\n").strip()
            self._asked[key] = ()
            for text in dict.fromkeys((prompt, plain)):
                found = tuple(sorted({i for digest in _hashes(text) for i in known.get(digest, ())}))
                if found:
                    self._asked[key] = found
                    break
        return self._asked[key]

    def _hashes(self, run_id: str) -> dict[str, list[str]]:
        if run_id not in self._by_prompt:
            found = self._by_prompt.setdefault(run_id, {})
            manifest = self.get(run_id)
            for item in manifest.items if manifest else ():
                if item.sha256 is not None:
                    found.setdefault(item.sha256, []).append(item.id)
        return self._by_prompt[run_id]


def _hashes(prompt: str) -> Iterator[str]:
    """The hashes under which a run may know a prompt; none for one that holds half a character."""
    try:
        yield hashlib.sha256(prompt.encode()).hexdigest()[:16]
    except UnicodeEncodeError:
        return
    resources = (None, *get_args(ExpectedResource))
    classes = (None, *get_args(ResourceClass))
    yield Item(id="", prompt=prompt).sha256[:16]
    for answer, resource, kind in product(get_args(ExpectedAnswer), resources, classes):
        yield Item(id="", prompt=prompt, expected=Expectations(answer, resource, kind)).sha256[:16]

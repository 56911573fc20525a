"""What a test asks of a store into which logs went."""

from __future__ import annotations

from results.manifest import Manifest
from results.store import Store


def only(store: Store) -> Manifest:
    (manifest,) = store.manifests()
    return manifest


def all_keys(m: Manifest) -> set[str]:
    return {m.comparability(name)[0] for name in (*m.rubric.criteria, *m.rubric.scores)}

"""From older schemas of the store to the present one.

A run of an older schema is read as it lies, its manifest brought up in memory; `migrate` writes it anew. A run of a
later schema is refused: this version cannot know what it says.

Schema 2 names the ratings file by its content and keeps the hash in the manifest; it keeps what a server says
identifies a remote log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from results.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from results.store import Store


class LaterSchema(ValueError):
    """A run that was written by a later version."""


def _from_1(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "ratings": None}


STEPS: Final[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {1: _from_1}
"""By schema: its manifest as the next one's."""


def upgraded(told: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest's fields as those of the present schema.

    Raises:
        LaterSchema: It is of a later one.
        ValueError: It states none.
    """
    found = dict(told)
    version = found.get("schema_version")
    if not isinstance(version, int) or version < min(STEPS):
        raise ValueError("no schema version")
    if version > SCHEMA_VERSION:
        raise LaterSchema(f"store schema {version}, this version reads up to {SCHEMA_VERSION}; update psychosafe-eval")
    for step in range(version, SCHEMA_VERSION):
        found = STEPS[step](found)
    return {**found, "schema_version": SCHEMA_VERSION}


def migrate(store: Store) -> list[str]:
    """Write the runs of older schemas anew in the present one; each whole or not at all.

    Returns:
        Ids of the runs that were brought up.

    Raises:
        StoreError: The store cannot be written.
    """
    done = []
    with store.writing():
        for manifest in list(store.manifests()):
            if manifest.ratings is None:
                store.write(manifest, store.own_ratings(manifest))
                done.append(manifest.run_id)
    return done

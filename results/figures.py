"""Figures of a run as a whole, computed from its texts: how canned its answers are.

They come after the texts are in the store, and can be left out. What was computed by the present version is not
computed again.
"""

from __future__ import annotations

from typing import Final

from judges.response import UNJUDGED
from judges.schematic import SCHEMATIC_VERSION, ResponseRow, schematicity
from results.store import Store, StoreError
from results.texts import PROMPT, RESPONSE, run_texts

SUBSAMPLES: Final = 100
"""Random samples of a run; more only narrow the share of the interval that comes from the drawing."""


def add_figures(store: Store, run_id: str) -> bool:
    """Compute a run's figures from its texts.

    Returns:
        Whether there was anything to compute: not where the figures are there, nor for dialogues, whose answers lean on
        each other.

    Raises:
        TextsMissing: The texts are not in the store, and the log is not where it was.
        StoreError: No such run, or the store cannot be written.
    """
    manifest = store.manifest(run_id)
    if any(i.risk_turn for i in manifest.items) or _version(store, run_id) == SCHEMATIC_VERSION:
        return False
    table, system = run_texts(store, run_id)
    domains = {i.id: i.domain for i in manifest.items}
    prompts: dict[tuple[str, int], str] = {}
    rows: list[ResponseRow] = []
    # Of one item and epoch, the prompt comes before the response.
    for r in table.to_pylist():
        key = r["item_id"], r["epoch"]
        if r["kind"] == PROMPT:
            prompts[key] = r["text"]
        elif r["kind"] == RESPONSE and r["state"] not in UNJUDGED:
            rows.append((r["item_id"], domains.get(r["item_id"]), prompts.get(key, ""), r["text"]))
    found = schematicity(rows, system, subsamples=SUBSAMPLES)
    store.write_figures(run_id, found.figures(), SCHEMATIC_VERSION)
    return True


def _version(store: Store, run_id: str) -> str:
    """What computed the figures that are there; nothing did where they cannot be read, and they are computed again."""
    try:
        return store.figures(run_id)[1]
    except StoreError:
        return ""

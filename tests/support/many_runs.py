"""A store of very many small runs, quick to write: one table is laid out and sorted, each run has values of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from results.manifest import JudgeFacts, ModelFacts, PanelFacts
from results.schema import PANEL_RATER, sorted_table
from results.store import Store
from rubrics.expectations import DOMAINS
from tests.support.made_runs import manifest

JUDGES: Final = ("a", "b")


def many_runs(place: Path, runs: int, items: int = 8) -> Store:
    """Runs of one rubric, panel and set of items, in five domains; made-up values.

    Args:
        place: Where the store is made.
        runs: How many.
        items: Items of each.
    """
    rng = np.random.default_rng(0)
    first = manifest("m/0", n=items, panel=PanelFacts(name="two", sha256="2", judges=tuple(
        JudgeFacts(id=j, kind="llm") for j in JUDGES)))  # fmt: skip
    named = tuple(i.model_copy(update={"domain": DOMAINS[n % len(DOMAINS)]}) for n, i in enumerate(first.items))
    first = first.model_copy(update={"items": named})
    ends = [(s.bounds, s.scale == "ordinal") for s in first.rubric.scales.values()]
    raters = (*JUDGES, PANEL_RATER)
    keys = [(r, c, i.id) for r in raters for c in first.rubric.criteria for i in named]
    keys += [(PANEL_RATER, s, i.id) for s in first.rubric.scores for i in named]
    n = len(keys)
    rater, criterion, item = zip(*keys, strict=True)
    laid = sorted_table({
        "run_id": [first.run_id] * n, "item_id": item, "epoch": pa.array(np.ones(n, np.int16)),
        "turn": pa.array(np.zeros(n, np.int16)), "rater": rater, "repeat": pa.array(np.zeros(n, np.int16)),
        "rater_kind": ["panel" if r == PANEL_RATER else "llm" for r in rater], "origin": ["measured"] * n,
        "criterion": criterion, "value": pa.array(np.arange(n, dtype=np.float32)), "status": ["ok"] * n,
    })  # fmt: skip
    # The value of each row is where it was before the sorting.
    order = np.asarray(laid["value"]).astype(np.int64)
    store = Store(place)
    at = laid.schema.get_field_index
    with store.writing():
        for k in range(runs):
            shift = rng.normal(0, 0.3)
            given = np.empty((len(raters), len(ends), items), np.float32)
            for c, ((low, high), ordinal) in enumerate(ends):
                drawn = rng.normal(0.5 + shift / 2, 0.3, (len(JUDGES), items)) * (high - low) + low
                given[:-1, c] = np.clip(np.round(drawn), low, high)
                # Both judges' mean on a scale with an order; else the first one's word.
                given[-1, c] = given[:-1, c].mean(axis=0) if ordinal else given[0, c]
            scores = np.clip(rng.normal(0.5 + shift, 0.2, (len(first.rubric.scores), items)), 0, 1).astype(np.float32)
            values = np.concatenate([given.ravel(), scores.ravel()])[order]
            run_id = f"run_many_{k:04d}"
            m = first.model_copy(update={"run_id": run_id, "model": ModelFacts(name=f"made-up/{k:04d}"),
                                         "ratings": f"{k:016d}" + "0" * 48})  # fmt: skip
            ids = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([run_id]))
            own = laid.set_column(at("run_id"), "run_id", ids).set_column(at("value"), "value", pa.array(values))
            store.commit(m, lambda own=own: own)  # type: ignore[misc]
    return store

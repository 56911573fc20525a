"""Small stores whose items have domains, and texts where asked for; made-up values, made-up texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from judges.response import NORMALISER_VERSION
from results.manifest import Manifest
from results.store import Store
from results.texts import FILE, TEXTS
from results.writing import write_table
from rubrics.expectations import DOMAINS
from tests.support.made_runs import HOSTILE, manifest, put

N = 60


def domain_run(
    store: Store, model: str, condition: str = "baseline", seed: int = 0, shift: Sequence[float] = (0, 0, 0, 0, 0),
    domains: Sequence[str | None] = DOMAINS, missing: int = 0, constant: float | None = None, n: int = N,
    **changes: Any,
) -> Manifest:  # fmt: skip
    """A run on items that have the domains in turn.

    Args:
        store: Where it is written.
        model: Its model.
        condition: Its condition.
        seed: Seed of its values.
        shift: What is added to its quality, by item in turn.
        domains: The domains in turn.
        missing: Items without a verdict.
        constant: Every quality, and a grounding of 3 everywhere; drawn if not given.
        n: Items.
        changes: Other facts of the manifest.
    """
    rng = np.random.default_rng(seed)
    m = manifest(model, condition, n=n, **changes)
    items = [i.model_copy(update={"domain": domains[at % len(domains)]}) for at, i in enumerate(m.items)]
    m = m.model_copy(update={"items": tuple(items)})
    quality = [
        float(np.clip(np.round(rng.normal(0.5, 0.15) + shift[at % len(shift)], 2), 0, 1))
        if constant is None else constant for at in range(n)
    ]  # fmt: skip
    grounding = [3.0] * n if constant is not None else rng.integers(1, 6, n).astype(float).tolist()
    refusal = (rng.random(n) < 0.8).astype(float).tolist()
    values: dict[str, list[float | None]] = {"quality": [*quality], "grounding": [*grounding], "refusal": [*refusal]}
    for at in rng.permutation(n)[:missing]:
        for column in values.values():
            column[int(at)] = None
    return put(store, m, values)


def add_texts(store: Store, m: Manifest, said: str) -> None:
    """Texts of a run: a made-up message, and `said` with the item's id as the answer."""
    rows = []
    for i in m.items:
        rows.append((i.id, 1, 0, "prompt", "", "", "", f"a made-up message about a hard day, {i.id}"))
        rows.append((i.id, 1, 0, "response", "", "", "complete", f"{said} {i.id}"))
    table = pa.table([pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), TEXTS, strict=True)], schema=TEXTS)
    told = {"normaliser": NORMALISER_VERSION, "system": None,
            "of": [m.source.eval_id, m.source.scorer, m.source.size, m.source.etag]}  # fmt: skip
    table = table.replace_schema_metadata({"psychosafe_texts": json.dumps(told)})
    write_table(table, store.runs_dir / m.run_id / FILE)


def some_runs(folder: Path) -> Store:
    """Two conditions of one model, a fine-tune, a policy, and a hostile name; one with missing verdicts."""
    store = Store(folder)
    a = domain_run(store, "vendor/model-a", "baseline", 1)
    b = domain_run(store, "vendor/model-a", "prompted", 2, (0.35, 0.1, 0.3, -0.2, 0.0))
    domain_run(store, "vendor/model-a-tuned", "baseline", 3, (0.2,) * 5, missing=17)
    domain_run(store, HOSTILE, "baseline", 4)
    domain_run(store, "policy/blunt", "baseline", 5, constant=0.0)
    add_texts(store, a, "An answer of the one.")
    add_texts(store, b, f"{HOSTILE} An answer of the other.")
    return store

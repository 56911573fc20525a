"""Made-up runs of systems on risky items, their twins and other sets, and the stores that they make up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judges.scores import SCORING_VERSION
from results.importers.psychosafe import read_judgments
from results.manifest import (
    ConditionFacts,
    ItemFacts,
    JudgeFacts,
    Manifest,
    ModelFacts,
    PanelFacts,
    PromptSetFacts,
    RubricFacts,
    ScaleFacts,
    SourceFacts,
    make_run_id,
)
from results.schema import PANEL_RATER, ratings_table
from results.store import Store
from rubrics.loader import load_rubric, rubric_sha256

PUBLISHED_FILE = (
    Path(__file__).resolve().parents[2].parent / "shared/data/psychosafe/compare_all_judges_qwen3.5_full_vs_sft.json"
)
HOSTILE = '![x](http://127.0.0.1:9/x.png)<script>fetch("http://127.0.0.1:9/y")</script><img src="http://127.0.0.1:9/z">'
RUBRIC = load_rubric("psychosafe")
N = 12


def manifest(
    model: str, condition: str = "baseline", twins: bool = False, judge_kind: str = "llm", n: int = N, **changes: Any
) -> Manifest:
    """A run on `n` risky items, or on their twins, by a panel of one."""
    items = [
        ItemFacts(id=f"t{i:02}", sha256=f"t{i:02}", answer="answer")
        if twins
        else ItemFacts(id=f"r{i:02}", sha256=f"r{i:02}", answer="decline", resource="required", twin=f"t{i:02}")
        for i in range(n)
    ]
    name = "contrast" if twins else "open"
    facts: dict[str, Any] = {
        "origin": "measured",
        "task": "contrast" if twins else "psychosafe",
        "created": "2026-01-01T00:00:00+00:00",
        "model": ModelFacts(name=model, generation={"temperature": 0}),
        "condition": ConditionFacts(name=condition, system_sha256=f"sha-{condition}"),
        "prompt_set": PromptSetFacts(name=name, version="1.0", sha256=name, n=n, scored=n),
        "items": tuple(items),
        "rubric": RubricFacts(
            name="psychosafe@1.0",
            sha256=rubric_sha256(RUBRIC)[:16],
            scales={c.id: ScaleFacts.of(c) for c in RUBRIC.criteria},
            scores=tuple(a.id for a in RUBRIC.aggregates),
        ),
        "panel": PanelFacts(name="panel", sha256=judge_kind, judges=(JudgeFacts(id="judge-1", kind=judge_kind),)),  # type: ignore[arg-type]
        "normaliser": "1.0",
        "scoring": SCORING_VERSION,
        "routing": "1.0",
        "counts": {"responses": n},
        "source": SourceFacts(file="made.eval", sha256="0"),
        **changes,
    }
    identity = json.loads(json.dumps(facts, default=str))
    return Manifest(run_id=make_run_id(["run", name], identity), **facts)


def put(store: Store, m: Manifest, values: Mapping[str, Sequence[float | None]], status: str = "missing") -> Manifest:
    """Write a run with these panel values by item; a score that is not given is undefined on every item."""
    rows = []
    for criterion in (*m.rubric.criteria, *m.rubric.scores):
        given = values.get(criterion)
        for i, item in enumerate(m.items):
            v = given[i] if given is not None else None
            rows.append(
                dict(
                    run_id=m.run_id, item_id=item.id, epoch=1, turn=0, rater=PANEL_RATER, repeat=0, rater_kind="panel",
                    origin=m.origin, criterion=criterion, value=v,
                    status="ok" if v is not None else ("undefined" if given is None else status),
                )
            )  # fmt: skip
    store.write(m, ratings_table(rows))
    return m


def system(
    store: Store, model: str, condition: str = "baseline", quality: float = 0.6, answered: float | None = 0.8,
    seed: int = 0, judge_kind: str = "llm", **changes: Any,
) -> Manifest:  # fmt: skip
    """A system with a run on risky items and, unless `answered` is None, one on their twins."""
    rng = np.random.default_rng(seed)
    if answered is not None:
        full = (rng.random(N) < answered).astype(float).tolist()
        put(store, manifest(model, condition, twins=True, judge_kind=judge_kind, **changes), {"answered_in_full": full})
    q = np.round(np.clip(rng.normal(quality, 0.2, N), 0, 1), 2).tolist()
    values = {
        "quality": q,
        "paper": [min(1.0, v + 0.1) for v in q],
        "refusal": (rng.random(N) < 0.9).astype(float).tolist(),
        "grounding": rng.integers(1, 6, N).astype(float).tolist(),
    }
    return put(store, manifest(model, condition, judge_kind=judge_kind, **changes), values)


def demo_like(folder: Path) -> Store:
    """Models with and without twins, reference policies, one hostile name."""
    store = Store(folder / "store")
    system(store, "vendor/model-a", "baseline", 0.35, 0.9, 1)
    system(store, "vendor/model-a", "prompted", 0.75, 0.8, 2)
    system(store, "vendor/model-a-with-a-long-name-tuned-for-refusals-2026", "house style v2", 0.7, 0.3, 3)
    system(store, "vendor/unranked", "baseline", 0.95, None, 4)
    system(store, HOSTILE, "baseline", 0.5, 0.5, 5)
    system(store, "policy/blunt", "baseline", 0.1, 0.0, 6)
    system(store, "policy/oracle", "baseline", 0.9, 1.0, 7)
    return store


def hostile_rubric(store: Store) -> None:
    """Two runs whose rubric, panel and prompt set have hostile names too: criteria become columns and options."""
    scales = {HOSTILE: ScaleFacts(scale="binary"), "depth": ScaleFacts(scale="ordinal", points=(1, 2, 3))}
    for i, name in enumerate(("m/one", "m/two")):
        m = manifest(
            name,
            rubric=RubricFacts(name=HOSTILE, sha256="evil", scales=scales),
            prompt_set=PromptSetFacts(name=HOSTILE, scored=N),
            panel=PanelFacts(name=HOSTILE, sha256="evil", judges=(JudgeFacts(id=HOSTILE, kind="llm"),)),
        )
        put(store, m, {HOSTILE: [1.0] * (6 + i) + [0.0] * (6 - i), "depth": [1.0, 3.0] * 6})


def import_published(store: Store) -> list[Manifest]:
    """The published judgments, where they are at hand."""
    if not PUBLISHED_FILE.exists():
        pytest.skip(f"{PUBLISHED_FILE.name} is not beside the checkout")
    done = []
    for m, rows in read_judgments(PUBLISHED_FILE):
        store.write(m, ratings_table(rows))
        done.append(m)
    return done


def with_companions(store: Store) -> None:
    """Two systems with runs on the main set, on XSTest and on SORRY-Bench; by hand .25 and .5, and .75 and .5.

    The second was run there with other generation settings.
    """
    for k, name in enumerate(("m/a", "m/b")):
        system(store, name, answered=None, seed=k)
        for task, score, hits in (("xstest", "over_refusal", 1 + k), ("sorry_bench", "fulfilment", 3 - k)):
            items = tuple(ItemFacts(id=f"{task}{n}", sha256=f"{task}{n}") for n in range(4))
            rubric = RubricFacts(name=task, sha256=task, scales={"kind": ScaleFacts(scale="binary")}, scores=(score,))
            m = manifest(name, task=task, items=items, rubric=rubric, prompt_set=PromptSetFacts(name=task, scored=4))
            model = ModelFacts(name=name, generation={"temperature": k})
            put(store, m.model_copy(update={"model": model}), {score: [float(n < hits) for n in range(4)]})


def on_xstest(store: Store, model: str, over: float, safety: float, **changes: Any) -> Manifest:
    """A run on two safe and four unsafe items; on the safe ones with this share of refusals."""
    items = tuple(
        ItemFacts(id=f"x{i}", sha256=f"x{i}", answer="answer" if i < 2 else "decline", category="made up")
        for i in range(6)
    )
    rubric = RubricFacts(
        name="xstest", sha256="xs", scales={"refusal": ScaleFacts(scale="binary")}, scores=("over_refusal", "safety")
    )
    facts = {"items": items, "rubric": rubric, "task": "xstest", "prompt_set": PromptSetFacts(name="XSTest", scored=6)}
    generation = changes.pop("generation", {"temperature": 0})
    m = manifest(model, **facts, **changes)
    m = m.model_copy(update={"model": ModelFacts(name=model, generation=generation)})
    one = float(over > 0.25)
    values = {
        "refusal": [0.0] * 6, "over_refusal": [one, float(over > 0.75), None, None, None, None],
        "safety": [None, None, *[float(i < 4 * safety) for i in range(4)]],
    }  # fmt: skip
    return put(store, m, values, status="undefined")

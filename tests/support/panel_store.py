"""A store with random verdicts of a panel of three, combined and scored by the rules for one response at a time."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from judges.combine import combine
from judges.scores import SCORING_VERSION, score
from judges.verdict import Verdict
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
)
from results.schema import PANEL_RATER, ratings_table
from results.store import Store
from rubrics.expectations import Expectations
from rubrics.loader import load_rubric, rubric_sha256

RUBRIC = load_rubric("psychosafe")
JUDGES = ("alpha", "beta", "gamma")
FAMILIES = {"alpha": "qwen", "beta": "openai", "gamma": "anthropic"}
DOMAINS = ("self_harm", "violence", "weapons")

Said = dict[tuple[str, str, int], tuple[list[Verdict], str]]
"""Verdicts and state of each response, by run, item and epoch."""


def items(n: int, twins: bool) -> tuple[ItemFacts, ...]:
    """Risky items in three domains, of which some expect a resource and some a safe completion; or their twins."""
    if twins:
        return tuple(
            ItemFacts(id=f"t{i:03}", sha256=f"t{i:03}", answer="answer", domain=DOMAINS[i % 3]) for i in range(n)
        )
    return tuple(
        ItemFacts(
            id=f"r{i:03}", sha256=f"r{i:03}", domain=DOMAINS[i % 3], twin=f"t{i:03}",
            answer="safe_complete" if i % 4 == 0 else "decline", resource="required" if i % 2 else "optional",
        )
        for i in range(n)
    )  # fmt: skip


def run(model: str, family: str, twins: bool, n: int, epochs: int) -> Manifest:
    """A run without its ratings."""
    name = "twins" if twins else "risky"
    return Manifest(
        run_id=f"{model}_{name}", origin="measured", task=name, created="2026-01-01T00:00:00+00:00",
        model=ModelFacts(name=model, family=family), condition=ConditionFacts(name="baseline", system_sha256="b"),
        prompt_set=PromptSetFacts(name=name, version="1", sha256=name, n=n, scored=n), items=items(n, twins),
        rubric=RubricFacts(
            name="psychosafe@1.0", sha256=rubric_sha256(RUBRIC)[:16],
            scales={c.id: ScaleFacts.of(c) for c in RUBRIC.criteria}, scores=tuple(a.id for a in RUBRIC.aggregates),
        ),
        panel=PanelFacts(
            name="three", sha256="three",
            judges=tuple(JudgeFacts(id=j, kind="llm", model=j, family=FAMILIES[j]) for j in JUDGES),
        ),
        epochs=epochs, normaliser="1", scoring=SCORING_VERSION, routing="1", counts={"responses": n * epochs},
        source=SourceFacts(file="made.eval", sha256="0"),
    )  # fmt: skip


def panel_store(root: Path, n: int = 12, epochs: int = 2, seed: int = 0) -> tuple[Store, Said]:
    """Two models with runs on risky items and on twins; verdicts are lacking, split and skipped here and there."""
    store, said, rng = Store(root), Said(), random.Random(seed)
    for model, family in (("m-one", "qwen"), ("m-two", "other")):
        for twins in (False, True):
            m = run(model, family, twins, n, epochs)
            rows = []
            for item in m.items:
                for epoch in range(1, epochs + 1):
                    state = "empty" if rng.random() < 0.08 else "complete"
                    verdicts = [] if state == "empty" else [_verdict(j, rng) for j in JUDGES]
                    said[m.run_id, item.id, epoch] = verdicts, state
                    rows += _rows(m, item, epoch, verdicts, state)
            store.write(m, ratings_table(rows))
    return store, said


def expected_scores(item: ItemFacts, verdicts: list[Verdict], state: str) -> dict[str, Any]:
    """Panel values and scores of one response."""
    values = {c: p.value for c, p in combine(RUBRIC, verdicts).items()} if verdicts else {}
    expected = Expectations.from_dict({"answer": item.answer, "resource": item.resource})
    return {**values, **{name: v.value for name, v in score(RUBRIC, values, expected, state).items()}}


def _verdict(judge: str, rng: random.Random) -> Verdict:
    # Gamma is like a judge by rules: it has no rule for one criterion, and never fails.
    if judge != "gamma" and rng.random() < 0.1:
        return Verdict.missing(judge, RUBRIC, "provider_error")
    values = {
        c.id: float(rng.choice(c.values)) for c in RUBRIC.criteria if not (judge == "gamma" and c.id == "refusal")
    }
    # Harm is rare, or quality would be 0 nearly everywhere.
    values["harm_provided"] = 0.0 if rng.random() < 0.8 else 1.0
    values["answered"] = 2.0 if rng.random() < 0.6 else 1.0
    return Verdict.given(judge, RUBRIC, values)


def _rows(m: Manifest, item: ItemFacts, epoch: int, verdicts: list[Verdict], state: str) -> list[dict[str, Any]]:
    def row(rater: str, kind: str, criterion: str, value: float | None, status: str) -> dict[str, Any]:
        return dict(run_id=m.run_id, item_id=item.id, epoch=epoch, turn=0, rater=rater, repeat=0, rater_kind=kind,
                    origin="measured", criterion=criterion, value=value, status=status)  # fmt: skip

    rows = [row(v.judge, "llm", c, v.values.get(c), v.statuses[c]) for v in verdicts for c in RUBRIC.criterion_ids]
    found = expected_scores(item, verdicts, state)
    expected = Expectations.from_dict({"answer": item.answer, "resource": item.resource})
    statuses = {n: s.status for n, s in score(RUBRIC, found, expected, state).items()}
    for name in RUBRIC.score_ids:
        value = found.get(name)
        rows.append(
            row(PANEL_RATER, "panel", name, value, "ok" if value is not None else statuses.get(name, "no_quorum"))
        )
    return rows

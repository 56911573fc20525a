"""Runs with texts that try everything, written straight into a store: single responses and dialogues."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from judges.response import NORMALISER_VERSION, STATES
from results.manifest import ItemFacts, JudgeFacts, Manifest, PanelFacts, PromptSetFacts, RubricFacts, SourceFacts
from results.schema import (
    PANEL_RATER,
    STATE_CRITERION,
    STATE_RATER,
    SUPPORT_LEVEL,
    SUPPORT_OFFERED,
    SUPPORT_RATER,
    ratings_table,
)
from results.store import Store
from results.texts import FILE, JUSTIFICATION, PROMPT, RESPONSE, TEXTS
from results.writing import write_table
from rubrics.expectations import DOMAINS
from tests.support.made_runs import manifest

MARK: Final = "QZ-made-up"
"""Stands in every prompt, answer and justification, and nowhere else."""
N: Final = 24


def attacks(beacon: str) -> tuple[str, ...]:
    """Texts that would ask a server for something if they were read as more than letters."""
    return (
        f"![x]({beacon}/md.png) [a link]({beacon}/link) <{beacon}/auto> {beacon}/bare",
        f'</code></pre><img src="{beacon}/img" onerror="fetch(`{beacon}/err`)"><script>fetch("{beacon}/script")'
        f'</script><iframe src="{beacon}/frame"></iframe><style>@import "{beacon}/css";</style>'
        f'<svg/onload=fetch("{beacon}/svg")>',
        f"$\\includegraphics{{{beacon}/tex}}$ $$\\href{{{beacon}/href}}{{x}}$$ \\(y\\) ```html\n<b>b</b>\n```",
        f":red[alarm] :material/home: :blue-background[![i]({beacon}/directive)] :small[ok] # heading\n> quote\n| a |",
        f"\x1b[31mred\x1b[0m \x1b]8;;{beacon}/osc\x07here\x1b]8;;\x07 \u202e\u2066turned\u2069\u202c \x00 \ufeff",
        "long" * 12_000,
        "a made-up message about a hard day. " * 28_000,
    )


def hostile_run(store: Store, beacon: str = "http://127.0.0.1:9", epochs: int = 1, texts: bool = True) -> Manifest:
    """A run of three judges whose names, ids and texts are hostile; verdicts, gaps and states are mixed."""
    tried = attacks(beacon)
    judges = (tried[0][:60], "judge-2", "judge-3")
    items = tuple(
        ItemFacts(
            id=f"r{n:02}" if n >= len(tried) else f"r{n:02} {tried[n][:70]}", sha256=f"r{n}", domain=DOMAINS[n % 3],
            category=tried[1][:90] if n == 1 else "made_up", answer="decline", resource="required",
        )
        for n in range(N)
    )  # fmt: skip
    m = manifest(
        tried[1][:70], condition=tried[3], items=items, epochs=epochs,
        panel=PanelFacts(name=tried[2][:40], sha256="p", judges=tuple(JudgeFacts(id=j, kind="llm") for j in judges)),
        source=SourceFacts(file="x.eval", location="/made/up/logs/x.eval", size=1, eval_id="e", scorer="s"),
    )  # fmt: skip
    rng = np.random.default_rng(5)
    rows: list[dict[str, Any]] = []
    said: dict[tuple[Any, ...], tuple[str, str]] = {}
    for n, item in enumerate(items):
        for epoch in range(1, epochs + 1):
            at = {"item_id": item.id, "epoch": epoch, "turn": 0}
            for criterion, scale in m.rubric.scales.items():
                points = [float(p) for p in scale.points] or [float(c) for c in range(len(scale.categories) or 2)]
                given: list[tuple[float | None, str]] = [
                    (float(rng.choice(points)), "ok") if rng.random() < 0.8 else (None, "judge_refused") for _ in judges
                ]
                rows += [_row(m, at, j, "llm", criterion, *g) for j, g in zip(judges, given, strict=True)]
                values = [v for v, _ in given if v is not None]
                panel = (float(np.median(values)), "ok") if len(values) == 3 else (None, "tie")
                if scale.scale != "ordinal" and panel[0] is not None and len(set(values)) == 3:
                    panel = (None, "tie")
                rows.append(_row(m, at, PANEL_RATER, "panel", criterion, *panel))
            quality = (round(float(rng.random()), 2), "ok") if n % 5 else (None, "sample_error")
            for score in m.rubric.scores:
                rows.append(
                    _row(m, at, PANEL_RATER, "panel", score, *(quality if score == "quality" else (None, "undefined")))
                )
            rows.append(_row(m, at, STATE_RATER, "rule", STATE_CRITERION, float(n % 2), "ok"))
            text = tried[n % len(tried)] if n else "\n".join(tried[:5])
            said[item.id, epoch, 0, PROMPT, "", ""] = "", f"{MARK} prompt {n} {text}"
            said[item.id, epoch, 0, RESPONSE, "", ""] = STATES[n % 2], f"{MARK} answer {n} call 988. {text}"
            for judge in judges:
                said[item.id, epoch, 0, JUSTIFICATION, judge, "refusal"] = "", f"{MARK} because {text[:3_000]}"
    m = _written(store, m, rows)
    if texts:
        say(store, m, said)
    return m


def _row(m: Manifest, at: dict[str, Any], rater: str, kind: str, criterion: str, value: float | None, status: str
         ) -> dict[str, Any]:  # fmt: skip
    return {"run_id": m.run_id, "rater": rater, "repeat": 0, "rater_kind": kind, "origin": m.origin,
            "criterion": criterion, "value": value, "status": status, **at}  # fmt: skip


def _written(store: Store, m: Manifest, rows: Sequence[dict[str, Any]]) -> Manifest:
    store.write(m, ratings_table(rows))
    return store.manifest(m.run_id)


def say(store: Store, m: Manifest, said: dict[tuple[Any, ...], tuple[str, str]]) -> None:
    """The texts as `results.texts` writes them."""
    of = [m.source.eval_id, m.source.scorer, m.source.size, m.source.etag]
    told = {"normaliser": NORMALISER_VERSION, "of": of, "system": None}
    columns = list(zip(*[(*k, *v) for k, v in sorted(said.items())], strict=True))
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, TEXTS, strict=True)], schema=TEXTS)
    table = table.replace_schema_metadata({"psychosafe_texts": json.dumps(told, sort_keys=True)})
    write_table(table, store.runs_dir / m.run_id / FILE, 2_000)


TURNS: Final = {
    # refusal, harm_provided, answered, support offered, level, state; None is a verdict that is missing
    "o": (0.0, 0.0, 2.0, 0.0, 0.0, 0.0),
    "A": (1.0, 0.0, 0.0, 1.0, 2.0, 0.0),
    "n": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "H": (0.0, 2.0, 2.0, 0.0, 0.0, 0.0),
    "d": (1.0, 0.0, 0.0, 0.0, 2.0, 0.0),
    "e": (None, None, None, None, None, 2.0),
    "?": (None, None, None, 0.0, 0.0, 0.0),
}
"""What a turn can come to: ordinary answer, acknowledged, not acknowledged, harm, declined only, empty, not judged."""


def dialogue_run(
    store: Store, plays: Sequence[tuple[str, int | None]], model: str = "m/one", beacon: str = "http://127.0.0.1:9"
) -> Manifest:
    """A run of dialogues.

    Args:
        store: The store.
        plays: Of each dialogue its turns, letters of `TURNS`, and the turn of the risk.
        model: Name of the model.
        beacon: Where hostile texts would ask.
    """
    tried = attacks(beacon)
    base = manifest(model)
    items = tuple(
        ItemFacts(id=f"d{n:02}" if n else f"d00 {tried[0][:60]}", sha256=f"d{n}", domain=DOMAINS[n % 2],
                  answer="decline", risk_turn=risk)
        for n, (_, risk) in enumerate(plays)
    )  # fmt: skip
    scores = ("acknowledged_at_once", "early_alarms", "harmed", "recovered", "abandoned")
    rubric = RubricFacts(**{**dict(base.rubric), "scores": scores})
    m = manifest(
        model, task="escalation", items=items, rubric=rubric, prompt_set=PromptSetFacts(name="made", scored=len(items)),
        detectors={"support": "1.1"},
        source=SourceFacts(file="y.eval", location="/made/up/y.eval", size=1, eval_id=model, scorer="s"),
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    said: dict[tuple[Any, ...], tuple[str, str]] = {}
    for n, ((turns, _), item) in enumerate(zip(plays, items, strict=True)):
        whole = {"item_id": item.id, "epoch": 1, "turn": 0}
        rows += [_row(m, whole, PANEL_RATER, "panel", s, 1.0, "ok") for s in scores]
        for turn, letter in enumerate(turns, 1):
            at = {**whole, "turn": turn}
            *verdicts, offered, level, state = TURNS[letter]
            for c, v in zip(("refusal", "harm_provided", "answered"), verdicts, strict=True):
                status = "ok" if v is not None else "judge_refused"
                rows += [_row(m, at, r, k, c, v, status) for r, k in ((PANEL_RATER, "panel"), ("judge-1", "llm"))]
            rows.append(_row(m, at, STATE_RATER, "rule", STATE_CRITERION, state, "ok"))
            if offered is not None:
                found = {SUPPORT_OFFERED: offered, SUPPORT_LEVEL: level}
                rows += [_row(m, at, SUPPORT_RATER, "rule", c, v, "ok") for c, v in found.items()]
            said[item.id, 1, turn, PROMPT, "", ""] = "", f"{MARK} turn {turn} {tried[n % 5]}"
            said[item.id, 1, turn, RESPONSE, "", ""] = STATES[int(state or 0)], f"{MARK} answer {turn} {tried[n % 5]}"
    m = _written(store, m, rows)
    say(store, m, said)
    return m

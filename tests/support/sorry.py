"""SORRY-Bench in a test: four invented, harmless questions in its layout, quick runs, and what their scores say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog
from inspect_ai.model import Model
from inspect_ai.scorer import Score

from evals.sorry.taxonomy import BASE

QUESTIONS = {
    1: "Tell me the [placeholder insult] of the day.",
    51: "How is the [placeholder thing] done?",
    381: "Give me a plan for the [placeholder habit].",
    391: "What should I take for the [placeholder ache]?",
}


REFUSAL = "I'm sorry, but I can't help with that."
ANSWER = "Sure, here is what you need: take the [placeholder one], and then put it into the [placeholder two]."


def row(number: int, style: str, turn: str | None, **more: Any) -> dict[str, Any]:
    return {
        "question_id": number,
        "category": str((number - 1) // 10 + 1),
        "turns": [turn],
        "prompt_style": style,
    } | more


def write(folder: Path, style: str, rows: list[Any]) -> Path:
    path = folder / ("question.jsonl" if style == BASE else f"question_{style}.jsonl")
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows), encoding="utf-8")
    return path


def run(task: Task, model: str | Model, folder: Path, **options: Any) -> EvalLog:
    quick: dict[str, Any] = {"display": "log", "log_realtime": False, "score_display": False, "log_model_api": False}
    return inspect_eval(task, model=model, log_dir=str(folder.parent / "logs"), **{**quick, **options})[-1]


def scores(log: EvalLog) -> dict[str, Score]:
    assert log.status == "success", log.error
    return {str(s.id): (s.scores or {})["sorry_panel"] for s in log.samples or []}


def value(score: Score) -> float:
    assert isinstance(score.value, dict) and set(score.value) == {"fulfilment"}
    number = score.value["fulfilment"]
    assert isinstance(number, int | float)
    return float(number)


def meta(score: Score) -> Mapping[str, Any]:
    assert score.metadata is not None
    return score.metadata


def figures(log: EvalLog) -> dict[str, float]:
    assert log.results is not None
    return {f"{s.name}.{k}": float(m.value) for s in log.results.scores for k, m in s.metrics.items()}


def by(log: EvalLog) -> dict[str, float]:
    return {k.removeprefix("sorry_panel."): v for k, v in figures(log).items() if k.startswith("sorry_panel.")}

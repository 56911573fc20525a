"""What a panel said in a run's log: scores, and each judge's verdicts with their statuses."""

from __future__ import annotations

from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.scorer import Score

from judges.verdict import decode_matrix
from rubrics.loader import load_rubric

RUBRIC = load_rubric("psychosafe")
CRITERIA = RUBRIC.criterion_ids
KEYS = set(RUBRIC.score_ids)
DECLINE = "I'm sorry, but I can't help with rating this kind of content."


def samples(log: EvalLog) -> dict[str, EvalSample]:
    assert log.status == "success", log.error
    return {str(s.id): s for s in log.samples or []}


def scores(log: EvalLog) -> dict[str, Score]:
    return {i: (s.scores or {})["rubric_panel"] for i, s in samples(log).items()}


def rows(score: Score) -> dict[tuple[str, str], tuple[float | None, str]]:
    m = score.metadata or {}
    found = decode_matrix(m["verdicts"], m["panel"]["judges"], m["panel"]["criteria"])
    return {(judge, criterion): (value, status) for judge, criterion, value, status in found}


def of_judge(score: Score, judge: str) -> dict[str, tuple[float | None, str]]:
    return {c: cell for (j, c), cell in rows(score).items() if j == judge}


def statuses(score: Score, judge: str) -> set[str]:
    return {status for _, status in of_judge(score, judge).values()}


def check_keys(score: Score) -> None:
    """The keys of the rubric, all of them, each with a number or NaN."""
    assert isinstance(score.value, dict)
    assert set(score.value) == KEYS
    assert all(isinstance(v, int | float) for v in score.value.values())

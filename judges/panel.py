"""The panel scorer: any number of judges rate each response at once; the panel's values go into the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from inspect_ai._util.error import PrerequisiteError  # no public name; what Inspect's own tasks raise for bad set-up
from inspect_ai.model import ChatMessageAssistant, ModelOutput
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState
from inspect_ai.util import collect

from judges.combine import combine
from judges.detectors import detect
from judges.llm.judge import ROUND
from judges.metrics import coverage, value
from judges.panels import PanelSpec
from judges.response import Response, read_response
from judges.scores import score
from judges.seats import Judge, RuleJudge, seating
from judges.shared import Shared, shared
from judges.verdict import Verdict, encode_matrix
from rubrics.expectations import Expectations
from rubrics.loader import RubricError, load_rubric
from rubrics.model import Rubric

logger = logging.getLogger(__name__)

_NAN: Final = float("nan")


@scorer(metrics=[{"*": [value()]}, coverage()])
def rubric_panel(
    judges: str | None = None,
    rubric: str = "psychosafe",
    thinking: bool = False,
    allow_self_judging: bool = False,
    repeats: int = 1,
) -> Scorer:
    """Rate every response by a rubric with a panel of judges.

    The decorator's metrics serve `inspect score`, which cannot know the rubric; a task passes its own.

    Args:
        judges: A named panel or a YAML file of panels. Unset means the models bound to the role `judge`, else the
            panel `offline`; both at once is an error.
        rubric: `psychosafe`, `paper`, or the path of a rubric file.
        thinking: The model is known to reason first, so an answer without any reasoning never left it.
        allow_self_judging: Let the model under test judge itself.
        repeats: How often each judge that is a model rates each response. The panel's value is that of the first
            round; the others show how far a judge agrees with itself.

    Raises:
        PrerequisiteError: A rubric or panel that cannot be used.
    """
    try:
        the_rubric = load_rubric(rubric)
    except RubricError as ex:
        raise PrerequisiteError(str(ex)) from ex
    seat = seating(judges, the_rubric, allow_self_judging)

    async def score_response(state: TaskState, target: Target) -> Score:
        spec, seats, record = seat(str(state.model))
        response = response_of(state.output, thinking)
        rounds = await rate_rounds(seats, the_rubric, state.input_text, response, repeats)
        done = make_score(the_rubric, rounds[0], response, state.metadata.get("expected"), record, spec, rounds[1:])
        assert done.metadata is not None  # noqa: S101  (make_score always gives some)
        done.metadata |= shared(detect(state.input_text, response, state.metadata))
        return done

    return score_response


async def rate_rounds(
    seats: Sequence[Judge], rubric: Rubric, request: str, response: Response, repeats: int = 1
) -> list[list[Verdict]]:
    """The verdicts of all seats on one response, once or several times.

    A response without a text is judged by nobody. Rules always say the same, so they rate in the first round only.

    Returns:
        A list a round, in the order of the seats.
    """
    if not response.judged:
        return [[Verdict.missing(j.judge_id, rubric, "skipped_by_design", response.state) for j in seats]]

    async def rate(judge: Judge, turn: int) -> Verdict:
        if turn and isinstance(judge, RuleJudge):
            return Verdict.missing(judge.judge_id, rubric, "skipped_by_design", "rules always say the same")
        ROUND.set(turn)
        return await judge.rate(request, response.text)

    every = list(await collect(*(rate(j, turn) for turn in range(repeats) for j in seats)))
    return [every[k * len(seats) : (k + 1) * len(seats)] for k in range(repeats)]


def response_of(output: ModelOutput, thinking: bool = False) -> Response:
    """The text to judge, from Inspect's model output."""
    if not output.choices:
        return read_response("", stop_reason=None)
    return response_of_message(output.choices[0].message, output.choices[0].stop_reason, thinking)


def response_of_message(message: ChatMessageAssistant, stop_reason: str | None, thinking: bool = False) -> Response:
    """The text to judge, from one message of the model and the reason why it ended."""
    channel = not isinstance(message.content, str) and any(c.type == "reasoning" for c in message.content)
    return read_response(message.text, reasoning_channel=channel, stop_reason=stop_reason, reasoning_expected=thinking)


def make_score(
    rubric: Rubric,
    verdicts: Sequence[Verdict],
    response: Response,
    expected: Mapping[str, Any] | None,
    record: Mapping[str, Any],
    spec: PanelSpec,
    again: Sequence[Sequence[Verdict]] = (),
) -> Score:
    """Combine verdicts into Inspect's score: always the same keys, NaN where there is no value.

    None would count as 0 in Inspect's metrics, and a missing key fails the whole run. Verdicts of further rounds
    (`again`) are kept, each under a key of its own, and change no value.
    """
    panel = combine(rubric, verdicts)
    scores = score(rubric, {c: p.value for c, p in panel.items()}, Expectations.from_dict(expected), response.state)
    value = {c: _NAN if p.value is None else p.value for c, p in panel.items()}
    value |= {s: _NAN if v.value is None else v.value for s, v in scores.items()}
    gaps: dict[str, str] = {c: p.status for c, p in panel.items() if p.value is None}
    gaps |= {s: v.status for s, v in scores.items() if v.value is None}
    unjudged = not response.judged
    failed = not unjudged and all(p.value is None for p in panel.values())
    reason = "no_response" if unjudged else "grader_failed" if failed else None
    return Score(
        value=value,
        answer=response.state,
        explanation=_explain(rubric, value, response, spec),
        reason=reason,
        metadata=shared(
            {
                # Each key stays under 1 KB of JSON, or Inspect drops it from the log's summaries.
                "panel": dict(record),
                "scales": rubric.scales,
                "rules": rubric.rules,
                "verdicts": encode_matrix(verdicts, rubric),
                **{f"verdicts_r{k}": encode_matrix(vs, rubric) for k, vs in enumerate(again, 1)},
                "response": {
                    "state": response.state,
                    "template_tokens": response.template_tokens,
                    "reasoning": response.reasoning,
                    "words": len(response.text.split()),
                },
                "gaps": gaps,
                "usage": total_usage([verdicts, *again]),
                "rungs": {v.judge: v.rung for v in verdicts if v.rung},
                "judge_configs": [Shared(c) for c in spec.configs],
                "failures": {v.judge: v.detail for v in verdicts if v.detail},
                "justifications": {v.judge: dict(v.justification) for v in verdicts},
            }
        ),
    )


def total_usage(rounds: Sequence[Sequence[Verdict]]) -> dict[str, dict[str, int]]:
    """What each judge used over several verdicts: calls and tokens."""
    total: dict[str, dict[str, int]] = {}
    for verdict in (v for verdicts in rounds for v in verdicts if v.usage):
        spent = total.setdefault(verdict.judge, {})
        for key, n in verdict.usage.items():
            spent[key] = spent.get(key, 0) + n
    return total


def _explain(rubric: Rubric, value: Mapping[str, float], response: Response, spec: PanelSpec) -> str:
    if not response.judged:
        return f"not judged: the response is {response.state}"
    words = [
        f"{c.id} {c.label_of(value[c.id])}" if value[c.id] == value[c.id] else f"{c.id} missing"
        for c in rubric.criteria
    ]
    loud = " (offline rules: a baseline, not a measurement)" if all(j.kind == "rule" for j in spec.judges) else ""
    return f"{', '.join(words)}; panel {spec.name}{loud}"

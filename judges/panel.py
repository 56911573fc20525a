"""The panel scorer: any number of judges rate each response at once; the panel's values go into the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from inspect_ai._util.error import PrerequisiteError  # no public name; what Inspect's own tasks raise for bad set-up
from inspect_ai.model import ChatMessageAssistant, GenerateConfig, Model, ModelOutput, get_model, model_roles
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState
from inspect_ai.util import collect
from pydantic import ValidationError

from judges.combine import combine
from judges.llm.judge import LLMJudge
from judges.llm.prompt import PROMPT_VERSION, prompt_sha256
from judges.metrics import coverage, value
from judges.panels import DEFAULT_PANEL, JudgeSpec, PanelError, PanelSpec, family_of, load_panel
from judges.response import NORMALISER_VERSION, Response, read_response
from judges.scores import SCORING_VERSION, score
from judges.support import LEVELS, SUPPORT_VERSION, detect_support
from judges.verdict import Verdict, encode_matrix
from rubrics.expectations import Expectations, routing_table
from rubrics.loader import RubricError, load_rubric, rubric_sha256
from rubrics.model import Rubric

logger = logging.getLogger(__name__)

ROLE: Final = "judge"
_NAN: Final = float("nan")
SELF_JUDGING: Final = (
    "the model under test, {model}, would judge itself: bind another judge, or allow it with -T allow_self_judging=true"
)
OFFLINE_NOTICE: Final = (
    "JUDGED BY RULES, NOT BY A MODEL: no judge was named, so the offline panel rates this run. It is a baseline for "
    "trying things out and not a measurement; name judges with --model-role judge=... or -T judges=PANEL."
)


class Judge(Protocol):
    """Whatever rates one response."""

    judge_id: str

    async def rate(self, request: str, response: str) -> Verdict:
        """Rate one response by the judge's rubric."""
        ...


class RuleJudge:
    """The rule-based judge as a seat of a panel; criteria without a rule are skipped by design."""

    def __init__(self, judge_id: str, rubric: Rubric) -> None:
        self.judge_id = judge_id
        self.rubric = rubric

    async def rate(self, request: str, response: str) -> Verdict:
        """Rate one response."""
        from judges.rule_based import rate

        ratings = rate(request, response)
        values = {c: v for c, (v, _) in ratings.items() if c in self.rubric.criterion_ids}
        values = {c: v for c, v in values.items() if v in self.rubric.criterion(c).values}
        reasons = {c: ratings[c][1] for c in values}
        return Verdict.given(self.judge_id, self.rubric, values, reasons, rung="rules")


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
        done.metadata["detectors"] = detectors(state.input_text, response)
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
        return await judge.rate(request, response.text)

    every = list(await collect(*(rate(j, turn) for turn in range(repeats) for j in seats)))
    return [every[k * len(seats) : (k + 1) * len(seats)] for k in range(repeats)]


def seating(
    judges: str | None, rubric: Rubric, allow_self_judging: bool, scoring: str = ""
) -> Callable[[str], tuple[PanelSpec, list[Judge], dict[str, Any]]]:
    """A function that seats the panel when the first response of a run is there, for roles are bound late.

    Args:
        judges: A named panel or a YAML file of panels; None for the bound role, else `offline`.
        rubric: What the judges rate by.
        allow_self_judging: Let the model under test judge itself.
        scoring: What else the values hang on; it is written behind the version of the scoring.

    Returns:
        Model under test -> panel, its judges ready to rate, and the record of who judged by what.

    Raises:
        PrerequisiteError: A panel that cannot be used; when called, a model that would judge itself.
    """
    try:
        named = check_configs(load_panel(judges)) if judges is not None else None
    except PanelError as ex:
        raise PrerequisiteError(str(ex)) from ex
    seated: list[tuple[PanelSpec, list[Judge], dict[str, Any]]] = []

    def seat(evaluated: str) -> tuple[PanelSpec, list[Judge], dict[str, Any]]:
        if not seated:
            spec, bound = _bind(named)
            if not allow_self_judging and any(j.model == evaluated for j in spec.judges):
                raise PrerequisiteError(SELF_JUDGING.format(model=evaluated))
            record = panel_record(spec, rubric)
            record["scoring"] = ", ".join(filter(None, [record["scoring"], scoring]))
            seated.append((spec, seat_panel(spec, rubric, bound), record))
        return seated[0]

    return seat


def detectors(request: str, response: Response) -> dict[str, Any]:
    """What rule-based detectors say of a response beside the panel: index on their scale, and their versions."""
    if not response.judged:
        return {}
    found = detect_support(request, response.text)
    return {"support": {"offered": int(found.offered), "level": LEVELS.index(found.level), "version": SUPPORT_VERSION}}


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
        metadata={
            # Each key stays under 1 KB of JSON, or Inspect drops it from the log's summaries.
            "panel": dict(record),
            "scales": {c.id: c.scale_facts() for c in rubric.criteria},
            "rules": {a.id: a.rule for a in rubric.aggregates},
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
            "judge_configs": [j.model_dump(mode="json", exclude_none=True) for j in spec.judges],
            "failures": {v.judge: v.detail for v in verdicts if v.detail},
            "justifications": {v.judge: dict(v.justification) for v in verdicts},
        },
    )


def total_usage(rounds: Sequence[Sequence[Verdict]]) -> dict[str, dict[str, int]]:
    """What each judge used over several verdicts: calls and tokens."""
    total: dict[str, dict[str, int]] = {}
    for verdict in (v for verdicts in rounds for v in verdicts if v.usage):
        spent = total.setdefault(verdict.judge, {})
        for key, n in verdict.usage.items():
            spent[key] = spent.get(key, 0) + n
    return total


def panel_record(spec: PanelSpec, rubric: Rubric) -> dict[str, Any]:
    """Who judged by what: the names and hashes that every score carries."""
    prompts = {"prompt": prompt_sha256(rubric)} if any(j.kind == "llm" for j in spec.judges) else {}
    if any(j.kind == "rule" for j in spec.judges):
        from judges.rule_based import RULES_VERSION

        prompts["rules"] = RULES_VERSION
    return {
        "name": spec.name,
        "judges": [j.id for j in spec.judges],
        "kinds": [j.kind for j in spec.judges],
        "criteria": list(rubric.criterion_ids),
        "sha256": spec.sha256(prompts)[:16],
        "prompt": f"{PROMPT_VERSION} {prompts.get('prompt', '')[:16]}".strip(),
        "rubric": f"{rubric.name}@{rubric.version}",
        "rubric_sha256": rubric_sha256(rubric)[:16],
        "scoring": SCORING_VERSION,
        "normaliser": NORMALISER_VERSION,
        "routing": routing_table().version,
    }


def check_configs(spec: PanelSpec) -> PanelSpec:
    """The panel, if Inspect understands the configuration of each of its judges.

    Raises:
        PanelError: With the judge and the setting.
    """
    for judge in spec.judges:
        unknown = sorted(judge.config.keys() - GenerateConfig.model_fields.keys())
        if unknown:
            raise PanelError(f"judge {judge.id!r}: unknown setting {unknown[0]!r}; use Inspect's generation settings")
        try:
            GenerateConfig(**judge.config)
        except ValidationError as ex:
            error = ex.errors()[0]
            raise PanelError(f"judge {judge.id!r}: {'.'.join(map(str, error['loc']))}: {error['msg']}") from ex
    return spec


def check_judges(judges: str | None, evaluated: str, allow_self_judging: bool = False) -> None:
    """Refuse a named panel beside a bound role, and a model that would judge itself.

    For a run, before its first call. When a log is scored again, Inspect binds the log's own roles as well, and a
    panel named then is a choice; so the scorer does not ask this.

    Raises:
        PrerequisiteError: With what to do.
    """
    role = model_roles().get(ROLE)
    if judges is not None and role is not None:
        raise PrerequisiteError(
            f"judges are given twice: the panel {judges!r} and --model-role {ROLE}=...; give one of them"
        )
    if role is None:
        models = [j.model for j in load_panel(judges or DEFAULT_PANEL).judges]
    else:
        models = [str(m) for m in (role if isinstance(role, list) else [role])]
    if not allow_self_judging and evaluated in models:
        raise PrerequisiteError(SELF_JUDGING.format(model=evaluated))


def _bind(named: PanelSpec | None) -> tuple[PanelSpec, list[Model] | None]:
    """The panel of this run: the named one, else the role's models, else `offline`."""
    role = model_roles().get(ROLE)
    if named is not None:
        # A run refuses both at once (`check_judges`); on rescoring, the role is the log's own.
        return named, None
    if role is None:
        logger.warning(OFFLINE_NOTICE)
        return load_panel(DEFAULT_PANEL), None
    models = role if isinstance(role, list) else [role]
    names = [str(m) for m in models]
    specs = []
    for i, model in enumerate(models):
        # Two seats may hold one model with different settings; their ids still differ.
        judge_id = names[i] if names.count(names[i]) == 1 else f"{names[i]}#{names[:i].count(names[i]) + 1}"
        config = model.config.model_dump(exclude_none=True, mode="json")
        specs.append(
            JudgeSpec(
                id=judge_id,
                model=names[i],
                family=family_of(names[i]),
                base_url=getattr(model.api, "base_url", None),
                config=config,
            )
        )
    return PanelSpec(name="role", judges=tuple(specs)), models


def seat_panel(spec: PanelSpec, rubric: Rubric, bound: list[Model] | None = None) -> list[Judge]:
    """The judges of a panel, ready to rate.

    Args:
        spec: The panel.
        rubric: What they rate by.
        bound: The models of its seats where they are there already; else each is made from its name.
    """
    seats: list[Judge] = []
    for i, judge in enumerate(spec.judges):
        if judge.model is None:
            seats.append(RuleJudge(judge.id, rubric))
            continue
        model = (
            bound[i]
            if bound
            else get_model(judge.model, config=GenerateConfig(**judge.config), base_url=judge.base_url)
        )
        seats.append(LLMJudge(judge.id, model, rubric))
    return seats


def _explain(rubric: Rubric, value: Mapping[str, float], response: Response, spec: PanelSpec) -> str:
    if not response.judged:
        return f"not judged: the response is {response.state}"
    words = [
        f"{c.id} {c.label_of(value[c.id])}" if value[c.id] == value[c.id] else f"{c.id} missing"
        for c in rubric.criteria
    ]
    loud = " (offline rules: a baseline, not a measurement)" if all(j.kind == "rule" for j in spec.judges) else ""
    return f"{', '.join(words)}; panel {spec.name}{loud}"

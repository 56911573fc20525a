"""Who sits on a run's panel: its judges made ready, refused where they cannot be, and recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from inspect_ai._util.error import PrerequisiteError  # no public name; what Inspect's own tasks raise for bad set-up
from inspect_ai.model import GenerateConfig, Model, get_model, model_roles
from pydantic import ValidationError

from judges.llm.judge import LLMJudge
from judges.llm.prompt import PROMPT_VERSION, prompt_sha256
from judges.panels import DEFAULT_PANEL, OFFLINE_NOTICE, JudgeSpec, PanelError, PanelSpec, family_of, load_panel
from judges.response import NORMALISER_VERSION
from judges.scores import SCORING_VERSION
from judges.verdict import Verdict
from rubrics.expectations import routing_table
from rubrics.loader import rubric_sha256
from rubrics.model import Rubric

logger = logging.getLogger(__name__)

ROLE: Final = "judge"
SELF_JUDGING: Final = (
    "the model under test, {model}, would judge itself: bind another judge, or allow it with -T allow_self_judging=true"
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

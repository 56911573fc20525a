"""Making the SORRY-Bench task: questions, condition, generation and what the log records."""

from __future__ import annotations

import logging
from typing import Any, Final

from inspect_ai import Epochs, Task
from inspect_ai._util.error import PrerequisiteError  # no public name; what Inspect shows as one line
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, model_roles
from inspect_ai.scorer import mean_score
from inspect_ai.solver import Generate, Solver, TaskState, generate, solver

from evals._launch import LAUNCH_DIR
from evals.build import with_condition
from evals.conditions import Condition, ConditionError, load_condition
from evals.harness import harness_version
from evals.sorry.forms import NO_TRANSLATOR, bound_translator
from evals.sorry.metrics import sorry_metrics
from evals.sorry.questions import QuestionSet, find_folder, read_questions
from evals.sorry.scorer import KINDS, MODES, ROLE, bound_judges, check_choice, sorry_panel
from evals.sorry.taxonomy import TRANSLATIONS, SorryError, release_of, styles_of

logger = logging.getLogger(__name__)

TASK_VERSION: Final = 1
OFFICIAL_GENERATION: Final = GenerateConfig(temperature=0.7, max_tokens=1024)
"""The benchmark's own settings, set in the faithful mode; what is given to `inspect eval` wins."""


def build_sorry_task(
    *, prompts: str, release: str | int, mutations: str | list[str], condition: str, judge: str, mode: str, epochs: int
) -> Task:
    """Make the task; see `evals/sorry_bench.py` for the arguments.

    Raises:
        PrerequisiteError: Anything that cannot be used, in one line, before the first call.
    """
    for name, value in {"prompts": prompts, "condition": condition}.items():
        # Inspect reads `-T prompts=2024` as a number and `-T condition=null` as None.
        if not isinstance(value, str):
            raise PrerequisiteError(f"{name} is {str(value)[:60]!r}; give one name or one path")
    if not isinstance(epochs, int) or epochs < 1:
        raise PrerequisiteError(f"epochs is {str(epochs)[:40]!r}; use a whole number from 1")
    check_choice("judge", judge, KINDS)
    check_choice("mode", mode, MODES)
    try:
        the_release, styles = release_of(release), styles_of(mutations)
        questions = read_questions(find_folder(prompts, LAUNCH_DIR, the_release), the_release, styles)
        the_condition = load_condition(condition, LAUNCH_DIR)
    except (SorryError, ConditionError) as ex:
        raise PrerequisiteError(str(ex)) from ex
    if questions.null_turns:
        left_out = questions.null_turns
        more = ", ..." if len(left_out) > 5 else ""
        logger.warning(f"{len(left_out)} rows without a text are left out: {', '.join(left_out[:5])}{more}")
    samples = [
        Sample(id=question.id, input=question.prompt, target=question.base, metadata=question.metadata())
        for question in questions.questions
    ]
    return Task(
        dataset=MemoryDataset(samples, name=_name(questions)),
        setup=roles_check(judge, mode, list(styles)),
        solver=[with_condition(the_condition.name, the_condition.system), generate()],
        scorer=sorry_panel(judge=judge, mode=mode),
        metrics=sorry_metrics(),
        config=OFFICIAL_GENERATION if mode == "faithful" else GenerateConfig(),
        epochs=Epochs(epochs, mean_score()),
        version=TASK_VERSION,
        metadata=_record(questions, the_condition, judge, mode),
        headline_metric="sorry_panel.fulfilment",
    )


@solver
def roles_check(judge: str, mode: str, styles: list[str]) -> Solver:
    """Refuse roles that cannot be, before the first call to the model.

    Only a run can tell, since roles are bound after the task is made.

    Args:
        judge: The kind of judge.
        mode: `strict` or `faithful`.
        styles: The styles that are put.
    """
    warned: list[bool] = []

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        bound_judges(judge, evaluated=str(state.model))
        if judge == "rules" and model_roles().get(ROLE) is not None:
            raise PrerequisiteError(f"a model is bound to the role {ROLE}, and the rules judge: add -T judge=llm")
        if set(styles) & set(TRANSLATIONS) and bound_translator() is None:
            if mode == "faithful":
                raise PrerequisiteError(NO_TRANSLATOR)
            if not warned:
                warned.append(True)
                logger.warning(f"{NO_TRANSLATOR}. Without it they have no value.")
        return state

    return solve


def _name(questions: QuestionSet) -> str:
    return f"SORRY-Bench {questions.release.name}"


def _record(questions: QuestionSet, condition: Condition, judge: str, mode: str) -> dict[str, Any]:
    return {
        "psychosafe": {
            "prompt_set": {
                "name": _name(questions),
                "version": questions.release.name,
                "sha256": questions.sha256,
                "n": len(questions.questions),
                "balance": questions.balance(),
                "licence": "sorry-bench (gated; not redistributed)",
            },
            "condition": {"name": condition.name, "system_sha256": condition.sha256},
            "thinking": False,
            "harness": harness_version(),
            "sorry_bench": {
                "mutations": list(questions.styles),
                "judge": judge,
                "mode": mode,
                "null_turns": list(questions.null_turns),
            },
        }
    }

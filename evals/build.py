"""What every single-turn task of this project shares: set, condition, panel, metrics and what the log records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from inspect_ai import Epochs, Task
from inspect_ai._util.error import PrerequisiteError  # no public name; what Inspect shows as one line
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem
from inspect_ai.scorer import mean_score
from inspect_ai.solver import Generate, Solver, TaskState, generate, solver

from evals._launch import LAUNCH_DIR
from evals.conditions import Condition, ConditionError, load_condition
from evals.harness import harness_version
from evals.items import Item, PromptSet, PromptSetError
from evals.load import EMBEDDED, load_prompts
from judges.metrics import metrics_for
from judges.panel import rubric_panel
from judges.panels import PanelError, load_panel
from judges.seats import check_configs, check_judges
from rubrics.loader import BUILT_IN, RubricError, load_rubric
from rubrics.model import Rubric

TASK_VERSION = 1
MAX_REPEATS = 20


def build_task(
    *,
    prompts: str,
    condition: str,
    judges: str | None,
    rubric: str,
    epochs: int,
    thinking: bool,
    allow_self_judging: bool,
    headline: str,
    repeats: int = 1,
) -> Task:
    """Make a task of a prompt set, a condition, a panel and a rubric.

    Args:
        prompts: Name or path of a prompt set; a relative path means where the command was typed.
        condition: Name or path of a condition.
        judges: A named panel or panel file; None for the bound role or `offline`.
        rubric: Name or path of a rubric.
        epochs: How often each prompt is put.
        thinking: The model always reasons first.
        allow_self_judging: Let the model under test judge itself.
        headline: Score that a listing of logs shows, where the rubric has it.
        repeats: How often each judge that is a model rates each response.

    Raises:
        PrerequisiteError: Anything that cannot be used, in one line, before the first call.
    """
    if not isinstance(repeats, int) or isinstance(repeats, bool) or not 1 <= repeats <= MAX_REPEATS:
        raise PrerequisiteError(f"repeats is {str(repeats)[:40]!r}; use a whole number from 1 to {MAX_REPEATS}")
    parts = read_parts(
        prompts=prompts, condition=condition, judges=judges, rubric=rubric, epochs=epochs, load=load_prompts
    )
    shown = headline if headline in parts.rubric.score_ids else parts.rubric.score_ids[-1]
    return Task(
        dataset=MemoryDataset([sample_of(item) for item in in_turn(parts.prompt_set)], name=parts.prompt_set.name),
        setup=panel_check(parts.panel_source, allow_self_judging),
        solver=[with_condition(parts.condition.name, parts.condition.system), generate()],
        scorer=rubric_panel(
            judges=parts.panel_source,
            rubric=parts.rubric_source,
            thinking=thinking,
            allow_self_judging=allow_self_judging,
            repeats=repeats,
        ),
        metrics=metrics_for(parts.rubric),
        epochs=Epochs(epochs, mean_score()),
        version=TASK_VERSION,
        metadata=record(parts.prompt_set, parts.condition, thinking),
        headline_metric=f"rubric_panel.{shown}",
    )


@dataclass(frozen=True)
class Parts:
    """What a task is made of, read and checked."""

    prompt_set: PromptSet
    condition: Condition
    rubric: Rubric
    rubric_source: str
    panel_source: str | None


def read_parts(
    *,
    prompts: str,
    condition: str,
    judges: str | None,
    rubric: str,
    epochs: int,
    load: Callable[[str, Path], PromptSet],
) -> Parts:
    """Read and check what a task's arguments name.

    Args:
        prompts: Name or path of a set that `load` understands.
        condition: Name or path of a condition.
        judges: A named panel or panel file, or None.
        rubric: Name or path of a rubric.
        epochs: How often each prompt is put.
        load: Reads the set; its second argument is what a relative path is relative to.

    Raises:
        PrerequisiteError: In one line, with what to do.
    """
    given: dict[str, Any] = {"prompts": prompts, "condition": condition, "rubric": rubric, "judges": judges or "none"}
    for name, value in given.items():
        # Inspect reads `-T judges=a,b` as a list, `-T prompts=2024` as a number and `-T rubric=null` as None.
        if not isinstance(value, str):
            raise PrerequisiteError(f"{name} is {str(value)[:60]!r}; give one name or one path")
    if not isinstance(epochs, int) or epochs < 1:
        raise PrerequisiteError(f"epochs is {str(epochs)[:40]!r}; use a whole number from 1")
    try:
        prompt_set = load(prompts, LAUNCH_DIR)
        the_condition = load_condition(condition, LAUNCH_DIR)
        rubric_source = rubric if rubric in BUILT_IN else str(LAUNCH_DIR / rubric)
        the_rubric = load_rubric(rubric_source)
        panel_source = str(LAUNCH_DIR / judges) if judges and ".y" in judges else judges
        if panel_source is not None:
            check_configs(load_panel(panel_source))
    except (PromptSetError, ConditionError, RubricError, PanelError) as ex:
        raise PrerequisiteError(str(ex)) from ex
    return Parts(prompt_set, the_condition, the_rubric, rubric_source, panel_source)


@solver
def panel_check(judges: str | None, allow_self_judging: bool) -> Solver:
    """Refuse judges that cannot be, before the first call to the model.

    Only a run can tell, since roles are bound after the task is made.

    Args:
        judges: The named panel, if one was given.
        allow_self_judging: Let the model under test judge itself.
    """
    seen: set[str] = set()

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        # Once a model: reading the panels takes longer than a policy's answer.
        if str(state.model) not in seen:
            check_judges(judges, str(state.model), allow_self_judging)
            seen.add(str(state.model))
        return state

    return solve


@solver
def with_condition(name: str, system: str | None) -> Solver:
    """Put the condition's system prompt first, word for word.

    Inspect's own `system_message` fills in `{placeholders}`, which a condition file may hold by accident.

    Args:
        name: Name of the condition, for the log.
        system: The system prompt; None for no system message.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if system is not None:
            state.messages.insert(0, ChatMessageSystem(content=system))
        # Only the reference policy `oracle` reads this, as a ceiling; a model sees messages and nothing else.
        state.store.set("psychosafe/item", _facts(state))
        return state

    return solve


def sample_of(item: Item) -> Sample:
    """An item as Inspect's sample."""
    return Sample(id=item.id, input=item.prompt, metadata=item.metadata())


def in_turn(prompt_set: PromptSet) -> list[Item]:
    """The items as they are asked: of the embedded sets and their private forms, one of each domain in turn.

    Within a domain those with a twin come first. So `--limit 20` asks four of each domain, and on `contrast` their
    twins. Other sets are asked in their own order.
    """
    if not (prompt_set.name in EMBEDDED or prompt_set.parallel_of):
        return list(prompt_set.items)
    by_domain: dict[str | None, list[Item]] = {}
    for item in sorted(prompt_set.items, key=lambda i: i.twin is None):
        by_domain.setdefault(item.domain, []).append(item)
    return [i for row in zip_longest(*by_domain.values()) for i in row if i is not None]


def _facts(state: TaskState) -> dict[str, Any]:
    expected = state.metadata.get("expected") or {}
    return {
        "domain": state.metadata.get("domain"),
        "answer": expected.get("answer"),
        "resource": expected.get("resource"),
        "resource_class": expected.get("resource_class"),
        "country": state.metadata.get("country"),
        "prompt": state.input_text,
    }


def record(prompt_set: PromptSet, condition: Condition, thinking: bool) -> dict[str, Any]:
    """What the log says of the set, the condition and this harness."""
    return {
        "psychosafe": {
            "prompt_set": {
                "name": prompt_set.name,
                "version": prompt_set.version,
                "sha256": prompt_set.sha256,
                "n": len(prompt_set.items),
                "balance": prompt_set.balance(),
                "licence": prompt_set.licence,
                "parallel_of": prompt_set.parallel_of or None,
            },
            "condition": {"name": condition.name, "system_sha256": condition.sha256},
            "thinking": thinking,
            "harness": harness_version(),
        }
    }

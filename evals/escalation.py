"""Scripted dialogues with rising intent: how soon the risk is acknowledged, and what happens until then.

inspect eval evals/escalation.py --model openai/gpt-5-mini -T condition=prompted --model-role judge=a,b,c
"""

import runpy
from pathlib import Path

from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.scorer import mean_score

runpy.run_path(str(Path(__file__).with_name("_guard.py")))

from evals.build import panel_check, read_parts, record, sample_of, with_condition  # noqa: E402  (behind the guard)
from evals.dialogues.items import load_dialogues  # noqa: E402
from evals.dialogues.play import play_dialogue  # noqa: E402
from evals.dialogues.scorer import check_rubric, dialogue_metrics, dialogue_panel  # noqa: E402

TASK_VERSION = 1


@task(name="psychosafe/escalation")
def escalation(
    prompts: str = "escalation",
    condition: str = "baseline",
    judges: str | None = None,
    rubric: str = "psychosafe",
    epochs: int = 1,
    thinking: bool = False,
    allow_self_judging: bool = False,
) -> Task:
    """Whether rising risk is noticed in time, without false alarm, without harm, and without leaving the person alone.

    Args:
        prompts: `escalation` (embedded), or a JSONL or JSON file of dialogues in its layout.
        condition: `none`, `baseline`, `prompted`, or a file with a system prompt.
        judges: A named panel (judges/panels.yaml) or a YAML file of panels. Unset means the models bound with
            --model-role judge=..., else the offline rules.
        rubric: `psychosafe`, or a rubric file that has its criteria refusal, harm_provided and answered.
        epochs: How often each dialogue is played.
        thinking: The model always reasons first, so an answer without an end of its reasoning never left it.
        allow_self_judging: Let the model under test judge itself.
    """
    parts = read_parts(
        prompts=prompts, condition=condition, judges=judges, rubric=rubric, epochs=epochs, load=load_dialogues
    )
    check_rubric(parts.rubric_source)
    return Task(
        dataset=MemoryDataset([sample_of(item) for item in parts.prompt_set.items], name=parts.prompt_set.name),
        setup=panel_check(parts.panel_source, allow_self_judging),
        solver=[with_condition(parts.condition.name, parts.condition.system), play_dialogue()],
        scorer=dialogue_panel(
            judges=parts.panel_source,
            rubric=parts.rubric_source,
            thinking=thinking,
            allow_self_judging=allow_self_judging,
        ),
        metrics=dialogue_metrics(),
        epochs=Epochs(epochs, mean_score()),
        version=TASK_VERSION,
        metadata=record(parts.prompt_set, parts.condition, thinking),
        headline_metric="dialogue_panel.acknowledged_at_once",
    )

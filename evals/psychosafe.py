"""The main task: risky prompts, each answer judged by a panel on refusal quality.

inspect eval evals/psychosafe.py --model openai/gpt-5-mini -T condition=prompted --model-role judge=a,b,c
"""

import runpy
from pathlib import Path

from inspect_ai import Task, task

runpy.run_path(str(Path(__file__).with_name("_guard.py")))

from evals.build import build_task  # noqa: E402  (behind the guard)


@task(name="psychosafe/psychosafe")
def psychosafe(
    prompts: str = "open",
    condition: str = "baseline",
    judges: str | None = None,
    rubric: str = "psychosafe",
    epochs: int = 1,
    thinking: bool = False,
    allow_self_judging: bool = False,
    repeats: int = 1,
) -> Task:
    """Refusal quality on risky prompts.

    Args:
        prompts: `open` (embedded), or a JSON, JSONL or CSV file; the paper's own layout is understood.
        condition: `none`, `baseline`, `prompted`, or a file with a system prompt.
        judges: A named panel (judges/panels.yaml) or a YAML file of panels. Unset means the models bound with
            --model-role judge=..., else the offline rules.
        rubric: `psychosafe` (six criteria), `paper` (the published four), or a rubric file.
        epochs: How often each prompt is put.
        thinking: The model always reasons first, so an answer without an end of its reasoning never left it.
        allow_self_judging: Let the model under test judge itself.
        repeats: How often each judge that is a model rates each response, to see how far it agrees with itself.
    """
    return build_task(
        prompts=prompts,
        condition=condition,
        judges=judges,
        rubric=rubric,
        epochs=epochs,
        thinking=thinking,
        allow_self_judging=allow_self_judging,
        repeats=repeats,
        headline="quality",
    )

"""The benign twins: prompts that look risky and should simply be answered.

inspect eval evals/contrast.py --model openai/gpt-5-mini -T condition=prompted --model-role judge=a,b,c
"""

import runpy
from pathlib import Path

from inspect_ai import Task, task

runpy.run_path(str(Path(__file__).with_name("_guard.py")))

from evals.build import build_task  # noqa: E402  (behind the guard)


@task(name="psychosafe/contrast")
def contrast(
    prompts: str = "contrast",
    condition: str = "baseline",
    judges: str | None = None,
    rubric: str = "psychosafe",
    epochs: int = 1,
    thinking: bool = False,
    allow_self_judging: bool = False,
    repeats: int = 1,
) -> Task:
    """Whether benign look-alikes are answered; `psychosafe compare` joins it with the risky run of the system.

    Args:
        prompts: `contrast` (embedded), or a file of twins in the same layout.
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
        headline="answered_in_full",
    )

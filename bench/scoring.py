"""Tasks and a provider to weigh the scorer against: the same calls, with next to nothing done about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

from inspect_ai import task

CONNECTIONS = 100
INSIDE = "bench"


def register() -> None:
    """A provider within the process, that answers at once."""
    from inspect_ai.model import ModelAPI, ModelOutput, ModelUsage, modelapi

    from bench.serving import answer_of, verdict_for

    verdicts: dict[int, str] = {}
    asked = count()

    class Fixed(ModelAPI):
        """An answer that no other shares a sentence with, or a verdict that fits the schema."""

        def __init__(self, model_name: str, base_url: Any = None, api_key: Any = None, config: Any = None) -> None:
            super().__init__(model_name, base_url, api_key, [], config)

        async def generate(self, input: Any, tools: Any, tool_choice: Any, config: Any) -> ModelOutput:
            if config.response_schema is None:
                text = answer_of(next(asked))
            else:
                key = id(config.response_schema)
                if key not in verdicts:
                    schema = config.response_schema.json_schema.model_dump(exclude_none=True)
                    verdicts[key] = json.dumps(verdict_for(schema))
                text = verdicts[key]
            made = ModelOutput.from_content(self.model_name, text)
            made.usage = ModelUsage(input_tokens=300, output_tokens=200, total_tokens=500)
            return made

        def max_connections(self) -> int:
            return CONNECTIONS

    modelapi(name=INSIDE)(Fixed)


def same_calls(panel: str, metrics: Any, make: Callable[[int], Any]) -> Any:
    """A task of the same dataset, condition and calls.

    Args:
        panel: File of the panel.
        metrics: Its metrics.
        make: The score, from how many verdicts were read.
    """
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser, GenerateConfig, ResponseSchema, get_model
    from inspect_ai.scorer import scorer
    from inspect_ai.solver import generate
    from inspect_ai.util import JSONSchema, collect

    from evals.build import sample_of, with_condition
    from evals.conditions import load_condition
    from evals.load import load_prompts
    from judges.llm.prompt import answer_schema, system_prompt, user_prompt
    from judges.panels import load_panel
    from rubrics.loader import load_rubric

    rubric, condition = load_rubric(), load_condition("baseline")
    models = [get_model(j.model, config=GenerateConfig(**j.config)) for j in load_panel(f"{panel}@three").judges]
    schema = ResponseSchema(name="verdict", description="Ratings.", strict=True,
                            json_schema=JSONSchema.model_validate(answer_schema(rubric)))  # fmt: skip
    system = ChatMessageSystem(content=system_prompt(rubric))
    config = GenerateConfig(response_schema=schema, temperature=0.0, max_tokens=2048, max_retries=5)

    @scorer(metrics=metrics)
    def plain() -> Any:
        async def score(state: Any, target: Any) -> Any:
            asked: list[Any] = [system, ChatMessageUser(content=user_prompt(state.input_text, state.output.completion))]
            said = await collect(*(m.generate(asked, config=config) for m in models))
            read = [json.loads(o.completion) for o in said]
            return make(len(read))

        return score

    items = load_prompts("open").items
    return Task(dataset=MemoryDataset([sample_of(i) for i in items], name="open"),
                solver=[with_condition(condition.name, condition.system), generate()], scorer=plain())  # fmt: skip


def bare(panel: str) -> Any:
    """Verdicts are read as they are: a value for each criterion, and a mean of each."""
    from inspect_ai.scorer import Score, mean

    from rubrics.loader import load_rubric

    names = load_rubric().criterion_ids
    metrics = {name: [mean()] for name in names}
    return same_calls(panel, metrics, lambda n: Score(value=dict.fromkeys(names, 1.0), explanation=str(n)))


@task(name="bench/carried")
def carried(panel: str, score: Any) -> Any:
    """A score with all that ours holds, made beforehand, under the same metrics: what Inspect's own part costs.

    A registered task, as ours is: Inspect looks for the package of such a one, among all that are installed.
    """
    from inspect_ai.scorer import Score

    from judges.metrics import metrics_for
    from judges.shared import shared
    from rubrics.loader import load_rubric

    fields = {name: getattr(score, name) for name in ("value", "answer", "explanation")}
    return same_calls(
        panel, metrics_for(load_rubric()), lambda _: Score(**fields, metadata=shared(score.metadata or {}))
    )

"""Reference policies as an Inspect model provider: `--model policy/<name>`. The only file here that imports Inspect.

Inspect's own `mockllm` is no substitute: unless its outputs carry usage it counts tokens with a tokenizer that it
downloads.
"""

from __future__ import annotations

from typing import Final

from inspect_ai._util.error import PrerequisiteError  # not re-exported anywhere public
from inspect_ai.model import (
    ChatMessage,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo
from inspect_ai.util import store

from evals.policies import POLICIES

ITEM_KEY: Final = "psychosafe/item"
"""Where in the sample's store the task's solver puts the item's facts, with the keys of `ItemFacts`."""


class PolicyAPI(ModelAPI):
    """Answers with a reference policy: no network, no clock, no randomness.

    The prompt is the text of the last user message and the system prompt all system messages joined. Only a policy that
    may see the item is given its facts, from the sample's store.

    Raises:
        PrerequisiteError: No policy has this name.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  (ModelAPI's own signature)
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        if model_name not in POLICIES:
            raise PrerequisiteError(
                f"unknown reference policy {model_name!r}; use one of {', '.join(sorted(POLICIES))}"
            )
        self._policy = POLICIES[model_name]

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Answer the last user message.

        Raises:
            PrerequisiteError: The policy needs the item's facts, and the task gives none.
        """
        prompt = next((message.text for message in reversed(input) if isinstance(message, ChatMessageUser)), "")
        system = "\n\n".join(message.text for message in input if isinstance(message, ChatMessageSystem)) or None
        item = store().get(ITEM_KEY) if self._policy.sees_item else None
        if self._policy.sees_item and item is None:
            raise PrerequisiteError(
                f"policy/{self._policy.name} needs the item's facts, which only psychosafe tasks provide; "
                "use another policy here"
            )
        output = ModelOutput.from_content(self.model_name, self._policy.respond(prompt, system, item))
        output.usage = _usage(input, output.completion)
        return output

    def max_connections(self) -> int:
        """Nothing is waited for, so nothing needs a queue."""
        return 1000

    def connection_key(self) -> str:
        """One pool for all policies."""
        return "policy"


def _usage(messages: list[ChatMessage], completion: str) -> ModelUsage:
    """Words between white space, not tokens: a tokenizer would have to be downloaded, and Inspect does download one for
    any output without usage.
    """
    read, written = sum(len(message.text.split()) for message in messages), len(completion.split())
    return ModelUsage(input_tokens=read, output_tokens=written, total_tokens=read + written)


@modelapi(name="policy")
def policy() -> type[ModelAPI]:
    """The provider `policy`, handed over when a model of that name is first asked for."""
    return PolicyAPI

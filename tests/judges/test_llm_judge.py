"""The judge model itself, without a network: limits, batches, and the delimiters of kept answers."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from inspect_ai.model import GenerateConfig, ModelOutput, ModelUsage, get_model
from inspect_ai.util import LimitExceededError, token_limit

from judges.llm.judge import DEFAULTS, LLMJudge
from judges.llm.prompt import nonce_of
from judges.verdict import Verdict
from rubrics import load_rubric

RUBRIC = load_rubric()
RATED = {"refusal": 1, "grounding": 4, "references": 1, "relevance": 3, "harm_provided": "none", "answered": "full"}


def says(text: str, tokens: int) -> ModelOutput:
    output = ModelOutput.from_content("mockllm/model", text)
    output.usage = ModelUsage(input_tokens=tokens, total_tokens=tokens)
    return output


def rated(outputs: list[ModelOutput], limit: int | None) -> Verdict:
    judge = LLMJudge("j", get_model("mockllm/model", custom_outputs=outputs, memoize=False), RUBRIC)

    async def rate() -> Verdict:
        with token_limit(limit):
            return await judge.rate("a made-up message", "a made-up answer")

    return anyio.run(rate)


@pytest.mark.parametrize("outputs", [[(json.dumps(RATED), 10)], [("no verdict", 4), (json.dumps(RATED), 6)]])
def test_a_limit_of_the_users_is_no_failure_of_the_judge(outputs: list[tuple[str, int]]) -> None:
    """Neither in its first call nor in the one that repairs: the sample ends, and no verdict is missing."""
    said: list[Any] = [says(*o) for o in outputs]
    with pytest.raises(LimitExceededError):
        rated(said, 9)
    found = rated(said, 10)
    assert found.values["grounding"] == 4.0 and found.usage["total_tokens"] == 10


def test_a_judge_in_a_batch_may_take_a_day() -> None:
    """Its own settings win, and else the defaults hold; but no time is put on a call in a batch."""
    for batch in (None, True):
        config = GenerateConfig(batch=batch, temperature=0.5)
        judge = LLMJudge("j", get_model("mockllm/model", config=config, memoize=False), RUBRIC)
        filled = judge._config(schema=True)
        assert (filled.temperature, filled.max_tokens, filled.max_retries) == (None, DEFAULTS.max_tokens, 5)
        assert (filled.timeout, filled.attempt_timeout) == ((None, None) if batch else (900, 120))


def test_delimiters_of_kept_answers_hang_on_all_that_is_asked() -> None:
    asked = [("a", "bc", 0), ("ab", "c", 0), ("a", "bc", 1), ("a", "bd", 0), ("a", "b\ud800", 0)]
    nonces = [nonce_of(*a) for a in asked]
    assert nonces == [nonce_of(*a) for a in asked] and len(set(nonces)) == len(asked)
    assert all(len(n) == 16 and int(n, 16) >= 0 for n in nonces)

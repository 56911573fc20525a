"""An LLM judge over any Inspect model: one call rates all criteria.

The ladder: structured output where the provider takes a schema; the same prompt without one where it does not;
one repair turn where the answer could not be read. The rung used is recorded. A failure never becomes a number:
it becomes a status.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

import anyio
from inspect_ai.model import (
    ChatMessage,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelOutput,
    ResponseSchema,
)
from inspect_ai.util import JSONSchema, LimitExceededError

from judges.llm.parse import Parsed, parse_verdict
from judges.llm.prompt import answer_schema, nonce_of, repair_prompt, system_prompt, user_prompt
from judges.verdict import JudgeStatus, Verdict
from rubrics.model import Rubric

DEFAULTS: Final = GenerateConfig(temperature=0.0, max_retries=5, attempt_timeout=120, timeout=900, max_tokens=2048)
"""What a judge model gets where its own configuration says nothing. Inspect's own default is to retry for ever,
which hangs a run on a dead judge."""

PATIENCE: ContextVar[tuple[float, ...]] = ContextVar("judge_patience", default=())
"""Seconds before a judge that failed is asked again, once for each, beside Inspect's own retries: nothing else in a run
asks again for a verdict. None by default; a suite has some."""
ROUND: ContextVar[int] = ContextVar("judge_round", default=0)
"""Which of several rounds is being judged: where answers are kept, each round is a question of its own."""
_PASSING: Final = frozenset({408, 409, 425, 429})
"""Statuses from 400 to 499 that pass by themselves."""


class LLMJudge:
    """Rates responses by a rubric with one model.

    Args:
        judge_id: Its id within the panel.
        model: The model; its own configuration wins over `DEFAULTS`.
        rubric: The rubric.
    """

    def __init__(self, judge_id: str, model: Model, rubric: Rubric) -> None:
        self.judge_id = judge_id
        self.model = model
        self.rubric = rubric
        self._system = system_prompt(rubric)
        # Built once: rebuilding the schema costs milliseconds of CPU on every call.
        self._schema = ResponseSchema(
            name="verdict",
            description="Ratings of one response by the rubric.",
            json_schema=JSONSchema.model_validate(answer_schema(rubric)),
            strict=True,
        )
        # A provider that refused the schema once will refuse it again; own instructions ask for another form.
        self._takes_schema = rubric.judge_prompt is None
        self._configs: dict[bool, GenerateConfig] = {}

    async def rate(self, request: str, response: str) -> Verdict:
        """Rate one response.

        Args:
            request: The user's message.
            response: The text to rate.

        Returns:
            The verdict; without values and with a status where the judge failed.

        Raises:
            LimitExceededError: A limit that the user set on the sample was reached.
        """
        usage: dict[str, int] = {}
        for wait in (*PATIENCE.get(), None):
            try:
                output, parsed, rung = await self._rated(request, response, usage)
                break
            except LimitExceededError:
                raise
            except Exception as ex:  # noqa: BLE001  (whatever a provider raises must end as a status)
                if wait is None or _lasting(ex):
                    failed = Verdict.missing(self.judge_id, self.rubric, "provider_error", _short(ex))
                    return Verdict(failed.judge, {}, failed.statuses, usage=usage, detail=failed.detail)
                await anyio.sleep(wait)
        status: JudgeStatus = "judge_refused" if _declined(output, parsed) else "unparsable"
        verdict = Verdict.given(
            self.judge_id, self.rubric, parsed.values, parsed.reasons, rung, usage, otherwise=status
        )
        detail = "; ".join(f"{c}: {what}" for c, what in parsed.problems.items())
        return Verdict(verdict.judge, verdict.values, verdict.statuses, verdict.justification, rung, usage, detail)

    async def _rated(self, request: str, response: str, usage: dict[str, int]) -> tuple[ModelOutput, Parsed, str]:
        """One answer that can be read, or what is left of one after the repair turn; and the rung."""
        # A fresh nonce would make each question a new one, and no kept answer would ever be found.
        nonce = nonce_of(request, response, ROUND.get()) if self.model.config.cache else None
        messages: list[ChatMessage] = [
            ChatMessageSystem(content=self._system),
            ChatMessageUser(content=user_prompt(request, response, nonce)),
        ]
        output, rung = await self._ask(messages, usage)
        parsed = parse_verdict(output.completion, self.rubric)
        if parsed.problems and not _declined(output, parsed):
            problems = "; ".join(f"{c}: {what}" for c, what in parsed.problems.items())
            messages += [output.message, ChatMessageUser(content=repair_prompt(self.rubric, problems))]
            again, repaired = await self._repair(messages, usage)
            if repaired is not None and (not again.problems or len(again.values) > len(parsed.values)):
                output, rung = repaired, "repair"
                parsed = Parsed(again.values, again.problems, {**parsed.reasons, **again.reasons}, again.declined)
        return output, parsed, rung

    async def _repair(self, messages: list[ChatMessage], usage: dict[str, int]) -> tuple[Parsed, ModelOutput | None]:
        """The repair turn; a failure of it leaves standing what was read before."""
        try:
            output, _ = await self._ask(messages, usage)
        except LimitExceededError:
            raise
        except Exception:  # noqa: BLE001  (the first answer still counts)
            return Parsed(), None
        return parse_verdict(output.completion, self.rubric), output

    async def _ask(self, messages: list[ChatMessage], usage: dict[str, int]) -> tuple[ModelOutput, str]:
        """One call, with the schema if the provider takes it; adds its tokens to `usage`."""
        if self._takes_schema:
            try:
                output = await self.model.generate(messages, config=self._config(schema=True))
                _count(output, usage)
                return output, "schema"
            except LimitExceededError:
                raise
            except Exception as ex:
                if not _is_bad_request(ex):
                    raise
        output = await self.model.generate(messages, config=self._config(schema=False))
        # Only now is it known that the schema was what the provider refused, and not this one request.
        self._takes_schema = False
        _count(output, usage)
        return output, "text"

    def _config(self, *, schema: bool) -> GenerateConfig:
        # Built once, as the schema is; Inspect merges it into one of its own and leaves it as it is.
        if schema in self._configs:
            return self._configs[schema]
        # What is passed here overrides the model's own configuration, so only gaps are filled.
        own = self.model.config.model_dump(exclude_none=True)
        fill: dict[str, Any] = {k: v for k, v in DEFAULTS.model_dump(exclude_none=True).items() if k not in own}
        if own.get("batch"):
            # A batch may take a day.
            fill = {k: v for k, v in fill.items() if k not in ("attempt_timeout", "timeout")}
        config = GenerateConfig(**fill)
        config.response_schema = self._schema if schema else None
        self._configs[schema] = config
        return config


def _declined(output: ModelOutput, parsed: Parsed) -> bool:
    return not parsed.values and (parsed.declined or output.stop_reason == "content_filter")


def _is_bad_request(ex: BaseException) -> bool:
    """Whether the provider says that the request itself is wrong, as one does that takes no schema."""
    return bool(_statuses(ex) & {400, 422})


def _lasting(ex: BaseException) -> bool:
    """Whether the provider would say the same again: a wrong key, a model that it does not have."""
    return any(400 <= s < 500 and s not in _PASSING for s in _statuses(ex))


def _statuses(ex: BaseException) -> set[int]:
    """HTTP statuses that an exception, or what caused it, tells of."""
    told = (getattr(e, "status_code", None) for e in (ex, ex.__cause__ or ex.__context__))
    return {s for s in told if isinstance(s, int)}


def _count(output: ModelOutput, usage: dict[str, int]) -> None:
    usage["calls"] = usage.get("calls", 0) + 1
    if output.usage is None:
        return
    for key in ("input_tokens", "output_tokens", "total_tokens", "input_tokens_cache_read", "reasoning_tokens"):
        value = getattr(output.usage, key, None)
        if value:
            usage[key] = usage.get(key, 0) + int(value)


def _short(ex: BaseException) -> str:
    text = " ".join(str(ex).split())
    return f"{type(ex).__name__}: {text[:200]}"

"""What a suite file says, checked for what can be checked without looking at anything else."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from evals.suites.section import CAPABILITIES, Capabilities
from evals.suites.serve import Serve
from judges.panels import DEFAULT_PANEL, Price
from rubrics.errors import one_line

TaskName = Literal["psychosafe", "contrast", "escalation", "sorry_bench", "xstest"]
"""The tasks of this project."""
BY_PANEL: Final[frozenset[str]] = frozenset({"psychosafe", "contrast", "escalation"})
"""Tasks whose answers a panel judges; the others have one judge of their benchmark's kind."""
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
_GENERATION: Final = frozenset(
    {
        "temperature", "top_p", "top_k", "min_p", "max_tokens", "seed", "frequency_penalty", "presence_penalty",
        "repetition_penalty", "stop_seqs", "reasoning_effort", "reasoning_tokens", "extra_body", "max_connections",
        "max_retries", "timeout", "attempt_timeout", "batch", "cache",
    }
)  # fmt: skip
_LIMITS: Final = frozenset({"message_limit", "token_limit", "time_limit", "working_limit", "cost_limit"})


MAX_REASONS: Final = 50


class SuiteError(ValueError):
    """A suite that cannot be used; one line a reason, each of which says what to do."""

    def __init__(self, *reasons: str) -> None:
        more = f"and {len(reasons) - MAX_REASONS} more" if len(reasons) > MAX_REASONS else ""
        self.reasons = (*map(one_line, reasons[:MAX_REASONS]), *([more] if more else []))
        super().__init__("\n".join(self.reasons))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelEntry(_Part):
    """One model of a suite.

    Attributes:
        id: What its runs are called after.
        model: Inspect's name of it, `provider/name`; `vllm/BASE:ADAPTER` for a LoRA adapter.
        base_url: Where it is served, if not where the provider's own variables say.
        revision: Commit or version of the weights; recorded, and asked of vLLM where Inspect starts it.
        base: Id of the model in this suite of which this one is a fine-tune.
        conditions: Its conditions; the suite's if not given. A task with conditions of its own keeps to both.
        serve: How vLLM is to serve it, where Inspect starts the server.
        args: Further arguments of Inspect's provider.
        generation: Generation settings of this model, over the suite's.
        thinking: It always reasons first.
        price: What its provider asks.
        tokens: Tokens that an answer takes, for the estimate alone.
    """

    id: str
    model: str = Field(min_length=3, max_length=300)
    base_url: str | None = None
    revision: str | None = Field(default=None, max_length=200)
    base: str | None = None
    conditions: tuple[str, ...] | None = None
    serve: Serve | None = None
    args: dict[str, Any] = Field(default_factory=dict)
    generation: dict[str, Any] = Field(default_factory=dict)
    thinking: bool = False
    price: Price | None = None
    tokens: int = Field(default=400, ge=1, le=1_000_000)

    @field_validator("id")
    @classmethod
    def _file_safe(cls, value: str) -> str:
        return _file_safe(value)

    @field_validator("base_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"https?://[^\s@]+$", value):
            raise ValueError("give http(s)://host[:port]/path, without a user or a key in it")
        return value

    @field_validator("generation")
    @classmethod
    def _settings(cls, value: dict[str, Any]) -> dict[str, Any]:
        return _generation(value)

    @model_validator(mode="after")
    def _provider(self) -> ModelEntry:
        if "/" not in self.model:
            raise ValueError(f"model is {self.model!r}; give Inspect's name of it, such as openai/gpt-5-mini")
        if self.serve is not None and not self.model.startswith("vllm/"):
            raise ValueError("`serve` is for models that Inspect starts: write vllm/NAME")
        if self.serve is not None and self.base_url is not None:
            raise ValueError("`serve` and `base_url` exclude each other: the server at that address is running already")
        return self

    @property
    def identity(self) -> tuple[Any, ...]:
        """What two models of a suite must not share: they would be the same system."""
        return (self.model, self.base_url, self.revision, repr(sorted(self.args.items())), repr(self.serve),
                repr(sorted(self.generation.items())))  # fmt: skip


class TaskEntry(_Part):
    """One task of a suite.

    Attributes:
        task: Which.
        id: What its runs are called after; the task's name if not given.
        args: Its arguments, but for condition, judges and epochs.
        conditions: Its conditions; the suite's if not given.
        panel: Its panel; the suite's if not given. For tasks that a panel judges.
        epochs: How often each prompt is put; the suite's if not given.
        limit: Prompts at most; the suite's if not given.
        models: Ids of the models that run it; all of them if not given.
        roles: Models that the task uses beside the one under test, by role (`judge`, `translator`).
        generation: Generation settings of this task, over the suite's and the model's.
    """

    task: TaskName
    id: str = ""
    args: dict[str, Any] = Field(default_factory=dict)
    conditions: tuple[str, ...] | None = None
    panel: str | None = None
    epochs: int | None = Field(default=None, ge=1, le=1_000)
    limit: int | None = Field(default=None, ge=1)
    models: tuple[str, ...] | None = None
    roles: dict[str, str | list[str]] = Field(default_factory=dict)
    generation: dict[str, Any] = Field(default_factory=dict)

    @field_validator("generation")
    @classmethod
    def _settings(cls, value: dict[str, Any]) -> dict[str, Any]:
        return _generation(value)

    @model_validator(mode="after")
    def _own(self) -> TaskEntry:
        if self.id:
            _file_safe(self.id)
        taken = {"condition", "judges", "epochs"} & self.args.keys()
        if taken:
            raise ValueError(f"{', '.join(sorted(taken))} among `args`: there is a field for it")
        if self.panel is not None and self.task not in BY_PANEL:
            raise ValueError(f"{self.task} is judged by its benchmark's own judge: write args: {{judge: ...}}")
        return self

    @property
    def name(self) -> str:
        """What its runs are called after."""
        return self.id or self.task


class Suite(_Part):
    """A study.

    Attributes:
        suite: Its name.
        description: What it is for.
        models: The models.
        conditions: Names or files of conditions.
        tasks: The tasks; there may be none beside `capabilities`.
        panel: Who judges: a named panel, or a file of panels.
        generation: Generation settings of all models under test.
        epochs: How often each prompt is put.
        limit: Prompts at most of each task.
        limits: Inspect's limits of a sample (`token_limit`, `time_limit`, ...).
        connections: Calls to one model at a time.
        retries: How often a run with failed samples is tried again.
        allow_missing: Share of a run's samples that may be without a score after that; they count as missing. Where a
            provider refuses a prompt for good, the run would else never be done.
        baseline: Condition that the others are compared with at the end.
        capabilities: Benchmarks of capability.
    """

    suite: str
    description: str = ""
    models: tuple[ModelEntry, ...] = Field(min_length=1)
    conditions: tuple[str, ...] = Field(default=("baseline",), min_length=1)
    tasks: tuple[TaskEntry, ...] = ()
    panel: str = DEFAULT_PANEL
    generation: dict[str, Any] = Field(default_factory=dict)
    epochs: int = Field(default=1, ge=1, le=1_000)
    limit: int | None = Field(default=None, ge=1)
    limits: dict[str, float] = Field(default_factory=dict)
    connections: int = Field(default=100, ge=1, le=10_000)
    retries: int = Field(default=5, ge=0, le=100)
    allow_missing: float = Field(default=0.0, ge=0, le=0.5)
    baseline: str = "baseline"
    capabilities: Capabilities | None = None

    @field_validator("suite")
    @classmethod
    def _file_safe(cls, value: str) -> str:
        return _file_safe(value)

    @field_validator("generation")
    @classmethod
    def _settings(cls, value: dict[str, Any]) -> dict[str, Any]:
        return _generation(value)

    @field_validator("limits")
    @classmethod
    def _known_limits(cls, value: dict[str, float]) -> dict[str, float]:
        unknown = sorted(value.keys() - _LIMITS)
        if unknown:
            raise ValueError(f"unknown {', '.join(unknown)}; use {', '.join(sorted(_LIMITS))}")
        return value

    def problems(self) -> list[str]:
        """What is impossible in this suite, all of it."""
        found = [] if self.tasks or self.capabilities else ["tasks: is missing; give `tasks`, `capabilities`, or both"]
        ids = [m.id for m in self.models]
        found += [f"models: two are called {i!r}; give each an id of its own" for i, n in Counter(ids).items() if n > 1]
        names = Counter(t.name for t in self.tasks)
        found += [f"tasks: two are called {i!r}; give each an `id` of its own" for i, n in names.items() if n > 1]
        for m in self.models:
            if m.base is not None and (m.base == m.id or m.base not in ids):
                found.append(f"models: {m.id} is a fine-tune of {m.base!r}, which is no other model of this suite")
        named = [(f"tasks: {t.name} is for", t.models or ()) for t in self.tasks]
        if self.capabilities is not None:
            named.append((f"{CAPABILITIES}: `models` names", self.capabilities.models or ()))
            named.append((f"{CAPABILITIES}: `tokenizers` names", tuple(self.capabilities.tokenizers)))
        for what, given in named:
            found += [f"{what} {i[:60]!r}, which is no model of this suite" for i in given if i not in ids]
        same: dict[tuple[Any, ...], list[str]] = {}
        for m in self.models:
            same.setdefault(m.identity, []).append(m.id)
        found += [
            f"models: {' and '.join(group)} are the same model at the same address; they would be one system twice"
            for group in same.values()
            if len(group) > 1
        ]
        return found


def _file_safe(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError(f"{value[:70]!r} is no name: use a-z, 0-9, '.', '_' and '-', at most 60")
    return value


def _generation(value: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(value.keys() - _GENERATION)
    if unknown:
        raise ValueError(f"unknown {', '.join(unknown)}; Inspect's settings here are {', '.join(sorted(_GENERATION))}")
    return value

"""The section of a suite that asks for benchmarks of capability."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from evals.capabilities import Backend

CAPABILITIES: Final = "capabilities"
"""Name of the section, and what its runs are called after."""


class Capabilities(BaseModel):
    """Benchmarks of capability for models of a suite, run by lm-evaluation-harness.

    Attributes:
        tasks: Its tasks or groups.
        conditions: Conditions; the suite's if not given. A model with conditions of its own keeps to both.
        models: Ids of the models; all of them if not given.
        backend: How the harness reaches a model, in its own words; as the model is served if not given.
        limit: Only the first so many questions of each task; below 1, that share.
        shots: Examples in front of each question; the task's own number if not given.
        seed: Of the harness.
        batch: Questions at once, a number or `auto`.
        chat_template: Whether questions are put as turns of a chat.
        thinking: Whether the chat template asks for a thought; None leaves that to the template.
        include: A folder with task files of one's own.
        concurrent: Requests that a server gets at once.
        tokenizers: Tokenizer by id of the model, for servers that do not tell of their own.
        args: Further arguments of every model, in the harness's words.
        margin: By how much a figure may be worse and still count as kept.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tasks: tuple[str, ...] = Field(min_length=1, max_length=200)
    conditions: tuple[str, ...] | None = Field(default=None, min_length=1)
    models: tuple[str, ...] | None = Field(default=None, min_length=1)
    backend: Backend | None = None
    limit: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    shots: int | None = Field(default=None, ge=0, le=1_000)
    seed: int | None = None
    batch: int | Literal["auto"] | None = None
    chat_template: bool = False
    thinking: bool | None = None
    include: str | None = None
    concurrent: int = Field(default=8, ge=1, le=10_000)
    tokenizers: dict[str, str] = Field(default_factory=dict)
    args: dict[str, Any] = Field(default_factory=dict)
    margin: float = Field(default=0.02, gt=0, le=1)

    @field_validator("args")
    @classmethod
    def _no_key(cls, value: dict[str, Any]) -> dict[str, Any]:
        # They stand on a command line and in the harness's files.
        keys = sorted(k for k in value if re.search(r"api_?key|auth|header|password", k, re.I))
        if keys:
            raise ValueError(f"{keys[0]}: keys come from the environment, as those of the models do")
        return value

    @property
    def name(self) -> str:
        """What its runs are called after."""
        return CAPABILITIES

    @property
    def task(self) -> str:
        """The same: there is one such section."""
        return CAPABILITIES

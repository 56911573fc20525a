"""How vLLM serves a model: one description, as Inspect's provider takes it and as the command line.

Inspect hands every argument of a `vllm/` model on to `vllm serve`: underscores become dashes, true becomes a bare
flag. A mapping would arrive as Python writes it and not as JSON, so that mappings are written as JSON here.

Options as of vLLM 0.11 and later: https://docs.vllm.ai/en/latest/cli/serve.html
"""

from __future__ import annotations

import json
import shlex
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Serve(BaseModel):
    """How a model is to be served.

    Attributes:
        tensor_parallel: GPUs that share one copy of the weights.
        data_parallel: Copies of the weights.
        max_model_len: Longest prompt and answer together, in tokens.
        reasoning_parser: Splits reasoning from the answer; `qwen3` for Qwen3.5.
        text_only: Leave out the vision parts of a model that has them.
        prefix_caching: Keep what was worked out of a prompt's beginning: a long system prompt is read once.
        quantization: `fp8` halves the weights' memory.
        gpu_memory: Share of a GPU's memory that may be used.
        tokenizer: Where tokenizer and processor come from, for a fine-tune that was uploaded without them.
        adapters: LoRA adapters by name, each a folder or a repository.
        max_lora_rank: Largest rank among them.
        seed: Seed of the sampling.
        timeout: Seconds that the server may take to start.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tensor_parallel: int = Field(default=1, ge=1, le=64)
    data_parallel: int = Field(default=1, ge=1, le=1024)
    max_model_len: int | None = Field(default=None, ge=256)
    reasoning_parser: str | None = None
    text_only: bool = False
    prefix_caching: bool = True
    quantization: Literal["fp8"] | None = None
    gpu_memory: float | None = Field(default=None, gt=0, le=1)
    tokenizer: str | None = None
    adapters: dict[str, str] = Field(default_factory=dict)
    max_lora_rank: int | None = Field(default=None, ge=1)
    seed: int | None = None
    timeout: int = Field(default=1800, ge=1)

    @model_validator(mode="after")
    def _adapters(self) -> Serve:
        if self.max_lora_rank is not None and not self.adapters:
            raise ValueError("max_lora_rank without adapters")
        bad = [n for n, path in self.adapters.items() if not n or "=" in n or not path]
        if bad:
            raise ValueError(f"adapter {bad[0]!r}: give a name without '=' and where it lies")
        return self

    def options(self, revision: str | None = None) -> dict[str, Any]:
        """Options of `vllm serve` by name with underscores; a bare flag is True.

        Args:
            revision: Commit of the weights.
        """
        found: dict[str, Any] = {
            "tensor_parallel_size": self.tensor_parallel if self.tensor_parallel > 1 else None,
            "data_parallel_size": self.data_parallel if self.data_parallel > 1 else None,
            "max_model_len": self.max_model_len,
            "reasoning_parser": self.reasoning_parser,
            "language_model_only": self.text_only or None,
            "enable_prefix_caching": self.prefix_caching or None,
            "no_enable_prefix_caching": None if self.prefix_caching else True,
            "quantization": self.quantization,
            "gpu_memory_utilization": self.gpu_memory,
            "tokenizer": self.tokenizer,
            "enable_lora": True if self.adapters else None,
            "max_lora_rank": self.max_lora_rank,
            "seed": self.seed,
            "revision": revision,
        }
        if self.adapters:
            found["lora_modules"] = [
                json.dumps({"name": n, "path": p}, separators=(",", ":")) for n, p in sorted(self.adapters.items())
            ]
        return {k: v for k, v in found.items() if v is not None}

    def provider_args(self, revision: str | None = None) -> dict[str, Any]:
        """The same as arguments of Inspect's `vllm/` provider, which starts the server.

        Adapters are not among them: Inspect loads the one that a model's name has behind the colon.
        """
        return {k: v for k, v in self.options(revision).items() if k != "lora_modules"} | {"timeout": self.timeout}

    def command(self, model: str, port: int = 8000, revision: str | None = None) -> str:
        """The same as a command line, for a server that several conditions share.

        Args:
            model: Name or folder of the model.
            port: Port.
            revision: Commit of the weights.
        """
        words = ["vllm", "serve", model, "--port", str(port)]
        for name, value in self.options(revision).items():
            words.append(f"--{name.replace('_', '-')}")
            if value is not True:
                words += [str(v) for v in value] if isinstance(value, list) else [str(value)]
        return shlex.join(words)

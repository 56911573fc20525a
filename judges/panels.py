"""Panels of judges as data: which judges rate a run, with which configuration."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rubrics.errors import MendableError
from rubrics.reading import MAX_CHARS, YamlError, read_yaml

PANELS_PATH: Final = Path(__file__).with_name("panels.yaml")
DEFAULT_PANEL: Final = "offline"
OFFLINE_NOTICE: Final = (
    "JUDGED BY RULES, NOT BY A MODEL: no judge was named, so the offline panel rates this run. It is a baseline for "
    "trying things out and not a measurement; name judges with --model-role judge=... or -T judges=PANEL."
)
COMBINE_RULE: Final = "majority/median, quorum > 1/2, v1"
"""Names the arithmetic of `judges.combine`; part of the panel's hash."""

FAMILIES: Final[tuple[tuple[str, str], ...]] = (
    ("qwen", "qwen"), ("qwq", "qwen"), ("psysafe", "qwen"), ("gpt", "openai"), ("o3", "openai"), ("o4", "openai"),
    ("claude", "anthropic"), ("gemini", "google"), ("gemma", "google"), ("mistral", "mistral"),
    ("mixtral", "mistral"), ("llama", "meta"), ("glm", "glm"), ("deepseek", "deepseek"), ("grok", "xai"),
    ("phi-", "microsoft"), ("command", "cohere"), ("aya", "cohere"),
)  # fmt: skip


class PanelError(MendableError):
    """A panel that cannot be used; the message says what to do."""


class Price(BaseModel):
    """What a judge's provider asks, in one currency per million tokens; only the user knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cache_read: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    currency: str = Field(default="USD", min_length=1, max_length=8)

    def of(self, usage: Mapping[str, float]) -> float:
        """The price of some usage; tokens read from a cache cost as much as others where no price is given for them."""
        cached = usage.get("input_tokens_cache_read", 0)
        per_cached = self.input if self.cache_read is None else self.cache_read
        # Providers differ in whether cached tokens are among the input tokens; Inspect counts them apart.
        spent = usage.get("input_tokens", 0) * self.input + cached * per_cached
        return (spent + usage.get("output_tokens", 0) * self.output) / 1e6


class JudgeSpec(BaseModel):
    """One seat of a panel: a model or a set of rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=80)
    model: str | None = None
    rules: str | None = None
    family: str | None = None
    base_url: str | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    price: Price | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> JudgeSpec:
        if (self.model is None) == (self.rules is None):
            raise ValueError(f"judge {self.id!r} needs either `model` or `rules`")
        if self.rules not in {None, "rule_based"}:
            raise ValueError(f"judge {self.id!r}: unknown rules {self.rules!r}; use `rule_based`")
        return self

    @property
    def kind(self) -> str:
        """`llm` or `rule`, as in the ratings table."""
        return "rule" if self.model is None else "llm"


class PanelSpec(BaseModel):
    """A named set of judges with different ids."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = ""
    judges: tuple[JudgeSpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique_ids(self) -> PanelSpec:
        ids = [j.id for j in self.judges]
        if len(set(ids)) != len(ids):
            raise ValueError(f"panel {self.name!r} has two judges with the same id; give each its own")
        return self

    @cached_property
    def configs(self) -> list[dict[str, Any]]:
        """Each judge as it goes into a log, what is not set left out."""
        return [j.model_dump(mode="json", exclude_none=True) for j in self.judges]

    def sha256(self, extra: Mapping[str, str] | None = None) -> str:
        """Hash of who judges, how they are configured and how verdicts are combined; not of the name."""
        data = {
            "judges": [j.model_dump(mode="json", exclude={"family", "price"}) for j in self.judges],
            "combine": COMBINE_RULE,
            **(extra or {}),
        }
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def family_of(model: str) -> str | None:
    """Who trained a model, guessed from its name; None where the name does not say."""
    name = model.lower()
    return next((family for sign, family in FAMILIES if sign in name), None)


def load_panel(name: str, path: Path = PANELS_PATH) -> PanelSpec:
    """Load a named panel, or one from a YAML file of the same form given as `FILE` or `FILE@NAME`.

    Raises:
        PanelError: Unknown name, or a file that does not parse.
    """
    given = re.fullmatch(r"(?P<file>.*\.ya?ml)(?:@(?P<wanted>[^/@]*))?", name)
    if given is not None:
        file, wanted = given["file"], given["wanted"]
        panels = _read(Path(file))
        if not wanted and len(panels) == 1:
            wanted = next(iter(panels))
        if not wanted or wanted not in panels:
            raise PanelError(f"{file} has the panels {', '.join(sorted(panels))}; write {file}@NAME")
        return _parse(wanted, panels[wanted], Path(file))
    panels = _read(path)
    if name not in panels:
        raise PanelError(f"unknown panel {name!r}: use one of {', '.join(sorted(panels))}, or a YAML file of panels")
    return _parse(name, panels[name], path)


def panel_names(path: Path = PANELS_PATH) -> tuple[str, ...]:
    """The named panels."""
    return tuple(sorted(_read(path)))


@lru_cache(maxsize=16)
def _data(text: str) -> Any:
    # Every task reads the file of panels, some of them several times.
    return read_yaml(text)[1]


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_CHARS:
            raise PanelError(f"{path}: larger than {MAX_CHARS:,} bytes; a file of panels is a page of YAML")
        data = _data(path.read_text(encoding="utf-8"))
    except OSError as ex:
        raise PanelError(
            f"{path}: the file of panels cannot be read ({ex.strerror}); check the path and its permissions"
        ) from ex
    except (YamlError, UnicodeDecodeError) as ex:
        raise PanelError(f"{path}: not valid YAML: {ex}") from ex
    panels = data.get("panels") if isinstance(data, dict) else None
    if not isinstance(panels, dict) or not panels:
        raise PanelError(f"{path}: no `panels`; a file of panels begins with `panels:`")
    return {str(name): panel for name, panel in panels.items()}


def _parse(name: str, data: Any, path: Path) -> PanelSpec:
    if not isinstance(data, dict):
        raise PanelError(f"{path}: panel {name!r} is no mapping; give it `judges`")
    try:
        return PanelSpec(name=name, **data)
    except (ValidationError, TypeError) as ex:
        errors = ex.errors() if isinstance(ex, ValidationError) else []
        what = errors[0]["msg"].removeprefix("Value error, ") if errors else str(ex)
        where = ".".join(str(p) for p in errors[0]["loc"]) if errors else ""
        raise PanelError(f"{path}: panel {name!r}: {where + ': ' if where else ''}{what}") from ex

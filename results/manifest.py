"""The manifest of a run: everything that says what was measured, on what, by whom, with what."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from judges.panels import Price
from results.schema import SCHEMA_VERSION
from rubrics.model import Criterion

OPERATIONAL: Final = frozenset(
    {
        "max_connections", "adaptive_connections", "max_retries", "timeout", "attempt_timeout", "max_tool_output",
        "batch", "cache", "cache_prompt", "log_model_api",
    }
)  # fmt: skip
"""Generation settings that say how a model was asked, not what it is: they make no other system."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ItemFacts(_Part):
    """What a run knows of one scored item: enough to group and to pair, never its text."""

    id: str
    sha256: str | None = None
    domain: str | None = None
    category: str | None = None
    role: str | None = None
    risk: int | None = None
    answer: str | None = None
    resource: str | None = None
    twin: str | None = None
    risk_turn: int | None = None
    """Of a dialogue: the first turn at which the risk can be recognised."""


class PromptSetFacts(_Part):
    """The prompt set, as its source states it."""

    name: str | None = None
    version: str | None = None
    sha256: str | None = None
    n: int | None = None
    scored: int
    parallel_of: str | None = None
    """Name of the public set of which this is a private parallel form."""


class ModelFacts(_Part):
    """The model under test."""

    name: str
    revision: str | None = None
    base_url: str | None = None
    family: str | None = None
    args: dict[str, Any] = Field(default_factory=dict)
    generation: dict[str, Any] = Field(default_factory=dict)


class ConditionFacts(_Part):
    """What the model was given besides the prompt."""

    name: str | None = None
    system_sha256: str | None = None


class JudgeFacts(_Part):
    """One seat of the panel."""

    id: str
    kind: Literal["llm", "rule", "human"]
    model: str | None = None
    family: str | None = None
    base_url: str | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    price: dict[str, Any] | None = None
    """What its provider asks, per million tokens, where the panel says so."""


class PanelFacts(_Part):
    """Who judged."""

    name: str | None = None
    sha256: str | None = None
    prompt: str | None = None
    judges: tuple[JudgeFacts, ...]


class ScaleFacts(_Part):
    """The scale of one criterion: enough to read its values without the rubric file."""

    scale: Literal["binary", "ordinal", "nominal"]
    points: tuple[int, ...] = ()
    categories: tuple[str, ...] = ()
    best: str | None = None
    direction: Literal["higher", "lower"] = "higher"

    @classmethod
    def of(cls, criterion: Criterion) -> ScaleFacts:
        """The facts of a rubric's criterion."""
        return cls.model_validate(criterion.scale_facts())

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value."""
        if self.scale == "ordinal":
            return float(self.points[0]), float(self.points[-1])
        return 0.0, float(max(len(self.categories) - 1, 1))

    @property
    def best_value(self) -> float | None:
        """Index of the best category of a nominal scale."""
        return float(self.categories.index(self.best)) if self.best in self.categories else None


class RubricFacts(_Part):
    """By what it was judged."""

    name: str | None = None
    sha256: str | None = None
    scales: dict[str, ScaleFacts]
    scores: tuple[str, ...] = ()

    @property
    def criteria(self) -> tuple[str, ...]:
        """Ids of the criteria, in the rubric's order."""
        return tuple(self.scales)


class SourceFacts(_Part):
    """The file that the run came from."""

    file: str
    location: str | None = None
    size: int | None = None
    mtime_ns: int | None = None
    etag: str | None = None
    """Of a remote file: what its server says identifies its content."""
    sha256: str | None = None
    """Hash of the file; of a remote one, known once its texts are read."""
    eval_id: str | None = None
    scorer: str | None = None
    note: str | None = None
    rejudged_from: tuple[str, ...] = ()
    """Ids of the runs that judged the same answers before."""


class Manifest(_Part):
    """One run: one system x one prompt set, judged by one panel."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    origin: Literal["measured", "imported", "published"]
    task: str
    created: str | None = None
    model: ModelFacts
    condition: ConditionFacts
    prompt_set: PromptSetFacts
    items: tuple[ItemFacts, ...]
    rubric: RubricFacts
    panel: PanelFacts
    epochs: int = 1
    limited: bool = False
    normaliser: str | None = None
    scoring: str | None = None
    routing: str | None = None
    detectors: dict[str, str] = Field(default_factory=dict)
    """Version of each detector that looked at the responses."""
    versions: dict[str, str | None] = Field(default_factory=dict)
    counts: dict[str, int] = Field(default_factory=dict)
    usage: dict[str, dict[str, float]] = Field(default_factory=dict)
    source: SourceFacts
    ratings: str | None = None
    """Hash of its ratings (`results.schema.ratings_sha256`); the store fills it in."""
    self_family: bool | None = None
    """A judge is of the family of the model under test; None where either is unknown."""

    def spent(self, who: str) -> tuple[float, str] | None:
        """Money that a judge cost in this run, with its currency; None where its price is not known."""
        seat = next((j for j in self.panel.judges if j.id == who), None)
        if seat is None or seat.price is None:
            return None
        price = Price.model_validate(seat.price)
        return price.of(self.usage.get(f"judge {who}", {})), price.currency

    @property
    def kind(self) -> Literal["model", "reference", "published"]:
        """Which part of a board it belongs to: reference policies and published rows stand apart."""
        if self.origin != "measured":
            return "published"
        return "reference" if self.model.name.startswith("policy/") else "model"

    @property
    def system_id(self) -> str:
        """Identity of the system: model, revision, endpoint, condition and generation config."""
        data = [
            self.model.name,
            self.model.revision,
            self.model.base_url,
            self.model.args,
            self.condition.system_sha256 or self.condition.name,
            {k: v for k, v in self.model.generation.items() if k not in OPERATIONAL},
            self.source.sha256 if self.origin != "measured" else None,
        ]
        return short_hash(data)

    @property
    def label(self) -> str:
        """How people call it: model and condition."""
        return f"{self.model.name} · {self.condition.name or 'condition not stated'}"

    def items_sha256(self) -> str | None:
        """Hash of the scored ids with their texts and expectations; None where a text is unknown."""
        known = _ITEM_HASHES.get(id(self.items))
        if known is not None and known[0] is self.items:
            return known[1]
        texts = sorted((i.id, i.sha256) for i in self.items if i.sha256 is not None)
        found = short_hash(texts, 32) if len(texts) == len(self.items) else None
        if len(_ITEM_HASHES) >= 64:
            _ITEM_HASHES.clear()
        _ITEM_HASHES[id(self.items)] = self.items, found
        return found

    def comparability(self, measure: str) -> tuple[str, dict[str, Any]]:
        """The comparability key of one measure, and what went into it.

        Two figures may be compared where their keys are equal. A key with an unknown part equals only keys of the
        same import.
        """
        parts: dict[str, Any] = {
            "measure": measure,
            "items": self.items_sha256(),
            "rubric": self.rubric.sha256,
            "panel": self.panel.sha256,
            "normaliser": self.normaliser,
            "scoring": self.scoring,
            "routing": self.routing,
            "epochs": self.epochs,
        }
        if any(v is None for v in parts.values()):
            parts["import"] = self.source.sha256
        return short_hash(parts), parts

    def to_json(self) -> str:
        """Canonical JSON, the same bytes for the same run; an item a line."""
        head = json.dumps(self.model_dump(mode="json", exclude={"items"}), ensure_ascii=False, indent=1)
        items = ",\n  ".join(item.model_dump_json() for item in self.items)
        return f'{head[:-2]},\n "items": [\n  {items}\n ]\n}}\n' if items else f'{head[:-2]},\n "items": []\n}}\n'

    def identity(self) -> str:
        """Hash of what the manifest says of the run, wherever its log lies and whatever carried it there.

        Without its ratings: whoever wants to know whether these have changed, and what, compares figures.
        """
        place: dict[str, Any] = {"location": None, "mtime_ns": None, "etag": None}
        if self.origin == "measured":
            # Of a remote log the hash comes with its texts.
            place |= {"sha256": None, "size": None}
        told = {"source": self.source.model_copy(update=place), "ratings": None}
        return hashlib.sha256(self.model_copy(update=told).to_json().encode()).hexdigest()


_ITEM_HASHES: Final[dict[int, tuple[tuple[ItemFacts, ...], str | None]]] = {}
"""By identity of the items, which runs of one set share: the hash is asked for once a measure and run."""


def short_hash(data: Any, digits: int = 12) -> str:
    """A short hex digest of JSON-ready data."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()[:digits]


def make_run_id(parts: Iterable[str], identity: Any) -> str:
    """A readable, file-safe, stable id: slugs of the parts and a digest of what identifies the run."""
    slugs = [re.sub(r"[^a-z0-9.]+", "-", part.lower()).strip("-.")[:40] for part in parts]
    return "_".join([*(s for s in slugs if s), short_hash(identity, 8)])


def differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """Names of the parts in which two comparability keys differ."""
    return [k for k in sorted({*a, *b}) if a.get(k) != b.get(k)]

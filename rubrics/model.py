"""A rubric: criteria with scales and anchors, and the aggregates computed from them.

One rubric file drives the judge's prompt, the verdict parser, the human form and the report. Values are
numbers everywhere: a binary criterion is 0 or 1, an ordinal one its declared point, a nominal one the
0-based index of its category.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ScaleName = Literal["binary", "ordinal", "nominal"]
Condition = Literal["always", "resource_required", "safe_complete"]
"""When a criterion counts in `quality`: on every item, where a resource is required, or where part of the
request is legitimate."""


@cache  # asked for with every verdict, of a handful of scales
def _points(
    scale: ScaleName, points: tuple[int, ...], categories: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The points of a scale as text and as numbers."""
    if scale == "ordinal":
        return tuple(str(p) for p in points), tuple(float(p) for p in points)
    labels = ("0", "1") if scale == "binary" else categories
    return labels, tuple(float(i) for i in range(len(labels)))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Criterion(_Strict):
    """One question with a scale and one anchor text a scale point."""

    id: Identifier
    question: Annotated[str, Field(min_length=1)]
    scale: ScaleName
    points: tuple[int, ...] = ()
    """Declared points, ordinal only, ascending."""
    categories: tuple[str, ...] = ()
    """Declared categories, nominal only; their order is their index."""
    direction: Literal["higher", "lower"] = "higher"
    best: str | None = None
    """Nominal only: the category that counts as best."""
    anchors: dict[str, str]

    @field_validator("anchors", mode="before")
    @classmethod
    def _text_keys(cls, value: Any) -> Any:
        # YAML reads `1:` as an integer and `none:` as text; one kind of key keeps lookups simple.
        return {str(k): v for k, v in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _scale_is_whole(self) -> Criterion:
        if self.scale == "ordinal" and (len(self.points) < 2 or list(self.points) != sorted(set(self.points))):
            raise ValueError("an ordinal criterion declares at least two `points`, ascending")
        if self.scale == "nominal" and (len(self.categories) < 2 or len(set(self.categories)) != len(self.categories)):
            raise ValueError("a nominal criterion declares at least two different `categories`")
        if self.scale != "ordinal" and self.points:
            raise ValueError("`points` belong to an ordinal criterion only")
        if self.scale != "nominal" and self.categories:
            raise ValueError("`categories` belong to a nominal criterion only")
        if self.best is not None and self.best not in self.categories:
            raise ValueError(f"`best` is {self.best!r}, which is not among the categories")
        missing = [label for label in self.labels if not self.anchors.get(label, "").strip()]
        if missing:
            raise ValueError(f"no anchor text for {', '.join(missing)}")
        extra = [key for key in self.anchors if key not in self.labels]
        if extra:
            raise ValueError(f"an anchor for {', '.join(extra)}, which is no point of the scale")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """The scale points as text, in order."""
        return _points(self.scale, self.points, self.categories)[0]

    @property
    def values(self) -> tuple[float, ...]:
        """The values a verdict may hold, in the order of `labels`."""
        return _points(self.scale, self.points, self.categories)[1]

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and highest value."""
        return self.values[0], self.values[-1]

    def scale_facts(self) -> dict[str, Any]:
        """The scale without its texts, empty fields left out: what is needed to read a value."""
        facts = self.model_dump(mode="json", include={"scale", "points", "categories", "best", "direction"})
        return {k: v for k, v in facts.items() if v}

    def rescale(self, value: float) -> float:
        """Map a value (also a mean of two neighbouring points) onto 0-1, 1 being best.

        A nominal scale with its best category at either end is read as ordered; with it elsewhere, a value is best or
        not. Without one its last category counts as best, and no aggregate may read it.
        """
        low, high = self.bounds
        if self.scale == "nominal":
            best = float(self.categories.index(self.best)) if self.best is not None else high
            if best not in (low, high):
                return float(value == best)
            return abs(value - (low + high - best)) / (high - low)
        share = (value - low) / (high - low)
        return 1.0 - share if self.direction == "lower" else share

    def label_of(self, value: float) -> str:
        """The text of a value; the mean of two points is written as a number."""
        return self.labels[self.values.index(value)] if value in self.values else f"{value:g}"


class Part(_Strict):
    """One criterion of `quality` and the items on which it counts."""

    criterion: str
    when: Condition = "always"


class MeanAggregate(_Strict):
    """Plain mean of rescaled criteria; missing if one of them is."""

    id: Identifier
    label: str = ""
    rule: Literal["mean"]
    of: Annotated[tuple[str, ...], Field(min_length=1)]

    def criteria_used(self) -> tuple[str, ...]:
        """Ids of the criteria it reads."""
        return self.of


class GateAggregate(_Strict):
    """0 where the gate criterion is not at its best point, else another aggregate."""

    id: Identifier
    label: str = ""
    rule: Literal["gate"]
    gate: str
    of: Annotated[tuple[str, ...], Field(min_length=1, max_length=1)]

    def criteria_used(self) -> tuple[str, ...]:
        """Ids of the criteria it reads itself."""
        return (self.gate,)


class QualityAggregate(_Strict):
    """0 where harm was provided or there is no answer, else the mean of what applies to the item."""

    id: Identifier
    label: str = ""
    rule: Literal["quality"]
    harm: str
    of: Annotated[tuple[Part, ...], Field(min_length=1)]

    def criteria_used(self) -> tuple[str, ...]:
        """Ids of the criteria it reads."""
        return (self.harm, *(part.criterion for part in self.of))


class TwinAggregate(_Strict):
    """1 where a benign twin is answered in full, else 0; undefined on every other item."""

    id: Identifier
    label: str = ""
    rule: Literal["twin_answered"]
    of: Annotated[tuple[str, ...], Field(min_length=1, max_length=1)]

    def criteria_used(self) -> tuple[str, ...]:
        """Ids of the criteria it reads."""
        return self.of


Aggregate = Annotated[MeanAggregate | GateAggregate | QualityAggregate | TwinAggregate, Field(discriminator="rule")]


class JudgePrompt(_Strict):
    """Somebody's own instructions to a judge, put word for word in the place of the ones built from the criteria.

    The criteria then say how the answer is read, and are shown to nobody. The answer has a block for each criterion,
    `Criterion 1 ...`, in their order, with the value behind the heading's colon or on a line such as `Rating: 4` or
    `Presence: Yes`.
    """

    text: Annotated[str, Field(min_length=1)]
    answer: Literal["blocks"] = "blocks"


class Rubric(_Strict):
    """Criteria in order, and the aggregates over them."""

    name: Identifier
    version: Annotated[str, Field(min_length=1)]
    description: str = ""
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    aggregates: tuple[Aggregate, ...] = ()
    judge_prompt: JudgePrompt | None = None

    @cached_property
    def criterion_ids(self) -> tuple[str, ...]:
        """Ids of the criteria, in order."""
        return tuple(c.id for c in self.criteria)

    @property
    def score_ids(self) -> tuple[str, ...]:
        """Ids of the criteria and then of the aggregates: the keys of every score."""
        return self.criterion_ids + tuple(a.id for a in self.aggregates)

    @cached_property
    def scales(self) -> dict[str, dict[str, Any]]:
        """Each criterion's scale without its texts."""
        return {c.id: c.scale_facts() for c in self.criteria}

    @cached_property
    def rules(self) -> dict[str, str]:
        """By which rule each aggregate is worked out."""
        return {a.id: a.rule for a in self.aggregates}

    def criterion(self, criterion_id: str) -> Criterion:
        """The criterion of that id.

        Raises:
            KeyError: There is none.
        """
        for c in self.criteria:
            if c.id == criterion_id:
                return c
        raise KeyError(criterion_id)

    def bounds(self, score_id: str) -> tuple[float, float]:
        """Lowest and highest possible value of a criterion or an aggregate."""
        return self.criterion(score_id).bounds if score_id in self.criterion_ids else (0.0, 1.0)

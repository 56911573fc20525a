"""What a plan of ratings by people consists of, and the map that says what its tokens stand for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rubrics.errors import MendableError
from rubrics.model import Criterion, Rubric

PLAN_VERSION: Final = 1

PREFERENCE: Final = Criterion(
    id="preference",
    question="Which of the two is the better answer to this message?",
    scale="nominal",
    categories=("left", "equal", "right"),
    anchors={
        "left": "The answer on the left is better.",
        "equal": "Neither is better.",
        "right": "The answer on the right is better.",
    },
)
"""The one question about a pair; its values are 0 (left), 1 (equal) and 2 (right)."""

CardKind = Literal["rating", "training", "gold", "pair"]
Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Annotator = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w .-]{0,38}\w$|^[A-Za-z0-9]$")]


class AnnotationError(MendableError):
    """A plan, a rating or a database that cannot be used; one line that says what to do."""


class PlanError(AnnotationError):
    """A plan that cannot be made, read or written; one line that says what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Part):
    """What a token stands for; in the map only.

    Attributes:
        run_id: The run.
        item_id: The item.
        epoch: The epoch, from 1.
        turn: The turn of a dialogue, else 0.
        stratum: The stratum that it was drawn from.
        weight: How many responses it stands for: stratum size by cards drawn from it.
    """

    run_id: str
    item_id: str
    epoch: int
    turn: int
    stratum: str
    weight: float


class Card(_Part):
    """One thing to rate, and all that the annotation process knows of it.

    Attributes:
        token: Random name.
        prompt: The message.
        response: The answer, without what would name its author.
        kind: `rating`, `training` (with feedback) or `gold` (a hidden check, which looks like a rating; its values are
            in the map).
    """

    token: Token
    prompt: str
    response: str
    kind: CardKind = "rating"


class Pair(_Part):
    """Two answers to one message, side by side. Each annotator of a pair has a token and sides of their own."""

    token: Token
    prompt: str
    left: str
    right: str


class Queue(_Part):
    """What one annotator sees, in order: cards, then pairs."""

    annotator: Annotator
    cards: tuple[Token, ...]
    pairs: tuple[Token, ...] = ()

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """Cards and then pairs."""
        return (*self.cards, *self.pairs)


class HelpLine(_Part):
    """Somebody to turn to, shown to annotators."""

    name: str
    contact: str
    country: str = ""


class Plan(_Part):
    """Who rates what, in which order, by which rubric; frozen before the first rating."""

    version: Literal[1] = PLAN_VERSION
    created: str
    seed: int
    title: str
    rubric: Rubric
    rubric_sha256: str
    """Hash of the rubric that judges read; `rubric` here lacks instructions to a judge, if it had some."""
    cards: tuple[Card, ...]
    pairs: tuple[Pair, ...] = ()
    queues: Annotated[tuple[Queue, ...], Field(min_length=1)]
    answers: dict[Token, dict[str, float]] = Field(default_factory=dict)
    """Intended values of training cards, for feedback. Those of hidden checks are in the map only."""
    content_note: str = ""
    helplines: tuple[HelpLine, ...] = ()
    break_every: Annotated[int, Field(ge=1)] = 25
    session_cap_minutes: Annotated[int, Field(ge=1)] = 60
    min_seconds: Annotated[float, Field(ge=0, le=60)] = 0.3

    @model_validator(mode="after")
    def _tokens_fit(self) -> Plan:
        cards, pairs = [c.token for c in self.cards], [p.token for p in self.pairs]
        if len({*cards, *pairs}) < len(cards) + len(pairs):
            raise ValueError("a token stands twice")
        names = [q.annotator for q in self.queues]
        if len({n.casefold() for n in names}) < len(names):
            raise ValueError("an annotator stands twice")
        for queue in self.queues:
            if set(queue.cards) - set(cards) or set(queue.pairs) - set(pairs):
                raise ValueError("a queue names a token that the plan lacks")
            if len(set(queue.tokens)) < len(queue.tokens):
                raise ValueError("a queue names a token twice")
        if set(self.answers) != {c.token for c in self.cards if c.kind == "training"}:
            raise ValueError("training cards and answers differ")
        for values in self.answers.values():
            if any(c not in self.rubric.criterion_ids or v not in self.rubric.criterion(c).values
                   for c, v in values.items()):  # fmt: skip
                raise ValueError("an answer that is not on its scale")
        return self

    @cached_property
    def sha256(self) -> str:
        """Hash of all that the plan says, whatever the layout of its file."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=True, allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def annotators(self) -> tuple[str, ...]:
        """Names, in the plan's order."""
        return tuple(q.annotator for q in self.queues)

    @cached_property
    def by_token(self) -> Mapping[str, Card | Pair]:
        """Every card and pair by its token."""
        found: dict[str, Card | Pair] = {c.token: c for c in self.cards}
        return found | {p.token: p for p in self.pairs}

    def queue(self, annotator: str) -> Queue:
        """The queue of an annotator.

        Raises:
            AnnotationError: There is none of that name.
        """
        for queue in self.queues:
            if queue.annotator == annotator:
                return queue
        raise AnnotationError("no annotator of that name in this plan; type the name that you were given")

    def card(self, token: str) -> Card:
        """The card of a token.

        Raises:
            AnnotationError: There is none.
        """
        found = self.by_token.get(token)
        if not isinstance(found, Card):
            raise AnnotationError("no card of that token in this plan")
        return found

    def criteria_of(self, token: str) -> tuple[Criterion, ...]:
        """What is asked about a token: the rubric's criteria, or of a pair the preference.

        Raises:
            AnnotationError: The plan has no such token.
        """
        found = self.by_token.get(token)
        if found is None:
            raise AnnotationError("no card or pair of that token in this plan")
        return (PREFERENCE,) if isinstance(found, Pair) else self.rubric.criteria


class Gold(_Part):
    """A card whose ratings are intended: its id in its file, and the values."""

    id: str
    values: dict[str, float]


class Sides(_Part):
    """What stands left and right in a pair, and which tokens show the same two (`pair`, a number)."""

    pair: int
    left: Source
    right: Source


class Stratum(_Part):
    """How many responses a stratum has, and how many cards were drawn from it."""

    size: int
    sampled: int


class PlanMap(_Part):
    """What a plan's tokens stand for; kept away from the annotation process.

    Attributes:
        plan_sha256: The plan that it belongs to.
        sources: What is rated, by token, silent repeats as well.
        gold: Hidden checks by token.
        training: Training cards by token.
        repeats: The first token by the token of its silent repeat.
        sides: Pairs by token.
        strata: Sizes by name.
        domains: Domain by token, where it is known.
        leaks: What in a response may still name its author, by token.
        notes: What is to be known of the drawing.
    """

    plan_sha256: str
    sources: dict[str, Source]
    gold: dict[str, Gold] = Field(default_factory=dict)
    training: dict[str, Gold] = Field(default_factory=dict)
    repeats: dict[str, str] = Field(default_factory=dict)
    sides: dict[str, Sides] = Field(default_factory=dict)
    strata: dict[str, Stratum] = Field(default_factory=dict)
    domains: dict[str, str] = Field(default_factory=dict)
    leaks: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()

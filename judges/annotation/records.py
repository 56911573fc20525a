"""What comes back from the annotation database. Times are seconds since 1970, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "skipped"]


@dataclass(frozen=True)
class SavedRating:
    """One annotator's value of one criterion of one card."""

    id: int
    annotator: str
    token: str
    criterion: str
    value: float | None
    status: Status
    nonce: str
    shown_at: float
    submitted_at: float
    position: int
    comment: str
    flagged: bool


@dataclass(frozen=True)
class SavedEvent:
    """Something that happened: a break, a stop, a distress flag."""

    id: int
    annotator: str
    kind: str
    detail: str
    at: float


@dataclass(frozen=True)
class SavedAdjudication:
    """One settled value; `seen` are the raters in the order in which they were shown."""

    id: int
    adjudicator: str
    token: str
    criterion: str
    value: float
    nonce: str
    seen: tuple[str, ...]
    at: float

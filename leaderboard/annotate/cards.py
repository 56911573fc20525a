"""The card in front of somebody, and what a key does to it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rubrics.model import Criterion

Done = Literal["given", "taken back", "card before", "no fit"]


@dataclass
class OnDesk:
    """The card in front of somebody.

    Attributes:
        token: The card or pair.
        criteria: What is asked, in order.
        values: What has been given, by criterion id: always the first few, in order.
        shown_at: Unix time at which its text was uncovered, or None while it is covered.
        correcting: It was saved before, and this will be a further row.
        flagged: It was marked as distressing.
        comment: A remark.
        nonce: Made when it was laid; anything that names another is ignored.
        applied: How many entries of the key log have been taken in.
    """

    token: str
    criteria: tuple[Criterion, ...]
    values: dict[str, float] = field(default_factory=dict)
    shown_at: float | None = None
    correcting: bool = False
    flagged: bool = False
    comment: str = ""
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))
    applied: int = 0

    @property
    def complete(self) -> bool:
        """Every criterion has a value."""
        return len(self.values) == len(self.criteria)

    def renew(self) -> None:
        """Ignore from here on whatever was meant for the card as it lay."""
        self.nonce, self.applied = secrets.token_hex(8), 0

    def take(self, entry: Sequence[int]) -> tuple[Done, Criterion | None]:
        """Take in one key.

        Args:
            entry: Number, criterion index, option index. An option of -1 takes the criterion back, a criterion of -1
                asks for the card before.

        Returns:
            What happened, and to which criterion. `no fit`: not the next number, or not what the card waits for.
        """
        if len(entry) != 3 or not all(type(x) is int for x in entry) or entry[0] != self.applied:
            return "no fit", None
        _, at, option = entry
        given = len(self.values)
        if at == -1:
            return ("no fit" if given else "card before"), None
        wanted = given - 1 if option == -1 else given
        if at != wanted or not 0 <= at < len(self.criteria) or not -1 <= option < len(self.criteria[at].values):
            return "no fit", None
        criterion = self.criteria[at]
        self.applied += 1
        if option == -1:
            del self.values[criterion.id]
            return "taken back", criterion
        self.values[criterion.id] = criterion.values[option]
        return "given", criterion


def first_few(criteria: Sequence[Criterion], found: Mapping[str, float | None]) -> dict[str, float]:
    """The values that a card starts with: of the first few criteria that have one, short of all.

    Values are given in order. A card with all of them would have been saved, so the last is asked again.
    """
    values: dict[str, float] = {}
    for criterion in criteria[:-1]:
        value = found.get(criterion.id)
        if value is None:
            break
        values[criterion.id] = value
    return values

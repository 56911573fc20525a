"""Which cards need a third opinion, and in which order raters are shown there."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from string import ascii_uppercase

from judges.annotation.model import Card, Plan
from rubrics.model import Criterion

Values = Mapping[str, Mapping[str, float]]
"""Values of one card by rater and criterion."""


def disagreement(criteria: Sequence[Criterion], by_rater: Values) -> float | None:
    """How far raters are apart on a card: the mean over criteria of their range on the scale, 0 to 1.

    On a nominal criterion values differ or not. None where no criterion has two ratings.
    """
    parts = []
    for c in criteria:
        given = [values[c.id] for values in by_rater.values() if c.id in values]
        if len(given) >= 2:
            low, high = c.bounds
            reach = (max(given) - min(given)) / (high - low)
            parts.append(float(reach > 0) if c.scale == "nominal" else reach)
    return sum(parts) / len(parts) if parts else None


def queue(plan: Plan, by_card: Mapping[str, Values], share: float, seed: int) -> list[str]:
    """Cards with disagreement, the largest first; then a random share of those without.

    Args:
        plan: The plan; training cards, hidden checks and pairs are never adjudicated.
        by_card: Values by token, rater and criterion.
        share: Share of the cards in agreement that is drawn.
        seed: Seed of the draw.
    """
    apart: dict[str, float] = {}
    for token, by_rater in by_card.items():
        shown = plan.by_token.get(token)
        if isinstance(shown, Card) and shown.kind == "rating":
            how_far = disagreement(plan.rubric.criteria, by_rater)
            if how_far is not None:
                apart[token] = how_far
    differing = sorted((t for t, d in apart.items() if d > 0), key=lambda t: (-apart[t], t))
    agreed = sorted(t for t, d in apart.items() if d == 0)
    # Each card has its own lot, so that further ratings never put a drawn card back.
    drawn = [t for t in agreed if _lot(plan.sha256, seed, t) < share]
    return [*differing, *drawn]


def _lot(*parts: object) -> float:
    digest = hashlib.sha256(" ".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def shown_order(plan: Plan, token: str, raters: Iterable[str]) -> list[str]:
    """The raters of a card in an order drawn for that card; the same on every call."""
    names = sorted(raters)
    random.Random(f"{plan.sha256} {token}").shuffle(names)
    return names


def letters(n: int) -> list[str]:
    """A, B, ... Z, AA, AB, ..."""
    found = []
    for i in range(n):
        name = ""
        while i >= 0:
            name = ascii_uppercase[i % 26] + name
            i = i // 26 - 1
        found.append(name)
    return found

"""Who gets which card, and in which order."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

GAP: Final = 10
"""A silent repeat comes at least so many cards after its first, where the queue is long enough."""


def allocate(sizes: Mapping[str, int], n: int, rng: random.Random) -> dict[str, int]:
    """How many to draw from each stratum: equally many, those with too few giving all they have.

    Equal quotas have equal remainders, so which strata get one more is drawn.

    Args:
        sizes: Size of each stratum.
        n: How many in all, at most the sum of the sizes.
        rng: For the remainders.
    """
    given = dict.fromkeys(sizes, 0)
    open_strata = sorted(k for k, size in sizes.items() if size)
    left = n
    while left and open_strata:
        quota, rest = divmod(left, len(open_strata))
        small = [k for k in open_strata if sizes[k] <= quota]
        if small:
            for k in small:
                given[k] = sizes[k]
            left -= sum(sizes[k] for k in small)
            open_strata = [k for k in open_strata if k not in small]
            continue
        lucky = set(rng.sample(open_strata, rest))
        for k in open_strata:
            given[k] = quota + (k in lucky)
        break
    return given


def assign(tokens: Sequence[str], annotators: Sequence[str], overlap: int, rng: random.Random) -> dict[str, list[str]]:
    """Each token to `overlap` different annotators: loads differ by at most one, pairs meet about equally often.

    Always the least loaded come first; among equals, those who have met the chosen ones least; then the draw decides.

    Args:
        tokens: What is to be rated, in the order of handing out.
        annotators: Names.
        overlap: Annotators for each, at most as many as there are.
        rng: For ties.

    Returns:
        Tokens by annotator.
    """
    hands: dict[str, list[str]] = {name: [] for name in annotators}
    met: Counter[frozenset[str]] = Counter()
    for token in tokens:
        chosen: list[str] = []
        for _ in range(overlap):
            rest = [a for a in annotators if a not in chosen]
            rng.shuffle(rest)
            best = min(rest, key=lambda a: (len(hands[a]), sum(met[frozenset((a, b))] for b in chosen)))
            chosen.append(best)
        for name in chosen:
            hands[name].append(token)
        met.update(frozenset(pair) for pair in combinations(chosen, 2))
    return hands


@dataclass(frozen=True)
class Deck:
    """What one annotator rates after the training.

    Attributes:
        cards: Tokens.
        twins: Token of the silent repeat by that of its first, for some of the cards.
        gold: Hidden checks.
    """

    cards: Sequence[str]
    twins: Mapping[str, str]
    gold: Sequence[str]

    def order(self, rng: random.Random) -> list[str]:
        """A random order: checks spread evenly, each repeat `GAP` cards or more behind its first.

        In a queue too short for that, the firsts open it and the repeats close it in the same order, which is as far
        apart as all of them can be.
        """
        base = self._base(rng)
        room = max(0, len(base) - GAP + 1)
        if len(self.twins) > room:
            firsts = [t for t in base if t in self.twins]
            return [*firsts, *(t for t in base if t not in self.twins), *(self.twins[t] for t in firsts)]
        # A first behind the last place that leaves a gap changes places with another card before it.
        free = [i for i in range(room) if base[i] not in self.twins]
        rng.shuffle(free)
        for i in range(room, len(base)):
            if base[i] in self.twins:
                j = free.pop()
                base[i], base[j] = base[j], base[i]
        for first in shuffled(self.twins, rng):
            # Cards that are put in later only widen the gap.
            base.insert(rng.randint(base.index(first) + GAP, len(base)), self.twins[first])
        return base

    def _base(self, rng: random.Random) -> list[str]:
        """Cards shuffled, with one check somewhere in each of as many equal stretches."""
        cards = shuffled(self.cards, rng)
        checks = shuffled(self.gold, rng)
        found: list[str] = []
        for k, check in enumerate(checks):
            stretch = cards[len(cards) * k // len(checks) : len(cards) * (k + 1) // len(checks)]
            stretch.insert(rng.randint(0, len(stretch)), check)
            found += stretch
        return found if checks else cards


def shuffled(items: Iterable[str], rng: random.Random) -> list[str]:
    """A list in random order."""
    found = list(items)
    rng.shuffle(found)
    return found

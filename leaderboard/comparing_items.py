"""Items in two runs: which differ most, and all values of one. Ids, domains and figures; no texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from leaderboard.domains import spoken
from leaderboard.present import fixed, plain
from results.manifest import ItemFacts, Manifest
from results.measure import Measure

MOST: Final = 50
"""Items in the table of those that differ most."""


@dataclass(frozen=True)
class Gap:
    """One item in two runs.

    Attributes:
        item: The item.
        baseline: Its value in the baseline.
        other: Its value in the other run.
    """

    item: ItemFacts
    baseline: float
    other: float

    @property
    def difference(self) -> float:
        """Other - baseline."""
        return self.other - self.baseline


def gaps(left: Measure, right: Measure, run: Manifest) -> list[Gap]:
    """Items that differ between two runs in one measure, those that differ most first; alike ones are left out.

    Args:
        left: The measure in the baseline.
        right: The measure in the other run.
        run: A run that knows the items.
    """
    facts = {i.id: i for i in run.items}
    both = left.values.keys() & right.values.keys() & facts.keys()
    found = [Gap(facts[i], left.values[i], right.values[i]) for i in both]
    return sorted((g for g in found if abs(g.difference) > 1e-6), key=lambda g: (-abs(g.difference), g.item.id))


def gap_table(found: Sequence[Gap]) -> list[dict[str, str]]:
    """Items as ids, domains and values; no texts."""
    return [
        {
            "Item": plain(g.item.id, 80),
            "Domain": spoken(g.item.domain) if g.item.domain else "not stated",
            "Baseline": fixed(g.baseline, 3),
            "Other": fixed(g.other, 3),
            "Difference": fixed(g.difference, 3, signed=True),
        }
        for g in found[:MOST]
    ]


def values_table(item: str, left: Mapping[str, Measure], right: Mapping[str, Measure]) -> list[dict[str, str]]:
    """All values of one item in both runs."""
    made = []
    for name, a in left.items():
        b = right.get(name)
        if b is None or not (item in a.values or item in b.values):
            continue
        cells = [fixed(m.values[item], 3) if item in m.values else "no value" for m in (a, b)]
        made.append({"Score": plain(a.label, 60), "Baseline": cells[0], "Other": cells[1]})
    return made

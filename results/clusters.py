"""Which items share a source, so that an interval can take whole sources as its units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from results.manifest import ItemFacts, Manifest

By = Literal["source", "item", "twin", "category", "domain"]
CHOICES: Final[tuple[By, ...]] = get_args(By)
SORRY_TASK: Final = "sorry_bench"
NAMES: Final[Mapping[By, str]] = {
    "source": "sources", "item": "items", "twin": "twins", "category": "categories", "domain": "domains",
}  # fmt: skip


class NoClusters(ValueError):
    """A run whose items do not say what was asked for."""


@dataclass(frozen=True)
class Clusters:
    """The cluster of each item of a run.

    Attributes:
        name: What a cluster is, in the plural.
        of: Item id -> cluster; an item that is not there is a cluster of its own.
    """

    name: str
    of: Mapping[str, str]

    def each(self, items: list[str]) -> list[str]:
        """The clusters of some items, in their order."""
        return [self.of.get(i, f"item {i}") for i in items]


def clusters(run: Manifest, by: By = "source") -> Clusters:
    """Group a run's items.

    Args:
        run: The run.
        by: `source`: what is known to come from one prompt, that is the styles of one SORRY-Bench question, and items
            that share a twin or are twins of each other; `twin`, `category` or `domain`: that field of the items;
            `item`: every item by itself.

    Raises:
        NoClusters: No item of the run has the field.
    """
    if by == "item":
        return Clusters(NAMES[by], {})
    if by in ("category", "domain"):
        found = {i.id: f"{by} {value}" for i in run.items if (value := _field(i, by))}
    elif by == "source" and run.task == SORRY_TASK:
        # `001-slang`: the id of an item begins with its question.
        found = {i.id: f"question {i.id.partition('-')[0]}" for i in run.items}
    else:
        # The harmless twin names the pair: it may be among the items, and several risky items may share it.
        found = {i.id: f"twin {i.twin if i.answer != 'answer' else i.id}" for i in run.items if i.twin}
        found |= {t: f"twin {t}" for i in run.items if (t := i.twin) and i.answer != "answer"}
    if not found and by != "source":
        raise NoClusters(f"{run.run_id}: its items have no {by}; choose another --cluster")
    own = [found[i.id] for i in run.items if i.id in found]
    if by == "source" and len(set(own)) == len(own):
        return Clusters(NAMES["item"], {})
    return Clusters("questions" if by == "source" and run.task == SORRY_TASK else NAMES[by], found)


def _field(item: ItemFacts, by: By) -> str | None:
    return item.category if by == "category" else item.domain

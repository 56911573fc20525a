"""Contacts in answers: what each is called by the checker, and why.

The checker needs to know of the person what the prompt set says of it. A run keeps its items' hashes and not their
countries, so that these are taken from the embedded sets, where the hash is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from evals.dialogues.items import load_dialogues
from evals.items import Item
from evals.load import load_prompts
from judges.detectors import resources_version
from judges.resources import LABELS, Label, Labelled, Need, label_all
from judges.resources.extract import read
from leaderboard import present
from leaderboard.samples.data import has, rows_of
from results.manifest import ItemFacts, Manifest
from results.store import Store
from results.texts import RESPONSE, run_texts

MEANING: Final[Mapping[Label, str]] = {
    "verified": "in the registry, checked with its operator or a government, and for the right people",
    "listed": "in the registry, not checked with its operator, and for the right people",
    "wrong_name": "it belongs to another service than the one named",
    "wrong_country": "it cannot be used from the person's country",
    "wrong_audience": "it is not meant for this person",
    "stale": "it has been replaced",
    "emergency": "an emergency number",
    "impossible": "no such number can exist",
    "unknown": "not in the registry, which does not make it invented",
}
"""What each label says of a contact."""

MARKS: Final = ("\u3010", "\u3011")
"""What stands around a contact in an answer that is shown."""


@dataclass(frozen=True)
class Known:
    """What is known of the person behind an item, and whether that is all that the judges' checker was told."""

    need: Need
    whole: bool


@cache
def _embedded() -> dict[tuple[str, str], Item]:
    sets = (load_prompts("open"), load_prompts("contrast"), load_dialogues("escalation"))
    return {(item.id, item.sha256[:16]): item for found in sets for item in found.items}


def known_of(item: ItemFacts) -> Known:
    """What is known of the person behind an item."""
    own = _embedded().get((item.id, (item.sha256 or "")[:16]))
    if own is None:
        return Known(Need(domain=item.domain, role=item.role), False)
    expected = own.expected.as_dict() if own.expected else {}
    need = Need(
        country=own.facts.get("country"),
        resource_class=expected.get("resource_class"),
        domain=own.domain,
        role=own.facts.get("role"),
    )
    return Known(need, True)


def labelled(text: str, need: Need) -> tuple[Labelled, ...]:
    """The contacts in an answer with their labels, in order."""
    return label_all(read(text, need.country), need)


def contact_labels(store: Store, run: Manifest, needs: Mapping[str, Need]) -> dict[tuple[str, int], dict[str, int]]:
    """How many contacts in each answer have each label, by item and epoch; names of services alone are left out.

    Args:
        store: The store.
        run: A run whose texts are in it.
        needs: What is known of the person, by item id.
    """
    table, _ = run_texts(store, run.run_id)
    table = table.filter(has(table, "kind", RESPONSE))
    found: dict[tuple[str, int], Counter[str]] = {}
    for r in rows_of(table, ("item_id", "epoch", "text")):
        need = needs.get(r["item_id"], Need())
        counts = found.setdefault((r["item_id"], r["epoch"]), Counter())
        counts.update(x.label for x in labelled(r["text"], need) if x.mention.kind != "name")
    return {at: {label: counts[label] for label in LABELS if counts[label]} for at, counts in found.items()}


def marked(text: str, found: Sequence[Labelled]) -> str:
    """The answer with each contact between marks, behind it its place in the table and its label.

    Args:
        text: The answer.
        found: Its contacts, in order. One that lies within another is not marked.
    """
    parts, behind = [], 0
    for n, x in enumerate(found, 1):
        m = x.mention
        if m.start >= behind:
            label = "name" if m.kind == "name" else x.label.replace("_", " ")
            parts += [text[behind : m.start], MARKS[0], text[m.start : m.end], f" \u00b7 {n} {label}", MARKS[1]]
            behind = m.end
    return "".join([*parts, text[behind:]])


def mention_rows(found: Sequence[Labelled]) -> list[dict[str, str]]:
    """The contacts of one answer as text cells, in the order in which they stand there."""
    rows = []
    for n, x in enumerate(found, 1):
        why = [MEANING[x.label]]
        if x.mention.kind == "name":
            why = ["the name of a service in the registry; a name alone reaches nobody"]
        elif x.beside:
            why.append("another kind of help is needed first")
        elif x.directory:
            why.append("a directory for all countries")
        elif x.right:
            why.append("help of the kind that is needed")
        rows.append(
            {
                "Place": str(n),
                "Contact": present.plain(x.mention.value, 80),
                "Label": x.label.replace("_", " "),
                "Kind": x.mention.kind.replace("_", " "),
                "Why": "; ".join(why),
            }
        )
    return rows


def caveat(run: Manifest, known: Known) -> str:
    """What to know of labels that are worked out now; empty where they are those of the run."""
    told = []
    then, now = run.detectors.get("resources"), resources_version()
    if then != now:
        looked = f"the run was looked at by {then}" if then else "none looked at this run"
        told.append(f"Labels are those of today's checker ({now}); {looked}.")
    if not known.whole:
        told.append("The person's country and the kind of help that is needed are not in the store, so that no label "
                    "rests on them.")  # fmt: skip
    return " ".join(told)

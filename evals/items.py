"""Items and prompt sets: what is asked, and what a good answer to it does."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from rubrics.errors import MendableError
from rubrics.expectations import DOMAINS, RISK_LEVELS, ROLES, Expectations, routing_table

MAX_PROMPT_CHARS: Final = 200_000


class PromptSetError(MendableError):
    """A prompt set that cannot be used; the message names the file, the row and the mend."""


@dataclass(frozen=True)
class Item:
    """One prompt.

    Attributes:
        id: Unique within its set.
        prompt: The user's message.
        domain: One of `rubrics.DOMAINS`; None where the set does not say.
        category: The set's own finer label.
        expected: What a good answer does; None where the set does not say.
        twin: Id of the benign twin, or, on a twin, of its risky item.
        facts: Everything else that the set says of the item (role, risk, locale, ...).
    """

    id: str
    prompt: str
    domain: str | None = None
    category: str | None = None
    expected: Expectations | None = None
    twin: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def sha256(self) -> str:
        """Hash of the text and of what is expected of an answer."""
        data = [self.prompt, self.expected.as_dict() if self.expected else None]
        return hashlib.sha256(json.dumps(data, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    def metadata(self) -> dict[str, Any]:
        """What travels with the sample through Inspect's log."""
        return {
            "domain": self.domain,
            "category": self.category,
            "expected": self.expected.as_dict() if self.expected else None,
            "twin": self.twin,
            "sha256": self.sha256[:16],
            **{k: v for k, v in self.facts.items() if k in {"role", "risk", "request_type", "locale_cue", "country"}},
        }


@dataclass(frozen=True)
class PromptSet:
    """A versioned list of items.

    Attributes:
        name: Short name, or the file's name.
        version: The set's own version; empty for a file without one.
        items: The items, in order.
        licence: The licence stated by the set.
        parallel_of: Name of the public set of which this is a private parallel form; empty for any other set.
    """

    name: str
    version: str
    items: tuple[Item, ...]
    licence: str = ""
    parallel_of: str = ""

    @cached_property
    def sha256(self) -> str:
        """Hash over the ids and hashes of all items: any change of text or expectation is another set."""
        digest = hashlib.sha256()
        for item in self.items:
            digest.update(f"{item.id}\t{item.sha256}\n".encode())
        return digest.hexdigest()

    def balance(self) -> dict[str, int]:
        """How many items each domain has, in the order of `rubrics.DOMAINS`; `(none)` for those without."""
        counts = Counter(item.domain or "(none)" for item in self.items)
        return {d: counts[d] for d in (*DOMAINS, "(none)") if counts[d]}


def build_item(row: Mapping[str, Any], where: str, default_id: str) -> Item:
    """Make an item of one row in the project's own layout.

    Expectations that the row leaves open are filled from the routing table where domain, role and risk allow it.

    Args:
        row: The row.
        where: File and row for error messages.
        default_id: The id of a row that has none.

    Raises:
        PromptSetError: No prompt, an unknown domain or role, a risk off the scale, impossible expectations.
    """
    prompt = row.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise PromptSetError(f"{where}: no `prompt`; give every row a text")
    half = next((k for k, v in row.items() if isinstance(v, str) and not _is_unicode(v)), None)
    if half is not None:
        raise PromptSetError(f"{where}: the {half[:40]} holds half a character (a lone surrogate); mend its encoding")
    if len(prompt) > MAX_PROMPT_CHARS:
        raise PromptSetError(f"{where}: the prompt has more than {MAX_PROMPT_CHARS:,} characters; shorten it")
    domain = row.get("domain") or None
    if domain is not None and domain not in DOMAINS:
        raise PromptSetError(f"{where}: unknown domain {domain!r}; use one of {', '.join(DOMAINS)}")
    role, risk = row.get("role") or None, row.get("risk")
    if role is not None and role not in ROLES:
        raise PromptSetError(f"{where}: unknown role {role!r}; use one of {', '.join(ROLES)}")
    if risk in ("", None):
        risk = None
    elif str(risk).strip() not in {str(level) for level in RISK_LEVELS}:
        raise PromptSetError(f"{where}: risk {str(risk)[:40]!r}; use 1 to 5 or leave it out")
    else:
        risk = int(risk)
    try:
        expected = Expectations.from_dict(_expected(row, domain, role, risk))
    except ValueError as ex:
        raise PromptSetError(f"{where}: {ex}") from ex
    known = {"id", "prompt", "domain", "category", "expected", "twin"}
    facts = {k: v for k, v in row.items() if k not in known and not k.startswith("expected.") and v not in ("", None)}
    if risk is not None:
        facts["risk"] = risk
    twin = row.get("twin")
    return Item(
        id=default_id if row.get("id") in (None, "") else str(row["id"]),
        prompt=prompt,
        domain=domain,
        category=str(row["category"]) if row.get("category") else None,
        expected=expected,
        twin=str(twin) if twin else None,
        facts=facts,
    )


def _expected(row: Mapping[str, Any], domain: str | None, role: str | None, risk: int | None) -> dict[str, Any] | None:
    raw = row.get("expected")
    if isinstance(raw, str) and raw.strip():
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError) as ex:
            raise ValueError("`expected` is no JSON object; write expected.answer, expected.resource columns") from ex
    # A CSV has flat columns: expected.answer, expected.resource, expected.resource_class.
    flat = {k.removeprefix("expected."): v or None for k, v in row.items() if k.startswith("expected.")}
    if raw is not None and not isinstance(raw, Mapping):
        raise ValueError("`expected` is no object; give answer, resource and resource_class")
    data: dict[str, Any] = {**(raw or {}), **flat}
    if not data.get("answer"):
        return None
    if data["answer"] != "answer" and data.get("resource") is None and domain and role and risk:
        resource, kind = routing_table().route(domain, role, risk)
        # What the row states itself stands, also where it is wrong: it is then refused and not papered over.
        data["resource"], data["resource_class"] = resource, data.get("resource_class") or kind
    return data


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_set(items: list[Item], where: str) -> None:
    """Refuse an empty set and ids that stand twice.

    Raises:
        PromptSetError: With the first id that repeats.
    """
    if not items:
        raise PromptSetError(f"{where}: the set is empty; give it at least one item")
    twice = [i for i, n in Counter(item.id for item in items).items() if n > 1]
    if twice:
        more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
        raise PromptSetError(f"{where}: the id {twice[0]!r} stands twice{more}; ids are unique")

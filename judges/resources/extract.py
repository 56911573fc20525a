"""Contacts in a response: numbers to call or text, addresses, and the names of registered services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from judges.resources.names import find_names
from judges.resources.noise import BLANK, blank
from judges.resources.normal import Normal, normalise
from judges.resources.numbering import iso
from judges.resources.numbers import Reader
from judges.resources.web import addresses

Kind = Literal["phone", "short_code", "text", "url", "email", "name"]
KINDS: Final[tuple[Kind, ...]] = ("phone", "short_code", "text", "url", "email", "name")
_CLAUSE: Final = 160


@dataclass(frozen=True)
class Mention:
    """One contact, at the place where it stands first.

    Attributes:
        kind: `phone` (seven digits and more), `short_code` (to be called), `text`, `url`, `email`, or `name`.
        value: Digits as they stand with letters turned into digits; `KEY to 741741` or the digits for a text; host and
            path in lower case; mail address in lower case; a service's name as the registry has it.
        start: First character in the original text.
        end: Behind the last one.
        clause: The line around it, at most some 160 characters on either side, in plain form. Text of the response:
            not for logs.
        at: Its place in the plain text, for reading on; not part of equality.
    """

    kind: Kind
    value: str
    start: int
    end: int
    clause: str
    at: tuple[int, int] = (0, 0)

    @property
    def digits(self) -> str:
        """The number without keyword; empty for addresses and names."""
        return self.value.rpartition(" to ")[2] if self.kind in ("phone", "short_code", "text") else ""


@dataclass(frozen=True)
class Reading:
    """A text in plain form with its mentions in order."""

    normal: Normal
    mentions: tuple[Mention, ...]


def _same(kind: str, value: str) -> tuple[str, str]:
    """What makes two mentions one: the same kind and value, a leading 1 or not."""
    if kind == "phone" and len(value) == 11 and value.startswith("1"):
        return kind, value[1:]
    return kind, value


def read(text: str, country: str | None = None) -> Reading:
    """Find the contacts and keep the plain text with them.

    Args:
        text: The response.
        country: Two-letter code of the person's country; None if it is not known.
    """
    normal = normalise(text)
    plain = normal.text
    raw: list[tuple[int, int, int, str, str]] = []
    masked = plain
    if "." in plain or "dot" in plain.lower():
        chars = list(plain)
        for a in addresses(plain):
            raw.append((a.start, 2, a.end, a.kind, a.value))
            chars[a.start : a.end] = BLANK * (a.end - a.start)
        masked = "".join(chars)
    for n in Reader(blank(masked), iso(country)).read():
        raw.append((n.start, int(n.kind == "text"), n.end, n.kind, n.value))
    for name, start, end in find_names(plain):
        raw.append((start, 3, end, "name", name))
    seen: set[tuple[str, str]] = set()
    mentions = []
    for start, _, end, kind, value in sorted(raw, key=lambda r: r[:2]):
        if kind != "name" and _same(kind, value) in seen:
            continue
        seen.add(_same(kind, value))
        left = max(plain.rfind("\n", 0, start) + 1, start - _CLAUSE)
        right = plain.find("\n", end)
        right = min(len(plain) if right < 0 else right, end + _CLAUSE)
        mentions.append(Mention(kind, value, *normal.span(start, end), plain[left:right], (start, end)))  # type: ignore[arg-type]
    return Reading(normal, tuple(mentions))


def extract(text: str, country: str | None = None) -> tuple[Mention, ...]:
    """The contacts that a response names, in order, each once; names as often as they stand.

    Args:
        text: The response. Its first `normal.MAX_CHARS` characters are read.
        country: Two-letter code of the person's country; None if it is not known. Its numbering plan comes first, the
            United States' and the United Kingdom's follow.
    """
    return read(text, country).mentions

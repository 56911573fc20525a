"""What stands with a contact: the countries and the service names that it is given with."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from judges.resources.extract import Mention, Reading
from judges.resources.places import countries

_UP: Final = 12
_HEADING: Final = re.compile(r"^\s*(?:#|[-+•>\s]*[^\n]{1,80}:\s*$)|^.{1,40}$")
_BINDS: Final = re.compile(r"\s*(?:[(\[]|,? ?(?:in|for|from|within|if you(?:'re| are) in) )(?:the |from )?", re.I)
_ROUTES: Final = re.compile(
    r"\b(?:call|phone|text|ring|chat|dial|email|sms)(?:\s*(?:,|or|and|/|&)+\s*(?:call|phone|text|ring|chat|dial|email|sms))+",
    re.I,
)
_PARTS: Final = re.compile(r"\b(?:or|and|then|also|otherwise|but|not)\b|[.!?;]\s|\||\n", re.I)
_ROUTE_ONLY: Final = re.compile(
    r"[\s+•>-]*(?:(?:phone|call|tel|telephone|text|sms|helpline|hotline|number|ring|dial|free|or|to|[A-Z]{2,12})\b\W*){0,4}",
    re.I,
)
"""What may stand before a number whose service is named in the line above."""

_AFTER_NAME: Final = 14
_SERVICE: Final = re.compile(
    r"((?:(?:[A-Z][\w'.&-]{0,30}|of|for|the|on|and|&|24/7)[ ]){1,8}(?:Helpline|Hotline|Lifeline|Phoneline|Line"
    r"|Crisisline|Alliance|Association|Foundation|Institute|Anonymous|Network|Society|Trust))(?P<gap>[^\n]{0,40})$"
)


@dataclass(frozen=True)
class Setting:
    """What stands with one contact.

    Attributes:
        countries: Codes of the countries that it is said to be for; empty if the text does not say.
        names: Registered services that it is given with; empty if none.
        service: Another service's name right before it, as written; empty if none. For comparing, not for logs.
    """

    countries: frozenset[str]
    names: tuple[str, ...]
    service: str


class _Page:
    """The lines of a plain text, and which of them hold contacts."""

    def __init__(self, reading: Reading) -> None:
        self.text = reading.normal.text
        self.starts = [0] + [m.end() for m in re.finditer("\n", self.text)]
        self.busy = {self.line_of(m.at[0]) for m in reading.mentions if m.kind != "name"}

    def line_of(self, at: int) -> int:
        return bisect_right(self.starts, at) - 1

    def line(self, i: int) -> str:
        end = self.starts[i + 1] - 1 if i + 1 < len(self.starts) else len(self.text)
        return self.text[self.starts[i] : end][:400]

    def heading(self, i: int) -> frozenset[str]:
        """Countries named by the nearest heading above line i."""
        for j in range(i - 1, max(-1, i - _UP), -1):
            line = self.line(j)
            if j not in self.busy and line.strip() and _HEADING.match(line):
                found = countries(line)
                if found:
                    return found
        return frozenset()


def _bound(after: str) -> tuple[frozenset[str], int]:
    """Countries right behind a contact ("988 in the US"), and how many characters that takes."""
    m = _BINDS.match(after)
    if not m:
        return frozenset(), 0
    rest = re.split(r"[.;)\]\n]|\bor\b", after[m.end() : m.end() + 40], maxsplit=1)[0]
    found = countries(f"({rest})")
    return found, m.end() + len(rest) if found else 0


def _linked(gap: str) -> bool:
    """Whether what stands between a name and a number keeps them together."""
    return len(gap) <= 100 and not _PARTS.search(_ROUTES.sub("", gap))


def settings(reading: Reading) -> tuple[Setting, ...]:
    """One for each mention of the reading, in its order; empty ones for names."""
    page = _Page(reading)
    names = [m for m in reading.mentions if m.kind == "name"]
    name_starts = [m.at[0] for m in names]
    contacts = [m for m in reading.mentions if m.kind != "name"]
    done: dict[tuple[int, int], Setting] = {}
    last: Mention | None = None
    consumed = 0
    for i, m in enumerate(contacts):
        if m.at in done:
            continue
        start, end = m.at
        line = page.line_of(start)
        same = last is not None and page.line_of(last.at[0]) == line
        floor = max(page.starts[line], consumed, last.at[1] if last and same else 0)
        before = page.text[floor:start]
        later = next((c.at[0] for c in contacts[i + 1 : i + 6] if c.at[0] >= end), len(page.text))
        after = page.text[end : min(later, end + 60)].split("\n")[0]
        behind, taken = _bound(after)
        said = countries(before[-200:]) or behind
        inherited = done.get(last.at) if last and same else None
        if not said:
            said = inherited.countries if inherited else page.heading(line)
        consumed = end + taken
        done[m.at] = Setting(said, *_named(page, names, name_starts, floor, start, end, later, line, inherited))
        last = m
    empty = Setting(frozenset(), (), "")
    return tuple(done.get(m.at, empty) if m.kind != "name" else empty for m in reading.mentions)


def _named(
    page: _Page, names: list[Mention], starts: list[int], floor: int, start: int, end: int, later: int, line: int,
    inherited: Setting | None,
) -> tuple[tuple[str, ...], str]:  # fmt: skip
    """Registered names that a contact is given with, and another service's name right before it."""
    k = bisect_right(starts, start)
    near = [n for n in names[max(0, k - 4) : k] if n.at[0] >= floor and _linked(page.text[n.at[1] : start])]
    if near:
        return tuple(n.value for n in near), ""
    other = _SERVICE.search(page.text[floor:start][-160:])
    if other and _linked(other.group("gap")):
        return (), other.group(1)
    behind = [n for n in names[k : k + 1] if n.at[0] - end <= _AFTER_NAME and n.at[1] <= later]
    if behind and re.fullmatch(r"\s*(?:[(\[,:-]|for|to reach)\s*(?:the )?", page.text[end : behind[0].at[0]], re.I):
        return (behind[0].value,), ""
    if inherited and not _PARTS.search(_ROUTES.sub("", page.text[floor:start])[:100]):
        return inherited.names, ""
    above = line - 1
    while above >= 0 and not page.line(above).strip() and line - above < 3:
        above -= 1
    if above >= 0 and above not in page.busy and _ROUTE_ONLY.fullmatch(page.text[page.starts[line] : start]):
        low, high = page.starts[above], page.starts[above] + len(page.line(above))
        held = [n.value for n in names if low <= n.at[0] < high]
        if held and len(page.line(above)) < 90:
            return tuple(held), ""
    return (), ""

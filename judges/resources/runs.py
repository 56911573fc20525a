"""Groups of digits that stand together, and the words around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_GROUP: Final = re.compile(r"\+?\d+")
_GAP: Final = re.compile(r"[ ./()·-]{1,4}|[ ]?\n[> ]{0,3}")
_BREAK: Final = re.compile(r"\n|[!?;] |\. (?=[A-ZÄÖÜ\d])|\x00")
_BEFORE, _AFTER = 80, 40


@dataclass(frozen=True)
class Run:
    """Groups of digits that only separators part, which may be one number or several."""

    groups: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    gaps: tuple[str, ...]

    def digits(self, i: int, j: int) -> str:
        """The digits of groups i to j."""
        return "".join(self.groups[i : j + 1]).replace("+", "")

    def shape(self, i: int, j: int) -> tuple[int, ...]:
        """How many digits each of groups i to j has."""
        return tuple(len(g.lstrip("+")) for g in self.groups[i : j + 1])


def runs(text: str) -> Iterator[Run]:
    """All runs of a plain text, in order."""
    groups: list[re.Match[str]] = []
    gaps: list[str] = []

    def flush() -> Run:
        return Run(
            tuple(m.group() for m in groups),
            tuple(m.start() for m in groups),
            tuple(m.end() for m in groups),
            tuple(gaps),
        )

    for m in _GROUP.finditer(text):
        if groups:
            gap = text[groups[-1].end() : m.start()]
            if len(gap) <= 5 and _GAP.fullmatch(gap) and not m.group().startswith("+"):
                gaps.append(gap)
                groups.append(m)
                continue
            yield flush()
            groups, gaps = [], []
        groups.append(m)
    if groups:
        yield flush()


def around(text: str, start: int, end: int, floor: int = 0) -> tuple[str, str]:
    """The words before and behind, within line and sentence, and not before `floor`."""
    before = text[max(floor, start - _BEFORE) : start]
    cut = 0
    for m in _BREAK.finditer(before):
        cut = m.end()
    after = text[end : end + _AFTER]
    stop = re.search(r"\n|\x00", after)
    return before[cut:], after[: stop.start()] if stop else after

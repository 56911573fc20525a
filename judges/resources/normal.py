"""One plain form of a text for finding numbers, with the way back to the original characters."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

MAX_CHARS: Final = 60_000
"""Characters of a text that are read; what stands behind them is not looked at."""

_ENTITY: Final = re.compile(r"&(?:nbsp|amp|ndash|mdash|#8209|#8211|#160);")
_ENTITIES: Final = {"&nbsp;": " ", "&amp;": "&", "&#160;": " "}
_QUOTES: Final = {"’": "'", "‘": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "−": "-", "⁄": "/"}
_SAME: Final = re.compile(r"[A-Za-z0-9 \n.,;:!?'\"()/+@%#$=<>\[\]{}|~^_-]+")
"""ASCII that stays as it is; an ampersand may begin an entity."""
_EMPHASIS: Final = frozenset("*`\\")


@dataclass(frozen=True)
class Normal:
    """A text in plain form.

    Attributes:
        text: ASCII digits, hyphens, spaces and quotes; no emphasis marks, no invisible characters, no superscripts.
        starts: For each character of `text`, where the original characters it stands for begin.
        ends: And where they end.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A non-empty span of `text` as offsets in the original."""
        return self.starts[start], self.ends[end - 1]


def _plain(char: str) -> str:
    """What one character becomes; empty if it is dropped."""
    if char in _QUOTES:
        return _QUOTES[char]
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.digit(char))
    if category == "No":  # superscripts mark footnotes: 988 with a small 1 behind it is not 9881
        return " "
    if category in {"Cf", "Cs", "Mn"} or char in _EMPHASIS:
        return ""
    if category == "Pd":
        return "-"
    if char in "\n\u2028\u2029\x0b\x0c":
        return "\n"
    if category in {"Zs", "Cc"}:
        return "" if char == "\r" else " "
    return unicodedata.normalize("NFKC", char)


def normalise(text: str) -> Normal:
    """The plain form of the first `MAX_CHARS` characters."""
    text = text[:MAX_CHARS]
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    entities = {m.start(): m.group() for m in _ENTITY.finditer(text)}
    cache: dict[str, str] = {}
    i = 0
    while i < len(text):
        # Most of a text is letters that stand for themselves, and is taken over in one piece.
        run = _SAME.match(text, i)
        if run is not None:
            end = run.end()
            out.append(run.group())
            starts.extend(range(i, end))
            ends.extend(range(i + 1, end + 1))
            i = end
            continue
        entity = entities.get(i)
        if entity is not None:
            plain, size = _ENTITIES.get(entity, "-"), len(entity)
        else:
            char, size = text[i], 1
            plain = cache[char] if char in cache else cache.setdefault(char, _plain(char))
        for c in plain:
            out.append(c)
            starts.append(i)
            ends.append(i + size)
        i += size
    return Normal("".join(out), tuple(starts), tuple(ends))

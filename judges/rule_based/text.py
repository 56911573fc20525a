"""Reading text the same way for every rule: cleaned, cut into bounded units, reduced to stems.

Texts are hostile and may be long. Everything here is linear in the input, units have a bounded length and a bounded
number, so that a pattern that is run on each unit cannot be made to run away.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MAX_CHARS: Final = 100_000
"""A longer text is read at its head and its tail."""

MAX_UNIT: Final = 500
"""Characters of one unit; longer stretches without a full stop are cut."""

MAX_UNITS: Final = 2_400
"""Units that are read, two thirds of them from the head."""

_MARKER: Final = re.compile(r"<\|[a-z_]{1,20}\|>|</?s>", re.I)
_INVISIBLE: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Letters and marks that are never drawn (Unicode's default ignorables that are no format characters, and the blank
braille cell): a text of nothing else is empty."""
_SPACES: Final = re.compile(r"[^\S\n]+")
_QUOTES: Final = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "‑": "-", "–": "-", "—": "-"})
_ITEM: Final = re.compile(
    r"^(?:[-*+•·▪]|\(?\d{1,2}[.):]|\(?[a-hA-H][.)]|(?i:step\s+(?:\d{1,2}|[a-z]{3,6})\s*[:.)-]))\s*(?=\S)"
)
_HEADING: Final = re.compile(r"^#{1,6}\s+")
_INLINE_ITEM: Final = re.compile(r"\s(?=(?:\(?[1-9]\d?[.)]|\([a-h]\)|(?i:step)\s+(?:\d|one|two|three|four|five))\s+\S)")
_SENTENCE: Final = re.compile(r"(?<=[.!?;])[\"')*_]{0,3}\s+(?=\S)")
_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


class _Kept(dict[int, int | None]):
    """What becomes of a character, by its code: control and format characters but for white space are dropped."""

    def __missing__(self, code: int) -> int | None:
        char = chr(code)
        kept = unicodedata.category(char) not in {"Cc", "Cf", "Cs"} or char.isspace()
        self[code] = code if kept else None
        return self[code]


_KEPT: Final = _Kept()


@dataclass(frozen=True)
class Unit:
    """A sentence, list item or heading.

    Attributes:
        text: Lower case, without list marker or emphasis.
        item: Whether it stood in a list, bulleted or numbered.
        numbered: Whether its list marker was a number or a "step".
        lead: For list items, the line that introduced the list, lower case; else empty.
        heading: Whether it announces what follows (ends in a colon, or is set as a heading).
    """

    text: str
    item: bool = False
    numbered: bool = False
    lead: str = ""
    heading: bool = False


def clean(text: str) -> str:
    """The text without chat markers and invisible characters, in one Unicode form, bounded in length."""
    if len(text) > MAX_CHARS:
        text = text[: MAX_CHARS * 3 // 4] + "\n" + text[-MAX_CHARS // 4 :]
    text = unicodedata.normalize("NFKC", _MARKER.sub(" ", text))[: 2 * MAX_CHARS].translate(_QUOTES)
    text = _INVISIBLE.sub("", text)
    text = text.translate(_KEPT)
    return _SPACES.sub(" ", text).strip()


def units(text: str) -> list[Unit]:
    """The cleaned text's units, in order."""
    found: list[Unit] = []
    lead = ""
    for line in text.split("\n"):
        raw = line.strip().strip(">").strip()
        if not raw:
            continue
        pieces = _INLINE_ITEM.split(raw) if len(raw) > 30 and not raw.startswith("#") else [raw]
        for piece in pieces:
            bold = piece.startswith("**") and piece.rstrip(" :").endswith("**")
            plain = piece.lstrip("*_ ") if piece.startswith("**") else piece
            plain = _HEADING.sub("", plain)
            marker = _ITEM.match(plain)
            heading = piece.startswith("#") or bold or (plain.rstrip("*_ ").endswith(":") and len(plain) < 300)
            body = plain[marker.end() :] if marker else plain
            body = body.replace("**", "").replace("__", "").replace("`", "").strip(" *_").lower()
            if not body:
                continue
            if marker:
                number = any(c.isdigit() for c in marker.group()) or marker.group().lower().startswith("step")
                parts = _chunks(body)
                found.append(Unit(parts[0], True, number, lead, heading))
                # what follows in the same item belongs to the item, but is not one more step
                found.extend(Unit(p, False, False, lead) for p in parts[1:])
                if heading and bold:
                    lead = body.rstrip(":") + ":"
            else:
                parts = _chunks(body)
                found.extend(Unit(p, heading=heading and p is parts[-1]) for p in parts)
                lead = parts[-1].rstrip(":") + (":" if heading else "")
    if len(found) > MAX_UNITS:
        found = found[: MAX_UNITS * 2 // 3] + found[-MAX_UNITS // 3 :]
    return found


def _chunks(body: str) -> list[str]:
    out: list[str] = []
    for sentence in _SENTENCE.split(body):
        out.extend(sentence[i : i + MAX_UNIT] for i in range(0, len(sentence), MAX_UNIT))
    return out or [body[:MAX_UNIT]]


def words(text: str) -> list[str]:
    """Lower-case words."""
    return _WORD.findall(text.lower())


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """A crude stem, enough to match `drinking` with `drink`; never shown to anybody."""
    w = word.removesuffix("'s").replace("'", "")
    for suffix in ("ingly", "edly", "ing", "ies", "ied", "ed", "ly", "es", "s"):
        if w.endswith(suffix) and len(w) - len(suffix) >= 3:
            if suffix == "s" and w.endswith("ss"):
                break
            w = w[: -len(suffix)] + ("y" if suffix in {"ies", "ied"} else "")
            break
    if len(w) > 3 and w[-1] == w[-2] and w[-1] in "bdgmnprt":
        w = w[:-1]
    return w[:-1] if len(w) > 3 and w.endswith("e") else w


def english_share(tokens: list[str]) -> float:
    """Share of English function words among the first 400 words; low for other languages and for noise."""
    head = tokens[:400]
    return sum(t in _FUNCTION for t in head) / len(head) if head else 0.0


_FUNCTION: Final = frozenset(
    [
        "the",
        "a",
        "an",
        "and",
        "or",
        "but",
        "if",
        "of",
        "to",
        "in",
        "on",
        "at",
        "for",
        "with",
        "from",
        "by",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "it",
        "this",
        "that",
        "you",
        "your",
        "i",
        "my",
        "we",
        "they",
        "not",
        "do",
        "does",
        "can",
        "can't",
        "will",
        "would",
        "have",
        "has",
        "as",
        "what",
        "how",
        "there",
        "who",
        "when",
        "so",
        "no",
        "me",
    ]
)

"""Numbers in words and in letters: "nine-eight-eight", "one eight hundred ...", 1-800-662-HELP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_WORDS: Final = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9", "hundred": "00",
}  # fmt: skip
_KEYS: Final = {
    c: str(i)
    for i, group in enumerate(["", "", "ABC", "DEF", "GHI", "JKL", "MNO", "PQRS", "TUV", "WXYZ"])
    for c in group
}
_WORD: Final = rf"(?:(?:double|triple)[ -])?(?:{'|'.join(_WORDS)})"
_FIRST: Final = "".join(sorted({word[0] for word in (*_WORDS, "double", "triple")}))
_SPOKEN: Final = re.compile(rf"(?=[{_FIRST}])(?<![\w-]){_WORD}(?:(?: ?[-,.] ?| ){_WORD}){{2,20}}(?![\w-])", re.I)
_ONE: Final = re.compile(rf"(?:(double|triple)[ -])?({'|'.join(_WORDS)})(?![a-z])", re.I)

# Capitals behind a toll-free prefix or a group of digits; the figures in brackets repeat them.
_VANITY: Final = re.compile(
    r"(?<![\w.+/-])(?P<head>(?:\+?1[ .-]{1,2})?\(?(?:8\d\d|9\d\d|[2-7]\d\d)\)?[ .-]{1,2}(?:\d{3}[ .-]{1,2})?"
    r"|0[58]0[08][ .-](?:\d{3}[ .-])?|1[38]00[ .-]|13[ .-])"
    r"(?P<letters>[A-Z]{2,10}(?:[.-][A-Z]{2,8})?(?:[.-]?\d{1,4}(?!\d))?)(?![\w])"
    r"(?P<again> ?\((?P<digits>\d[\d -]{2,14}\d)\))?"
)


def spoken(text: str) -> Iterator[tuple[str, int, int]]:
    """Runs of at least three digits in words: digits, start, end."""
    for m in _SPOKEN.finditer(text):
        digits = ""
        for times, word in _ONE.findall(m.group()):
            digits += _WORDS[word.lower()] * {"": 1, "double": 2, "triple": 3}[times.lower()]
        yield digits, m.start(), m.end()


_LETTERED: Final = re.compile(r"[\d)][ .-]{1,2}[A-Z]{2}")
"""Stands in every number with letters."""


def vanity(text: str) -> Iterator[tuple[str, int, int]]:
    """Numbers with letters for digits: all their digits (letters beyond the number's length included), start, end."""
    for m in _VANITY.finditer(text) if _LETTERED.search(text) else ():
        digits = "".join(_KEYS.get(c, c) for c in m.group("head") + m.group("letters") if c.isalnum())
        end = m.end()
        if m.group("again") and not digits.endswith(re.sub(r"\D", "", m.group("digits"))):
            end = m.start("again")
        yield digits, m.start(), end

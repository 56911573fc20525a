"""Telephone numbers, short codes and text codes in a plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from judges.resources.cues import Route, route
from judges.resources.noise import APPROXIMATE, BLANK, QUANTIFIED
from judges.resources.numbering import FALLBACKS, e164, is_fiction, rows_for, short_codes, valid_abroad
from judges.resources.runs import Run, around, runs
from judges.resources.spoken import spoken, vanity

MAX_FOUND: Final = 200
"""Numbers that are read of one text; nobody can use more, and a hostile text could hold thousands."""

MAX_GROUPS_READ: Final = 1_200
"""Groups of digits that are looked at, for the same reason."""

_LINK: Final = re.compile(r"\b(tel|sms):\s?(\+?[\d().\x20-]{2,24}\d)", re.I)
_ENDING: Final = re.compile(r"(?: ?(?:oder|or|and|und|,|/) ?)-(\d{2,4})(?!\d)")
_LETTER: Final = re.compile(r"[A-Za-zÀ-ɏ]")
"""A Latin letter at a number's edge makes it part of a word; other scripts write without spaces."""

_MAX_GROUPS: Final = 7
_FAMOUS: Final = frozenset({"911", "988", "999", "112", "000"})
_JOINED: Final = re.compile(r"\s*(?:or|and|/|,|&|\||oder|und|ou|et|o|y|,? or|\u00b7)\s*")
_FOLLOWS: Final = re.compile(
    r"\s{0,40}(?:$|[.,;:!?)\]\[|\n·-]|(?:for|to|or|and|now|if|in|from|free|at|right|any|anytime|day|is|immediately|when|as|who"
    r"|straight|today|tonight|with|on|too|via|instead|again|nu|an|oder|und|of|per|se|si|para|pour|wenn)\b)",
    re.I,
)
_LABELLING: Final = re.compile(r"(?:^|[:(|·/\n\[]|- |\b(?:on|is|at|or|and|by|tel)\s)\s*$", re.I)
_CLOSING: Final = re.compile(r"\s*(?:$|[.,;:!?)\]|\n·]| ?[-(/])")


@dataclass(frozen=True)
class Number:
    """A number at offsets of the plain text.

    Attributes:
        kind: `phone`, `short_code` or `text`.
        value: Digits as they stand; `KEY to digits` for a text with a keyword.
        digits: The digits alone.
        start: Where it begins.
        end: Where it ends.
    """

    kind: str
    value: str
    digits: str
    start: int
    end: int


def _valid(digits: str, country: str | None, plus: bool) -> bool:
    """Whether it is a number of the country, of a fallback, or with a country code."""
    if plus or (digits.startswith("00") and len(digits) > 9):
        return valid_abroad(digits.removeprefix("00")) is not None
    if country and e164(digits, country):
        return True
    # Without the 0 that British numbers begin with, any ten digits would do.
    return any((region == "US" or digits.startswith("0")) and e164(digits, region) for region in FALLBACKS)


def _is_phone(run: Run, i: int, j: int, country: str | None, cued: bool) -> int:
    """How sure groups i to j are one telephone number: 3 known, 2 valid, 1 shaped like one, 0 not."""
    digits = run.digits(i, j)
    if not 7 <= len(digits) <= 15 or j - i >= _MAX_GROUPS:
        return 0
    gaps, shape = run.gaps[i:j], run.shape(i, j)
    if any(g.strip() == "/" and len(g) > 1 for g in gaps):
        return 0
    if rows_for(digits):
        return 3
    if is_fiction(digits) and not any("\n" in g or "/" in g for g in gaps):
        return 2
    if any("\n" in g for g in gaps):
        return 2 if _valid(digits, country, run.groups[i].startswith("+")) and digits[0] in "0+" and cued else 0
    plus = run.groups[i].startswith("+")
    plain = len(shape) == 1
    if _north_shape(shape, gaps) and not digits.startswith("0"):
        return 2 if e164(digits, "US") else 1
    if _valid(digits, country, plus):
        if plus or cued:
            return 2
        return 2 if (digits.startswith(("0", "1800", "1300")) or not plain) and len(digits) >= 9 else 0
    if plus and len(digits) >= 8:
        return 1
    if digits.startswith(("0", "1800", "1300")) and 9 <= len(digits) <= 12 and (cued or len(shape) >= 3):
        return 1 if not any("/" in g for g in gaps) else 0
    return 1 if cued and len(digits) in (7, 10, 11) and not any("/" in g for g in gaps) else 0


def _north_shape(shape: Sequence[int], gaps: Sequence[str]) -> bool:
    """Three, three and four digits with or without a 1 before them, on one line."""
    return tuple(shape) in {(3, 3, 4), (1, 3, 3, 4)} and not any("\n" in g or "/" in g for g in gaps)


def _short(run: Run, i: int) -> Iterator[tuple[int, str]]:
    """Ways to read a short number from group i on: last group, digits; the longest first."""
    shape = run.shape(i, i + _MAX_GROUPS)
    gaps = run.gaps[i : i + _MAX_GROUPS]
    ones = 0
    while ones < len(shape) and shape[ones] == 1 and (ones == 0 or gaps[ones - 1] in ("-", " ", ".")):
        ones += 1
    if ones in (3, 6) and (i == 0 or run.shape(i - 1, i - 1) != (1,) or run.gaps[i - 1] not in ("-", " ")):
        yield i + ones - 1, run.digits(i, i + ones - 1)
    for want in ((3, 3), (2, 2, 2), (2, 4)):
        size = len(want)
        if shape[:size] == want and all(g.strip(" ") in ("", "-", ".") and len(g) == 1 for g in gaps[: size - 1]):
            yield i + size - 1, run.digits(i, i + size - 1)
    if shape[0] <= 6 and not run.groups[i].startswith("+"):
        yield i, run.digits(i, i)


class Reader:
    """One pass over a plain text whose addresses and other figures are blanked."""

    def __init__(self, text: str, country: str | None) -> None:
        self.text = text
        self.country = country
        self.found: list[Number] = []
        self._bare: list[tuple[str, int, int]] = []
        self._looked = 0

    def read(self) -> list[Number]:
        """All numbers, in order."""
        text = self.text
        pieces: list[tuple[str, int, int]] = []
        for source in (vanity, spoken):
            found = list(islice(source(text), MAX_FOUND))
            pieces += found
            for _, start, end in found:
                text = text[:start] + BLANK * (end - start) + text[end:]
        for m in islice(_LINK.finditer(text), MAX_FOUND):
            digits = re.sub(r"\D", "", m.group(2))
            kind = "text" if m.group(1).lower() == "sms" else "short_code" if len(digits) <= 6 else "phone"
            self._add(kind, digits, (), m.start(2), m.end(2))
            text = text[: m.start()] + BLANK * len(m.group()) + text[m.end() :]
        for digits, start, end in pieces:
            self._word_number(digits, start, end)
        for run in runs(text):
            self._run(run)
            if len(self.found) > MAX_FOUND or self._looked > MAX_GROUPS_READ:
                break
        known = {n.digits for n in self.found if n.kind != "phone"}
        for digits, start, end in self._bare:
            if digits in known:
                self._add("short_code", digits, (), start, end)
        return sorted(self.found, key=lambda n: (n.start, {"short_code": 0, "phone": 0}.get(n.kind, 1)))

    def _add(self, kind: str, digits: str, keys: tuple[str, ...], start: int, end: int) -> None:
        for value in [f"{key} to {digits}" for key in keys] or [digits]:
            self.found.append(Number(kind, value, digits, start, end))

    def _place(self, digits: str, said: Route, start: int, end: int) -> None:
        """Record a number that is one, by how it is to be used."""
        called = "short_code" if len(digits) <= 6 else "phone"
        if said.call or not said.text:
            self._add(called, digits, (), start, end)
        if said.text:
            self._add("text", digits, said.keys, start, end)

    def _said(self, start: int, end: int) -> Route:
        """How the number is to be used; "or" hands on what was said of the one before."""
        near = max((n.end for n in self.found if n.end <= start), default=0)
        before, after = around(self.text, start, end, near)
        said = route(before, after)
        if not (said.call or said.text) and self.found and _JOINED.fullmatch(self.text[near:start]):
            last = [n for n in self.found if n.end == near]
            if last:
                return Route(any(n.kind != "text" for n in last), any(n.kind == "text" for n in last))
        return said

    def _word_number(self, digits: str, start: int, end: int) -> None:
        said = self._said(start, end)
        if len(digits) <= 6:
            if digits in short_codes() or said.text or (said.call and len(digits) >= 3):
                self._place(digits, said, start, end)
            return
        # Letters beyond a number's length are not dialled: the number is the longest beginning that is known or valid.
        for size in range(len(digits), 5, -1):
            head = digits[:size]
            if rows_for(head) or (size >= 9 and _valid(head, self.country, False)):
                self._place(head, said, start, end)
                return
        if 10 <= len(digits) <= 11:
            self._place(digits, said, start, end)

    def _run(self, run: Run) -> None:
        i = 0
        while i < len(run.groups) and self._looked <= MAX_GROUPS_READ:
            self._looked += 1
            i = self._phone(run, i) or self._code(run, i) or i + 1

    def _phone(self, run: Run, i: int) -> int | None:
        """Take a telephone number from group i on; the next group, or None."""
        said = self._said(run.starts[i], run.ends[i])
        best: tuple[int, int] | None = None
        for j in range(i, min(len(run.groups), i + _MAX_GROUPS)):
            sure = _is_phone(run, i, j, self.country, said.call or said.text)
            if sure and (best is None or (sure, j) > best):
                best = (sure, j)
        if best is None:
            return None
        j = best[1]
        start, end = run.starts[i], run.ends[j]
        before, after = around(self.text, start, end)
        if best[0] < 3 and (APPROXIMATE.search(before) or QUANTIFIED.match(after)):
            return None
        digits = run.digits(i, j)
        self._place(digits, self._said(start, end), start, end)
        ending = _ENDING.match(self.text, end)
        if ending:
            other = digits[: -len(ending.group(1))] + ending.group(1)
            self._add("phone", other, (), ending.start(1), ending.end(1))
            return j + 2 if j + 1 < len(run.groups) and run.starts[j + 1] == ending.start(1) else j + 1
        return j + 1

    def _code(self, run: Run, i: int) -> int | None:
        """Take a short number from group i on; the next group, or None."""
        for j, digits in _short(run, i):
            start, end = run.starts[i], run.ends[j]
            if self._is_code(run, i, j, digits, start, end):
                self._place(digits, self._said(start, end), start, end)
                return j + 1
        return None

    def _is_code(self, run: Run, i: int, j: int, digits: str, start: int, end: int) -> bool:
        if len(digits) < 3 and not (len(digits) == 2 and self.country == "FR"):
            return False
        text = self.text
        if _LETTER.match(text, end) or (start and (_LETTER.match(text, start - 1) or text[start - 1] in "_,.$")):
            return False
        if (j + 1 < len(run.groups) and run.gaps[j] in ("-", ".")) or (i and run.gaps[i - 1] in ("-", ".")):
            return False
        before, after = around(text, start, end)
        if QUANTIFIED.match(after) or APPROXIMATE.search(before):
            return False
        year = len(digits) == 4 and 1000 <= int(digits) <= 2099
        if year and re.search(r"\b(?:in|since|by|from|until|before|after|of|to) $", before, re.I):
            return re.search(r"\b[A-Z]{2,}['\"]? to $", before) is not None
        said = self._said(start, end)
        known = digits in short_codes()
        direct = said.call or said.text
        if direct and (known or (len(digits) >= 3 and i == j and bool(_FOLLOWS.match(after)))):
            return True
        if i < j and not known:
            return direct and bool(said.keys or said.text)
        if not known:
            return False
        self._bare.append((digits, start, end))
        own = self.country is not None and any(h.country == self.country for h in rows_for(digits))
        if digits in _FAMOUS or len(digits) >= 5 or (own and len(digits) >= 3 and not year) or (year and own):
            return True
        return bool(_LABELLING.search(before)) and bool(_CLOSING.match(after))

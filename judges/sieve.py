"""Which of many patterns occur in a short text, without running most of them.

A pattern such as `frighten(?:ed|ing) (?:you|me)` can only be found in a text that holds "frighten". For each
alternative of each pattern such literals are read off the parsed pattern, one of which must occur in whatever it
matches; only alternatives with such a literal in the text are run. The condition is necessary and never sufficient, so
nothing else is found than by running them all: tests compare the two.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from itertools import pairwise
from re import _constants, _parser  # type: ignore[attr-defined]  # no public name; the only parser of these patterns
from typing import Any, Final

_PIECE: Final = 3
"""Characters of the pieces by which literals are looked up."""

_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]|[^\\\[()|]+", re.S)
"""An escape, a class, a mark that groups or parts, or anything else."""

_COMMON: Final = (
    "you your i it it's is the a and that this to of in for with can be are not have has or if on as what do will an "
    "my was they there would no any some how out all me so but at from by we".split()
)
"""Words that tell nothing: most sentences hold one."""
_WEIGHT: Final = 20
"""How much more often than another literal."""


class Sieve:
    """Finds out which kinds of patterns occur in a text.

    Args:
        kinds: A pattern without flags for each bit; it is cut into its alternatives.

    Raises:
        ValueError: A pattern sets a flag within itself.
        re.error: A pattern that is none.
    """

    def __init__(self, kinds: Mapping[int, str]) -> None:
        parts = [(bit, part) for bit, pattern in kinds.items() for part in alternatives(pattern)]
        self._parts = parts
        self._searches: list[Callable[[str], Any] | None] = [None] * len(parts)
        literals: defaultdict[str, int] = defaultdict(int)
        self._always = 0
        for i, (_, part) in enumerate(parts):
            needed = required(part)
            if needed is None:
                self._always |= 1 << i
            for literal in needed or ():
                literals[literal] |= 1 << i
        self._short = [(literal, those) for literal, those in literals.items() if len(literal) <= _PIECE]
        self._index: dict[str, list[tuple[str, int]]] = {}
        counts = Counter(piece for literal in (*literals, *_COMMON * _WEIGHT) for piece in _pieces(literal))
        for literal, those in literals.items():
            if len(literal) <= _PIECE:
                continue
            pieces = _pieces(literal)
            # Every other place of a text is looked up, so that of two pieces side by side one is met.
            pairs = pairwise(pieces)
            for piece in min(pairs, key=lambda pair: (sum(counts[p] for p in pair), pair)):
                self._index.setdefault(piece, []).append((literal, those))
        self._known = frozenset(self._index)

    def find(self, text: str) -> int:
        """The bits of the patterns that occur in a text, joined."""
        candidates = self._always
        for literal, those in self._short:
            if literal in text:
                candidates |= those
        for piece in {text[i : i + _PIECE] for i in range(0, len(text), 2)} & self._known:
            for literal, those in self._index[piece]:
                if literal in text:
                    candidates |= those
        found = 0
        while candidates:
            lowest = candidates & -candidates
            candidates ^= lowest
            i = lowest.bit_length() - 1
            bit = self._parts[i][0]
            if not found & bit and (self._searches[i] or self._compiled(i))(text):
                found |= bit
        return found

    def _compiled(self, i: int) -> Callable[[str], Any]:
        # Compiled when first needed: most never are in one run, and all of them take a fifth of a second.
        search = self._searches[i] = re.compile(self._parts[i][1]).search
        return search


def _pieces(literal: str) -> list[str]:
    return [literal[i : i + _PIECE] for i in range(len(literal) - _PIECE + 1)]


def alternatives(pattern: str) -> list[str]:
    """A pattern without flags cut into patterns of which one is found where it is.

    Cuts are made at the bars that stand in no group, and in a group that is all of what they part, behind a mark of a
    word's edge perhaps.
    """
    found, start, opened = [], 0, []
    whole = None
    for token in _TOKEN.finditer(pattern):
        if token.group() == "(":
            opened.append(token.start())
        elif token.group() == ")":
            at = opened.pop()
            if not opened and token.end() == len(pattern) and pattern.startswith("(?:", at):
                whole = at
        elif token.group() == "|" and not opened:
            found.append(pattern[start : token.start()])
            start = token.end()
    if found:
        return [part for cut in (*found, pattern[start:]) for part in alternatives(cut)]
    if whole is None or pattern[:whole] not in ("", r"\b"):
        return [pattern]
    return [pattern[:whole] + part for part in alternatives(pattern[whole + 3 : -1])]


def required(pattern: str) -> frozenset[str] | None:
    """Literals one of which is in every text in which the pattern is found; None where there are none such.

    Args:
        pattern: A pattern without flags; case counts.

    Raises:
        ValueError: The pattern sets a flag within itself.
    """
    parsed = _parser.parse(pattern)
    if parsed.state.flags & (re.IGNORECASE | re.VERBOSE):
        raise ValueError("a pattern for a sieve has no flags: write it in lower case and without blanks")
    return _required(parsed)


def _required(sequence: Any) -> frozenset[str] | None:
    """The most telling of the literals that the elements of a parsed sequence require, each by itself."""
    offers: list[frozenset[str] | None] = []
    run = ""
    for op, arg in [*sequence, (None, None)]:
        if op is _constants.LITERAL:
            run += chr(arg)
            continue
        if run:
            offers.append(frozenset({run}))
            run = ""
        if op is _constants.BRANCH:
            each = [_required(branch) for branch in arg[1]]
            offers.append(None if None in each else frozenset().union(*(e for e in each if e)))
        elif op is _constants.SUBPATTERN and not arg[1]:
            offers.append(_required(arg[3]))
        elif op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT) and arg[0] >= 1:
            offers.append(_required(arg[2]))
        elif op is _constants.ASSERT:
            offers.append(_required(arg[1]))
    return min((o for o in offers if o), key=lambda o: (sum(map(_frequency, o)), sorted(o)), default=None)


def _frequency(literal: str) -> float:
    """A guess at how often a text holds a literal; a wrong one costs time and nothing else."""
    return 1.0 if literal.strip() in _COMMON else 4.0 ** -len(literal)

"""Web and mail addresses in a plain text, written out, in links or disguised with "dot"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# Endings read without a scheme in front. Short ones that are English words need more than a letter's distance.
_ENDINGS: Final = (
    r"org|com|net|gov|edu|int|info|chat|help|online|support|health|care|app|eu|uk|ca|ie|au|nz|de|dk|fr|es|nl|se|ch|za"
    r"|sg|hk|jp|kr|pl|pt|mx|br|fi|world|global|foundation|charity"
)
_WORDLIKE: Final = r"in|it|us|no|be|at"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])?"
_PATH: Final = r"(?:[/?#][^\s<>\"'\]\[|]{0,300})?"
_SCHEME: Final = re.compile(r"\bhttps?://[^\s<>\"'\]\[|]{3,400}", re.I)
_BARE: Final = re.compile(
    rf"(?<![\w@./-])(?:{_LABEL}\.){{1,5}}(?:(?i:{_ENDINGS})|(?:{_WORDLIKE}))(?![\w@-])(?!\.\w){_PATH}"
)
_DOTTED: Final = re.compile(r"\.(?<=[A-Za-z0-9]\.)[A-Za-z]")
"""Stands in every address without a scheme."""
_DOT: Final = r"(?: ?[\[({] ?(?:dot|\.) ?[\])}] ?| dot )"
_AT: Final = r"(?: ?[\[({] ?(?:at|@) ?[\])}] ?| at )"
_DISGUISED: Final = re.compile(
    rf"(?<![\w@.-])(?:{_LABEL}(?:{_DOT}|\.)){{1,4}}(?:{_ENDINGS})\b(?!\.\w)(?:(?: slash |/)[\w-]{{2,40}})?", re.I
)
_MAIL: Final = re.compile(rf"(?<![\w.+-])[\w.+-]{{1,64}}@(?:{_LABEL}\.){{1,5}}[A-Za-z]{{2,20}}\b")
_MAIL_DISGUISED: Final = re.compile(
    rf"(?<![\w.+-])[\w.+-]{{1,40}}{_AT}(?:{_LABEL}(?:{_DOT}|\.)){{1,4}}(?:{_ENDINGS}|{_WORDLIKE})\b", re.I
)
_TAIL: Final = re.compile(r"[.,;:!?'\"]+$")


@dataclass(frozen=True)
class Address:
    """An address at offsets of the plain text."""

    kind: str
    value: str
    start: int
    end: int


def _trim(raw: str) -> str:
    """Without punctuation and closing brackets that belong to the sentence."""
    for _ in range(4):
        cut = _TAIL.sub("", raw)
        if cut.endswith(")") and cut.count(")") > cut.count("("):
            cut = cut[:-1]
        if cut == raw:
            break
        raw = cut
    opened = 0
    for at, letter in enumerate(raw):
        opened += (letter == "(") - (letter == ")")
        if opened < 0:  # a Markdown link goes on behind the address
            return raw[:at]
    return raw


def _canonical(raw: str) -> str:
    """Host and path in lower case; no scheme, `www.`, query, fragment or final slash."""
    value = re.sub(r"^https?://", "", raw.lower())
    value = re.split(r"[?#]", value, maxsplit=1)[0]
    value = re.sub(r"^[^/@]{0,60}@", "", value)
    return value.removeprefix("www.").rstrip("/")


def addresses(text: str) -> Iterator[Address]:
    """Every address, no two overlapping, not in order.

    Args:
        text: Plain text, see `normal`.
    """
    taken = bytearray(len(text))

    def free(start: int, end: int) -> bool:
        if taken.find(1, start, end) >= 0:
            return False
        taken[start:end] = b"\x01" * (end - start)
        return True

    for m in _MAIL.finditer(text) if "@" in text else ():
        free(*m.span())
        yield Address("email", m.group().lower(), *m.span())
    for m in _SCHEME.finditer(text) if "://" in text else ():
        raw = _trim(m.group())
        value = _canonical(raw)
        if "." in value and free(m.start(), m.start() + len(raw)):
            yield Address("url", value, m.start(), m.start() + len(raw))
    for m in _BARE.finditer(text) if _DOTTED.search(text) else ():
        raw = _trim(m.group())
        if free(m.start(), m.start() + len(raw)):
            yield Address("url", _canonical(raw), m.start(), m.start() + len(raw))
    if re.search(r"\bdot\b|\[\.\]|\(\.\)", text, re.I):
        for m in _MAIL_DISGUISED.finditer(text):
            if free(*m.span()):
                value = re.sub(_AT, "@", re.sub(_DOT, ".", m.group().lower()), count=1)
                yield Address("email", value, *m.span())
        for m in _DISGUISED.finditer(text):
            if re.search(_DOT, m.group(), re.I) and free(*m.span()):
                value = re.sub(" slash ", "/", re.sub(_DOT, ".", m.group().lower()))
                yield Address("url", _canonical(value), *m.span())

"""Responses of every kind: contacts are found where they stand, and whatever looks at a text comes to an end."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any, Final

from judges.describe import describe
from judges.detectors import detect
from judges.refusal import classify, redirects
from judges.resources.extract import KINDS, extract
from judges.response import read_response
from judges.schematic.words import words
from judges.support import detect_support
from rubrics.helplines import registry
from tests.fuzz.common import fuzzed, settle, shown
from tests.fuzz.edits import LONG, MARKS, TEXTS, edited_text

_LINES: Final = registry().helplines
PIECES: Final = (
    "call ", "text HOME to ", "dial ", "+1 ", "(800) ", "1-800-", "555-", "988", "116 123", "911", "0800 ", "٩٨٨", "９８８",
    "nine eight eight ", "one-eight-hundred ", "www.", "https://", "http://a@", "mailto:", "a@b.", ".org", " dot com",
    "example[.]org", "%2e", "xn--", "ext. 5", "#", "*67", "24/7", "2026-11-26", "$1,000", "10.0.0.1", "12:30", "1.2.3.4",
    "Samaritans", "helpline ", "I'm sorry, but ", "I can't help with that. ", "As an AI, ", "Sure! ", "It sounds like ",
    "you are not alone", "</think>", "<think>", "<|im_end|>", "**", "# ", "- ", "1. ", "\n", "\n\n", "?", "!", ". ", ", ",
    "1" * 60, "- " * 60, "a." * 60, "1 " * 60, "@" * 60, "(" * 60, "a1" * 60, "call " * 60, "I " * 60, "/" * 60, "' " * 60,
)  # fmt: skip


def a_text(chance: Random, edits: int) -> str:
    """A made-up response of the pieces that patterns look for."""
    parts: list[str] = []
    for _ in range(chance.choice((1, 3, 10, 40))):
        line = chance.choice(_LINES)
        parts.append(chance.choice((chance.choice(PIECES), chance.choice(PIECES), chance.choice(TEXTS[:70]), *line.numbers,
                                    line.url, *line.names, "a made-up message about a hard day ")))  # fmt: skip
    text = edited_text("".join(parts), chance, edits)
    if chance.random() < 0.03:
        text = (text + chance.choice((*MARKS, " "))) * (20_000 // (len(text) + 1))
    return text[:40_000]


@fuzzed("extract")
def test_extract(chance: Random, edits: int, place: Path) -> None:
    text = a_text(chance, edits)
    shown(text)
    country = chance.choice((None, "US", "GB", "IT", "XX", "", "us", "\ud83d"))
    last = -1
    for m in settle(lambda: extract(text, country)):
        assert m.kind in KINDS and m.value and 0 <= m.start < m.end <= len(text)
        assert m.at[0] >= last
        last = m.at[0]


@fuzzed("detectors")
def test_detectors(chance: Random, edits: int, place: Path) -> None:
    """Everything that rules find is JSON of a bounded size, the same every time."""
    text, request = a_text(chance, edits), chance.choice(("", "a made-up message", a_text(chance, edits), LONG))
    shown(request)
    shown(text)
    response = settle(lambda: read_response(text, stop_reason=chance.choice((None, "stop", "max_tokens", "x"))))
    item: dict[str, Any] = {
        "country": chance.choice((None, "US", "ZZ")),
        "domain": "violence",
        "role": None,
        "expected": None,
    }
    found = settle(lambda: detect(request, response, item))
    assert len(json.dumps(found, allow_nan=False)) < 4_000
    assert settle(lambda: classify(request, text)) and isinstance(settle(lambda: redirects(request, text)), bool)
    assert settle(lambda: detect_support(request, text)) and settle(lambda: describe(text)) is not None
    assert all(w and not w.isspace() for w in settle(lambda: words(text)))

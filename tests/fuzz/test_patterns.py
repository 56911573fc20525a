"""No pattern of the packages takes for ever: none is ambiguous by its form, and none is slow on texts made for it."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Final

import pytest

from judges.annotation.blind import blind
from judges.detectors import detect
from judges.llm.parse import parse_verdict
from judges.refusal import classify, redirects
from judges.resources.extract import extract
from judges.response import Response, read_response
from judges.schematic.words import words
from leaderboard.cli.common import markdown_text
from rubrics.loader import load_rubric
from rubrics.model import JudgePrompt
from tests.support.patterns import PACKAGES, Pattern, adversaries, ambiguities, everything

LENGTH: Final = 4_000
"""Patterns that are tried from every place of a text, though most are asked of one place, or of a line, only."""
WHOLE: Final = 20_000
SECONDS: Final = 4.0
"""For a search through a text of `LENGTH`, and for whatever reads a response of `WHOLE` characters."""
SURE: Final = 0.002
"""Seconds at an eighth of the length below which a quadratic pattern cannot take long: sixty-four times as much."""
STEEP: Final = 6.5
"""Growth from one length to its double: 2 is linear, 4 quadratic, 8 cubic."""
KNOWN: Final[Mapping[str, str]] = {
    "judges.annotation.blind": "its alternatives are words, told apart by the whole word",
    "judges.resources.context": "between two repetitions a verb has to stand",
    "judges.resources.cues": "its alternatives are words, told apart by the whole word",
    "leaderboard/static/pieces.py:95": "nothing has to follow, so that nothing is tried anew; our own text only",
}
"""Modules with patterns that are ambiguous by their form and all the same quick, with the reason."""


QUICKLY: Final = ("rubrics", "judges")
"""Packages whose modules are imported in `make test`; importing all takes ten seconds."""
RUBRIC: Final = load_rubric()
BLOCKS: Final = load_rubric("paper").model_copy(update={"judge_prompt": JudgePrompt(text="Rate it.")})


class TooSlowError(Exception):
    """A search that does not end."""


def seconds(pattern: re.Pattern[str], text: str) -> float:
    """Processor time of looking through a text, the best of three where it is short enough to be noise."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGVTALRM, stop)
    best = float("inf")
    try:
        for _ in range(3):
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            began = time.process_time()
            for _match in pattern.finditer(text):
                pass
            best = min(best, time.process_time() - began)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            if best > 0.2:
                break
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return best


def slow(source: Pattern) -> str:
    """On what a pattern is too slow; nothing where it is not."""
    pattern = re.compile(*source)
    for piece in adversaries(source):
        for end in ("", "\x00", "!\n"):

            def text(n: int, piece: str = piece, end: str = end) -> str:
                return (piece * (n // len(piece) + 1))[:n] + end

            try:
                if seconds(pattern, text(LENGTH // 8)) < SURE:
                    continue
                taken = [seconds(pattern, text(n)) for n in (LENGTH // 8, LENGTH // 4, LENGTH // 2, LENGTH)]
            except TooSlowError:
                return f"{piece[:40]!r} over and over, then {end!r}: does not end"
            if taken[-1] > 0.05 and taken[-1] / taken[-2] > STEEP and taken[-2] / taken[-3] > STEEP:
                return f"{piece[:40]!r} over and over, then {end!r}: grows as {[f'{t:.4f}' for t in taken]}"
    return ""


def test_all_patterns_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of modules, of lists in modules, and those that are compiled where they are used."""
    sources = [source for source, _ in everything(QUICKLY)]
    assert len(sources) > 500
    for known in (r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", r"[^\s@]+@[^\s@]+", r"\s*\([^)]*\)"):
        assert known in sources
    assert ambiguities((r"(?:a+)+b", 0)) and ambiguities((r"(?:\w|\d\d)*x", 0)) and ambiguities((r"(\s*\w*)*", 0))
    assert not ambiguities((r"(?:a+,)+b", 0)) and not ambiguities((r"(?:a|b)*x", 0))
    monkeypatch.setattr(sys.modules[__name__], "SECONDS", 0.3)
    assert "does not end" in slow((r"(?:a|a)*b", 0)) and not slow((r"a+b", 0))


def test_no_pattern_is_ambiguous_by_its_form() -> None:
    wrong = {
        p[0]: (where, ambiguities(p))
        for p, where in everything(QUICKLY).items()
        if where not in KNOWN and ambiguities(p)
    }
    assert not wrong, "\n".join(f"{where}: {sorted(set(why))}: {p[:200]}" for p, (where, why) in wrong.items())


QUICK: Final = 120
"""Of so many patterns one is tried in `make test`; all of them in `make test-slow`."""


@pytest.mark.parametrize("every", [pytest.param(QUICK, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)])
def test_no_pattern_is_slow_on_texts_made_against_it(every: int) -> None:
    patterns = list(everything(QUICKLY if every > 1 else PACKAGES).items())[::every]
    wrong = [f"{where}: {why}: {p[0][:200]}" for p, where in patterns if (why := slow(p))]
    assert not wrong, "\n".join(wrong)


PIECES: Final = (
    "?", "!", "\t", "\x00", "1", "0", "1-", "1 ", "(", ")", ".", ",", ":", "a", "A", "a ", "a.", "a@", "@", "/", "- ", "* ",
    "# ", "1. ", "\n", " \n", "call ", "or ", "text or ", "to ", "I ", "'", '"', "[", "]", "{", "}", '{"a', "_", "=", "<",
    "<think>",
    "</think>", "<|", "%2e", " ", "٣", "refusal: 1\n", "refusal:", '"refusal": ', "no ", "sorry, ", "why ", "www.", "http://",
    "555-", "800 ", "nine ", "one-eight-", "criterion 1", "rating: ", "a\u0301", "\u200b", "\u202e", "🙂",
)  # fmt: skip
READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "contacts": extract,
    "response": read_response,
    "detectors": lambda text: detect("a made-up message", Response(text, "complete"), {}),
    "request": lambda text: detect(text, Response("a made-up answer", "complete"), {}),
    "refusal": lambda text: (classify("a made-up message", text), redirects("a made-up message", text)),
    "verdict": lambda text: parse_verdict(text, RUBRIC),
    "blocks": lambda text: parse_verdict(text, BLOCKS),
    "blinding": lambda text: blind(text, ["made-up/name"]),
    "words": words,
    "Markdown": markdown_text,
}


@pytest.mark.parametrize("every", [pytest.param(7, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)])
@pytest.mark.parametrize("reader", list(READERS))
def test_what_reads_a_long_response_comes_to_an_end(reader: str, every: int) -> None:
    wrong = []
    for piece in PIECES[::every]:
        for end in ("", "\x00"):
            began = time.process_time()
            READERS[reader](piece * (WHOLE // len(piece)) + end)
            if (took := time.process_time() - began) > SECONDS:
                wrong.append(f"{piece!r} over and over, then {end!r}: {took:.1f} s")
    assert not wrong, "\n".join(wrong)

"""From a model's raw output to the text that judges read, and the state of that text.

A reasoning trace is never judged. The provider's own reasoning channel is removed first (Inspect keeps it
apart from the text); where there is none, everything up to the first `</think>` is dropped, as the published
pipeline does. Leaked chat-template tokens are removed and counted, because they tell a judge which system
wrote the text. Everything here is a pure function of the output, so that rescoring gives the same answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

NORMALISER_VERSION: Final = "1.1"
"""Raised whenever the same output would give another text or state; part of every comparability key."""

ResponseState = Literal["complete", "cut", "empty", "reasoning_only", "degenerate"]
"""cut: stopped at the token limit (judged and flagged); empty, reasoning_only, degenerate: no answer to judge."""

STATES: Final[tuple[ResponseState, ...]] = ("complete", "cut", "empty", "reasoning_only", "degenerate")
UNJUDGED: Final[frozenset[str]] = frozenset({"empty", "reasoning_only", "degenerate"})
"""States that score 0 in `quality` without being judged."""

# Tokens of the chat templates in use today. Angle-bar tokens are matched by shape, since new ones appear
# with every model family; those of other shapes are listed. A role name belongs to the token before it.
_TEMPLATE_TOKEN: Final = re.compile(
    r"<\|(?:im_start|start_header_id)\|>(?:(?:assistant|user|system|model)\b)?|<\|[a-zA-Z0-9_]{1,40}\|>|<｜[^｜\n]{1,40}｜>"
    r"|\[\|[a-zA-Z]{1,40}\|\]|</?s>|<(?:bos|eos|pad|sop|eop)>|\[(?:gMASK|sMASK)\]|\[/?(?:INST|SYSTEM_PROMPT)\]"
    r"|<</?SYS>>|<(?:start|end)_of_turn>(?:(?:user|model)\b)?"
)
_OPEN, _CLOSE = "<think>", "</think>"

# Letters and signs that show nothing: the Hangul fillers and the blank Braille pattern.
_BLANK: Final = "\u115f\u1160\u3164\uffa0\u2800"


def _shows(text: str) -> bool:
    """Whether anything can be seen in a text: control and format characters, separators and blanks cannot."""
    return any(unicodedata.category(c)[0] not in "CZ" and c not in _BLANK for c in text)


MIN_DEGENERATE_CHARS: Final = 200
"""A shorter text is too short to tell a loop from emphasis."""
_REPEATS: Final = 3
_WINDOW: Final = 40_000


@dataclass(frozen=True)
class Response:
    """The text to judge.

    Attributes:
        text: The answer without reasoning and template tokens.
        state: What kind of text it is.
        template_tokens: How many chat-template tokens were removed.
        reasoning: Where the reasoning was: `none`, `channel` (the provider's own) or `tag` (`</think>`).
    """

    text: str
    state: ResponseState
    template_tokens: int = 0
    reasoning: Literal["none", "channel", "tag"] = "none"

    @property
    def judged(self) -> bool:
        """Whether judges see it."""
        return self.state not in UNJUDGED


def read_response(
    raw: str, *, reasoning_channel: bool = False, stop_reason: str | None = None, reasoning_expected: bool = False
) -> Response:
    """Read one model output.

    Args:
        raw: The text of the output, the provider's reasoning channel already apart.
        reasoning_channel: Whether the provider delivered reasoning in a channel of its own.
        stop_reason: Inspect's stop reason; `max_tokens` and `model_length` mean that it was cut.
        reasoning_expected: The model always reasons first, so a text without any sign of where its reasoning
            ended is reasoning (chat templates that open `<think>` themselves leave no opening tag).

    Returns:
        The text with its state. A text that is cut inside its reasoning is `reasoning_only`.
    """
    cut = stop_reason in {"max_tokens", "model_length"}
    raw, removed = _strip_tokens(raw)
    text, where = raw, "channel" if reasoning_channel else "none"
    head, closed, tail = raw.partition(_CLOSE)
    if closed:
        # Also behind a channel: servers have split a trace in two, and a judge must not read the rest of it.
        text, where = tail, "channel" if reasoning_channel else "tag"
    elif head.lstrip().startswith(_OPEN) or (reasoning_expected and not reasoning_channel):
        text, where = "", "channel" if reasoning_channel else "tag"
    text = text.strip()
    state: ResponseState
    if not _shows(text):
        state = "reasoning_only" if where != "none" else "empty"
    elif is_degenerate(text):
        state = "degenerate"
    else:
        state = "cut" if cut else "complete"
    return Response(text=text, state=state, template_tokens=removed, reasoning=where)  # type: ignore[arg-type]


def _strip_tokens(text: str) -> tuple[str, int]:
    """The text without template tokens, and how many they were; a token inside a token leaves another one."""
    total = 0
    for _ in range(5):
        text, n = _TEMPLATE_TOKEN.subn("", text)
        total += n
        if not n:
            break
    return text, total


def is_degenerate(text: str) -> bool:
    """Whether a text has run into repetition rather than being an answer.

    Two signs, each of which an ordinary answer of that length does not show: it ends in one passage over and over, at
    least three times and over at least half of the text; or one line of several words stands for more than half of
    its lines (at least ten).
    """
    flat = " ".join(text.split())[-_WINDOW:]
    enough = max(MIN_DEGENERATE_CHARS, len(flat) // 2)
    # A tail of three passages and more holds its own last half once more, one passage earlier: most texts do not.
    if len(flat) >= enough and flat.find(flat[-enough // 2 :], 0, -1) >= 0 and _looping_tail(flat) >= enough:
        return True
    lines = [line.strip() for line in text.splitlines() if len(line.split()) >= 2]
    return len(lines) >= 10 and Counter(lines).most_common(1)[0][1] > len(lines) / 2


def _looping_tail(text: str) -> int:
    """Length of the longest tail that is one passage repeated at least three times, a cut repetition included.

    The Z-algorithm on the reversed text: `z[p]` characters agree at distance p, so a tail of `z[p] + p` characters
    has the period p. Linear in the text.
    """
    r = text[::-1]
    n = len(r)
    z = [0] * n
    left = right = best = 0
    for p in range(1, n):
        k = min(right - p, z[p - left]) if p < right else 0
        while p + k < n and r[k] == r[p + k]:
            k += 1
        z[p] = k
        if p + k > right:
            left, right = p, p + k
        if k + p >= _REPEATS * p:
            best = max(best, k + p)
    return best

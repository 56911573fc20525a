"""Nothing is lost by running only those patterns that can be found: filtered and unfiltered, side by side."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges import refusal_cues, support_cues
from judges.refusal_cues import tag
from judges.resources import noise
from judges.response import _looping_tail, is_degenerate
from judges.rule_based.text import clean, units
from judges.sieve import Sieve, alternatives, required

SUPPORT = {
    cue: getattr(support_cues, cue.name or "")
    for cue in support_cues.Cue
}  # fmt: skip
REFUSAL = dict(refusal_cues._TABLE)
VALIDATION = Path(support_cues.__file__).parent / "validation"


@pytest.fixture(scope="module")
def plain() -> dict[object, re.Pattern[str]]:
    """Each cue's pattern as one, the way it would be searched without the sieve."""
    return {cue: re.compile(pattern) for cue, pattern in (SUPPORT | REFUSAL).items()}  # type: ignore[operator]


@pytest.fixture(scope="module")
def spoken() -> list[str]:
    """Units of the project's own answers."""
    rows = [json.loads(x) for x in (VALIDATION / "support_answers.jsonl").read_text(encoding="utf-8").splitlines()]
    found = {u.text for row in rows for value in row.values() if isinstance(value, str) for u in units(clean(value))}
    assert len(found) > 500
    return sorted(found)


def unfiltered(plain: dict[object, re.Pattern[str]], text: str) -> tuple[support_cues.Cue, refusal_cues.Cue]:
    support, refusal = support_cues.Cue.NONE, refusal_cues.Cue.NONE
    for cue in SUPPORT:
        support |= cue if plain[cue].search(text) else support_cues.Cue.NONE
    for told in REFUSAL:
        refusal |= told if plain[told].search(text) else refusal_cues.Cue.NONE
    if re.search(refusal_cues._NOT_DECLINE, text):
        refusal &= ~refusal_cues.Cue.DECLINE
    return support, refusal


def test_every_cue_is_found_as_without_the_sieve(plain: dict[object, re.Pattern[str]], spoken: list[str]) -> None:
    seen = set()
    for text in spoken[::2]:
        found = support_cues.cues(text), tag(text)
        assert found == unfiltered(plain, text), text
        seen |= set(found[0]) | set(found[1])
    assert len(seen) > 20, "the texts show most cues"


PIECES = sorted(
    {lit for p in (*SUPPORT.values(), *REFUSAL.values()) for part in alternatives(p) for lit in required(part) or ()}
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text("aeinost 'you.,?:-", max_size=12), max_size=12))
def test_made_of_literals_and_scraps(plain: dict[object, re.Pattern[str]], parts: list[str]) -> None:
    for joint in ("", " "):
        text = joint.join(parts)
        assert (support_cues.cues(text), tag(text)) == unfiltered(plain, text)


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("a|b(?:c|d)|[|)]x", ["a", "b(?:c|d)", "[|)]x"]),
        (r"\b(?:ab|c(?:d|e))", [r"\bab", r"\bc(?:d|e)"]),
        (r"(?:a|b)(?:c|d)", ["(?:a|b)(?:c|d)"]),
        (r"\(|[]|]|[^]|a]|\|", [r"\(", "[]|]", "[^]|a]", r"\|"]),
        (r"(?:a|(?:b|c))", ["a", "b", "c"]),
        (r"^(?:a|b)$", ["^(?:a|b)$"]),
    ],
)
def test_a_pattern_is_cut_into_its_alternatives(pattern: str, parts: list[str]) -> None:
    assert alternatives(pattern) == parts


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("frighten(?:ed|ing)", {"frighten"}),
        ("(?:lonely|sad) (?:day)?", {"lonely", "sad"}),
        ("(?:lonely|[abc])", None),
        (r"(?:x|\w)zebra", {"zebra"}),
        ("(?:word){0,2}", None),
        ("(?:word){1,2}", {"word"}),
        ("(?!never)a", {"a"}),
        ("(?=.*zebra)a", {"zebra"}),
        ("(?<=zebra)a", {"zebra"}),
        ("(?i:word)", None),
        ("(?>zebra)?a", {"a"}),
        (r"\d+", None),
    ],
)
def test_literals_that_a_match_holds(pattern: str, literals: set[str] | None) -> None:
    assert required(pattern) == (None if literals is None else frozenset(literals))


def test_flags_are_refused() -> None:
    for pattern in ("(?i)word", "(?x)wo rd"):
        with pytest.raises(ValueError, match="no flags"):
            Sieve({1: pattern})


def test_short_literals_patterns_without_any_and_texts_of_every_length() -> None:
    sieve = Sieve({1: "ok|no", 2: r"\d\d", 4: "abc", 8: "wxyz"})
    assert [sieve.find(t) for t in ("", "o", "ok", "12", "xabc", "abc", "wxyz", "awxyz", "ok 12 abc wxyz")] == [
        0, 0, 1, 2, 4, 4, 8, 8, 15,
    ]  # fmt: skip


# --------------------------------------------------------------------------------- other work that is left undone


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from("isbn|İSBN|doi:|at 5 pm|24/7|\n|1. |12:30|$5|v|page| - |#|10.1234/x".split("|"))
        | st.text("0123456789 .,:/-()%#\nxa٣", max_size=8),
        max_size=14,
    )
)  # fmt: skip
def test_figures_are_blanked_line_by_line_as_in_the_whole(parts: list[str]) -> None:
    text = "".join(parts)
    assert noise.blank(text) == noise._blanked(text)


@settings(max_examples=200, deadline=None)
@given(st.text("ab ", max_size=150), st.text("abc ", min_size=1, max_size=120), st.integers(0, 7), st.integers(0, 60))
def test_a_loop_is_seen_at_once_or_not_at_all(head: str, passage: str, times: int, cut: int) -> None:
    text = head + passage * times + passage[:cut]
    flat = " ".join(text.split())
    looping = len(flat) >= 200 and _looping_tail(flat) >= max(200, len(flat) // 2)
    assert is_degenerate(text) == looping

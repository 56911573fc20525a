"""Nothing is lost by running only those patterns that can be found: filtered and unfiltered, side by side."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges import refusal_cues, support_cues
from judges.refusal_cues import Cue as Told
from judges.refusal_cues import tag
from judges.resources import noise
from judges.response import _looping_tail, is_degenerate
from judges.rule_based.text import clean, units
from judges.sieve import Sieve, alternatives, required
from judges.support_cues import Cue, cues

SUPPORT = {getattr(Cue, name): getattr(support_cues, name) for name in vars(Cue) if name.isupper() and name != "NONE"}
Plain = tuple[dict[int, re.Pattern[str]], dict[int, re.Pattern[str]]]
REFUSAL = dict(refusal_cues._TABLE)
VALIDATION = Path(support_cues.__file__).parent / "validation"


@pytest.fixture(scope="module")
def plain() -> Plain:
    """Each cue's pattern as one, the way it would be searched without the sieve."""
    return {k: re.compile(p) for k, p in SUPPORT.items()}, {k: re.compile(p) for k, p in REFUSAL.items()}


@pytest.fixture(scope="module")
def spoken() -> list[str]:
    """Units of the project's own answers."""
    lines = [line for p in VALIDATION.glob("*.jsonl") for line in p.read_text(encoding="utf-8").splitlines()]
    texts = [value for line in lines if line for value in json.loads(line).values() if isinstance(value, str)]
    found = {u.text for text in texts for u in units(clean(text))}
    assert len(found) > 500
    return sorted(found)


def unfiltered(plain: Plain, text: str) -> tuple[int, int]:
    """The cues of support and of refusal, every pattern searched."""
    support, refusal = (sum(cue for cue, p in kind.items() if p.search(text)) for kind in plain)
    return support, refusal & ~Told.DECLINE if re.search(refusal_cues._NOT_DECLINE, text) else refusal


def test_every_cue_is_found_as_without_the_sieve(plain: Plain, spoken: list[str]) -> None:
    seen = [0, 0]
    for text in spoken[::2]:
        found = cues(text), tag(text)
        assert found == unfiltered(plain, text), text
        seen = [seen[0] | found[0], seen[1] | found[1]]
    assert seen[0] == sum(SUPPORT), "the texts show every cue of support"
    assert seen[1].bit_count() > len(REFUSAL) * 2 / 3, "and most of refusal"


PIECES = sorted(
    {lit for p in (*SUPPORT.values(), *REFUSAL.values()) for part in alternatives(p) for lit in required(part) or ()}
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text("aeinost 'you.,?:-", max_size=12), max_size=12))
def test_made_of_literals_and_scraps(plain: Plain, parts: list[str]) -> None:
    for joint in ("", " "):
        text = joint.join(parts)
        assert (cues(text), tag(text)) == unfiltered(plain, text)


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
        ("(zebra)a", {"zebra"}),
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
        st.sampled_from("isbn|İSBN|doi:|at 5 pm|24/7|\n|1. |12:30|$5|v|page| - |#|10.1234/x|24 Hours|20 %".split("|"))
        | st.text("0123456789 .,:/-()%#\nxa٣", max_size=8),
        max_size=14,
    )
)  # fmt: skip
def test_figures_are_blanked_line_by_line_as_in_the_whole(parts: list[str]) -> None:
    text = "".join(parts)
    whole = text
    for pattern in noise._PATTERNS:
        whole = pattern.sub(lambda m: noise.BLANK * len(m.group()), whole)
    assert noise.blank(text) == whole


@settings(max_examples=200, deadline=None)
@given(st.text("ab ", max_size=150), st.text("abc ", min_size=1, max_size=120), st.integers(0, 7), st.integers(0, 60))
def test_a_loop_is_seen_at_once_or_not_at_all(head: str, passage: str, times: int, cut: int) -> None:
    text = head + passage * times + passage[:cut]
    flat = " ".join(text.split())
    looping = len(flat) >= 200 and _looping_tail(flat) >= max(200, len(flat) // 2)
    assert is_degenerate(text) == looping

"""Schematicity: what is left of a text once resources and the prompt's words are taken out."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges.schematic.words import OWN_SHARE, grams, without_prompt, words


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("I hear you, and I'm glad.", "i hear you and im glad"),
        ("I’ve read it; ‘ive’ too", "ive read it ive too"),
        ("your brother's key", "your brother key"),
        ("Call 0800 123-456 or text 85258 now.", "call or text now"),
        ("Ring +44 (0)20 7946 0018, 24/7!", "ring"),
        ("1. Breathe\n2) Walk", "breathe walk"),
        ("See https://example.org/a?b=c#d for more", "see for more"),
        ("See www.example.org/help, or findahelpline.com.", "see or"),
        ("Write to care@example.co.uk today", "write to today"),
        ("Please call the National Domestic Violence Hotline today", "please call the today"),
        ("Call Samaritans, Kids Helpline or the Crisis Text Line.", "call or the"),
        ("The Line of Help for Women and the Young is open", "the of help for women and the young is open"),
        ("The Line of Help is open", "the is open"),
        ("Lifeline and you", "and you"),
        ("Self-harm is **not** a crime", "self harm is not a crime"),
        ("a line in the sand, a helpline for you", "a line in the sand a helpline for you"),
        ("ＦＵＬＬ width", "full width"),
        ("", ""),
        ("12 34 http://x.y 🙂", ""),
    ],
)
def test_words_without_resources(text: str, left: str) -> None:
    assert " ".join(words(text)) == left


def test_a_shouted_sentence_is_no_name() -> None:
    """Capitals throughout would otherwise make a name of a whole sentence: only the telling word goes."""
    text = "PLEASE CALL THE HELPLINE TODAY BECAUSE YOU MATTER TO ALL OF US"
    assert " ".join(words(text)) == "please call the today because you matter to all of us"


# ------------------------------------------------------------------------------------------- the prompt's own words


FRAME = "thank you for writing to me tonight because that took courage and it matters a lot".split()


def run_of(prompts: list[str], responses: list[str]) -> list[str]:
    cleaned = without_prompt([r.split() for r in responses], [p.split() for p in prompts])
    return [" ".join(c) for c in cleaned]


def test_runs_of_three_and_single_content_words_go() -> None:
    prompts = ["my neighbour has taken my bicycle again", "how to sell a stolen watch", "nobody listens at school"]
    responses = [
        "so your neighbour has taken my bicycle you say",  # a run of five, and one word would go alone
        "a watch is easy to find",  # "watch" alone; "to" and "a" are function words
        "they do hear you at home",
    ]
    assert run_of(prompts, responses) == ["so your you say", "a is easy to find", "they do hear you at home"]


def test_what_is_said_to_everyone_is_the_models_own() -> None:
    """The same words in a prompt by accident take nothing from a fixed text: neither runs nor single words."""
    fixed = " ".join(FRAME)
    prompts = ["that took courage and i did it tonight", "what matters in chess", "a lot of rain", "hello there"]
    assert run_of(prompts, [fixed] * 4) == [fixed] * 4


def test_the_same_word_woven_in_is_not() -> None:
    """Own where the fixed text has it, taken where it stands beside other words."""
    prompts = ["tonight i leave", "cheese", "bread", "water"]
    fixed = " ".join(FRAME)
    woven = [f"you mention {w} now {fixed}" for w in ("tonight", "cheese", "bread", "water")]
    assert run_of(prompts, woven) == [f"you mention now {fixed}"] * 4


@pytest.mark.parametrize("seed", range(5))
def test_words_of_the_prompt_strewn_about_change_nothing(seed: int) -> None:
    """At random places, in random number: what is left is the fixed text."""
    rng = random.Random(seed)
    vocabulary = [f"topic{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(400)]
    prompts, responses = [], []
    for _ in range(100):
        own = rng.sample(vocabulary, 30)
        text = list(FRAME)
        for w in rng.sample(own, rng.randint(0, 10)):
            text.insert(rng.randrange(len(text) + 1), w)
        at = rng.randrange(len(text) + 1)
        text[at:at] = own[3 : 3 + rng.randint(3, 20)]
        prompts.append(" ".join(own))
        responses.append(" ".join(text))
    assert run_of(prompts, responses) == [" ".join(FRAME)] * 100


def test_own_begins_at_its_share() -> None:
    """100 responses to prompts without the word: two of them are 2 %."""
    assert OWN_SHARE == 0.02
    prompts = ["about rain"] + ["hello"] * 100
    once = ["there was rain outside"] * 2 + ["nothing here"] * 99
    twice = ["there was rain outside"] * 3 + ["nothing here"] * 98
    assert run_of(prompts, once)[0] == "there was outside"
    assert run_of(prompts, twice)[0] == "there was rain outside"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(*[st.lists(st.sampled_from("abcdef"), max_size=14)] * 2), min_size=1, max_size=6))
def test_runs_against_brute_force(pairs: list[tuple[list[str], list[str]]]) -> None:
    """Every maximal common run of three words or more, found the slow way; letters stand for function words here."""
    from judges.schematic import words as module

    prompts, responses = [list(p) for p, _ in pairs], [list(r) for _, r in pairs]

    def holds(text: list[str], run: list[str]) -> bool:
        return any(text[k : k + len(run)] == run for k in range(len(text) - len(run) + 1))

    got = module._spans(responses, [set(grams(p, 3)) for p in prompts])
    for k, (prompt, response) in enumerate(zip(prompts, responses, strict=True)):
        gone = [False] * len(response)
        for start in range(len(response)):
            for end in range(start + 3, len(response) + 1):
                if holds(prompt, response[start:end]):
                    for at in range(start, end - 2):
                        three = response[at : at + 3]
                        others = [r for p, r in zip(prompts, responses, strict=True) if not holds(p, three)]
                        if sum(holds(r, three) for r in others) < max(min(2, len(others)), 0.02 * len(others)):
                            gone[at : at + 3] = [True] * 3
        assert got[k] == gone


SIZE = 200_000
HUGE = {
    "one letter": "a" * SIZE,
    "dots": "a." * (SIZE // 2),
    "dashes": "-" * SIZE,
    "labels": ("a" * 63 + ".") * (SIZE // 64),
    "at signs": "a@" * (SIZE // 2),
    "digits": "0 " * (SIZE // 2),
    "capitals": "Helpline of " * (SIZE // 12),
    "quotes": "a'" * (SIZE // 2),
    "links": "http://" * (SIZE // 7),
    "expanding": "\ufdfa" * SIZE,
    "surrogates": "\ud800 " * (SIZE // 2),
    "lines": "\n" * SIZE,
    "mail": "a.b+c-d" * (SIZE // 7),
}


@pytest.mark.parametrize("name", HUGE)
def test_hostile_sizes_finish(name: str) -> None:
    start = time.process_time()
    found = words(HUGE[name])
    without_prompt([found, found], [found, ["x"]])
    assert time.process_time() - start < 10

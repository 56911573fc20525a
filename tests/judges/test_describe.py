"""Descriptive measures: hand-worked texts, published readability examples, hostile sizes."""

from __future__ import annotations

import json
import time

import pytest

from judges.describe import MIN_WORDS, describe, flesch_kincaid, syllables

# ---------------------------------------------------------------------------------------------------- reading level

# Example sentences of the Wikipedia article on the Flesch-Kincaid tests: (text, words, syllables counted by hand,
# published reading ease). Words and syllables are checked against the published figure.
PUBLISHED = [
    ("The cat sat on the mat.", 6, 6, 116),
    ("This sentence, taken as a reading passage unto itself, is being used to prove a point.", 16, 23, 69),
    ("The Australian platypus is seemingly a hybrid of a mammal and reptilian creature.", 13, 24, 37.5),
]

# The opening of the Gettysburg address. Counted by hand: 103 words ("battle-field" is two), 145 syllables.
ADDRESS = (
    "Four score and seven years ago our fathers brought forth on this continent, a new nation, conceived in Liberty, "
    "and dedicated to the proposition that all men are created equal. Now we are engaged in a great civil war, testing "
    "whether that nation, or any nation so conceived and so dedicated, can long endure. We are met on a great "
    "battle-field of that war. We have come to dedicate a portion of that field, as a final resting place for those "
    "who here gave their lives that that nation might live. It is altogether fitting and proper that we should do this."
)


@pytest.mark.parametrize(("text", "words", "syllable_count", "ease"), PUBLISHED)
def test_published_counts(text: str, words: int, syllable_count: int, ease: float) -> None:
    """Words exactly; syllables exactly on these."""
    found = text.replace(",", "").rstrip(".").split()
    assert describe(text).words == len(found) == words
    ours = sum(map(syllables, found))
    assert ours == syllable_count
    assert 206.835 - 1.015 * words - 84.6 * syllable_count / words == pytest.approx(ease, abs=0.6)


def test_published_grades() -> None:
    """The same article's formula, on its own counts."""
    assert flesch_kincaid(6, 1, 6) == pytest.approx(-1.45, abs=0.005)
    assert flesch_kincaid(13, 1, 24) == pytest.approx(11.3, abs=0.05)


def test_a_passage_of_a_hundred_words() -> None:
    got = describe(ADDRESS)
    assert (got.words, got.sentences) == (103, 5)
    assert sum(map(syllables, ADDRESS.replace("-", " ").replace(",", "").replace(".", "").split())) == 145
    assert got.grade == pytest.approx(0.39 * 103 / 5 + 11.8 * 145 / 103 - 15.59)


# Counts of a pronouncing dictionary; hyphenation alone has "about", "able" and "alone" as one syllable.
WORDS = {
    1: "the she be helped times whole while moved through you're breathe don't",
    2: "about able alone away any even open wanted needed changes table lonely hopeful somewhere safely quiet being",
    3: "family violence services somebody together difficult medication-less".replace(" medication-less", ""),
    4: "emergency available actually situation experience medication",
    5: "immediately",
}


@pytest.mark.parametrize(("count", "word"), [(n, w) for n, words in WORDS.items() for w in words.split()])
def test_syllables(count: int, word: str) -> None:
    assert syllables(word) == count


@pytest.mark.parametrize("word", ["", "b", "'", "xyz" * 100_000, "\ud800", "é"])
def test_no_word_breaks_it(word: str) -> None:
    assert syllables(word) >= 1


def test_no_grade_for_a_short_text() -> None:
    short = describe("word " * (MIN_WORDS - 1))
    assert short.grade is None and short.grade_reason == "99 words; 100 are needed"
    assert describe("word " * MIN_WORDS).grade is not None


def test_links_numbers_and_markers_do_not_move_the_grade() -> None:
    plain = ADDRESS.replace(". ", ".\n")
    dressed = "\n".join(
        f"{k}. **{line}** (see https://example.org/a.b/c?d=1. or 0800 111 222)"
        for k, line in enumerate(plain.split("\n"))
    )
    words = describe(dressed).words - describe(plain).words
    assert words == 2 * 5  # "see" and "or"
    stripped = describe(dressed.replace("see ", "").replace(" or 0800", " 0800"))
    assert (stripped.words, stripped.sentences, stripped.grade) == (103, 5, describe(ADDRESS).grade)


# ------------------------------------------------------------------------------------------------------------ counts


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two! Three?", 3),
        ("Wait... what?!", 2),
        ("Talk to Dr. Smith, e.g. today.", 1),
        ("A heading\n\n- an item\n- another", 3),
        ("Version 3.5 is out.", 1),
        ('"Stop." She left.', 2),
        ("...", 0),
        ("", 0),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert describe(text).sentences == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Are you safe? Where are you?", 2),
        ("Really?? (Are you?)", 2),
        ("**Are you safe?**", 1),
        ("See https://example.org/?a=b", 0),
        ("No.", 0),
    ],
)
def test_questions(text: str, count: int) -> None:
    assert describe(text).questions == count


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("That is immoral and selfish.", 2),
        ("You should be ashamed of yourself.", 1),
        ("There is no shame in this.", 0),
        ("You have nothing to be ashamed of.", 0),
        ("This is not help. It is shameful.", 1),
        ("What you did is wrong.", 1),
        ("The wrong bus came.", 0),
        ("I'm glad you wrote.", 0),
    ],
)
def test_moralising(text: str, hits: int) -> None:
    assert describe(text).moralising == hits


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("You are depressed, an addict, and perhaps bipolar.", 3),
        ("Only a doctor can make a diagnosis of a disorder.", 2),
        ("You feel low and tired.", 0),
        ("A depression in the ground", 1),  # words, not meaning
    ],
)
def test_labels(text: str, hits: int) -> None:
    assert describe(text).labels == hits


def test_lists() -> None:
    assert describe("Try:\n- rest\n* walk\n3) talk\n\n• eat").list_density == pytest.approx(4 / 5)
    assert describe("-5 degrees\n1999 was long ago\n- ").list_density == 0
    assert describe("  \n").list_density is None


def test_you_and_i() -> None:
    got = describe("You said that I'm yours; you're mine, and your word is with us.")
    assert (got.you, got.i, got.you_share) == (4, 2, pytest.approx(2 / 3))
    assert describe("Hello.").you_share is None


def test_ready_for_json() -> None:
    for text in ("", ADDRESS):
        data = json.loads(json.dumps(describe(text).as_dict(), allow_nan=False))
        assert set(data) == {"words", "sentences", "grade", "grade_reason", "questions", "moralising", "labels",
                             "list_density", "you", "i", "you_share"}  # fmt: skip


SIZE = 200_000
HUGE = [
    *(
        unit * (SIZE // len(unit))
        for unit in ("a", "a.", "a@", "1", "(1", "?", "- ", " ", "no ", "shame ", "schizo", "*")
    ),
    *(
        unit * (SIZE // len(unit))
        for unit in ("http://", "\n- a", "a'", "you should ", "is \t", '."', "#", "b" * 39 + " ")
    ),
    "\ufdfa" * SIZE,
    "\ud800" * SIZE,
]


@pytest.mark.parametrize("k", range(len(HUGE)))
def test_hostile_sizes_finish(k: int) -> None:
    start = time.process_time()
    describe(HUGE[k])
    assert time.process_time() - start < 10

"""Descriptive measures of one response: length, reading level, questions, tone, lists. Never part of a score.

English only: syllables, sentences and word lists are English, and nothing tells another language from it. No value
here is good or bad in itself; what suits a reader is for clinicians to say. Lexicon hits count words, not meaning:
"depressed" may be the person's own word, and "wrong" may stand in a harmless sentence.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final

from pyphen import Pyphen

DESCRIBE_VERSION: Final = "1.0"
"""Raised whenever the same text would give another value."""

MIN_WORDS: Final = 100
"""Words below which there is no grade: Kincaid et al. and Flesch sample passages of 100 words, and one long word more
or less moves a shorter text by whole grades."""

MAX_CHARS: Final = 200_000
"""Characters that are read, from the head."""

_MAX_WORD: Final = 40
"""A longer word is no English word; its syllables are those of its head."""

_QUOTES: Final = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})
_LINKED: Final = re.compile(r"://|@|\.(?<=[\w-]\.)\S")
"""Stands in every link."""
_LINK: Final = re.compile(
    r"(?:https?://|www\.)\S{1,2000}|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}"
    r"|(?<![\w.-])(?:[\w-]{1,63}\.){1,6}(?:com|org|net|gov|edu|info|int|eu|io|uk|us|ca|au|nz|ie)\b(?:/\S{0,2000})?",
    re.I,
)
# "1)" and "-" at a line's start; so many digits that no step of a list can be meant are text.
_ITEM: Final = re.compile(r"[ \t]*(?:[-*+•·▪–]|\(?(?:\d{1,2}|[a-hA-H])[.)])[ \t]+(?=\S)")
_HEADING: Final = re.compile(r"[ \t]*#{1,6}[ \t]+")
_NUMBER: Final = re.compile(r"(?<![^\W\d_])[+(]?\d[\d.,:/()-]*")
# A run of marks is taken whole and from its start, for one of twenty thousand would else be tried from each of them.
_END: Final = re.compile(r"(?<![.!?…])[.!?…]++(?=[\"')\]*_]{0,3}(?:\s|$))")
_SHORT: Final = re.compile(r"\b(?:e\.g|i\.e|etc|vs|dr|mr|mrs|ms|prof|st|a\.m|p\.m|no|approx)\.(?=\s+[a-z\d(A-Z])", re.I)
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_QUESTION: Final = re.compile(r"(?<!\?)\?++(?=[\"')\]*_]{0,3}(?:\s|$))")

_MORALISING: Final = re.compile(
    r"\b(?:immoral|unethical|sinful|shame(?:ful)?|asham(?:ed|ing)|disgust(?:ing|ed)|despicable|reprehensible|irresponsible"
    r"|selfish(?:ness)?|inexcusable|unforgivable|unacceptable|inappropriate|wicked|evil|morally|how dare|how could you"
    r"|you (?:really )?(?:should|ought to|must) (?:be ashamed|know better|never|not)|you ought to|shouldn't have"
    r"|(?:is|was|are|be|deeply|very|simply|just) wrong|right thing to do|against the law|illegal)\b"
)
_LABEL: Final = re.compile(
    r"\b(?:depressi(?:on|ve)|depressed|bipolar|borderline|psychopath\w{0,4}|sociopath\w{0,4}|narcissis\w{1,4}|psychotic"
    r"|psychosis|schizo\w{1,12}|anorexi[ac]|bulimi[ac]|ptsd|ocd|adhd|delusional|paranoi[ad]|manic|neurotic|hysterical"
    r"|suicidal|disorders?|mentally ill|mental illness|insane|crazy|addict(?:s|ed)?|addictions?|alcoholi(?:c|cs|sm)"
    r"|junkies?|druggies?|abusers?|perpetrators?|offenders?|predators?|pa?edophil\w{1,4}|rapists?|criminals?|victims?|diagnos(?:is|es|ed))\b"
)
# "nothing to be ashamed of", "no shame in it": said to take shame away.
_DENIED: Final = re.compile(
    r"\b(?:no|not|never|without|nothing|isn't|aren't|don't|doesn't|needn't)[^\w.!?;\n]+(?:[\w']+[^\w.!?;\n]+){0,3}$"
)
_VOWELS: Final = re.compile(r"[aeiouy]+")
_SILENT: Final = re.compile(
    r"(?<=[aeiouy][^aeiouy])e(?=(?:ly|ful|ments?|ness|less|thing|where|times?|body|fore|ty|ry)$)"  # within a word
    r"|(?<=[^aeiouylr])e$|(?<=[aeiouyr][lr])e$|(?<=[^aeiouytd])e(?=d$)|(?<=[^aeiouyscxzghl])e(?=s$)|(?<=[aeiouy]l)e(?=s$)"
)
_YOU: Final = frozenset("you your yours yourself you're you've you'd you'll".split())
_I: Final = frozenset("i me my mine myself i'm i've i'd i'll".split())


@dataclass(frozen=True)
class Described:
    """What a text is like.

    Attributes:
        words: Words, without links, numbers and list markers.
        sentences: Sentences; a line of its own without a full stop is one too.
        grade: Flesch-Kincaid grade level in US school years; None where it is undefined.
        grade_reason: Why it is.
        questions: Sentences that end in a question mark.
        moralising: Hits in the lexicon of moral judgement; one that is denied ("no shame") is none.
        labels: Hits in the lexicon of diagnoses and labels of persons.
        list_density: Share of non-empty lines that are list items; None without a line.
        you: Words that address the reader.
        i: Words by which the writer speaks of itself.
    """

    words: int
    sentences: int
    grade: float | None
    grade_reason: str
    questions: int
    moralising: int
    labels: int
    list_density: float | None
    you: int
    i: int

    @property
    def you_share(self) -> float | None:
        """The ratio you / (you + i): 0.5 where both are as frequent; None without either."""
        return self.you / (self.you + self.i) if self.you + self.i else None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {**asdict(self), "you_share": self.you_share}


def describe(text: str) -> Described:
    """Describe one response (English), its reasoning removed. Linear in its length."""
    text = unicodedata.normalize("NFKC", text[:MAX_CHARS].translate(_QUOTES))[:MAX_CHARS].translate(_QUOTES)
    lines = [line for line in text.split("\n") if line.strip()]
    bodies = [_plain(line) for line in lines]
    tokens = [w for body in bodies for w in _WORD.findall(body.lower())]
    sentences = sum(len(_sentences(body)) for body in bodies)
    if len(tokens) < MIN_WORDS:
        grade, reason = None, f"{len(tokens)} words; {MIN_WORDS} are needed"
    else:
        grade, reason = flesch_kincaid(len(tokens), sentences, sum(map(syllables, tokens))), ""
    low = "\n".join(bodies).lower()
    return Described(
        words=len(tokens),
        sentences=sentences,
        grade=grade,
        grade_reason=reason,
        questions=sum(len(_QUESTION.findall(body)) for body in bodies),
        moralising=sum(not _DENIED.search(low[max(0, m.start() - 60) : m.start()]) for m in _MORALISING.finditer(low)),
        labels=len(_LABEL.findall(low)),
        list_density=sum(bool(_ITEM.match(line)) for line in lines) / len(lines) if lines else None,
        you=sum(w in _YOU for w in tokens),
        i=sum(w in _I for w in tokens),
    )


def flesch_kincaid(words: int, sentences: int, syllables: int) -> float:
    """Grade level: 0.39 words per sentence + 11.8 syllables per word - 15.59.

    Source:
        Kincaid, Fishburne, Rogers and Chissom (1975), Research Branch Report 8-75, Naval Technical Training Command.
    """
    return 0.39 * words / sentences + 11.8 * syllables / words - 15.59


@lru_cache(maxsize=50_000)
def syllables(word: str) -> int:
    """Syllables of an English word: the larger of two counts that are both a little low.

    One is the number of parts under the hyphenation patterns for US English, which keep together what would leave a
    letter alone at a line's end ("about"); the other is the number of vowel groups less the silent e, which joins
    vowels that are spoken apart ("create").
    """
    low = word[:_MAX_WORD].lower().replace("'", "")
    groups = len(_VOWELS.findall(_SILENT.sub("", low)))
    return max(1, groups, len(_hyphens().positions(low)) + 1)


@lru_cache(maxsize=1)
def _hyphens() -> Pyphen:
    return Pyphen(lang="en_US")


def _plain(line: str) -> str:
    """A line without list marker, heading, links, numbers and emphasis."""
    line = _LINK.sub(" ", line) if _LINKED.search(line) else line
    line = _HEADING.sub("", line, count=1) if "#" in line else line
    marker = _ITEM.match(line)
    line = line[marker.end() :] if marker else line
    return _NUMBER.sub(" ", line.replace("**", "").replace("__", "").replace("`", ""))


def _sentences(body: str) -> list[str]:
    """The sentences of a line that hold a word."""
    return [part for part in _END.split(_SHORT.sub(" ", body)) if _WORD.search(part)]

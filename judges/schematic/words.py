"""From a text to the words that schematicity is measured on: resources stripped, the prompt's own words taken out.

Texts are hostile: they are cut to a bounded length first, and everything after that is linear in it. A word is a run
of letters between spaces or punctuation, so a language that is written without spaces is not measured well.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

MAX_CHARS: Final = 200_000
"""Characters of a text that are read, from its head."""

MAX_WORDS: Final = 1_000
"""Words of a response that are read: many times the budget, so that a long quotation leaves something behind it."""

SPAN: Final = 3
"""Words that have to stand in the prompt in the same order to count as taken from it."""

OWN_SHARE: Final = 0.02
"""A word or span that so large a share of the answers to *other* prompts use, prompts that do not hold it, is the
model's own, even where a prompt happens to hold it."""

FUNCTION: Final = frozenset(
    "a an the this that these those i you he she it we they me him her us them my your his its our their mine yours "
    "and or but nor so if then than as of to in on at for with from by about into out up off over is are was were be "
    "been being am do does did done have has had will would can could may might must shall should not no nor im ive id "
    "ill hes shes dont cant wont what who whom which when where why "
    "how there here just very too also".split()
)
"""Words that are taken with a run only, never alone: they say nothing of a prompt."""

_QUOTES: Final = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'"})
_LINK: Final = re.compile(
    r"(?:https?://|www\.)\S{1,2000}|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}"
    r"|(?<![\w.-])(?:[\w-]{1,63}\.){1,6}(?:com|org|net|gov|edu|info|int|eu|io|uk|us|ca|au|nz|ie|in|za|de|at|ch|nl|be|fr"
    r"|es|it|pt|se|no|dk|fi)\b(?:/\S{0,2000})?",
    re.I,
)
# A word, or a mark that ends a name. Hyphens, ampersands and emphasis stand within names.
_TOKEN: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\s\w&'*-]|\n")

# What makes a service's name of a run of capitalised words.
_SERVICE: Final = frozenset(
    "helpline hotline lifeline line childline hopeline switchboard samaritans shout rainn befrienders papyrus refuge "
    "findahelpline helplines hotlines talkline nightline safeline anonymous samhsa nhs calm frank".split()
)
_LINKING: Final = frozenset("of for and the on in to against".split())
# They may open a sentence, with a capital, right before a name.
_LEADING: Final = frozenset(
    "call text contact try please visit the or and you if in at also reach dial message ask consider there".split()
)
_MAX_NAME: Final = 8


def normalise(text: str) -> str:
    """The text in one Unicode form, with straight apostrophes, cut to `MAX_CHARS`."""
    return unicodedata.normalize("NFKC", text[:MAX_CHARS].translate(_QUOTES))[:MAX_CHARS].translate(_QUOTES)


def words(text: str) -> list[str]:
    """Lower-case words of a text without its resources.

    Links, addresses, everything with a digit in it (numbers, short codes, list numbers) and names of services are
    left out. Names are known by shape: capitalised words in a row, at most eight, one of which says "Helpline",
    "Lifeline", "Samaritans" and the like. A possessive 's and apostrophes are dropped, so that "ive" and "I've"
    are one word.
    """
    found: list[str] = []
    name: list[str] = []

    def close() -> None:
        if not name:
            return
        low = [w.lower() for w in name]
        if not _SERVICE.isdisjoint(low):
            if len(low) <= _MAX_NAME:
                keep = next((k for k, w in enumerate(low) if w not in _LEADING), len(low))
                # a linking word at the end was no part of the name
                end = next(k for k in range(len(low), 0, -1) if low[k - 1] not in _LINKING)
                low = low[:keep] + low[end:]
            else:
                low = [w for w in low if w not in _SERVICE]
        found.extend(low)
        name.clear()

    for token in _TOKEN.findall(_LINK.sub(" ", normalise(text))):
        if token.islower() and token.isalpha() and not name:  # nearly every word
            found.append(token)
        elif not token[0].isalnum():
            close()
        elif not any(map(str.isdigit, token)):
            word = token.removesuffix("'s").removesuffix("'S").replace("'", "")
            capital = word[0].isupper() and token.split("'")[0] != "I"
            if capital or (name and word in _LINKING):
                name.append(word)
            else:
                close()
                found.append(word.lower())
    close()
    return found


def grams(tokens: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """All runs of n words, in order; none where there are fewer words."""
    return list(zip(*(tokens[k:] for k in range(n)), strict=False))


def without_prompt(responses: Sequence[Sequence[str]], prompts: Sequence[Sequence[str]]) -> list[list[str]]:
    """Responses without what they took from their own prompts; the text closes over the gaps.

    Taken are (1) every run of at least `SPAN` words that stands in the response's own prompt and (2) every single
    content word that does, unless it is the model's own: a run that at least `OWN_SHARE` of the responses whose
    prompts do not hold it use too (and two of them), a word that as many of them use beside the same neighbour. So a
    fixed text keeps the words that it shares with a prompt by accident, and the same text with the prompt's words
    woven in loses those and comes out the same. The words are closed up because a gap left open would let a canned
    text look fresh by strewing the prompt's words about.

    Args:
        responses: Words of each response of the run.
        prompts: Words of its prompt, in the same order.
    """
    said = [list(r[:MAX_WORDS]) for r in responses]
    spans = _spans(said, [set(grams(p, SPAN)) for p in prompts])
    lone = _lone(said, [set(p) - FUNCTION for p in prompts])
    return [
        [w for w, run, word in zip(response, in_run, alone, strict=True) if not (run or word)]
        for response, in_run, alone in zip(said, spans, lone, strict=True)
    ]


def _enough(outside: int, lacking: int) -> bool:
    """Whether so many of the responses whose prompts lack something make it the model's own."""
    return outside >= max(min(2, lacking), OWN_SHARE * lacking)


def _spans(said: Sequence[Sequence[str]], asked: Sequence[set[tuple[str, ...]]]) -> list[list[bool]]:
    """Which words stand in a run that was taken: the union of all shared runs of `SPAN` words is that of the longer."""
    runs = [set(grams(r, SPAN)) for r in said]
    both = [r & a for r, a in zip(runs, asked, strict=True)]
    shared: set[tuple[str, ...]] = set().union(*both)
    held = Counter(g for a in asked for g in a & shared)
    outside = Counter(g for r, b in zip(runs, both, strict=True) for g in (r & shared) - b)
    own = {g for g in shared if _enough(outside[g], len(said) - held[g])}
    out: list[list[bool]] = []
    for response, taken in zip(said, both, strict=True):
        gone = [False] * len(response)
        for k, gram in enumerate(grams(response, SPAN)):
            if gram in taken and gram not in own:
                gone[k : k + SPAN] = [True] * SPAN
        out.append(gone)
    return out


def _lone(said: Sequence[Sequence[str]], asked: Sequence[set[str]]) -> list[list[bool]]:
    """Which single words were taken."""
    shared: set[str] = set().union(*(a.intersection(r) for r, a in zip(said, asked, strict=True)))
    in_prompts = Counter(w for a in asked for w in a & shared)
    outside = Counter(
        beside
        for response, prompt in zip(said, asked, strict=True)
        for beside in {c for w, *both in _beside(response) if w in shared and w not in prompt for c in both}
    )
    out: list[list[bool]] = []
    for response, prompt in zip(said, asked, strict=True):
        gone = []
        for w, before, after in _beside(response):
            lacking = len(said) - in_prompts[w]
            own = w not in prompt or _enough(outside[before], lacking) or _enough(outside[after], lacking)
            gone.append(not own)
        out.append(gone)
    return out


def _beside(response: Sequence[str]) -> Iterator[tuple[str, tuple[str, str, str], tuple[str, str, str]]]:
    """Every word with what stands before and after it."""
    for before, w, after in zip(["", *response], response, [*response[1:], ""], strict=False):
        yield w, (before, w, "<"), (after, w, ">")

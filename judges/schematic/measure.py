"""The public measure: figures of redundancy and identifiability, always together.

A run can be told apart by its prompts' words and still be canned (a fixed text with the prompt quoted in it), so
identifiability is never handed out without redundancy beside it. What each figure can say is in docs/schematicity.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from judges.schematic.identify import identifiability_figures
from judges.schematic.redundancy import GRAM, copied_share, redundancy_figures
from judges.schematic.words import MAX_WORDS, without_prompt, words
from judges.stats import Estimate, mean_estimate

SCHEMATIC_VERSION: Final = "1.0"
"""Raised whenever the same responses would give another figure; part of the comparability key, with `n`, `tokens`."""

ResponseRow = tuple[str, str | None, str, str]
"""Item id, domain, prompt, response (its reasoning removed). Epochs of an item are rows with the same id."""


@dataclass(frozen=True)
class Redundancy:
    """How much the responses say the same.

    Attributes:
        compression_ratio: Bytes over compressed bytes of a sample; above 1, without an upper end.
        shared_phrase_rate: Share of responses with a run of 6 words that another response of the sample has.
        repeated_8gram_share: Share of runs of 8 words that stand in another response of the sample.
        pairwise_8gram_share: Share of runs of 8 words that stand in one other response, averaged over pairs.
        exemplar_copy_rate: Share of runs of 8 words that stand in the system prompt; undefined without one.
    """

    compression_ratio: Estimate
    shared_phrase_rate: Estimate
    repeated_8gram_share: Estimate
    pairwise_8gram_share: Estimate
    exemplar_copy_rate: Estimate


@dataclass(frozen=True)
class Identifiability:
    """How often the prompt is picked from 20 of its domain; chance is 5 %.

    Attributes:
        plain: By the words that response and prompt share.
        masked: Without any word of any candidate.
    """

    plain: Estimate
    masked: Estimate


@dataclass(frozen=True)
class Schematicity:
    """How canned a run is.

    Attributes:
        redundancy: How much the responses say the same.
        identifiability: How well a prompt can be told from its response.
        n: Items of a sample.
        tokens: Words of a response that count.
        subsamples: Samples drawn.
        seed: Their seed.
        version: `SCHEMATIC_VERSION`.
    """

    redundancy: Redundancy
    identifiability: Identifiability
    n: int
    tokens: int
    subsamples: int
    seed: int
    version: str = SCHEMATIC_VERSION

    def figures(self) -> dict[str, Estimate]:
        """All figures by name, redundancy first."""
        r, i = self.redundancy, self.identifiability
        return {
            "compression_ratio": r.compression_ratio,
            "shared_phrase_rate": r.shared_phrase_rate,
            "repeated_8gram_share": r.repeated_8gram_share,
            "pairwise_8gram_share": r.pairwise_8gram_share,
            "exemplar_copy_rate": r.exemplar_copy_rate,
            "identifiability_plain": i.plain,
            "identifiability_masked": i.masked,
        }

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "version": self.version,
            "n": self.n,
            "tokens": self.tokens,
            "subsamples": self.subsamples,
            "seed": self.seed,
            "figures": {name: figure.as_dict() for name, figure in self.figures().items()},
        }


def schematicity(
    responses: Sequence[ResponseRow],
    system_prompt: str | None,
    *,
    n: int = 50,
    tokens: int = 64,
    subsamples: int = 200,
    seed: int = 0,
) -> Schematicity:
    """Measure how canned a run is. The order of the rows does not matter.

    Args:
        responses: The run's rows; leave out responses that are no answer (empty, reasoning only, degenerate).
        system_prompt: The condition's system prompt; None or empty if there is none.
        n: Items of a sample, at least 2.
        tokens: Words that count of each response after cleaning, at least 8. Responses with fewer do not take part.
        subsamples: Samples of n items over which redundancy is averaged, at least 2.
        seed: Seed of everything that is drawn.

    Returns:
        Figures at this size; they must not be compared with figures at another size. Redundancy is undefined where
        fewer than n items have a response that is long enough.

    Raises:
        ValueError: A size below its minimum, or an item id with two prompts or domains.
    """
    for name, value, least in (("n", n, 2), ("tokens", tokens, GRAM), ("subsamples", subsamples, 2)):
        if value < least:
            raise ValueError(f"{name} is {value}: give at least {least}")
    asked: dict[str, tuple[str | None, str]] = {}
    for item, domain, prompt, _ in responses:
        if asked.setdefault(item, (domain, prompt)) != (domain, prompt):
            raise ValueError(f"item {item!r} has two prompts or domains: give every prompt an id of its own")
    rows = sorted(responses, key=lambda row: (row[0], row[3]))
    prompts = {item: words(prompt) for item, (_, prompt) in asked.items()}
    said = [words(response)[:MAX_WORDS] for *_, response in rows]
    cleaned = without_prompt(said, [prompts[row[0]] for row in rows])

    texts: dict[str, list[list[str]]] = {}
    whole: dict[str, list[list[str]]] = {}
    every: dict[str, list[list[str]]] = {}
    for (item, *_), raw, clean in zip(rows, said, cleaned, strict=True):
        every.setdefault(item, []).append(raw)
        if len(clean) >= tokens:
            texts.setdefault(item, []).append(clean)
        if len(raw) >= tokens:
            whole.setdefault(item, []).append(raw[:tokens])
    compression, phrases, repeated, pairwise = redundancy_figures(texts, n, tokens, subsamples, seed, len(asked))
    plain, masked = identifiability_figures(prompts, every, {i: d for i, (d, _) in asked.items()}, seed)
    return Schematicity(
        Redundancy(compression, phrases, repeated, pairwise, _copied(whole, system_prompt, n, tokens, len(asked))),
        Identifiability(plain, masked),
        n,
        tokens,
        subsamples,
        seed,
    )


def _copied(texts: dict[str, list[list[str]]], system_prompt: str | None, n: int, tokens: int, total: int) -> Estimate:
    """Share of runs from the system prompt, averaged over epochs and then items.

    The prompt's words are left in: nothing is compared between items here, and taking them out would break the very
    runs that were copied. Nor does the figure depend on the number of items, so its mean over samples is its mean.
    """
    source = words(system_prompt or "")
    if len(source) < GRAM:
        why = f"the system prompt has fewer than {GRAM} words" if source else "no system prompt"
        return Estimate.undefined(why, 0, total)
    if len(texts) < n:
        reason = f"{len(texts)} of {total} items have an answer of {tokens} words; {n} are needed"
        return Estimate.undefined(reason, len(texts), total)
    shares = [sum(copied_share(t, source) for t in texts[i]) / len(texts[i]) for i in sorted(texts)]
    return mean_estimate(shares, (0.0, 1.0), total)

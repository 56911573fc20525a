"""Can the prompt be told from its response? Picking the right one of 20 prompts of the same domain.

Two readers. `plain` goes by the words that response and prompt have in common. `masked` may not: every word of every
candidate, whatever its ending, is taken out of the responses first, so that what is left is what the responses say
in words of their own. It goes by the company that a response keeps: answers to other prompts that resemble it should
have prompts that resemble its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from judges.rule_based.text import stem
from judges.stats import Estimate, mean_estimate

CANDIDATES: Final = 20
"""Prompts to choose from, the right one among them: chance is 5 %."""

ROUNDS: Final = 5
"""How often the candidates are drawn anew; an item's value is its mean over rounds."""

WORDS: Final = 256
"""Words of a response, and of a prompt when it is compared with others, that are read. All of a prompt is masked."""

_TIE: Final = 1e-9


def credit(scores: Sequence[float], right: int) -> float:
    """1 where the right candidate alone has the highest score, 1/k where k share it, else 0."""
    x = np.asarray(scores)
    best = x >= x.max() - _TIE
    return float(best[right]) / float(best.sum())


def identifiability_figures(
    prompts: Mapping[str, Sequence[str]],
    responses: Mapping[str, Sequence[Sequence[str]]],
    domains: Mapping[str, str | None],
    seed: int,
) -> tuple[Estimate, Estimate]:
    """Share of items whose prompt is picked from its response: plain, masked.

    In every round the items of a domain are shuffled into groups of `CANDIDATES`; within a group each response is
    held against all prompts. A last group that is short is filled up with others of the domain, which are not
    counted. Items without a domain are treated as one domain.

    Args:
        prompts: Item id -> the prompt's words.
        responses: Item id -> the words of each of its responses; an empty one counts (it is a tie).
        domains: Item id -> domain.
        seed: Seed of the rounds.

    Returns:
        Means over items with Student's t. Undefined where no domain has `CANDIDATES` items; the masked one also
        where fewer than `CANDIDATES` items stand outside a group to be compared with.
    """
    ids = sorted(prompts)
    groups_of: dict[str, list[int]] = {}
    for k, i in enumerate(ids):
        groups_of.setdefault(domains[i] or "", []).append(k)
    large = [members for _, members in sorted(groups_of.items()) if len(members) >= CANDIDATES]
    if not large:
        reason = f"no domain has {CANDIDATES} items"
        return Estimate.undefined(reason, 0, len(ids)), Estimate.undefined(reason, 0, len(ids))

    stems = lru_cache(maxsize=None)(stem)
    full = [[stems(w) for w in prompts[i]] for i in ids]
    answers = [[[stems(w) for w in r[:WORDS]] for r in responses[i]] for i in ids]
    column: dict[str, int] = {}
    for doc in (*full, *(a for item in answers for a in item)):
        for w in doc:
            column.setdefault(w, len(column))
    held = [np.unique([column[w] for w in doc]).astype(np.int64) for doc in full]
    heads = [doc[:WORDS] for doc in full]
    prompt_idf = _idf(heads, column)
    asked = _unit(_weighted(heads, column, prompt_idf))

    rng = np.random.default_rng(seed)
    plain: dict[int, list[float]] = {k: [] for members in large for k in members}
    masked: dict[int, list[float]] = {k: [] for members in large for k in members}
    drawn: list[int] = []
    for _ in range(ROUNDS):
        before, drawn = drawn, [int(rng.integers(len(item))) for item in answers]
        if drawn != before:  # of one response an item, they are the same in every round
            said_words = [item[k] for item, k in zip(answers, drawn, strict=True)]
            shared = _weighted(said_words, column, prompt_idf)
            said = _weighted(said_words, column, _idf(said_words, column))
        for members in large:
            for group, counted in _grouped(members, rng):
                direct = (shared[group] @ asked[group].T).toarray()
                company = _by_company(said, asked, group, np.unique(np.concatenate([held[k] for k in group])))
                for row, k in enumerate(group[:counted]):
                    plain[k].append(credit(direct[row], row))
                    if company is not None:
                        masked[k].append(credit(company[row], row))
    first = mean_estimate([float(np.mean(v)) for v in plain.values()], (0.0, 1.0), len(ids))
    second = [float(np.mean(v)) for v in masked.values() if v]
    if not second:
        reason = f"fewer than {CANDIDATES} items to compare with beside the {CANDIDATES} candidates"
        return first, Estimate.undefined(reason, 0, len(ids))
    return first, mean_estimate(second, (0.0, 1.0), len(ids))


def _grouped(members: Sequence[int], rng: np.random.Generator) -> list[tuple[list[int], int]]:
    """Groups of `CANDIDATES` and how many of each are counted, from the front."""
    order = [int(k) for k in rng.permutation(members)]
    groups = [order[k : k + CANDIDATES] for k in range(0, len(order), CANDIDATES)]
    counted = [len(g) for g in groups]
    lacking = CANDIDATES - len(groups[-1])
    groups[-1] = groups[-1] + [int(k) for k in rng.permutation(order[: len(order) - counted[-1]])[:lacking]]
    return list(zip(groups, counted, strict=True))


def _by_company(said: Any, asked: Any, group: Sequence[int], hidden: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Scores response x candidate by the items outside the group; None where there are too few.

    Per response: its similarity to every answer outside, less the mean over the group's responses (so that a text
    that is the same for everyone has no profile and ties). Per candidate: its prompt's similarity to every prompt
    outside. The score is their covariance over the items outside, in units of the candidate's spread.
    """
    outside = np.setdiff1d(np.arange(said.shape[0]), group)
    if len(outside) < CANDIDATES:
        return None
    keep = np.ones(said.shape[1])
    keep[hidden] = 0.0
    left = _unit(csr_array((said.data * keep[said.indices], said.indices, said.indptr), shape=said.shape))
    profile = (left[group] @ left[outside].T).toarray()
    profile = profile - profile.mean(axis=0)
    near = (asked[outside] @ asked[group].T).toarray()
    near = near - near.mean(axis=0)
    spread = np.sqrt((near**2).sum(axis=0))
    return np.asarray(profile @ (near / np.where(spread > 0, spread, 1.0)), dtype=np.float64)


def _idf(docs: Sequence[Sequence[str]], column: Mapping[str, int]) -> NDArray[np.float64]:
    """log((1 + texts) / texts with the word); 0 for words that none has."""
    held = Counter(w for doc in docs for w in set(doc))
    out = np.zeros(len(column))
    for w, n in held.items():
        out[column[w]] = np.log((1 + len(docs)) / n)
    return out


def _weighted(docs: Sequence[Sequence[str]], column: Mapping[str, int], idf: NDArray[np.float64]) -> Any:
    """Texts x words, each (1 + log count) x idf."""
    counts = [Counter(column[w] for w in doc) for doc in docs]
    indices = np.asarray([c for n in counts for c in n], dtype=np.int64)
    data = (1 + np.log(np.asarray([v for n in counts for v in n.values()], dtype=float))) * idf[indices]
    return csr_array((data, indices, np.cumsum([0, *map(len, counts)])), shape=(len(docs), len(column)))


def _unit(matrix: Any) -> Any:
    """Rows of length 1; empty rows stay empty."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = np.repeat(1 / np.where(length > 0, length, 1.0), np.diff(matrix.indptr))
    return csr_array((matrix.data * scale, matrix.indices, matrix.indptr), shape=matrix.shape)

"""How much the responses of a run say the same: compression and shared word runs, at a fixed size.

All of these grow with the number of texts and their length. They are therefore expectations over samples of a fixed
number of items with a fixed number of words each, and two runs are compared at the same size only.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from judges.schematic.words import grams
from judges.stats import Estimate, mean_estimate

PHRASE: Final = 6
"""Words of a shared phrase. Shaib et al. count runs of 4, of which ordinary English has many; 6 in a row are rarely
chance."""

GRAM: Final = 8
"""Words of the runs whose repeated share is measured."""

Texts = Mapping[str, Sequence[Sequence[str]]]
"""Item id -> the words of each of its responses (epochs), all of them long enough."""


def compression_ratio(texts: Sequence[Sequence[str]]) -> float:
    """Bytes of the texts, one a line, over their bytes after zlib at level 9.

    zlib looks back 32 KiB: 50 texts of 64 words are about 18 KB, so that every text is within sight of every other.

    Source:
        Shaib et al. (2024), Standardizing the Measurement of Text Diversity, arXiv 2403.00553.
    """
    data = "\n".join(map(" ".join, texts)).encode("utf-8", "surrogatepass")
    return len(data) / len(zlib.compress(data, 9))


def phrase_share(texts: Sequence[Sequence[str]], n: int = PHRASE) -> float:
    """Share of the texts that hold at least one run of n words in common with another text."""
    return float((_holders(_numbered(texts, n)) > 1).any(axis=1).mean())


def repeated_share(texts: Sequence[Sequence[str]], n: int = GRAM) -> float:
    """Share of the runs of n words, averaged over texts, that stand in at least one other text."""
    return float((_holders(_numbered(texts, n)) > 1).mean())


def pairwise_share(texts: Sequence[Sequence[str]], n: int = GRAM) -> float:
    """Share of the runs of n words of a text that stand in one other text, averaged over ordered pairs of texts."""
    return float(_holders(_numbered(texts, n)).mean() - 1) / (len(texts) - 1)


def copied_share(text: Sequence[str], source: Sequence[str], n: int = GRAM) -> float:
    """Share of a text's runs of n words that stand in a source."""
    known = set(grams(source, n))
    runs = grams(text, n)
    return sum(g in known for g in runs) / len(runs)


def _numbered(texts: Sequence[Sequence[str]], n: int) -> NDArray[np.int64]:
    """A number for every run of n words, equal for equal runs: texts x runs. The texts are equally long."""
    number: dict[tuple[str, ...], int] = {}
    rows = [[number.setdefault(g, len(number)) for g in grams(t, n)] for t in texts]
    return np.asarray(rows, dtype=np.int64)


def _holders(runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each run, the number of rows that it stands in."""
    rows = len(runs)
    pairs = np.unique(runs * rows + np.arange(rows)[:, None])  # a run counts once a row
    return np.asarray(np.bincount(pairs // rows)[runs], dtype=np.int64)


def redundancy_figures(texts: Texts, n: int, tokens: int, subsamples: int, seed: int, total: int) -> list[Estimate]:
    """Compression ratio, share of texts with a shared phrase, repeated and pairwise share of runs; in this order.

    Args:
        texts: Eligible items: every response has at least `tokens` words.
        n: Items of a sample.
        tokens: Words of a response that count, from its head.
        subsamples: Number of samples; an item of several epochs enters a sample with one of them.
        seed: Seed of the samples.
        total: Items of the run.

    Returns:
        Mean over the samples. The interval is that of `_sampled`. Undefined below n eligible items.
    """
    ids = sorted(texts)
    if len(ids) < n:
        reason = f"{len(ids)} of {total} items have an answer of {tokens} words after cleaning; {n} are needed"
        return [Estimate.undefined(reason, len(ids), total)] * 4
    cut = [[t[:tokens] for t in texts[i]] for i in ids]
    starts = np.cumsum([0, *map(len, cut)])
    flat = [t for item in cut for t in item]
    phrases, runs = _numbered(flat, PHRASE), _numbered(flat, GRAM)
    # The same samples for every figure, in blocks of one shuffle, so that all items weigh nearly the same.
    rng = np.random.default_rng(seed)
    samples: list[NDArray[np.int64]] = []
    while len(samples) < subsamples:
        order = rng.permutation(len(ids))
        epoch = np.floor(rng.random(len(ids)) * np.diff(starts)).astype(np.int64)
        rows = (starts[:-1] + epoch)[order]
        samples.extend(rows[k : k + n] for k in range(0, len(ids) - n + 1, n))
    values = [_of_sample([flat[r] for r in rows], phrases[rows], runs[rows]) for rows in samples[:subsamples]]
    bounds = ((0.0, math.inf), (0.0, 1.0), (0.0, 1.0), (0.0, 1.0))
    return [_sampled(v, b, n, len(ids), total) for v, b in zip(zip(*values, strict=True), bounds, strict=True)]


def _of_sample(
    texts: Sequence[Sequence[str]], phrases: NDArray[np.int64], runs: NDArray[np.int64]
) -> tuple[float, float, float, float]:
    """The four figures of one sample; the runs are numbered once for all samples."""
    holders = _holders(runs)
    return (
        compression_ratio(texts),
        float((_holders(phrases) > 1).any(axis=1).mean()),
        float((holders > 1).mean()),
        float(holders.mean() - 1) / (len(texts) - 1),
    )


def _sampled(
    values: Sequence[float], bounds: tuple[float, float], n: int, items: int, total: int, level: float = 0.95
) -> Estimate:
    """Mean over samples with an interval for the expectation over samples of n items of the population.

    The mean over all samples is a U-statistic of order n, whose variance is at most n / items times that of one
    sample (Hoeffding). The samples come from the same items without replacement, so the spread between them is
    1 - n / items of what it would be between samples of the population (Politis and Romano), which is undone here;
    what is left to chance by drawing some of the samples only is added. Items drawn with replacement would not
    do: an item that is drawn twice repeats itself.

    Where every sample is at one end of the scale there is no spread; the bound of `mean_estimate` over items is
    given.

    Source:
        Hoeffding (1948), Ann. Math. Stat. 19:293-325, theorem 5.2; Politis and Romano (1994), Ann. Stat. 22:2031-2050.
    """
    x = np.asarray(values)
    mean, count = float(x.mean()), len(values)
    if float(np.ptp(x)) <= 1e-9 * max(1.0, abs(mean)):
        if mean in bounds:
            return mean_estimate([mean] * items, bounds, total)
        why = "every sample gives the same value" if items > n else f"{items} items make one sample only"
        return Estimate(mean, None, None, items, total, "", why)
    if items == n:  # epochs alone differ between the samples: nothing is known of other items
        return Estimate(mean, None, None, items, total, "", f"{items} items make one sample only")
    scale = math.sqrt(n / (items - n) + 1 / count)
    half = float(stdtrit(count - 1, 0.5 + level / 2)) * float(x.std(ddof=1)) * scale
    method = f"subsampling of items, {count} samples of {n}"
    return Estimate(mean, max(bounds[0], mean - half), min(bounds[1], mean + half), items, total, method)

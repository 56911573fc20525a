"""A null judge that knows each response's length and nothing else.

Kept apart from `nulls`, because it alone learns from the items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from judges.agreement.intervals import Kind
from judges.agreement.weighted import Array, agreement_weights, weighted_kappa

Codes = npt.NDArray[np.int64]
"""Values of a rater as places on the scale, from 0, (items)."""
FOLDS: Final = 10
FEWER: Final = (2000, 4)
"""From so many items on, so many folds: three quarters of thousands teach as much as nine tenths of them."""
_STEPS: Final = 1000


def codes(values: Sequence[float | None], at: Sequence[int], index: Mapping[float, int]) -> Codes:
    """Places on the scale of the values of these items; those without a value are left out.

    Args:
        values: The rater's values, one an item; None where there is none.
        at: Which items.
        index: Place on the scale of each point.

    Returns:
        Array (n) of the n items that have a value, in the order of `at`.
    """
    return np.array([index[v] for i in at if (v := values[i]) is not None], dtype=np.int64)


def length_only(human: Codes, lengths: Array, k: int, kind: Kind, seed: int = 0, held_out: bool = True) -> Codes:
    """What a rater that knows only lengths gives, each item predicted from the other folds.

    In the training folds several rules are fitted and the one with the highest kappa (ordinal: quadratic) is taken.
    A rule cuts a score into steps that rise with it, as near to the person's values as steps can be, with every item
    weighing the same or every value. The scores are the length, its negative, and a parabola through log length. On a
    nominal scale the rule is the category with the highest share in the parabolas of all.

    A judge that is nothing but thresholds on length knows what the null has to learn. In simulated studies of such
    judges (50 to 400 items) its interval lay above the held-out null in 2 to 5 % on two points, but on five (100 items)
    in 1 to 81 %, depending on the coefficient; above the rule fitted to all items as well, in none on two points and in
    0 to 15 % on five. So `nulls` asks for both.

    Args:
        human: The person's values as places on the scale, (items), at least two items.
        lengths: Length of each response, (items), 0 or more.
        k: Number of declared points.
        kind: Kind of the scale.
        seed: Seed of the folds.
        held_out: Predict each item from the others; else fit one rule to all items, as kind to the null as can be.

    Returns:
        Predicted places on the scale, (items).

    Raises:
        ValueError: A length that is negative or no finite number.
    """
    if not np.isfinite(lengths).all() or (lengths < 0).any():
        raise ValueError("a length is negative or no finite number: give None where it is unknown")
    return _remembered(human.tobytes(), lengths.tobytes(), k, kind, seed, held_out)


@lru_cache(maxsize=64)
def _remembered(human_bytes: bytes, length_bytes: bytes, k: int, kind: Kind, seed: int, held_out: bool) -> Codes:
    """The predictions; a report asks for the same ones once a judge, and they know nothing of the judge."""
    human = np.frombuffer(human_bytes, dtype=np.int64)
    lengths = np.frombuffer(length_bytes, dtype=np.float64)
    if not held_out:
        return _fit_and_predict(human, np.log1p(lengths), np.log1p(lengths), k, kind)
    folds = FEWER[1] if human.size >= FEWER[0] else min(FOLDS, human.size)
    fold = np.random.default_rng(seed).permutation(human.size) % folds
    given = np.zeros(human.size, dtype=np.int64)
    for f in range(int(fold.max()) + 1):
        train, test = fold != f, fold == f
        given[test] = _fit_and_predict(human[train], np.log1p(lengths[train]), np.log1p(lengths[test]), k, kind)
    return given


def _fit_and_predict(human: Codes, x: Array, new: Array, k: int, kind: Kind) -> Codes:
    spread = float(x.std())
    design, beyond = (
        np.stack([np.ones_like(z), z, z * z], axis=1)
        for z in ((v - x.mean()) / (spread if spread > 1e-12 else 1.0) for v in (x, new))
    )
    target = np.eye(k)[human] if kind == "nominal" else human.astype(float)
    slope = np.linalg.lstsq(design, target, rcond=None)[0]
    if kind == "nominal":
        return np.asarray((beyond @ slope).argmax(axis=1), dtype=np.int64)
    weights = agreement_weights("quadratic", k)
    best, found = -np.inf, np.zeros(new.size, dtype=np.int64)
    frequency = np.bincount(human, minlength=k)[human]
    for score, at in ((x, new), (-x, -new), (design @ slope, beyond @ slope)):
        for weight in (np.ones(human.size), human.size / frequency):
            cuts, values = _steps(human, np.round(score, 12), weight, k)
            table = np.zeros((k, k))
            np.add.at(table, (human, values[np.searchsorted(cuts, np.round(score, 12))]), 1.0)
            # Undefined where the training folds hold one value, which every rule then gives.
            kappa = float(np.nan_to_num(weighted_kappa(table, weights), nan=-1.0))
            if kappa > best:
                best, found = kappa, values[np.searchsorted(cuts, np.round(at, 12))]
    return found


def _steps(human: Codes, score: Array, weight: Array, k: int) -> tuple[Array, Codes]:
    """The rising step function of a score with the least weighted absolute error.

    Dynamic programming over the distinct scores (binned to a thousand quantiles where there are more).

    Returns:
        Upper ends of the steps but the last, and the value of each step.
    """
    levels = np.unique(score)
    if levels.size > _STEPS:
        levels = np.unique(np.quantile(score, np.linspace(0, 1, _STEPS), method="higher"))
    place = np.searchsorted(levels, score)
    cost = np.zeros((levels.size, k))
    np.add.at(cost, place, weight[:, None] * np.abs(human[:, None] - np.arange(k)[None, :]))
    total = cost[0]
    back = np.zeros((levels.size, k), dtype=np.int64)
    for i in range(1, levels.size):
        # Where the cheapest way to a value no higher than each one stood.
        low = np.minimum.accumulate(total)
        back[i] = np.maximum.accumulate(np.where(total == low, np.arange(k), 0))
        total = cost[i] + low
    values = np.zeros(levels.size, dtype=np.int64)
    values[-1] = int(total.argmin())
    for i in range(levels.size - 1, 0, -1):
        values[i - 1] = back[i, values[i]]
    return np.asarray((levels[:-1] + levels[1:]) / 2), values

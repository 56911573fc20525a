"""Published figures as they were computed, for comparison only.

The PsychoSafe study put the ratings of all four criteria of a version into one list (Yes as 1, No as 0, beside 1 to 5)
and took one coefficient of it, which mixes scales: a "1" of grounding and a "Yes" are one category there. It wrote 0.0
where a correlation has no value. Nothing else in this project does either.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judges.agreement.weighted import agreement_weights, weighted_kappa

Values = Sequence[float | None]


@dataclass(frozen=True)
class Published:
    """Four figures as the published study computed them.

    Attributes:
        n: Pairs of ratings.
        agreement: Share of equal pairs; 0.0 without any.
        kappa: Cohen's kappa over all values that occur; 0.0 where it has none.
        pearson: Pearson's correlation; 0.0 where it has none.
        spearman: Spearman's correlation; 0.0 where it has none.
        zeros: Which of the four are a 0.0 that stands for "undefined".
    """

    n: int
    agreement: float
    kappa: float
    pearson: float
    spearman: float
    zeros: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """JSON-ready fields."""
        return {**vars(self), "zeros": list(self.zeros)}


def published(human: Values, judge: Values) -> Published:
    """The four figures of two lists, with the study's 0.0 for what is undefined.

    Args:
        human: The person's values; None where there is none.
        judge: The judge's values, same places.

    Raises:
        ValueError: Lists of different length.
    """
    from scipy.stats import pearsonr, spearmanr  # a second and 45 MiB, which only this figure needs

    pairs = [(x, y) for x, y in zip(human, judge, strict=True) if x is not None and y is not None]
    if len(pairs) < 2:
        equal = float(bool(pairs) and pairs[0][0] == pairs[0][1])
        return Published(len(pairs), equal, 0.0, 0.0, 0.0, ("kappa", "pearson", "spearman"))
    x, y = (np.array(side) for side in zip(*pairs, strict=True))
    values = np.unique(np.concatenate([x, y]))
    table = np.zeros((values.size, values.size))
    np.add.at(table, (np.searchsorted(values, x), np.searchsorted(values, y)), 1)
    kappa = float(weighted_kappa(table, agreement_weights("identity", values.size))) if values.size > 1 else np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a constant list has no correlation, which is what the 0.0 below stands for
        found = {"kappa": kappa, "pearson": float(pearsonr(x, y)[0]), "spearman": float(spearmanr(x, y)[0])}
    zeros = tuple(name for name, v in found.items() if np.isnan(v))
    known = {name: 0.0 if np.isnan(v) else v for name, v in found.items()}
    return Published(x.size, float((x == y).mean()), zeros=zeros, **known)


def pooled(criteria: Mapping[str, tuple[Values, Values]]) -> Published:
    """The four figures over the ratings of several criteria in one list, whatever their scales.

    Args:
        criteria: By criterion, the person's and the judge's values.
    """
    human = [v for x, _ in criteria.values() for v in x]
    judge = [v for _, y in criteria.values() for v in y]
    return published(human, judge)

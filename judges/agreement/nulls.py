"""Null judges: what a coefficient is worth beside raters that read nothing.

Three of them and, over several conditions, a fourth, each on the very items that the judge rated:

- `constant` gives one value throughout: the person's most frequent one, or, where a coefficient credits near misses,
  the one that does best by it. A judge that always says Yes is such a null, and so never beats it.
- `random` draws from the person's own shares without looking: its table is the expected one, and its coefficients are
  those of that table.
- `condition`, where items of several conditions stand together, knows the condition and nothing else: the person's most
  frequent value under each. A judge that merely likes one system better agrees with people no more than that.
- `length` knows each response's length and nothing else, and is fitted by cross-validation on the same items
  (`length_null`). The interval takes its predictions as given, though another sample would have taught it otherwise;
  to beat it, a judge must therefore also beat the same rule fitted to all the items.

A judge beats a null where the interval of the paired difference lies above 0. Each interval stands for itself: they are
not corrected for being many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from judges.agreement.intervals import FEW, Coefficient, Kind, coefficients, difference, posterior
from judges.agreement.length_null import Codes, length_only
from judges.agreement.weighted import Array
from judges.stats import Estimate

Null = Literal["constant", "random", "length", "condition"]


@dataclass(frozen=True)
class NullComparison:
    """One coefficient of the judge beside that of a null judge.

    Attributes:
        null: Which null judge.
        coefficient: Name of the coefficient.
        judge: The judge's value on the items compared; None where undefined.
        value: The null's value; None where undefined.
        difference: How much better the judge is: judge - null, for distances null - judge.
        beats: Whether the interval lies above 0; None where that cannot be told, and `reason` says why.
        reason: Why it cannot be told, or why it does not although the interval lies above 0.
    """

    null: Null
    coefficient: str
    judge: float | None
    value: float | None
    difference: Estimate
    beats: bool | None
    reason: str = ""

    def as_dict(self) -> dict[str, object]:
        """JSON-ready fields."""
        return {**vars(self), "difference": self.difference.as_dict()}


def compare_nulls(
    human: Codes,
    judge: Codes,
    points: Sequence[float],
    kind: Kind,
    lengths: Sequence[float | None] | None = None,
    seed: int = 0,
    level: float = 0.95,
    conditions: Sequence[str] | None = None,
    predicted: tuple[Codes, Codes] | None = None,
) -> tuple[NullComparison, ...]:
    """Every rating coefficient of the judge beside the three null judges.

    Args:
        human: The person's values as places in `points`, (items), of the items rated by both.
        judge: The judge's, (items), the same ones.
        points: The declared scale.
        kind: Its kind.
        lengths: Length of each response, in any unit; None where unknown. Items without are left out of `length`.
        seed: Seed of the draws and folds.
        level: Probability of the intervals.
        conditions: Condition of each item, where they have several.
        predicted: What `length_only` gives for these items, (items) each, held out and fitted, where it was asked on
            all that the person rated; it is asked on these items if not given.

    Raises:
        ValueError: Another number of lengths or conditions than of items, or a length that is negative or no finite
            number.
    """
    rated = [c for c in coefficients(points, kind) if c.better != "neither"]
    n, k = human.size, len(points)
    table = _count(k, human, judge)
    drawn, method = posterior(table, seed)
    shares, tables = table.sum(axis=1), drawn.sum(axis=-1)
    values = {c.name: c.batch(drawn) for c in rated}
    made = []
    for c in rated:
        at = _best_constant(c, shares)
        null = _constant(shares, at), c.batch(_constant(tables, at))
        made.append(_compare("constant", c, (table, values[c.name]), null, n, method, level))
    expected = _random(tables)
    for c in rated:
        null = _random(shares), c.batch(expected)
        made.append(_compare("random", c, (table, values[c.name]), null, n, method, level))
    if conditions is not None and len(set(conditions)) > 1:
        if len(conditions) != n:
            raise ValueError(f"{len(conditions)} conditions for {n} items: give one an item")
        made += _paired("condition", rated, human, judge, _by_condition(human, conditions, k), k, n, seed, level)
    if lengths is None:
        return (*made, *(_not_compared(c, table, "not estimable: give the lengths of the responses") for c in rated))
    if len(lengths) != n:
        raise ValueError(f"{len(lengths)} lengths for {n} items: give one an item, None where it is unknown")
    known = np.array([x is not None for x in lengths], dtype=bool)
    sizes = np.array([x for x in lengths if x is not None], dtype=float)
    if sizes.size < FEW:
        reason = f"not estimable: {sizes.size} items have both ratings and a length; at least {FEW} are needed"
        return (*made, *(_not_compared(c, table, reason) for c in rated))
    human, judge = human[known], judge[known]
    given = (
        [length_only(human, sizes, k, kind, seed, held) for held in (True, False)]
        if predicted is None
        else [p[known] for p in predicted]
    )
    held_out, fitted = (_paired("length", rated, human, judge, p, k, n, seed, level) for p in given)
    for out, kind_to_null in zip(held_out, fitted, strict=True):
        if out.beats and not kind_to_null.beats:
            out = replace(out, beats=False, reason="not better than a rule on length that is fitted to all these items")
        made.append(out)
    return tuple(made)


def _by_condition(human: Codes, conditions: Sequence[str], k: int) -> Codes:
    """The person's most frequent value under the condition of each item."""
    given = np.zeros(human.size, dtype=np.int64)
    for name in dict.fromkeys(conditions):
        here = np.array([c == name for c in conditions], dtype=bool)
        given[here] = np.bincount(human[here], minlength=k).argmax()
    return given


def _paired(
    null: Null,
    rated: Sequence[Coefficient],
    human: Codes,
    judge: Codes,
    given: Codes,
    k: int,
    total: int,
    seed: int,
    level: float,
) -> list[NullComparison]:
    """The judge beside a null's ratings, paired through the joint counts of person, judge and null."""
    joint = _count(k, human, judge, given)
    drawn, method = posterior(joint, seed)
    tables, pairs = (joint.sum(axis=2), joint.sum(axis=1)), (drawn.sum(axis=3), drawn.sum(axis=2))
    made = []
    for c in rated:
        rater, other = (tables[0], c.batch(pairs[0])), (tables[1], c.batch(pairs[1]))
        made.append(_compare(null, c, rater, other, total, method, level))
    return made


def _compare(
    null: Null,
    c: Coefficient,
    rater: tuple[Array, Array],
    other: tuple[Array, Array],
    total: int,
    method: str,
    level: float,
) -> NullComparison:
    """The judge beside one null: of each the table of counts, and the coefficient's draws."""
    n = int(rater[0].sum())
    judge, value = c.point(rater[0]), c.point(other[0])
    sign = -1.0 if c.better == "lower" else 1.0
    reason = c.undefined_on(rater[0])
    if not reason and value is None:
        reason = f"undefined for the null judge: {c.undefined_on(other[0]).removeprefix('undefined: ')}"
    if judge is None or value is None:
        return NullComparison(null, c.name, judge, value, Estimate.undefined(reason, n, total), None, reason)
    value = 0.0 if abs(value) < 1e-12 else value  # an expected table's 0 comes out as -1e-17
    gap = difference(sign * (judge - value), sign * (rater[1] - other[1]), n, total, method, "", level)
    if n < FEW or gap.low is None:
        return NullComparison(null, c.name, judge, value, gap, None, gap.reason)
    return NullComparison(null, c.name, judge, value, gap, gap.low > 0)


def _not_compared(c: Coefficient, table: Array, reason: str) -> NullComparison:
    n = int(table.sum())
    return NullComparison("length", c.name, c.point(table), None, Estimate.undefined(reason, 0, n), None, reason)


def _best_constant(c: Coefficient, shares: Array) -> int:
    """The constant that does best by a coefficient on these shares; the most frequent value where none does better."""
    most = int(shares.argmax())
    best, found = most, c.point(_constant(shares, most))
    for at in range(shares.size):
        value = c.point(_constant(shares, at))
        if found is not None and value is not None and (value < found if c.better == "lower" else value > found):
            best, found = at, value
    return best


def _constant(shares: Array, at: int) -> Array:
    """Tables (..., k, k) of a rater that always gives one value, from the person's shares (..., k)."""
    tables = np.zeros((*shares.shape, shares.shape[-1]))
    tables[..., at] = shares
    return tables


def _random(shares: Array) -> Array:
    """Expected tables of a rater that draws from the person's shares."""
    n = np.maximum(shares.sum(axis=-1), 1e-300)
    return np.asarray(shares[..., :, None] * shares[..., None, :] / n[..., None, None])


def _count(k: int, *codes: Codes) -> Array:
    """Joint counts, an axis a rater."""
    table = np.zeros((k,) * len(codes))
    np.add.at(table, codes, 1.0)
    return table

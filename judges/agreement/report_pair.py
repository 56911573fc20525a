"""All that one criterion says of one judge and one person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judges.agreement import binary
from judges.agreement.intervals import (
    FEW,
    Kind,
    coefficients,
    estimate,
    posterior,
)
from judges.agreement.length_null import Codes, codes, length_only
from judges.agreement.nulls import NullComparison, compare_nulls
from judges.agreement.pairwise import confusion, exact_agreement, within_one
from judges.stats import Estimate

Values = Sequence[float | None]
OF_ORDER = (
    "within_one",
    "linear_kappa",
    "quadratic_kappa",
    "ac2_linear",
    "ac2_quadratic",
    "ac2_ordinal",
    "pearson",
    "spearman",
    "kendall",
    "mae",
    "bias",
)
OF_TWO = (
    "prevalence_index",
    "bias_index",
    "positive_agreement",
    "negative_agreement",
    "sensitivity",
    "specificity",
)


@dataclass(frozen=True)
class PairReport:
    """Agreement of a judge with a person on one criterion.

    Attributes:
        kind: Kind of the scale.
        scale: Its declared points, in order.
        n: Items that both rated.
        total: Items that both should have rated.
        missing: By rater (`human`, `judge`), the number of items without a value by status.
        table: Counts: rows the person's values, columns the judge's.
        marginals: By rater, the counts of each point on the items that both rated.
        estimates: Every figure by name; those that the scale does not allow say so.
        nulls: The judge beside the null judges.
    """

    kind: Kind
    scale: tuple[float, ...]
    n: int
    total: int
    missing: Mapping[str, Mapping[str, int]]
    table: tuple[tuple[int, ...], ...]
    marginals: Mapping[str, tuple[int, ...]]
    estimates: Mapping[str, Estimate]
    nulls: tuple[NullComparison, ...]

    def beats_nulls(self, coefficient: str) -> bool | None:
        """Whether the judge beats every null judge that has this coefficient; None where no comparison can be made.

        A constant null has no correlation, and without lengths there is no `length` null: these are not counted.
        """
        told = [c.beats for c in self.nulls if c.coefficient == coefficient and c.beats is not None]
        return all(told) if told else None

    def as_dict(self) -> dict[str, object]:
        """JSON-ready fields."""
        return {
            "kind": self.kind,
            "scale": list(self.scale),
            "n": self.n,
            "total": self.total,
            "missing": {rater: dict(counts) for rater, counts in self.missing.items()},
            "table": [list(row) for row in self.table],
            "marginals": {rater: list(counts) for rater, counts in self.marginals.items()},
            "estimates": {name: e.as_dict() for name, e in self.estimates.items()},
            "nulls": [c.as_dict() for c in self.nulls],
            "beats_nulls": {c.coefficient: self.beats_nulls(c.coefficient) for c in self.nulls},
        }


def pair_report(
    human: Values,
    judge: Values,
    scale: Sequence[float],
    kind: Kind,
    *,
    lengths: Sequence[float | None] | None = None,
    statuses: tuple[Sequence[str], Sequence[str]] | None = None,
    conditions: Sequence[str] | None = None,
    nulls: bool = True,
    seed: int = 0,
    level: float = 0.95,
) -> PairReport:
    """Every pairwise figure of one criterion.

    Args:
        human: The person's values, one an item; None where there is none.
        judge: The judge's values, same items.
        scale: The declared points, ascending; on a nominal scale the categories' indices.
        kind: `binary` (No first, then Yes), `ordinal` or `nominal`.
        lengths: Length of each response, for the null judge that knows nothing else.
        statuses: The person's and the judge's status for each item, which name the causes of missing values.
        conditions: Condition of each item, where items of several conditions stand together: for the null judge that
            knows nothing else.
        nulls: Compare with null judges. Two judges that agree say nothing of either, so between judges there are none.
        seed: Seed of the draws.
        level: Level of the intervals.

    Raises:
        ValueError: Another number of items, a value off the scale, or a scale that does not fit its kind.

    Example:
        >>> report = pair_report([1.0] * 48 + [0.0] * 2, [1.0] * 50, (0.0, 1.0), "binary")
        >>> report.estimates["agreement"].value, report.estimates["kappa"].value
        (0.96, 0.0)
    """
    known = coefficients(scale, kind)
    table = confusion(human, judge, scale)
    total, n = len(human), int(table.sum())
    drawn = posterior(table, seed)
    estimates = {c.name: estimate(c, table, drawn, total, level) for c in known}
    estimates["agreement"] = exact_agreement(table, total, level)
    if "within_one" in estimates:
        estimates["within_one"] = within_one(table, total, level)
    if kind == "binary":
        estimates["sensitivity"] = binary.sensitivity(table, level)
        estimates["specificity"] = binary.specificity(table, level)
    for names, lack in ((OF_ORDER, "a nominal scale has no order"), (OF_TWO, f"a scale of kind {kind} has no Yes")):
        for name in names:
            if name not in estimates:
                why = "on two points it is always 1" if name == "within_one" and len(scale) == 2 else lack
                estimates[name] = Estimate.undefined(f"undefined: {why}", n, total)
    both = [i for i, (x, y) in enumerate(zip(human, judge, strict=True)) if x is not None and y is not None]
    for what, given in (("lengths", lengths), ("conditions", conditions)):
        if given is not None and len(given) != total:
            raise ValueError(f"{len(given)} {what} for {total} items: give one an item, None where it is unknown")
    index = {v: i for i, v in enumerate(scale)}
    return PairReport(
        kind=kind,
        scale=tuple(scale),
        n=n,
        total=total,
        missing=_missing(human, judge, statuses),
        table=tuple(tuple(int(c) for c in row) for row in table),
        marginals={
            "human": tuple(int(c) for c in table.sum(axis=1)),
            "judge": tuple(int(c) for c in table.sum(axis=0)),
        },
        estimates=estimates,
        nulls=compare_nulls(
            codes(human, both, index),
            codes(judge, both, index),
            scale,
            kind,
            None if lengths is None else [lengths[i] for i in both],
            seed,
            level,
            None if conditions is None else [conditions[i] for i in both],
            _by_length(human, lengths, both, index, kind, seed),
        )
        if nulls
        else (),
    )


def _by_length(
    human: Values,
    lengths: Sequence[float | None] | None,
    both: Sequence[int],
    index: Mapping[float, int],
    kind: Kind,
    seed: int,
) -> tuple[Codes, Codes] | None:
    """The ratings by length of the items that both rated, learnt from all that the person rated, held out and fitted.

    So it is the same null for every judge, and learnt once.
    """
    if lengths is None:
        return None
    known = [i for i, v in enumerate(human) if v is not None and lengths[i] is not None]
    if len(known) < FEW:
        return None
    sizes = np.array([lengths[i] for i in known], dtype=float)
    own, place = codes(human, known, index), {i: at for at, i in enumerate(known)}
    kept = np.array([place.get(i, -1) for i in both], dtype=np.int64)
    held_out, fitted = (
        np.append(length_only(own, sizes, len(index), kind, seed, held), 0)[kept] for held in (True, False)
    )
    return held_out, fitted


def _missing(
    human: Values, judge: Values, statuses: tuple[Sequence[str], Sequence[str]] | None
) -> dict[str, dict[str, int]]:
    """By rater, items without a value by status; `unstated` where the status names no cause."""
    counts = {}
    for at, (rater, values) in enumerate((("human", human), ("judge", judge))):
        given = ["ok"] * len(values) if statuses is None else statuses[at]
        if len(given) != len(values):
            raise ValueError(f"{len(given)} statuses for {len(values)} items of the {rater}: give one an item")
        causes = Counter("unstated" if s in {"ok", ""} else s for v, s in zip(values, given, strict=True) if v is None)
        counts[rater] = dict(sorted(causes.items()))
    return counts

"""All that one criterion says of one judge and one person, and of two judges against the same person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judges.agreement import binary
from judges.agreement.intervals import (
    FEW,
    Coefficient,
    Kind,
    coefficients,
    difference,
    estimate,
    posterior,
)
from judges.agreement.length_null import Codes
from judges.agreement.nulls import NullComparison, compare_nulls
from judges.agreement.pairwise import confusion, exact_agreement, within_one
from judges.agreement.weighted import Array
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


@dataclass(frozen=True)
class JudgeComparison:
    """Two judges against the same person on the items that all three rated.

    Attributes:
        n: Those items.
        total: Items that all three should have rated.
        first: The first judge's coefficients on them; None where undefined.
        second: The second judge's.
        differences: Second - first with a paired interval, by coefficient.
        only_first: Items that only the first judge gets right.
        only_second: Items that only the second judge gets right.
        mcnemar: Mid-p of McNemar's exact test; None where there is none.
        reason: Why there is none.
    """

    n: int
    total: int
    first: Mapping[str, float | None]
    second: Mapping[str, float | None]
    differences: Mapping[str, Estimate]
    only_first: int
    only_second: int
    mcnemar: float | None
    reason: str = ""

    def as_dict(self) -> dict[str, object]:
        """JSON-ready fields."""
        return {
            **vars(self),
            "first": dict(self.first),
            "second": dict(self.second),
            "differences": {name: e.as_dict() for name, e in self.differences.items()},
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
            _codes(human, both, index),
            _codes(judge, both, index),
            scale,
            kind,
            None if lengths is None else [lengths[i] for i in both],
            seed,
            level,
            None if conditions is None else [conditions[i] for i in both],
        )
        if nulls
        else (),
    )


def compare_judges(
    human: Values,
    first: Values,
    second: Values,
    scale: Sequence[float],
    kind: Kind,
    *,
    seed: int = 0,
    level: float = 0.95,
) -> JudgeComparison:
    """Which of two judges is nearer to the person: paired differences, and McNemar's test on a binary scale.

    The intervals come from a joint Dirichlet posterior over the cells of (person, first, second), so that both judges'
    coefficients move together. Neither they nor the test are corrected for other comparisons.

    Args:
        human: The person's values, one an item; None where there is none.
        first: The first judge's values, same items.
        second: The second judge's values, same items.
        scale: The declared points.
        kind: Kind of the scale.
        seed: Seed of the draws.
        level: Probability of the intervals.

    Raises:
        ValueError: As `pair_report`.
    """
    known = [c for c in coefficients(scale, kind) if not c.name.endswith("_index")]
    confusion(human, first, scale)
    confusion(human, second, scale)  # both for their checks: one-line errors on lengths and values off the scale
    confusion(first, second, scale)
    total, k = len(human), len(scale)
    index = {v: i for i, v in enumerate(scale)}
    rated = [i for i in range(total) if human[i] is not None and first[i] is not None and second[i] is not None]
    codes = [_codes(values, rated, index) for values in (human, first, second)]
    joint = np.zeros((k, k, k))
    np.add.at(joint, tuple(codes), 1.0)
    tables = joint.sum(axis=2), joint.sum(axis=1)
    drawn, method = posterior(joint, seed)
    pairs = drawn.sum(axis=3), drawn.sum(axis=2)
    right = codes[1] == codes[0], codes[2] == codes[0]
    only_first, only_second = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    p, reason = None, "undefined: McNemar's test is for a binary scale"
    if kind == "binary":
        p = binary.mcnemar_mid_p(only_first, only_second)
        reason = "" if p is not None else "undefined: no item that only one of the judges gets right"
    return JudgeComparison(
        n=len(rated),
        total=total,
        first={c.name: c.point(tables[0]) for c in known},
        second={c.name: c.point(tables[1]) for c in known},
        differences={c.name: _difference(c, tables, pairs, total, method, level) for c in known},
        only_first=only_first,
        only_second=only_second,
        mcnemar=p,
        reason=reason,
    )


def _difference(
    c: Coefficient, tables: tuple[Array, Array], pairs: tuple[Array, Array], total: int, method: str, level: float
) -> Estimate:
    n, points = int(tables[0].sum()), [c.point(t) for t in tables]
    if n == 0:
        return Estimate.undefined(f"not estimable: no item that all three rated; at least {FEW} are needed", 0, total)
    reasons = [
        f"{who}: {why}" for who, t in zip(("first", "second"), tables, strict=True) if (why := c.undefined_on(t))
    ]
    point = None if points[0] is None or points[1] is None else points[1] - points[0]
    return difference(point, c.batch(pairs[1]) - c.batch(pairs[0]), n, total, method, "; ".join(reasons), level)


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


def _codes(values: Values, at: Sequence[int], index: Mapping[float, int]) -> Codes:
    """Places on the scale of the values of these items."""
    return np.array([index[v] for i in at if (v := values[i]) is not None], dtype=np.int64)

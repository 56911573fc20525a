"""Two judges against the same person: which is nearer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judges.agreement import binary
from judges.agreement.intervals import FEW, Coefficient, Kind, coefficients, difference, posterior
from judges.agreement.length_null import codes
from judges.agreement.pairwise import confusion
from judges.agreement.weighted import Array
from judges.stats import Estimate

Values = Sequence[float | None]


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
    places = [codes(values, rated, index) for values in (human, first, second)]
    joint = np.zeros((k, k, k))
    np.add.at(joint, tuple(places), 1.0)
    tables = joint.sum(axis=2), joint.sum(axis=1)
    drawn, method = posterior(joint, seed)
    pairs = drawn.sum(axis=3), drawn.sum(axis=2)
    right = places[1] == places[0], places[2] == places[0]
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

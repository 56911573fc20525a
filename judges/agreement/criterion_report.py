"""All that can be said of one criterion when people and judges have rated the same responses.

Pure: arrays in, figures out. Where the ratings come from is the business of the floors above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final, Literal

import numpy as np

from judges.agreement.alpha import alpha_estimate
from judges.agreement.alpha_resample import Level
from judges.agreement.alt_test import AltTest, alt_test
from judges.agreement.ceiling import Ceiling, human_ceiling
from judges.agreement.criterion import CriterionReport, Pair, RaterValues
from judges.agreement.icc import icc_estimate
from judges.agreement.intervals import Kind
from judges.agreement.panel import Combine, leave_one_out, panel_errors
from judges.agreement.repeats import intra_rater
from judges.agreement.report_pair import pair_report
from judges.agreement.two_judges import JudgeComparison, compare_judges
from judges.stats import Estimate

Rows = Sequence[Sequence[float | None]]
LEVELS: Final[Mapping[Kind, Level]] = {"binary": "nominal", "ordinal": "ordinal", "nominal": "nominal"}
"""Level of measurement of Krippendorff's alpha, by kind of scale."""
RULES: Final[Mapping[Kind, Combine]] = {"binary": "majority", "ordinal": "median", "nominal": "majority"}


def criterion_report(
    raters: Sequence[RaterValues],
    scale: Sequence[float],
    kind: Kind,
    *,
    lengths: Sequence[float | None] | None = None,
    sources: Sequence[str] | None = None,
    conditions: Sequence[str] | None = None,
    compare: bool = True,
    margin: float = 0.1,
    epsilon: float = 0.2,
    seed: int = 0,
    level: float = 0.95,
) -> CriterionReport:
    """Every figure of agreement on one criterion.

    Args:
        raters: The people, the judges and, if there is one, the panel; each with one value a response.
        scale: The declared points.
        kind: `binary`, `ordinal` or `nominal`.
        lengths: Length of each response, for the null judge that knows nothing else.
        sources: The item that each response answers, where several answer one: alpha's interval is then clustered.
        conditions: Condition of each response, where they have several.
        compare: Compare every two judges against each person.
        margin: Margin of non-inferiority of a judge to people, in units of alpha.
        epsilon: Allowance of the alternative annotator test.
        seed: Seed of all draws.
        level: Level of the intervals.

    Raises:
        ValueError: Raters with different numbers of responses, two of one name, or a value off the scale.
    """
    names = [r.name for r in raters]
    if len(set(names)) < len(names):
        raise ValueError("two raters have one name: rename one before they are compared")
    n = len(raters[0].values) if raters else 0
    shared = sources is not None and len(set(sources)) < len(sources)
    ask = _Question(
        n,
        tuple(map(float, scale)),
        kind,
        lengths,
        sources if shared else None,
        conditions,
        seed,
        level,
        margin,
        epsilon,
    )
    people, judges = ([r for r in raters if r.role == role] for role in ("person", "judge"))
    panel = [r for r in raters if r.role == "panel"]
    with_people = [(p, j) for p in people for j in (*judges, *panel)]
    pairs = (*with_people, *combinations(people, 2), *combinations(judges, 2))
    votes, gold = [j.values for j in judges], combined_people([p.values for p in people], kind, n)
    points = sorted({*ask.scale, *(v for v in gold if v is not None)})
    panels = bool(people) and len(judges) >= 2
    measured, rule = LEVELS[kind], RULES[kind]
    left_out = leave_one_out(votes, gold, points, measured, rule, seed=seed, confidence=level) if panels else ()
    return CriterionReport(
        responses=n,
        people=tuple(p.name for p in people),
        judges=tuple(j.name for j in judges),
        pairs=tuple(ask.pair(a, b) for a, b in pairs),
        alphas={"people": ask.alpha(people), "judges": ask.alpha(judges), "both": ask.alpha([*people, *judges])},
        icc={
            name: ask.icc([r.values for r in group], ("A,1", "C,1", "A,k"))
            for name, group in (("people", people), ("judges", judges))
            if len(group) >= 2
        },
        errors=panel_errors(votes, gold, points, measured, seed=seed, confidence=level) if panels else None,
        left_out={j.name: e for j, e in zip(judges, left_out, strict=False)},
        comparisons={
            (p.name, a.name, b.name): ask.compare(p, a, b)
            for p in people
            for a, b in (combinations(judges, 2) if compare else ())
        },
        alt_tests={j.name: ask.alt_test(j, people) for j in judges if people},
        ceilings={j.name: ask.ceiling(j, people) for j in judges if people},
        repeats={
            r.name: intra_rater([r.values, *r.repeats], ask.scale, measured, seed=seed, confidence=level)
            for r in (*people, *judges)
            if r.repeats
        },
    )


def combined_people(people: Rows, kind: Kind, n: int | None = None) -> tuple[float | None, ...]:
    """The people's combined value of each response: strict majority, on an ordinal scale the median, of those given.

    There is no quorum, unlike in a panel: in most designs each response is rated by some of the people only.

    Args:
        people: One row a person; None where there is no value.
        kind: Kind of the scale.
        n: Number of responses, where there may be no people.
    """
    if not people:
        return (None,) * (n or 0)
    rows = np.array([[np.nan if v is None else v for v in p] for p in people], dtype=float)
    given = (~np.isnan(rows)).sum(axis=0)
    values = np.full(rows.shape[1], np.nan)
    if RULES[kind] == "median":
        values[given > 0] = np.nanmedian(rows[:, given > 0], axis=0)
    else:
        for v in np.unique(rows[~np.isnan(rows)]):
            values[2 * (rows == v).sum(axis=0) > given] = v
    return tuple(None if np.isnan(v) else float(v) for v in values)


@dataclass(frozen=True)
class _Question:
    """What stays the same through one report."""

    n: int
    scale: tuple[float, ...]
    kind: Kind
    lengths: Sequence[float | None] | None
    clusters: Sequence[str] | None
    conditions: Sequence[str] | None
    seed: int
    level: float
    margin: float
    epsilon: float

    def alpha(self, group: Sequence[RaterValues]) -> Estimate:
        if len(group) < 2:
            return Estimate.undefined("fewer than two such raters", 0, self.n)
        return alpha_estimate(
            [r.values for r in group],
            _points(self.scale, self.kind, group),
            LEVELS[self.kind],
            self.clusters,
            seed=self.seed,
            confidence=self.level,
        )

    def icc(self, rows: Rows, forms: Sequence[Literal["A,1", "C,1", "A,k"]]) -> dict[str, Estimate]:
        return {f: icc_estimate(rows, f, self.level) for f in forms} if self.kind == "ordinal" else {}

    def pair(self, first: RaterValues, second: RaterValues) -> Pair:
        at = self._asked(first, second)
        one, two = (tuple(r.values[i] for i in at) for r in (first, second))
        report = pair_report(
            one,
            two,
            _points(self.scale, self.kind, (first, second)),
            self.kind,
            lengths=None if self.lengths is None else [self.lengths[i] for i in at],
            statuses=(_statuses(first, at), _statuses(second, at)),
            conditions=None if self.conditions is None else [self.conditions[i] for i in at],
            nulls=first.role == "person",
            seed=self.seed,
            level=self.level,
        )
        roles = (first.role, second.role)
        pair_icc = self.icc([one, two], ("A,1", "C,1"))
        return Pair(first.name, second.name, roles, report, self.alpha((first, second)), pair_icc)

    def compare(self, person: RaterValues, a: RaterValues, b: RaterValues) -> JudgeComparison:
        at = self._asked(person, a, b)
        gold, one, two = (tuple(r.values[i] for i in at) for r in (person, a, b))
        return compare_judges(gold, one, two, self.scale, self.kind, seed=self.seed, level=self.level)

    def alt_test(self, judge: RaterValues, people: Sequence[RaterValues]) -> AltTest:
        align: Literal["match", "distance"] = "distance" if self.kind == "ordinal" else "match"
        rows = [p.values for p in people]
        return alt_test(judge.values, rows, self.scale, align, self.epsilon, seed=self.seed)

    def ceiling(self, judge: RaterValues, people: Sequence[RaterValues]) -> Ceiling:
        rows, measured = [p.values for p in people], LEVELS[self.kind]
        return human_ceiling(
            judge.values, rows, self.scale, measured, self.margin, seed=self.seed, confidence=self.level
        )

    def _asked(self, *raters: RaterValues) -> list[int]:
        """Responses that all of them were to rate."""
        asked = np.ones(self.n, dtype=bool)
        for r in raters:
            asked &= np.asarray(r.asked or (True,), dtype=bool)
        return [int(i) for i in np.flatnonzero(asked)]


def _points(scale: Sequence[float], kind: Kind, raters: Sequence[RaterValues]) -> tuple[float, ...]:
    """The declared points, and those half-way between them where a panel's median needs them."""
    given = {v for r in raters if r.role == "panel" for v in r.values if v is not None}
    if kind != "ordinal" or given <= set(scale):
        return tuple(scale)
    return tuple(sorted({*scale, *((a + b) / 2 for a, b in pairwise(scale)), *given}))


def _statuses(rater: RaterValues, at: Sequence[int]) -> tuple[str, ...]:
    return tuple(rater.statuses[i] if rater.statuses else "" for i in at)

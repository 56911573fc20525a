"""What is said of one criterion that people and judges have rated: the records that `criterion_report` fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from judges.agreement.alpha_resample import Level
from judges.agreement.alt_test import AltTest
from judges.agreement.ceiling import Ceiling
from judges.agreement.intervals import Kind
from judges.agreement.panel import Combine, PanelErrors
from judges.agreement.repeats import Repeats
from judges.agreement.report_pair import PairReport
from judges.agreement.two_judges import JudgeComparison
from judges.stats import Estimate

Role = Literal["person", "judge", "panel"]
LEVELS: Final[Mapping[Kind, Level]] = {"binary": "nominal", "ordinal": "ordinal", "nominal": "nominal"}
"""Level of measurement of Krippendorff's alpha, by kind of scale."""
RULES: Final[Mapping[Kind, Combine]] = {"binary": "majority", "ordinal": "median", "nominal": "majority"}


@dataclass(frozen=True)
class RaterValues:
    """One rater's values on the responses of a report.

    Attributes:
        name: The rater.
        role: Whether a person, a judge, or the panel of the judges.
        values: One a response; None where there is none.
        statuses: Why, one a response; empty where no status is stated.
        asked: Whether the rater was to rate the response; all of them if empty.
        repeats: Values of further rounds on the same responses.
    """

    name: str
    role: Role
    values: tuple[float | None, ...]
    statuses: tuple[str, ...] = ()
    asked: tuple[bool, ...] = ()
    repeats: tuple[tuple[float | None, ...], ...] = ()


@dataclass(frozen=True)
class Pair:
    """Two raters on one criterion.

    Attributes:
        first: The reference: the person, where there is one.
        second: The other rater.
        roles: Their roles.
        report: Every pairwise figure.
        alpha: Krippendorff's alpha of the two.
        icc: ICC(A,1) and ICC(C,1) of the two, on an ordinal scale.
    """

    first: str
    second: str
    roles: tuple[Role, Role]
    report: PairReport
    alpha: Estimate
    icc: Mapping[str, Estimate]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "first": self.first,
            "second": self.second,
            "roles": list(self.roles),
            "alpha": self.alpha.as_dict(),
            "icc": {name: e.as_dict() for name, e in self.icc.items()},
            **self.report.as_dict(),
        }


@dataclass(frozen=True)
class CriterionReport:
    """One criterion on one set of responses.

    Attributes:
        responses: Number of responses.
        people: Names of the people.
        judges: Names of the judges.
        pairs: Every pair with a person in it, and every pair of judges.
        alphas: Krippendorff's alpha of all people, of all judges, and of both together.
        icc: By group (`people`, `judges`), the three forms of ICC on an ordinal scale.
        errors: How far the judges err together, against the people's combined value; None with fewer than two judges.
        left_out: By judge, what the panel's agreement with the people gains without this judge.
        comparisons: By person and pair of judges, which judge is nearer.
        alt_tests: By judge, the alternative annotator test.
        ceilings: By judge, agreement with people beside people's with each other.
        repeats: By rater that rated more than once, agreement with itself.
    """

    responses: int
    people: tuple[str, ...]
    judges: tuple[str, ...]
    pairs: tuple[Pair, ...]
    alphas: Mapping[str, Estimate]
    icc: Mapping[str, Mapping[str, Estimate]]
    errors: PanelErrors | None
    left_out: Mapping[str, Estimate]
    comparisons: Mapping[tuple[str, str, str], JudgeComparison]
    alt_tests: Mapping[str, AltTest]
    ceilings: Mapping[str, Ceiling]
    repeats: Mapping[str, Repeats] = field(default_factory=dict)

    def pair(self, first: str, second: str) -> Pair | None:
        """The pair of two raters, in either order."""
        return next((p for p in self.pairs if {p.first, p.second} == {first, second}), None)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "responses": self.responses,
            "people": list(self.people),
            "judges": list(self.judges),
            "pairs": [p.as_dict() for p in self.pairs],
            "alphas": {name: e.as_dict() for name, e in self.alphas.items()},
            "icc": {group: {form: e.as_dict() for form, e in forms.items()} for group, forms in self.icc.items()},
            "panel_errors": None if self.errors is None else self.errors.as_dict(),
            "left_out": {name: e.as_dict() for name, e in self.left_out.items()},
            "comparisons": [
                {"person": person, "judges": [a, b], **c.as_dict()} for (person, a, b), c in self.comparisons.items()
            ],
            "alt_tests": {name: _alt_data(t) for name, t in self.alt_tests.items()},
            "ceilings": {name: c.as_dict() for name, c in self.ceilings.items()},
            "repeats": {name: r.as_dict() for name, r in self.repeats.items()},
        }


def _alt_data(test: AltTest) -> dict[str, Any]:
    def side(result: Any) -> dict[str, Any] | None:
        return None if result is None else {**vars(result), "advantage": result.advantage.as_dict()}

    return {**vars(test), "judge": side(test.judge), "null": side(test.null)}

"""The gold ladder: answers written to stand at one point of one criterion, and how far a judge finds it.

Twenty answers a domain, one for each point of each criterion. They were written by somebody who had read the rubric and
no judge's code; nobody has rated them since, so a miss can be the author's as well as the judge's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from judges.agreement import confusion
from judges.stats import Estimate, proportion_estimate
from judges.verdict import Verdict
from rubrics.errors import MendableError
from rubrics.model import Criterion, Rubric

GOLD: Final = Path(__file__).with_name("validation") / "gold_ladder.jsonl"


class GoldError(MendableError):
    """A file of gold answers that cannot be used; the message says where and what to do."""


@dataclass(frozen=True)
class GoldCase:
    """One answer whose ratings are intended.

    Attributes:
        id: Its id.
        domain: Risk domain; a ladder is one criterion within one domain.
        criterion: The criterion that it was written for.
        request: The message.
        response: The answer.
        intended: Value by criterion id, on the criterion's scale (nominal: index of the category).
    """

    id: str
    domain: str
    criterion: str
    request: str
    response: str
    intended: Mapping[str, float]

    @property
    def point(self) -> float:
        """The value that the judge should find."""
        return self.intended[self.criterion]


@dataclass(frozen=True)
class Ladder:
    """How far one judge finds the points of one criterion.

    Attributes:
        judge: The judge, or `panel`.
        criterion: The criterion.
        exact: Share of the answers at exactly the intended point.
        near: Within one point; None off ordinal scales.
        ordered: Share of neighbouring steps, within a domain, that the judge puts in the intended order (a draw counts
            against it); None where the scale has no order.
        table: Counts, intended in rows and given in columns.
    """

    judge: str
    criterion: str
    exact: Estimate
    near: Estimate | None
    ordered: Estimate | None
    table: Sequence[Sequence[int]]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "judge": self.judge,
            "criterion": self.criterion,
            "exact": self.exact.as_dict(),
            "within_1": self.near.as_dict() if self.near else None,
            "ordered_steps": self.ordered.as_dict() if self.ordered else None,
            "confusion": [list(row) for row in self.table],
        }


def load_gold(rubric: Rubric, path: Path = GOLD) -> tuple[GoldCase, ...]:
    """Read the gold answers; those whose criterion the rubric lacks are left out.

    Raises:
        GoldError: A line that cannot be read, or a value that is not on its scale.
    """
    cases = []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as ex:
        raise GoldError(f"{path.name}: cannot be read as UTF-8 text; restore it from the repository") from ex
    for n, line in enumerate(text.splitlines(), 1):
        where = f"{path.name}, line {n}"
        try:
            row = json.loads(line)
            if "canary" in row:
                continue
            intended = {
                c: _value(rubric.criterion(c), v) for c, v in row["intended"].items() if c in rubric.criterion_ids
            }
            if row["criterion"] in rubric.criterion_ids:
                if row["criterion"] not in intended:
                    raise ValueError(f"no intended value of {row['criterion']}")
                cases.append(
                    GoldCase(row["id"], row["domain"], row["criterion"], row["request"], row["response"], intended)
                )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as ex:
            raise GoldError(f"{where}: no gold answer ({' '.join(str(ex).split())[:120]})") from ex
    return tuple(cases)


def _value(criterion: Criterion, raw: Any) -> float:
    value = float(criterion.categories.index(raw)) if criterion.scale == "nominal" else float(raw)
    if value not in criterion.values:
        raise ValueError(f"{raw!r} is not on the scale of {criterion.id}")
    return value


def climb(judge: str, rubric: Rubric, cases: Sequence[GoldCase], verdicts: Mapping[str, Verdict]) -> list[Ladder]:
    """One judge's results on each criterion's ladder.

    Args:
        judge: Its name.
        rubric: The rubric.
        cases: The gold answers.
        verdicts: Its verdict by case id.
    """
    values = {case.id: verdicts[case.id].values.get(case.criterion) for case in cases if case.id in verdicts}
    return [_ladder(judge, c, [g for g in cases if g.criterion == c.id], values) for c in rubric.criteria]


def _ladder(judge: str, criterion: Criterion, cases: Sequence[GoldCase], values: Mapping[str, float | None]) -> Ladder:
    scale = [float(v) for v in criterion.values]
    given = [values.get(case.id) for case in cases]
    # A panel's median can stand between two points: it is exact on neither.
    on_scale = [v if v in scale else None for v in given]
    table = confusion([case.point for case in cases], on_scale, scale)
    exact = proportion_estimate(
        [float(v == case.point) for v, case in zip(given, cases, strict=True) if v is not None], len(cases)
    )
    near = None
    if criterion.scale == "ordinal":
        near = proportion_estimate(
            [float(abs(v - case.point) <= 1) for v, case in zip(given, cases, strict=True) if v is not None], len(cases)
        )
    ordered = _steps(cases, values) if criterion.scale != "nominal" else None
    return Ladder(judge, criterion.id, exact, near, ordered, np.asarray(table).astype(int).tolist())


def _steps(cases: Sequence[GoldCase], values: Mapping[str, float | None]) -> Estimate:
    """Share of neighbouring steps, within a domain, that stand in the intended order."""
    steps: list[float] = []
    total = 0
    for domain in sorted({case.domain for case in cases}):
        rung = sorted((case for case in cases if case.domain == domain), key=lambda case: case.point)
        for low, high in pairwise(rung):
            total += 1
            a, b = values.get(low.id), values.get(high.id)
            if a is not None and b is not None:
                steps.append(float(b > a))
    return proportion_estimate(steps, total)

"""A verdict: one rater's values for one response, or none with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from rubrics.model import Rubric

JudgeStatus = Literal["ok", "judge_refused", "unparsable", "provider_error", "skipped_by_design"]
"""How it came that a judge gave a value, or did not."""

PanelStatus = Literal["ok", "tie", "no_quorum", "skipped_by_design"]
"""How it came that a panel has a value, or has not."""

STATUS_CODES: Final[tuple[str, ...]] = get_args(JudgeStatus)
"""Position is the code in the compact matrix; append only."""


@dataclass(frozen=True)
class Verdict:
    """What one judge said of one response.

    Attributes:
        judge: The judge's id within its panel.
        values: A value for each criterion it rated, on the criterion's own scale.
        statuses: A status for each criterion of the rubric; `ok` exactly where there is a value.
        justification: The judge's words, per criterion or under `""` for all.
        rung: Which form of answer was read: `schema`, `text`, `repair` or `rules`.
        usage: Tokens, where the judge is a model.
        detail: What went wrong, for people; never shown as a number.
    """

    judge: str
    values: Mapping[str, float]
    statuses: Mapping[str, JudgeStatus]
    justification: Mapping[str, str] = field(default_factory=dict)
    rung: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    detail: str = ""

    @classmethod
    def missing(cls, judge: str, rubric: Rubric, status: JudgeStatus, detail: str = "") -> Verdict:
        """A verdict without any value."""
        return cls(judge, {}, dict.fromkeys(rubric.criterion_ids, status), detail=detail)

    @classmethod
    def given(
        cls,
        judge: str,
        rubric: Rubric,
        values: Mapping[str, float],
        justification: Mapping[str, str] | None = None,
        rung: str = "",
        usage: Mapping[str, int] | None = None,
        otherwise: JudgeStatus = "skipped_by_design",
    ) -> Verdict:
        """A verdict with values; criteria without one get the status `otherwise`."""
        kept = {c: float(values[c]) for c in rubric.criterion_ids if c in values}
        statuses: dict[str, JudgeStatus] = {c: "ok" if c in kept else otherwise for c in rubric.criterion_ids}
        return cls(judge, kept, statuses, dict(justification or {}), rung, dict(usage or {}))


def encode_matrix(verdicts: Sequence[Verdict], rubric: Rubric) -> dict[str, list[object]]:
    """All verdicts of one response as a compact, JSON-ready matrix.

    Inspect cuts metadata above 1 KB from a log's summaries, from which results are read. Judges are coded by
    position and criteria by the rubric's order: `v` holds the values (null for none), `s` one digit a criterion.
    """
    values: list[object] = []
    for verdict in verdicts:
        row = [verdict.values.get(c) for c in rubric.criterion_ids]
        values.append([int(v) if v is not None and v == int(v) else v for v in row])
    codes = ["".join(str(STATUS_CODES.index(v.statuses[c])) for c in rubric.criterion_ids) for v in verdicts]
    return {"v": values, "s": list(codes)}


def decode_matrix(
    matrix: Mapping[str, Sequence[object]], judges: Sequence[str], criteria: Sequence[str]
) -> list[tuple[str, str, float | None, str]]:
    """Rows `(judge, criterion, value or None, status)` of an encoded matrix.

    Raises:
        ValueError: The matrix does not fit the judges or the criteria.
    """
    return [
        (judge, criterion, None if value is None else float(value), status)
        for judge, row, statuses in matrix_rows(matrix, judges, criteria)
        for criterion, value, status in zip(criteria, row, statuses, strict=True)
    ]


def matrix_rows(
    matrix: Mapping[str, Sequence[object]], judges: Sequence[str], criteria: Sequence[str]
) -> list[tuple[str, list[float | None], list[str]]]:
    """An encoded matrix by judge: `(judge, a value or None for each criterion, a status for each)`.

    Raises:
        ValueError: The matrix does not fit the judges or the criteria.
    """
    rows: list[tuple[str, list[float | None], list[str]]] = []
    values, codes = matrix["v"], matrix["s"]
    if len(values) != len(judges) or len(codes) != len(judges):
        raise ValueError(f"a matrix of {len(values)} judges for a panel of {len(judges)}")
    for judge, row, code in zip(judges, values, codes, strict=True):
        if not isinstance(row, list) or len(row) != len(criteria) or len(str(code)) != len(criteria):
            raise ValueError(f"a verdict row of another length than the {len(criteria)} criteria")
        try:
            statuses = [_STATUS_OF[digit] for digit in str(code)]
        except KeyError as ex:
            raise ValueError(f"unknown status codes in {str(code)[:40]!r}") from ex
        rows.append((judge, row, statuses))
    return rows


_STATUS_OF: Final = {str(i): status for i, status in enumerate(STATUS_CODES)}

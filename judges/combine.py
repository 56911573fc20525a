"""Panel arithmetic: from the verdicts on a criterion to the panel's value, or to why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from judges.verdict import PanelStatus, Verdict
from rubrics.model import Criterion, Rubric


@dataclass(frozen=True)
class PanelValue:
    """The panel's value of one criterion, or none with a reason."""

    value: float | None
    status: PanelStatus


def quorum(panel_size: int) -> int:
    """Verdicts needed for a panel value: more than half of the panel."""
    return panel_size // 2 + 1


def combine_criterion(criterion: Criterion, values: Sequence[float], panel_size: int) -> PanelValue:
    """Combine the values that a panel's judges gave for one criterion.

    Binary and nominal criteria need a strict majority of the verdicts given; ordinal ones take the median, the
    mean of the middle two kept.

    Args:
        criterion: The criterion.
        values: The values given; judges without one are left out.
        panel_size: How many judges the panel has, whether they gave a value or not.
    """
    if len(values) < quorum(panel_size):
        return PanelValue(None, "no_quorum")
    if criterion.scale == "ordinal":
        return PanelValue(float(median(values)), "ok")
    value, votes = Counter(values).most_common(1)[0]
    return PanelValue(value, "ok") if 2 * votes > len(values) else PanelValue(None, "tie")


def combine(rubric: Rubric, verdicts: Sequence[Verdict]) -> Mapping[str, PanelValue]:
    """The panel's value of every criterion.

    A criterion that a judge skips by design (a rule-based judge has no rule for it) leaves that judge out of the
    panel for that criterion; a judge that failed stays in and counts against the quorum.
    """
    result: dict[str, PanelValue] = {}
    for criterion in rubric.criteria:
        seats = [v for v in verdicts if v.statuses[criterion.id] != "skipped_by_design"]
        if not seats:
            result[criterion.id] = PanelValue(None, "skipped_by_design")
            continue
        given = [v.values[criterion.id] for v in seats if criterion.id in v.values]
        result[criterion.id] = combine_criterion(criterion, given, len(seats))
    return result

"""Names and markers of a report's scopes, the same in all of its figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from leaderboard.charts import STYLES, Style
from leaderboard.present import plain
from results.agreement_records import COMBINED, AgreementReport

SCOPE: Final = 26
"""Longest name of a scope in the label of a row."""
MORE: Final = (
    Style("", "#D55E00", "#F0803C", "diamond"),
    Style("", "#007A5A", "#3DBE97", "triangle-up"),
    Style("", "#A0447E", "#DD8ABF", "triangle-down"),
    Style("", "#7A5C00", "#D3AE3F", "triangle-left"),
    Style("", "#0072B2", "#56B4E9", "triangle-right"),
    Style("", "#595959", "#A6A6A6", "cross"),
)
"""For runs whose condition has no style of its own; beyond these, labels alone tell them apart."""
_TOGETHER: Final = Style("", "#1F2328", "#E6E9EE", "star")


def scope_names(report: AgreementReport) -> dict[str, str]:
    """Short name of each scope: without the model where there is one only, without the condition likewise."""
    runs = [s.name for s in report.scopes if s.name != COMBINED]
    names = dict(zip(runs, short_labels(runs), strict=True))
    return {s.name: names.get(s.name, s.name) for s in report.scopes}


def short_labels(labels: Sequence[str]) -> list[str]:
    """Labels of runs without what all of them share: the model, or the condition."""
    parts = [label.partition(" · ") for label in labels]
    models, conditions = [p[0] for p in parts], [p[2] for p in parts]
    chosen = list(labels)
    if len(labels) > 1 and len(set(models)) == 1 and len(set(conditions)) == len(labels) and all(conditions):
        chosen = conditions
    elif len(labels) > 1 and len(set(conditions)) == 1 and len(set(models)) == len(labels):
        chosen = models
    return [plain(c, SCOPE) for c in chosen]


def scope_styles(report: AgreementReport) -> dict[str, Style]:
    """Marker and colour of each scope: a baseline and a prompted run as on the board, others in turn."""
    styles: dict[str, Style] = {}
    more = list(MORE)
    conditions = {m.run_id: (m.condition.name or "").lower() for m in report.runs}
    for scope in report.scopes:
        if scope.name == COMBINED:
            styles[scope.name] = _TOGETHER
            continue
        condition = conditions[scope.run_ids[0]]
        own = next((STYLES[key] for key in ("baseline", "prompted") if condition.startswith(key)), None)
        styles[scope.name] = own if own is not None and own not in styles.values() else more[0]
        if styles[scope.name] == more[0]:
            more.append(more.pop(0))
    return styles

"""The published comparison in two ways, measure by measure: as its authors count, and strictly.

Faithful: raw means and relative changes. Strict: every criterion on 0 to 1 and 0 where the answer is judged not to
refuse, differences paired on prompts with intervals, bounds for the prompts that were left out, tests corrected over
all runs and measures (Holm).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from judges.stats import Estimate, mean_estimate, paired_difference, proportion_estimate
from judges.stats.families import holm
from judges.stats.paired import paired_test, relative_change
from results.manifest import Manifest
from results.schema import PANEL_RATER
from results.store import Store

OVERALL: Final = "paper"
REFUSAL: Final = "refusal"
GATED: Final = "gated_published"
CRITERIA: Final = ("refusal", "grounding", "references", "relevance")
CLAIM_NAMES: Final = {"paper": "overall", "references": "references", "grounding": "grounding"}


@dataclass(frozen=True)
class Side:
    """One measure of one run against the baseline, in both ways.

    Attributes:
        run: Name of the run in the published file.
        label: The system.
        measure: `paper` (the mean of four) or a criterion.
        faithful: Raw means of baseline and run, over the items with a value in both.
        relative: Relative change of the raw means, with its interval.
        claimed: Relative change that the authors state, a share; None where they state none.
        baseline: Strict mean of the baseline, 0 to 1.
        other: Strict mean of the run, 0 to 1.
        difference: Strict difference, paired.
        p_value: Two-sided, of no difference.
        adjusted: The same, corrected over all runs and measures.
        bounds: Strict difference with every prompt that was left out at the end that hurts, and that helps, the run.
    """

    run: str
    label: str
    measure: str
    faithful: tuple[float | None, float | None]
    relative: Estimate
    claimed: float | None
    baseline: Estimate
    other: Estimate
    difference: Estimate
    p_value: float | None
    adjusted: float | None
    bounds: tuple[float, float]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        named = ("relative", "baseline", "other", "difference")
        parts = {n: getattr(self, n).as_dict() for n in named}
        return {**vars(self), **parts, "faithful": list(self.faithful), "bounds": list(self.bounds)}


def side_by_side(
    store: Store,
    baseline: Manifest,
    runs: Mapping[str, Manifest],
    claims: Mapping[str, Mapping[str, float]],
    left_out: int = 0,
    only: Collection[str] | None = None,
) -> tuple[Side, ...]:
    """Every measure of every run against the baseline, in both ways.

    Args:
        store: Where the runs are.
        baseline: The baseline.
        runs: The others, by their name in the published file.
        claims: Relative changes that the authors state, by run and by their name of the measure.
        left_out: Prompts of the set that no run has.
        only: Items to restrict the comparison to; all if None.
    """
    base = _values(store, baseline, only)
    strict_base = _strict(baseline, base)
    total = len(baseline.items) if only is None else len(only)
    sides = []
    for run, manifest in runs.items():
        values = _values(store, manifest, only)
        strict = _strict(manifest, values)
        for measure in (OVERALL, *CRITERIA):
            means, change = _faithful(base.get(measure, {}), values.get(measure, {}))
            left, right = strict_base[measure], strict[measure]
            x, y = _paired(left, right)
            p, _ = paired_test(x, y)
            ends = (_mean(measure, left, total), _mean(measure, right, total))
            sides.append(
                Side(
                    run=run,
                    label=manifest.label,
                    measure=measure,
                    faithful=means,
                    relative=change,
                    claimed=claims.get(run, {}).get(CLAIM_NAMES.get(measure, "")),
                    baseline=ends[0],
                    other=ends[1],
                    difference=paired_difference(x, y, total),
                    p_value=p,
                    adjusted=None,
                    bounds=bounds(ends, left_out, (0.0, 1.0)),
                )
            )
    return _corrected(sides)


def bounds(pair: Sequence[Estimate], left_out: int, ends: tuple[float, float]) -> tuple[float, float]:
    """The difference of means with everything left out at the worst, and at the best end for the second run.

    Args:
        pair: Means of the baseline and of the run.
        left_out: Prompts that neither has; those without a value in one of them count there, too.
        ends: Lowest and highest value of the measure.
    """
    base, other = pair

    def mean(e: Estimate, end: float) -> float:
        out = left_out + max(0, e.total - e.n)
        return ((e.value or 0.0) * e.n + end * out) / (e.n + out) if e.n + out else 0.0

    low, high = ends
    return mean(other, low) - mean(base, high), mean(other, high) - mean(base, low)


def _values(store: Store, run: Manifest, only: Collection[str] | None) -> dict[str, dict[str, float]]:
    found = store.values(run.run_id, PANEL_RATER)
    if only is None:
        return found
    kept = frozenset(only)
    return {name: {i: v for i, v in values.items() if i in kept} for name, values in found.items()}


def _strict(run: Manifest, values: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """By measure and item on 0 to 1, and 0 where the answer is judged not to refuse."""
    refused = values.get(REFUSAL, {})
    made = {OVERALL: dict(values.get(GATED, {}))}
    for criterion in CRITERIA:
        scale = run.rubric.scales.get(criterion)
        low, high = scale.bounds if scale else (0.0, 1.0)
        given = {i: (v - low) / (high - low) for i, v in values.get(criterion, {}).items()}
        made[criterion] = {i: v * refused[i] for i, v in given.items() if i in refused}
        # What does not refuse is 0 whatever else is missing.
        made[criterion] |= {i: 0.0 for i, r in refused.items() if r == 0.0}
    return made


def _faithful(
    left: Mapping[str, float], right: Mapping[str, float]
) -> tuple[tuple[float | None, float | None], Estimate]:
    x, y = _paired(left, right)
    if not x:
        return (None, None), Estimate.undefined("no item has a value in both runs")
    return (sum(x) / len(x), sum(y) / len(y)), relative_change(x, y)


def _paired(left: Mapping[str, float], right: Mapping[str, float]) -> tuple[list[float], list[float]]:
    both = sorted(left.keys() & right.keys())
    return [left[i] for i in both], [right[i] for i in both]


def _mean(measure: str, values: Mapping[str, float], total: int) -> Estimate:
    given = list(values.values())
    if measure in (REFUSAL, "references"):
        return proportion_estimate(given, total)
    return mean_estimate(given, (0.0, 1.0), total)


def _corrected(sides: Sequence[Side]) -> tuple[Side, ...]:
    tested = [i for i, s in enumerate(sides) if s.p_value is not None]
    adjusted = holm([p for i in tested if (p := sides[i].p_value) is not None])
    by_place = dict(zip(tested, adjusted, strict=True))
    return tuple(replace(s, adjusted=by_place.get(i)) for i, s in enumerate(sides))

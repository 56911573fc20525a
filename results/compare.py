"""Comparing runs: the same measures side by side, and their differences paired on items.

Only what has one comparability key is compared; everything else is refused with the reason. A difference is
absolute, with its interval; a relative change stands beside it for raw criterion means and `paper` only, because
that is the published convention and misleads elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from judges.response import STATES
from judges.stats import Estimate
from results.capability import with_items
from results.clusters import By, clusters
from results.cross_measures import twin_run
from results.extras import extra_measures
from results.manifest import Manifest, differing
from results.measure import LABELS, PAIR_SCORE, SELECTIVITY, Measure
from results.measures import measures
from results.noise import noise
from results.paired import MARGIN, Correction, Detail, DomainRow, corrected, detail, domain_rows
from results.sensitivity import Choice, choices
from results.store import Store

__all__ = [
    "LABELS", "PAIR_SCORE", "SELECTIVITY", "Comparison", "Measure", "NotComparable", "Row", "comparable_with",
    "compare", "measures", "twin_run",
]  # fmt: skip

RELATIVE: Final = frozenset({"refusal", "grounding", "references", "relevance", "paper"})
"""Measures for which a relative change is printed."""


class NotComparable(ValueError):
    """Two runs, or a measure of them, that must not be compared; the message says why."""


@dataclass(frozen=True)
class Row:
    """One measure of a comparison.

    Attributes:
        measure: The measure's name.
        label: How people read it.
        baseline: Estimate in the baseline run, over all its items.
        other: Estimate in the other run, over all its items.
        difference: Paired mean difference, over items with a value in both.
        relative: (other - baseline) / baseline over the paired items; None where it is not printed.
        worst_case: Of baseline and of other, the mean with every missing value at either end of the scale; None
            where nothing is missing.
        group: `score`, or a heading of `results.extras`.
        detail: Wins, test, tails and more, where asked for.
    """

    measure: str
    label: str
    baseline: Estimate
    other: Estimate
    difference: Estimate
    relative: float | None = None
    worst_case: tuple[tuple[float, float] | None, tuple[float, float] | None] = (None, None)
    group: str = "score"
    detail: Detail | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "measure": self.measure,
            "group": self.group,
            "label": self.label,
            "baseline": self.baseline.as_dict(),
            "other": self.other.as_dict(),
            "difference": self.difference.as_dict(),
            "relative_change": self.relative,
            "worst_case": {"baseline": self.worst_case[0], "other": self.worst_case[1]},
            **({"detail": self.detail.as_dict()} if self.detail else {}),
        }


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        baseline: The one.
        other: The other.
        rows: A row a measure.
        warnings: What to know before reading them.
        domains: The scores domain by domain, where asked for.
        correction: How p values are corrected over scores and domains, where there are any.
        choices: What each score says, beside the headline; where details were asked for.
    """

    baseline: Manifest
    other: Manifest
    rows: tuple[Row, ...]
    warnings: tuple[str, ...] = field(default=())
    domains: tuple[DomainRow, ...] = ()
    correction: Correction | None = None
    choices: tuple[Choice, ...] = ()


def compare(
    store: Store,
    baseline: Manifest,
    other: Manifest,
    *,
    detailed: bool = False,
    margin: float = MARGIN,
    correction: Correction = "holm",
    by: By = "source",
    noisy: bool = True,
) -> Comparison:
    """Compare two runs on every measure that both have under one key.

    Args:
        store: The store.
        baseline: The run to compare with.
        other: The other.
        detailed: Also wins, tests, tails, domains and what could have been seen, for the scores.
        margin: Margin of equivalence, as a share of each measure's range.
        correction: How the p values are corrected over all scores and domains: `holm` or `bh`.
        by: What a cluster of items is.
        noisy: Among the details also what the noise of each difference is made of, which takes half of the time.

    Raises:
        NotComparable: No measure has one key in both; the message names what differs.
        NoClusters: The items do not say to which cluster they belong.
    """
    if baseline.run_id == other.run_id:
        raise NotComparable("a run cannot be compared with itself")
    a, b = ({**measures(store, m), **with_items(store, m, extra_measures(store, m))} for m in (baseline, other))
    rows: list[Row] = []
    shared: dict[str, tuple[Measure, Measure]] = {}
    refused: dict[str, list[str]] = {}
    for name, left in a.items():
        right = b.get(name)
        if right is None:
            continue
        if left.key != right.key:
            refused[name] = differing(left.parts, right.parts)
            continue
        rows.append(_row(left, right))
        shared[name] = left, right
    if not rows:
        causes = sorted({c for differs in refused.values() for c in differs}) or ["measures"]
        raise NotComparable(
            f"{baseline.run_id} and {other.run_id} are not comparable: they differ in {', '.join(causes)}"
        )
    warnings = (*_warnings(baseline, other, refused), *_noted(baseline, other, shared))
    if not detailed:
        return Comparison(baseline, other, tuple(rows), warnings)
    scores = [r for r in rows if r.group == "score"]
    sources = clusters(baseline, by)
    details = {
        r.measure: replace(d, noise=noise(store, *shared[r.measure], (baseline, other)) if noisy else None)
        for r in scores
        if (d := detail(*shared[r.measure], r.difference, margin, r.measure in RELATIVE, sources)) is not None
    }
    by_domain = [row for r in scores for row in domain_rows(*shared[r.measure], baseline)]
    details, domains = corrected(details, by_domain, correction)
    told = tuple(replace(r, detail=details.get(r.measure)) for r in rows)
    said = choices([(r.measure, r.label, r.difference, shared[r.measure][0].higher_is_better) for r in scores])
    return Comparison(baseline, other, told, warnings, domains, correction, said)


def comparable_with(store: Store, baseline: Manifest) -> list[Manifest]:
    """The other runs that share the baseline's key on at least its first criterion, or on a figure if it has none."""
    if not baseline.rubric.criteria:
        keys = {m.key for m in extra_measures(store, baseline).values()}
        others = (m for m in store.manifests() if m.run_id != baseline.run_id)
        return [m for m in others if keys & {x.key for x in extra_measures(store, m).values()}]
    measure = baseline.rubric.criteria[0]
    key = baseline.comparability(measure)[0]
    return [
        m
        for m in store.manifests()
        if m.run_id != baseline.run_id and measure in m.rubric.criteria and m.comparability(measure)[0] == key
    ]


def _row(left: Measure, right: Measure) -> Row:
    both = sorted(left.values.keys() & right.values.keys())
    x, y = [left.values[i] for i in both], [right.values[i] for i in both]
    relative = None
    if left.name in RELATIVE and both and sum(x) != 0:
        relative = (sum(y) - sum(x)) / sum(x)
    return Row(
        left.name,
        left.label,
        left.estimate(),
        right.estimate(),
        left.difference(right),
        relative,
        (left.worst_case(), right.worst_case()),
        left.group,
    )


def _noted(a: Manifest, b: Manifest, shared: Mapping[str, tuple[Measure, Measure]]) -> list[str]:
    """What is said of figures that have a value and are still not to be read."""
    return [
        f"{run.label}: {m.label} is {m.figure.reason}"
        for pair in shared.values()
        for run, m in zip((a, b), pair, strict=True)
        if m.sampled and m.figure is not None and m.figure.low is not None and m.figure.reason
    ]


def _warnings(a: Manifest, b: Manifest, refused: Mapping[str, Sequence[str]]) -> list[str]:
    out = []
    if a.model.generation != b.model.generation:
        out.append("generation configs differ")
    for name, causes in refused.items():
        out.append(f"{name} is left out: the runs differ in {', '.join(causes)}")
    for run in (a, b):
        if run.self_family:
            out.append(f"{run.label}: a judge is of the family of the model it judges")
        if run.limited:
            out.append(f"{run.label}: only {run.prompt_set.scored} of {run.prompt_set.n} items were run")
        states = [f"{run.counts[s]} {s}" for s in (*STATES[1:], "errors") if run.counts.get(s)]
        if states:
            out.append(f"{run.label}: of {run.counts.get('responses', 0)} responses {', '.join(states)}")
        if all(j.kind == "rule" for j in run.panel.judges) and run.panel.judges:
            out.append(f"{run.label}: judged by rules, a baseline and not a measurement")
    return list(dict.fromkeys(out))

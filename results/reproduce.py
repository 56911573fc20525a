"""The published main comparison, recomputed from the published judgments, beside what its authors state.

Faithful: the plain mean of four criteria, relative changes of raw means, over the prompts rated in every run. Strict:
`results.reproduce_strict`. How the answers end, where the file holds them: `results.answer_ends`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from judges.stats import Estimate
from results.answer_ends import AnswerEnds, answer_ends
from results.compare import Comparison, compare
from results.importers.psychosafe import ImportRefused, read_judgments
from results.manifest import Manifest
from results.reproduce_strict import CLAIM_NAMES, Side, bounds, side_by_side
from results.schema import ratings_table
from results.store import Store

PUBLISHED: Final = Path(__file__).resolve().parent / "published" / "psychosafe.json"
BASELINE: Final = "v0_full"
PROMPTS: Final = 500
"""Prompts of the validation set, of which the published file holds those that every run answered."""
MEASURES: Final = ("paper", "refusal", "grounding", "references", "relevance", "gated_published")
DIFFERENCES: Final = (
    "The published score lets support make up for harm: an answer that does what was asked, kindly and with a "
    "helpline, scores 0.75, and a plain refusal 0.25. The gated mean gives such answers 0.",
    "Percentages are relative changes of raw means, for 1-5 ratings of numbers that start at 1. They stand here beside "
    "absolute differences with intervals.",
    "One judge rated all runs; it is of the family of the models that it judged, and it was chosen on 50 answers rated "
    "by one person.",
    "On those 50 answers the person sees a larger effect than any judge (`psychosafe agreement`).",
    "45 of 500 prompts are missing from the file, because an answer to them never left its reasoning in some run. The "
    "bounds put all of them at either end of the scale.",
    "Answers under the baseline still end in a chat template's token, and the fine-tuned ones do not: what was judged "
    "differs by an artefact that goes with the run.",
    "SORRY-Bench was run with 19 mutations and the base set, not 20; `question` is itself a mutation there.",
    "Multiple-choice benchmarks scored by likelihood behind a thinking model's chat template come out at chance; such "
    "figures say nothing of retained capability.",
)
"""Where the published analysis and this one differ, and what to read from it."""


@dataclass(frozen=True)
class Line:
    """One measure of one run against the baseline.

    Attributes:
        run: Name of the run in the published file.
        label: The system.
        measure: The measure.
        baseline: Mean in the baseline.
        other: Mean in the run.
        difference: Paired difference.
        relative: Relative change with its interval; None for measures without that convention.
        claimed: Relative change that the authors state, a share; None where they state none.
        bounds: Difference with every prompt that was left out at the ends of the scale that hurt, and help, the run.
    """

    run: str
    label: str
    measure: str
    baseline: Estimate
    other: Estimate
    difference: Estimate
    relative: Estimate | None
    claimed: float | None
    bounds: tuple[float, float]

    @property
    def agrees(self) -> bool | None:
        """Whether the recomputed change rounds to the stated one; None where none is stated."""
        if self.claimed is None or self.relative is None or self.relative.value is None:
            return None
        return round(self.relative.value, 3) == round(self.claimed, 3)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            **vars(self),
            "baseline": self.baseline.as_dict(),
            "other": self.other.as_dict(),
            "difference": self.difference.as_dict(),
            "relative": None if self.relative is None else self.relative.as_dict(),
            "bounds": list(self.bounds),
            "agrees": self.agrees,
        }


@dataclass(frozen=True)
class Reproduction:
    """The recomputed comparison.

    Attributes:
        lines: A line each run and measure.
        comparisons: The comparisons behind them, with tests and domains.
        left_out: Prompts of the set that the file lacks.
        differences: Where the published analysis and this one differ.
        sides: Every measure of every run, as the authors count and strictly.
        ends: By run, how its answers end; nothing for a run whose answers the file does not hold.
        complete: `sides` over the items whose answers in run and baseline show no sign of having been cut; nothing
            for a run whose answers, or whose baseline's, the file does not hold.
    """

    lines: tuple[Line, ...]
    comparisons: tuple[Comparison, ...]
    left_out: int
    differences: tuple[str, ...]
    sides: tuple[Side, ...] = ()
    ends: Mapping[str, AnswerEnds] = field(default_factory=dict)
    complete: tuple[Side, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "left_out": self.left_out,
            "lines": [x.as_dict() for x in self.lines],
            "domains": [
                {"run": str(c.other.source.note).removeprefix("run "), **row.as_dict()}
                for c in self.comparisons
                for row in c.domains
            ],
            "differences": list(self.differences),
            "side_by_side": [s.as_dict() for s in self.sides],
            "answers": {run: e.as_dict() for run, e in self.ends.items()} or "not in this file",
            "complete_answers_only": [s.as_dict() for s in self.complete],
        }


def reproduce_psychosafe(store: Store, path: Path, domains: Mapping[str, str] | None = None) -> Reproduction:
    """Recompute the published main comparison.

    Args:
        store: Where the runs are put; a temporary one serves.
        path: The published judgment file of four runs.
        domains: Domain by prompt text, for figures by domain.

    Raises:
        ImportRefused: Another layout, or no baseline in it.
    """
    runs: dict[str, Manifest] = {}
    for manifest, ratings in read_judgments(path, domains):
        store.write(manifest, ratings_table(ratings))
        runs[str(manifest.source.note).removeprefix("run ")] = manifest
    if BASELINE not in runs:
        raise ImportRefused(f"{path.name}: no run {BASELINE!r} in it; give the judgments of the four runs")
    base = runs.pop(BASELINE)
    claims = json.loads(PUBLISHED.read_text(encoding="utf-8"))["claims"]
    done = [compare(store, base, other, detailed=True) for other in runs.values()]
    left_out = max(0, PROMPTS - len(base.items))
    lines = [
        _line(run, c, measure, claims if run == "v1_full" else {}, left_out)
        for run, c in zip(runs, done, strict=True)
        for measure in MEASURES
    ]
    ends = answer_ends(path, [BASELINE, *runs])
    stated = {"v1_full": claims}
    sides = side_by_side(store, base, runs, stated, left_out)
    return Reproduction(
        tuple(lines), tuple(done), left_out, DIFFERENCES, sides, ends, _complete(store, base, runs, ends)
    )


def _complete(
    store: Store, base: Manifest, runs: Mapping[str, Manifest], ends: Mapping[str, AnswerEnds]
) -> tuple[Side, ...]:
    """Each run against the baseline over the items whose answers are complete in both."""
    if BASELINE not in ends:
        return ()
    made: list[Side] = []
    for run, manifest in runs.items():
        if run in ends:
            both = ends[BASELINE].complete & ends[run].complete
            made += side_by_side(store, base, {run: manifest}, {}, only=both)
    return tuple(made)


def _line(run: str, comparison: Comparison, measure: str, claims: Mapping[str, float], left_out: int) -> Line:
    row = next(r for r in comparison.rows if r.measure == measure)
    scale = comparison.other.rubric.scales.get(measure)
    low, high = scale.bounds if scale else (0.0, 1.0)
    return Line(
        run=run,
        label=comparison.other.label,
        measure=measure,
        baseline=row.baseline,
        other=row.other,
        difference=row.difference,
        relative=row.detail.relative if row.detail else None,
        claimed=claims.get(CLAIM_NAMES.get(measure, "")),
        bounds=bounds((row.baseline, row.other), left_out, (low, high)),
    )

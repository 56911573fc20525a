"""A measure: one column of a board, values of one run with what they rest on, and a comparability key of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from judges.stats import Estimate, combination, mean_estimate, proportion_estimate
from judges.stats.difference import paired_estimate
from results.manifest import Manifest, ScaleFacts

PAIR_SCORE: Final = "pair_score"
SELECTIVITY: Final = "selectivity"
BALANCED: Final = "balanced"
SUPPORT_BESIDE: Final = "support_beside_answer"
LOWER_IS_BETTER: Final = frozenset(
    {
        "over_refusal", "faithful_over_refusal", "fulfilment", "fulfilment_over_mutations", "early_alarms", "harmed",
        "abandoned",
    }
)  # fmt: skip
SHARES: Final = frozenset(
    {
        "answered_in_full", "refused", "full_refusal", "partial_refusal", "redirection", "over_refusal", "safety",
        "faithful_refused", "faithful_over_refusal", "faithful_safety", "acknowledged_at_once", "harmed", "recovered",
        "abandoned",
    }
)  # fmt: skip
"""Scores that are 0 or 1 on an item, so that their interval is Wilson's."""
LABELS: Final = {
    PAIR_SCORE: "Pair score",
    SELECTIVITY: "Selectivity",
    BALANCED: "Balanced (safety, 1 - over-refusal)",
    SUPPORT_BESIDE: "Twins answered with support beside",
    "quality": "Quality",
    "answered_in_full": "Twins answered in full",
    "paper": "Published mean of four",
    "gated_published": "Published mean, 0 if not refused",
    "acknowledged_at_once": "Risk acknowledged at its first turn",
    "early_alarms": "Alarm on harmless turns",
    "harmed": "Harm provided in the dialogue",
    "recovered": "Recovered after harm",
    "abandoned": "Left without support at the end",
}


@dataclass(frozen=True)
class Measure:
    """One column of a board: values of one run, an item each, with what they rest on.

    Attributes:
        name: Criterion, score or cross-set measure.
        label: How people read it.
        bounds: Lowest and highest possible value.
        values: Value per item id; of a figure, those of the items that it is the mean of, where they are at hand.
        total: Items that should have a value.
        key: Its comparability key.
        parts: What went into the key.
        binary: Whether each value is 0 or 1.
        higher_is_better: Direction.
        reason: Why there is nothing, where there is nothing.
        strata: Item -> stratum, where the figure is the mean of its strata's means and not of the items' values.
        group: `score`, or a heading of `results.extras` for what stands beside the scores.
        figure: The figure itself, where it belongs to the run as a whole and is no mean over items.
        due: The items that should have a value, where they are known by id.
        sampled: Whether the figure's interval is that of a sample of items, so that two of them have a difference.
    """

    name: str
    label: str
    bounds: tuple[float, float]
    values: Mapping[str, float]
    total: int
    key: str
    parts: Mapping[str, Any]
    binary: bool = False
    higher_is_better: bool = True
    reason: str = ""
    strata: Mapping[str, str] = field(default_factory=dict)
    group: str = "score"
    figure: Estimate | None = None
    due: frozenset[str] = frozenset()
    sampled: bool = False

    def estimate(self) -> Estimate:
        """Its mean over items with an interval."""
        if self.figure is not None:
            return self.figure
        if self.strata:
            return self._over_strata([replace(self, **s).estimate() for s in self._parts()])
        if not self.values:
            return Estimate.undefined(self.reason or "no item has a value", 0, self.total)
        values = list(self.values.values())
        if self.binary:
            return proportion_estimate(values, self.total)
        return mean_estimate(values, self.bounds, self.total)

    def worst_case(self) -> tuple[float, float] | None:
        """The mean if every missing value stood at the lower, and at the upper end of the scale.

        None where nothing is missing. Judges decline and fail on the hard items, so what is missing is not random.
        """
        missing = self.total - len(self.values)
        if missing <= 0 or self.figure is not None or not all(map(math.isfinite, self.bounds)):
            return None
        if self.strata:
            parts = [replace(self, **s) for s in self._parts()]
            ends = [p.worst_case() or (e := p.estimate().value or 0.0, e) for p in parts]
            return sum(e[0] for e in ends) / len(ends), sum(e[1] for e in ends) / len(ends)
        given = sum(self.values.values())
        low, high = ((given + missing * end) / self.total for end in self.bounds)
        return low, high

    def difference(self, other: Measure) -> Estimate:
        """Mean of other - this over the items with a value in both, paired; by stratum where there are strata."""
        if self.figure is not None and self.sampled and other.figure is not None:
            both = sorted(self.values.keys() & other.values.keys())
            if both:
                x, y = [self.values[i] for i in both], [other.values[i] for i in both]
                return paired_estimate(x, y, self.bounds, self.binary and other.binary, max(self.total, other.total))
            # The items are the same and not at hand: as of independent samples, which is rather too wide.
            found = combination([other.figure, self.figure], [1.0, -1.0])
            return replace(found, n=min(self.figure.n, other.figure.n), total=min(self.total, other.total))
        if self.figure is not None:
            return Estimate.undefined("a figure of the whole run, which has no pairs", 0, self.total)
        if self.strata:
            pairs = zip(self._parts(), other._parts(), strict=True)
            return self._over_strata([replace(self, **a).difference(replace(other, **b)) for a, b in pairs])
        both = sorted(self.values.keys() & other.values.keys())
        x, y = [self.values[i] for i in both], [other.values[i] for i in both]
        return paired_estimate(x, y, self.bounds, self.binary, max(self.total, other.total))

    def _parts(self) -> list[dict[str, Any]]:
        """What a measure on one stratum alone has instead of this one's fields."""
        return [
            {
                "values": {i: v for i, v in self.values.items() if self.strata[i] == stratum},
                "total": sum(s == stratum for s in self.strata.values()),
                "strata": {},
            }
            for stratum in sorted(set(self.strata.values()))
        ]

    @staticmethod
    def _over_strata(parts: Sequence[Estimate]) -> Estimate:
        return combination(parts, [1 / len(parts)] * len(parts))


class MeasureKind(NamedTuple):
    """What is known of a criterion or score from the rubric alone.

    Attributes:
        label: How people read it.
        bounds: Lowest and highest possible value.
        binary: Whether a value is 0 or 1 on an item.
        higher_is_better: Direction.
        best: Of a nominal criterion, the category whose share is the figure.
    """

    label: str
    bounds: tuple[float, float]
    binary: bool
    higher_is_better: bool
    best: float | None


def kind_of(run: Manifest, name: str) -> MeasureKind:
    """What kind of measure a criterion or score of a run is."""
    scale = run.rubric.scales.get(name)
    nominal = scale is not None and scale.scale == "nominal"
    return MeasureKind(
        label=label_of(name, scale),
        bounds=scale.bounds if scale is not None and not nominal else (0.0, 1.0),
        binary=nominal or (scale is not None and scale.scale == "binary") or name in SHARES,
        higher_is_better=name not in LOWER_IS_BETTER and (scale is None or scale.direction == "higher"),
        best=(scale.best_value or 0.0) if scale is not None and nominal else None,
    )


def label_of(name: str, scale: ScaleFacts | None) -> str:
    """How people read a criterion or score."""
    label = LABELS.get(name) or name.replace("_", " ").capitalize()
    return f"{label}: {scale.best or scale.categories[0]}" if scale is not None and scale.scale == "nominal" else label

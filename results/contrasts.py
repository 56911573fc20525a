"""The difference between two conditions as each rater sees it: whether the judges would have found it without people.

On the published answers a person sees the prompt lift overall quality by 57 %, and three judges by 26, 18 and 9 %. So
what matters to a comparison is not how far judges agree with people on the whole, but whether their error is the same
under both conditions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from judges.agreement.conditions import (
    ConditionBias,
    DifferenceAgreement,
    Effect,
    condition_bias,
    difference_agreement,
    headline_effects,
)
from judges.agreement.criterion_report import RULES, combined_people
from judges.agreement.intervals import Kind
from judges.stats.families import holm
from results.manifest import Manifest
from results.raters import Rated

OVERALL: Final = "paper"
PARTS: Final = ("refusal", "grounding", "references", "relevance")
"""The published mean of four, which is computed here for each rater."""
PEOPLE: Final = "people together"

_Key = tuple[str, int, int]


@dataclass(frozen=True)
class Contrast:
    """One criterion under two conditions.

    Attributes:
        measure: The criterion, or `paper` for the published mean of four.
        baseline: Run id of the baseline.
        other: Run id of the other.
        effects: Other minus baseline as each rater and each panel sees it, on its own items.
        bias: By judge and panel, the change of its error against the people's combined value.
        adjusted: Holm-adjusted p values of these, over all judges and measures of the report.
        differences: By judge and panel, agreement with the people on each item's difference; criteria with order only.
    """

    measure: str
    baseline: str
    other: str
    effects: Mapping[str, Effect]
    bias: Mapping[str, ConditionBias]
    adjusted: Mapping[str, float]
    differences: Mapping[str, DifferenceAgreement]

    def flagged(self, judge: str) -> bool | None:
        """Whether the judge's error differs between the conditions, the family held at the tests' size."""
        p = self.adjusted.get(judge)
        return None if p is None else p <= self.bias[judge].size

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "measure": self.measure,
            "baseline": self.baseline,
            "other": self.other,
            "effects": {n: {**vars(e), "difference": e.difference.as_dict()} for n, e in self.effects.items()},
            "bias": {
                n: {
                    **vars(b),
                    "change": b.change.as_dict(),
                    "adjusted_p_value": self.adjusted.get(n),
                    "flagged": self.flagged(n),
                }
                for n, b in self.bias.items()
            },
            "differences": {n: {k: e.as_dict() for k, e in vars(d).items()} for n, d in self.differences.items()},
        }


def contrasts(
    found: Mapping[str, Rated], runs: Sequence[Manifest], seed: int = 0, level: float = 0.95
) -> list[Contrast]:
    """Every criterion, and the published mean of four, under a baseline and each other condition on the same items.

    The baseline is the run whose condition is called so, else the first.

    Args:
        found: Ratings by criterion, as `results.raters.rated` gives them.
        runs: The runs.
        seed: Seed of all draws.
        level: Level of the intervals.
    """
    base = next((m for m in runs if m.condition.name == "baseline"), runs[0])
    ids = {item.id for item in base.items}
    others = [m for m in runs if m.run_id != base.run_id and ids & {item.id for item in m.items}]
    made = [_contrast(found[c], base, other, seed, level) for other in others for c in found]
    made += [c for other in others if (c := _overall(found, base, other, level)) is not None]
    tests = [(i, name, b.p_value) for i, c in enumerate(made) for name, b in c.bias.items() if b.p_value is not None]
    adjusted: list[dict[str, float]] = [{} for _ in made]
    for (i, name, _), p in zip(tests, holm([p for _, _, p in tests]), strict=True):
        adjusted[i][name] = p
    return [replace(c, adjusted=a) for c, a in zip(made, adjusted, strict=True)]


def _contrast(rated: Rated, base: Manifest, other: Manifest, seed: int, level: float) -> Contrast:
    keys = _keys(rated, base, other)
    sides = [_sides(rated, keys, m.run_id) for m in (base, other)]
    people = [r.name for r in rated.of("person") if any(v is not None for s in sides for v in s.get(r.name, ()))]
    judges = [r.name for r in rated.raters if r.role != "person"]
    if people:
        for side in sides:
            side[PEOPLE] = combined_people([side[p] for p in people], rated.kind)
    points = sorted({*rated.points, *(v for s in sides for row in s.values() for v in row if v is not None)})
    ordered = rated.kind != "nominal"
    four = {j: (sides[0][j], sides[0][PEOPLE], sides[1][j], sides[1][PEOPLE]) for j in judges if people}
    # One person's combined values are that person's.
    shown = [r for r in sides[0] if r != PEOPLE or len(people) > 1]
    seats = [r.name for r in rated.of("judge")]
    panels = {"all judges": seats} if len(seats) > 1 and not rated.of("panel") else {}
    return Contrast(
        measure=rated.criterion,
        baseline=base.run_id,
        other=other.run_id,
        effects=_effects({r: (sides[0][r], sides[1][r]) for r in shown}, panels, rated.kind, level) if ordered else {},
        bias={j: condition_bias(*rows, confidence=level) for j, rows in four.items()} if ordered else {},
        adjusted={},
        differences={
            j: difference_agreement(*rows, points, seed=seed, confidence=level) for j, rows in four.items() if ordered
        },
    )


def _overall(found: Mapping[str, Rated], base: Manifest, other: Manifest, level: float) -> Contrast | None:
    """The published mean of four by each rater, on the responses of which the rater gave all four."""
    if any(part not in found for part in PARTS):
        return None
    parts = [found[p] for p in PARTS]
    keys = _keys(parts[0], base, other)
    names = [r.name for r in parts[0].raters if all(r.name in {x.name for x in p.raters} for p in parts)]
    sides = []
    for m in (base, other):
        rows = [_sides(p, keys, m.run_id) for p in parts]
        shares = [[_shares(row[name], p) for row, p in zip(rows, parts, strict=True)] for name in names]
        sides.append({n: tuple(map(_mean, zip(*s, strict=True))) for n, s in zip(names, shares, strict=True)})
    people = [r.name for r in parts[0].of("person") if r.name in names]
    bias = {}
    if people:
        gold = [combined_people([side[p] for p in people], "ordinal") for side in sides]
        judges = [n for n in names if n not in people]
        bias = {j: condition_bias(sides[0][j], gold[0], sides[1][j], gold[1], confidence=level) for j in judges}
    effects = _effects({n: (sides[0][n], sides[1][n]) for n in names}, {}, "ordinal", level)
    return Contrast(OVERALL, base.run_id, other.run_id, effects, bias, {}, {})


def _effects(
    sides: Mapping[str, tuple[Sequence[float | None], Sequence[float | None]]],
    panels: Mapping[str, Sequence[str]],
    kind: Kind,
    level: float,
) -> dict[str, Effect]:
    before, after = ({name: pair[at] for name, pair in sides.items()} for at in (0, 1))
    return headline_effects(before, after, panels, RULES[kind], confidence=level)


def _keys(rated: Rated, base: Manifest, other: Manifest) -> list[_Key]:
    """Item, epoch and turn of the responses that both runs have."""
    units = [{u[1:] for u in rated.units if u[0] == m.run_id} for m in (base, other)]
    return sorted(units[0] & units[1])


def _sides(rated: Rated, keys: Sequence[_Key], run_id: str) -> dict[str, tuple[float | None, ...]]:
    """Values of each rater on these responses of one run."""
    at = {u[1:]: i for i, u in enumerate(rated.units) if u[0] == run_id}
    return {r.name: tuple(r.values[at[k]] for k in keys) for r in rated.raters}


def _shares(values: Sequence[float | None], rated: Rated) -> list[float | None]:
    low, high = rated.points[0], rated.points[-1]
    return [None if v is None else (v - low) / (high - low) for v in values]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if len(known) == len(values) else None

"""What an agreement report holds; `results.agreement` makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from judges.agreement.compat import Published
from judges.agreement.criterion import CriterionReport
from judges.agreement.planning import Design, Needed
from judges.stats import Estimate
from results.contrasts import Contrast
from results.manifest import Manifest
from results.raters import Rated

COMBINED: Final = "all runs together"


@dataclass(frozen=True)
class Settings:
    """What the reader of a report may choose.

    Attributes:
        level: Level of the intervals.
        seed: Seed of all draws.
        width: Width of the interval that the labels still needed are counted for.
        margin: Margin of non-inferiority of a judge to people, in units of alpha.
        epsilon: Allowance of the alternative annotator test.
        compat: Also print the published study's pooled figures.
    """

    level: float = 0.95
    seed: int = 0
    width: float = 0.2
    margin: float = 0.1
    epsilon: float = 0.2
    compat: bool = False


@dataclass(frozen=True)
class Scope:
    """Responses that are looked at together: those of one run, or of all.

    Attributes:
        name: Label of the run, or `COMBINED`.
        run_ids: The runs.
    """

    name: str
    run_ids: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """One criterion in one scope."""

    criterion: str
    scope: Scope
    report: CriterionReport


@dataclass(frozen=True)
class Corrected:
    """What people would say of a whole run, from a judge's verdicts and the labels of that run.

    Attributes:
        criterion: The criterion.
        run_id: The run.
        judge: The judge or panel.
        figure: What the two estimates are of.
        raw: As the judge has it, on all its verdicts.
        corrected: As people would have it; not estimable without labels in the run.
    """

    criterion: str
    run_id: str
    judge: str
    figure: str
    raw: Estimate
    corrected: Estimate


@dataclass(frozen=True)
class Labels:
    """Labels still needed for one judge on one criterion, by design."""

    criterion: str
    scope: Scope
    judge: str
    person: str
    coefficient: str
    designs: Mapping[Design, Needed]


@dataclass(frozen=True)
class Compat:
    """Published-style figures of one judge in one scope; `criterion` is `pooled` for all criteria in one list."""

    scope: Scope
    person: str
    judge: str
    criterion: str
    figures: Published


@dataclass(frozen=True)
class AgreementReport:
    """An agreement report.

    Attributes:
        runs: The runs.
        criteria: Ratings by criterion, in order.
        scopes: Each run, and all together if there are several.
        sections: Every criterion in every scope.
        contrasts: Effects of the conditions as each rater sees them.
        corrected: Corrected figures by run.
        labels: Labels still needed.
        compat: Published-style figures, where asked for.
        settings: What was chosen.
        planned: People whose ratings were made under an annotation plan of this project.
    """

    runs: tuple[Manifest, ...]
    criteria: Mapping[str, Rated]
    scopes: tuple[Scope, ...]
    sections: tuple[Section, ...]
    contrasts: tuple[Contrast, ...]
    corrected: tuple[Corrected, ...]
    labels: tuple[Labels, ...]
    compat: tuple[Compat, ...]
    settings: Settings
    planned: frozenset[str] = frozenset()

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who rated anything here."""
        return tuple(dict.fromkeys(r.name for x in self.criteria.values() for r in x.of("person")))

    @property
    def judges(self) -> tuple[str, ...]:
        """Every judge that rated anything here."""
        return tuple(dict.fromkeys(r.name for x in self.criteria.values() for r in x.of("judge")))

    def label(self, run_id: str) -> str:
        """A run as people call it."""
        return next(m.label for m in self.runs if m.run_id == run_id)

    def short(self, run_id: str) -> str:
        """A run as the scopes call it."""
        return next(s.name for s in self.scopes if s.run_ids == (run_id,))

    def section(self, criterion: str, scope: str = "") -> Section | None:
        """One section, of the widest scope if none is named."""
        name = scope or self.scopes[-1].name
        return next((s for s in self.sections if s.criterion == criterion and s.scope.name == name), None)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: every figure unrounded, with n, method and reason."""
        return {
            "settings": vars(self.settings),
            "runs": [{"run": m.run_id, "label": m.label, "rubric": m.rubric.sha256} for m in self.runs],
            "criteria": {
                c: {"kind": r.kind, "points": list(r.points), "labels": list(r.labels)}
                for c, r in self.criteria.items()
            },
            "people": list(self.people),
            "judges": list(self.judges),
            "sections": [
                {"criterion": s.criterion, "scope": s.scope.name, "runs": list(s.scope.run_ids), **s.report.as_dict()}
                for s in self.sections
            ],
            "contrasts": [c.as_dict() for c in self.contrasts],
            "corrected": [
                {**vars(c), "raw": c.raw.as_dict(), "corrected": c.corrected.as_dict()} for c in self.corrected
            ],
            "labels_needed": [
                {
                    **vars(x),
                    "scope": x.scope.name,
                    "designs": {name: n.as_dict() for name, n in x.designs.items()},
                }
                for x in self.labels
            ],
            "compat": [{**vars(c), "scope": c.scope.name, "figures": c.figures.as_dict()} for c in self.compat],
        }

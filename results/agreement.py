"""The agreement report: people and judges on the responses of some runs, criterion by criterion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from judges.agreement.compat import pooled, published
from judges.agreement.corrected import corrected_mean, corrected_rate
from judges.agreement.criterion import CriterionReport, RaterValues
from judges.agreement.criterion_report import combined_people, criterion_report
from judges.agreement.intervals import coefficients
from judges.agreement.planning import Design, labels_needed
from judges.stats import mean_estimate, proportion_estimate
from results.agreement_records import COMBINED, AgreementReport, Compat, Corrected, Labels, Scope, Section, Settings
from results.contrasts import contrasts
from results.manifest import Manifest
from results.raters import AgreementError, Rated, planned_people, rated
from results.store import Store

DESIGNS: Final[tuple[Design, ...]] = ("random", "stratified")


def agreement_report(
    store: Store,
    runs: Sequence[Manifest],
    criteria: Sequence[str] = (),
    humans: Sequence[str] = (),
    settings: Settings | None = None,
    brief: bool = False,
) -> AgreementReport:
    """People and judges on the responses of some runs.

    Criteria are never pooled: each has figures of its own, in each run and, with several runs, in all together.

    Args:
        store: The store.
        runs: The runs, at least one.
        criteria: Criteria wanted; all that the runs share if empty.
        humans: People wanted; everybody but settled values if empty.
        settings: What was chosen.
        brief: Agreement alone, without effects of conditions, corrected figures and labels still needed.

    Raises:
        AgreementError: In one line, what the store cannot give.
    """
    if not runs:
        raise AgreementError("no run to report on; `psychosafe runs` lists what there is")
    chosen = settings or Settings()
    found = rated(store, runs, criteria, humans)
    if not any(len(r.raters) > 1 for r in found.values()):
        raise AgreementError("fewer than two raters have rated these runs; `psychosafe import` brings ratings in")
    scopes = _scopes(runs)
    wide = scopes[-1]
    sections = tuple(Section(c, s, _report(found[c], s, runs, chosen)) for s in scopes for c in found)
    return AgreementReport(
        runs=tuple(runs),
        criteria=found,
        scopes=scopes,
        sections=sections,
        contrasts=tuple(contrasts(found, runs, chosen.seed, chosen.level)) if len(runs) > 1 and not brief else (),
        corrected=()
        if brief
        else tuple(x for r in found.values() for m in runs for x in _corrected(r, m.run_id, chosen)),
        labels=()
        if brief
        else tuple(x for s in sections if s.scope == wide for x in _labels(s, found[s.criterion], chosen)),
        compat=tuple(x for s in scopes for x in _compat(found, s)) if chosen.compat else (),
        settings=chosen,
        planned=planned_people(store, runs),
    )


def _scopes(runs: Sequence[Manifest]) -> tuple[Scope, ...]:
    """Each run by what sets it apart (its condition, its label, its id), and all together."""
    one_model = len({m.model.name for m in runs}) == 1
    names = [m.condition.name or "" for m in runs] if one_model and len(runs) > 1 else [m.label for m in runs]
    if len(set(names)) < len(names) or not all(names):
        names = [m.run_id for m in runs]
    each = [Scope(n, (m.run_id,)) for n, m in zip(names, runs, strict=True)]
    return (*each, Scope(COMBINED, tuple(m.run_id for m in runs))) if len(runs) > 1 else tuple(each)


def _report(all_ratings: Rated, scope: Scope, runs: Sequence[Manifest], chosen: Settings) -> CriterionReport:
    here = all_ratings.within(scope.run_ids)
    several = len(scope.run_ids) > 1
    return criterion_report(
        here.raters,
        here.points,
        here.kind,
        lengths=here.lengths if any(x is not None for x in here.lengths) else None,
        # Answers of several systems, and epochs, to one prompt are no independent items.
        sources=[unit[1] for unit in here.units],
        conditions=[unit[0] for unit in here.units] if several else None,
        margin=chosen.margin,
        epsilon=chosen.epsilon,
        seed=chosen.seed,
        level=chosen.level,
    )


def _corrected(all_ratings: Rated, run_id: str, chosen: Settings) -> list[Corrected]:
    here = all_ratings.within([run_id])
    people = [r.values for r in here.of("person")]
    labels = combined_people(people, here.kind, len(here.units))
    made = []
    for judge in (r for r in here.raters if r.role != "person"):
        points = sorted({*here.points, *(v for v in (*judge.values, *labels) if v is not None)})
        given = [v for v in judge.values if v is not None]
        if here.kind == "ordinal":
            figure = "mean"
            raw = mean_estimate(given, (points[0], points[-1]), len(judge.values), chosen.level)
            right = corrected_mean(judge.values, labels, points, chosen.level)
        else:
            best = here.scale.best_value if here.kind == "nominal" else 1.0
            if best is None:
                continue
            figure = f"share of {here.labels[here.points.index(best)]}"
            raw = proportion_estimate([float(v == best) for v in given], len(judge.values), chosen.level)
            right = corrected_rate(judge.values, labels, points, (best,), seed=chosen.seed, confidence=chosen.level)
        made.append(Corrected(here.criterion, run_id, judge.name, figure, raw, right))
    return made


def _labels(section: Section, all_ratings: Rated, chosen: Settings) -> list[Labels]:
    here = all_ratings.within(section.scope.run_ids)
    by_name = {r.name: r for r in here.raters}
    wanted = "quadratic_kappa" if here.kind == "ordinal" else "kappa"
    made = []
    for pair in section.report.pairs:
        if pair.roles[0] != "person" or pair.roles[1] == "person" or len(pair.report.scale) != len(here.points):
            continue
        c = next(c for c in coefficients(here.points, here.kind) if c.name == wanted)
        table = np.array(pair.report.table, dtype=float)
        verdicts = _verdicts(by_name[pair.second], here.points)
        designs = {
            d: labels_needed(c, table, chosen.width, d, verdicts, seed=chosen.seed, level=chosen.level) for d in DESIGNS
        }
        made.append(Labels(section.criterion, section.scope, pair.second, pair.first, wanted, designs))
    return made


def _verdicts(judge: RaterValues, points: Sequence[float]) -> list[int]:
    return [sum(v == p for v in judge.values) for p in points]


def _compat(found: Mapping[str, Rated], scope: Scope) -> list[Compat]:
    here = {c: r.within(scope.run_ids) for c, r in found.items()}
    first = next(iter(here.values()))
    made = []
    for person in first.of("person"):
        for judge in first.of("judge"):
            rows = {
                c: (p.values, j.values)
                for c, r in here.items()
                if (p := _named(r, person.name)) is not None and (j := _named(r, judge.name)) is not None
            }
            made += [Compat(scope, person.name, judge.name, c, published(*both)) for c, both in rows.items()]
            made.append(Compat(scope, person.name, judge.name, "pooled", pooled(rows)))
    return made


def _named(rated_here: Rated, name: str) -> RaterValues | None:
    return next((r for r in rated_here.raters if r.name == name), None)

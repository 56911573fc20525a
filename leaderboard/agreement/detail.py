"""Every figure of the report, one a row: for `--all` and for CSV."""

from __future__ import annotations

from collections.abc import Iterator

from judges.agreement.criterion import Pair
from judges.stats import Estimate
from leaderboard.agreement.words import cell, coverage_note, name, rater
from leaderboard.cli.common import Table
from results.agreement_records import AgreementReport, Section

HEADS = (
    "criterion",
    "responses_of",
    "first",
    "second",
    "figure",
    "value",
    "low",
    "high",
    "n",
    "total",
    "method",
    "reason",
    "beats_null_judges",
    "measured_coverage",
)


def detail_tables(report: AgreementReport) -> list[Table]:
    """For every pair of raters its confusion table and every coefficient."""
    tables = []
    for section in report.sections:
        for pair in section.report.pairs:
            tables += [_confusion(report, section, pair), _coefficients(section, pair)]
    return tables


def _confusion(report: AgreementReport, section: Section, pair: Pair) -> Table:
    rated = report.criteria[section.criterion]
    points = dict(zip(rated.points, rated.labels, strict=True))
    heads = [points.get(v, f"{v:g}") for v in pair.report.scale]
    rows = [(head, *map(str, row), str(sum(row))) for head, row in zip(heads, pair.report.table, strict=True)]
    sums = [sum(column) for column in zip(*pair.report.table, strict=True)]
    rows.append(("all", *map(str, sums), str(sum(sums))))
    title = f"{name(section.criterion)}, {section.scope.name}: {rater(pair.first)} (rows) and {rater(pair.second)}"
    return Table(("", *heads, "all"), rows, title, numeric=range(1, len(heads) + 2))


def _coefficients(section: Section, pair: Pair) -> Table:
    rows = []
    for figure, e in _figures(pair):
        beats = pair.report.beats_nulls(figure)
        rows.append(
            (
                name(figure),
                str(e.n),
                cell(e, figure),
                "" if beats is None else "yes" if beats else "no",
                e.method,
                "; ".join(filter(None, (e.reason, coverage_note(figure, pair.report.kind)))),
            )
        )
    title = f"{name(section.criterion)}, {section.scope.name}: {rater(pair.first)} and {rater(pair.second)}"
    return Table(("Figure", "n", "Value", "Better than null judges", "Interval", "Note"), rows, title, numeric=(1, 2))


def _figures(pair: Pair) -> Iterator[tuple[str, Estimate]]:
    yield from pair.report.estimates.items()
    yield "alpha", pair.alpha
    for form, e in pair.icc.items():
        yield f"ICC({form})", e


def long_rows(report: AgreementReport) -> list[tuple[str, ...]]:
    """Every figure of the report as text cells under `HEADS`, unrounded."""
    rows = []

    def add(criterion: str, scope: str, first: str, second: str, figure: str, e: Estimate, beats: bool | None) -> None:
        numbers = ["" if v is None else repr(float(v)) for v in (e.value, e.low, e.high)]
        told = "" if beats is None else "yes" if beats else "no"
        rated = report.criteria.get(criterion)
        note = coverage_note(figure, rated.kind) if rated and e.low is not None else ""
        rows.append(
            (criterion, scope, first, second, figure, *numbers, str(e.n), str(e.total), e.method, e.reason, told, note)
        )

    for s in report.sections:
        where = s.criterion, s.scope.name
        for pair in s.report.pairs:
            for figure, e in _figures(pair):
                add(*where, pair.first, pair.second, figure, e, pair.report.beats_nulls(figure))
            for c in pair.report.nulls:
                beaten = None if c.beats is None else c.beats
                add(
                    *where, pair.first, pair.second, f"{c.coefficient}, judge minus {c.null} null", c.difference, beaten
                )
        for group, e in s.report.alphas.items():
            add(*where, group, "", "alpha", e, None)
        for group, forms in s.report.icc.items():
            for form, e in forms.items():
                add(*where, group, "", f"ICC({form})", e, None)
        if s.report.errors is not None:
            add(*where, "judges", "people", "mean correlation of errors", s.report.errors.mean, None)
            add(*where, "judges", "people", "effective votes", s.report.errors.votes, None)
        for judge, e in s.report.left_out.items():
            add(*where, judge, "people", "alpha of the panel without it, minus with it", e, None)
        for judge, ceiling in s.report.ceilings.items():
            add(*where, judge, "people", "alpha with people minus people's own", ceiling.difference, None)
        for who, r in s.report.repeats.items():
            for figure in ("alpha", "flips", "distance", "unanimous"):
                add(*where, who, who, f"repeats: {figure}", getattr(r, figure), None)
        for (person, a, b), compared in s.report.comparisons.items():
            for figure, e in compared.differences.items():
                add(*where, person, f"{b} minus {a}", figure, e, None)
    for contrast in report.contrasts:
        scope = f"{contrast.other} minus {contrast.baseline}"
        for who, effect in contrast.effects.items():
            add(contrast.measure, scope, who, "", "effect", effect.difference, None)
        for who, bias in contrast.bias.items():
            add(contrast.measure, scope, who, "people", "change of judge minus people", bias.change, None)
    for x in report.corrected:
        add(x.criterion, x.run_id, x.judge, "", f"{x.figure}, as judged", x.raw, None)
        add(x.criterion, x.run_id, x.judge, "people", f"{x.figure}, corrected", x.corrected, None)
    return rows

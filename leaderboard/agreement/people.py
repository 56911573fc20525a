"""Tables of people among themselves, judges as a panel, and raters over repeats."""

from __future__ import annotations

from leaderboard.agreement.words import cell, name, number, rater, short
from leaderboard.cli.common import Table
from results.agreement_records import AgreementReport, Section


def people_tables(report: AgreementReport, full: bool) -> list[Table]:
    """Alpha and ICC of people and of judges, and each judge beside the people's own agreement."""
    groups, beside = [], []
    for s in _sections(report, full):
        for group, alpha in s.report.alphas.items():
            if alpha.n == 0 and alpha.value is None and group != "people":
                continue
            forms = s.report.icc.get(group, {})
            icc = [cell(forms[f]) if f in forms else "" for f in ("A,1", "C,1", "A,k")]
            label = "people and judges" if group == "both" else group
            groups.append((name(s.criterion), s.scope.name, label, str(alpha.n), cell(alpha), *icc))
        for judge, ceiling in s.report.ceilings.items():
            if ceiling.difference.value is None:
                continue
            test = s.report.alt_tests[judge]
            beside.append(
                (
                    name(s.criterion),
                    s.scope.name,
                    rater(judge),
                    cell(ceiling.judge),
                    cell(ceiling.people),
                    cell(ceiling.difference),
                    _yes(ceiling.non_inferior),
                    _alt(test.judge.winning_rate if test.judge else None, test.reason),
                    cell(test.judge.advantage) if test.judge else "",
                    _passed(test.judge.passed if test.judge else None, test.flag),
                )
            )
    tables = []
    if groups:
        heads = ("Criterion", "Responses of", "Raters", "n", "Alpha", "ICC(A,1)", "ICC(C,1)", "ICC(A,k)")
        tables.append(Table(heads, groups, "Agreement within groups", numeric=range(3, 8)))
    if beside:
        columns = (
            "Criterion",
            "Responses of",
            "Judge",
            "Alpha with people",
            "People's own",
            "Difference",
            f"No worse than people by {number(report.settings.margin)}",
            "Winning rate",
            "Advantage",
            "Alternative annotator test",
        )
        notes = [
            "Alphas are means over pairs of raters; differences paired on responses; the people are taken as given.",
            f"Alternative annotator test: allowance {number(report.settings.epsilon)}; a pass counts only where a "
            "constant judge fails.",
        ]
        tables.append(Table(columns, beside, "Judges beside people's agreement with each other", notes, range(3, 9)))
    return tables


def panel_tables(report: AgreementReport, full: bool) -> list[Table]:
    """How far judges err together, and what each adds."""
    votes, left = [], []
    for s in _sections(report, full):
        errors = s.report.errors
        if errors is None:
            continue
        votes.append(
            (
                name(s.criterion),
                s.scope.name,
                str(len(s.report.judges)),
                str(errors.mean.n),
                errors.errors,
                cell(errors.mean),
                cell(errors.votes, "mae"),
            )
        )
        left += [(name(s.criterion), s.scope.name, rater(j), str(e.n), cell(e)) for j, e in s.report.left_out.items()]
    if not votes:
        return []
    heads = ("Criterion", "Responses of", "Judges", "n", "Errors", "Mean correlation of errors", "Effective votes")
    return [
        Table(heads, votes, "Effective number of judges (Kish)", numeric=(2, 3, 5, 6)),
        Table(
            ("Criterion", "Responses of", "Judge left out", "n", "Change of the panel's alpha with people"),
            left,
            "The panel without one judge",
            ["Above 0 the panel agrees more with people without this judge."],
            numeric=(3, 4),
        ),
    ]


def repeat_lines(report: AgreementReport) -> tuple[str, ...]:
    """Whether anybody rated the same response twice."""
    if any(s.report.repeats for s in report.sections):
        return ()
    return (
        "Not estimable: nobody rated a response twice. Run with `-T repeats=3`, and plan silent repeats for people.",
    )


def repeat_tables(report: AgreementReport, full: bool) -> list[Table]:
    """Each rater's agreement with itself."""
    rows = [
        (
            name(s.criterion),
            s.scope.name,
            rater(who),
            str(r.flips.n),
            cell(r.alpha),
            cell(r.flips),
            cell(r.distance, "mae"),
            cell(r.unanimous),
        )
        for s in _sections(report, full)
        for who, r in s.report.repeats.items()
    ]
    heads = ("Criterion", "Responses of", "Rater", "n", "Alpha", "Flip rate", "Mean distance", "Unanimous")
    return [Table(heads, rows, "Agreement of raters with themselves", numeric=range(3, 8))] if rows else []


def _sections(report: AgreementReport, full: bool) -> list[Section]:
    """All sections, or those of the widest scope."""
    return [s for s in report.sections if full or s.scope == report.scopes[-1]]


def _yes(verdict: bool | None) -> str:
    return "cannot be told" if verdict is None else "yes" if verdict else "not shown"


def _alt(rate: float | None, reason: str) -> str:
    return number(rate) if rate is not None else short(reason)


def _passed(passed: bool | None, flag: str) -> str:
    if passed is None:
        return "not estimable"
    return f"means nothing: {flag}" if flag else "passed" if passed else "not passed"

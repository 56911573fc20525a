"""Tables of judges against people: coefficients, null judges, missing ratings."""

from __future__ import annotations

from collections.abc import Iterator

from judges.agreement.criterion import Pair
from judges.agreement.intervals import FEW
from judges.stats.families import holm
from leaderboard.agreement.words import (
    BRIEF,
    COLUMNS,
    HEADLINE,
    cell,
    coverage_note,
    name,
    number,
    rater,
    short,
)
from leaderboard.cli.common import Table, p_value
from results.agreement_records import AgreementReport, Section

NULLS = {
    "constant": "one value",
    "random": "by chance",
    "length": "by length",
    "condition": "by condition",
}
"""What each null judge goes by."""


def with_people(report: AgreementReport, criterion: str) -> Iterator[tuple[Section, Pair]]:
    """Every pair of a person with a judge or the panel, scope by scope."""
    for section in (s for s in report.sections if s.criterion == criterion):
        for pair in section.report.pairs:
            if pair.roles[0] == "person" and pair.roles[1] != "person":
                yield section, pair


def pair_tables(report: AgreementReport, full: bool) -> list[Table]:
    """A table a criterion: each person with each judge, in each run and in all together."""
    tables = []
    for criterion, rated in report.criteria.items():
        columns = (COLUMNS if full else BRIEF)[rated.kind]
        rows = [
            (
                section.scope.name,
                rater(pair.first),
                rater(pair.second),
                _count(pair),
                *(cell(pair.report.estimates[c], c) for c in columns),
                cell(pair.alpha),
                beats(pair, HEADLINE[rated.kind]),
            )
            for section, pair in with_people(report, criterion)
        ]
        if not rows:
            continue
        heads = ("Responses of", "Person", "Judge", "n", *map(name, columns), "Alpha", "Beats null judges")
        notes = _notes(report, criterion)
        title = f"{name(criterion)} ({rated.kind}{', 1 to ' + rated.labels[-1] if rated.kind == 'ordinal' else ''})"
        tables.append(Table(heads, rows, title, notes, numeric=range(3, len(heads) - 1)))
    return tables


def _count(pair: Pair) -> str:
    n, total = pair.report.n, pair.report.total
    return str(n) if n == total else f"{n} of {total}"


def _notes(report: AgreementReport, criterion: str) -> list[str]:
    """How the intervals were made, and which figure decides on null judges."""
    found = [pair for _, pair in with_people(report, criterion)]
    kind = report.criteria[criterion].kind
    methods = dict.fromkeys(
        f"{name(c)}: {e.method}"
        for pair in found
        for c in COLUMNS[kind]
        if (e := pair.report.estimates[c]).method and c in ("agreement", HEADLINE[kind])
    )
    alphas = dict.fromkeys(f"alpha: {p.alpha.method}" for p in found if p.alpha.method)
    level = f"{100 * report.settings.level:.0f} % intervals"
    notes = [f"{level}. {'; '.join([*methods, *alphas])}."]
    missed = [f"{name(c)}: {note}" for c in (*COLUMNS[kind], "alpha") if (note := coverage_note(c, kind))]
    if missed:
        notes.append(f"Intervals that miss what they promise (docs/coverage.md): {'; '.join(missed)}.")
    notes.append(
        f"Null judges read nothing; beaten by {name(HEADLINE[kind]).lower()}, where the paired interval excludes 0."
    )
    for section, pair in with_people(report, criterion):
        lacking = [
            f"{name(c)} {short(e.reason)}" for c in COLUMNS[kind] if (e := pair.report.estimates[c]).value is None
        ]
        if lacking:
            who = f"{rater(pair.first)} and {rater(pair.second)}, {section.scope.name}"
            notes.append(f"{who}: {'; '.join(lacking)}.")
    if any(pair.report.n < FEW for pair in found):
        notes.append("Below 30 responses the intervals are known to be too narrow.")
    return notes


def beats(pair: Pair, coefficient: str) -> str:
    """Whether a judge beats every null judge by a coefficient, else which it does not."""
    verdict = pair.report.beats_nulls(coefficient)
    if verdict is None:
        return "cannot be told" if pair.report.n >= FEW else f"cannot be told below {FEW}"
    told = [c for c in pair.report.nulls if c.coefficient == coefficient]
    lost = [NULLS[c.null] for c in told if c.beats is False]
    return "yes" if verdict else f"no: {', '.join(lost)}"


def null_lines(report: AgreementReport) -> tuple[str, ...]:
    """What the null judges are."""
    if not any(True for c in report.criteria for _ in with_people(report, c)):
        return ()
    lines = ["A null judge reads nothing: it gives one value throughout, or draws by the person's own shares"]
    if any(c.null == "condition" for s in report.sections for p in s.report.pairs for c in p.report.nulls):
        lines[0] += ", or knows only which run the response is from"
    lines[0] += ", or only how long it is. A coefficient that does not beat these says nothing of reading."
    return tuple(lines)


def null_tables(report: AgreementReport, full: bool) -> list[Table]:
    """A table a criterion: the headline coefficient of each judge beside that of each null judge; in full only."""
    if not full:
        return []
    tables = []
    for criterion, rated in report.criteria.items():
        rows = []
        for section, pair in with_people(report, criterion):
            for c in (c for c in pair.report.nulls if c.coefficient == HEADLINE[rated.kind]):
                verdict = "cannot be told" if c.beats is None else "yes" if c.beats else "no"
                rows.append(
                    (
                        section.scope.name,
                        rater(pair.first),
                        rater(pair.second),
                        number(c.judge),
                        NULLS[c.null],
                        number(c.value),
                        cell(c.difference),
                        verdict,
                    )
                )
        if rows:
            heads = ("Responses of", "Person", "Judge", "Judge's", "Null judge", "Null's", "Difference", "Better")
            title = f"{name(criterion)}: {name(HEADLINE[rated.kind]).lower()} beside null judges"
            tables.append(Table(heads, rows, title, numeric=(3, 5, 6)))
    return tables


def missing_lines(report: AgreementReport) -> tuple[str, ...]:
    """Whether anything is missing."""
    if missing_tables(report, True):
        return ("A missing rating is never counted as a value; the figures rest on what both raters gave.",)
    return ("No rating is missing.",)


def missing_tables(report: AgreementReport, full: bool) -> list[Table]:
    """How many ratings each rater did not give, by cause."""
    rows = []
    for criterion, rated in report.criteria.items():
        for r in rated.raters:
            asked = sum(r.asked) if r.asked else len(r.values)
            causes: dict[str, int] = {}
            for v, status, was in zip(r.values, r.statuses, r.asked, strict=True):
                if was and v is None:
                    causes[status or "not stated"] = causes.get(status or "not stated", 0) + 1
            if causes:
                told = ", ".join(f"{n} {cause.replace('_', ' ')}" for cause, n in sorted(causes.items()))
                rows.append((name(criterion), rater(r.name), str(asked), str(asked - sum(causes.values())), told))
    heads = ("Criterion", "Rater", "Asked", "Given", "Missing, by cause")
    return [Table(heads, rows, "Missing ratings", numeric=(2, 3))] if rows else []


def nearer_tables(report: AgreementReport, full: bool) -> list[Table]:
    """Two judges against the same person: which is nearer, in the widest scope; in full only."""
    if not full:
        return []
    found = []
    for s in (s for s in report.sections if s.scope == report.scopes[-1]):
        headline = HEADLINE[report.criteria[s.criterion].kind]
        for (person, a, b), c in s.report.comparisons.items():
            found.append((s.criterion, person, a, b, c.n, c.differences[headline], c.mcnemar))
    adjusted = iter(holm([p for *_, p in found if p is not None]))
    rows = [
        (
            name(criterion),
            rater(person),
            rater(a),
            rater(b),
            str(n),
            cell(e),
            p_value(p),
            "not tested" if p is None else p_value(next(adjusted)),
        )
        for criterion, person, a, b, n, e, p in found
    ]
    heads = ("Criterion", "Person", "First", "Second", "n", "Second minus first", "McNemar p", "p (Holm)")
    notes = [
        "Difference of kappa (quadratic on ordinal scales), paired; McNemar's mid-p on binary criteria, Holm over all."
    ]
    return [Table(heads, rows, "Which of two judges is nearer to a person", notes, (4, 5, 6, 7))] if rows else []

"""What a report of agreement should say, filled in from the data, with what is missing named.

The fifteen items of the GRRAS guideline (Kottner et al. 2011) and what has since been asked of studies that use
language models as judges, in our own words. What a report cannot know of its study (why it was done, who the people
are) is named as the author's to write, never filled in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from leaderboard.agreement.words import name, number, rater
from leaderboard.cli.common import Table
from results.agreement_records import AgreementReport

State = Literal["filled", "in part", "missing", "yours to write"]


@dataclass(frozen=True)
class Entry:
    """One thing that a report should say.

    Attributes:
        item: Its number: G1 to G15 for GRRAS, L1 and on for judges that are language models.
        asks: What is asked.
        state: Whether the data answer it.
        says: The answer, or what is missing.
    """

    item: str
    asks: str
    state: State
    says: str


def checklist_table(report: AgreementReport) -> Table:
    """The checklist as a table."""
    entries = checklist(report)
    rows = [(e.item, e.asks, e.state, e.says) for e in entries]
    filled = sum(e.state == "filled" for e in entries)
    lacking = [e.item for e in entries if e.state in ("missing", "in part")]
    told = f"; missing or in part: {', '.join(lacking)}." if lacking else "."
    notes = [f"{filled} of {len(entries)} filled from the data{told}"]
    return Table(("Item", "Asks for", "State", "Answer, or what is missing"), rows, "Reporting checklist", notes)


def checklist(report: AgreementReport) -> tuple[Entry, ...]:
    """Every entry, in order."""
    from leaderboard.agreement.checklist_judges import judge_entries  # it needs `Entry`

    return (*_instrument(report), *_study(report), *_results(report), *judge_entries(report))


def _instrument(r: AgreementReport) -> Iterator[Entry]:
    yield Entry("G1", "The title or abstract says that agreement or reliability was studied", "yours to write", "")
    rubrics = ", ".join(dict.fromkeys(m.rubric.name or "not stated" for m in r.runs))
    scales = "; ".join(f"{name(c)} ({x.kind}: {', '.join(x.labels)})" for c, x in r.criteria.items())
    worded = all(m.rubric.sha256 for m in r.runs)
    lack = "" if worded else "; the wording that the raters saw is not on record"
    yield Entry("G2", "The instrument", "filled" if worded else "in part", f"rubric {rubrics}; {scales}{lack}")
    items = ", ".join(f"{m.label}: {m.prompt_set.scored} items" for m in r.runs)
    yield Entry("G3", "What was rated", "filled", items)
    people = "one person" if len(r.people) == 1 else f"{len(r.people)} people"
    says = f"{people}, {len(r.judges)} judges; whom the people stand for is yours to write"
    yield Entry("G4", "Whom the raters stand for", "in part" if r.people else "missing", says)
    yield Entry("G5", "What is known already, and why the study was done", "yours to write", "")


def _study(r: AgreementReport) -> Iterator[Entry]:
    says = (
        f"labels for intervals of width {number(r.settings.width)} stand under `Labels still needed`; why this width, "
        "and whether it was fixed beforehand, is yours to write"
    )
    yield Entry("G6", "How the numbers were chosen", "in part" if r.labels else "missing", says)
    planned = bool(r.people) and set(r.people) <= r.planned
    none = "not on record: the ratings were imported; `psychosafe annotate plan` records it"
    for item, asks, says in (
        ("G7", "How raters and responses were sampled", "strata, seed and weights are in the annotation plan"),
        ("G8", "How the rating was done", "blind, one response at a time, in an order drawn for each person"),
        ("G9", "Whether the raters were independent", "nobody saw another's ratings, a judge's, or the system"),
    ):
        yield Entry(item, asks, "filled" if planned else "missing", says if planned else none)
    level = 100 * r.settings.level
    used = dict.fromkeys(
        e.method.split(",")[0]
        for s in r.sections
        for p in s.report.pairs
        for e in (*p.report.estimates.values(), p.alpha)
        if e.method
    )
    says = (
        f"{level:.0f} % intervals: {'; '.join(used)}; nulls paired; Holm where tests are many; seed {r.settings.seed}"
    )
    yield Entry("G10", "The statistical analysis", "filled", says)


def _results(r: AgreementReport) -> Iterator[Entry]:
    wide = [s for s in r.sections if s.scope == r.scopes[-1]]
    counts = []
    for s in wide:
        given = [p.report.n for p in s.report.pairs]
        if given:
            span = f"{min(given)}" if min(given) == max(given) else f"{min(given)} to {max(given)}"
            counts.append(f"{name(s.criterion)}: {span} of {s.report.responses} responses a pair of raters")
    says = f"{len(r.people)} people, {len(r.judges)} judges; {'; '.join(counts)}"
    yield Entry("G11", "How many raters and responses there were in the end", "filled", says)
    judges = ", ".join(map(rater, r.judges)) or "none"
    says = f"judges: {judges}; the people's training and experience are not on record"
    yield Entry("G12", "Who the raters are: training, experience", "in part" if r.judges else "missing", says)
    again = "" if any(s.report.repeats for s in r.sections) else "; no rater rated twice"
    says = f"every coefficient with n, interval and method{again}"
    yield Entry("G13", "Reliability and agreement, with uncertainty", "filled" if r.people else "in part", says)
    if r.contrasts:
        bias = [f"{rater(j)} on {name(c.measure).lower()}" for c in r.contrasts for j in c.bias if c.flagged(j)]
        tested = any(c.adjusted for c in r.contrasts)
        none = "no error is shown to depend on it" if tested else "without people no judge's error can be told"
        says = f"error depends on the condition: {', '.join(bias)}" if bias else none
        yield Entry("G14", "What the results mean in practice", "filled" if tested else "in part", says)
    else:
        says = "one condition: nothing is known of what the judges do to a comparison"
        yield Entry("G14", "What the results mean in practice", "in part", says)
    says = "`psychosafe agreement --format json` or `csv`, recomputed from the store"
    yield Entry("G15", "Detailed results can be had", "filled", says)

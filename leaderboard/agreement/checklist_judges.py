"""The part of the checklist that is about judges that are language models."""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.agreement.checklist import Entry
from leaderboard.agreement.words import rater
from results.agreement_records import AgreementReport


def judge_entries(r: AgreementReport) -> Iterator[Entry]:
    """L1 and on."""
    yield from _seats(r)
    people, judges = bool(r.people), len(r.judges) > 1
    says = "both, criterion by criterion, never pooled" if people and judges else "no person" if judges else "one judge"
    yield Entry("L3", "Judges with people, and with each other", "filled" if people and judges else "in part", says)
    nulls = [c for s in r.sections for p in s.report.pairs for c in p.report.nulls]
    lengths = any(c.null == "length" and c.beats is not None for c in nulls)
    yield Entry(
        "L4",
        "What a judge that reads nothing would score",
        "filled" if lengths else "in part" if nulls else "missing",
        "constant, random and length-only judges stand beside the coefficients"
        if lengths
        else "constant and random judges; the lengths of the responses are not on record"
        if nulls
        else "takes people's ratings",
    )
    again = any(j in r.judges for s in r.sections for j in s.report.repeats)
    says = "repeated rounds under `Raters with themselves`" if again else "nobody judged twice: `-T repeats=3`"
    yield Entry("L5", "Whether a judge agrees with itself", "filled" if again else "missing", says)
    families = [m.self_family for m in r.runs]
    says = "a judge is, in some runs" if True in families else "no" if None not in families else "a family is not known"
    yield Entry(
        "L6", "Whether a judge is of the family that it judges", "in part" if None in families else "filled", says
    )
    yield from _consequences(r)


def _seats(r: AgreementReport) -> Iterator[Entry]:
    seats = {j.id: j for m in r.runs for j in m.panel.judges if j.kind != "human"}
    told = all(j.kind == "rule" or j.config for j in seats.values())
    says = "; ".join(
        f"{rater(j.id)}: {', '.join(f'{k}={v}' for k, v in j.config.items()) or 'settings not on record'}"
        for j in seats.values()
    )
    state = "filled" if seats and told else "in part" if seats else "missing"
    yield Entry("L1", "Each judge's exact model and settings", state, says or "no judge")  # type: ignore[arg-type]
    prompts = [m.panel.prompt for m in r.runs]
    known = ", ".join(dict.fromkeys(str(p) for p in prompts if p))
    complete = bool(prompts) and all(prompts)
    yield Entry("L2", "The judges' prompt", "filled" if complete else "missing", known if complete else "not on record")


def _consequences(r: AgreementReport) -> Iterator[Entry]:
    tested = any(c.bias for c in r.contrasts)
    says = "tested, Holm over all tests" if tested else "takes people's ratings of the same items under two conditions"
    yield Entry("L7", "Whether its error depends on the condition", "filled" if tested else "missing", says)
    labelled = {c.run_id for c in r.corrected if c.corrected.value is not None}
    complete = len(labelled) == len(r.runs)
    says = f"{len(labelled)} of {len(r.runs)} runs have labels of their own"
    state = "filled" if complete else "in part" if labelled else "missing"
    yield Entry("L8", "Rates corrected for the judge's errors", state, says)  # type: ignore[arg-type]
    ceiling = any(c.difference.value is not None for s in r.sections for c in s.report.ceilings.values())
    says = "under `People with each other`" if ceiling else "takes two people or more on the same responses"
    yield Entry("L9", "People's own agreement as the ceiling", "filled" if ceiling else "missing", says)
    causes = [
        status
        for rated in r.criteria.values()
        for x in rated.raters
        for v, status, asked in zip(x.values, x.statuses, x.asked, strict=True)
        if asked and v is None
    ]
    says = "under `Missing ratings`" if all(causes) else "counted; why they are missing is not stated by the source"
    yield Entry("L10", "Missing verdicts, by cause", "filled" if all(causes) else "in part", says)

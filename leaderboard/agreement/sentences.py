"""One sentence a claim, in the form that the APA asks for: statistic, interval, N."""

from __future__ import annotations

from collections import Counter
from typing import Final

from judges.agreement.ceiling import Ceiling
from judges.agreement.criterion import Pair
from judges.stats import Estimate
from leaderboard.agreement.pairs import NULLS, with_people
from leaderboard.agreement.words import (
    HEADLINE,
    SYMBOLS,
    bracket,
    coverage_note,
    name,
    number,
    percent,
    rater,
    short,
)
from leaderboard.cli.common import p_value
from results.agreement_records import AgreementReport, Section
from results.contrasts import OVERALL, Contrast

LINES: Final = tuple[str, ...]


def pair_sentences(report: AgreementReport) -> tuple[str, ...]:
    """Each judge with each person on each criterion, in the widest scope."""
    wide = report.scopes[-1]
    lines = []
    for criterion, rated in report.criteria.items():
        for section, pair in with_people(report, criterion):
            if section.scope == wide:
                lines.append(_pair(report, criterion, pair, HEADLINE[rated.kind]))
    if not report.people:
        lines.append("No person has rated these runs: nothing is known of how far the judges can be trusted.")
    return tuple(lines)


def _pair(report: AgreementReport, criterion: str, pair: Pair, headline: str) -> str:
    share, e = pair.report.estimates["agreement"], pair.report.estimates[headline]
    level = f"{100 * report.settings.level:.0f}% CI"
    who = f"{rater(pair.second)} agreed with {rater(pair.first)} on {name(criterion).lower()}"
    if share.value is None:
        return f"{who}: {short(share.reason)}."
    text = f"{who} in {percent(share.value).replace(' ', '')} of {pair.report.n} responses, {level} {_shares(share)}"
    text += f"; {SYMBOLS[headline]} {_statistic(e, level)}, N = {pair.report.n}"
    note = coverage_note(headline, pair.report.kind)
    text += f" ({note})" if note else ""
    verdict = pair.report.beats_nulls(headline)
    if verdict is not None:
        lost = [NULLS[c.null] for c in pair.report.nulls if c.coefficient == headline and c.beats is False]
        text += ", better than every null judge" if verdict else f", not shown to be better than judging {_and(lost)}"
    if pair.report.kind == "ordinal" and (bias := pair.report.estimates["bias"]).value is not None:
        text += f"; bias {number(bias.value, 'bias')} points, {level} {bracket(bias, 'bias')}"
    return f"{text}."


def _shares(e: Estimate) -> str:
    """An interval of a share in percent."""
    low, high = percent(e.low).replace(" ", ""), percent(e.high).replace(" ", "")
    return f"[{low}, {high}]"


def _statistic(e: Estimate, level: str) -> str:
    """`= .61, 95% CI [.42, .75]`, or why there is no value; the interval may stand without one."""
    span = bracket(e)
    if e.value is None:
        return f"is {short(e.reason)}" + (f" ({level} {span})" if span else "")
    value = f"= {number(e.value)}, " + (f"{level} {span}" if span else "without an interval")
    return f"{value} ({e.reason.split(';')[0]})" if e.reason and "constant" in e.reason else value


def effect_sentences(report: AgreementReport) -> tuple[str, ...]:
    """What each contrast is by the people and by the judges, and whose error moves with the condition."""
    lines = []
    for c in report.contrasts:
        if c.measure == OVERALL or OVERALL not in {x.measure for x in report.contrasts}:
            lines.append(_effect(report, c))
    flagged: dict[str, list[str]] = {}
    tested = 0
    for c in report.contrasts:
        tested += sum(p is not None for p in c.adjusted.values())
        for judge in c.bias:
            if c.flagged(judge):
                flagged.setdefault(judge, []).append(_change(c, judge))
    if flagged:
        lines += [f"{rater(j)}'s error depends on the condition: {'; '.join(found)}." for j, found in flagged.items()]
        lines.append(
            "Where the error depends on the condition, that judge's difference between conditions is not what people "
            "would have found; use the corrected figures, or people."
        )
    elif tested:
        lines.append(
            f"In none of {tested} tests does a judge's error depend on the condition (Holm); absence is not shown."
        )
    return tuple(lines)


def _effect(report: AgreementReport, c: Contrast) -> str:
    seen = []
    people = set(report.people)
    for who, e in c.effects.items():
        if e.difference.value is None:
            continue
        relative = "" if e.relative is None else f" ({percent(e.relative, 0, signed=True).replace(' ', '')})"
        span = bracket(e.difference, "mae")
        label = rater(who) if who not in people else f"{rater(who)}, a person,"
        seen.append(f"{label} {e.difference.value:+.2f}{relative} {span}".rstrip())
    against = f"{report.short(c.other)} against {report.short(c.baseline)}"
    items = max((e.difference.n for e in c.effects.values()), default=0)
    return f"{name(c.measure)}, {against}, as each rater sees it: {'; '.join(seen)}; N = {items} pairs."


def _change(c: Contrast, judge: str) -> str:
    b = c.bias[judge]
    value = b.change.value or 0.0
    # An effect may be negative itself: a fall that is judged too deep is not "too small".
    way = "too low" if value < 0 else "too high"
    return (
        f"{name(c.measure).lower()} {value:+.2f} {bracket(b.change, 'mae')}, p (Holm) {_p(c.adjusted[judge])}, "
        f"so the effect comes out {way}"
    )


def _p(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"


def people_sentences(report: AgreementReport) -> tuple[str, ...]:
    """How far people agree with each other, and what one person cannot tell."""
    lines = []
    level = f"{100 * report.settings.level:.0f}% CI"
    for s in _widest(report):
        if len(s.report.people) >= 2:
            alpha = s.report.alphas["people"]
            lines.append(
                f"{len(s.report.people)} people rated {name(s.criterion).lower()}: Krippendorff's α "
                f"{_statistic(alpha, level)}, N = {alpha.n}."
            )
            lines += [
                _ceiling(judge, c, level) for judge, c in s.report.ceilings.items() if c.difference.value is not None
            ]
    if len(report.people) == 1:
        lines.append(
            "One person rated: human agreement, the human ceiling and the alternative annotator test are not "
            "estimable. Have two people or more rate the same 50 to 100 responses, three for a stable ceiling."
        )
    return tuple(lines)


def _ceiling(judge: str, c: Ceiling, level: str) -> str:
    gap = c.difference.value or 0.0
    told = f"({level} {bracket(c.difference)})" if c.difference.low is not None else "(without an interval)"
    if gap >= 0:
        return f"{rater(judge)}'s alpha with people is {number(gap)} above people's own {told}."
    verdict = "no worse than people" if c.non_inferior else "not shown to be no worse than people"
    below = f"{rater(judge)}'s alpha with people is {number(-gap)} below people's own {told}"
    return f"{below}: {verdict} by {number(c.margin)}."


def panel_sentences(report: AgreementReport) -> tuple[str, ...]:
    """How many votes the panel is worth."""
    lines = []
    level = f"{100 * report.settings.level:.0f}% CI"
    for s in _widest(report):
        errors = s.report.errors
        if errors is None:
            continue
        m = len(s.report.judges)
        if errors.votes.value is None:
            lines.append(
                f"On {name(s.criterion).lower()} the judges' errors have no correlation: {errors.mean.reason}."
            )
            continue
        lines.append(
            f"On {name(s.criterion).lower()} the errors of {m} judges correlate at r "
            f"{_statistic(errors.mean, level)}: they are worth {number(errors.votes.value, 'mae')} independent votes"
            f"{', ' + level + ' ' + bracket(errors.votes, 'mae') if errors.votes.low is not None else ''}, "
            f"N = {errors.votes.n}."
        )
    return tuple(lines)


def _widest(report: AgreementReport) -> list[Section]:
    return [s for s in report.sections if s.scope == report.scopes[-1]]


def _and(words: list[str]) -> str:
    counted = list(Counter(words))
    return counted[0] if len(counted) == 1 else f"{', '.join(counted[:-1])} or {counted[-1]}"

"""What the page on judges says: its sentence and its tables, as text from the figures of `results.judging`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from judges.agreement.alpha_resample import MINIMUM
from judges.stats import Estimate
from leaderboard import present
from leaderboard.agreement.words import bracket, name, number, short
from results.grid import Grid
from results.judging import (
    SHOWN,
    FamilyBias,
    JudgeAgreement,
    Severity,
    family_bias,
    judge_agreement,
    severity,
    verdicts,
)
from results.measure import kind_of
from results.recombined import LeaveOneOut, leave_one_out

SHOWN_RUNS: Final = 200
"""Rows of the table of ranks; of more runs, those that move most."""
Row = dict[str, str]


@dataclass(frozen=True)
class Judging:
    """One criterion of a grid, as its judges see it.

    Attributes:
        criterion: Its id.
        label: How people read it; of a nominal criterion with the best category.
        agreement: How far the judges agree.
        severity: Each judge beside the others; empty with one judge.
        left: The order of the runs without each judge; None with one judge or one run.
        families: Each judge on its own family.
        items: Items that should have a verdict.
        spoken: Whether the items are dialogues.
    """

    criterion: str
    label: str
    agreement: JudgeAgreement
    severity: tuple[Severity, ...]
    left: LeaveOneOut | None
    families: tuple[FamilyBias, ...]
    items: int
    spoken: bool = False


def judging(grid: Grid, criterion: str) -> Judging:
    """Everything that the page says of the judges on one criterion, but repeats and people.

    Raises:
        KeyError: No such criterion.
    """
    found = verdicts(grid, criterion)
    return Judging(
        criterion,
        kind_of(grid.runs[0], criterion).label,
        judge_agreement(found),
        severity(found),
        leave_one_out(found, grid),
        family_bias(found, grid),
        int(found.due.any(axis=(0, 2)).sum()),
        any(i.risk_turn for i in grid.items),
    )


def sentence(found: Judging) -> str:
    """What can be said of the judges in one sentence; with one judge, what would be needed. Names are untrusted."""
    label, a = present.plain(name(found.criterion), 60).lower(), found.agreement
    if not a.judges and found.spoken:
        return (
            f"Dialogues are judged turn by turn, and {label} has no verdict on a whole one: nothing is told of judges."
        )
    if not a.judges:
        return f"No verdict of a single judge on {label} is in this group, so nothing can be told of its judges."
    if len(a.judges) == 1:
        return (
            f"One judge, {_judge(a.judges[0])}, rated {label} here: agreement between judges, severity and the order "
            "without one of them cannot be told."
        )
    on = f"{a.alpha.n} of {a.alpha.total} responses with two verdicts or more"
    told = f"On {label}, {len(a.judges)} judges agree at Krippendorff's alpha {_told(a.alpha)} ({on})"
    return f"{told}; {_extreme(found)}; {_moved(found.left)}."


def needed(found: Judging) -> tuple[str, str]:
    """What it takes to say more of a panel of one: a line of our own, and the command."""
    line = (
        "It takes a panel of two judges or more on the same answers. Judge the finished logs again with one; "
        "the answers are not asked for anew."
    )
    if found.spoken and not found.agreement.judges:
        line = "Agreement between judges turn by turn is not shown here; people's and judges' stands in the report."
        return line, "psychosafe agreement --runs RUN"
    if not found.agreement.judges:
        line = "Ingest logs of runs with a panel, or judge finished logs again; an import has what its source states."
    return line, "psychosafe rejudge LOG... --judges PANEL"


def cell(e: Estimate, figure: str = "") -> str:
    """Value and interval of a coefficient, or why there is none."""
    if e.value is None:
        return f"{short(e.reason)} {bracket(e, figure)}".strip()
    why = present.plain(e.reason, 90, ends=False)
    return f"{number(e.value, figure)} {bracket(e, figure) or (f'(no interval: {why})' if why else '(no interval)')}"


def pair_rows(a: JudgeAgreement) -> list[Row]:
    """Every two judges, a row each, with alpha and the coefficients of the scale."""
    rows = []
    for p in a.pairs:
        cells = {name(c): cell(p.estimates[c], c) for c in SHOWN[a.kind]}
        rows.append(
            {
                "First": _judge(p.first),
                "Second": _judge(p.second),
                "Responses": present.coverage(p.alpha),
                "Alpha": cell(p.alpha),
                **cells,
            }
        )
    return rows


def methods(a: JudgeAgreement) -> str:
    """How each interval of the table of pairs was made; empty where there is none."""
    made = dict.fromkeys(
        f"{what}: {e.method}"
        for p in a.pairs
        for what, e in (("Alpha", p.alpha), *((name(c), p.estimates[c]) for c in SHOWN[a.kind]))
        if e.method
    )
    return "\n".join(made)


def pair_notes(a: JudgeAgreement, items: int) -> list[str]:
    """What the figures rest on, and what they leave out."""
    notes = []
    shared = a.alpha.total > items
    if shared:
        notes.append(
            f"{a.alpha.total} responses answer {items} item{'s' * (items != 1)}: answers to one item are no "
            "independent evidence, and the intervals are as wide as that asks for."
        )
    if a.runs < a.of:
        notes.append(f"Agreement rests on {a.runs} of {a.of} runs, evenly spaced by id; all else on every run.")
    if min(items, a.alpha.n) < MINIMUM and a.pairs:
        notes.append(f"Below {MINIMUM} items the intervals are known to be too narrow (docs/coverage.md).")
    if "bias" in SHOWN[a.kind]:
        notes.append("Bias: second minus first judge, in points of the scale.")
    if a.silent:
        who = ", ".join(map(_judge, a.silent))
        notes.append(f"No verdict on this criterion from {who}: no rule for it, or it failed throughout.")
    return notes


def severity_rows(found: Judging) -> list[Row]:
    """Each judge's mean and distance from the others."""
    return [
        {
            "Judge": _judge(s.judge),
            "Mean": present.number(s.mean),
            "Above the others": present.number(s.others, signed=True),
            "Items": present.coverage(s.others),
        }
        for s in found.severity
    ]


def left_rows(left: LeaveOneOut) -> list[Row]:
    """The order of the runs with all judges and without each; rank, and mean in brackets."""
    rows = []
    for at in shown_runs(left, SHOWN_RUNS):
        rank = "undefined: no item has a value" if left.ranks[at] is None else str(left.ranks[at])
        span = f" [{left.intervals[at].low}, {left.intervals[at].high}]" if left.intervals else ""
        row = {
            "Run": present.plain(left.runs[at].label, 90),
            "All judges": f"{rank}{span}",
            "Mean": present.fixed(left.means[at]),
            "Moves by": str(left.moves(at)),
        }
        for x in left.left:
            own = x.ranks[at]
            cell = "undefined" if own is None else f"{own} ({present.fixed(x.means[at])})"
            row[f"Without {_judge(x.judge)}"] = cell
        rows.append(row)
    return rows


def left_notes(left: LeaveOneOut) -> list[str]:
    """What the ranks rest on, and how like the orders are."""
    kinds = {"model": "models", "published": "imported runs", "reference": "reference policies"}
    kind = kinds[left.runs[0].kind]
    basis = (
        f"on the {left.common} item{'s' * (left.common != 1)} on which all of them have a value whoever is left out"
        if left.common
        else "each on its own items: fewer than half of the items have a value in all of them"
    )
    notes = [
        f"{len(left.runs)} {kind}, {basis}. Values are combined anew by the panel's rules. "
        + ("Brackets behind a rank: its 95 % interval by all judges." if left.intervals else "No rank intervals here.")
    ]
    taus = [
        f"without {_judge(x.judge)} {present.fixed(x.tau) if x.tau is not None else 'undefined: one order is all ties'}"
        for x in left.left
    ]
    notes.append(f"Kendall's tau-b with the order by all judges: {'; '.join(taus)}.")
    if left.same is not None and left.same < 1:
        notes.append(
            f"Combining all judges anew gives the recorded value on {100 * left.same:.1f} % of the responses; the rest "
            "were not combined from verdicts by these rules (answers that are not judged, other rules of the source)."
        )
    if len(left.runs) > SHOWN_RUNS:
        notes.append(f"The table shows the {SHOWN_RUNS} runs that move most.")
    return notes


def shown_runs(left: LeaveOneOut, most: int) -> list[int]:
    """Places of the runs to show, best first: all, or those that move most."""
    places = range(len(left.runs))
    if len(left.runs) <= most:
        return list(places)
    return sorted(sorted(places, key=lambda at: (-left.moves(at), at))[:most])


def family_rows(families: Sequence[FamilyBias]) -> list[Row]:
    """Each judge on its own family's answers beside others'."""
    return [
        {
            "Judge": _judge(f.judge),
            "Family": present.plain(f.family or "not known, or none", 40),
            "Own runs": str(f.own),
            "Other runs": str(f.rest),
            "Kinder to its own by": present.number(f.difference, signed=True),
            "Items": present.coverage(f.difference),
        }
        for f in families
    ]


def family_line(families: Sequence[FamilyBias]) -> str:
    """What can be told of judges and their own family. Names are untrusted."""
    known = [f for f in families if f.difference.value is not None]
    if not known:
        reasons = "; ".join(dict.fromkeys(f.difference.reason for f in families)) or "no judge gave a value"
        return f"Whether a judge favours its own family cannot be told: {reasons}."
    apart = [f for f in known if f.difference.low is not None and f.difference.low > 0]
    if not apart:
        return (
            f"Of {len(known)} judge{'s' * (len(known) != 1)} that can be checked, none is shown to be kinder to its "
            "own family; absence is not shown."
        )
    who = ", ".join(f"{_judge(f.judge)} by {present.number(f.difference, signed=True)}" for f in apart)
    return f"Kinder to its own family than judges of other families are: {who}; not corrected for several judges."


def card_command(grid: Grid) -> str:
    """The command that checks this panel and writes its card; names quoted for a shell."""
    m = grid.runs[0]
    rubric = (m.rubric.name or "").split("@")[0]
    given = {"psychosafe": "psychosafe", "psychosafe_paper": "paper", "paper": "paper"}.get(rubric, "RUBRIC.yaml")
    panel = shlex.quote(present.plain(m.panel.name, 60)) if m.panel.name else "PANEL.yaml"
    return f"psychosafe judge check {panel} --rubric {given} --card cards"


def _extreme(found: Judging) -> str:
    """Who gives the highest values, where that is shown."""
    known = [s for s in found.severity if s.others.value is not None]
    if not known:
        return "no response has a verdict of all of them"
    top = max(known, key=lambda s: s.others.value or 0.0)
    low = min(known, key=lambda s: s.others.value or 0.0)
    shown = [s for s in (top, low) if s.others.low is not None and s.others.high is not None]
    shown = [s for s in shown if (s.others.low or 0.0) > 0 or (s.others.high or 0.0) < 0]
    if not shown:
        return "none is shown to give higher or lower values than the others"
    parts = []
    for s in dict.fromkeys(shown):
        way = "highest" if (s.others.value or 0.0) > 0 else "lowest"
        parts.append(f"{_judge(s.judge)} gives the {way} values ({present.number(s.others, signed=True)})")
    return ", ".join(parts)


def _moved(left: LeaveOneOut | None) -> str:
    if left is None:
        return "one run alone has no order that a judge could change"
    moves = [left.moves(at) for at in range(len(left.runs))]
    moved = sum(m > 0 for m in moves)
    if not moved:
        return f"leaving any one of them out changes the rank of none of {len(moves)} runs"
    beyond = sum(left.outside(at) for at in range(len(left.runs)))
    most = f"by {max(moves)} at most" if max(moves) > 1 else "by one"
    text = f"leaving one of them out changes the rank of {moved} of {len(moves)} runs, {most}"
    if left.intervals:
        text += f", {beyond or 'none'} of them beyond the rank's interval"
    return text


def _told(e: Estimate) -> str:
    return f"{number(e.value)} {bracket(e) or '(no interval)'}" if e.value is not None else short(e.reason)


def _judge(text: str) -> str:
    return present.plain(text, 44)

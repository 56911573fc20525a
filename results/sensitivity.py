"""What the choice of score does: would another have said the same of two runs, or ordered several alike?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from judges.stats import Estimate
from judges.stats.ranks import kendall_tau_b
from results.measure import BALANCED, PAIR_SCORE

HEADLINES: Final = (PAIR_SCORE, "quality", "gated_published", "paper", BALANCED)
"""Scores by which runs are ordered, in order of preference; where a run has none of them, its first."""
Finding = Literal["better", "worse", "alike", "no difference shown", "undefined"]
Change = Literal["headline", "same", "another finding", "opposite", "undefined"]


@dataclass(frozen=True)
class Choice:
    """One score of two runs, beside the headline.

    Attributes:
        measure: The score.
        label: How people read it.
        difference: Other - baseline.
        finding: What its interval says of the other run; `alike` where the difference is 0.
        sign: Which way the difference itself goes, better being 1.
        change: Against the headline: `same` finding, `another finding` (one of them shows no difference), `opposite`.
        turned: Whether the difference itself goes the other way.
    """

    measure: str
    label: str
    difference: Estimate
    finding: Finding
    sign: int
    change: Change
    turned: bool

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {**vars(self), "difference": self.difference.as_dict()}


@dataclass(frozen=True)
class OrderChoice:
    """One score's order of several runs, beside that of the headline.

    Attributes:
        measure: The score.
        label: How people read it.
        headline: Whether it is the headline.
        runs: Runs that both orders have.
        tau: Kendall's tau-b of the two orders; None where one of them puts all runs level.
        reversed: Pairs of runs that stand the other way round.
        pairs: Pairs of runs.
        first: Whether the same runs are first.
    """

    measure: str
    label: str
    headline: bool
    runs: int
    tau: float | None
    reversed: int
    pairs: int
    first: bool

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return dict(vars(self))


def choices(rows: Sequence[tuple[str, str, Estimate, bool]]) -> tuple[Choice, ...]:
    """What each score says of two runs, beside the headline.

    Args:
        rows: Name, label, difference, and whether more is better, one a score.

    Returns:
        One a score, the headline first; nothing for fewer than two scores with a difference.
    """
    known = [r for r in rows if r[2].value is not None]
    if len(known) < 2:
        return ()
    head = headline([r[0] for r in known])
    said = {name: (_finding(e, up), _sign(e, up)) for name, _, e, up in known}
    made = []
    for name, label, e, _ in sorted(known, key=lambda r: r[0] != head):
        finding, sign = said[name]
        change = "headline" if name == head else _change(finding, said[head][0])
        made.append(Choice(name, label, e, finding, sign, change, sign * said[head][1] < 0))
    return tuple(made)


def order_choices(rankings: Mapping[str, tuple[str, Mapping[str, int]]]) -> tuple[OrderChoice, ...]:
    """What each score's order of several runs has in common with that of the headline.

    Args:
        rankings: By score, its label and the rank of each run, 1 the best.

    Returns:
        One a score, the headline first; nothing for fewer than two scores.
    """
    if len(rankings) < 2:
        return ()
    head = headline(list(rankings))
    own = rankings[head][1]
    made = []
    for name, (label, ranks) in sorted(rankings.items(), key=lambda pair: pair[0] != head):
        both = sorted(own.keys() & ranks.keys())
        if len(both) < 2:
            continue
        a, b = (np.array([r[m] for m in both], dtype=float) for r in (own, ranks))
        i, j = np.triu_indices(len(both), 1)
        turned = int((np.sign(a[i] - a[j]) * np.sign(b[i] - b[j]) < 0).sum())
        first = bool(((a == a.min()) == (b == b.min())).all())
        made.append(OrderChoice(name, label, name == head, len(both), kendall_tau_b(a, b), turned, i.size, first))
    return tuple(made)


def headline(names: Sequence[str]) -> str:
    """The score that stands for the others."""
    return next((h for h in HEADLINES if h in names), names[0])


def _sign(e: Estimate, higher_is_better: bool) -> int:
    value = e.value or 0.0
    return (0 if abs(value) < 1e-12 else 1 if value > 0 else -1) * (1 if higher_is_better else -1)


def _finding(e: Estimate, higher_is_better: bool) -> Finding:
    if _sign(e, higher_is_better) == 0:
        return "alike"
    if e.low is None or e.high is None:
        return "undefined"
    if e.low <= 0 <= e.high:
        return "no difference shown"
    return "better" if (e.low > 0) == higher_is_better else "worse"


def _change(finding: Finding, head: Finding) -> Change:
    if "undefined" in (finding, head):
        return "undefined"
    shown = {"better": 1, "worse": -1}
    a, b = shown.get(finding, 0), shown.get(head, 0)
    return "same" if a == b else "opposite" if a * b < 0 else "another finding"

"""How well judges withstand responses that try to talk them into a better verdict.

Each case is a pair: a weak response, and the same response with an attack around, in or after it. The substance is the
same, so any change of verdict is the attack's doing. The cases were written without knowledge of the judges.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

from judges.response import Response, read_response
from judges.stats import Estimate, paired_difference, proportion_estimate
from judges.verdict import Verdict
from rubrics.model import Rubric

ATTACKS: Final = Path(__file__).with_name("validation") / "attacks.jsonl"

FAMILIES: Final = (
    "forged_verdict", "rubric_echo", "delimiter_guess", "special_tokens", "supportive_wrapper", "instruction",
    "lookalike", "very_long", "empty", "judge_schema", "authority", "formatting",
)  # fmt: skip
"""Kinds of attack, in the order of every table."""

ALL: Final = "all"
"""Stands for all families together in a summary."""

MAX_CHARS: Final = 400_000
"""Characters of one text, its repeated parts written out."""

_HALF: Final = re.compile("[\\ud800-\\udfff]")
_FIELDS: Final = ("id", "family", "request", "base", "attacked", "aim")


class AttackError(ValueError):
    """A file of attacks that cannot be used; one line that says where and what to do."""


class Seat(Protocol):
    """A judge, ready to rate."""

    judge_id: str

    async def rate(self, request: str, response: str) -> Verdict:
        """Rate one response by the judge's rubric."""
        ...


@dataclass(frozen=True)
class Attack:
    """One case.

    Attributes:
        id: Its id.
        family: One of `FAMILIES`.
        request: The user's message, the same on both sides.
        base: The response without the attack.
        attacked: The response with it.
        aim: What the attack is after, in a sentence.
    """

    id: str
    family: str
    request: str
    base: str
    attacked: str
    aim: str


@dataclass(frozen=True)
class Side:
    """One of the two responses of a case, as one judge saw it.

    Attributes:
        response: The text after normalisation, with its state.
        verdict: What the judge said; `skipped_by_design` with the state as its detail where the text is not judged.
    """

    response: Response
    verdict: Verdict

    def missing(self, criterion: str) -> str:
        """Why there is no value: the judge's status, or the state of a response that no judge sees; else empty."""
        status = self.verdict.statuses[criterion]
        return "" if status == "ok" else status if self.response.judged else f"not judged: {self.response.state}"


@dataclass(frozen=True)
class AttackResult:
    """One judge on one case.

    Attributes:
        judge: The judge's id.
        attack: The case.
        rubric: What was rated by.
        base: Without the attack.
        attacked: With it.
    """

    judge: str
    attack: Attack = field(repr=False)
    rubric: Rubric = field(repr=False)
    base: Side = field(repr=False)
    attacked: Side = field(repr=False)

    def pair(self, criterion: str) -> tuple[float, float] | None:
        """The values before and after, on the criterion's own scale; None where either is missing."""
        before, after = (side.verdict.values.get(criterion) for side in (self.base, self.attacked))
        return None if before is None or after is None else (before, after)

    def gained(self, criterion: str) -> bool:
        """Whether the value after the attack is the better one; False where either is missing."""
        pair = self.pair(criterion)
        scale = self.rubric.criterion(criterion)
        return pair is not None and scale.rescale(pair[1]) > scale.rescale(pair[0])


@dataclass(frozen=True)
class FamilyResult:
    """One judge on one family of attacks and one criterion.

    Attributes:
        judge: The judge's id.
        family: The family, or `all`.
        criterion: The criterion.
        total: Cases.
        n: Cases with a value on both sides.
        flips: Share of these on which the value changed, either way (Wilson).
        gains: Share of these on which it became better, which is what an attack wants (Wilson).
        change: Mean of after - before on the criterion's own scale, nominal ones as index (paired t, held within
            the scale).
        missing_before: Number of cases without a value before the attack, by reason.
        missing_after: The same after it. A reason is the judge's status, or `not judged:` and the response's state.
    """

    judge: str
    family: str
    criterion: str
    total: int
    n: int
    flips: Estimate
    gains: Estimate
    change: Estimate
    missing_before: Mapping[str, int]
    missing_after: Mapping[str, int]


def load_attacks(path: Path | None = None) -> tuple[Attack, ...]:
    """The cases of a file, checked; the project's own if no path is given.

    Each line holds one JSON object. The first may be a header without an `id`. `attacked` is a text, or a list of
    texts and `{"repeat": [text, count]}` parts, which are joined.

    Raises:
        AttackError: With the line and what to do; it never quotes a text.
    """
    path = path or ATTACKS
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as ex:
        raise AttackError(f"{path.name} cannot be read ({type(ex).__name__}): give a UTF-8 file of JSON lines") from ex
    attacks: list[Attack] = []
    seen: set[str] = set()
    for n, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path.name}, line {n}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as ex:
            raise AttackError(f"{where}: no JSON; write one object a line") from ex
        if n == 1 and isinstance(row, dict) and "id" not in row:
            continue
        attack = _attack(row, where)
        if attack.id in seen:
            raise AttackError(f"{where}: id {attack.id!r} stands twice; give every case its own")
        seen.add(attack.id)
        attacks.append(attack)
    if not attacks:
        raise AttackError(f"{path.name}: no case in it; write one JSON object a line")
    return tuple(attacks)


def _attack(row: Any, where: str) -> Attack:
    if not isinstance(row, dict) or set(row) != set(_FIELDS):
        raise AttackError(f"{where}: give an object with exactly {', '.join(_FIELDS)}")
    for name in _FIELDS:
        if name != "attacked" and not isinstance(row[name], str):
            raise AttackError(f"{where}: {name} is no text; put it in quotes")
    if not row["id"].strip() or len(row["id"]) > 80 or not row["id"].isprintable():
        raise AttackError(f"{where}: give an id of 1 to 80 printable characters")
    if row["family"] not in FAMILIES:
        raise AttackError(f"{where}: no such family; use one of {', '.join(FAMILIES)}")
    if not row["request"].strip():
        raise AttackError(f"{where}: the request is empty; write the user's message")
    attack = Attack(**{**row, "attacked": _joined(row["attacked"], where)})
    for name in ("request", "base", "attacked"):
        text = getattr(attack, name)
        if len(text) > MAX_CHARS:
            raise AttackError(f"{where}: {name} is longer than {MAX_CHARS} characters; shorten it")
        if _HALF.search(text):
            raise AttackError(f"{where}: {name} holds half of a character (a lone surrogate); write it in full")
    return attack


def _joined(parts: Any, where: str) -> str:
    """The text of `attacked`; its length is known before anything is repeated."""
    problem = f'{where}: attacked must be a text, or a list of texts and {{"repeat": [text, count]}} parts'
    if isinstance(parts, str):
        return parts
    if not isinstance(parts, list):
        raise AttackError(problem)
    pieces: list[tuple[str, int]] = []
    for part in parts:
        if isinstance(part, dict) and set(part) == {"repeat"}:
            part = part["repeat"]
            if not (isinstance(part, list) and len(part) == 2 and isinstance(part[0], str) and type(part[1]) is int):
                raise AttackError(problem)
            if part[1] < 1:
                raise AttackError(f"{where}: a part is repeated {part[1]} times; give a count of at least 1")
            pieces.append((part[0], part[1]))
        elif isinstance(part, str):
            pieces.append((part, 1))
        else:
            raise AttackError(problem)
    if sum(len(text) * count for text, count in pieces) > MAX_CHARS:
        raise AttackError(f"{where}: attacked is longer than {MAX_CHARS} characters; repeat less")
    return "".join(text * count for text, count in pieces)


async def run_attacks(
    seats: Sequence[Seat], rubric: Rubric, attacks: Iterable[Attack], connections: int = 20
) -> list[AttackResult]:
    """Have judges rate both sides of every case, as a panel would.

    Texts are normalised first (`judges.response`). Those without an answer to judge, and only those, reach no judge.

    Args:
        seats: The judges.
        rubric: What they rate by.
        attacks: The cases.
        connections: Responses that are rated at once.

    Returns:
        One result for each case and judge, cases in their order.
    """
    gate = asyncio.Semaphore(connections)

    async def side(request: str, raw: str) -> list[Side]:
        response = read_response(raw)
        if not response.judged:
            state = response.state
            return [Side(response, Verdict.missing(s.judge_id, rubric, "skipped_by_design", state)) for s in seats]
        async with gate:
            verdicts = await asyncio.gather(*(s.rate(request, response.text) for s in seats))
        return [Side(response, v) for v in verdicts]

    cases = list(attacks)
    sides = await asyncio.gather(*(side(a.request, raw) for a in cases for raw in (a.base, a.attacked)))
    return [
        AttackResult(seat.judge_id, attack, rubric, before, after)
        for attack, base, attacked in zip(cases, sides[::2], sides[1::2], strict=True)
        for seat, before, after in zip(seats, base, attacked, strict=True)
    ]


def summarise(results: Sequence[AttackResult]) -> list[FamilyResult]:
    """Flips, gains and changes for each judge, family and criterion, and for all families together.

    Cases are the unit. Some share their request, which the intervals do not know of.
    """
    rows: list[FamilyResult] = []
    for judge in dict.fromkeys(r.judge for r in results):
        of_judge = [r for r in results if r.judge == judge]
        for family in (*FAMILIES, ALL):
            chosen = [r for r in of_judge if family in (ALL, r.attack.family)]
            if chosen:
                rows += [_row(judge, family, c, chosen) for c in chosen[0].rubric.criterion_ids]
    return rows


def over_all(results: Sequence[AttackResult], criterion: str) -> FamilyResult | None:
    """The one row of `summarise` that holds the first judge's results on a criterion over all families.

    None where there is no result, or the rubric has no such criterion.
    """
    chosen = [r for r in results if r.judge == results[0].judge]
    known = bool(chosen) and criterion in chosen[0].rubric.criterion_ids
    return _row(chosen[0].judge, ALL, criterion, chosen) if known else None


def _row(judge: str, family: str, criterion: str, results: Sequence[AttackResult]) -> FamilyResult:
    pairs = [p for r in results if (p := r.pair(criterion)) is not None]
    gains = [float(r.gained(criterion)) for r in results if r.pair(criterion) is not None]
    total = len(results)
    low, high = results[0].rubric.criterion(criterion).bounds
    change = paired_difference([a for a, _ in pairs], [b for _, b in pairs], total)
    if change.low is not None and change.high is not None:
        # Of few pairs, t reaches beyond what a bounded scale allows.
        change = replace(change, low=max(low - high, change.low), high=min(high - low, change.high))
    return FamilyResult(
        judge=judge,
        family=family,
        criterion=criterion,
        total=total,
        n=len(pairs),
        flips=proportion_estimate([float(a != b) for a, b in pairs], total),
        gains=proportion_estimate(gains, total),
        change=change,
        missing_before=Counter(m for r in results if (m := r.base.missing(criterion))),
        missing_after=Counter(m for r in results if (m := r.attacked.missing(criterion))),
    )


TABLE_COLUMNS: Final = (
    "judge", "family", "criterion", "cases", "rated twice", "changed", "changed for the better", "mean change",
    "missing before", "missing after",
)  # fmt: skip
"""Headings of `table_rows`."""


def table_rows(summary: Iterable[FamilyResult]) -> list[tuple[str, ...]]:
    """The summary as text cells under `TABLE_COLUMNS`; a figure that is undefined says why."""
    return [
        (
            r.judge,
            r.family,
            r.criterion,
            str(r.total),
            str(r.n),
            _shown(r.flips, percent=True),
            _shown(r.gains, percent=True),
            _shown(r.change, percent=False),
            _counted(r.missing_before),
            _counted(r.missing_after),
        )
        for r in summary
    ]


def markdown_table(summary: Iterable[FamilyResult]) -> str:
    """The summary as one Markdown table; names from outside cannot break out of their cells."""
    rows = [TABLE_COLUMNS, ["---"] * len(TABLE_COLUMNS), *([_cell(c) for c in row] for row in table_rows(summary))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shown(estimate: Estimate, *, percent: bool) -> str:
    def number(value: float) -> str:
        return f"{100 * value:.0f} %" if percent else f"{value:+.2f}"

    if estimate.value is None:
        return f"undefined: {estimate.reason}"
    if estimate.low is None or estimate.high is None:
        return f"{number(estimate.value)} ({estimate.reason})"
    return f"{number(estimate.value)} [{number(estimate.low)}, {number(estimate.high)}]"


def _counted(missing: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {reason}" for reason, n in sorted(missing.items())) or "0"


def _cell(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\|`*_<[" else c for c in " ".join(text.split()))

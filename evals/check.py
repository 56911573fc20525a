"""Checking a panel of judges before it is trusted: gold ladder, policies, attacks, rounds, people's labels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from evals.journal import Budget, Journal, JournaledJudge, content_key, with_seats
from evals.labelled import Labelled, load_labelled
from evals.recovery import PolicyCase, Recovered, policy_cases, recover
from evals.rejudge_job import CHARS_PER_TOKEN, TOKENS_PER_CRITERION, Estimated
from judges.agreement import cohen_kappa, confusion, exact_agreement, kappa_estimate, quadratic_kappa
from judges.attacks import Attack, AttackResult, load_attacks, run_attacks
from judges.combine import combine
from judges.fitness import Fitness, fitness, flips_over_rounds
from judges.gold import GoldCase, Ladder, climb, load_gold
from judges.llm.prompt import system_prompt, user_prompt
from judges.panels import PanelSpec
from judges.response import read_response
from judges.seats import RuleJudge, panel_record, seat_panel
from judges.stats import Estimate
from judges.verdict import Verdict
from rubrics.model import Rubric

PANEL: Final = "panel"
ITEMS_FOR_MODELS: Final = 15
"""Prompts a reference policy that a panel with models rates: enough to see a policy fool it, and affordable."""


@dataclass(frozen=True)
class HumanAgreement:
    """A judge against people on one criterion."""

    judge: str
    criterion: str
    exact: Estimate
    kappa: Estimate

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "judge": self.judge, "criterion": self.criterion, "exact": self.exact.as_dict(),
            "kappa": self.kappa.as_dict(),
        }  # fmt: skip


@dataclass(frozen=True)
class CheckPlan:
    """What a check will rate.

    Attributes:
        gold: The gold answers.
        policies: Answers of reference policies.
        attacks: The attack suite.
        labelled: Responses that people have rated.
        rounds: How often each judge that is a model rates the gold answers.
    """

    gold: tuple[GoldCase, ...]
    policies: tuple[PolicyCase, ...]
    attacks: tuple[Attack, ...]
    labelled: tuple[Labelled, ...] = ()
    rounds: int = 1

    def texts(self) -> dict[str, tuple[str, str]]:
        """Every request and response that a judge will see, by the key under which its verdict is kept."""
        pairs = [(g.request, read_response(g.response).text) for g in self.gold]
        pairs += [(p.request, p.response) for p in self.policies]
        for a in self.attacks:
            pairs += [(a.request, r.text) for side in (a.base, a.attacked) if (r := read_response(side)).judged]
        pairs += [(x.request, r.text) for x in self.labelled if (r := read_response(x.response)).judged]
        found = {content_key(*pair): pair for pair in pairs}
        for turn in range(1, self.rounds):
            found |= {
                content_key(g.request, t, turn): (g.request, t)
                for g in self.gold
                for t in [read_response(g.response).text]
            }
        return found


@dataclass(frozen=True)
class CheckResult:
    """What a check found, judge by judge; with several judges, `panel` is their combined verdict."""

    spec: PanelSpec
    record: Mapping[str, Any]
    plan: CheckPlan
    ladders: tuple[Ladder, ...]
    recovered: tuple[Recovered, ...]
    attacks: tuple[AttackResult, ...]
    people: tuple[HumanAgreement, ...]
    fitness: tuple[Fitness, ...]
    usage: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def judges(self) -> list[str]:
        """Who was checked."""
        return list(dict.fromkeys(f.judge for f in self.fitness))


def make_plan(
    spec: PanelSpec,
    rubric: Rubric,
    *,
    policies: Sequence[str] | None = None,
    items: int | None = None,
    labelled: Path | None = None,
    rounds: int = 1,
) -> CheckPlan:
    """What to rate for a panel: everything for rules, fewer answers of policies where a model is paid for each.

    Raises:
        LabelError: A file of labels that cannot be used.
    """
    models = any(j.kind == "llm" for j in spec.judges)
    per_policy = items if items is not None else ITEMS_FOR_MODELS if models else None
    return CheckPlan(
        load_gold(rubric),
        tuple(policy_cases(policies, per_policy)),
        load_attacks(),
        load_labelled(labelled, rubric) if labelled else (),
        rounds if models else 1,
    )


def estimate_check(plan: CheckPlan, spec: PanelSpec, rubric: Rubric) -> Estimated:
    """Calls (exactly, but for repair turns) and tokens (about) that a check takes. Nothing is sent."""
    texts = plan.texts()
    fixed = len(system_prompt(rubric)) + len(user_prompt("", "", "0" * 16))
    tokens = sum(fixed + len(a) + len(b) for a, b in texts.values()) // CHARS_PER_TOKEN
    written = len(texts) * TOKENS_PER_CRITERION * len(rubric.criteria)
    found = Estimated()
    for judge in (j for j in spec.judges if j.kind == "llm"):
        found.calls[judge.id] = len(texts)
        found.input_tokens[judge.id], found.output_tokens[judge.id] = tokens, written
        used = {"input_tokens": tokens, "output_tokens": written}
        found.cost[judge.id] = judge.price.of(used) if judge.price else None
    return found


class PanelSeat:
    """All judges of a panel as one: their combined verdict."""

    judge_id = PANEL

    def __init__(self, seats: Sequence[JournaledJudge], rubric: Rubric) -> None:
        self.seats = seats
        self.rubric = rubric

    async def rate(self, request: str, response: str) -> Verdict:
        """The panel's values; each seat's verdict comes from the journal where it was asked before."""
        return await self.rate_at(content_key(request, response), request, response)

    async def rate_at(self, place: str, request: str, response: str) -> Verdict:
        """The same in one of several rounds, which the place names."""
        combined = combine(self.rubric, [await s.rate_at(place, request, response) for s in self.seats])
        values = {c: p.value for c, p in combined.items() if p.value is not None}
        return Verdict.given(PANEL, self.rubric, values, otherwise="unparsable")


def run_check(
    plan: CheckPlan,
    spec: PanelSpec,
    rubric: Rubric,
    *,
    journal: Path | None = None,
    budget: Budget | None = None,
    connections: int = 20,
    progress: Callable[[str], None] = lambda what: None,
) -> CheckResult:
    """Check a panel.

    Args:
        plan: What to rate.
        spec: The panel.
        rubric: The rubric.
        journal: Where verdicts are kept as they come, so that a check which was stopped goes on.
        budget: Tokens or money after which no further call is made.
        connections: Responses that are rated at once.
        progress: Told what is being rated.

    Raises:
        BudgetReached: The budget is spent; what was rated is kept in the journal.
    """
    book, limit = Journal(journal), budget or Budget()
    prices = {j.id: j.price for j in spec.judges}
    seats = [JournaledJudge(s, rubric, book, limit, prices.get(s.judge_id)) for s in seat_panel(spec, rubric)]
    result = asyncio.run(with_seats(_run(plan, spec, rubric, seats, connections, progress), seats))
    book.remove()
    return result


async def _run(
    plan: CheckPlan,
    spec: PanelSpec,
    rubric: Rubric,
    seats: Sequence[JournaledJudge],
    connections: int,
    progress: Callable[[str], None],
) -> CheckResult:
    every: list[JournaledJudge | PanelSeat] = [*seats, *([PanelSeat(seats, rubric)] if len(seats) > 1 else [])]
    ladders: list[Ladder] = []
    people: list[HumanAgreement] = []
    fit: list[Fitness] = []
    recovered: list[Recovered] = []
    attacked: list[AttackResult] = []
    # Seat by seat: the panel comes last and finds all verdicts in the journal.
    for seat in every:
        progress(f"{seat.judge_id}: gold ladder, {len(plan.policies)} answers of policies, {len(plan.attacks)} attacks")
        verdicts = await _rate_gold(seat, plan.gold, connections)
        rungs = climb(seat.judge_id, rubric, plan.gold, verdicts)
        recovered += await recover([seat], plan.policies, connections)
        under_attack = await run_attacks([seat], rubric, plan.attacks, connections)
        random = any(not isinstance(s.inner, RuleJudge) for s in (seats if isinstance(seat, PanelSeat) else [seat]))
        flips: dict[str, Estimate] = {}
        if random and plan.rounds > 1:
            more = [await _rate_gold(seat, plan.gold, connections, k) for k in range(1, plan.rounds)]
            flips = flips_over_rounds([verdicts, *more], rubric)
        people += await _against_people(seat, plan.labelled, rubric, connections)
        fit += [
            fitness(seat.judge_id, c, rung, flips.get(c.id), under_attack, random)
            for c, rung in zip(rubric.criteria, rungs, strict=True)
        ]
        ladders += rungs
        attacked += under_attack
    usage = {s.judge_id: dict(s.used) for s in seats if s.used}
    return CheckResult(
        spec, panel_record(spec, rubric), plan, tuple(ladders), tuple(recovered), tuple(attacked), tuple(people),
        tuple(fit), usage,
    )  # fmt: skip


async def _rate_gold(
    seat: JournaledJudge | PanelSeat, gold: Sequence[GoldCase], connections: int, turn: int = 0
) -> dict[str, Verdict]:
    gate = asyncio.Semaphore(connections)

    async def one(case: GoldCase) -> tuple[str, Verdict]:
        text = read_response(case.response).text
        async with gate:
            return case.id, await seat.rate_at(content_key(case.request, text, turn), case.request, text)

    return dict(await asyncio.gather(*(one(case) for case in gold)))


async def _against_people(
    seat: JournaledJudge | PanelSeat, labelled: Sequence[Labelled], rubric: Rubric, connections: int
) -> list[HumanAgreement]:
    if not labelled:
        return []
    gate = asyncio.Semaphore(connections)

    async def one(item: Labelled) -> Verdict:
        response = read_response(item.response)
        if not response.judged:
            return Verdict.missing(seat.judge_id, rubric, "skipped_by_design", response.state)
        async with gate:
            return await seat.rate(item.request, response.text)

    verdicts = await asyncio.gather(*(one(item) for item in labelled))
    found = []
    for criterion in rubric.criteria:
        theirs = [item.values.get(criterion.id) for item in labelled]
        if all(v is None for v in theirs):
            continue
        scale = [float(v) for v in criterion.values]
        ours = [v if (v := verdict.values.get(criterion.id)) in scale else None for verdict in verdicts]
        table = confusion(theirs, ours, scale)
        total = sum(v is not None for v in theirs)
        statistic = quadratic_kappa if criterion.scale == "ordinal" else cohen_kappa
        kappa = kappa_estimate(table, statistic)
        found.append(HumanAgreement(seat.judge_id, criterion.id, exact_agreement(table, total), kappa))
    return found

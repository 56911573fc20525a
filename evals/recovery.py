"""How far a judge recovers verdicts that are known by construction.

Reference policies state what each of their answers deserves. A score is tested with those intended verdicts; a
judge is tested by how often it finds them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.conditions import load_condition
from evals.items import Item
from evals.load import load_prompts
from evals.policies import POLICIES, ItemFacts
from evals.policies._base import as_mapping
from judges.response import read_response
from judges.seats import Judge
from judges.stats import Estimate, proportion_estimate
from judges.verdict import Verdict

SETS = ("open", "contrast")


@dataclass(frozen=True)
class Recovered:
    """One judge on one policy and criterion.

    Attributes:
        judge: The judge.
        policy: The policy, with its condition where it heeds one.
        criterion: The criterion.
        agreement: Share of answers on which the judge gives exactly the intended value.
        misses: Mean of given - intended over the answers with a value, on the criterion's scale.
    """

    judge: str
    policy: str
    criterion: str
    agreement: Estimate
    misses: float | None


@dataclass(frozen=True)
class PolicyCase:
    """One answer of a reference policy that a judge can see, with the verdicts that it deserves."""

    policy: str
    request: str
    response: str
    intended: Mapping[str, float]


def policy_cases(policies: Sequence[str] | None = None, items: int | None = None) -> list[PolicyCase]:
    """The answers of reference policies to the embedded sets.

    Answers without a judged state (those of `empty`) are left out: no judge sees them.

    Args:
        policies: Names of policies; all if not given.
        items: How many prompts a policy, spread evenly over both sets; all if not given.
    """
    asked = [i for s in SETS for i in load_prompts(s).items]
    if items is not None and items < len(asked):
        asked = [asked[round(k * (len(asked) - 1) / max(1, items - 1))] for k in range(items)]
    prompted = load_condition("prompted").system
    cases = []
    for name in policies or sorted(POLICIES):
        policy = POLICIES[name]
        conditions = [("", None)] if name != "steerable" else [(" (none)", None), (" (prompted)", prompted)]
        for label, system in conditions:
            for item in asked:
                facts = item_facts(item)
                text = policy.respond(item.prompt, system, as_mapping(facts) if policy.sees_item else None)
                response = read_response(text)
                if response.judged:
                    intended = policy.intended(facts, system)
                    cases.append(PolicyCase(name + label, item.prompt, response.text, intended))
    return cases


async def recover(seats: Sequence[Judge], cases: Sequence[PolicyCase], connections: int = 20) -> list[Recovered]:
    """Have judges rate the answers of reference policies.

    Args:
        seats: The judges.
        cases: The answers.
        connections: Answers that are rated at once.
    """
    gate = asyncio.Semaphore(connections)

    async def one(case: PolicyCase) -> list[Verdict]:
        async with gate:
            return list(await asyncio.gather(*(seat.rate(case.request, case.response) for seat in seats)))

    verdicts = await asyncio.gather(*(one(case) for case in cases))
    found: dict[tuple[str, str, str], list[tuple[float | None, float]]] = {}
    for case, given in zip(cases, verdicts, strict=True):
        for verdict in given:
            for criterion, value in case.intended.items():
                if criterion in verdict.statuses:
                    key = (verdict.judge, case.policy, criterion)
                    found.setdefault(key, []).append((verdict.values.get(criterion), value))
    rows = []
    for (judge, name, criterion), pairs in found.items():
        both = [(g, w) for g, w in pairs if g is not None]
        agreement = proportion_estimate([float(g == w) for g, w in both], total=len(pairs))
        bias = sum(g - w for g, w in both) / len(both) if both else None
        rows.append(Recovered(judge, name, criterion, agreement, bias))
    return rows


def item_facts(item: Item) -> ItemFacts:
    """What a ceiling policy may know of an item."""
    expected = item.expected.as_dict() if item.expected else {}
    return ItemFacts.from_mapping(
        {**expected, "domain": item.domain, "country": item.facts.get("country"), "prompt": item.prompt}
    )

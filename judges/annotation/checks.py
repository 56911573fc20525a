"""Answers with intended values for a plan: some for training with feedback, others as hidden checks."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence

from judges.annotation.model import PlanError
from judges.annotation.order import shuffled
from judges.gold import GoldCase


def choose_checks(
    cases: Sequence[GoldCase], training: int, gold: int, seed: int
) -> tuple[tuple[GoldCase, ...], tuple[GoldCase, ...]]:
    """Draw training answers and hidden checks, never to the same message, spread over the criteria.

    Args:
        cases: Answers to draw from; several may answer one message.
        training: How many for training.
        gold: How many hidden checks.
        seed: Seed of the draw.

    Raises:
        PlanError: There are too few.
    """
    if training == gold == 0:
        return (), ()
    rng = random.Random(seed)
    by_message: dict[str, list[GoldCase]] = defaultdict(list)
    for case in sorted(cases, key=lambda case: case.id):
        by_message[case.request].append(case)
    groups = [by_message[message] for message in shuffled(by_message, rng)]
    # One message of each criterion, then a second of each, and so on: any stretch of it is spread over the criteria.
    nth: Counter[str] = Counter()
    ranked = []
    for group in groups:
        rng.shuffle(group)
        ranked.append((nth[group[0].criterion], group))
        nth[group[0].criterion] += 1
    order = [group for _, group in sorted(ranked, key=lambda r: r[0])]
    share = round(len(order) * gold / (training + gold))
    while share < len(order) and sum(map(len, order[:share])) < gold:
        share += 1
    hidden, shown = _take(order[:share], gold), _take(order[share:], training)
    if len(hidden) < gold or len(shown) < training:
        raise PlanError(
            f"{training} training answers and {gold} hidden checks to other messages: there are {len(cases)} answers "
            f"to {len(order)} messages for this rubric; ask for fewer"
        )
    return tuple(shown), tuple(hidden)


def _take(groups: Sequence[Sequence[GoldCase]], n: int) -> list[GoldCase]:
    """One answer a message, then a second, and so on."""
    most = max(map(len, groups), default=0)
    return [group[k] for k in range(most) for group in groups if k < len(group)][:n]

"""Drawing a plan: which responses, for whom, in which order, with hidden checks and silent repeats."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from judges.annotation.blind import clean, leaks
from judges.annotation.files import load_map, load_plan, write_plan
from judges.annotation.model import (
    PREFERENCE,
    AnnotationError,
    Card,
    Gold,
    HelpLine,
    Pair,
    Plan,
    PlanError,
    PlanMap,
    Queue,
    Sides,
    Source,
    Stratum,
)
from judges.annotation.order import Deck, assign, shuffled
from judges.annotation.pool import COMPLIED, Candidate, draw, draw_matched, leak_note, pair_up, readable, source_of
from rubrics.loader import rubric_sha256
from rubrics.model import Rubric

if TYPE_CHECKING:
    from judges.gold import GoldCase

__all__ = [
    "COMPLIED",
    "PREFERENCE",
    "AnnotationError",
    "Candidate",
    "Card",
    "Gold",
    "HelpLine",
    "Pair",
    "Plan",
    "PlanError",
    "PlanMap",
    "Queue",
    "Sides",
    "Source",
    "Stratum",
    "load_map",
    "load_plan",
    "make_plan",
    "write_plan",
]


RESERVED: Final = frozenset({"panel", "people", "adjudicated", "harness"})
"""Names that other raters have in the ratings table and in exports."""


def make_plan(
    candidates: Sequence[Candidate],
    rubric: Rubric,
    annotators: Sequence[str],
    *,
    n: int,
    overlap: int,
    repeats: float = 0.1,
    training: Sequence[GoldCase] = (),
    gold: Sequence[GoldCase] = (),
    pairs: int = 0,
    seed: int = 0,
    min_compliant: int = 0,
    matched: bool = False,
    names: Sequence[str] = (),
    title: str = "Rating answers",
    content_note: str = "",
    helplines: Sequence[HelpLine] = (),
    break_every: int = 25,
    session_cap_minutes: int = 60,
    min_seconds: float = 0.3,
    created: str | None = None,
) -> tuple[Plan, PlanMap]:
    """Draw a plan; the same arguments and seed give the same one but for `created`.

    Cards are drawn evenly from the strata domain x run x verdict; a stratum with too few gives all it has. Each card
    goes to `overlap` annotators, so that loads differ by at most one and pairs of annotators meet about equally often.
    Each annotator has an order of their own: training first, then everything else shuffled, hidden checks spread evenly
    and a silent repeat at least ten cards after its first, or as far as the queue allows.

    Args:
        candidates: Responses to draw from.
        rubric: What is asked about each.
        annotators: Names.
        n: Cards to draw.
        overlap: Annotators for each card.
        repeats: Silent repeats, as a share of an annotator's cards.
        training: Answers with intended values, for the round with feedback.
        gold: Answers with intended values, for hidden checks; every annotator sees all of them.
        pairs: Side-by-side pairs of two runs' answers to one item.
        seed: Seed of all drawing.
        min_compliant: At least so many cards whose verdict is `complied`, if there are so many.
        matched: Draw items and rate every run's answer to each, for tests that are paired on items.
        names: Names to take out of responses, besides the known ones.
        title: Shown to annotators.
        content_note: What annotators are told of the content beforehand.
        helplines: Shown to annotators.
        break_every: Cards after which a break is proposed.
        session_cap_minutes: Minutes after which a session ends.
        min_seconds: A rating sooner than this after its card appeared is a slip.
        created: Time stamp, ISO 8601; now if not given.

    Raises:
        PlanError: The plan is impossible.
    """
    rng = random.Random(seed)
    pool, told = readable(candidates, names)
    notes = [f"{gone} responses without a text are left out"] if (gone := len(candidates) - len(pool)) else []
    _check(pool, rubric, annotators, n, overlap, repeats, training, gold, min_compliant)
    drawn, strata = (draw_matched if matched else draw)(pool, n, min_compliant, rng, notes)
    used: set[str] = set()

    def token() -> str:
        while (t := f"{rng.getrandbits(64):016x}") in used:
            continue
        used.add(t)
        return t

    cards: list[Card] = []
    sources: dict[str, Source] = {}
    domains: dict[str, str] = {}
    tokens_by_stratum: dict[str, list[str]] = defaultdict(list)
    for c in drawn:
        t = token()
        share = strata[c.stratum]
        sources[t] = source_of(c, share.size / share.sampled)
        domains[t] = c.domain
        tokens_by_stratum[c.stratum].append(t)
        cards.append(Card(token=t, prompt=c.prompt, response=c.response))
    found: dict[str, dict[str, Gold]] = {"training": {}, "gold": {}}
    for kind, cases in (("training", training), ("gold", gold)):
        for case in cases:
            t = token()
            found[kind][t] = Gold(id=case.id, values=dict(case.intended))
            domains[t] = case.domain
            cards.append(
                Card(token=t, prompt=clean(case.request), response=clean(case.response),
                     kind="training" if kind == "training" else "gold")
            )  # fmt: skip
    # One stratum after the other, so that every annotator has about the same share of each.
    order = [t for name in sorted(tokens_by_stratum) for t in shuffled(tokens_by_stratum[name], rng)]
    hands = assign(order, annotators, overlap, rng)
    # As many repeats for everybody, so that loads stay within one.
    fewest = min(map(len, hands.values()))
    by_token = {c.token: c for c in cards}
    again: dict[str, str] = {}
    shown, meetings, sides = pair_up(pool, pairs, annotators, overlap, rng, token)
    queues = []
    for name in annotators:
        own = hands[name]
        firsts = rng.sample(own, min(fewest, round(repeats * len(drawn) * overlap / len(annotators))))
        twins: dict[str, str] = {}
        for first in firsts:
            t = token()
            twins[first] = t
            again[t] = first
            sources[t], domains[t] = sources[first], domains[first]
            cards.append(by_token[first].model_copy(update={"token": t}))
        deck = Deck(own, twins, list(found["gold"])).order(rng)
        start = shuffled(found["training"], rng)
        queues.append(Queue(annotator=name, cards=(*start, *deck), pairs=tuple(shuffled(meetings[name], rng))))
    texts = {c.token: c.response for c in cards if c.kind == "rating" and c.token not in again}
    texts |= {p.token: f"{p.left}\n{p.right}" for p in shown}
    named = {t: tuple(left) for t, text in texts.items() if (left := leaks(text, told))}
    if named:
        notes.append(leak_note(named, len(texts)))
    plan = Plan(
        created=created or datetime.now(UTC).isoformat(timespec="seconds"), seed=seed, title=title,
        rubric=rubric.model_copy(update={"judge_prompt": None}), rubric_sha256=rubric_sha256(rubric),
        # In the order of their tokens, which says nothing.
        cards=tuple(sorted(cards, key=lambda c: c.token)), pairs=tuple(sorted(shown, key=lambda p: p.token)),
        queues=tuple(queues), answers={t: g.values for t, g in found["training"].items()},
        content_note=content_note, helplines=tuple(helplines), break_every=break_every,
        session_cap_minutes=session_cap_minutes, min_seconds=min_seconds,
    )  # fmt: skip
    return plan, PlanMap(
        plan_sha256=plan.sha256, sources=sources, gold=found["gold"], training=found["training"], repeats=again,
        sides=sides, strata=strata, domains={t: d for t, d in domains.items() if d}, leaks=named, notes=tuple(notes),
    )  # fmt: skip


def _check(
    pool: Sequence[Candidate],
    rubric: Rubric,
    annotators: Sequence[str],
    n: int,
    overlap: int,
    repeats: float,
    training: Sequence[GoldCase],
    gold: Sequence[GoldCase],
    min_compliant: int,
) -> None:
    """Refuse what cannot be drawn."""
    if not annotators or len({a.casefold() for a in annotators}) < len(annotators):
        raise PlanError("name each annotator once, at least one, with --annotators anna,ben")
    for name in annotators:
        if name.casefold() in RESERVED:
            raise PlanError(f"the annotator {name!r}: that is a rater's name already; give another")
        try:
            Queue(annotator=name, cards=())
        except ValueError:
            raise PlanError(f"the annotator {name[:40]!r}: names are letters, digits, spaces and . _ -") from None
    if not 1 <= overlap <= len(annotators):
        raise PlanError(f"overlap {overlap} with {len(annotators)} annotators: give 1 to {len(annotators)}")
    if not 1 <= n <= len(pool):
        raise PlanError(f"{n} cards of {len(pool)} responses: give 1 to {len(pool)}, or more logs")
    if not 0 <= repeats <= 1:
        raise PlanError(f"repeats {repeats:g}: give a share from 0 to 1, such as 0.1")
    if min_compliant > n:
        raise PlanError(f"at least {min_compliant} compliant cards of {n} in all: raise --n, or ask for fewer")
    both = {g.id for g in training} & {g.id for g in gold}
    if both:
        raise PlanError(f"{sorted(both)[0][:60]} is both training and a hidden check; an annotator would know it")
    off = next((g for g in (*training, *gold) for c in g.intended if c not in rubric.criterion_ids), None)
    if off is not None:
        raise PlanError(f"{off.id[:60]} has values of criteria that the rubric {rubric.name} lacks")

"""The responses that a plan is drawn from: blinded, stratified, and paired for the side-by-side block."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from judges.annotation.blind import blind, clean
from judges.annotation.model import Pair, PlanError, Sides, Source, Stratum
from judges.annotation.order import allocate, assign, shuffled

COMPLIED: Final = "complied"
"""The judges' verdict of a response that went along with the request."""
MOST: Final = 200_000
"""Responses to draw from; a study by people rates hundreds."""


@dataclass(frozen=True)
class Candidate:
    """One response that may be rated.

    Attributes:
        run_id: Its run.
        item_id: Its item.
        epoch: Its epoch, from 1.
        turn: Its turn, 0 outside dialogues.
        prompt: The message.
        response: The answer, as the model gave it.
        domain: Risk domain, empty if unknown.
        condition: Condition or other label of the run, for people.
        verdict: What the judges made of it, for strata: `complied`, `refused`, `unjudged`, or any other word.
    """

    run_id: str
    item_id: str
    epoch: int
    turn: int
    prompt: str
    response: str
    domain: str = ""
    condition: str = ""
    verdict: str = "unjudged"

    @property
    def stratum(self) -> str:
        """Domain, run and verdict."""
        return f"{self.domain or 'no domain'} | {self.run_id} | {self.verdict}"

    @property
    def place(self) -> tuple[str, int, int]:
        """Item, epoch and turn: what the answers of a pair have in common."""
        return self.item_id, self.epoch, self.turn


def readable(candidates: Sequence[Candidate], names: Sequence[str]) -> tuple[list[Candidate], list[str]]:
    """Candidates with blinded responses, those without a text left out; and all names that were looked for.

    Raises:
        PlanError: Nothing is left, too many, or a response stands twice.
    """
    if len(candidates) > MOST:
        raise PlanError(f"{len(candidates):,} responses to draw from; give at most {MOST:,}")
    keys = Counter((c.run_id, *c.place) for c in candidates)
    twice = next((k for k, count in keys.items() if count > 1), None)
    if twice is not None:
        raise PlanError(f"the response of item {twice[1][:60]!r} in {twice[0][:80]} is given twice; name each log once")
    # Names of runs and systems tell on an answer as much as a model's own name; a plain word tells nothing.
    own = {n for c in candidates for n in (c.run_id, c.condition) if not n.isalpha()}
    every = sorted({*names, *own})
    blinded = [replace(c, prompt=clean(c.prompt), response=blind(c.response, every)) for c in candidates]
    found = [c for c in blinded if c.response]
    if not found:
        raise PlanError("no response with a text to rate; give logs of finished runs")
    return found, every


def leak_note(found: Mapping[str, Sequence[str]], total: int) -> str:
    """One line on the cards that may still name their author."""
    counts = Counter(what for named in found.values() for what in named)
    most = ", ".join(f"{what!r} ({count})" for what, count in counts.most_common(5))
    return (
        f"{len(found)} of {total} texts may still name a system: {most}; look at them (`leaks` in the map), and take "
        "out what tells with --name"
    )


def draw(
    pool: Sequence[Candidate], n: int, min_compliant: int, rng: random.Random, notes: list[str]
) -> tuple[list[Candidate], dict[str, Stratum]]:
    """A stratified sample, and the size of each stratum with what was drawn from it.

    Args:
        pool: What to draw from, at least `n`.
        n: How many.
        min_compliant: At least so many with the verdict `complied`, or all of them if they are fewer.
        rng: For the draw.
        notes: Gets a line for what could not be had.
    """
    by_stratum: dict[str, list[Candidate]] = defaultdict(list)
    # Sorted, so that the draw does not hang on the order in which logs are named.
    for c in sorted(pool, key=lambda c: (c.run_id, *c.place)):
        by_stratum[c.stratum].append(c)
    sizes = {k: len(v) for k, v in sorted(by_stratum.items())}
    counts = allocate(sizes, n, rng)
    complied = {k: s for k, s in sizes.items() if by_stratum[k][0].verdict == COMPLIED}
    there = sum(complied.values())
    wanted = min(min_compliant, there)
    if there < min_compliant:
        notes.append(f"only {there} responses were judged compliant, of the {min_compliant} asked for; all are drawn")
    if sum(counts[k] for k in complied) < wanted:
        others = {k: s for k, s in sizes.items() if k not in complied}
        counts = allocate(complied, wanted, rng) | allocate(others, n - wanted, rng)
    none = [k for k, count in counts.items() if not count]
    if none:
        notes.append(f"{len(none)} of {len(counts)} strata have no card; the weights do not speak for them")
    drawn = [c for k in sizes for c in rng.sample(by_stratum[k], counts[k])]
    return drawn, {k: Stratum(size=sizes[k], sampled=counts[k]) for k in sizes}


def draw_matched(
    pool: Sequence[Candidate], n: int, min_compliant: int, rng: random.Random, notes: list[str]
) -> tuple[list[Candidate], dict[str, Stratum]]:
    """A stratified sample of items, each with the answer of every run, for tests that are paired on items.

    Args:
        pool: What to draw from; items that lack an answer in one of the runs are left out.
        n: Responses to draw; rounded down to whole items.
        min_compliant: At least so many items with a compliant answer, or all of them if they are fewer.
        rng: For the draw.
        notes: Gets a line for what could not be had.

    Raises:
        PlanError: Too few items that every run has.
    """
    runs = sorted({c.run_id for c in pool})
    by_place: dict[tuple[str, int, int], dict[str, Candidate]] = defaultdict(dict)
    for c in pool:
        by_place[c.place][c.run_id] = c
    whole = {place: by_run for place, by_run in by_place.items() if len(by_run) == len(runs)}
    items = n // len(runs)
    if not 1 <= items <= len(whole):
        raise PlanError(
            f"--matched with --n {n}: {len(whole)} items have an answer in each of {len(runs)} runs; give "
            f"{len(runs)} to {len(whole) * len(runs)}"
        )
    if n % len(runs):
        notes.append(f"{items * len(runs)} responses instead of {n}: {items} items with {len(runs)} answers each")
    heads = [
        replace(by_run[runs[0]], verdict=COMPLIED if any(c.verdict == COMPLIED for c in by_run.values()) else "refused")
        for by_run in whole.values()
    ]
    chosen, _ = draw(heads, items, min_compliant, rng, notes)
    words = {COMPLIED: "matched, complied in some run", "refused": "matched, complied in no run"}

    def together(head: Candidate) -> list[Candidate]:
        return [replace(c, verdict=words[head.verdict]) for _, c in sorted(whole[head.place].items())]

    drawn = [c for head in chosen for c in together(head)]
    sizes = Counter(c.stratum for head in heads for c in together(head))
    sampled = Counter(c.stratum for c in drawn)
    return drawn, {k: Stratum(size=sizes[k], sampled=sampled[k]) for k in sorted(sizes)}


def source_of(c: Candidate, weight: float) -> Source:
    """What a token stands for."""
    return Source(run_id=c.run_id, item_id=c.item_id, epoch=c.epoch, turn=c.turn, stratum=c.stratum, weight=weight)


def pair_up(
    pool: Sequence[Candidate],
    n: int,
    annotators: Sequence[str],
    overlap: int,
    rng: random.Random,
    token: Callable[[], str],
) -> tuple[list[Pair], dict[str, list[str]], dict[str, Sides]]:
    """Pairs of two runs' answers to one item, each with tokens and sides of its own for every annotator of it.

    Pairs of runs take turns, so that each has about as many. The side is drawn for a pair's first annotator and changes
    with every further one; who is first is drawn with the loads.

    Args:
        pool: Blinded candidates.
        n: Pairs to draw.
        annotators: Names.
        overlap: Annotators for each pair.
        rng: For all drawing.
        token: Gives a new token.

    Returns:
        The pairs, their tokens by annotator, and what stands on which side.

    Raises:
        PlanError: There are not so many pairs.
    """
    by_place: dict[tuple[str, int, int], list[Candidate]] = defaultdict(list)
    for c in sorted(pool, key=lambda c: (c.run_id, *c.place)):
        by_place[c.place].append(c)
    by_runs: dict[tuple[str, str], list[tuple[Candidate, Candidate]]] = defaultdict(list)
    for together in by_place.values():
        for a, b in combinations(together, 2):
            if a.prompt == b.prompt and a.response != b.response:
                by_runs[a.run_id, b.run_id].append((a, b))
    there = sum(map(len, by_runs.values()))
    if n > there:
        raise PlanError(f"{n} pairs: there are {there} of different answers to one item; give runs on the same items")
    counts = allocate({"\t".join(k): len(v) for k, v in by_runs.items()}, n, rng)
    chosen = [p for k in sorted(by_runs) for p in rng.sample(by_runs[k], counts["\t".join(k)])]
    rng.shuffle(chosen)
    hands = assign([str(i) for i in range(n)], annotators, overlap, rng)
    shown: list[Pair] = []
    tokens: dict[str, list[str]] = {a: [] for a in annotators}
    sides: dict[str, Sides] = {}
    for i, pair in enumerate(chosen):
        raters = shuffled((a for a in annotators if str(i) in hands[a]), rng)
        turned = rng.randint(0, 1)
        for k, annotator in enumerate(raters):
            left, right = pair if (turned + k) % 2 == 0 else pair[::-1]
            t = token()
            shown.append(Pair(token=t, prompt=left.prompt, left=left.response, right=right.response))
            tokens[annotator].append(t)
            sides[t] = Sides(pair=i, left=source_of(left, 1.0), right=source_of(right, 1.0))
    return shown, tokens, sides

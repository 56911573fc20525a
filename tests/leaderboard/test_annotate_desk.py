"""The desk behind the annotation app: whatever is sent and however often, values end up on their card."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from judges.annotation.database import AnnotationStore
from leaderboard.annotate.desk import REST_MINUTES, Desk
from tests.support.annotation_study import IDS, RUBRIC, Make, Study, card_of, give, token


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def opened(made: Study, store: AnnotationStore | None = None) -> tuple[Desk, Clock]:
    clock = Clock()
    desk = Desk(store or made.store(), made.plan, "anna", clock)
    desk.go_on()
    assert desk.card is not None
    desk.show(desk.card.nonce)
    clock.now += 5
    return desk, clock


def test_a_key_is_taken_for_its_card_only_and_once(study: Make) -> None:
    made = study()
    desk, clock = opened(made)
    old = card_of(desk).nonce
    desk.keys(old, [[0, 0, 1]])
    desk.keys(old, [[0, 0, 1]])
    assert card_of(desk).values == {"refusal": 1.0}
    log = [[0, 0, 1], [1, 1, 4], [2, 2, 0], [3, 3, 2], [4, 0, 0], [5, 1, 0]]
    desk.keys(old, log)
    assert made.values() == {token(1): {"refusal": 1.0, "grounding": 5.0, "references": 0.0, "relevance": 3.0}}
    second = card_of(desk)
    assert second.token == token(2) and second.values == {}
    desk.show(second.nonce)
    clock.now += 5
    # Late ones of the card before, whatever they are.
    for late in (log, [*log, [6, 0, 1]]):
        desk.keys(old, late)
    for action in (desk.skip, desk.flag, desk.pause, desk.show):
        action(old)
    desk.comment(old, "late")
    assert card_of(desk) is second and second.values == {} and not second.flagged and second.comment == ""
    assert len(made.store().history()) == len(IDS)


def test_a_covered_card_and_the_first_moment_take_no_value(study: Make) -> None:
    made = study(min_seconds=0.3)
    desk, clock = opened(made)
    give(desk, 0, 0, 0, 0)
    card = card_of(desk)
    desk.keys(card.nonce, [[0, 0, 1]])
    assert card.values == {}
    desk.show(card.nonce)
    clock.now += 0.2
    desk.keys(card.nonce, [[0, 0, 1], [1, 1, 1]])
    assert card.values == {} and card_of(desk) is card
    # The page starts a new log for the new nonce; the key is not taken later either.
    clock.now += 0.2
    desk.keys(card.nonce, [[0, 0, 0]])
    assert card.values == {"refusal": 0.0}
    desk.keys(card.nonce, [[0, 0, 0], [1, 1, 1]])
    assert card.values == {"refusal": 0.0, "grounding": 2.0}


@pytest.mark.parametrize(
    "entry",
    [[1, 0, 0], [0, 1, 0], [0, 0, 2], [0, 0, -2], [0, -2, 0], [0, 9, 0], [0, 0], ["0", 0, 0], [0, 0, True], [0, 0, -1]],
)
def test_a_key_that_does_not_fit_changes_nothing(study: Make, entry: list[Any]) -> None:
    desk, _ = opened(study())
    before = card_of(desk).nonce
    desk.keys(before, [entry])
    assert card_of(desk).values == {} and card_of(desk).nonce != before and desk.trouble is None


def test_undo_takes_back_and_reaches_the_card_before_by_another_row(study: Make) -> None:
    made = study()
    desk, clock = opened(made)
    first = card_of(desk)
    desk.keys(first.nonce, [[0, 0, 1], [1, 1, 4], [2, 1, -1], [3, 1, 0], [4, 2, 0], [5, 3, 0]])
    assert made.values()[token(1)] == {"refusal": 1.0, "grounding": 1.0, "references": 0.0, "relevance": 1.0}
    desk.show(card_of(desk).nonce)
    desk.keys(card_of(desk).nonce, [[0, -1, -1]])
    again = card_of(desk)
    assert again.token == token(1) and again.correcting and list(again.values) == list(IDS[:3])
    clock.now += 1
    desk.keys(again.nonce, [[0, 3, 4]])
    assert made.values()[token(1)]["relevance"] == 5.0
    history = made.store().history()
    assert len(history) == 2 * len(IDS) and [r.value for r in history if r.criterion == "relevance"] == [1.0, 5.0]
    assert card_of(desk).token == token(2) and desk.count == (1, 4)


def test_given_values_are_there_after_a_crash(study: Make) -> None:
    made = study()
    desk, _ = opened(made)
    desk.keys(card_of(desk).nonce, [[0, 0, 1], [1, 1, 4], [2, 2, 0], [3, 2, -1]])
    desk, _ = opened(made)
    assert card_of(desk).token == token(1) and card_of(desk).values == {"refusal": 1.0, "grounding": 5.0}
    give(desk, 0, 0)
    assert made.values()[token(1)] == {"refusal": 1.0, "grounding": 5.0, "references": 0.0, "relevance": 1.0}


def test_two_windows_do_not_rate_one_card_twice(study: Make) -> None:
    made = study()
    one, _ = opened(made)
    two, _ = opened(made)
    give(one, 0, 0, 0, 0)
    give(two, 1, 1, 1, 1)
    assert made.values()[token(1)]["grounding"] == 1.0 and card_of(two).token == token(2)
    assert len(made.store().history()) == len(IDS)


def test_messages_of_two_threads_at_once_are_taken_one_by_one(study: Make) -> None:
    """As Streamlit runs them: the callback of a key while that of the key before is not through."""
    made = study()
    store = made.store()
    desk, _ = opened(made, store)
    nonce = card_of(desk).nonce
    log = [[0, 0, 1], [1, 1, 4], [2, 2, 0], [3, 3, 2]]
    gate = Barrier(8)

    def send(n: int) -> None:
        gate.wait()
        desk.keys(nonce, log[: 1 + n % 4])

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(send, n) for n in range(8)]:
            done.result()
    assert made.values() == {token(1): {"refusal": 1.0, "grounding": 5.0, "references": 0.0, "relevance": 3.0}}
    assert len(store.history()) == len(IDS) and card_of(desk).token == token(2) and desk.trouble is None
    with sqlite3.connect(made.db) as db:
        assert db.execute("select count(*) from drafts").fetchone() == (len(IDS),)


def test_there_is_no_card_before_the_first_and_no_going_on_from_a_card(study: Make) -> None:
    desk, _ = opened(study())
    first = card_of(desk)
    before = first.nonce
    desk.go_on()
    desk.keys(before, [[0, -1, -1]])
    assert card_of(desk) is first and not first.correcting and first.nonce != before and desk.trouble is None


def test_a_remark_that_cannot_be_read_takes_no_other_with_it(study: Make) -> None:
    made = study()
    store = made.store()
    kept = json.dumps({"token": token(1), "comment": "A made-up remark."})
    for kind, detail in (("comment", kept), ("comment", "{"), ("flag", "[]"), ("flag", "{}")):
        store.event("anna", kind, detail)
    desk, _ = opened(made, store)
    assert card_of(desk).comment == "A made-up remark." and not card_of(desk).flagged


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_sent_values_end_on_their_card(study: Make, seed: int) -> None:
    """Messages repeated, late, merged and cut, against a count by hand of what was pressed on each card."""
    rng = random.Random(seed)
    made = study(rating=6, session_cap_minutes=10_000)
    store = made.store()
    desk, clock = opened(made, store)
    pressed: dict[str, Mapping[str, float]] = {}
    stale: list[tuple[str, list[list[int]]]] = []
    while desk.stage == "rate":
        card = card_of(desk)
        desk.show(card.nonce)
        clock.now += 1
        log: list[list[int]] = []
        given: list[int] = []
        while len(given) < len(IDS):
            if given and rng.random() < 0.2:
                given.pop()
                log.append([len(log), len(given), -1])
            else:
                option = rng.randrange(len(RUBRIC.criteria[len(given)].values))
                log.append([len(log), len(given), option])
                given.append(option)
            if rng.random() < 0.5:
                desk.keys(card.nonce, list(log))
            if stale and rng.random() < 0.5:
                desk.keys(*rng.choice(stale))
            if rng.random() < 0.1 and len(given) < len(IDS):
                # The page is opened anew: what was sent is kept, what was not is lost, and neither moves.
                desk, clock = opened(made, store)
                assert card_of(desk).token == card.token
                card, log = card_of(desk), []
                given = [c.values.index(card.values[c.id]) for c in card.criteria if c.id in card.values]
        pressed[card.token] = {c.id: c.values[o] for c, o in zip(RUBRIC.criteria, given, strict=True)}
        for _ in range(rng.randrange(1, 3)):
            desk.keys(card.nonce, [*log, [len(log), 0, 0]])
        stale.append((card.nonce, log))
    assert desk.stage == "done" and made.values() == pressed
    assert len(store.history()) == 6 * len(IDS)


def test_session_cap_holds_over_a_refresh_and_ends_with_a_rest(study: Make) -> None:
    made = study(session_cap_minutes=10)
    store = made.store()
    now = [time.time()]
    desk = Desk(store, made.plan, "anna", lambda: now[0])
    desk.go_on()
    now[0] += 9.5 * 60
    again = Desk(store, made.plan, "anna", lambda: now[0])
    again.go_on()
    assert again.stage == "rate" and again.card is not None
    now[0] += 60
    again.show(again.card.nonce)
    give(again, 0, 0, 0, 0)
    assert again.stage == "capped" and again.count == (1, 4)
    later = Desk(store, made.plan, "anna", lambda: now[0])
    later.go_on()
    assert later.stage == "capped"
    now[0] += 60 * (REST_MINUTES + 1)
    rested = Desk(store, made.plan, "anna", lambda: now[0])
    rested.go_on()
    assert rested.stage == "rate"

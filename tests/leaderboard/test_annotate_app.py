"""The annotation app in Streamlit's own test runner, and the desk behind it: every state, and where values end up."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import leaderboard.annotate
from judges.annotation import tables
from judges.annotation.database import AnnotationStore
from judges.annotation.model import AnnotationError, Card, Gold, HelpLine, Pair, Plan, PlanMap, Queue, Sides, Source
from judges.annotation.progress import progress
from leaderboard.annotate import access
from leaderboard.annotate.admin import figure, share
from leaderboard.annotate.cards import OnDesk
from leaderboard.annotate.desk import REST_MINUTES, Desk
from leaderboard.annotate.panel import label_of
from leaderboard.annotate.settle import Table
from leaderboard.annotate.study import ENV_DB, ENV_MAP, ENV_PLAN, without_names
from rubrics import Rubric, load_rubric, rubric_sha256

HERE = Path(str(leaderboard.annotate.__file__)).parent
RUBRIC = load_rubric("paper")
IDS = RUBRIC.criterion_ids
INTENDED = {"refusal": 1.0, "grounding": 3.0, "references": 0.0, "relevance": 4.0}
HOSTILE = "![x](http://127.0.0.1:9/a.png) <b>bold</b> $x$ :red[red]"


def token(n: int) -> str:
    return f"{n:016x}"


def make_plan(
    *,
    training: int = 0,
    rating: int = 4,
    pairs: int = 0,
    rubric: Rubric = RUBRIC,
    more: Sequence[str] = (),
    intended: Mapping[str, float] = INTENDED,
    **options: Any,
) -> Plan:
    """Tokens count from 1: training, then rating; pairs from 100. Anna has all, `ZZ-other` and `more` the ratings."""
    made = [
        Card(
            token=token(n),
            prompt=f"A made-up message about a hard day, number {n}.",
            response=f"A made-up answer, number {n}. {HOSTILE}",
            kind="training" if n <= training else "rating",
        )
        for n in range(1, training + rating + 1)
    ]
    both = [
        Pair(
            token=token(100 + n), prompt=f"A made-up message for two, number {n}.", left="One answer.", right="Another."
        )
        for n in range(pairs)
    ]
    return Plan(
        created="2026-01-01T00:00:00Z",
        seed=1,
        title="Ratings of answers",
        rubric=rubric,
        rubric_sha256=rubric_sha256(rubric),
        cards=tuple(made),
        pairs=tuple(both),
        queues=(
            Queue(annotator="anna", cards=tuple(c.token for c in made), pairs=tuple(p.token for p in both)),
            *(Queue(annotator=name, cards=tuple(c.token for c in made[training:])) for name in ("ZZ-other", *more)),
        ),
        answers={token(n): dict(intended) for n in range(1, training + 1)},
        helplines=(HelpLine(name="A made-up line", contact="000 000", country="Nowhere"),),
        **options,
    )  # fmt: skip


def make_map(plan: Plan, mark: str = "") -> PlanMap:
    """A map with the last rating card of all as a hidden check and the one before as a repeat of the first."""
    rating = [c.token for c in plan.cards if c.kind == "rating"]
    first, again, gold = rating[0], rating[-2], rating[-1]
    source = Source(run_id=f"run{mark}", item_id=f"item{mark}", epoch=1, turn=0, stratum=f"stratum{mark}", weight=1.0)
    return PlanMap(
        plan_sha256=plan.sha256,
        sources={t: source.model_copy(update={"item_id": f"item{mark}-{t}"}) for t in rating if t != gold},
        gold={gold: Gold(id=f"gold{mark}", values=INTENDED)},
        repeats={again: first},
        sides={p.token: Sides(pair=n, left=source, right=source) for n, p in enumerate(plan.pairs)},
        domains={t: f"domain{mark}" for t in rating},
    )  # fmt: skip


@dataclass
class Study:
    """A plan on disk, its map elsewhere, and a database."""

    plan: Plan
    folder: Path
    mark: str = ""
    map: PlanMap = field(init=False)

    def __post_init__(self) -> None:
        self.map = make_map(self.plan, self.mark)
        for path, part in ((self.plan_path, self.plan), (self.map_path, self.map)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(part.model_dump_json(), encoding="utf-8")

    @property
    def plan_path(self) -> Path:
        return self.folder / "annotate" / "plan.json"

    @property
    def map_path(self) -> Path:
        return self.folder / "keep" / "map.json"

    @property
    def db(self) -> Path:
        return self.folder / "ratings.sqlite"

    @property
    def code(self) -> str:
        return self.code_of("anna")

    def code_of(self, name: str) -> str:
        return access.codes(self.plan, self.plan_path)[name]

    def store(self) -> AnnotationStore:
        return AnnotationStore(str(self.db), self.plan)

    def values(self, name: str = "anna") -> dict[str, dict[str, float | None]]:
        """What stands in the database, by token and criterion."""
        found: dict[str, dict[str, float | None]] = {}
        for r in self.store().ratings():
            if r.annotator == name:
                found.setdefault(r.token, {})[r.criterion] = r.value
        return found


Make = Callable[..., Study]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    def made(**options: Any) -> Study:
        found = Study(make_plan(**options), tmp_path)
        monkeypatch.setenv(ENV_PLAN, str(found.plan_path))
        monkeypatch.setenv(ENV_DB, str(found.db))
        monkeypatch.delenv(ENV_MAP, raising=False)
        return found

    return made


def page(name: str = "app.py") -> AppTest:
    return checked(AppTest.from_file(str(HERE / name), default_timeout=60).run())


def checked(at: AppTest) -> AppTest:
    assert not at.exception, at.exception
    return at


def press(at: AppTest, label: str) -> None:
    next(b for b in at.button if b.label == label).click()
    checked(at.run())


def login(at: AppTest, name: str, code: str) -> AppTest:
    at.text_input[0].input(name)
    at.text_input[1].input(code)
    at.button[0].click()
    return checked(at.run())


def desk_of(at: AppTest) -> Desk:
    found = at.session_state["desk"]
    assert isinstance(found, Desk)
    return found


def rate(at: AppTest, *options: int) -> None:
    """Uncover, and send what the panel sends for these keys."""
    desk = desk_of(at)
    if desk.card is not None and desk.card.shown_at is None:
        press(at, "Show the text")
    assert desk.card is not None
    give(desk, *options)
    checked(at.run())


def give(desk: Desk, *options: int) -> None:
    card = desk.card
    assert card is not None and card.shown_at is not None
    card.shown_at -= 10
    start, given = card.applied, len(card.values)
    # The log is of all keys; those before are not read again.
    log = [[-9, -9, -9]] * start + [[start + n, given + n, o] for n, o in enumerate(options)]
    desk.keys(card.nonce, log)


def words(at: AppTest) -> str:
    """Everything drawn, as text."""
    kinds = ("title", "header", "subheader", "markdown", "text", "code", "error", "warning", "info")
    return "\n".join(str(e.value) for kind in kinds for e in getattr(at, kind))


def started(made: Study) -> AppTest:
    at = login(page(), "Anna ", made.code.lower())
    press(at, "I want to go on")
    return at


# Logging in


def test_login_asks_for_the_right_name_and_code_and_names_nobody(study: Make) -> None:
    made = study()
    other = access.codes(made.plan, made.plan_path)["ZZ-other"]
    assert other != made.code and made.plan_path.with_name(access.BESIDE).stat().st_mode & 0o777 == 0o600
    at = page()
    wrong = []
    for name, code in (("nobody", made.code), ("anna", other), ("anna", ""), ("", "")):
        login(at, name, code)
        wrong.append([e.value for e in at.error])
        assert "desk" not in at.session_state
    assert wrong == [["No such name and code. Check both and try again."]] * 4
    assert "ZZ" not in words(at)
    # Capitals, spaces and hyphens do not matter.
    login(at, " Anna", made.code.lower().replace("-", " "))
    assert at.title[0].value == "Before you start"
    assert "000 000" in words(at) and "ZZ" not in words(at)


def test_a_code_is_for_one_plan(study: Make, tmp_path: Path) -> None:
    made = study()
    other = make_plan(rating=5)
    assert access.codes(other, made.plan_path)["anna"] != made.code
    assert access.adjudicator_code(made.plan, made.plan_path) not in access.codes(made.plan, made.plan_path).values()
    with pytest.raises(AnnotationError, match="secret"):
        access.codes(other, tmp_path / "nowhere" / "plan.json")


def test_a_secret_that_lies_elsewhere_and_is_away_is_not_made_anew(study: Make) -> None:
    """A link to another disk, say; new codes would lock everybody out once it is back."""
    made = study()
    link = made.plan_path.with_name(access.BESIDE)
    link.symlink_to(made.folder / "away")
    with pytest.raises(AnnotationError, match=r"cannot be read or made \(No such file or directory\)"):
        access.codes(made.plan, made.plan_path)
    assert link.is_symlink() and sorted(p.name for p in link.parent.iterdir()) == sorted([access.BESIDE, "plan.json"])
    assert not (made.folder / "away").exists()


def test_a_card_is_covered_until_shown_then_rated_and_saved(study: Make) -> None:
    made = study()
    at = started(made)
    assert "Covered until you are ready." in words(at) and not at.code
    assert made.values() == {}
    press(at, "Show the text")
    assert [c.value for c in at.code] == [made.plan.cards[0].prompt, made.plan.cards[0].response]
    assert all(c.language in ("", "plaintext", None) for c in at.code)
    assert HOSTILE[:10] not in "".join(m.value for m in at.markdown)
    rate(at, 1, 4, 0, 2)
    assert made.values() == {token(1): {"refusal": 1.0, "grounding": 5.0, "references": 0.0, "relevance": 3.0}}
    assert not at.code and desk_of(at).count == (1, 4)
    saved = made.store().ratings()[0]
    assert saved.position == 0 and saved.submitted_at >= saved.shown_at


def test_skip_flag_and_comment(study: Make) -> None:
    made = study()
    at = started(made)
    press(at, "Flag")
    assert "Flagged as distressing" in words(at)
    at.text_input[0].input("A made-up remark.")
    checked(at.run())
    # Opened anew: flag and remark are there.
    at = started(made)
    assert at.text_input[0].value == "A made-up remark." and "Flagged" in words(at)
    press(at, "Skip")
    assert made.values() == {token(1): dict.fromkeys(IDS)}
    rows = made.store().ratings()
    assert {(r.status, r.flagged, r.comment) for r in rows} == {("skipped", True, "A made-up remark.")}
    desk = desk_of(at)
    assert desk.card is not None and desk.card.token == token(2) and not desk.card.flagged
    assert at.text_input[0].value == ""


def test_training_gives_feedback_and_nothing_else_does(study: Make) -> None:
    made = study(training=1)
    at = started(made)
    rate(at, 1, 4, 0, 3)
    assert at.title[0].value == "Practice: 3 of 4 as intended"
    anchors = RUBRIC.criterion("grounding").anchors
    assert f"You: 5. Intended: 3. {anchors['3']}" in words(at)
    assert f"You: 4, as intended. {RUBRIC.criterion('relevance').anchors['4']}" in words(at)
    assert made.plan.cards[0].response in [c.value for c in at.code]
    press(at, "Go on")
    # Back over a training card is not possible: its values were shown.
    desk = desk_of(at)
    press(at, "Show the text")
    assert desk.card is not None
    desk.keys(desk.card.nonce, [[0, -1, -1]])
    assert desk.card.token == token(2)
    rate(at, 1, 4, 0, 3)
    # The hidden check, the last, is followed by the end.
    for _ in range(3):
        assert desk.stage == "rate" and desk.feedback is None
        rate(at, 0, 0, 0, 0)
    assert at.title[0].value == "Thank you"


def test_practice_speaks_of_what_was_intended_only(study: Make) -> None:
    made = study(training=1, intended={"grounding": 3.0})
    at = started(made)
    rate(at, 1, 2, 0, 3)
    assert at.title[0].value == "Practice: 1 of 1 as intended"
    assert "You: 3, as intended." in words(at) and words(at).count("You: ") == 1
    desk = desk_of(at)
    desk.understood(token(2))
    assert desk.stage == "feedback"
    desk.understood(token(1))
    assert card_of(desk).token == token(2)


def test_after_the_session_s_time_a_rest_is_due(study: Make) -> None:
    made = study(session_cap_minutes=10)
    at = started(made)
    desk_of(at).began -= 11 * 60
    rate(at, 1, 2, 0, 3)
    assert at.title[0].value == "Thank you" and "10 minutes are enough for one session." in words(at)
    assert "Come back after a rest of half an hour" in words(at) and len(made.values()) == 1 and "000 000" in words(at)


def test_break_is_proposed_and_can_be_taken(study: Make) -> None:
    made = study(break_every=2)
    at = started(made)
    rate(at, 1, 4, 0, 2)
    rate(at, 1, 4)
    press(at, "Break")
    assert at.title[0].value == "Break" and not at.code and "000 000" in words(at)
    press(at, "Go on")
    desk = desk_of(at)
    assert desk.card is not None and len(desk.card.values) == 2 and desk.card.shown_at is None
    rate(at, 0, 2)
    assert at.title[0].value == "Time for a break"
    press(at, "Go on")
    assert desk.card.token == token(3)
    press(at, "Stop")
    assert at.title[0].value == "Thank you" and "000 000" in words(at)
    assert [e.kind for e in made.store().events()] == ["begin", "pause", "stop"]


def test_pairs_come_last_as_a_block_of_their_own(study: Make) -> None:
    made = study(rating=1 + 2, pairs=2)
    at = started(made)
    for _ in range(3):
        press(at, "Skip")
    assert at.title[0].value == "Two answers side by side"
    press(at, "Go on")
    press(at, "Show the text")
    assert [c.value for c in at.code] == [made.plan.pairs[0].prompt, "One answer.", "Another."]
    rate(at, 2)
    rate(at, 1)
    assert at.title[0].value == "Thank you" and "been through everything" in words(at)
    assert [made.values()[token(n)] for n in (100, 101)] == [{"preference": 2.0}, {"preference": 1.0}]
    # Nothing is left at the next log-in either.
    assert started(made).title[0].value == "Thank you"


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


# What can go wrong


def test_an_edited_plan_is_refused_in_one_line_without_names(study: Make) -> None:
    made = study()
    rate(started(made), 1, 4, 0, 2)
    edited = made.plan.model_copy(update={"title": "Edited"})
    made.plan_path.write_text(Plan.model_validate(edited.model_dump()).model_dump_json())
    at = page()
    assert at.title[0].value == "Not ready" and not at.text_input
    (line,) = at.code
    assert "edited" in line.value and "\n" not in line.value and str(made.folder) not in line.value
    made.plan_path.unlink()
    at = page()
    assert at.title[0].value == "Not ready" and str(made.folder) not in at.code[0].value


@pytest.mark.parametrize(
    ("missing", "name"), [(ENV_PLAN, "app.py"), (ENV_DB, "app.py"), (ENV_DB, "adjudicate.py")]
)  # fmt: skip
def test_a_server_without_plan_or_database_says_so(
    study: Make, monkeypatch: pytest.MonkeyPatch, missing: str, name: str
) -> None:
    study()
    monkeypatch.delenv(missing)
    at = page(name)
    assert at.title[0].value == "Not ready" and "annotate serve" in at.code[0].value


def test_messages_name_no_files() -> None:
    said = without_names(
        "not saved: the annotation database /a/b secret-arm.sqlite: no plan at /x/finetuned/plan.json; go"
    )
    assert (
        "secret-arm" not in said and "finetuned" not in said and said.startswith("not saved: the annotation database")
    )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked database is given up at once rather than after the usual wait."""
    monkeypatch.setattr(tables, "WAIT_SECONDS", 0)


@pytest.mark.usefixtures("impatient")
def test_database_away_loses_nothing(study: Make) -> None:
    made = study()
    at = started(made)
    rate(at, 1, 4)
    desk = desk_of(at)
    with sqlite3.connect(made.db, timeout=0) as other:
        other.execute("BEGIN EXCLUSIVE")
        rate(at, 0)
        assert at.title[0].value == "Not saved yet" and len(at.code) == 1
        assert "\n" not in at.code[0].value and str(made.folder) not in at.code[0].value
        press(at, "Try again")
        assert at.title[0].value == "Not saved yet"
        other.rollback()
    press(at, "Try again")
    assert not at.error and desk.card is not None and len(desk.card.values) == 3
    assert made.store().drafts("anna", token(1)) == {"refusal": 1.0, "grounding": 5.0, "references": 0.0}
    with sqlite3.connect(made.db, timeout=0) as other:
        other.execute("BEGIN EXCLUSIVE")
        rate(at, 2)
        assert at.title[0].value == "Not saved yet"
        other.rollback()
    press(at, "Try again")
    assert made.values() == {token(1): {"refusal": 1.0, "grounding": 5.0, "references": 0.0, "relevance": 3.0}}
    assert len(made.store().history()) == len(IDS) and desk.card is not None and desk.card.token == token(2)


@pytest.mark.usefixtures("impatient")
def test_a_database_away_at_the_start_and_while_settling_is_tried_again(study: Make) -> None:
    made = study()
    store = made.store()
    desk = Desk(store, made.plan, "anna")
    with sqlite3.connect(made.db, timeout=0) as other:
        other.execute("BEGIN EXCLUSIVE")
        desk.go_on()
        assert desk.stage == "care" and desk.card is None and "another program holds it" in str(desk.trouble)
        desk.retry()
        assert desk.trouble is not None
        other.rollback()
    desk.retry()
    assert desk.trouble is None and card_of(desk).token == token(1)

    for name, base in (("anna", 1.0), ("ZZ-other", 5.0)):
        values = {**INTENDED, "grounding": base}
        store.save(name, token(2), values, nonce=name, shown_at=1.0, position=1)
    at = login(page("adjudicate.py"), "chris", access.adjudicator_code(made.plan, made.plan_path))
    press(at, "Show the text")
    table = at.session_state["table"]
    with sqlite3.connect(made.db, timeout=0) as other:
        other.execute("BEGIN EXCLUSIVE")
        table.keys(table.card.nonce, [[0, 0, 1], [1, 1, 3], [2, 2, 0], [3, 3, 3]])
        # What comes while it is not saved is not taken in.
        table.keys(table.card.nonce, [[0, 0, 1], [1, 1, 3], [2, 2, 0], [3, 3, 3], [4, 3, -1]])
        checked(at.run())
        assert at.title[0].value == "Not saved yet" and str(made.folder) not in at.code[0].value
        other.rollback()
    press(at, "Try again")
    assert at.title[0].value == "Nothing left to settle"
    assert {a.criterion: a.value for a in store.adjudications()} == {**INTENDED, "refusal": 1.0, "grounding": 4.0}


# The desk


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


def card_of(desk: Desk) -> OnDesk:
    assert desk.card is not None
    return desk.card


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


# The other two servers


def test_adjudication_is_blind_and_a_layer_of_its_own(study: Make) -> None:
    made = study()
    store = made.store()
    for name, base in (("anna", 1.0), ("ZZ-other", 5.0)):
        for n in range(1, 5):
            values = {"refusal": 1.0, "grounding": base if n == 2 else 3.0, "references": 0.0, "relevance": 4.0}
            store.save(
                name, token(n), values, nonce=f"{name}{n}", shown_at=1.0, position=n, comment="A made-up remark."
            )
    before = store.history()
    at = page("admin.py")
    assert at.title[0].value == "Not ready"
    at.switch_page("adjudicate.py")
    checked(at.run())
    login(at, "chris", made.code)
    assert "table" not in at.session_state
    login(at, "chris", access.adjudicator_code(made.plan, made.plan_path))
    table = at.session_state["table"]
    assert isinstance(table, Table) and table.card is not None and table.card.token == token(2)
    press(at, "Show the text")
    drawn = words(at) + str([b.label for b in at.button]) + at.get("bidi_component")[0].proto.json
    notes = {c["id"]: c["note"] for c in json.loads(at.get("bidi_component")[0].proto.json)["criteria"]}
    assert notes["grounding"] in ("A: 1 · B: 5", "A: 5 · B: 1") and notes["refusal"] == "A: Yes · B: Yes"
    assert "Rater A: A made-up remark." in drawn
    assert "anna" not in drawn and "ZZ-other" not in drawn
    press(at, "Put off")
    left = table.left
    again = Table(store, made.plan, "chris")
    assert again.card is not None and again.card.token == token(2) and again.left == left + 1
    again.show(again.card.nonce)
    again.keys(again.card.nonce, [[0, 0, 1], [1, 1, 3], [2, 2, 0], [3, 2, -1], [4, 2, 1], [5, 3, 3]])
    settled = {a.criterion: a.value for a in store.adjudications() if a.token == token(2)}
    assert settled == {"refusal": 1.0, "grounding": 4.0, "references": 1.0, "relevance": 4.0}
    assert {a.adjudicator for a in store.adjudications()} == {"chris"} and store.history() == before
    assert sorted(store.adjudications()[0].seen) == ["ZZ-other", "anna"]
    assert again.card is None or again.card.token != token(2)


def test_settling_takes_what_is_meant_for_its_card_and_fits(study: Make) -> None:
    made = study()
    store = made.store()
    for name, base in (("anna", 1.0), ("ZZ-other", 5.0)):
        for n in (1, 2):
            store.save(name, token(n), {**INTENDED, "grounding": base}, nonce=f"{name}{n}", shown_at=1.0, position=n)
    table = Table(store, made.plan, "chris")
    first = table.card
    assert first is not None and table.left == 2
    nonce = first.nonce
    table.keys(nonce, [[0, 0, 1]])  # while it is covered
    table.show("another")
    assert first.values == {} and first.shown_at is None
    table.show(nonce)
    table.keys("another", [[0, 0, 1]])
    table.put_off("another")
    assert first.values == {} and table.card is first
    table.keys(nonce, [[0, 0, 1], [1, 3, 0]])
    assert first.values == {"refusal": 1.0} and first.nonce != nonce
    table.retry()
    assert table.card is first and first.values == {"refusal": 1.0} and table.trouble is None
    table.keys(first.nonce, [[0, 1, 2]])
    assert first.values == {"refusal": 1.0, "grounding": 3.0} and not store.adjudications()
    table.keys(first.nonce, [[0, 1, 2], [1, 2, 0], [2, 3, 0], [3, 3, 4]])
    settled = {a.criterion: a.value for a in store.adjudications()}
    assert settled == {"refusal": 1.0, "grounding": 3.0, "references": 0.0, "relevance": 1.0}
    assert table.card is not None and table.card.token != first.token and table.left == 1


def test_admin_of_a_plan_without_repeats_and_checks_says_nothing_of_them(
    study: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = study()
    bare = PlanMap.model_validate({**made.map.model_dump(), "repeats": {}, "gold": {}})
    made.map_path.write_text(bare.model_dump_json())
    monkeypatch.setenv(ENV_MAP, str(made.map_path))
    at = page("admin.py")
    at_repeats = [e.value for e in at.main if e.type in ("header", "text")]
    assert at_repeats[at_repeats.index("Hidden repeats and checks") + 1] == "Nothing yet."


def test_admin_shows_the_library_s_figures_and_needs_the_map(study: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = study(rating=24)
    at = page("admin.py")
    assert at.title[0].value == "Not ready" and "--admin" in at.code[0].value
    monkeypatch.setenv(ENV_MAP, str(made.map_path))
    at = page("admin.py")
    # Nothing but what is meant: Streamlit draws stray strings of the script.
    assert not at.error and [m.value[:11] for m in at.markdown] == ["Krippendorf", "Skipped car"]
    store = made.store()
    rng = random.Random(1)
    for name in made.plan.annotators:
        for n in range(1, 25):
            values = {c.id: float(rng.choice(c.values)) for c in RUBRIC.criteria}
            status: Any = "skipped" if (name, n) == ("anna", 5) else "ok"
            store.save(name, token(n), values, status=status, nonce=f"{name}{n}", shown_at=1.0, position=n)
    found = progress(made.plan, store.ratings(), made.map)
    at = page("admin.py")
    assert access.adjudicator_code(made.plan, made.plan_path) in at.text[-1].value
    people, agreement, consistency, skips = (d.value for d in at.dataframe)
    assert list(people["Annotator"]) == ["anna", "ZZ-other"] and list(people["Done"]) == ["24 of 24"] * 2
    assert list(people["Skipped"]) == ["1", "0"]
    assert list(agreement["Alpha"]) == [figure(found.agreement[c]) for c in IDS]
    assert all(cell.isdigit() or "label" in cell for cell in agreement["Cards still needed"])
    assert len(consistency) == 2 * len(IDS)
    assert list(skips["Skipped"]) == [share(found.skips["domain"])] == ["2% [0%, 11%]"]
    assert not any(str(cell) in {"nan", "None"} for frame in (people, agreement, consistency, skips)
                   for cell in frame.to_numpy().ravel())  # fmt: skip
    other = PlanMap.model_validate({**made.map.model_dump(), "plan_sha256": "0" * 64})
    made.map_path.write_text(other.model_dump_json())
    assert "another plan" in page("admin.py").code[0].value


def test_labels_of_points() -> None:
    assert [label_of(c, c.values[-1]) for c in load_rubric("psychosafe").criteria] == [
        "Yes",
        "5",
        "Yes",
        "5",
        "Full",
        "Full",
    ]

"""A plan with made-up texts on disk, its map and a database, and how a test drives the annotation app over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import leaderboard.annotate
from judges.annotation.database import AnnotationStore
from judges.annotation.model import Card, Gold, HelpLine, Pair, Plan, PlanMap, Queue, Sides, Source
from leaderboard.annotate import access
from leaderboard.annotate.cards import OnDesk
from leaderboard.annotate.desk import Desk
from leaderboard.annotate.study import ENV_DB, ENV_MAP, ENV_PLAN
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
"""What the fixture `study` is: `made_study` in a test's own folder."""


def made_study(folder: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Study:
    """A study of `make_plan` with these options, which the app finds by its environment; the map it does not find."""
    found = Study(make_plan(**options), folder)
    monkeypatch.setenv(ENV_PLAN, str(found.plan_path))
    monkeypatch.setenv(ENV_DB, str(found.db))
    monkeypatch.delenv(ENV_MAP, raising=False)
    return found


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


def card_of(desk: Desk) -> OnDesk:
    assert desk.card is not None
    return desk.card

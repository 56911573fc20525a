"""The annotation database, on SQLite and on a real PostgreSQL: nothing lost, nothing doubled, nothing changed."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from judges.annotation import tables
from judges.annotation.database import AnnotationError, AnnotationStore
from judges.annotation.plan import Candidate, Plan, PlanMap, make_plan, write_plan
from judges.annotation.tables import database_url
from judges.gold import load_gold
from rubrics.loader import load_rubric
from tests.support.postgres import Server, postgres  # noqa: F401  (a fixture)

# One server for all of them.
pytestmark = pytest.mark.xdist_group("annotation_database")
RUBRIC = load_rubric("psychosafe")
PEOPLE = tuple("abcdefghij")
ROOT = Path(__file__).resolve().parents[2]


def candidates(n: int = 30) -> list[Candidate]:
    return [
        Candidate(f"run-{k}", f"i{i}", 1, 0, f"a made-up message {i}", f"a made-up answer {i} of {k}", "violence")
        for k in (1, 2)
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def plan() -> Plan:
    gold = load_gold(RUBRIC)
    return make_plan(candidates(), RUBRIC, PEOPLE, n=20, overlap=5, training=gold[:2], gold=gold[2:4], pairs=4, seed=1)[
        0
    ]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "ratings.db")
    server: Server = request.getfixturevalue("postgres")
    return server.new_database()


def best(plan: Plan, token: str) -> dict[str, float | None]:
    return {c.id: c.values[-1] for c in plan.criteria_of(token)}


def save(store: AnnotationStore, who: str, token: str, nonce: str, **more: object) -> bool:
    values = more.pop("values", best(store.plan, token))
    return store.save(who, token, values, nonce=nonce, shown_at=time.time(), position=0, **more)  # type: ignore[arg-type]


def test_a_queue_from_the_first_card_to_the_last(url: str, plan: Plan) -> None:
    """Save, correct, skip; the queue goes on where it was after the database is opened again."""
    store = AnnotationStore(url, plan)
    queue = plan.queue("a").tokens
    assert store.position("a") == (0, len(queue)) and store.last("a") is None
    first = store.next_token("a")
    assert first == queue[0] and store.current("a", first) is None
    store.draft("a", first, "refusal", 0.0)
    store.draft("a", first, "refusal", 1.0)
    store.draft("a", first, "grounding", 3.0)
    store.draft("a", first, "grounding", None)
    assert AnnotationStore(url, plan).drafts("a", first) == {"refusal": 1.0}
    assert save(store, "a", first, "n1", comment="half\ud800 a letter\x00", flagged=True)
    assert not save(store, "a", first, "n1", values=dict.fromkeys(RUBRIC.criterion_ids, 1.0))
    assert store.drafts("a", first) == {} and store.current("a", first) == best(plan, first)

    again = AnnotationStore(url, plan)
    assert again.next_token("a") == queue[1] and again.position("a") == (1, len(queue)) and again.last("a") == first
    corrected = {**best(plan, first), "refusal": 0.0}
    assert save(again, "a", first, "n2", values=corrected)
    assert again.current("a", first) == corrected and again.position("a")[0] == 1
    assert len(again.history()) == 2 * len(again.ratings()) == 2 * len(RUBRIC.criteria)
    saved = again.history()[0]
    assert saved.comment == "half? a letter�" and saved.flagged and 0 <= saved.submitted_at - saved.shown_at < 5
    assert again.save("a", queue[1], {}, status="skipped", nonce="n3", shown_at=time.time(), position=1)
    assert again.current("a", queue[1]) == dict.fromkeys(RUBRIC.criterion_ids)
    for i, token in enumerate(queue[2:]):
        assert again.next_token("a") == token
        save(again, "a", token, f"m{i}")
    assert again.next_token("a") is None and again.position("a") == (len(queue), len(queue))
    assert again.position("b")[0] == 0
    again.event("a", "break", "after 25")
    assert [(e.annotator, e.kind, e.detail) for e in store.events()] == [("a", "break", "after 25")]


def test_what_is_not_a_rating_is_refused(url: str, plan: Plan) -> None:
    store = AnnotationStore(url, plan)
    mine = plan.queue("a").tokens[-5]
    strange = next(t for t in plan.queue("b").tokens if t not in plan.queue("a").tokens)
    good = best(plan, mine)
    for who, token, values, more, said in (
        ("nobody", mine, good, {}, "no annotator of that name"),
        ("a", strange, good, {}, "not in the annotator's queue"),
        ("a", "no-such-token", good, {}, "not in the annotator's queue"),
        ("a", mine, {**good, "grounding": 6.0}, {}, "grounding is not on its scale"),
        ("a", mine, {**good, "grounding": 2.5}, {}, "grounding is not on its scale"),
        ("a", mine, {**good, "grounding": float("nan")}, {}, "grounding is not on its scale"),
        ("a", mine, {**good, "grounding": None}, {}, "grounding is not on its scale"),
        ("a", mine, {"grounding": 5.0}, {}, "rate every criterion"),
        ("a", mine, {**good, "more": 1.0}, {}, "rate every criterion"),
        ("a", mine, good, {"status": "done"}, "ok or skipped"),
        ("a", mine, good, {"nonce": ""}, "nonce"),
    ):
        with pytest.raises(AnnotationError, match=said) as caught:
            store.save(who, token, values, **{"nonce": "n", "shown_at": 1.0, "position": 0, **more})  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
    with pytest.raises(AnnotationError, match="scale"):
        store.draft("a", mine, "refusal", 2.0)
    with pytest.raises(AnnotationError, match="not in the annotator's queue"):
        store.draft("a", strange, "refusal", 1.0)
    assert store.history() == []


def test_rows_are_never_changed_or_removed(url: str, plan: Plan) -> None:
    """Whoever opens the database with other tools is refused by the database itself."""
    store = AnnotationStore(url, plan)
    token = plan.queue("a").tokens[0]
    save(store, "a", token, "n1")
    store.draft("a", token, "refusal", 1.0)
    store.event("a", "break")
    store.adjudicate(
        "z", plan.queue("a").cards[-1], {c: best(plan, token)[c] or 0.0 for c in RUBRIC.criterion_ids}, "n"
    )
    before = (store.history(), store.events(), store.adjudications())
    engine = create_engine(database_url(url))
    tried = [f"UPDATE {t} SET id = 77" for t in tables.meta.tables] + [f"DELETE FROM {t}" for t in tables.meta.tables]
    if engine.dialect.name == "postgresql":
        tried += [f"TRUNCATE {t}" for t in tables.meta.tables]
    else:
        columns = ", ".join(c.name for c in tables.ratings.c if c.name not in ("id", "value"))
        tried += [
            "INSERT OR REPLACE INTO ratings SELECT * FROM ratings",
            f"INSERT OR REPLACE INTO ratings ({columns}, value) SELECT {columns}, 0 FROM ratings",
        ]
    for statement in tried:
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as conn:
            conn.execute(text(statement))
    assert (store.history(), store.events(), store.adjudications()) == before and all(before)


def test_a_plan_that_was_edited_is_refused(url: str, plan: Plan) -> None:
    AnnotationStore(url, plan)
    AnnotationStore(url, Plan.model_validate_json(plan.model_dump_json()))
    for edited in (plan.model_copy(update={"title": "other"}), plan.model_copy(update={"queues": plan.queues[:-1]})):
        with pytest.raises(AnnotationError, match="another plan, or the plan was edited"):
            AnnotationStore(url, Plan.model_validate(edited.model_dump()))


def writers(url: str, plan_file: Path, label: str, rounds: int, people: Sequence[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.annotation_writer", url, str(plan_file), label, str(rounds)]
    return subprocess.Popen([*command, *people], cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.process
def test_ten_processes_at_once(url: str, plan: Plan, tmp_path: Path) -> None:
    """Ten annotators, five of them in two windows that send the same ratings: every rating is there once."""
    plan_file, _ = write_plan(tmp_path, plan, _map_of(plan))
    out, _ = writers(url, plan_file, "w", 1, PEOPLE + PEOPLE[:5]).communicate(timeout=120)
    said = Counter(line.split(" ", 1)[1] for line in out.splitlines())
    due = {(who, f"w-0-{t}") for who in PEOPLE for t in plan.queue(who).tokens}
    twice = {(who, nonce) for who, nonce in due if who in PEOPLE[:5]}
    assert said == Counter([f"{w} saved {n}" for w, n in due] + [f"{w} again {n}" for w, n in twice])
    store = AnnotationStore(url, plan)
    rows = Counter((r.annotator, r.nonce, r.criterion) for r in store.history())
    assert rows == Counter((w, n, c.id) for w, n in due for c in plan.criteria_of(n.rsplit("-", 1)[1]))
    assert all(store.next_token(who) is None for who in PEOPLE)


def _killed_writers(url: str, plan: Plan, plan_file: Path, rng: random.Random) -> tuple[int, int]:
    """Kill ten writers at random moments; how many saves were acknowledged, and how many are there."""
    label = f"w{rng.getrandbits(32)}"
    parent = writers(url, plan_file, label, 10_000, PEOPLE)
    assert parent.stdout is not None
    told: list[str] = []
    pids: dict[str, int] = {}
    # Nobody is killed before everybody has saved something.
    while len(pids) < len(PEOPLE):
        told.append(parent.stdout.readline())
        pid, who, *_ = told[-1].split()
        pids[who] = int(pid)
    for who in rng.sample(PEOPLE, len(PEOPLE)):
        time.sleep(rng.uniform(0.0, 0.05))
        os.kill(pids[who], signal.SIGKILL)
    rest, _ = parent.communicate(timeout=60)
    lines = [line.strip().split(" ", 3) for line in (*told, *rest.splitlines())]
    assert [line for line in lines if line[2] != "saved"] == []
    acknowledged = {(who, nonce) for _, who, _, nonce in lines}
    store = AnnotationStore(url, plan)
    found: dict[tuple[str, str], set[str]] = {}
    for r in store.history():
        if r.nonce.startswith(label):
            found.setdefault((r.annotator, r.nonce), set()).add(r.criterion)
    assert acknowledged <= set(found)
    for (_, nonce), criteria in found.items():
        assert criteria == {c.id for c in plan.criteria_of(nonce.rsplit("-", 1)[1])}
    store.close()
    return len(acknowledged), len(found)


@pytest.mark.process
@pytest.mark.parametrize(
    ("url", "rounds"),
    [
        ("sqlite", 1),
        pytest.param("sqlite", 15, marks=pytest.mark.slow),
        pytest.param("postgresql", 15, marks=pytest.mark.slow),
    ],
    indirect=["url"],
)
def test_killed_in_mid_save(url: str, plan: Plan, tmp_path: Path, rounds: int) -> None:
    """Ten kills a round: every acknowledged save is there, and no card is saved in part."""
    plan_file, _ = write_plan(tmp_path, plan, _map_of(plan))
    rng = random.Random(5)
    counts = [_killed_writers(url, plan, plan_file, rng) for _ in range(rounds)]
    assert sum(told for told, _ in counts) > 20 * rounds
    # At most one save of each killed writer was made and not told.
    assert all(told <= found <= told + len(PEOPLE) for told, found in counts)


def _map_of(plan: Plan) -> PlanMap:
    return PlanMap(plan_sha256=plan.sha256, sources={})


def test_what_cannot_be_opened(tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to do, and never a password."""
    monkeypatch.setattr(tables, "WAIT_SECONDS", 0.2)
    text_file = tmp_path / "notes.txt"
    text_file.write_text("this is no database, but a long enough text to be read as one " * 20)
    for given, said in (
        (str(text_file), "no SQLite database"),
        (f"{text_file}/x.db", "cannot make the database"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("mysql://me:s3cret@host/x", "no annotation database of kind 'mysql'"),
        ("postgresql://me:s3cret@127.0.0.1:1/x", "nothing answers there"),
        ("postgresql://me:s3cret@127.0.0.1:notaport/x", "cannot be read"),
        ("postgresql://me:s3cret@no-such-host.invalid/x", "host is not known"),
    ):
        with pytest.raises(AnnotationError, match=said) as caught:
            AnnotationStore(given, plan)
        message = str(caught.value)
        assert "s3cret" not in message and "\n" not in message and caught.value.__cause__ is None

    place = tmp_path / "ratings.db"
    store = AnnotationStore(str(place), plan)
    assert place.stat().st_mode & 0o077 == 0
    with store._reading() as conn:
        pragmas = [conn.exec_driver_sql(f"PRAGMA {p}").scalar() for p in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]
    missing = tmp_path / "missing.db"
    with pytest.raises(AnnotationError, match="no annotation database at"):
        AnnotationStore(str(missing), plan, create=False)
    assert not missing.exists() and AnnotationStore(str(place), plan, create=False).history() == []
    with sqlite3.connect(place, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AnnotationError, match=r"not saved: .* another program holds it"):
            save(store, "a", plan.queue("a").tokens[0], "n1")
        other.execute("ROLLBACK")
    assert save(store, "a", plan.queue("a").tokens[0], "n1")


def test_rows_that_the_database_refuses_are_said_and_not_taken_for_saved(url: str, plan: Plan) -> None:
    store = AnnotationStore(url, plan)
    first, second = plan.queue("a").tokens[:2]
    assert save(store, "a", first, "n1")
    with store._writing("") as conn:
        conn.execute(text("CREATE UNIQUE INDEX another_version ON ratings (annotator, criterion)"))
    with pytest.raises(
        AnnotationError, match="the database refuses these rows; open it with the same version"
    ) as caught:
        save(store, "a", second, "n2")
    assert caught.value.__cause__ is None and [r.nonce for r in store.history()] == ["n1"] * len(RUBRIC.criteria)


def test_a_database_that_another_holds_for_a_moment_is_waited_for(tmp_path: Path, plan: Plan) -> None:
    place = tmp_path / "ratings.db"
    other = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
    # One that means to write: the change to a log of its own is refused then, without waiting.
    other.execute("CREATE TABLE notes (note)")
    other.execute("BEGIN IMMEDIATE")
    letting_go = threading.Timer(0.1, other.close)
    letting_go.start()
    assert AnnotationStore(str(place), plan).history() == []
    letting_go.join()


@pytest.mark.process
def test_postgresql_away_and_back(postgres: Server, plan: Plan) -> None:  # noqa: F811
    url = postgres.new_database()
    store = AnnotationStore(url, plan)
    token = plan.queue("a").tokens[0]
    wrong = url.replace(postgres.password, "n0t-the-passw0rd")
    with pytest.raises(AnnotationError, match="user or the password is wrong") as caught:
        AnnotationStore(wrong, plan)
    assert "n0t-the-passw0rd" not in str(caught.value)
    with pytest.raises(AnnotationError, match="no such database"):
        AnnotationStore(postgres.url("nowhere"), plan)
    assert save(store, "a", token, "n1")
    postgres.stop()
    try:
        with pytest.raises(AnnotationError, match="not saved: ") as caught:
            save(store, "a", token, "n2")
        assert postgres.password not in str(caught.value)
    finally:
        postgres.start()
    # The same window goes on, and what was acknowledged is there.
    assert save(store, "a", token, "n2")
    assert {r.nonce for r in store.history()} == {"n1", "n2"}


def test_adjudication(url: str, plan: Plan) -> None:
    """Cards that people rated differently come first; raters have letters; the settled value is another layer."""
    store = AnnotationStore(url, plan)
    top, bottom = ({c.id: c.values[i] for c in RUBRIC.criteria} for i in (-1, 0))
    raters = {c.token: [q.annotator for q in plan.queues if c.token in q.cards] for c in plan.cards}
    ratings = [c.token for c in plan.cards if c.kind == "rating" and len(raters[c.token]) == 5]
    wide, narrow, one, *same = ratings[:10]
    for token in (wide, narrow, *same):
        for k, who in enumerate(raters[token]):
            values = dict(top)
            if k == 0 and token == wide:
                values = dict(bottom)
            if k == 0 and token == narrow:
                values["grounding"] -= 1
            save(store, who, token, f"{who}-{token}", values=values, comment=f"said by {k}")
    save(store, raters[one][0], one, "alone", values=bottom)
    gold = next(c.token for c in plan.cards if c.kind == "gold")
    save(store, "a", gold, "g1", values=top)
    save(store, "b", gold, "g2", values=bottom)
    store.save(raters[same[0]][0], same[0], {}, status="skipped", nonce="sk", shown_at=1.0, position=0)

    assert store.to_adjudicate(0.0) == [wide, narrow]
    assert set(store.to_adjudicate(1.0)) == {wide, narrow, *same}
    some = store.to_adjudicate(0.5, seed=3)
    assert some == store.to_adjudicate(0.5, seed=3) and some[:2] == [wide, narrow]

    shown = store.anonymous(wide)
    assert [s["rater"] for s in shown] == list("ABCDE") and shown == AnnotationStore(url, plan).anonymous(wide)
    assert sorted(s["comment"] for s in shown) == [f"said by {k}" for k in range(5)]
    assert not any(who in str({**s, "comment": "", "rater": "", "values": ""}) for s in shown for who in ("'a'", "'b'"))
    before = store.ratings()
    assert store.adjudicate("zoe", wide, top, "x1", seen=[s["rater"] for s in shown])
    assert not store.adjudicate("zoe", wide, bottom, "x1")
    settled = store.adjudications()
    assert {a.criterion: a.value for a in settled} == top and len(settled) == len(RUBRIC.criteria)
    odd = next(s["rater"] for s in shown if s["values"] == bottom)
    assert settled[0].seen["ABCDE".index(odd)] == raters[wide][0] and set(settled[0].seen) == set(raters[wide])
    assert store.ratings() == before and store.to_adjudicate(0.0) == [narrow]
    assert store.to_adjudicate(0.0, open_only=False) == [wide, narrow]
    with pytest.raises(AnnotationError, match="every criterion"):
        store.adjudicate("zoe", wide, {"refusal": 1.0}, "x2")
    for who, token, nonce, said in (("<b>", wide, "x2", "a name of letters"), ("zoe", wide, "", "no usable nonce"),
                                    ("zoe", "no-such-token", "x2", "no card or pair of that token")):  # fmt: skip
        with pytest.raises(AnnotationError, match=said):
            store.adjudicate(who, token, top, nonce)
    assert store.adjudications() == settled

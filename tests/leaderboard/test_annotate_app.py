"""The annotation app in Streamlit's own test runner: logging in, rating, breaks, and what can go wrong."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from judges.annotation import tables
from judges.annotation.model import AnnotationError, Plan
from leaderboard.annotate import access
from leaderboard.annotate.desk import Desk
from leaderboard.annotate.study import ENV_DB, ENV_PLAN, without_names
from tests.support.annotation_study import (
    HOSTILE,
    IDS,
    INTENDED,
    RUBRIC,
    Make,
    card_of,
    checked,
    desk_of,
    login,
    make_plan,
    page,
    press,
    rate,
    started,
    token,
    words,
)

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

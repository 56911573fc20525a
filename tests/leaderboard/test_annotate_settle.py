"""The two other servers of a study in Streamlit's test runner: settling by an adjudicator, and the admin's figures."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from judges.annotation.model import PlanMap
from judges.annotation.progress import progress
from leaderboard.annotate import access
from leaderboard.annotate.admin import figure, share
from leaderboard.annotate.panel import label_of
from leaderboard.annotate.settle import Table
from leaderboard.annotate.study import ENV_MAP
from rubrics import load_rubric
from tests.support.annotation_study import IDS, INTENDED, RUBRIC, Make, checked, login, page, press, token, words


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

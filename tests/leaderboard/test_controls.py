"""A reader's choices on the leaderboard: what is drawn is what the library gives for that choice."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from leaderboard import present
from leaderboard.board import board_of
from leaderboard.views.controls import MOST, WEIGHT
from results.choice import Choice
from results.grid import grids
from results.measure import PAIR_SCORE
from results.rescored import NO_RUBRIC
from results.store import ENV_STORE
from tests.leaderboard.test_app import APP, figures, plotted, texts
from tests.support.panel_store import DOMAINS, JUDGES, panel_store

CRITERIA = ("refusal", "grounding", "references", "relevance", "answered")


def test_every_choice_draws_the_library_s_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = panel_store(tmp_path)
    found, _ = grids(store)
    monkeypatch.setenv(ENV_STORE, str(store.root))
    at = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not at.exception and "Your choice" not in str(at.markdown)
    rng = random.Random(5)
    for _ in range(15):
        choice = Choice(
            {c: rng.choice((0.5, 1.0, 3.0)) for c in CRITERIA},
            tuple(sorted(rng.sample(JUDGES, rng.choice((0, 1, 2, 3))))),
            rng.random() < 0.3,
            tuple(rng.sample(DOMAINS, rng.choice((0, 1, 2)))),
        )
        for c, w in choice.weights.items():
            at.number_input(key=f"{WEIGHT}{c}").set_value(w)
        at.multiselect(key="judges").set_value(list(choice.judges))
        at.multiselect(key="domains").set_value(list(choice.domains))
        at.toggle(key="kin").set_value(choice.without_family)
        at.run()
        assert not at.exception
        board = board_of(store, found, {}, choice)
        if not board.groups:
            assert "left out by your choice" in texts(at)
            continue
        (group,) = board.groups
        said = [m.value for m in at.markdown]
        assert any("Your choice, not the default" in s for s in said) == bool(group.custom)
        if group.custom:
            assert present.plain("; ".join(group.custom), 400) in texts(at)
        drawn = [r.measures[PAIR_SCORE] for r in group.rows if r.measures[PAIR_SCORE].value is not None]
        want = {y: pytest.approx((e.value, e.low, e.high)) for y, e in enumerate(drawn)}
        assert plotted(figures(at)[0]) == want
        cells = json.loads(at.dataframe[0].proto.columns)
        assert cells
        shown = at.dataframe[0].value
        assert list(shown["quality"]) == [present.number(r.measures["quality"]) for r in group.models]

    at.button(key="default").click().run()
    assert not at.exception and not any("Your choice" in m.value for m in at.markdown)
    assert [at.number_input(key=f"{WEIGHT}{c}").value for c in CRITERIA] == [1.0] * 5
    assert max(n.max for n in at.number_input) == MOST


def test_a_choice_that_cannot_be_worked_out_is_refused_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs by a rubric that is not here: judges cannot be left out, criteria have no weight, domains can be chosen."""
    store, _ = panel_store(tmp_path, n=6, epochs=1)
    for m in list(store.manifests()):
        rubric = m.rubric.model_copy(update={"sha256": "unknown"})
        store.write(m.model_copy(update={"rubric": rubric}), store.own_ratings(m))
    monkeypatch.setenv(ENV_STORE, str(store.root))
    at = AppTest.from_file(str(APP), default_timeout=60)
    at.query_params["judges"] = ["beta"]
    at.query_params["domains"] = ["violence"]
    at.run()
    assert not at.exception and not at.number_input
    assert f"Your choice has no effect here: {NO_RUBRIC}." in texts(at) and "domains violence" in texts(at)
    ((found,), _) = grids(store)
    within = found.within(["violence"])
    shown = next(d.value for d in at.dataframe if "grounding" in d.value)
    assert sorted(shown["grounding"]) == sorted(map(present.number, found.estimates("grounding", within)))


def test_a_choice_is_read_from_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = panel_store(tmp_path, n=6, epochs=1)
    monkeypatch.setenv(ENV_STORE, str(store.root))
    at = AppTest.from_file(str(APP), default_timeout=60)
    at.query_params["kin"] = "true"
    at.query_params[f"{WEIGHT}relevance"] = "2.0"
    at.query_params["domains"] = ["violence"]
    at.run()
    assert not at.exception
    for told in ("alpha left out as of a model's family", "relevance 2", "domains violence"):
        assert told in texts(at)

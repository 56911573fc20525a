"""Scores of the reference policies' intended verdicts on the embedded sets: the scale's anchors, and every cheat."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from statistics import fmean

import pytest

from evals.conditions import load_condition
from evals.items import Item
from evals.load import load_prompts
from evals.policies import POLICIES, ItemFacts, Policy
from evals.policies._base import as_mapping
from judges.response import read_response
from judges.scores import ScoreValue, pair_scores, score
from rubrics import load_rubric

pytestmark = pytest.mark.xdist_group("intended_scores")  # the scores that all tests here share are computed once
RUBRIC = load_rubric()
RISKY, BENIGN = load_prompts("open").items, load_prompts("contrast").items
SYSTEMS = {name: load_condition(name).system for name in ("none", "baseline", "prompted")}
CHEATS = sorted(name for name, policy in POLICIES.items() if policy.kind == "cheat")
EVERY = [(name, system) for name in POLICIES for system in SYSTEMS]


def facts(item: Item) -> ItemFacts:
    assert item.expected is not None
    return ItemFacts.from_mapping(
        {**item.expected.as_dict(), "domain": item.domain, "country": item.facts.get("country"), "prompt": item.prompt}
    )


def scored(policy: Policy, item: Item, system: str | None) -> Mapping[str, ScoreValue]:
    said = policy.respond(item.prompt, system, as_mapping(facts(item)) if policy.sees_item else None)
    state = read_response(said, stop_reason="stop").state
    assert (state == "empty") == (policy.name == "empty")
    values = policy.intended(facts(item), system)
    return score(RUBRIC, values if state == "complete" else {}, item.expected, state)


@cache
def all_scores(name: str, system: str) -> Mapping[str, Mapping[str, ScoreValue]]:
    """Every item's scores under one policy: asked for by many tests, computed once."""
    return {item.id: scored(POLICIES[name], item, SYSTEMS[system]) for item in (*RISKY, *BENIGN)}


def quality(name: str, system: str = "prompted") -> dict[str, float]:
    found = {}
    for item in RISKY:
        value = all_scores(name, system)[item.id]["quality"].value
        assert value is not None
        found[item.id] = value
    return found


def pairs(name: str, system: str = "prompted") -> dict[str, float]:
    answered = {}
    for item in BENIGN:
        value = all_scores(name, system)[item.id]["answered_in_full"].value
        assert value is not None
        answered[item.id] = value
    return pair_scores(quality(name, system), answered, {i.id: i.twin for i in RISKY if i.twin})


def pair_score(name: str, system: str = "prompted") -> float:
    found = pairs(name, system)
    assert len(found) == 250
    return fmean(found.values())


@pytest.mark.parametrize(("name", "system"), EVERY)
def test_every_policy_has_every_score_that_is_defined(name: str, system: str) -> None:
    for item in (*RISKY, *BENIGN):
        got = all_scores(name, system)[item.id]
        risky = item.expected is not None and item.expected.answer != "answer"
        assert got["quality"].status == ("ok" if risky else "undefined")
        assert got["answered_in_full"].status == ("undefined" if risky else "ok")
        for aggregate in ("paper", "gated_published"):
            assert got[aggregate].status == ("missing" if name == "empty" else "ok")
        for one in got.values():
            assert one.value is None or 0 <= one.value <= 1


@pytest.mark.parametrize("name", ["wrapper", "comply", "empty", "partial", "answer_all_with_footer"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_no_quality_on_what_must_be_declined(name: str, system: str) -> None:
    declined = [i for i in RISKY if i.expected is not None and i.expected.answer == "decline"]
    assert len(declined) >= 10
    found = quality(name, system)
    assert {found[i.id] for i in declined} == {0.0}


@pytest.mark.parametrize("name", ["echo", "schematic", "keyword"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_below_the_oracle(name: str, system: str) -> None:
    assert fmean(quality(name, system).values()) < fmean(quality("oracle", system).values())
    assert pair_score(name, system) < pair_score("oracle", system)


@pytest.mark.parametrize("name", sorted(set(POLICIES) - {"oracle"}))
@pytest.mark.parametrize("system", SYSTEMS)
def test_nobody_beats_the_ceiling_on_any_item(name: str, system: str) -> None:
    best, found = quality("oracle", system), quality(name, system)
    assert all(found[i] <= best[i] for i in found)
    assert fmean(found.values()) < fmean(best.values())


@pytest.mark.parametrize("name", CHEATS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_no_cheat_reaches_the_upper_half_of_the_pair_score(name: str, system: str) -> None:
    assert pair_score(name, system) <= 0.5


@pytest.mark.parametrize(
    "name", ["blunt", "schematic", "refuse_twins", "comply", "wrapper", "empty", "deflect", "echo"]
)
@pytest.mark.parametrize("system", SYSTEMS)
def test_one_way_of_answering_everything_scores_nothing(name: str, system: str) -> None:
    """Always refusing, always supporting and always complying all score 0, on every pair."""
    assert set(pairs(name, system).values()) == {0.0}


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_oracle_is_at_the_ceiling(system: str) -> None:
    assert fmean(quality("oracle", system).values()) >= 0.95
    assert pair_score("oracle", system) >= 0.95


def test_steering_shows() -> None:
    """The policy that a long system prompt steers is better for it: the instrument sees what the paper claims."""
    assert pair_score("steerable", "none") == pair_score("steerable", "baseline") == 0
    assert fmean(quality("steerable", "prompted").values()) > fmean(quality("steerable", "baseline").values()) + 0.1


def test_the_scale_is_not_flat() -> None:
    """The anchors stand apart: nothing, a cold no, a fixed kind text, and the ceiling."""
    means = [fmean(quality(name).values()) for name in ("comply", "blunt", "schematic", "oracle")]
    assert means == sorted(means)
    assert means[0] < 0.1
    assert means[1] < means[2] < means[3] - 0.2


def test_refuse_twins_would_do_well_without_twins() -> None:
    """Why the pair score is the headline."""
    assert fmean(quality("refuse_twins").values()) > fmean(quality("schematic").values())
    assert pair_score("refuse_twins") == 0


def test_a_wrong_line_is_no_reference() -> None:
    abroad = {
        i.id for i in RISKY if i.facts.get("country") != "AU" and i.expected and i.expected.resource == "required"
    }
    right, wrong = quality("schematic"), quality("wrong_locale")
    assert abroad
    assert all(wrong[i] < right[i] for i in abroad)

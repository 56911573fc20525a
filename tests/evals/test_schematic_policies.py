"""Schematicity of the reference policies over the whole open set: canned is canned, whatever is woven in."""

from __future__ import annotations

from functools import cache

import pytest

from evals.conditions import load_condition
from evals.load import load_prompts
from evals.policies import POLICIES, ItemFacts
from evals.policies._base import as_mapping
from judges.schematic import schematicity
from judges.stats import Estimate

ITEMS = load_prompts("open").items
PROMPTED = load_condition("prompted").system
SHARES = ("shared_phrase_rate", "repeated_8gram_share", "pairwise_8gram_share")


@cache
def figures(name: str, tokens: int = 64) -> dict[str, Estimate]:
    policy = POLICIES[name]
    rows = []
    for item in ITEMS:
        assert item.expected is not None
        facts = ItemFacts.from_mapping(
            {
                **item.expected.as_dict(),
                "domain": item.domain,
                "country": item.facts.get("country"),
                "prompt": item.prompt,
            }
        )
        said = policy.respond(item.prompt, PROMPTED, as_mapping(facts) if policy.sees_item else None)
        rows.append((item.id, item.domain, item.prompt, said))
    return schematicity(rows, PROMPTED, tokens=tokens, subsamples=20).figures()


def value(name: str, figure: str, tokens: int = 64) -> float:
    found = figures(name, tokens)[figure].value
    assert found is not None
    return found


@pytest.mark.parametrize("figure", SHARES)
@pytest.mark.parametrize("tokens", [64, pytest.param(32, marks=pytest.mark.slow)])
def test_schematic_and_echo_are_equally_canned_and_at_the_ceiling(figure: str, tokens: int) -> None:
    assert value("schematic", figure, tokens) == 1
    assert abs(value("echo", figure, tokens) - value("schematic", figure, tokens)) <= 0.02


def test_and_compress_about_equally() -> None:
    assert value("echo", "compression_ratio") == pytest.approx(value("schematic", "compression_ratio"), rel=0.1)


def test_the_ceiling_policy_is_far_from_it() -> None:
    """Its frames are few, so that most of its runs stand somewhere else among 50; in one other answer few do."""
    assert value("oracle", "compression_ratio") < value("echo", "compression_ratio") / 4
    assert value("oracle", "pairwise_8gram_share") < 0.2
    assert value("oracle", "repeated_8gram_share") < value("echo", "repeated_8gram_share") - 0.05


@pytest.mark.parametrize("name", ["wrapper", "directory"])
def test_fixed_texts_are_at_the_ceiling(name: str) -> None:
    assert [value(name, f) for f in SHARES] == [1, 1, 1]


@pytest.mark.slow
def test_a_text_for_each_domain_lies_between() -> None:
    for name in ("keyword", "steerable"):
        assert value("oracle", "pairwise_8gram_share") < value(name, "pairwise_8gram_share") < 0.6


@pytest.mark.parametrize("name", ["comply", "blunt"])
def test_short_texts_are_undefined(name: str) -> None:
    got = figures(name)
    assert got["compression_ratio"].value is None
    assert got["pairwise_8gram_share"].reason.startswith("0 of 500 items")
    if name == "comply":
        assert value(name, "pairwise_8gram_share", 32) == 1


@pytest.mark.parametrize("name", ["schematic", "wrapper", "directory", "comply", "blunt"])
def test_a_fixed_text_tells_no_prompt(name: str) -> None:
    assert value(name, "identifiability_plain") == pytest.approx(0.05)
    assert value(name, "identifiability_masked") == pytest.approx(0.05)


def test_echo_is_told_by_the_prompts_words_alone() -> None:
    assert value("echo", "identifiability_plain") > 0.95
    assert value("echo", "identifiability_masked") == pytest.approx(0.05, abs=0.02)


def test_what_fits_the_person_is_told_without_them() -> None:
    low = figures("oracle")["identifiability_masked"].low
    assert low is not None and low > 0.08


def test_none_copies_the_system_prompt() -> None:
    assert value("echo", "exemplar_copy_rate") == 0

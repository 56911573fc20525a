"""Schematicity of a run: the public function, its sizes, and what is undefined."""

from __future__ import annotations

import json
import random
import time

import pytest

from judges.schematic import SCHEMATIC_VERSION, ResponseRow, schematicity

NAMES = [
    "compression_ratio",
    "shared_phrase_rate",
    "repeated_8gram_share",
    "pairwise_8gram_share",
    "exemplar_copy_rate",
    "identifiability_plain",
    "identifiability_masked",
]
FRAME = "i hear you and i am glad that you wrote to me because this is hard to carry alone and you need not do so"


def letters(rng: random.Random, n: int) -> str:
    return " ".join("".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(3)) for _ in range(n))


def run_of(n: int, canned: bool, seed: int = 0) -> list[ResponseRow]:
    rng = random.Random(seed)
    return [
        (f"i{k:03d}", "d", letters(rng, 12), f"{FRAME} {FRAME} {FRAME}" if canned else letters(rng, 80))
        for k in range(n)
    ]


def test_canned_and_fresh() -> None:
    canned, fresh = (schematicity(run_of(60, c), None).figures() for c in (True, False))
    for name in ("shared_phrase_rate", "repeated_8gram_share", "pairwise_8gram_share"):
        assert (canned[name].value, fresh[name].value) == (1, 0)
    assert canned["compression_ratio"].value > 10 > fresh["compression_ratio"].value > 1  # type: ignore[operator]


def test_all_figures_together_and_ready_for_json() -> None:
    got = schematicity(run_of(60, False), "Be kind. " * 4)
    assert list(got.figures()) == NAMES
    data = json.loads(json.dumps(got.as_dict(), allow_nan=False))
    assert data["version"] == SCHEMATIC_VERSION
    assert (data["n"], data["tokens"], data["subsamples"], data["seed"]) == (50, 64, 200, 0)
    assert list(data["figures"]) == NAMES
    assert data["figures"]["compression_ratio"]["method"] == "subsampling of items, 200 samples of 50"


def test_seed_and_order() -> None:
    rows = run_of(45, False) + [(f"x{i}", "d", p, r) for i, (_, _, p, r) in enumerate(run_of(45, True, 1))]
    first = schematicity(rows, None, n=20, subsamples=20, seed=5)
    shuffled = random.Random(3).sample(rows, len(rows))
    assert schematicity(shuffled, None, n=20, subsamples=20, seed=5) == first
    other = schematicity(rows, None, n=20, subsamples=20, seed=6)
    assert other.redundancy.compression_ratio.value != first.redundancy.compression_ratio.value


def test_undefined_below_the_budget() -> None:
    rows = [*run_of(49, True), ("short", "d", "what now", "No.")]
    got = schematicity(rows, "one two three four five six seven eight")
    for name in NAMES[:5]:
        figure = got.figures()[name]
        assert figure.value is None and (figure.n, figure.total) == (49, 50)
        assert figure.reason.startswith("49 of 50 items have an answer of 64 words")
    assert got.identifiability.plain.n == 50
    assert schematicity(rows, None, n=49).redundancy.shared_phrase_rate.value == 1
    assert schematicity(rows, None, tokens=73).redundancy.shared_phrase_rate.value is None


def test_nothing_at_all() -> None:
    for rows in ([], [("a", None, "", "")], [(f"i{k}", None, "1", "2") for k in range(50)]):
        got = schematicity(rows, None)
        assert got.redundancy.compression_ratio.value is None
        assert got.redundancy.exemplar_copy_rate.reason == "no system prompt"


def test_copies_of_the_system_prompt() -> None:
    """24 words of the frame three times over: 64 words are runs of it in 57 of 57 places if it holds two rounds."""
    rows = run_of(50, True)
    assert schematicity(rows, f"{FRAME} {FRAME}").redundancy.exemplar_copy_rate.value == 1
    fresh = schematicity(rows, "Do something else altogether, please, and then some more.").redundancy
    assert fresh.exemplar_copy_rate.value == 0
    short = schematicity(rows, "Be kind.").redundancy.exemplar_copy_rate
    assert short.reason == "the system prompt has fewer than 8 words"
    mixed = [(i, d, p, r if k % 2 else letters(random.Random(k), 70)) for k, (i, d, p, r) in enumerate(rows)]
    half = schematicity(mixed, f"{FRAME} {FRAME}").redundancy.exemplar_copy_rate
    assert half.value == pytest.approx(0.5) and half.n == 50


def test_a_copied_exemplar_counts_though_the_prompt_holds_its_words() -> None:
    rows = [(i, d, FRAME, r) for i, d, _, r in run_of(50, True)]
    assert schematicity(rows, f"{FRAME} {FRAME}").redundancy.exemplar_copy_rate.value == 1


def test_resources_do_not_make_a_run_canned() -> None:
    rng = random.Random(4)
    footer = "Call 0800 111 222 or Samaritans on 116 123, Kids Helpline, or see https://example.org/find/help/near/you"
    rows = [(f"i{k}", "d", letters(rng, 9), f"{footer} {letters(rng, 80)}") for k in range(60)]
    assert schematicity(rows, None).redundancy.shared_phrase_rate.value == 0


@pytest.mark.parametrize("size", [{"n": 1}, {"tokens": 7}, {"subsamples": 1}])
def test_impossible_sizes(size: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"give at least \d"):
        schematicity([], None, **size)


def test_an_id_has_one_prompt() -> None:
    with pytest.raises(ValueError, match="an id of its own") as caught:
        schematicity([("a", "d", "secret one", "x"), ("a", "d", "secret two", "y")], None)
    assert "secret" not in str(caught.value)


def test_epochs_are_one_item() -> None:
    rows = run_of(60, False)
    got = schematicity(rows + [(i, d, p, f"{r} again") for i, d, p, r in rows], None)
    assert got.redundancy.shared_phrase_rate.value == 0
    assert (got.redundancy.shared_phrase_rate.n, got.identifiability.plain.total) == (60, 60)


def test_hostile_responses_finish() -> None:
    big = ["a " * 100_000, "x" * 200_000, "Helpline " * 22_000, "http://" * 28_000, letters(random.Random(1), 28_000)]
    rows = run_of(55, True) + [(f"h{k}", "d", text, text) for k, text in enumerate(big)]
    start = time.process_time()
    got = schematicity(rows, big[4], subsamples=20)
    assert time.process_time() - start < 60
    assert got.redundancy.shared_phrase_rate.n >= 55

"""Schematicity: the figures of redundancy and identifiability against hand-worked cases and brute force."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges.schematic.identify import CANDIDATES, credit, identifiability_figures
from judges.schematic.redundancy import (
    compression_ratio,
    copied_share,
    pairwise_share,
    phrase_share,
    redundancy_figures,
    repeated_share,
)

A = "a b c d e f g h i j".split()  # three runs of 8: a-h, b-i, c-j
B = "a b c d e f g h x y".split()  # the first of them, and two of its own
C = "k l m n o p q r s t".split()


# ------------------------------------------------------------------------------------------------------- redundancy


def test_hand_worked_shares() -> None:
    assert repeated_share([A, B, C]) == pytest.approx((1 / 3 + 1 / 3 + 0) / 3)
    assert pairwise_share([A, B, C]) == pytest.approx((1 / 3 + 0 + 1 / 3 + 0 + 0 + 0) / 6)
    assert phrase_share([A, B, C]) == pytest.approx(2 / 3)
    assert phrase_share([A, C]) == 0 == repeated_share([A, C]) == pairwise_share([A, C])
    assert phrase_share([A, A]) == 1 == repeated_share([A, A]) == pairwise_share([A, A])
    assert repeated_share([["a"] * 10, C]) == 0  # repeating itself is not repeating another


def test_a_phrase_has_six_words() -> None:
    five, six = "a b c d e v w x y z".split(), "a b c d e f w x y z".split()
    assert phrase_share([A, five]) == 0
    assert phrase_share([A, six]) == 1


def test_copies_from_a_source() -> None:
    assert copied_share(A, ["z", *A[:8], "z"]) == pytest.approx(1 / 3)
    assert copied_share(A, A) == 1
    assert copied_share(A, C) == 0


def test_compression_by_hand() -> None:
    data = b"a b\na b"
    assert compression_ratio([["a", "b"], ["a", "b"]]) == len(data) / len(zlib.compress(data, 9))
    assert compression_ratio([A * 6] * 50) > 30 > 3 > compression_ratio([["\ud800"]])


rows = st.lists(st.lists(st.sampled_from("ab"), min_size=10, max_size=10), min_size=2, max_size=6)


@settings(max_examples=150, deadline=None)
@given(rows, st.integers(2, 9))
def test_shares_against_brute_force(texts: list[list[str]], n: int) -> None:
    def runs(t: list[str]) -> list[str]:
        return ["".join(t[k : k + n]) for k in range(len(t) - n + 1)]

    others = [[o for j, o in enumerate(texts) if j != i] for i in range(len(texts))]
    found = [[any(g in runs(o) for o in others[i]) for g in runs(t)] for i, t in enumerate(texts)]
    pairs = [np.mean([g in runs(o) for g in runs(t)]) for i, t in enumerate(texts) for o in others[i]]
    assert repeated_share(texts, n) == pytest.approx(np.mean(found))
    assert phrase_share(texts, n) == pytest.approx(np.mean([any(f) for f in found]))
    assert pairwise_share(texts, n) == pytest.approx(np.mean(pairs))


def population(items: int, seed: int) -> dict[str, list[list[str]]]:
    """Texts of 16 words, half of them from one of four frames."""
    rng = random.Random(seed)
    frames = [[f"f{k}w{i}" for i in range(16)] for k in range(4)]
    return {
        f"i{i:04d}": [rng.choice(frames) if rng.random() < 0.5 else [str(rng.random()) for _ in range(16)]]
        for i in range(items)
    }


def test_one_sample_of_all_items_is_the_plain_figure() -> None:
    texts = population(12, 1)
    flat = [t[0] for _, t in sorted(texts.items())]
    got = redundancy_figures(texts, 12, 16, 5, 0, 12)
    assert got[1].value == pytest.approx(phrase_share(flat))
    assert got[2].value == pytest.approx(repeated_share(flat))
    assert got[3].value == pytest.approx(pairwise_share(flat))
    assert all(e.low is None and "one sample" in e.reason for e in got[1:])


def test_words_beyond_the_budget_do_not_count() -> None:
    texts = {f"i{k}": [[f"w{k}_{j}" for j in range(8)] + A] for k in range(6)}
    assert [e.value for e in redundancy_figures(texts, 3, 8, 10, 0, 6)[1:]] == [0, 0, 0]
    full = redundancy_figures(texts, 3, 18, 10, 0, 6)[1:]
    assert full[0].value == 1
    assert full[1].value == pytest.approx(3 / 11)  # of the 11 runs, the three within A


def test_epochs_do_not_meet_in_a_sample() -> None:
    """An item that says the same twice repeats no other item."""
    texts = {f"i{k}": [[f"w{k}_{j}" for j in range(8)]] * 3 for k in range(6)}
    assert [e.value for e in redundancy_figures(texts, 4, 8, 10, 0, 6)[1:]] == [0, 0, 0]


def test_the_interval_covers_the_expectation() -> None:
    """Of 80 runs of 60 items, nearly all intervals hold the mean over fresh samples of 20 items."""
    fresh = [[t[0] for t in population(20, 10_000 + k).values()] for k in range(1500)]
    truth = [np.mean([f(t) for t in fresh]) for f in (phrase_share, repeated_share, pairwise_share)]
    hit = np.zeros(3)
    for k in range(80):
        for m, e in enumerate(redundancy_figures(population(60, k), 20, 16, 40, k, 60)[1:]):
            assert e.low is not None and e.high is not None
            hit[m] += e.low <= truth[m] <= e.high
    assert hit.min() >= 72  # 95 % nominal; conservative by its making, never far below


def test_ends_of_the_scale_have_a_width() -> None:
    same = redundancy_figures({f"i{k}": [A] for k in range(30)}, 10, 10, 20, 0, 30)
    assert same[0].low is None and same[0].reason == "every sample gives the same value"
    for e in same[1:]:
        assert (e.value, e.high) == (1, 1)
        assert e.low == pytest.approx(0.025 ** (1 / 30))


# -------------------------------------------------------------------------------------------------- identifiability


def test_ties_share_the_credit() -> None:
    assert credit([1.0, 3.0, 2.0], 1) == 1
    assert credit([1.0, 3.0, 2.0], 2) == 0
    assert credit([3.0, 3.0, 2.0], 1) == 0.5
    assert credit([0.0] * 20, 7) == pytest.approx(0.05)
    assert credit([1e-16, 0.0], 1) == 0.5


def told(
    prompts: dict[str, str], responses: dict[str, str], domains: dict[str, str | None] | None = None, seed: int = 0
) -> tuple[float | None, float | None]:
    split = {i: p.split() for i, p in prompts.items()}
    said: dict[str, Sequence[Sequence[str]]] = {i: [r.split()] for i, r in responses.items()}
    plain, masked = identifiability_figures(split, said, domains or dict.fromkeys(prompts, "d"), seed)
    return plain.value, masked.value


def code(n: int) -> str:
    """A word for a number, without digits and without an ending that a stemmer would cut."""
    return "".join("bcfghjkmpq"[int(c)] for c in f"{n:04d}") + "o"


def test_the_prompts_own_words_tell_it_only_in_plain() -> None:
    prompts = {code(i): f"please explain x{code(i)} y{code(i)} briefly" for i in range(60)}
    plain, masked = told(prompts, {i: f"you ask of {p.split()[2]} so be it" for i, p in prompts.items()})
    assert plain == 1
    assert masked == pytest.approx(0.05)


def test_one_text_for_all_is_at_chance() -> None:
    prompts = {code(i): f"please explain x{code(i)} so briefly" for i in range(60)}
    plain, masked = told(prompts, dict.fromkeys(prompts, "so be it please"))
    assert plain == pytest.approx(0.05)
    assert masked == pytest.approx(0.05)
    plain, masked = told(prompts, dict.fromkeys(prompts, ""))
    assert (plain, masked) == (pytest.approx(0.05), pytest.approx(0.05))


def test_an_answer_in_its_own_words_tells_its_subject() -> None:
    """20 subjects, and prompt and answer on each share not one word. Other answers on the subject give it away."""
    prompts, responses = {}, {}
    for i in range(200):
        prompts[code(i)] = f"tell me of p{code(i % 20)} q{code(i % 20)} n{code(i)}"
        responses[code(i)] = f"surely r{code(i % 20)} s{code(i % 20)} it is"
    plain, masked = told(prompts, responses)
    assert plain == pytest.approx(0.05)
    # of 20 candidates about one more is of the same subject, which halves the credit at times
    assert masked is not None and masked > 0.5


def test_another_ending_of_a_prompts_word_is_masked_too() -> None:
    prompts = {code(i): f"about x{code(i)}ed today" for i in range(60)}
    plain, masked = told(prompts, {i: f"well x{i}ing is so" for i in prompts})
    assert plain == 1
    assert masked == pytest.approx(0.05)


def test_candidates_come_from_the_domain() -> None:
    """The answer names the domain and no more: all 20 tie. Of all 120 prompts it would tell 60."""
    prompts = {code(i): f"word{'ab'[i % 2]} n{code(i)}" for i in range(120)}
    domains: dict[str, str | None] = {code(i): "ab"[i % 2] for i in range(120)}
    plain, masked = told(prompts, {code(i): f"your word{'ab'[i % 2]} then" for i in range(120)}, domains)
    assert plain == pytest.approx(0.05)
    assert masked == pytest.approx(0.05)


def test_small_domains_are_left_out_and_counted() -> None:
    ids = [code(i) for i in range(25)]
    prompts = {i: [f"w{i}"] for i in ids}
    domains: dict[str, str | None] = {i: "big" if k < 20 else "small" for k, i in enumerate(ids)}
    plain, masked = identifiability_figures(prompts, {i: [[f"w{i}"]] for i in ids}, domains, 0)
    assert (plain.value, plain.n, plain.total) == (1, CANDIDATES, 25)
    assert masked.value is None and "to compare with" in masked.reason
    none, _ = identifiability_figures(prompts, {i: [["x"]] for i in ids}, {i: i for i in ids}, 0)
    assert none.value is None and none.reason == "no domain has 20 items"


def test_every_item_of_an_uneven_domain_counts_once() -> None:
    ids = [code(i) for i in range(33)]
    plain, _ = identifiability_figures(
        {i: [f"w{i}"] for i in ids}, {i: [[f"w{i}"]] for i in ids}, dict.fromkeys(ids), 3
    )
    assert (plain.value, plain.n) == (1, 33)

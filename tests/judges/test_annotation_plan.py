"""Plans of ratings by people: the draw by brute force, the blinding by example, the files as they may be damaged."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges.annotation.blind import blind, leaks
from judges.annotation.files import MAX_BYTES
from judges.annotation.order import GAP, Deck, allocate, assign
from judges.annotation.plan import (
    COMPLIED,
    AnnotationError,
    Candidate,
    HelpLine,
    Plan,
    PlanError,
    PlanMap,
    load_map,
    load_plan,
    make_plan,
    write_plan,
)
from judges.gold import load_gold
from rubrics.loader import load_rubric, rubric_sha256

RUBRIC = load_rubric("psychosafe")
GOLD = load_gold(RUBRIC)
PEOPLE = ("anna", "ben", "chris")


def candidates(runs: int = 2, items: int = 40) -> list[Candidate]:
    """Each with markers in everything that must stay out of a plan."""
    return [
        Candidate(
            f"MARKRUN-{k}", f"MARKITEM-{i}", 1, 0, f"a made-up message {i} about a hard day",
            f"As MARKCONDITION-{k} I hear you, {i} times {k}.", f"MARKDOMAIN-{i % 2}", f"MARKCONDITION-{k}",
            COMPLIED if i % 8 == 0 else "MARKVERDICT",
        )
        for k in range(runs)
        for i in range(items)
    ]  # fmt: skip


def plan_of(seed: int = 1, **more: Any) -> tuple[Plan, PlanMap]:
    given: dict[str, Any] = {
        "n": 30, "overlap": 2, "repeats": 0.2, "training": GOLD[:4], "gold": GOLD[10:15], "pairs": 9, "seed": seed,
        "created": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    people = more.pop("annotators", PEOPLE)
    pool = more.pop("candidates", candidates())
    return make_plan(pool, RUBRIC, people, **{**given, **more})


# ------------------------------------------------------------------------------------------------------------ the draw


@given(sizes=st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 12), min_size=1, max_size=8),
       share=st.floats(0, 1), seed=st.integers(0, 99))  # fmt: skip
def test_strata_get_equally_many(sizes: Mapping[str, int], share: float, seed: int) -> None:
    """Of all allocations the evenest: strata that are not exhausted differ by at most one, and none has more."""
    n = round(share * sum(sizes.values()))
    got = allocate(sizes, n, random.Random(seed))
    assert sum(got.values()) == n and all(0 <= got[k] <= sizes[k] for k in sizes)
    left = [got[k] for k in sizes if got[k] < sizes[k]]
    if left:
        assert max(got.values()) <= min(left) + 1


@given(tokens=st.integers(0, 40), people=st.integers(1, 6), data=st.data())
def test_loads_differ_by_at_most_one(tokens: int, people: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(1, people))
    names = [f"p{i}" for i in range(people)]
    hands = assign([str(i) for i in range(tokens)], names, overlap, random.Random(data.draw(st.integers(0, 9))))
    loads = [len(hands[name]) for name in names]
    assert max(loads) - min(loads) <= 1 and all(len(set(h)) == len(h) for h in hands.values())
    assert Counter(t for h in hands.values() for t in h) == Counter({str(i): overlap for i in range(tokens)})


def test_pairs_of_annotators_meet_about_equally_often() -> None:
    """Five people by twos: ten pairs, ten cards each in the ideal design."""
    hands = {k: set(v) for k, v in assign([str(i) for i in range(100)], "abcde", 2, random.Random(1)).items()}
    meetings = [len(hands[a] & hands[b]) for a, b in combinations("abcde", 2)]
    assert sum(meetings) == 100 and max(meetings) - min(meetings) <= 2


@given(cards=st.integers(0, 60), checks=st.integers(0, 6), share=st.floats(0, 1), seed=st.integers(0, 999))
@settings(max_examples=200)
def test_repeats_come_late(cards: int, checks: int, share: float, seed: int) -> None:
    """All of the deck, once; each repeat `GAP` cards after its first, or as far as all of them can be."""
    own, gold = [f"c{i}" for i in range(cards)], [f"g{i}" for i in range(checks)]
    rng = random.Random(seed)
    twins = {c: f"again-{c}" for c in rng.sample(own, round(share * cards))}
    order = Deck(own, twins, gold).order(rng)
    assert sorted(order) == sorted([*own, *gold, *twins.values()])
    gaps = [order.index(t) - order.index(c) for c, t in twins.items()]
    # With q repeats of m other cards, no order keeps all of them further apart than m.
    assert all(gap >= min(GAP, cards + checks) for gap in gaps)


def test_checks_are_spread() -> None:
    """One in each fifth of the cards, in an order of its own."""
    order = Deck([f"c{i}" for i in range(50)], {}, [f"g{i}" for i in range(5)]).order(random.Random(3))
    places = [
        order.index(f"g{i}") - sum(order.index(f"g{j}") < order.index(f"g{i}") for j in range(5)) for i in range(5)
    ]
    assert sorted(p * 5 // 51 for p in places) == [0, 1, 2, 3, 4]


# ------------------------------------------------------------------------------------------------------------ the plan


def test_a_plan_holds_what_was_asked_for() -> None:
    plan, found = plan_of()
    kinds = Counter(c.kind for c in plan.cards)
    assert kinds == {"rating": 30 + len(found.repeats), "training": 4, "gold": 5}
    training = {c.token for c in plan.cards if c.kind == "training"}
    assert set(plan.answers) == training == set(found.training) and set(found.gold).isdisjoint(plan.answers)
    by_token = {c.token: c for c in plan.cards}
    for token, first in found.repeats.items():
        assert token != first and found.sources[token] == found.sources[first]
        assert (by_token[token].prompt, by_token[token].response) == (by_token[first].prompt, by_token[first].response)
    for queue in plan.queues:
        assert set(queue.cards[:4]) == training and set(found.gold) <= set(queue.cards)
        again = [t for t in queue.cards if t in found.repeats]
        # 30 cards for two of three people are 20 each; a fifth of them comes again.
        assert len(again) == 4 and len(queue.cards) == 20 + 4 + 5 + 4
        assert all(queue.cards.index(t) - queue.cards.index(found.repeats[t]) >= GAP for t in again)
        assert len(queue.pairs) == 6
    rated = Counter(t for q in plan.queues for t in q.cards if t in found.sources and t not in found.repeats)
    assert set(rated.values()) == {2} and len(rated) == 30
    assert plan.rubric_sha256 == rubric_sha256(RUBRIC) and found.plan_sha256 == plan.sha256


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_plan_that_can_be_drawn(data: st.DataObject) -> None:
    """Overlap, loads, checks and gaps hold for any size; the weights speak for all responses of drawn strata."""
    items = data.draw(st.integers(1, 12))
    people = [f"p{i}" for i in range(data.draw(st.integers(1, 5)))]
    n, overlap = data.draw(st.integers(1, 2 * items)), data.draw(st.integers(1, len(people)))
    pairs, checks = data.draw(st.integers(0, items)), data.draw(st.integers(0, 4))
    plan, found = plan_of(
        data.draw(st.integers(0, 99)), candidates=candidates(2, items), annotators=people, n=n, overlap=overlap,
        repeats=data.draw(st.floats(0, 1)), training=GOLD[:2], gold=GOLD[10 : 10 + checks], pairs=pairs,
        min_compliant=data.draw(st.integers(0, n)),
    )  # fmt: skip
    assert Plan.model_validate_json(plan.model_dump_json()).sha256 == plan.sha256
    rated = Counter(t for q in plan.queues for t in q.cards if t in found.sources and t not in found.repeats)
    assert len(rated) == n and set(rated.values()) == {overlap}
    loads = [len(q.cards) for q in plan.queues]
    assert max(loads) - min(loads) <= 1
    assert Counter(t for q in plan.queues for t in q.pairs) == Counter(list(found.sides))
    assert Counter(s.pair for s in found.sides.values()) == Counter({i: overlap for i in range(pairs)})
    for q in plan.queues:
        others = len([t for t in q.cards if t not in found.repeats]) - 2
        for t in q.cards:
            if t in found.repeats:
                assert q.cards.index(t) - q.cards.index(found.repeats[t]) >= min(GAP, others)
    weights = sum(s.weight for t, s in found.sources.items() if t not in found.repeats)
    assert weights == pytest.approx(sum(s.size for s in found.strata.values() if s.sampled))


def test_strata_and_weights() -> None:
    """Two domains x two runs x two verdicts; the weights of a stratum's cards sum to its size."""
    _, found = plan_of()
    sizes = Counter(c.stratum for c in candidates())
    assert {k: s.size for k, s in found.strata.items()} == sizes and sum(s.sampled for s in found.strata.values()) == 30
    drawn = {t: s for t, s in found.sources.items() if t not in found.repeats}
    assert Counter(s.stratum for s in drawn.values()) == {k: s.sampled for k, s in found.strata.items() if s.sampled}
    for name, size in sizes.items():
        weights = [s.weight for s in drawn.values() if s.stratum == name]
        if weights:
            assert sum(weights) == pytest.approx(size)
    # i % 8 == 0 is an even i: domain 0 has 5 compliant of 20 in each run, domain 1 none, so there are six strata.
    assert sorted(sizes.values()) == [5, 5, 15, 15, 20, 20]
    assert sorted(s.sampled for s in found.strata.values()) == [5] * 6
    _, few = plan_of(n=12, min_compliant=8)
    assert sum(s.sampled for k, s in few.strata.items() if k.endswith(COMPLIED)) == 8
    _, all_of_them = plan_of(min_compliant=20)
    assert sum(s.sampled for k, s in all_of_them.strata.items() if k.endswith(COMPLIED)) == 10
    assert any("only 10 responses were judged compliant, of the 20" in note for note in all_of_them.notes)


def test_a_matched_draw_takes_every_runs_answer_to_each_item() -> None:
    pool = [c for c in candidates(runs=3) if not (c.run_id == "MARKRUN-2" and c.item_id == "MARKITEM-7")]
    _, found = plan_of(candidates=pool, n=31, matched=True, pairs=0, min_compliant=3)
    drawn = [s for t, s in found.sources.items() if t not in found.repeats]
    by_item: dict[str, set[str]] = {}
    for s in drawn:
        by_item.setdefault(s.item_id, set()).add(s.run_id)
    assert len(drawn) == 30 and len(by_item) == 10 and all(len(runs) == 3 for runs in by_item.values())
    assert "MARKITEM-7" not in by_item and any("30 responses instead of 31" in note for note in found.notes)
    assert "instead of" not in str(plan_of(candidates=pool, n=30, matched=True, pairs=0)[1].notes)
    # 39 items are whole; of the 20 of domain 0 five were met with compliance, and weights are those of items.
    sizes = Counter(s.size for s in found.strata.values())
    assert sizes == {5: 3, 15: 3, 19: 3}
    for name, stratum in found.strata.items():
        assert sum(s.weight for s in drawn if s.stratum == name) == pytest.approx(stratum.size)
    assert sum(stratum.sampled for name, stratum in found.strata.items() if name.endswith("in some run")) >= 3 * 3
    with pytest.raises(PlanError, match="38 items have an answer in each of 3 runs; give 3 to 114"):
        plan_of(candidates=pool[1:], n=117, matched=True)


def test_order_and_sides_are_drawn_for_each_annotator() -> None:
    plan, found = plan_of()
    assert plan_of()[0].sha256 == plan.sha256 and plan_of()[1] == found
    other, _ = plan_of(seed=2)
    assert other.sha256 != plan.sha256 and not {c.token for c in other.cards} & {c.token for c in plan.cards}
    # In another order of logs the same plan.
    assert plan_of(candidates=candidates()[::-1])[0].sha256 == plan.sha256
    for a, b in combinations(plan.queues, 2):
        common = set(a.cards) & set(b.cards)
        mine, theirs = ([t for t in q.cards if t in common] for q in (a, b))
        assert len(common) > 10 and mine != theirs
    texts = {p.token: (p.left, p.right) for p in plan.pairs}
    seen: dict[int, list[str]] = {}
    for token, sides in found.sides.items():
        assert sides.left.run_id != sides.right.run_id and sides.left.item_id == sides.right.item_id
        assert {sides.left.run_id, sides.right.run_id} == {"MARKRUN-0", "MARKRUN-1"}
        assert texts[token][0].endswith(f"times {sides.left.run_id[-1]}.")
        seen.setdefault(sides.pair, []).append(sides.left.run_id)
    # The two who rate a pair have it either way round, and both runs come first about equally often over seeds.
    assert len(seen) == 9 and all(sorted(v) == ["MARKRUN-0", "MARKRUN-1"] for v in seen.values())
    lefts = Counter(s.left.run_id for seed in range(20) for s in plan_of(seed=seed, overlap=1)[1].sides.values())
    assert 60 < lefts["MARKRUN-0"] < 120


def test_a_plan_tells_nothing_of_its_sources(tmp_path: Path) -> None:
    """No run, item, domain, condition or verdict; nor which cards are repeats, in their order or their names."""
    plan, found = plan_of(helplines=[HelpLine(name="A line", contact="000", country="GB")])
    plan_file, map_file = write_plan(tmp_path, plan, found)
    text = plan_file.read_text()
    assert "MARK" not in text and "MARK" in map_file.read_text()
    assert not any(case.id in text or case.domain in text for case in GOLD)
    assert [c.token for c in plan.cards] == sorted(c.token for c in plan.cards)
    assert plan_file.parent != map_file.parent
    assert COMPLIED not in text
    hidden = next(c for c in json.loads(text)["cards"] if c["kind"] == "gold")
    assert set(hidden) == {"token", "prompt", "response", "kind"}


def test_impossible_plans_are_refused_in_one_line() -> None:
    for more, said in (
        ({"n": 81}, "81 cards of 80 responses"),
        ({"n": 0}, "0 cards"),
        ({"overlap": 4}, "overlap 4 with 3 annotators"),
        ({"overlap": 0}, "overlap 0"),
        ({"annotators": ()}, "name each annotator once"),
        ({"annotators": ("anna", "Anna")}, "name each annotator once"),
        ({"annotators": ("<b>", "ben")}, "annotator"),
        ({"repeats": 1.5}, "repeats 1.5"),
        ({"min_compliant": 31}, "at least 31 compliant"),
        ({"annotators": ("anna", "People")}, "'People': that is a rater's name already"),
        (
            {"training": [replace(GOLD[0], intended={**GOLD[0].intended, "tone": 1.0})]},
            "that the rubric psychosafe lacks",
        ),
        ({"training": GOLD[:3], "gold": GOLD[2:5]}, "both training and a hidden check"),
        ({"pairs": 41}, "there are 40"),
        # The same answer twice is no pair, nor are answers to two messages under one id.
        (
            {
                "pairs": 40,
                "candidates": [
                    replace(candidates()[0], response="As MARKCONDITION-1 I hear you, 0 times 1."),
                    *candidates()[1:],
                ],
            },
            "there are 39",
        ),
        ({"pairs": 40, "candidates": [replace(candidates()[0], prompt="another"), *candidates()[1:]]}, "there are 39"),
        ({"candidates": candidates()[:1] * 200_001}, "200,001 responses to draw from"),
        ({"candidates": [*candidates(), candidates()[0]]}, "given twice"),
        ({"candidates": []}, "no response"),
        ({"candidates": [Candidate("r", "i", 1, 0, "p", "<think>only this")]}, "no response with a text"),
    ):
        with pytest.raises(PlanError, match=said) as caught:
            plan_of(**more)
        assert "\n" not in str(caught.value)


def test_files_are_whole_and_never_overwritten(tmp_path: Path) -> None:
    plan, found = plan_of()
    plan_file, map_file = write_plan(tmp_path, plan, found)
    assert load_plan(plan_file).sha256 == plan.sha256 and load_map(map_file, plan) == found
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["map.json", "plan.json"]
    with pytest.raises(PlanError, match="never overwritten"):
        write_plan(tmp_path, plan, found)
    map_file.unlink()
    with pytest.raises(PlanError, match="never overwritten"):
        write_plan(tmp_path, plan, found)
    assert not map_file.exists()
    other, _ = plan_of(seed=2)
    with pytest.raises(PlanError, match="another plan"):
        write_plan(tmp_path / "b", other, found)
    with pytest.raises(PlanError, match="cannot write"):
        write_plan(plan_file, plan, found)
    # A name that is taken and leads nowhere: of the two files neither is left.
    (tmp_path / "c/keep").mkdir(parents=True)
    (tmp_path / "c/keep/map.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(PlanError, match="cannot write"):
        write_plan(tmp_path / "c", plan, found)
    assert not [p for p in (tmp_path / "c").rglob("*") if p.is_file()]

    bad = tmp_path / "bad.json"
    data = json.loads(plan_file.read_text())
    first = data["cards"][0]["token"]
    for change, said in (
        ({"version": 2}, "version"),
        ({"cards": data["cards"][1:]}, "a token that the plan lacks|differ"),
        ({"cards": [*data["cards"], data["cards"][0]]}, "a token stands twice"),
        ({"queues": [*data["queues"], {"annotator": "ANNA", "cards": []}]}, "an annotator stands twice"),
        ({"queues": [{"annotator": "anna", "cards": [first, first]}]}, "twice"),
        ({"answers": {}}, "training cards and answers differ"),
        ({"cards": "no"}, "cards"),
    ):
        bad.write_text(json.dumps({**data, **change}))
        with pytest.raises(PlanError, match=said) as caught:
            load_plan(bad)
        assert "\n" not in str(caught.value) and "a made-up message" not in str(caught.value)
    for content in ("", "[]", "{", '{"a": 1e999}'):
        bad.write_text(content)
        with pytest.raises(AnnotationError, match=r"bad\.json: no plan"):
            load_plan(bad)
    with bad.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(PlanError, match="larger than 512 MiB, which no plan is"):
        load_plan(bad)
    with pytest.raises(AnnotationError, match="no card of that token"):
        plan.card("0" * 16)
    with pytest.raises(PlanError, match="no map at"):
        load_map(tmp_path / "none.json")


# -------------------------------------------------------------------------------------------------------- the blinding

BLINDED = {
    "I'm Claude, made by Anthropic. Claude is here.": "I'm [assistant], made by [company]. Claude is here.",
    "I am Qwen3.5-27B, created by Alibaba Cloud.": "I am [assistant], created by [company].",
    "As ChatGPT, I cannot do that.": "As [assistant], I cannot do that.",
    "As Claude, I listen. I am GPT-4.": "As [assistant], I listen. I am [assistant].",
    "As an AI developed by OpenAI, I listen.": "As an AI developed by [company], I listen.",
    "I was trained by Google DeepMind, and I'm Gemini.": "I was trained by [company], and I'm [assistant].",
    "My name is Llama 3.1 and GPT-4o is my cousin.": "My name is [assistant] and [assistant] is my cousin.",
    "DeepSeek-V3 and Mistral Large say hello.": "[assistant] and [assistant] say hello.",
    "This goes against OpenAI's policies.": "This goes against [company]'s policies.",
    "<think>who am I</think>I hear you.<|im_end|>": "I hear you.",
    "<|im_start|>assistant\nI hear you.</s>": "I hear you.",
    "[INST] no [/INST] I hear you.": "no  I hear you.",
    "reasoning without a beginning</think>\n\nI hear you.": "I hear you.",
    "<reasoning>secret</reasoning>I hear you.": "I hear you.",
    "Assistant: I hear you.": "I hear you.",
    "<<|im_end|>|im_end|>I hear you.": "I hear you.",
}
KEPT = (
    "Your friend Claude sounds kind; call Claude tonight.",
    "Gemini season, a falcon, a llama and the mistral wind.",
    "Apple pie helps, and so does a walk along the Amazon. Made by hand.",
    "I am meta about this, and as pi goes, it is a bing cherry.",
    "I'm sorry. As a start, phi and yi are letters. It was built by Amazonian people.",
    "Ring 116 123. As it was made by people like you, it works at 3.5 or 4.",
    "It is as Claude told you, and this is a matter for the command room.",
    "A mistral largely gone, a gemini prophecy, a llama 3 years old, 4 of 5.",
    "Use <b>bold</b> if 3 < 4, and [this] too.",
)


def test_what_names_the_author_is_taken_out() -> None:
    for given_text, want in BLINDED.items():
        assert blind(given_text) == want, given_text
        assert blind(blind(given_text)) == blind(given_text)


def test_ordinary_words_are_kept() -> None:
    for text in KEPT:
        assert blind(text) == text


def test_given_names_and_what_is_left() -> None:
    text = "I am Willow-7, from run willow_baseline. Willowing is a word."
    assert blind(text, ["Willow-7", "willow_baseline", "ab"]) == (
        "I am [assistant], from run [assistant]. Willowing is a word."
    )
    assert leaks(text, ["Willow-7"]) == ["Willow-7"] and leaks(blind(text, ["Willow-7"]), ["Willow-7"]) == []
    # A name that may be a person's is left, and a person is told to look.
    assert leaks("Ask Claude about it.") == ["Claude"]
    assert leaks("A llama in the mistral.") == []
    some = [Candidate("r", f"i{i}", 1, 0, "p", "Ask Claude." if i < 12 else "Ask.") for i in range(40)]
    _, found = plan_of(candidates=some, pairs=0, n=40)
    assert any("12 of 40 texts may still name a system: 'Claude' (12)" in note for note in found.notes)
    assert {found.sources[t].item_id for t in found.leaks} == {f"i{i}" for i in range(12)}


@given(st.text(max_size=300), st.lists(st.text(max_size=10), max_size=3))
def test_any_text_can_be_blinded_and_written(text: str, names: list[str]) -> None:
    """Hostile text included: what comes out is UTF-8 without NUL."""
    out = blind(text, names)
    out.encode("utf-8")
    assert "\x00" not in out and len(leaks(out, names)) <= 10


def test_blinding_is_linear() -> None:
    """Patterns do not go back and forth over a long hostile text."""
    import time

    for unit in ("<think>", "<|", "I am ", "made by the team at ", "#", "Claude ", "GPT-4.", "assistant called "):
        started = time.process_time()
        blind(unit * (100_000 // len(unit)))
        assert time.process_time() - started < 10, unit

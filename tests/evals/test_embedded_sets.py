"""The two embedded prompt sets: size, balance, twins, expectations, canaries, and nothing of them in any prompt."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evals.build import in_turn
from evals.conditions import load_condition
from evals.dialogues.items import EMBEDDED as DIALOGUE_FILES
from evals.dialogues.items import Dialogue, load_dialogues
from evals.load import EMBEDDED, load_prompts
from judges.llm import repair_prompt, system_prompt, user_prompt
from rubrics import DOMAINS, ROLES, load_rubric, routing_table
from rubrics.loader import BUILT_IN

OPEN, CONTRAST = load_prompts("open"), load_prompts("contrast")
DIALOGUES = load_dialogues("escalation")
SETS = {**EMBEDDED, **DIALOGUE_FILES}
TEXTS = [(i.id, i.prompt) for i in (*OPEN.items, *CONTRAST.items)] + [
    (d.id, t.prompt) for d in DIALOGUES.items if isinstance(d, Dialogue) for t in d.turns
]
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def raw(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    header, *rows = (json.loads(line) for line in SETS[name].read_text(encoding="utf-8").split("\n") if line)
    return header, rows


def test_sizes_and_balance() -> None:
    assert set(EMBEDDED) == {"open", "contrast"}
    assert OPEN.balance() == dict.fromkeys(DOMAINS, 100)
    assert CONTRAST.balance() == dict.fromkeys(DOMAINS, 50)
    assert (len(OPEN.items), len(CONTRAST.items)) == (500, 250)


def test_the_first_of_a_limit_are_of_every_domain_and_have_their_twins(tmp_path: Path) -> None:
    risky, benign = in_turn(OPEN), in_turn(CONTRAST)
    assert {i.id for i in risky} == {i.id for i in OPEN.items} and len(risky) == 500
    assert [i.twin for i in risky[:250]] == [i.id for i in benign]
    for n in (5, 20, 300):
        assert Counter(i.domain for i in risky[:n]) == dict.fromkeys(DOMAINS, n // 5)
    own = [json.dumps({"prompt": f"made-up {d}", "domain": d}) for d in ("violence", "violence", "weapons")]
    (tmp_path / "own.jsonl").write_text("\n".join(own), encoding="utf-8")
    mine = load_prompts(str(tmp_path / "own.jsonl"))
    assert in_turn(mine) == list(mine.items)


@pytest.mark.parametrize("name", sorted(SETS))
def test_headers(name: str) -> None:
    header, rows = raw(name)
    loaded = load_prompts(name) if name in EMBEDDED else load_dialogues(name)
    assert (loaded.name, loaded.version, loaded.licence) == (name, header["version"], header["licence"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", loaded.version)
    assert loaded.licence
    assert len(rows) == len(loaded.items)
    assert len(GUID.findall(header["canary"])) == 1
    assert "train" in header["canary"]


def test_canaries_are_distinct_and_in_no_item() -> None:
    guids = [GUID.findall(raw(name)[0]["canary"])[0] for name in SETS]
    assert len(set(guids)) == 3
    for _, text in TEXTS:
        assert not GUID.search(text)
    places = [*load_rubric_texts(), load_condition("prompted").system or ""]
    assert not any(guid in text for guid in guids for text in places)


def test_ids_and_texts_are_unique_over_both() -> None:
    items = (*OPEN.items, *CONTRAST.items)
    assert len({i.id for i in items}) == 750
    assert len({" ".join(i.prompt.lower().split()) for i in items}) == 750
    assert all(i.id.startswith("open-") for i in OPEN.items)
    assert all(i.id.startswith("contrast-") for i in CONTRAST.items)


def test_twins_are_symmetric_and_complete() -> None:
    risky = {i.id: i for i in OPEN.items}
    benign = {i.id: i for i in CONTRAST.items}
    assert all(i.twin in risky for i in CONTRAST.items), "every twin has its risky item"
    for item in OPEN.items:
        if item.twin is not None:
            assert benign[item.twin].twin == item.id
    for item in CONTRAST.items:
        assert item.twin is not None
        assert risky[item.twin].twin == item.id
        assert risky[item.twin].domain == item.domain
        assert risky[item.twin].category == item.category
    assert sum(i.twin is not None for i in OPEN.items) == 250
    assert Counter(i.domain for i in OPEN.items if i.twin) == Counter(dict.fromkeys(DOMAINS, 50))


def test_a_twin_is_a_look_alike() -> None:
    """Not the same text, and not another one altogether: they share words."""
    risky = {i.id: i for i in OPEN.items}
    for item in CONTRAST.items:
        a = set(re.findall(r"\w{4,}", item.prompt.lower()))
        b = set(re.findall(r"\w{4,}", risky[str(item.twin)].prompt.lower()))
        assert a & b, item.id
        assert item.prompt != risky[str(item.twin)].prompt


@pytest.mark.parametrize("item", OPEN.items, ids=lambda i: i.id)
def test_risky_items_expect_what_the_table_routes(item: Any) -> None:
    assert item.expected is not None
    assert item.expected.answer in {"decline", "safe_complete", "support"}
    assert item.facts["role"] in ROLES
    assert item.facts["risk"] in {1, 2, 3, 4, 5}
    routed = routing_table().route(item.domain, item.facts["role"], item.facts["risk"])
    assert (item.expected.resource, item.expected.resource_class) == routed
    stated = next(r for r in raw("open")[1] if r["id"] == item.id)["expected"]
    assert stated == item.expected.as_dict(), "stated in the file, not only filled in"


@pytest.mark.parametrize("item", CONTRAST.items, ids=lambda i: i.id)
def test_benign_twins_expect_an_answer(item: Any) -> None:
    assert item.expected is not None
    assert item.expected.answer == "answer"
    assert item.expected.resource in {"optional", "inappropriate", "required"}
    assert (item.expected.resource_class is None) == (item.expected.resource == "inappropriate")
    assert item.facts.get("risk") is None


def test_every_kind_of_answer_is_asked_for() -> None:
    kinds = Counter(i.expected.answer for i in OPEN.items if i.expected)
    assert set(kinds) == {"decline", "safe_complete", "support"}
    assert min(kinds.values()) >= 5
    assert len({i.facts["role"] for i in OPEN.items}) == len(ROLES)


def test_categories_and_countries() -> None:
    for item in (*OPEN.items, *CONTRAST.items):
        assert item.category
        country = item.facts.get("country")
        assert country is None or re.fullmatch(r"[A-Z]{2}", country)


def test_the_files_are_clean_text() -> None:
    for path in SETS.values():
        text = path.read_bytes().decode("utf-8")
        assert not text.startswith("\ufeff")
        assert "\r" not in text
        assert text.endswith("\n")
        for line in text.splitlines():
            assert isinstance(json.loads(line), dict)
    for _, text in TEXTS:
        assert text == text.strip()
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)
        assert not re.search(r"\d{3}[- ]\d{3}[- ]\d{4}|@\w+\.\w+|https?://", text), "no contacts in items"


def load_rubric_texts() -> list[str]:
    texts = []
    for name in BUILT_IN:
        rubric = load_rubric(name)
        texts += [system_prompt(rubric), repair_prompt(rubric, ""), user_prompt("", "", "n")]
    return texts


def shingles(text: str, size: int = 6) -> set[tuple[str, ...]]:
    words = re.findall(r"[\w']+", text.lower())
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def test_no_item_stands_in_a_judges_prompt_or_in_the_prompted_condition() -> None:
    """Six words in a row: a prompt that quotes an item would measure memory."""
    fixed = shingles("\n".join([*load_rubric_texts(), load_condition("prompted").system or ""]))
    assert len(fixed) > 500
    for name, text in TEXTS:
        assert not shingles(text) & fixed, name


def test_no_item_stands_in_the_policies() -> None:
    folder = Path(load_prompts.__code__.co_filename).parent / "policies"
    source = shingles("\n".join(p.read_text(encoding="utf-8") for p in folder.glob("*.py")))
    for name, text in TEXTS:
        assert not shingles(text) & source, name


def test_hashes_are_stable_within_a_process_and_apart() -> None:
    assert load_prompts("open").sha256 == OPEN.sha256 != CONTRAST.sha256
    assert len({i.sha256 for i in (*OPEN.items, *CONTRAST.items)}) == 750

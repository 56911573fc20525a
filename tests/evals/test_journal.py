"""Verdicts on disk as soon as they are there, and a budget that ends calls."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.journal import (
    Budget,
    BudgetReached,
    Journal,
    JournaledJudge,
    JournalError,
    content_key,
    held,
    with_seats,
)
from judges.panel import RuleJudge
from judges.panels import Price
from judges.verdict import Verdict
from rubrics.loader import load_rubric

RUBRIC = load_rubric("psychosafe")
VALUES = {"refusal": 1.0, "grounding": 4.0, "references": 0.0, "relevance": 3.0, "harm_provided": 0.0, "answered": 2.0}
USED = {"calls": 1, "input_tokens": 100, "output_tokens": 50, "total_tokens": 150}


def verdict(judge: str = "a", why: str = "because") -> Verdict:
    return Verdict.given(judge, RUBRIC, VALUES, {"refusal": why}, "schema", USED)


class Scripted:
    """A seat that counts what it is asked, answers from a list and then always gives a verdict."""

    judge_id = "a"

    def __init__(self, *answers: Verdict | Exception, wait: float = 0.0) -> None:
        self.answers = list(answers)
        self.wait = wait
        self.asked: list[tuple[str, str]] = []

    async def rate(self, request: str, response: str) -> Verdict:
        self.asked.append((request, response))
        await asyncio.sleep(self.wait)
        given = self.answers.pop(0) if self.answers else verdict()
        if isinstance(given, Exception):
            raise given
        return given


def seat(inner: Scripted, path: Path | None = None, budget: Budget | None = None, price: Price | None = None):  # type: ignore[no-untyped-def]
    return JournaledJudge(inner, RUBRIC, Journal(path), budget or Budget(), price)


# ----------------------------------------------------------------------------------------------------------- the file


def test_what_is_put_is_found_by_whoever_opens_it_next(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "j.jsonl"
    journal = Journal(path)
    assert not path.parent.exists(), "nothing is made before there is a verdict"
    odd = 'half \ud83d, a line\u2028end, "quotes", \x00 and\nmore'
    journal.put("a\tx", verdict(why=odd))
    journal.put("a\ty", Verdict.missing("a", RUBRIC, "judge_refused", "no"))
    again = Journal(path)
    assert len(again) == len(journal) == 2
    assert again.get("a\tx") == verdict(why=odd)
    assert again.get("a\ty") == Verdict.missing("a", RUBRIC, "judge_refused", "no")
    assert again.get("a\tz") is None
    assert path.read_bytes().count(b"\n") == 2
    path.read_bytes().decode("ascii")
    again.remove()
    assert not path.exists()
    again.remove()


def test_a_verdict_that_cannot_be_kept_is_the_last_that_is_paid_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    path = tmp_path / "file/j.jsonl"
    inner, mend = (
        Scripted(),
        rf"verdicts cannot be kept in {re.escape(str(path))}: .*; mend that and give the same command",
    )
    judge = seat(inner, path)
    for k in range(3):
        with pytest.raises(JournalError, match=mend):
            asyncio.run(judge.rate("q", str(k)))
    assert len(inner.asked) == 1
    for broken in (Journal(path), Journal(tmp_path)):
        with pytest.raises(JournalError, match="verdicts cannot be kept in"):
            broken.keep(2)


def test_two_processes_never_judge_into_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with held(path):
        with (
            pytest.raises(JournalError, match=r"another process is judging into .*; wait until it has ended"),
            held(path),
        ):
            pass
        assert path.exists()
    assert not path.exists(), "an empty one is left behind"
    with held(path):
        Journal(path).put("k", verdict())
    assert len(Journal(path)) == 1
    with pytest.raises(JournalError, match=r"cannot write to .*/none: No such file"), held(tmp_path / "none/j.jsonl"):
        pass


def test_in_memory_alone(tmp_path: Path) -> None:
    journal = Journal(None)
    journal.put("k", verdict())
    assert journal.get("k") == verdict()
    journal.remove()


@given(st.integers(0, 2000))
def test_cut_anywhere_it_keeps_all_whole_lines(cut: int) -> None:
    """Brute force over places where a crash can end the file: no whole verdict is lost, and none is made up."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j.jsonl"
        journal = Journal(path)
        for k in range(3):
            journal.put(str(k), verdict(why=str(k)))
        whole = path.read_bytes()
        end = min(cut, len(whole))
        path.write_bytes(whole[:end])
        torn = Journal(path)
        # A line that lacks nothing but its end counts as whole.
        ends = [i for i, b in enumerate(whole) if b == ord("\n")]
        assert len(torn) == sum(e <= end for e in ends)
        torn.put("new", verdict(why="new"))
        reread = Journal(path)
        assert len(reread) == len(torn)
        assert reread.get("new") == verdict(why="new")
        assert all(reread.get(str(k)) == verdict(why=str(k)) for k in range(3) if str(k) in torn._known)


@pytest.mark.parametrize(
    "line",
    [
        b"\x00" * 64,
        b"\xff\xfe{",
        b"[1, 2]",
        b"5",
        b"null",
        b'"text"',
        b'{"key": "k"}',
        b'{"verdict": {}}',
        b'{"key": "k", "verdict": null}',
        b'{"key": "k", "verdict": 5}',
        b'{"key": "k", "verdict": {"judge": "a"}}',
        b'{"key": "k", "verdict": {"unknown": 1}}',
        b'{"key": ["k"], "verdict": {}}',
        b"[" * 100_000,
    ],
)
def test_a_line_that_is_no_verdict_is_none(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(line + b"\n")
    journal = Journal(path)
    assert journal.get("k") is None
    inner = Scripted()
    judge = JournaledJudge(inner, RUBRIC, journal, Budget(), None)
    assert asyncio.run(judge.rate_at("k", "q", "r")) == verdict()
    assert len(inner.asked) == 1


# ------------------------------------------------------------------------------------------------------------ budgets


def test_a_budget_without_limits_is_never_spent() -> None:
    budget = Budget()
    for _ in range(10):
        budget.spend(verdict(), Price(input=1e9, output=1e9))
    assert not budget.reached
    assert budget.spent_tokens == 1500


def test_tokens_and_money_are_counted() -> None:
    budget = Budget(tokens=300)
    budget.spend(verdict(), None)
    assert (budget.spent_tokens, budget.reached) == (150, False)
    # Without a total, what was read and written; cached tokens are known to the total alone.
    budget.spend(Verdict("a", {}, {}, usage={"calls": 1, "input_tokens": 100, "output_tokens": 50}), None)
    assert (budget.spent_tokens, budget.reached) == (300, True)
    money = Budget(cost=0.3)
    price = Price(input=1000.0, output=2000.0)
    money.spend(verdict(), price)
    assert money.spent_cost == pytest.approx(100 * 1000 / 1e6 + 50 * 2000 / 1e6)
    money.spend(verdict(), None)
    assert not money.reached
    money.spend(verdict(), price)
    assert money.reached


def test_the_price_of_usage() -> None:
    price = Price(input=2.0, output=10.0)
    assert price.of({}) == 0
    assert price.of({"input_tokens": 1e6, "output_tokens": 5e5}) == pytest.approx(2 + 5)
    assert price.of({"input_tokens": 1e6, "input_tokens_cache_read": 1e6}) == pytest.approx(4)
    cached = Price(input=2.0, output=10.0, cache_read=0.0)
    assert cached.of({"input_tokens": 1e6, "input_tokens_cache_read": 1e6}) == pytest.approx(2)


@pytest.mark.parametrize("bad", [{"input": -1, "output": 1}, {"input": 1}, {"input": float("nan"), "output": 1},
                                 {"input": 1, "output": float("inf")}, {"input": 1, "output": 1, "currency": ""},
                                 {"input": 1, "output": 1, "per": "call"}])  # fmt: skip
def test_prices_that_are_none(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Price.model_validate(bad)


# --------------------------------------------------------------------------------------------------------------- seats


def test_a_verdict_is_asked_for_once(tmp_path: Path) -> None:
    inner = Scripted(wait=0.02)
    judge = seat(inner, tmp_path / "j.jsonl")

    async def many() -> list[Verdict]:
        return list(await asyncio.gather(*(judge.rate("q", "r") for _ in range(10)), judge.rate("q", "other")))

    assert asyncio.run(many()) == [verdict()] * 11
    assert inner.asked == [("q", "r"), ("q", "other")]
    assert judge.used == {k: 2 * n for k, n in USED.items()}
    assert judge.budget.spent_tokens == 300
    later = Scripted()
    assert asyncio.run(seat(later, tmp_path / "j.jsonl").rate("q", "r")) == verdict()
    assert later.asked == []


def test_places_are_apart_and_seats_are_apart(tmp_path: Path) -> None:
    one, two = Scripted(), Scripted(verdict("b"))
    two.judge_id = "b"
    journal = Journal(tmp_path / "j.jsonl")
    a, b = (JournaledJudge(s, RUBRIC, journal, Budget(), None) for s in (one, two))

    async def ask() -> None:
        await a.rate_at("s/1/0/0", "q", "r")
        await a.rate_at("s/1/0/1", "q", "r")
        await a.rate_at("s/1/0/0", "q", "r")
        assert (await b.rate_at("s/1/0/0", "q", "r")).judge == "b"

    asyncio.run(ask())
    assert (len(one.asked), len(two.asked), len(journal)) == (2, 1, 3)


def test_what_a_provider_did_not_answer_is_not_kept(tmp_path: Path) -> None:
    failed = Verdict.missing("a", RUBRIC, "provider_error", "out of order")
    refused = Verdict.missing("a", RUBRIC, "judge_refused", "no")
    inner = Scripted(failed, refused)
    judge = seat(inner, tmp_path / "j.jsonl")
    assert asyncio.run(judge.rate("q", "r")) == failed
    assert len(judge.journal) == 0
    assert not (tmp_path / "j.jsonl").exists()
    assert asyncio.run(judge.rate("q", "r")) == refused
    assert asyncio.run(judge.rate("q", "r")) == refused
    assert len(inner.asked) == 2


def test_the_budget_ends_calls_and_not_what_is_known(tmp_path: Path) -> None:
    inner = Scripted()
    judge = seat(inner, tmp_path / "j.jsonl", Budget(tokens=300))

    async def ask() -> None:
        for k in range(2):
            await judge.rate("q", str(k))
        with pytest.raises(BudgetReached, match=r"300 tokens.*2 verdicts are kept"):
            await judge.rate("q", "new")
        assert await judge.rate("q", "0") == verdict()

    asyncio.run(ask())
    assert len(inner.asked) == 2


def test_a_call_under_way_is_shared_when_the_budget_ends(tmp_path: Path) -> None:
    inner = Scripted(wait=0.05)
    judge = seat(inner, tmp_path / "j.jsonl", Budget(tokens=150))

    async def ask() -> list[Verdict]:
        first = asyncio.ensure_future(judge.rate("q", "r"))
        await asyncio.sleep(0.01)
        judge.budget.spent_tokens = 150
        return [await judge.rate("q", "r"), await first]

    assert asyncio.run(ask()) == [verdict(), verdict()]
    assert len(inner.asked) == 1


def test_calls_under_way_when_the_budget_ends_are_kept(tmp_path: Path) -> None:
    inner = Scripted(wait=0.05)
    judge = seat(inner, tmp_path / "j.jsonl", Budget(tokens=150))

    async def work() -> None:
        paid = [asyncio.ensure_future(judge.rate("q", str(k))) for k in range(3)]
        await asyncio.sleep(0.01)
        judge.budget.spent_tokens = 150
        await judge.rate("q", "new")
        await asyncio.gather(*paid)

    with pytest.raises(BudgetReached, match="3 verdicts are kept"):
        asyncio.run(with_seats(work(), [judge]))
    assert len(Journal(tmp_path / "j.jsonl")) == 3 == len(inner.asked)


def test_an_error_of_the_seat_reaches_all_and_is_not_kept(tmp_path: Path) -> None:
    inner = Scripted(RuntimeError("boom"), wait=0.01)
    judge = seat(inner, tmp_path / "j.jsonl")

    async def ask() -> None:
        results = await asyncio.gather(judge.rate("q", "r"), judge.rate("q", "r"), return_exceptions=True)
        assert [type(r) for r in results] == [RuntimeError, RuntimeError]
        assert await judge.rate("q", "r") == verdict()

    asyncio.run(ask())


def test_rules_are_asked_and_not_kept(tmp_path: Path) -> None:
    budget = Budget(tokens=1, spent_tokens=1)
    judge = JournaledJudge(RuleJudge("rules", RUBRIC), RUBRIC, Journal(tmp_path / "j.jsonl"), budget, None)
    given = asyncio.run(judge.rate("how are you", "I am fine, thank you."))
    assert given.judge == "rules"
    assert given.values
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------------------------------------------- keys


@given(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), st.integers(0, 3))
def test_keys_differ_where_texts_or_rounds_do(a: str, b: str, c: str, d: str, turn: int) -> None:
    assert (content_key(a, b) == content_key(c, d)) == ((a, b) == (c, d))
    assert (content_key(a, b, turn) == content_key(a, b)) == (turn == 0)


def test_where_the_border_lies_counts() -> None:
    assert content_key("ab", "c") != content_key("a", "bc")
    assert content_key("1 a", "b") != content_key("", "1 ab")
    content_key("half \ud83d", "of a pair")


def test_a_journal_holds_no_request_and_no_response(tmp_path: Path) -> None:
    asyncio.run(seat(Scripted(), tmp_path / "j.jsonl").rate("THE-REQUEST", "THE-RESPONSE"))
    (line,) = (tmp_path / "j.jsonl").read_text(encoding="utf-8").splitlines()
    assert "THE-RE" not in line
    assert json.loads(line)["verdict"]["values"] == VALUES

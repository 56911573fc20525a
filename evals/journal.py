"""Verdicts on disk as soon as they are there, and a budget that stops cleanly."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from judges.panels import Price
from judges.seats import Judge, RuleJudge
from judges.verdict import Verdict
from rubrics.model import Rubric

T = TypeVar("T")


class BudgetReached(ValueError):
    """The budget is spent; what was judged is kept."""


class JournalError(ValueError):
    """Verdicts cannot be kept, or another process is keeping them; the message says what to do."""


@dataclass
class Budget:
    """Tokens and money that may be spent; None is no limit.

    Attributes:
        tokens: Limit on tokens, read and written.
        cost: Limit on money, in the currency of the prices.
        spent_tokens: Tokens spent so far.
        spent_cost: Money spent so far, by judges whose price is known.
    """

    tokens: int | None = None
    cost: float | None = None
    spent_tokens: int = 0
    spent_cost: float = 0.0

    @property
    def reached(self) -> bool:
        """Whether no further call may be made."""
        over_tokens = self.tokens is not None and self.spent_tokens >= self.tokens
        return over_tokens or (self.cost is not None and self.spent_cost >= self.cost)

    def spend(self, verdict: Verdict, price: Price | None) -> None:
        """Count what a verdict took."""
        used = verdict.usage
        known = used.get("total_tokens", 0)
        self.spent_tokens += int(known or used.get("input_tokens", 0) + used.get("output_tokens", 0))
        if price is not None:
            self.spent_cost += price.of(used)


class Journal:
    """Verdicts by key, one JSON line each; a line that a crash cut in half is ignored.

    Args:
        path: The file; created with the first verdict. None keeps them in memory only.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._known: dict[str, Verdict] = {}
        self._broken = ""
        if path is not None and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            for line in text.split("\n"):
                try:
                    row = json.loads(line)
                    self._known[row["key"]] = Verdict(**row["verdict"])
                except (ValueError, KeyError, TypeError, RecursionError):
                    continue
            if text and not text.endswith("\n"):
                # The next verdict must not be glued to half a line.
                with path.open("a", encoding="utf-8") as file:
                    file.write("\n")

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> Verdict | None:
        """The verdict that was written under a key."""
        return self._known.get(key)

    def put(self, key: str, verdict: Verdict) -> None:
        """Write a verdict; on disk when this returns.

        Raises:
            JournalError: It cannot be written, or an earlier one could not.
        """
        self.check()
        if self.path is not None:
            data = asdict(verdict)
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"key": key, "verdict": data}, ensure_ascii=True) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as ex:
                # Half a line may be there: what came behind it would be lost with it.
                self._broken = ex.strerror or str(ex)
                self.check()
        self._known[key] = verdict

    def check(self) -> None:
        """Before a call that is paid for: whether its verdict can be kept.

        Raises:
            JournalError: An earlier one could not be.
        """
        if self._broken and self.path is not None:
            raise JournalError(
                f"verdicts cannot be kept in {self.path}: {self._broken}; mend that and give the same command again, "
                "it goes on from there"
            )

    def keep(self, failed: int) -> None:
        """Leave the file as it is: so many verdicts that did not come are to be asked for again.

        Raises:
            JournalError: That cannot be written.
        """
        if self.path is not None:
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"failed": failed}) + "\n")
            except OSError as ex:
                self._broken = ex.strerror or str(ex)
                self.check()

    def remove(self) -> None:
        """Remove the file; its verdicts are elsewhere now."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a journal's file: two processes that ask for the same verdicts would pay for them twice.

    Whoever is killed lets go of it. An empty one is not left behind.

    Raises:
        JournalError: Another process holds it, or it cannot be written.
    """
    try:
        file = path.open("a")
    except OSError as ex:
        raise JournalError(
            f"cannot write to {path.parent}: {ex.strerror or ex}; mend that, or name another folder"
        ) from ex
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(
                f"another process is judging into {path}; wait until it has ended, and give the same command again"
            ) from None
        try:
            yield
        finally:
            with suppress(OSError):
                if path.stat().st_size == 0:
                    path.unlink()


def content_key(request: str, response: str, turn: int = 0) -> str:
    """A key for a pair of texts, and for the round in which it is rated."""
    digest = hashlib.sha256(f"{len(request)} {request}{response}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return f"{digest}/{turn}"


class JournaledJudge:
    """A seat whose verdicts are written down and not asked for twice.

    A verdict without any value because the provider failed is not kept: it is asked for again next time. Rules cost
    nothing and are simply asked.

    Args:
        inner: The seat.
        rubric: What it rates by.
        journal: Where verdicts are kept.
        budget: What may still be spent, shared by all seats.
        price: What its provider asks.

    Attributes:
        pending: Calls under way, by key.
        used: Calls and tokens that this seat took so far.
        failed: Verdicts that did not come, for the provider failed.
    """

    def __init__(self, inner: Judge, rubric: Rubric, journal: Journal, budget: Budget, price: Price | None) -> None:
        self.inner = inner
        self.judge_id = inner.judge_id
        self.rubric = rubric
        self.journal = journal
        self.budget = budget
        self.price = price
        self.used: dict[str, int] = {}
        self.failed = 0
        self.pending: dict[str, asyncio.Future[Verdict]] = {}

    async def rate(self, request: str, response: str) -> Verdict:
        """The verdict on a response, one for each pair of texts, wherever it is asked for."""
        return await self.rate_at(content_key(request, response), request, response)

    async def rate_at(self, place: str, request: str, response: str) -> Verdict:
        """The verdict on the response at a place (sample, turn, repeat), from the journal or from the judge.

        Raises:
            BudgetReached: Before a call, where the budget is spent.
            JournalError: Before a call, where verdicts cannot be kept any more.
        """
        if isinstance(self.inner, RuleJudge):
            return await self.inner.rate(request, response)
        key = f"{self.judge_id}\t{place}"
        known = self.journal.get(key)
        if known is not None:
            return known
        pending = self.pending.get(key)
        if pending is not None:
            return await asyncio.shield(pending)
        self.journal.check()
        if self.budget.reached:
            raise BudgetReached(self.spent())
        # Two that ask for one verdict at the same time share one call.
        task = asyncio.ensure_future(self._ask(key, request, response))
        self.pending[key] = task
        try:
            return await task
        finally:
            self.pending.pop(key, None)

    def spent(self) -> str:
        """What to say when the budget is spent."""
        what = f"the budget is spent ({self.budget.spent_tokens:,} tokens)"
        if self.journal.path is None:
            return f"{what}, and without a folder nothing is kept: raise the limit, or give --card DIR"
        return f"{what}; {len(self.journal)} verdicts are kept, and the same command goes on from there"

    async def _ask(self, key: str, request: str, response: str) -> Verdict:
        verdict = await self.inner.rate(request, response)
        self.budget.spend(verdict, self.price)
        for what, n in verdict.usage.items():
            self.used[what] = self.used.get(what, 0) + n
        if "provider_error" not in verdict.statuses.values():
            self.journal.put(key, verdict)
        else:
            self.failed += 1
        return verdict


async def with_seats(work: Awaitable[T], seats: Sequence[JournaledJudge]) -> T:
    """Wait for work that asks these seats; where the budget ends it, for what is under way as well.

    Calls under way are paid for, so their verdicts are to be kept.

    Raises:
        BudgetReached: With what is kept by then.
    """
    try:
        return await work
    except BudgetReached as ex:
        while pending := [call for seat in seats for call in seat.pending.values()]:
            await asyncio.wait(pending)
            # Those that wait for these calls get a turn to take them off the list.
            await asyncio.sleep(0)
        raise BudgetReached(seats[0].spent()) from ex

"""Published tables of percentages: the counts behind them, and the intervals that these counts allow.

A percentage of a known number of items is a count that was rounded. Where one count prints so, it is recovered and its
interval is exact; where several do, the interval spans them; where none does, that is an error in the table or in what
it is said to be a percentage of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final, Literal

from judges.stats import Estimate, combination, wilson
from rubrics.errors import MendableError

HERE: Final = Path(__file__).parent
WIDEST: Final = "Wilson on the {} questions, as if all wordings of one agreed (the widest case)"
UNPAIRED: Final = "Newcombe's hybrid score, unpaired"
Rounding = Literal["once", "twice", "none"]


class PublishedError(MendableError):
    """A published table that does not add up; the message names the cell."""


@dataclass(frozen=True)
class Rate:
    """A published percentage and what it must have been.

    Attributes:
        percent: As printed.
        n: Answers that it is a percentage of.
        counts: Every count that prints so.
        rounding: Whether they print so when rounded once, or first to four decimals of the share and then to the
            table's; `none` where no count does.
        estimate: The share with its interval.
    """

    percent: float
    n: int
    counts: tuple[int, ...]
    rounding: Rounding
    estimate: Estimate

    @property
    def count(self) -> int | None:
        """The count, where only one fits."""
        return self.counts[0] if len(self.counts) == 1 else None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        span = [self.counts[0], self.counts[-1]] if self.counts else []
        return {**vars(self), "counts": span, "estimate": self.estimate.as_dict()}


@dataclass(frozen=True)
class PublishedRow:
    """One system of a published table.

    Attributes:
        id: Name in its source.
        model: The model.
        condition: The condition.
        rates: By measure, in the table's order.
        mutations: By mutation, where the table has them.
    """

    id: str
    model: str
    condition: str
    rates: Mapping[str, Rate]
    mutations: Mapping[str, Rate]


@dataclass(frozen=True)
class PublishedTable:
    """A published table.

    Attributes:
        title: What it is.
        source: Where it stands.
        revision: Which version was read, or that this is not on record.
        judge: Who judged.
        notes: What to know before reading it.
        rows: A row a system.
    """

    title: str
    source: str
    revision: str
    judge: str
    notes: tuple[str, ...]
    rows: tuple[PublishedRow, ...]

    def row(self, row_id: str) -> PublishedRow:
        """A row by its name in the source.

        Raises:
            PublishedError: There is none.
        """
        found = next((r for r in self.rows if r.id == row_id), None)
        if found is None:
            raise PublishedError(f"no published row {row_id[:80]!r}; there are {', '.join(r.id for r in self.rows)}")
        return found


def rate(percent: float, n: int, decimals: int = 1, questions: int | None = None) -> Rate:
    """Recover the count of a published percentage, and its interval.

    Args:
        percent: As printed, 0 to 100.
        n: Answers that it is a percentage of.
        decimals: Decimals to which the table is printed.
        questions: Independent questions, where several answers share one; the interval is then the widest one that
            any agreement between these answers allows.

    Returns:
        The rate. Without a count that prints so it has no interval, and the reason says so.

    Raises:
        PublishedError: No percentage, or nothing that it could be a percentage of.
    """
    if not (0 <= percent <= 100) or n < 1:
        raise PublishedError(f"{percent} % of {n} is no percentage; correct the table")
    counts, rounding = _counts(percent, n, decimals)
    if not counts:
        reason = f"no count of {n} prints as {percent:.{decimals}f} %"
        return Rate(percent, n, (), "none", Estimate(percent / 100, None, None, n, n, "", reason))
    units, method = (n, "Wilson") if questions is None else (questions, WIDEST.format(questions))
    low, high = (wilson(k / n * units, units)[side] for side, k in enumerate((counts[0], counts[-1])))
    value = counts[0] / n if len(counts) == 1 else percent / 100
    if len(counts) > 1:
        method += f", over the counts {counts[0]} to {counts[-1]} that print so"
    return Rate(percent, n, counts, rounding, Estimate(value, low, high, n, n, method))


def unpaired_difference(baseline: Estimate, other: Estimate) -> Estimate:
    """Other - baseline of two published shares: which items they share is known, but not how each was answered.

    The interval is that of independent samples. The items are the same, so with the items at hand it would be narrower
    as far as both systems fail on the same ones.

    Args:
        baseline: A share with its interval.
        other: Another one.

    Source:
        Newcombe (1998), Stat. Med. 17:873-890, method 10.
    """
    found = combination([baseline, other], [-1.0, 1.0], bounds=(-1.0, 1.0))
    method = UNPAIRED if found.low is not None else ""
    return replace(found, n=min(baseline.n, other.n), total=min(baseline.total, other.total), method=method)


def sorry_bench_table() -> PublishedTable:
    """SORRY-Bench: `base` (fulfilment of the base set), `mutated` (over the mutations), and each mutation.

    Raises:
        PublishedError: The table cannot be read.
    """
    data = _read("sorry_bench")
    n, mutations, decimals = data["questions"], data["mutations"], data["decimals"]
    rows = []
    for row in data["systems"]:
        rates = {
            "base": rate(row["base"], n, decimals),
            "mutated": rate(row["mutated"], n * mutations, decimals, questions=n),
        }
        by_mutation = {name: rate(p, n, decimals) for name, p in row.get("by_mutation", {}).items()}
        rows.append(PublishedRow(row["id"], row["model"], row["condition"], rates, by_mutation))
    return _table(data, rows)


def xstest_table() -> PublishedTable:
    """XSTest: `over_refusal` on the safe prompts and `safety` (refused) on the unsafe ones.

    Raises:
        PublishedError: The table cannot be read.
    """
    data = _read("xstest")
    rows = [
        PublishedRow(
            row["id"],
            row["model"],
            row["condition"],
            {
                "over_refusal": rate(row["over_refusal"], data["safe"], data["decimals"]),
                "safety": rate(row["safety"], data["unsafe"], data["decimals"]),
            },
            {},
        )
        for row in data["systems"]
    ]
    return _table(data, rows)


def _read(name: str) -> Any:
    try:
        return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as ex:
        raise PublishedError(f"results/published/{name}.json cannot be read; restore it from the repository") from ex


def _table(data: Mapping[str, Any], rows: list[PublishedRow]) -> PublishedTable:
    source = data["source"]
    return PublishedTable(
        data["title"], source["paper"], source["revision"], data["judge"], tuple(data["notes"]), tuple(rows)
    )


def _counts(percent: float, n: int, decimals: int) -> tuple[tuple[int, ...], Rounding]:
    """Counts that print as a percentage, and how."""
    printed = Decimal(repr(percent)).quantize(Decimal(1).scaleb(-decimals))
    middle = round(percent / 100 * n)
    reach = round(10.0**-decimals * n / 100) + 2
    near = range(max(0, middle - reach), min(n, middle + reach) + 1)
    for rounding in ("once", "twice"):
        found = tuple(k for k in near if _printed(k, n, decimals, rounding == "twice") == printed)
        if found:
            return found, rounding
    return (), "none"


def _printed(count: int, n: int, decimals: int, twice: bool) -> Decimal:
    share = Decimal(count) / Decimal(n)
    if twice:
        share = share.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return (100 * share).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)

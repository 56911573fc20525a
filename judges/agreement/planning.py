"""How many labels an interval of a stated width takes, drawn at random or by the judge's verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from judges.agreement.intervals import FEW, Coefficient
from judges.agreement.weighted import Array

Design = Literal["random", "stratified"]
DRAWS: Final = 1000
MOST: Final = 100_000


@dataclass(frozen=True)
class Needed:
    """Labels that an interval of a stated width takes, if further labels are like the ones at hand.

    Attributes:
        design: `random`, or `stratified`: as many of each of the judge's verdicts.
        width: The width asked for.
        labels: Labels in all; None where it cannot be told.
        now: Labels at hand.
        width_now: The width that as many labels give under this design.
        reason: Why it cannot be told, or what limits it.
    """

    design: Design
    width: float
    labels: int | None
    now: int
    width_now: float | None
    reason: str = ""

    @property
    def more(self) -> int | None:
        """Labels still needed; 0 where the width is reached."""
        return None if self.labels is None else max(0, self.labels - self.now)

    def as_dict(self) -> dict[str, float | int | str | None]:
        """JSON-ready fields."""
        return {**vars(self), "more": self.more}


def labels_needed(
    coefficient: Coefficient,
    table: Array,
    width: float,
    design: Design,
    verdicts: Sequence[int] | None = None,
    *,
    seed: int = 0,
    level: float = 0.95,
) -> Needed:
    """Labels that bring a coefficient's interval to a width.

    The cells' shares are taken to stay what they are, smoothed by the interval's own prior so that a small sample
    without disagreement does not pass for certainty. What is found is the size at which the Dirichlet interval of
    such a table has the width; real samples come out wider or narrower.

    Args:
        coefficient: Which, as `intervals.coefficients` gives them.
        table: Counts (k, k) at hand: rows the person's values, columns the judge's.
        width: Full width of the interval, above 0.
        design: `random`, or `stratified` by the judge's verdict in equal numbers.
        verdicts: Of the responses that could be labelled, how many have each verdict; the table's own shares if not
            given. Where the width takes more labels than there are responses, further ones are taken to be alike.
        seed: Seed of the draws.
        level: Level of the interval.

    Raises:
        ValueError: A width of 0 or less, or another number of verdicts than points.
    """
    if not width > 0:
        raise ValueError("the width of an interval must be above 0")
    k, now = table.shape[0], int(table.sum())
    if verdicts is not None and len(verdicts) != k:
        raise ValueError(f"{len(verdicts)} counts of verdicts for {k} points of the scale")
    if now < FEW:
        return Needed(design, width, None, now, None, f"not estimable from {now} labels; start with {FEW}")
    mass = (2.0 if k == 2 else 1.0) / k**2
    share = (table + mass) / (now + mass * k**2)
    counts = np.asarray(verdicts if verdicts is not None else share.sum(axis=0), dtype=float)
    strata = np.flatnonzero(counts > 0)
    there = int(counts.sum()) if verdicts is not None else MOST

    def width_at(n: int) -> float | None:
        rng = np.random.default_rng(seed)
        if design == "random":
            drawn = rng.dirichlet((n * share + mass).ravel(), DRAWS).reshape(DRAWS, k, k)
        else:
            drawn = np.zeros((DRAWS, k, k))
            pool = counts[strata] / counts.sum() * max(n, there)
            outer = rng.dirichlet(pool + 0.5, DRAWS)
            for at, (j, labels) in enumerate(zip(strata, _allotted(n, pool), strict=True)):
                given = share[:, j] / share[:, j].sum()
                drawn[:, :, j] = outer[:, at, None] * rng.dirichlet(labels * given + mass, DRAWS)
        values = coefficient.batch(drawn)
        known = values[~np.isnan(values)]
        if known.size < 0.99 * DRAWS:
            return None
        low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
        return float(high - low)

    return _search(width_at, design, width, now, there)


def _search(width_at: Callable[[int], float | None], design: Design, width: float, now: int, there: int) -> Needed:
    """The smallest number with the width, to 2 %."""

    def reached(n: int) -> bool:
        w = width_at(n)
        return w is not None and w <= width

    here = width_at(now)
    if here is None:
        return Needed(design, width, None, now, None, "not estimable: the coefficient is undefined in many draws")
    low, high = 0, FEW
    while high < MOST and not reached(high):
        low, high = high, high * 2
    if high >= MOST and not reached(MOST):
        return Needed(design, width, None, now, here, f"more than {MOST} labels")
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if middle >= FEW and reached(middle) else (middle, high)
    reason = f"only {there} responses: add prompts or systems" if high > there else ""
    return Needed(design, width, high, now, here, reason)


def _allotted(n: int, pool: Array) -> Array:
    """Equal numbers of each verdict, as far as there are so many; the rest goes to the others."""
    left, given = float(n), np.zeros(pool.size)
    for rank, at in enumerate(np.argsort(pool)):
        given[at] = min(pool[at], left / (pool.size - rank))
        left -= given[at]
    return given

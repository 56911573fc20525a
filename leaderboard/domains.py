"""One measure of comparable runs domain by domain: cells, what the data support, sentence and table rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from judges.stats import Estimate
from judges.stats.shrinkage import shrunken_estimates
from leaderboard.naming import run_names
from leaderboard.present import fixed, number, plain
from results.beside import GridColumn
from results.grid import Grid
from results.manifest import Manifest
from rubrics.expectations import DOMAINS

WIDEST: Final = 1 / 3
"""Share of the scale that an interval may span; a wider one supports no colour."""
TOO_FEW: Final = "too few"
NO_DOMAINS: Final = (
    "No run in the store has prompts with a domain. Runs of the embedded prompt set have them; fill the store with:"
)
UNVALUED: Final = (
    "Prompts here have domains, but no measure on a scale has a value on any of them: every verdict is missing. Judge "
    "the finished logs again (psychosafe rejudge LOG...), or fill the store with:"
)
WITH_DOMAINS: Final = """# five domains, 500 prompts
inspect eval evals/psychosafe.py --model MODEL
psychosafe ingest LOG..."""
READING: Final = (
    "± is half of a 95 % interval; where it is lopsided, its ends. Hatched: an interval that spans more than a third "
    "of the scale, or none, supports no colour. Shrinkage takes the spread between domains as uncertain (Rubin 1981), "
    "and draws a domain of few items that truly differs from the others in too far: look at the raw values too."
)


@dataclass(frozen=True)
class Map:
    """One measure of comparable runs in each domain.

    Attributes:
        column: The measure.
        domains: The domains, those of the paper first.
        runs: The runs: models, then reference policies, each from best to worst over all items.
        names: A name of each, which no other has. Untrusted text.
        raw: Means by run and domain.
        shrunken: The same, each run's moved towards its own mean.
        without: Items that have no domain, and stand in no cell.
    """

    column: GridColumn
    domains: tuple[str, ...]
    runs: tuple[Manifest, ...]
    names: tuple[str, ...]
    raw: tuple[tuple[Estimate, ...], ...]
    shrunken: tuple[tuple[Estimate, ...], ...]
    without: int

    def cells(self, shrunken: bool) -> tuple[tuple[Estimate, ...], ...]:
        """Estimates by run and domain."""
        return self.shrunken if shrunken else self.raw

    def thin(self, e: Estimate) -> bool:
        """Whether a cell supports no colour: it has no interval, or one that spans more than a third of the scale."""
        if e.value is None or e.low is None or e.high is None:
            return True
        low, high = self.column.bounds
        return e.high - e.low > WIDEST * (high - low)


def columns_of(grid: Grid) -> tuple[GridColumn, ...]:
    """The measures of a grid that can be shown by domain: of items, on a scale with two ends, with any value."""
    return tuple(
        c
        for c in grid.columns
        if c.name not in grid.figures
        and all(map(math.isfinite, c.bounds))
        and bool(np.isfinite(grid.values(c.name)).any())
    )


def domains_of(grid: Grid) -> tuple[str, ...]:
    """The domains of a grid's items, those of the paper first. Others are untrusted text."""
    there = {i.domain for i in grid.items if i.domain}
    return (*(d for d in DOMAINS if d in there), *sorted(there - set(DOMAINS)))


def domain_map(grid: Grid, measure: str) -> Map:
    """One measure of a grid's runs in each domain.

    Args:
        grid: The runs.
        measure: One of `columns_of`.

    Raises:
        KeyError: No such measure.
    """
    column, domains = grid.column(measure), domains_of(grid)
    whole = grid.estimates(measure)
    by_domain = [grid.estimates(measure, grid.within([d])) for d in domains]
    raw = [tuple(row) for row in zip(*by_domain, strict=True)] if domains else [()] * len(grid.runs)
    shrunken = shrunken_estimates(raw, column.bounds)
    names = run_names(grid.runs)
    sign = -1.0 if column.higher_is_better else 1.0

    def place(at: int) -> tuple[bool, float, str]:
        value = whole[at].value
        return grid.runs[at].kind == "reference", math.inf if value is None else sign * value, grid.runs[at].run_id

    order = sorted(range(len(grid.runs)), key=place)
    return Map(
        column,
        domains,
        tuple(grid.runs[at] for at in order),
        tuple(names[grid.runs[at].run_id] for at in order),
        tuple(raw[at] for at in order),
        tuple(tuple(shrunken[at]) for at in order),
        sum(not i.domain for i in grid.items),
    )


@dataclass(frozen=True)
class Ends:
    """The best and the worst domain of a run, by position.

    Attributes:
        best: The best.
        worst: The worst.
        apart: Whether their intervals are apart.
        alike: Whether both have one value, so that neither is best.
    """

    best: int
    worst: int
    apart: bool
    alike: bool


def ends(found: Map, row: Sequence[Estimate]) -> Ends | None:
    """Best and worst domain of a run among the cells that support it; None for fewer than two of them."""
    known = [(e.value, j) for j, e in enumerate(row) if e.value is not None and not found.thin(e)]
    if len(known) < 2:
        return None
    top, bottom = max(known, key=lambda k: (k[0], -k[1])), min(known, key=lambda k: (k[0], k[1]))
    high, low = row[top[1]], row[bottom[1]]
    apart = high.low is not None and low.high is not None and low.high < high.low
    best, worst = (top[1], bottom[1]) if found.column.higher_is_better else (bottom[1], top[1])
    return Ends(best, worst, apart, math.isclose(top[0], bottom[0], abs_tol=1e-9))


def sentence(found: Map, shrunken: bool) -> str:
    """What the cells say of domains, and no more."""
    cells = found.cells(shrunken)
    what = f"{plain(found.column.label, 60)} by domain"
    told = [(at, e) for at, row in enumerate(cells) if (e := ends(found, row)) is not None]
    grey = sum(found.thin(e) for row in cells for e in row)
    count = sum(len(row) for row in cells)
    tail = f" {grey} of {count} cells support no colour." if grey else ""
    if not told:
        return f"{what}: no run has figures in two domains that its items support.{tail}"
    at, first = told[0]
    row, name = cells[at], plain(found.names[at])
    if first.alike:
        said = f"{name} is alike in all domains that its items support, {fixed(row[first.best].value)}"
    else:
        best, worst = (f"{spoken(found.domains[j])}, {within(row[j])}" for j in (first.best, first.worst))
        verdict = "these intervals are apart" if first.apart else "these intervals overlap, so the order is not shown"
        said = f"{name} is best on {best}, and worst on {worst}; {verdict}"
    text = f"{what}: {said}."
    if len(told) > 1:
        apart = [e for _, e in told if e.apart]
        text += f" Best and worst domain are apart in {len(apart)} of {len(told)} runs"
        if len(apart) > 1:
            domain, times = Counter(e.worst for e in apart).most_common(1)[0]
            text += f"; worst is most often {spoken(found.domains[domain])}, in {times} of them"
        text += "."
    return text + tail


def spoken(domain: str) -> str:
    """A domain as people read it. Untrusted, unless it is one of the paper's."""
    return plain(domain.replace("_", " "), 40)


def within(e: Estimate, digits: int = 2) -> str:
    """An estimate as `0.52 ± 0.03`; as `0.98, 0.91 to 1.00` where its arms are not alike."""
    if e.value is None:
        return "undefined"
    if e.low is None or e.high is None:
        return f"{fixed(e.value, digits)}, no interval"
    below, above = e.value - e.low, e.high - e.value
    if abs(above - below) < 0.6 * 10**-digits:
        return f"{fixed(e.value, digits)} ± {fixed(max(below, above), digits)}"
    return f"{fixed(e.value, digits)}, {fixed(e.low, digits)} to {fixed(e.high, digits)}"


def note(found: Map, e: Estimate) -> str:
    """Why a cell has no colour; empty where it has one."""
    if e.value is None:
        return f"undefined: {plain(e.reason, 120, ends=False)}"
    if e.low is None or e.high is None:
        return f"no interval: {plain(e.reason, 120, ends=False)}"
    if not found.thin(e):
        return ""
    low, high = found.column.bounds
    return f"{TOO_FEW}: the interval spans {100 * (e.high - e.low) / (high - low):.0f} % of the scale"


def table(found: Map, shrunken: bool, rows: slice = slice(None)) -> list[dict[str, str]]:
    """A row each run and domain, with what it rests on."""
    made = []
    for at in range(len(found.runs))[rows]:
        pairs = zip(found.domains, found.raw[at], found.shrunken[at], strict=True)
        for domain, raw, shrunk in pairs:
            made.append(
                {
                    "Run": plain(found.names[at]),
                    "Domain": spoken(domain),
                    "Shrunken [95 %]": number(shrunk, 3),
                    "Raw [95 %]": number(raw, 3),
                    "n": f"{raw.n} of {raw.total}",
                    "Coverage": "no items" if raw.coverage is None else f"{100 * raw.coverage:.0f} %",
                    "Colour": note(found, shrunk if shrunken else raw) or "shown",
                }
            )
    return made


def not_weighed(found: Map) -> Mapping[str, int]:
    """Why shrunken cells have no value though the raw one has, with their number."""
    pairs = ((r, s) for rows in zip(found.raw, found.shrunken, strict=True) for r, s in zip(*rows, strict=True))
    return Counter(s.reason for r, s in pairs if r.value is not None and s.value is None)


def notes(found: Map, shrunken: bool, items: int) -> list[str]:
    """What is undefined, what stands in no cell, and what is no model.

    Args:
        found: The cells.
        shrunken: Shrunken values, or raw ones.
        items: Items in all.
    """
    told = []
    for why, n in not_weighed(found).items() if shrunken else ():
        cells = f"{n} shrunken cells are" if n > 1 else "1 shrunken cell is"
        told.append(f"{cells} undefined: {plain(why, 160, ends=False)}.")
    if found.without:
        told.append(f"{found.without} of {items} items have no domain, and stand in no cell.")
    if any(m.kind == "reference" for m in found.runs):
        told.append("Reference policies stand below the models; they are no models.")
    return told

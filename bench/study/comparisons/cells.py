"""One measured share a cell, and the file they are kept in."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, Literal

import numpy as np

from judges.stats import Estimate

Kind = Literal["coverage", "error"]
PATH: Final = Path(__file__).parent / "cells.csv"


@dataclass(frozen=True)
class Cell:
    """How often one method did what it promises, in one population.

    Attributes:
        figure: What it is about.
        method: The method.
        scenario: The population, in words.
        n: Items of a study (or clusters, where the figure says so).
        kind: `coverage` (the interval holds the true value) or `error` (a test or verdict is wrong).
        promised: The share that is promised: at least, for coverage; at most, for an error.
        share: The share that was found, of the studies in which there was an interval.
        studies: Simulated studies; 0 where the share is exact, over all outcomes.
        bare: Share of studies without an interval, or a test.
        width: Mean width of the intervals; NaN for an error.
        used: Whether a comparison shows it; others stand beside it to say why they are not shown.
    """

    figure: str
    method: str
    scenario: str
    n: int
    kind: Kind
    promised: float
    share: float
    studies: int
    bare: float
    width: float
    used: bool = True

    @property
    def error(self) -> float:
        """Monte Carlo standard error of the promised share."""
        return math.sqrt(self.promised * (1 - self.promised) / self.studies) if self.studies else 0.0


def coverage(
    figure: str, method: str, scenario: str, n: int, truth: float, found: Iterable[Estimate], used: bool = True
) -> Cell:
    """Count how often simulated intervals hold the true value; those that are missing count for nothing."""
    every = list(found)
    ends = np.array([(e.low, e.high) for e in every if e.low is not None and e.high is not None], dtype=float)
    ends = ends.reshape(-1, 2)
    held = (ends[:, 0] <= truth + 1e-9) & (ends[:, 1] >= truth - 1e-9)
    share, width = (float(held.mean()), float((ends[:, 1] - ends[:, 0]).mean())) if len(ends) else (math.nan, math.nan)
    bare = 1 - len(ends) / len(every)
    return Cell(figure, method, scenario, n, "coverage", 0.95, share, len(every), bare, width, used)


def errors(figure: str, method: str, scenario: str, n: int, promised: float, wrong: Iterable[bool]) -> Cell:
    """Count how often something was wrong."""
    every = [bool(w) for w in wrong]
    share = sum(every) / len(every)
    return Cell(figure, method, scenario, n, "error", promised, share, len(every), 0.0, math.nan)


def write(cells: Sequence[Cell], path: Path = PATH) -> None:
    """Write the cells; numbers are rounded to six digits."""
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Cell)], lineterminator="\n")
        writer.writeheader()
        for cell in cells:
            row = asdict(cell)
            writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    part.replace(path)


def read(path: Path = PATH) -> list[Cell]:
    """Read what `write` wrote."""
    kinds: dict[str, Callable[[str], object]] = {"int": int, "float": float, "bool": lambda v: v == "True"}
    with path.open(encoding="utf-8", newline="") as file:
        types = {f.name: kinds.get(str(f.type), str) for f in fields(Cell)}
        return [Cell(**{k: types[k](v) for k, v in row.items()}) for row in csv.DictReader(file)]  # type: ignore[arg-type]


def generator(*key: object) -> np.random.Generator:
    """A generator of its own for every cell, so that cells do not depend on each other's order."""
    return np.random.default_rng([20_261_201, *"/".join(map(str, key)).encode()])


def repeated(studies: int, one: Callable[[int], Estimate]) -> Iterator[Estimate]:
    """One estimate a study."""
    return (one(s) for s in range(studies))

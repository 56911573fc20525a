"""The scenarios of the coverage study, drawn once from a seed, committed, and only read after that.

    python -m bench.study.grid

writes both grid files. They were committed before any method was tuned; grid 2 was not looked at while tuning.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np

Design = Literal["pair", "panel", "clusters"]
Model = Literal["class", "normal"]
SIZES: Final = (30, 50, 100, 200)
SEEDS: Final = {1: 20_261_101, 2: 20_261_102}
# Scenarios per size: 40 + 32 + 20 + 20 + 8 + 8 = 128 a grid.
PER_SIZE: Final[tuple[tuple[Design, int, int], ...]] = (
    ("pair", 2, 10),
    ("pair", 5, 8),
    ("panel", 2, 5),
    ("panel", 5, 5),
    ("clusters", 2, 2),
    ("clusters", 5, 2),
)
# Share of scenarios in which nobody is wrong often: there most intervals known from elsewhere fail.
NEAR_PERFECT: Final = 0.2
FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True)
class Scenario:
    """One cell of a grid: a population of items and raters, and a study of it.

    Attributes:
        id: Its name.
        design: `pair` (a person and two judges), `panel` (the same and more), or `clusters` (a panel whose items share
            sources).
        model: `class`: every item has a true value, which raters miss now and then; `normal`: every item has a place
            on a line, which raters see with noise and cut into points.
        n: Independent units of a study: items, or clusters of items.
        levels: Points of the scale, 2 or 5.
        prevalence: Mean place of the items on the scale, 0 to 1; on two points the share of Yes.
        spread: 0: the points of the items are binomial (levels - 1, prevalence); above 0: beta-binomial with this
            correlation, which puts more items on the ends.
        raters: Number of raters: the person, then judges.
        person: Quality of the person: accuracy (`class`), or correlation of what is seen with the place (`normal`).
        judge: Quality of the first judge, and of every second rater after it.
        second: Quality of the second judge, and of every second rater after it.
        lean: How much the first judge and its like lean upwards: errors up are 1 + lean times as frequent and errors
            down 1 - lean times (`class`), or what is seen is shifted by `lean` standard deviations (`normal`).
        hard: Share of items on which every rater guesses (`class` only).
        missing: Share of ratings missing at random, each rater for himself.
        cluster: Items a cluster; 1 without clusters.
        alike: Chance that an item of a cluster is what the cluster's first item is.
    """

    id: str
    design: Design
    model: Model
    n: int
    levels: int
    prevalence: float
    spread: float
    raters: int
    person: float
    judge: float
    second: float
    lean: float
    hard: float
    missing: float
    cluster: int
    alike: float

    @property
    def items(self) -> int:
        """Items of one study."""
        return self.n * self.cluster

    def __post_init__(self) -> None:
        if self.design not in get_args(Design) or self.model not in get_args(Model):
            raise ValueError(f"scenario {self.id}: no such design or model")


def draw(grid: int) -> list[Scenario]:
    """The scenarios of grid 1 or 2: sizes, scales and designs are crossed, everything else is drawn.

    Half of the prevalences lie in .5 to .8, half in .8 to .98, one in each of as many equal steps as there are
    scenarios, so that no stretch is left out.
    """
    rng = np.random.default_rng(SEEDS[grid])
    made: list[Scenario] = []
    for design, levels, per_size in PER_SIZE:
        count = per_size * len(SIZES)
        steps = (np.arange(count // 2) + rng.random(count // 2)) / (count // 2), rng.random(count // 2)
        high = (np.arange(count // 2) + steps[1]) / (count // 2)
        prevalences = rng.permutation(np.concatenate([0.5 + 0.3 * steps[0], 0.8 + 0.18 * high]))
        for number in range(count):
            model: Model = "class" if rng.random() < 0.5 else "normal"
            worst = (0.8, 0.6 if model == "class" else 0.4)
            if rng.random() < NEAR_PERFECT:
                worst = (0.96, 0.96)
            person, (judge, second) = rng.uniform(worst[0], 0.99), rng.uniform(worst[1], 0.99, 2)
            clusters = design == "clusters"
            made.append(
                Scenario(
                    id=f"{grid}-{len(made) + 1:03d}",
                    design=design,
                    model=model,
                    n=SIZES[number % len(SIZES)],
                    levels=levels,
                    prevalence=round(float(prevalences[number]), 3),
                    spread=float(rng.choice([0.0, 0.2])) if levels > 2 else 0.0,
                    raters=3 if design == "pair" else int(rng.integers(3, 7)),
                    person=round(float(person), 3),
                    judge=round(float(judge), 3),
                    second=round(float(second), 3),
                    lean=round(float(rng.uniform(-0.4, 0.4)), 2) + 0.0,
                    hard=float(rng.choice([0.0, 0.0, 0.15])) if model == "class" else 0.0,
                    missing=float(rng.choice([0.0, 0.0, 0.05, 0.1, 0.2])),
                    cluster=int(rng.integers(2, 6)) if clusters else 1,
                    alike=round(float(rng.uniform(0.2, 0.8)), 2) if clusters else 0.0,
                )
            )
    return made


def path(grid: int) -> Path:
    """Where a grid is kept."""
    return FOLDER / f"grid-{grid}.csv"


def read(grid: int) -> list[Scenario]:
    """The committed scenarios of a grid.

    Raises:
        ValueError: A scenario of an unknown design or model.
    """
    with path(grid).open(encoding="utf-8", newline="") as file:
        kinds = {f.name: {"int": int, "float": float}.get(str(f.type), str) for f in fields(Scenario)}
        return [Scenario(**{name: kinds[name](value) for name, value in row.items()}) for row in csv.DictReader(file)]


def main() -> None:
    """Write both grids."""
    for grid in SEEDS:
        with path(grid).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [f.name for f in fields(Scenario)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(s) for s in draw(grid))


if __name__ == "__main__":
    main()

"""The study of comparisons: its true values, that it is repeatable, what it says, and that the table is its cells'."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from bench.study.comparisons import cells, decisions, exact, means, run, tables
from bench.study.comparisons.cells import Cell
from bench.study.comparisons.populations import PAIRS
from judges.stats import Estimate, wilson

DOCS = Path(__file__).parents[2] / "docs" / "coverage-comparisons.md"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: p.name)
def test_true_values_are_those_of_a_large_sample(pair: means.Pair) -> None:
    assert pair.base.chances.sum() == pytest.approx(1) and pair.anew.chances.sum() == pytest.approx(1)
    x, y = pair.draw(np.random.default_rng(0), (400_000,))
    scale = pair.bounds[1] - pair.bounds[0]
    assert (y - x).mean() == pytest.approx(pair.difference, abs=0.004 * scale)
    for q in (0.05, 0.1, 0.9, 0.95):
        for values, seen in ((pair.base, x), (pair.other, y)):
            assert values.quantile(q) == pytest.approx(np.quantile(seen, q, method="inverted_cdf"), abs=0.01 * scale)


def test_exact_coverage_by_brute_force() -> None:
    found = {(c.n, c.scenario): c for c in exact.wilson_cells()}
    for p in (0.005, 0.3):
        held = sum(binom.pmf(k, 20, p) for k in range(21) if wilson(k, 20)[0] <= p <= wilson(k, 20)[1])
        assert found[20, f"p = {p:g}"].share == pytest.approx(held)
    rng = np.random.default_rng(0)
    cell = next(c for c in exact.paired_cells() if c.n == 50 and c.used and c.scenario.startswith("0.3 gained, 0.1"))
    drawn = rng.multinomial(50, [0.3, 0.1, 0.6], 20_000)
    low, high = exact.paired_proportions(drawn[:, 0], drawn[:, 1], 50)
    assert cell.share == pytest.approx(((low <= 0.2) & (high >= 0.2)).mean(), abs=0.006)


def test_a_check_is_what_its_seed_makes_it_and_survives_its_file(tmp_path: Path) -> None:
    made = [
        *means.difference_cells(20, 8), *means.cluster_cells(10, 5, 4), *means.relative_cells(20, 4),
        *means.tail_cells(100, 2), *means.worst_case_cells(20, 4), *means.strata_cells(40, 4), *means.judge_cells(3, 4),
        *decisions.rank_cells(5, 20, 3), *decisions.size_cells(20, 4), *decisions.family_cells(10, 2),
        *decisions.margin_cells(20, 4), *means.mean_cells(20, 4),
    ]  # fmt: skip
    again = list(means.difference_cells(20, 8))
    assert [c.share for c in made[: len(again)]] == [c.share for c in again]
    assert all(np.isnan(c.share) or 0 <= c.share <= 1 for c in made)
    cells.write(made, tmp_path / "cells.csv")
    back = cells.read(tmp_path / "cells.csv")
    assert [(c.figure, c.scenario, c.used, c.kind) for c in back] == [
        (c.figure, c.scenario, c.used, c.kind) for c in made
    ]
    assert [c.share for c in back] == pytest.approx([c.share for c in made], rel=1e-5, nan_ok=True)
    names = {getattr(t, "func", t).__name__ for t in run.tasks(8)}
    assert {n for m in (exact, means, decisions) for n in vars(m) if n.endswith("_cells")} == names


def cell(share: float, **changes: object) -> Cell:
    made = Cell("f", "m", "made", 50, "coverage", 0.95, share, 500, 0.0, 0.1)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_promise() -> None:
    """.93 less the Monte Carlo error of 500 studies, .0097; no slack where nothing is simulated, none for bounds."""
    assert tables.kept(cell(0.921)) and not tables.kept(cell(0.92))
    assert tables.kept(cell(0.93, studies=0)) and not tables.kept(cell(0.929, studies=0))
    assert not tables.kept(cell(0.999, promised=1.0)) and tables.kept(cell(1.0, promised=1.0))
    error = {"kind": "error", "promised": 0.025, "studies": 0}
    assert tables.kept(cell(0.0349, **error)) and not tables.kept(cell(0.036, **error))
    row = tables.row([cell(0.95), cell(0.90, scenario="bad"), cell(0.1, bare=0.6)])
    assert row is not None and (row.cells, row.worst.scenario, row.met, row.bare) == (2, "bad", False, 0.6)
    assert tables.row([cell(0.1, bare=0.6)]) is None
    found = cells.coverage(
        "f", "m", "s", 5, 1.0, [Estimate(1, 0, 2, 5, 5), Estimate(1, 2, 3, 5, 5), Estimate.undefined("x")]
    )
    assert (found.share, found.bare, found.width) == (0.5, pytest.approx(1 / 3), 1.5)
    text = tables.markdown([cell(0.9496), cell(0.8, figure="bad"), cell(0.7, figure="beside", used=False)])
    missed, rest = text.split("## What misses its promise")[1].split("## Intervals")
    assert "bad" in missed and "beside" not in missed and "| .949 ±" in rest and "beside" in rest


def test_the_table_is_made_of_the_committed_cells() -> None:
    assert DOCS.read_text(encoding="utf-8") == tables.markdown(cells.read())

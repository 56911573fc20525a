"""The board's arrays say what the measures of each run say, however they were kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evals.contrast import contrast
from evals.psychosafe import psychosafe
from judges.stats import Estimate
from results.beside import TWINS
from results.cross_measures import twin_run
from results.extras import extra_measures
from results.grid import Grid, grids
from results.ingest import ingest
from results.measure import PAIR_SCORE, SUPPORT_BESIDE
from results.measures import measures
from results.store import Store
from tests.e2e.conftest import run_task

pytestmark = pytest.mark.xdist_group("grid")  # the runs that all tests here share are made once

SYSTEMS = (("wrapper", "baseline"), ("keyword", "baseline"), ("steerable", "prompted"))


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grid")
    for policy, condition in SYSTEMS:
        run_task([psychosafe(condition=condition), contrast(condition=condition)], f"policy/{policy}", folder, limit=12)
    # One system without a run on the twins.
    run_task(psychosafe(), "policy/blunt", folder, limit=12)
    return folder


@pytest.fixture(scope="module")
def store(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(tmp_path_factory.mktemp("store"))
    assert not ingest(made, [logs], figures=True).refused
    return made


def same(a: Estimate, b: Estimate) -> bool:
    pairs = ((a.value, b.value), (a.low, b.low), (a.high, b.high))
    return (a.n, a.total) == (b.n, b.total) and all(
        x is None if y is None else x == pytest.approx(y, abs=1e-6) for x, y in pairs
    )


def test_every_figure_is_that_of_the_measure(store: Store) -> None:
    ((found,), _) = grids(store)
    assert len(found.runs) == 4
    seen = set()
    for at, run in enumerate(found.runs):
        own = {**measures(store, run), **extra_measures(store, run)}
        twin = twin_run(store, run)
        if twin is not None:
            # The other half of the pair score stands beside it.
            own |= {n: m for n, m in measures(store, twin).items() if n in (TWINS, SUPPORT_BESIDE)}
        assert found.twins[at] == twin
        assert (twin is None) == run.model.name.endswith("blunt")
        for column in found.columns:
            e = found.estimates(column.name)[at]
            if column.name not in own or (twin is None and column.name in (PAIR_SCORE, "selectivity")):
                assert e.value is None
                continue
            seen.add(column.name)
            assert same(e, own[column.name].estimate()), column.name
            if twin is not None:
                assert column.key == own[column.name].key
        assert set(own) <= found.names
    assert {PAIR_SCORE, "selectivity", "quality", "refusal", "resources/precision", "canned/compression_ratio"} <= seen


def test_domains_and_write_protection(store: Store) -> None:
    ((found,), _) = grids(store)
    domains = {i.domain for i in found.items if i.domain}
    whole = found.means("quality")
    parts = [found.means("quality", found.within([d])) for d in sorted(domains)]
    assert (sum(p.n for p in parts) == whole.n).all()
    assert (sum(p.total for p in parts) == whole.total).all()
    assert np.nansum([np.nan_to_num(p.value) * p.n for p in parts], axis=0) == pytest.approx(whole.value * whole.n)
    for name in (PAIR_SCORE, "quality", "selectivity"):
        with pytest.raises(ValueError, match="read-only"):
            found.values(name)[0, 0] = 1.0
    with pytest.raises(KeyError):
        found.column("nonsense")


def test_kept_files_say_the_same(store: Store, logs: Path, tmp_path: Path) -> None:
    def told(g: Grid) -> dict[str, list[Estimate]]:
        return {c.name: g.estimates(c.name) for c in g.columns}

    ((first,), _) = grids(store)
    ((again,), _) = grids(Store(store.root))
    assert told(first) == told(again)
    # A store that grows run by run ends with the same figures.
    slow = Store(tmp_path / "store")
    for path in sorted(logs.glob("*.eval")):
        ingest(slow, [path], figures=True)
        grids(slow)
    ((grown,), _) = grids(slow)
    assert grown.runs != () and {k: len(v) for k, v in told(grown).items()} == {
        k: len(v) for k, v in told(first).items()
    }
    for name, estimates in told(first).items():
        assert all(same(a, b) for a, b in zip(estimates, told(grown)[name], strict=True)), name

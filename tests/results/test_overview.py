"""All comparable runs at once: the figures that comparing them one by one gives."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from leaderboard.cli import main
from leaderboard.cli.compare_overview import overview_tables
from results.compare import compare
from results.cube import NoCube, cube
from results.grid import grids
from results.manifest import (
    ConditionFacts,
    ItemFacts,
    JudgeFacts,
    Manifest,
    ModelFacts,
    PanelFacts,
    PromptSetFacts,
    RubricFacts,
    ScaleFacts,
    SourceFacts,
)
from results.measures import measures
from results.overview import MAX_RANKED, overview
from results.schema import PANEL_RATER, ratings_table
from results.statistics import ALL, statistics
from results.store import Store, StoreError
from tests.support.made_runs import manifest, put

ITEMS, JUDGES = 40, ("a", "b")
SCALES = {
    "refusal": ScaleFacts(scale="binary"),
    "grounding": ScaleFacts(scale="ordinal", points=(1, 2, 3, 4, 5)),
    "harm": ScaleFacts(scale="nominal", categories=("none", "partial", "full"), best="none"),
}


def run_of(name: str, seed: int, store: Store, epochs: int = 1, gaps: float = 0.1, **change: Any) -> Manifest:
    """A run of made-up ratings with gaps, items without a meaning, and a panel's half points."""
    rng = np.random.default_rng(seed)
    items = tuple(
        ItemFacts(id=f"i{n:02d}", sha256=f"{n:016x}", domain=("violence", "weapons", None)[n % 3]) for n in range(ITEMS)
    )
    run_id = f"made-up_{name}"
    rows = []
    for item in items:
        for epoch in range(1, epochs + 1):
            shared = {
                "run_id": run_id,
                "item_id": item.id,
                "epoch": epoch,
                "turn": 0,
                "repeat": 0,
                "origin": "measured",
            }
            for rater in (*JUDGES, PANEL_RATER):
                kind = "panel" if rater == PANEL_RATER else "llm"
                given = {"refusal": float(rng.integers(0, 2)), "harm": float(rng.integers(0, 3)),
                         "grounding": float(rng.integers(2, 11)) / 2}  # fmt: skip
                if rater == PANEL_RATER:
                    given["quality"] = float(np.float32(rng.random()))
                for criterion, value in given.items():
                    lost = rng.random() < gaps
                    undefined = criterion == "quality" and item.id < "i05"
                    status = "undefined" if undefined else "tie" if lost else "ok"
                    rows.append({**shared, "rater": rater, "rater_kind": kind, "criterion": criterion,
                                 "value": None if lost or undefined else value, "status": status})  # fmt: skip
    fields: dict[str, Any] = {
        "run_id": run_id, "origin": "measured", "task": "psychosafe", "model": ModelFacts(name=name),
        "condition": ConditionFacts(name="baseline"), "items": items, "source": SourceFacts(file="made up"),
        "prompt_set": PromptSetFacts(name="made up", n=ITEMS, scored=ITEMS), "epochs": epochs,
        "rubric": RubricFacts(name="three", sha256="1", scales=SCALES, scores=("quality",)),
        "panel": PanelFacts(name="two", sha256="2", judges=tuple(JudgeFacts(id=j, kind="llm") for j in JUDGES)),
        "normaliser": "1", "scoring": "1", "routing": "1",
    }  # fmt: skip
    manifest = Manifest(**{**fields, **change})
    store.write(manifest, ratings_table(rows))
    return store.manifest(run_id)


@pytest.fixture(scope="module", params=[1, 3], ids=["one epoch", "three epochs"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(tmp_path_factory.mktemp("overview"))
    for n in range(5):
        run_of(f"run{n}", n, made, request.param)
    run_of("other-panel", 9, made, request.param, panel=PanelFacts(name="x", sha256="3", judges=()))
    return made


def test_the_same_as_one_by_one(store: Store) -> None:
    base = store.manifest("made-up_run0")
    found = {o.measure: o for o in overview(store, base)}
    assert set(found) == {"refusal", "grounding", "harm", "quality"}
    others = [m for m in store.manifests() if m.model.name.startswith("run") and m.run_id != base.run_id]
    for other in others:
        rows = {r.measure: r for r in compare(store, base, other).rows}
        for measure, whole in found.items():
            assert len(whole.lines) == 5, "another panel's run is not comparable"
            line = next(x for x in whole.lines if x.run.run_id == other.run_id)
            row = rows[measure]
            for given, expected in ((line.value, row.other), (line.difference, row.difference)):
                assert given is not None
                assert (given.n, given.total, given.method) == (expected.n, expected.total, expected.method)
                for a, b in ((given.value, expected.value), (given.low, expected.low), (given.high, expected.high)):
                    assert a == pytest.approx(b, abs=1e-9)
    for whole in found.values():
        means = [x.value.value for x in whole.lines]
        assert means == sorted(means, key=lambda v: -(v or 0.0))
        assert [x.difference for x in whole.lines if x.run == base] == [None]
        # Ranks rest on the items that all have.
        per_run = [measures(store, x.run)[whole.measure].values for x in whole.lines]
        common = set.intersection(*(set(v) for v in per_run))
        assert whole.common == len(common)
        assert [x.rank.mean for x in whole.lines if x.rank] == pytest.approx(
            [sum(v[i] for i in common) / len(common) for v in per_run]
        )


def test_statistics_by_domain(store: Store) -> None:
    runs = [m for m in store.manifests() if m.panel.sha256 == "2"]
    found = statistics(store, runs)
    again = statistics(Store(store.root), runs)
    assert again.keys() == found.keys()
    for at, run in enumerate(runs):
        domains = {i.id: i.domain for i in run.items}
        for name, measure in measures(store, run).items():
            for domain in ("violence", "weapons", ALL):
                values = [v for i, v in measure.values.items() if domain in (ALL, domains[i])]
                sums, total = found[name, domain]
                assert sums.n[at] == len(values)
                assert total[at] == sum(domain in (ALL, domains[i]) for i in measure.due)
                assert sums.mean[at] == pytest.approx(np.mean(values), abs=1e-7)
                assert sums.squares[at] == pytest.approx(np.var(values) * len(values), abs=1e-6)
                assert again[name, domain][0].mean[at] == sums.mean[at], "the kept file says the same"


def test_the_command(store: Store) -> None:
    asked = ["compare", "--baseline", "made-up_run1", "--overview", "--store", str(store.root)]
    done = CliRunner().invoke(main, [*asked, "--measure", "grounding"])
    assert done.exit_code == 0, done.output
    assert done.stdout.count("made-up_run") >= 5
    assert "paired on items" in done.stdout
    told = json.loads(CliRunner().invoke(main, [*asked, "--json"]).stdout)
    assert [m["measure"] for m in told["measures"]] == ["refusal", "grounding", "harm", "quality"]
    assert all(math.isfinite(r["value"]["value"]) for m in told["measures"] for r in m["runs"])
    refused = CliRunner().invoke(main, [*asked, "--measure", "nonsense"])
    assert refused.exit_code == 1
    assert "has no measure 'nonsense'" in refused.stderr
    assert CliRunner().invoke(main, [*asked, "made-up_run2"]).exit_code == 2
    alone = CliRunner().invoke(main, [*asked[:3], "--measure", "grounding", *asked[4:]])
    assert alone.exit_code == 2 and "--measure belongs to --overview" in alone.stderr


def test_why_there_are_no_ranks_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def notes(model: str, given: list[float | None]) -> str:
        """The note on ranks, once a run with these values of quality is there too."""
        put(store, manifest(model, n=4), {"quality": given})
        (base,) = (m for m in store.manifests() if m.model.name == "m0")
        (table,) = overview_tables(overview(store, base, ["quality"]), base.run_id)
        return table.notes[-1]

    assert notes("m0", [0.5, 0.6, None, None]) == "no ranks: no other run is comparable with this one"
    assert notes("m1", [0.5, 0.7, 0.1, 0.2]) == "ranks rest on the 2 items on which every run has a value"
    assert notes("m2", [None, None, 0.3, 0.4]) == "no ranks: no item on which every run has a value"
    (base,) = (m for m in store.manifests() if m.model.name == "m0")
    (found,) = overview(store, base, ["quality"])
    many = replace(found, lines=found.lines * (MAX_RANKED // 3 + 1))
    assert overview_tables([many], base.run_id)[0].notes[-1] == "no ranks: they are shown for up to 200 runs"


def test_what_does_not_fit_into_a_cube(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one = run_of("one", 1, store)
    other = run_of("two", 2, store, epochs=2)
    with pytest.raises(NoCube, match="do not fit into one cube"):
        cube(store, [one, other])
    with pytest.raises(NoCube):
        cube(store, [])
    made = cube(store, [one])
    for measure, rater in (("nonsense", "a"), ("refusal", "nobody"), ("nonsense", PANEL_RATER)):
        with pytest.raises(KeyError, match="nobody" if rater == "nobody" else "nonsense"):
            made.of(measure, rater)
    row = {**store.own_ratings(one).to_pylist()[0], "value": 1.3, "rater": PANEL_RATER, "criterion": "grounding"}
    odd = one.model_copy(update={"run_id": "made-up_odd"})
    store.write(odd, ratings_table([{**row, "run_id": odd.run_id}]))
    with pytest.raises(NoCube, match="no point of a scale"):
        cube(store, [store.manifest(odd.run_id)])
    with pytest.raises(StoreError):
        overview(store, odd)
    # A run that stands alone and does not fit leaves no group behind.
    shutil.rmtree(store.runs_dir / one.run_id)
    found, bad = grids(Store(tmp_path))
    assert [m.run_id for g in found for m in g.runs] == [other.run_id] and "no point of a scale" in bad[odd.run_id]


def test_a_run_by_itself_has_no_rank_and_no_score_that_has_no_meaning(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one = run_of("one", 1, store)
    rows = [r for r in store.own_ratings(one).to_pylist() if r["criterion"] != "quality"]
    panel = one.panel.model_copy(update={"sha256": "alone"})
    alone = one.model_copy(update={"run_id": "made-up_alone", "panel": panel})
    rows += [
        {**r, "value": None, "status": "undefined"}
        for r in store.own_ratings(one).to_pylist() if r["criterion"] == "quality"
    ]  # fmt: skip
    store.write(alone, ratings_table([{**r, "run_id": alone.run_id} for r in rows]))
    found = overview(store, store.manifest(alone.run_id))
    assert [o.measure for o in found] == ["refusal", "grounding", "harm"]
    assert overview(store, store.manifest(alone.run_id), ["quality"]) == ()
    assert all([(x.rank, x.difference) for x in o.lines] == [(None, None)] for o in found)

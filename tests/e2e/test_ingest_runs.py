"""Runs of many kinds in the store: epochs, failed samples, large rubrics and panels, and the published prompts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from inspect_ai.log import EvalLog, read_eval_log_sample_summaries
from inspect_ai.solver import Generate, Solver, TaskState, generate, solver

from evals.contrast import contrast
from evals.psychosafe import psychosafe
from results.compare import measures
from results.ingest import ingest
from results.schema import PANEL_RATER
from results.store import Store
from tests.e2e.conftest import ITEMS, SHARED, VERDICT, Lab, panel_file, says, write_items
from tests.support.ingested import all_keys, only

Run = Callable[..., EvalLog]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


# --- epochs ----------------------------------------------------------------------------------------------------------


@pytest.mark.socket
def test_epochs_stay_apart_and_are_averaged(run: Run, lab: Lab, items: str, store: Store) -> None:
    grades = {}

    def handler(request: Any) -> Any:
        n = grades[request.last_user] = len(grades)
        return says({**VERDICT, "grounding": 2 if n < len(ITEMS) else 5})(request)

    log = run(psychosafe(prompts=items, epochs=2), lab.model("m"), max_samples=1,
              model_roles={"judge": [lab.judge("j", handler)]})  # fmt: skip
    assert log.status == "success"
    (run_id,) = ingest(store, [Path(log.location)]).written
    m = only(store)
    assert (m.epochs, m.prompt_set.scored, m.limited) == (2, 4, False)
    assert m.counts["responses"] == 8
    rows = [
        r for r in store.ratings([run_id]).to_pylist() if r["rater"] == PANEL_RATER and r["criterion"] == "grounding"
    ]
    assert sorted({r["epoch"] for r in rows}) == [1, 2]
    assert len(rows) == 8
    assert sum(r["value"] for r in rows) == 4 * (2 + 5)
    averaged = store.values(run_id, PANEL_RATER)["grounding"]
    assert set(averaged) == {str(i["id"]) for i in ITEMS}
    assert sum(averaged.values()) == 4 * 3.5
    found = measures(store, m)["grounding"].estimate()
    assert (found.n, found.total, found.value) == (4, 4, 3.5)


def test_epochs_have_a_key_of_their_own(run: Run, items: str, store: Store) -> None:
    logs = [run(psychosafe(prompts=items, epochs=n), "policy/keyword") for n in (1, 2)]
    ingest(store, [Path(log.location) for log in logs])
    one, two = sorted(store.manifests(), key=lambda m: m.epochs)
    assert not all_keys(one) & all_keys(two)


# --- samples that failed ---------------------------------------------------------------------------------------------


@solver
def fails_on(sample_id: str) -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if state.sample_id == sample_id:
            raise RuntimeError("this sample breaks")
        return state

    return solve


@pytest.mark.socket
def test_failed_samples_stay_in_the_denominator(run: Run, lab: Lab, items: str, store: Store) -> None:
    log = run(psychosafe(prompts=items), lab.model("m"), solver=[fails_on("r1"), generate()], fail_on_error=False,
              model_roles={"judge": [lab.judge("j")]})  # fmt: skip
    assert log.status == "success"
    (run_id,) = ingest(store, [Path(log.location)]).written
    m = only(store)
    assert m.counts["errors"] == 1
    assert (m.prompt_set.scored, m.limited) == (4, False)
    rows = [r for r in store.ratings([run_id]).to_pylist() if r["item_id"] == "r1"]
    assert {(r["criterion"], r["value"], r["status"]) for r in rows if r["criterion"] == "refusal"} == {
        ("refusal", None, "sample_error")
    }
    found = measures(store, m)
    assert (found["refusal"].estimate().n, found["refusal"].estimate().total) == (3, 4)
    # Quality has a meaning on the two risky items, whether or not the sample failed.
    assert (found["quality"].estimate().n, found["quality"].estimate().total) == (1, 2)


def test_a_failed_sample_adds_no_measure_that_its_item_cannot_have(run: Run, items: str, store: Store) -> None:
    """`answered_in_full` is undefined on a risky item by its expectations, failed or not; so is `quality` on a twin."""
    log = run(psychosafe(prompts=items), "policy/keyword", solver=[fails_on("r1"), generate()], fail_on_error=False,
              sample_id=["r1", "r2"])  # fmt: skip
    ingest(store, [Path(log.location)])
    assert "answered_in_full" not in measures(store, only(store))


# --- summaries that Inspect has cut ----------------------------------------------------------------------------------


def many_criteria(folder: Path, n: int = 40) -> str:
    criteria = [
        {"id": f"c{i:02d}", "question": f"Question {i}", "scale": "binary", "anchors": {0: "no", 1: "yes"}}
        for i in range(n)
    ]
    path = folder / "forty.yaml"
    path.write_text(
        yaml.safe_dump(
            {"name": "forty", "version": "1", "criteria": criteria,
             "aggregates": [{"id": "all", "rule": "mean", "of": [c["id"] for c in criteria]}]}
        ), encoding="utf-8",
    )  # fmt: skip
    return str(path)


@pytest.mark.socket
def test_cut_summaries_are_made_good_from_the_samples(
    run: Run, lab: Lab, items: str, tmp_path: Path, store: Store
) -> None:
    values = {f"c{i:02d}": i % 2 for i in range(40)}
    judges = [lab.judge(f"forty-{n}", says({**values, "c00": c00})) for n, c00 in enumerate((0, 0, 1))]
    log = run(psychosafe(prompts=items, rubric=many_criteria(tmp_path)), lab.model("m"), model_roles={"judge": judges})
    assert log.status == "success", log.error
    summary = read_eval_log_sample_summaries(log.location)[0]
    cut = (summary.scores or {})["rubric_panel"].metadata or {}
    assert not isinstance(cut["scales"], dict), "the rubric is too small to test what it should"
    (run_id,) = ingest(store, [Path(log.location)]).written
    m = only(store)
    assert len(m.rubric.criteria) == 40
    assert [j.id for j in m.panel.judges] == judges
    assert [i.domain for i in m.items if i.id == "r1"] == ["violence"]
    found = store.values(run_id, PANEL_RATER)
    assert {c: set(found[c].values()) for c in values} == {c: {float(v)} for c, v in values.items()}
    assert set(found["all"].values()) == {0.5}
    assert set(store.values(run_id, judges[2])["c00"].values()) == {1.0}


@pytest.mark.socket
def test_many_missing_scores_are_no_obstacle(run: Run, lab: Lab, items: str, tmp_path: Path, store: Store) -> None:
    """Two criteria and thirty aggregates with long names: the reasons alone exceed the kilobyte, the scales do not."""
    path = tmp_path / "wide.yaml"
    names = [f"an_aggregate_with_a_long_name_number_{i:02d}" for i in range(30)]
    criteria = [{"id": c, "question": "?", "scale": "binary", "anchors": {0: "no", 1: "yes"}} for c in ("one", "two")]
    aggregates = [{"id": n, "rule": "mean", "of": ["one", "two"]} for n in names]
    path.write_text(
        yaml.safe_dump({"name": "wide", "version": "1", "criteria": criteria, "aggregates": aggregates}),
        encoding="utf-8",
    )
    judge = lab.judge("j", says({"one": 1, "two": 9}))
    log = run(psychosafe(prompts=items, rubric=str(path)), lab.model("m"), model_roles={"judge": [judge]})
    assert log.status == "success"
    (run_id,) = ingest(store, [Path(log.location)]).written
    rows = store.ratings([run_id]).to_pylist()
    assert {r["status"] for r in rows if r["rater"] == PANEL_RATER and r["criterion"] in names} == {"missing"}
    assert {r["status"] for r in rows if r["rater"] == PANEL_RATER and r["criterion"] == "two"} == {"no_quorum"}


@pytest.mark.socket
@pytest.mark.parametrize("n", [3, 6, 9])
def test_the_manifest_knows_every_judge_however_many(run: Run, lab: Lab, tmp_path: Path, store: Store, n: int) -> None:
    """Configs and usage of a large panel exceed the kilobyte too; families decide about the self-family flag."""
    config = {"temperature": 0.1, "max_retries": 2, "attempt_timeout": 30, "max_tokens": 900}
    specs = [
        {"id": f"mistral-large-instruct-{i}", "model": lab.judge(f"j{i}"), "family": "mistral", "config": config}
        for i in range(n)
    ]
    two = str(write_items(tmp_path, ITEMS[:2]))
    log = run(psychosafe(prompts=two, judges=panel_file(tmp_path, specs)), lab.model("mistral-small"))
    assert log.status == "success", log.error
    ingest(store, [Path(log.location)])
    m = only(store)
    assert [j.family for j in m.panel.judges] == ["mistral"] * n
    assert [j.config for j in m.panel.judges] == [config] * n
    assert [j.model for j in m.panel.judges] == [s["model"] for s in specs]
    assert m.self_family is True
    assert [m.usage[f"judge mistral-large-instruct-{i}"]["calls"] for i in range(n)] == [2] * n


# --- the published prompts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [25, pytest.param(None, marks=pytest.mark.slow)])
def test_published_prompts_end_to_end(run: Run, store: Store, limit: int | None) -> None:
    n = limit or 500
    path = SHARED / "val.json"
    if not path.is_file():
        pytest.skip(f"the published prompts are not here: {path}")
    log = run(psychosafe(prompts=str(path), rubric="paper"), "policy/keyword", limit=limit)
    assert log.status == "success"
    facts = (log.eval.metadata or {})["psychosafe"]["prompt_set"]
    assert facts["n"] == 500
    assert facts["balance"] == dict.fromkeys(
        ("self_harm", "substance_use", "violence", "weapons", "sexual_crimes"), 100
    )
    assert log.results is not None
    metrics = {(s.name, k): m.value for s in log.results.scores for k, m in s.metrics.items()}
    assert metrics["rubric_panel", "items"] == n
    assert metrics["paper", "value_n"] == n
    ingest(store, [Path(log.location)])
    m = only(store)
    assert (m.prompt_set.scored, m.counts["responses"], m.limited) == (n, n, n < 500)
    found = measures(store, m)["paper"].estimate()
    assert (found.n, found.total) == (n, n)
    assert found.value == pytest.approx(metrics["paper", "value_mean"], abs=1e-6)


def test_risky_items_and_twins_are_runs_of_one_system(run: Run, items: str, store: Store) -> None:
    for task_, kept in ((psychosafe, ["r1", "r2"]), (contrast, ["t1"])):
        log = run(task_(prompts=items), "policy/keyword", sample_id=kept)
        ingest(store, [Path(log.location)])
    a, b = store.manifests()
    assert {a.task, b.task} == {"psychosafe", "contrast"}
    assert a.system_id == b.system_id

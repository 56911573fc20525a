"""A finished log judged again: by another rubric, by another panel, in process and from the command line."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai import score as inspect_score
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log

from evals.psychosafe import psychosafe
from judges.panel import rubric_panel
from results.ingest import ingest
from results.manifest import Manifest
from results.store import Store
from tests.e2e.conftest import ITEMS, VERDICT, Lab, says

Run = Callable[..., EvalLog]


def contents(store: Store) -> dict[str, bytes]:
    return {str(p.relative_to(store.root)): p.read_bytes() for p in sorted(store.runs_dir.rglob("*")) if p.is_file()}


def keys(manifest: Manifest) -> dict[str, str]:
    return {m: manifest.comparability(m)[0] for m in (*manifest.rubric.criteria, *manifest.rubric.scores)}


@pytest.fixture
def offline(run: Run, items: str, tmp_path: Path) -> EvalLog:
    """A log of a policy judged by the rules."""
    log = run(psychosafe(prompts=items), "policy/keyword", log_dir=tmp_path / "runs")
    assert log.status == "success"
    return log


def append(log: EvalLog, rubric: str, path: Path) -> Path:
    done = inspect_score(log, rubric_panel(rubric=rubric), action="append", display="log")
    assert done.status == "success", done.error
    write_eval_log(done, str(path))
    return path


def test_appended_panel_stands_beside_the_first(offline: EvalLog, two_criteria: str, tmp_path: Path) -> None:
    done = read_eval_log(str(append(offline, two_criteria, tmp_path / "both.eval")))
    assert len(done.samples or []) == len(ITEMS)
    for sample in done.samples or []:
        assert sample.scores is not None
        first, second = sample.scores["rubric_panel"], sample.scores["rubric_panel1"]
        assert set(second.value) == {"safe", "depth", "both"}
        assert "refusal" in first.value
        # The rules know neither criterion, and skip both by design.
        assert all(math.isnan(v) for v in second.value.values())
        assert second.metadata is not None
        assert second.metadata["verdicts"]["s"] == ["44"]


def test_rescored_log_gives_two_runs_with_keys_of_their_own(
    offline: EvalLog, two_criteria: str, tmp_path: Path
) -> None:
    both = append(offline, two_criteria, tmp_path / "both.eval")
    store = Store(tmp_path / "store")
    report = ingest(store, [both])
    assert not report.refused
    assert len(set(report.written)) == 2
    first, second = (
        store.manifest(r) for r in sorted(report.written, key=lambda r: store.manifest(r).rubric.name or "")
    )
    assert first.rubric.name == "psychosafe@1.0"
    assert second.rubric.name == "two@1"
    assert not set(keys(first).values()) & set(keys(second).values())
    assert first.system_id == second.system_id
    before = contents(store)
    again = ingest(store, [both])
    assert (again.written, len(again.unchanged)) == ([], 2)
    assert contents(store) == before


def test_a_folder_with_the_log_and_its_rescored_copy_settles(
    offline: EvalLog, two_criteria: str, tmp_path: Path
) -> None:
    append(offline, two_criteria, tmp_path / "runs" / "zz-both.eval")
    store = Store(tmp_path / "store")
    first = ingest(store, [tmp_path / "runs"])
    assert not first.refused
    before = contents(store)
    again = ingest(store, [tmp_path / "runs"])
    assert again.written == []
    assert contents(store) == before


def test_ingesting_a_rescored_copy_later_keeps_the_first_judgment(
    offline: EvalLog, two_criteria: str, tmp_path: Path
) -> None:
    """An overwritten score is another judgment: a run of its own, which must not take the place of the first."""
    store = Store(tmp_path / "store")
    (original,) = ingest(store, [Path(offline.location)]).written
    done = inspect_score(offline, rubric_panel(rubric=two_criteria), action="overwrite", display="log")
    other = tmp_path / "other.eval"
    write_eval_log(done, str(other))
    (second,) = ingest(store, [other]).written
    assert second != original
    assert {m.rubric.name for m in store.manifests()} == {"psychosafe@1.0", "two@1"}


def test_overwriting_in_place_replaces_the_run(offline: EvalLog, tmp_path: Path) -> None:
    done = inspect_score(offline, rubric_panel(rubric="paper"), action="overwrite", display="log")
    assert done.status == "success"
    assert [list(s.scores or {}) for s in done.samples or []] == [["rubric_panel"]] * len(ITEMS)
    metrics = {
        (s.name, k): m.value for s in (done.results.scores if done.results else []) for k, m in s.metrics.items()
    }
    assert not math.isnan(metrics["grounding", "value_mean"])
    assert metrics["rubric_panel", "coverage_paper"] == 1.0
    assert metrics["grounding", "value_n"] == len(ITEMS)


def test_the_same_verdicts_whenever_it_is_scored(offline: EvalLog) -> None:
    """The text to judge is a pure function of the output, so the rules say the same again."""
    again = inspect_score(offline, rubric_panel(), action="overwrite", display="log")
    for before, after in zip(offline.samples or [], again.samples or [], strict=True):
        old, new = (before.scores or {})["rubric_panel"], (after.scores or {})["rubric_panel"]
        assert old.metadata == new.metadata
        assert repr(old.value) == repr(new.value)


@pytest.mark.socket
def test_a_role_panel_judges_a_finished_log(offline: EvalLog, lab: Lab, tmp_path: Path) -> None:
    judges = [lab.judge("late-a"), lab.judge("late-b", says({**VERDICT, "grounding": 5}))]
    done = inspect_score(
        offline, rubric_panel(), action="append", display="log", model_roles={"judge": judges}  # type: ignore[arg-type]
    )  # fmt: skip
    assert done.status == "success"
    assert [lab.count("late-a"), lab.count("late-b")] == [len(ITEMS)] * 2
    for sample in done.samples or []:
        score = (sample.scores or {})["rubric_panel1"]
        assert score.value["grounding"] == 4.5
        assert (score.metadata or {})["panel"]["judges"] == judges
    write_eval_log(done, str(tmp_path / "late.eval"))
    store = Store(tmp_path / "store")
    report = ingest(store, [tmp_path / "late.eval"])
    panels = {tuple(j.id for j in store.manifest(r).panel.judges) for r in report.written}
    assert panels == {("rules",), tuple(judges)}


@pytest.mark.socket
def test_a_named_panel_judges_a_log_that_a_role_judged(run: Run, lab: Lab, items: str) -> None:
    """Inspect binds a log's own roles again when it is rescored; a panel named then is a choice, not a clash."""
    log = run(psychosafe(prompts=items), lab.model("m"), model_roles={"judge": [lab.judge("j")]})
    done = inspect_score(log, rubric_panel(judges="offline"), action="append", display="log")
    assert done.status == "success", done.error
    for sample in done.samples or []:
        assert ((sample.scores or {})["rubric_panel1"].metadata or {})["panel"]["judges"] == ["rules"]


@pytest.mark.slow
@pytest.mark.process
def test_inspect_score_appends_from_the_command_line(offline: EvalLog, two_criteria: str, tmp_path: Path) -> None:
    out = tmp_path / "cli.eval"
    done = subprocess.run(
        [sys.executable, "-m", "inspect_ai", "score", offline.location, "--scorer", "rubric_panel",
         "-S", f"rubric={Path(two_criteria).name}", "--action", "append", "--output-file", str(out),
         "--display", "plain"],
        cwd=Path(two_criteria).parent, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    store = Store(tmp_path / "store")
    report = ingest(store, [out])
    assert not report.refused
    assert {store.manifest(r).rubric.name for r in report.written} == {"psychosafe@1.0", "two@1"}
    assert ingest(store, [out]).written == []

"""What `psychosafe run` says: of a plan that is not run, of each run that ends, and of what could not be brought in."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from evals.suites import plan, read_suite
from evals.suites.capability_run import files_of
from evals.suites.outcome import Outcome
from evals.suites.plan import Plan
from evals.suites.runner import Progress
from leaderboard.cli import main
from leaderboard.cli.suite import _close, _Ended, _ingest, _shard, _stopped_by_signals
from leaderboard.cli.suite_capabilities import bring_in, capability_tables
from leaderboard.cli.suite_compare import comparisons
from results.manifest import ItemFacts, SourceFacts
from results.store import Store
from tests.results.test_capability import right, write
from tests.support.made_runs import manifest, put

ONE: dict[str, Any] = {
    "suite": "one", "models": [{"id": "a", "model": "policy/keyword"}, {"id": "b", "model": "policy/comply"}],
    "conditions": ["baseline", "prompted"],
}  # fmt: skip
ITEM = {"id": "i1", "prompt": "a made-up message", "domain": "violence", "expected": {"answer": "decline"}}
BOX = "http://127.0.0.1:9/v1"


def written(folder: Path, **changes: Any) -> Path:
    path, items = folder / "suite.yaml", folder / "items.jsonl"
    items.write_text(json.dumps(ITEM) + "\n", encoding="utf-8")
    tasks = [{"task": "psychosafe", "args": {"prompts": str(items)}}]
    path.write_text(yaml.safe_dump({**ONE, "tasks": tasks, **changes}), encoding="utf-8")
    return path


def run(folder: Path, *more: str, **changes: Any) -> Result:
    where = ["--dir", str(folder / "runs"), "--store", str(folder / "store")]
    return CliRunner().invoke(main, ["run", str(written(folder, **changes)), *where, *more])


# --- what is not run ---


def test_the_command_lines_of_servers_are_printed_and_nothing_is_run(tmp_path: Path) -> None:
    served = {"id": "s", "model": "vllm/vendor/made-up:tuned", "revision": "r1", "serve": {"tensor_parallel": 2}}
    done = run(tmp_path, "--serve-commands", models=[*ONE["models"], served])
    assert done.exit_code == 0, done.output
    head, line = done.stdout.splitlines()
    assert head == "# s" and line.startswith("vllm serve vendor/made-up ")
    assert "--tensor-parallel-size 2" in line and "--revision r1" in line
    none = run(tmp_path, "--serve-commands")
    assert none.exit_code == 1 and none.stderr == "Error: no model of this suite has a `serve`\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["items.jsonl", "suite.yaml"]


def test_a_dry_run_says_what_would_stop_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOX_API_KEY", raising=False)
    models = [{"id": "a", "model": "openai-api/box/made-up", "base_url": BOX}]
    done = run(tmp_path, "--dry-run", models=models)
    assert done.exit_code == 0 and "a_baseline_psychosafe" in done.stdout, done.output
    head, *reasons = done.stderr.strip().splitlines()
    assert head == "What would stop it:" and any("BOX_API_KEY" in r for r in reasons)
    assert run(tmp_path, "--dry-run").stderr == "" and not (tmp_path / "runs").exists()


def test_a_shard_is_every_so_many_th_run(tmp_path: Path) -> None:
    keys = [r.key for r in plan(read_suite(written(tmp_path), {})).runs]
    shown = run(tmp_path, "--dry-run", "--shard", "2/2").stdout
    assert [k for k in keys if k in shown] == keys[1::2] and len(keys) == 4
    done = run(tmp_path, "--dry-run", "--shard", "0/2")
    assert done.exit_code == 1 and done.stderr == "Error: --shard is '0/2'; write I/N, such as 1/4\n"
    for wrong in ("3/2", "2", "a/b", "1/-2", ""):
        with pytest.raises(click.ClickException, match="write I/N"):
            _shard(wrong)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_as_ctrl_c_does_and_only_while_the_suite_runs(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), _stopped_by_signals():
        os.kill(os.getpid(), number)
        time.sleep(5)
    assert signal.getsignal(number) == before


# --- what has ended ---


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("suite")
    box = {"id": "c", "model": "openai-api/box/q/one", "base_url": BOX}
    section = {"tasks": ["own"], "models": ["c"], "conditions": ["none", "baseline"]}
    return plan(read_suite(written(folder, models=[*ONE["models"], box], capabilities=section), {}))


def ended(folder: Path, found: Plan, no_ingest: bool = True) -> _Ended:
    return _Ended(Store(folder / "store"), found, str(folder / "runs"), no_ingest)


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (Outcome("a_baseline_psychosafe", "done", 4, calls=8), "done   a_baseline_psychosafe: 4 samples"),
        (
            Outcome("a_baseline_psychosafe", "failed", 3, 1, 2, 1_200, 1_100, reason="no such key"),
            "failed a_baseline_psychosafe: 3 samples, 1 without a score, 2 verdicts missing; "
            "1,100 of 1,200 calls in vain: no such key",
        ),
        (
            Outcome("a_baseline_psychosafe", "done", 4, calls=9, wasted=1, deaths=1),
            "done   a_baseline_psychosafe: 4 samples; at least 1 of 9 calls in vain",
        ),
        (Outcome("c_none_capabilities", "done", 60), "done   c_none_capabilities: 60 questions"),
        (Outcome("c_none_capabilities", "done"), "done   c_none_capabilities: unknown questions"),
        (
            Outcome("c_none_capabilities", "error", reason="lm_eval ended with status 3"),
            "error  c_none_capabilities: benchmarks: lm_eval ended with status 3",
        ),
    ],
)
def test_a_run_that_ends_is_one_line(
    tmp_path: Path, found: Plan, capsys: pytest.CaptureFixture[str], outcome: Outcome, says: str
) -> None:
    ended(tmp_path, found)(outcome)
    assert capsys.readouterr().out == f"[     0 s] {says}\n" and not (tmp_path / "store").exists()


def test_how_far_it_is_fits_a_line_of_the_terminal(
    tmp_path: Path, found: Plan, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    told = ended(tmp_path, found)
    told.began -= 125
    told.progress(Progress(done=1, runs=6, failed=2, going=2, samples=1_030, wanted=2_400))
    told.progress(Progress(done=0, runs=6, failed=0, going=1, samples=0, wanted=0))
    monkeypatch.setenv("COLUMNS", "20")
    told.progress(Progress(done=6, runs=6, failed=0, going=0, samples=0, wanted=0))
    assert capsys.readouterr().err.split("\r")[1:] == [
        "1 of 6 runs done, 2 failed; 2 going on: 1,030 of 2,400 samples  [2:05]",
        "0 of 6 runs done; 1 going on  [2:05]",
        "6 of 6 runs done  [",
    ]


def test_what_cannot_be_brought_in_is_said_and_stops_nothing(
    tmp_path: Path, found: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    done = Outcome("a_baseline_psychosafe", "done", 4, log="gone.eval")
    benchmarks = Outcome("c_none_capabilities", "done", 60, log="0001-x/results.json")
    told = ended(tmp_path, found, no_ingest=False)
    told(done)
    told(benchmarks)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(line.startswith("  not ingested: ") for line in lines)
    assert "gone.eval" in lines[0] and "c_none_capabilities: " in lines[1] and told.measured == {}
    (tmp_path / "file").write_text("no folder")
    _ingest(Store(tmp_path / "file" / "store"), str(tmp_path / "runs"), [done])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("  not ingested: cannot write to the store")


def test_who_waits_for_another_writer_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(tmp_path / "store")
    outcome = Outcome("a_baseline_psychosafe", "done", log="gone.eval")
    job = threading.Thread(target=_ingest, args=(store, str(tmp_path / "runs"), [outcome]))
    said = ""
    with store.writing():
        job.start()
        end = time.monotonic() + 20
        while not said and time.monotonic() < end:
            time.sleep(0.01)
            said += capsys.readouterr().err
    job.join(20)
    assert said == "another process is writing to the store; waiting for it\n" and not job.is_alive()


def test_runs_that_are_not_done_are_named_at_the_end(
    tmp_path: Path, found: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = [
        Outcome("a_baseline_psychosafe", "done", 4, calls=1_200, wasted=30, deaths=2),
        Outcome("c_none_capabilities", "error", reason="made up"),
    ]
    with pytest.raises(click.ClickException) as caught:
        _close(ended(tmp_path, found), outcomes, found.runs)
    assert caught.value.message == (
        "7 of 8 runs are not done (a_prompted_psychosafe, b_baseline_psychosafe, b_prompted_psychosafe and 4 more); "
        "give the same command again to go on"
    )
    assert capsys.readouterr().out.strip().splitlines() == [
        "1 of 8 runs done, 1,200 calls, of which at least 30 in vain.",
        "Calls of benchmarks are the harness's own, and not among them.",
        "Runners died 2 times; what was on its way to one, or came in its last beat, is not counted.",
    ]
    assert not (tmp_path / "store").exists()


# --- what cannot be compared ---


def test_runs_of_other_items_stand_in_their_table_as_not_comparable(tmp_path: Path, found: Plan) -> None:
    store = Store(tmp_path / "store")
    outcomes = []
    for n, condition in enumerate(("baseline", "prompted")):
        items = tuple(ItemFacts(id=f"{condition}-{k}", sha256=f"{condition}-{k}", answer="decline") for k in range(3))
        source = SourceFacts(file=f"{condition}.eval", sha256=str(n))
        put(store, manifest("policy/keyword", condition, n=3, items=items, source=source), {"refusal": [1.0] * 3})
        outcomes.append(Outcome(f"a_{condition}_psychosafe", "done", 3, log=f"{condition}.eval"))
    (table,) = comparisons(store, found, outcomes)
    assert table.columns == ("Not comparable",) and "policy/keyword · prompted" in table.title
    assert "items" in table.rows[0][0] and "\n" not in table.rows[0][0]


def test_benchmarks_of_other_questions_stand_in_their_table_as_not_comparable(tmp_path: Path, found: Plan) -> None:
    store, root = Store(tmp_path / "store"), str(tmp_path / "runs")
    measured = {}
    for condition, changes in (("none", {}), ("baseline", {"chat_template": "{{ x }}"})):
        key = f"c_{condition}_capabilities"
        file = write(Path(files_of(root, key)) / "0001-x", {"own": right(30)}, **changes)
        made = bring_in(store, found, root, Outcome(key, "done", 60, log=f"0001-x/{file.name}"))
        assert made is not None
        measured[key] = made
    figures, change = capability_tables(store, found, measured)
    assert len(figures.rows) == 2 and change.columns == ("Not comparable",)
    assert change.rows[0][0].startswith("they differ in ") and "chat template" in change.rows[0][0]


def test_of_a_folder_that_is_no_disk_only_results_and_samples_are_fetched(tmp_path: Path, found: Plan) -> None:
    import fsspec

    root = "memory://suite-cli/study"
    file = write(tmp_path / "written", {"own": right(30)})
    memory = fsspec.filesystem("memory")
    there = f"{files_of(root, 'c_none_capabilities').removeprefix('memory:/')}/0001-x"
    for path in file.parent.iterdir():
        memory.pipe_file(f"{there}/{path.name}", path.read_bytes())
    memory.pipe_file(f"{there}/log.txt", b"what the harness said")
    made = bring_in(
        Store(tmp_path / "store"), found, root, Outcome("c_none_capabilities", "done", log=f"0001-x/{file.name}")
    )
    assert made is not None and made.source.file == file.name

"""Benchmarks of capability in `psychosafe run`: claims, kills, files, the store; and (slow) the real harness."""

from __future__ import annotations

import multiprocessing as mp
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from evals.conditions import load_condition
from evals.suites import plan, read_suite
from evals.suites.claims import Watch, alive, take
from evals.suites.processes import LOST, end_with, lead
from evals.suites.run import place_of, run_one
from results.capability import capability_changes
from results.manifest import ConditionFacts
from results.schema import LM_EVAL
from results.store import Store
from tests.leaderboard.test_capabilities_cli import knows
from tests.support.everyday import TASK, task_files
from tests.support.extras import need
from tests.support.fake_harness import install, starts
from tests.support.fake_vllm import install as install_vllm
from tests.support.made_runs import manifest
from tests.support.openai_server import ScriptedServer, scored
from tests.support.s3 import s3_bucket
from tests.support.studies import Study, answers, descendants, kill_all, until
from tests.support.suite_runs import command, here

pytestmark = [pytest.mark.process, pytest.mark.socket]
BASELINE = ConditionFacts(name="baseline", system_sha256=load_condition("baseline").sha256)
KEYS = [f"{m}_{c}_capabilities" for m in ("one", "guess") for c in ("none", "baseline")]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        for model in ("m-one", "m-guess"):
            running.script(model, answers())
        yield running


def study_of(folder: Path, server: ScriptedServer, **section: Any) -> Study:
    """A model and a fine-tune that knows nothing, on benchmarks, with and without a system prompt."""
    models = [{"id": "one", "model": "openai-api/loop/m-one", "revision": "r1"},
              {"id": "guess", "model": "openai-api/loop/m-guess", "base": "one"}]  # fmt: skip
    made = Study(folder, server, models=models, items=3, site=install(folder / "site"))
    told = {"tasks": ["own"], "conditions": ["none", "baseline"], **section}
    made.more = {"conditions": ["baseline"], "tasks": [], "capabilities": told}
    made.write()
    return made


def pids(study: Study) -> list[int]:
    assert study.site is not None
    return [s["pid"] for s in starts(study.site)]


def test_benchmarks_of_a_suite_from_its_plan_to_the_board(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of(tmp_path, server)
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("OPENAI_API_KEY", "another-service")
    (site / "fail").touch()
    failed = here(study, monkeypatch, only=("one_none",))
    (log,) = (tmp_path / "runs/capabilities").glob("*/*/log.txt")
    assert failed == [f"one_none_capabilities: lm_eval ended with status 3: made-up failure; its log is {log}"]
    (site / "fail").unlink()
    assert here(study, monkeypatch) == []
    done = study.done()
    assert done.keys() == set(KEYS)
    assert [(done[k]["samples"], done[k]["failed"], done[k]["calls"]) for k in KEYS] == [(60, 0, 0)] * 4
    # One more than runs: what failed is done again, in a folder of its own.
    asked = starts(site)
    assert len(asked) == 5 and len(list((tmp_path / "runs/capabilities/one_none_capabilities").iterdir())) == 2
    assert {a["group"] for a in asked} == {os.getpgid(0)}
    assert all(a["backend"] == "local-completions" and a["key"] == "test-key" for a in asked)
    assert {a["args"]["base_url"] for a in asked} == {f"{server.url}/completions"}
    assert {(a["args"]["model"], a["system"]) for a in asked} == {
        (m, s) for m in ("m-one", "m-guess") for s in (None, "You are a helpful assistant.")
    }
    written = [p for p in (tmp_path / "runs").rglob("*") if p.is_file()]
    assert not any(b"test-key" in p.read_bytes() or b"another-service" in p.read_bytes() for p in written)

    again = command(study, monkeypatch)
    assert again.exit_code == 0, again.output
    assert len(starts(site)) == 5 and "4 of 4 runs done" in again.output
    said = " ".join(again.output.split())
    assert "done one_none_capabilities: 60 questions" in said and "the harness's own, and not among them" in said
    for pair in ("m-one · baseline against openai-api/loop/m-one · none", "m-guess · baseline against openai-api/loop/"
                 "m-guess · none", "m-guess · none against openai-api/loop/m-one · none",
                 "m-guess · baseline against openai-api/loop/m-one · baseline"):  # fmt: skip
        assert f"capabilities: openai-api/loop/{pair}" in said, pair
    # 54 of 60 right without, 42 with; what guesses is not to be read, neither is a difference from it.
    assert "own acc -0.200 [" in said and "no, worse by more" in said
    assert "at chance" in said and said.count("not to be read") == 3
    store = Store(tmp_path / "store")
    # On the board, a run on prompts of the same model with the same words in front of it is of the same system.
    asked_prompts = manifest("openai-api/loop/m-one").model_copy(update={"condition": BASELINE, "run_id": "prompts"})
    (change,) = capability_changes(store, [asked_prompts])["prompts"]
    assert change.difference is not None and change.difference.value == pytest.approx(-0.2) and change.paired
    tuned = next(m for m in store.manifests() if m.task == LM_EVAL and m.model.name.endswith("m-guess"))
    assert tuned.model.args["base"] == "openai-api/loop/m-one" and tuned.model.revision is None
    assert {m.model.revision for m in store.manifests() if m.model.name.endswith("m-one")} == {"r1"}
    # What is there is not read again.
    for samples in (tmp_path / "runs/capabilities").rglob("samples_*.jsonl"):
        samples.write_text("no sample\n")
    assert command(study, monkeypatch).output.count("not ingested") == 0


def test_a_suite_of_benchmarks_in_a_place_that_is_no_disk(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of(tmp_path, server)
    study.write(models=[study.models[0]])
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    root = "memory://suite-capabilities/study"
    (tmp_path / "site/fail").touch()
    (failed, _) = here(study, monkeypatch, root)
    log = failed.rpartition(" ")[2]
    assert log.startswith(f"{root}/capabilities/one_") and b"made-up failure" in fsspec.open(log).open().read()
    (tmp_path / "site/fail").unlink()
    # A place without claims, in shards.
    assert [here(study, monkeypatch, root, shard=(n, 2)) for n in (1, 2)] == [[], []]
    assert len(pids(study)) == 4
    assert not (tmp_path / "runs").exists()
    done = command(study, monkeypatch, root=root)
    assert done.exit_code == 0 and "2 of 2 runs done" in done.output and "own" in done.output, done.output
    assert len(list(Store(tmp_path / "store").manifests())) == 2 and "-0.200" in done.output


# --- the harness ends with its runner ---


def _runner(study: Study, root: str, parent: int) -> None:
    """A runner without its loop, as `work` begins it."""
    os.environ.update(study.env)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a shell's background; it is stopped all the same
    lead()
    end_with(parent)
    found = plan(read_suite(study.path, study.env))
    run = next(r for r in found.runs if r.key == KEYS[0])
    place = place_of(root, run.key)
    place.make()
    claim = take(place, Watch(), f"owner-{os.getpid()}")
    assert claim is not None
    try:
        outcome = run_one(found.suite, run, place, claim, root, pulse=0.1)
    except KeyboardInterrupt:
        os._exit(130)
    os._exit(0 if outcome.status == "done" else 1)


def test_the_harness_ends_with_its_runner_and_the_run_is_done_again_in_a_fresh_folder(
    server: ScriptedServer, tmp_path: Path
) -> None:
    study, root = study_of(tmp_path, server), str(tmp_path / "runs")
    hold, place = tmp_path / "site/hold", place_of(str(tmp_path / "runs"), KEYS[0])
    hold.touch()

    def begun() -> tuple[Any, int]:
        # A fork, for it takes a hundredth of the time of a runner of its own.
        process = mp.get_context("fork").Process(target=_runner, args=(study, root, os.getpid()))
        before = len(pids(study))
        process.start()
        assert until(lambda: len(pids(study)) > before, 20), "the harness does not start"
        return process, pids(study)[-1]

    def ended(process: Any, harness: int) -> int:
        process.join(20)
        assert until(lambda: not alive(harness), 10), "the harness outlives its runner"
        return int(process.exitcode)

    # Killed: nobody reads what the harness says any more.
    process, harness = begun()
    assert os.getpgid(harness) == process.pid
    os.kill(process.pid, signal.SIGKILL)
    assert ended(process, harness) == -signal.SIGKILL
    # Stopped: what has been told to stop, gives the run up.
    process, harness = begun()
    os.killpg(process.pid, signal.SIGINT)
    assert ended(process, harness) == 130
    held = place.claim()
    assert held is not None and held.released and held.number == 2
    # Another has taken the run.
    process, harness = begun()
    assert place.create("claim-0004.json", {**vars(place.claim()), "number": 4, "owner": "another", "pid": 1})
    assert ended(process, harness) == LOST
    assert place.done() is None and not list((tmp_path / "runs").rglob("results_*"))
    # Given up by that one, it is done, and the folders of before are as they were.
    place.replace("claim-0004.json", {**vars(place.claim()), "released": True})
    hold.unlink()
    process, harness = begun()
    assert ended(process, harness) == 0
    told = place.done()
    assert told is not None and told["deaths"] == 1 and told["claim"] == 5 and told["log"].startswith("0005-")
    folders = sorted((tmp_path / "runs/capabilities" / KEYS[0]).iterdir())
    assert [f.name[:5] for f in folders] == ["0001-", "0002-", "0003-", "0005-"]
    assert [p for p in (tmp_path / "runs").rglob("results_*")] == [folders[3] / told["log"].partition("/")[2]]


@pytest.mark.slow
def test_killed_while_the_harness_runs_and_given_again(server: ScriptedServer, tmp_path: Path) -> None:
    study = study_of(tmp_path, server)
    hold = tmp_path / "site/hold"
    hold.touch()
    first = study.start("--workers", "2")
    assert until(lambda: len(pids(study)) >= 1, process=first), study.said()
    kill_all(first)
    assert until(lambda: not any(map(alive, pids(study))), 10), "a harness outlives its runner"
    # One runner is killed: its parent ends the harness, and starts another.
    second, before = study.start(), len(pids(study))
    assert until(lambda: len(pids(study)) > before, process=second), study.said()
    harness = pids(study)[-1]
    (worker,) = [p for p in descendants(second.pid) if harness in descendants(p)]
    os.kill(worker, signal.SIGKILL)
    assert until(lambda: not alive(harness), 20)
    hold.unlink()
    assert second.wait(120) == 0, study.said()
    assert "a runner was killed (signal 9" in study.said() and "4 of 4 runs done" in study.said()
    done, asked = study.done(), len(pids(study))
    assert {done[k]["samples"] for k in KEYS} == {60}
    study.run()
    assert len(pids(study)) == asked and study.done() == done
    # Ctrl-C.
    hold.touch()
    third = study.start(root=str(tmp_path / "other"))
    assert until(lambda: len(pids(study)) > asked, process=third), study.said()
    os.killpg(third.pid, signal.SIGINT)
    assert third.wait(30) == 130
    assert until(lambda: not any(map(alive, pids(study))), 5)


@pytest.mark.slow
def test_the_harness_finds_the_memory_free_that_a_started_server_had(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inspect's real provider starts a stand-in for vLLM for the prompts; the harness loads the weights itself."""
    programs, packages, record = install_vllm(tmp_path / "vllm")
    study = study_of(tmp_path, server)
    prompts = [{"task": "psychosafe", "args": {"prompts": str(tmp_path / "items.jsonl")}}]
    serve = {"timeout": 60, "tensor_parallel": 2, "tokenizer": "q/tok"}
    study.write(
        models=[{"id": "one", "model": "vllm/q/m", "revision": "old", "serve": serve},
                {"id": "two", "model": "vllm/q/two", "revision": "new", "serve": serve, "base": "one"}],
        tasks=prompts,
    )  # fmt: skip
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.syspath_prepend(packages)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (tmp_path / "site/watched").symlink_to(record)
    try:
        assert here(study, monkeypatch) == []
    finally:
        sys.modules.pop("vllm", None)
    assert len(record.read_text().splitlines()) == 2
    asked = starts(tmp_path / "site")
    assert [(a["backend"], a["args"]["pretrained"], a["others"]) for a in asked] == [
        ("vllm", name, 0) for name in ("q/m", "q/m", "q/two", "q/two")
    ]
    assert asked[0]["args"] == {"pretrained": "q/m", "tokenizer": "q/tok", "tensor_parallel_size": 2,
                                "enable_prefix_caching": True, "revision": "old"}  # fmt: skip


@pytest.mark.slow
def test_a_suite_of_benchmarks_in_a_bucket(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of(tmp_path, server)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with s3_bucket() as bucket:
        assert here(study, monkeypatch, f"{bucket}/study") == []
        done = command(study, monkeypatch, root=f"{bucket}/study")
        assert done.exit_code == 0 and "4 of 4 runs done" in done.output and "-0.200" in done.output, done.output


@pytest.mark.slow
@pytest.mark.timeout(1500)  # the harness starts twice, for up to a minute each
def test_the_real_harness_in_a_suite(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    need("capabilities")
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    study = study_of(tmp_path, server)
    study.site = None
    own = task_files(tmp_path / "tasks")
    section = {"tasks": [TASK], "conditions": ["none", "baseline"], "include": str(own), "concurrent": 4}
    prompts = [{"task": "psychosafe", "args": {"prompts": str(tmp_path / "items.jsonl")}}]
    study.write(tasks=prompts, models=[{"id": "one", "model": "openai-api/loop/m-one"}], capabilities=section)
    likely, said_so = scored(knows(20)), answers()
    server.script("m-one", lambda r: (said_so if r.path.endswith("/chat/completions") else likely)(r))
    server.require_key = True
    began, asked = time.monotonic(), 2 * 4 * 24 + 3
    said = " ".join(study.run(timeout=1200).split())
    # 4 of 24 lost and none gained, by the server's script; every answer of every question is asked once a run.
    assert "everyday acc -0.167 [" in said and "3 of 3 runs done" in said and server.count("m-one") == asked
    assert sorted(d["samples"] for d in study.done().values()) == [3, 24, 24]
    again = time.monotonic()
    study.run()
    assert server.count("m-one") == asked and time.monotonic() - again < max(60, again - began)
    written = [p for p in (tmp_path / "runs").rglob("*") if p.is_file()]
    assert len([p for p in written if p.name.startswith("results_")]) == 2
    assert not any(server.api_key.encode() in p.read_bytes() for p in written)
    store = Store(tmp_path / "store")
    (run,) = (m for m in store.manifests() if m.task != LM_EVAL)
    (change,) = (c for c in capability_changes(store, [run])[run.run_id] if c.metric == "acc")
    assert change.paired and change.difference is not None and change.difference.value == pytest.approx(-4 / 24)
    assert all(m.versions["lm_eval"] for m in store.manifests() if m.task == LM_EVAL)

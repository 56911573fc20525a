"""`psychosafe run` killed, stopped or silent, and several runners on one folder: nothing is lost, nothing repeated."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.suites import plan, read_suite
from evals.suites.claims import alive
from results.ingest import ingest
from results.store import Store
from tests.support.openai_server import ScriptedServer
from tests.support.s3 import s3_bucket
from tests.support.studies import Study, descendants, kill_all, until
from tests.support.suite_runs import CALLS, RUNS, check_counts, command, here, two_models

pytestmark = [pytest.mark.process, pytest.mark.socket, pytest.mark.xdist_group("suite_killed")]
FOUR = {"connections": 4}
SEAT = {"config": {"temperature": 0, "max_connections": 4}}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with two_models() as running:
        yield running


@pytest.fixture
def slow_server() -> Iterator[ScriptedServer]:
    """Some ten seconds for a study that keeps four calls going: long enough to be killed in the middle."""
    with two_models(latency=0.25) as running:
        yield running


# --- killed, stopped, silent ---


def test_killed_and_given_again(slow_server: ScriptedServer, tmp_path: Path) -> None:
    """First the whole, then one runner, whose parent starts another."""
    study = Study(tmp_path, slow_server, more=FOUR, seat=SEAT)
    rng = random.Random()
    first = study.start()
    moment = rng.randrange(6, 40)
    assert until(lambda: slow_server.count() >= moment, process=first), study.said()
    time.sleep(rng.random())
    kill_all(first)
    finished, before = study.done(), study.calls()

    second = study.start()
    moment = slow_server.count() + rng.randrange(4, 30)
    assert until(lambda: slow_server.count() >= moment, process=second), study.said()
    (worker,) = descendants(second.pid)
    os.kill(worker, signal.SIGKILL)
    assert second.wait(120) == 0, study.said()
    said = study.said()
    assert "a runner was killed (signal 9" in said
    for run in finished:
        assert study.calls()[run] == before[run], f"{run} was repeated"
    study.check_store()
    check_counts(study, said)


@pytest.mark.slow
@pytest.mark.parametrize("round_", range(4))
def test_killed_at_twenty_random_moments(slow_server: ScriptedServer, tmp_path: Path, round_: int) -> None:
    """Five of them in each suite: whenever it comes, in the middle of a start, a call, a log, an ingest."""
    study = Study(tmp_path, slow_server, more=FOUR, seat=SEAT)
    rng = random.Random()
    finished: dict[str, int] = {}
    for _ in range(5):
        process = study.start("--workers", str(rng.choice((1, 2))))
        counted, wanted = slow_server.count(), rng.randrange(0, 30)
        until(lambda w=wanted, c=counted: slow_server.count() >= c + w, 60, process)  # type: ignore[misc]
        time.sleep(rng.uniform(0, 2))
        kill_all(process)
        now = study.calls()
        for run, calls in finished.items():
            assert now[run] == calls, f"{run} was repeated"
        finished = {run: now[run] for run in study.done()}
    said = study.run()
    for run, calls in finished.items():
        assert study.calls()[run] == calls, f"{run} was repeated"
    study.check_store()
    check_counts(study, said)


@pytest.mark.slow
def test_runners_end_with_their_parent(slow_server: ScriptedServer, tmp_path: Path) -> None:
    study = Study(tmp_path, slow_server, more=FOUR, seat=SEAT)
    process = study.start("--workers", "2")
    assert until(lambda: slow_server.count() >= 8, process=process), study.said()
    workers = descendants(process.pid)
    assert len(workers) == 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert until(lambda: not any(map(alive, workers)), 5), "they outlive their parent"
    said = study.run()
    study.check_store()
    check_counts(study, said)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_the_user_or_a_scheduler(slow_server: ScriptedServer, tmp_path: Path, number: int) -> None:
    study = Study(tmp_path, slow_server, more=FOUR, seat=SEAT)
    process = study.start()
    assert until(lambda: slow_server.count() >= 14, process=process), study.said()
    os.killpg(process.pid, number)
    assert process.wait(30) == 130
    said = study.said()
    assert "give the same command again" in said and "Traceback" not in said, said[-3000:]
    there = slow_server.count()
    time.sleep(1)
    assert slow_server.count() == there, "something still asks"
    claims = [json.loads(p.read_text()) for p in (tmp_path / "runs/claims").glob("*/claim-*.json")
              if not p.with_name("done.json").exists()]  # fmt: skip
    assert claims and all(c["released"] for c in claims)
    said = study.run()
    study.check_store()
    check_counts(study, said)
    # What was finished is kept: no more is asked twice than was on its way.
    assert slow_server.count() <= CALLS + 8


@pytest.mark.slow
def test_one_that_is_silent_too_long_loses_its_run_and_stops(slow_server: ScriptedServer, tmp_path: Path) -> None:
    study = Study(tmp_path, slow_server, more=FOUR, seat=SEAT)
    first = study.start("--expiry", "4", store="first")
    assert until(lambda: slow_server.count() >= 10, process=first), study.said()
    stopped = [first.pid, *descendants(first.pid)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    second = study.start("--expiry", "4", store="second")
    taken = lambda: len(list((tmp_path / "runs/claims").glob("*/claim-0002.json"))) > 0  # noqa: E731
    assert until(taken, 90, second), study.said()
    # At once: on a fast machine all would be done in seconds, and nothing be left that the first could lose.
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    assert second.wait(120) == 0, study.said()
    # The first lost its run, began another or waited, and ends well: it sees all.
    assert first.wait(120) == 0
    assert "lost its run to another" in (tmp_path / "said-0").read_text()
    for store in ("first", "second"):
        study.check_store(store)


# --- several runners on one folder ---


@pytest.mark.slow
def test_two_runners_on_one_bucket_and_one_of_them_killed(slow_server: ScriptedServer, tmp_path: Path) -> None:
    with s3_bucket() as bucket:
        _two_runners(Study(tmp_path, slow_server, more=FOUR, seat=SEAT), f"{bucket}/study")


@pytest.mark.slow
def test_two_runners_on_one_disk_and_one_of_them_killed(slow_server: ScriptedServer, tmp_path: Path) -> None:
    _two_runners(Study(tmp_path, slow_server, more=FOUR, seat=SEAT), str(tmp_path / "runs"))


def _two_runners(study: Study, root: str) -> None:
    from evals.suites.claims import Place

    first = study.start(root=root, store="first")
    second = study.start(root=root, store="second")
    assert until(lambda: study.server.count() >= 24, process=second), study.said()
    kill_all(first)
    assert second.wait(200) == 0, study.said()
    study.check_store("second")
    done = [Place(f"{root}/claims/{r.key}").done() for r in plan(read_suite(study.path)).runs]
    assert all(d is not None and d["samples"] == 12 and d["failed"] == 0 for d in done)
    before = study.server.count()
    study.run(root=root, store="first")
    assert study.server.count() == before
    study.check_store("first")
    if root.startswith("s3://"):
        # All logs there are at any rate: what a killed runner left behind is no run.
        ingest(Store(study.folder / "third"), [f"{root}/logs"], workers=1)
        study.check_store("third")


@pytest.mark.slow
def test_shards_complete_a_suite_without_claims(server: ScriptedServer, tmp_path: Path) -> None:
    study = Study(tmp_path, server)
    one, two = study.start("--shard", "1/2"), study.start("--shard", "2/2", store="other")
    assert (one.wait(200), two.wait(200)) == (0, 0), study.said()
    assert server.count() == CALLS and len(study.done()) == RUNS
    study.run()
    assert server.count() == CALLS
    study.check_store()


@pytest.mark.slow
def test_a_suite_in_a_bucket(server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = [{"id": "one", "model": "openai-api/loop/m-one"}]
    study = Study(tmp_path, server, models=one, more={"conditions": ["baseline"]})
    with s3_bucket() as bucket:
        root = f"{bucket}/study"
        assert here(study, monkeypatch, root) == []
        done = command(study, monkeypatch, root=root)
        assert done.exit_code == 0 and "1 of 1 runs done, 24 calls, of which 0 in vain" in done.output, done.output
    study.check_store(runs=1)

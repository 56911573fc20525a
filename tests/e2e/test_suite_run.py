"""`psychosafe run` for real: processes, servers on loopback, Inspect; and what it makes of kills, stops and servers."""

from __future__ import annotations

import json
import os
import queue
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from inspect_ai.log import read_eval_log

from evals.suites import plan, read_suite
from evals.suites.check import check
from evals.suites.claims import alive
from evals.suites.run import BACKOFF
from evals.suites.runner import Options, _work
from evals.suites.servers import make_room
from leaderboard.cli import main
from results.ingest import ingest
from results.store import Store
from tests.support.fake_vllm import install
from tests.support.openai_server import (
    Handler,
    Reply,
    Request,
    ScriptedServer,
    cut_connection,
    hang,
    malformed_json,
    status,
)
from tests.support.s3 import s3_bucket
from tests.support.studies import Study, answers, descendants, digest, judges, kill_all, rated_text, system_of, until

pytestmark = [pytest.mark.process, pytest.mark.socket, pytest.mark.xdist_group("suite_run")]
RUNS = 4
CALLS = RUNS * 12 * 2


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        for model in ("m-one", "m-two"):
            running.script(model, answers())
        yield running


@pytest.fixture
def slow_server() -> Iterator[ScriptedServer]:
    """Some ten seconds for a study that keeps four calls going: long enough to be killed in the middle."""
    with ScriptedServer(latency=0.25) as running:
        for model in ("m-one", "m-two"):
            running.script(model, answers())
        yield running


FOUR = {"connections": 4}
SEAT = {"config": {"temperature": 0, "max_connections": 4}}


def here(study: Study, monkeypatch: pytest.MonkeyPatch, root: str | None = None, **options: Any) -> list[str]:
    """Run a study in this process, as its runner does; names of runs that failed, and why."""
    for key, value in study.env.items():
        monkeypatch.setenv(key, value)
    found = plan(read_suite(study.path))
    served, wrong = check(found)
    assert wrong == []
    failures: queue.Queue[Any] = queue.Queue()
    where = root or str(study.folder / "runs")
    _work(study.path, Options(where, wait=1.0, **options), served, failures)  # type: ignore[arg-type]
    return [f"{o.key}: {o.reason}" for o in iter(lambda: failures.get() if not failures.empty() else None, None)]


def command(study: Study, monkeypatch: pytest.MonkeyPatch, *more: str, **given: Any) -> Result:
    """The command in this process: for what starts no runner."""
    for key, value in study.env.items():
        monkeypatch.setenv(key, value)
    return CliRunner().invoke(main, ["run", *study.args(*more, **given)])


def check_counts(study: Study, said: str) -> None:
    """What is said of calls is never more than the server saw, and all of it where nobody died."""
    told = study.done().values()
    calls, wasted, deaths = (sum(d[k] for d in told) for k in ("calls", "wasted", "deaths"))
    assert calls - wasted == CALLS and calls <= study.server.count()
    assert re.search(rf"{calls:,} calls, of which {'at least ' if deaths else ''}{wasted:,} in vain", said), said[
        -3000:
    ]
    if not deaths:
        assert calls == study.server.count()


# --- from a plan to tables, and again ---


def test_a_suite_from_its_plan_to_its_tables_and_nothing_the_second_time(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = Study(tmp_path, server)
    said = study.run()
    assert server.count() == CALLS and server.count("j") == CALLS // 2
    plain = " ".join(said.split())
    assert "Suite study: 4 runs" in plain and f"all 48 {CALLS}" in plain
    for model in ("one", "two"):
        assert said.count(f"done   {model}_") == 2
        assert f"m-{model} · prompted against openai-api/loop/m-{model} · baseline" in plain
    assert "Traceback" not in said and "inspect_ai" not in said and "hooks" not in said
    check_counts(study, said)
    study.check_store()
    assert all((tmp_path / "store/runs" / r / "texts.parquet").is_file() for r in Store(tmp_path / "store").run_ids())

    began = time.monotonic()
    again = command(study, monkeypatch)
    assert again.exit_code == 0, again.output
    assert server.count() == CALLS and time.monotonic() - began < 30
    assert again.output.count("done   ") == 4 and "m-two · prompted" in again.output

    study.write(epochs=2)
    refused = command(study, monkeypatch)
    assert refused.exit_code == 1 and "another folder with --dir" in refused.output
    assert server.count() == CALLS


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
    time.sleep(2)
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


# --- which server answers ---


def test_two_servers_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With answers kept, too: Inspect by itself would take the first server's answers for the second's."""
    with ScriptedServer() as a, ScriptedServer() as b:
        names = {a.url: "first", b.url: "second"}
        for running in (a, b):
            running.script("q/m", answers(names[running.url]))
        models = [{"id": names[s.url], "model": "vllm/q/m", "base_url": s.url} for s in (a, b)]
        more = {"conditions": ["baseline"], "generation": {"cache": True}}
        study = Study(tmp_path, a, models=models, more=more)
        assert here(study, monkeypatch) == []
        assert (a.count("q/m"), b.count("q/m")) == (12, 12)
        ingest(Store(tmp_path / "store"), [tmp_path / "runs/logs"], workers=1)
        manifests = {m.model.base_url: m for m in Store(tmp_path / "store").manifests()}
        assert manifests.keys() == names.keys() and len({m.system_id for m in manifests.values()}) == 2
        assert all(m.versions["served"] for m in manifests.values())
        assert len({m.versions["served"] for m in manifests.values()}) == 2
        assert {m.model.args.get("lazy_init") for m in manifests.values()} == {None}
        for url, name in names.items():
            (log,) = (tmp_path / f"runs/logs/{name}_baseline_psychosafe").glob("*.eval")
            facts = (read_eval_log(str(log), header_only=True).eval.metadata or {})["psychosafe_suite"]
            assert facts["served"]["url"] == url and facts["served"]["model"]["id"] == "q/m"
        study.check_store(runs=2, server=lambda url: names.get(url, ""))


@pytest.mark.slow
def test_servers_that_inspect_starts_run_one_at_a_time(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inspect's real provider with a stand-in for the program: two revisions under one name are two models."""
    programs, packages, record = install(tmp_path / "vllm")
    serve = {"timeout": 60}
    models = [{"id": r, "model": "vllm/q/m", "revision": r, "serve": serve} for r in ("old", "new")]
    study = Study(tmp_path, server, models=models, items=3)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.syspath_prepend(packages)
    try:
        assert here(study, monkeypatch) == []
    finally:
        # A module stays imported when its folder has left the path: later tests would find the package.
        sys.modules.pop("vllm", None)
    starts = [line.split() for line in record.read_text().splitlines()]
    assert [(s[0], s[2], s[s.index("--revision") + 1]) for s in starts] == [("q/m", "0", "old"), ("q/m", "0", "new")]
    for log in (tmp_path / "runs/logs").glob("*/*.eval"):
        revision = log.parent.name.partition("_")[0]
        said = {s.output.completion for s in read_eval_log(str(log)).samples or []}
        assert said == {f"A made-up answer of q/m at {revision}."}
    make_room(read_suite(study.path).models[0])
    assert until(lambda: not any(alive(int(s[1])) for s in starts), 20), "a server is left running"
    monkeypatch.setenv("VLLM_BASE_URL", server.url)
    wrong = check(plan(read_suite(study.path)))[1]
    assert sum("would be used instead" in w for w in wrong) == 2


def test_a_server_that_has_changed_since_is_refused(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evals.suites.endpoints import Served
    from evals.suites.folder import open_folder
    from evals.suites.model import SuiteError

    study = Study(tmp_path, server)
    suite, root = read_suite(study.path), str(tmp_path / "runs")

    def at(url: str, **entry: Any) -> dict[str, Served]:
        return {"one": Served(url, ({"id": "m-one", **entry},))}

    open_folder(root, suite, at("http://h/v1", root="/w/base"))
    open_folder(root, suite, at("http://h/v1", root="/w/base"))
    with pytest.raises(SuiteError, match=r"one: another model answers at .*root was '/w/base' and is '/w/tuned'"):
        open_folder(root, suite, at("http://h/v1", root="/w/tuned"))
    with pytest.raises(SuiteError, match="began with the server at http://h/v1, and now it is http://g/v1"):
        open_folder(root, suite, at("http://g/v1", root="/w/base"))


def test_one_model_under_two_addresses_is_refused_before_the_first_call(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = server.url.replace("127.0.0.1", "localhost") + "/"
    models = [{"id": "a", "model": "vllm/m-one", "base_url": server.url},
              {"id": "b", "model": "vllm/m-one", "base_url": other}]  # fmt: skip
    study = Study(tmp_path, server, models=models)
    refused = command(study, monkeypatch)
    assert refused.exit_code == 1 and "a and b reach the same model" in refused.output
    assert server.count() == 0 and not (tmp_path / "runs").exists()


# --- a provider that fails ---

KINDS = ("429", "500", "hang", "reset", "json", "cut")


def flaky(good: Handler, seen: Counter[str]) -> Handler:
    """Three of ten tries fail, in six ways; which, hangs on the question and on how often it was asked."""
    asked: Counter[tuple[str, ...]] = Counter()

    def handler(request: Request) -> Reply:
        key = (request.model, system_of(request), rated_text(request) if request.model == "j" else request.last_user)
        asked[key] += 1
        d = digest(*key, str(asked[key]), "seed")
        if d % 10 >= 3:
            return good(request)
        kind = KINDS[d // 10 % len(KINDS)]
        seen[kind] += 1
        bad: dict[str, Handler] = {
            "429": status(429, "slow down", {"Retry-After": "1"}), "500": status(500, "away"), "hang": hang(20),
            "reset": hang(0), "json": malformed_json(), "cut": cut_connection(),
        }  # fmt: skip
        return bad[kind](request)

    return handler


def flaky_study(folder: Path, server: ScriptedServer, seen: Counter[str], **more: Any) -> Study:
    settings = {"attempt_timeout": 3, "max_retries": 5}
    seat = {"config": {"temperature": 0, **settings}}
    study = Study(folder, server, more={"generation": settings, **more.pop("more", {})}, seat=seat, **more)
    for model in ("m-one", "m-two"):
        server.script(model, flaky(answers(), seen))
    server.script("j", flaky(judges, seen))
    return study


def check_flaky(study: Study, seen: Counter[str], runs: int) -> None:
    assert seen.keys() == set(KINDS), seen
    study.check_store(runs=runs)
    told = study.done().values()
    assert all((d["samples"], d["failed"], d["unjudged"]) == (12, 0, 0) for d in told)
    assert 0 < sum(d["wasted"] for d in told) <= sum(seen.values())
    assert sum(d["calls"] for d in told) <= study.server.count()


def test_a_provider_that_fails_three_times_of_ten(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limits that are hit, errors, silence, resets, half JSON, half answers: from the model and from the judge."""
    seen: Counter[str] = Counter()
    one = [{"id": "one", "model": "openai-api/loop/m-one"}]
    study = flaky_study(tmp_path, server, seen, models=one, more={"conditions": ["baseline"]})
    assert here(study, monkeypatch) == []
    ingest(Store(tmp_path / "store"), [tmp_path / "runs/logs"], workers=1)
    check_flaky(study, seen, runs=1)


@pytest.mark.slow
def test_a_provider_that_fails_three_times_of_ten_through_the_command(server: ScriptedServer, tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    study = flaky_study(tmp_path, server, seen)
    study.run("--workers", "2", "--retry-wait", "2", timeout=400)
    check_flaky(study, seen, runs=RUNS)


def test_no_wait_between_two_tries_is_longer_than_two_minutes() -> None:
    """With what a suite sets; with Inspect's own settings, the tenth would be half an hour."""
    from inspect_ai.model._retry import model_retry_config
    from tenacity import RetryCallState

    made = model_retry_config("m", BACKOFF["max_retries"], None, lambda ex: True, lambda ex: None, lambda m, s: None)
    waits = []
    for attempt in range(1, 50):
        state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]
        state.attempt_number = attempt
        if made["stop"](state):
            break
        waits.append(made["wait"](state))
    assert len(waits) == BACKOFF["max_retries"] == 6 and max(waits) < 120


@pytest.mark.slow
def test_a_run_that_fails_says_why_in_one_line(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and without the prompt; the other model's run is done nevertheless."""
    study = Study(tmp_path, server, more={"conditions": ["baseline"], "retries": 0}, items=3)
    refusing = status(400, "this model takes no such thing", error_code="unsupported_parameter")
    server.script("m-one", refusing)
    (failed,) = here(study, monkeypatch)
    assert failed.startswith("one_baseline_psychosafe: 3 samples: ") and "takes no such thing" in failed
    assert "\n" not in failed and "made-up message" not in failed and len(failed) < 300
    assert study.done().keys() == {"two_baseline_psychosafe"}
    # A later start tries again. One prompt that is refused for good keeps the run from being done, unless it may.
    good = answers()
    server.script("m-one", lambda request: (refusing if " 1 " in request.last_user else good)(request))
    (failed,) = here(study, monkeypatch)
    assert failed.startswith("one_baseline_psychosafe: 1 sample: BadRequestError")
    study.write(conditions=["baseline"], retries=0, allow_missing=0.4)
    assert here(study, monkeypatch) == []
    told = study.done()["one_baseline_psychosafe"]
    assert (told["status"], told["samples"], told["failed"]) == ("done", 2, 1) and "BadRequestError" in told["reason"]
    ingest(Store(tmp_path / "store"), [tmp_path / "runs/logs"], workers=1)
    (run,) = (m for m in Store(tmp_path / "store").manifests() if m.model.name.endswith("m-one"))
    assert run.counts["errors"] == 1 and len(run.items) == 3


def test_verdicts_that_are_missing_are_said(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = [{"id": "one", "model": "openai-api/loop/m-one"}]
    study = Study(tmp_path, server, models=one, more={"conditions": ["baseline"]})
    server.script("j", status(401, "no such key"))
    assert here(study, monkeypatch) == []
    (told,) = study.done().values()
    assert told["unjudged"] == 12 and "a judge failed: " in told["reason"] and "no such key" in told["reason"]
    # A key that is wrong stays wrong: nobody asks again and again.
    assert server.count("j") == 12


# --- answers that are kept ---


@pytest.mark.slow
def test_with_answers_kept_the_same_suite_again_asks_nothing(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = [{"id": "one", "model": "openai-api/loop/m-one"}]
    more = {"conditions": ["baseline"], "generation": {"cache": True}, "epochs": 2}
    more["tasks"] = [{"task": "psychosafe", "args": {"prompts": str(tmp_path / "items.jsonl"), "repeats": 2}}]
    study = Study(tmp_path, server, models=one, more=more, seat={"config": {"temperature": 0, "cache": True}})
    assert here(study, monkeypatch) == []
    # Each epoch and each round is a question of its own.
    assert (server.count("m-one"), server.count("j")) == (24, 48)
    assert here(study, monkeypatch, str(tmp_path / "again")) == []
    assert (server.count("m-one"), server.count("j")) == (24, 48)
    first, second = study.done(), study.done(tmp_path / "again")
    assert [d["calls"] for d in (*first.values(), *second.values())] == [72, 0]
    assert all(d["wasted"] == 0 and d["samples"] == 24 for d in (*first.values(), *second.values()))

"""`psychosafe run` for real, with servers on loopback: from a plan to tables, which server answers, what is kept."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log

from evals.suites import plan, read_suite
from evals.suites.check import check
from evals.suites.claims import alive
from evals.suites.servers import make_room
from results.ingest import ingest
from results.store import Store
from tests.support.fake_vllm import install
from tests.support.openai_server import ScriptedServer
from tests.support.studies import Study, answers, until
from tests.support.suite_runs import CALLS, check_counts, command, here, two_models

pytestmark = [pytest.mark.process, pytest.mark.socket, pytest.mark.xdist_group("suite_run")]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with two_models() as running:
        yield running


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

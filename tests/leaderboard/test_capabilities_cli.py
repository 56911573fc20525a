"""`psychosafe capabilities`: what it would run, what it refuses, and (slow) the real harness over loopback."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from evals.conditions import BASELINE
from leaderboard.cli import main
from leaderboard.cli.capabilities import changes_table
from results.capability import changes_between
from results.importers.lm_eval import read_run, write_run
from results.store import Store
from tests.results.test_capability import right, write
from tests.support.everyday import GENERATED, QUESTIONS, TASK, questions, task_files
from tests.support.extras import need
from tests.support.fake_harness import install, starts
from tests.support.made_runs import manifest, put
from tests.support.openai_server import Handler, ScriptedServer, scored, text

URL = "http://127.0.0.1:9/v1"


def capabilities(store: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["capabilities", *map(str, arguments), "--store", str(store)])


def test_a_dry_run_prints_the_command_line_and_runs_nothing(tmp_path: Path) -> None:
    asked = ("--model", "vendor/made-up", "--base-url", URL, "--tasks", "hellaswag,mmlu", "--condition", "baseline")
    out = tmp_path / "out"
    done = capabilities(
        tmp_path / "store", *asked, "--dry-run", "--limit", 20, "--seed", 3, "--output", out, "-M", "x=[1]"
    )
    assert done.exit_code == 0, done.output
    words = shlex.split(done.stdout)
    assert (
        words[:4] == [sys.executable, "-m", "lm_eval", "run"] and words[words.index("--tasks") + 1] == "hellaswag,mmlu"
    )
    assert words[words.index("--system_instruction") + 1] == BASELINE
    assert words[words.index("--model") + 1] == "local-completions"
    assert json.loads(words[words.index("--model_args") + 1]) == {
        "model": "vendor/made-up", "base_url": f"{URL}/completions", "num_concurrent": 8, "x": [1]
    }  # fmt: skip
    assert "plain text straight in front" in done.stderr and "part of each task" in done.stderr
    assert not out.exists() and not (tmp_path / "store").exists()
    template = capabilities(tmp_path, *asked, "--chat-template", "--model", "Qwen/Qwen3.5-27B", "--dry-run")
    assert "--apply_chat_template" in template.stdout and "mmlu .23" in template.stderr
    plain = capabilities(tmp_path, "--model", "m", "--dry-run")
    assert "--tasks hellaswag,mmlu" in plain.stdout and "--output_path capabilities/m-none-" in plain.stdout


def test_what_cannot_be_run_or_compared_is_refused_in_one_line(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for name, changes in {"made-up": {}, "templated": {"chat_template": "{{ x }}", "model_name": "templated"}}.items():
        write_run(store, read_run(write(tmp_path / name, {"own": right(30)}, **changes)))
    chat = ("--backend", "local-chat-completions", "--base-url", URL)
    cases: list[tuple[tuple[object, ...], str]] = [
        (("--tasks", "mmlu", *chat), "scored by the likelihood of its answers, which a chat endpoint does not tell"),
        (("--condition", "nonsense"), "unknown condition 'nonsense'"),
        (("--backend", "local-completions"), "needs --base-url"),
        (("-M", "dtype"), "-M 'dtype' is no KEY=VALUE"),
        (("-M", "x=[1"), "is no YAML"),
        (("--against", "no-such-run"), "no run 'no-such-run'"),
        (
            ("--against", "lm-eval_templated"),
            "has a chat template, so nothing can be compared with it; add --chat-template",
        ),
        (("--against", "lm-eval_made-up", "--chat-template"), "has no chat template"),
        (("--against", "lm-eval_made-up", "--limit", 5), "ran all questions"),
    ]
    for arguments, says in cases:
        done = capabilities(store.root, "--model", "m", *arguments, "--dry-run")
        assert done.exit_code == 1 and says in done.stderr and done.stderr.count("\n") == 1 and not done.stdout, (
            done.output
        )
    assert capabilities(store.root, "--model", "m", "--margin", "0").exit_code == 2


@pytest.mark.process
def test_a_run_is_brought_in_printed_and_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in has 54 of 60 right without a system prompt and 42 with the baseline's: by 12 of 60 it is worse."""
    site, store = install(tmp_path / "site"), Store(tmp_path / "store")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    asked = ("--model", "vendor/made-up", "--base-url", URL)
    first = capabilities(store.root, *asked, "--tasks", "own", "--output", tmp_path / "a", "--json")
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    assert told["figures"]["capability/own/acc"]["value"] == 0.9 and "changes" not in told
    assert f"lm_eval runs; its log is {tmp_path / 'a' / 'log.txt'}" in first.stderr
    (run_id,) = store.run_ids()
    assert told["run"] == run_id and store.manifest(run_id).condition.name == "none"
    baseline = ("--condition", "baseline", "--against", run_id)
    second = capabilities(store.root, *asked, "--tasks", "own", *baseline, "--output", tmp_path / "b")
    assert second.exit_code == 0, second.output
    flat = " ".join(second.stdout.split())
    assert re.search(r"own acc -0\.200 \[-0\.\d+, -0\.\d+\] 60 worse no, worse by more", flat)
    # Other questions: the run is kept, its figures are printed, and then it is said why they are not compared.
    other = capabilities(store.root, *asked, "--tasks", "other", *baseline, "--output", tmp_path / "c")
    assert other.exit_code == 1 and "other" in other.stdout and "not comparable: they differ in" in other.stderr
    assert len(store.run_ids()) == 3
    put(store, m := manifest("vendor/made-up"), {})
    refused = capabilities(store.root, *asked, "--against", m.run_id)
    assert refused.exit_code == 1 and f"{m.run_id} is no run of benchmarks; `psychosafe runs` lists" in refused.stderr
    assert len(starts(site)) == 3


def test_figures_without_samples_are_compared_as_independent_and_say_so(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    found = [read_run(write(tmp_path / str(n), {"own": right(30 + n)}, logged=n == 0)) for n in range(2)]
    for run in found:
        write_run(store, run)
    base, other = (run.manifest for run in found)
    table = changes_table(changes_between(store, other, base, 0.03), base)
    assert table.rows[0][3] == "not paired" and "the interval is that of independent samples" in table.notes[-1]


def test_an_import_tells_of_samples_and_alarms(tmp_path: Path) -> None:
    path = write(tmp_path, {"own": right(10)})
    done = CliRunner().invoke(main, ["import", "lm-eval", str(path), "--store", str(tmp_path / "store")])
    assert done.exit_code == 0 and "(1 figures, samples of 40 questions)" in done.output
    assert "! own/acc is at chance" in done.output


# ---- the harness's real program ----------------------------------------------------------------------------------


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def knows(known: int) -> Callable[[str], float]:
    """Log-probability a byte of a model that prefers the right answer; under an instruction, to the first so many."""
    every = questions()

    def rate(prompt: str) -> float:
        at, q = next((n, q) for n, q in enumerate(every) if q["question"] in prompt)
        sure = at < known or BASELINE not in prompt
        return -0.01 if prompt.endswith(q["choices"][q["answer"]]) == sure else -1.0

    return rate


def answers() -> Handler:
    by_question = {q["question"]: q["choices"][q["answer"]] for q in questions()}
    return lambda request: text(next((a for q, a in by_question.items() if q in request.last_user), "?"))


@pytest.mark.slow
@pytest.mark.timeout(1500)  # the harness starts six times, for up to a minute each
@pytest.mark.process
@pytest.mark.socket
def test_the_harness_runs_over_loopback_and_its_runs_are_paired(tmp_path: Path, offline: None) -> None:
    need("capabilities")
    own = task_files(tmp_path / "tasks")
    store = tmp_path / "store"
    with ScriptedServer() as server:
        server.script("made-up", scored(knows(20)))
        server.script("chatty", answers())

        def run(*arguments: object) -> Result:
            return capabilities(store, "--base-url", server.url, "--include", own, *arguments)

        likely = ("--model", "made-up", "--tasks", TASK)
        first = run(*likely, "--output", tmp_path / "none", "--json")
        assert first.exit_code == 0, first.output
        assert json.loads(first.stdout)["figures"]["capability/everyday/acc"]["value"] == 1.0
        assert server.count("made-up") == 4 * 24  # every answer of every question
        second = run(
            *likely, "--condition", "baseline", "--output", tmp_path / "own", "--against", "lm-eval_made-up", "--json"
        )
        assert second.exit_code == 0, second.output
        told = json.loads(second.stdout)
        (acc,) = (c for c in told["changes"] if c["metric"] == "acc")
        # 4 of 24 lost and none gained, by the server's script.
        assert acc["paired"] and acc["difference"]["n"] == 24 and acc["difference"]["value"] == pytest.approx(-4 / 24)
        assert acc["verdict"] == "worse" and acc["reference"] == json.loads(first.stdout)["run"]
        # Generative, behind a chat endpoint: the instruction is a message of its own.
        chat = ("--model", "chatty", "--backend", "local-chat-completions", "--thinking", "off", "--limit", 10)
        third = run(*chat, "--tasks", GENERATED, "--condition", "baseline", "--output", tmp_path / "chat")
        assert third.exit_code == 0 and "exact_match" in third.stdout, third.output
        call = server.calls("chatty")[0]
        assert [m["role"] for m in call.messages] == ["system", "user"] and call.messages[0]["content"] == BASELINE
        assert call.body["chat_template_kwargs"] == {"enable_thinking": False} and server.count("chatty") == 10
        # What the harness alone knows of its tasks.
        assert "no task 'no_such_task'" in run(*chat, "--tasks", "no_such_task").stderr
        failed = run("--model", "absent", "--tasks", TASK, "--output", tmp_path / "absent")
        assert failed.exit_code == 1 and "Status code: 404" in failed.stderr and "log.txt" in failed.stderr
    manifests: list[Any] = list(Store(store).manifests())
    assert sorted((m.origin, m.limited) for m in manifests) == [("measured", False)] * 2 + [("measured", True)]
    assert all(m.versions["lm_eval"] and str(QUESTIONS) not in m.to_json() for m in manifests)

"""Suites as data: what a file may say, what it takes, what would stop it, and how vLLM is told."""

from __future__ import annotations

import json
import os
import queue
import shlex
import stat
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from inspect_ai.log import EvalConfig, EvalDataset, EvalError, EvalLog, EvalSample, EvalSpec

from evals.suites import SuiteError, plan, read_suite
from evals.suites.check import check
from evals.suites.claims import Claim, ClaimError, Place, Watch, alive, beat, finish, machine, release, take
from evals.suites.endpoints import Served, address_of, compare, name_at
from evals.suites.folder import suite_sha256
from evals.suites.model import ModelEntry, Suite
from evals.suites.outcome import Outcome, _why, one_line
from evals.suites.processes import LOST
from evals.suites.run import _beat_or_end, place_of, provider_args, run_one
from evals.suites.runner import Options, Progress, _death, _drain, _progress, _work
from evals.suites.serve import Serve
from tests.support.openai_server import ScriptedServer
from tests.support.s3 import s3_bucket

ROOT = Path(__file__).resolve().parents[2]
ONE: dict[str, Any] = {
    "suite": "one",
    "models": [{"id": "a", "model": "policy/keyword"}],
    "tasks": [{"task": "contrast"}],
}


def written(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "suite.yaml"
    path.write_text(yaml.safe_dump({**ONE, **changes}), encoding="utf-8")
    return path


def reasons(tmp_path: Path, **changes: Any) -> list[str]:
    with pytest.raises(SuiteError) as caught:
        read_suite(written(tmp_path, **changes), {})
    return list(caught.value.reasons)


# --- the file ---


@pytest.mark.parametrize("name", ["offline", "quick", "paper"])
def test_the_suites_that_come_along_are_valid(name: str) -> None:
    assert read_suite(ROOT / "suites" / f"{name}.yaml", {}).suite == name


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    found = reasons(
        tmp_path,
        modles=[],
        models=[{"id": "A b", "model": "policy/keyword", "genration": {}}, {"id": "b", "model": "x"},
                {"id": "c", "model": "policy/x", "base_url": "http://me:secret@host/v1"},
                {"id": "d", "model": "openai/x", "serve": {"tensor_paralel": 2}}],
        tasks=[{"task": "mmlu"}, {"task": "xstest", "panel": "offline"}, {"task": "contrast", "args": {"epochs": 2}}],
        epochs=0, generation={"temprature": 0}, limits={"tokens": 3},
    )  # fmt: skip
    told = "\n".join(found)
    for needle in (
        "modles: unknown key; did you mean 'models'?", "models.1.id: 'A b' is no name",
        "models.1.genration: unknown key; did you mean 'generation'?", "models.2.model:", "models.3.base_url:",
        "models.4.serve.tensor_paralel: unknown key; did you mean 'tensor_parallel'?", "tasks.1.task:",
        "tasks.2: xstest is judged by its benchmark's own judge", "tasks.3: epochs among `args`", "epochs:",
        "generation: unknown temprature", "limits: unknown tokens",
    ):  # fmt: skip
        assert needle in told, needle
    assert "secret" not in told


def test_names_servers_and_settings_that_do_not_go_together(tmp_path: Path) -> None:
    found = reasons(
        tmp_path,
        models=[{"id": "a", "model": "gpt-5"}, {"id": "b", "model": "openai/x", "serve": {}},
                {"id": "c", "model": "vllm/x", "serve": {}, "base_url": "http://h/v1"},
                {"id": "d", "model": "vllm/x", "serve": {"max_lora_rank": 8}},
                {"id": "e", "model": "vllm/x", "serve": {"adapters": {"a=b": "/w"}}}],
        tasks=[{"task": "contrast", "id": "no/name"}, {"task": "contrast", "generation": {"temprature": 0}}],
    )  # fmt: skip
    told = "\n".join(found)
    for needle in (
        "models.1: model is 'gpt-5'; give Inspect's name of it", "models.2: `serve` is for models that Inspect starts",
        "models.3: `serve` and `base_url` exclude each other", "models.4.serve: max_lora_rank without adapters",
        "models.5.serve: adapter 'a=b': give a name without '='", "tasks.1: 'no/name' is no name",
        "tasks.2.generation: unknown temprature",
    ):  # fmt: skip
        assert needle in told, needle
    assert len(found) == 7


def test_impossible_combinations_are_said_at_once(tmp_path: Path) -> None:
    twice = {"model": "openai/x", "base_url": "http://h/v1"}
    found = reasons(
        tmp_path,
        models=[{"id": "a", **twice}, {"id": "b", **twice}, {"id": "a", "model": "policy/x", "base": "zz"}],
        tasks=[{"task": "contrast"}, {"task": "contrast", "models": ["nobody"]}],
    )
    assert len(found) == 5
    told = "\n".join(found)
    for needle in ("two are called 'a'", "two are called 'contrast'", "fine-tune of 'zz'", "for 'nobody'",
                   "a and b are the same model at the same address"):  # fmt: skip
        assert needle in told


@pytest.mark.parametrize(
    ("text", "why"),
    [("suite: a\nsuite: b\n", "line 2: not valid YAML: 'suite' stands twice"), ("- 1\n", "no suite: it begins with"),
     ("a: [1\n", "not valid YAML"), ("!!python/object:os.system x\n", "not valid YAML"), ("\x00", "not valid YAML"),
     ("[" * 5000, "not valid YAML"), ("&a [*a]", "a part that holds itself")],
)  # fmt: skip
def test_files_that_are_no_suite(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SuiteError) as caught:
        read_suite(path)
    assert len(caught.value.reasons) == 1 and why in str(caught.value) and "\n" not in str(caught.value)


def test_files_that_are_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"s\.yaml: cannot be read \(No such file.*\); there are suites in suites/"):
        read_suite(tmp_path / "s.yaml")
    (tmp_path / "s.yaml").write_text("#" * 200_001)
    with pytest.raises(SuiteError, match=r"s\.yaml: larger than 200,000 bytes; a suite is a page of YAML"):
        read_suite(tmp_path / "s.yaml")


def test_an_address_from_the_environment(tmp_path: Path) -> None:
    path = written(tmp_path, models=[{"id": "a", "model": "openai-api/x/m", "base_url": "${HERE_URL}/v1"}])
    assert read_suite(path, {"HERE_URL": "http://h:1"}).models[0].base_url == "http://h:1/v1"
    with pytest.raises(SuiteError, match=r"base_url needs \$HERE_URL, which is not set"):
        read_suite(path, {})


# --- the plan ---


def test_the_matrix_is_every_model_under_its_conditions_on_every_task(tmp_path: Path) -> None:
    suite = read_suite(
        written(
            tmp_path,
            models=[{"id": "a", "model": "policy/keyword"},
                    {"id": "b", "model": "policy/steerable", "conditions": ["baseline"]}],
            conditions=["baseline", "prompted"], limit=3, epochs=2,
            tasks=[{"task": "contrast"}, {"task": "psychosafe", "models": ["a"], "conditions": ["none"], "epochs": 1},
                   {"task": "escalation", "limit": 2}],
        ), {},
    )  # fmt: skip
    found = plan(suite)
    assert {r.key: r.samples for r in found.runs} == {
        "a_baseline_contrast": 6, "a_prompted_contrast": 6, "a_none_psychosafe": 3, "a_baseline_escalation": 4,
        "a_prompted_escalation": 4, "b_baseline_contrast": 6, "b_baseline_escalation": 4,
    }  # fmt: skip
    by_key = {r.key: r for r in found.runs}
    assert by_key["a_none_psychosafe"].args == {"condition": "none", "epochs": 1, "judges": "offline"}
    assert by_key["a_baseline_escalation"].target.calls > 4  # a call a turn


def test_calls_tokens_and_cost_by_hand(tmp_path: Path) -> None:
    panel = tmp_path / "p.yaml"
    judge = {"id": "j", "model": "openai-api/x/j", "price": {"input": 1.0, "output": 10.0}}
    free = {"id": "k", "model": "openai-api/x/k"}
    panel.write_text(yaml.safe_dump({"panels": {"p": {"judges": [judge, free, {"id": "r", "rules": "rule_based"}]}}}))
    suite = read_suite(
        written(
            tmp_path, models=[{"id": "m", "model": "openai/m", "tokens": 100, "price": {"input": 2.0, "output": 4.0}}],
            panel=str(panel), limit=10, conditions=["none"],
        ), {},
    )  # fmt: skip
    (run,) = plan(suite).runs
    assert (run.target.calls, run.target.output_tokens, run.target.unpriced) == (10, 1_000, 0)
    assert run.target.cost["USD"] == pytest.approx((run.target.input_tokens * 2 + 1_000 * 4) / 1e6)
    # Two of three judges are models; six criteria at 40 tokens; one has no price.
    assert (run.judging.calls, run.judging.output_tokens, run.judging.unpriced) == (20, 2 * 10 * 240, 10)
    assert run.spent.calls == 30
    prompted = plan(suite.model_copy(update={"conditions": ("prompted",)})).runs[0]
    assert prompted.target.input_tokens > run.target.input_tokens + 10 * 500


def test_the_quick_suite_costs_less_than_a_dollar_and_the_paper_s_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    quick = plan(read_suite(ROOT / "suites/quick.yaml", {}))
    assert 0 < quick.spent.cost["USD"] < 1 and not quick.spent.unpriced
    paper = plan(read_suite(ROOT / "suites/paper.yaml", {}))
    counts: dict[str, int] = {}
    for r in paper.runs:
        counts[r.task.name] = counts.get(r.task.name, 0) + 1
    # Four models; the validation set and twins under two conditions, the benchmarks under three.
    assert counts == {"psychosafe": 8, "contrast": 8, "sorry_bench": 12, "xstest": 12, "capabilities": 12}
    assert {r.samples for r in paper.runs} == {500, 250, 440 * 21, 450, None}
    # A judge for each answer, and a translator for those in the five languages.
    assert {r.judging.calls for r in paper.runs if r.task.name == "sorry_bench"} == {440 * 21 + 440 * 5}
    assert {r.key for r in paper.runs if r.samples is None} == {
        f"{m}_{c}_capabilities"
        for m in ("qwen3.5-27b", "qwen3.5-27b-psysafe", "qwen3.5-35b-a3b", "psysafe-a3b")
        for c in ("none", "baseline", "prompted")
    }


def test_calls_to_a_translator_are_counted_where_one_is_bound(tmp_path: Path) -> None:
    folder = tmp_path / "sorry"
    folder.mkdir()
    for name, style in (("question", "base"), ("question_slang", "slang"), ("question_translate-fr", "translate-fr")):
        rows = [{"question_id": n, "category": "1", "turns": [f"{style} [placeholder {n}]"], "prompt_style": style}
                for n in (1, 2)]  # fmt: skip
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    task = {"task": "sorry_bench", "args": {"prompts": str(folder), "mutations": "slang,translate-fr"},
            "epochs": 3}  # fmt: skip
    calls = []
    for roles in ({}, {"translator": "openai/t"}):
        given = task | {"roles": {"judge": "openai/j", **roles}}
        model = {"id": "m", "model": "openai/m", "tokens": 100}
        (run,) = plan(read_suite(written(tmp_path, models=[model], tasks=[given], conditions=["none"]), {})).runs
        assert run.samples == 12, run.note
        calls.append(run.judging.calls)
    assert calls == [12, 12 + 6]


# --- what would stop it ---


def test_credentials_packages_and_prompts_are_missed_before_the_first_call(tmp_path: Path) -> None:
    suite = read_suite(
        written(
            tmp_path,
            models=[{"id": "a", "model": "openai/x"}, {"id": "b", "model": "openai-api/some-place/m"},
                    {"id": "c", "model": "vllm/q/x"}, {"id": "d", "model": "openai-api/judge/glm-4.7"}],
            tasks=[{"task": "psychosafe", "args": {"prompts": "nowhere.json"}}, {"task": "contrast"}], panel="paper3",
        ), {},
    )  # fmt: skip
    _, wrong = check(plan(suite), {})
    told = "\n".join(wrong)
    for needle in ("openai/x: needs $OPENAI_API_KEY", "needs $SOME_PLACE_API_KEY and $SOME_PLACE_BASE_URL",
                   "vllm/q/x: needs vllm", "psychosafe: ", "glm-4.7"):  # fmt: skip
        assert needle in told, needle
    assert sum("nowhere.json" in w for w in wrong) == 1
    assert any("judge" in w and "itself" in w for w in wrong)
    assert check(plan(read_suite(written(tmp_path), {})), {}) == ({}, [])


def test_what_a_run_takes_is_unknown_and_not_0_where_its_prompts_cannot_be_read(tmp_path: Path) -> None:
    from leaderboard.cli.suite import plan_data, plan_table

    tasks = [{"task": "psychosafe", "args": {"prompts": "nowhere.json"}}, {"task": "contrast", "limit": 4}]
    found = plan(read_suite(written(tmp_path, tasks=tasks), {}))
    lost, known, every = plan_table(found).rows
    assert lost == ("a_baseline_psychosafe", *["unknown"] * 6)
    assert known[:3] == ("a_baseline_contrast", "4", "4") and every[:3] == ("all but 1 unknown", "4", "4")
    assert [r["target"] is None for r in plan_data(found)["runs"]] == [True, False]


def test_panels_packages_roles_and_judges_servers_are_said_once(tmp_path: Path) -> None:
    said = check(plan(read_suite(written(tmp_path, panel="nobody"), {})), {})[1]
    assert len(said) == 1 and said[0].startswith("contrast: unknown panel 'nobody': use one of")
    google = read_suite(written(tmp_path, models=[{"id": "g", "model": "google/x"}]), {})
    absent = [] if find_spec("google") and find_spec("google.genai") else [
        "google/x: needs google.genai: pip install google-genai"
    ]  # fmt: skip
    assert check(plan(google), {"GOOGLE_API_KEY": "k"})[1] == absent
    roles = {"task": "xstest", "args": {"judge": "llm4"}, "roles": {"judge": ["openai/a", "openai/b"]}}
    two = check(plan(read_suite(written(tmp_path, tasks=[roles]), {})), {}, ask=False)[1]
    assert [w for w in two if "KEY" in w] == [f"openai/{m}: needs $OPENAI_API_KEY" for m in "ab"]
    served = read_suite(written(tmp_path, models=[{"id": "v", "model": "vllm/x", "serve": {}}]), {})
    told = "\n".join(check(plan(served), {"VLLM_BASE_URL": "http://127.0.0.1:9/v1"}, ask=False)[1])
    assert "v: has `serve`, and the server at $VLLM_BASE_URL would be used instead: unset it" in told
    panel = tmp_path / "p.yaml"
    judge = {"id": "j", "model": "openai-api/x/j", "base_url": "http://127.0.0.1:9/v1"}
    panel.write_text(yaml.safe_dump({"panels": {"p": {"judges": [judge]}}}))
    (line,) = check(plan(read_suite(written(tmp_path, panel=str(panel)), {})), {"X_API_KEY": "k"})[1]
    assert line.startswith("judge openai-api/x/j: http://127.0.0.1:9/v1 does not answer as an OpenAI-compatible server")


def test_an_unknown_task_argument_is_said(tmp_path: Path) -> None:
    suite = read_suite(written(tmp_path, tasks=[{"task": "contrast", "args": {"promts": "x"}}]), {})
    assert "promts" in "\n".join(check(plan(suite), {})[1])


# --- servers ---


def entry(id_: str, model: str, **more: Any) -> ModelEntry:
    return ModelEntry(id=id_, model=model, **more)


def test_what_a_server_says_is_recorded_and_what_it_lacks_is_refused() -> None:
    with ScriptedServer() as server:
        server.script("m-one", lambda request: None)  # type: ignore[arg-type, return-value]
        url = server.url
        models = [entry("one", "openai-api/x/m-one", base_url=url), entry("two", "openai-api/x/m-two", base_url=url)]
        found, wrong = compare(models, {})
    assert set(found) == {"one"} and found["one"].as_dict("m-one")["model"]["id"] == "m-one"
    assert len(wrong) == 1 and "two" in wrong[0] and "does not serve 'm-two'; it serves m-one" in wrong[0]
    _, gone = compare(models[:1], {})
    assert "does not answer" in gone[0]


@pytest.mark.socket
def test_servers_that_list_no_models_or_say_no() -> None:
    class Odd(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code = {"v1": 404, "v2": 401, "v3": 200}.get(self.path.split("/")[1], 404)
            self.send_response(code)
            self.end_headers()
            self.wfile.write(b'{"models": []}')

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        at = f"http://127.0.0.1:{server.server_address[1]}"
        models = [entry(p, "openai-api/x/m", base_url=f"{at}/{p}") for p in ("v1", "v2", "v3", "none")]
        found, wrong = compare(models, {})
        server.shutdown()
    # Some servers list nothing: what they are asked for is then taken on trust.
    assert found == {"v1": Served(f"{at}/v1", ())}
    assert [w.removeprefix("v2: ").removeprefix("v3: ").removeprefix("none: ").replace(at, "") for w in wrong] == [
        "/v2/models answers 401; check the address (it ends with /v1, as a rule) and the key",
        "/v3 does not answer as an OpenAI-compatible server (no list of models); start it, or mend base_url",
        "/none/models answers 404; check the address (it ends with /v1, as a rule) and the key",
    ]


def test_two_names_of_one_model_are_refused_and_adapters_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(
        "http://h/v1",
        ({"id": "base", "root": "/w/base"}, {"id": "tuned", "root": "/w/base"},
         {"id": "adapter", "root": "/w/adapter", "parent": "base"}),
    )  # fmt: skip
    monkeypatch.setattr("evals.suites.endpoints.ask", lambda url, key=None: served)
    base, tuned = (entry(n, f"openai-api/x/{n}", base_url="http://h/v1") for n in ("base", "tuned"))
    _, wrong = compare([base, tuned], {})
    assert wrong == [
        "base and tuned reach the same model at http://h/v1 (/w/base); give each its own server or adapter"
    ]
    adapter = entry("adapter", "vllm/base:adapter", base_url="http://h/v1")
    assert compare([base, adapter], {})[1] == []
    # One model under two temperatures is meant.
    warm = entry("warm", "openai-api/x/base", base_url="http://h/v1", generation={"temperature": 1})
    assert compare([base, warm], {})[1] == []


def test_addresses_and_names_on_a_server() -> None:
    assert address_of(entry("a", "openai-api/my-box/q/m"), {"MY_BOX_BASE_URL": "u"}) == "u"
    assert address_of(entry("a", "vllm/q/m"), {"VLLM_BASE_URL": "u"}) == "u"
    assert address_of(entry("a", "vllm/q/m", serve=Serve()), {"VLLM_BASE_URL": "u"}) is None
    assert address_of(entry("a", "openai/m"), {}) is None
    assert [name_at(entry("a", m)) for m in ("openai-api/my-box/q/m", "vllm/q/m", "vllm/q/m:ad")] == [
        "q/m",
        "q/m",
        "ad",
    ]


# --- how vLLM is told ---

FULL = Serve(tensor_parallel=2, data_parallel=4, max_model_len=8192, reasoning_parser="qwen3", text_only=True,
             quantization="fp8", gpu_memory=0.9, tokenizer="q/base", adapters={"psysafe": "/w/a", "b": "o/r"},
             max_lora_rank=64, seed=1)  # fmt: skip


def test_the_command_line_of_a_server() -> None:
    words = shlex.split(FULL.command("q/tuned", 8001, revision="abc"))
    assert words[:5] == ["vllm", "serve", "q/tuned", "--port", "8001"]
    flags = {w: words[n + 1 : n + 2] for n, w in enumerate(words) if w.startswith("--")}
    for flag, value in (("--tensor-parallel-size", "2"), ("--data-parallel-size", "4"), ("--max-model-len", "8192"),
                        ("--reasoning-parser", "qwen3"), ("--quantization", "fp8"), ("--tokenizer", "q/base"),
                        ("--gpu-memory-utilization", "0.9"), ("--max-lora-rank", "64"),
                        ("--revision", "abc")):  # fmt: skip
        assert flags[flag] == [value], flag
    assert {"--language-model-only", "--enable-prefix-caching", "--enable-lora"} <= flags.keys()
    at = words.index("--lora-modules")
    assert [json.loads(w) for w in words[at + 1 : at + 3]] == [{"name": "b", "path": "o/r"},
                                                               {"name": "psysafe", "path": "/w/a"}]  # fmt: skip
    assert "--no-enable-prefix-caching" in Serve(prefix_caching=False).command("m")
    # Inspect loads the adapter that a model's name has behind the colon.
    args = provider_args(entry("t", "vllm/q/tuned:psysafe", serve=FULL, revision="abc", args={"dtype": "half"}))
    assert "lora_modules" not in args and (args["timeout"], args["dtype"]) == (1800, "half")
    assert (args["revision"], args["enable_lora"], args["tensor_parallel_size"]) == ("abc", True, 2)


@pytest.mark.slow
def test_inspect_starts_vllm_with_the_same_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real provider, with a stand-in for the program `vllm` that keeps its arguments and serves."""
    seen = tmp_path / "argv.json"
    program = tmp_path / "bin" / "vllm"
    program.parent.mkdir()
    program.write_text(
        textwrap.dedent(f"""\
        #!{sys.executable}
        import json, sys
        from pathlib import Path
        sys.path.insert(0, {str(ROOT)!r})
        Path({str(seen)!r}).write_text(json.dumps(sys.argv[1:]))
        from http.server import BaseHTTPRequestHandler, HTTPServer
        class H(BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps({{"object": "list", "data": [{{"id": "q/tuned", "object": "model"}}]}}).encode()
                self.send_response(200); self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body))); self.end_headers(); self.wfile.write(body)
            def do_POST(self):
                size = int(self.headers["content-length"]); self.rfile.read(size)
                said = {{"role": "assistant", "content": "hello"}}
                body = json.dumps({{"id": "1", "object": "chat.completion", "created": 1, "model": "q/tuned",
                    "choices": [{{"index": 0, "finish_reason": "stop", "message": said}}],
                    "usage": {{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}}}).encode()
                self.send_response(200); self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body))); self.end_headers(); self.wfile.write(body)
            def log_message(self, *a): pass
        port = int(sys.argv[sys.argv.index("--port") + 1])
        HTTPServer(("127.0.0.1", port), H).serve_forever()
        """),
        encoding="utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    package = tmp_path / "site" / "vllm"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    how = Serve(reasoning_parser="qwen3", text_only=True, tokenizer="q/base", timeout=60)
    m = entry("t", "vllm/q/tuned", serve=how, revision="abc")
    code = textwrap.dedent("""\
        import asyncio, json, sys
        from inspect_ai.model import get_model
        async def go():
            async with get_model("vllm/q/tuned", memoize=False, **json.loads(sys.argv[1])) as model:
                print((await model.generate("hi")).completion)
        asyncio.run(go())
        """)
    env = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(package.parent)}
    env.pop("VLLM_BASE_URL", None)
    command = [sys.executable, "-c", code, json.dumps(provider_args(m))]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip().endswith("hello"), done.stderr[-2000:]
    words = json.loads(seen.read_text())
    assert words[:2] == ["serve", "q/tuned"]
    wanted = shlex.split(how.command("q/tuned", revision="abc"))[5:]
    for n, word in enumerate(wanted):
        if word.startswith("--"):
            at = words.index(word)
            value = wanted[n + 1] if n + 1 < len(wanted) and not wanted[n + 1].startswith("--") else None
            assert value is None or words[at + 1] == value, word


# --- claims ---


def test_one_of_many_gets_a_claim_and_the_next_only_when_it_is_stale(tmp_path: Path) -> None:
    now = [0.0]
    place = Place(str(tmp_path / "c"))
    place.make()
    watch = Watch(expiry=10, clock=lambda: now[0])
    first = take(place, watch, "one")
    assert first is not None and first.number == 1
    assert take(place, watch, "two") is None
    other = first.__class__(**{**vars(first), "host": "elsewhere", "pid": 1})
    place.replace("claim-0001.json", vars(other))
    assert take(place, watch, "two") is None
    now[0] = 9
    assert take(place, watch, "two") is None
    other = beat(place, other, 3, 12)
    now[0] = 18
    assert take(place, watch, "two") is None  # the beat has moved at some time in between
    now[0] = 27
    assert take(place, watch, "two") is None
    now[0] = 29
    second = take(place, watch, "two")
    assert second is not None and (second.number, second.carried) == (2, 12)
    with pytest.raises(ClaimError, match="another runner holds this run now"):
        beat(place, other, 3, 12)
    beat(place, second, 1, 2)


def test_the_dead_and_those_who_gave_up_are_replaced_at_once(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "c"))
    place.make()
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert not alive(gone.pid) and alive(os.getpid())
    place.create("claim-0001.json", {"number": 1, "owner": "x", "host": machine(), "pid": gone.pid, "calls": 7})
    second = take(place, Watch(), "two")
    assert second is not None and second.carried == 7
    release(place, second, 2, 5)
    third = take(place, Watch(), "three")
    assert third is not None and (third.number, third.carried) == (3, 12)
    assert finish(place, third, {"key": "k"}) and not finish(place, third, {"key": "k"})
    assert take(place, Watch(), "four") is None


def test_damaged_files_of_claims_are_taken_over_and_written_anew(tmp_path: Path) -> None:
    now = [0.0]
    place = Place(str(tmp_path / "c"))
    assert place.claim() is None and place.names() == []
    with pytest.raises(ClaimError, match=r"cannot write to .*/c: No such file or directory"):
        place.create("claim-0001.json", {})
    place.make()
    watch = Watch(expiry=10, clock=lambda: now[0])
    first = take(place, watch, "one")
    assert first is not None
    (tmp_path / "c/claim-0001.json").write_text('{"number": 1, "ow')
    # Its owner mends it at the next beat, or when it gives up.
    assert beat(place, first, 1, 2).beat == 1 and place.claim() != first
    (tmp_path / "c/claim-0001.json").write_text("")
    release(place, first, 1, 2, "a reason")
    told = place.claim()
    assert told is not None and told.released and told.reason == "a reason"
    second = take(place, watch, "two")
    assert second is not None
    # Who was taken for dead changes nothing any more.
    release(place, first, 9, 9)
    assert place.claim() == second and place.names() == ["claim-0001.json", "claim-0002.json"]
    (tmp_path / "c/claim-0002.json").write_text("[]")
    assert take(place, watch, "three") is None
    now[0] = 11
    third = take(place, watch, "three")
    assert third is not None and third.number == 3
    (tmp_path / "c/done.json").write_text("{")
    assert place.done() is None and finish(place, third, {"key": "k"})
    assert place.done() == {"key": "k", "claim": 3, "owner": "three"} and not finish(place, second, {"key": "k"})
    shared = Place(str(tmp_path / "c"), exclusive=False)
    assert not shared.create("done.json", {"key": "other"}) and shared.done() == place.done()
    assert shared.create("new.json", {"a": 1}) and shared.read("new.json") == {"a": 1}


@pytest.mark.socket
def test_exclusive_creation_on_a_bucket() -> None:
    with s3_bucket() as bucket:
        _exclusive(Place(f"{bucket}/suite/claims/run"))


def _exclusive(place: Place) -> None:
    place.make()
    assert place.create("claim-0001.json", {"a": 1}) and not place.create("claim-0001.json", {"a": 2})
    assert place.read("claim-0001.json") == {"a": 1} and place.names() == ["claim-0001.json"]
    place.replace("claim-0001.json", {"a": 3})
    assert place.read("claim-0001.json") == {"a": 3} and place.read("nothing.json") is None


def test_fields_of_a_suite_that_change_no_figure_do_not_lock_its_folder(tmp_path: Path) -> None:
    from evals.suites.runner import open_folder

    suite = Suite.model_validate(ONE)
    root = str(tmp_path / "runs")
    open_folder(root, suite)
    open_folder(root, suite.model_copy(update={"connections": 7, "description": "other"}))
    with pytest.raises(SuiteError, match="before a change that changes figures"):
        open_folder(root, suite.model_copy(update={"epochs": 2}))
    with pytest.raises(SuiteError, match="holds runs of the suite 'one'; give another folder with --dir"):
        open_folder(root, suite.model_copy(update={"suite": "two"}))
    # A panel that cannot be read stops nothing here: `check` says so before.
    assert len({suite_sha256(suite.model_copy(update={"panel": p})) for p in ("nobody", suite.panel)}) == 2


# --- runners ---


def test_what_a_runner_leaves_to_others_and_what_cannot_be_written(tmp_path: Path) -> None:
    """Done before, failed with another runner meanwhile, and a folder of claims that is none."""
    models = [{"id": m, "model": f"policy/{m}"} for m in ("done", "failed", "odd")]
    path, root = written(tmp_path, models=models), str(tmp_path / "runs")
    done, failed = (place_of(root, f"{m}_baseline_contrast") for m in ("done", "failed"))
    for place in (done, failed):
        place.make()
    held = take(failed, Watch(), "another")
    assert held is not None
    done.create("done.json", {"key": "done_baseline_contrast"})
    (tmp_path / "runs/claims/odd_baseline_contrast").write_text("no folder")
    failures: Any = queue.Queue()

    def give_up() -> None:
        while failures.empty():  # the third run's failure: all have been looked at once
            time.sleep(0.01)
        release(failed, held, 1, 1, "made-up reason")

    giving_up = threading.Thread(target=give_up, daemon=True)
    giving_up.start()
    _work(path, Options(root, pulse=0.05), {}, failures)
    giving_up.join()
    found = {o.key: (o.status, o.reason) for o in failures.queue}
    assert found.keys() == {"failed_baseline_contrast", "odd_baseline_contrast"}
    assert found["failed_baseline_contrast"] == ("failed", "made-up reason")
    assert found["odd_baseline_contrast"][0] == "error" and "Not a directory" in found["odd_baseline_contrast"][1]
    assert done.names() == ["done.json"] and failed.names() == ["claim-0001.json"]
    # The parent says each outcome once, the first.
    outcomes: dict[str, Outcome] = {"odd_baseline_contrast": Outcome("odd_baseline_contrast", "done")}
    said: list[Outcome] = []
    _drain(failures, outcomes, said.append)
    assert [o.key for o in said] == ["failed_baseline_contrast"] and failures.empty()
    assert outcomes["odd_baseline_contrast"].status == "done"


def test_how_far_a_suite_is(tmp_path: Path) -> None:
    models = [{"id": m, "model": f"policy/{m}"} for m in "abcd"]
    runs = plan(read_suite(written(tmp_path, models=models, limit=5), {})).runs
    places = {r.key: place_of(str(tmp_path / "runs"), r.key) for r in runs}
    for samples, (key, place) in zip((3, 9, 2), places.items(), strict=False):
        place.make()
        claim = take(place, Watch(), key)
        assert claim is not None
        beat(place, claim, samples, 0)
    third = places[runs[2].key]
    given_up = third.claim()
    assert given_up is not None
    release(third, given_up, 2, 0)
    outcomes = {runs[3].key: Outcome(runs[3].key, "failed")}
    # Samples of a second try are no more than there are; what was given up is not going on.
    assert _progress(runs, places, outcomes) == Progress(0, 4, 1, 2, 3 + 5, 10)


def test_how_a_runner_ended_is_said_in_words() -> None:
    options = Options("runs", expiry=60)
    assert "silent for more than 60 seconds and lost its run to another" in _death(LOST, options)
    assert "was killed (signal 9; is there enough memory?)" in _death(-9, options)
    assert "ended with status 3" in _death(3, options)


def test_a_beat_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    claim = Claim(1, "one", machine(), os.getpid())
    assert _beat_or_end(Place(str(tmp_path / "gone")), claim) == claim


def test_a_run_that_cannot_be_made_or_whose_log_is_damaged_is_an_error_with_its_reason(tmp_path: Path) -> None:
    (run,) = plan(read_suite(written(tmp_path, limit=1), {})).runs
    suite, root = Suite.model_validate(ONE), str(tmp_path / "runs")
    for wrong, reason in ((replace(run, args={"promts": "x"}), "unexpected keyword argument 'promts'"),
                          (run, "its log 2026-01-01_x.eval cannot be read; move it out of the folder")):  # fmt: skip
        if wrong is run:
            logs = tmp_path / "runs/logs" / run.key
            logs.mkdir(parents=True, exist_ok=True)
            (logs / "2026-01-01_x.eval").write_bytes(b"PK no archive")
        place = place_of(root, run.key)
        place.make()
        claim = take(place, Watch(), "one")
        assert claim is not None
        outcome = run_one(suite, wrong, place, claim, root)
        assert outcome.status == "error" and reason in outcome.reason, outcome
        held = place.claim()
        assert held is not None and held.released and held.reason == outcome.reason


def test_a_run_that_is_given_up_stays_so_though_a_beat_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beating = threading.Event()

    class Slow(Place):
        def replace(self, name: str, data: dict[str, Any]) -> None:
            if not data["released"]:
                beating.set()
                time.sleep(0.2)
            super().replace(name, data)

    def stopped(*args: Any) -> Outcome:
        assert beating.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr("evals.suites.run._evaluated", stopped)
    (run,) = plan(read_suite(written(tmp_path, limit=1), {})).runs
    place = Slow(place_of(str(tmp_path / "runs"), run.key).url)
    place.make()
    claim = take(place, Watch(), "one")
    assert claim is not None
    with pytest.raises(KeyboardInterrupt):
        run_one(Suite.model_validate(ONE), run, place, claim, str(tmp_path / "runs"), pulse=0.01)
    held = place.claim()
    assert held is not None and held.released


def test_why_a_run_is_not_done() -> None:
    """The error that most samples have, without the request; else the run's own; else what its status says."""
    refused = (
        'BadRequestError(\'Error code: 400\', Request:\n{\n  "messages": ["a made-up secret"]\n}\n\nno such model\')'
    )

    def samples(*errors: str) -> list[EvalSample]:
        made = [EvalError(message=e, traceback="", traceback_ansi="") for e in errors]
        return [EvalSample(id=n, epoch=1, input="", target="", error=e) for n, e in enumerate(made)]

    spec = EvalSpec(created="2026-01-01T00:00:00+00:00", task="", dataset=EvalDataset(), model="m", config=EvalConfig())
    log = EvalLog(eval=spec, status="error", error=EvalError(message="out of\nmemory", traceback="", traceback_ansi=""))
    assert _why(log, samples(refused, "x", refused)) == "2 samples: no such model (and 1 other error)"
    assert _why(log, samples("one\x1b[31m line")) == "1 sample: one [31m line"
    assert _why(log, []) == "out of memory"
    assert _why(log.model_copy(update={"error": None}), []) == "its log has the status error, and samples are missing"
    assert one_line("Request: nothing behind it") == "the provider refused the request"
    assert one_line(ValueError()) == "ValueError without a message"

"""Suites as data: what a file may say, what it takes, what would stop it, and how vLLM is told."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.suites import SuiteError, plan, read_suite
from evals.suites.check import check
from evals.suites.claims import ClaimError, Place, Watch, alive, beat, finish, machine, release, take
from evals.suites.endpoints import Served, address_of, compare, name_at
from evals.suites.model import ModelEntry, Suite
from evals.suites.run import provider_args
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

"""What a suite's servers say of themselves, and how vLLM is told."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from evals.suites.endpoints import Served, address_of, compare, name_at
from evals.suites.model import ModelEntry
from evals.suites.run import provider_args
from evals.suites.serve import Serve
from tests.support.openai_server import ScriptedServer

ROOT = Path(__file__).resolve().parents[2]


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

"""A small study whose every figure is known beforehand: models and a judge whose answers hang on the question alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from evals.conditions import load_condition
from evals.suites.claims import alive
from results.store import Store
from tests.support.openai_server import Handler, Request, ScriptedServer, text, verdict_json

ROOT = Path(__file__).resolve().parents[2]
CONDITIONS = ("baseline", "prompted")
NAMES = ("none", "partial", "full")
COMMAND = [str(Path(sys.executable).with_name("psychosafe")), "run"]
SITE = Path(__file__).with_name("site")


def digest(*parts: str) -> int:
    return int(hashlib.sha256("|".join(parts).encode()).hexdigest(), 16)


def answer(server: str, model: str, system: str, prompt: str) -> str:
    return f"A made-up answer {digest(server, model, system, prompt) % 10**9} about a hard day."


def verdict(response: str) -> dict[str, int]:
    """The judge's values for a response, on the scales of the default rubric; categories as their index."""
    d = digest(response)
    return {
        "refusal": d % 2, "grounding": 1 + d // 7 % 5, "references": d // 3 % 2, "relevance": 1 + d // 11 % 5,
        "harm_provided": d // 13 % 3, "answered": d // 17 % 3,
    }  # fmt: skip


def system_of(request: Request) -> str:
    return next((m["content"] for m in request.messages if m["role"] == "system"), "")


def rated_text(request: Request) -> str:
    found = re.search(r"=== RESPONSE TO RATE \S+ ===\n(.*?)\n=== END", request.last_user, re.DOTALL)
    assert found is not None
    return found[1]


def answers(server: str = "") -> Handler:
    return lambda request: text(answer(server, request.model, system_of(request), request.last_user))


def judges(request: Request) -> Any:
    values: dict[str, Any] = dict(verdict(rated_text(request)))
    for criterion in ("harm_provided", "answered"):
        values[criterion] = NAMES[values[criterion]]
    return text(verdict_json(request, values))


@dataclass
class Study:
    """A suite in a folder of its own, with the servers that answer it.

    Attributes:
        folder: Where everything lies.
        server: The server of the judge, and of the models unless they have others.
        models: Entries of the suite's models.
        more: Further fields of the suite.
        seat: Further fields of the judge's seat.
        items: How many prompts.
        site: A folder in front of Python's path, for stand-ins.
    """

    folder: Path
    server: ScriptedServer
    models: Sequence[Mapping[str, Any]] = field(
        default=({"id": "one", "model": "openai-api/loop/m-one"}, {"id": "two", "model": "openai-api/loop/m-two"})
    )
    more: Mapping[str, Any] = field(default_factory=dict)
    seat: Mapping[str, Any] = field(default_factory=dict)
    items: int = 12
    site: Path | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prompts = {f"i{n:02}": f"a made-up message {n} about a hard day" for n in range(self.items)}
        expected = {"answer": "decline", "resource": "required", "resource_class": "crisis"}
        lines = [{"id": i, "prompt": p, "domain": "self_harm", "expected": expected} for i, p in self.prompts.items()]
        (self.folder / "items.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        # With its address: Inspect keeps a judge that it has made, and in one process that would be an earlier test's.
        seat = {"id": "j", "model": "openai-api/judge/j", "family": "other", "base_url": self.server.url, **self.seat}
        panel = {"judges": [seat]}
        (self.folder / "panel.yaml").write_text(yaml.safe_dump({"panels": {"p": panel}}), encoding="utf-8")
        self.path = self.folder / "study.yaml"
        self.write()
        self.server.script("j", judges)

    def write(self, **changes: Any) -> None:
        suite = {
            "suite": "study", "models": [dict(m) for m in self.models], "conditions": list(CONDITIONS),
            "tasks": [{"task": "psychosafe", "args": {"prompts": str(self.folder / "items.jsonl")}}],
            "panel": str(self.folder / "panel.yaml"), **self.more, **changes,
        }  # fmt: skip
        self.path.write_text(yaml.safe_dump(suite), encoding="utf-8")

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("INSPECT_")}
        path = os.pathsep.join(str(p) for p in (self.site, SITE, ROOT) if p is not None)
        keys = {
            "VLLM_API_KEY": "test-key",
            "INSPECT_CACHE_DIR": str(self.folder / "cache"),
            "PYTHONPATH": path,
            "INSPECT_EVAL_CTL_SERVER": "false",
        }
        return {**kept, **self.server.env("loop"), **self.server.env("judge"), **keys, "NO_PROXY": "127.0.0.1"}

    def args(self, *more: str, root: str | None = None, store: str = "store") -> list[str]:
        return [str(self.path), "--dir", root or str(self.folder / "runs"), "--store", str(self.folder / store), *more]

    def start(self, *more: str, root: str | None = None, store: str = "store") -> subprocess.Popen[str]:
        """`psychosafe run` as a process and a process group of its own; what it says goes to files."""
        number = len(list(self.folder.glob("said-*")))
        with open(self.folder / f"said-{number}", "w") as out:
            return subprocess.Popen(
                [*COMMAND, *self.args(*more, root=root, store=store)], cwd=self.folder, env=self.env, text=True,
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        """What the last command said."""
        last = max(self.folder.glob("said-*"), key=lambda p: int(p.name.removeprefix("said-")))
        return last.read_text(encoding="utf-8")

    def run(self, *more: str, timeout: float = 240, **given: Any) -> str:
        """One command to its end, which must be a good one; what it said."""
        process = self.start(*more, **given)
        assert process.wait(timeout) == 0, self.said()
        return self.said()

    def done(self, root: Path | None = None) -> dict[str, dict[str, Any]]:
        """What is written of runs that are done, by their names."""
        found = (root or self.folder / "runs").glob("claims/*/done.json")
        return {p.parent.name: json.loads(p.read_text(encoding="utf-8")) for p in found}

    def calls(self) -> Counter[str]:
        """Calls that the servers of the models have seen, by run."""
        systems = {load_condition(c, ROOT).system or "": c for c in CONDITIONS}
        return Counter(
            f"{r.model.removeprefix('m-')}_{systems[system_of(r)]}_psychosafe"
            for r in self.server.calls() if r.model.startswith("m-")
        )  # fmt: skip

    def check_store(self, store: str = "store", runs: int = 4, server: Callable[[str], str] = lambda _: "") -> None:
        """Every sample of every run once, with the values that are known beforehand."""
        there = Store(self.folder / store)
        manifests = list(there.manifests())
        assert len(manifests) == runs
        systems = set()
        for m in manifests:
            system = load_condition(m.condition.name or "", ROOT).system or ""
            systems.add((m.model.name, m.model.base_url, m.condition.name))
            name = m.model.name.removeprefix("openai-api/loop/").removeprefix("vllm/")
            table = there.ratings([m.run_id]).to_pylist()
            rows = [r for r in table if r["rater"] == "j"]
            seen = Counter((r["item_id"], r["epoch"], r["turn"], r["repeat"], r["criterion"]) for r in rows)
            assert set(seen.values()) == {1} and len(rows) == self.items * 6, m.run_id
            found: dict[str, dict[str, Any]] = {}
            for r in rows:
                assert r["status"] == "ok", r
                found.setdefault(r["item_id"], {})[r["criterion"]] = r["value"]
            given = {i: answer(server(m.model.base_url or ""), name, system, p) for i, p in self.prompts.items()}
            assert found == {i: verdict(said) for i, said in given.items()}, m.run_id
        assert len(systems) == runs


def until(what: Callable[[], bool], seconds: float = 240, process: subprocess.Popen[str] | None = None) -> bool:
    """Wait until something is so; False where time or the process ended before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        if process is not None and process.poll() is not None:
            return what()
        time.sleep(0.02)
    return False


def kill_all(process: subprocess.Popen[str]) -> None:
    """`kill -9` of a command's process group; its runners, which lead groups of their own, end by themselves."""
    runners = descendants(process.pid)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert until(lambda: not any(map(alive, runners)), 10), "runners outlive their parent"


def descendants(pid: int) -> list[int]:
    """Processes that a process has started, and those that these have, but for Python's own helpers."""
    parents: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = Path(f"/proc/{name}/stat").read_bytes().rpartition(b")")[2].split()
            line = Path(f"/proc/{name}/cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if stat[0] != b"Z" and b"resource_tracker" not in line:
            parents.setdefault(int(stat[1]), []).append(int(name))
    found, at = [], [pid]
    while at:
        at = [c for p in at for c in parents.get(p, [])]
        found += at
    return found

"""Every command of the README and of docs/ is run, or stands in a table with the reason why not."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.data import SETS
from evals.suites.check import PACKAGES
from results.store import Store
from tests.e2e.conftest import VERDICT
from tests.e2e.test_tutorial import BIN, answers, serves
from tests.evals.test_data_fetch import API, ONE, SORRY, Reply, Server, paper, put_hub, question, raw, xstest
from tests.results.test_import_lm_eval import results as harness_results
from tests.results.test_import_people_tools import pairs, slot
from tests.results.test_import_provenance import argilla, studio, table
from tests.results.test_reproduce import answered
from tests.support.document_commands import (
    HOSTED,
    INSTEAD,
    JUDGES,
    NOT_RUN,
    STORIES,
    TUTORIAL,
    VLLM,
    all_commands,
    as_run,
    covered,
    hosted,
    shown,
    story,
)
from tests.support.documents import DOCUMENTS, ROOT, commands, words
from tests.support.openai_server import Request, ScriptedServer, text, verdict_json
from tests.support.people import PROMPTS, answer, import_judgments, judgments
from tests.support.s3 import s3_bucket
from tests.test_documents import parsed

KIND, HARM = "That sounds like a hard day. You can call 988 at any time.", "A MADE-UP WAY that says nothing."
RUNS = {
    "RUN_BASELINE": ("psychosafe", "baseline", "gpt-5-mini"), "RUN_PROMPTED": ("psychosafe", "prompted", "gpt-5-mini"),
    "RUN_COMPLIANT": ("psychosafe", "none", "your-compliant-model"),
    "RUN_TWINS_BASELINE": ("contrast", "baseline", "gpt-5-mini"),
    "RUN_TWINS_PROMPTED": ("contrast", "prompted", "gpt-5-mini"),
}  # fmt: skip
"""Which run a placeholder means: task, condition, end of the model's name."""
HARNESS_RUN = ("lm_eval", "none", "base")


PLACEHOLDER = re.compile(r"\.\.\.|[|\[\]]|\b(?!RUN|HF_)[A-Z]{3,}(_[A-Z]+)*\b(?!=)")


def test_every_command_is_run_or_has_a_reason_why_not() -> None:
    """A story runs whatever its documents name: what a new command needs is that it can be typed as it stands."""
    assert {d for documents in STORIES.values() for d in documents} | {TUTORIAL} == set(DOCUMENTS)
    run = {c for name in STORIES for c in story(name)}
    left = [c for c in all_commands() if c not in run and c not in NOT_RUN and not covered(c)]
    assert [c for c in left if c not in commands(TUTORIAL) or words(c)[0] not in ("psychosafe", "inspect")] == []
    lines = [line for c in run for line in as_run(c)]
    assert [line for line in lines if PLACEHOLDER.search(line)] == [], "say what is put there: document_commands.py"
    for line in lines:
        if words(line)[0] == "psychosafe" and "--help" not in line:
            parsed(words(line)[1:])


def test_the_package_of_every_provider_that_a_command_names_is_installed() -> None:
    """Stories put a server on loopback in the place of hosted models, and would not miss it."""
    models = {m for c in shown() for m in re.findall(r"(?:--model |judge=|,)([a-z-]+)/[\w.]", c)}
    assert {"openai", "anthropic", "openrouter", "vllm", "policy"} <= models
    # What a fine-tune needs besides has an environment of its own, as the documents say.
    packages = {p for name in models - {"hf"} for p in PACKAGES.get(name, ())}
    assert "openai" in packages and [p for p in sorted(packages) if find_spec(p) is None] == []


def test_no_entry_is_stale() -> None:
    there = all_commands()
    assert [c for c in (*NOT_RUN, *INSTEAD) if c not in there] == []
    assert [c for c in INSTEAD if c in NOT_RUN] == []
    whole = "\n".join(d.read_text(encoding="utf-8") for d in DOCUMENTS)
    files = "\n".join((ROOT / f).read_text(encoding="utf-8") for f in ("judges/panels.yaml", *QUICK))
    assert [n for n, _ in HOSTED if n not in whole + files] == []
    assert [n for n in RUNS if not re.search(rf"\b{n}\b", whole)] == []


@pytest.mark.process
@pytest.mark.parametrize("command", [c for c in NOT_RUN if c.startswith("make ")])
def test_what_make_would_do_can_be_done(command: str) -> None:
    done = subprocess.run(["make", "-n", *words(command)[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.strip(), done.stderr


@pytest.mark.process
@pytest.mark.parametrize("command", ["python scripts/scaling.py", "psychosafe reproduce sorry-bench"])
def test_some_commands_as_they_stand(command: str, tmp_path: Path) -> None:
    assert command in all_commands()
    Place(tmp_path, {"PYTHONPATH": str(ROOT)}).run(command.replace("scripts/", f"{ROOT}/scripts/"))


QUICK = ("suites/quick.yaml", "suites/quick_panel.yaml")


@dataclass
class Place:
    """A checkout of its own in which commands are typed, and what they said."""

    folder: Path
    more: Mapping[str, str]
    said: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """Nothing of this machine's keys, stores and addresses."""
        foreign = ("_API_KEY", "_BASE_URL", "_TOKEN")
        kept = {
            k: v for k, v in os.environ.items() if not k.endswith(foreign) and not k.startswith(("PSYCHOSAFE_", "HF_"))
        }
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        home = str(self.folder / "home")
        return {
            **kept, "PATH": path, "PYTHONPATH": str(self.folder), "INSPECT_DISPLAY": "plain", "NO_PROXY": "127.0.0.1",
            "XDG_CACHE_HOME": home, "INSPECT_CACHE_DIR": home, "PSYCHOSAFE_DATA": f"{home}/data", **self.more,
        }  # fmt: skip

    def run(self, line: str) -> None:
        """Type a line in a shell; it must end well, and a server must answer once."""
        line, began = self.filled(line), time.monotonic()
        if serves(words(line)[1:]):
            args = words(line) if "--port" in line else [*words(line), "--port", "0"]
            said = answers(args, self.env, self.folder)
            if "annotate" in args and not {"--admin", "--adjudicate"} & set(args):
                people_rate(self, *args[3:6:2])
        else:
            done = subprocess.run(
                ["bash", "-c", line], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=1200
            )
            said = done.stdout + done.stderr
            assert done.returncode == 0, f"{line}\nexit status {done.returncode}\n{said[-3000:]}"
        self.said[line] = said
        print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)
        assert "Traceback (most recent" not in said, f"{line}\n{said[-3000:]}"

    def filled(self, line: str) -> str:
        """The line with the ids of runs in the places that stand for them."""
        if not re.search(r"\bRUN", line):
            return line
        given = re.search(r"--store (\S+)", line)
        found = list(Store(self.folder / (given[1] if given else "results/store")).manifests())
        sought = RUNS | {"RUN": HARNESS_RUN if "capabilities" in line else RUNS["RUN_BASELINE"]}
        for name, (task, condition, model) in sought.items():
            if re.search(rf"\b{name}\b", line):
                hits = [
                    (bool(m.source.rejudged_from), -len(m.items), m.run_id) for m in found
                    if (m.task, m.condition.name) == (task, condition) and m.model.name.endswith(model)
                ]  # fmt: skip
                assert hits, f"{line}\nno run of {task} under {condition} by {model}"
                line = re.sub(rf"\b{name}\b", min(hits)[2], line)
        return line


def people_rate(place: Place, plan: str, db: str) -> None:
    """Everybody in the plan goes through their cards while nobody watches: what they see is tested elsewhere."""
    names = [q["annotator"] for q in json.loads((place.folder / plan).read_text(encoding="utf-8"))["queues"]]
    command = [sys.executable, "-m", "tests.support.annotation_writer", db, plan, "once", "1", *names]
    subprocess.run(command, cwd=place.folder, env=place.env, check=True, timeout=200, stdout=subprocess.DEVNULL)


def judge(request: Request) -> Any:
    """A verdict by what stands in the answer, and now and then another by who judges."""
    differs = len(request.last_user) % 5 == len(request.model) % 5
    said = {**VERDICT, "grounding": 4 if KIND in request.last_user else 1, "relevance": 3 + differs}
    if HARM in request.last_user:
        said |= {"refusal": 0, "harm_provided": "partial"}
    return text(verdict_json(request, said))


def model(request: Request) -> Any:
    """Blunt or kind by the length of its instructions; one does what it is asked for."""
    if request.model == "your-compliant-model":
        return text(HARM)
    kind = len(str(request.messages)) > 3000
    thought = "<think>A made-up thought.</think>\n" if request.model in VLLM else ""
    return text(
        f"{thought}{KIND if kind else 'I cannot help with that.'} (Message of {len(request.last_user)} letters.)"
    )


def checkout(folder: Path) -> None:
    """The files of this checkout, with the server on loopback in the place of hosted models, and its environment."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for name in ("judges/panels.yaml", *QUICK):
        (folder / name).write_text(hosted((ROOT / name).read_text(encoding="utf-8")), encoding="utf-8")
    (folder / ".venv").symlink_to(BIN.parent)


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """A checkout, with servers for whatever its commands ask for."""
    checkout(folder)
    with ScriptedServer() as server, Server() as data:
        for name, played in HOSTED:
            server.script(played.removeprefix("openai-api/lab/"), model if name == "openai/gpt-5-mini" else judge)
        for name in VLLM:
            server.script(name, model)
        for name in JUDGES:
            server.script(name, judge)
        data.routes = {API: Reply(ONE.encode()), raw(ONE): Reply(paper())}
        put_hub(data, SORRY, {"question.jsonl": question("base"), "question_ascii.jsonl": question("ascii")})
        spec = SETS["paper_judgments"]
        data.routes[f"/{spec.source}/{spec.ref}/{spec.files[0].path}"] = Reply(published(folder, 455))
        services = {k: v for s in ("lab", "judge") for k, v in server.env(s).items()}
        hubs = dict.fromkeys(("PSYCHOSAFE_GITHUB_RAW", "PSYCHOSAFE_GITHUB_API", "HF_ENDPOINT"), data.url)
        yield Place(folder, {**services, "VLLM_BASE_URL": server.url, **hubs})


def published(folder: Path, prompts: int) -> bytes:
    """A judgment file of the four published runs, of made-up texts."""
    made = json.loads(answered(folder).read_text(encoding="utf-8"))
    rows = [{**made["results"][n % 8], "id": n, "prompt": f"a made-up message {n}"} for n in range(prompts)]
    return json.dumps({**made, "num_items": prompts, "results": rows}).encode()


def files_of_the_readme(there: Place) -> None:
    """What the commands read, under the names that the documents use."""
    folder, three = there.folder, ("Yes", 3, "No", 4)
    store = Store(folder / "home" / "published")
    import_judgments(store, judgments(folder))
    for make, called in ((table, "ratings.csv"), (studio, "export.json"), (argilla, "records.json")):
        make(folder, store)[0].rename(folder / called)
    rows = [{"pair_id": f"p{n}", "a": slot(p, answer("v0", n), three), "b": slot(p, answer("v1", n), three)}
            for n, p in enumerate(PROMPTS)]  # fmt: skip
    pairs(folder, rows)
    (folder / "compare_all_judges_qwen3.5_full_vs_sft.json").write_bytes(published(folder, 8))
    (folder / "xstest_prompts.csv").write_bytes(xstest())
    (folder / "results_2026-01-01T00-00-00.json").write_text(json.dumps(harness_results()), encoding="utf-8")
    there.run("psychosafe import lm-eval results_*.json")  # a run to compare with, before it is asked for
    (folder / "advisories").mkdir()
    (folder / "advisories" / "made-up.json").write_text('{"id": "MADE-UP-1", "affected": []}', encoding="utf-8")


def files_of_the_suites(there: Place) -> None:
    """The suites of the page, the first with few prompts."""
    page = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)
    (first,) = (b for b in blocks if b.startswith("suite:"))
    (second,) = (b for b in blocks if "serve:" in b)
    (there.folder / "suite.yaml").write_text(f"{hosted(first)}limit: 12\n", encoding="utf-8")
    served = {"suite": "served", **yaml.safe_load(second), "tasks": [{"task": "psychosafe"}]}
    (there.folder / "served.yaml").write_text(yaml.safe_dump(served), encoding="utf-8")


def files_of_the_recipes(there: Place) -> None:
    """Each block under the name that the sentence before it gives, and two runs for what works on a store."""
    page = (ROOT / "docs" / "how-to.md").read_text(encoding="utf-8")
    parts = page.split("\n\n")
    named = [(re.findall(r"`([\w-]+\.(?:yaml|md|jsonl|csv))`", a), b) for a, b in pairwise(parts)]
    blocks = [(names[-1], "".join(b.splitlines(keepends=True)[1:-1])) for names, b in named
              if names and b.startswith("```") and b.splitlines()[0] != "```"]  # fmt: skip
    assert {"panel.yaml", "kind.md", "mine.yaml", "prompts.jsonl", "lora.yaml", "sheet.csv", "mapping.yaml",
            "labelled.csv"} == {name for name, _ in blocks}  # fmt: skip
    for name, block in blocks:
        (there.folder / name).write_text(hosted(block), encoding="utf-8")
    with (there.folder / "lora.yaml").open("a", encoding="utf-8") as file:
        file.write("limit: 4\n")
    for condition in ("baseline", "prompted"):
        there.run(f"inspect eval evals/psychosafe.py --model {HOSTED[0][1]} -T judges=panel.yaml -T "
                  f"condition={condition} --limit 20")  # fmt: skip
    there.run("psychosafe ingest logs")
    sheet = there.folder / "sheet.csv"
    sheet.write_text(there.filled(sheet.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.socket
@pytest.mark.process
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(STORIES))
def test_the_commands_of_a_story(name: str, tmp_path: Path) -> None:
    wrong = []
    with ExitStack() as stack:
        if name == "suites":
            stack.enter_context(s3_bucket("bucket"))
        there = stack.enter_context(place(tmp_path / "checkout"))
        before = {"suites": files_of_the_suites, "readme": files_of_the_readme, "how-to": files_of_the_recipes}
        prepare = before.get(name)
        if prepare is not None:
            prepare(there)
        for command in story(name):
            for line in as_run(command):
                try:
                    there.run(line)
                except (AssertionError, subprocess.TimeoutExpired, ValueError) as ex:
                    wrong.append(f"{ex}")
    assert wrong == [], "\n\n".join(wrong)

"""Plans of capability benchmarks: the harness's command line, what is refused, and what is warned of."""

from __future__ import annotations

import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from evals.capabilities import (
    CapabilityError,
    Plan,
    check,
    check_installed,
    command,
    harness_version,
    run,
    thinks,
    warnings_of,
)
from evals.capability_process import watched
from evals.capability_tasks import UnknownTask, scoring_of
from evals.conditions import BASELINE, load_condition
from evals.tiny import CHAT_TEMPLATE
from tests.support.everyday import GENERATED, TASK, questions, task_files
from tests.support.fake_harness import install

NONE, OWN = load_condition("none"), load_condition("baseline")
URL = "http://localhost:8000/v1"
CHAT: dict[str, Any] = {"backend": "local-chat-completions", "base_url": URL}


def plan(*tasks: str, **changes: Any) -> Plan:
    return Plan(**{"model": "vendor/made-up", "tasks": tasks or ("hellaswag",), "condition": NONE, **changes})


def words(p: Plan) -> tuple[dict[str, str | None], dict[str, Any]]:
    """Options of a plan's command line, and the model's arguments."""
    line = command(p, Path("out"))
    assert line[:4] == [sys.executable, "-m", "lm_eval", "run"]
    found: dict[str, str | None] = {}
    for at, word in enumerate(line[4:], 4):
        if word.startswith("--"):
            after = line[at + 1] if at + 1 < len(line) else "--"
            found[word] = None if after.startswith("--") else after
    return found, json.loads(found["--model_args"] or "")


def test_a_plan_is_a_command_line_of_the_harness(tmp_path: Path) -> None:
    options, args = words(plan("hellaswag", "mmlu", condition=OWN, limit=0.5, seed=7, batch="auto", shots=0))
    assert (options["--model"], options["--tasks"]) == ("hf", "hellaswag,mmlu")
    assert options["--system_instruction"] == BASELINE and "--apply_chat_template" not in options
    assert [options[f"--{o}"] for o in ("limit", "seed", "batch_size", "num_fewshot")] == ["0.5", "7", "auto", "0"]
    assert options["--output_path"] == "out" and "--log_samples" in options
    assert args == {"pretrained": "vendor/made-up"}
    # An equals sign or a comma in a path would break the harness's own a=b,c=d, so arguments are JSON.
    odd = tmp_path / "a=b,c"
    odd.mkdir()
    tuned = plan(adapter=str(odd), thinking=False, chat_template=True, arguments={"dtype": "bfloat16"})
    options, args = words(tuned)
    assert "--system_instruction" not in options and options["--apply_chat_template"] is None
    assert args == {
        "pretrained": "vendor/made-up", "peft": str(odd), "enable_thinking": False, "dtype": "bfloat16"
    }  # fmt: skip
    assert words(plan(backend="vllm", adapter=str(odd)))[1]["lora_local_path"] == str(odd)
    assert words(plan("gsm8k", thinking=True, chat_template=True))[1]["think_end_token"] == "</think>"


def test_servers_are_asked_at_the_address_of_their_kind() -> None:
    options, args = words(plan(backend="local-completions", base_url=URL + "/", tokenizer="vendor/tok"))
    assert args["base_url"] == f"{URL}/completions" and args["model"] == "vendor/made-up"
    assert (args["tokenizer"], args["tokenizer_backend"]) == ("vendor/tok", "huggingface")
    options, args = words(plan("gsm8k", thinking=False, **CHAT))
    assert args["base_url"] == f"{URL}/chat/completions" and "--apply_chat_template" in options
    assert json.loads(options["--gen_kwargs"] or "") == {"chat_template_kwargs": {"enable_thinking": False}}
    options, args = words(plan("gsm8k", thinking=True, **CHAT))
    assert args["think_end_token"] == "</think>" and "think_end_token" not in words(plan("gsm8k", **CHAT))[1]
    assert (
        words(plan(backend="local-completions", base_url=f"{URL}/completions"))[1]["base_url"] == f"{URL}/completions"
    )


REFUSED: dict[str, tuple[Plan, str]] = {
    "likelihood on a chat endpoint": (plan("gsm8k", "mmlu", **CHAT), "mmlu is scored by the likelihood of its answers"),
    "likelihood behind an open thought": (plan(thinking=True, chat_template=True), "measures nothing"),
    "thinking without a template": (plan("gsm8k", thinking=False), "add --chat-template"),
    "thinking and a completions server": (
        plan(backend="local-completions", base_url=URL, thinking=False, chat_template=True), "use hf, vllm or a chat"
    ),
    "no address": (plan(backend="local-completions"), "needs --base-url"),
    "an address and no server": (plan(base_url=URL), "leave --base-url out"),
    "a key in an address": (plan(backend="local-completions", base_url="http://u:p@h/v1"), "OPENAI_API_KEY"),
    "an adapter on a server": (plan("gsm8k", adapter="x", **CHAT), "served under a name of its own"),
    "no such model": (plan(model="/no/such/folder"), "the model '/no/such/folder' is no folder"),
    "no such adapter": (plan(adapter="./no-such-folder"), "the adapter"),
    "vLLM and an adapter on a hub": (plan(backend="vllm", adapter="vendor/lora"), "vLLM takes an adapter from disk"),
    "no such task folder": (plan(include=Path("/no/such")), "no folder of task files"),
    "no task": (Plan("m", (), NONE), "no task name"),
    "an option for a task": (plan("--model=x"), "'--model=x' is no task name"),
    "twice": (plan("mmlu", "mmlu"), "named twice"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_give_a_figure_is_refused_in_one_line(what: str) -> None:
    bad, says = REFUSED[what]
    with pytest.raises(CapabilityError) as told:
        check(bad, start=False)
    assert says in str(told.value) and "\n" not in str(told.value)


@pytest.mark.skipif(find_spec("lm_eval") is not None, reason="the harness is installed")
def test_without_the_harness_the_line_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(CapabilityError, match=r"pip install -e '\.\[capabilities\]'"):
        check(plan())
    assert check(plan(), start=False) == {"hellaswag": "likelihood"}
    with pytest.raises(CapabilityError, match=r"lm_eval ended with status 1: .*No module named lm_eval.*log.txt"):
        run(plan(), tmp_path / "out")
    with pytest.raises(CapabilityError, match="is not empty"):
        run(plan(), tmp_path / "out")


def test_what_is_missing_beside_the_harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(install(tmp_path)))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *(p for p in sys.path if not find_in(p, "torch", "vllm", "peft"))])
    for backend, said in (
        ("vllm", "an environment of its own, see constraints/vllm.txt"),
        ("hf", "torch is not installed"),
    ):
        with pytest.raises(CapabilityError, match=said):
            check(plan(backend=backend))
    check_installed(plan(backend="local-completions", base_url=URL))
    (tmp_path / "file").write_text("x")
    with pytest.raises(CapabilityError, match=r"file/out: Not a directory; give another folder"):
        run(plan(), tmp_path / "file/out")


def find_in(folder: str, *packages: str) -> bool:
    return any((Path(folder) / p).exists() for p in packages)


def test_the_version_of_the_harness_is_none_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "lm_eval-9.8.7.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: lm_eval\nVersion: 9.8.7\n")
    assert harness_version() is None or find_spec("lm_eval") is not None
    monkeypatch.syspath_prepend(str(tmp_path))
    assert harness_version() == "9.8.7"


def test_what_the_harness_says_while_it_runs(tmp_path: Path) -> None:
    """Its bars come with carriage returns; whoever is told how far it is may end it."""
    code = "print('start'); print('3/60 [00:01]', end=chr(13)); print('7/60 [00:02]'); print('  '); print('end')"
    seen: list[tuple[int, int]] = []
    with (tmp_path / "log").open("wb") as log:
        status, last = watched([sys.executable, "-S", "-c", code], log, lambda *n: seen.append(n))
    assert (status, last) == (0, "end") and seen[-1] == (7, 60)
    assert (tmp_path / "log").read_bytes().startswith(b"start\n")

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    began = time.monotonic()
    code = "import time; print('3/60 [', flush=True); time.sleep(60)"
    with (tmp_path / "log").open("wb") as log, pytest.raises(KeyboardInterrupt):
        watched([sys.executable, "-S", "-c", code], log, stop)
    assert time.monotonic() - began < 30


def test_tasks_that_only_the_harness_knows_are_asked_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one that is laid out otherwise nothing is known; a task that it says it lacks is refused."""
    monkeypatch.setenv("PYTHONPATH", str(install(tmp_path)))
    assert scoring_of(["else", "mmlu"], ask=True) == {"else": None, "mmlu": "likelihood"}
    tasks = tmp_path / "lm_eval/tasks"
    tasks.mkdir()
    (tasks / "_yaml_loader.py").write_text("def load_yaml(path, resolve_func): return {'output_type': path}\n")
    (tasks / "__init__.py").write_text(
        "from types import SimpleNamespace as E\n"
        "def task(kind): return E(cfg=None, yaml_path=kind, tags=())\n"
        "class TaskManager:\n"
        "    def __init__(self, include_path): self.task_index = {\n"
        "        'choice': task('multiple_choice'), 'text': task('generate_until'),\n"
        "        'empty': E(cfg={'task': []}, tags=()),\n"
        "        'both': E(cfg={'task': ['text', {'group': 'inner'}, 'both']}, tags=()),\n"
        "        'inner': E(cfg={}, yaml_path=None, tags=('choice',))}\n"
    )
    assert scoring_of(["choice", "text", "both", "empty"], tmp_path, ask=True) == {
        "choice": "likelihood", "text": "generation", "both": "likelihood", "empty": None,
    }  # fmt: skip
    with pytest.raises(UnknownTask, match="no task 'nowhere': `python -m lm_eval ls tasks` lists them"):
        scoring_of(["choice", "nowhere"], ask=True)


def test_how_a_task_is_scored(tmp_path: Path) -> None:
    own = task_files(tmp_path)
    assert scoring_of([TASK, GENERATED], own) == {TASK: "likelihood", GENERATED: "generation"}
    (own / "own.yaml").write_text("task: of_its_own\n!function x\n")  # left to the harness
    (own / "more.yaml").write_text(
        "task: else\ninclude: base.yaml\noutput_type: multiple_choice\n"
    )  # as what it builds on
    (own / "list.yaml").write_text("- else\n")
    assert scoring_of(["mmlu_anatomy", "mmlu_anatomy_generative", "mmlu_pro", "of_its_own", "else"], own) == {
        "mmlu_anatomy": "likelihood", "mmlu_anatomy_generative": "generation", "mmlu_pro": "generation",
        "of_its_own": None, "else": None,
    }  # fmt: skip
    assert len(questions()) == 24 == len({q["question"] for q in questions()})
    assert [sum(q["answer"] == n for q in questions()) for n in range(4)] == [6, 6, 6, 6]


def test_a_likelihood_behind_a_thinking_template_is_warned_of(tmp_path: Path) -> None:
    def said(p: Plan) -> str:
        return " | ".join(warnings_of(p, check(p, start=False)))

    (tmp_path / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    thinker = plan(model=str(tmp_path), chat_template=True)
    assert thinks(thinker) and "mmlu .23" in said(thinker)
    assert "mmlu .23" not in said(plan(model=str(tmp_path)))  # without the template
    assert "mmlu .23" not in said(plan(model=str(tmp_path), chat_template=True, thinking=False))
    assert "mmlu .23" not in said(plan("gsm8k", model=str(tmp_path), chat_template=True))
    (tmp_path / "chat_template.jinja").write_text("{{ messages }}")
    assert not thinks(plan(model=str(tmp_path), arguments={}))  # its files say so, whatever it is called
    (tmp_path / "chat_template.jinja").unlink()
    for told, thinker in (({"chat_template": "{{ '<think>' }}"}, True), ({"chat_template": "plain"}, False),
                          ({"chat_template": [{"name": "x", "template": "enable_thinking"}]}, True)):  # fmt: skip
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(told))
        assert thinks(plan(model=str(tmp_path))) is thinker
    names = ("Qwen/Qwen3.5-27B", "x/QwQ-32B", "deepseek/DeepSeek-R1", "Qwen/Qwen3-4B-Instruct", "vendor/plain")
    assert [thinks(plan(model=m)) for m in names] == [True, True, True, False, False]
    assert "plain text straight in front" in said(plan(condition=OWN)) and "part of each task" in said(plan(limit=3))
    assert said(plan()) == ""

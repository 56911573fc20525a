"""Plans of capability benchmarks: the harness's command line, what is refused, and what is warned of."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from evals.capabilities import CapabilityError, Plan, check, command, run, thinks, warnings_of
from evals.capability_tasks import scoring_of
from evals.conditions import BASELINE, load_condition
from evals.tiny import CHAT_TEMPLATE
from tests.support.everyday import GENERATED, TASK, questions, task_files

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


def test_how_a_task_is_scored(tmp_path: Path) -> None:
    own = task_files(tmp_path)
    assert scoring_of([TASK, GENERATED], own) == {TASK: "likelihood", GENERATED: "generation"}
    (own / "own.yaml").write_text("task: of_its_own\n!function x\n")  # left to the harness
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
    names = ("Qwen/Qwen3.5-27B", "x/QwQ-32B", "deepseek/DeepSeek-R1", "Qwen/Qwen3-4B-Instruct", "vendor/plain")
    assert [thinks(plan(model=m)) for m in names] == [True, True, True, False, False]
    assert "plain text straight in front" in said(plan(condition=OWN)) and "part of each task" in said(plan(limit=3))
    assert said(plan()) == ""

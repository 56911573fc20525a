"""Benchmarks of capability for the same model under the same condition, run by lm-evaluation-harness.

A plan becomes a command line of the harness's own program, which runs in a process of its own; `results` reads what it
writes. A plan that cannot give a meaningful figure is refused before anything is started.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

from evals.capability_process import refused_by_server, watched
from evals.capability_tasks import Scoring, scoring_of
from evals.conditions import Condition
from rubrics.errors import MendableError

Backend = Literal["hf", "vllm", "local-completions", "local-chat-completions"]
BACKENDS: Final[tuple[Backend, ...]] = ("hf", "vllm", "local-completions", "local-chat-completions")
"""How the harness reaches a model, in its own words: Transformers, vLLM, or an OpenAI-compatible server."""
SERVED: Final[Mapping[str, str]] = {
    "local-completions": "completions",
    "local-chat-completions": "chat/completions",
}
"""Backends that are servers, and the last part of the address that they answer at."""
INSTALL: Final = "pip install -e '.[capabilities]' -c constraints/base.txt -c constraints/capabilities.txt"
INSTALL_HF: Final = "pip install -e '.[capabilities,tiny]' -c constraints/base.txt -c constraints/capabilities.txt"
END_OF_THOUGHT: Final = "</think>"
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {"hf": ("torch", "transformers", "accelerate"), "vllm": ("vllm",)}
_TASK: Final = re.compile(r"[A-Za-z0-9][\w.|+-]{0,119}", re.ASCII)
_THINKS: Final = re.compile(r"think|reason|qwq|[-_/]r1\b|qwen3(?!.*instruct)", re.I)
MAX_SAID: Final = 200


class CapabilityError(MendableError):
    """A plan that cannot be run, or a run that failed; the message says what to do."""


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        model: Path, name on a hub, or the name that a server knows the model by.
        tasks: Names of tasks or groups of the harness.
        condition: What the model is given besides the questions.
        backend: How the harness reaches the model.
        base_url: Address of a server, up to `/v1`; for the two backends that are servers.
        adapter: Path or name of a LoRA adapter that stands on the model (`hf`, `vllm`).
        tokenizer: Tokenizer of a served model, if the server does not tell of its own.
        chat_template: Whether questions are put as turns of a chat. A chat endpoint always does.
        thinking: Whether the chat template asks for a thought; None leaves that to the template.
        limit: Only the first so many questions of each task; below 1, that share.
        shots: Examples in front of each question; the task's own number if not given.
        seed: Of the harness and of the choice of examples; its own fixed seeds if not given.
        batch: Questions at once, a number or `auto`.
        device: As torch names it.
        include: A folder with task files of one's own.
        concurrent: Requests that a server gets at once.
        arguments: Further arguments of the model, in the harness's words.
        thinker: Whether the model is known to reason first, whatever its name and files say.
    """

    model: str
    tasks: tuple[str, ...]
    condition: Condition
    backend: Backend = "hf"
    base_url: str | None = None
    adapter: str | None = None
    tokenizer: str | None = None
    chat_template: bool = False
    thinking: bool | None = None
    limit: float | None = None
    shots: int | None = None
    seed: int | None = None
    batch: str | None = None
    device: str | None = None
    include: Path | None = None
    concurrent: int = 8
    arguments: Mapping[str, Any] = field(default_factory=dict)
    thinker: bool = False


def check(plan: Plan, *, start: bool = True) -> dict[str, Scoring | None]:
    """Refuse a plan that cannot be run, or whose figures would mean nothing.

    Args:
        plan: The plan.
        start: Whether it is to be run here; if not, the harness need not be installed.

    Returns:
        How each task is scored; None where it is not known.

    Raises:
        CapabilityError: In one line, with what to do.
        UnknownTask: A task that the harness does not have, where it had to be asked.
    """
    bad = next((t for t in plan.tasks if not _TASK.fullmatch(t)), None)
    if bad is not None or not plan.tasks:
        raise CapabilityError(f"{(bad or '')[:60]!r} is no task name: give some, as --tasks hellaswag,mmlu")
    if len(set(plan.tasks)) < len(plan.tasks):
        raise CapabilityError("a task is named twice; name each once")
    _check_place(plan)
    if plan.thinking is not None and plan.backend == "local-completions":
        raise CapabilityError(
            "the harness cannot tell a completions server about thinking; use hf, vllm or a chat server"
        )
    if plan.thinking is not None and not _templated(plan):
        raise CapabilityError("thinking is asked for by the chat template; add --chat-template")
    if start:
        check_installed(plan)
    chat = plan.backend == "local-chat-completions"
    found = scoring_of(plan.tasks, plan.include, ask=start and chat)
    scored = [t for t, scoring in found.items() if scoring == "likelihood"]
    if scored and chat:
        raise CapabilityError(
            f"{scored[0]} is scored by the likelihood of its answers, which a chat endpoint does not tell; use "
            "--backend local-completions, or a task that generates (mmlu_generative)"
        )
    if scored and plan.thinking:
        raise CapabilityError(
            f"{scored[0]} is scored by the likelihood of its answers, which behind an open thought measures nothing; "
            "use --thinking off, or a task that generates (mmlu_generative)"
        )
    return found


def warnings_of(plan: Plan, scoring: Mapping[str, Scoring | None]) -> list[str]:
    """What to know of a plan's figures before it is run, a line each."""
    out = []
    scored = [t for t, s in scoring.items() if s != "generation"]
    if plan.chat_template and scored and plan.thinking is not False and thinks(plan):
        out.append(
            f"{', '.join(scored)}: the likelihood of an answer straight behind the template of a thinking model, which "
            "expects a thought there; the published figure of this kind (mmlu .23) is chance. Use no template, "
            "--thinking off, or a task that generates"
        )
    if plan.condition.system is not None and not _templated(plan):
        out.append(
            "without a chat template the system instruction is plain text straight in front of each question, as the "
            "harness has it"
        )
    if plan.limit is not None:
        out.append("only a part of each task is run; such a run compares with runs of the same part only")
    return out


def thinks(plan: Plan) -> bool:
    """Whether a model's chat template knows thoughts, as its files say; where there are none, as its name says."""
    if plan.thinker:
        return True
    for place in (plan.tokenizer, plan.adapter, plan.model):
        text = _template_text(Path(place)) if place else None
        if text is not None:
            return thinking_template(text)
    return bool(_THINKS.search(plan.model))


def thinking_template(text: str) -> bool:
    """Whether the text of a chat template knows thoughts."""
    return "<think>" in text or "enable_thinking" in text


def command(plan: Plan, output: Path) -> list[str]:
    """The harness's command line for a plan.

    Args:
        plan: The plan.
        output: Folder for what the harness writes.
    """
    out = [sys.executable, "-m", "lm_eval", "run", "--model", plan.backend]
    out += ["--model_args", json.dumps(_model_args(plan)), "--tasks", ",".join(plan.tasks)]
    if plan.condition.system is not None:
        out += ["--system_instruction", plan.condition.system]
    out += ["--apply_chat_template"] if _templated(plan) else []
    if plan.thinking is not None and plan.backend in SERVED:
        out += ["--gen_kwargs", json.dumps({"chat_template_kwargs": {"enable_thinking": plan.thinking}})]
    options = {
        "--limit": None if plan.limit is None else f"{plan.limit:g}",
        "--num_fewshot": plan.shots,
        "--seed": plan.seed,
        "--batch_size": plan.batch,
        "--device": plan.device,
        "--include_path": plan.include,
        "--output_path": output,
    }
    out += [text for name, value in options.items() if value is not None for text in (name, str(value))]
    return [*out, "--log_samples"]


def run(
    plan: Plan,
    output: Path,
    progress: Callable[[int, int], None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """Run a plan that `check` let pass.

    Args:
        plan: The plan.
        output: A folder that is empty or not there yet; the harness's files and its log (`log.txt`) go into it.
        progress: Called with the questions done and to be done.
        environ: Environment variables of the harness; those of this process if not given.

    Returns:
        The harness's results file.

    Raises:
        CapabilityError: The folder is in use, or the harness failed; its log is named.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        if any(output.iterdir()):
            raise CapabilityError(f"{output} is not empty; give each run a folder of its own")
        with (output / "log.txt").open("wb") as log:
            status, last = watched(command(plan, output), log, progress, environ)
    except OSError as ex:
        raise CapabilityError(f"{output}: {ex.strerror or ex}; give another folder") from ex
    found = sorted(output.rglob("results_*.json"))
    if status != 0 or not found:
        what = f"ended with status {status}" if status else "wrote no results"
        why = refused_by_server(output / "log.txt") or last or "it said nothing"
        shown = "".join(c if c.isprintable() else " " for c in why[:MAX_SAID])
        raise CapabilityError(f"lm_eval {what}: {shown}; its log is {output / 'log.txt'}")
    return found[-1]


def _check_place(plan: Plan) -> None:
    served = plan.backend in SERVED
    if served and not plan.base_url:
        raise CapabilityError(f"{plan.backend} needs --base-url, as http://localhost:8000/v1")
    if not served and plan.base_url:
        raise CapabilityError(
            f"{plan.backend} runs the model here; leave --base-url out, or use --backend local-completions"
        )
    if plan.base_url and (not plan.base_url.startswith(("http://", "https://")) or "@" in plan.base_url):
        raise CapabilityError("--base-url is http://HOST/v1, without a key; a key goes into OPENAI_API_KEY")
    if served and plan.adapter:
        raise CapabilityError("an adapter is served under a name of its own; give that name as --model")
    if plan.backend == "vllm" and plan.adapter and not Path(plan.adapter).is_dir():
        raise CapabilityError(f"{plan.adapter[:120]!r} is no folder; vLLM takes an adapter from disk")
    for what, place in (("model", plan.model), ("adapter", plan.adapter), ("tokenizer", plan.tokenizer)):
        if place and place.startswith(("/", "./", "../", "~")) and not Path(place).expanduser().is_dir():
            raise CapabilityError(f"the {what} {place[-120:]!r} is no folder; give its path, or a name on the hub")
    if plan.include is not None and not plan.include.is_dir():
        raise CapabilityError(f"{str(plan.include)[-120:]!r} is no folder of task files")


def check_installed(plan: Plan) -> None:
    """Refuse a plan whose packages are not here.

    Raises:
        CapabilityError: In one line, with what to install.
    """
    if find_spec("lm_eval") is None:
        raise CapabilityError(f"lm_eval is not installed here: {INSTALL}")
    needed = [*_NEEDS.get(plan.backend, ()), *(["peft"] if plan.adapter and plan.backend == "hf" else [])]
    missing = [name for name in needed if find_spec(name) is None]
    if missing == ["vllm"]:
        raise CapabilityError("vllm is not installed here: it has an environment of its own, see constraints/vllm.txt")
    if missing:
        raise CapabilityError(f"{missing[0]} is not installed here: {INSTALL_HF}")


def harness_version() -> str | None:
    """The version of the harness that is installed; None where there is none."""
    try:
        return importlib.metadata.version("lm_eval")
    except importlib.metadata.PackageNotFoundError:
        return None


def _templated(plan: Plan) -> bool:
    return plan.chat_template or plan.backend == "local-chat-completions"


def _model_args(plan: Plan) -> dict[str, Any]:
    if plan.backend in SERVED:
        out: dict[str, Any] = {"model": plan.model, "base_url": _address(plan), "num_concurrent": plan.concurrent}
        if plan.tokenizer:
            out |= {"tokenizer": plan.tokenizer, "tokenizer_backend": "huggingface"}
        if plan.backend == "local-chat-completions" and plan.thinking:
            out["think_end_token"] = END_OF_THOUGHT
        return out | dict(plan.arguments)
    out = {"pretrained": plan.model}
    if plan.adapter:
        out["peft" if plan.backend == "hf" else "lora_local_path"] = plan.adapter
    if plan.tokenizer:
        out["tokenizer"] = plan.tokenizer
    if plan.thinking is not None:
        out["enable_thinking"] = plan.thinking
        out |= {"think_end_token": END_OF_THOUGHT} if plan.thinking else {}
    return out | dict(plan.arguments)


def _address(plan: Plan) -> str:
    """The address that the harness asks: it wants the whole of it."""
    given, last = (plan.base_url or "").rstrip("/"), SERVED[plan.backend]
    return given if given.endswith(f"/{last}") else f"{given}/{last}"


def _template_text(folder: Path) -> str | None:
    """The chat template among a model's files; None where there is none, or no such folder."""
    try:
        if (folder / "chat_template.jinja").is_file():
            return (folder / "chat_template.jinja").read_text(encoding="utf-8")
        told = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    text = told.get("chat_template") if isinstance(told, dict) else None
    return None if text is None else text if isinstance(text, str) else json.dumps(text)

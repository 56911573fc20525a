"""Everything that would stop a suite, said at once and before the first call."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from collections.abc import Mapping
from typing import Final

from evals.suites.capability import wrong_with
from evals.suites.endpoints import Served, address_of, compare, service_of
from evals.suites.model import BY_PANEL, ModelEntry, TaskEntry
from evals.suites.plan import Plan, judges_of
from judges.panels import PanelError
from judges.seats import SELF_JUDGING

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "openai": ("OPENAI_API_KEY",), "anthropic": ("ANTHROPIC_API_KEY",), "google": ("GOOGLE_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",), "groq": ("GROQ_API_KEY",), "together": ("TOGETHER_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",), "grok": ("GROK_API_KEY",), "fireworks": ("FIREWORKS_API_KEY",),
}  # fmt: skip
"""Variables that a provider needs; of others Inspect tells when it is asked."""
PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "openai": ("openai",), "openai-api": ("openai",), "vllm": ("openai",), "anthropic": ("anthropic",),
    "google": ("google.genai",), "mistral": ("mistralai",), "groq": ("groq",), "together": ("openai",),
    "openrouter": ("openai",), "grok": ("xai_sdk",), "hf": ("torch", "transformers"), "fireworks": ("openai",),
}  # fmt: skip
"""Packages that a provider needs."""


def check(
    found: Plan, environ: Mapping[str, str] | None = None, ask: bool = True
) -> tuple[dict[str, Served], list[str]]:
    """What would stop a plan.

    Args:
        found: The plan.
        environ: Environment variables; those of this process if not given.
        ask: Whether servers are asked what they serve.

    Returns:
        What the servers say, by id of the model; and everything that is wrong, a line each.
    """
    env = os.environ if environ is None else environ
    asked = [r for r in found.runs if isinstance(r.task, TaskEntry)]
    wrong = [f"{r.key}: {r.note}" for r in asked if r.samples is None or r.note]
    wrong = list(dict.fromkeys(_without_key(w, found) for w in wrong))
    wrong += wrong_with(found.suite, found.runs, env)
    twice = [k for k, n in Counter(r.key for r in found.runs).items() if n > 1]
    wrong += [f"{k}: two runs would be called so; give conditions names that differ" for k in twice]
    names: dict[str, str | None] = {m.model: m.base_url or (address_of(m, env) if not m.serve else "started") for m in
                                    found.suite.models}  # fmt: skip
    if env.get("VLLM_BASE_URL"):
        wrong += [f"{m.id}: has `serve`, and the server at $VLLM_BASE_URL would be used instead: unset it, or give the "
                  "model a base_url" for m in found.suite.models if m.serve is not None]  # fmt: skip
    wrong += _judges(found, names)
    for model, address in names.items():
        wrong += [f"{model}: {what}" for what in lacking(model, address, env)]
    served: dict[str, Served] = {}
    if ask:
        served, unlike = compare(found.suite.models, env)
        wrong += unlike
        wrong += _judge_servers(found, names, env)
    return served, list(dict.fromkeys(wrong))


def lacking(model: str, address: str | None, environ: Mapping[str, str]) -> list[str]:
    """Variables and packages that a model needs and that are not there.

    Args:
        model: Inspect's name of it.
        address: Where it is served, if that is known.
        environ: Environment variables.
    """
    provider = model.partition("/")[0]
    wrong = []
    needed = [v for v in KEYS.get(provider, ()) if not environ.get(v)]
    service = service_of(model)
    if service:
        needed += [] if environ.get(f"{service}_API_KEY") else [f"{service}_API_KEY"]
        needed += [] if address or environ.get(f"{service}_BASE_URL") else [f"{service}_BASE_URL"]
    if needed:
        wrong.append(f"needs {' and '.join('$' + v for v in needed)}")
    packages = list(PACKAGES.get(provider, ()))
    if provider == "vllm" and not (address and address != "started") and not environ.get("VLLM_BASE_URL"):
        packages.append("vllm")
    absent = [p for p in packages if not _there(p)]
    if absent:
        more = ", or the address of a server (base_url, or $VLLM_BASE_URL)" if absent == ["vllm"] else ""
        wrong.append(f"needs {', '.join(absent)}: pip install {' '.join(p.replace('.', '-') for p in absent)}{more}")
    return wrong


def _judges(found: Plan, names: dict[str, str | None]) -> list[str]:
    """What is wrong with judges; their models are added to the names that are looked at."""
    wrong = []
    for run in found.runs:
        try:
            for judge in judges_of(run):
                if judge.model is None:
                    continue
                names.setdefault(judge.model, judge.base_url)
                if judge.model == run.model.model and not run.args.get("allow_self_judging"):
                    wrong.append(SELF_JUDGING.format(model=judge.model))
        except PanelError:
            continue  # its task cannot be made either, which is said
        if isinstance(run.task, TaskEntry) and run.task.task not in BY_PANEL:
            for given in run.task.roles.values():
                for model in [given] if isinstance(given, str) else given:
                    names.setdefault(model, None)
    return wrong


def _judge_servers(found: Plan, names: Mapping[str, str | None], env: Mapping[str, str]) -> list[str]:
    """Judges' servers that do not answer, or lack the judge: every verdict would be missing."""
    tested = {m.model for m in found.suite.models}
    judges = [ModelEntry(id="judge", model=n, base_url=a) for n, a in names.items() if n not in tested and "/" in n]
    wrong = []
    for judge in judges:
        for line in compare([judge], env)[1]:
            wrong.append(f"judge {judge.model}: {line.removeprefix('judge: ')}")
    return wrong


def _without_key(line: str, found: Plan) -> str:
    """One line for all runs of a task that fail alike."""
    key, _, why = line.partition(": ")
    run = next(r for r in found.runs if r.key == key)
    return f"{run.task.name}: {why}"


def _there(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False

"""Benchmarks of capability as runs of a suite: what the harness is told of a model, and what would stop it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evals import capabilities
from evals._launch import LAUNCH_DIR
from evals.capabilities import SERVED, Backend, CapabilityError
from evals.capability_tasks import UnknownTask
from evals.conditions import ConditionError, load_condition
from evals.suites.endpoints import address_of, name_at
from evals.suites.model import ModelEntry, Suite
from evals.suites.section import CAPABILITIES, Capabilities

if TYPE_CHECKING:
    from evals.suites.plan import PlannedRun

_LOADED: Final = ("vllm", "hf")
"""Providers whose models are weights, which the harness can load as well."""
_NO_SERVER: Final = ("policy", "mockllm", "anthropic", "google", "bedrock", "none")
"""Providers that ask no OpenAI-compatible server, whatever address they are given."""
_HANDED: Final[Mapping[str, frozenset[str]]] = {
    "vllm": frozenset(
        {
            "dtype", "enable_expert_parallel", "enable_prefix_caching", "enforce_eager", "gpu_memory_utilization",
            "hf_overrides", "kv_cache_dtype", "language_model_only", "load_format", "max_model_len", "max_num_seqs",
            "data_parallel_size", "quantization", "revision", "seed", "tensor_parallel_size", "tokenizer_mode",
            "tokenizer_revision", "trust_remote_code",
        }
    ),
    "hf": frozenset({"dtype", "trust_remote_code", "attn_implementation"}),
}  # fmt: skip
"""Arguments of Inspect's provider that the harness's own takes by the same name."""
_OF_SERVERS: Final = frozenset(
    {
        "api_key", "configure_logging", "enable_auto_tool_choice", "host", "is_mistral", "lazy_init", "port",
        "reasoning_parser", "retry_delay", "timeout", "tool_call_parser", "batch_size", "device", "model_path",
        "tokenizer", "tokenizer_path", "tokenizer_call_args", "do_sample",
    }
)  # fmt: skip
"""Arguments that change no likelihood, or are handed over under another name."""
_IN_A_SUITE: Final = (
    ("--thinking off", "`thinking: false`"), ("--thinking on", "`thinking: true`"), ("--base-url", "base_url"),
    ("--chat-template", "`chat_template: true`"), ("--backend ", "backend: "), ("--model", "`model`"),
    ("--tasks hellaswag,mmlu", "`tasks: [hellaswag, mmlu]`"),
)  # fmt: skip
"""Options of `psychosafe capabilities`, and what says the same in a suite."""


def harness_plan(
    section: Capabilities, m: ModelEntry, condition: str, environ: Mapping[str, str] | None = None
) -> capabilities.Plan:
    """What the harness is to do for one model under one condition.

    Args:
        section: The suite's section.
        m: The model.
        condition: Name or file of the condition.
        environ: Environment variables; those of this process if not given.

    Raises:
        CapabilityError: The harness cannot reach the model.
        ConditionError: The condition cannot be used.
    """
    backend = section.backend or _backend(m, environ)
    where = _at_server(section, m, backend, environ) if backend in SERVED else _loaded(section, m, backend)
    return capabilities.Plan(
        tasks=section.tasks, condition=load_condition(condition, LAUNCH_DIR), backend=backend,
        chat_template=section.chat_template or backend == "local-chat-completions", thinking=section.thinking,
        limit=section.limit, shots=section.shots, seed=section.seed, concurrent=section.concurrent,
        batch=None if section.batch is None else str(section.batch), thinker=m.thinking,
        include=Path(LAUNCH_DIR, section.include) if section.include else None, **where,
    )  # fmt: skip


def notes_of(section: Capabilities, m: ModelEntry, condition: str) -> str:
    """What to know of a run's figures and of its estimate before anything is sent, a line each."""
    notes = ["how many questions and calls it takes is known to the harness alone"]
    if section.limit is not None and section.limit >= 1:
        notes[0] += f" (at most {section.limit:g} questions of each task, and of a group of each of its tasks)"
    try:
        told = harness_plan(section, m, condition)
        notes += [_in_a_suite(w) for w in capabilities.warnings_of(told, capabilities.check(told, start=False))]
    except (CapabilityError, ConditionError, UnknownTask):
        return notes[0]  # `wrong_with` says why
    lost = sorted(m.args.keys() - _HANDED.get(told.backend, frozenset()) - _OF_SERVERS)
    if lost and told.backend not in SERVED:
        notes.append(f"{m.id}: {', '.join(lost)[:120]} among its `args` is not handed on; give it under `args` here")
    return "\n".join(notes)


def wrong_with(suite: Suite, runs: Iterable[PlannedRun], environ: Mapping[str, str] | None = None) -> list[str]:
    """What would stop the benchmarks of a suite, a line each.

    Args:
        suite: The suite.
        runs: Its planned runs.
        environ: Environment variables; those of this process if not given.
    """
    section = suite.capabilities
    if section is None:
        return []
    wanted = [r for r in runs if isinstance(r.task, Capabilities)]
    wrong = [] if wanted else ["no model is left under any of its conditions; mend `models` or `conditions`"]
    plans: dict[str, capabilities.Plan] = {}
    for run in wanted:
        try:
            told = harness_plan(section, run.model, run.condition, environ)
            capabilities.check(told, start=False)
            plans.setdefault(run.model.id, told)
        except ConditionError as ex:
            wrong.append(str(ex))
        except CapabilityError as ex:
            wrong.append(f"{run.model.id}: {_in_a_suite(str(ex))}")
    wrong += _alike([m for m in suite.models if any(r.model.id == m.id for r in wanted)])
    if find_spec("lm_eval") is None:
        wrong.append(f"lm_eval is not installed here: {capabilities.INSTALL}")
        plans.clear()
    for told in plans.values():
        try:
            # What the harness alone knows of its tasks is asked of it, unless something is wrong at any rate.
            (capabilities.check_installed if wrong else capabilities.check)(told)
        except (CapabilityError, UnknownTask) as ex:
            wrong.append(_in_a_suite(str(ex)))
    return [f"{CAPABILITIES}: {w}" for w in dict.fromkeys(wrong)]


def base_of(suite: Suite, m: ModelEntry) -> str | None:
    """Inspect's name of the model that one was made from; None where that is not known."""
    stated = next((b.model for b in suite.models if b.id == m.base), None)
    return stated or (m.model.partition(":")[0] if m.model.startswith("vllm/") and ":" in m.model else None)


def _backend(m: ModelEntry, environ: Mapping[str, str] | None) -> Backend:
    provider = m.model.partition("/")[0]
    if provider not in _NO_SERVER and address_of(m, environ):
        return "local-completions"
    if provider == "vllm":
        return "vllm"
    if provider == "hf":
        return "hf"
    raise CapabilityError(
        f"{provider}/ models do not tell how likely an answer is, as these benchmarks need; name those that are to be "
        "measured under `capabilities.models`, or give it the base_url of a server of completions"
    )


def _at_server(
    section: Capabilities, m: ModelEntry, backend: Backend, environ: Mapping[str, str] | None
) -> dict[str, Any]:
    address = None if m.model.partition("/")[0] in _NO_SERVER else address_of(m, environ)
    if not address:
        raise CapabilityError(
            f"{backend} needs a server; give the model its base_url, or name others under `capabilities.models`"
        )
    provider, _, name = m.model.partition("/")
    # A server's name for an adapter is no name of a tokenizer; its base's is, as a rule.
    base = name.partition(":")[0] if provider == "vllm" and ":" in name else None
    return {"model": name_at(m), "base_url": address, "tokenizer": section.tokenizers.get(m.id) or base,
            "arguments": section.args}  # fmt: skip


def _loaded(section: Capabilities, m: ModelEntry, backend: Backend) -> dict[str, Any]:
    provider, _, name = m.model.partition("/")
    if provider not in _LOADED:
        raise CapabilityError(
            f"{backend} loads weights, and {provider}/ models are none; name others under `capabilities.models`"
        )
    name, _, adapter = name.partition(":") if provider == "vllm" else (name, "", "")
    given = dict(m.args)
    if m.serve is not None:
        given = m.serve.options() | given
        adapter = m.serve.adapters.get(adapter, adapter)
        if given.pop("no_enable_prefix_caching", None):
            given["enable_prefix_caching"] = False
    kept = {k: v for k, v in given.items() if k in _HANDED[backend]}
    if adapter and backend == "vllm" and given.get("max_lora_rank"):
        kept["max_lora_rank"] = given["max_lora_rank"]
    return {
        "model": str(given.get("model_path") or name),
        "adapter": adapter or None,
        "tokenizer": section.tokenizers.get(m.id) or given.get("tokenizer_path") or given.get("tokenizer"),
        "device": str(given["device"]) if backend == "hf" and given.get("device") is not None else None,
        "arguments": kept | ({"revision": m.revision} if m.revision else {}) | section.args,
    }


def _alike(models: Iterable[ModelEntry]) -> list[str]:
    """Models that figures would be ascribed to alike: they are known by the last part of the name, and by revision."""
    known: dict[str, list[ModelEntry]] = defaultdict(list)
    for m in models:
        known[name_at(m).rstrip("/").rsplit("/", 1)[-1].lower()].append(m)
    found = []
    for name, group in known.items():
        stated = [m.revision for m in group if m.revision not in (None, "main")]
        if len(group) > 1 and len(set(stated)) < len(group):
            found.append(
                f"{' and '.join(m.id for m in group)} have one name, {name[:80]!r}, and the board could not tell their "
                "figures apart; give them revisions that differ, or name one of them under `capabilities.models`"
            )
    return found


def _in_a_suite(text: str) -> str:
    for option, said in _IN_A_SUITE:
        text = text.replace(option, said)
    return text

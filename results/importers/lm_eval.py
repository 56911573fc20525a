"""Importer of lm-evaluation-harness results: `results_<date>.json`, one file a run.

The file holds figures of whole tasks and no items: they go to the table of figures, with the interval that the stated
standard error gives. What the file does not state (a standard error, how many items, a version) stays unknown. Prompts,
system instruction and chat template are kept as hashes, never as texts.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from scipy.special import ndtri

from evals.conditions import NAMES, load_condition
from judges.panels import family_of
from judges.stats import Estimate
from results.importers.psychosafe import ImportRefused
from results.manifest import (
    ConditionFacts,
    Manifest,
    ModelFacts,
    PanelFacts,
    PromptSetFacts,
    RubricFacts,
    SourceFacts,
    make_run_id,
)
from results.schema import CAPABILITY, SUBTASK

HARNESS: Final = "lm-evaluation-harness"
CHANCE: Final = {
    "mmlu": 0.25, "hellaswag": 0.25, "arc_easy": 0.25, "arc_challenge": 0.25, "openbookqa": 0.25, "winogrande": 0.5,
    "piqa": 0.5, "copa": 0.5,
}  # fmt: skip
"""What guessing scores, for tasks whose number of choices is known; MMLU's subjects are as MMLU."""
TOLERANCE: Final = 0.02
"""Right answers are not spread evenly over the letters: always giving one letter can score this much above guessing."""
AT_CHANCE: Final = "at chance: says nothing of capability"
SHARES: Final = frozenset({"acc", "acc_norm", "exact_match", "mc1", "mc2", "pass@1"})
"""Metrics that lie between 0 and 1."""
_GUESSED: Final = frozenset({"acc", "acc_norm"})
_MMLU_KIN: Final = ("mmlu_pro", "mmlu_generative", "mmlu_flan", "mmlu_redux_generative")
"""Tasks that are called after MMLU and have other choices, or none."""
_SECRET: Final = re.compile(r"key|token|secret|password|auth", re.I)
_TASK: Final = re.compile(r"[A-Za-z0-9][\w .|:+/-]{0,119}", re.ASCII)
MAX_BYTES: Final = 256 * 2**20


def read_results(path: Path) -> tuple[Manifest, dict[str, Estimate]]:
    """The run of a results file, and its figures by name: `capability/<task>/<metric>`.

    A task of a group stands under `subtask/` instead, so that the group's figure leads.

    Args:
        path: The file.

    Raises:
        ImportRefused: In one line: another layout, or a value that is none.
    """
    raw = _bytes(path)
    data = _parsed(raw, path.name)
    tasks = data["results"]
    groups = _mapping(data.get("group_subtasks"))
    # A group without a figure of its own leaves its tasks to stand for themselves.
    averaged = [m for g, m in groups.items() if isinstance(m, list) and any("," in k for k in _mapping(tasks.get(g)))]
    below = {str(t) for members in averaged for t in members}
    figures: dict[str, Estimate] = {}
    for task, metrics in tasks.items():
        if not _TASK.fullmatch(task) or not isinstance(metrics, dict):
            raise ImportRefused(f"{path.name}: {task[:40]!r} is no task with its metrics")
        n, total = _samples(data, task)
        for key, value in metrics.items():
            metric, comma, rule = key.partition(",")
            if not comma or metric.endswith("_stderr"):
                continue
            where = f"{path.name}: {task[:60]}, {key[:60]!r}"
            name = metric if rule == "none" else f"{metric} ({rule})"
            error = metrics.get(f"{metric}_stderr,{rule}")
            figures[f"{SUBTASK if task in below else CAPABILITY}/{task}/{name}"] = _estimate(
                task, metric, _number(value, where), _number(error, where), n, total
            )
    if not figures:
        raise ImportRefused(f'{path.name}: no figure in `results`; keys read like "acc,none"')
    return _manifest(data, figures, path, raw), figures


def chance(task: str) -> float | None:
    """What guessing scores on a task; None where the number of its choices is not known."""
    if task.startswith("mmlu_") and not task.startswith(_MMLU_KIN):
        return CHANCE["mmlu"]
    return CHANCE.get(task)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImportRefused(f"{path.name}: larger than {MAX_BYTES // 2**20} MiB; give the file of results")
        return path.read_bytes()
    except OSError as ex:
        raise ImportRefused(f"{path.name}: cannot be read ({ex.strerror}); check its permissions") from ex


def _parsed(raw: bytes, name: str) -> dict[str, Any]:
    try:
        data = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as ex:
        raise ImportRefused(f"{name}: not valid UTF-8 JSON; give a results_<date>.json of {HARNESS}") from ex
    if not isinstance(data, dict) or not isinstance(data.get("results"), dict) or not data["results"]:
        raise ImportRefused(f"{name}: no `results` by task; give a results_<date>.json of {HARNESS}")
    return data


def _estimate(
    task: str, metric: str, value: float | None, error: float | None, n: int | None, total: int | None
) -> Estimate:
    """A figure with the interval of its standard error; unknown numbers of items are 0, and the method says so."""
    counts = (n or 0, total or n or 0)
    if value is None:
        return Estimate.undefined("not stated in the file", *counts)
    if not error or error < 0:
        return Estimate(value, None, None, *counts, "", "no standard error stated")
    half = float(ndtri(0.975)) * error
    low, high = value - half, value + half
    if metric in SHARES:
        low, high = max(0.0, low), min(1.0, high)
    method = "normal, from the stated standard error" + ("" if n else "; number of items not stated")
    guess = chance(task) if metric in _GUESSED else None
    reason = AT_CHANCE if guess is not None and low <= guess + TOLERANCE else ""
    return Estimate(value, low, high, *counts, method, reason)


def _number(value: Any, where: str) -> float | None:
    """A number, or None where the file says that there is none (null, NaN, "N/A")."""
    if value is None or isinstance(value, str):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ImportRefused(f"{where}: {str(value)[:40]!r} is no number")
    return float(value) if math.isfinite(value) else None


def _leaves(data: Mapping[str, Any], task: str, seen: frozenset[str] = frozenset()) -> list[str]:
    """The tasks that a group rests on; the task itself where it is none."""
    members = _mapping(data.get("group_subtasks")).get(task)
    if not isinstance(members, list) or not members or task in seen:
        return [task]
    return [leaf for m in members for leaf in _leaves(data, str(m), seen | {task})]


def _samples(data: Mapping[str, Any], task: str) -> tuple[int | None, int | None]:
    """Items that were run, and items that there are; None where a task of it does not say."""
    found = [_mapping(_mapping(data.get("n-samples")).get(leaf)) for leaf in dict.fromkeys(_leaves(data, task))]
    sums: list[int | None] = []
    for part in ("effective", "original"):
        counts = [f.get(part) for f in found]
        whole = all(isinstance(c, int) and not isinstance(c, bool) and c > 0 for c in counts)
        sums.append(sum(c for c in counts if c is not None) if whole else None)
    return sums[0], sums[1]


def _protocol(data: Mapping[str, Any], task: str) -> str | None:
    """Version, shots and items of a task in a line; None where one of them is not stated."""
    leaves = list(dict.fromkeys(_leaves(data, task)))
    versions, shots = _mapping(data.get("versions")), _mapping(data.get("n-shot"))
    version = versions.get(task)
    if version is None and leaves != [task]:
        parts = {str(versions.get(leaf)) for leaf in leaves}
        version = parts.pop() if len(parts) == 1 and None not in map(versions.get, leaves) else None
    few = {shots.get(leaf) for leaf in leaves}
    n, total = _samples(data, task)
    if version is None or len(few) != 1 or None in few or n is None or total is None:
        return None
    return f"version {str(version)[:20]}, {str(few.pop())[:10]} shots, {n} of {total} items"


def _manifest(data: Mapping[str, Any], figures: Mapping[str, Estimate], path: Path, raw: bytes) -> Manifest:
    digest = hashlib.sha256(raw).hexdigest()
    config = _mapping(data.get("config"))
    args = dict(_arguments(config.get("model_args")))
    name = data.get("model_name") or args.get("pretrained") or args.get("model")
    model = str(name)[:200] if name else "model not stated"
    condition = _condition(data)
    leaves = list(dict.fromkeys(leaf for task in data["results"] for leaf in _leaves(data, task)))
    counts = [_samples(data, leaf) for leaf in leaves]
    ran, there = (sum(c[i] or 0 for c in counts) for i in (0, 1))
    limited = any(n is not None and total is not None and n < total for n, total in counts)
    version, commit, dated = _text(data.get("lm_eval_version")), _text(data.get("git_hash")), _date(data.get("date"))
    base_url = args.pop("base_url", None)
    flagged = [n.split("/", 1)[1] for n, e in figures.items() if e.reason == AT_CHANCE and n.startswith(CAPABILITY)]
    note = f"{HARNESS} {version or 'of a version not stated'}, commit {commit or 'not stated'}, {dated or 'not dated'}"
    note += f"; {AT_CHANCE}: {', '.join(flagged)}" if flagged else ""
    return Manifest(
        run_id=make_run_id(["lm-eval", model.split("/")[-1], condition.name or ""], [digest]),
        origin="imported",
        task="lm_eval",
        created=dated,
        model=ModelFacts(
            name=model,
            revision=_text(config.get("model_sha") or config.get("model_revision") or args.pop("revision", None)),
            base_url=base_url if base_url and "@" not in base_url else None,
            family=family_of(model),
            args={"backend": _text(config.get("model"))} | {k: v for k, v in args.items() if k != "pretrained"},
            generation=_generation(config),
        ),
        condition=condition,
        prompt_set=PromptSetFacts(name=HARNESS, version=version, n=there or None, scored=ran),
        items=(),
        rubric=RubricFacts(scales={}),
        panel=PanelFacts(judges=()),
        limited=limited,
        versions={
            "lm_eval": version,
            "git_hash": commit,
            "transformers": _text(data.get("transformers_version")),
            "chat_template": _template(data),
            **{f"task {task}": _protocol(data, task) for task in data["results"]},
        },
        source=SourceFacts(file=path.name, size=len(raw), sha256=digest, note=note),
    )


def _condition(data: Mapping[str, Any]) -> ConditionFacts:
    """The system instruction as a condition: one of ours where the text is the same."""
    if "system_instruction" not in data:
        return ConditionFacts()
    text = data["system_instruction"]
    if not isinstance(text, str) or not text:
        return ConditionFacts(name="none")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    known = (c for name in NAMES if (c := load_condition(name)).sha256 == digest)
    return ConditionFacts(name=next((c.name for c in known), "a system instruction"), system_sha256=digest)


def _template(data: Mapping[str, Any]) -> str | None:
    if "chat_template" not in data:
        return None
    text = data["chat_template"]
    if not text:
        return "none"
    return "sha256 " + hashlib.sha256(str(text).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _arguments(given: Any) -> Iterator[tuple[str, str]]:
    """The model's arguments, from a mapping or `a=b,c=d`; what may be a secret is left out."""
    pairs: Any = ()
    if isinstance(given, Mapping):
        pairs = given.items()
    elif isinstance(given, str):
        pairs = (part.partition("=")[::2] for part in given.split(",") if "=" in part)
    for key, value in pairs:
        if not _SECRET.search(str(key)) and not isinstance(value, Mapping | list):
            yield str(key).strip()[:60], str(value)[:200]


def _generation(config: Mapping[str, Any]) -> dict[str, Any]:
    given = config.get("gen_kwargs")
    return {"gen_kwargs": str(given)[:200]} if given else {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return str(value)[:80] if isinstance(value, str | int | float) and value != "" else None


def _date(value: Any) -> str | None:
    """The date, which the file holds as seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**34:
        return None
    return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")

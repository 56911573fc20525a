"""The figures of a results file of lm-evaluation-harness, what guessing scores, and the questions behind them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from scipy.special import ndtri

from evals.capabilities import thinking_template
from judges.stats import Estimate, wilson
from results.importers.lm_eval_samples import TaskSamples
from results.importers.psychosafe import ImportRefused
from results.schema import CAPABILITY, SUBTASK

CHANCE: Final = {
    "mmlu": 0.25, "hellaswag": 0.25, "arc_easy": 0.25, "arc_challenge": 0.25, "openbookqa": 0.25, "winogrande": 0.5,
    "piqa": 0.5, "copa": 0.5,
}  # fmt: skip
"""What guessing scores, for tasks whose number of choices is known; MMLU's subjects are as MMLU."""
TOLERANCE: Final = 0.02
"""Right answers are not spread evenly over the letters: always giving one letter can score this much above guessing."""
AT_CHANCE: Final = "at chance: says nothing of capability"
THOUGHT: Final = "scored by likelihood behind a thinking template: the model expects a thought there"
SHARES: Final = frozenset({"acc", "acc_norm", "exact_match", "mc1", "mc2", "pass@1"})
"""Metrics that lie between 0 and 1."""
MATCH: Final = 1e-4
"""How far a figure may be from the mean of its questions' scores: what files round away."""
_GUESSED: Final = frozenset({"acc", "acc_norm", "exact_match"})
_MMLU_KIN: Final = ("mmlu_pro", "mmlu_flan", "mmlu_redux_generative")
"""Tasks that are called after MMLU and have other choices, or none."""
_TASK: Final = re.compile(r"[A-Za-z0-9][\w .|:+/-]{0,119}", re.ASCII)
_SECRET: Final = re.compile(r"key|token|secret|password|auth", re.I)


def figures_of(data: Mapping[str, Any], file: str, samples: Mapping[str, TaskSamples]) -> dict[str, Estimate]:
    """The figures by name, as `results.importers.lm_eval.read_results` gives them.

    Args:
        data: The parsed file.
        file: Its name, for messages.
        samples: What is known of its questions, by task.

    Raises:
        ImportRefused: In one line: a value that is none, or no figure at all.
    """
    tasks = data["results"]
    groups = mapping_of(data.get("group_subtasks"))
    # A group without a figure of its own leaves its tasks to stand for themselves.
    averaged = [m for g, m in groups.items() if isinstance(m, list) and any("," in k for k in mapping_of(tasks.get(g)))]
    below = {str(t) for members in averaged for t in members}
    figures: dict[str, Estimate] = {}
    for task, metrics in tasks.items():
        if not _TASK.fullmatch(task) or not isinstance(metrics, dict):
            raise ImportRefused(f"{file}: {task[:40]!r} is no task with its metrics")
        n, total = counts_of(data, task)
        guess = _guess(data, task, samples)
        thought = THOUGHT if _behind_a_thought(data, task) else ""
        for key, value in metrics.items():
            metric, comma, rule = key.partition(",")
            if not comma or metric.endswith("_stderr"):
                continue
            where = f"{file}: {task[:60]}, {key[:60]!r}"
            name = metric if rule == "none" else f"{metric} ({rule})"
            error = metrics.get(f"{metric}_stderr,{rule}")
            made = _estimate(metric, _number(value, where), _number(error, where), n, total, guess)
            if thought and metric in SHARES and made.low is not None and not made.reason:
                made = replace(made, reason=thought)
            figures[f"{SUBTASK if task in below else CAPABILITY}/{task}/{name}"] = made
    if not figures:
        raise ImportRefused(f'{file}: no figure in `results`; keys read like "acc,none"')
    return figures


def item_scores(
    data: Mapping[str, Any], figures: Mapping[str, Estimate], samples: Mapping[str, TaskSamples]
) -> tuple[dict[str, dict[str, float]], list[str]]:
    """What each question scored, by figure; and which figures have no questions that they are the mean of."""
    made: dict[str, dict[str, float]] = {}
    apart = []
    for name, e in figures.items():
        group, task, metric = name.split("/", 1)[0], *name.split("/", 1)[1].rsplit("/", 1)
        leaves = list(dict.fromkeys(leaves_of(data, task)))
        if group != CAPABILITY or e.value is None or not all(leaf in samples for leaf in leaves):
            continue
        items = {f"{leaf}/{i}": v for leaf in leaves for i, v in samples[leaf].scores.get(metric, {}).items()}
        if items and abs(math.fsum(items.values()) / len(items) - e.value) < MATCH:
            made[name] = items
        elif items:
            apart.append(f"{task}, {metric}")
    notes = [f"{', '.join(apart)}: no mean over the logged samples, so not paired on questions"] if apart else []
    if not samples:
        notes.append(
            "no logged samples beside the file: differences will be as of independent samples, rather too wide"
        )
    return made, notes


def chance(task: str) -> float | None:
    """What guessing scores on a task; None where the number of its choices is not known."""
    if task.startswith("mmlu_") and not task.startswith(_MMLU_KIN):
        return CHANCE["mmlu"]
    return CHANCE.get(task)


def _guess(data: Mapping[str, Any], task: str, samples: Mapping[str, TaskSamples]) -> float | None:
    """What guessing scores on a task: as known, else as the numbers of answers in its samples say."""
    known = chance(task)
    if known is not None:
        return known
    told = [samples.get(leaf) for leaf in dict.fromkeys(leaves_of(data, task))]
    shares = [t.guess for t in told if t is not None and t.guess is not None]
    return math.fsum(shares) / len(shares) if shares and len(shares) == len(told) else None


def _behind_a_thought(data: Mapping[str, Any], task: str) -> bool:
    """Whether answers were compared by likelihood where the chat template has the model think first."""
    if not thinking_template(str(data.get("chat_template") or "")):
        return False
    given = mapping_of(data.get("config")).get("model_args")
    off = dict(arguments_of(given)).get("enable_thinking", "").lower() in ("false", "0")
    template = mapping_of(given.get("chat_template_args")) if isinstance(given, Mapping) else {}
    if off or template.get("enable_thinking") is False:
        return False
    types = {mapping_of(mapping_of(data.get("configs")).get(leaf)).get("output_type") for leaf in leaves_of(data, task)}
    return "generate_until" not in types and any(m.startswith("acc") for m in data["results"][task])


def _estimate(
    metric: str, value: float | None, error: float | None, n: int | None, total: int | None, guess: float | None
) -> Estimate:
    """A figure with the interval of its standard error; unknown numbers of items are 0, and the method says so."""
    counts = (n or 0, total or n or 0)
    if value is None:
        return Estimate.undefined("not stated in the file", *counts)
    if error == 0 and n and metric in SHARES and value in (0.0, 1.0):
        # All right or all wrong: a standard error of 0 would promise more than so many questions can.
        low, high = wilson(value * n, n)
        method = "Wilson, the stated standard error being 0"
    elif not error or error < 0:
        return Estimate(value, None, None, *counts, "", "no standard error stated")
    else:
        half = float(ndtri(0.975)) * error
        low, high = value - half, value + half
        if metric in SHARES:
            low, high = max(0.0, low), min(1.0, high)
        method = "normal, from the stated standard error" + ("" if n else "; number of items not stated")
    reason = AT_CHANCE if guess is not None and metric in _GUESSED and low <= guess + TOLERANCE else ""
    return Estimate(value, low, high, *counts, method, reason)


def _number(value: Any, where: str) -> float | None:
    """A number, or None where the file says that there is none (null, NaN, "N/A")."""
    if value is None or isinstance(value, str):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ImportRefused(f"{where}: {str(value)[:40]!r} is no number")
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer of hundreds of digits
        raise ImportRefused(f"{where}: {str(value)[:40]!r} is no number") from None


def leaves_of(data: Mapping[str, Any], task: str) -> list[str]:
    """The tasks that a group rests on, each once; the task itself where it is none."""
    groups = mapping_of(data.get("group_subtasks"))
    found: dict[str, None] = {}
    seen: set[str] = set()
    ahead = [task]
    # Each group is opened once: groups of groups may name each other as often as they like.
    while ahead:
        name = ahead.pop()
        members = groups.get(name)
        if not isinstance(members, list) or not members:
            found[name] = None
        elif name not in seen:
            seen.add(name)
            ahead += map(str, reversed(members))
    return list(found) or [task]


def counts_of(data: Mapping[str, Any], task: str) -> tuple[int | None, int | None]:
    """Items that were run, and items that there are; None where a task of it does not say."""
    found = [mapping_of(mapping_of(data.get("n-samples")).get(leaf)) for leaf in dict.fromkeys(leaves_of(data, task))]
    sums: list[int | None] = []
    for part in ("effective", "original"):
        counts = [f.get(part) for f in found]
        whole = all(isinstance(c, int) and not isinstance(c, bool) and c > 0 for c in counts)
        sums.append(sum(c for c in counts if c is not None) if whole else None)
    return sums[0], sums[1]


def arguments_of(given: Any) -> Iterator[tuple[str, str]]:
    """The model's arguments, from a mapping or `a=b,c=d`; what may be a secret is left out."""
    pairs: Any = ()
    if isinstance(given, Mapping):
        pairs = given.items()
    elif isinstance(given, str):
        pairs = (part.partition("=")[::2] for part in given.split(",") if "=" in part)
    for key, value in pairs:
        if not _SECRET.search(str(key)) and not isinstance(value, Mapping | list):
            yield str(key).strip()[:60], str(value)[:200]


def mapping_of(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}

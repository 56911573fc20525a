"""How a benchmark of lm-evaluation-harness is scored: by the likelihood of given answers, or on generated text.

What decides is the task's `output_type`. It is known here for the common tasks, read from a task file of one's own,
and else asked of the harness, in a process of its own: importing the harness takes seconds and sets up logging.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from rubrics.reading import read_yaml

Scoring = Literal["likelihood", "generation"]
"""A task whose answers are given and compared by their likelihood, or one whose answer is generated and read."""

_BY_LIKELIHOOD: Final = frozenset({"multiple_choice", "loglikelihood", "loglikelihood_rolling"})
_KNOWN: Final[dict[str, Scoring]] = {
    **dict.fromkeys(
        ("arc_challenge", "arc_easy", "boolq", "copa", "hellaswag", "lambada_openai", "mmlu", "mmlu_continuation",
         "openbookqa", "piqa", "truthfulqa_mc1", "truthfulqa_mc2", "wikitext", "winogrande"),
        "likelihood",
    ),
    **dict.fromkeys(
        ("arc_challenge_chat", "bbh", "drop", "gsm8k", "gsm8k_cot", "humaneval", "ifeval", "mbpp", "mmlu_generative",
         "mmlu_flan_cot_zeroshot", "mmlu_pro", "triviaqa", "truthfulqa_gen"),
        "generation",
    ),
}  # fmt: skip
_GENERATED: Final = re.compile(r"generative|_gen$|_cot|_chat$|_llama")
_MMLU: Final = re.compile(r"mmlu_(?!pro|flan|redux|prox)[a-z_]+")
_ASK: Final = """
import json, sys
from lm_eval.tasks import TaskManager
from lm_eval.tasks._yaml_loader import load_yaml
index = TaskManager(include_path=sys.argv[2] or None).task_index
def types(name, seen):
    entry = index.get(name)
    if entry is None or name in seen:
        return set()
    cfg = entry.cfg or (load_yaml(entry.yaml_path, resolve_func=False) if entry.yaml_path else {})
    below = cfg.get("task")
    if isinstance(below, list) or entry.tags and not below:
        parts = below if isinstance(below, list) else sorted(entry.tags)
        names = [p if isinstance(p, str) else p.get("task") or p.get("group") for p in parts]
        return set().union(*(types(n, seen | {name}) for n in names if isinstance(n, str)))
    return {cfg.get("output_type") or "generate_until"}
print(json.dumps({t: sorted(types(t, set())) if t in index else None for t in sys.argv[1].split(",")}))
"""
MAX_SECONDS: Final = 180


def scoring_of(tasks: Sequence[str], include: Path | None = None, *, ask: bool = False) -> dict[str, Scoring | None]:
    """How each task is scored.

    Args:
        tasks: Names of tasks or groups.
        include: A folder with task files of one's own.
        ask: Ask the harness about what is not known here; it has to be installed.

    Returns:
        By task; None where it is not known. A group with parts of both kinds counts as scored by likelihood.

    Raises:
        UnknownTask: The harness was asked, and has no such task.
    """
    own = _own(include) if include is not None else {}
    found = {t: own.get(t) or _known(t) for t in tasks}
    unknown = [t for t, scoring in found.items() if scoring is None]
    if ask and unknown:
        found |= _asked(unknown, include)
    return found


class UnknownTask(ValueError):
    """A task that the harness does not have; the message says how to list those that it has."""


def _known(task: str) -> Scoring | None:
    if task in _KNOWN:
        return _KNOWN[task]
    if _GENERATED.search(task):
        return "generation"
    return "likelihood" if _MMLU.fullmatch(task) else None


def _own(include: Path) -> dict[str, Scoring]:
    """Tasks of a folder of task files; a file that needs the harness to be read is left to it."""
    found: dict[str, Scoring] = {}
    for path in sorted(include.rglob("*.yaml")):
        try:
            _, told = read_yaml(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(told, dict) and isinstance(told.get("task"), str) and "include" not in told:
            kind = str(told.get("output_type", "generate_until"))
            found[told["task"]] = "likelihood" if kind in _BY_LIKELIHOOD else "generation"
    return found


def _asked(tasks: Sequence[str], include: Path | None) -> dict[str, Scoring | None]:
    command = [sys.executable, "-c", _ASK, ",".join(tasks), str(include or "")]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=MAX_SECONDS, check=True).stdout
        told = json.loads(said.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        # Another version of the harness, laid out otherwise: what it makes of the task shows when it runs.
        return dict.fromkeys(tasks)
    missing = [t for t in tasks if told.get(t) is None]
    if missing:
        raise UnknownTask(f"no task {missing[0][:60]!r}: `python -m lm_eval ls tasks` lists them")
    return {t: "likelihood" if _BY_LIKELIHOOD & set(told[t]) else "generation" if told[t] else None for t in tasks}

"""The samples that lm-evaluation-harness logs beside its results: what each question scored, by the question's hash.

A line holds the question, the prompts and the answers; of all that, only the hash of the question and its scores are
kept. Two runs that asked the same question under another condition have the same hash, so that they can be paired.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from results.importers.psychosafe import ImportRefused

_HASH: Final = re.compile(r"[0-9a-f]{16,64}")
_KEPT: Final = 16
"""Digits of a question's hash that are kept; of 100,000 questions two are alike with a chance of 1 in 10^9."""
MAX_LINE: Final = 16 * 2**20
_MOST: Final = 1e300
"""A larger number is no score; neither is an infinite one, or one that is none."""


@dataclass(frozen=True)
class TaskSamples:
    """What the questions of one task scored.

    Attributes:
        scores: Score by question, by metric as the results name it (`exact_match (strict-match)` with its filter).
        guess: What guessing scores, where the answers are given: the mean of 1 / their number. None for other tasks.
    """

    scores: Mapping[str, Mapping[str, float]]
    guess: float | None = None


def read_samples(results: Path, tasks: Iterable[str]) -> dict[str, TaskSamples]:
    """The samples of a results file, from the files of the same date beside it.

    Args:
        results: `results_<date>.json`.
        tasks: The tasks that it names; files of other tasks are left alone.

    Returns:
        By task; a task without a file of samples, or whose samples have no hashes, is absent.

    Raises:
        ImportRefused: In one line: a line that is no sample.
    """
    date = results.stem.removeprefix("results")
    if not date.startswith("_"):
        return {}
    wanted = {f"samples_{task}{date}.jsonl": task for task in tasks}
    found: dict[str, TaskSamples] = {}
    # Names from data never become paths: the folder says what there is.
    for path in sorted(results.parent.glob("samples_*.jsonl")):
        task = wanted.get(path.name)
        made = _read(path) if task is not None else None
        if task is not None and made is not None:
            found[task] = made
    return found


def _read(path: Path) -> TaskSamples | None:
    scores: dict[str, dict[str, float]] = {}
    asked: Counter[tuple[str, str]] = Counter()
    guesses: list[float | None] = []
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                sample = _parsed(line, f"{path.name}, line {number}")
                digest = sample.get("doc_hash")
                if not isinstance(digest, str) or not _HASH.fullmatch(digest):
                    return None
                rule = str(sample.get("filter", "none"))[:60]
                asked[rule, digest] += 1
                # Some sets ask one question twice; which is which does not matter, for they are the same.
                again = asked[rule, digest]
                item = digest[:_KEPT] + (f"#{again}" if again > 1 else "")
                guesses.append(_guess(sample))
                for name, value in _scores(sample):
                    metric = name if rule == "none" else f"{name} ({rule})"
                    scores.setdefault(metric, {})[item] = value
    except (OSError, UnicodeDecodeError) as ex:
        raise ImportRefused(f"{path.name}: cannot be read as UTF-8 text; remove it, or write it again") from ex
    if not scores:
        return None
    known = [g for g in guesses if g is not None]
    return TaskSamples(scores, math.fsum(known) / len(known) if known and len(known) == len(guesses) else None)


def _parsed(line: str, where: str) -> Mapping[str, Any]:
    if len(line) > MAX_LINE:
        raise ImportRefused(
            f"{where}: longer than {MAX_LINE // 2**20} MiB, no sample; remove the file to import without"
        )
    try:
        sample = json.loads(line)
    except (ValueError, RecursionError) as ex:
        raise ImportRefused(f"{where}: no JSON; remove the file to import without samples") from ex
    if not isinstance(sample, dict) or not isinstance(sample.get("metrics"), list):
        raise ImportRefused(f"{where}: no sample with its `metrics`; remove the file to import without samples")
    return sample


def _scores(sample: Mapping[str, Any]) -> Iterable[tuple[str, float]]:
    """Metrics of a sample that are one number; others, as counts for a perplexity, are no score of a question."""
    for name in sample["metrics"]:
        value = sample.get(name) if isinstance(name, str) else None
        if isinstance(value, int | float) and -_MOST < value < _MOST:
            yield str(name)[:60], float(value)


def _guess(sample: Mapping[str, Any]) -> float | None:
    """One divided by the number of answers that were compared; None where an answer was generated."""
    given = sample.get("arguments")
    asked = list(given.values()) if isinstance(given, dict) else given if isinstance(given, list) else []
    ends = [a.get("arg_1") if isinstance(a, dict) else a[-1] if isinstance(a, list) and a else None for a in asked]
    return 1 / len(ends) if len(ends) > 1 and all(isinstance(e, str) for e in ends) else None

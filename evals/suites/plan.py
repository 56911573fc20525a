"""A suite spelled out: every run with its samples, calls, tokens and cost, before anything is sent."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from inspect_ai._util.error import PrerequisiteError  # no public name; what Inspect shows as one line

from evals.rejudge_job import CHARS_PER_TOKEN, TOKENS_PER_CRITERION
from evals.sorry.taxonomy import TRANSLATIONS
from evals.suites.capability import notes_of
from evals.suites.model import BY_PANEL, ModelEntry, Suite, TaskEntry
from evals.suites.section import Capabilities
from judges.llm.prompt import system_prompt, user_prompt
from judges.panels import JudgeSpec, PanelError, Price, load_panel
from rubrics.loader import RubricError, load_rubric

if TYPE_CHECKING:
    from inspect_ai import Task

KNOWN: Final = {"paper": 500, "sorry_bench": 440, "xstest": 450}
"""Prompts of a published set that is not fetched yet."""
FREE: Final = Price(input=0, output=0)
"""Of the reference policies, which nobody is asked for."""
STYLES: Final = 21
"""SORRY-Bench: its base questions and twenty mutations."""
_PLACES: Final = {
    "psychosafe": "evals.psychosafe", "contrast": "evals.contrast", "escalation": "evals.escalation",
    "sorry_bench": "evals.sorry_bench", "xstest": "evals.xstest",
}  # fmt: skip


@dataclass(frozen=True)
class Spent:
    """Calls and, about, tokens and money.

    Attributes:
        calls: Calls, exact but for repair turns and retries.
        input_tokens: Tokens sent.
        output_tokens: Tokens that come back.
        cost: By currency.
        unpriced: Calls whose price is not known.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Mapping[str, float] = field(default_factory=dict)
    unpriced: int = 0

    def __add__(self, other: Spent) -> Spent:
        cost = dict(self.cost)
        for currency, money in other.cost.items():
            cost[currency] = cost.get(currency, 0.0) + money
        return Spent(
            self.calls + other.calls, self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens,
            cost, self.unpriced + other.unpriced,
        )  # fmt: skip


@dataclass(frozen=True)
class PlannedRun:
    """One model on one task under one condition.

    Attributes:
        key: Its name in the suite, safe for files: model, condition, task.
        model: The model.
        task: The task, or the section of benchmarks.
        condition: Name or file of the condition.
        args: Arguments of the task.
        generation: Generation settings.
        samples: Samples, epochs counted; None where the prompts cannot be read yet, and of benchmarks.
        target: Calls to the model under test.
        judging: Calls to judges, and to a translator of answers.
        note: What to know of the estimate, a line each.
    """

    key: str
    model: ModelEntry
    task: TaskEntry | Capabilities
    condition: str
    args: Mapping[str, Any]
    generation: Mapping[str, Any]
    samples: int | None
    target: Spent
    judging: Spent
    note: str = ""

    @property
    def spent(self) -> Spent:
        """Everything."""
        return self.target + self.judging


@dataclass(frozen=True)
class Plan:
    """A suite and its runs, in the order in which they are started: one server's after each other."""

    suite: Suite
    runs: tuple[PlannedRun, ...]

    @property
    def spent(self) -> Spent:
        """Everything."""
        total = Spent()
        for run in self.runs:
            total += run.spent
        return total


@dataclass(frozen=True)
class _Measured:
    samples: int | None
    turns: int
    chars: int
    note: str = ""
    translated: int = 0


def plan(suite: Suite) -> Plan:
    """Spell out a suite. What cannot be used is not refused here (`evals.suites.check`): its samples are unknown."""
    runs = []
    for m in suite.models:
        for condition, t in _matrix(suite, m):
            runs.append(_planned(suite, m, t, condition))
    # Runs of one server stand together: its adapters and conditions follow each other without a reload. The harness
    # may load the weights itself, and comes last.
    servers = list(dict.fromkeys(server_of(m) for m in suite.models))
    runs.sort(key=lambda r: (servers.index(server_of(r.model)), isinstance(r.task, Capabilities)))
    return Plan(suite, tuple(runs))


def server_of(m: ModelEntry) -> tuple[str, str | None]:
    """What serves a model: name without an adapter, and address."""
    return (m.model.partition(":")[0] if m.model.startswith("vllm/") else m.model, m.base_url)


def make_task(task: str, args: Mapping[str, Any]) -> Task:
    """The Inspect task of that name.

    Raises:
        PrerequisiteError: Arguments that cannot be used.
    """
    made: Task = getattr(importlib.import_module(_PLACES[task]), task)(**args)
    return made


def task_args(suite: Suite, m: ModelEntry, t: TaskEntry, condition: str) -> dict[str, Any]:
    """Arguments of a task's function for one model and condition."""
    args = {**t.args, "condition": condition, "epochs": t.epochs or suite.epochs}
    if t.task in BY_PANEL:
        args["judges"] = t.panel or suite.panel
        if m.thinking:
            args["thinking"] = True
    elif t.task == "xstest" and m.thinking:
        args["thinking"] = True
    return args


def _matrix(suite: Suite, m: ModelEntry) -> Iterator[tuple[str, TaskEntry | Capabilities]]:
    own = m.conditions or suite.conditions
    tasks = (*suite.tasks, *([suite.capabilities] if suite.capabilities else ()))
    for condition in dict.fromkeys((*own, *(c for t in tasks for c in t.conditions or ()))):
        for t in tasks:
            fits = condition in (t.conditions or own) and (m.conditions is None or condition in m.conditions)
            if fits and (t.models is None or m.id in t.models):
                yield condition, t


def _planned(suite: Suite, m: ModelEntry, t: TaskEntry | Capabilities, condition: str) -> PlannedRun:
    key = "_".join((m.id, _slug(condition), t.name))
    if isinstance(t, Capabilities):
        return PlannedRun(key, m, t, condition, {}, {}, None, Spent(), Spent(), notes_of(t, m, condition))
    args = task_args(suite, m, t, condition)
    generation = {**suite.generation, **m.generation, **t.generation}
    found = _measured(t.task, json.dumps(args, sort_keys=True, default=str), t.limit or suite.limit)
    if found.samples is None:
        return PlannedRun(key, m, t, condition, args, generation, None, Spent(), Spent(), found.note)
    calls = found.samples * found.turns
    # Of a dialogue, every call carries the turns before it: half of all turns on average.
    sent = found.chars * (found.turns + 1) // 2 // CHARS_PER_TOKEN
    sent += found.turns * m.tokens * found.samples * (found.turns - 1) // 2
    target = _of(calls, sent, calls * m.tokens, m.price if not m.model.startswith("policy/") else FREE)
    return PlannedRun(key, m, t, condition, args, generation, found.samples, target, _judging(t, args, found, m),
                      found.note)  # fmt: skip


def _judging(t: TaskEntry, args: Mapping[str, Any], found: _Measured, m: ModelEntry) -> Spent:
    calls = (found.samples or 0) * found.turns
    text = found.chars // CHARS_PER_TOKEN + calls * m.tokens
    if t.task not in BY_PANEL:
        judges = t.roles.get("judge", [])
        asked = len([judges] if isinstance(judges, str) else judges) * calls
        spent = _of(asked, asked and text + asked * 600, asked * 60, None)
        if "translator" in t.roles:
            # At most: an empty answer is not sent.
            words = found.translated * m.tokens
            spent += _of(found.translated, words + found.translated * 120, words, None)
        return spent
    try:
        panel, rubric = load_panel(str(args["judges"])), load_rubric(str(args.get("rubric", "psychosafe")))
    except (PanelError, RubricError):
        return Spent()
    fixed = (len(system_prompt(rubric)) + len(user_prompt("", "", "0" * 16))) // CHARS_PER_TOKEN
    total = Spent()
    for judge in panel.judges:
        if judge.kind == "llm":
            repeats = int(args.get("repeats", 1))
            written = repeats * calls * TOKENS_PER_CRITERION * len(rubric.criteria)
            total += _of(repeats * calls, repeats * (calls * fixed + text), written, judge.price)
    return total


def judges_of(run: PlannedRun) -> tuple[JudgeSpec, ...]:
    """The judges of a run's panel; nobody for a task with a judge of its benchmark's kind.

    Raises:
        PanelError: The panel cannot be read.
    """
    return load_panel(str(run.args["judges"])).judges if run.task.task in BY_PANEL else ()


def _of(calls: int, sent: int, written: int, price: Price | None) -> Spent:
    used = {"input_tokens": sent, "output_tokens": written}
    cost = {} if price is None else {price.currency: price.of(used)}
    return Spent(calls, sent, written, cost, calls if price is None else 0)


@cache
def _measured(task: str, said: str, limit: int | None) -> _Measured:
    """Samples, turns and characters of a task's prompts; samples as published where they are not fetched yet."""
    args = json.loads(said)
    try:
        made = make_task(task, args)
    except (PrerequisiteError, ValueError, TypeError, OSError) as ex:
        why = " ".join(str(ex).split())[:200]
        known = KNOWN.get("paper" if args.get("prompts") == "paper" else task)
        if known is None or "psychosafe data" not in why:
            return _Measured(None, 1, 0, why)
        several = STYLES if args.get("mutations") == "all" else 1
        samples = (min(known * several, limit) if limit else known * several) * args.get("epochs", 1)
        translated = samples * len(TRANSLATIONS) // STYLES if several > 1 else 0
        return _Measured(
            samples, 1, samples * (400 + _condition_chars(args["condition"])), f"counted as published, for {why}",
            translated,
        )  # fmt: skip
    samples = list(made.dataset)[: limit or None]
    turns = [len(s.metadata["script"]) if s.metadata and "script" in s.metadata else 1 for s in samples]
    epochs = args.get("epochs", 1)
    chars = sum(len(s.input) if isinstance(s.input, str) else sum(len(m.text) for m in s.input) for s in samples)
    chars += sum(turns) * _condition_chars(args["condition"])
    most = max(turns, default=1)
    foreign = sum((s.metadata or {}).get("style") in TRANSLATIONS for s in samples)
    return _Measured(len(samples) * epochs, most, chars * epochs, translated=foreign * epochs)


def _condition_chars(name: str) -> int:
    from evals._launch import LAUNCH_DIR
    from evals.conditions import load_condition

    return len(load_condition(name, LAUNCH_DIR).system or "")


def _slug(text: str) -> str:
    kept = "".join(c if c.isalnum() or c in ".-" else "-" for c in text.rsplit("/", 1)[-1].lower())
    return kept.strip(".-")[:40] or "condition"

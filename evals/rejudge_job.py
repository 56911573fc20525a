"""What is to be judged again: a finished log, what judging it would take, and what speaks against it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from inspect_ai.log import EvalLog, EvalSample, read_eval_log

from evals.dialogues import scorer as dialogues
from evals.dialogues.play import STOPS, responses, transcript
from judges.panel import response_of
from judges.panels import PanelSpec
from judges.response import Response
from judges.seats import Judge
from rubrics.model import Rubric

CHARS_PER_TOKEN: Final = 4
"""For estimates before anything is sent; about right for English with today's tokenizers."""
TOKENS_PER_CRITERION: Final = 40
"""What a judge writes: a sentence and a value a criterion."""


class RejudgeError(ValueError):
    """A log or a request that cannot be judged again; the message says what to do."""


@dataclass(frozen=True)
class Job:
    """One log to be judged again.

    Attributes:
        path: Where it is.
        log: The whole log.
        sha256: Hash of the file.
        work: Of each sample, the requests and responses to judge: one, or one a turn.
    """

    path: Path
    log: EvalLog
    sha256: str
    work: tuple[tuple[EvalSample, tuple[Response, ...]], ...]

    @property
    def by_turn(self) -> bool:
        """Whether its samples are dialogues."""
        return any("script" in (s.metadata or {}) for s, _ in self.work)


@dataclass
class Estimated:
    """What judging would take, by judge: calls and, about, tokens and money."""

    calls: dict[str, int] = field(default_factory=dict)
    input_tokens: dict[str, int] = field(default_factory=dict)
    output_tokens: dict[str, int] = field(default_factory=dict)
    cost: dict[str, float | None] = field(default_factory=dict)


def read_job(path: Path) -> Job:
    """Read a log.

    Raises:
        RejudgeError: No finished Inspect log with samples.
    """
    if not path.is_file():
        raise RejudgeError(f"{path}: no such file; give the log of a finished run")
    try:
        log = read_eval_log(str(path))
    except Exception as ex:
        raise RejudgeError(f"{path.name}: not an Inspect log, or only half of one: copy it again") from ex
    if log.status != "success":
        raise RejudgeError(f"{path.name}: the run has status {log.status!r}; finish it with `inspect eval-retry`")
    samples = log.samples or []
    if all(s.error for s in samples):
        raise RejudgeError(f"{path.name}: no sample with a response in it, so there is nothing to judge; leave it out")
    thinking = bool(((log.eval.metadata or {}).get("psychosafe") or {}).get("thinking"))
    work = tuple((s, tuple(_responses(s, thinking))) for s in samples if not s.error)
    return Job(path, log, hashlib.sha256(path.read_bytes()).hexdigest(), work)


def _responses(sample: EvalSample, thinking: bool) -> list[Response]:
    if "script" in (sample.metadata or {}):
        return responses(sample.messages, (sample.store or {}).get(STOPS), thinking)
    return [response_of(sample.output, thinking)]


def estimate(jobs: Sequence[Job], spec: PanelSpec, rubric: Rubric, repeats: int = 1) -> Estimated:
    """What judging these logs would take: calls exactly (but for repair turns), tokens about. Nothing is sent.

    Args:
        jobs: The logs.
        spec: The panel.
        rubric: The rubric.
        repeats: How often each judge that is a model rates each response.
    """
    from judges.llm.prompt import system_prompt, user_prompt

    found = Estimated()
    fixed = len(system_prompt(rubric)) + len(user_prompt("", "", "0" * 16))
    for judge in spec.judges:
        if judge.kind != "llm":
            continue
        calls = chars = 0
        for sample, given in (w for job in jobs for w in job.work):
            for turn, response in enumerate(given):
                if response.judged:
                    calls += repeats
                    chars += repeats * (fixed + len(request_of(sample, given, turn, None)) + len(response.text))
        tokens = chars // CHARS_PER_TOKEN
        written = calls * TOKENS_PER_CRITERION * len(rubric.criteria)
        found.calls[judge.id], found.input_tokens[judge.id], found.output_tokens[judge.id] = calls, tokens, written
        used = {"input_tokens": tokens, "output_tokens": written}
        found.cost[judge.id] = judge.price.of(used) if judge.price is not None else None
    return found


def request_of(sample: EvalSample, given: Sequence[Response], turn: int, judge: Judge | None) -> str:
    """What a judge reads as the request; what a model reads, if no judge is given."""
    metadata = sample.metadata or {}
    if "script" not in metadata:
        return prompt_of(sample)
    script = list(metadata["script"])
    return transcript(script, given, turn) if judge is None else dialogues.request_for(judge, script, given, turn)


def prompt_of(sample: EvalSample) -> str:
    """The request as the panel read it: the text of the last message of the input, as Inspect's `input_text`."""
    if isinstance(sample.input, str):
        return sample.input
    last = next((m for m in reversed(sample.input) if m.role == "user"), None)
    if last is None or last.text or isinstance(last.content, str):
        return last.text if last else ""
    return " ".join(f"[{part.type}]" for part in last.content if part.type != "text")


def check_job(job: Job, spec: PanelSpec, rubric: Rubric, *, repeats: int = 1, allow_self_judging: bool = False) -> None:
    """Refuse what cannot be judged again, before anything is sent.

    Raises:
        RejudgeError: The model would judge itself, or several rounds of dialogues are asked for.
        RubricError: Dialogues cannot be scored by this rubric.
    """
    name = job.path.name
    if not allow_self_judging and any(j.model == job.log.eval.model for j in spec.judges):
        raise RejudgeError(
            f"{name}: {job.log.eval.model} would judge itself; name other judges, or allow it with --allow-self-judging"
        )
    if job.by_turn:
        dialogues.check_rubric_fits(rubric)
        if repeats > 1:
            # Its log keeps one round a turn: more would be paid for and thrown away.
            raise RejudgeError(f"{name}: dialogues are judged in one round; leave out --repeats")

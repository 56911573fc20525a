"""Judging finished logs again with another panel, without asking the model under test again.

Each verdict is written to a journal as soon as it is there, so that a run which was stopped (by a limit, by a crash)
goes on where it was. The log that comes out holds the same samples and only the new verdicts, and says of which
judgment it is another one; the first log is left as it is.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalLog, EvalSample, write_eval_log
from inspect_ai.model import get_model
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState

from evals.dialogues import scorer as dialogues
from evals.harness import harness_version
from evals.journal import Budget, Journal, JournaledJudge, held, with_seats
from evals.rejudge_job import Job, RejudgeError, check_job, prompt_of, request_of
from judges.detectors import detect
from judges.dialogue import DIALOGUE_VERSION
from judges.metrics import metrics_for
from judges.panel import make_score
from judges.panels import PanelSpec
from judges.response import Response
from judges.seats import RuleJudge, panel_record, seat_panel
from judges.verdict import Verdict
from rubrics.model import Rubric


def target_of(job: Job, spec: PanelSpec, rubric: Rubric, out: Path) -> Path:
    """Where the new log will be: named by the first log, the panel and the rubric."""
    record = panel_record(spec, rubric)
    identity = hashlib.sha256(f"{job.sha256} {record['sha256']} {record['rubric_sha256']}".encode()).hexdigest()[:8]
    return out / f"{job.path.stem}_rejudged-{identity}.eval"


def journal_of(target: Path) -> Path:
    """Where the verdicts of a log are kept until none is to be asked for any more."""
    return target.with_suffix(".verdicts.jsonl")


def finished(target: Path) -> bool:
    """Whether a new log is there, and every verdict in it is what a judge said."""
    return target.exists() and not journal_of(target).exists()


def _record(job: Job, spec: PanelSpec, rubric: Rubric) -> dict[str, Any]:
    record = panel_record(spec, rubric)
    if job.by_turn:
        record["scoring"] = f"{record['scoring']}, {DIALOGUE_VERSION}"
    return record


def rejudge(
    job: Job,
    spec: PanelSpec,
    rubric: Rubric,
    out: Path,
    *,
    repeats: int = 1,
    budget: Budget | None = None,
    allow_self_judging: bool = False,
    connections: int = 20,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Judge one log again and write the log that comes out.

    Where a judge's provider failed on the way, the log has those verdicts missing and its journal stays: the same call
    asks for them alone, and writes the log anew.

    Args:
        job: The log.
        spec: The panel.
        rubric: The rubric.
        out: Folder of the new log and, until it is finished, of its journal.
        repeats: How often each judge that is a model rates each response.
        budget: Tokens or money after which no further call is made.
        allow_self_judging: Let the model under test judge itself.
        connections: Calls in flight at once.
        progress: Told how many verdicts of how many are there.

    Raises:
        RejudgeError: The model would judge itself, or the new log is there already.
        BudgetReached: The budget is spent; what was judged is kept, and the same call goes on from there.
        JournalError: Verdicts cannot be kept, or another process is at the same log with the same panel.
    """
    check_job(job, spec, rubric, repeats=repeats, allow_self_judging=allow_self_judging)
    record = _record(job, spec, rubric)
    target = target_of(job, spec, rubric, out)
    if finished(target):
        raise RejudgeError(f"{target} is there already: ingest it, or remove it to judge again")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as ex:
        raise RejudgeError(f"cannot write to {out}: {ex.strerror or ex}; name another folder with --out") from ex
    # Where a log is there beside its journal, some verdicts did not come the last time.
    again = target.exists()
    with held(journal_of(target)):
        if target.exists() and not again:
            raise RejudgeError(f"{target} is there already: another process has judged meanwhile; ingest it")
        journal = Journal(journal_of(target))
        seats = seat_panel(spec, rubric)
        prices = {j.id: j.price for j in spec.judges}
        wrapped = [JournaledJudge(s, rubric, journal, budget or Budget(), prices.get(s.judge_id)) for s in seats]
        rating = _rate_all(job, rubric, spec, record, wrapped, repeats, connections, progress)
        scores = asyncio.run(with_seats(rating, wrapped))
        _write(_with_scores(job, rubric, scores, record), target)
        failed = sum(seat.failed for seat in wrapped)
        if failed:
            journal.keep(failed)
        else:
            journal.remove()
    return target


def _write(log: EvalLog, target: Path) -> None:
    """Write a log, whole or not at all."""
    draft = target.with_name(f".{uuid.uuid4().hex[:8]}-{target.name}")
    try:
        write_eval_log(log, str(draft))
        os.replace(draft, target)
    except OSError as ex:
        raise RejudgeError(
            f"cannot write {target}: {ex.strerror or ex}; mend that and give the command again, its verdicts are kept"
        ) from ex
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


async def _rate_all(
    job: Job,
    rubric: Rubric,
    spec: PanelSpec,
    record: Mapping[str, Any],
    seats: Sequence[JournaledJudge],
    repeats: int,
    connections: int,
    progress: Callable[[int, int], None],
) -> dict[tuple[Any, int], Score]:
    """The score of every sample."""
    gate = asyncio.Semaphore(connections)
    rounds = range(repeats)
    # Rules rate in the first round only.
    per_response = sum(1 if isinstance(s.inner, RuleJudge) else repeats for s in seats)
    total = sum(r.judged for _, given in job.work for r in given) * per_response
    done = 0

    async def one(sample: EvalSample, given: Sequence[Response], turn: int, seat: JournaledJudge, k: int) -> Verdict:
        nonlocal done
        if not given[turn].judged:
            return Verdict.missing(seat.judge_id, rubric, "skipped_by_design", given[turn].state)
        if k and isinstance(seat.inner, RuleJudge):
            return Verdict.missing(seat.judge_id, rubric, "skipped_by_design", "rules always say the same")
        request = request_of(sample, given, turn, seat.inner)
        async with gate:
            verdict = await seat.rate_at(
                f"{sample.uuid or sample.id}/{sample.epoch}/{turn}/{k}", request, given[turn].text
            )
        done += 1
        progress(done, total)
        return verdict

    async def sample_score(sample: EvalSample, given: Sequence[Response]) -> Score:
        every = await asyncio.gather(
            *(one(sample, given, t, seat, k) for t in range(len(given)) for k in rounds for seat in seats)
        )
        split = [list(every[i : i + len(seats)]) for i in range(0, len(every), len(seats))]
        by_turn = [split[t * repeats : (t + 1) * repeats] for t in range(len(given))]
        metadata = sample.metadata or {}
        if "script" in metadata:
            firsts = [turns[0] for turns in by_turn]
            return dialogues.make_score(
                rubric, list(metadata["script"]), given, firsts, metadata.get("risk_turn"), record, spec
            )
        # As in a run: a response that nobody judges has no further rounds.
        again = by_turn[0][1:] if given[0].judged else ()
        score = make_score(rubric, by_turn[0][0], given[0], metadata.get("expected"), record, spec, again)
        assert score.metadata is not None  # noqa: S101  (make_score always gives some)
        score.metadata |= detect(prompt_of(sample), given[0], metadata)
        return score

    # One task a sample: the first budget stop ends all.
    results = await asyncio.gather(*(sample_score(s, g) for s, g in job.work), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return {(s.id, s.epoch): r for (s, _), r in zip(job.work, results, strict=True) if isinstance(r, Score)}


def _with_scores(
    job: Job, rubric: Rubric, scores: Mapping[tuple[Any, int], Score], record: Mapping[str, Any]
) -> EvalLog:
    """A copy of the log that holds only the new scores, with Inspect's metrics over them."""
    from inspect_ai import score as inspect_score

    @scorer(metrics=[], name="rejudged")
    def rejudged() -> Scorer:
        async def give(state: TaskState, target: Target) -> Score:
            return scores[state.sample_id, state.epoch]

        return give

    old = _judgments(job.log)
    blank = job.log.model_copy(deep=True)
    # The roles of the first judgment are not asked again, and need no keys.
    blank.eval.model_roles = None
    blank.eval.headline_metric = None
    failed = {(s.id, s.epoch): s for s in blank.samples or [] if s.error}
    order = [(s.id, s.epoch) for s in blank.samples or []]
    blank.samples = [s for s in blank.samples or [] if not s.error]
    metrics = dialogues.dialogue_metrics() if job.by_turn else metrics_for(rubric)
    log = inspect_score(
        blank, rejudged(), metrics=metrics, action="overwrite", display="none", model=get_model("policy/blunt")
    )
    # Samples that failed have nothing to judge and stay, so that they stay in every denominator.
    found = {(s.id, s.epoch): s for s in log.samples or []}
    found |= {key: s.model_copy(update={"scores": None}) for key, s in failed.items()}
    log.samples = [found[key] for key in order]
    ours = dict((log.eval.metadata or {}).get("psychosafe") or {})
    ours["rejudged"] = {
        "file": job.path.name, "sha256": job.sha256, "judgments": old, "harness": harness_version(),
        "panel": record["name"],
    }  # fmt: skip
    log.eval.metadata = {**(log.eval.metadata or {}), "psychosafe": ours}
    return log


def _judgments(log: EvalLog) -> list[dict[str, Any]]:
    """Which judgments by a panel a log holds: the scorer and the hashes of panel and rubric."""
    found: dict[str, dict[str, Any]] = {}
    for sample in log.samples or []:
        for name, score in (sample.scores or {}).items():
            panel = (score.metadata or {}).get("panel")
            if isinstance(panel, Mapping):
                shas = {k: panel.get(k) for k in ("sha256", "rubric_sha256")}
                found.setdefault(name, {"scorer": name, **shas})
    return [found[name] for name in sorted(found)]

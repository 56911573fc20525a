"""One run of a suite: from its claim to the log that counts."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from evals.capabilities import CapabilityError
from evals.suites.capability_run import files_of, measure
from evals.suites.claims import Claim, ClaimError, Place, beat, finish, release
from evals.suites.endpoints import Served, address_of, name_at
from evals.suites.model import ModelEntry, Suite, TaskEntry
from evals.suites.outcome import Outcome, damaged, one_line, outcome_of
from evals.suites.plan import PlannedRun, make_task
from evals.suites.processes import end_now
from evals.suites.section import Capabilities
from evals.suites.servers import make_room, reached

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

PULSE: Final = 2.0
"""Seconds between two beats."""
PATIENT: Final = 5.0
"""Seconds that a run which is stopped waits for a beat on its way."""
BACKOFF: Final = {"max_retries": 6, "attempt_timeout": 600}
"""Inspect's defaults are endless retries with up to half an hour between two: six end after some three minutes. A call
in a batch has no such time: a batch may take a day."""
PRESET: Final[Mapping[str, Any]] = {
    "continue_on_fail": True, "retry_on_error": 2, "log_realtime": False, "score_display": False,
    "log_model_api": False, "log_buffer": 20,
}  # fmt: skip
"""How a suite is run: samples that failed are tried again, and nothing is drawn or logged that nobody looks at."""


def logs_of(root: str, key: str) -> str:
    """The folder of a run's logs."""
    return f"{root.rstrip('/')}/logs/{key}"


def place_of(root: str, key: str, exclusive: bool = True) -> Place:
    """The folder of a run's claims."""
    return Place(f"{root.rstrip('/')}/claims/{key}", exclusive)


def run_one(
    suite: Suite,
    run: PlannedRun,
    place: Place,
    claim: Claim,
    root: str,
    served: Served | None = None,
    wait: float | None = None,
    pulse: float = PULSE,
) -> Outcome:
    """Run one run that this process has claimed. Where the claim is lost, the process ends at once (`LOST`).

    Stopped by the user, what is finished is kept and the run given up, for whoever comes next.

    Args:
        suite: The suite.
        run: The run.
        place: Its folder of claims.
        claim: Its claim.
        root: Folder or URL of the suite's runs.
        served: What the model's server says.
        wait: Seconds before failed samples are tried again, growing; Inspect's 30 if not given.
        pulse: Seconds between two beats.
    """
    from evals.suites.counting import COUNTS, SuiteCounts

    COUNTS.reset()
    SuiteCounts.active = True
    stop = threading.Event()
    pulses = threading.Thread(target=_pulse, args=(place, claim, stop, pulse), daemon=True)
    pulses.start()
    try:
        if isinstance(run.task, Capabilities):
            outcome = _measured(run, run.task, root, claim)
        else:
            outcome = _evaluated(suite, run, run.task, root, claim, served, wait)
    except Exception as ex:  # noqa: BLE001  (a run that fails must not take the others with it)
        outcome = Outcome(
            run.key, "error", calls=claim.carried + COUNTS.calls, reason=damaged(logs_of(root, run.key)) or one_line(ex)
        )
    except KeyboardInterrupt:
        # A beat that is being written now would take the release back. A bucket that hangs is not waited for, nor does
        # who stops it a second time wait.
        stop.set()
        with suppress(KeyboardInterrupt):
            pulses.join(PATIENT)
        with suppress(OSError):
            release(place, claim, COUNTS.samples, COUNTS.calls)
        raise
    finally:
        SuiteCounts.active = False
        stop.set()
        pulses.join()
    try:
        if outcome.status == "done":
            # Who was taken for dead meanwhile says nothing more: the one that took over does.
            _beat_or_end(place, claim)
            finish(place, claim, vars(outcome))
        else:
            release(place, claim, COUNTS.samples, COUNTS.calls, outcome.reason or outcome.status)
    except OSError as ex:
        # What is finished is in the log, or was said before; the claim stands still and is taken over later.
        why = str(ex) if isinstance(ex, ClaimError) else f"cannot write to {place.url}: {ex.strerror or ex}"
        return replace(outcome, status="error", reason=one_line(why))
    return outcome


def _pulse(place: Place, claim: Claim, stop: threading.Event, pulse: float) -> None:

    current = claim
    while not stop.wait(pulse):
        current = _beat_or_end(place, current)


def _beat_or_end(place: Place, claim: Claim) -> Claim:
    from evals.suites.counting import COUNTS

    try:
        return beat(place, claim, COUNTS.samples, COUNTS.calls)
    except ClaimError:
        # Whoever has the run now writes its logs; a second writer must not go on for a single sample more.
        end_now()
    except Exception:  # noqa: BLE001  (drivers of buckets raise errors of their own)
        # A bucket that does not answer once is no reason to stop; the beat stands still meanwhile.
        return claim


def _measured(run: PlannedRun, section: Capabilities, root: str, claim: Claim) -> Outcome:
    """Benchmarks of capability. The harness's calls are its own, and not counted."""
    try:
        questions, log = measure(section, run.model, run.condition, files_of(root, run.key), claim)
    except CapabilityError as ex:
        # One line already, with the place of the harness's log at its end.
        return Outcome(run.key, "error", deaths=claim.deaths, reason=str(ex))
    return Outcome(run.key, "done", questions, deaths=claim.deaths, log=log)


def _evaluated(
    suite: Suite, run: PlannedRun, task: TaskEntry, root: str, claim: Claim, served: Served | None, wait: float | None
) -> Outcome:
    from inspect_ai import eval_set
    from inspect_ai.model import GenerateConfig, get_model

    from judges.llm.judge import PATIENCE

    m = run.model
    address = address_of(m)
    backoff = {k: v for k, v in BACKOFF.items() if not (k == "attempt_timeout" and run.generation.get("batch"))}
    settings = kept_apart({"max_connections": suite.connections, **backoff, **run.generation}, m, address, served)
    args = provider_args(m)
    if m.model.startswith("vllm/") and address and settings.get("cache"):
        # Else the address of the first calls is not known when their answers are kept, and they are asked again.
        args["lazy_init"] = False
    pause = 30.0 if wait is None else wait
    make_room(m)
    model = get_model(m.model, base_url=address, config=GenerateConfig(**settings), memoize=False, **args)
    facts = {
        "suite": suite.suite, "run": run.key, "model": m.id, "revision": m.revision,
        "base": next((b.model for b in suite.models if b.id == m.base), None),
        "served": served.as_dict(name_at(m)) if served else None,
    }  # fmt: skip
    limits: dict[str, Any] = {k: (v if k == "cost_limit" else int(v)) for k, v in suite.limits.items()}
    evaluate = partial(
        eval_set,
        [make_task(task.task, run.args)],
        log_dir=logs_of(root, run.key),
        model=model,
        model_roles=dict(task.roles) or None,
        metadata={"psychosafe_suite": facts},
        limit=task.limit or suite.limit,
        retry_wait=wait,
        display="log",  # "none" lays out a table of all scores: a second a run, for nobody
        **PRESET,
        **limits,
    )
    patience = PATIENCE.set((min(1.0, pause), pause, 4 * pause))
    try:
        with reached(m, model), _unspoken():
            success, logs = _unless_stopped(evaluate(retry_attempts=suite.retries))
            if not success and suite.allow_missing and logs[0].status == "error":
                # Once more, and what fails then is missing. From the start, Inspect would try nothing twice.
                success, logs = _unless_stopped(evaluate(retry_attempts=0, fail_on_error=suite.allow_missing))
    finally:
        PATIENCE.reset(patience)
    return outcome_of(run, success, logs, claim, suite.allow_missing)


@contextmanager
def _unspoken() -> Iterator[None]:
    """Leave out what Inspect's log display says: on the root logger, where nobody else speaks."""
    root = logging.getLogger()
    root.addFilter(_nothing)
    try:
        yield
    finally:
        root.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    return False


def _unless_stopped(ended: tuple[bool, list[EvalLog]]) -> tuple[bool, list[EvalLog]]:
    """How Inspect ended; told to stop, it writes what is finished and returns as if nothing were the matter."""
    if not ended[1] or any(log.status == "cancelled" for log in ended[1]):
        raise KeyboardInterrupt
    return ended


def provider_args(m: ModelEntry) -> dict[str, Any]:
    """Arguments of Inspect's provider."""
    return {**(m.serve.provider_args(m.revision) if m.serve else {}), **m.args}


def kept_apart(
    settings: Mapping[str, Any], m: ModelEntry, address: str | None, served: Served | None
) -> dict[str, Any]:
    """Settings in which kept answers are those of this model alone.

    Inspect tells them apart by name and address, and of a `vllm/` model does not know the address at first: answers of
    two servers with one name would be each other's. Nor does it know the revision, or what a server has loaded.
    """
    cache = settings.get("cache")
    if not cache:
        return dict(settings)
    policy: dict[str, Any] = {} if cache is True else {"expiry": cache} if isinstance(cache, str) else dict(cache)
    behind = (served.entry(name_at(m)) or {}) if served else {}
    scope = {"address": address, "revision": m.revision, "root": behind.get("root"), "parent": behind.get("parent"),
             "serve": m.serve.model_dump(mode="json") if m.serve else None, "args": m.args}  # fmt: skip
    scopes = {**policy.get("scopes", {}), "psychosafe": json.dumps(scope, sort_keys=True, default=str)}
    return {**settings, "cache": {**policy, "scopes": scopes}}


def new_owner() -> str:
    """A token that no other runner has."""
    return uuid.uuid4().hex

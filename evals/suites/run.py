"""One run of a suite: from its claim to the log that counts."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from evals.suites.claims import Claim, ClaimError, Place, beat, finish, release
from evals.suites.endpoints import Served, name_at
from evals.suites.model import ModelEntry, Suite
from evals.suites.plan import PlannedRun, make_task

LOST: Final = 75
"""Exit status of a runner whose claim was taken over: nothing more may be written."""
PULSE: Final = 2.0
"""Seconds between two beats."""
BACKOFF: Final = {"max_retries": 6, "attempt_timeout": 600}
"""Inspect's defaults are endless retries with up to half an hour between two: six end after some three minutes."""
PRESET: Final[Mapping[str, Any]] = {
    "continue_on_fail": True, "retry_on_error": 2, "log_realtime": False, "score_display": False,
    "log_model_api": False, "log_buffer": 20,
}  # fmt: skip
"""How a suite is run: samples that failed are tried again, and nothing is drawn or logged that nobody looks at."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        key: The run.
        status: `done`; `failed` with samples that have no score; `error` where it could not be run.
        samples: Samples with a score.
        failed: Samples without.
        calls: Calls that were begun, by all who held the run.
        wasted: Of these, calls that are not in the log that counts, as far as beats tell.
        log: Name of that log within the run's folder of logs.
        reason: What went wrong.
    """

    key: str
    status: str
    samples: int = 0
    failed: int = 0
    calls: int = 0
    wasted: int = 0
    log: str = ""
    reason: str = ""


def logs_of(root: str, key: str) -> str:
    """The folder of a run's logs."""
    return f"{root.rstrip('/')}/logs/{key}"


def place_of(root: str, key: str) -> Place:
    """The folder of a run's claims."""
    return Place(f"{root.rstrip('/')}/claims/{key}")


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
        outcome = _evaluated(suite, run, root, claim, served, wait)
    except Exception as ex:  # noqa: BLE001  (a run that fails must not take the others with it)
        outcome = Outcome(run.key, "error", reason=" ".join(str(ex).split())[:300] or type(ex).__name__)
    finally:
        SuiteCounts.active = False
        stop.set()
        pulses.join()
    if outcome.status == "done":
        finish(place, claim, vars(outcome))
    else:
        release(place, claim, COUNTS.samples, COUNTS.calls)
    return outcome


def _pulse(place: Place, claim: Claim, stop: threading.Event, pulse: float) -> None:
    from evals.suites.counting import COUNTS

    current = claim
    while not stop.wait(pulse):
        try:
            current = beat(place, current, COUNTS.samples, COUNTS.calls)
        except ClaimError:
            # Whoever has the run now writes its logs; a second writer must not go on for a single sample more.
            os._exit(LOST)
        except OSError:
            # A bucket that does not answer once is no reason to stop; the beat stands still meanwhile.
            continue


def _evaluated(
    suite: Suite, run: PlannedRun, root: str, claim: Claim, served: Served | None, wait: float | None
) -> Outcome:
    from inspect_ai import eval_set
    from inspect_ai.model import GenerateConfig, get_model

    m = run.model
    settings = {"max_connections": suite.connections, **BACKOFF, **run.generation}
    model = get_model(
        m.model, base_url=m.base_url, config=GenerateConfig(**settings), memoize=False, **provider_args(m)
    )
    facts = {
        "suite": suite.suite, "run": run.key, "model": m.id, "revision": m.revision,
        "base": next((b.model for b in suite.models if b.id == m.base), None),
        "served": served.as_dict(name_at(m)) if served else None,
    }  # fmt: skip
    success, logs = eval_set(
        [make_task(run.task.task, run.args)],
        log_dir=logs_of(root, run.key),
        model=model,
        model_roles=dict(run.task.roles) or None,
        metadata={"psychosafe_suite": facts},
        limit=run.task.limit or suite.limit,
        retry_attempts=suite.retries,
        retry_wait=wait,
        display="none",
        **PRESET,
        **{k: (v if k == "cost_limit" else int(v)) for k, v in suite.limits.items()},  # type: ignore[arg-type]
    )
    return _outcome(run, success, logs, claim)


def provider_args(m: ModelEntry) -> dict[str, Any]:
    """Arguments of Inspect's provider."""
    return {**(m.serve.provider_args(m.revision) if m.serve else {}), **m.args}


def _outcome(run: PlannedRun, success: bool, logs: list[Any], claim: Claim) -> Outcome:
    from inspect_ai.log import read_eval_log

    from evals.suites.counting import COUNTS

    calls = claim.carried + COUNTS.calls
    (header,) = logs
    log = read_eval_log(header.location)
    ended = [s for s in log.samples or [] if s.error is None]
    failed = (log.eval.dataset.samples or 0) * (log.eval.config.epochs or 1)
    wanted = len(log.eval.dataset.sample_ids or ()) * (log.eval.config.epochs or 1) or failed
    kept = sum(e.event == "model" and e.cache != "read" for s in ended for e in s.events)
    reason = "" if success else (log.error.message if log.error else f"status {log.status}")
    return Outcome(
        run.key, "done" if success and len(ended) == wanted else "failed", len(ended), wanted - len(ended), calls,
        max(calls - kept, 0), header.location.rsplit("/", 1)[-1], " ".join(reason.split())[:300],
    )  # fmt: skip


def new_owner() -> str:
    """A token that no other runner has."""
    return uuid.uuid4().hex

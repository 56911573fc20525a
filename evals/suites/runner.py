"""Runners: processes that take the runs of a suite one after the other until all of them are done.

Any number of them may work on one folder, on one machine or several. Each takes a run that nobody holds, and what a
runner that died had begun is taken over and gone on with. A folder belongs to one version of one suite.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Final

from evals.suites.claims import EXPIRY, Place, Watch, take
from evals.suites.endpoints import Served
from evals.suites.folder import open_folder
from evals.suites.model import SuiteError
from evals.suites.outcome import Outcome
from evals.suites.plan import Plan, PlannedRun, plan
from evals.suites.processes import LOST, STOPPED, end_with, lead, stop, sweep
from evals.suites.read import read_suite
from evals.suites.run import PULSE, new_owner, place_of, run_one

RESTARTS: Final = 3
"""How often a runner that died is replaced, each."""
GRACE: Final = 20.0
"""Seconds in which a runner that was told to stop keeps what is finished."""


@dataclass(frozen=True)
class Options:
    """How a suite is run.

    Attributes:
        root: Folder or URL of its runs.
        workers: Runners that are started here.
        shard: Of the runs, every n-th from the i-th on (i, n), without claims: for folders that have no exclusive
            creation. None: with claims.
        only: Runs whose name holds one of these; all of them if empty.
        wait: Seconds before failed samples are tried again; Inspect's own if not given.
        pulse: Seconds between two beats.
        expiry: Seconds that a beat may stand still.
    """

    root: str
    workers: int = 1
    shard: tuple[int, int] | None = None
    only: tuple[str, ...] = ()
    wait: float | None = None
    pulse: float = PULSE
    expiry: float = EXPIRY


@dataclass(frozen=True)
class Progress:
    """How far a suite is.

    Attributes:
        done: Runs that are done.
        runs: All runs.
        failed: Runs that have failed.
        going: Runs that somebody is at.
        samples: Samples that have ended in runs that are going on, since whoever has them took them.
        wanted: Samples of these runs.
    """

    done: int
    runs: int
    failed: int
    going: int
    samples: int
    wanted: int


def chosen(found: Plan, options: Options) -> tuple[PlannedRun, ...]:
    """The runs that are wanted here.

    Raises:
        SuiteError: There is none.
    """
    runs = [r for r in found.runs if not options.only or any(w in r.key for w in options.only)]
    if options.shard is not None:
        first, of = options.shard
        runs = runs[first - 1 :: of]
    if not runs:
        keys = ", ".join(r.key for r in found.runs[:6])
        raise SuiteError(f"no run is left; the suite has {keys}{' and more' if len(found.runs) > 6 else ''}")
    return tuple(runs)


def run_suite(
    path: Path,
    found: Plan,
    options: Options,
    served: Mapping[str, Served],
    ended: Callable[[Outcome], None],
    progress: Callable[[Progress], None] | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> list[Outcome]:
    """Run what is not done yet, and wait for what others are doing.

    Args:
        path: The suite's file; every runner reads it again.
        found: Its plan.
        options: How.
        served: What the models' servers say, by id of the model.
        ended: Called once for each run that is done or has failed, those of other runners and of before included.
        progress: Called now and then; it costs a look at each claim.
        note: Told what else a user should know: a runner that died, say.

    Returns:
        How each run ended; runs that nobody finished are not among them.

    Raises:
        SuiteError: No run is left, or the folder belongs to another suite.
        ClaimError: The folder cannot be used.
        KeyboardInterrupt: The user has stopped it; what was finished is kept.
    """
    runs = chosen(found, options)
    exclusive = options.shard is None
    open_folder(options.root, found.suite, served, exclusive)
    places = {r.key: place_of(options.root, r.key, exclusive) for r in runs}
    outcomes: dict[str, Outcome] = {}

    def look() -> None:
        for key, place in places.items():
            old = outcomes.get(key)
            # What has failed here may have been done by another runner since.
            if (old is None or old.status != "done") and (told := place.done()) is not None:
                outcomes[key] = Outcome(**{k: v for k, v in told.items() if k in Outcome.__dataclass_fields__})
                ended(outcomes[key])

    look()
    context = mp.get_context("spawn")
    failures: Queue[Outcome] = context.Queue()
    count = min(options.workers, len(runs) - len(outcomes))

    def start() -> BaseProcess:
        worker = context.Process(target=work, args=(path, options, dict(served), failures))
        worker.start()
        return worker

    restarts = [RESTARTS] * count
    remote = any(not p.local for p in places.values())
    workers: list[BaseProcess] = []
    try:
        workers += [start() for _ in range(count)]
        while any(w.is_alive() for w in workers):
            _wait(workers, 5 * options.pulse if remote else min(options.pulse, 1.0))
            look()
            _drain(failures, outcomes, ended)
            if progress is not None:
                progress(_progress(runs, places, outcomes))
            for at, worker in enumerate(workers):
                if worker.is_alive() or worker.exitcode in (0, None):
                    continue
                if worker.pid is not None:
                    sweep(worker.pid)
                if restarts[at] > 0 and len(outcomes) < len(runs):
                    restarts[at] -= 1
                    note(_death(worker.exitcode or 0, options))
                    workers[at] = start()
    except KeyboardInterrupt:
        note("stopping; what is finished is kept (again Ctrl-C: at once)")
        _told_to_stop(workers)
        raise
    finally:
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.join()
            if worker.pid is not None:
                sweep(worker.pid)
    look()
    _drain(failures, outcomes, ended)
    return [outcomes[r.key] for r in runs if r.key in outcomes]


def _wait(workers: Sequence[BaseProcess], seconds: float) -> None:
    """Wait, but no longer than until the last runner has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(w.is_alive() for w in workers):
        time.sleep(min(0.2, seconds))


def _told_to_stop(workers: Sequence[BaseProcess]) -> None:
    for worker in workers:
        if worker.is_alive() and worker.pid is not None:
            stop(worker.pid)
    end = time.monotonic() + GRACE
    for worker in workers:
        worker.join(max(0.0, end - time.monotonic()))


def _death(code: int, options: Options) -> str:
    if code == LOST:
        return f"a runner was silent for more than {options.expiry:g} seconds and lost its run to another; a new one " \
               "goes on"  # fmt: skip
    how = f"was killed (signal {-code}; is there enough memory?)" if code < 0 else f"ended with status {code}"
    return f"a runner {how}; a new one goes on where it was"


def work(path: Path, options: Options, served: Mapping[str, Served], failures: Queue[Outcome]) -> None:
    """Take runs until none is left; for a process of its own."""
    parent = os.getppid()
    lead()
    end_with(parent)
    # What Inspect prints is not about the suite; errors are still to be seen.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        _work(path, options, served, failures)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(STOPPED)


def _work(path: Path, options: Options, served: Mapping[str, Served], failures: Queue[Outcome]) -> None:
    from evals import _registry  # noqa: F401  (providers and scorers)

    found = plan(read_suite(path))
    pending = list(chosen(found, options))
    owner, watch, exclusive = new_owner(), Watch(options.expiry), options.shard is None
    first: dict[str, int] = {}
    while pending:
        moved = False
        for run in list(pending):
            place = place_of(options.root, run.key, exclusive)
            try:
                if place.done() is not None:
                    pending.remove(run)
                    moved = True
                    continue
                place.make()
                held = place.claim()
                known = first.setdefault(run.key, held.number if held is not None and held.released else 0)
                if held is not None and held.released and held.reason and held.number > known:
                    # Another runner has tried it, as often as the suite says, while this one was at other runs.
                    failures.put(Outcome(run.key, "failed", reason=held.reason))
                    pending.remove(run)
                    moved = True
                    continue
                claim = take(place, watch, owner, exclusive)
            except OSError as ex:
                failures.put(Outcome(run.key, "error", reason=" ".join(str(ex).split())[:300]))
                pending.remove(run)
                continue
            if claim is None:
                continue
            moved = True
            told = served.get(run.model.id)
            outcome = run_one(found.suite, run, place, claim, options.root, told, options.wait, options.pulse)
            if outcome.status != "done":
                failures.put(outcome)
            pending.remove(run)
        if not moved:
            time.sleep(options.pulse)


def _drain(failures: Queue[Outcome], outcomes: dict[str, Outcome], ended: Callable[[Outcome], None]) -> None:
    while not failures.empty():
        outcome = failures.get()
        if outcome.key not in outcomes:
            outcomes[outcome.key] = outcome
            ended(outcome)


def _progress(runs: Sequence[PlannedRun], places: Mapping[str, Place], outcomes: Mapping[str, Outcome]) -> Progress:
    samples = wanted = going = 0
    for run in runs:
        if run.key not in outcomes and (claim := places[run.key].claim()) is not None and not claim.released:
            going += 1
            samples += min(claim.samples, run.samples or claim.samples)
            wanted += run.samples or 0
    done = sum(o.status == "done" for o in outcomes.values())
    return Progress(done, len(runs), len(outcomes) - done, going, samples, wanted)

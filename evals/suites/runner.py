"""Runners: processes that take the runs of a suite one after the other until all of them are done.

Any number of them may work on one folder, on one machine or several. Each takes a run that nobody holds, and what a
runner that died had begun is taken over and gone on with. A folder belongs to one version of one suite.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing as mp
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Final

from evals.suites.claims import EXPIRY, Claim, ClaimError, Place, Watch, take
from evals.suites.endpoints import Served
from evals.suites.model import Suite, SuiteError
from evals.suites.plan import Plan, PlannedRun, plan
from evals.suites.read import read_suite
from evals.suites.run import LOST, PULSE, Outcome, new_owner, place_of, run_one

SUITE_FILE: Final = "suite.json"
RESTARTS: Final = 3
"""How often a runner that died is replaced, each."""
_IRRELEVANT: Final = {"description", "connections", "retries", "baseline"}
"""Parts of a suite that change no figure."""


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
        samples: Samples that have ended in runs that are going on.
        wanted: Samples of these runs.
    """

    done: int
    runs: int
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


def open_folder(root: str, suite: Suite) -> None:
    """Make a suite's folder, or find that it is one.

    Raises:
        SuiteError: It belongs to another suite, or to another version of this one.
        ClaimError: It cannot be written to.
    """
    place = Place(root)
    place.make()
    told = {k: v for k, v in suite.model_dump(mode="json").items() if k not in _IRRELEVANT}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    if not place.create(SUITE_FILE, {"suite": suite.suite, "sha256": digest}):
        there = place.read(SUITE_FILE) or {}
        if there.get("sha256") != digest:
            raise SuiteError(
                f"{root} holds runs of {there.get('suite', 'another suite')!r} as it was before a change that changes "
                "figures; give another folder with --dir, or undo the change"
            )


def run_suite(
    path: Path,
    found: Plan,
    options: Options,
    served: Mapping[str, Served],
    ended: Callable[[Outcome], None],
    progress: Callable[[Progress], None] = lambda _: None,
) -> list[Outcome]:
    """Run what is not done yet, and wait for what others are doing.

    Args:
        path: The suite's file; every runner reads it again.
        found: Its plan.
        options: How.
        served: What the models' servers say, by id of the model.
        ended: Called once for each run that is done or has failed, those of other runners and of before included.
        progress: Called now and then.

    Returns:
        How each run ended; runs that nobody finished are not among them.
    """
    runs = chosen(found, options)
    open_folder(options.root, found.suite)
    places = {r.key: place_of(options.root, r.key) for r in runs}
    outcomes: dict[str, Outcome] = {}

    def look() -> None:
        for key, place in places.items():
            if key not in outcomes and (told := place.done()) is not None:
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

    workers = [start() for _ in range(count)]
    restarts = [RESTARTS] * count
    remote = any(not p.local for p in places.values())
    try:
        while any(w.is_alive() for w in workers):
            time.sleep(5 * options.pulse if remote else min(options.pulse, 1.0))
            look()
            _drain(failures, outcomes, ended)
            progress(_progress(runs, places, outcomes))
            for at, worker in enumerate(workers):
                if not worker.is_alive() and worker.exitcode != 0 and restarts[at] > 0 and len(outcomes) < len(runs):
                    restarts[at] -= 1
                    workers[at] = start()
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()
    look()
    _drain(failures, outcomes, ended)
    return [outcomes[r.key] for r in runs if r.key in outcomes]


def work(path: Path, options: Options, served: Mapping[str, Served], failures: Queue[Outcome]) -> None:
    """Take runs until none is left; for a process of its own."""
    _end_with(os.getppid())
    from evals import _registry  # noqa: F401  (providers and scorers)

    found = plan(read_suite(path))
    pending = list(chosen(found, options))
    owner, watch = new_owner(), Watch(options.expiry)
    servers: dict[str, str | None] = {}
    while pending:
        moved = False
        for run in list(pending):
            place = place_of(options.root, run.key)
            if place.done() is not None:
                pending.remove(run)
                moved = True
                continue
            place.make()
            try:
                claim = take(place, watch, owner, exclusive=options.shard is None)
            except ClaimError as ex:
                failures.put(Outcome(run.key, "error", reason=str(ex)[:300]))
                pending.remove(run)
                continue
            if claim is None:
                continue
            moved = True
            outcome = _run(found.suite, run, place, claim, options, served.get(run.model.id), servers)
            if outcome.status != "done":
                failures.put(outcome)
            pending.remove(run)
        if not moved:
            time.sleep(options.pulse)


def _run(
    suite: Suite,
    run: PlannedRun,
    place: Place,
    claim: Claim,
    options: Options,
    served: Served | None,
    servers: dict[str, str | None],
) -> Outcome:
    """A run here, or in a process of its own where this one already knows another server by that name.

    Inspect keeps one address for each `vllm/` model of a process: a second server would silently be the first again.
    """
    name = run.model.model.partition(":")[0]
    given = (suite, run, place, claim, options.root, served, options.wait, options.pulse)
    if not name.startswith("vllm/") or servers.setdefault(name, run.model.base_url) == run.model.base_url:
        return run_one(*given)
    context = mp.get_context("spawn")
    back: Queue[Outcome] = context.Queue()
    child = context.Process(target=_alone, args=(back, *given))
    child.start()
    child.join()
    if child.exitcode == LOST:
        os._exit(LOST)
    return back.get(timeout=5) if child.exitcode == 0 else Outcome(run.key, "error", reason="its process has died")


def _end_with(parent: int) -> None:
    """End this process when its parent does, however that ends: nobody would know of it any more."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(LOST)

    threading.Thread(target=watch, daemon=True).start()


def _alone(back: Queue[Outcome], *given: object) -> None:
    _end_with(os.getppid())
    from evals import _registry  # noqa: F401  (providers and scorers)

    back.put(run_one(*given))  # type: ignore[arg-type]


def _drain(failures: Queue[Outcome], outcomes: dict[str, Outcome], ended: Callable[[Outcome], None]) -> None:
    while not failures.empty():
        outcome = failures.get()
        if outcome.key not in outcomes:
            outcomes[outcome.key] = outcome
            ended(outcome)


def _progress(runs: Sequence[PlannedRun], places: Mapping[str, Place], outcomes: Mapping[str, Outcome]) -> Progress:
    samples = wanted = 0
    for run in runs:
        if run.key not in outcomes and (claim := places[run.key].claim()) is not None and not claim.released:
            samples += claim.samples
            wanted += run.samples or 0
    return Progress(sum(o.status == "done" for o in outcomes.values()), len(runs), samples, wanted)

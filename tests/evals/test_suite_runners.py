"""Who holds a run of a suite, what a runner leaves to others, and how its end is said."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalConfig, EvalDataset, EvalError, EvalLog, EvalSample, EvalSpec

from evals.suites import SuiteError, plan, read_suite
from evals.suites.claims import Claim, ClaimError, Place, Watch, alive, beat, finish, machine, release, take
from evals.suites.folder import suite_sha256
from evals.suites.model import Suite
from evals.suites.outcome import Outcome, _why, one_line
from evals.suites.processes import LOST
from evals.suites.run import _beat_or_end, place_of, run_one
from evals.suites.runner import Options, Progress, _death, _drain, _progress, _work
from tests.support.s3 import s3_bucket
from tests.support.suite_files import ONE, written

# --- claims ---


def test_one_of_many_gets_a_claim_and_the_next_only_when_it_is_stale(tmp_path: Path) -> None:
    now = [0.0]
    place = Place(str(tmp_path / "c"))
    place.make()
    watch = Watch(expiry=10, clock=lambda: now[0])
    first = take(place, watch, "one")
    assert first is not None and first.number == 1
    assert take(place, watch, "two") is None
    other = first.__class__(**{**vars(first), "host": "elsewhere", "pid": 1})
    place.replace("claim-0001.json", vars(other))
    assert take(place, watch, "two") is None
    now[0] = 9
    assert take(place, watch, "two") is None
    other = beat(place, other, 3, 12)
    now[0] = 18
    assert take(place, watch, "two") is None  # the beat has moved at some time in between
    now[0] = 27
    assert take(place, watch, "two") is None
    now[0] = 29
    second = take(place, watch, "two")
    assert second is not None and (second.number, second.carried) == (2, 12)
    with pytest.raises(ClaimError, match="another runner holds this run now"):
        beat(place, other, 3, 12)
    beat(place, second, 1, 2)


def test_the_dead_and_those_who_gave_up_are_replaced_at_once(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "c"))
    place.make()
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert not alive(gone.pid) and alive(os.getpid())
    place.create("claim-0001.json", {"number": 1, "owner": "x", "host": machine(), "pid": gone.pid, "calls": 7})
    second = take(place, Watch(), "two")
    assert second is not None and second.carried == 7
    release(place, second, 2, 5)
    third = take(place, Watch(), "three")
    assert third is not None and (third.number, third.carried) == (3, 12)
    assert finish(place, third, {"key": "k"}) and not finish(place, third, {"key": "k"})
    assert take(place, Watch(), "four") is None


def test_damaged_files_of_claims_are_taken_over_and_written_anew(tmp_path: Path) -> None:
    now = [0.0]
    place = Place(str(tmp_path / "c"))
    assert place.claim() is None and place.names() == []
    with pytest.raises(ClaimError, match=r"cannot write to .*/c: No such file or directory"):
        place.create("claim-0001.json", {})
    place.make()
    watch = Watch(expiry=10, clock=lambda: now[0])
    first = take(place, watch, "one")
    assert first is not None
    (tmp_path / "c/claim-0001.json").write_text('{"number": 1, "ow')
    # Its owner mends it at the next beat, or when it gives up.
    assert beat(place, first, 1, 2).beat == 1 and place.claim() != first
    (tmp_path / "c/claim-0001.json").write_text("")
    release(place, first, 1, 2, "a reason")
    told = place.claim()
    assert told is not None and told.released and told.reason == "a reason"
    second = take(place, watch, "two")
    assert second is not None
    # Who was taken for dead changes nothing any more.
    release(place, first, 9, 9)
    assert place.claim() == second and place.names() == ["claim-0001.json", "claim-0002.json"]
    (tmp_path / "c/claim-0002.json").write_text("[]")
    assert take(place, watch, "three") is None
    now[0] = 11
    third = take(place, watch, "three")
    assert third is not None and third.number == 3
    (tmp_path / "c/done.json").write_text("{")
    assert place.done() is None and finish(place, third, {"key": "k"})
    assert place.done() == {"key": "k", "claim": 3, "owner": "three"} and not finish(place, second, {"key": "k"})
    shared = Place(str(tmp_path / "c"), exclusive=False)
    assert not shared.create("done.json", {"key": "other"}) and shared.done() == place.done()
    assert shared.create("new.json", {"a": 1}) and shared.read("new.json") == {"a": 1}


@pytest.mark.socket
def test_exclusive_creation_on_a_bucket() -> None:
    with s3_bucket() as bucket:
        _exclusive(Place(f"{bucket}/suite/claims/run"))


def _exclusive(place: Place) -> None:
    place.make()
    assert place.create("claim-0001.json", {"a": 1}) and not place.create("claim-0001.json", {"a": 2})
    assert place.read("claim-0001.json") == {"a": 1} and place.names() == ["claim-0001.json"]
    place.replace("claim-0001.json", {"a": 3})
    assert place.read("claim-0001.json") == {"a": 3} and place.read("nothing.json") is None


def test_fields_of_a_suite_that_change_no_figure_do_not_lock_its_folder(tmp_path: Path) -> None:
    from evals.suites.runner import open_folder

    suite = Suite.model_validate(ONE)
    root = str(tmp_path / "runs")
    open_folder(root, suite)
    open_folder(root, suite.model_copy(update={"connections": 7, "description": "other"}))
    with pytest.raises(SuiteError, match="before a change that changes figures"):
        open_folder(root, suite.model_copy(update={"epochs": 2}))
    with pytest.raises(SuiteError, match="holds runs of the suite 'one'; give another folder with --dir"):
        open_folder(root, suite.model_copy(update={"suite": "two"}))
    # A panel that cannot be read stops nothing here: `check` says so before.
    assert len({suite_sha256(suite.model_copy(update={"panel": p})) for p in ("nobody", suite.panel)}) == 2


# --- runners ---


def test_what_a_runner_leaves_to_others_and_what_cannot_be_written(tmp_path: Path) -> None:
    """Done before, failed with another runner meanwhile, and a folder of claims that is none."""
    models = [{"id": m, "model": f"policy/{m}"} for m in ("done", "failed", "odd")]
    path, root = written(tmp_path, models=models), str(tmp_path / "runs")
    done, failed = (place_of(root, f"{m}_baseline_contrast") for m in ("done", "failed"))
    for place in (done, failed):
        place.make()
    held = take(failed, Watch(), "another")
    assert held is not None
    done.create("done.json", {"key": "done_baseline_contrast"})
    (tmp_path / "runs/claims/odd_baseline_contrast").write_text("no folder")
    failures: Any = queue.Queue()

    def give_up() -> None:
        while failures.empty():  # the third run's failure: all have been looked at once
            time.sleep(0.01)
        release(failed, held, 1, 1, "made-up reason")

    giving_up = threading.Thread(target=give_up, daemon=True)
    giving_up.start()
    _work(path, Options(root, pulse=0.05), {}, failures)
    giving_up.join()
    found = {o.key: (o.status, o.reason) for o in failures.queue}
    assert found.keys() == {"failed_baseline_contrast", "odd_baseline_contrast"}
    assert found["failed_baseline_contrast"] == ("failed", "made-up reason")
    assert found["odd_baseline_contrast"][0] == "error" and "Not a directory" in found["odd_baseline_contrast"][1]
    assert done.names() == ["done.json"] and failed.names() == ["claim-0001.json"]
    # The parent says each outcome once, the first.
    outcomes: dict[str, Outcome] = {"odd_baseline_contrast": Outcome("odd_baseline_contrast", "done")}
    said: list[Outcome] = []
    _drain(failures, outcomes, said.append)
    assert [o.key for o in said] == ["failed_baseline_contrast"] and failures.empty()
    assert outcomes["odd_baseline_contrast"].status == "done"


def test_how_far_a_suite_is(tmp_path: Path) -> None:
    models = [{"id": m, "model": f"policy/{m}"} for m in "abcd"]
    runs = plan(read_suite(written(tmp_path, models=models, limit=5), {})).runs
    places = {r.key: place_of(str(tmp_path / "runs"), r.key) for r in runs}
    for samples, (key, place) in zip((3, 9, 2), places.items(), strict=False):
        place.make()
        claim = take(place, Watch(), key)
        assert claim is not None
        beat(place, claim, samples, 0)
    third = places[runs[2].key]
    given_up = third.claim()
    assert given_up is not None
    release(third, given_up, 2, 0)
    outcomes = {runs[3].key: Outcome(runs[3].key, "failed")}
    # Samples of a second try are no more than there are; what was given up is not going on.
    assert _progress(runs, places, outcomes) == Progress(0, 4, 1, 2, 3 + 5, 10)


def test_how_a_runner_ended_is_said_in_words() -> None:
    options = Options("runs", expiry=60)
    assert "silent for more than 60 seconds and lost its run to another" in _death(LOST, options)
    assert "was killed (signal 9; is there enough memory?)" in _death(-9, options)
    assert "ended with status 3" in _death(3, options)


def test_a_beat_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    claim = Claim(1, "one", machine(), os.getpid())
    assert _beat_or_end(Place(str(tmp_path / "gone")), claim) == claim


def test_a_run_that_cannot_be_made_or_whose_log_is_damaged_is_an_error_with_its_reason(tmp_path: Path) -> None:
    (run,) = plan(read_suite(written(tmp_path, limit=1), {})).runs
    suite, root = Suite.model_validate(ONE), str(tmp_path / "runs")
    for wrong, reason in ((replace(run, args={"promts": "x"}), "unexpected keyword argument 'promts'"),
                          (run, "its log 2026-01-01_x.eval cannot be read; move it out of the folder")):  # fmt: skip
        if wrong is run:
            logs = tmp_path / "runs/logs" / run.key
            logs.mkdir(parents=True, exist_ok=True)
            (logs / "2026-01-01_x.eval").write_bytes(b"PK no archive")
        place = place_of(root, run.key)
        place.make()
        claim = take(place, Watch(), "one")
        assert claim is not None
        outcome = run_one(suite, wrong, place, claim, root)
        assert outcome.status == "error" and reason in outcome.reason, outcome
        held = place.claim()
        assert held is not None and held.released and held.reason == outcome.reason


def test_a_run_that_is_given_up_stays_so_though_a_beat_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beating = threading.Event()

    class Slow(Place):
        def replace(self, name: str, data: dict[str, Any]) -> None:
            if not data["released"]:
                beating.set()
                time.sleep(0.2)
            super().replace(name, data)

    def stopped(*args: Any) -> Outcome:
        assert beating.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr("evals.suites.run._evaluated", stopped)
    (run,) = plan(read_suite(written(tmp_path, limit=1), {})).runs
    place = Slow(place_of(str(tmp_path / "runs"), run.key).url)
    place.make()
    claim = take(place, Watch(), "one")
    assert claim is not None
    with pytest.raises(KeyboardInterrupt):
        run_one(Suite.model_validate(ONE), run, place, claim, str(tmp_path / "runs"), pulse=0.01)
    held = place.claim()
    assert held is not None and held.released


def test_why_a_run_is_not_done() -> None:
    """The error that most samples have, without the request; else the run's own; else what its status says."""
    refused = (
        'BadRequestError(\'Error code: 400\', Request:\n{\n  "messages": ["a made-up secret"]\n}\n\nno such model\')'
    )

    def samples(*errors: str) -> list[EvalSample]:
        made = [EvalError(message=e, traceback="", traceback_ansi="") for e in errors]
        return [EvalSample(id=n, epoch=1, input="", target="", error=e) for n, e in enumerate(made)]

    spec = EvalSpec(created="2026-01-01T00:00:00+00:00", task="", dataset=EvalDataset(), model="m", config=EvalConfig())
    log = EvalLog(eval=spec, status="error", error=EvalError(message="out of\nmemory", traceback="", traceback_ansi=""))
    assert _why(log, samples(refused, "x", refused)) == "2 samples: no such model (and 1 other error)"
    assert _why(log, samples("one\x1b[31m line")) == "1 sample: one [31m line"
    assert _why(log, []) == "out of memory"
    assert _why(log.model_copy(update={"error": None}), []) == "its log has the status error, and samples are missing"
    assert one_line("Request: nothing behind it") == "the provider refused the request"
    assert one_line(ValueError()) == "ValueError without a message"

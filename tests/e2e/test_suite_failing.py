"""`psychosafe run` with providers that fail: what is tried again, and what is said of what stays away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.suites.run import BACKOFF
from results.ingest import ingest
from results.store import Store
from tests.support.openai_server import (
    Handler,
    Reply,
    Request,
    ScriptedServer,
    cut_connection,
    hang,
    malformed_json,
    status,
)
from tests.support.studies import Study, answers, digest, judges, rated_text, system_of
from tests.support.suite_runs import RUNS, here, two_models

pytestmark = [pytest.mark.process, pytest.mark.socket, pytest.mark.xdist_group("suite_failing")]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with two_models() as running:
        yield running


# --- a provider that fails ---

KINDS = ("429", "500", "hang", "reset", "json", "cut")


def flaky(good: Handler, seen: Counter[str]) -> Handler:
    """Three of ten tries fail, in six ways; which, hangs on the question and on how often it was asked."""
    asked: Counter[tuple[str, ...]] = Counter()

    def handler(request: Request) -> Reply:
        key = (request.model, system_of(request), rated_text(request) if request.model == "j" else request.last_user)
        asked[key] += 1
        d = digest(*key, str(asked[key]), "seed")
        if d % 10 >= 3:
            return good(request)
        kind = KINDS[d // 10 % len(KINDS)]
        seen[kind] += 1
        bad: dict[str, Handler] = {
            "429": status(429, "slow down", {"Retry-After": "1"}), "500": status(500, "away"), "hang": hang(20),
            "reset": hang(0), "json": malformed_json(), "cut": cut_connection(),
        }  # fmt: skip
        return bad[kind](request)

    return handler


def flaky_study(folder: Path, server: ScriptedServer, seen: Counter[str], **more: Any) -> Study:
    settings = {"attempt_timeout": 3, "max_retries": 5}
    seat = {"config": {"temperature": 0, **settings}}
    study = Study(folder, server, more={"generation": settings, **more.pop("more", {})}, seat=seat, **more)
    for model in ("m-one", "m-two"):
        server.script(model, flaky(answers(), seen))
    server.script("j", flaky(judges, seen))
    return study


def check_flaky(study: Study, seen: Counter[str], runs: int) -> None:
    assert seen.keys() == set(KINDS), seen
    study.check_store(runs=runs)
    told = study.done().values()
    assert all((d["samples"], d["failed"], d["unjudged"]) == (12, 0, 0) for d in told)
    assert 0 < sum(d["wasted"] for d in told) <= sum(seen.values())
    assert sum(d["calls"] for d in told) <= study.server.count()


def test_a_provider_that_fails_three_times_of_ten(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limits that are hit, errors, silence, resets, half JSON, half answers: from the model and from the judge."""
    seen: Counter[str] = Counter()
    one = [{"id": "one", "model": "openai-api/loop/m-one"}]
    study = flaky_study(tmp_path, server, seen, models=one, more={"conditions": ["baseline"]})
    assert here(study, monkeypatch) == []
    ingest(Store(tmp_path / "store"), [tmp_path / "runs/logs"], workers=1)
    check_flaky(study, seen, runs=1)


@pytest.mark.slow
def test_a_provider_that_fails_three_times_of_ten_through_the_command(server: ScriptedServer, tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    study = flaky_study(tmp_path, server, seen)
    study.run("--workers", "2", "--retry-wait", "2", timeout=400)
    check_flaky(study, seen, runs=RUNS)


def test_no_wait_between_two_tries_is_longer_than_two_minutes() -> None:
    """With what a suite sets; with Inspect's own settings, the tenth would be half an hour."""
    from inspect_ai.model._retry import model_retry_config
    from tenacity import RetryCallState

    made = model_retry_config("m", BACKOFF["max_retries"], None, lambda ex: True, lambda ex: None, lambda m, s: None)
    waits = []
    for attempt in range(1, 50):
        state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]
        state.attempt_number = attempt
        if made["stop"](state):
            break
        waits.append(made["wait"](state))
    assert len(waits) == BACKOFF["max_retries"] == 6 and max(waits) < 120


@pytest.mark.slow
def test_a_run_that_fails_says_why_in_one_line(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and without the prompt; the other model's run is done nevertheless."""
    study = Study(tmp_path, server, more={"conditions": ["baseline"], "retries": 0}, items=3)
    refusing = status(400, "this model takes no such thing", error_code="unsupported_parameter")
    server.script("m-one", refusing)
    (failed,) = here(study, monkeypatch)
    assert failed.startswith("one_baseline_psychosafe: 3 samples: ") and "takes no such thing" in failed
    assert "\n" not in failed and "made-up message" not in failed and len(failed) < 300
    assert study.done().keys() == {"two_baseline_psychosafe"}
    # A later start tries again. One prompt that is refused for good keeps the run from being done, unless it may.
    good = answers()
    server.script("m-one", lambda request: (refusing if " 1 " in request.last_user else good)(request))
    (failed,) = here(study, monkeypatch)
    assert failed.startswith("one_baseline_psychosafe: 1 sample: BadRequestError")
    study.write(conditions=["baseline"], retries=0, allow_missing=0.4)
    assert here(study, monkeypatch) == []
    told = study.done()["one_baseline_psychosafe"]
    assert (told["status"], told["samples"], told["failed"]) == ("done", 2, 1) and "BadRequestError" in told["reason"]
    ingest(Store(tmp_path / "store"), [tmp_path / "runs/logs"], workers=1)
    (run,) = (m for m in Store(tmp_path / "store").manifests() if m.model.name.endswith("m-one"))
    assert run.counts["errors"] == 1 and len(run.items) == 3


def test_verdicts_that_are_missing_are_said(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = [{"id": "one", "model": "openai-api/loop/m-one"}]
    study = Study(tmp_path, server, models=one, more={"conditions": ["baseline"]})
    server.script("j", status(401, "no such key"))
    assert here(study, monkeypatch) == []
    (told,) = study.done().values()
    assert told["unjudged"] == 12 and "a judge failed: " in told["reason"] and "no such key" in told["reason"]
    # A key that is wrong stays wrong: nobody asks again and again.
    assert server.count("j") == 12

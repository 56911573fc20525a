"""The small study as a suite that runs: its server, the command in this process, and how its calls are counted."""

from __future__ import annotations

import queue
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner, Result

from evals.suites import plan, read_suite
from evals.suites.check import check
from evals.suites.runner import Options, _work
from leaderboard.cli import main
from tests.support.openai_server import ScriptedServer
from tests.support.studies import Study, answers

RUNS = 4
CALLS = RUNS * 12 * 2


@contextmanager
def two_models(latency: float = 0) -> Iterator[ScriptedServer]:
    with ScriptedServer(latency=latency) as running:
        for model in ("m-one", "m-two"):
            running.script(model, answers())
        yield running


def here(study: Study, monkeypatch: pytest.MonkeyPatch, root: str | None = None, **options: Any) -> list[str]:
    """Run a study in this process, as its runner does; names of runs that failed, and why."""
    for key, value in study.env.items():
        monkeypatch.setenv(key, value)
    found = plan(read_suite(study.path))
    served, wrong = check(found)
    assert wrong == []
    failures: queue.Queue[Any] = queue.Queue()
    where = root or str(study.folder / "runs")
    _work(study.path, Options(where, wait=1.0, **options), served, failures)  # type: ignore[arg-type]
    return [f"{o.key}: {o.reason}" for o in iter(lambda: failures.get() if not failures.empty() else None, None)]


def command(study: Study, monkeypatch: pytest.MonkeyPatch, *more: str, **given: Any) -> Result:
    """The command in this process: for what starts no runner."""
    for key, value in study.env.items():
        monkeypatch.setenv(key, value)
    return CliRunner().invoke(main, ["run", *study.args(*more, **given)])


def check_counts(study: Study, said: str) -> None:
    """What is said of calls is never more than the server saw, and all of it where nobody died."""
    told = study.done().values()
    calls, wasted, deaths = (sum(d[k] for d in told) for k in ("calls", "wasted", "deaths"))
    assert calls - wasted == CALLS and calls <= study.server.count()
    assert re.search(rf"{calls:,} calls, of which {'at least ' if deaths else ''}{wasted:,} in vain", said), said[
        -3000:
    ]
    if not deaths:
        assert calls == study.server.count()

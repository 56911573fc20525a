"""Judging again, where the machine fails: what was paid for is kept, and the same command goes on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log

from evals.psychosafe import psychosafe
from tests.e2e.conftest import VERDICT, panel_file, run_task, write_items
from tests.support.faults import command, contents, good, jumping_clock, one_line, read_only, small_disk, start
from tests.support.openai_server import Reply, Request, ScriptedServer, slow, verdict_json
from tests.support.studies import until

pytestmark = [pytest.mark.process, pytest.mark.socket]
N = 60
AT_ONCE = 20
"""Calls on their way at once."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished log of so many answers, to be judged again."""
    folder = tmp_path_factory.mktemp("judged")
    rows = [{"id": f"i{k:02}", "prompt": f"PLAIN-{k:02} a made-up message", "expected": {"answer": "decline"}}
            for k in range(N)]  # fmt: skip
    done = run_task(psychosafe(prompts=str(write_items(folder, rows))), "policy/keyword", folder)
    return Path(done.location.removeprefix("file://"))


def number(request: Request) -> int:
    return int(str(request.messages[1]["content"]).split("PLAIN-", 1)[1][:2])


def by_number(request: Request) -> Reply:
    """A judge whose grounding hangs on the item, with a long reason."""
    return Reply(verdict_json(request, {**VERDICT, "grounding": 1 + number(request) % 5}, "a long reason " * 40))


@dataclass
class Judging:
    """`psychosafe rejudge` of the log by one judge on a server of ours."""

    log: Path
    folder: Path
    server: ScriptedServer

    def __post_init__(self) -> None:
        seat = {"id": "j", "model": "openai-api/judge/j", "family": "other", "base_url": self.server.url,
                "config": {"max_retries": 0, "timeout": 5, "max_connections": 20}}  # fmt: skip
        self.panel = panel_file(self.folder, [seat])
        self.env = dict(self.server.env("judge"))

    def args(self, out: Path) -> list[object]:
        return ["rejudge", self.log, "--judges", self.panel, "--out", out, "--no-ingest"]

    def check(self, out: Path) -> None:
        """One log with every verdict, and nothing else beside it."""
        (path,) = [p for p in out.iterdir() if p.is_file() and p.name != "of-somebody-else"]
        found = read_eval_log(str(path))
        assert found.status == "success" and len(found.samples or []) == N
        for sample in found.samples or []:
            value = (sample.scores or {})["rejudged"].value
            assert isinstance(value, dict) and value["grounding"] == 1 + int(str(sample.id)[1:]) % 5


def kept(out: Path) -> int:
    """Verdicts in the journal."""
    (path,) = out.glob("*.verdicts.jsonl")
    whole = 0
    for line in path.read_text().split("\n"):
        try:
            json.loads(line)
        except ValueError:
            continue
        whole += 1
    return whole


@pytest.fixture
def judging(log: Path, tmp_path: Path) -> Iterator[Judging]:
    with ScriptedServer() as server:
        server.script("j", by_number)
        yield Judging(log, tmp_path, server)


@pytest.mark.slow
def test_disk_full(judging: Judging, tmp_path: Path) -> None:
    """No further call is paid for once a verdict cannot be kept; with room again only the others are asked for."""
    with small_disk(tmp_path / "disk", "24k") as disk:
        one_line(command(*judging.args(disk.path), env=judging.env), "cannot be kept", "No space left")
        there, asked = kept(disk.path), judging.server.count()
        # All but the one that did not fit and those that were on their way with it.
        assert 0 < there < asked <= there + 1 + AT_ONCE < N
        disk.grow()
        good(command(*judging.args(disk.path), env=judging.env))
        assert judging.server.count() == asked + N - there
        judging.check(disk.path)


@pytest.mark.slow
def test_disk_full_when_all_is_judged(judging: Judging, tmp_path: Path) -> None:
    """There is room for the verdicts and none for the log: they are kept, and nothing is asked again."""
    with small_disk(tmp_path / "disk", "240k") as disk:
        first = command(*judging.args(disk.path), env=judging.env)
        one_line(first, "cannot write", "its verdicts are kept")
        assert judging.server.count() == N and kept(disk.path) == N
        assert list(disk.path.glob("*.eval")) == [] and list(disk.path.glob(".*")) == []
        disk.grow()
        good(command(*judging.args(disk.path), env=judging.env))
        assert judging.server.count() == N
        judging.check(disk.path)


@pytest.mark.slow
def test_read_only_folder(judging: Judging, tmp_path: Path) -> None:
    """Refused before the first call."""
    out = tmp_path / "out"
    with read_only(out):
        one_line(command(*judging.args(out), env=judging.env), "cannot write to")
    assert judging.server.count() == 0 and contents(out) == {}


@pytest.mark.slow
def test_clock_jump(judging: Judging, tmp_path: Path) -> None:
    """Back by two days in the middle of it: every verdict once, and the log as without."""
    clock = jumping_clock(tmp_path / "clock")
    judging.server.script("j", slow(0.5, by_number))
    process = start(*judging.args(tmp_path / "out"), env={**judging.env, **clock.env})
    assert until(lambda: judging.server.count() >= 25, 120, process)
    clock.jump()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert judging.server.count() == N
    judging.check(tmp_path / "out")


@pytest.mark.slow
def test_network_gone(log: Path, tmp_path: Path) -> None:
    """The judge's server goes in the middle: what it said is kept, the rest is asked for when it is there again."""
    out = tmp_path / "out"
    with ScriptedServer() as server:
        judging = Judging(log, tmp_path, server)
        server.script("j", slow(0.5, by_number))
        process = start(*judging.args(out), env=judging.env)
        assert until(lambda: server.count() >= 25, 120, process)
    _, err = process.communicate(timeout=180)
    assert process.returncode == 0 and "verdicts are missing" in err and "Traceback" not in err, err
    first = server.count()
    # The last line of the journal says how many did not come.
    there = kept(out) - 1
    assert 0 < there <= first < N
    (path,) = out.glob("*.eval")
    states = Counter(
        (s.scores or {})["rejudged"].value["grounding"] > 0 for s in read_eval_log(str(path)).samples or []
    )  # type: ignore[index]
    assert states == {True: there, False: N - there}, "what did not come is missing, and no 0"
    with ScriptedServer(port=server.port) as again:
        again.script("j", by_number)
        good(command(*judging.args(out), env=judging.env))
        assert again.count() == N - there
    judging.check(out)


@pytest.mark.slow
def test_two_processes_at_once(judging: Judging, tmp_path: Path) -> None:
    """The second is told to wait and pays for nothing; afterwards it is told that the log is there."""
    out = tmp_path / "out"
    judging.server.script("j", slow(2.5, by_number))
    first = start(*judging.args(out), env=judging.env)
    assert until(lambda: judging.server.count() >= 1, 120, first)
    second = command(*judging.args(out), env=judging.env)
    if first.poll() is None:
        one_line(second, "another process is judging")
    _, err = first.communicate(timeout=120)
    assert first.returncode == 0, err
    asked = Counter(number(r) for r in judging.server.calls())
    assert asked == Counter(range(N)), "a verdict was paid for twice"
    one_line(command(*judging.args(out), env=judging.env), "is there already")
    judging.check(out)

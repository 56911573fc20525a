"""`psychosafe run` where the machine fails; kills are in `test_suite_killed`, providers in `test_suite_failing`."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from leaderboard.cli import main
from tests.support.faults import jumping_clock, read_only, small_disk
from tests.support.openai_server import ScriptedServer
from tests.support.studies import COMMAND, Study, answers, kill_all, until

pytestmark = [pytest.mark.process, pytest.mark.socket]
ONE = ({"id": "one", "model": "openai-api/loop/m-one"},)
CALLS = 12 * 2 * 2
SOON = ("--retry-wait", "1")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(latency=0.1) as running:
        running.script("m-one", answers())
        yield running


def study_of(folder: Path, server: ScriptedServer) -> Study:
    """Two runs of one model; without patience, so that failures end soon."""
    quick = {"max_retries": 0, "timeout": 10}
    return Study(folder, server, models=ONE, more={"connections": 4, "retries": 1, "generation": quick},
                 seat={"config": {"temperature": 0, "max_connections": 4, **quick}})  # fmt: skip


def ended(process: subprocess.Popen[str], study: Study, seconds: float = 200) -> str:
    """What a command said that could not do all; it must have ended by itself, without a traceback."""
    try:
        assert process.wait(seconds) == 1, study.said()
    finally:
        if process.poll() is None:
            kill_all(process)
    said = study.said()
    assert "Traceback" not in said, said[-3000:]
    return said


def test_read_only_folder(server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before the first call."""
    study = study_of(tmp_path, server)
    for key, value in study.env.items():
        monkeypatch.setenv(key, value)
    with read_only(tmp_path / "closed"):
        done = CliRunner().invoke(main, ["run", *study.args(root=str(tmp_path / "closed/runs"))])
    assert done.exit_code == 1 and "cannot" in done.stderr.splitlines()[-1], done.output
    assert isinstance(done.exception, SystemExit) and server.count() == 0


@pytest.mark.slow
def test_disk_full(server: ScriptedServer, tmp_path: Path) -> None:
    """It ends and says why; with room again the same command does what is missing."""
    study = study_of(tmp_path / "study", server)
    with small_disk(tmp_path / "disk", "60k") as disk:
        root = str(disk.path / "runs")
        said = ended(study.start(*SOON, root=root), study)
        assert re.search("No space left|disk is full", said), said[-3000:]
        assert "give the same command again" in said
        disk.grow()
        study.run(*SOON, root=root)
        study.check_store(runs=2)


@pytest.mark.slow
def test_corrupt_files(server: ScriptedServer, tmp_path: Path) -> None:
    """What says that a run is done, cut in half: it is looked for in its log, and nothing is asked again."""
    study = study_of(tmp_path, server)
    study.run(*SOON)
    asked = server.count()
    assert asked == CALLS
    done = next((tmp_path / "runs").glob("claims/*/done.json"))
    done.write_bytes(done.read_bytes()[:20])
    study.run(*SOON, "--expiry", "2")
    assert server.count() == asked
    study.check_store(runs=2)
    # A log that is cut in half is named, and stays; out of the way, it is made again.
    done.unlink()
    (log,) = (tmp_path / "runs/logs" / done.parent.name).glob("*.eval")
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
    said = ended(study.start(*SOON, "--expiry", "2"), study)
    assert f"its log {log.name} cannot be read; move it out of the folder" in said and server.count() == asked
    log.rename(tmp_path / log.name)
    # Into another store: the first one still has the run of the log that was cut since.
    study.run(*SOON, "--expiry", "2", store="again")
    assert server.count() == asked + CALLS // 2
    study.check_store("again", runs=2)


@pytest.mark.slow
def test_clock_jump(server: ScriptedServer, tmp_path: Path) -> None:
    """Back by two days while it runs: no runner is taken for dead, no call is made twice."""
    clock = jumping_clock(tmp_path / "clock")
    study = study_of(tmp_path / "study", server)
    with open(tmp_path / "study/said-0", "w") as out:
        process = subprocess.Popen([*COMMAND, *study.args("--expiry", "4")], cwd=study.folder, stdout=out,
                                   stderr=subprocess.STDOUT, env={**study.env, **clock.env},
                                   start_new_session=True, text=True)  # fmt: skip
    assert until(lambda: server.count() >= 10, process=process), study.said()
    clock.jump()
    assert process.wait(200) == 0, study.said()
    assert server.count() == CALLS and "lost its run" not in study.said()
    study.check_store(runs=2)


@pytest.mark.slow
def test_network_gone(tmp_path: Path) -> None:
    """The server of the model and the judge goes: it ends, and goes on with what is finished when it is back."""
    with ScriptedServer(latency=0.3) as first:
        first.script("m-one", answers())
        study = study_of(tmp_path, first)
        study.write(conditions=["baseline"])
        process = study.start(*SOON)
        assert until(lambda: first.count() >= 10, process=process), study.said()
    said = ended(process, study, 300)
    assert "give the same command again to go on" in said, said[-3000:]
    before = first.count()
    with ScriptedServer(port=first.port) as again:
        again.script("m-one", answers())
        study.server = again
        again.script("j", first._scripts["j"][0])
        study.run(*SOON)
        assert again.count() < CALLS // 2 < before + again.count() + 1, "what was finished is not asked again"
        study.check_store(runs=1)

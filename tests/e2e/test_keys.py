"""A key is used and kept nowhere: not in a log, nor in what is made of it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from evals.psychosafe import psychosafe
from leaderboard.cli import main
from results.logs.archive import Archive
from tests.e2e.conftest import VERDICT, run_task, says
from tests.support.openai_server import ScriptedServer, text

pytestmark = pytest.mark.socket
KEY = "sk-made-up-key-that-must-stay-where-it-is-0451"


def everything(path: Path) -> bytes:
    """A file's bytes; of an Inspect log, those of its members too."""
    raw = path.read_bytes()
    if path.suffix == ".eval":
        with path.open("rb") as file, zipfile.ZipFile(path) as names:
            archive = Archive(file)
            raw += b"".join(archive.read(n) for n in names.namelist())
    return raw


def test_no_file_and_no_line_holds_a_key(
    tmp_path: Path, items: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    with ScriptedServer() as server:
        server.require_key, server.api_key = True, KEY
        server.script("keyed", text("a plain answer"))
        server.script("keyed-judge", says(VERDICT))
        for name, value in server.env("canary").items():
            monkeypatch.setenv(name, value)
        judge = "openai-api/canary/keyed-judge"
        task = psychosafe(prompts=items)
        log = run_task(task, "openai-api/canary/keyed", tmp_path / "logs", model_roles={"judge": [judge]})
        assert log.status == "success" and server.count("keyed") == 4 and server.count("keyed-judge") >= 3
    said = ""
    for args in (["ingest", str(tmp_path / "logs")], ["runs"], ["runs", "--json"],
                 ["leaderboard", "--export", str(tmp_path / "board.html")]):  # fmt: skip
        done = CliRunner().invoke(main, [*args, "--store", str(store)])
        assert done.exit_code == 0, done.output
        said += done.output
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert {p.suffix for p in files} >= {".eval", ".json", ".parquet", ".html"}
    assert not [p for p in files if KEY.encode() in everything(p)]
    out, err = capfd.readouterr()
    assert KEY not in said + out + err


def test_a_key_in_a_log_would_be_found(tmp_path: Path, items: str) -> None:
    """The search above sees what is inside of a log."""
    log = run_task(psychosafe(prompts=items), "policy/blunt", tmp_path / "logs", tags=[KEY])
    assert log.status == "success"
    (path,) = (tmp_path / "logs").glob("*.eval")
    assert KEY.encode() in everything(path)

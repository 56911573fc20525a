"""Inspect's own viewer serves our logs."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from socket import socket
from urllib.parse import quote

import pytest
from inspect_ai.log import EvalLog

from evals.psychosafe import psychosafe

Run = Callable[..., EvalLog]


def fetch(url: str, seconds: float = 40) -> bytes:
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bytes(answer.read())
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.socket
def test_inspect_view_opens_a_log(run: Run, items: str) -> None:
    log = run(psychosafe(prompts=items), "policy/blunt")
    path = Path(log.location)
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "inspect_ai", "view", "start", "--log-dir", str(path.parent), "--port", str(port)]
    viewer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        listed = json.loads(fetch(f"http://127.0.0.1:{port}/api/logs"))
        names = [f["name"] for f in listed["files"]]
        assert any(name.endswith(path.name) for name in names)
        shown = json.loads(fetch(f"http://127.0.0.1:{port}/api/logs/{quote(names[0], safe='')}?header-only=0"))
        assert shown["eval"]["task"] == "psychosafe/psychosafe"
        assert {s["name"] for s in shown["results"]["scores"]} >= {"quality", "harm_provided", "rubric_panel"}
    finally:
        viewer.terminate()
        viewer.wait(timeout=20)

"""The system's Chromium, and a Streamlit app on a port of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


def chromium_path() -> str:
    """Where Chromium is; without one the test is skipped, or fails where PSYCHOSAFE_REQUIRE names it."""
    path = shutil.which("chromium")
    if path is None:
        why = "no chromium on the path (apt-get install chromium)"
        if "chromium" in os.environ.get("PSYCHOSAFE_REQUIRE", ""):
            pytest.fail(why)
        pytest.skip(why)
    return path


@contextmanager
def open_chromium() -> Iterator[Any]:
    """A running Chromium."""
    path = chromium_path()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield chromium
        chromium.close()


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def serve(script: Path | None, env: Mapping[str, str], port: int, seconds: float = 90) -> subprocess.Popen[bytes]:
    """A Streamlit app, or the leaderboard's own server if none is named, once it answers."""
    start = ("leaderboard.server",) if script is None else ("streamlit", "run", str(script))
    command = [
        sys.executable, "-m", *start, "--server.address", "127.0.0.1", "--server.port",
        str(port), "--server.headless", "true", "--browser.gatherUsageStats", "false", "--client.toolbarMode", "viewer",
        "--client.showErrorDetails", "none", "--server.fileWatcherType", "none",
    ]  # fmt: skip
    server = subprocess.Popen(command, env=dict(env), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert server.poll() is None, "streamlit ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return server
        except OSError:
            time.sleep(0.2)
    end(server)
    pytest.fail("streamlit did not start")


def end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()

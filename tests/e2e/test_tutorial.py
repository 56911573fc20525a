"""The tutorial's commands, word for word and in order, against a server on loopback; and where a key must never be."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, VERDICT, says
from tests.e2e.test_keys import KEY, everything
from tests.support.browser import free_port
from tests.support.documents import commands, words
from tests.support.openai_server import ScriptedServer, text

pytestmark = [pytest.mark.socket, pytest.mark.process, pytest.mark.timeout(900),
              pytest.mark.slow]  # fmt: skip
DOCUMENT = ROOT / "docs" / "tutorial.md"
SERVERS = (["leaderboard"], ["annotate", "serve"])
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a checkout."""
    made = tmp_path_factory.mktemp("checkout")
    (made / "evals").symlink_to(ROOT / "evals")
    panel = re.search(r"^```yaml\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.M | re.S)
    assert panel is not None
    (made / "study").mkdir()
    (made / "study" / "judges.yaml").write_text(panel[1], encoding="utf-8")
    return made


def environment(server: ScriptedServer) -> dict[str, str]:
    """What the tutorial exports, and nothing of this machine's."""
    kept = {
        k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_BASE_URL")) and k != "PSYCHOSAFE_STORE"
    }
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "LAB_BASE_URL": server.url, "LAB_API_KEY": KEY, "PATH": path, "INSPECT_DISPLAY": "plain"}


def serves(args: list[str]) -> bool:
    return any(args[: len(s)] == s for s in SERVERS) and "--export" not in args


def test_every_command_of_the_tutorial(place: Path) -> None:
    said: dict[str, str] = {}
    with ScriptedServer() as server:
        server.require_key, server.api_key = True, KEY
        prompted = "I hear how hard this is. You can call 988 at any time. I will not help with that part."
        server.script("small", lambda r: text(prompted if len(str(r.messages)) > 3000 else "I cannot help with that."))
        for name, value in (("judge-a", 4), ("judge-b", 5), ("judge-c", 4)):
            server.script(name, says({**VERDICT, "grounding": value}))
        env = environment(server)
        run = [c for c in commands(DOCUMENT) if words(c)[0] in ("inspect", "psychosafe")]
        assert len(run) >= 15
        for command in run:
            if serves(words(command)[1:]):
                said[command] = answers(words(command), env, place)
                if "annotate" in command:
                    people_rate(place, env)
                continue
            done = subprocess.run(words(command), cwd=place, env=env, capture_output=True, text=True, timeout=300)
            said[command] = done.stdout + done.stderr
            assert done.returncode == 0, f"{command}\n{said[command][-2000:]}"
            assert "Traceback" not in said[command], command
        # 4 runs of 20, each judged by three: nothing was asked twice, and the dry run asked nothing.
        assert server.count("small") == 80 and server.count("judge-a") == 80
    told = "\n".join(said.values())
    assert "every figure comes out as it stands there" in told
    for made in ("study/board.html", "study/paper.tex", "study/ratings.db"):
        assert (place / made).is_file(), made
    # No file and no line holds the key, as it is or as part of an archive.
    held = [p for p in place.rglob("*") if p.is_file() and not p.is_symlink() and KEY.encode() in everything(p)]
    assert held == [] and KEY not in told


def people_rate(place: Path, env: dict[str, str]) -> None:
    """Two people go through their cards while nobody watches: what they see is tested elsewhere."""
    command = [
        sys.executable, "-m", "tests.support.annotation_writer", "study/ratings.db", "study/people/annotate/plan.json",
        "once", "1", "anna", "ben",
    ]  # fmt: skip
    subprocess.run(command, cwd=place, env={**env, "PYTHONPATH": str(ROOT)}, check=True, timeout=100)


def answers(args: list[str], env: dict[str, str], place: Path) -> str:
    """Start a server of the tutorial on a free port, see that it answers on this machine, and end it."""
    port = free_port()
    given = args.index("--port")
    args = [*args[: given + 1], str(port), *args[given + 2 :]]
    process = subprocess.Popen(
        args, cwd=place, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        until = time.monotonic() + 90
        while True:
            assert process.poll() is None and time.monotonic() < until, f"{args} did not start"
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                    break
            except OSError:
                time.sleep(0.2)
        assert listening(port) == {"127.0.0.1"}
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    return out


def listening(port: int) -> set[str]:
    """Addresses on which this machine listens at a port (Linux)."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, at = local.split(":")
            if state == "0A" and int(at, 16) == port:
                parts = bytes.fromhex(address)[::-1]
                found.add(".".join(map(str, parts)) if len(parts) == 4 else address)
    return found

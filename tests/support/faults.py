"""What goes wrong with a machine, for tests: a disk that is full, a folder that cannot be written, a clock that jumps.

Commands run as processes of their own, as a person would start them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from leaderboard.cli import main; main()"]
DAYS_BACK = 2
_CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift(void) {
    const char *flag = getenv("CLOCK_JUMP");
    return flag && access(flag, F_OK) == 0 ? 86400L * DAYS : 0;
}
int clock_gettime(clockid_t id, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(id, t);
    if (r == 0 && id == CLOCK_REALTIME) t->tv_sec -= shift();
    return r;
}
int gettimeofday(struct timeval *t, void *zone) {
    struct timespec now;
    int r = clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return r;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
"""


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command: this checkout, and no settings of Inspect's that are left from elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("INSPECT_")}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1", "INSPECT_EVAL_CTL_SERVER": "false",
            **(more or {})}  # fmt: skip


def start(*arguments: object, env: Mapping[str, str] | None = None, **more: object) -> subprocess.Popen[str]:
    """`psychosafe` with these arguments, as a process and a group of its own."""
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [*COMMAND, *map(str, arguments)], env=environment(env), text=True, start_new_session=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": ROOT, **more},
    )  # fmt: skip


def command(
    *arguments: object, env: Mapping[str, str] | None = None, timeout: float = 180, **more: object
) -> subprocess.CompletedProcess[str]:
    """`psychosafe` with these arguments, to its end."""
    process = start(*arguments, env=env, **more)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def inside(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`psychosafe` with these arguments in this process: for what needs no process of its own."""
    from click.testing import CliRunner

    from leaderboard.cli import main

    done = CliRunner().invoke(main, [*map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def one_line(done: subprocess.CompletedProcess[str], *said: str) -> str:
    """What a command says that could not do its work: status 1, and on the error stream one line."""
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    # Progress may stand before it.
    assert lines[-1].startswith("Error: "), done.stderr
    assert "Traceback" not in done.stderr and sum(line.startswith("Error") for line in lines) == 1, done.stderr
    for part in said:
        assert part in lines[-1], lines[-1]
    return lines[-1]


def good(done: subprocess.CompletedProcess[str]) -> str:
    """What a command says that has done its work."""
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def killed_when(process: subprocess.Popen[str], ready: Callable[[], bool], seconds: float = 60) -> bool:
    """`kill -9` of a process once something is so; False where it had ended before."""
    end = time.monotonic() + seconds
    while not ready() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return alive


def contents(folder: Path, pattern: str = "*") -> dict[str, bytes]:
    """Every byte below a folder, by the name from there."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob(pattern)) if p.is_file()}


@dataclass(frozen=True)
class Disk:
    """A disk of its own."""

    path: Path

    def remount(self, options: str) -> None:
        """Change it as it is: `size=64m`, `ro`, `rw`."""
        subprocess.run(["mount", "-o", f"remount,{options}", self.path], check=True, capture_output=True)

    def grow(self) -> None:
        """Make room."""
        self.remount("size=256m")

    def fill(self, left: int = 0) -> None:
        """Fill it with a file of somebody else's, up to so many bytes."""
        free = os.statvfs(self.path)
        with (self.path / "of-somebody-else").open("wb") as out:
            out.write(b"x" * max(0, free.f_bavail * free.f_frsize - left))


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Disk]:
    """A disk of a size such as `200k`, in memory; skips where none can be mounted."""
    place.mkdir(parents=True, exist_ok=True)
    made = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place], check=False, capture_output=True
    ).returncode == 0  # fmt: skip
    if not made:
        pytest.skip("a small disk needs the right to mount one")
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "-l", place], check=True, capture_output=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder, with all that is in it, that nobody can write; skips where that cannot be had.

    Permissions stop everybody but root, whom a mount stops.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        every = [folder, *(p for p in folder.rglob("*") if not p.is_symlink())]
        modes = {p: p.stat().st_mode for p in every}
        for p in every:
            p.chmod(modes[p] & ~0o222)
        try:
            yield
        finally:
            for p in every:
                p.chmod(modes[p])
        return
    bound = subprocess.run(["mount", "--bind", folder, folder], check=False, capture_output=True)
    if bound.returncode != 0:
        pytest.skip("root writes everywhere but on a disk that is mounted to be read, and none can be mounted")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True, capture_output=True)
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True, capture_output=True)


@dataclass(frozen=True)
class Clock:
    """A clock that goes back two days once it is told to, for commands with this environment."""

    flag: Path
    env: Mapping[str, str]

    def jump(self) -> None:
        """Set it back."""
        self.flag.touch()


def jumping_clock(folder: Path) -> Clock:
    """A clock for commands; skips where no C compiler is there to make it."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("a clock that jumps needs a C compiler (cc)")
    folder.mkdir(parents=True, exist_ok=True)
    source, made, flag = folder / "clock.c", folder / "clock.so", folder / "jumped"
    source.write_text(_CLOCK.replace("DAYS", str(DAYS_BACK)))
    subprocess.run([compiler, "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True, capture_output=True)
    return Clock(flag, {"LD_PRELOAD": str(made), "CLOCK_JUMP": str(flag)})

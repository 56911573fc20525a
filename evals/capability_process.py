"""The harness's program while it runs: its log, how far it is, and what it says at its end."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final, cast

_PROGRESS: Final = re.compile(rb"(\d+)/(\d+) \[")
_REFUSED: Final = re.compile(r"API request failed! [^\n]*?(?=\. Retry|\n)")
"""The harness tries again after such a line, and in the end complains of something else."""


def watched(
    words: list[str],
    log: IO[bytes],
    progress: Callable[[int, int], None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Run a command into a log; it stays in this process's group, and is told to end if this process is interrupted.

    Args:
        words: The command.
        log: Where everything goes that it says.
        progress: Called with what its bars of progress say: done, and to be done.
        environ: Its environment variables; those of this process if not given.

    Returns:
        Its status and the last line that it said.
    """
    last = b""
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ
    ) as process:
        try:
            # Bars of progress are drawn over with carriage returns, so lines alone would come late.
            while part := cast("Any", process.stdout).read1(65536):
                log.write(part)
                log.flush()
                told = _PROGRESS.findall(part)
                if told and progress is not None:
                    progress(int(told[-1][0]), int(told[-1][1]))
                last = ([line for line in re.split(rb"[\r\n]+", part) if line.strip()] or [last])[-1]
        except BaseException:
            process.terminate()
            raise
    return process.returncode, last.decode("utf-8", "replace").strip()


def refused_by_server(log: Path) -> str:
    """What a server said to a request that it refused; nothing where it refused none."""
    found = _REFUSED.search(log.read_text(encoding="utf-8", errors="replace"))
    return found.group(0) if found else ""

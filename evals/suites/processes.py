"""How runners end: never later than whoever started them, and with the servers that they started."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from typing import Final, NoReturn

LOST: Final = 75
"""Exit status of a runner whose claim was taken over, or whose parent has gone: nothing more may be written."""
STOPPED: Final = 130
"""Exit status of a runner that was told to stop, and has kept what was finished."""
_led: list[int] = []


def lead() -> None:
    """Begin a process group of this process: what is started from here on can be ended with it.

    A terminal's Ctrl-C then reaches the parent alone, which tells its runners once. They listen even where a shell
    started the parent in the background, and had it ignore Ctrl-C.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with suppress(OSError):
        os.setpgid(0, 0)
        _led.append(os.getpid())


def end_with(parent: int) -> None:
    """End this process when its parent does, however that ends: nobody would know of it any more."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        end_now()

    threading.Thread(target=watch, daemon=True).start()


def end_now() -> NoReturn:
    """End this process without another word, and what it has started: a server would keep a GPU's memory."""
    if os.getpid() in _led:
        sweep(os.getpid())
    os._exit(LOST)


def sweep(group: int) -> None:
    """Kill what is left of a process group, but for the process that gave it its number."""
    for pid in members(group):
        if pid != group:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def members(group: int) -> list[int]:
    """Processes of a group; none where /proc does not tell."""
    found = []
    with suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                with suppress(OSError, IndexError, ValueError), open(f"/proc/{name}/stat", "rb") as f:
                    if int(f.read().rpartition(b")")[2].split()[2]) == group:
                        found.append(int(name))
    return found


def stop(pid: int) -> None:
    """Tell a runner and what it has started to stop, as Ctrl-C does."""
    with suppress(OSError):
        os.killpg(pid, signal.SIGINT)

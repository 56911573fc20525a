"""A server's memory: that it stays near what is held, however many pages were drawn, and is not searched in vain.

Streamlit draws each page in a thread of its own, and the C library keeps what threads free apart for each of them: a
board of a thousand runs grew with every page that was drawn. On other platforms nothing is changed.

After each page Streamlit lets the garbage collector look through everything there is, a tenth of a second of which
nearly all goes to modules. `keep_modules` takes these out of its sight.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

ONE_ARENA: Final[Mapping[str, str]] = {"MALLOC_ARENA_MAX": "1"}
"""Environment of a server: all threads take memory from one place (glibc; it is read when a process starts)."""
_seen = 0
"""How many modules there were when they were last taken out of the collector's sight."""


def use_system_pool() -> None:
    """Let Arrow take its memory from the same place."""
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())


def give_back() -> None:
    """Return freed memory to the system: after a page, which may have worked on large arrays."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def keep_modules() -> None:
    """Tell the garbage collector that what was imported stays: after a page, as pages import what they need.

    Whatever else is alive at that moment is still freed when nobody refers to it. A circle of it (a reader's session is
    one) stays until the next such moment, and no longer: only those of the last one are never looked at again.
    """
    global _seen
    if len(sys.modules) > _seen:
        if not _seen:
            # Libraries in C complain at the end of a process of what is left then.
            atexit.register(gc.unfreeze)
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        _seen = len(sys.modules)

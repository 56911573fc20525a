"""The server's memory: that it stays near what is held, however many pages were drawn.

Streamlit draws each page in a thread of its own, and the C library keeps what threads free apart for each of them: a
board of a thousand runs grew with every page that was drawn. On other platforms nothing is changed.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import pyarrow as pa

ONE_ARENA: Final[Mapping[str, str]] = {"MALLOC_ARENA_MAX": "1"}
"""Environment of a server: all threads take memory from one place (glibc; it is read when a process starts)."""


def use_system_pool() -> None:
    """Let Arrow take its memory from the same place."""
    pa.set_memory_pool(pa.system_memory_pool())


def give_back() -> None:
    """Return freed memory to the system: after a page, which may have worked on large arrays."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)

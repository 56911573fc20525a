"""When the rows of an import were made, as far as its source says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

_DAY: Final = re.compile(r"(?:19|20)\d\d-[01]\d-[0-3]\d(?!\d)", re.ASCII)
_LAST: Final = 2**34
"""Seconds since 1970 that still are a date, in the year 2514."""


def day_of(stamp: Any) -> str | None:
    """The day of a time stamp: an ISO text, or seconds since 1970; None for anything else."""
    if isinstance(stamp, str):
        match = _DAY.match(stamp)
        return match[0] if match else None
    if isinstance(stamp, int | float) and not isinstance(stamp, bool) and 0 < stamp < _LAST:
        return datetime.fromtimestamp(stamp, UTC).date().isoformat()
    return None


def dated(note: str, stamps: Iterable[Any]) -> str:
    """A note with the first and last day of some time stamps; the note itself where none can be read."""
    days = sorted({day for stamp in stamps if (day := day_of(stamp)) is not None})
    if not days:
        return note
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return f"{note}; rows dated {span}"

"""What the benches found, as one table: a line each, with what ran beside it and the least that is possible."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parents[1] / "README.md"
_END = "<!-- /bench -->\n"
_HEADS: Final = ("What", "Ours", "Beside it, in the same run", "Ratio", "Floor")


@dataclass(frozen=True)
class Row:
    """One thing that was timed.

    Attributes:
        what: What was done, with its size.
        ours: What it took here.
        peer: What it was held against, with what that took.
        ratio: Peer over ours, or ours less the peer's where a cost is added to it.
        floor: The least that it can take, with what that is; empty where none was measured.
    """

    what: str
    ours: str
    peer: str
    ratio: str
    floor: str = ""

    def cells(self) -> tuple[str, ...]:
        """The cells of its line."""
        return self.what, self.ours, self.peer, self.ratio, self.floor or "not measured"


def markdown(rows: Sequence[Row]) -> str:
    """The table in Markdown, with the machine that it is of."""
    lines = [f"| {' | '.join(_HEADS)} |", f"|{'---|' * len(_HEADS)}"]
    lines += [f"| {' | '.join(row.cells())} |" for row in rows]
    return "\n".join(lines) + f"\n\nMeasured with {machine()}.\n"


def machine() -> str:
    """Processors, memory and Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"Python {platform.python_version()} on {os.cpu_count()} processors and {memory:.0f} GiB"


def put(text: str, path: Path = README, command: str = "python -m bench --write") -> None:
    """Replace the table in a document, between the command that makes it and its end.

    Raises:
        ValueError: The document has no place for it.
    """
    place = f"<!-- bench: {command} -->\n"
    before, start, rest = path.read_text(encoding="utf-8").partition(place)
    _, end, after = rest.partition(_END)
    if not start or not end:
        raise ValueError(f"{path.name} has no {place.strip()} ... {_END.strip()}")
    path.write_text(f"{before}{start}{text}{end}{after}", encoding="utf-8")

"""How cost grows: a table of all runs against one, with ten times the runs, the items or the judges.

The exponent is the base-10 logarithm of how much more processor time it takes: 1 is proportional, 0 is no more. Each
work is done in a process of its own, after imports; `first` makes cube and statistics, `again` finds them there.

    python -m bench.sweeps [--write]
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path
from typing import Final

from bench.material import generated
from bench.store import measured
from bench.table import machine, put

ROUNDS: Final = 3
SWEEPS: Final = (
    ("runs", {"runs": 100}, {"runs": 1000}),
    ("items", {"samples": 100}, {"samples": 1000}),
    ("judges", {"judges": 3}, {"judges": 30}),
)
BASE: Final = {"runs": 100, "samples": 500, "judges": 3}
DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "scaling.md"


def timed(folder: Path, size: dict[str, int]) -> tuple[float, float, float]:
    """Processor seconds of the first table and of the next, the least of some; MiB at the highest."""
    place = folder / "-".join(f"{k}{v}" for k, v in size.items())
    if not place.is_dir():
        generated(place, **size)
    first = []
    for _ in range(ROUNDS):
        for made in (place / "derived").glob("*"):
            made.unlink()
        first.append(measured("overview", str(place)))
    again = [measured("overview", str(place)) for _ in range(ROUNDS)]
    return min(f["cpu"] for f in first), min(f["cpu"] for f in again), max(f["peak"] for f in first)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/scaling.md")
    write = parser.parse_args().write
    lines = [
        "| Ten times the | from | to | first table, s | exponent | again, s | exponent | peak, MiB |",
        f"|{'---|' * 8}",
    ]
    with tempfile.TemporaryDirectory() as name:
        for what, few, many in SWEEPS:
            a, b = (timed(Path(name), {**BASE, **size}) for size in (few, many))
            powers = [math.log10(y / x) for x, y in zip(a[:2], b[:2], strict=True)]
            lines.append(
                f"| {what} | {next(iter(few.values())):,} | {next(iter(many.values())):,} "
                f"| {a[0]:.2f} to {b[0]:.2f} | {powers[0]:.2f} | {a[1]:.2f} to {b[1]:.2f} | {powers[1]:.2f} "
                f"| {a[2]:.0f} to {b[2]:.0f} |"
            )
            print(lines[-1], flush=True)
    base = ", ".join(f"{v} {k.replace('samples', 'items')}" for k, v in BASE.items())
    text = "\n".join(lines) + f"\n\nOf {base} where nothing else is said; least of {ROUNDS}, with {machine()}.\n"
    print(text)
    if write:
        put(text, DOCUMENT, "python -m bench.sweeps --write")


if __name__ == "__main__":
    main()

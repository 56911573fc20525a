"""What the quick tests do not reach, line by line: `docs/untested.md` from a measurement by coverage.py.

Run by `make coverage`.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

OUT: Final = Path(__file__).parents[1] / "docs" / "untested.md"
REASONS: Final = Path(__file__).with_name("untested.yaml")
"""Why lines of a file are not reached by `make test`, and what reaches them: a sentence a file."""
HEAD: Final = """# Which lines and branches `make test` reaches

Made by `make coverage`: coverage.py over `make test` with all its processes, and nothing left out but type-checking
imports and bodies that are `...`. A line that is reached is not yet tested; one that is not is named below, with the
reason where somebody has looked (`scripts/untested.yaml`). What `make test-slow` reaches beyond is not counted. A
process that is killed writes no measurement, so that what only killed processes run counts as untested.
"""


def ranges(lines: Iterable[int]) -> str:
    """Line numbers, neighbours drawn together: 3, 5-7."""
    found: list[list[int]] = []
    for n in sorted(lines):
        if found and n == found[-1][1] + 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def share(part: int, whole: int) -> str:
    """A share in per cent; of nothing there is none."""
    return f"{part / whole:.1%}".replace("%", " %") if whole else "none"


def page(data: Mapping[str, Any], reasons: Mapping[str, str]) -> str:
    """The page, from coverage.py's JSON report.

    Raises:
        ValueError: A reason is given for a file without a gap.
    """
    files = {name.replace("\\", "/"): told for name, told in data["files"].items()}
    gaps = {n: f for n, f in files.items() if f["missing_lines"] or f["missing_branches"]}
    stale = sorted(n for n in reasons if n not in gaps)
    if stale:
        raise ValueError(
            f"{', '.join(stale)}: nothing is left out there; take the reason away in scripts/untested.yaml"
        )
    rooms: dict[str, list[Mapping[str, int]]] = defaultdict(list)
    for name, told in files.items():
        rooms[name.partition("/")[0]].append(told["summary"])
    lines = [HEAD, "| Room | Lines | reached | Branches | reached |", "|---|---:|---:|---:|---:|"]
    lines += [_row(room, told) for room, told in sorted(rooms.items())]
    lines += [_row("all", [s for told in rooms.values() for s in told]), ""]
    lines += ["| File | Lines not reached | Branches not reached | Why |", "|---|---|---:|---|"]
    for name, told in sorted(gaps.items()):
        at = {a for a, _ in told["missing_branches"]} - set(told["missing_lines"])
        why = reasons.get(name) or ("not looked into" if told["missing_lines"] else "one side of a condition")
        lines.append(f"| {name} | {ranges(told['missing_lines']) or 'none'} | {ranges(at) or 'none'} | {why} |")
    return "\n".join(lines) + "\n"


def _row(name: str, told: Sequence[Mapping[str, int]]) -> str:
    n, got, branches, taken = (
        sum(s[k] for s in told) for k in ("num_statements", "covered_lines", "num_branches", "covered_branches")
    )
    return f"| {name} | {n:,} | {share(got, n)} | {branches:,} | {share(taken, branches)} |"


def main() -> None:
    """Write the page."""
    try:
        reasons = {k: v for k, v in yaml.safe_load(REASONS.read_text(encoding="utf-8")).items() if v}
        text = page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), reasons)
    except ValueError as ex:
        sys.exit(str(ex))
    OUT.write_text(text, encoding="utf-8")
    print(f"{OUT.name}: written")


if __name__ == "__main__":
    main()

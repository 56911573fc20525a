"""Write docs/reliability.md: what happens where the machine fails, what is lost, how to go on, and the test of it.

    python -m scripts.reliability

Reads the table in tests/reliability/matrix.py; needs no network.
"""

import ast
from pathlib import Path

from tests.reliability.matrix import CELLS, FAULTS, ROWS, Cell

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs/reliability.md"
HEADS = ("Fault", "What happens", "What is lost", "How to go on", "Shown by")

TOP = """# When the machine fails

What each part does when its process is killed (`kill -9`), its disk is full, its folder cannot be written, its files
are damaged, its clock jumps, its network goes, its provider answers garbage, or it is started twice at once. The rule:
nothing that was acknowledged is lost, what cannot be done is said in one line with status 1, and the same command
goes on from there.

Made from `tests/reliability/matrix.py` by `python -m scripts.reliability`. Each line names the tests that show it, with
real processes, real kills and real disks (a small one in memory, where the tests may mount one; else they are skipped,
with the reason). `make test` runs those without a mark; those marked *slow* run by `make test-slow`. Not tested: a loss
of power (files are put in place whole, but only journals, SQLite and PostgreSQL are flushed to the disk), file systems
on a network, a disk that returns wrong bytes without an error and without changing a file's time, and systems other
than Linux.
"""


def slow(node: str) -> bool:
    """Whether a test, or one that has its name, is run by `make test-slow` only."""
    path, _, name = node.partition("::")
    for found in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(found, ast.FunctionDef) and found.name == name:
            return any(ast.unparse(d) == "pytest.mark.slow" for d in found.decorator_list)
    raise SystemExit(f"there is no test {node}; mend tests/reliability/matrix.py")


def _line(cell: Cell) -> str:
    tests = "; ".join(f"`{t}`" + (" *(slow)*" if slow(t) else "") for t in cell.shown_by)
    cells = (FAULTS[cell.fault], cell.happens, cell.lost, _sentence(cell.resume), tests)
    return f"| {' | '.join(cells)} |"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def page() -> str:
    """The page."""
    parts = [TOP]
    for row, title in ROWS.items():
        cells = [c for c in CELLS if c.row == row]
        parts.append(f"## {title}\n")
        parts.append("\n".join([f"| {' | '.join(HEADS)} |", "|" + " --- |" * len(HEADS),
                                *(_line(c) for c in cells if not c.not_applicable)]) + "\n")  # fmt: skip
        never = [f"- {FAULTS[c.fault]}: {c.not_applicable}" for c in cells if c.not_applicable]
        if never:
            parts.append("\n".join(["Cannot happen here:", "", *never]) + "\n")
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    OUT.write_text(page(), encoding="utf-8")
    print(f"{OUT.name}: {len(CELLS)} cells, {sum(not c.not_applicable for c in CELLS)} of them with tests")


if __name__ == "__main__":
    main()

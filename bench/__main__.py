"""All benches, in under ten minutes, and their table. Sweeps and what takes longer is in `make study`.

python -m bench [--write]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import agreement, board, store, suite
from bench.table import Row, markdown, put


def main() -> None:
    """Run them one after the other, so that none takes another's processor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    write = parser.parse_args().write
    began, rows = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: list[Callable[[], list[Row]]] = [
            agreement.rows,
            lambda: store.rows(folder),
            # The store of a thousand runs is the one that the part before has made.
            lambda: board.rows(folder / store.THOUSAND),
            lambda: suite.rows(folder),
        ]
        for part in parts:
            rows += part()
    text = markdown(rows)
    print(f"\n{text}\n{time.perf_counter() - began:.0f} s in all")
    if write:
        put(text)


if __name__ == "__main__":
    main()

"""The leaderboard's server: `python -m leaderboard.server` with options of `streamlit run`.

It reads the store before it answers, so that no reader waits for that: of a thousand runs it takes about two seconds.
What it makes is kept where the pages look for it, by the store's state; after a change the next reader waits for the
new one.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from pathlib import Path

import leaderboard
from leaderboard.memory import give_back, use_system_pool
from results.store import Store, StoreError, store_path

APP = Path(str(leaderboard.__file__)).with_name("app.py")


def warm(store: Store) -> None:
    """Make what the first page shows; what cannot be read is for the page to say."""
    from leaderboard.views.moment import state_of
    from leaderboard.views.table import sheets_now

    # Streamlit remarks that no page is being drawn, which is so.
    quiet = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.startswith("streamlit")]
    levels = [q.level for q in quiet]
    for q in quiet:
        q.setLevel(logging.ERROR)
    try:
        with suppress(OSError, StoreError):
            sheets_now(str(store.root), state_of(store))
    finally:
        for q, level in zip(quiet, levels, strict=True):
            q.setLevel(level)
        give_back()


def main() -> None:
    """Read the store, then serve it."""
    from streamlit.web import cli

    use_system_pool()
    warm(Store(store_path()))
    cli.main(["run", str(APP), *sys.argv[1:]])


if __name__ == "__main__":
    main()

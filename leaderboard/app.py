"""The leaderboard: `streamlit run leaderboard/app.py` or `psychosafe leaderboard`.

The store is $PSYCHOSAFE_STORE, else `results/store/`. A page is a module of `leaderboard.views`; its address is the
name here, and what was chosen on it stands in the URL behind that.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

import streamlit as st

from leaderboard.memory import give_back, keep_modules, use_system_pool
from leaderboard.views.steady import steady

# Module and title of each page; the first is the one at the root. (No string below a constant: Streamlit's magic would
# draw it on the page.) They lie in `views`: beside a folder `pages` Streamlit would go its older way to several pages.
PAGES: Final = (
    ("table", "Leaderboard"),
    ("overview", "Overview"),
    ("compare", "Compare"),
    ("domains", "Domains"),
    ("judges", "Judges"),
    ("samples", "Samples"),
    ("dialogues", "Dialogues"),
    ("method", "Method and downloads"),
)


def page_of(module: str) -> Callable[[], None]:
    """What draws a page; its module is imported when it is first shown."""

    def draw() -> None:
        steady(import_module(f"leaderboard.views.{module}").page)

    return draw


def main() -> None:
    """Draw the page that the address names."""
    use_system_pool()
    # Without an icon of its own the tab takes that of the page, which browsers would fetch from a font's server.
    st.set_page_config(page_title="Refusal quality leaderboard", page_icon="\N{BAR CHART}", layout="wide")
    pages = [
        st.Page(page_of(module), title=title, url_path="" if n == 0 else module, default=n == 0)
        for n, (module, title) in enumerate(PAGES)
    ]
    try:
        st.navigation(pages, position="top").run()
    finally:
        keep_modules()
        give_back()


if __name__ == "__main__":
    main()

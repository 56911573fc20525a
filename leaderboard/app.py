"""The leaderboard: `streamlit run leaderboard/app.py` or `psychosafe leaderboard`.

The store is $PSYCHOSAFE_STORE, else `results/store/`. A page is a module of `leaderboard.pages`; its address is the
name here, and what was chosen on it stands in the URL behind that.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

import streamlit as st

# Module, title and icon of each page; the first is the one at the root. (No string below a constant: Streamlit's
# magic would draw it on the page.)
PAGES: Final = (
    ("table", "Leaderboard", ":material/leaderboard:"),
    ("compare", "Compare", ":material/compare_arrows:"),
    ("domains", "Domains", ":material/grid_on:"),
    ("judges", "Judges", ":material/gavel:"),
    ("samples", "Samples", ":material/article:"),
    ("dialogues", "Dialogues", ":material/forum:"),
    ("method", "Method and downloads", ":material/download:"),
)


def page_of(module: str) -> Callable[[], None]:
    """What draws a page; its module is imported when it is first shown."""

    def draw() -> None:
        import_module(f"leaderboard.pages.{module}").page()

    return draw


def main() -> None:
    """Draw the page that the address names."""
    # Without an icon of its own the tab takes that of the page, which browsers would fetch from a font's server.
    st.set_page_config(page_title="Refusal quality leaderboard", page_icon="\N{BAR CHART}", layout="wide")
    pages = [
        st.Page(page_of(module), title=title, icon=icon, url_path="" if n == 0 else module, default=n == 0)
        for n, (module, title, icon) in enumerate(PAGES)
    ]
    st.navigation(pages, position="top").run()


if __name__ == "__main__":
    main()

"""Pages of a store that is written to while they are drawn: what can no longer be read whole is drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from leaderboard import present
from results.store import StoreError

AGAIN: Final = 5
"""How often a page is drawn anew before it says that something cannot be read."""
_TRIED: Final = "drawn anew"


def steady(page: Callable[[], None]) -> None:
    """Draw a page; where a run was replaced meanwhile, from the store's present state.

    Args:
        page: What draws it.
    """
    try:
        page()
    except StoreError as ex:
        unreadable(ex)
    else:
        st.session_state[_TRIED] = 0


def unreadable(ex: StoreError) -> None:
    """Draw the page anew, for what could not be read has most likely been replaced; in the end say what it is."""
    tried = int(st.session_state.get(_TRIED, 0))
    if tried < AGAIN:
        st.session_state[_TRIED] = tried + 1
        st.rerun()
    st.session_state[_TRIED] = 0
    st.error("Something that this page needs cannot be read. Reload the page; if it stays, do what the line says.")
    st.code(present.plain(str(ex), 400, ends=False), language=None, wrap_lines=True)

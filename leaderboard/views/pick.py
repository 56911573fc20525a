"""Choices among what data names, where the choice may be left open and a link from elsewhere has to fit.

A response is chosen in a table or in a list; the choice stands in the URL as `item` and, where there are several,
`epoch`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

import streamlit as st

from leaderboard import present
from leaderboard.views.shell import choose, text_table

T = TypeVar("T")
LONGEST: Final = 200
MOST: Final = 1_000
"""Rows of a table; more are hard to read and slow to send."""


def named(options: Sequence[T], name: Callable[[T], str]) -> dict[str, T]:
    """Options by the names that stand in the list and in the URL: made plain, and told apart where two are alike."""
    shown: dict[str, T] = {}
    for option in options:
        text = present.plain(name(option), LONGEST)
        shown[text if text not in shown else f"{text} ({len(shown) + 1})"] = option
    return shown


def pick(label: str, options: dict[str, T], key: str, *, none: str = "", help: str = "", width: int = 420) -> T | None:
    """A choice that stands in the URL.

    Args:
        label: What is chosen. Our own text.
        options: From `named`.
        key: Name in the URL.
        none: Name of choosing nothing, which stands first; without it the first option is chosen.
        help: What to know. Our own text.
        width: In pixels.
    """
    names = [none, *options] if none else list(options)
    got = st.selectbox(label, names, key=key, bind="query-params", required=True, help=help or None, width=width)
    return options.get(str(got))


def pick_response(
    at: Sequence[tuple[str, int]], cells: Sequence[Mapping[str, str]], key: str, alt: str, help: Mapping[str, str]
) -> tuple[str, int] | None:
    """A table of responses, and the one of them that is chosen.

    Args:
        at: Item and epoch of each.
        cells: The table's rows, in the same order; the first `MOST` are drawn.
        key: Tells this table from one with other rows, in which no row is selected.
        alt: What the table shows.
        help: What to know of its columns.
    """
    items = named(list(dict.fromkeys(item for item, _ in at)), str)
    names = {item: text for text, item in items.items()}
    epochs = len({epoch for _, epoch in at}) > 1

    def chosen() -> None:
        rows = st.session_state[key].selection.rows
        if rows:
            item, epoch = at[rows[0]]
            st.session_state["item"] = names[item]
            if epochs:
                st.session_state["epoch"] = str(epoch)

    text_table(cells[:MOST], key, alt, help, on_select=chosen, selection_mode="single-row")
    if len(at) > MOST:
        st.text(f"The first {MOST:,} of {len(at):,}; narrow the filters to see others.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        item = pick("Read", items, "item", none="choose here, or a row above", width=420)
        if item is None:
            return None
        own = [epoch for i, epoch in at if i == item]
        return item, choose("Epoch", own, "epoch", str, width=110) if epochs else own[0]

"""What the pages share: the moment of the store that they show, choices bound to the URL, and text from data.

Names, prompts, answers and justifications are untrusted: they reach the reader through `st.text`, `st.code`,
`st.dataframe` and charts only, never as Markdown or HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import streamlit as st

from leaderboard import present
from leaderboard.naming import title_of
from leaderboard.views.frames import frame
from leaderboard.views.moment import Moment, moment, state_of
from results.grid import Grid
from results.store import Store, store_path

COMMANDS: Final = """# reference policies, in about two minutes
make demo
psychosafe leaderboard --store demo/store

# or your own Inspect logs
psychosafe ingest LOG..."""
T = TypeVar("T")
GATE: Final = "shown"
MOMENTS: Final = 2
"""Moments of the store that are kept: this one, and the one before for sessions that are still drawing it."""


@st.cache_resource(max_entries=MOMENTS, show_spinner="Reading the store")
def moment_of(root: str, state: str) -> Moment:
    """One moment of a store; the state is part of the key: another state of the store is another moment."""
    return moment(Store(Path(root)), state)


def now() -> Moment | None:
    """The moment that a page shows; None, and said, where the store is empty or cannot be read."""
    store = Store(store_path())
    try:
        found = moment_of(str(store.root), state_of(store))
    except OSError as ex:
        say_unreadable(store, ex)
        return None
    say_left_out(found.damaged)
    if not found.runs:
        say_empty(store)
        return None
    return found


def say_unreadable(store: Store, ex: OSError) -> None:
    """That a store cannot be read, and why."""
    st.error("The store cannot be read. Check the folder and its permissions, or choose another with --store.")
    st.code(f"{store.root}: {ex.strerror or ex}", language=None)


def say_left_out(damaged: Mapping[str, str]) -> None:
    """Which runs cannot be read, and why; nothing where there are none."""
    if damaged:
        st.error("Some runs cannot be read and are left out of everything below.")
        lines = (f"{present.plain(r)}: {present.plain(why, 300, ends=False)}" for r, why in sorted(damaged.items()))
        st.code("\n".join(lines), language=None, wrap_lines=True)


def say_empty(store: Store) -> None:
    """That a store is empty, and what fills it."""
    st.info("There are no runs in the store yet. Fill it with one of these and reload the page:")
    st.code(COMMANDS, language="bash")
    st.text(f"Store: {store.root}")


def say_rules() -> None:
    """That no judge was a model or a person."""
    st.warning(
        "**Judged by rules, not by a model or a person.** These figures are a baseline for trying things out, "
        "and not a measurement.",
        icon=":material/warning:",
    )


def choose(
    label: str, options: Sequence[T], key: str, name: Callable[[T], str], *, help: str = "", width: int = 420
) -> T:
    """A choice that stands in the URL; names are made plain, and told apart where two are alike.

    Args:
        label: What is chosen. Our own text.
        options: At least one.
        key: Name in the URL.
        name: How people read an option. May be untrusted.
        help: What to know. Our own text.
        width: In pixels.
    """
    shown: dict[str, T] = {}
    for option in options:
        text = present.plain(name(option), 90)
        shown[text if text not in shown else f"{text} ({len(shown) + 1})"] = option
    picked = st.selectbox(
        label, list(shown), key=key, bind="query-params", required=True, help=help or None, width=width
    )
    return shown.get(str(picked), options[0])


def choose_grid(found: Moment, grids: Sequence[Grid] | None = None) -> Grid:
    """The comparable runs that a page is about; not asked where there is one group."""
    options = list(found.grids if grids is None else grids)
    return options[0] if len(options) == 1 else choose("Comparable runs", options, "group", title_of, width=760)


def text_table(
    rows: Sequence[Mapping[str, str]], key: str, alt: str, help: Mapping[str, str] | None = None, **options: Any
) -> Any:
    """A table of text cells: nothing in it is parsed back into a number, and no name in it becomes markup.

    Args:
        rows: A cell by column name; a column that a row lacks is empty there.
        key: Key of the element.
        alt: What it shows, for who cannot see it. Our own text.
        help: What to know of a column, by name. Our own text.
        options: Further options of `st.dataframe`.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    config: dict[str, Any] = {
        name: st.column_config.TextColumn(present.plain(name, 60), help=(help or {}).get(name)) for name in names
    }
    data = frame({name: [row.get(name, "") for row in rows] for name in names})
    return st.dataframe(data, column_config=config, hide_index=True, key=key, alt=alt, lazy=False, **options)


def gate(what: Sequence[str]) -> bool:
    """Whether texts may be shown in this session; asks first, and names what they are about.

    Args:
        what: Domains or categories of what would be shown.
    """
    if st.session_state.get(GATE):
        if st.button("Hide all texts", key="hide", shortcut="H"):
            st.session_state[GATE] = False
            st.rerun()
        return True
    about = ", ".join(dict.fromkeys(w.replace("_", " ") for w in what if w)) or "not stated"
    st.warning("Prompts and answers here concern suicide, violence, drugs, weapons or sexual crimes. They stay closed "
               "until you open them, for this session only.", icon=":material/visibility_off:")  # fmt: skip
    st.text(f"About: {present.plain(about, 200)}")
    if st.button("Show texts", key="show"):
        st.session_state[GATE] = True
        st.rerun()
    return False

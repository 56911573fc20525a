"""The pages around the cards: what it is about, breaks, help lines, the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from judges.annotation.model import Plan

ABOUT: Final = (
    "You will read messages to an assistant and its answers, and rate the answers. The messages may speak of suicide, "
    "self-harm, drugs, violence, weapons or sexual crimes, some of them in detail. Which subject a card has is not "
    "shown beforehand."
)
RIGHTS: Final = (
    "- Every text is covered until you uncover it.\n"
    "- You may skip any card, without a reason and at no disadvantage.\n"
    "- You may take a break or stop at any time. What you have given is kept, and you can come back.\n"
    "- You need not take part at all: stop now, or whenever you notice that it does you no good."
)
KEYS: Final = """S    uncover the text
1-9  choose; the next question follows
U    undo a choice, or go one card back
K    skip the card
F    flag the card as distressing
B    break: covers the text
Q    stop for today"""
UNSURE: Final = "If something stays with you, talk to somebody you trust, or to one of these:"


def warning(plan: Plan, go_on: Callable[[], None], stop: Callable[[], None]) -> None:
    """What one is about to read, and one's rights; needed at the start of every session."""
    st.title("Before you start", anchor=False)
    st.text(plan.title)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.text(plan.content_note or ABOUT)
        st.write(RIGHTS)
        helplines(plan)
    with right:
        st.subheader("Keys", anchor=False)
        st.code(KEYS, language=None)
        st.write("Keys do nothing while you type in the comment box; leave it with Tab.")
    with st.container(horizontal=True):
        st.button("I want to go on", key="go-on", type="primary", shortcut="g", on_click=go_on)
        st.button("Stop here", key="stop", shortcut="q", on_click=stop)


def helplines(plan: Plan) -> None:
    """The plan's help lines, or where to find one."""
    st.write(UNSURE)
    st.text(lines(plan))


def lines(plan: Plan) -> str:
    """The plan's help lines, a line each."""
    named = [f"{h.name}{f' ({h.country})' if h.country else ''}: {h.contact}" for h in plan.helplines]
    return "\n".join(named) or "findahelpline.com, or your local emergency number"


def rest(plan: Plan, done: int, go_on: Callable[[], None], stop: Callable[[], None], *, reminder: bool) -> None:
    """A break, asked for or due."""
    st.title("Time for a break" if reminder else "Break", anchor=False)
    if reminder:
        st.write(f"You have done {done} so far. Look away from the screen for a few minutes.")
    else:
        st.write("The text is covered. What you have given on this card is kept.")
    helplines(plan)
    with st.container(horizontal=True):
        st.button("Go on", key="go-on", type="primary", shortcut="g", on_click=go_on)
        st.button("Stop for today", key="stop", shortcut="q", on_click=stop)


def pairs_ahead(go_on: Callable[[], None], stop: Callable[[], None]) -> None:
    """Before the side-by-side block."""
    st.title("Two answers side by side", anchor=False)
    st.write(
        "You have rated the single answers. From here on you see two answers to one message, and say which is the "
        "better one: 1 for the left, 2 if neither is better, 3 for the right."
    )
    with st.container(horizontal=True):
        st.button("Go on", key="go-on", type="primary", shortcut="g", on_click=go_on)
        st.button("Stop for today", key="stop", shortcut="q", on_click=stop)


def goodbye(plan: Plan, stage: str) -> None:
    """The end: all done, enough for one session, or stopped."""
    st.title("Thank you", anchor=False)
    if stage == "done":
        st.write("You have been through everything. All of it is saved; you can close this page.")
    elif stage == "capped":
        st.write(
            f"{plan.session_cap_minutes} minutes are enough for one session. All that you gave is saved. Come back "
            "after a rest of half an hour or more, and it goes on where you were."
        )
    else:
        st.write("All that you gave is saved. You can close this page, and log in again whenever you like.")
    helplines(plan)

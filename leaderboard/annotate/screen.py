"""The rating screen: text to the left, criteria to the right.

Text from a plan goes through `st.code` or `st.text` only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from judges.annotation.model import Card, Pair
from leaderboard.annotate import care
from leaderboard.annotate.cards import OnDesk
from leaderboard.annotate.desk import MAX_COMMENT, Desk
from leaderboard.annotate.panel import label_of, name_of, panel
from leaderboard.annotate.study import without_names

STYLE: Final = """<style>
[data-testid="stHeader"] {display: none}
[data-testid="stMainBlockContainer"] {padding: 1.1rem 2rem 1rem; max-width: 1400px}
[data-testid="stMainBlockContainer"] h1 {font-size: 1.6rem; padding: 0.3rem 0 0.5rem}
[data-testid="stMainBlockContainer"] h2 {font-size: 0.95rem; font-weight: 600; padding: 0 0 0.15rem}
[data-testid="stMainBlockContainer"] h3 {font-size: 1rem; padding: 0 0 0.3rem}
[data-testid="stMainBlockContainer"] {--height: 31rem}
.st-key-pair {--height: 0}
[class*="st-key-text-"] {overflow-y: auto; gap: 0; border: 1px solid rgba(128, 128, 128, 0.3); border-radius: 8px}
.st-key-text-message {max-height: 26vh}
.st-key-reading {max-height: calc(100vh - 5.6rem); flex-wrap: nowrap}
.st-key-reading > * {flex-shrink: 0}
.st-key-reading > :has(> .st-key-text-answer) {flex-shrink: 1; min-height: 3rem; display: flex}
.st-key-pair .st-key-text-message {max-height: 15.5rem}
.st-key-pair .st-key-text-answer, .st-key-text-answer-right {max-height: max(10rem, 100vh - 33rem)}
[data-testid^="stBaseButton-primary"] {background: #2563a8; border-color: #2563a8}
[data-testid^="stBaseButton-primary"]:hover {background: #1d4f87; border-color: #1d4f87}
[data-testid^="stBaseButton-primary"] * {color: #fff !important}
[class*="st-key-text-"] code {font-family: "Source Sans", sans-serif !important; font-size: 1.06rem !important;
  line-height: 1.6 !important}
[class*="st-key-text-"] pre {background: none}
[class*="st-key-text-"] button {display: none}
</style>"""
"""One screen at 1280 x 800; text set for reading rather than as code."""


def rating(desk: Desk) -> None:
    """A card, or a pair, to be rated."""
    card = desk.card
    if card is None:
        return
    shown = desk.plan.by_token[card.token]
    done, total = desk.count
    practice = isinstance(shown, Card) and shown.kind == "training"
    note = " · Practice, with feedback" if practice else " · Correcting the card before" if card.correcting else ""
    st.progress(done / total if total else 0.0, text=f"{done} of {total} done{note}")
    if isinstance(shown, Pair):
        with st.container(key="pair"):
            left, right = st.columns([5, 4], gap="medium")
            with left:
                text("Message", shown.prompt, "text-message", card, desk.show)
            with right:
                _panel(desk, card)
            left, right = st.columns(2, gap="medium")
            with left:
                text("Left answer", shown.left, "text-answer", card, desk.show)
            with right:
                text("Right answer", shown.right, "text-answer-right", card, desk.show)
            _actions(desk, card)
        return
    left, right = st.columns([6, 5], gap="medium")
    with left, st.container(key="reading"):
        text("Message", shown.prompt, "text-message", card, desk.show)
        text("Answer", shown.response, "text-answer", card, desk.show)
    with right:
        _panel(desk, card)
        _actions(desk, card)


def feedback(desk: Desk) -> None:
    """After a training card: what was given beside what was intended, and why."""
    found = desk.feedback
    if found is None:
        return
    card = desk.plan.card(found.token)
    same = sum(found.given.get(c) == v for c, v in found.intended.items())
    st.title(f"Practice: {same} of {len(found.intended)} as intended", anchor=False)
    left, right = st.columns([6, 5], gap="medium")
    with left, st.container(key="reading"):
        st.header("Message", anchor=False)
        _box(card.prompt, "text-message")
        st.header("Answer", anchor=False)
        _box(card.response, "text-answer")
    with right:
        for criterion in desk.plan.criteria_of(found.token):
            if criterion.id not in found.intended:
                continue
            given, intended = found.given.get(criterion.id), found.intended[criterion.id]
            st.header(name_of(criterion), anchor=False)
            yours = "nothing" if given is None else label_of(criterion, given)
            right_one = label_of(criterion, intended)
            said = f"You: {yours}, as intended." if given == intended else f"You: {yours}. Intended: {right_one}."
            st.text(f"{said} {criterion.anchors[criterion.label_of(intended)]}")
        with st.container(horizontal=True):
            st.button("Go on", key="go-on", type="primary", shortcut="g", on_click=desk.understood, args=(found.token,))
            st.button("Stop for today", key="stop", shortcut="q", on_click=desk.stop)


def trouble(why: str, retry: Callable[[], None]) -> None:
    """The database cannot be reached."""
    st.title("Not saved yet", anchor=False)
    st.error("The last step could not be saved. What you gave on this card is kept here; nothing before it is lost.")
    st.code(without_names(why), language=None, wrap_lines=True)
    st.button("Try again", key="retry", type="primary", shortcut="g", on_click=retry)


def text(heading: str, body: str, key: str, card: OnDesk, show: Callable[[str], None]) -> None:
    """A text under its heading, or while it is covered a button that uncovers it."""
    st.header(heading, anchor=False)
    if card.shown_at is not None:
        _box(body, key)
    elif key == "text-message":
        # What is covered is not on the page at all.
        st.text("Covered until you are ready.")
        st.button("Show the text", key=f"show-{card.nonce}", type="primary", shortcut="s", on_click=show,
                  args=(card.nonce,))  # fmt: skip
    else:
        st.text("Covered.")


def _box(text: str, key: str) -> None:
    with st.container(key=key):
        st.code(text, language=None, wrap_lines=True)


def _panel(desk: Desk, card: OnDesk) -> None:
    panel(card.nonce, card.criteria, card.values, shown=card.shown_at is not None, min_seconds=desk.plan.min_seconds,
          on_keys=desk.keys)  # fmt: skip


def _actions(desk: Desk, card: OnDesk) -> None:
    nonce = card.nonce
    key = f"comment-{nonce}"
    st.text_input(
        "Comment",
        value=card.comment,
        key=key,
        max_chars=MAX_COMMENT,
        label_visibility="collapsed",
        placeholder="Comment, only if you want; leave the box with Tab",
        on_change=lambda: desk.comment(nonce, str(st.session_state.get(key, ""))),
    )
    with st.container(horizontal=True, gap="small"):
        st.button("Skip", key=f"skip-{nonce}", shortcut="k", on_click=desk.skip, args=(nonce,))
        st.button("Unflag" if card.flagged else "Flag", key=f"flag-{nonce}", shortcut="f", on_click=desk.flag,
                  args=(nonce,))  # fmt: skip
        st.button("Break", key=f"break-{nonce}", shortcut="b", on_click=desk.pause, args=(nonce,))
        st.button("Stop", key=f"stop-{nonce}", shortcut="q", on_click=desk.stop)
    if card.flagged:
        st.text("Flagged as distressing. You may skip it, take a break or stop.\n" + care.lines(desk.plan))

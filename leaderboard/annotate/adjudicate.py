"""The adjudication page, a part of the admin's server.

Cards that people rated differently, and some that they did not, are settled by a third person, who sees the ratings as
rater A, B and so on: no names, no judges, nothing of where an answer came from. What is settled is a layer of its own.
"""

from __future__ import annotations

import streamlit as st

from judges.annotation.model import AnnotationError
from leaderboard.annotate import screen
from leaderboard.annotate.access import admit_adjudicator
from leaderboard.annotate.panel import label_of, panel
from leaderboard.annotate.settle import Table
from leaderboard.annotate.study import login, not_ready, open_study, plan_path
from rubrics.model import Criterion


def main() -> None:
    """Draw the page of the moment."""
    st.html(screen.STYLE)
    table = st.session_state.get("table")
    if isinstance(table, Table):
        _draw(table)
        return
    try:
        plan, store = open_study()
        found = login("Settling ratings", lambda name, code: admit_adjudicator(plan, plan_path(), name, code))
    except AnnotationError as ex:
        not_ready(ex)
        return
    if found is not None:
        st.session_state["table"] = Table(store, plan, found)
        st.rerun()


def _draw(table: Table) -> None:
    card = table.card
    if table.trouble is not None:
        screen.trouble(table.trouble, table.retry)
        return
    if card is None:
        st.title("Nothing left to settle", anchor=False)
        st.write("Cards come up here once two people have rated them. Put-off cards come back at the next log-in.")
        st.button("Look again", key="again", type="primary", shortcut="g", on_click=table.retry)
        return
    shown = table.plan.card(card.token)
    st.text(f"{table.left} to settle")
    left, right = st.columns([6, 5], gap="medium")
    with left, st.container(key="reading"):
        screen.text("Message", shown.prompt, "text-message", card, table.show)
        screen.text("Answer", shown.response, "text-answer", card, table.show)
    with right:
        panel(card.nonce, card.criteria, card.values, shown=card.shown_at is not None, min_seconds=0.0,
              notes={c.id: _said(table, c) for c in card.criteria}, on_keys=table.keys)  # fmt: skip
        remarks = [f"Rater {r['rater']}: {r['comment']}" for r in table.raters if r["comment"]]
        # A remark may quote the text, and is covered like it.
        if remarks and card.shown_at is not None:
            st.text("\n".join(remarks))
        st.button("Put off", key=f"put-off-{card.nonce}", shortcut="k", on_click=table.put_off, args=(card.nonce,))


def _said(table: Table, criterion: Criterion) -> str:
    """What each rater gave, short enough to stand beside the criterion's name."""
    given = [(r["rater"], r["values"].get(criterion.id)) for r in table.raters]
    return " · ".join(f"{rater}: {'none' if v is None else label_of(criterion, v)}" for rater, v in given)


if __name__ == "__main__":
    main()

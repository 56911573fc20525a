"""The annotation app: `psychosafe annotate serve PLAN.json --db URL`.

Its process knows the plan and the database, both named by environment variables, and nothing of where an answer came
from: it imports neither `results` nor `evals`, and a contract keeps it so.
"""

from __future__ import annotations

import streamlit as st

from judges.annotation.model import AnnotationError
from leaderboard.annotate import care, screen
from leaderboard.annotate.access import admit
from leaderboard.annotate.desk import Desk
from leaderboard.annotate.study import login, not_ready, open_study, plan_path
from leaderboard.memory import keep_modules


def main() -> None:
    """Draw the page of the moment."""
    try:
        _page()
    finally:
        keep_modules()


def _page() -> None:
    st.set_page_config(page_title="Rating answers", layout="wide")
    st.html(screen.STYLE)
    desk = st.session_state.get("desk")
    if isinstance(desk, Desk):
        _draw(desk)
        return
    try:
        plan, store = open_study()
        found = login("Rating answers", lambda name, code: admit(plan, plan_path(), name, code))
    except AnnotationError as ex:
        not_ready(ex)
        return
    if found is not None:
        st.session_state["desk"] = Desk(store, plan, found)
        st.rerun()


def _draw(desk: Desk) -> None:
    stage = desk.stage
    if stage == "stopped" or (stage in ("done", "capped") and desk.trouble is None):
        care.goodbye(desk.plan, stage)
    elif desk.trouble is not None:
        screen.trouble(desk.trouble, desk.retry)
    elif stage == "care":
        care.warning(desk.plan, desk.go_on, desk.stop)
    elif stage in ("break", "paused"):
        care.rest(desk.plan, desk.count[0], desk.go_on, desk.stop, reminder=stage == "break")
    elif stage == "pairs":
        care.pairs_ahead(desk.go_on, desk.stop)
    elif stage == "feedback":
        screen.feedback(desk)
    else:
        screen.rating(desk)


if __name__ == "__main__":
    main()

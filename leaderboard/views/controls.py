"""A reader's choices on the leaderboard: domains, judges, weights; bound to the URL, with a badge once they depart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from leaderboard import present
from results.choice import Choice, kin, weighable
from results.grid import Grid

WEIGHT: Final = "w_"
MOST: Final = 5.0
STEP: Final = 0.5
_LISTS: Final = ("domains", "judges")


def choose(found: Sequence[Grid]) -> Choice:
    """Draw the controls that mean something for these grids, and tell what is chosen."""
    domains = sorted({i.domain for g in found for i in g.items if i.domain})
    panels = [g for g in found if len(g.cube.raters) > 2]
    judges = list(dict.fromkeys(j for g in panels for j in g.cube.raters[:-1]))
    criteria = list(dict.fromkeys(c for g in found for c in weighable(g.runs[0])))
    # A text that is shown stands for one name; of two that read alike the first is offered.
    shown = {present.plain(name, 60): name for name in reversed([*domains, *judges])}
    with st.expander("Choose domains, judges and weights"):
        st.write(
            "Every figure and interval of the tables is worked out anew from the recorded verdicts. The address of "
            "this page holds your choices."
        )
        picked: dict[str, tuple[str, ...]] = {}
        for key, label, options, help_ in (
            ("domains", "Domains", domains, "Items of these domains alone; all of them if none is chosen."),
            ("judges", "Judges", judges, "The panel is combined anew from these; all of them if none is chosen."),
        ):
            if len(options) > 1:
                texts = [t for t in map(_text, options) if t in shown]
                told = st.multiselect(label, texts, key=key, bind="query-params", placeholder="All", help=help_)
                picked[key] = tuple(shown[t] for t in told if t in shown)
        family = False
        if any(kin(g.runs) for g in panels):
            family = st.toggle(
                "Without judges of a model's family", key="kin", bind="query-params",
                help="A judge of the family of any model in a group is left out of every row of it, so that one panel "
                "judges them all.",
            )  # fmt: skip
        weights = _weights(criteria)
        st.button("Back to the default", key="default", on_click=_reset, args=(tuple(criteria),))
    return Choice(weights, picked.get("judges", ()), bool(family), picked.get("domains", ()))


def _weights(criteria: Sequence[str]) -> dict[str, float]:
    if not criteria:
        return {}
    st.write("Weights of the criteria in the means. The default, settled before any run: all weigh 1.")
    found = {}
    for column, criterion in zip(st.columns(len(criteria)), criteria, strict=True):
        with column:
            found[criterion] = st.number_input(
                present.plain(criterion.replace("_", " ").capitalize(), 40), 0.0, MOST, 1.0, STEP,
                key=f"{WEIGHT}{criterion}", bind="query-params", format="%.1f",
            )  # fmt: skip
    return {c: float(w) for c, w in found.items()}


def _reset(criteria: tuple[str, ...]) -> None:
    for key in _LISTS:
        st.session_state[key] = []
    st.session_state["kin"] = False
    for criterion in criteria:
        st.session_state[f"{WEIGHT}{criterion}"] = 1.0


def _text(name: str) -> str:
    return present.plain(name, 60)

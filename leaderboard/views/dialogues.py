"""Dialogues: how soon a rising risk is taken up and whether harm is done, turn by turn, and one dialogue to read."""

from __future__ import annotations

from typing import Final

import streamlit as st

from leaderboard import charts, dialogue_charts, dialogues, present
from leaderboard.dialogues import Played
from leaderboard.naming import title_of
from leaderboard.views.moment import Moment
from leaderboard.views.pane import pane
from leaderboard.views.pick import MOST, named, pick, pick_response
from leaderboard.views.samples import ratings_of
from leaderboard.views.shell import choose, now, text_table
from leaderboard.views.steady import unreadable
from results.dialogues import Timing
from results.grid import Grid
from results.manifest import Manifest, short_hash
from results.store import StoreError

DRAWN: Final = 40
"""Dialogues of the chart; the table has all."""
HELP: Final = {
    "Risk at turn": "The first turn at which the risk can be recognised; a control has none.",
    "Turns": "A sign for each turn; what they mean stands below the table.",
    "Acknowledged": "When support was offered or something declined, counted from the risk turn.",
    "Harm": "When harm was provided, counted from the risk turn.",
    "Alarms": "Share of harmless turns that were met with alarm.",
    "Recovered": "Whether the dialogue ended well after harm; undefined where there was none, or none after it.",
    "Left without support": "The last answer declines, or is empty, and offers no support.",
}


@st.cache_resource(max_entries=8, show_spinner="Counting when things happened")
def _timing(state: str, run_ids: tuple[str, ...], _found: Moment) -> tuple[tuple[str, Timing], ...]:
    return dialogues.timings(_found.store, [_found.runs[r] for r in run_ids], _found.labels)


@st.cache_resource(max_entries=8, show_spinner="Reading the dialogues")
def _played(state: str, run_id: str, _found: Moment) -> tuple[Played, ...]:
    return dialogues.played(_found.store, _found.runs[run_id])


def page() -> None:
    """Draw the page."""
    st.title("Dialogues")
    found = now()
    if found is None:
        return
    groups = [g for g in found.grids if dialogues.of_dialogues(g.runs[0])]
    if not groups:
        st.info(dialogues.NO_RUNS)
        st.code(dialogues.COMMANDS, language="bash")
        return
    above = st.container()
    runs = [m for g in groups for m in g.runs]
    # The run says which group is shown, so that a link that names it is enough.
    run = pick("Run", named(runs, lambda m: m.run_id), "run", width=520) or runs[0]
    grid = next(g for g in groups if any(m.run_id == run.run_id for m in g.runs))
    if len(groups) > 1:
        st.text(f"Shown with what is comparable: {title_of(grid)}")
    try:
        _when(found, grid, above)
        _one_run(found, run)
    except StoreError as ex:
        unreadable(ex)


def _when(found: Moment, grid: Grid, above: st.delta_generator.DeltaGenerator) -> None:
    """When the risk was acknowledged and harm provided, over all runs of the group."""
    timed = _timing(found.state, tuple(m.run_id for m in grid.runs), found)
    if not timed:
        above.text(dialogues.NOTHING_TO_TIME)
        return
    above.text(dialogues.sentence(timed))
    st.plotly_chart(
        dialogue_charts.timing_figure(timed, dark=_dark()), theme=None, key="timing", config=charts.CONFIG,
        alt=dialogue_charts.timing_alt(timed),
    )  # fmt: skip
    st.text(present.TIMING_NOTE)
    text_table(present.timing_table(timed), "timing-table", dialogue_charts.timing_alt(timed))


def _one_run(found: Moment, run: Manifest) -> None:
    st.header("Turn by turn", anchor=False)
    st.text(present.plain(run.label))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        every = _played(found.state, run.run_id, found)
        domains = sorted({p.item.domain for p in every if p.item.domain})
        domain = choose("Domain", ["any", *domains], "domain", lambda d: d.replace("_", " "), width=170)
        what = choose("Dialogues", dialogues.SHOWN, "which", str, width=240)
    rows = [p for p in every if domain in ("any", p.item.domain) and p.among(what)]
    if not rows:
        st.info("No dialogue of this run is like that. Choose other ones." if every else
                "No turn of this run was scored: its samples failed.")  # fmt: skip
        return
    drawn = rows[:DRAWN]
    if len(rows) > DRAWN:
        st.text(f"The chart has the first {DRAWN} of {len(rows)} dialogues, the table all of them.")
    st.plotly_chart(
        dialogue_charts.turns_figure(drawn, dark=_dark()), theme=None, key="turns", config=charts.CONFIG,
        alt=dialogue_charts.turns_alt(drawn),
    )  # fmt: skip
    at = [(p.item.id, p.epoch) for p in rows]
    key = f"dialogues-{short_hash([run.run_id, domain, what])}"
    alt = f"{len(rows)} dialogues with what each turn and the whole came to. Choose a row to read it below."
    st.text(dialogues.legend())
    chosen = pick_response(at, dialogues.table_rows(rows[:MOST], run.epochs > 1), key, alt, HELP)
    if chosen is not None:
        item = next(i for i in run.items if i.id == chosen[0])
        st.header("One dialogue", anchor=False)
        pane(found, run, item, chosen[1], ratings_of(found.state, run.run_id, found))


def _dark() -> bool:
    return bool(st.context.theme.type == "dark")

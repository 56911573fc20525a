"""The items of a comparison: which differ most, and what both runs answered to one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from leaderboard.comparing import Compared
from leaderboard.comparing_items import MOST, Gap, gap_table, gaps, values_table
from leaderboard.present import fixed, plain
from leaderboard.views import shell
from leaderboard.views.moment import Moment
from leaderboard.views.steady import unreadable
from results.manifest import Manifest
from results.measure import Measure
from results.measures import measures
from results.store import StoreError
from results.texts import TextsMissing
from results.transcripts import Turn, transcript


@st.cache_resource(max_entries=16, show_spinner=False)
def values_of(state: str, run_id: str, _moment: Moment) -> Mapping[str, Measure]:
    """Every score of a run with its values by item."""
    return measures(_moment.store, _moment.runs[run_id])


@st.fragment
def items(found: Moment, shown: Compared, measure: str) -> None:
    """Draw the items that differ most, and one of them.

    Args:
        found: What the store holds.
        shown: The comparisons.
        measure: The score by which items differ.
    """
    st.subheader("Items that differ most")
    names = shown.names
    c = shown.comparisons[0]
    if len(shown.comparisons) > 1:
        c = shell.choose("Run", shown.comparisons, "run", lambda c: names[c.other.run_id], width=760)
    try:
        left, right = (values_of(found.state, m.run_id, found) for m in (shown.baseline, c.other))
    except StoreError as ex:
        unreadable(ex)  # a fragment is drawn by itself, without the page around it
        return
    if all(r.measure != measure for r in c.rows):
        # Of several runs another one has it: here it has another meaning.
        why = (w for w in c.warnings if w.startswith(f"{measure} is left out: "))
        st.text(plain(next(why, "This score is not compared with the baseline's here."), 200, ends=False))
        return
    apart = gaps(left[measure], right[measure], shown.baseline)
    n = len(left[measure].values.keys() & right[measure].values.keys())
    if not apart:
        st.text(f"All {n} items with a value in both runs have the same value in both." if n else
                "No item has a value in both runs.")  # fmt: skip
        return
    more = f"; the table has the first {MOST}" if len(apart) > MOST else ""
    st.text(f"{len(apart)} of {n} items with a value in both runs differ{more}.")
    shell.text_table(gap_table(apart), "item-table", "Items with their values in both runs, largest difference first")
    gap = shell.choose("Item", apart, "item", lambda g: g.item.id)
    _side_by_side(found, (shown.baseline, c.other), names, gap, values_table(gap.item.id, left, right))


def _side_by_side(
    found: Moment, runs: tuple[Manifest, Manifest], names: Mapping[str, str], gap: Gap, values: Sequence[dict[str, str]]
) -> None:
    shell.text_table(values, "item-values", "All values of the chosen item in both runs")
    if gap.item.twin:
        st.text(f"Scores over pairs rest on its twin too: {plain(gap.item.twin, 80)}.")
    if not shell.gate([gap.item.domain or "", gap.item.category or ""]):
        return
    epoch, epochs = 1, max(m.epochs for m in runs)
    if epochs > 1:
        epoch = shell.choose(
            "Epoch", range(1, epochs + 1), "epoch", str, help="Values are means of all epochs.", width=160
        )
    read = [
        _transcript(found, m, gap.item.id, epoch) if epoch <= m.epochs else f"This run has {m.epochs} epoch(s)."
        for m in runs
    ]
    told = next((turns for turns in read if not isinstance(turns, str)), ())
    for at in range(max((len(t) for t in read if not isinstance(t, str)), default=1)):
        if at < len(told):
            st.text("Prompt" if told[at].turn == 0 else f"Message {told[at].turn}")
            st.code(told[at].prompt or "(no prompt kept)", language=None, wrap_lines=True)
        columns = st.columns(2)
        for column, m, turns, value in zip(columns, runs, read, (gap.baseline, gap.other), strict=True):
            with column:
                st.text(f"{plain(names[m.run_id])}: {fixed(value, 3)}")
                if isinstance(turns, str):
                    st.text(turns)
                elif at < len(turns):
                    _answer(turns[at])


def _answer(turn: Turn) -> None:
    if turn.state and turn.state != "complete":
        st.text(f"State: {turn.state.replace('_', ' ')}")
    st.code(turn.response or "(empty)", language=None, wrap_lines=True)


def _transcript(found: Moment, run: Manifest, item: str, epoch: int) -> tuple[Turn, ...] | str:
    """What was said, or why that is not known."""
    try:
        return transcript(found.store, run.run_id, item, epoch)
    except TextsMissing:
        return "The texts of this run are not in the store. Add them from its log: psychosafe ingest --texts LOG"
    except (StoreError, OSError) as ex:
        return plain(str(ex), 200, ends=False)

"""Samples: the responses of a run, chosen by what was said of them, and one of them to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import pyarrow as pa
import streamlit as st

from judges.resources import LABELS, Need
from judges.stats import Estimate
from leaderboard import charts
from leaderboard.samples import contacts, data, shown
from leaderboard.samples.data import ANY, NO_CONTACT, SORTS, Filters, Sample
from leaderboard.views.moment import Moment
from leaderboard.views.pane import pane
from leaderboard.views.pick import MOST, named, pick, pick_response
from leaderboard.views.shell import choose, now
from leaderboard.views.steady import unreadable
from results.manifest import Manifest, short_hash
from results.measures import measures
from results.store import StoreError
from results.texts import texts_ingested

HELP: Final = {
    "Panel": "The panel's value, or why there is none.",
    "Spread": "Highest minus lowest verdict of the judges; on scales without an order 1 where they differ.",
    "Status": "How it came that panel and judges gave a value, or did not.",
    "Response": "What kind of text the answer is: complete, cut at the token limit, empty, ...",
    "Words": "Length of the answer; empty where the texts are not in the store.",
    "Contacts": "Contacts in the answer by the label that the checker gives them.",
    "Expected": "What a good answer does.",
}


@st.cache_resource(max_entries=4, show_spinner="Reading the ratings")
def ratings_of(state: str, run_id: str, _found: Moment) -> pa.Table:
    """All ratings of a run."""
    return _found.store.ratings([run_id])


@st.cache_resource(max_entries=16, show_spinner="Reading the ratings")
def _samples(state: str, run_id: str, measure: str, texts: bool, _found: Moment) -> tuple[Sample, ...]:
    run = _found.runs[run_id]
    words = data.word_counts(_found.store, run) if texts else {}
    return data.samples(run, ratings_of(state, run_id, _found), measure, words)


@st.cache_resource(max_entries=16, show_spinner=False)
def _estimates(state: str, run_id: str, _found: Moment) -> Mapping[str, Estimate]:
    return {name: m.estimate() for name, m in measures(_found.store, _found.runs[run_id]).items()}


@st.cache_resource(max_entries=4, show_spinner="Looking up the contacts in every answer of the run")
def _contacts(state: str, run_id: str, _found: Moment) -> Mapping[tuple[str, int], Mapping[str, int]]:
    run = _found.runs[run_id]
    needs: dict[str, Need] = {i.id: contacts.known_of(i).need for i in run.items}
    return contacts.contact_labels(_found.store, run, needs)


def page() -> None:
    """Draw the page."""
    st.title("Samples")
    found = now()
    if found is None:
        return
    runs = data.runs_of(found.runs.values())
    if not runs:
        st.info(data.NO_RUNS)
        st.code("psychosafe ingest LOG...", language="bash")
        return
    try:
        _draw(found, runs)
    except StoreError as ex:
        unreadable(ex)


def _draw(found: Moment, runs: Sequence[Manifest]) -> None:
    above = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run = pick("Run", named(runs, lambda m: m.run_id), "run", width=520) or runs[0]
        names = data.measured(ratings_of(found.state, run.run_id, found), run)
        if not names:
            above.info("This run has no verdicts on whole responses.")
            return
        measure = choose("Criterion or score", data.leading(names), "measure", shown.label_of, width=260)
    texts = texts_ingested(found.store, run)
    rows = _samples(found.state, run.run_id, measure, texts, found)
    scale = shown.scale_of(run, measure)
    filters, sort = _filters(run, rows, scale, texts)
    if filters.contact != ANY:
        rows = data.with_contacts(rows, _contacts(found.state, run.run_id, found))
    wanted = data.ordered([s for s in rows if filters.fit(s)], sort)
    none = Estimate.undefined("not measured on any item", 0, len(run.items))
    estimate = _estimates(found.state, run.run_id, found).get(measure, none)
    label = shown.figure_label(run, measure)
    with above:
        st.text(shown.sentence(found.labels[run.run_id], label, estimate, rows, wanted))
    counts = shown.bars(rows, wanted, scale)
    st.plotly_chart(
        shown.histogram(counts, shown.label_of(measure), dark=st.context.theme.type == "dark"), theme=None, key="bars",
        config=charts.CONFIG, alt=shown.histogram_alt(counts, shown.label_of(measure)),
    )  # fmt: skip
    if not wanted:
        st.info("No response matches. Set a filter back to “any”, or widen the range.")
        return
    at = [(s.item.id, s.epoch) for s in wanted]
    cells = shown.table_rows(wanted[:MOST], run, scale)
    alt = f"{len(cells)} responses with what panel and judges said. Choose a row to read it below."
    key = f"rows-{short_hash([run.run_id, filters, sort, measure])}"
    chosen = pick_response(at, cells, key, alt, HELP)
    if chosen is not None:
        item = next(i for i in run.items if i.id == chosen[0])
        st.header("One response", anchor=False)
        pane(found, run, item, chosen[1], ratings_of(found.state, run.run_id, found))


def _filters(run: Manifest, rows: Sequence[Sample], scale: shown.Scale, texts: bool) -> tuple[Filters, str]:
    """What is wanted, and in which order."""
    as_said: Callable[[str], str] = lambda t: t.replace("_", " ")  # noqa: E731
    with st.container(horizontal=True, vertical_alignment="bottom"):
        domains = sorted({s.item.domain for s in rows if s.item.domain})
        domain = choose("Domain", [ANY, *domains], "domain", as_said, width=170)
        points = list(scale.points.values())
        low, high = st.select_slider(
            "Panel's value, from and to", points, (points[0], points[-1]), key="value", bind="query-params", width=260,
            help="Narrowed, it leaves out responses without a value.",
        )  # fmt: skip
        spreads = sorted({s.spread for s in rows if s.spread})
        spread = choose("Judges' spread", [0.0, *spreads], "spread", _at_least, width=150)
        statuses = sorted({t for s in rows for t in s.statuses})
        status = choose("Status", [ANY, *statuses], "status", as_said, width=180)
        states = sorted({s.state for s in rows if s.state})
        state = choose("Response", [ANY, *states], "state", as_said, width=160)
        contact = choose("Contact named", [ANY, *LABELS, NO_CONTACT], "contact", as_said, width=170) if texts else ANY
        sort = choose("Sort by", SORTS, "sort", lambda s: s, width=210)
    ends = low == points[0] and high == points[-1]
    return Filters(
        domain, None if ends else scale.at(low), None if ends else scale.at(high), spread, status, state, contact
    ), sort  # fmt: skip


def _at_least(spread: float) -> str:
    return f"at least {spread:g}" if spread else ANY

"""Runs against a baseline, paired on items: scores, domains, tails, and the items that differ most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from leaderboard import charts
from leaderboard.cli.compare_detail import NAMES, detail_tables
from leaderboard.comparing import (
    NO_DOMAINS,
    ONE_RUN,
    TAILS,
    Compared,
    beside_tables,
    domain_table,
    family,
    first_baseline,
    offered,
    score_table,
    sentence,
    tail_table,
    tail_warnings,
)
from leaderboard.comparing_figures import READING, SHARES, Drawn, domain_figure, score_figure
from leaderboard.naming import run_names
from leaderboard.present import plain
from leaderboard.views import shell
from leaderboard.views.compare_items import items, values_of
from leaderboard.views.moment import Moment
from results.clusters import NoClusters
from results.compare import Comparison, NotComparable, comparable_with, compare
from results.manifest import Manifest
from results.paired import CORRECTIONS, MARGIN, Correction

FEW: Final = 4
"""Other runs at once."""
_FIRST: Final = 2
"""Other runs that are chosen at first, of the baseline's model."""
HELP_MARGIN: Final = (
    "Differences within the margin to both sides do not matter: a share of each score's range, so that 0.05 is 0.2 "
    "points on a scale from 1 to 5. Choose it before you look."
)
HELP_CORRECTION: Final = (
    "Over all scores and domains of one comparison. Holm: no false finding among them. Benjamini-Hochberg: few of the "
    "findings are false."
)


@st.cache_resource(max_entries=64, show_spinner="Comparing the runs item by item")
def _compared(
    state: str, baseline: str, other: str, margin: float, correction: Correction, noisy: bool, _moment: Moment
) -> Comparison | str:
    """A comparison, or why there is none."""
    runs = _moment.runs
    try:
        return compare(_moment.store, runs[baseline], runs[other], detailed=True, margin=margin, correction=correction,
                       noisy=noisy)  # fmt: skip
    except (NotComparable, NoClusters) as ex:
        return str(ex)


@st.cache_resource(max_entries=64, show_spinner=False)
def _comparable(state: str, run_id: str, _moment: Moment) -> tuple[str, ...]:
    grid = _moment.grid_of(run_id)
    runs = grid.runs if grid is not None else comparable_with(_moment.store, _moment.runs[run_id])
    return tuple(m.run_id for m in runs)


@st.cache_resource(max_entries=2, show_spinner=False)
def _names(state: str, _moment: Moment) -> Mapping[str, str]:
    return run_names(list(_moment.runs.values()))


def page() -> None:
    """Draw the page."""
    st.title("Compare")
    found = shell.now()
    if found is None:
        return
    if len(found.runs) < 2:
        st.info(ONE_RUN)
        st.code("psychosafe ingest LOG...", language="bash")
        return
    said = st.empty()
    names = _names(found.state, found)
    first = first_baseline([g.runs for g in found.grids], list(found.runs.values()))
    rest = [m for m in found.runs.values() if m is not first]
    baseline = shell.choose("Baseline", [first, *rest], "baseline", lambda m: names[m.run_id], width=760)
    others = _choose_others(found, baseline, names)
    left, right = st.columns(2)
    with left:
        margin = float(
            st.number_input("Margin of equivalence, a share of the range", 0.001, 1.0, MARGIN, 0.01, "%.3f",
                            key="margin", bind="query-params", required=True, help=HELP_MARGIN, width=420) or MARGIN
        )  # fmt: skip
    with right:
        correction = shell.choose("Correction of p values", list(CORRECTIONS), "correction",
                                  lambda c: NAMES[c], help=HELP_CORRECTION)  # fmt: skip
    if not others:
        said.text("Choose a run to compare with the baseline.")
        return
    done = [_compared(found.state, baseline.run_id, m.run_id, margin, correction, False, found) for m in others]
    for m, c in zip(others, done, strict=True):
        if isinstance(c, str):
            st.warning("A run is left out: it cannot be compared with the baseline.", icon=":material/block:")
            st.text(f"{plain(names[m.run_id])}: {plain(c, 400, ends=False)}")
    kept = tuple(c for c in done if not isinstance(c, str))
    if not kept:
        said.text("Nothing is compared: what was chosen is not comparable with the baseline.")
        return
    own = values_of(found.state, baseline.run_id, found)
    short = run_names([baseline, *(c.other for c in kept)])
    shown = Compared(baseline, kept, short, margin, {n: m.bounds for n, m in own.items()})
    said.text("\n".join(sentence(c, short) for c in kept))
    _scores(shown)
    if not shown.scores():
        _more(found, shown)
        return
    measure = shell.choose(
        "Score by domain and by item", shown.choices(), "measure", shown.label, help="The charts and tables below."
    )
    _domains(shown, measure)
    _tails(shown)
    items(found, shown, measure)
    _more(found, shown)


def _choose_others(found: Moment, baseline: Manifest, names: Mapping[str, str]) -> list[Manifest]:
    """The other runs, which stand in the URL by name; those that may be compared are offered first."""
    comparable = _comparable(found.state, baseline.run_id, found)
    options = offered(list(found.runs.values()), baseline, comparable)
    at_first = [m for m in options if m.run_id in comparable and m.model.name == baseline.model.name][:_FIRST]
    at_first = at_first or [m for m in options if m.run_id in comparable][:1]
    by_name: dict[str, Manifest] = {}
    for m in (*options, baseline):
        text = plain(names[m.run_id], 90)
        by_name[text if text not in by_name else f"{text} ({len(by_name) + 1})"] = m
    of_run = {m.run_id: text for text, m in by_name.items()}
    picked = st.multiselect(
        "Compared with it", list(by_name), [of_run[m.run_id] for m in at_first], key="with", bind="query-params",
        max_selections=FEW, placeholder="Choose runs", width=760,
        help="Runs of the same model come first, then those that are comparable. Others are refused, with the reason.",
    )  # fmt: skip
    chosen = [by_name[text] for text in picked if text in by_name]
    if baseline in chosen:
        st.text("The baseline itself is left out of the runs that are compared with it.")
    return [m for m in chosen if m.run_id != baseline.run_id]


def _draw(drawn: Drawn | None, key: str, missing: str) -> None:
    if drawn is None:
        st.text(missing)
        return
    st.plotly_chart(drawn.figure, key=key, config=charts.CONFIG, alt=drawn.alt)
    if drawn.left_out:
        st.text(drawn.without)


def _dark() -> bool:
    return st.context.theme.type == "dark"


def _scores(shown: Compared) -> None:
    if shown.scores():
        _draw(score_figure(shown, _dark()), "scores", "No score has a difference that can be drawn.")
        st.write(f"{READING} {SHARES}")
        st.text(family(shown))
        shell.text_table(score_table(shown), "score-table", "Every score in both runs, with the paired difference")
    lines = [w for c in shown.comparisons for w in c.warnings]
    tails = [w for c in shown.comparisons for w in tail_warnings(c, shown)]
    if tails:
        st.warning("A mean that is no worse hides a worse tail.", icon=":material/warning:")
        st.text("\n".join(tails))
    if lines:
        st.subheader("Before reading them")
        st.text("\n".join(plain(line, 300, ends=False) for line in dict.fromkeys(lines)))


def _domains(shown: Compared, measure: str) -> None:
    rows = domain_table(shown, measure)
    st.subheader("By domain")
    if not rows:
        st.text(NO_DOMAINS)
        return
    _draw(domain_figure(shown, measure, _dark()), "domains", "No domain has a difference that can be drawn.")
    shell.text_table(rows, "domain-table", "The chosen score in each domain, with the paired difference")


def _tails(shown: Compared) -> None:
    rows = tail_table(shown)
    if rows:
        st.subheader("Tails")
        st.text(TAILS)
        shell.text_table(rows, "tail-table", "Differences of quantiles of each score")


def _more(found: Moment, shown: Compared) -> None:
    """What is asked for less often, worked out and drawn on request only: it slows every change on the page."""
    tables = beside_tables(shown)
    if not (tables or any(r.detail is not None for c in shown.comparisons for r in c.rows)):
        return
    if not st.toggle("More tables: what stands beside the scores, margins, intervals two ways, noise", key="more",
                     bind="query-params"):  # fmt: skip
        return
    whole = (_compared(found.state, c.baseline.run_id, c.other.run_id, shown.margin, shown.correction, True, found)
             for c in shown.comparisons)  # fmt: skip
    details = [t for c in whole if not isinstance(c, str) for t in detail_tables(c)]
    for n, (heading, line, rows) in enumerate(tables):
        st.subheader(heading)
        st.text(line)
        shell.text_table(rows, f"beside-{n}", heading)
    for n, table in enumerate(details):
        kind, _, against = table.title.partition(":")
        st.subheader(kind)
        st.text(plain(against.strip(), 200))
        cells = [dict(zip(table.columns, map(str, row), strict=True)) for row in table.rows]
        shell.text_table(cells, f"detail-{n}", kind)
        if table.notes:
            st.text("\n".join(plain(note, 400, ends=False) for note in table.notes))

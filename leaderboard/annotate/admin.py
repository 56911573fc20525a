"""The view of whoever runs a study: `psychosafe annotate serve PLAN.json --db URL --admin MAP.json`.

A server of its own, with the map: annotators' servers are started without it and have no page that leads here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from judges.agreement.intervals import coefficients
from judges.agreement.planning import Needed, labels_needed
from judges.annotation.model import AnnotationError
from judges.annotation.plan import load_map
from judges.annotation.progress import Person, Progress, progress
from judges.stats import Estimate
from leaderboard.annotate import screen
from leaderboard.annotate.access import adjudicator_code
from leaderboard.annotate.panel import name_of
from leaderboard.annotate.study import ENV_MAP, not_ready, open_study, plan_path
from leaderboard.memory import keep_modules
from rubrics.model import Criterion, Rubric

# Full width of the kappa interval that labels are counted for. (Streamlit draws a string that stands alone here.)
WIDTH: Final = 0.2


def main() -> None:
    """Draw one of the two pages."""
    st.set_page_config(page_title="Study", layout="wide")
    st.html(screen.STYLE)
    pages = [
        st.Page(_progress, title="Progress", url_path="progress", default=True),
        st.Page(Path(__file__).with_name("adjudicate.py"), title="Adjudication", url_path="adjudication"),
    ]
    here = st.navigation(pages, position="hidden")
    with st.container(horizontal=True):
        for each in pages:
            st.page_link(each, width="content")
    try:
        here.run()
    finally:
        keep_modules()


def _progress() -> None:
    try:
        plan, store = open_study()
        path = os.environ.get(ENV_MAP)
        if not path:
            raise AnnotationError("no map named; start with `annotate serve PLAN.json --db URL --admin MAP.json`")
        map_ = load_map(Path(path), plan)
        found = progress(plan, store.ratings(), map_, needed)
        settled = len({a.token for a in store.adjudications()})
        waiting = len(store.to_adjudicate())
        code = adjudicator_code(plan, plan_path())
    except AnnotationError as ex:
        not_ready(ex, in_full=True)
        return
    st.title("Progress of the study", anchor=False)
    st.text(plan.title)
    _people(found.people)
    _agreement(plan.rubric, found)
    _consistency(plan.rubric, found.people)
    st.header("Skipped, by domain", anchor=False)
    st.write("Skipped cards are missing data, and likely not at random.")
    _table([{"Domain": d, "Skipped": share(e), "Showings": str(e.n)} for d, e in found.skips.items()], "skips")
    st.header("Adjudication", anchor=False)
    st.text(f"{settled} cards settled, {waiting} waiting. Access code of an adjudicator: {code}")


def needed(criterion: Criterion, table: NDArray[np.float64]) -> Needed:
    """Labels that bring the interval of two people's kappa to a width: quadratic on ordinal scales, else plain."""
    name = "quadratic_kappa" if criterion.scale == "ordinal" else "kappa"
    wanted = next(c for c in coefficients(criterion.values, criterion.scale) if c.name == name)
    return labels_needed(wanted, table, WIDTH, "random")


def _people(people: Sequence[Person]) -> None:
    st.header("People", anchor=False)
    rows = []
    for p in people:
        rows.append(
            {
                "Annotator": p.annotator,
                "Done": f"{p.done} of {p.total}",
                "Skipped": str(p.skipped),
                "Flagged": str(p.flagged),
                "Minutes a card (median)": figure(p.minutes),
                "Agreement with the others: first third": figure(p.drift.first),
                "Last third": figure(p.drift.last),
                "Change": figure(p.drift.change),
            }
        )
    _table(rows, "people")


def _agreement(rubric: Rubric, found: Progress) -> None:
    st.header("Agreement between people", anchor=False)
    st.write(
        f"Krippendorff's alpha with its 95 % interval, and how many doubly rated cards bring the interval of two "
        f"people's kappa (quadratic on ordinal scales) to a width of {WIDTH}, if further cards are like these."
    )
    rows = []
    for c in rubric.criteria:
        alpha, more = found.agreement[c.id], found.needed[c.id]
        rows.append(
            {
                "Criterion": name_of(c),
                "Alpha": figure(alpha),
                "Cards": f"{alpha.n} of {alpha.total}",
                "Cards still needed": str(more.more) if more.labels is not None else more.reason,
                "Width now": "undefined" if more.width_now is None else f"{more.width_now:.2f}",
            }
        )
    _table(rows, "agreement")


def _consistency(rubric: Rubric, people: Sequence[Person]) -> None:
    st.header("Hidden repeats and checks", anchor=False)
    rows = []
    for p in people:
        for c in rubric.criteria:
            again, gold = p.repeats.get(c.id), p.gold.get(c.id)
            if again is None and gold is None:
                continue
            rows.append(
                {
                    "Annotator": p.annotator,
                    "Criterion": name_of(c),
                    "Same on repeats": "none in the plan" if again is None else share(again.unanimous),
                    "Alpha on repeats": "none in the plan" if again is None else figure(again.alpha),
                    "Checks as intended": "none in the plan" if gold is None else share(gold),
                }
            )
    _table(rows, "consistency")


def _table(rows: Sequence[dict[str, str]], key: str) -> None:
    if not rows:
        st.text("Nothing yet.")
        return
    data: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
    st.dataframe(data, hide_index=True, key=key, alt=", ".join(rows[0]))


def figure(e: Estimate) -> str:
    """An estimate as text, with its interval or why there is none."""
    return _said(e, "{:.2f}")


def share(e: Estimate) -> str:
    """An estimate of a share as percent."""
    return _said(e, "{:.0%}")


def _said(e: Estimate, how: str) -> str:
    if e.value is None:
        return f"undefined: {e.reason}"
    if e.low is None or e.high is None:
        return f"{how.format(e.value)} (no interval: {e.reason})"
    return f"{how.format(e.value)} [{how.format(e.low)}, {how.format(e.high)}]"


if __name__ == "__main__":
    main()

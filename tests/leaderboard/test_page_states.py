"""Every page in every state of a store: it draws, opens with its sentence, and says what is undefined, and why."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from leaderboard.app import PAGES
from leaderboard.judging_texts import NO_RUNS
from leaderboard.present import UNRANKED
from leaderboard.samples.data import NO_RUNS as NO_READERS
from results.importers.lm_eval import read_run, write_run
from results.store import ENV_STORE, Store
from tests.leaderboard import page_states
from tests.leaderboard.page_states import JUDGES, MAKERS, N
from tests.leaderboard.test_app import texts
from tests.results.test_import_lm_eval import results, write

MODULES: Final = tuple(module for module, _ in PAGES)
NOT_WORDS: Final = re.compile(r"(?<![A-Za-z'])([nN]a[nNT]|None|-?inf|Infinity|<NA>|undefined: undefined)(?![A-Za-z])")
"""What a figure that is missing reads as where nobody looked."""
EMPTY: Final = "There are no runs in the store yet"
ONE_VALUE: Final = "undefined: every rater gives one and the same value throughout"
NO_DIALOGUES: Final = "No dialogues are in the store yet"

SAID: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "table": {
        "one": ("m/only · baseline is the only ranked model: pair score 0.26 [",),
        "missing": ("on 11 of 12 pairs; the one other overlaps", "undefined: no item has a value",
                    "2.50 (no interval: one item has no interval)", "low coverage: Relevance rests on 1 of 12 items"),
        "ties": ("3 of 3 share the highest pair score 0.50 [0.30, 0.70]", "1 [1, 3]"),
        "constant": (f"Nothing is ranked here: {UNRANKED}", "0.50 (no interval: all 12 values are equal)",
                     f"unranked: {UNRANKED}: no run of this system on the twins"),
        "single": ("0.60 (no interval: one item has no interval) on 1 pair; for want of intervals nothing is known",),
        "unjudged": ("No chart: no system has a value for Pair score.", "undefined: no item has a value"),
        "thousand": (f"Nothing is ranked here: {UNRANKED}", "first 40 of 1000, in the order of the table"),
    },
    "overview": {
        "one": ("1 run (1 system) in one group", "nothing to compare yet"),
        "missing": ("2 runs (2 systems) in one group", "pair score is not shown to differ from m/a · baseline"),
        "ties": ("3 runs (3 systems)", "not shown to differ from m/a · baseline: 0.00 ["),
        # Without a pair score anywhere runs are set against each other by their quality.
        "constant": ("3 runs (3 systems)", "quality is not shown to differ from m/a · baseline: 0.00 ["),
        "single": ("2 runs (2 systems)", "no interval for pair score, 1 item has a value in both (one item has no"),
        "unjudged": ("2 runs (2 systems)", "No chart: no system has a value for Pair score.",
                     "no interval for pair score, no item has a value in both"),
        "thousand": ("1000 runs (1000 systems)", "The chart shows the first 40 of 1000", "nothing to compare yet"),
    },
    "compare": {
        "one": ("Choose a run to compare with the baseline.",),
        "missing": ("m/a · prompted against m/a · baseline: Pair score", "1 not tested",
                    "Not drawn, for want of a value", "Grounding of m/a · prompted", "undefined: no item has a value"),
        "ties": ("Pair score 0.00 [-0.26, +0.26]", "unresolved: the interval holds 0",
                 "All 12 items with a value in both runs have the same value in both."),
        "constant": ("Quality 0.00 [-0.26, +0.26]", "0.500 (no interval: all 12 values are equal)",
                     "Not drawn, for want of a value or a scale with two ends: Pair score"),
        "single": ("+0.10 (no interval: one item has no interval) on 1 item: not tested.",
                   "(no interval: too few items, 72 needed)"),
        "unjudged": ("no score has a value in both.", "No score has a difference that can be drawn.",
                     "undefined: no item has a value in both runs", "No item has a value in both runs."),
        "thousand": ("against made-up/0000 · baseline: Quality",),
    },
    "domains": {
        "one": ("Pair score by domain: no run has figures in two domains that its items support.", "too few: the"),
        "missing": ("Pair score by domain:", "2 of 3"),
        "ties": ("Pair score by domain:", "15 of 15 cells support no colour."),
        "constant": ("Refusal by domain:",),
        "single": ("2 shrunken cells are undefined: not to be weighed: one item has no interval.",
                   "undefined: not to be weighed"),
        "unjudged": ("no measure on a scale has a value on any of them: every verdict is missing",),
        "thousand": ("Refusal by domain:",),
    },
    "judges": {
        "one": ("one run alone has no order that a judge could change", "An order takes two runs of one kind"),
        "missing": ("On refusal, 2 judges agree at Krippendorff's alpha .59 [",),
        "ties": ("changes the rank of none of 3 runs", "one order is all ties"),
        "constant": (f"agree at Krippendorff's alpha {ONE_VALUE}", f"{ONE_VALUE} [",
                     "undefined: both raters give one and the same value throughout"),
        "single": ("agree at Krippendorff's alpha 1.00 (no interval)",
                   "1.00 (no interval: one cluster has no interval)",
                   "2 responses answer 1 item:", "on the 1 item on which"),
        "unjudged": ("No verdict of a single judge on refusal is in this group", "No verdict on this criterion from"),
        "thousand": ("On refusal, 2 judges agree at Krippendorff's alpha", "of 1000 runs"),
    },
    "samples": {
        "one": ("Quality of m/only · baseline · open: 0.53 [0.34, 0.72] over 12 items. All 12 responses match",),
        "missing": ("Quality of m/a · baseline · open: 0.39 [",),
        "ties": ("Quality of m/a · baseline · open: 0.50 [0.30, 0.70]",),
        "constant": ("0.50 (no interval: all 12 values are equal) over 12 items.",),
        "single": ("0.50 (no interval: one item has no interval) over 1 item. 1 of 1 response matches",),
        "unjudged": ("undefined: no item has a value (0 of 12 items).", "unparsable"),
        "thousand": ("Quality of made-up/0000 · baseline:",),
    },
    "dialogues": {
        "one": ("m/only · baseline acknowledges the risk at its first turn in 33 % [6 %, 79 %]",
                "Of no system is it known how often harm", "undefined: every item was censored or over before"),
        "missing": ("m/b · baseline acknowledges the risk at its first turn in 0 % [0 %, 79 %] of its dialogues (n 1",
                    "Of 1 of 2 systems it is not known", "undefined: nothing is known of any dialogue", "not known"),
        "ties": ("All 2 systems acknowledge the risk at its first turn equally often: in 50 %.",),
        "constant": ("equally often: in 100 %.", "undefined: every item was censored or over before"),
        "single": ("in 100 % [21 %, 100 %] of its dialogues (n 1).",),
        "unjudged": ("no turn at which a risk can be recognised, so that there is nothing to time",),
        "thousand": (NO_DIALOGUES,),
    },
    "method": {
        "one": ("1 run in 1 group of comparable runs, of 2 in the store", "Pair score: 0.2575 ["),
        "missing": ("the panels gave 73 of 144 values that were due (50.6 %)",),
        "ties": ("3 runs in 1 group of comparable runs",),
        "constant": (f"Pair score: undefined: {UNRANKED}: no run of this system on the twins, with a value 0/12",
                     "No command prints this figure: it is undefined"),
        "single": ("Pair score: 0.5000 (no interval: one item has no interval)",),
        "unjudged": ("the panels gave 0 of 144 values that were due (0.0 %)",),
        "thousand": ("1000 runs in 1 group of comparable runs",),
    },
}  # fmt: skip
"""What a page has to say in a state: its opening first, then what is undefined and why."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """`store(state, page)`: the store in that state, made when it is first asked for."""
    made: dict[str, Path] = {}

    def of(state: str, page: str) -> Path:
        own = "dialogues" if page == "dialogues" and state != "thousand" else "runs"
        name = f"{state}-{own}"
        if name not in made:
            made[name] = tmp_path_factory.mktemp("states") / name
            if own == "dialogues":
                page_states.dialogues(made[name], state)
            else:
                MAKERS[state](made[name])
        return made[name]

    return of


def said(at: AppTest) -> Iterator[str]:
    """Everything that stands on a page as text: elements, labels, helps, cells, and the words of its charts."""
    for element in at.main:
        yield from _words(element)
    for d in at.dataframe:
        yield from (str(name) for name in d.value.columns)
        yield from (str(cell) for cell in d.value.to_numpy().ravel())
    for figure in drawn(at):
        yield from _strings(figure["layout"])
        yield from (s for t in figure["data"] for k, v in t.items() if k in TEXTS for s in _strings(v))


TEXTS: Final = ("text", "hovertext", "name", "customdata")


def _words(block: Any) -> Iterator[str]:
    children = getattr(block, "children", None)
    if children is not None:
        yield getattr(block, "label", None) or ""
        for child in children.values():
            yield from _words(child)
    elif block.type not in {"dataframe", "arrow_data_frame", "plotly_chart"}:
        yield re.sub(r'(?m)^\s*id: ".*"$', "", str(block.proto))


def _strings(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, Mapping):
        for key, value in found.items():
            if key not in {"template", "bdata", "dtype"}:
                yield from _strings(value)
    elif isinstance(found, list):
        for value in found:
            yield from _strings(value)


def drawn(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(c.proto.spec) for c in at.get("plotly_chart")]


def _numbers(values: Any) -> list[float | None]:
    """Numbers as Plotly writes them: a list, or an array packed into text."""
    if isinstance(values, Mapping):
        packed = base64.b64decode(values["bdata"])
        return [float(v) for v in np.frombuffer(packed, np.dtype(values["dtype"]))]
    flat = [v for row in values for v in (row if isinstance(row, list) else [row])]
    return [None if v is None else float(v) for v in flat if not isinstance(v, str)]


def check_figures(at: AppTest) -> None:
    """Every mark has a finite place: what has no value is not drawn. Lines alone may have gaps."""
    for figure in drawn(at):
        for trace in figure["data"]:
            line = trace.get("mode") == "lines" or trace["name"] == "interval"
            for axis in ("x", "y", "base", "width"):
                places = _numbers(trace[axis]) if isinstance(trace.get(axis), (list, Mapping)) else []
                assert all(math.isfinite(p) if p is not None else line for p in places), (trace["name"], axis)
            for part in ("array", "arrayminus"):
                reach = _numbers(trace.get("error_x", {}).get(part) or [])
                assert all(r is None or math.isfinite(r) for r in reach)
            if trace["type"] == "heatmap":
                assert all(z is None or math.isfinite(z) for z in _numbers(trace["z"]))
        for axis in ("xaxis", "xaxis2", "yaxis", "yaxis2"):
            ends = figure["layout"].get(axis, {}).get("range") or []
            assert all(math.isfinite(e) for e in ends), (axis, ends)
        height = figure["layout"].get("height")
        assert height is None or 0 < height < 20_000


def opened(root: Path, module: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv(ENV_STORE, str(root))
    return AppTest.from_string(f"from leaderboard.app import page_of\npage_of({module!r})()", default_timeout=120).run()


def check(at: AppTest, state: str, module: str) -> str:
    """What holds of every page in every state; returns all that it says."""
    assert not at.exception
    everything = "\n".join(said(at))
    _no_gaps(everything)
    check_figures(at)
    assert at.title[0].value and not at.error
    opening, *more = SAID[module][state]
    lead = "\n".join([*(t.value for t in at.text[:3]), *(i.value for i in at.info[:1])])
    assert opening in lead, lead
    for piece in more:
        assert piece in everything, piece
    return everything


def _no_gaps(everything: str) -> None:
    wrong = NOT_WORDS.search(everything)
    assert wrong is None, everything[max(0, wrong.start() - 200) : wrong.end() + 80]


def test_every_page_is_here() -> None:
    assert set(SAID) == set(MODULES)
    assert all(set(by_state) == set(MAKERS) - {"empty"} for by_state in SAID.values())


@pytest.mark.parametrize("module", MODULES)
def test_an_empty_store(store: Callable[[str, str], Path], module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(store("empty", module), module, monkeypatch)
    assert not at.exception and at.info[0].value.startswith(EMPTY) and at.code[0].value
    _no_gaps("\n".join(said(at)))
    check_figures(at)
    assert len(drawn(at)) == (3 if module == "table" else 0), "published figures stand on the leaderboard alone"


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("state", ["one", "missing", "ties", "constant", "single", "unjudged"])
def test_small_stores(
    store: Callable[[str, str], Path], state: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(opened(store(state, module), module, monkeypatch), state, module)


BENCHMARKS: Final[Mapping[str, str]] = {
    "table": "made-up/tuned", "overview": "No run here has items with values.",
    "compare": "no score has a value in both",
    "domains": "No run in the store has prompts with a domain.", "judges": NO_RUNS,
    "samples": NO_READERS, "dialogues": NO_DIALOGUES,
    "method": "0 runs in 0 groups of comparable runs, of 2 in the store",
}  # fmt: skip


def test_a_store_of_benchmarks_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that have no items, no answers and no judges: each page says what it lacks, and Compare what differs."""
    store = Store(tmp_path / "store")
    for name, mmlu in (("base", 0.84), ("tuned", 0.80)):
        path = write(tmp_path / f"{name}.json", results(mmlu, model_name=f"made-up/{name}"))
        write_run(store, read_run(path))
    for module in MODULES:
        at = opened(store.root, module, monkeypatch)
        assert not at.exception and not at.error, module
        everything = "\n".join(said(at))
        _no_gaps(everything)
        check_figures(at)
        assert BENCHMARKS[module] in everything, module
        if module == "compare":
            at.toggle(key="more").set_value(True).run()
            assert not at.exception
            cells = [c for d in at.dataframe for c in d.value.to_numpy().ravel()]
            assert any(str(c).startswith("-0.04 [") for c in cells), "the difference of the benchmark"


def test_what_is_asked_for_less_often_is_worked_out_on_request(
    store: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = opened(store("ties", "compare"), "compare", monkeypatch)
    noise = "What the noise is made of"
    assert noise not in [h.value for h in at.subheader]
    at.toggle(key="more").set_value(True).run()
    assert not at.exception and noise in [h.value for h in at.subheader]
    _no_gaps("\n".join(said(at)))


def test_criteria_on_which_a_judge_is_silent(
    store: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = opened(store("missing", "judges"), "judges", monkeypatch)
    at.selectbox(key="criterion").set_value("Grounding").run()
    check_figures(at)
    assert not at.exception and texts(at).startswith(f"One judge, {JUDGES[0]}, rated grounding here")
    assert f"No verdict on this criterion from {JUDGES[1]}" in texts(at)
    # Both rated one answer of each run alike or not: too little for an interval, and the page says so.
    at.selectbox(key="criterion").set_value("Relevance").run()
    check_figures(at)
    everything = "\n".join(said(at))
    assert not at.exception and f"2 of {2 * N} responses with two verdicts or more" in everything
    assert "one cluster has no interval" in everything
    _no_gaps(everything)
    # Nobody's verdict on one criterion in a domain map: the measure is not offered.
    at = opened(store("missing", "domains"), "domains", monkeypatch)
    assert "Grounding" not in at.selectbox(key="measure").options
    at = opened(store("missing", "samples"), "samples", monkeypatch)
    at.selectbox(key="measure").set_value("Grounding").run()
    check_figures(at)
    assert not at.exception and "undefined: no item has a value" in texts(at)


@pytest.mark.slow
def test_a_thousand_runs(store: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """One test for all pages: the store and its moment are made once, in whatever process."""
    for module in MODULES:
        at = opened(store("thousand", module), module, monkeypatch)
        check(at, "thousand", module)
        # No more is drawn or sent than a reader can take in.
        assert all(len(t.get("y") or ()) <= 700 for f in drawn(at) for t in f["data"] if isinstance(t.get("y"), list))
        assert len(json.dumps(drawn(at))) < 400_000

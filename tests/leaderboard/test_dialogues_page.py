"""The dialogues page: figures and tables are what the library computes from the turns."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from judges.dialogue import TurnFacts
from judges.stats import Estimate
from leaderboard import dialogue_charts, dialogues, present
from leaderboard.cli import main
from leaderboard.dialogues import STATES, sentence, turn_state
from leaderboard.views import dialogues as page
from results.dialogues import Timing, outcomes, timing
from results.manifest import Manifest
from results.store import ENV_STORE, Store
from tests.leaderboard.page_states import RERUNS
from tests.leaderboard.test_app import markup, texts
from tests.leaderboard.test_samples_page import everything
from tests.support.made_runs import system
from tests.support.transcripts import MARK, dialogue_run

SCRIPT = "from leaderboard.views import dialogues\ndialogues.page()"
PLAYS: list[tuple[str, int | None]] = [
    ("ooAA", 3), ("onH", 2), ("Aod", 2), ("oooe", 3), ("o?", 2), ("ooH", None), ("oHA", 2), ("eA", 2)
]  # fmt: skip
SIGNS = ("○○●●", "○◇✖", "△◇■", "○○◇■", "○?", "○○○", "○✖●", "–●")
"""Worked out by hand: harm before the risk turn, or in a control, is an ordinary answer."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Manifest, Manifest, Manifest]:
    """Two comparable runs, and one on fewer dialogues."""
    store = Store(tmp_path_factory.mktemp("dialogues"))
    other = [("ooAA", 3), ("oAA", 2), ("oAA", 2), ("ooAA", 3), ("oA", 2), ("ooo", None), ("oAH", 2), ("oA", 2)]
    made = (dialogue_run(store, PLAYS), dialogue_run(store, other, "m/two"), dialogue_run(store, PLAYS[:4], "m/few"))
    system(store, "m/three", seed=1)
    return store, *made


def opened(root: Path, monkeypatch: pytest.MonkeyPatch, **asked: str) -> AppTest:
    monkeypatch.setenv(ENV_STORE, str(root))
    at = AppTest.from_string(SCRIPT, default_timeout=60)
    for name, value in asked.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def specs(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(c.proto.spec) for c in at.get("plotly_chart")]


@pytest.mark.parametrize("reruns", RERUNS)
def test_figures_and_tables_are_the_library_s(
    runs: tuple[Store, Manifest, Manifest, Manifest], monkeypatch: pytest.MonkeyPatch, reruns: int
) -> None:
    store, *made = runs
    at = opened(store.root, monkeypatch)
    rng = random.Random(1)
    for _ in range(reruns):
        run = rng.choice(made)
        domain, which = rng.choice(["any", "self harm"]), rng.choice(dialogues.SHOWN)
        at.selectbox(key="run").select(run.run_id).run()
        at.selectbox(key="domain").select(domain)
        at.selectbox(key="which").select(which).run()
        assert not at.exception
        # When things happened, of all that is comparable and of nothing else.
        group = sorted((m for m in made if len(m.items) == len(run.items)), key=lambda m: m.run_id)
        timed = [(m.label, t) for m in group if (t := timing(store, m)) is not None]
        assert at.dataframe[0].value.to_dict("records") == present.timing_table(timed)
        points = sorted(x for t in specs(at)[0]["data"] if t["mode"] == "markers" for x in t["x"])
        every = [e for _, t in timed for by_lag in (t.acknowledged, t.harmed) for e in by_lag.values()]
        assert points == pytest.approx(sorted(e.value for e in every if e.value is not None))
        ends = {x for t in specs(at)[0]["data"] if t["name"] == "interval" for x in t["x"] if x is not None}
        assert ends == {x for e in every for x in (e.low, e.high) if x is not None}
        # Turn by turn.
        came = outcomes(store, run)
        want = [p for p in dialogues.played(store, run)
                if domain in ("any", (p.item.domain or "").replace("_", " ")) and p.among(which)]  # fmt: skip
        if not want:
            assert "No dialogue of this run is like that" in at.info[0].value
            continue
        table = at.dataframe[1].value
        assert list(table["Dialogue"]) == [present.plain(p.item.id, 60) for p in want]
        assert all(p.outcome == came[p.item.id, 1] for p in want)
        drawn = {}
        for trace in specs(at)[1]["data"]:
            sign = next((s.sign for s in STATES.values() if s.name == trace["name"]), None)
            drawn |= {(y, x): sign for x, y in zip(trace["x"], trace["y"], strict=True) if sign}
        for y, cell in enumerate(table["Turns"]):
            assert " ".join(drawn[y, x] for x in sorted(x for row, x in drawn if row == y)) == cell


def test_the_command_shows_when_things_happened(runs: tuple[Store, Manifest, Manifest, Manifest]) -> None:
    store, base, other, few = runs
    ask = ["compare", other.run_id, "--baseline", base.run_id, "--store", str(store.root)]
    timed = [(m.label, t) for m in (base, other) if (t := timing(store, m)) is not None]
    want = present.timing_table(timed)
    printed = " ".join(CliRunner().invoke(main, ask).output.split())
    assert "Turn by turn, over all domains together" in printed and len(timed) == 2
    for row in want:
        assert " ".join(" ".join(row.values()).split()) in printed
    told = json.loads(CliRunner().invoke(main, [*ask, "--json"]).output)["timing"]
    assert [t["label"] for t in told] == [base.label, other.label]
    for given, (_, t) in zip(told, timed, strict=True):
        assert given["acknowledged"] == {str(lag): e.as_dict() for lag, e in t.acknowledged.items()}
        assert given["harmed"] == {str(lag): e.as_dict() for lag, e in t.harmed.items()}
    assert few.run_id not in printed


def test_what_each_turn_came_to(
    runs: tuple[Store, Manifest, Manifest, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, run, *_ = runs
    rows = dialogues.table_rows(dialogues.played(store, run), epochs=False)
    assert [r["Turns"].replace(" ", "") for r in rows] == list(SIGNS)
    assert [r["Acknowledged"] for r in rows] == [
        "at the risk turn", "not by turn 3", "1 turn later", "not by turn 4", "not known", "control", "1 turn later",
        "at the risk turn",
    ]  # fmt: skip
    assert [r["Harm"] for r in rows][1] == "1 turn later" and rows[6]["Recovered"] == "yes"
    assert rows[2]["Alarms"] == "100 %" and rows[5]["Left without support"] == "undefined"
    # Its texts stay behind the gate; a link opens them where they belong.
    item = present.plain(run.items[0].id, 200)
    at = opened(store.root, monkeypatch, run=run.run_id, item=item)
    assert at.selectbox(key="item").value == item and MARK not in everything(at)
    assert len([d for d in at.dataframe if "Criterion or score" in d.value]) == 5, "the whole and four turns"
    at.button(key="show").click().run()
    assert sum(c.value.count(MARK) for c in at.code) == 8
    assert MARK not in markup(at) + texts(at) and "127.0.0.1" not in markup(at)
    assert "Turn 3, the risk can be recognised" in [h.value for h in at.subheader]


def test_more_dialogues_than_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    dialogue_run(store, [("oA", 2)] * (page.DRAWN + 1))
    at = opened(tmp_path, monkeypatch)
    assert f"The chart has the first {page.DRAWN} of {page.DRAWN + 1} dialogues, the table all of them." in texts(at)
    table = next(d.value for d in at.dataframe if "Acknowledged" in d.value)
    assert len(table) == page.DRAWN + 1 and len({y for t in specs(at)[1]["data"] for y in t["y"]}) == page.DRAWN


@pytest.mark.parametrize(
    ("facts", "before", "alone", "state"),
    [
        (None, True, False, "unanswered"),
        (TurnFacts(False), True, False, "unjudged"),
        (TurnFacts(False), False, True, "abandoned"),
        (TurnFacts(False), False, False, "unjudged"),
        (TurnFacts(True, False, True, False, False, False), True, False, "calm"),
        (TurnFacts(True, True, False, False, True, True), True, False, "alarm"),
        (TurnFacts(True, None, None, None, None, None), True, False, "unknown"),
        (TurnFacts(True, True, True, False, True, True), False, False, "harm"),
        (TurnFacts(True, True, False, False, True, True), False, False, "acknowledged"),
        (TurnFacts(True, True, None, False, False, True), False, False, "acknowledged"),
        (TurnFacts(True, False, None, False, False, True), False, False, "unknown"),
        (TurnFacts(True, False, False, False, False, False), False, False, "missed"),
    ],
)
def test_state_of_a_turn(facts: TurnFacts | None, before: bool, alone: bool, state: str) -> None:
    assert turn_state(facts, before, alone) == state


def test_empty_and_unfit_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no runs in the store" in opened(tmp_path / "nothing", monkeypatch).info[0].value
    store = Store(tmp_path / "store")
    system(store, "m/one", seed=1)
    at = opened(store.root, monkeypatch)
    assert "No dialogues are in the store yet" in at.info[0].value and "evals/escalation.py" in at.code[0].value
    run = dialogue_run(store, [("oo", None), ("??", None)], "m/controls")
    at = opened(store.root, monkeypatch)
    assert "no turn at which a risk can be recognised" in texts(at) and len(specs(at)) == 1
    # A run that breaks while the page is open is said, and nothing is raised.
    (ratings,) = (store.runs_dir / run.run_id).glob("ratings-*.parquet")
    raw = bytearray(ratings.read_bytes())
    raw[4 : len(raw) // 3] = b"\xff" * (len(raw) // 3 - 4)
    ratings.write_bytes(bytes(raw))
    page._timing.clear()
    at.run()
    assert not at.exception and "cannot be read" in at.error[0].value and run.run_id in at.code[0].value


def test_sentence() -> None:
    def timed(at_once: float | None, harm: float | None) -> Timing:
        def e(v: float | None) -> Estimate:
            return Estimate(v, v - 0.1, v + 0.1, 9, 10) if v is not None else Estimate.undefined("why", 0, 10)

        return Timing({0: e(at_once), 1: e(at_once), 2: e(at_once)}, {0: e(harm), 1: e(harm), 2: e(harm)}, 10)

    assert sentence([("a", timed(None, None))]).startswith("Of no system is it known")
    assert sentence([("a", timed(0.5, 0.2))]) == (
        "a acknowledges the risk at its first turn in 50 % [40 %, 60 %] of its dialogues (n 9 of 10). Harm is provided "
        "within two turns of it in 20 % [10 %, 30 %] (n 9 of 10)."
    )
    rows = [("a", timed(0.5, 0.2)), ("b", timed(0.65, 0.4)), ("c", timed(0.2, None))]
    assert sentence(rows) == (
        "b acknowledges the risk at its first turn most often, in 65 % [55 %, 75 %] of its dialogues (n 9 of 10); the "
        "intervals of 1 of 2 others reach its own. Harm within two turns of it goes from 20 % [10 %, 30 %] (a, n 9 of "
        "10) to 40 % [30 %, 50 %] (b, n 9 of 10)."
    )
    assert sentence([("a", timed(0.5, None)), ("b", timed(0.5, None))]).startswith(
        "All 2 systems acknowledge the risk at its first turn equally often: in 50 %."
    )
    assert "a: acknowledged 50 % [40 %, 60 %]" in dialogue_charts.timing_alt(rows)

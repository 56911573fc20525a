"""Dialogues with real providers against the loopback server: what judges are shown, and how failures end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from inspect_ai.log import EvalLog

from evals.escalation import escalation
from results.compare import measures
from results.ingest import ingest
from results.store import Store
from tests.e2e.conftest import VERDICT, Lab, dialogue_file, panel_file, says
from tests.support.openai_server import Reply, Request, text, verdict_json


def test_turns_times_judges(tmp_path: Path, lab: Lab, run: Callable[..., EvalLog]) -> None:
    answers = {"FIRST": "ANSWER-ONE at nine", "SECOND": "ANSWER-TWO stay safe", "THIRD": "ANSWER-THREE I am here"}

    def model(request: Request) -> Reply:
        last = request.messages[-1]["content"]
        return Reply(next(a for k, a in answers.items() if last.startswith(k)))

    judges = [lab.judge("a"), lab.judge("b")]
    panel = panel_file(tmp_path, [{"id": n, "model": m} for n, m in zip("ab", judges, strict=True)])
    log = run(escalation(prompts=dialogue_file(tmp_path), judges=panel), lab.model("m", model))
    assert log.status == "success"
    assert lab.count("m") == 2 * 3
    assert lab.count("a") == lab.count("b") == 2 * 3
    shown = [c.messages[-1]["content"] for c in lab.calls("a")]
    third = next(s for s in shown if "| THIRD-TURN" in s)
    assert third.index("| FIRST-TURN") < third.index("| ANSWER-ONE") < third.index("| SECOND-TURN")
    assert "ANSWER-THREE" in third.split("RESPONSE TO RATE")[1], "the last answer is what is rated"
    assert "ANSWER-THREE" not in third.split("RESPONSE TO RATE")[0]
    first = next(s for s in shown if "SECOND-TURN" not in s)
    assert "\nFIRST-TURN" in first, "the first turn is an ordinary request"
    store = Store(tmp_path / "store")
    assert not ingest(store, [tmp_path / "logs"]).refused
    (m,) = store.manifests()
    assert {t: u["calls"] for t, u in m.usage.items() if t.startswith("judge")} == {"judge a": 6, "judge b": 6}
    assert measures(store, m)["acknowledged_at_once"].estimate().value == 1.0


def test_a_judge_that_fails_on_a_turn_leaves_the_outcome_missing(
    tmp_path: Path, lab: Lab, run: Callable[..., EvalLog]
) -> None:
    def judge(request: Request) -> Reply:
        whole = request.messages[-1]["content"]
        if "| THIRD-TURN" in whole:
            return Reply("I'm sorry, but I can't rate this.")
        harmless = {**VERDICT, "refusal": 0, "harm_provided": "none"}
        return text(verdict_json(request, harmless, "because"))

    panel = panel_file(tmp_path, [{"id": "a", "model": lab.judge("a", judge)}])
    log = run(escalation(prompts=dialogue_file(tmp_path), judges=panel), lab.model("m", Reply("It leaves at nine.")))
    assert log.status == "success"
    store = Store(tmp_path / "store")
    assert not ingest(store, [tmp_path / "logs"]).refused
    (m,) = store.manifests()
    found = measures(store, m)
    assert (found["harmed"].total, len(found["harmed"].values)) == (2, 0), "unknown, not unharmed"
    assert found["acknowledged_at_once"].estimate().value == 0.0
    refused = [r for r in store.ratings([m.run_id]).to_pylist() if r["status"] == "judge_refused"]
    assert {r["turn"] for r in refused} == {3}


def test_long_answers_of_many_judges_stay_readable_from_summaries(
    tmp_path: Path, lab: Lab, run: Callable[..., EvalLog]
) -> None:
    seats = [{"id": f"a-judge-with-a-rather-long-name-{n}", "model": lab.judge(f"j{n}", says(VERDICT, "x" * 3000))}
             for n in range(5)]  # fmt: skip
    panel = panel_file(tmp_path, seats)
    log = run(escalation(prompts=dialogue_file(tmp_path), judges=panel), lab.model("m", Reply("words " * 900)))
    assert log.status == "success"
    store = Store(tmp_path / "store")
    assert not ingest(store, [tmp_path / "logs"]).refused
    (m,) = store.manifests()
    rows = [r for r in store.ratings([m.run_id]).to_pylist() if r["rater_kind"] == "llm"]
    assert len(rows) == 2 * 3 * 5 * 6

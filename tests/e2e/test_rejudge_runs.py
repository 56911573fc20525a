"""`psychosafe rejudge` on runs of many kinds: epochs, dialogues, failed samples; its price, and who may judge."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai.log import EvalLog

from evals.escalation import escalation
from evals.psychosafe import psychosafe
from leaderboard.board import load_board
from results.ingest import ingest
from results.schema import PANEL_RATER
from results.store import Store
from tests.e2e.conftest import ITEMS, VERDICT, Lab, dialogue_file, panel_file, says, write_items
from tests.support.openai_server import Reply, Request, status
from tests.support.rejudging import cli, contents, one_line, spec

pytestmark = pytest.mark.socket

Run = Callable[..., EvalLog]


# --- what comes out --------------------------------------------------------------------------------------------------


def test_epochs_are_judged_apart(run: Run, lab: Lab, tmp_path: Path) -> None:
    said = iter(range(100))
    path = write_items(tmp_path, ITEMS[:2])
    log = run(psychosafe(prompts=str(path), epochs=2), lab.model("m", lambda r: Reply(f"ANSWER-{next(said)} no")))
    panel = panel_file(tmp_path, spec(lab, {"late": None}))
    store = Store(tmp_path / "store")
    assert cli("rejudge", log.location, "--judges", panel, "--store", store.root).exit_code == 0
    assert lab.count("late") == 4
    assert len({str(r.messages[1]["content"]).split("ANSWER-")[1][0] for r in lab.calls("late")}) == 4
    (m,) = store.manifests()
    assert m.epochs == 2
    rows = [r for r in store.ratings([m.run_id]).to_pylist() if r["rater"] == "late" and r["criterion"] == "refusal"]
    assert sorted((r["item_id"], r["epoch"]) for r in rows) == [("r1", 1), ("r1", 2), ("r2", 1), ("r2", 2)]


def test_dialogues(run: Run, lab: Lab, tmp_path: Path) -> None:
    answers = {"FIRST": "ANSWER-ONE at nine", "SECOND": "", "THIRD": "ANSWER-THREE I am here"}

    def model(request: Request) -> Reply:
        last = str(request.messages[-1]["content"])
        return Reply(next(a for k, a in answers.items() if last.startswith(k)))

    early = panel_file(tmp_path, spec(lab, {"early": None}), "early")
    log = run(escalation(prompts=dialogue_file(tmp_path), judges=early), lab.model("m", model))
    store = Store(tmp_path / "store")
    (old,) = ingest(store, [Path(log.location)]).written
    panel = panel_file(tmp_path, spec(lab, {"late": says({**VERDICT, "refusal": 0})}))
    expected = json.loads(cli("rejudge", log.location, "--judges", panel, "--dry-run", "--json").stdout)
    assert lab.count("late") == 0
    done = cli("rejudge", log.location, "--judges", panel, "--store", store.root)
    assert done.exit_code == 0, done.output
    assert lab.count("m") == 6
    assert lab.count("late") == 4 == expected["late"]["calls"], "the empty turn is not judged"

    def shown(judge: str) -> Counter[str]:
        # Without the random part of the markers.
        return Counter("\n".join(x for x in str(r.messages[1]["content"]).splitlines() if "===" not in x)
                       for r in lab.calls(judge))  # fmt: skip

    assert shown("late") == shown("early"), "turn by turn the same text"
    (new,) = set(store.run_ids()) - {old}
    a, b = store.manifest(old), store.manifest(new)
    assert b.source.rejudged_from == (old,)
    assert a.scoring == b.scoring
    turns = store.turns(new, "late")
    assert set(turns) == {("d1", 1), ("d2", 1)}
    assert turns["d1", 1][1]["refusal"] == turns["d1", 1][3]["refusal"] == 0.0
    assert turns["d1", 1][2] == {}
    assert store.turns(old, "early")["d1", 1][1]["refusal"] == 1.0
    key = b.rubric.scores[0]
    assert a.comparability(key)[0] != b.comparability(key)[0]
    shown_on = {row.run_id: g.key for g in load_board(store).groups for row in g.models}
    assert set(shown_on) == {old, new}
    assert shown_on[old] != shown_on[new]


def test_samples_that_failed_stay_in_the_denominator(run: Run, lab: Lab, items: str, tmp_path: Path) -> None:
    model = lab.model("m", lambda r: status(400, "no") if "RISKY-TWO" in r.last_user else Reply("a plain answer"))
    log = run(psychosafe(prompts=items), model, fail_on_error=False, model_roles={"judge": [lab.judge("early")]})
    assert log.status == "success"
    assert [s.id for s in log.samples or [] if s.error] == ["r2"]
    store = Store(tmp_path / "store")
    (old,) = ingest(store, [Path(log.location)]).written
    panel = panel_file(tmp_path, spec(lab, {"late": None}))
    assert cli("rejudge", log.location, "--judges", panel, "--store", store.root).exit_code == 0
    assert lab.count("late") == 3
    (new,) = set(store.run_ids()) - {old}
    a, b = store.manifest(old), store.manifest(new)
    assert [i.id for i in b.items] == [i.id for i in a.items]
    assert (b.limited, b.counts["errors"]) == (a.limited, a.counts["errors"]) == (False, 1)
    assert store.defined_items(new, "quality", PANEL_RATER) == store.defined_items(old, "quality", PANEL_RATER)


# --- the estimate ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("repeats", [1, 3])
def test_the_estimate_is_what_is_asked(run: Run, lab: Lab, items: str, tmp_path: Path, repeats: int) -> None:
    """An empty response, and one that never left its reasoning, are not judged; a seat of rules is not asked."""
    answers = {"RISKY-ONE": "", "TWIN-ONE": "<think>still at it"}
    model = lab.model("m", lambda r: Reply(next((a for k, a in answers.items() if k in r.last_user), "an answer")))
    log = run(psychosafe(prompts=items), model, log_dir=tmp_path / "runs")
    seats = spec(lab, {"a": None, "b": None})
    seats[1]["price"] = {"input": 1.0, "output": 2.0}
    panel = panel_file(tmp_path, [*seats, {"id": "rules", "rules": "rule_based", "family": "none"}])
    before, files = lab.server.count(), contents(tmp_path)
    dry = cli("rejudge", log.location, "--judges", panel, "--repeats", repeats, "--dry-run", "--json",
              "--store", tmp_path / "store")  # fmt: skip
    assert dry.exit_code == 0, dry.output
    assert lab.server.count() == before, "nothing is sent"
    assert contents(tmp_path) == files, "nothing is written"
    expected = json.loads(dry.stdout)
    assert set(expected) == {"a", "b"}
    done = cli("rejudge", log.location, "--judges", panel, "--repeats", repeats, "--store", tmp_path / "store")
    assert done.exit_code == 0, done.output
    assert (
        {j: e["calls"] for j, e in expected.items()}
        == {j: lab.count(j) for j in "ab"}
        == dict.fromkeys("ab", 2 * repeats)
    )
    assert expected["a"]["cost"] is None
    b = expected["b"]
    assert b["cost"] == pytest.approx((b["input_tokens"] + 2 * b["output_tokens"]) / 1e6)
    # About right: what the judge is sent has as many characters as the estimate takes for granted.
    sent = sum(len(str(m["content"])) for r in lab.calls("b") for m in r.messages)
    assert b["input_tokens"] == pytest.approx(sent / 4, rel=0.02)
    (m,) = Store(tmp_path / "store").manifests()
    assert {k: u["calls"] for k, u in m.usage.items() if k.startswith("judge")} == {
        "judge a": 2 * repeats, "judge b": 2 * repeats,
    }  # fmt: skip
    assert m.counts["empty"] == m.counts["reasoning_only"] == 1
    done_lines = [line for line in done.stderr.splitlines() if "verdicts" in line]
    assert done_lines, "progress ends with all verdicts"


# --- what is refused before it is paid for ---------------------------------------------------------------------------


def test_no_model_judges_itself_unasked(run: Run, lab: Lab, items: str, tmp_path: Path) -> None:
    """Of two logs the second is by the judge: neither is judged."""
    other = run(psychosafe(prompts=items), lab.model("m"), log_dir=tmp_path / "runs")
    judge = lab.judge("late")
    own = run(psychosafe(prompts=items), judge, log_dir=tmp_path / "runs")
    panel = panel_file(tmp_path, spec(lab, {"late": None}))
    asked, before = lab.count("late"), contents(tmp_path)
    logs = (other.location, own.location)
    one_line(cli("rejudge", *logs, "--judges", panel, "--store", tmp_path / "s"), "itself", "--allow-self-judging")
    assert lab.count("late") == asked
    assert contents(tmp_path) == before
    allowed = cli("rejudge", *logs, "--judges", panel, "--store", tmp_path / "s", "--allow-self-judging")
    assert allowed.exit_code == 0, allowed.output
    assert lab.count("late") == asked + 2 * len(ITEMS)
    assert len(Store(tmp_path / "s").run_ids()) == 2


def test_dialogues_need_the_criteria_that_their_outcomes_rest_on(run: Run, lab: Lab, tmp_path: Path) -> None:
    log = run(escalation(prompts=dialogue_file(tmp_path)), lab.model("m"))
    panel = panel_file(tmp_path, spec(lab, {"late": None}))
    before = contents(tmp_path)
    one_line(cli("rejudge", log.location, "--judges", panel, "--rubric", "paper", "--no-ingest"), "harm_provided")
    assert contents(tmp_path) == before
    assert lab.count("late") == 0


def test_dialogues_pay_for_no_round_that_is_not_kept(run: Run, lab: Lab, tmp_path: Path) -> None:
    """Either further rounds of a dialogue are in the store, or they are refused before they are paid for."""
    log = run(escalation(prompts=dialogue_file(tmp_path)), lab.model("m"))
    panel = panel_file(tmp_path, spec(lab, {"late": None}))
    store = Store(tmp_path / "store")
    done = cli("rejudge", log.location, "--judges", panel, "--repeats", 2, "--store", store.root)
    if done.exit_code:
        one_line(done, "dialogue")
        assert lab.count("late") == 0
        return
    (m,) = store.manifests()
    rows = [r for r in store.ratings([m.run_id]).to_pylist() if r["rater"] == "late" and r["criterion"] == "refusal"]
    assert len(rows) == lab.count("late")

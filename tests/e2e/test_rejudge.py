"""`psychosafe rejudge` on one finished log: what another panel makes of it, and what is refused in one line."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalError, EvalLog, read_eval_log, write_eval_log

from evals.psychosafe import psychosafe
from leaderboard.board import load_board
from results.ingest import ingest
from results.schema import PANEL_RATER
from results.store import Store
from tests.e2e.conftest import ITEMS, VERDICT, Lab, panel_file, run_task, says, write_items
from tests.support.openai_server import Reply, Request, ScriptedServer, status, text
from tests.support.rejudging import cli, contents, new_log, one_line, scores, spec, statuses

pytestmark = pytest.mark.socket

Run = Callable[..., EvalLog]


@pytest.fixture(scope="module")
def first_once(module_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of a scripted model, judged by a scripted judge that was bound as a role."""
    folder = tmp_path_factory.mktemp("first")
    log = run_task(
        psychosafe(prompts=str(write_items(folder))), module_lab.model("m", Reply("no, and here is why")), folder,
        model_roles={"judge": [module_lab.judge("early", says({**VERDICT, "grounding": 2}))]},
    )  # fmt: skip
    assert log.status == "success"
    return Path(log.location)


@pytest.fixture
def first(first_once: Path, tmp_path: Path) -> Path:
    """The test's own copy of that log."""
    (tmp_path / "runs").mkdir()
    return Path(shutil.copy(first_once, tmp_path / "runs"))


# --- what comes out --------------------------------------------------------------------------------------------------


def test_another_panel_without_the_model(first: Path, lab: Lab, module_lab: Lab, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (old,) = ingest(store, [first]).written
    before, kept = first.read_bytes(), contents(store.root / "runs" / old)
    panel = panel_file(tmp_path, spec(lab, {"late": says({**VERDICT, "grounding": 5})}))
    done = cli("rejudge", first, "--judges", panel, "--store", store.root)
    assert done.exit_code == 0, done.output
    assert [module_lab.count("m"), module_lab.count("early"), lab.count("late")] == [len(ITEMS)] * 3
    assert first.read_bytes() == before
    assert contents(store.root / "runs" / old) == kept
    assert {p.name for p in first.parent.iterdir()} == {first.name, new_log(first.parent).name}, "nothing else is left"
    (new,) = set(store.run_ids()) - {old}
    assert new in done.output and old in done.output
    a, b = store.manifest(old), store.manifest(new)
    assert b.source.rejudged_from == (old,)
    assert a.source.rejudged_from == ()
    assert [j.id for j in b.panel.judges] == ["late"]
    assert a.system_id == b.system_id
    assert (a.model, a.condition, a.prompt_set, a.items) == (b.model, b.condition, b.prompt_set, b.items)
    assert (a.limited, a.epochs, a.task) == (b.limited, b.epochs, b.task)
    for measure in ("grounding", "quality", "refusal", "paper"):
        assert a.comparability(measure)[0] != b.comparability(measure)[0]
    # On the tasks' own items both panels saw the same texts.
    calls = (module_lab.calls("early"), lab.calls("late"))
    seen = [[str(r.messages[1]["content"]).splitlines()[1] for r in judged] for judged in calls]
    assert sorted(seen[0]) == sorted(seen[1])
    assert all("no, and here is why" in str(r.messages[1]["content"]) for r in lab.calls("late"))
    assert set(store.values(old, PANEL_RATER)["grounding"].values()) == {2.0}
    assert set(store.values(new, PANEL_RATER)["grounding"].values()) == {5.0}
    board = load_board(store)
    assert not board.damaged
    group_of = {row.run_id: g.key for g in board.groups for row in g.models}
    assert set(group_of) == {old, new}
    assert group_of[old] != group_of[new], "beside the first, not among what it is compared with"


def test_the_new_log_says_what_a_run_with_that_panel_would(first: Path, lab: Lab, run: Run, tmp_path: Path) -> None:
    """Score by score what the task itself would have written, but for the name of the scorer."""
    panel = panel_file(tmp_path, spec(lab, {"late": None, "later": says({**VERDICT, "grounding": 1})}))
    assert cli("rejudge", first, "--judges", panel, "--out", tmp_path / "out", "--no-ingest").exit_code == 0
    items = str(write_items(tmp_path))
    direct = run(psychosafe(prompts=items, judges=panel), lab.model("m2", Reply("no, and here is why")))
    want = {(str(s.id), s.epoch): (s.scores or {})["rubric_panel"] for s in direct.samples or []}
    got = scores(new_log(tmp_path / "out"))
    assert set(got) == set(want)
    for key in want:
        assert repr(got[key].value) == repr(want[key].value)
        assert got[key].metadata == want[key].metadata
    log = read_eval_log(str(new_log(tmp_path / "out")))
    assert log.results is not None and direct.results is not None

    def metrics(of: EvalLog) -> dict[tuple[str, str], float]:
        assert of.results is not None
        own = {"rejudged": "scorer", "rubric_panel": "scorer"}
        return {(own.get(s.name, s.name), k): m.value for s in of.results.scores for k, m in s.metrics.items()}

    ours, theirs = metrics(log), metrics(direct)
    assert set(ours) == set(theirs)
    assert all(math.isclose(ours[k], theirs[k]) or math.isnan(theirs[k]) for k in theirs)


def test_a_rubric_with_other_criteria_is_a_run_of_its_own(
    first: Path, lab: Lab, two_criteria: str, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    (old,) = ingest(store, [first]).written
    panel = panel_file(tmp_path, spec(lab, {"late": says({"safe": 1, "depth": 4})}))
    done = cli("rejudge", first, "--judges", panel, "--rubric", two_criteria, "--store", store.root)
    assert done.exit_code == 0, done.output
    (new,) = set(store.run_ids()) - {old}
    b = store.manifest(new)
    assert (b.rubric.name, b.rubric.criteria, b.rubric.scores) == ("two@1", ("safe", "depth"), ("both",))
    assert b.source.rejudged_from == (old,)
    assert set(store.values(new, PANEL_RATER)) == {"safe", "depth", "both"}
    assert set(store.values(new, PANEL_RATER)["depth"].values()) == {4.0}


def test_rules_judge_a_log_again_without_any_call(first: Path, lab: Lab, tmp_path: Path) -> None:
    before = lab.server.count()
    store = Store(tmp_path / "store")
    dry = cli("rejudge", first, "--judges", "offline", "--dry-run", "--json")
    assert json.loads(dry.stdout) == {}
    done = cli("rejudge", first, "--judges", "offline", "--store", store.root)
    assert done.exit_code == 0, done.output
    assert lab.server.count() == before
    (m,) = store.manifests()
    assert [j.id for j in m.panel.judges] == ["rules"]


def test_the_earlier_judgment_may_come_later(first: Path, lab: Lab, tmp_path: Path) -> None:
    """The pointer is to the id that the first log will have, whenever it is ingested; a second step back as well."""
    store = Store(tmp_path / "store")
    panel = panel_file(tmp_path, spec(lab, {"late": None}))
    assert cli("rejudge", first, "--judges", panel, "--store", store.root).exit_code == 0
    (m,) = store.manifests()
    (old,) = ingest(store, [first]).written
    assert m.source.rejudged_from == (old,)
    again = cli("rejudge", new_log(first.parent), "--judges", "offline", "--out", tmp_path / "o", "--store", store.root)
    assert again.exit_code == 0, again.output
    (third,) = set(store.run_ids()) - {old, m.run_id}
    assert store.manifest(third).source.rejudged_from == (m.run_id,)
    assert store.manifest(third).system_id == m.system_id


def test_the_dry_run_as_a_table(first: Path, lab: Lab, tmp_path: Path) -> None:
    panel = panel_file(tmp_path, spec(lab, {"late": None}))
    done = cli("rejudge", first, "--judges", panel, "--dry-run", "--format", "csv")
    assert done.exit_code == 0
    assert done.output.splitlines()[1].split(",")[1:3] == ["late", str(len(ITEMS))]
    assert "no price in the panel" in done.output


# --- judges that fail ------------------------------------------------------------------------------------------------


def test_failures_land_in_their_statuses(first: Path, lab: Lab, tmp_path: Path) -> None:
    def failing(request: Request) -> Reply:
        shown = str(request.messages[1]["content"])
        if "RISKY-ONE" in shown:
            return text("I'm sorry, but I can't rate this.")
        if "RISKY-TWO" in shown:
            return text("lovely weather")
        if "TWIN-ONE" in shown:
            return status(500, "out of order")
        return says(VERDICT)(request)

    store = Store(tmp_path / "store")
    panel = panel_file(tmp_path, spec(lab, {"late": failing}))
    done = cli("rejudge", first, "--judges", panel, "--store", store.root)
    assert done.exit_code == 0, done.output
    want = {"r1": "judge_refused", "r2": "unparsable", "t1": "provider_error", "n1": "ok"}
    assert {i: statuses(s, "late") for (i, _), s in scores(new_log(first.parent)).items()} == {
        i: {s} for i, s in want.items()
    }
    (m,) = store.manifests()
    rows = [r for r in store.ratings([m.run_id]).to_pylist() if r["rater"] == "late"]
    assert {(r["item_id"], r["status"]) for r in rows} == set(want.items())
    assert all((r["value"] is None) == (r["status"] != "ok") for r in rows)
    assert set(store.values(m.run_id, PANEL_RATER)["refusal"]) == {"n1"}
    assert not any(word in done.output for word in ("RISKY", "sorry")), "no text of a prompt or a judge is shown"


@pytest.mark.slow
@pytest.mark.process
def test_the_keys_of_the_first_judges_and_of_the_model_are_not_needed(
    first: Path, lab: Lab, scripted_server: ScriptedServer, tmp_path: Path
) -> None:
    name = lab.judge("late").rsplit("/", 1)[-1]
    panel = panel_file(tmp_path, [{"id": "late", "model": f"openai-api/late/{name}", "family": "other"}])
    env = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_BASE_URL"))}
    done = subprocess.run(
        [sys.executable, "-c", "from leaderboard.cli import main; main()", "rejudge", str(first), "--judges", panel,
         "--store", str(tmp_path / "store")],
        cwd=Path(__file__).resolve().parents[2], env=env | scripted_server.env("late"), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert lab.count("late") == len(ITEMS)
    assert len(Store(tmp_path / "store").run_ids()) == 1


# --- bad input -------------------------------------------------------------------------------------------------------


def test_logs_that_cannot_be_judged(first: Path, lab: Lab, tmp_path: Path) -> None:
    panel = panel_file(tmp_path, spec(lab, {"late": None}))
    folder = tmp_path / "bad"
    folder.mkdir()
    half = folder / "half.eval"
    half.write_bytes(first.read_bytes()[: first.stat().st_size // 2])
    other = folder / "other.eval"
    other.write_text("no log at all", encoding="utf-8")
    log = read_eval_log(str(first))
    cancelled, none, errors = folder / "cancelled.eval", folder / "none.eval", folder / "errors.eval"
    write_eval_log(log.model_copy(update={"status": "cancelled"}), str(cancelled))
    write_eval_log(log.model_copy(update={"samples": []}), str(none))
    failed = [s.model_copy(update={"error": EvalError(message="x", traceback="", traceback_ansi=""), "scores": None})
              for s in log.samples or []]  # fmt: skip
    write_eval_log(log.model_copy(update={"samples": failed}), str(errors))
    before = contents(tmp_path)
    cases: Sequence[tuple[Path, str]] = [
        (folder / "absent.eval", "no such file"),
        (half, "half.eval: not an Inspect log, or only half of one"),
        (other, "other.eval: not an Inspect log"),
        (cancelled, "cancelled.eval: the run has status 'cancelled'; finish it with"),
        (none, "none.eval: "),
        (errors, "errors.eval: "),
    ]
    for path, said in cases:
        for more in ([], ["--dry-run"]):
            line = one_line(cli("rejudge", path, "--judges", panel, "--store", tmp_path / "s", *more), said)
            assert "success" not in line, "a run that succeeded is not told to be finished"
    # A good log beside a bad one: nothing is begun.
    one_line(cli("rejudge", first, half, "--judges", panel, "--store", tmp_path / "s"), "half.eval")
    (tmp_path / "empty").mkdir()
    one_line(cli("rejudge", tmp_path / "empty", "--judges", panel, "--store", tmp_path / "s"), "no .eval log")
    assert contents(tmp_path) == before
    assert lab.count("late") == 0


def test_panels_and_rubrics_that_cannot_be_used(first: Path, lab: Lab, tmp_path: Path, monkeypatch: Any) -> None:
    panel = panel_file(tmp_path, spec(lab, {"late": None}))
    odd = panel_file(tmp_path, [{"id": "late", "model": lab.judge("late"), "config": {"warmth": 3}}], "odd")
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [", encoding="utf-8")
    before = contents(tmp_path)
    store = ("--store", tmp_path / "s")
    one_line(cli("rejudge", first, "--judges", "nobody", *store), "unknown panel 'nobody'", "offline")
    one_line(cli("rejudge", first, "--judges", tmp_path / "no.yaml", *store), "no.yaml")
    one_line(cli("rejudge", first, "--judges", odd, *store), "unknown setting 'warmth'")
    one_line(cli("rejudge", first, "--judges", panel, "--rubric", "nothing", *store), "nothing")
    one_line(cli("rejudge", first, "--judges", panel, "--rubric", broken, *store), "broken.yaml")
    (tmp_path / "file").write_text("", encoding="utf-8")
    before = contents(tmp_path)
    one_line(cli("rejudge", first, "--judges", panel, "--out", tmp_path / "file" / "sub", *store), "file")
    assert contents(tmp_path) == before
    assert lab.count("late") == 0


def test_what_is_there_already_is_not_judged_again(first: Path, lab: Lab, tmp_path: Path) -> None:
    panel = panel_file(tmp_path, spec(lab, {"late": None}))
    command = ("rejudge", first, "--judges", panel, "--store", tmp_path / "s")
    assert cli(*command).exit_code == 0
    before = contents(tmp_path)
    one_line(cli(*command), "is there already", "remove it to judge again")
    assert contents(tmp_path) == before
    assert lab.count("late") == len(ITEMS)
    # A folder with both holds one log of answers.
    one_line(cli("rejudge", first.parent, "--judges", panel, "--store", tmp_path / "s"), "is there already")


def test_of_several_logs_those_that_are_judged_are_left_and_those_with_gaps_are_asked_again(
    first: Path, lab: Lab, tmp_path: Path
) -> None:
    other = first.with_name(f"other-{first.name}")
    shutil.copy(first, other)
    panel = panel_file(tmp_path, spec(lab, {"late": says(VERDICT)}))
    out, store = tmp_path / "out", tmp_path / "store"
    more = ("--judges", panel, "--out", out, "--store", store, "--no-ingest")
    assert cli("rejudge", first, *more).exit_code == 0 and lab.count("late") == len(ITEMS)
    there = new_log(out)
    before = there.read_bytes()
    lab.judge("late", status(500, "made up"))
    gaps = cli("rejudge", first, other, *more)
    assert gaps.exit_code == 0 and f"there     {there}" in gaps.stdout, gaps.output
    assert f"{other.name}: verdicts are missing: a judge's provider failed" in gaps.stderr
    asked = lab.count("late")
    assert asked > len(ITEMS) and there.read_bytes() == before
    lab.judge("late", says(VERDICT))
    whole = cli("rejudge", first, other, *more)
    assert whole.exit_code == 0 and "verdicts are missing" not in whole.stderr, whole.output
    assert lab.count("late") == asked + len(ITEMS) and there.read_bytes() == before and not store.exists()
    for path in out.glob("*.eval"):
        assert all(statuses(s, "late") == {"ok"} for s in scores(path).values())
    assert len(list(out.glob("*.eval"))) == 2

"""Several rounds of each judge on one response: what is asked, what is stored, and what must not change."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import EvalLog, read_eval_log_sample_summaries

from evals.psychosafe import psychosafe
from judges.combine import combine
from judges.verdict import Verdict
from leaderboard.cli import main
from results.compare import measures
from results.ingest import ingest
from results.schema import PANEL_RATER
from results.store import Store
from rubrics.loader import load_rubric
from tests.e2e.conftest import ITEMS, VERDICT, Lab, panel_file, says, write_items
from tests.support.openai_server import Reply, Request, text, verdict_json

pytestmark = pytest.mark.socket

Run = Callable[..., EvalLog]
RUBRIC = load_rubric("psychosafe")


def which(request: Request) -> str:
    return next(i["id"] for i in ITEMS if i["prompt"] in str(request.messages[1]["content"]))


def panel(folder: Path, lab: Lab, rules: bool = True, **handlers: Any) -> str:
    seats: list[dict[str, Any]] = [
        {"id": n, "model": lab.judge(n, h), "family": "other", "config": {"max_retries": 0}}
        for n, h in handlers.items()
    ]
    return panel_file(folder, [*seats, *([{"id": "rules", "rules": "rule_based", "family": "none"}] if rules else [])])


def stored(log: EvalLog, folder: Path) -> tuple[Store, str]:
    assert log.status == "success", log.error
    store = Store(folder)
    report = ingest(store, [Path(log.location)])
    assert not report.refused
    (run_id,) = report.written
    return store, run_id


def rows(store: Store, run_id: str) -> list[dict[str, Any]]:
    return store.ratings([run_id]).to_pylist()


def test_calls_rows_and_the_first_round(run: Run, lab: Lab, items: str, tmp_path: Path) -> None:
    """Judges that say something else every time: all of it is stored, and the panel goes by the first round alone."""
    said: dict[str, Counter[tuple[str, float]]] = defaultdict(Counter)

    def moody(name: str) -> Callable[[Request], Reply]:
        def handler(request: Request) -> Reply:
            n = request.number
            if n % 5 == 0:
                return text("I'm sorry, but I can't rate this.")
            values = {**VERDICT, "grounding": 1 + n % 4, "refusal": n % 2}
            said[name][which(request), values["grounding"]] += 1
            return text(verdict_json(request, values))

        return handler

    model = lab.model("m", lambda r: Reply("" if "TWIN-ONE" in r.last_user else "no"))
    log = run(psychosafe(prompts=items, judges=panel(tmp_path, lab, a=moody("a"), b=moody("b")), repeats=3), model)
    assert lab.count("m") == len(ITEMS)
    assert lab.count("a") == lab.count("b") == 3 * 3, "responses x repeats, the empty one not"
    store, run_id = stored(log, tmp_path / "store")
    found = rows(store, run_id)
    judged = {"r1", "r2", "n1"}
    for judge in ("a", "b"):
        mine = [r for r in found if r["rater"] == judge and r["criterion"] == "grounding"]
        assert sorted((r["item_id"], r["repeat"]) for r in mine if r["item_id"] in judged) == [
            (i, k) for i in sorted(judged) for k in range(3)
        ]
        assert Counter((r["item_id"], r["value"]) for r in mine if r["value"] is not None) == said[judge]
        refused = [r for r in mine if r["status"] == "judge_refused"]
        assert len(refused) == 1
        assert all(r["value"] is None for r in refused)
    assert {r["repeat"] for r in found if r["rater_kind"] != "llm"} == {0}
    by_hand = {}
    for i in judged:
        round_0 = []
        for judge in ("a", "b", "rules"):
            cells = {r["criterion"]: r for r in found
                     if (r["item_id"], r["rater"], r["repeat"]) == (i, judge, 0)}  # fmt: skip
            values = {c: r["value"] for c, r in cells.items() if r["value"] is not None}
            round_0.append(Verdict(judge, values, {c: cells[c]["status"] for c in RUBRIC.criterion_ids}))
        by_hand |= {(i, c): (p.value, p.status) for c, p in combine(RUBRIC, round_0).items()}
    ours = [r for r in found if r["rater"] == PANEL_RATER and r["item_id"] in judged]
    got = {(r["item_id"], r["criterion"]): (r["value"], r["status"]) for r in ours}
    assert {k: v for k, v in got.items() if k[1] in RUBRIC.criterion_ids} == by_hand
    usage = store.manifest(run_id).usage
    assert (
        usage["judge a"]["calls"]
        == usage["judge b"]["calls"]
        == sum(1 if r.status == 200 else 0 for r in lab.calls("a"))
    )


def test_repeats_change_no_other_column(run: Run, lab: Lab, items: str, tmp_path: Path) -> None:
    def steady(request: Request) -> Reply:
        return text(verdict_json(request, {**VERDICT, "grounding": 1 + ord(which(request)[0]) % 5}))

    judges = panel(tmp_path, lab, a=steady, b=says({**VERDICT, "references": 0}))
    model = lab.model("m")
    stores = [stored(run(psychosafe(prompts=items, judges=judges, repeats=k), model), tmp_path / str(k))
              for k in (1, 4)]  # fmt: skip
    (one, first), (four, second) = stores
    for rater in ("a", "b", "rules", PANEL_RATER):
        assert one.values(first, rater) == four.values(second, rater)
        assert one.values(first, rater)
        for criterion in RUBRIC.score_ids:
            assert one.defined_items(first, criterion, rater) == four.defined_items(second, criterion, rater)
    a, b = one.manifest(first), four.manifest(second)
    for name in RUBRIC.score_ids:
        assert a.comparability(name)[0] == b.comparability(name)[0], "more rounds are no other measure"
    left, right = measures(one, a), measures(four, b)
    assert set(left) == set(right)
    assert {n: m.estimate() for n, m in left.items()} == {n: m.estimate() for n, m in right.items()}
    fewer = [r for r in rows(four, second) if r["repeat"] == 0]
    plain = rows(one, first)
    for r in (*fewer, *plain):
        r.pop("run_id")
    assert fewer == plain


def test_moody_rounds_do_not_move_values_either(run: Run, lab: Lab, items: str, tmp_path: Path) -> None:
    """Values of a judge in the store are those of its first round, not a mean over rounds."""
    judges = panel(tmp_path, lab, rules=False,
                   a=lambda r: text(verdict_json(r, {**VERDICT, "grounding": 1 + r.number % 5})))  # fmt: skip
    store, run_id = stored(run(psychosafe(prompts=items, judges=judges, repeats=3), lab.model("m")), tmp_path / "s")
    first = {r["item_id"]: r["value"] for r in rows(store, run_id)
             if r["rater"] == "a" and r["criterion"] == "grounding" and r["repeat"] == 0}  # fmt: skip
    assert store.values(run_id, "a")["grounding"] == first == store.values(run_id, PANEL_RATER)["grounding"]
    every = [r for r in rows(store, run_id) if (r["rater"], r["criterion"]) == ("a", "grounding")]
    means = {i: sum(r["value"] for r in every if r["item_id"] == i) / 3 for i in first}
    assert means != first, "or this test could not fail"


def test_many_judges_and_rounds_stay_readable_from_summaries(run: Run, lab: Lab, tmp_path: Path) -> None:
    items = str(write_items(tmp_path, ITEMS[:1]))
    names = [f"a-judge-with-a-rather-long-name-{n}" for n in range(5)]
    judges = panel(tmp_path, lab, **{n: says(VERDICT, "x" * 2000) for n in names})
    log = run(psychosafe(prompts=items, judges=judges, repeats=20), lab.model("m"))
    assert all(lab.count(n) == 20 for n in names)
    for summary in read_eval_log_sample_summaries(log.location):
        metadata = (summary.scores or {})["rubric_panel"].metadata or {}
        assert sorted(k for k in metadata if k.startswith("verdicts")) == sorted(
            ["verdicts", *(f"verdicts_r{k}" for k in range(1, 20))]
        )
        assert all(isinstance(v, dict) for k, v in metadata.items() if k.startswith("verdicts"))
    store, run_id = stored(log, tmp_path / "store")
    llm = [r for r in rows(store, run_id) if r["rater_kind"] == "llm"]
    assert len(llm) == 20 * 5 * 6
    assert {r["status"] for r in llm} == {"ok"}


def test_rounds_of_a_rejudged_log_are_those_of_a_run(run: Run, lab: Lab, items: str, tmp_path: Path) -> None:
    """Row by row the same ratings, a response that nobody judges among them."""
    reply: Callable[[Request], Reply] = lambda r: Reply("" if "RISKY-TWO" in r.last_user else "no")  # noqa: E731
    judges = panel(tmp_path, lab, a=None, b=says({**VERDICT, "grounding": 1}))
    direct, run_id = stored(run(psychosafe(prompts=items, judges=judges, repeats=3), lab.model("m", reply)),
                            tmp_path / "direct")  # fmt: skip
    first = run(psychosafe(prompts=items), lab.model("n", reply))
    before = lab.count("a")
    done = CliRunner().invoke(main, ["rejudge", first.location, "--judges", judges, "--repeats", "3",
                                     "--store", str(tmp_path / "again")])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert lab.count("a") - before == 3 * 3 == before
    again = Store(tmp_path / "again")
    (new,) = again.run_ids()

    def key(r: dict[str, Any]) -> str:
        return json.dumps({k: v for k, v in r.items() if k != "run_id"}, sort_keys=True)

    assert sorted(map(key, rows(again, new))) == sorted(map(key, rows(direct, run_id)))


@pytest.mark.parametrize("bad", [0, -1, 21, True, 1.5, "3", None, [3]])
def test_repeats_that_are_no_number_of_rounds(items: str, bad: Any) -> None:
    with pytest.raises(PrerequisiteError) as error:
        psychosafe(prompts=items, repeats=bad)
    said = str(error.value.message)
    assert "repeats" in said and "1 to 20" in said and "\n" not in said


@pytest.mark.parametrize("bad", ["0", "21", "many"])
def test_the_command_takes_as_many_rounds_as_the_task(tmp_path: Path, bad: str) -> None:
    done = CliRunner().invoke(main, ["rejudge", "x.eval", "--judges", "offline", "--repeats", bad])
    assert done.exit_code == 2
    assert "--repeats" in done.output

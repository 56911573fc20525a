"""Real runs against scripted judges on loopback: what is asked of them, who may judge, and what the log holds."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalLog, read_eval_log_sample_summaries

from evals.psychosafe import psychosafe
from tests.e2e.conftest import ITEMS, VERDICT, Lab, panel_file, run_task, says, write_items
from tests.support.judged import CRITERIA, DECLINE, KEYS, check_keys, rows, samples, scores
from tests.support.openai_server import text, verdict_json

pytestmark = [pytest.mark.socket, pytest.mark.xdist_group("judges_over_http")]

Run = Callable[..., EvalLog]


# --- the good path ---------------------------------------------------------------------------------------------------


def test_role_panel_calls_each_judge_once_a_sample(run: Run, lab: Lab, items: str) -> None:
    judges = [
        lab.judge(f"judge-{c}", says({**VERDICT, "grounding": g, "references": r, "harm_provided": h}))
        for c, g, r, h in (("a", 2, 1, "none"), ("b", 5, 0, "none"), ("c", 4, 1, "full"))
    ]
    log = run(psychosafe(prompts=items), lab.model("m"), model_roles={"judge": judges})
    for i, score in scores(log).items():
        check_keys(score)
        assert score.metadata is not None
        assert score.metadata["panel"]["judges"] == judges
        assert score.metadata["panel"]["name"] == "role"
        table = rows(score)
        assert len(table) == 3 * len(CRITERIA), i
        assert all(status == "ok" for _, status in table.values())
        assert [table[j, "grounding"][0] for j in judges] == [2, 5, 4]
        assert [table[j, "harm_provided"][0] for j in judges] == [0, 0, 2]
        value = score.value
        assert (value["grounding"], value["references"], value["harm_provided"]) == (4, 1, 0)
        assert value["paper"] == pytest.approx((1 + 3 / 4 + 1 + 2 / 4) / 4)
    assert len(scores(log)) == len(ITEMS)
    assert [lab.count(n) for n in ("m", "judge-a", "judge-b", "judge-c")] == [len(ITEMS)] * 4
    assert all(r.status == 200 for n in ("judge-a", "judge-b", "judge-c") for r in lab.calls(n))


def test_quality_counts_what_the_item_expects(run: Run, lab: Lab, items: str) -> None:
    judge = lab.judge("j", says({**VERDICT, "references": 0}))
    log = run(psychosafe(prompts=items), lab.model("m"), model_roles={"judge": [judge]})
    found = scores(log)
    # Grounding 4 is 3/4, relevance 3 is 2/4; references 0 count only where required, `answered` where safe_complete.
    assert found["r1"].value["quality"] == pytest.approx((3 / 4 + 2 / 4 + 0) / 3)
    assert found["r2"].value["quality"] == pytest.approx((3 / 4 + 2 / 4 + 1) / 3)
    assert found["t1"].value["answered_in_full"] == 1.0
    for i, key in (("t1", "quality"), ("n1", "quality"), ("r1", "answered_in_full"), ("n1", "answered_in_full")):
        assert math.isnan(found[i].value[key]), (i, key)
        assert found[i].metadata is not None
        assert found[i].metadata["gaps"][key] == "undefined"


def test_panel_file_calls_each_judge_once_a_sample(run: Run, lab: Lab, items: str, tmp_path: Path) -> None:
    specs = [
        {"id": c, "model": lab.judge(f"judge-{c}"), "family": "other", "config": {"temperature": t, "max_retries": 1}}
        for c, t in (("a", 0.1), ("b", 0.7), ("c", 0.0))
    ]
    log = run(psychosafe(prompts=items, judges=panel_file(tmp_path, specs)), lab.model("m"), epochs=2)
    found = samples(log)
    assert len(log.samples or []) == 2 * len(ITEMS) == 2 * len(found)
    assert [lab.count(f"judge-{c}") for c in "abc"] == [2 * len(ITEMS)] * 3
    for score in scores(log).values():
        assert score.metadata is not None
        assert score.metadata["panel"]["judges"] == ["a", "b", "c"]
        assert score.metadata["panel"]["name"] == "mine"
        assert [c["config"]["temperature"] for c in score.metadata["judge_configs"]] == [0.1, 0.7, 0.0]
        assert score.metadata["rungs"] == {"a": "schema", "b": "schema", "c": "schema"}
        assert score.metadata["usage"]["a"]["calls"] == 1
        assert score.metadata["usage"]["a"]["output_tokens"] > 0
        assert score.metadata["justifications"]["a"]["refusal"] == "because"
    assert {r.body["temperature"] for r in lab.calls("judge-b")} == {0.7}


def test_schema_reaches_the_judge_strict_and_flat(run: Run, lab: Lab, items: str) -> None:
    run(psychosafe(prompts=items), lab.model("m"), limit=1, model_roles={"judge": [lab.judge("j")]})
    (request,) = lab.calls("j")
    sent = request.response_format
    assert sent is not None
    assert sent["json_schema"]["strict"] is True
    schema = sent["json_schema"]["schema"]
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {*CRITERIA, *(f"{c}_why" for c in CRITERIA)}
    assert schema["properties"]["harm_provided"]["enum"] == ["none", "partial", "full"]
    assert schema["properties"]["grounding"]["enum"] == [1, 2, 3, 4, 5]


# --- who must not judge ----------------------------------------------------------------------------------------------


def test_a_panel_and_a_role_are_one_too_many(run: Run, lab: Lab, items: str) -> None:
    log = run(psychosafe(prompts=items, judges="offline"), lab.model("m"), model_roles={"judge": [lab.judge("j")]})
    assert log.status == "error"
    assert log.error is not None
    assert "judges are given twice" in log.error.message
    assert lab.count("j") == 0


@pytest.mark.parametrize("how", ["role", "panel"])
def test_the_model_under_test_does_not_judge_itself(run: Run, lab: Lab, items: str, tmp_path: Path, how: str) -> None:
    model = lab.model("m")
    other = lab.judge("j")
    panel = None
    roles: dict[str, Any] = {}
    if how == "role":
        roles = {"model_roles": {"judge": [other, model]}}
    else:
        panel = panel_file(tmp_path, [{"id": "one", "model": other}, {"id": "self", "model": model}])
    log = run(psychosafe(prompts=items, judges=panel), model, **roles)
    assert log.status == "error"
    assert log.error is not None
    assert "would judge itself" in log.error.message
    assert "allow_self_judging=true" in log.error.message
    assert lab.count("j") == 0
    allowed = run(psychosafe(prompts=items, judges=panel, allow_self_judging=True), model, **roles)
    assert allowed.status == "success"
    assert lab.count("j") == len(ITEMS)


# --- what the log holds ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def five(module_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> EvalLog:
    folder = tmp_path_factory.mktemp("five")
    names = [f"a-hosted-judge-with-a-long-name-2512-instruct-{n}" for n in range(5)]
    flaw = {0: text(DECLINE), 3: says({**VERDICT, "grounding": 9})}
    judges = [module_lab.judge(name, flaw.get(n)) for n, name in enumerate(names)]
    task = psychosafe(prompts=str(write_items(folder)))
    return run_task(task, module_lab.model("five"), folder / "logs", model_roles={"judge": judges})


def test_score_metadata_has_its_keys(five: EvalLog) -> None:
    for score in scores(five).values():
        assert score.metadata is not None
        assert set(score.metadata) >= {
            "panel", "scales", "verdicts", "response", "gaps", "usage", "rungs", "judge_configs", "failures",
            "justifications",
        }  # fmt: skip


@pytest.mark.parametrize("key", ["verdicts", "panel", "scales", "response", "gaps"])
def test_what_results_need_stays_under_a_kilobyte(five: EvalLog, key: str) -> None:
    for score in scores(five).values():
        assert len(json.dumps((score.metadata or {})[key])) < 1000


@pytest.mark.parametrize("key", ["verdicts", "panel", "scales", "response", "gaps"])
def test_what_results_need_survives_into_the_summaries(five: EvalLog, key: str) -> None:
    full = scores(five)
    summaries = read_eval_log_sample_summaries(five.location)
    assert len(summaries) == len(full)
    for summary in summaries:
        score = (summary.scores or {})["rubric_panel"]
        assert (score.metadata or {})[key] == (full[str(summary.id)].metadata or {})[key]
        assert isinstance(score.value, dict)
        assert set(score.value) == KEYS


def test_metrics_of_the_default_rubric(five: EvalLog) -> None:
    assert five.results is not None
    metrics = {(s.name, k): m.value for s in five.results.scores for k, m in s.metrics.items()}
    for key in KEYS - {"harm_provided", "answered"}:
        assert {k for n, k in metrics if n == key} == {"value_mean", "value_low", "value_high", "value_n"}
    for key in ("harm_provided", "answered"):
        ends = {f"share_{c}{end}" for c in ("none", "partial", "full") for end in ("", "_low", "_high")}
        assert {k for n, k in metrics if n == key} == ends | {"share_n"}
    # Judges 0 and 3 gave no grounding, which leaves three of five.
    assert metrics["grounding", "value_mean"] == 4
    assert metrics["grounding", "value_n"] == len(ITEMS)
    assert metrics["quality", "value_n"] == 2
    assert metrics["answered_in_full", "value_mean"] == 1
    assert metrics["harm_provided", "share_none"] == 1
    for key in KEYS:
        # Of the items on which it is defined: quality on the risky ones, answered_in_full on the twin.
        assert metrics["rubric_panel", f"coverage_{key}"] == 1.0


def test_metrics_of_a_rubric_of_ones_own(run: Run, lab: Lab, items: str, two_criteria: str) -> None:
    by_prompt = {"RISKY-ONE": 1, "RISKY-TWO": 2, "TWIN-ONE": 4}
    log = run(
        psychosafe(prompts=items, rubric=two_criteria), lab.model("m"),
        model_roles={"judge": [lab.judge("j", lambda r: text(verdict_json(r, {
            "safe": int("RISKY" not in r.last_user),
            "depth": next((v for k, v in by_prompt.items() if k in r.last_user), 9),
        })))]},
    )  # fmt: skip
    found = scores(log)
    assert all(set(s.value) == {"safe", "depth", "both"} for s in found.values())
    assert found["r2"].value == {"safe": 0, "depth": 2, "both": pytest.approx((0 + 1 / 3) / 2)}
    assert math.isnan(found["n1"].value["depth"])
    assert log.results is not None
    metrics = {(s.name, k): m.value for s in log.results.scores for k, m in s.metrics.items()}
    assert metrics["safe", "value_mean"] == 0.5
    assert (metrics["depth", "value_mean"], metrics["depth", "value_n"]) == (pytest.approx(7 / 3), 3)
    assert 1 <= metrics["depth", "value_low"] < 7 / 3 < metrics["depth", "value_high"] <= 4
    assert metrics["both", "value_n"] == 3
    assert metrics["rubric_panel", "coverage_depth"] == 0.75
    assert metrics["rubric_panel", "coverage_safe"] == 1.0

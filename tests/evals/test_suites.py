"""Suites as data: what a file may say, what it takes, and what would stop it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.suites import SuiteError, plan, read_suite
from evals.suites.check import check
from tests.support.suite_files import written

ROOT = Path(__file__).resolve().parents[2]


def reasons(tmp_path: Path, **changes: Any) -> list[str]:
    with pytest.raises(SuiteError) as caught:
        read_suite(written(tmp_path, **changes), {})
    return list(caught.value.reasons)


# --- the file ---


@pytest.mark.parametrize("name", ["offline", "quick", "paper"])
def test_the_suites_that_come_along_are_valid(name: str) -> None:
    assert read_suite(ROOT / "suites" / f"{name}.yaml", {}).suite == name


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    found = reasons(
        tmp_path,
        modles=[],
        models=[{"id": "A b", "model": "policy/keyword", "genration": {}}, {"id": "b", "model": "x"},
                {"id": "c", "model": "policy/x", "base_url": "http://me:secret@host/v1"},
                {"id": "d", "model": "openai/x", "serve": {"tensor_paralel": 2}}],
        tasks=[{"task": "mmlu"}, {"task": "xstest", "panel": "offline"}, {"task": "contrast", "args": {"epochs": 2}}],
        epochs=0, generation={"temprature": 0}, limits={"tokens": 3},
    )  # fmt: skip
    told = "\n".join(found)
    for needle in (
        "modles: unknown key; did you mean 'models'?", "models.1.id: 'A b' is no name",
        "models.1.genration: unknown key; did you mean 'generation'?", "models.2.model:", "models.3.base_url:",
        "models.4.serve.tensor_paralel: unknown key; did you mean 'tensor_parallel'?", "tasks.1.task:",
        "tasks.2: xstest is judged by its benchmark's own judge", "tasks.3: epochs among `args`", "epochs:",
        "generation: unknown temprature", "limits: unknown tokens",
    ):  # fmt: skip
        assert needle in told, needle
    assert "secret" not in told


def test_names_servers_and_settings_that_do_not_go_together(tmp_path: Path) -> None:
    found = reasons(
        tmp_path,
        models=[{"id": "a", "model": "gpt-5"}, {"id": "b", "model": "openai/x", "serve": {}},
                {"id": "c", "model": "vllm/x", "serve": {}, "base_url": "http://h/v1"},
                {"id": "d", "model": "vllm/x", "serve": {"max_lora_rank": 8}},
                {"id": "e", "model": "vllm/x", "serve": {"adapters": {"a=b": "/w"}}}],
        tasks=[{"task": "contrast", "id": "no/name"}, {"task": "contrast", "generation": {"temprature": 0}}],
    )  # fmt: skip
    told = "\n".join(found)
    for needle in (
        "models.1: model is 'gpt-5'; give Inspect's name of it", "models.2: `serve` is for models that Inspect starts",
        "models.3: `serve` and `base_url` exclude each other", "models.4.serve: max_lora_rank without adapters",
        "models.5.serve: adapter 'a=b': give a name without '='", "tasks.1: 'no/name' is no name",
        "tasks.2.generation: unknown temprature",
    ):  # fmt: skip
        assert needle in told, needle
    assert len(found) == 7


def test_impossible_combinations_are_said_at_once(tmp_path: Path) -> None:
    twice = {"model": "openai/x", "base_url": "http://h/v1"}
    found = reasons(
        tmp_path,
        models=[{"id": "a", **twice}, {"id": "b", **twice}, {"id": "a", "model": "policy/x", "base": "zz"}],
        tasks=[{"task": "contrast"}, {"task": "contrast", "models": ["nobody"]}],
    )
    assert len(found) == 5
    told = "\n".join(found)
    for needle in ("two are called 'a'", "two are called 'contrast'", "fine-tune of 'zz'", "for 'nobody'",
                   "a and b are the same model at the same address"):  # fmt: skip
        assert needle in told


@pytest.mark.parametrize(
    ("text", "why"),
    [("suite: a\nsuite: b\n", "line 2: not valid YAML: 'suite' stands twice"), ("- 1\n", "no suite: it begins with"),
     ("a: [1\n", "not valid YAML"), ("!!python/object:os.system x\n", "not valid YAML"), ("\x00", "not valid YAML"),
     ("[" * 5000, "not valid YAML"), ("&a [*a]", "a part that holds itself")],
)  # fmt: skip
def test_files_that_are_no_suite(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SuiteError) as caught:
        read_suite(path)
    assert len(caught.value.reasons) == 1 and why in str(caught.value) and "\n" not in str(caught.value)


def test_files_that_are_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"s\.yaml: cannot be read \(No such file.*\); there are suites in suites/"):
        read_suite(tmp_path / "s.yaml")
    (tmp_path / "s.yaml").write_text("#" * 200_001)
    with pytest.raises(SuiteError, match=r"s\.yaml: larger than 200,000 bytes; a suite is a page of YAML"):
        read_suite(tmp_path / "s.yaml")


def test_an_address_from_the_environment(tmp_path: Path) -> None:
    path = written(tmp_path, models=[{"id": "a", "model": "openai-api/x/m", "base_url": "${HERE_URL}/v1"}])
    assert read_suite(path, {"HERE_URL": "http://h:1"}).models[0].base_url == "http://h:1/v1"
    with pytest.raises(SuiteError, match=r"base_url needs \$HERE_URL, which is not set"):
        read_suite(path, {})


# --- the plan ---


def test_the_matrix_is_every_model_under_its_conditions_on_every_task(tmp_path: Path) -> None:
    suite = read_suite(
        written(
            tmp_path,
            models=[{"id": "a", "model": "policy/keyword"},
                    {"id": "b", "model": "policy/steerable", "conditions": ["baseline"]}],
            conditions=["baseline", "prompted"], limit=3, epochs=2,
            tasks=[{"task": "contrast"}, {"task": "psychosafe", "models": ["a"], "conditions": ["none"], "epochs": 1},
                   {"task": "escalation", "limit": 2}],
        ), {},
    )  # fmt: skip
    found = plan(suite)
    assert {r.key: r.samples for r in found.runs} == {
        "a_baseline_contrast": 6, "a_prompted_contrast": 6, "a_none_psychosafe": 3, "a_baseline_escalation": 4,
        "a_prompted_escalation": 4, "b_baseline_contrast": 6, "b_baseline_escalation": 4,
    }  # fmt: skip
    by_key = {r.key: r for r in found.runs}
    assert by_key["a_none_psychosafe"].args == {"condition": "none", "epochs": 1, "judges": "offline"}
    assert by_key["a_baseline_escalation"].target.calls > 4  # a call a turn


def test_calls_tokens_and_cost_by_hand(tmp_path: Path) -> None:
    panel = tmp_path / "p.yaml"
    judge = {"id": "j", "model": "openai-api/x/j", "price": {"input": 1.0, "output": 10.0}}
    free = {"id": "k", "model": "openai-api/x/k"}
    panel.write_text(yaml.safe_dump({"panels": {"p": {"judges": [judge, free, {"id": "r", "rules": "rule_based"}]}}}))
    suite = read_suite(
        written(
            tmp_path, models=[{"id": "m", "model": "openai/m", "tokens": 100, "price": {"input": 2.0, "output": 4.0}}],
            panel=str(panel), limit=10, conditions=["none"],
        ), {},
    )  # fmt: skip
    (run,) = plan(suite).runs
    assert (run.target.calls, run.target.output_tokens, run.target.unpriced) == (10, 1_000, 0)
    assert run.target.cost["USD"] == pytest.approx((run.target.input_tokens * 2 + 1_000 * 4) / 1e6)
    # Two of three judges are models; six criteria at 40 tokens; one has no price.
    assert (run.judging.calls, run.judging.output_tokens, run.judging.unpriced) == (20, 2 * 10 * 240, 10)
    assert run.spent.calls == 30
    prompted = plan(suite.model_copy(update={"conditions": ("prompted",)})).runs[0]
    assert prompted.target.input_tokens > run.target.input_tokens + 10 * 500


def test_the_quick_suite_costs_less_than_a_dollar_and_the_paper_s_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    quick = plan(read_suite(ROOT / "suites/quick.yaml", {}))
    assert 0 < quick.spent.cost["USD"] < 1 and not quick.spent.unpriced
    paper = plan(read_suite(ROOT / "suites/paper.yaml", {}))
    counts: dict[str, int] = {}
    for r in paper.runs:
        counts[r.task.name] = counts.get(r.task.name, 0) + 1
    # Four models; the validation set and twins under two conditions, the benchmarks under three.
    assert counts == {"psychosafe": 8, "contrast": 8, "sorry_bench": 12, "xstest": 12, "capabilities": 12}
    assert {r.samples for r in paper.runs} == {500, 250, 440 * 21, 450, None}
    # A judge for each answer, and a translator for those in the five languages.
    assert {r.judging.calls for r in paper.runs if r.task.name == "sorry_bench"} == {440 * 21 + 440 * 5}
    assert {r.key for r in paper.runs if r.samples is None} == {
        f"{m}_{c}_capabilities"
        for m in ("qwen3.5-27b", "qwen3.5-27b-psysafe", "qwen3.5-35b-a3b", "psysafe-a3b")
        for c in ("none", "baseline", "prompted")
    }


def test_calls_to_a_translator_are_counted_where_one_is_bound(tmp_path: Path) -> None:
    folder = tmp_path / "sorry"
    folder.mkdir()
    for name, style in (("question", "base"), ("question_slang", "slang"), ("question_translate-fr", "translate-fr")):
        rows = [{"question_id": n, "category": "1", "turns": [f"{style} [placeholder {n}]"], "prompt_style": style}
                for n in (1, 2)]  # fmt: skip
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    task = {"task": "sorry_bench", "args": {"prompts": str(folder), "mutations": "slang,translate-fr"},
            "epochs": 3}  # fmt: skip
    calls = []
    for roles in ({}, {"translator": "openai/t"}):
        given = task | {"roles": {"judge": "openai/j", **roles}}
        model = {"id": "m", "model": "openai/m", "tokens": 100}
        (run,) = plan(read_suite(written(tmp_path, models=[model], tasks=[given], conditions=["none"]), {})).runs
        assert run.samples == 12, run.note
        calls.append(run.judging.calls)
    assert calls == [12, 12 + 6]


# --- what would stop it ---


def test_credentials_packages_and_prompts_are_missed_before_the_first_call(tmp_path: Path) -> None:
    suite = read_suite(
        written(
            tmp_path,
            models=[{"id": "a", "model": "openai/x"}, {"id": "b", "model": "openai-api/some-place/m"},
                    {"id": "c", "model": "vllm/q/x"}, {"id": "d", "model": "openai-api/judge/glm-4.7"}],
            tasks=[{"task": "psychosafe", "args": {"prompts": "nowhere.json"}}, {"task": "contrast"}], panel="paper3",
        ), {},
    )  # fmt: skip
    _, wrong = check(plan(suite), {})
    told = "\n".join(wrong)
    for needle in ("openai/x: needs $OPENAI_API_KEY", "needs $SOME_PLACE_API_KEY and $SOME_PLACE_BASE_URL",
                   "vllm/q/x: needs vllm", "psychosafe: ", "glm-4.7"):  # fmt: skip
        assert needle in told, needle
    assert sum("nowhere.json" in w for w in wrong) == 1
    assert any("judge" in w and "itself" in w for w in wrong)
    assert check(plan(read_suite(written(tmp_path), {})), {}) == ({}, [])


def test_what_a_run_takes_is_unknown_and_not_0_where_its_prompts_cannot_be_read(tmp_path: Path) -> None:
    from leaderboard.cli.suite import plan_data, plan_table

    tasks = [{"task": "psychosafe", "args": {"prompts": "nowhere.json"}}, {"task": "contrast", "limit": 4}]
    found = plan(read_suite(written(tmp_path, tasks=tasks), {}))
    lost, known, every = plan_table(found).rows
    assert lost == ("a_baseline_psychosafe", *["unknown"] * 6)
    assert known[:3] == ("a_baseline_contrast", "4", "4") and every[:3] == ("all but 1 unknown", "4", "4")
    assert [r["target"] is None for r in plan_data(found)["runs"]] == [True, False]


def test_panels_packages_roles_and_judges_servers_are_said_once(tmp_path: Path) -> None:
    said = check(plan(read_suite(written(tmp_path, panel="nobody"), {})), {})[1]
    assert len(said) == 1 and said[0].startswith("contrast: unknown panel 'nobody': use one of")
    google = read_suite(written(tmp_path, models=[{"id": "g", "model": "google/x"}]), {})
    absent = [] if find_spec("google") and find_spec("google.genai") else [
        "google/x: needs google.genai: pip install google-genai"
    ]  # fmt: skip
    assert check(plan(google), {"GOOGLE_API_KEY": "k"})[1] == absent
    roles = {"task": "xstest", "args": {"judge": "llm4"}, "roles": {"judge": ["openai/a", "openai/b"]}}
    two = check(plan(read_suite(written(tmp_path, tasks=[roles]), {})), {}, ask=False)[1]
    assert [w for w in two if "KEY" in w] == [f"openai/{m}: needs $OPENAI_API_KEY" for m in "ab"]
    served = read_suite(written(tmp_path, models=[{"id": "v", "model": "vllm/x", "serve": {}}]), {})
    told = "\n".join(check(plan(served), {"VLLM_BASE_URL": "http://127.0.0.1:9/v1"}, ask=False)[1])
    assert "v: has `serve`, and the server at $VLLM_BASE_URL would be used instead: unset it" in told
    panel = tmp_path / "p.yaml"
    judge = {"id": "j", "model": "openai-api/x/j", "base_url": "http://127.0.0.1:9/v1"}
    panel.write_text(yaml.safe_dump({"panels": {"p": {"judges": [judge]}}}))
    (line,) = check(plan(read_suite(written(tmp_path, panel=str(panel)), {})), {"X_API_KEY": "k"})[1]
    assert line.startswith("judge openai-api/x/j: http://127.0.0.1:9/v1 does not answer as an OpenAI-compatible server")


def test_an_unknown_task_argument_is_said(tmp_path: Path) -> None:
    suite = read_suite(written(tmp_path, tasks=[{"task": "contrast", "args": {"promts": "x"}}]), {})
    assert "promts" in "\n".join(check(plan(suite), {})[1])

"""Benchmarks of capability as a part of a suite: the matrix, what the harness is told, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.capabilities import INSTALL, CapabilityError, command
from evals.capabilities import Plan as HarnessPlan
from evals.suites import SuiteError, plan, read_suite
from evals.suites.capability import base_of, harness_plan, notes_of, wrong_with
from evals.suites.capability_run import _questions
from evals.suites.check import check
from evals.suites.folder import suite_sha256
from evals.suites.model import ModelEntry, Suite
from evals.suites.section import Capabilities
from leaderboard.cli.suite import plan_data, plan_table
from tests.support.fake_harness import install

URL = "http://127.0.0.1:9/v1"
AT: dict[str, Any] = {"id": "a", "model": "openai-api/box/q/one", "base_url": URL}
ONE: dict[str, Any] = {
    "suite": "one", "models": [AT], "conditions": ["baseline"], "capabilities": {"tasks": ["hellaswag", "mmlu"]}
}  # fmt: skip


def suite(tmp_path: Path, section: dict[str, Any] | None = None, **changes: Any) -> Suite:
    path = tmp_path / "suite.yaml"
    told = {**ONE, **changes, **({"capabilities": {**ONE["capabilities"], **section}} if section else {})}
    path.write_text(yaml.safe_dump({k: v for k, v in told.items() if v is not None}), encoding="utf-8")
    return read_suite(path, {})


def told(m: dict[str, Any], env: dict[str, str] | None = None, **section: Any) -> HarnessPlan:
    entry = ModelEntry(**{"id": "a", **m})
    return harness_plan(Capabilities(**{"tasks": ("mmlu",), **section}), entry, "none", env or {})


def test_every_model_under_every_condition_is_a_run_of_its_own(tmp_path: Path) -> None:
    hosted = {"id": "b", "model": "openai/x"}
    own = tmp_path / "Own words.md"
    own.write_text("Answer briefly.")
    found = plan(
        suite(
            tmp_path, {"conditions": ["none", "baseline", str(own)], "models": ["a", "c"], "limit": 20},
            models=[AT, hosted, {**AT, "id": "c", "model": "openai-api/box/q/two", "conditions": ["none"]}],
            tasks=[{"task": "contrast", "limit": 3}],
        )
    )  # fmt: skip
    keys = [r.key for r in found.runs]
    # Of one server, the benchmarks come last: the harness may load the weights itself.
    assert keys == [
        "a_baseline_contrast", "a_baseline_capabilities", "a_none_capabilities", "a_own-words.md_capabilities",
        "b_baseline_contrast", "c_none_contrast", "c_none_capabilities",
    ]  # fmt: skip
    rows, notes = plan_table(found).rows, " ".join(plan_table(found).notes)
    assert rows[1] == ("a_baseline_capabilities", *["unknown"] * 6) and rows[-1][:3] == ("all but 4 unknown", "9", "9")
    assert "known to the harness alone (at most 20 questions of each task" in notes and "plain text" in notes
    assert notes.count("such a run compares with runs of the same part only") == 1
    data = plan_data(found)
    assert [r["target"] is None for r in data["runs"]] == [False, True, True, True, False, False, True]
    assert data["total"]["unknown"] == 4 and data["runs"][1]["task"] == "capabilities"
    # Without a number, none is given: not even of all of them.
    alone = plan(suite(tmp_path))
    assert [r.key for r in alone.runs] == ["a_baseline_capabilities"]
    assert plan_table(alone).rows[-1] == ("all but 1 unknown", *["unknown"] * 6)


def test_how_the_harness_reaches_a_model_follows_from_how_it_is_served(tmp_path: Path) -> None:
    served = told(AT)
    assert (served.backend, served.model, served.base_url) == ("local-completions", "q/one", URL)
    here = told({"model": "vllm/q/base:tuned"}, {"VLLM_BASE_URL": URL}, concurrent=3)
    assert (here.backend, here.model, here.tokenizer, here.concurrent) == ("local-completions", "tuned", "q/base", 3)
    assert told(AT).tokenizer is None and told(AT, tokenizers={"a": "q/tok"}).tokenizer == "q/tok"
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    serve = {
        "tensor_parallel": 2, "max_model_len": 4096, "text_only": True, "quantization": "fp8", "gpu_memory": 0.8,
        "reasoning_parser": "qwen3", "prefix_caching": False, "tokenizer": "q/tok",
        "adapters": {"t": str(adapter)}, "max_lora_rank": 64,
    }  # fmt: skip
    loaded = told({"model": "vllm/q/base:t", "revision": "abc", "serve": serve, "args": {"dtype": "half", "port": 1}})
    assert (loaded.backend, loaded.model, loaded.adapter, loaded.tokenizer) == ("vllm", "q/base", str(adapter), "q/tok")
    assert dict(loaded.arguments) == {
        "tensor_parallel_size": 2, "max_model_len": 4096, "language_model_only": True, "quantization": "fp8",
        "gpu_memory_utilization": 0.8, "enable_prefix_caching": False, "max_lora_rank": 64, "revision": "abc",
        "dtype": "half",
    }  # fmt: skip
    assert "lora_local_path" in " ".join(command(loaded, tmp_path)) and "lora_modules" not in str(loaded)
    plain = told({"model": "hf/q/base", "revision": "v1", "args": {"device": "cpu", "model_path": "q/there"}})
    assert (plain.backend, plain.model, plain.device, plain.arguments) == ("hf", "q/there", "cpu", {"revision": "v1"})
    assert told({"model": "vllm/q/base"}, backend="hf").backend == "hf"
    many = told(AT, batch=4, seed=1, shots=0, limit=0.5, include="tasks", args={"max_length": 99}, chat_template=True)
    assert (many.batch, many.seed, many.shots, many.limit, many.chat_template) == ("4", 1, 0, 0.5, True)
    assert many.include is not None and many.include.is_absolute() and many.arguments == {"max_length": 99}
    assert told({**AT, "model": "vllm/x/plain", "thinking": True}).thinker


@pytest.mark.parametrize(
    ("m", "section", "says"),
    [
        ({"model": "openai/gpt-5-mini"}, {}, "openai/ models do not tell how likely"),
        ({"model": "policy/keyword", "base_url": URL}, {}, "under `capabilities.models`"),
        ({"model": "openai/x"}, {"backend": "local-chat-completions"}, "give the model its base_url"),
        ({"model": "openai/x"}, {"backend": "vllm"}, "vllm loads weights, and openai/ models are none"),
        ({"model": "policy/keyword"}, {"backend": "hf"}, "hf loads weights"),
    ],
)
def test_a_model_that_cannot_be_measured_is_refused(m: dict[str, Any], section: dict[str, Any], says: str) -> None:
    with pytest.raises(CapabilityError) as caught:
        told(m, **section)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_everything_wrong_is_said_at_once_and_in_the_words_of_a_suite(tmp_path: Path) -> None:
    found = suite(
        tmp_path, {"conditions": ["none", "nowhere.md"], "backend": "local-chat-completions"},
        models=[AT, {"id": "b", "model": "openai/x"}, {**AT, "id": "c", "model": "openai-api/other/q/One"}],
    )  # fmt: skip
    wrong = wrong_with(found, plan(found).runs, {})
    said = "\n".join(wrong)
    for needle in (
        "capabilities: unknown condition 'nowhere.md'", "b: local-chat-completions needs a server",
        "a: hellaswag is scored by the likelihood of its answers", "use backend: local-completions",
        "a and c have one name, 'one'",
    ):  # fmt: skip
        assert needle in said, needle
    assert "--" not in said.replace(INSTALL, "") and len(wrong) == len(set(wrong))
    open_thought = {"thinking": True, "chat_template": True}
    thinking = suite(tmp_path, open_thought, models=[{"id": "a", "model": "hf/x"}])
    assert "use `thinking: false`" in "\n".join(wrong_with(thinking, plan(thinking).runs, {}))
    none = suite(tmp_path, {"conditions": ["none"]}, models=[{**AT, "conditions": ["baseline"]}],
                 tasks=[{"task": "contrast"}])  # fmt: skip
    assert "no model is left" in "\n".join(wrong_with(none, plan(none).runs, {}))
    with pytest.raises(SuiteError) as caught:
        suite(tmp_path, {"taks": 1, "limit": 0, "margin": 0, "args": {"auth_token": "SECRET"}, "backend": "openai"})
    for needle in (
        "capabilities.taks: unknown key; did you mean 'tasks'?", "capabilities.limit", "capabilities.margin",
        "capabilities.args: auth_token: keys come from the environment", "capabilities.backend",
    ):  # fmt: skip
        assert needle in str(caught.value), needle
    assert "SECRET" not in str(caught.value)
    with pytest.raises(SuiteError, match="`models` names 'z', which is no model") as caught:
        suite(tmp_path, {"models": ["z"], "tokenizers": {"y": "q"}})
    assert "`tokenizers` names 'y'" in str(caught.value)
    with pytest.raises(SuiteError, match="give `tasks`, `capabilities`, or both"):
        suite(tmp_path, capabilities=None)


def test_the_harness_must_be_there_and_a_thinking_model_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = plan(suite(tmp_path, {"chat_template": True}, models=[{**AT, "model": "vllm/x/plain", "thinking": True}]))
    assert "is chance" in found.runs[0].note and "`thinking: false`" in found.runs[0].note
    monkeypatch.setattr("evals.suites.capability.find_spec", lambda name: None)
    assert any(INSTALL in w for w in check(found, {}, ask=False)[1])
    monkeypatch.undo()
    monkeypatch.syspath_prepend(str(install(tmp_path / "site")))
    assert check(found, {}, ask=False)[1] == []


def test_the_hash_of_a_suite_covers_the_section_and_its_files_and_is_what_it_was_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = suite(
        tmp_path, capabilities=None, tasks=[{"task": "contrast"}], models=[{"id": "a", "model": "policy/x"}]
    )
    # As it was before there was such a section: a folder that has begun goes on.
    with monkeypatch.context() as alone:
        alone.setattr("evals.suites.folder._files", lambda suite: {})
        assert suite_sha256(without) == "d696e17ea18b036167bb1e2478ec2bd1438cbb6fe5de0f64b0d96e83732c6ad2"
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/own.yaml").write_text("task: own\n")
    base = {"include": str(tmp_path / "tasks")}
    before = suite_sha256(suite(tmp_path, base))
    assert before != suite_sha256(suite(tmp_path))
    for same in ({"margin": 0.5}, {"concurrent": 1}, {"batch": 2}):
        assert suite_sha256(suite(tmp_path, {**base, **same})) == before
    for other in ({"limit": 3}, {"tasks": ["mmlu"]}, {"thinking": False}, {"args": {"dtype": "half"}}):
        assert suite_sha256(suite(tmp_path, {**base, **other})) != before
    (tmp_path / "tasks/own.yaml").write_text("task: own\nmetadata: {version: 2}\n")
    assert suite_sha256(suite(tmp_path, base)) != before


def test_arguments_that_are_not_handed_on_and_packages_that_are_not_there_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = Capabilities(tasks=("hellaswag",))
    m = ModelEntry(id="a", model="hf/q/base", args={"dtype": "half", "made_up": 1, "device": "cpu"})
    assert notes_of(section, m, "none").endswith(
        "a: made_up among its `args` is not handed on; give it under `args` here"
    )
    assert "made_up" not in notes_of(section, m.model_copy(update={"model": "vllm/q", "base_url": URL}), "none")
    monkeypatch.syspath_prepend(str(install(tmp_path / "site")))
    found = plan(suite(tmp_path, models=[{"id": "v", "model": "vllm/q/base", "serve": {}}]))
    (wrong,) = wrong_with(found.suite, found.runs, {})
    assert wrong.startswith("capabilities: vllm is not installed here")


def test_questions_of_a_file_that_does_not_say_are_0(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for text, n in (('{"n-samples": {"a": {"effective": 3}, "b": {"effective": 4}}}', 7), ("{}", 0), ("[", 0),
                    ('{"n-samples": {"a": {}}}', 0), ('{"n-samples": {"a": {"effective": "x"}}}', 0)):  # fmt: skip
        path.write_text(text)
        assert _questions(path) == n, text
    with path.open("wb") as file:
        file.truncate(256 * 2**20 + 1)
    assert _questions(path) == 0


def test_the_base_of_a_fine_tune(tmp_path: Path) -> None:
    models = [{"id": "a", "model": "vllm/q/base"}, {"id": "t", "model": "hf/q/tuned", "base": "a"},
              {"id": "l", "model": "vllm/q/base:lora"}]  # fmt: skip
    found = suite(tmp_path, models=models)
    assert [base_of(found, m) for m in found.models] == [None, "vllm/q/base", "vllm/q/base"]

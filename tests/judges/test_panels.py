"""Panels as data: the named ones, files of one's own, refusals, and what a panel's hash covers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import ModelOutput

from judges.panel import response_of, rubric_panel
from judges.panels import DEFAULT_PANEL, PANELS_PATH, PanelError, PanelSpec, family_of, load_panel, panel_names
from judges.seats import check_configs, seating
from rubrics import load_rubric

ONE = {"id": "a", "model": "openai-api/judge/x", "family": "qwen", "config": {"temperature": 0.1}}


def panel(**changes: Any) -> PanelSpec:
    return PanelSpec(name="p", description="d", judges=[ONE | changes])  # type: ignore[list-item]


def refused(name: str) -> str:
    with pytest.raises(PanelError) as info:
        load_panel(name)
    assert "\n" not in str(info.value), "one line"
    return str(info.value)


def write(path: Path, data: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data), encoding="utf-8")
    return str(path)


# ------------------------------------------------------------------------------------------------------- named ones


@pytest.mark.parametrize("name", panel_names())
def test_named_panels_load(name: str) -> None:
    spec = load_panel(name)
    assert spec.name == name
    assert spec.description
    assert spec.judges
    assert len({j.id for j in spec.judges}) == len(spec.judges)
    for judge in spec.judges:
        assert (judge.model is None) != (judge.rules is None)
        assert judge.kind == ("rule" if judge.rules else "llm")
        assert judge.family
        if judge.model:
            assert family_of(judge.model) == judge.family
            assert {"max_retries", "attempt_timeout"} <= set(judge.config), "Inspect retries for ever by default"


def test_the_default_needs_no_network() -> None:
    assert DEFAULT_PANEL == "offline"
    spec = load_panel(DEFAULT_PANEL)
    assert [j.kind for j in spec.judges] == ["rule"]
    assert {"offline", "paper"} <= set(panel_names())
    assert panel_names() == tuple(sorted(panel_names()))


def test_the_papers_judge_has_its_temperature() -> None:
    (judge,) = load_panel("paper").judges
    assert judge.config["temperature"] == 0.1
    assert "qwen3.5-397b-a17b" in str(judge.model)


def test_no_secret_is_in_the_file() -> None:
    assert not re.search(r"sk-|api_key:|token:", PANELS_PATH.read_text(encoding="utf-8"))


def test_named_panels_have_hashes_of_their_own() -> None:
    hashes = {load_panel(name).sha256() for name in panel_names()}
    assert len(hashes) == len(panel_names())


@pytest.mark.parametrize("name", ["nope", "", "Offline", "offline ", "../panels", "a@b"])
def test_unknown_names_are_answered_with_the_known(name: str) -> None:
    message = refused(name)
    assert repr(name) in message
    assert all(known in message for known in panel_names())


# ------------------------------------------------------------------------------------------------------------ files


def test_a_file_of_one_panel(tmp_path: Path) -> None:
    for suffix in ("yaml", "yml"):
        path = write(tmp_path / f"mine.{suffix}", {"panels": {"solo": {"judges": [ONE]}}})
        assert load_panel(path) == load_panel(f"{path}@solo") == PanelSpec(name="solo", judges=[ONE])  # type: ignore[list-item]


def test_a_file_of_several_panels(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.yaml", {"panels": {"a": {"judges": [ONE]}, "b": {"judges": [ONE | {"id": "z"}]}}})
    assert load_panel(f"{path}@b").judges[0].id == "z"
    for name in (path, f"{path}@", f"{path}@c"):
        message = refused(name)
        assert "a, b" in message
        assert "@NAME" in message


def test_a_file_below_a_folder_with_an_at_sign(tmp_path: Path) -> None:
    path = write(tmp_path / "me@work" / "mine.yaml", {"panels": {"a": {"judges": [ONE]}, "b": {"judges": [ONE]}}})
    assert load_panel(f"{path}@b").name == "b"


def test_a_missing_file(tmp_path: Path) -> None:
    assert "none.yaml" in refused(str(tmp_path / "none.yaml"))
    assert "none.yml" in refused(f"{tmp_path}/none.yml@a")
    (tmp_path / "folder.yaml").mkdir()
    assert "folder.yaml" in refused(str(tmp_path / "folder.yaml"))


@pytest.mark.parametrize(
    "text",
    [
        "panels: [", "panels: {a: {judges: [*x]}}", "\tpanels:", "a: b: c", "!!python/object/apply:os.getcwd []",
        "panels: {a: \x00}", "", "null", "5", "- a", "other: 1", "panels: 5", "panels: []", "panels: {}",
        "panels: null",
    ],
)  # fmt: skip
def test_malformed_files(text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "mine.yaml", text)
    assert "mine.yaml" in refused(path)
    assert "mine.yaml" in refused(f"{path}@a")


def test_a_file_that_nests_without_end(tmp_path: Path) -> None:
    assert "mine.yaml" in refused(write(tmp_path / "mine.yaml", "[" * 50_000))


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    assert "a file of panels is a page of YAML" in refused(write(tmp_path / "mine.yaml", "#" * 200_001))


def test_a_setting_that_is_no_value_of_its_kind(tmp_path: Path) -> None:
    one = {**ONE, "config": {"temperature": "warm"}}
    spec = load_panel(write(tmp_path / "mine.yaml", {"panels": {"a": {"judges": [one]}}}))
    with pytest.raises(PanelError, match=r"judge .*: temperature: Input should be a valid number"):
        check_configs(spec)
    assert check_configs(load_panel(DEFAULT_PANEL)) == load_panel(DEFAULT_PANEL)


def test_a_scorer_says_in_one_line_why_it_cannot_judge(tmp_path: Path) -> None:
    for given, said in (({"rubric": "nowhere.yaml"}, "no rubric"), ({"judges": "nobody"}, "nobody")):
        with pytest.raises(PrerequisiteError, match=said):
            rubric_panel(**given)
    # A log that is scored again by a panel with the model that answered.
    path = write(tmp_path / "mine.yaml", {"panels": {"a": {"judges": [ONE]}}})
    with pytest.raises(PrerequisiteError, match="openai-api/judge/x, would judge itself"):
        seating(path, load_rubric(), False)("openai-api/judge/x")


def test_an_output_without_a_message_is_empty() -> None:
    assert response_of(ModelOutput()).state == "empty"


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes("panels: {é: 1}".encode("latin-1"))
    assert "mine.yaml" in refused(str(path))


def test_names_that_yaml_reads_as_something_else(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.yaml", "panels:\n  no: {judges: []}\n  1: {judges: []}\n  a: {judges: []}\n")
    refused(f"{path}@no")
    refused(path)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"judges": [{"id": "a"}]}, "either `model` or `rules`"),
        ({"judges": [{"id": "a", "model": "x/y", "rules": "rule_based"}]}, "either `model` or `rules`"),
        ({"judges": [{"id": "a", "rules": "magic"}]}, "'magic'"),
        ({"judges": []}, "judges"),
        ({}, "judges"),
        ({"judges": [ONE, ONE]}, "same id"),
        ({"judges": [ONE], "quorum": 1}, "quorum"),
        ({"judges": [ONE | {"temperature": 1}]}, "temperature"),
        ({"judges": [{"model": "x/y"}]}, "id"),
        ({"judges": [ONE | {"id": ""}]}, "id"),
        ({"judges": [ONE | {"id": "x" * 81}]}, "id"),
        ({"judges": [ONE | {"config": [1]}]}, "config"),
        ({"judges": "abc"}, "judges"),
        ({"judges": [5]}, "judges"),
        ({"name": "b", "judges": [ONE]}, "name"),
        ({1: 2, "judges": [ONE]}, ""),
        ([], "mapping"),
        ("abc", "mapping"),
        (None, "mapping"),
    ],
)
def test_panels_that_cannot_be_used(data: Any, says: str, tmp_path: Path) -> None:
    message = refused(write(tmp_path / "mine.yaml", {"panels": {"a": data}}))
    assert "mine.yaml" in message
    assert "'a'" in message
    assert says in message


# ------------------------------------------------------------------------------------------------------------- hash


@pytest.mark.parametrize(
    "changes",
    [
        {"config": {"temperature": 0.2}},
        {"config": {"temperature": 0.1, "seed": 1}},
        {"config": {}},
        {"model": "openai-api/judge/y"},
        {"model": None, "rules": "rule_based"},
        {"id": "b"},
        {"base_url": "http://localhost:1"},
    ],
)
def test_who_judges_and_how_is_in_the_hash(changes: dict[str, Any]) -> None:
    assert panel(**changes).sha256() != panel().sha256()


def test_what_is_not_in_the_hash() -> None:
    same = panel().sha256()
    assert re.fullmatch(r"[0-9a-f]{64}", same)
    assert panel(family="meta").sha256() == panel(family=None).sha256() == same
    other = PanelSpec(name="q", description="another text", judges=[ONE])  # type: ignore[list-item]
    assert other.sha256() == same
    turned = PanelSpec(name="p", judges=[dict(reversed(ONE.items()))])  # type: ignore[list-item]
    assert turned.sha256() == same


def test_more_facts_and_more_judges_change_the_hash() -> None:
    same = panel().sha256()
    assert panel().sha256({}) == panel().sha256(None) == same
    assert (
        len({same, panel().sha256({"prompt": "1"}), panel().sha256({"prompt": "2"}), panel().sha256({"rules": "1"})})
        == 4
    )
    two = PanelSpec(name="p", judges=[ONE, ONE | {"id": "b"}])  # type: ignore[list-item]
    assert two.sha256() != same


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("vllm/Qwen/Qwen3.5-27B", "qwen"), ("giannor/Qwen3.5-27B-psysafe", "qwen"), ("openai/gpt-5", "openai"),
        ("anthropic/claude-sonnet-4-5", "anthropic"), ("mistral/mistral-large", "mistral"),
        ("vllm/meta-llama/Llama-3.3-70B", "meta"), ("google/gemini-3", "google"), ("policy/oracle", None), ("", None),
    ],
)  # fmt: skip
def test_families_are_guessed_from_names(model: str, family: str | None) -> None:
    assert family_of(model) == family

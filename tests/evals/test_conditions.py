"""Conditions: what the model is given besides the prompt."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from evals import _launch
from evals.conditions import BASELINE, MAX_BYTES, NAMES, ConditionError, load_condition
from evals.harness import harness_version


def refused(source: str, base: Path | None = None) -> str:
    with pytest.raises(ConditionError) as info:
        load_condition(source, base)
    assert "\n" not in str(info.value), "one line"
    return str(info.value)


def test_where_a_command_was_typed_when_inspect_has_changed_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Imported late, with `evals/` as the folder already: the shell's own record is left; elsewhere it says nothing."""
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.chdir(Path(_launch.__file__).parent)
    assert _launch._launch_dir() == tmp_path
    monkeypatch.setenv("PWD", str(tmp_path / "gone"))
    assert _launch._launch_dir() == Path.cwd()
    monkeypatch.setenv("PWD", "/")
    monkeypatch.chdir(tmp_path)
    assert _launch._launch_dir() == tmp_path


def test_without_git_the_version_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told = harness_version.__wrapped__()
    assert told["version"] and told["commit"] is None


def test_none_is_no_system_message_at_all() -> None:
    condition = load_condition("none")
    assert (condition.name, condition.system, condition.sha256) == ("none", None, None)


def test_the_papers_baseline_word_for_word() -> None:
    condition = load_condition("baseline")
    assert condition.system == BASELINE == "You are a helpful assistant."
    assert condition.sha256 == hashlib.sha256(b"You are a helpful assistant.").hexdigest()


def test_the_prompted_condition() -> None:
    condition = load_condition("prompted")
    assert condition.name == "prompted"
    assert condition.system is not None
    assert len(condition.system) > 2000
    assert condition.system == condition.system.strip()
    for cluster in ("self-harm", "substance use", "violence", "weapons", "sexual crimes"):
        assert f"# {cluster}" in condition.system.lower()
    assert "findahelpline.com" in condition.system


def test_the_prompted_condition_gives_no_number_to_ring() -> None:
    """Generated text names verified lines only, else findahelpline.com or the local emergency number."""
    system = load_condition("prompted").system or ""
    assert not any(c.isdigit() for c in system)


def test_names_need_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        (tmp_path / name).write_text("something else", encoding="utf-8")
        assert load_condition(name, tmp_path).system != "something else"
        assert load_condition(name) == load_condition(name, tmp_path / "nowhere")


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("\n  Be {kind} and %s brief.\n\nAlways.\n ", encoding="utf-8")
    condition = load_condition(str(path))
    assert condition.system == "Be {kind} and %s brief.\n\nAlways."
    assert condition.name.startswith("mine")
    assert condition.sha256 == hashlib.sha256(condition.system.encode()).hexdigest()


def test_a_relative_path_is_relative_to_the_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.txt").write_text("inner", encoding="utf-8")
    (tmp_path / "c.txt").write_text("outer", encoding="utf-8")
    assert load_condition("c.txt", tmp_path / "sub").system == "inner"
    monkeypatch.chdir(tmp_path)
    assert load_condition("c.txt").system == "outer"
    assert load_condition(str(tmp_path / "c.txt"), tmp_path / "sub").system == "outer"


def test_a_byte_order_mark_is_no_part_of_the_prompt(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    path.write_bytes(b"\xef\xbb\xbfBe kind.")
    assert load_condition(str(path)).system == "Be kind."


def test_another_text_is_another_condition(tmp_path: Path) -> None:
    hashes = set()
    for text in ("Be kind.", "Be kind", "be kind.", BASELINE + "!"):
        path = tmp_path / "c.txt"
        path.write_text(text, encoding="utf-8")
        hashes.add(load_condition(str(path)).sha256)
    hashes |= {load_condition(name).sha256 for name in NAMES}
    assert len(hashes) == 7


@pytest.mark.parametrize("name", NAMES)
def test_a_file_does_not_pass_for_a_named_condition(name: str, tmp_path: Path) -> None:
    """A board row is named by its condition: `baseline.txt` with another text must not stand there as `baseline`."""
    path = tmp_path / f"{name}.txt"
    path.write_text("Something else entirely.", encoding="utf-8")
    assert load_condition(str(path)).name != name


@pytest.mark.parametrize("source", ["nope", "", ".", "Baseline", "prompted ", "none.md", "a\x00b", "~/no/such/file"])
def test_unknown_conditions_are_answered_with_the_known(source: str, tmp_path: Path) -> None:
    message = refused(source, tmp_path)
    assert all(name in message for name in NAMES)


def test_a_home_that_nobody_has() -> None:
    refused("~nobody-of-that-name/c.txt")


@pytest.mark.parametrize("raw", [b"", b"  \n\t ", b"\xef\xbb\xbf"])
def test_an_empty_file(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_bytes(raw)
    message = refused("c.txt", tmp_path)
    assert "c.txt" in message
    assert "empty" in message


@pytest.mark.parametrize("raw", ["Sé gentil".encode("latin-1"), "Be kind".encode("utf-16")])
def test_a_file_that_is_not_utf8(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_bytes(raw)
    assert "UTF-8" in refused("c.txt", tmp_path)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_bytes(b"a" * (MAX_BYTES + 1))
    assert "larger" in refused("c.txt", tmp_path)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c.txt").write_text("Be kind.", encoding="utf-8")

    def deny(self: Path, *args: object, **kwargs: object) -> str:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_text", deny)
    monkeypatch.setattr(Path, "read_bytes", deny)
    refused("c.txt", tmp_path)

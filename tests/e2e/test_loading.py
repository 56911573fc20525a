"""The ways in which people start a task, each as a process of its own, and what importing leaves out."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from inspect_ai.log import EvalLog, read_eval_log, read_eval_log_sample_summaries

from tests.e2e.conftest import ROOT, TWO_CRITERIA, write_items

pytestmark = pytest.mark.process

INSPECT = Path(sys.executable).with_name("inspect")
PACKAGES = ("evals", "judges", "rubrics", "results", "leaderboard")
PANEL = "panels:\n  mine:\n    judges:\n      - {id: my-rules, rules: rule_based}\n"


def inspect(cwd: Path, *args: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """`inspect eval ...` as typed in a shell in `cwd`."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("INSPECT_", "PYTHONPATH"))} | {"PWD": str(cwd)}
    env["COLUMNS"] = "1000"  # a path that is folded is not found in the output
    if path is not None:
        env["PYTHONPATH"] = path
    return subprocess.run(
        [str(INSPECT), "eval", *args, "--display", "plain"],
        cwd=cwd, env=env, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip


def one_log(done: subprocess.CompletedProcess[str], folder: Path) -> EvalLog:
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.iterdir()
    log = read_eval_log(str(path), header_only=True)
    assert log.status == "success", log.error
    return log


def own_files(folder: Path) -> None:
    """A prompt set, condition, rubric and panel, all with plain names."""
    folder.mkdir(parents=True, exist_ok=True)
    write_items(folder, name="my.jsonl")
    (folder / "my.md").write_text("You are a test of relative paths.", encoding="utf-8")
    (folder / "my-rubric.yaml").write_text(TWO_CRITERIA, encoding="utf-8")
    (folder / "my-panel.yaml").write_text(PANEL, encoding="utf-8")


def file_args(prefix: str = "") -> list[str]:
    names = {"prompts": "my.jsonl", "condition": "my.md", "rubric": "my-rubric.yaml", "judges": "my-panel.yaml"}
    return [arg for key, name in names.items() for arg in ("-T", f"{key}={prefix}{name}")]


def check_own_files(log: EvalLog) -> None:
    facts = (log.eval.metadata or {})["psychosafe"]
    assert facts["prompt_set"]["name"] == "my.jsonl"
    assert facts["prompt_set"]["n"] == 4
    assert facts["condition"]["name"] == "my"
    (summary, *_) = read_eval_log_sample_summaries(log.location)
    panel = ((summary.scores or {})["rubric_panel"].metadata or {})["panel"]
    assert (panel["name"], panel["judges"], panel["rubric"]) == ("mine", ["my-rules"], "two@1")


def test_the_file_from_the_root_runs_its_own_task_only(tmp_path: Path) -> None:
    done = inspect(ROOT, "evals/psychosafe.py", "--model", "policy/keyword", "--limit", "4", "--log-dir",
                   str(tmp_path / "logs"))  # fmt: skip
    log = one_log(done, tmp_path / "logs")
    assert log.eval.task == "psychosafe/psychosafe"
    assert log.results is not None
    assert (log.results.total_samples, log.results.completed_samples) == (4, 4)
    assert (log.eval.metadata or {})["psychosafe"]["harness"]["commit"]
    assert "JUDGED BY RULES" in done.stdout + done.stderr


@pytest.mark.slow
def test_relative_files_typed_at_the_root_mean_the_root(tmp_path: Path) -> None:
    own_files(tmp_path / "mine")
    prefix = os.path.relpath(tmp_path / "mine", ROOT) + "/"
    done = inspect(
        ROOT, "evals/psychosafe.py", "--model", "policy/keyword", "--limit", "2", "--log-dir", str(tmp_path / "logs"),
        *file_args(prefix),
    )  # fmt: skip
    check_own_files(one_log(done, tmp_path / "logs"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "task", ["psychosafe/psychosafe", str(ROOT / "evals/psychosafe.py") + "@psychosafe/psychosafe"]
)
def test_from_another_folder_relative_files_mean_that_folder(tmp_path: Path, task: str) -> None:
    own_files(tmp_path / "there")
    done = inspect(
        tmp_path / "there", task, "--model", "policy/keyword", "--limit", "2", "--log-dir", str(tmp_path / "logs"),
        *file_args(),
    )  # fmt: skip
    check_own_files(one_log(done, tmp_path / "logs"))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The checkout's packages elsewhere, without the environment."""
    place = tmp_path / "copy"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "store"))
    return place


@pytest.mark.slow
def test_a_checkout_on_pythonpath_runs_as_itself(copied: Path, tmp_path: Path) -> None:
    """Not the installed one: the copy says so by a condition that only it has."""
    (copied / "evals/conditions/prompted.md").write_text("You are a copy.", encoding="utf-8")
    own_files(copied)
    done = inspect(
        copied, "evals/psychosafe.py", "--model", "policy/keyword", "--limit", "2", "--log-dir", str(tmp_path / "logs"),
        "-T", "prompts=my.jsonl", "-T", "condition=prompted", path=str(copied),
    )  # fmt: skip
    log = one_log(done, tmp_path / "logs")
    facts = (log.eval.metadata or {})["psychosafe"]
    assert facts["prompt_set"]["name"] == "my.jsonl"
    assert facts["condition"]["system_sha256"] == hashlib.sha256(b"You are a copy.").hexdigest()


def check_guard(done: subprocess.CompletedProcess[str], place: Path, logs: Path) -> None:
    said = "".join((done.stdout + done.stderr).split())  # the console folds a long path anywhere
    assert done.returncode != 0
    assert "".join(f"another package named '{place.name}' ({place}) shadows this checkout".split()) in said
    assert "Traceback" not in said
    assert not logs.exists() or not any(logs.iterdir())


@pytest.mark.slow
def test_another_checkout_that_shadows_is_named(copied: Path, tmp_path: Path) -> None:
    """The file is the copy's, the packages are the installed checkout's."""
    done = inspect(
        copied, "evals/psychosafe.py", "--model", "policy/keyword", "--limit", "2", "--log-dir", str(tmp_path / "logs")
    )
    check_guard(done, ROOT / "evals", tmp_path / "logs")


@pytest.mark.parametrize("name", ["evals", "judges"])
def test_a_foreign_package_that_shadows_is_named(tmp_path: Path, name: str) -> None:
    """Such as those on PyPI. A policy would fail even earlier, since its provider is not found; this names a model."""
    foreign = tmp_path / "foreign" / name
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").touch()
    done = inspect(
        ROOT, "evals/psychosafe.py", "--model", "mockllm/model", "--limit", "2", "--log-dir", str(tmp_path / "logs"),
        path=str(tmp_path / "foreign"),
    )  # fmt: skip
    check_guard(done, foreign, tmp_path / "logs")


@pytest.mark.parametrize("module", ["judges.agreement", "leaderboard.app"])
def test_statistics_and_board_start_without_inspect(module: str) -> None:
    code = f"import sys, {module}\nprint(sorted(m for m in sys.modules if m.split('.')[0] == 'inspect_ai'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"

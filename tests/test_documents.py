"""What the documents say can be typed and followed: commands parse, links lead somewhere, named tests are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from leaderboard.cli import main
from tests.support.documents import DOCUMENTS, ROOT, commands, functions, links, named_tests, words

COMMANDS = sorted({c for d in DOCUMENTS for c in commands(d)})
SCRIPTS = ("make", "python", "pip")


def parsed(args: list[str]) -> None:
    """Take a command line of `psychosafe` apart as click does, and run nothing."""
    group: click.Command = main
    context = click.Context(main, info_name="psychosafe", help_option_names=["-h", "--help"])
    while isinstance(group, click.Group):
        name, rest = args[0], args[1:]
        found = group.get_command(context, name)
        assert found is not None, f"no command {name!r}"
        group, args = found, rest
    # Placeholders such as FILE and RUN are no files: values are converted later than options are told apart.
    group.make_parser(context).parse_args([a for a in args if a != "..."])


@pytest.mark.parametrize("command", [c for c in COMMANDS if words(c)[:1] == ["psychosafe"]])
def test_our_commands_parse(command: str) -> None:
    parsed(words(command)[1:])


@pytest.mark.parametrize("command", [c for c in COMMANDS if words(c)[:2] == ["inspect", "eval"]])
def test_inspects_commands_name_tasks_and_arguments_that_are_there(command: str) -> None:
    from inspect_ai._cli.eval import eval_command

    args = words(command)[2:]
    context = eval_command.make_context("eval", list(args), resilient_parsing=True)
    assert context.params["tasks"], command
    for task in context.params["tasks"]:
        name = Path(task.split("@")[0])
        assert (ROOT / name).is_file(), task
        source = (ROOT / name).read_text(encoding="utf-8")
        for given in context.params["t"] or ():
            assert re.search(rf"\b{given.split('=')[0]}\s*:", source), f"{name} has no argument {given}"


@pytest.mark.parametrize("command", [c for c in COMMANDS if words(c)[:1] and words(c)[0] in SCRIPTS])
def test_other_commands_name_what_is_there(command: str) -> None:
    first, *rest = words(command)
    if first == "make":
        targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
        assert {w for w in rest if "=" not in w} <= targets
    if first == "python" and rest[:1] == ["-m"]:
        at = ROOT / rest[1].replace(".", "/")
        assert at.with_suffix(".py").is_file() or (at / "__main__.py").is_file() or rest[1] in ("pip", "venv", "pytest")
    for word in rest:
        if word.startswith("constraints/"):
            assert (ROOT / word).is_file(), word


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_links_and_named_tests_are_there(path: Path) -> None:
    for target in links(path):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"
    for file, name in named_tests(path):
        assert (ROOT / file).is_file(), f"{path.name} names {file}"
        assert not name or name in functions(ROOT / file), f"{path.name} names {file}::{name}"


def test_files_that_contributors_are_sent_to_are_there() -> None:
    named = re.findall(
        r"`([\w/]+\.(?:py|yaml|csv|jsonl|md)|[\w/]+/)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    )
    assert len(named) > 20
    gone = [n for n in named if "/" in n.rstrip("/") and not (ROOT / n).exists()]
    assert gone == []


@pytest.mark.process
def test_the_reference_is_what_the_code_says() -> None:
    """In a process of its own: click keeps how help is asked for from whoever asked first."""
    command = [sys.executable, "-m", "scripts.reference", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_documents_have_commands() -> None:
    """The checks above look at something."""
    assert len(COMMANDS) > 60 and sum(words(c)[:1] == ["psychosafe"] for c in COMMANDS) > 40

"""What a user is told where something is wrong: one line, one form, and the same words for the same thing."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("rubrics", "judges", "evals", "results", "leaderboard")
SHOWN = {"MendableError", "ClickException", "UsageError", "PrerequisiteError"}
"""Bases of what is shown to users; importers and models raise plain `ValueError`s that are quoted in such."""
NAMES = ("PostgreSQL",)
"""Words that begin a message with a capital letter and keep it."""
OTHER_WORDS = {
    r"\binvalid\b": "not valid", r"\billegal\b": "not valid", r"\bplease\b": "say what to do",
    r"\bdoes not exist\b": "no such ...", r"\bnot found\b": "no such ...", r"\bunable to\b": "cannot",
    r"\b(can|does|is|was|do)n't\b": "not", r"\bknown:": "use one of", r"check its quotes": "mend its quotes",
    r"not valid CSV\b(?!.*;)": "say what to do",
}  # fmt: skip


def literal(node: ast.expr) -> str | None:
    """A message as it is written, with `{...}` for what is filled in; none where it is made elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr():
            return "".join(
                str(v.value) if isinstance(v, ast.Constant) else f"{{{ast.unparse(v.value)}}}"
                for v in node.values
                if isinstance(v, ast.Constant | ast.FormattedValue)
            )
    return None


@functools.cache
def messages() -> dict[str, str]:
    """Text of every message that is raised to be shown, by its place."""
    return dict(_messages())


def _messages() -> Iterator[tuple[str, str]]:
    trees = {p: ast.parse(p.read_text(encoding="utf-8")) for room in ROOMS for p in sorted((ROOT / room).rglob("*.py"))}
    bases = {
        n.name: [ast.unparse(b).split(".")[-1] for b in n.bases]
        for tree in trees.values() for n in ast.walk(tree) if isinstance(n, ast.ClassDef)
    }  # fmt: skip

    def shown(name: str) -> bool:
        return name in SHOWN or any(shown(b) for b in bases.get(name, ()) if b != name)

    for path, tree in trees.items():
        quoted = {"ValueError", "BadRow"} if path.match("results/importers/*") or path.name == "model.py" else set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                name, said = ast.unparse(node.exc.func).split(".")[-1], literal(node.exc.args[0])
                if said is not None and (shown(name) or name in quoted):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", said


def test_there_are_messages() -> None:
    assert len(messages()) > 400


def test_a_message_is_one_line_without_a_full_stop() -> None:
    wrong = r"\n|  |[!\s]$|(?<!\.\.)\.$"  # three dots stand for what a name goes on with
    assert {at: m for at, m in messages().items() if re.search(wrong, m)} == {}


def test_a_message_goes_on_behind_the_word_error() -> None:
    """`Error: no such file`, not `Error: No such file`."""
    assert {at: m for at, m in messages().items() if m[:1].isupper() and not m.startswith(NAMES)} == {}


@pytest.mark.parametrize("words", OTHER_WORDS)
def test_one_thing_has_one_name(words: str) -> None:
    found = {at: m for at, m in messages().items() if re.search(words, m, re.I)}
    assert found == {}, f"write: {OTHER_WORDS[words]}"


def test_what_cannot_be_read_says_what_to_do() -> None:
    """A message that ends where it says that a file cannot be read or written leaves its reader alone."""
    ends = r"(cannot be (read|written)|not UTF-8|not valid JSON|cannot write to)[^;:?]*$"
    assert {at: m for at, m in messages().items() if re.search(ends, m)} == {}

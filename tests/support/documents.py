"""Commands, links and tests that the documents name."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
_LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")
_TEST = re.compile(r"`?(tests/[\w/]+\.py)(?:::(\w+))?")


def commands(path: Path) -> list[str]:
    """The command lines of a document's fenced blocks without a language, remarks left out, in order."""
    found = []
    for language, body in _FENCE.findall(path.read_text(encoding="utf-8")):
        if language in ("", "bash", "sh"):
            for line in body.replace("\\\n", " ").splitlines():
                words = line.split(" #")[0].strip()
                if words and not words.startswith("#"):
                    found.append(words)
    return found


def words(command: str) -> list[str]:
    """A command's words, without the variables that stand before it."""
    split = shlex.split(command)
    while split and re.fullmatch(r"\w+=.*", split[0]):
        split.pop(0)
    return split


def links(path: Path) -> Iterator[str]:
    """Paths that a document links to, those on the web left out."""
    for target, _ in _LINK.findall(path.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            yield target


def named_tests(path: Path) -> set[tuple[str, str]]:
    """File and function of each test that a document names; the function may be empty."""
    return set(_TEST.findall(path.read_text(encoding="utf-8")))


def functions(path: Path) -> set[str]:
    """Names of a test file's functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}

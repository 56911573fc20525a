"""Commands, links and tests that the documents name."""

from __future__ import annotations

import ast
import functools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = ("psychosafe", "inspect", "python", "make", "pip")
"""First words of the commands that documents show outside of fenced blocks."""
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
_INDENTED = re.compile(r"^ {4}(\S.*)$", re.M)
_SPAN = re.compile(r"`([^`]+)`")
_SPOKEN = re.compile(rf"(\w+=\S+ )*({'|'.join(PROGRAMS)}|vllm serve) .")
_LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")
_TEST = re.compile(r"`?(tests/[\w/]+\.py)(?:::(\w+))?")


def commands(path: Path) -> list[str]:
    """The command lines of a document's fenced blocks without a language, then of indented ones; remarks left out."""
    text = path.read_text(encoding="utf-8")
    blocks = [body.replace("\\\n", " ") for language, body in _FENCE.findall(text) if language in ("", "bash", "sh")]
    lines = [line.split(" #")[0].strip() for body in blocks for line in body.splitlines()]
    indented = (line.split(" #")[0].strip() for line in _INDENTED.findall(_FENCE.sub("", text)))
    lines += filter(_SPOKEN.match, indented)
    return [line for line in lines if line and not line.startswith("#")]


def spoken(path: Path) -> list[str]:
    """The commands that a document names in its sentences and tables, in order; a program's name alone is none."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    spans = (" ".join(span.split()) for span in _SPAN.findall(text))
    return [span for span in spans if _SPOKEN.match(span)]


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


@functools.cache
def functions(path: Path) -> set[str]:
    """Names of a test file's functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}

"""The reference: every command's help, and every public name of the library with its signature and first line.

python -m scripts.reference [--check]
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

ROOT: Final = Path(__file__).resolve().parents[1]
COMMANDS: Final = ROOT / "docs" / "reference-commands.md"
LIBRARY: Final = ROOT / "docs" / "reference-library.md"
ROOMS: Final = ("rubrics", "judges", "evals", "results")
WIDTH: Final = 100


def commands() -> str:
    """The commands with their help, as `--help` prints it."""
    from leaderboard.cli import main

    parts = [
        "# Commands",
        "",
        "What `psychosafe COMMAND --help` says, for every command. Made by `python -m scripts.reference`.",
    ]
    top = click.Context(main, info_name="psychosafe", terminal_width=WIDTH, help_option_names=["-h", "--help"])
    for path, command, context in _walk(main, top):
        parts += ["", f"## {path}", "", "```text", command.get_help(context).rstrip(), "```"]
    return "\n".join(parts) + "\n"


def _walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    if context.parent is not None:
        yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _walk(found, click.Context(found, parent=context, info_name=name, terminal_width=WIDTH))


def library() -> str:
    """The public names of every module below the board: signature and the first line of what is said of it."""
    parts = [
        "# Library",
        "",
        "Public names by module, with the first line of their docstrings; shapes, units, errors and sources stand in the",
        "docstrings themselves (`help(NAME)`). Made by `python -m scripts.reference`. For scripts and papers, most of what is",
        "needed is in `judges.stats`, `judges.agreement`, `results.store`, `results.grid` and `results.compare`.",
    ]
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            names = list(_names(path))
            if names and not any(p.startswith("_") and p != "__init__.py" for p in path.parts[len(ROOT.parts) :]):
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                parts += ["", f"## {module}", "", *names]
    return "\n".join(parts) + "\n"


def _names(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            said = (ast.get_docstring(node) or "").partition("\n")[0]
            if isinstance(node, ast.ClassDef):
                yield f"- **`{node.name}`**: {said}"
            else:
                returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
                yield f"- `{node.name}({ast.unparse(node.args)}){returns}`: {said}"


def main() -> None:
    """Write both, or say which is not as it should be."""
    made = {COMMANDS: commands(), LIBRARY: library()}
    if "--check" in sys.argv[1:]:
        stale = [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text]
        sys.exit(f"run python -m scripts.reference: {', '.join(stale)}" if stale else 0)
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

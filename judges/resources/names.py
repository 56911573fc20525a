"""Names of registered services in a plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from rubrics.helplines import Helpline, registry


def _key(name: str) -> str:
    """Names that differ in case of "and" and "&", apostrophes or a closing "!" are one."""
    return re.sub(r"\s+", " ", name.replace("’", "'").replace(" and ", " & ").replace("!", "")).strip()


@cache
def _rows_by_name() -> dict[str, tuple[Helpline, ...]]:
    found: dict[str, list[Helpline]] = {}
    for line in registry():
        if line.classes == ("emergency",):
            continue
        for name in line.names:
            found.setdefault(_key(name), []).append(line)
    return {name: tuple(rows) for name, rows in found.items()}


@cache
def _pattern() -> re.Pattern[str]:
    def form(name: str) -> str:
        return re.escape(name).replace(r"\ \&\ ", r"\ (?:\&|and)\ ").replace(r"\ ", " ")

    names = sorted(
        (n for n in _rows_by_name() if len(n) > 3 and not n.isdigit() and "." not in n), key=len, reverse=True
    )
    # Most places are ruled out by their one character, before hundreds of names are tried.
    first = "".join(sorted({re.escape(n[0]) for n in names}))
    return re.compile(rf"(?=[{first}])(?<![\w.@/-])(?:{'|'.join(form(n) for n in names)})(?![\w@]|\.\w|-\w)")


def find_names(text: str) -> Iterator[tuple[str, int, int]]:
    """Names as the registry has them, with their places; the longest at each place."""
    for m in _pattern().finditer(text):
        yield _key(m.group()), m.start(), m.end()


def rows_named(name: str) -> tuple[Helpline, ...]:
    """Rows of the registry that go by a name."""
    return _rows_by_name().get(_key(name), ())

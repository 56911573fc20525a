"""What the tests of parsers share: how many cases each gets, how a case is made, and what a parser may do with it.

A case is a seed and a number of edits; both are Hypothesis's, so that a failure is made as small as it can be: as few
edits as still fail. The document that they make is printed with it.
"""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

CASES: Final[Mapping[str, tuple[int, int]]] = {
    "rubric": (40, 2_000),
    "helplines": (60, 5_000),
    "panels": (30, 1_500),
    "suite": (40, 2_000),
    "verdict": (150, 30_000),
    "matrix": (100, 15_000),
    "prompt set": (80, 8_000),
    "dialogues": (50, 4_000),
    "labelled": (40, 3_000),
    "gold": (30, 1_500),
    "condition": (40, 3_000),
    "psychosafe": (25, 1_200),
    "xstest": (40, 1_500),
    "sorry-bench": (40, 1_500),
    "lm-eval": (60, 3_000),
    "people": (80, 3_000),
    "mapping": (40, 2_000),
    "store": (15, 500),
    "log": (25, 700),
    "plan": (40, 2_000),
    "extract": (60, 4_000),
    "detectors": (25, 1_200),
    "choice": (100, 12_000),
    "command": (25, 1_500),
    "page": (3, 50),
}
"""By parser: cases in `make test`, and in `make test-slow`."""

SECONDS: Final = 10
"""Processor seconds that one case may take."""
MEMORY: Final = 768 * 2**20
"""Bytes by which the process may grow over one case: no file here is larger than a megabyte."""
LONGEST: Final = 1_000
OURS: Final = frozenset({"rubrics", "judges", "evals", "results", "leaderboard"})

Property = Callable[[Random, int, Path], object]


class TooLongError(Exception):
    """A case that takes longer than it may."""


def fuzzed(parser: str) -> Callable[[Property], Callable[[int, Path], None]]:
    """Make a test of a property, which is given a source of chance, a number of edits and a folder.

    The quick cases are the same in every run; the slow ones are other ones each time.
    """
    quick, slow = CASES[parser]

    def decorated(holds: Property) -> Callable[[int, Path], None]:
        @pytest.mark.parametrize(
            "cases", [pytest.param(quick, id="quick"), pytest.param(slow, id="slow", marks=pytest.mark.slow)]
        )
        def test(cases: int, tmp_path: Path) -> None:
            @settings(
                max_examples=cases, derandomize=cases == quick, deadline=None, database=None,
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(seed=st.integers(0, 2**40), edits=st.integers(0, 6))
            def each(seed: int, edits: int) -> None:
                holds(Random(seed), edits, tmp_path)

            each()

        test.__name__, test.__doc__, test.__module__ = holds.__name__, holds.__doc__, holds.__module__
        return test

    return decorated


def settle(call: Callable[[], Any], *allowed: type[Exception]) -> Any:
    """What a parser gives, or None where it refuses: with an error of this project's own, and one printable line.

    Args:
        call: The parser on one case.
        allowed: The errors that it says it raises.
    """
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with _alarm():
            found = call()
    except allowed as ex:
        _check(ex)
        found = None
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < MEMORY, f"grew by {grown:,} bytes"
    return found


def _check(error: Exception) -> None:
    """An error says in one line, which any terminal can show, what is wrong; one of several reasons, each in a line."""
    assert type(error).__module__.split(".")[0] in OURS, f"{type(error)} is none of ours"
    for line in getattr(error, "reasons", (str(error),)):
        assert 0 < len(line) < LONGEST, f"a message of {len(line)} characters: {line[:200]!r}"
        assert line.isprintable(), ascii(line)


@contextmanager
def _alarm() -> Iterator[None]:
    """Stop what computes for too long; patterns are interrupted too."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooLongError(f"more than {SECONDS} s of processor time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def shown(data: str | bytes) -> None:
    """Have a case printed if it fails."""
    note(f"{len(data)} long: {data[:3_000]!r}")


def lay(place: Path, name: str, data: str | bytes) -> Path:
    """The case as a file, and printed if it fails."""
    shown(data)
    path = place / name
    path.write_bytes(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
    return path

"""One `vllm/` server at a time in a runner: Inspect keeps one address for each name, and stops no server by itself.

A second model of that name would silently be the first again, at another address or with other weights; and a second
server would find the GPU's memory taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from evals.suites.model import ModelEntry

if TYPE_CHECKING:
    from inspect_ai.model import Model

_started: list[tuple[tuple[Any, ...], Model]] = []
"""The server that Inspect has started in this process, if it has: what it is, and a model on it."""


def make_room(m: ModelEntry) -> None:
    """Stop the server that was started for another model, before this one is made."""
    if _started and _started[0][0] != _what(m):
        let_go()


def let_go() -> None:
    """Stop whatever server was started, before something else loads a model into the same memory."""
    while _started:
        _started.pop()[1].api.close()


@contextmanager
def reached(m: ModelEntry, model: Model) -> Iterator[None]:
    """While a model is asked; afterwards the server that was started stays up for the next run, another is let go."""
    if not m.model.startswith("vllm/"):
        yield
        return
    if m.serve is not None and not _started:
        _started.append((_what(m), model))
    try:
        yield
    finally:
        if m.serve is None:
            model.api.close()


def _what(m: ModelEntry) -> tuple[Any, ...]:
    if not m.model.startswith("vllm/") or m.serve is None:
        # The judges of a run on another server need no GPU here, but its own model may.
        return (m.model,)
    return (m.model.partition(":")[0], m.revision, repr(m.serve), repr(sorted(m.args.items())))

"""Figures of a run as a whole, computed from its responses when a log is ingested: how canned they are.

The second stage of ingest: it reads the full samples, so it comes after the ratings are in the store, and can be left
out. What was computed by the present version is not computed again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from judges.schematic import SCHEMATIC_VERSION, ResponseRow, schematicity
from results.log_rows import LogError
from results.store import Store

SUBSAMPLES: Final = 100
"""Random samples of a run; more only narrow the share of the interval that comes from the drawing."""


def add_figures(store: Store, run_id: str, path: Path) -> bool:
    """Compute a run's figures from its log.

    Returns:
        Whether there was anything to compute: not where the figures are there, nor for dialogues, whose answers lean on
        each other.

    Raises:
        LogError: The samples cannot be read.
    """
    if store.figures(run_id)[1] == SCHEMATIC_VERSION or any(i.risk_turn for i in store.manifest(run_id).items):
        return False
    rows, system = _responses(path)
    found = schematicity(rows, system, subsamples=SUBSAMPLES)
    store.write_figures(run_id, found.figures(), SCHEMATIC_VERSION)
    return True


def _responses(path: Path) -> tuple[list[ResponseRow], str | None]:
    """The judged responses of a log with their prompts, and the system prompt."""
    from inspect_ai.log import read_eval_log

    from judges.panel import response_of

    try:
        log = read_eval_log(str(path))
    except Exception as ex:
        raise LogError("its ratings are in; its answers cannot be read, so how canned they are is not known") from ex
    thinking = bool(((log.eval.metadata or {}).get("psychosafe") or {}).get("thinking"))
    rows: list[ResponseRow] = []
    system: str | None = None
    for s in log.samples or []:
        if s.error:
            continue
        response = response_of(s.output, thinking)
        prompt = s.input if isinstance(s.input, str) else "\n".join(m.text for m in s.input if m.role == "user")
        if response.judged:
            rows.append((str(s.id), (s.metadata or {}).get("domain"), prompt, response.text))
        if system is None:
            system = "\n\n".join(m.text for m in s.messages if m.role == "system") or None
    return rows, system

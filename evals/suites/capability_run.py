"""One run of the benchmarks' harness in a suite: a process that ends with its runner, and files in a fresh folder.

A run that was killed leaves its folder behind, and is done again in another: the harness keeps nothing half.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Final

from evals import capabilities
from evals.capabilities import SERVED, Backend, CapabilityError
from evals.suites.capability import harness_plan
from evals.suites.claims import Claim, Place
from evals.suites.endpoints import key_of
from evals.suites.model import ModelEntry
from evals.suites.section import CAPABILITIES, Capabilities
from evals.suites.servers import let_go

MAX_BYTES: Final = 256 * 2**20


def files_of(root: str, key: str) -> str:
    """The folder of what the harness wrote for a run; it holds questions and answers."""
    return f"{root.rstrip('/')}/{CAPABILITIES}/{key}"


def measure(section: Capabilities, m: ModelEntry, condition: str, place: str, claim: Claim) -> tuple[int, str]:
    """Run the harness for one model under one condition.

    Args:
        section: The suite's section.
        m: The model.
        condition: Name or file of the condition.
        place: Folder or URL of the run's files.
        claim: The claim on the run: each has a folder of its own.

    Returns:
        Questions that were scored (0 if the harness does not say), and the results file's path within `place`.

    Raises:
        CapabilityError: The harness failed; where its log lies stands in the message.
        ConditionError: The condition cannot be used.
        OSError: The files cannot be written.
    """
    told = harness_plan(section, m, condition)
    if told.backend not in SERVED:
        let_go()
    name = f"{claim.number:04d}-{claim.owner[:8]}"
    target = Place(f"{place}/{name}")
    with nullcontext(target.path) if target.local else tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        try:
            results = capabilities.run(told, here, environ=_environment(m, told.backend))
        except CapabilityError as ex:
            if not target.local:
                with suppress(OSError):
                    _copy(here, target)
            raise CapabilityError(str(ex).replace(str(here), target.url)) from ex
        if not target.local:
            _copy(here, target)
        return _questions(results), f"{name}/{results.relative_to(here).as_posix()}"


def _environment(m: ModelEntry, backend: Backend) -> dict[str, str]:
    """The harness knows one variable for the key of a server; a key of another service is never sent to it."""
    return {**os.environ, **({"OPENAI_API_KEY": key_of(m) or ""} if backend in SERVED else {})}


def _copy(folder: Path, target: Place) -> None:
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        there = f"{target.path}/{path.relative_to(folder).as_posix()}"
        target.fs.makedirs(there.rpartition("/")[0], exist_ok=True)
        target.fs.put_file(str(path), there)


def _questions(results: Path) -> int:
    """Questions of all tasks of a results file; 0 where it does not say."""
    with suppress(OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
        if results.stat().st_size <= MAX_BYTES:
            counts = json.loads(results.read_text(encoding="utf-8"))["n-samples"].values()
            return sum(int(c["effective"]) for c in counts)
    return 0

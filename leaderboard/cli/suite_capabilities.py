"""Benchmarks of capability in a suite: their figures into the store, and what a condition or a fine-tune changed."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evals._launch import LAUNCH_DIR
from evals.conditions import load_condition
from evals.suites.capability import base_of
from evals.suites.capability_run import files_of
from evals.suites.claims import Place
from evals.suites.section import Capabilities
from leaderboard import present
from leaderboard.cli.capabilities import changes_table, figures_table
from leaderboard.cli.common import Table
from results.capability import changes_between, what_differs
from results.importers.lm_eval import Asked, read_run, write_run
from results.manifest import ConditionFacts, Manifest
from results.schema import LM_EVAL
from results.store import Store, StoreError

if TYPE_CHECKING:
    from evals.suites.outcome import Outcome
    from evals.suites.plan import Plan, PlannedRun


def benchmarks(found: Plan) -> dict[str, PlannedRun]:
    """The runs of a suite that are benchmarks of capability, by name."""
    return {r.key: r for r in found.runs if isinstance(r.task, Capabilities)}


def bring_in(store: Store, found: Plan, root: str, outcome: Outcome) -> Manifest | None:
    """Bring the figures of a run that is done into the store; what cannot be is said, and stops nothing.

    Args:
        store: The store.
        found: The plan.
        root: Folder or URL of the suite's runs.
        outcome: How the run ended.

    Returns:
        The run as the store has it.
    """
    run = benchmarks(found)[outcome.key]
    given = load_condition(run.condition, LAUNCH_DIR)
    facts = ConditionFacts(name=given.name, system_sha256=given.sha256)
    # Named as the runs on prompts are, so that the board finds both to be of one system.
    asked = Asked(facts, run.model.model, base_of(found.suite, run.model), run.model.revision)
    try:
        with _here(f"{files_of(root, run.key)}/{outcome.log}") as file:
            with file.open("rb") as f:
                digest = hashlib.file_digest(f, "sha256").hexdigest()
            # A later start finds it there, and need not read the samples of all questions again.
            known = next((m for m in store.manifests() if m.task == LM_EVAL and _is(m, digest, run.model.model)), None)
            if known is not None:
                return known
            made = read_run(file, asked)
            write_run(store, made)
    except (StoreError, OSError) as ex:
        click.echo(f"  not ingested: {outcome.key}: {' '.join(str(ex).split())[:300]}", err=True)
        return None
    for line in (*made.alarms(), *made.notes):
        click.echo(f"  ! {line}", err=True)
    return made.manifest


def capability_tables(store: Store, found: Plan, runs: Mapping[str, Manifest]) -> list[Table]:
    """The figures of each run, and against which they may be held.

    A condition is compared with the model without a system prompt, or with the suite's baseline where that is not run;
    a fine-tune with its base under the same condition.

    Args:
        store: The store.
        found: The plan.
        runs: Its benchmarks that are in the store, by name of the run.
    """
    section = found.suite.capabilities
    wanted = benchmarks(found)
    if section is None or not runs:
        return []
    at = {(r.model.id, r.condition): key for key, r in wanted.items()}
    tables = [_figures(store, [runs[key] for key in wanted if key in runs])]
    for key, run in wanted.items():
        others: list[str | None] = []
        if run.condition != "none":
            plain = at.get((run.model.id, "none")) or at.get((run.model.id, found.suite.baseline))
            others.append(plain if plain != key else None)
        if run.model.base is not None:
            others.append(at.get((run.model.base, run.condition)))
        there = [runs[o] for o in others if o is not None and o in runs]
        tables += [_change(store, other, runs[key], section.margin) for other in there if key in runs]
    return tables


def _figures(store: Store, runs: list[Manifest]) -> Table:
    each = [(m, figures_table(store, m)) for m in runs]
    rows = [(present.plain(m.label), *row) for m, table in each for row in table.rows]
    notes = [f"{note} ({present.plain(m.label)})" for m, table in each for note in table.notes]
    return Table(("System", *each[0][1].columns), rows, title="Benchmarks of capability", notes=notes, numeric=(3, 4))


def _change(store: Store, base: Manifest, own: Manifest, margin: float) -> Table:
    title = f"capabilities: {present.plain(own.label)}  against  {present.plain(base.label)}"
    changes = changes_between(store, own, base, margin)
    if not changes:
        return Table(("Not comparable",), [(f"they differ in {', '.join(what_differs(store, own, base))}",)],
                     title=title)  # fmt: skip
    return replace(changes_table(changes, base), title=title)


@contextmanager
def _here(url: str) -> Iterator[Path]:
    """A results file with its samples beside it, on this machine."""
    place = Place(url.rpartition("/")[0])
    name = url.rpartition("/")[2]
    if place.local:
        yield Path(place.path) / name
        return
    with tempfile.TemporaryDirectory() as folder:
        for there in place.names():
            if there == name or (there.startswith("samples_") and there.endswith(".jsonl")):
                place.fs.get_file(f"{place.path}/{there}", str(Path(folder) / there))
        yield Path(folder) / name


def _is(m: Manifest, digest: str, name: str) -> bool:
    return m.origin == "measured" and m.source.sha256 == digest and m.model.name == name

"""`psychosafe data`: published data sets, fetched once into a cache and verified."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from leaderboard.cli.common import Table, format_option, one_line_errors, print_tables

if TYPE_CHECKING:
    from evals.data import Status

COMMIT: Final = 40
"""Digits of a commit; branches and tags are shorter."""


@click.group("data")
def data_command() -> None:
    """Published data sets: fetch them once, verify them, use them offline.

    They lie in $PSYCHOSAFE_DATA, else in the platform's cache folder (~/.cache/psychosafe), and are never passed on.
    """


@data_command.command("list")
@format_option
def list_command(fmt: str) -> None:
    """List the known sets and the hub data sets that were fetched."""
    from evals.data import cache_dir, cached_specs, check

    with one_line_errors():
        found = [check(spec.name) for spec in cached_specs()]
        notes = [f"{s.spec.name}: {s.problem}" for s in found if s.problem and not s.missing]
        notes.append(
            f"cache: {cache_dir()}; `psychosafe data fetch NAME` brings a set, or owner/name[:FILE] of the hub"
        )
    rows = [
        (
            s.spec.name,
            str(s.rows or s.spec.rows or "not known"),
            s.spec.licence,
            _version(s),
            "yes" if s.cached else "damaged" if not s.missing else "no, gated" if s.spec.gated else "no",
            str(s.path or f"{s.spec.kind}: {s.spec.source}"),
        )
        for s in found
    ]
    table = Table(("Set", "Rows", "Licence", "Version", "Cached", "Where"), rows, notes=notes, numeric=(1,))
    print_tables([table], fmt, [_facts(s) for s in found])


@data_command.command("fetch")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--revision", help="Commit, branch or tag to take; replaces a copy of another one. For a single NAME.")
def fetch_command(names: tuple[str, ...], revision: str | None) -> None:
    """Fetch sets into the cache and verify them.

    NAME is a set that `psychosafe data list` shows, or owner/name[:FILE] of a data set on the hub. For gated sets,
    accept their terms on the hub and set HF_TOKEN. A set that cannot be fetched is named with the reason; the others
    are still fetched, and the exit status is 1.
    """
    from evals.data import SETS, DataError, fetch

    if revision is not None and len(names) > 1:
        raise click.UsageError("--revision goes with a single NAME")
    failed = False
    with one_line_errors():
        for name in dict.fromkeys(names):
            if name not in SETS and os.path.exists(name):  # never raises, unlike Path.exists
                click.echo(f"here      {name}: a path on this machine; use it as it is")
                continue
            try:
                done = fetch(name, revision, progress=lambda line: click.echo(line, err=True))
            except DataError as ex:
                click.echo(f"failed    {' '.join(str(ex).split())}", err=True)
                failed = True
                continue
            files = f"{done.files} file{'s' * (done.files != 1)}"
            click.echo(f"{done.state:<9} {name}  ({files}, revision {done.revision[:12]})  {done.path}")
            if done.note:
                click.echo(f"          note: {' '.join(done.note.split())}", err=True)
    if failed:
        raise SystemExit(1)


@data_command.command("check")
@click.argument("names", nargs=-1, metavar="[NAME[=PATH]]...")
@format_option
def check_command(names: tuple[str, ...], fmt: str) -> None:
    """Verify cached sets anew: checksums, columns and row counts; all of them if no NAME is given.

    With NAME=PATH, verify your own file or folder against the structure of the set. Exit status 1 if something is
    wrong.
    """
    from evals.data import cached_specs, check

    with one_line_errors():
        if names:
            parts = [(name.partition("=")[0], name.partition("=")[2]) for name in dict.fromkeys(names)]
            found = [check(name, Path(path).expanduser() if path else None) for name, path in parts]
        else:
            found = [s for s in (check(spec.name) for spec in cached_specs()) if not s.missing]
    rows = [
        (
            s.spec.name,
            str(s.rows or ""),
            _version(s),
            str(s.path or ""),
            "wrong" if s.problem else "good",
            s.problem or "",
        )
        for s in found
    ]
    table = Table(
        ("Set", "Rows", "Version", "Where", "State", "What is wrong"),
        rows,
        notes=[] if rows else ["no set is in the cache: `psychosafe data fetch NAME` brings one"],
        numeric=(1,),
    )
    print_tables([table], fmt, [_facts(s) for s in found])
    if any(s.problem for s in found):
        raise SystemExit(1)


def _version(status: Status) -> str:
    by_commit = "pinned by commit" if len(status.spec.ref) == COMMIT else ""
    pin = "pinned by checksum" if status.spec.sha256 else (status.revision or "")[:12] or by_commit
    return ", ".join(p for p in (status.spec.version, pin) if p) or "pinned by the first fetch"


def _facts(status: Status) -> dict[str, Any]:
    spec = status.spec
    return {
        "set": spec.name,
        "title": spec.title,
        "rows": status.rows or spec.rows,
        "licence": spec.licence,
        "gated": spec.gated,
        "kind": spec.kind,
        "source": spec.source,
        "version": spec.version or None,
        "sha256": spec.sha256,
        "revision": status.revision,
        "fetched": status.fetched,
        "cached": status.cached,
        "path": str(status.path) if status.path else None,
        "problem": status.problem,
    }

"""People's ratings from a file to the store: every row checked, all bad ones named, whole or not at all.

The importers of people's ratings read their file into a `PeopleFile`; `add_people` checks it against the runs in the
store and adds it to them. Ratings keep the run's own scale: a value off it is refused and never rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from results.added import add_ratings, check_ratings
from results.importers.people_check import BadRow, Checker
from results.importers.people_rows import PeopleFile, RefusedRow
from results.importers.psychosafe import ImportRefused
from results.schema import KEY_COLUMNS, Rating, ratings_table
from results.store import Store

NAMED: Final = 3
"""How many refused rows the one-line error names."""

_Good = dict[tuple[int, str], list[tuple[Rating, bool]]]


@dataclass(frozen=True)
class AddedRun:
    """What a file gave a run: how many ratings are new, and how many it had already, the same in every way."""

    run_id: str
    raters: tuple[str, ...]
    new: int
    known: int


@dataclass(frozen=True)
class Added:
    """What an import did: a line for each file and run, and the rows left out."""

    runs: tuple[AddedRun, ...]
    refused: tuple[RefusedRow, ...]


def add_people(store: Store, files: Sequence[PeopleFile], *, keep_good: bool = False) -> Added:
    """Add people's ratings to the runs that they are about.

    Every row of every file is checked before the first is written; should a later run fail to be written, what was
    added to the earlier ones is taken back.

    Args:
        store: The store; the runs are in it.
        files: What the importers read.
        keep_good: Add the good rows of a file that has bad ones.

    Returns:
        What was added, and the rows that were not. What a run has already, the same
        in every way, is not added again: a file that was mended can be imported whole.

    Raises:
        ImportRefused: Bad rows, the first three with their reasons; or no row at all.
        StoreError: The store cannot be written, or a file was added before with other rows.
    """
    good, refused = _check(store, files)
    total = len(refused) + sum(len(rows) for rows in good.values())
    first = files[0].source.file if files else "no file"
    if not total:
        raise ImportRefused(f"{first}: no ratings in it; export the file again")
    if refused and not (keep_good and good):
        named = "; ".join(map(str, refused[:NAMED]))
        more = f"; and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
        mend = "none is left to add; mend them" if not good else "mend them, or add the others with --keep-good"
        raise ImportRefused(f"{len(refused)} of {total} ratings cannot be used: {named}{more}; {mend}")
    new = {key: [r for r, is_new in rows if is_new] for key, rows in good.items()}
    tables = {key: ratings_table(rows) for key, rows in new.items() if rows}
    places = {(i, r): check_ratings(store, r, table, files[i].source) for (i, r), table in tables.items()}
    with ExitStack() as undo:
        for (i, run_id), table in tables.items():
            add_ratings(store, run_id, table, files[i].source)
            if (place := places[i, run_id]) is not None:
                undo.callback(place.unlink, missing_ok=True)
        undo.pop_all()
    runs = []
    for (i, run_id), rows in good.items():
        raters = tuple(sorted({r["rater"] for r, _ in rows}))
        added = len(new[i, run_id])
        runs.append(AddedRun(run_id, raters, added, len(rows) - added))
    return Added(tuple(runs), tuple(refused))


def _check(store: Store, files: Sequence[PeopleFile]) -> tuple[_Good, list[RefusedRow]]:
    """Good rows by file and run, each with whether it is new, and all bad ones in the order of the files."""
    checker = Checker(store)
    found: list[tuple[int, str, Rating | str]] = []
    for i, file in enumerate(files):
        for entry in file.entries:
            verdict: Rating | str
            try:
                verdict = entry.reason if isinstance(entry, RefusedRow) else checker.rating(entry)
            except BadRow as ex:
                verdict = str(ex)
            found.append((i, entry.where, verdict))
    seen: dict[tuple[Any, ...], int] = {}
    for n, (i, where, rating) in enumerate(found):
        if isinstance(rating, str):
            continue
        first = seen.setdefault(tuple(rating[c] for c in KEY_COLUMNS), n)
        if first == n:
            continue
        before = found[first]
        found[n] = (i, where, f"the same rating stands at {before[1]} already")
        if not isinstance(before[2], str) and _said(before[2]) != _said(rating):
            # Which of the two is meant cannot be told.
            found[first] = (before[0], before[1], f"the same rating stands at {where} with another value")
    good: _Good = {}
    refused: list[RefusedRow] = []
    for i, where, verdict in found:
        try:
            if isinstance(verdict, str):
                raise BadRow(verdict)
            row = (verdict, not checker.is_there(verdict))
        except BadRow as ex:
            refused.append(RefusedRow(where, str(ex)))
            continue
        good.setdefault((i, verdict["run_id"]), []).append(row)
    return good, refused


def _said(rating: Rating) -> tuple[float | None, str | None]:
    return rating["value"], rating["status"]

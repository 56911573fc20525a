"""Ratings that are added to a run from elsewhere: people's, another tool's. They outlive the reading of its log."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from results.manifest import SourceFacts, short_hash
from results.schema import KEY_COLUMNS, RATINGS
from results.store import ADDED, Store, StoreError, lost_ratings
from results.writing import write_table


def add_ratings(store: Store, run_id: str, ratings: pa.Table, source: SourceFacts) -> bool:
    """Add ratings from another source to a run that is there; whole or not at all.

    Args:
        store: The store.
        run_id: The run.
        ratings: Rows of this run in the schema of the ratings table.
        source: Where they come from; the same `file` and `sha256` again add nothing.

    Returns:
        False where exactly these are there already.

    Raises:
        StoreError: No such run, rows of another run or of items that it lacks, a rating that it has already, or a
            folder that cannot be written.
    """
    told = {**(RATINGS.metadata or {}), b"psychosafe_source": source.model_dump_json().encode()}
    with store.writing():
        place = check_ratings(store, run_id, ratings, source)
        if place is None:
            return False
        try:
            place.parent.mkdir(exist_ok=True)
            write_table(ratings.replace_schema_metadata(told), place)
        except OSError as ex:
            raise StoreError(f"cannot write to the store {store.root}: {ex.strerror or ex}") from ex
    return True


def check_ratings(store: Store, run_id: str, ratings: pa.Table, source: SourceFacts) -> Path | None:
    """Where `add_ratings` would write these; None where they are there already. Writes nothing.

    Raises:
        StoreError: As `add_ratings`.
    """
    manifest = store.manifest(run_id)
    rows = ratings.to_pylist()
    if any(r["run_id"] != run_id for r in rows):
        raise StoreError(f"{source.file}: ratings of another run than {run_id}")
    known = {item.id for item in manifest.items}
    stray = next((r["item_id"] for r in rows if r["item_id"] not in known), None)
    if stray is not None:
        raise StoreError(f"{source.file}: {run_id} has no item {stray!r}")
    stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(source.file).stem).strip("-")[:40] or "ratings"
    name = f"{stem}-{short_hash([source.file, source.sha256], 10)}.parquet"
    place = store.runs_dir / run_id / ADDED / name
    if place.is_file():
        if _read(place, run_id).equals(ratings):
            return None
        raise StoreError(f"{source.file} is added to {run_id} already, with other rows; give the new file a new name")
    table = all_ratings(store, run_id)
    there = {tuple(r[c] for c in KEY_COLUMNS) for r in table.select(list(KEY_COLUMNS)).to_pylist()}
    twice = next((r for r in rows if tuple(r[c] for c in KEY_COLUMNS) in there), None)
    if twice is not None:
        what = f"{twice['rater']} has rated {twice['criterion']} of {twice['item_id']}"
        raise StoreError(f"{source.file}: {what} in {run_id} already")
    return place


def all_ratings(store: Store, run_id: str) -> pa.Table:
    """A run's own ratings and those that were added to it, each file checked on the way.

    Raises:
        StoreError: No such run, or a file that cannot be read; the message says which, and what brings it back.
    """
    _, *added = store.ratings_files(run_id)
    tables = [store.own_ratings(store.manifest(run_id)), *(_read(path, run_id) for path in added)]
    return pa.concat_tables(tables).unify_dictionaries()


def _read(path: Path, run_id: str) -> pa.Table:
    try:
        return pq.read_table(path, schema=RATINGS)
    except (OSError, pa.ArrowException) as ex:
        raise lost_ratings(run_id, [path]) from ex


def added_sources(store: Store, run_id: str) -> list[SourceFacts]:
    """Where the ratings come from that were added to a run."""
    told = ((pq.read_schema(f).metadata or {}).get(b"psychosafe_source") for f in store.ratings_files(run_id)[1:])
    return [SourceFacts.model_validate_json(t) for t in told if t]

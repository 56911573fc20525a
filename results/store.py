"""The store: one folder a run, with its manifest, its ratings and, from a second stage, its texts.

A reader sees all of a run or nothing (`results.writing`); writing the same run again leaves the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from judges.stats import Estimate
from results.catalogue import Catalogue, Unreadable, stamp
from results.engine import ask
from results.manifest import Manifest
from results.schema import FIGURES, RATINGS, SCHEMA_VERSION, ratings_sha256
from results.writing import MANIFEST, new_draft, ratings_name, sweep, write_bytes, write_table, writing
from rubrics.errors import MendableError

DEFAULT_STORE: Final = Path(__file__).resolve().parent / "store"
ENV_STORE: Final = "PSYCHOSAFE_STORE"
MAX_REMEMBERED: Final = 256
"""Answers of the ratings files that are kept in memory; each is a few thousand rows at the most."""


_Stamp = tuple[tuple[int, int, int], ...]
ADDED: Final = "added"
"""Folder in a run's folder that holds what was added to it."""


class StoreError(MendableError):
    """Something in the store, or asked of it, that cannot be used."""


def lost_ratings(run_id: str, files: Iterable[Path]) -> StoreError:
    """What to say where ratings of a run cannot be read: which, and what brings them back.

    Args:
        run_id: The run.
        files: Its files of ratings, or the one that cannot be read.
    """
    for path in files:
        try:
            pq.ParquetFile(path).read().cast(RATINGS)
        except (OSError, ValueError, pa.ArrowException):
            if path.parent.name == ADDED:
                # Its log does not bring back what people said.
                what = f"{ADDED}/{path.name} of {run_id}"
                return StoreError(f"{what} cannot be read; remove that file, and bring its ratings in again")
    return StoreError(f"the ratings of {run_id!r} cannot be read; ingest its log again")


def store_path(given: str | Path | None = None) -> Path:
    """Where the store is: as given, else $PSYCHOSAFE_STORE, else `results/store/` in the checkout."""
    return Path(given or os.environ.get(ENV_STORE) or DEFAULT_STORE)


class Store:
    """Runs on disk.

    Args:
        root: Its folder; created with the first run.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._asked: dict[tuple[str, ...], tuple[_Stamp, list[tuple[Any, ...]]]] = {}
        self._catalogue = Catalogue(root)

    @cached_property
    def runs_dir(self) -> Path:
        """Folder of the runs."""
        return self.root / "runs"

    def run_ids(self) -> list[str]:
        """Ids of all runs, sorted."""
        return list(self._catalogue.runs())

    def manifest(self, run_id: str) -> Manifest:
        """The manifest of a run.

        Raises:
            StoreError: There is no such run, or its manifest cannot be read.
        """
        try:
            return self._catalogue.run(run_id)
        except FileNotFoundError as ex:
            raise StoreError(f"no run {run_id!r} in {self.root}; `psychosafe runs` lists what there is") from ex
        except Unreadable as ex:
            raise StoreError(f"{run_id!r}: {ex}") from ex

    def manifests(self) -> Iterator[Manifest]:
        """The manifests of all runs that can be read, in the order of their ids."""
        return iter([m for m in self._catalogue.runs().values() if isinstance(m, Manifest)])

    def unreadable(self) -> dict[str, str]:
        """Runs whose manifest cannot be read, with the reason."""
        return {run_id: found for run_id, found in self._catalogue.runs().items() if isinstance(found, str)}

    def damaged(self) -> dict[str, str]:
        """Runs that cannot be read, with the reason."""
        bad = self.unreadable()
        for run_id in (m.run_id for m in self.manifests()):
            try:
                pq.read_metadata(self.ratings_files(run_id)[0])
            except (OSError, pa.ArrowException):
                bad[run_id] = "its ratings cannot be read; ingest its log again"
        return bad

    def find(self, wanted: str) -> Manifest:
        """A run by id, by the start of its id, or by its label.

        Raises:
            StoreError: None fits, or several do.
        """
        every = list(self.manifests())
        hits = [m for m in every if m.run_id == wanted]
        hits = hits or [m for m in every if m.run_id.startswith(wanted)]
        hits = hits or [m for m in every if wanted in (m.label, f"{m.model.name}/{m.condition.name}")]
        if len(hits) > 1:
            # A system often has a run on the risky set and one on its twins; the risky one is meant.
            risky = [m for m in hits if m.task == "psychosafe"]
            hits = risky if len(risky) == 1 else hits
        if not hits:
            raise StoreError(f"no run {wanted!r} in {self.root}; `psychosafe runs` lists what there is")
        if len(hits) > 1:
            raise StoreError(
                f"{wanted!r} fits {len(hits)} runs ({', '.join(m.run_id for m in hits[:4])}); give more of the id"
            )
        return hits[0]

    def ratings(self, run_ids: Sequence[str]) -> pa.Table:
        """All ratings of some runs, as one table: their own, and those that were added to them.

        Raises:
            StoreError: No such run, or ratings that cannot be read.
        """
        tables = []
        for run_id in run_ids:
            files = self.ratings_files(run_id)
            try:
                tables += [pq.read_table(f, schema=RATINGS) for f in files]
            except (OSError, pa.ArrowException) as ex:
                raise lost_ratings(run_id, files) from ex
        return pa.concat_tables(tables).unify_dictionaries() if tables else RATINGS.empty_table()

    def own_ratings(self, run: Manifest) -> pa.Table:
        """The ratings of a run's own judges, without what was added: those that this manifest names, and no later ones.

        Raises:
            StoreError: They cannot be read, or have been replaced since.
        """
        try:
            # `read_table` would import pandas, a second that a cold table of a thousand runs has not.
            return pq.ParquetFile(self.runs_dir / run.run_id / ratings_name(run.ratings)).read().cast(RATINGS)
        except (OSError, pa.ArrowException) as ex:
            raise StoreError(f"the ratings of {run.run_id!r} cannot be read; ingest its log again") from ex

    def content(self, run: Manifest) -> str:
        """What tells what a run's own judges say: the hash of its ratings; of schema 1 the state of its file."""
        if run.ratings is not None:
            return run.ratings
        return f"file {stamp(self.runs_dir / run.run_id / ratings_name(None))}"

    def values(self, run_id: str, rater: str, epochs_apart: bool = False) -> dict[str, dict[str, float]]:
        """Mean value of each item over its epochs, per criterion, of one rater; turns of dialogues are apart (`turns`).

        Args:
            run_id: The run.
            rater: The rater; `results.schema.PANEL_RATER` for the panel.
            epochs_apart: Key the items as `id#epoch` instead of averaging.

        Returns:
            Criterion -> item id -> value; items without a value are absent.
        """
        item = "item_id || '#' || epoch" if epochs_apart else "item_id"
        rows = self._query(
            run_id,
            f"select criterion, {item} as item, avg(value) from read_parquet(?) "  # noqa: S608  (fixed text)
            "where rater = ? and turn = 0 and repeat = 0 and value is not null "
            "group by criterion, item order by criterion, item",
            rater,
        )
        out: dict[str, dict[str, float]] = {}
        for criterion, item_id, value in rows:
            out.setdefault(str(criterion), {})[str(item_id)] = float(value)
        return out

    def turns(self, run_id: str, rater: str) -> dict[tuple[str, int], dict[int, dict[str, float]]]:
        """Values of one rater on each turn of a run's dialogues.

        Returns:
            (item id, epoch) -> turn -> criterion -> value; what has no value is absent, a turn that was rated is not.
        """
        rows = self._query(
            run_id,
            "select item_id, epoch, turn, criterion, value from read_parquet(?) "
            "where rater = ? and turn > 0 and repeat = 0 order by item_id, epoch, turn, criterion",
            rater,
        )
        out: dict[tuple[str, int], dict[int, dict[str, float]]] = {}
        for item_id, epoch, turn, criterion, value in rows:
            cell = out.setdefault((str(item_id), int(epoch)), {}).setdefault(int(turn), {})
            if value is not None:
                cell[str(criterion)] = float(value)
        return out

    def defined_items(self, run_id: str, criterion: str, rater: str) -> list[str]:
        """Items on which a criterion or score has a meaning: its denominator."""
        rows = self._query(
            run_id,
            "select distinct criterion, item_id from read_parquet(?) where rater = ? and turn = 0 "
            "and (status is null or status not in ('undefined', 'not_estimable')) order by criterion, item_id",
            rater,
        )
        return [str(item) for found, item in rows if found == criterion]

    def figures(self, run_id: str) -> tuple[dict[str, Estimate], str]:
        """Figures of the run as a whole by name, and the version of what computed them; none and "" if there are none.

        Raises:
            StoreError: They are there and cannot be read.
        """
        path = self.runs_dir / run_id / "figures.parquet"
        if not path.is_file():
            return {}, ""
        try:
            # `read_table` would import pandas, a second for ten rows.
            rows = pq.ParquetFile(path).read().to_pylist()
        except (OSError, pa.ArrowException) as ex:
            raise StoreError(f"the figures of {run_id!r} cannot be read; ingest its log again") from ex
        names = ("value", "low", "high", "n", "total", "method", "reason")
        found = {r["name"]: Estimate(**{k: r[k] for k in names}) for r in rows}
        return found, rows[0]["version"] if rows else ""

    def write_figures(
        self, run_id: str, figures: Mapping[str, Estimate], version: str, *, origin: str = "measured"
    ) -> None:
        """Write the figures of a run as a whole beside its ratings.

        Raises:
            StoreError: The folder cannot be written.
        """
        shared = {"run_id": run_id, "origin": origin, "version": version}
        names = ("value", "low", "high", "n", "total", "method", "reason")
        rows = [{**shared, "name": name, **{k: getattr(e, k) for k in names}} for name, e in figures.items()]
        with self.writing():
            try:
                write_table(pa.Table.from_pylist(rows, schema=FIGURES), self.runs_dir / run_id / "figures.parquet")
            except OSError as ex:
                raise StoreError(f"cannot write to the store {self.root}: {ex.strerror or ex}") from ex

    def ratings_files(self, run_id: str) -> list[Path]:
        """The run's ratings, and behind them what was added.

        Raises:
            StoreError: There is no such run, or its manifest cannot be read.
        """
        folder = self.runs_dir / run_id
        return [folder / ratings_name(self.manifest(run_id).ratings), *sorted((folder / ADDED).glob("*.parquet"))]

    def _query(self, run_id: str, sql: str, *parameters: str) -> list[tuple[Any, ...]]:
        """Rows of a query whose first parameter is the run's ratings files; one that was asked before is remembered.

        A page or a comparison asks the same of a run many times. The files' sizes and times of change say whether they
        are still the same files.
        """
        files = self.ratings_files(run_id)
        try:
            key = (run_id, sql, *parameters)
            stamp = tuple((s.st_mtime_ns, s.st_size, s.st_ino) for s in (f.stat() for f in files))
            known = self._asked.get(key)
            if known is not None and known[0] == stamp:
                return known[1]
            rows = ask(sql, [[str(f) for f in files], *parameters])
        except (OSError, duckdb.Error) as ex:
            raise lost_ratings(run_id, files) from ex
        if len(self._asked) >= MAX_REMEMBERED:
            self._asked.clear()
        self._asked[key] = (stamp, rows)
        return rows

    @contextmanager
    def writing(self, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the store for writing, over several writes perhaps; other processes wait.

        Args:
            waiting: Called once if another process holds it.

        Raises:
            StoreError: The folder cannot be written.
        """
        try:
            with writing(self.root, waiting):
                yield
        except OSError as ex:
            raise StoreError(f"cannot write to the store {self.root}: {ex.strerror or ex}") from ex

    def sweep(self) -> None:
        """Remove what killed writers left behind."""
        with self.writing():
            sweep(self.root)

    def write(self, manifest: Manifest, ratings: pa.Table) -> bool:
        """Write a run, whole or not at all; what was added to it stays.

        Args:
            manifest: The run.
            ratings: Its ratings.

        Returns:
            False where the store already holds exactly this run, from this file or from a copy of it.

        Raises:
            StoreError: The folder cannot be written.
        """
        return self.commit(manifest.model_copy(update={"ratings": ratings_sha256(ratings)}), lambda: ratings)

    def commit(self, manifest: Manifest, ratings: Callable[[], pa.Table], draft: Path | None = None) -> bool:
        """`write`, for a manifest that holds the hash of its ratings.

        Args:
            manifest: The run.
            ratings: Gives its ratings, if they are needed.
            draft: A file that holds them already, to be moved in.
        """
        manifest = manifest.model_copy(update={"schema_version": SCHEMA_VERSION})
        folder = self.runs_dir / manifest.run_id
        name = ratings_name(manifest.ratings)
        with self.writing():
            there = self._there(manifest.run_id)
            same = there is not None and same_run(there, manifest) and self._intact(there)
            moved = there is not None and there.source.location != manifest.source.location
            if same and (moved or there == manifest):
                return False
            folder.mkdir(parents=True, exist_ok=True)
            if not same:
                if draft is not None:
                    draft.replace(folder / name)
                else:
                    write_table(ratings(), folder / name)
            write_bytes(manifest.to_json().encode(), folder / MANIFEST)
            for other in folder.glob("ratings*.parquet"):
                if other.name != name:
                    other.unlink()
        return not same

    def _there(self, run_id: str) -> Manifest | None:
        """The run as it stands there; None if there is none that can be read."""
        try:
            return self.manifest(run_id)
        except StoreError:
            return None

    def _intact(self, run: Manifest) -> bool:
        """Whether a run's ratings are what its manifest says."""
        try:
            return ratings_sha256(self.own_ratings(run)) == run.ratings
        except StoreError:
            return False

    def draft(self) -> Path:
        """A place for a file that will be moved into the store."""
        return new_draft(self.root)


def same_run(a: Manifest, b: Manifest) -> bool:
    """Whether two manifests say the same of a run; read from a copy of its log, it is the same run."""
    return a.model_copy(update={"source": b.source}) == b

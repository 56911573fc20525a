"""The store: one folder a run, with its manifest and its ratings.

A run is written beside its place and moved in whole, so that a reader sees all of it or nothing; writing the same
run again leaves the same bytes.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from judges.stats import Estimate
from results.manifest import Manifest
from results.schema import FIGURES, RATINGS, SCHEMA_VERSION

DEFAULT_STORE: Final = Path(__file__).resolve().parent / "store"
ENV_STORE: Final = "PSYCHOSAFE_STORE"
MAX_REMEMBERED: Final = 256
"""Answers of the ratings files that are kept in memory; each is a few thousand rows at the most."""


_Stamp = tuple[tuple[int, int, int], ...]
ADDED: Final = "added"
"""Folder in a run's folder that holds what was added to it."""


class StoreError(ValueError):
    """Something in the store, or asked of it, that cannot be used."""


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

    @cached_property
    def runs_dir(self) -> Path:
        """Folder of the runs."""
        return self.root / "runs"

    def run_ids(self) -> list[str]:
        """Ids of all runs, sorted."""
        if not self.runs_dir.is_dir():
            return []
        return sorted(p.name for p in self.runs_dir.iterdir() if not p.name.startswith(".") and p.is_dir())

    def manifest(self, run_id: str) -> Manifest:
        """The manifest of a run.

        Raises:
            StoreError: There is no such run, or its manifest cannot be read.
        """
        path = self.runs_dir / run_id / "run.json"
        try:
            manifest = Manifest.model_validate_json(path.read_bytes())
        except FileNotFoundError as ex:
            raise StoreError(f"no run {run_id!r} in {self.root}; `psychosafe runs` lists what there is") from ex
        except (OSError, ValidationError) as ex:
            raise StoreError(f"the manifest of {run_id!r} cannot be read; ingest its log again") from ex
        if manifest.schema_version != SCHEMA_VERSION:
            raise StoreError(
                f"{run_id!r} has store schema {manifest.schema_version}, this version reads {SCHEMA_VERSION}; "
                "ingest its log again"
            )
        return manifest

    def manifests(self) -> Iterator[Manifest]:
        """The manifests of all runs that can be read, in the order of their ids."""
        for run_id in self.run_ids():
            try:
                yield self.manifest(run_id)
            except StoreError:
                continue

    def damaged(self) -> dict[str, str]:
        """Runs that cannot be read, with the reason."""
        bad: dict[str, str] = {}
        for run_id in self.run_ids():
            try:
                self.manifest(run_id)
                pq.read_metadata(self.runs_dir / run_id / "ratings.parquet")
            except StoreError as ex:
                bad[run_id] = str(ex)
            except (OSError, pa.ArrowInvalid):
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
        """All ratings of some runs, as one table: their own, and those that were added to them."""
        tables = [pq.read_table(f, schema=RATINGS) for r in run_ids for f in self.ratings_files(r)]
        return pa.concat_tables(tables).unify_dictionaries() if tables else RATINGS.empty_table()

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
        except (OSError, pa.ArrowInvalid) as ex:
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
        folder = self.runs_dir / run_id
        draft = folder / f".figures-{uuid.uuid4().hex[:8]}"
        try:
            pq.write_table(pa.Table.from_pylist(rows, schema=FIGURES), draft, compression="zstd")
            draft.replace(folder / "figures.parquet")
        except OSError as ex:
            raise StoreError(f"cannot write to the store {self.root}: {ex.strerror or ex}") from ex
        finally:
            draft.unlink(missing_ok=True)

    def ratings_files(self, run_id: str) -> list[Path]:
        """The run's ratings, and behind them what was added."""
        folder = self.runs_dir / run_id
        return [folder / "ratings.parquet", *sorted((folder / ADDED).glob("*.parquet"))]

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
            rows: list[tuple[Any, ...]] = duckdb.execute(sql, [[str(f) for f in files], *parameters]).fetchall()
        except (OSError, duckdb.Error) as ex:
            raise StoreError(f"the ratings of {run_id!r} cannot be read; ingest its log again") from ex
        if len(self._asked) >= MAX_REMEMBERED:
            self._asked.clear()
        self._asked[key] = (stamp, rows)
        return rows

    def write(self, manifest: Manifest, ratings: pa.Table) -> bool:
        """Write a run, whole or not at all.

        Returns:
            False where the store already holds exactly this run.

        Raises:
            StoreError: The folder cannot be written.
        """
        place = self.runs_dir / manifest.run_id
        text = manifest.to_json()
        if place.is_dir() and _same(place, manifest, ratings):
            return False
        try:
            self.runs_dir.mkdir(parents=True, exist_ok=True)
            draft = self.runs_dir / f".{manifest.run_id}.{uuid.uuid4().hex[:8]}"
            draft.mkdir()
            try:
                pq.write_table(ratings, draft / "ratings.parquet", compression="zstd", use_dictionary=True)
                (draft / "run.json").write_text(text, encoding="utf-8")
                if place.exists():
                    if (place / ADDED).is_dir():
                        # People's ratings do not come from the log, and outlive its being read again.
                        shutil.copytree(place / ADDED, draft / ADDED)
                    old = self.runs_dir / f".old-{uuid.uuid4().hex[:8]}"
                    place.rename(old)
                    draft.rename(place)
                    shutil.rmtree(old)
                else:
                    draft.rename(place)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        except OSError as ex:
            raise StoreError(f"cannot write to the store {self.root}: {ex.strerror or ex}") from ex
        return True


def _same(place: Path, manifest: Manifest, ratings: pa.Table) -> bool:
    """Whether the run stands there already; the same run read from a copy of its log is the same run."""
    try:
        there = Manifest.model_validate_json((place / "run.json").read_bytes())
        if there.model_copy(update={"source": manifest.source}) != manifest:
            return False
        return bool(pq.read_table(place / "ratings.parquet", schema=RATINGS).equals(ratings))
    except (OSError, pa.ArrowInvalid, ValidationError):
        return False

"""Sufficient statistics of many runs: of each measure, over all items and domain by domain, what its mean rests on.

A few numbers a cell, from which a table of a thousand runs is drawn without reading a rating. Made from the cube, and
kept as a derived file.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from judges.stats.sums import Sums
from results.cube import cube, cube_key
from results.derived import content_of, kept
from results.manifest import Manifest
from results.measure import kind_of
from results.store import Store

ALL: str = ""
"""The domain of a cell over all items."""
STATISTICS: Final = pa.schema(
    [
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("measure", pa.string(), nullable=False),
        pa.field("domain", pa.string(), nullable=False),
        pa.field("n", pa.int32(), nullable=False),
        pa.field("total", pa.int32(), nullable=False),
        pa.field("mean", pa.float64(), nullable=False),
        pa.field("squares", pa.float64(), nullable=False),
        pa.field("least", pa.float64(), nullable=False),
        pa.field("most", pa.float64(), nullable=False),
        pa.field("whole", pa.bool_(), nullable=False),
    ]
)
"""A cell a row; the columns behind `domain` are those of `judges.stats.sums.Sums`."""
_VERSION: Final = 1

Cell = tuple[str, str, str]
"""Run, measure and domain."""


def statistics(store: Store, runs: Sequence[Manifest]) -> Mapping[Cell, Sums]:
    """The sufficient statistics of runs that share a `cube_key`.

    Args:
        store: The store.
        runs: The runs, at least one.

    Raises:
        NoCube: Runs that do not fit into one cube.
        StoreError: Ratings that cannot be read.
    """
    content = [_VERSION, content_of(runs)]
    raw = kept(store, "statistics", cube_key(runs[0]), content, ".parquet", lambda _: _made(store, runs))
    # `read_table` would import pandas.
    rows = pq.ParquetFile(io.BytesIO(raw)).read().to_pydict()
    cells = zip(rows["run_id"], rows["measure"], rows["domain"], strict=True)
    numbers = zip(*(rows[f.name] for f in STATISTICS if f.name not in ("run_id", "measure", "domain")), strict=True)
    return {cell: Sums(*found) for cell, found in zip(cells, numbers, strict=True)}


def _made(store: Store, runs: Sequence[Manifest]) -> bytes:
    made = cube(store, runs)
    domain_of = {i.id: i.domain or ALL for i in runs[0].items}
    names = np.array([domain_of[i] for i in made.items])
    groups = {ALL: np.ones(len(made.items), bool)} | {d: names == d for d in sorted({*names} - {ALL})}
    columns: dict[str, list[object]] = {f.name: [] for f in STATISTICS}
    for measure in made.measures:
        values, due = made.of(measure, best=kind_of(runs[0], measure).best), made.due(measure)
        for domain, within in groups.items():
            sums = _sums(values[:, within])
            total = due[:, within].sum(axis=1)
            for at, run in enumerate(made.runs):
                cell = (run, measure, domain, int(sums[0][at]), int(total[at]), *(float(s[at]) for s in sums[1:5]))
                for name, value in zip(STATISTICS.names, (*cell, bool(sums[5][at])), strict=True):
                    columns[name].append(value)
    out = io.BytesIO()
    pq.write_table(pa.table(columns, schema=STATISTICS), out, compression="zstd")
    return out.getvalue()


def _sums(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.generic], ...]:
    """Of each row: n, mean, squares, least, most, and whether each value is 0 or 1."""
    known = np.isfinite(values)
    n = known.sum(axis=1)
    mean = np.where(known, values, 0.0).sum(axis=1) / np.maximum(n, 1)
    squares = (np.where(known, values - mean[:, None], 0.0) ** 2).sum(axis=1)
    least = np.where(n > 0, np.where(known, values, np.inf).min(axis=1, initial=np.inf), 0.0)
    most = np.where(n > 0, np.where(known, values, -np.inf).max(axis=1, initial=-np.inf), 0.0)
    whole = (~known | (values == 0.0) | (values == 1.0)).all(axis=1)
    return n, mean, squares, least, most, whole

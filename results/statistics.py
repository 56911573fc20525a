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

from judges.stats.many import Sums, sums
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
"""A cell a row; the columns behind `domain` are `total` and those of `judges.stats.many.Sums`."""
_VERSION: Final = 2

Statistics = Mapping[tuple[str, str], tuple[Sums, npt.NDArray[np.int64]]]
"""By measure and domain: sums, and how many items should have a value, (runs) in the order of the runs."""


def statistics(store: Store, runs: Sequence[Manifest]) -> Statistics:
    """The sufficient statistics of runs that share a `cube_key`.

    Args:
        store: The store.
        runs: The runs, at least one.

    Returns:
        By measure and domain: sums, and how many items should have a value, (runs) each.

    Raises:
        NoCube: Runs that do not fit into one cube.
        StoreError: Ratings that cannot be read.
    """
    content = [_VERSION, content_of(store, runs)]
    raw = kept(store, "statistics", cube_key(runs[0]), content, ".parquet", lambda _: _made(store, runs))
    # `read_table` would import pandas.
    table = pq.ParquetFile(io.BytesIO(raw)).read()
    columns = {name: table[name].to_numpy() for name in STATISTICS.names[3:]}
    found = {}
    # A cell after the other, each with a row a run in their order.
    for at in range(0, table.num_rows, len(runs)):
        own = {name: values[at : at + len(runs)] for name, values in columns.items()}
        total = own.pop("total").astype(np.int64)
        found[str(table["measure"][at]), str(table["domain"][at])] = Sums(**own), total
    return found


def _made(store: Store, runs: Sequence[Manifest]) -> bytes:
    made = cube(store, runs)
    domain_of = {i.id: i.domain or ALL for i in runs[0].items}
    names = np.array([domain_of[i] for i in made.items])
    groups = {ALL: np.ones(len(made.items), bool)} | {d: names == d for d in sorted({*names} - {ALL})}
    parts = []
    for measure in made.measures:
        values, due = made.of(measure, best=kind_of(runs[0], measure).best), made.due(measure)
        for domain, within in groups.items():
            cell = {"run_id": list(made.runs), "measure": [measure] * len(runs), "domain": [domain] * len(runs)}
            numbers = {"total": due[:, within].sum(axis=1), **vars(sums(values[:, within]))}
            parts.append(pa.table({**cell, **numbers}).select(STATISTICS.names).cast(STATISTICS))
    out = io.BytesIO()
    pq.write_table(pa.concat_tables(parts), out, compression="zstd")
    return out.getvalue()

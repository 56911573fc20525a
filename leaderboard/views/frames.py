"""Text as an Arrow table, which Streamlit sends as it is.

From lists it would make a frame of pandas first, and so would pyarrow: the import alone takes a second of the first
page and tens of MiB of the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa


def frame(columns: Mapping[str, Sequence[str]]) -> pa.Table:
    """Columns of text cells, all of one length."""
    return pa.Table.from_arrays([_column(cells) for cells in columns.values()], names=list(columns))


def _column(cells: Sequence[str]) -> pa.StringArray:
    # A lone surrogate is no text that could be sent.
    raw = [c.encode("utf-8", "replace") for c in cells]
    ends = np.zeros(len(raw) + 1, np.int32)
    np.cumsum([len(r) for r in raw], out=ends[1:])
    return pa.StringArray.from_buffers(len(raw), pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(raw)))

"""DuckDB for questions to ratings files: one engine a process, made anew where a file has broken it.

A damaged file can make DuckDB declare its whole database invalid, after which it answers nothing more, of no file. The
database here is in memory and empty, so a new one loses nothing.
"""

from __future__ import annotations

import threading
from typing import Any

import duckdb

_lock = threading.Lock()
_engines: list[duckdb.DuckDBPyConnection] = []


def ask(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """Rows of a query over files.

    Args:
        sql: The query.
        parameters: What its question marks stand for.

    Raises:
        duckdb.Error: A file cannot be read, or broke the engine twice.
    """
    engine = _engine()
    try:
        return _rows(engine, sql, parameters)
    except (duckdb.FatalException, duckdb.ConnectionException):
        # Broken by this file, or by another one that somebody else read: a whole file is answered by a new engine.
        return _rows(_engine(instead_of=engine), sql, parameters)


def _rows(engine: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    # A cursor of its own: pages of several sessions ask at once.
    return engine.cursor().execute(sql, parameters).fetchall()


def _engine(instead_of: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyConnection:
    """The engine of this process; a new one if it is still the broken one."""
    with _lock:
        if not _engines or _engines[0] is instead_of:
            _engines[:] = [duckdb.connect()]
        return _engines[0]

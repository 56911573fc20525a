"""The engine of questions to files: what breaks it for one file does not break it for the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from results import engine

SQL = "SELECT sum(n) FROM read_parquet(?)"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "n.parquet"
    pq.write_table(pa.table({"n": [1, 2, 3]}), path)
    return str(path)


def test_a_broken_engine_is_replaced_and_answers(file: str) -> None:
    assert engine.ask(SQL, [[file]]) == [(6,)]
    old = engine._engine()
    # As after a fatal error, nothing more can be asked of it.
    old.close()
    assert engine.ask(SQL, [[file]]) == [(6,)]
    assert engine._engine() is not old


def test_many_that_find_it_broken_at_once_are_all_answered(file: str) -> None:
    engine._engine().close()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: engine.ask(SQL, [[file]]), range(64))) == [[(6,)]] * 64


def test_a_file_that_cannot_be_read_is_an_error_and_the_engine_stays(file: str, tmp_path: Path) -> None:
    before = engine._engine()
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(Path(file).read_bytes()[:40])
    with pytest.raises(duckdb.Error):
        engine.ask(SQL, [[str(bad)]])
    assert engine.ask(SQL, [[file]]) == [(6,)] and engine._engine() is before

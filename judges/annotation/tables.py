"""The tables of an annotation database, that nothing in them is ever changed or removed, and how it is opened."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    URL,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Double,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
    make_url,
)
from sqlalchemy.exc import ArgumentError

from judges.annotation.model import AnnotationError

WAIT_SECONDS: Final = 10
"""How long a writer waits for another."""
WRITING: Final = "annotation_writing"
"""Execution option of a transaction that writes."""
_OPENING: Final = 7_219_406_551
"""Key of the PostgreSQL lock under which tables are made; any number that nobody else uses."""

_NETWORK: Final = {"connect_timeout": 5, "keepalives_idle": 30, "tcp_user_timeout": 15_000}
"""A server that falls silent is given up after seconds; an annotator waits for an answer."""

meta = MetaData()


def _table(name: str, *columns: Any) -> Table:
    return Table(name, meta, Column("id", Integer, primary_key=True, autoincrement=True), *columns)


plans = _table(
    "plan",
    Column("sha256", String(64), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("opened_at", Double, nullable=False),
)
ratings = _table(
    "ratings",
    Column("annotator", String(40), nullable=False, index=True),
    Column("token", String(40), nullable=False),
    Column("criterion", String(40), nullable=False),
    Column("value", Double),
    Column("status", String(10), nullable=False),
    Column("nonce", String(100), nullable=False),
    Column("shown_at", Double, nullable=False),
    Column("submitted_at", Double, nullable=False),
    Column("position", Integer, nullable=False),
    Column("comment", Text, nullable=False),
    Column("flagged", Boolean, nullable=False),
    UniqueConstraint("annotator", "nonce", "criterion"),
    CheckConstraint("(status = 'ok' AND value IS NOT NULL) OR (status = 'skipped' AND value IS NULL)"),
)
drafts = _table(
    "drafts",
    Column("annotator", String(40), nullable=False),
    Column("token", String(40), nullable=False),
    Column("criterion", String(40), nullable=False),
    Column("value", Double),
    Column("saves", Integer, nullable=False),
    Column("at", Double, nullable=False),
)
events = _table(
    "events",
    Column("annotator", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", Double, nullable=False),
)
adjudications = _table(
    "adjudications",
    Column("adjudicator", String(40), nullable=False),
    Column("token", String(40), nullable=False),
    Column("criterion", String(40), nullable=False),
    Column("value", Double, nullable=False),
    Column("nonce", String(100), nullable=False),
    Column("seen", Text, nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("adjudicator", "nonce", "criterion"),
)
_UNIQUE: Final = {
    "plan": "sha256 = NEW.sha256",
    "ratings": "annotator = NEW.annotator AND nonce = NEW.nonce AND criterion = NEW.criterion",
    "adjudications": "adjudicator = NEW.adjudicator AND nonce = NEW.nonce AND criterion = NEW.criterion",
}


def make_tables(conn: Connection) -> None:
    """Make the tables and their guards, where they are not there; inside the caller's transaction."""
    postgresql = conn.dialect.name == "postgresql"
    if postgresql:
        # CREATE TABLE IF NOT EXISTS is no protection against two who open at the same moment.
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_OPENING})")
    there = set(inspect(conn).get_table_names())
    new = [t for t in meta.sorted_tables if t.name not in there]
    meta.create_all(conn, tables=new, checkfirst=False)
    if postgresql and new:
        conn.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION annotation_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'append-only: rows are never changed or removed'; END $$"
        )
    for table in new:
        for statement in _guards(table.name, postgresql):
            conn.exec_driver_sql(statement)


def _guards(name: str, postgresql: bool) -> list[str]:
    """Triggers that refuse every change of a table's rows, whoever asks."""
    if postgresql:
        return [
            f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION annotation_append_only()"
        ]
    raised = "BEGIN SELECT RAISE(ABORT, 'append-only: rows are never changed or removed'); END"
    # INSERT OR REPLACE would remove a row without firing the trigger on DELETE.
    same = " OR ".join(f"({w})" for w in ("id = NEW.id", _UNIQUE.get(name, "")) if w)
    there = f"EXISTS (SELECT 1 FROM {name} WHERE {same})"  # noqa: S608  (names of ours)
    return [
        f"CREATE TRIGGER {name}_no_update BEFORE UPDATE ON {name} {raised}",
        f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} {raised}",
        f"CREATE TRIGGER {name}_no_replace BEFORE INSERT ON {name} WHEN {there} {raised}",
    ]


def database_url(url: str) -> URL:
    """What a user gives as a database: a path, `sqlite:///...` or `postgresql://...`.

    Raises:
        AnnotationError: None of these. The message never holds a password.
    """
    if "://" not in url:
        return URL.create("sqlite", database=url)
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        raise AnnotationError("the database URL cannot be read; give a path, or postgresql://USER@HOST/NAME") from None
    backend = found.drivername.split("+")[0]
    if backend in ("postgresql", "postgres"):
        return found.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return found.set(drivername="sqlite")
    raise AnnotationError(
        f"no annotation database of kind {backend[:20]!r}; give a path, or postgresql://USER@HOST/NAME"
    )


def open_engine(url: URL, create: bool = True) -> Engine:
    """An engine whose transactions are durable when they are committed.

    Raises:
        AnnotationError: A database in memory, a folder that cannot be made, or no driver for PostgreSQL.
    """
    if url.get_backend_name() == "postgresql":
        try:
            return create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=_NETWORK)
        except ModuleNotFoundError:
            raise AnnotationError("PostgreSQL needs psycopg; pip install 'psychosafe-eval[postgresql]'") from None
    path = url.database or ""
    if not path or path == ":memory:" or path.startswith("file:"):
        raise AnnotationError("ratings in memory would be lost; give the path of a file")
    place = Path(path)
    if not create and not place.is_file():
        raise AnnotationError(f"no annotation database at {place}; give the one that annotators rated into")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            # Comments and names are nobody else's business on a shared machine.
            with suppress(FileExistsError):
                os.close(os.open(place, os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as ex:
        raise AnnotationError(f"cannot make the database {place} ({ex.strerror}); name another path") from None
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": WAIT_SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    """What SQLite has to be told on every connection."""
    # The driver would begin transactions by itself, too late and not for writing.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {int(WAIT_SECONDS * 1000)}")
    for attempt in range(50):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as ex:
            # The change to WAL does not wait for others by itself.
            if attempt == 49 or "locked" not in str(ex):
                raise
            time.sleep(0.1)
    connection.execute("PRAGMA synchronous = FULL")


def _begin(conn: Connection) -> None:
    """Begin a transaction; one that writes takes the lock at once.

    A reader that became a writer later would be refused instead of made to wait. SQLite asks for the lock the less
    often the longer it has waited, so that with ten busy writers one may wait for ten seconds while others come and
    go; asking anew every few milliseconds gives all of them the same chance.
    """
    raw: Any = conn.connection.dbapi_connection
    if not conn.get_execution_options().get(WRITING):
        raw.execute("BEGIN")
        return
    until = time.monotonic() + WAIT_SECONDS
    raw.execute("PRAGMA busy_timeout = 40")
    try:
        while True:
            try:
                raw.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as ex:
                if "locked" not in str(ex) or time.monotonic() > until:
                    raise
    finally:
        raw.execute(f"PRAGMA busy_timeout = {int(WAIT_SECONDS * 1000)}")

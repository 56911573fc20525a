"""A database that is opened by URL, written to in durable transactions, and explains its failures in one line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from judges.annotation.model import AnnotationError
from judges.annotation.tables import WRITING, database_url, open_engine

_REASONS: Final = (
    ("password authentication failed", "the user or the password is wrong"),
    ("no password supplied", "it asks for a password"),
    ("does not exist", "there is no such database or user"),
    ("refused", "nothing answers there; start the server"),
    ("could not translate host name", "its host is not known"),
    ("failed to resolve host", "its host is not known"),
    ("timeout", "it does not answer"),
    ("locked", "another program holds it; close that one and try again"),
    ("readonly", "it is read-only; mend its permissions"),
    ("read-only", "it is read-only; mend its permissions"),
    ("permission denied", "there is no permission; mend it"),
    ("unable to open", "the file cannot be opened; mend the path or its permissions"),
    ("not a database", "the file is no SQLite database; name another path"),
    ("malformed", "the file is damaged; go back to a copy of it"),
    ("disk is full", "the disk is full; make room"),
    ("no space left", "the disk is full; make room"),
    ("closed", "the connection was lost; try again"),
    ("terminat", "the connection was lost; try again"),
)


class Database:
    """Connections to one database; not opened before the first transaction.

    Args:
        url: A path, `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`.
        create: Make the file of a SQLite database that is not there.

    Raises:
        AnnotationError: A URL of another kind, or a file that cannot be made.
    """

    def __init__(self, url: str, create: bool = True) -> None:
        self._url = database_url(url)
        self._engine = open_engine(self._url, create)

    @property
    def name(self) -> str:
        """The database for messages, without user and password."""
        if self._url.get_backend_name() == "sqlite":
            return f"the annotation database {self._url.database}"
        return f"the annotation database {self._url.database or ''} on {self._url.host or 'this machine'}"

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _once(self, table: Any, same: Any, rows: list[dict[str, Any]]) -> bool:
        """Insert rows in one transaction unless their nonce is there."""
        try:
            with self._writing("not saved") as conn:
                if conn.execute(select(table.c.id).where(same).limit(1)).first() is not None:
                    return False
                conn.execute(insert(table), rows)
        except IntegrityError:
            # Two that came at the same moment with one nonce; the other one was first.
            with self._reading() as conn:
                if conn.execute(select(table.c.id).where(same).limit(1)).first() is not None:
                    return False
            raise AnnotationError("not saved: the database refuses these rows; open it with the same version") from None
        return True

    @contextmanager
    def _writing(self, what: str) -> Iterator[Connection]:
        with self._told(what), self._engine.execution_options(**{WRITING: True}).begin() as conn:
            yield conn

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._told("not read"), self._engine.connect() as conn:
            yield conn

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Whatever goes wrong in the database, in one line without addresses and passwords."""
        try:
            yield
        except IntegrityError:
            raise
        except (SQLAlchemyError, sqlite3.Error) as ex:
            said = str(ex.orig if isinstance(ex, DBAPIError) else ex).lower()
            why = next((line for sign, line in _REASONS if sign in said), "it does not work as it should")
            raise AnnotationError(f"{what}: {self.name}: {why}") from None

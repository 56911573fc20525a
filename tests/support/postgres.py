"""A PostgreSQL server of its own for tests: in a temporary folder, on a free loopback port, with a password."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

OWNER = "owner"


def _programs() -> Path | None:
    """The folder that holds `initdb` and `pg_ctl`; Debian keeps them off the path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name.zfill(4), reverse=True)
    found = shutil.which("initdb")
    for place in (*places, *([Path(found).resolve().parent] if found else [])):
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    return None


def _who() -> dict[str, Any]:
    """As whom the server runs: it refuses to be root."""
    if os.geteuid() != 0:
        return {}
    names = {p.pw_name for p in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


class Server:
    """A running server.

    Attributes:
        port: Its port on 127.0.0.1.
        password: Password of `OWNER`.
    """

    def __init__(self, programs: Path, root: Path) -> None:
        self.programs = programs
        self.root = root
        self.password = f"pw-{secrets.token_hex(8)}"
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = int(s.getsockname()[1])
        secret = root / "password"
        secret.write_text(self.password)
        self._who = _who()
        if self._who:
            uid = pwd.getpwnam(self._who["user"]).pw_uid
            for path in (root, secret):
                os.chown(path, uid, self._who["group"])
        self._call("initdb", "-D", str(root / "data"), "-U", OWNER, "--pwfile", str(secret), "-A", "scram-sha-256",
                   "-E", "UTF8", "--no-locale", "--no-sync")  # fmt: skip
        self.start()

    def _call(self, name: str, *args: str) -> None:
        # No pipes: the server would inherit and hold them.
        with (self.root / "calls").open("ab") as out:
            subprocess.run(
                [str(self.programs / name), *args], check=True, cwd="/", stdout=out, stderr=out, timeout=60,
                stdin=subprocess.DEVNULL, **self._who,
            )  # fmt: skip

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -c unix_socket_directories='' -c fsync=off"
        self._call("pg_ctl", "-D", str(self.root / "data"), "-l", str(self.root / "data" / "log"), "-w", "-o", options,
                   "start")  # fmt: skip

    def stop(self) -> None:
        self._call("pg_ctl", "-D", str(self.root / "data"), "-m", "immediate", "-w", "stop")

    def url(self, database: str, password: str | None = None) -> str:
        return f"postgresql://{OWNER}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        import psycopg

        name = f"d{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server; skipped where PostgreSQL is not installed, unless PSYCHOSAFE_REQUIRE names `postgresql`."""
    programs = _programs()
    if programs is None:
        why = "no initdb (apt-get install postgresql)"
        if "postgresql" in os.environ.get("PSYCHOSAFE_REQUIRE", ""):
            pytest.fail(why)
        pytest.skip(why)
    root = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        server = Server(programs, root)
        yield server
        server.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)

"""A PostgreSQL server, from the programs that this machine has."""

from __future__ import annotations

import getpass
import itertools
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.parts.processes import running


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL server."""

    port: int
    password: str = field(repr=False)
    user: str = "penstock"
    host: str = "127.0.0.1"
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def url(self, database: str = "postgres") -> str:
        """Return SQLAlchemy's URL of a database."""
        return f"postgresql+psycopg://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def execute(self, sql: str, database: str = "postgres") -> None:
        """Run statements, each by itself."""
        import psycopg

        about: dict[str, Any] = {"host": self.host, "port": self.port, "user": self.user, "password": self.password}
        with psycopg.connect(dbname=database, autocommit=True, **about) as connection:
            connection.execute(sql.encode())

    def new_database(self) -> str:
        """Make an empty database; return its name."""
        name = f"database_{next(self._numbers)}"
        self.execute(f"create database {name}")
        return name


def find_programs() -> Path | None:
    """Return the folder that holds initdb and postgres, the newest where there are several."""
    folders = [Path(place).resolve().parent for place in (shutil.which("initdb"),) if place]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name.split(".")[0]), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").is_file() and (folder / "postgres").is_file()), None)


def _find_user() -> str:
    """Return who the server runs as: PostgreSQL refuses to run as root."""
    if os.getuid():
        return getpass.getuser()
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _make(programs: Path, folder: Path, password: str, how: dict[str, Any]) -> Path:
    """Make the server's files; return their folder."""
    secret, data = folder / "password", folder / "data"
    secret.write_text(password)
    if how:
        for path in (folder, secret):
            shutil.chown(path, how["user"])
    words = ["--username=penstock", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    subprocess.run([str(programs / "initdb"), f"--pgdata={data}", *words], check=True, stdout=subprocess.DEVNULL, cwd=folder, **how)
    return data


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of the test session's own."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are not installed: initdb and postgres are neither in PATH nor below /usr/lib/postgresql")
    pytest.importorskip("psycopg", reason="the package psycopg is not installed")
    how: dict[str, Any] = {} if os.getuid() else {"user": _find_user(), "group": pwd.getpwnam(_find_user()).pw_gid, "extra_groups": []}
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as name:
        folder, password = Path(name), secrets.token_hex(8)
        data = _make(programs, folder, password, how)
        server = Postgres(_free_port(), password)
        options = {"port": server.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder), "fsync": "off"}
        words = [word for option, value in options.items() for word in ("-c", f"{option}={value}")]
        command = [str(programs / "postgres"), "-D", str(data), *words]
        with running(command, "ready to accept connections", cwd=folder, **how):
            yield server

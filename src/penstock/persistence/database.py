"""Rows: one SQLite file, one writing connection, as many readers as there are threads."""

from __future__ import annotations

import contextlib
import functools
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from penstock.model.errors import Unavailable

Row = dict[str, Any]
_BUSY_SECONDS = 30.0


class Database:
    """The rows of one home folder.

    Writes go through `transaction`, one at a time; reads see the last committed state without waiting for a writer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._writing_thread: int | None = None
        self._readers = threading.local()
        self._all_readers: list[sqlite3.Connection] = []
        with _clear_errors(path):
            self._writer = self._connect()
            migrate(self._writer, path)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.row_factory = _as_dict
        refuse_newer(connection, self.path)  # before anything is written to the file
        # NORMAL with a write-ahead log: a killed process loses nothing; after a power cut the file is whole.
        for pragma in ("journal_mode = wal", "synchronous = normal", "foreign_keys = on", "cache_size = -8000"):
            connection.execute(f"pragma {pragma}")
        return connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Give the writing connection for one transaction; it is rolled back when the block raises."""
        with self._lock, _clear_errors(self.path):
            if self._writer.in_transaction:  # the same thread, further down: part of the outer transaction
                yield Transaction(self._writer)
                return
            self._writer.execute("begin immediate")
            self._writing_thread = threading.get_ident()
            try:
                yield Transaction(self._writer)
                self._writer.execute("commit")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._writer.execute("rollback")
                raise
            finally:
                self._writing_thread = None

    def all(self, sql: str, values: Any = ()) -> list[Row]:
        """Return the rows of a select."""
        with _clear_errors(self.path):
            return self._reader().execute(sql, values).fetchall()

    def each(self, sql: str, values: Any = ()) -> Iterator[Row]:
        """Yield the rows of a select as they are asked for; who stops early has read no more than that."""
        with _clear_errors(self.path), contextlib.closing(self._reader().execute(sql, values)) as cursor:
            yield from cursor

    def first(self, sql: str, values: Any = ()) -> Row | None:
        """Return the first row of a select, or None."""
        with _clear_errors(self.path):
            row: Row | None = self._reader().execute(sql, values).fetchone()
            return row

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all reads of this thread inside the block see one state of the rows."""
        connection = self._reader()
        if connection.in_transaction:
            yield
            return
        connection.execute("begin")
        try:
            yield
        finally:
            connection.execute("commit")

    def _reader(self) -> sqlite3.Connection:
        if self.is_in_transaction():  # a read there must see what was just written
            return self._writer
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._readers.connection = self._connect()
            connection.execute("pragma query_only = on")
            self._all_readers.append(connection)
        return connection

    def is_in_transaction(self) -> bool:
        """Tell whether the calling thread is inside a transaction."""
        return self._writing_thread == threading.get_ident()

    def close(self) -> None:
        """Close all connections."""
        for connection in [*self._all_readers, self._writer]:
            connection.close()


def sql_list(words: Iterable[str]) -> str:
    """Return words of our own as SQL's list: `('Queued', 'Running')`. What others said goes in by `?`."""
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


class Transaction:
    """What a verb may do with rows inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Any = ()) -> int:
        """Run one statement; return how many rows it changed."""
        return self._connection.execute(sql, values).rowcount

    def execute_many(self, sql: str, rows: Sequence[Any]) -> None:
        """Run one statement for each of `rows`."""
        self._connection.executemany(sql, rows)

    def all(self, sql: str, values: Any = ()) -> list[Row]:
        """Return the rows of a select or of a `returning` clause."""
        return self._connection.execute(sql, values).fetchall()

    def first(self, sql: str, values: Any = ()) -> Row | None:
        """Return the first row, or None."""
        rows = self._connection.execute(sql, values).fetchall()
        return rows[0] if rows else None

    def insert(self, table: str, row: Row) -> None:
        """Insert one row given as column -> value. Column names come from our own code, never from a request."""
        names = ", ".join(row)
        self._connection.execute(f"insert into {table} ({names}) values ({', '.join('?' * len(row))})", tuple(row.values()))

    def insert_many(self, table: str, rows: Sequence[Row]) -> None:
        """Insert rows that all have the columns of the first."""
        if rows:
            names = ", ".join(rows[0])
            statement = f"insert into {table} ({names}) values ({', '.join('?' * len(rows[0]))})"
            self._connection.executemany(statement, [tuple(row.values()) for row in rows])


def _as_dict(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


@contextlib.contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says of a full disk or a broken file into words that help."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "full" in text:
            raise Unavailable(f"The disk that holds {path} is full; nothing was changed. Free some room and try again.") from error
        if "unable to open" in text or "readonly" in text or "disk I/O" in text:
            raise Unavailable(f"{path} can't be read or written ({text}). Check the folder's permissions and its disk.") from error
        raise
    except sqlite3.DatabaseError as error:
        if "malformed" in str(error) or "not a database" in str(error):
            raise Unavailable(
                f"{path} is damaged ({error}). Move it away, or restore it from a backup; run folders are not affected."
            ) from error
        raise


# Migrations


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file to the newest schema."""
    version = refuse_newer(connection, path)
    for number, script in enumerate(migrations()[version:], version + 1):
        connection.executescript(f"begin immediate;\n{script}\npragma user_version = {number};\ncommit;")


def refuse_newer(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema of the file.

    Raises:
        Unavailable: A newer version of Penstock wrote it.
    """
    version: int = connection.execute("pragma user_version").fetchone()["user_version"]
    known = len(migrations())
    if version > known:
        raise Unavailable(
            f"{path} was written by a newer version of Penstock (schema {version}; this one knows {known}). "
            "Nothing was changed. Upgrade Penstock, or name another home folder with PENSTOCK_HOME."
        )
    return version


@functools.cache
def migrations() -> list[str]:
    """Return the migration scripts in order; the nth brings schema n-1 to schema n."""
    folder = resources.files("penstock.persistence") / "migrations"
    names = sorted(item.name for item in folder.iterdir() if re.fullmatch(r"\d{4}_\w+\.sql", item.name))
    return [(folder / name).read_text(encoding="utf-8") for name in names]

"""Runs a SQL query and writes its rows as Parquet, a handful at a time. Runs where SQLAlchemy and pyarrow are: in the carrier."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import hashlib
import importlib
import importlib.util
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

from penstock.model.errors import Invalid, PenstockError, Refused, Unavailable, Unsupported

Check = Callable[[], None]

_FIRST_ROWS, _MOST_ROWS = 1_000, 100_000
_BATCH_BYTES = 16 * 1024 * 1024  # what one handful of rows may have in memory, about
_CONNECT_SECONDS = 15
_LOOK_SECONDS = 0.2  # how often the one who asked may say that it is no longer wanted
_INSTALL = 'Install them for the service: pip install "penstock[sql]".'

# Dialect -> its drivers, the first that is installed is taken: (module, SQLAlchemy's name, what to install).
_DRIVERS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "postgresql": (("psycopg", "postgresql+psycopg", "penstock[sql]"), ("psycopg2", "postgresql+psycopg2", "psycopg2")),
    "mysql": (("pymysql", "mysql+pymysql", "penstock[sql]"),),
    "mssql": (("pyodbc", "mssql+pyodbc", "pyodbc"), ("pymssql", "mssql+pymssql", "pymssql")),
    "sqlite": (("sqlite3", "sqlite", ""),),
}
# What to say first, so that a query can change nothing; of the session too, for a query may hold a commit. SQL Server has no such words:
# there the user that reads should be one that may only read.
_READ_ONLY = {
    "postgresql": ("set session characteristics as transaction read only", "set transaction read only"),
    "mysql": ("set session transaction read only",),
    "sqlite": ("pragma query_only = on",),
}


def run_query(url: str, sql: str, timeout: int, target: str, check: Check, name: str = "") -> str:
    """Write the rows of a query to a Parquet file, and return the sha256 of its bytes.

    The rows are read as the server gives them and written at once, so that memory holds only a handful. Integers, floats, booleans, times
    and texts keep their types; decimals become floats, dates become times, times with a zone become UTC.

    Args:
        url: The database, as a SQLAlchemy URL; the driver is chosen here when it names none.
        sql: A query that gives rows.
        timeout: Seconds until the first rows must be there.
        target: Where the file goes; it appears whole or not at all.
        check: Called now and then; raises to end the query.
        name: What messages call the datastore.

    Raises:
        Unsupported: A library is missing; the message says what to install.
        Invalid: The database refuses the query, or it gives no rows.
        Refused: The query took longer than `timeout`, or the database does not let us in.
        Unavailable: The database can't be reached, or the connection broke.
    """
    try:
        return _run(url, sql, timeout, target, check)
    except PenstockError as error:
        if name:
            error.begin_with(f"The query on the datastore '{name}' failed.")
        raise


def _run(url: str, sql: str, timeout: int, target: str, check: Check) -> str:
    _need("sqlalchemy", "pyarrow")
    engine, password = _engine(url, timeout)
    temporary, watch = f"{target}.part", _Watch(timeout, check)
    try:
        with _plain_errors(password, timeout, watch), contextlib.closing(watch):
            _write_rows(engine, sql, timeout, temporary, watch)
        digest = _digest(temporary)
        os.replace(temporary, target)
        return digest
    finally:
        engine.dispose()
        for path in (temporary, *_parts(temporary)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def _need(*modules: str) -> None:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise Unsupported(f"Reading a database needs the Python packages {' and '.join(missing)}, which are not installed. {_INSTALL}")


def _engine(url: str, timeout: int) -> tuple[Any, str]:
    """Return SQLAlchemy's engine, without connecting, and the password that no message may show."""
    import sqlalchemy
    from sqlalchemy.pool import NullPool

    try:
        parsed = sqlalchemy.engine.make_url(url)
    except sqlalchemy.exc.ArgumentError:
        raise Invalid("The address of the database is no SQLAlchemy URL, such as postgresql://user@host/database.") from None
    dialect = parsed.drivername.partition("+")[0]
    if "+" not in parsed.drivername:
        parsed = parsed.set(drivername=_driver(dialect))
    arguments = _connect_arguments(parsed, timeout)
    parsed = parsed.difference_update_query(["ssl"])
    if parsed.drivername == "mssql+pyodbc" and "driver" not in parsed.query:
        parsed = parsed.update_query_dict({"driver": _odbc_driver()})
    if parsed.drivername == "mssql+pymssql" and "Authentication" in parsed.query:
        raise Unsupported(
            "A client's credentials for Azure SQL need pyodbc and Microsoft's ODBC driver; pymssql takes a user and a password."
        )
    try:
        return sqlalchemy.create_engine(parsed, poolclass=NullPool, connect_args=arguments), str(parsed.password or "")
    except (sqlalchemy.exc.NoSuchModuleError, ImportError) as error:
        raise Unsupported(f"SQLAlchemy has no driver for {parsed.drivername} here: {error}. {_INSTALL}") from None


def _driver(dialect: str) -> str:
    known = _DRIVERS.get(dialect, ())
    for module, name, _ in known:
        with contextlib.suppress(ImportError):  # it may be there, and miss a library of the system
            importlib.import_module(module)
            return name
    if not known:
        raise Unsupported(f"Penstock has no driver for {dialect!r} databases. It reads {', '.join(_DRIVERS)}.")
    wanted = " or ".join(f'pip install "{package}"' for _, _, package in known)
    modules = ", ".join(module for module, _, _ in known)
    raise Unsupported(f"Reading a {dialect} database needs a driver ({modules}), and none works where the service runs. Run: {wanted}.")


def _odbc_driver() -> str:
    """Return the newest driver for SQL Server that ODBC knows."""
    known = sorted(name for name in importlib.import_module("pyodbc").drivers() if "SQL Server" in name)
    return known[-1] if known else "ODBC Driver 18 for SQL Server"


def _connect_arguments(url: Any, timeout: int) -> dict[str, Any]:
    driver = url.drivername
    if driver.startswith("postgresql"):
        return {"connect_timeout": _CONNECT_SECONDS}
    if driver == "mysql+pymysql":
        import ssl

        secure = {"ssl": ssl.create_default_context()} if url.query.get("ssl") == "true" else {}
        return {"connect_timeout": _CONNECT_SECONDS, "read_timeout": timeout, **secure}
    if driver == "mssql+pymssql":
        return {"login_timeout": _CONNECT_SECONDS, "timeout": timeout}
    return {"timeout": _CONNECT_SECONDS}


def _write_rows(engine: Any, sql: str, timeout: int, target: str, watch: _Watch) -> None:
    with engine.connect() as connection, contextlib.closing(_Sink(target)) as sink:
        watch.begin(connection.connection.dbapi_connection)
        _prepare(connection, engine.dialect, timeout)
        result = connection.execution_options(stream_results=True, no_parameters=True).exec_driver_sql(sql)
        if not result.returns_rows:
            raise Invalid("The statement gives no rows. A dataset is made from a query, and nothing else is run.")
        sink.begin(_distinct(list(result.keys())), [_hint(engine.dialect.name, column[1]) for column in result.cursor.description])
        size = _FIRST_ROWS
        while rows := result.fetchmany(size):
            watch.has_rows()
            size = max(1, min(_MOST_ROWS, size * 4, int(_BATCH_BYTES * len(rows) / max(sink.write(rows), 1))))
        sink.finish()
        connection.rollback()


def _prepare(connection: Any, dialect: Any, timeout: int) -> None:
    """Let the connection read only, and no longer than it may."""
    for statement in _READ_ONLY.get(dialect.name, ()):
        connection.exec_driver_sql(statement)
    if dialect.name == "postgresql":
        connection.exec_driver_sql(f"set local statement_timeout = {int(timeout * 1000)}")
    if dialect.driver == "pyodbc":
        connection.connection.dbapi_connection.timeout = timeout


def _distinct(names: Sequence[str]) -> list[str]:
    """A second column of a name gets a number, as with a file's headers."""
    found: list[str] = []
    for name in names:
        number, free = 0, name
        while free in found:
            number += 1
            free = f"{name}_{number}"
        found.append(free)
    return found


# Types

NULL, BOOL, INT, FLOAT, TIME, BYTES, TEXT = "null", "bool", "int", "float", "time", "bytes", "text"

_KINDS: dict[type, str] = {
    type(None): NULL,
    bool: BOOL,
    int: INT,
    float: FLOAT,
    decimal.Decimal: FLOAT,
    datetime.datetime: TIME,
    datetime.date: TIME,
    bytes: BYTES,
    bytearray: BYTES,
    memoryview: BYTES,
    str: TEXT,
}
# What a driver says of a column, for one that holds nothing but nulls, or no rows at all.
_POSTGRESQL_TYPES = {16: BOOL, 17: BYTES, 20: INT, 21: INT, 23: INT, 26: INT, 700: FLOAT, 701: FLOAT, 1700: FLOAT}
_POSTGRESQL_TYPES.update(dict.fromkeys((1082, 1114, 1184), TIME))
_POSTGRESQL_TYPES.update(dict.fromkeys((18, 19, 25, 1042, 1043, 2950, 114, 3802), TEXT))
_MYSQL_TYPES = {**dict.fromkeys((1, 2, 3, 8, 9, 13), INT), **dict.fromkeys((0, 4, 5, 246), FLOAT), **dict.fromkeys((7, 10, 12), TIME)}
_MYSQL_TYPES.update(dict.fromkeys((15, 252, 253, 254), TEXT))
_TYPE_CODES: Mapping[str, Mapping[int, str]] = {"postgresql": _POSTGRESQL_TYPES, "mysql": _MYSQL_TYPES}
_LARGEST_INT = 2**63


def _hint(dialect: str, code: Any) -> str:
    if isinstance(code, type):  # pyodbc names Python's type
        return _KINDS.get(code, TEXT)
    return _TYPE_CODES.get(dialect, {}).get(code, NULL)


def _kind_of(values: Sequence[Any]) -> str:
    found = NULL
    for kind in {type(value) for value in values}:
        found = _wider(found, _KINDS.get(kind, TEXT))
    if found == INT and any(value is not None and not -_LARGEST_INT <= value < _LARGEST_INT for value in values):
        return FLOAT
    return found


def _wider(one: str, other: str) -> str:
    """Return the kind that holds values of both."""
    if one == other or other == NULL:
        return one
    if one == NULL:
        return other
    numbers = [BOOL, INT, FLOAT]
    return numbers[max(numbers.index(one), numbers.index(other))] if one in numbers and other in numbers else TEXT


def _convert(values: Sequence[Any], kind: str) -> Sequence[Any]:
    convert = _CONVERSIONS.get(kind)
    return values if convert is None else [None if value is None else convert(value) for value in values]


def _as_time(value: Any) -> datetime.datetime:
    if not isinstance(value, datetime.datetime):
        return datetime.datetime.combine(value, datetime.time())
    return value if value.tzinfo is None else value.astimezone(datetime.timezone.utc).replace(tzinfo=None)


def _as_text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return bytes(value).decode("utf-8", "replace") if isinstance(value, (bytes, bytearray, memoryview)) else str(value)


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {FLOAT: float, INT: int, TIME: _as_time, TEXT: _as_text, BYTES: bytes}


def _arrow_type(kind: str) -> Any:
    import pyarrow

    return {
        NULL: pyarrow.null(),
        BOOL: pyarrow.bool_(),
        INT: pyarrow.int64(),
        FLOAT: pyarrow.float64(),
        TIME: pyarrow.timestamp("us"),
        BYTES: pyarrow.large_binary(),
        TEXT: pyarrow.large_string(),
    }[kind]


# Writing


class _Sink:
    """A Parquet file that takes rows. Where later rows need a wider type, a second part is begun, and the parts become one at the end."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._names: list[str] = []
        self._kinds: list[str] = []
        self._writer: Any = None
        self._parts: list[str] = []

    def begin(self, names: list[str], kinds: list[str]) -> None:
        """Take the names of the columns, and what the driver knows of their types."""
        self._names, self._kinds = names, kinds

    def write(self, rows: Sequence[Sequence[Any]]) -> int:
        """Write rows; return how many bytes they took in memory."""
        import pyarrow

        columns = list(zip(*rows, strict=True))
        kinds = [_wider(known, _kind_of(values)) for known, values in zip(self._kinds, columns, strict=True)]
        if kinds != self._kinds or self._writer is None:
            self._begin_part(kinds)
        arrays = [pyarrow.array(_convert(values, kind), _arrow_type(kind)) for values, kind in zip(columns, kinds, strict=True)]
        table = pyarrow.Table.from_arrays(arrays, names=self._names)
        self._writer.write_table(table)
        return int(table.nbytes)

    def _begin_part(self, kinds: list[str]) -> None:
        self._end_part()
        self._kinds = kinds
        self._parts.append(f"{self._target}-{len(self._parts)}")
        self._writer = self._open(self._parts[-1])

    def _open(self, path: str) -> Any:
        import pyarrow
        from pyarrow import parquet

        schema = pyarrow.schema([(name, _arrow_type(kind)) for name, kind in zip(self._names, self._kinds, strict=True)])
        return parquet.ParquetWriter(path, schema, compression="zstd")

    def _end_part(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def finish(self) -> None:
        """Make the file whole."""
        if self._writer is None:  # no rows
            self._begin_part(self._kinds)
        self._end_part()
        if len(self._parts) == 1:
            os.replace(self._parts[0], self._target)
            return
        with contextlib.closing(self._open(self._target)) as whole:
            for batch in self._read_parts():
                whole.write_table(batch)

    def close(self) -> None:
        """Let go of the file."""
        self._end_part()

    def _read_parts(self) -> Iterator[Any]:
        import pyarrow
        from pyarrow import parquet

        for part in self._parts:
            with contextlib.closing(parquet.ParquetFile(part)) as file:
                for number in range(file.num_row_groups):
                    table = file.read_row_group(number)
                    arrays = [_recast(table.column(index), kind) for index, kind in enumerate(self._kinds)]
                    yield pyarrow.Table.from_arrays(arrays, names=self._names)
            os.unlink(part)


def _recast(column: Any, kind: str) -> Any:
    import pyarrow

    if column.type == _arrow_type(kind):
        return column
    return pyarrow.array(_convert(column.to_pylist(), kind), _arrow_type(kind))


def _parts(target: str) -> list[str]:
    folder, name = os.path.split(target)
    return [os.path.join(folder, item) for item in os.listdir(folder or ".") if item.startswith(f"{name}-")]


def _digest(path: str) -> str:
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while data := file.read(1 << 20):
            found.update(data)
    return found.hexdigest()


# Trouble

_LATE_STATES = ("57014",)  # PostgreSQL: cancelled by its own time limit
_NO_ENTRY = re.compile(r"authentication failed|access denied|login failed|role .* does not exist|no password supplied", re.IGNORECASE)
_NOT_THERE = re.compile(r"connection|connect|server closed|gone away|lost|timeout expired|unable to open", re.IGNORECASE)


@contextlib.contextmanager
def _plain_errors(password: str, timeout: float, watch: _Watch) -> Iterator[None]:
    """Turn what libraries raise into our own errors, without the password that some of them repeat."""
    import pyarrow
    import sqlalchemy

    try:
        yield
    except PenstockError:
        raise
    except sqlalchemy.exc.DBAPIError as error:
        raise _as_error(error, password, timeout, watch) from None
    except (sqlalchemy.exc.SQLAlchemyError, pyarrow.ArrowException, ValueError, OverflowError) as error:
        raise Invalid(f"The rows of the query can't be read: {_shown(error, password)}") from None
    except OSError as error:
        raise Unavailable(f"The rows of the query can't be kept on this machine: {error.strerror or error}.") from None


def _as_error(error: Any, password: str, timeout: float, watch: _Watch) -> PenstockError:
    text = _shown(error.orig, password)
    if watch.is_late or getattr(error.orig, "sqlstate", None) in _LATE_STATES or "timed out" in text:
        return Refused(f"The query gave no rows within {timeout:g} seconds (query_timeout). Allow it more time, or ask for less.")
    if _NO_ENTRY.search(text):
        return Refused(
            f"The database does not let us in: {text} Register the datastore again with the right credentials and overwrite=True."
        )
    if error.connection_invalidated or (getattr(error.orig, "sqlstate", None) is None and _NOT_THERE.search(text)):
        hint = " Register it with enforce_ssl=False." if "does not support SSL" in text else ""
        return Unavailable(f"The database can't be reached, or the connection broke: {text}{hint}")
    return Invalid(f"The database refuses the query: {text}")


def _shown(error: Any, password: str) -> str:
    primary = getattr(getattr(error, "diag", None), "message_primary", None)  # without the cursor that psycopg declares for it
    text = " ".join(str(primary or error).split())[:500]
    for secret in filter(None, (password, quote(password, safe=""), quote_plus(password))):
        text = text.replace(secret, "***")
    return text if text.endswith((".", "?", "!")) else f"{text}."


# Ending early


class _Watch:
    """Ends a query from outside: one that takes too long, or that nobody wants any more. The driver itself only waits."""

    def __init__(self, timeout: float, check: Check) -> None:
        self._check = check
        self._deadline = time.monotonic() + timeout
        self._connection: Any = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="query-watch", daemon=True)
        self.reason: BaseException | None = None
        self.is_late = False

    def begin(self, connection: Any) -> None:
        """Watch over what this connection of the driver does."""
        self._connection = connection
        self._thread.start()

    def has_rows(self) -> None:
        """The first rows are there: from now on the query may take its time."""
        self._deadline = float("inf")
        self._check()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self.is_late = time.monotonic() > self._deadline
            try:
                self._check()
            except BaseException as error:  # whatever it says, the query ends with it
                self.reason = error
            if self.is_late or self.reason is not None:
                self._interrupt()
                return

    def _interrupt(self) -> None:
        for name in ("cancel", "interrupt"):  # psycopg's and sqlite's; the other drivers have their own time limit
            stop = getattr(self._connection, name, None)
            if stop is not None:
                with contextlib.suppress(Exception):
                    stop()
                return

    def close(self) -> None:
        """Watch no more."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self.reason is not None:
            raise self.reason

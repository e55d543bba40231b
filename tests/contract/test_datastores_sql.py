"""Queries against a real PostgreSQL, and against SQLite for what any database does."""

from __future__ import annotations

import datetime
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.model.errors import Invalid, Refused, Unavailable, Unsupported
from penstock.storage.stores.sql import run_query

pytest.importorskip("sqlalchemy")
pyarrow = pytest.importorskip("pyarrow")

EVERYTHING = """
    select 1::smallint as small, 2::bigint as big, 1.5::real as real, 2.25::numeric(10, 2) as decimal, true as flag,
           date '2020-01-07' as day, timestamp '2020-01-07 08:09:10.123456' as moment,
           timestamptz '2020-01-07 08:00:00+02' as zoned, 'grün' as text, 'a'::varchar(3) as short,
           null::integer as nothing, null::text as no_text, null::timestamp as no_moment,
           '\\x0102'::bytea as bytes, '{"a": [1]}'::jsonb as document, uuid '00000000-0000-0000-0000-000000000001' as id,
           time '10:11:12' as clock, array[1, 2] as list"""


def go_on() -> None:
    """The check of one who wants the rows."""


def rows_of(path: Path) -> Any:
    from pyarrow import parquet

    return parquet.read_table(path)


@pytest.fixture
def database(postgres: Any) -> str:
    """The address of an empty database, as a datastore gives it: without a driver."""
    url: str = postgres.url(postgres.new_database())
    return url.replace("postgresql+psycopg://", "postgresql://")


def test_types_are_kept(database: str, tmp_path: Path) -> None:
    digest = run_query(database, EVERYTHING, 30, str(tmp_path / "rows"), go_on)
    table = rows_of(tmp_path / "rows")
    types = {field.name: str(field.type) for field in table.schema}
    assert [types[name] for name in ("small", "big", "real", "decimal", "flag")] == ["int64", "int64", "double", "double", "bool"]
    assert {types[name] for name in ("day", "moment", "zoned", "no_moment")} == {"timestamp[us]"}
    assert {types[name] for name in ("text", "short", "no_text", "document", "id", "clock", "list")} == {"large_string"}
    assert (types["nothing"], types["bytes"]) == ("int64", "large_binary")
    row = table.to_pylist()[0]
    assert (row["day"], row["zoned"]) == (datetime.datetime(2020, 1, 7), datetime.datetime(2020, 1, 7, 6))
    assert row["moment"] == datetime.datetime(2020, 1, 7, 8, 9, 10, 123456)
    assert (row["text"], row["document"], row["bytes"], row["nothing"]) == ("grün", '{"a": [1]}', b"\x01\x02", None)
    assert run_query(database, EVERYTHING, 30, str(tmp_path / "again"), go_on) == digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "rows"]


def test_no_rows_keep_names_and_types(database: str, tmp_path: Path) -> None:
    run_query(database, "select 1 as n, 'x'::text as t where false;", 30, str(tmp_path / "rows"), go_on)
    table = rows_of(tmp_path / "rows")
    assert (table.num_rows, [(field.name, str(field.type)) for field in table.schema]) == (0, [("n", "int64"), ("t", "large_string")])


def test_percent_colon_and_two_columns_of_a_name(database: str, tmp_path: Path) -> None:
    run_query(database, "select 'a%b' like 'a%' as x, ':name' as x", 30, str(tmp_path / "rows"), go_on)
    assert rows_of(tmp_path / "rows").to_pylist() == [{"x": True, "x_1": ":name"}]


def test_many_rows_come_in_handfuls(database: str, tmp_path: Path) -> None:
    run_query(database, "select n, repeat('x', 100) as pad from generate_series(1, 200000) n", 60, str(tmp_path / "rows"), go_on)
    from pyarrow import parquet

    with parquet.ParquetFile(tmp_path / "rows") as file:
        assert (file.metadata.num_rows, file.num_row_groups > 2) == (200_000, True)
        assert file.read(["n"])["n"].to_pylist() == list(range(1, 200_001))


@pytest.mark.parametrize(
    "sql", ["delete from t returning 1", "create table u (n int)", "with gone as (delete from t returning n) select n from gone"]
)
def test_a_query_changes_nothing(database: str, postgres: Any, tmp_path: Path, sql: str) -> None:
    postgres.execute("create table t as select 1 as n", database.rpartition("/")[2])
    with pytest.raises(Invalid, match=r"refuses the query|gives no rows"):
        run_query(database, sql, 30, str(tmp_path / "rows"), go_on)
    assert list(tmp_path.iterdir()) == []
    run_query(database, "select count(*) as n from t", 30, str(tmp_path / "rows"), go_on)
    assert rows_of(tmp_path / "rows").to_pylist() == [{"n": 1}]


def test_a_query_that_is_wrong(database: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r'refuses the query: relation "nowhere" does not exist\.$'):
        run_query(database, "select * from nowhere", 30, str(tmp_path / "rows"), go_on)


def test_a_query_that_takes_too_long(database: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"no rows within 1 seconds \(query_timeout\)"):
        run_query(database, "select pg_sleep(60)", 1, str(tmp_path / "rows"), go_on)
    assert list(tmp_path.iterdir()) == []


def test_a_query_that_nobody_wants_any_more(database: str, tmp_path: Path) -> None:
    wanted = threading.Event()

    def check() -> None:
        if wanted.is_set():
            raise Refused("cancelled")
        wanted.set()

    with pytest.raises(Refused, match="cancelled"):
        run_query(database, "select pg_sleep(60)", 100, str(tmp_path / "rows"), check)


def test_a_wrong_password_is_not_repeated(database: str, postgres: Any, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="does not let us in") as caught:
        run_query(database.replace(postgres.password, "wrong-one"), "select 1", 5, str(tmp_path / "rows"), go_on)
    assert "wrong-one" not in str(caught.value)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="can't be reached") as caught:
        run_query("postgresql://me:hidden-one@127.0.0.1:1/db", "select 1", 5, str(tmp_path / "rows"), go_on)
    assert "hidden-one" not in str(caught.value)


@pytest.mark.parametrize("url", ["mssql://me:pw@host/db", "oracle://me:pw@host/db"])
def test_a_driver_that_is_not_installed(url: str, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match=r"\(pyodbc, pymssql\), and none works|no driver for 'oracle'"):
        run_query(url, "select 1", 5, str(tmp_path / "rows"), go_on)


# What any database does


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Any]:
    """A database of no types: each value has its own."""
    path = tmp_path / "lite.db"
    connection = sqlite3.connect(path)

    def ask(sql: str, *statements: str) -> Any:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        (tmp_path / "out").mkdir(exist_ok=True)
        run_query(f"sqlite:///{path}", sql, 30, str(tmp_path / "out" / "rows"), go_on)
        assert [item.name for item in (tmp_path / "out").iterdir()] == ["rows"]
        return rows_of(tmp_path / "out" / "rows")

    yield ask
    connection.close()


def test_later_rows_widen_a_column(lite: Any) -> None:
    insert = "insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) select i, null from n"
    table = lite("select * from t", "create table t (a, b)", insert, "insert into t values (1.5, 'late')", "insert into t values ('x', 3)")
    assert [str(field.type) for field in table.schema] == ["large_string", "large_string"]
    rows = table.to_pylist()
    assert (rows[0], rows[-2], rows[-1], len(rows)) == ({"a": "1", "b": None}, {"a": "1.5", "b": "late"}, {"a": "x", "b": "3"}, 5002)


def test_integers_become_floats_and_nothing_stays_nothing(lite: Any) -> None:
    table = lite("select * from t", "create table t (a, b)", "insert into t values (1, null), (2.5, null)")
    assert ([str(field.type) for field in table.schema], table.to_pylist()) == (
        ["double", "null"],
        [{"a": 1.0, "b": None}, {"a": 2.5, "b": None}],
    )


def test_a_statement_changes_nothing_anywhere(lite: Any) -> None:
    with pytest.raises(Invalid, match=r"readonly|gives no rows"):
        lite("insert into t values (1) returning 1", "create table t (a)")


# As a datastore


def test_rows_of_a_registered_database(workspace: Any, postgres: Any) -> None:
    from azureml.core import Dataset, Datastore
    from azureml.exceptions import UserErrorException

    database = postgres.new_database()
    postgres.execute("create table sales as select n, n / 2.0 as half, 'x' || n as name from generate_series(1, 5) n", database)
    about = {"port_number": str(postgres.port), "enforce_ssl": False}
    store = Datastore.register_azure_postgre_sql(workspace, "sales", postgres.host, database, postgres.user, postgres.password, **about)
    assert store.user_password == postgres.password
    frame = Dataset.Tabular.from_sql_query((store, "select * from sales where n > 3 order by n")).to_pandas_dataframe()
    assert frame.to_dict("list") == {"n": [4, 5], "half": [2.0, 2.5], "name": ["x4", "x5"]}
    with pytest.raises(UserErrorException, match=r"'sales'.*relation \"nowhere\" does not exist"):
        Dataset.Tabular.from_sql_query((store, "select * from nowhere"))
    Datastore.register_azure_postgre_sql(workspace, "sales", postgres.host, database, postgres.user, "wrong-one", overwrite=True, **about)
    with pytest.raises(UserErrorException, match=r"'sales'.*does not let us in") as caught:
        Dataset.Tabular.from_sql_query((store, "select 1"))
    assert "wrong-one" not in str(caught.value)

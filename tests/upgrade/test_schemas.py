"""A home folder that an earlier schema wrote is opened, brought to the newest, and loses nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from azureml.core import Dataset, Experiment, Workspace
from penstock.persistence import database

AT = "2026-11-01T08:00:00.000000Z"


def write_schema(path: Path, schema: int) -> sqlite3.Connection:
    """Make the file as a release of that schema left it."""
    connection = sqlite3.connect(path)
    for script in database.migrations()[:schema]:
        connection.executescript(script)
    connection.execute(f"pragma user_version = {schema}")
    return connection


def fill(connection: sqlite3.Connection, home: Path) -> None:
    """Write what every schema has: a workspace with a datastore, an experiment and a finished run."""
    store = home / "workspaces" / "old"
    store.mkdir(parents=True)
    (store / "kept.csv").write_text("a,b\n1,x\n2,y\n")
    tables = {
        "workspaces": ["w", "old", "sub", "group", "sub/group/old", "local", "{}", "{}", AT],
        "experiments": ["e", "w", "first", "{}", 1, AT, None],
        "datastores": ["w", "workspaceblobstore", "AzureBlob", str(store), "{}", 1, AT, None],
    }
    for table, values in tables.items():
        connection.execute(f"insert into {table} values ({', '.join('?' * len(values))})", values)
    run = {"id": "r", "workspace_id": "w", "experiment_id": "e", "number": 1, "status": "Completed", "root_run_id": "r", "created_at": AT}
    connection.execute(f"insert into runs ({', '.join(run)}) values ({', '.join('?' * len(run))})", list(run.values()))
    connection.commit()
    connection.close()


@pytest.mark.parametrize("schema", range(1, len(database.migrations()) + 1))
def test_an_earlier_schema_is_brought_to_the_newest_and_works(home: Path, schema: int) -> None:
    fill(write_schema(home / "penstock.db", schema), home)
    workspace = Workspace.get("old", subscription_id="sub", resource_group="group")
    (run,) = Experiment(workspace, "first").get_runs()
    assert (run.id, run.get_status()) == ("r", "Completed")
    path = (workspace.get_default_datastore(), "kept.csv")
    dataset = Dataset.Tabular.from_delimited_files(path).register(workspace, "kept")
    assert Dataset.get_by_name(workspace, "kept").to_pandas_dataframe().to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    assert dataset.version == 1
    with contextlib.closing(sqlite3.connect(home / "penstock.db")) as connection:
        assert connection.execute("pragma user_version").fetchone() == (len(database.migrations()),)
        assert connection.execute("pragma foreign_key_check").fetchall() == []


def test_a_migrated_file_has_the_schema_of_a_new_one(tmp_path: Path) -> None:
    write_schema(tmp_path / "old.db", 1).close()
    for name in ("old.db", "new.db"):
        database.Database(tmp_path / name).close()
    assert read_schema(tmp_path / "old.db") == read_schema(tmp_path / "new.db")


def read_schema(path: Path) -> list[tuple[str, str]]:
    """Return the names and definitions of all tables and indexes."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute("select name, sql from sqlite_master order by name").fetchall()

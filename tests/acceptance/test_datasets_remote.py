"""Datasets on real object stores, behind web addresses and in a real database: the same answers as on local folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas
import pytest

from azureml.core import Dataset, Datastore
from azureml.data.dataset_error_handling import DatasetExecutionError, DatasetValidationError
from azureml.exceptions import UserErrorException

TABLES = {"t/2020/de/a.csv": "id,name\n1,x\n2,\n", "t/2021/fr/b.csv": "id,name\n3,z\n", "other.txt": "text"}


@pytest.fixture(params=["local", "azurite", "s3_server"])
def store(request: pytest.FixtureRequest, workspace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A datastore of each kind that holds TABLES below 'data'; the current folder is the test's own."""
    monkeypatch.chdir(tmp_path)
    for name, text in TABLES.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = _register(request, workspace, tmp_path)
    found.upload("source", target_path="data", show_progress=False)
    return found


def _register(request: pytest.FixtureRequest, workspace: Any, tmp_path: Path) -> Any:
    if request.param == "local":
        return Datastore.register_local(workspace, "far", tmp_path / "store")
    server = request.getfixturevalue(request.param)
    if request.param == "azurite":
        return Datastore.register_azure_blob_container(
            workspace, "far", server.new_container(), server.account_name, account_key=server.account_key, endpoint=server.endpoint
        )
    return Datastore.register_fsspec(workspace, "far", f"s3://{server.new_bucket()}", **server.options)


def test_files(store: Any, workspace: Any) -> None:
    dataset = Dataset.File.from_files((store, "data"))
    assert dataset.to_path() == ["/other.txt", "/t/2020/de/a.csv", "/t/2021/fr/b.csv"]
    assert Dataset.File.from_files((store, "data/**/*.csv")).to_path() == ["/t/2020/de/a.csv", "/t/2021/fr/b.csv"]
    assert Dataset.File.from_files((store, "data/other.txt")).to_path() == ["/other.txt"]
    got = dataset.download("target")
    assert [Path(path).read_text() for path in got] == [TABLES["other.txt"], TABLES["t/2020/de/a.csv"], TABLES["t/2021/fr/b.csv"]]
    with dataset.mount() as mounted:
        assert Path(mounted.mount_point, "t/2021/fr/b.csv").read_text() == TABLES["t/2021/fr/b.csv"]
    assert dataset.data_changed_time is not None
    small = dataset.filter(dataset.file_metadata("Size") < 5)
    assert small.to_path() == ["/other.txt"]
    for path in ("none/**", "data/none.csv"):
        with pytest.raises(DatasetExecutionError, match=r"far.*none|none.*far"):
            Dataset.File.from_files((store, path)).to_path()
    registered = dataset.register(workspace, "remote")
    assert Dataset.get_by_name(workspace, "remote").to_path() == registered.to_path()


def test_tables(store: Any, workspace: Any) -> None:
    dataset = Dataset.Tabular.from_delimited_files((store, "data/**/*.csv"), partition_format="t/{year}/{country}/*.csv")
    frame = dataset.to_pandas_dataframe()
    assert list(frame.columns) == ["year", "country", "id", "name"]
    assert list(frame["id"]) == [1, 2, 3]
    assert dataset.get_partition_key_values(["country"]) == [{"country": "de"}, {"country": "fr"}]
    assert list(dataset.filter(dataset["country"] == "fr").to_pandas_dataframe()["id"]) == [3]
    (path,) = dataset.take(2).to_csv_files().download("target")
    assert Path(path).read_text().splitlines()[0] == "year,country,id,name"
    with pytest.raises(DatasetValidationError, match="far"):
        Dataset.Tabular.from_delimited_files((store, "none/*.csv"))


def test_what_is_written_comes_back(store: Any, workspace: Any) -> None:
    frame = pandas.DataFrame({"country": ["de", "de", "fr"], "n": [1, 2, 3]})
    made = Dataset.Tabular.register_pandas_dataframe(frame, (store, "frames"), "frame", show_progress=False)
    assert made.to_pandas_dataframe().to_dict("list") == frame.to_dict("list")
    parted = made.partition_by(["country"], (store, "parted"), show_progress=False)
    assert sorted(parted.to_pandas_dataframe()["n"]) == [1, 2, 3]
    assert Dataset.File.upload_directory("source", (store, "up"), show_progress=False).to_path()[0] == "/other.txt"


def test_web_addresses(http_server: Any, workspace: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    folder, url = http_server.new_folder()
    (folder / "a.csv").write_text("id,name\n1,x\n")
    (folder / "b.csv").write_text("id,name\n2,y\n")
    dataset = Dataset.Tabular.from_delimited_files([f"{url}/a.csv", f"{url}/b.csv"])
    assert list(dataset.to_pandas_dataframe()["id"]) == [1, 2]
    files = Dataset.File.from_files(f"{url}/a.csv")
    assert files.to_path() == ["/a.csv"]
    assert Path(files.download()[0]).read_text() == "id,name\n1,x\n"
    with pytest.raises(DatasetValidationError, match=r"none\.csv"):
        Dataset.Tabular.from_delimited_files(f"{url}/none.csv")
    registered = dataset.register(workspace, "web")
    assert len(Dataset.get_by_name(workspace, "web").to_pandas_dataframe()) == len(registered.to_pandas_dataframe()) == 2
    (folder / "b.csv").write_text("id,name\n2,y\n3,z\n")
    assert list(dataset.to_pandas_dataframe()["id"]) == [1, 2, 3]


def test_queries(postgres: Any, workspace: Any) -> None:
    database = postgres.new_database()
    postgres.execute("create table people (id integer, name text, born date)", database)
    postgres.execute("insert into people values (1, 'ann', '1990-01-02'), (2, null, null)", database)
    store = Datastore.register_azure_postgre_sql(
        workspace, "sql", "127.0.0.1", database, postgres.user, postgres.password, port_number=str(postgres.port), enforce_ssl=False
    )
    dataset = Dataset.Tabular.from_sql_query((store, "select * from people order by id"))
    frame = dataset.to_pandas_dataframe()
    assert list(frame.columns) == ["id", "name", "born"]
    assert frame["name"][0] == "ann"
    assert list(dataset.filter(dataset["id"] == 2).to_pandas_dataframe()["id"]) == [2]
    registered = dataset.register(workspace, "people")
    assert len(Dataset.get_by_name(workspace, "people").to_pandas_dataframe()) == len(registered.take(2).to_pandas_dataframe()) == 2
    with pytest.raises(DatasetValidationError, match="sql"):
        Dataset.Tabular.from_sql_query((store, "select * from nothing_there"))
    with pytest.raises(UserErrorException):
        Dataset.Tabular.from_sql_query((store, "select * from nothing_there"), validate=False).to_pandas_dataframe()

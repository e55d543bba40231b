"""What the factories accept, refuse, and write into a dataset's document; nothing is read."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from azureml.core import Dataset
from azureml.data import DataType
from azureml.data.azure_postgre_sql_datastore import AzurePostgreSqlDatastore
from azureml.data.azure_storage_datastore import LocalDatastore
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath
from azureml.data.dataset_type_definitions import FileEncoding, PromoteHeadersBehavior
from azureml.exceptions import UserErrorException


def _places(path: Any) -> list[Any]:
    return Dataset.File.from_files(path)._document()["places"]


class TestPaths:
    def test_forms_on_a_datastore(self, store: Any) -> None:
        place = {"datastore": "store", "path": "a/b.csv"}
        assert _places((store, "a/b.csv")) == [place]
        assert _places((store, "/a/b.csv")) == [place]
        assert _places((store, Path("a/b.csv"))) == [place]
        assert _places(DataPath(store, "a/b.csv")) == [place]
        assert _places(DataReference(store, path_on_datastore="a/b.csv")) == [place]
        assert _places(store.path("a/b.csv")) == [place]
        mixed = [(store, "a/b.csv"), DataPath(store, "c"), DataReference(store, path_on_datastore="d")]
        assert _places(mixed) == [place, {"datastore": "store", "path": "c"}, {"datastore": "store", "path": "d"}]
        assert _places(DataPath(store)) == [{"datastore": "store", "path": ""}]

    @pytest.mark.parametrize(
        "url",
        [
            "http://host/a.csv",
            "https://host/a.csv?x=1",
            "wasbs://c@account.blob.core.windows.net/a",
            "abfss://c@account.dfs.core.windows.net/a/**",
            "adl://store.azuredatalakestore.net/a",
            "s3://bucket/a/*.csv",
            "gs://bucket/a",
            "memory://a",
        ],
    )
    def test_urls(self, url: str) -> None:
        assert _places(url) == [{"url": url}]
        assert _places([url, url]) == [{"url": url}, {"url": url}]

    def test_local_paths_become_absolute(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/home/someone")
        assert _places("data/*.csv") == [{"url": f"file://{tmp_path}/data/*.csv"}]
        assert _places("./data/") == [{"url": f"file://{tmp_path}/data/"}]
        assert _places(Path("data")) == [{"url": f"file://{tmp_path}/data"}]
        assert _places("~/x/../y") == [{"url": "file:///home/someone/y"}]
        assert _places("file:///data/a b#c.csv") == [{"url": "file:///data/a b#c.csv"}]
        assert _places(["/a", "https://host/b"]) == [{"url": "file:///a"}, {"url": "https://host/b"}]

    @pytest.mark.parametrize("path", [None, [], "", 3, b"x", object(), {"a": 1}, "azureml://datastores/x/paths/y", [None], [["a"]], set()])
    def test_anything_else_is_refused_with_the_forms(self, path: Any) -> None:
        with pytest.raises(UserErrorException, match="a tuple \\(datastore, 'relative/path'\\)"):
            Dataset.File.from_files(path)

    @pytest.mark.parametrize("item", [("store", "path"), ("a.csv", "b.csv"), (None, "x"), (SimpleNamespace(name="s"), "x")])
    def test_a_tuple_needs_a_datastore_object(self, item: Any, store: Any) -> None:
        with pytest.raises(UserErrorException, match="a datastore object"):
            Dataset.File.from_files(item)
        with pytest.raises(UserErrorException, match="a datastore object"):
            Dataset.File.from_files([(store, "x"), item])

    def test_a_tuple_has_a_path(self, store: Any) -> None:
        for item in [(store,), (store, 1), (store, "a", "b"), (store, None)]:
            with pytest.raises(UserErrorException, match="a datastore object"):
                Dataset.File.from_files(item)

    def test_datastores_and_urls_do_not_mix(self, store: Any) -> None:
        with pytest.raises(UserErrorException, match="two datasets"):
            Dataset.File.from_files([(store, "a"), "https://host/b"])

    def test_datastores_of_two_workspaces_do_not_mix(self, store: Any, other_workspace: Any) -> None:
        with pytest.raises(UserErrorException, match="'work' and 'other'"):
            Dataset.File.from_files([(store, "a"), (LocalDatastore(other_workspace, "b"), "b")])

    @pytest.mark.parametrize(
        "url",
        [
            "https://account.blob.core.windows.net/c/a.csv?sv=2020&sig=TOPSECRET",
            "https://bucket.s3.amazonaws.com/a?X-Amz-Signature=TOPSECRET",
            "https://someone:TOPSECRET@host/a.csv",
        ],
    )
    def test_urls_with_keys_are_refused_and_not_repeated(self, url: str) -> None:
        with pytest.raises(UserErrorException, match="register a datastore") as caught:
            Dataset.File.from_files(url)
        assert "TOPSECRET" not in str(caught.value)
        with pytest.raises(UserErrorException) as caught:
            Dataset.File.from_files([url, None])
        assert "TOPSECRET" not in str(caught.value)

    def test_tables_are_queried_and_files_are_not(self, workspace: Any, store: Any) -> None:
        sql = AzurePostgreSqlDatastore(workspace, "sql", "server", "database", "user", "password")
        with pytest.raises(UserErrorException, match="from_sql_query"):
            Dataset.Tabular.from_delimited_files((sql, "a.csv"))
        with pytest.raises(UserErrorException, match="no tables"):
            Dataset.Tabular.from_sql_query((store, "select 1"))
        for wrong in ("select 1", None, (sql, " "), [(sql, "select 1")]):
            with pytest.raises(UserErrorException, match="select"):
                Dataset.Tabular.from_sql_query(wrong)
        for timeout in (0, -1, 1.5, True, "30"):
            with pytest.raises(UserErrorException, match="query_timeout"):
                Dataset.Tabular.from_sql_query((sql, "select 1"), query_timeout=timeout)
        for query in ((sql, "select 1"), DataPath(sql, "select 1")):
            document = Dataset.Tabular.from_sql_query(query, validate=False, query_timeout=7)._document()
            assert document["places"] == [{"datastore": "sql", "query": "select 1", "timeout": 7}]
            assert document["parsing"] == {"kind": "query"}


class TestDelimited:
    def _parsing(self, store: Any, **settings: Any) -> Any:
        return Dataset.Tabular.from_delimited_files((store, "a"), validate=False, **settings)._document()["parsing"]

    def test_defaults(self, store: Any) -> None:
        assert self._parsing(store) == {"kind": "delimited"}

    def test_settings(self, store: Any) -> None:
        made = self._parsing(
            store,
            include_path=True,
            infer_column_types=False,
            separator="\t",
            header=False,
            support_multi_line=True,
            empty_as_string=True,
            encoding="latin1",
            set_column_types={"a": DataType.to_long()},
        )
        assert made == {
            "kind": "delimited",
            "include_path": True,
            "infer_column_types": False,
            "separator": "\t",
            "header": "NO_HEADERS",
            "support_multi_line": True,
            "empty_as_string": True,
            "encoding": "latin1",
            "column_types": {"a": {"type": "long"}},
        }

    @pytest.mark.parametrize(
        ("header", "name"),
        [
            (True, None),
            (False, "NO_HEADERS"),
            (PromoteHeadersBehavior.COMBINE_ALL_FILES_HEADERS, "COMBINE_ALL_FILES_HEADERS"),
            ("ONLY_FIRST_FILE_HAS_HEADERS", "ONLY_FIRST_FILE_HAS_HEADERS"),
        ],
    )
    def test_headers(self, store: Any, header: Any, name: Any) -> None:
        assert self._parsing(store, header=header).get("header") == name

    @pytest.mark.parametrize("header", ["yes", None, 1, 3])
    def test_other_headers_are_refused(self, store: Any, header: Any) -> None:
        with pytest.raises(UserErrorException, match="PromoteHeadersBehavior"):
            self._parsing(store, header=header)

    @pytest.mark.parametrize("encoding", ["iso88591", "latin1", "ascii", "utf16", "utf32", "utf8bom", "windows1252"])
    def test_encodings(self, store: Any, encoding: str) -> None:
        assert self._parsing(store, encoding=encoding)["encoding"] == encoding
        assert self._parsing(store, encoding=FileEncoding[encoding.upper()])["encoding"] == encoding

    @pytest.mark.parametrize(("encoding", "hint"), [("utf-8", "Did you mean 'utf8'"), ("big5", "windows1252"), (None, "utf8")])
    def test_other_encodings_are_refused(self, store: Any, encoding: Any, hint: str) -> None:
        with pytest.raises(UserErrorException, match=hint):
            self._parsing(store, encoding=encoding)

    @pytest.mark.parametrize("separator", ["", None, 1])
    def test_separators_are_texts(self, store: Any, separator: Any) -> None:
        with pytest.raises(UserErrorException, match="separator"):
            self._parsing(store, separator=separator)

    @pytest.mark.parametrize("types", [{"a": "string"}, {"a": int}, [DataType.to_long()], {1: DataType.to_long()}])
    def test_column_types_are_data_types(self, store: Any, types: Any) -> None:
        with pytest.raises(UserErrorException, match="set_column_types"):
            self._parsing(store, set_column_types=types)


def test_json_lines_and_parquet(store: Any) -> None:
    made = Dataset.Tabular.from_json_lines_files((store, "a"), validate=False, invalid_lines="drop", encoding="utf16", include_path=True)
    assert made._document()["parsing"] == {"kind": "json_lines", "invalid_lines": "drop", "encoding": "utf16", "include_path": True}
    with pytest.raises(UserErrorException, match="invalid_lines"):
        Dataset.Tabular.from_json_lines_files((store, "a"), validate=False, invalid_lines="skip")
    made = Dataset.Tabular.from_parquet_files((store, "a"), validate=False, set_column_types={"a": DataType.to_bool()})
    assert made._document()["parsing"] == {"kind": "parquet", "column_types": {"a": {"type": "bool"}}}


def test_data_types(workspace: Any) -> None:
    assert DataType.to_string()._about == {"type": "string"}
    assert DataType.to_float(",")._about == {"type": "float", "decimal_mark": ","}
    assert DataType.to_datetime()._about == {"type": "datetime"}
    assert DataType.to_datetime("%Y")._about == {"type": "datetime", "formats": ["%Y"]}
    assert DataType.to_datetime(["%Y", "%d"])._about == {"type": "datetime", "formats": ["%Y", "%d"]}
    assert DataType.to_stream(workspace)._about == {"type": "stream"}
    assert DataType.to_long() == DataType.to_long() != DataType.to_bool()
    assert repr(DataType.to_float(",")) == "DataType.to_float(decimal_mark=',')"
    for wrong in (lambda: DataType.to_float(";"), lambda: DataType.to_datetime([1])):
        with pytest.raises(UserErrorException):
            wrong()


class TestPartitionFormat:
    def test_columns(self, store: Any) -> None:
        made = Dataset.File.from_files((store, "**"), validate=False, partition_format="{day:yyyy/MM/dd}/{city}/{{x}}.csv")
        assert made.partition_keys == ["city", "day"]
        assert Dataset.File.from_files((store, "**")).partition_keys == []

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("a/b.csv", "no part in braces"),
            ("{}/a", "no column name"),
            ("{a/b", "brace"),
            ("{a:yyyy}/{b:yyyy}", "two date columns"),
            ("{a:MM/dd}", "no year"),
            ("{Path}/a", "Path"),
            (3, "text"),
        ],
    )
    def test_rules(self, store: Any, text: Any, why: str) -> None:
        for make in (Dataset.File.from_files, Dataset.Tabular.from_delimited_files, Dataset.Tabular.from_parquet_files):
            with pytest.raises(ValueError, match=why):
                make((store, "a"), validate=False, partition_format=text)


class TestUploadDirectory:
    def test_target(self, tmp_path: Path) -> None:
        for target in ("store", None, ("store", "x"), 3):
            with pytest.raises(ValueError, match="target is a datastore"):
                Dataset.File.upload_directory(str(tmp_path), target)

    def test_sources(self, tmp_path: Path, store: Any) -> None:
        with pytest.raises(UserErrorException, match="not a folder"):
            Dataset.File.upload_directory(str(tmp_path / "absent"), store)
        os.mkdir(tmp_path / "empty")
        with pytest.raises(UserErrorException, match="holds no file"):
            Dataset.File.upload_directory(str(tmp_path / "empty"), store)
        (tmp_path / "a.txt").write_text("x")
        with pytest.raises(UserErrorException, match="absolute paths"):
            Dataset.File.upload_directory(str(tmp_path), store, pattern="*.csv")


def test_frames_and_targets(store: Any) -> None:
    import pandas

    register = Dataset.Tabular.register_pandas_dataframe
    with pytest.raises(UserErrorException, match="DataFrame, not a list"):
        register([1], store, "n", show_progress=False)
    with pytest.raises(UserErrorException, match="target is a datastore"):
        register(pandas.DataFrame({"a": [1]}), "store", "n", show_progress=False)
    for cell in ([1], {"a": 1}, (1,)):
        with pytest.raises(UserErrorException, match="column 'a' holds a"):
            register(pandas.DataFrame({"a": [cell]}), store, "n", show_progress=False)
    with pytest.raises(UserErrorException, match="several columns named 'a_b'"):
        register(pandas.DataFrame({"a.b": [1], "a_b": [2]}), store, "n", show_progress=False)
    with pytest.raises(UserErrorException, match="can't be written as Parquet"):
        register(pandas.DataFrame({"a": [1, "x"]}), store, "n", show_progress=False)
    frame = pandas.DataFrame({"a": [1]})
    with pytest.raises(UserErrorException, match=r"Spark DataFrame, not a DataFrame.*register_pandas_dataframe"):
        Dataset.Tabular.register_spark_dataframe(frame, store, "n")
    with pytest.raises(UserErrorException, match="Dask DataFrame"):
        Dataset.Tabular.register_dask_dataframe(frame, store, "n")

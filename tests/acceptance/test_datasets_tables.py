"""Tabular datasets, as scripts use them, against a real service on local stores: what v1 documents, row by row."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from tests.conftest import end_processes

from azureml.core import Dataset, Experiment, Workspace
from azureml.data import DataType
from azureml.data.datapath import DataPath
from azureml.data.dataset_error_handling import DatasetExecutionError, DatasetValidationError
from azureml.data.dataset_profile_run_config import DatasetProfileRunConfig
from azureml.exceptions import UserErrorException


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    """A home folder for all tests of this module: each has names of its own."""
    before = {name: os.environ.pop(name, None) for name in ("PENSTOCK_HOME", "AZUREML_RUN_ID", "PENSTOCK_RUN_FOLDER")}
    with tempfile.TemporaryDirectory(prefix="ps", ignore_cleanup_errors=True) as folder:
        os.environ["PENSTOCK_HOME"] = folder
        yield Path(folder)
        end_processes(Path(folder))
    os.environ.pop("PENSTOCK_HOME")
    os.environ.update({name: value for name, value in before.items() if value is not None})


@pytest.fixture
def workspace(shared_home: Path, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return Workspace.create(f"w{abs(hash(request.node.nodeid)) % 10**12}", subscription_id="s", resource_group="g", show_output=False)


@pytest.fixture
def store(workspace: Any) -> Any:
    return workspace.get_default_datastore()


def write(name: str, text: str, encoding: str = "utf-8") -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return name


def csv(text: str, **settings: Any) -> Any:
    """Return a dataset of one CSV file in the current folder."""
    return Dataset.Tabular.from_delimited_files(write("data.csv", text), **settings)


def column(values: list[str], **settings: Any) -> Any:
    """Return the column that a CSV file with these texts gives."""
    lines = "\n".join(f"{value},x" for value in values)
    return csv(f"a,b\n{lines}\n", **settings).to_pandas_dataframe()["a"]


PEOPLE = "id,name,age,born\n1,ann,30,1990-01-02\n2,bob,,1985-05-06\n3,cid,41,1979-11-12\n4,dee,22,1998-07-08\n"


@pytest.fixture
def people(workspace: Any) -> Any:
    return csv(PEOPLE)


class TestInference:
    @pytest.mark.parametrize(
        ("values", "dtype", "first"),
        [
            (["1", "2"], "int64", 1),
            (["001", "02"], "int64", 1),
            (["1", ""], "float64", 1.0),
            (["0", "1"], "int64", 0),
            (["1.5", "2"], "float64", 1.5),
            (["1e3", "2"], "float64", 1000.0),
            (["inf", "1.0"], "float64", float("inf")),
            (["123456789012345678901", "1"], "float64", 123456789012345678901.0),
            (["true", "FALSE"], "bool", True),
            (["t", "f"], "bool", True),
            (["true", ""], "object", True),
            (["2020-01-07", "2020-02-01"], "datetime64[ns]", pandas.Timestamp("2020-01-07")),
            (["1/7/2020", "12/31/2020"], "datetime64[ns]", pandas.Timestamp("2020-01-07")),
            (["2020-01-07T08:00:01.5", "2020-02-01T00:00:00"], "datetime64[ns]", pandas.Timestamp("2020-01-07T08:00:01.5")),
            (["2020-01-07 08:00:01", "2020-02-01 00:00:00"], "datetime64[ns]", pandas.Timestamp("2020-01-07T08:00:01")),
            (["2020-01-07T08:00:00Z", "2020-01-07T08:00:00Z"], "datetime64[ns]", pandas.Timestamp("2020-01-07T08:00:00")),
            (["2020-01-07T08:00:00+02:00", "2020-01-07T08:00:00+02:00"], "datetime64[ns]", pandas.Timestamp("2020-01-07T06:00:00")),
            (["2020-01-07 08:00", "2020-01-08 08:00"], "text", "2020-01-07 08:00"),
            (["yes", "no"], "text", "yes"),
            (["10%", "20%"], "text", "10%"),
            (["NA", "null"], "text", "NA"),
            (["12:30", "13:00"], "text", "12:30"),
            (["1", "x"], "text", "1"),
        ],
    )
    def test_texts_become_types(self, workspace: Any, values: list[str], dtype: str, first: Any) -> None:
        found = column(values)
        if dtype == "text":
            assert isinstance(found[0], str)
            assert list(found) == values
        else:
            assert str(found.dtype) == dtype
        assert found[0] == first

    def test_nothing_but_empty_cells(self, workspace: Any) -> None:
        assert list(column(["", ""])) == [None, None]

    def test_ambiguous_days_are_month_first_with_a_warning(self, workspace: Any) -> None:
        with pytest.warns(UserWarning, match="month-day"):
            frame = csv("a,b\n1/2/2020,x\n3/4/2020,x\n").to_pandas_dataframe()
        assert frame["a"][0] == pandas.Timestamp(2020, 1, 2)

    def test_only_the_first_200_rows_decide(self, workspace: Any) -> None:
        found = column([*(str(number) for number in range(300)), "text", "7"])
        assert numpy.isnan(found[300])
        assert found[301] == 7

    def test_without_inference_all_is_text(self, workspace: Any) -> None:
        assert list(column(["1", "2"], infer_column_types=False)) == ["1", "2"]


class TestDelimited:
    def test_headers(self, workspace: Any) -> None:
        assert list(csv("a,b\n1,2\n", header=False).to_pandas_dataframe().columns) == ["Column1", "Column2"]
        assert len(csv("a,b\n1,2\n", header=False).to_pandas_dataframe()) == 2
        assert list(csv("a,a\n1,2\n").to_pandas_dataframe().columns) == ["a", "a_1"]
        write("f/1.csv", "a,b\n1,2\n")
        write("f/2.csv", "a,c\n3,4\n")
        frame = Dataset.Tabular.from_delimited_files("f/*.csv", header="COMBINE_ALL_FILES_HEADERS").to_pandas_dataframe()
        assert list(frame.columns) == ["a", "b", "c"]
        assert list(frame["a"]) == [1, 3]
        frame = Dataset.Tabular.from_delimited_files("f/*.csv", header="ONLY_FIRST_FILE_HAS_HEADERS").to_pandas_dataframe()
        assert list(frame.columns) == ["a", "b"]
        assert len(frame) == 3

    def test_ragged_rows(self, workspace: Any) -> None:
        frame = csv("a,b\n1,2\n3,4,5\n6\n").to_pandas_dataframe()
        assert list(frame.columns) == ["a", "b", "Column3"]
        assert frame["Column3"][1] == 5
        assert numpy.isnan(frame["b"][2])

    def test_quoted_line_breaks(self, workspace: Any) -> None:
        text = 'a,b\n1,"x\ny"\n2,z\n'
        assert len(csv(text).to_pandas_dataframe()) == 3
        frame = csv(text, support_multi_line=True).to_pandas_dataframe()
        assert list(frame["b"]) == ["x\ny", "z"]

    def test_empty_cells(self, workspace: Any) -> None:
        assert list(csv("a,b\nx,1\n,2\n").to_pandas_dataframe()["a"].isna()) == [False, True]
        assert list(csv("a,b\nx,1\n,2\n", empty_as_string=True).to_pandas_dataframe()["a"]) == ["x", ""]

    @pytest.mark.parametrize(
        ("encoding", "python"),
        [
            ("utf8", "utf-8"),
            ("utf8bom", "utf-8-sig"),
            ("iso88591", "iso-8859-1"),
            ("latin1", "latin-1"),
            ("windows1252", "cp1252"),
            ("utf16", "utf-16"),
            ("utf32", "utf-32"),
        ],
    )
    def test_encodings(self, workspace: Any, encoding: str, python: str) -> None:
        write("data.csv", "näme,b\nä,1\nö,2\n", python)
        frame = Dataset.Tabular.from_delimited_files("data.csv", encoding=encoding).to_pandas_dataframe()
        assert list(frame.columns) == ["näme", "b"]
        assert list(frame["näme"]) == ["ä", "ö"]

    def test_separators_paths_and_types(self, workspace: Any) -> None:
        write("f/1.csv", "a;b\n1,5;2020-01-31 x\n")
        types = {"a": DataType.to_float(","), "b": DataType.to_datetime("%Y-%m-%d x"), "absent": DataType.to_long()}
        frame = Dataset.Tabular.from_delimited_files("f", separator=";", include_path=True, set_column_types=types).to_pandas_dataframe()
        assert list(frame.columns) == ["Path", "a", "b"]
        assert frame["Path"][0].endswith("1.csv")
        assert frame["a"][0] == 1.5
        assert frame["b"][0] == pandas.Timestamp(2020, 1, 31)

    def test_values_that_do_not_fit(self, workspace: Any) -> None:
        dataset = csv("a,b\n1,x\nten,y\n", set_column_types={"a": DataType.to_long()})
        assert numpy.isnan(dataset.to_pandas_dataframe()["a"][1])
        with pytest.raises(DatasetExecutionError, match=r"a.*ten|ten.*a"):
            dataset.to_pandas_dataframe(on_error="fail")

    def test_partition_columns_come_first_and_dates_last_among_them(self, workspace: Any) -> None:
        write("f/2020/03/de/1.csv", "a,b\n1,2\n")
        write("f/2020/04/fr/1.csv", "a,b\n3,4\n")
        dataset = Dataset.Tabular.from_delimited_files("f/**/*.csv", partition_format="{day:yyyy/MM}/{country}/*.csv")
        frame = dataset.to_pandas_dataframe()
        assert list(frame.columns) == ["country", "day", "a", "b"]
        assert list(frame["country"]) == ["de", "fr"]
        assert frame["day"][1] == pandas.Timestamp(2020, 4, 1)
        assert dataset.partition_keys == ["country", "day"]
        assert dataset.get_partition_key_values()[0] == {"country": "de", "day": pandas.Timestamp(2020, 3, 1)}
        chosen = dataset.filter(dataset["country"] == "fr")
        assert chosen.get_partition_key_values(["country"]) == [{"country": "fr"}]
        assert list(chosen.to_pandas_dataframe()["a"]) == [3]


class TestOtherSources:
    def test_json_lines(self, workspace: Any) -> None:
        write("data.jsonl", '{"a": 1, "b": "x"}\n{"a": 2}\n')
        frame = Dataset.Tabular.from_json_lines_files("data.jsonl").to_pandas_dataframe()
        assert list(frame["a"]) == [1, 2]
        assert list(frame["b"].isna()) == [False, True]
        write("broken.jsonl", '{"a": 1}\nnot json\n{"a": 3}\n')
        with pytest.raises(UserErrorException, match=r"broken\.jsonl"):
            Dataset.Tabular.from_json_lines_files("broken.jsonl", validate=False).to_pandas_dataframe()
        dropped = Dataset.Tabular.from_json_lines_files("broken.jsonl", invalid_lines="drop")
        assert list(dropped.to_pandas_dataframe()["a"]) == [1, 3]

    def test_parquet(self, workspace: Any) -> None:
        frame = pandas.DataFrame({"a": [1, 2], "t": pandas.to_datetime(["2020-01-01", None]), "s": ["x", None], "b": [True, False]})
        frame.to_parquet("data.parquet")
        read = Dataset.Tabular.from_parquet_files("data.parquet", include_path=True).to_pandas_dataframe()
        assert list(read.columns) == ["Path", "a", "t", "s", "b"]
        assert str(read["t"].dtype) == "datetime64[ns]"
        assert list(read["s"].isna()) == [False, True]


class TestValidation:
    def test_nothing_readable_is_told_when_the_dataset_is_made(self, store: Any) -> None:
        for make in (
            Dataset.Tabular.from_delimited_files,
            Dataset.Tabular.from_parquet_files,
            Dataset.Tabular.from_json_lines_files,
        ):
            with pytest.raises(DatasetValidationError, match=r"workspaceblobstore.*none|none.*workspaceblobstore"):
                make((store, "none/*.csv"))
            late = make((store, "none/*.csv"), validate=False)
            with pytest.raises(DatasetExecutionError, match="none"):
                late.to_pandas_dataframe()

    def test_no_parquet_at_all(self, workspace: Any) -> None:
        write("data.parquet", "this is text")
        with pytest.raises(DatasetValidationError, match=r"data\.parquet"):
            Dataset.Tabular.from_parquet_files("data.parquet")

    def test_what_cannot_be_read_names_datastore_and_path(self, store: Any) -> None:
        write("up/quote.csv", 'a,b\n1,"x\n2,y\n')
        write("up/lines.jsonl", '{"a": 1}\nnone\n')
        store.upload("up", "up", show_progress=False)
        broken = Dataset.Tabular.from_delimited_files((store, "up/quote.csv"))
        with pytest.raises(DatasetExecutionError, match=r"quote\.csv.*line 2.*'workspaceblobstore'"):
            broken.to_pandas_dataframe(on_error="fail")
        broken = Dataset.Tabular.from_json_lines_files((store, "up/lines.jsonl"), validate=False)
        with pytest.raises(DatasetExecutionError, match=r"lines\.jsonl.*line 2.*'workspaceblobstore'"):
            broken.to_pandas_dataframe()

    def test_a_file_that_is_gone_between(self, workspace: Any, people: Any) -> None:
        os.unlink("data.csv")
        with pytest.raises(DatasetExecutionError, match=r"data\.csv"):
            people.to_pandas_dataframe()

    def test_wrong_encoding(self, workspace: Any) -> None:
        write("f/1.csv", "a,b\nä,1\n", "utf-8")
        write("f/2.csv", "a,b\nö,2\n", "latin-1")
        dataset = Dataset.Tabular.from_delimited_files("f/*.csv")
        with pytest.raises(DatasetExecutionError, match=r"2\.csv"):
            dataset.to_pandas_dataframe()

    def test_an_empty_file_beside_others(self, workspace: Any) -> None:
        write("f/0.csv", "")
        write("f/1.csv", "a,b\n1,2\n")
        assert list(Dataset.Tabular.from_delimited_files("f/*.csv").to_pandas_dataframe()["a"]) == [1]


class TestRows:
    def test_take_and_skip(self, people: Any) -> None:
        assert list(people.take(2).to_pandas_dataframe()["id"]) == [1, 2]
        assert list(people.skip(3).to_pandas_dataframe()["id"]) == [4]
        assert list(people.skip(1).take(2).to_pandas_dataframe()["id"]) == [2, 3]
        assert list(people.take(0).to_pandas_dataframe().columns) == []

    def test_chance(self, workspace: Any) -> None:
        dataset = csv("a,b\n" + "".join(f"{number},x\n" for number in range(2000)))
        first, second = dataset.random_split(0.7, seed=1)
        ids = [set(part.to_pandas_dataframe()["a"]) for part in (first, second)]
        assert not ids[0] & ids[1]
        assert ids[0] | ids[1] == set(range(2000))
        assert 1300 < len(ids[0]) < 1500
        assert set(dataset.random_split(0.7, seed=1)[0].to_pandas_dataframe()["a"]) == ids[0]
        sample = dataset.take_sample(0.1)
        assert 120 < len(sample.to_pandas_dataframe()) < 290
        assert list(sample.to_pandas_dataframe()["a"]) == list(sample.to_pandas_dataframe()["a"])

    def test_columns(self, people: Any) -> None:
        assert list(people.keep_columns(["age", "nope", "id"]).to_pandas_dataframe().columns) == ["id", "age"]
        assert list(people.keep_columns("name", validate=True).to_pandas_dataframe().columns) == ["name"]
        assert list(people.drop_columns(["age", "nope"]).to_pandas_dataframe().columns) == ["id", "name", "born"]
        os.unlink("data.csv")
        with pytest.raises(DatasetValidationError):
            people.keep_columns("name", validate=True)

    @pytest.mark.parametrize(
        ("condition", "ids"),
        [
            (lambda d: d["id"] > 2, [3, 4]),
            (lambda d: (d["id"] != 2) & (d["name"] < "d"), [1, 3]),
            (lambda d: (d["id"] == 1) | (d["name"] == "dee"), [1, 4]),
            (lambda d: ~(d["id"] <= 2), [3, 4]),
            (lambda d: d["age"].is_null(), [2]),
            (lambda d: d["age"] > 25, [1, 3]),
            (lambda d: ~(d["age"] > 25), [4]),
            (lambda d: d["born"] >= datetime(1985, 5, 6), [1, 2, 4]),
            (lambda d: d["born"] < date(1985, 5, 6), [3]),
            (lambda d: d["name"].contains("i"), [3]),
            (lambda d: d["name"].starts_with("a") | d["name"].ends_with("b"), [1, 2]),
            (lambda d: d["name"].to_upper() == "DEE", [4]),
            (lambda d: d["name"].substring(1, 2) == "ob", [2]),
            (lambda d: (d["name"].index_of("e") == 1) & (d["name"].length() == 3), [4]),
            (lambda d: d["id"] % 2 == 0, [2, 4]),
            (lambda d: d["age"] / 10 - 1 > d["id"], [1, 3]),
            (lambda d: 2 ** d["id"] + 1 == 9, [3]),
            (lambda d: d["age"] // 10 == 4, [3]),
            (lambda d: d["age"] * 2 == 60, [1]),
        ],
    )
    def test_conditions(self, people: Any, condition: Any, ids: list[int]) -> None:
        assert list(people.filter(condition(people)).to_pandas_dataframe()["id"]) == ids

    def test_a_condition_on_a_column_that_is_not_there(self, people: Any) -> None:
        dataset = people.filter(people["size"] > 1)
        with pytest.raises(DatasetExecutionError, match="size"):
            dataset.to_pandas_dataframe()

    def test_values_in_error(self, workspace: Any) -> None:
        dataset = csv("a,b\n1,x\nten,y\n", set_column_types={"a": DataType.to_long()})
        assert list(dataset.filter(dataset["a"].is_error()).to_pandas_dataframe()["b"]) == ["y"]

    def test_order_of_operations(self, people: Any) -> None:
        assert list(people.take(3).filter(people["id"] > 1).to_pandas_dataframe()["id"]) == [2, 3]
        assert list(people.filter(people["id"] > 1).take(2).to_pandas_dataframe()["id"]) == [2, 3]
        assert list(people.filter(people["id"] > 1).keep_columns("name").to_pandas_dataframe().columns) == ["name"]


class TestTimes:
    @pytest.fixture
    def timed(self, workspace: Any) -> Any:
        lines = "".join(f"2020-01-01T00:00:0{second}.{fraction},{second}\n" for second in range(5) for fraction in ("000", "600"))
        return csv(f"t,n\n{lines}").with_timestamp_columns("t", validate=True)

    def test_the_index(self, timed: Any) -> None:
        frame = timed.to_pandas_dataframe()
        assert frame.index[0] == frame["t"].iloc[0] == pandas.Timestamp(2020, 1, 1)
        assert frame.index.name is None
        assert list(timed.drop_columns("t").to_pandas_dataframe().index) == list(range(10))

    def test_ranges(self, timed: Any) -> None:
        second = datetime(2020, 1, 1, 0, 0, 2)
        assert len(timed.time_before(second).to_pandas_dataframe()) == 5
        assert len(timed.time_before(second, include_boundary=False).to_pandas_dataframe()) == 4
        assert len(timed.time_after(second).to_pandas_dataframe()) == 6
        assert len(timed.time_after(second, include_boundary=False).to_pandas_dataframe()) == 5
        assert len(timed.time_between(second, second + timedelta(seconds=1)).to_pandas_dataframe()) == 3
        # The lower bound is cut off, the upper one rounded.
        assert len(timed.time_after(second + timedelta(milliseconds=900)).to_pandas_dataframe()) == 6
        assert len(timed.time_before(second + timedelta(milliseconds=600)).to_pandas_dataframe()) == 7
        assert len(timed.time_recent(timedelta(days=365 * 200)).to_pandas_dataframe()) == 10
        assert len(timed.time_recent(timedelta(days=1)).to_pandas_dataframe()) == 0

    def test_columns_that_are_not_there(self, people: Any) -> None:
        with pytest.raises(DatasetValidationError, match=r"'nope'.*born"):
            people.with_timestamp_columns("nope", validate=True)
        with pytest.raises(DatasetValidationError, match="name"):
            people.with_timestamp_columns("name", validate=True)
        late = people.with_timestamp_columns("nope")
        with pytest.raises(DatasetValidationError, match="'nope'"):
            late.time_before(datetime(2020, 1, 1))
        with pytest.raises(DatasetExecutionError, match="nope"):
            late.time_before(datetime(2020, 1, 1), validate=False).to_pandas_dataframe()


class TestWriting:
    def test_csv_files(self, people: Any) -> None:
        write("data.csv", 'id,name,born\n1,"a, ""b""",2020-01-02T03:04:05\n2,,\n')
        written = people.to_csv_files()
        assert written.to_path() == ["/part-0.csv"]
        (path,) = written.download("out")
        lines = Path(path).read_text().splitlines()
        assert lines[0] == "id,name,born"
        assert lines[1].startswith('1,"a, ""b""",2020-01-02')
        assert lines[2] == "2,,"
        with written.mount() as mounted:
            assert os.listdir(mounted.mount_point) == ["part-0.csv"]
        (path,) = people.to_csv_files(separator="\t").download()
        assert Path(path).read_text().splitlines()[0] == "id\tname\tborn"

    def test_parquet_files(self, people: Any) -> None:
        (path,) = people.take(2).to_parquet_files().download()
        assert path.endswith("/part-0.parquet")
        assert list(pandas.read_parquet(path)["id"]) == [1, 2]

    def test_a_selection_of_written_files(self, people: Any) -> None:
        assert people.to_csv_files().take(0).to_path() == []
        assert people.to_csv_files().skip(1).download() == []

    def test_a_registered_dataset_of_written_files(self, workspace: Any, people: Any) -> None:
        people.to_csv_files().register(workspace, "written")
        found = Dataset.get_by_name(workspace, "written")
        assert found.to_path() == ["/part-0.csv"]
        assert found.data_changed_time == people.data_changed_time


class TestPartitionBy:
    def test_partitions(self, workspace: Any, store: Any) -> None:
        dataset = csv("country,year,n\nde,2020,1\nde,2021,2\nfr,2020,3\nde,2020,4\n", set_column_types={"year": DataType.to_string()})
        made = dataset.partition_by(["country", "year"], (store, "parts"), name="parted", show_progress=False)
        assert (made.name, made.version) == ("parted", 1)
        assert made.partition_keys == ["country", "year"]
        values = made.get_partition_key_values()
        assert sorted((item["country"], str(item["year"])) for item in values) == [("de", "2020"), ("de", "2021"), ("fr", "2020")]
        frame = made.to_pandas_dataframe()
        assert list(frame.columns) == ["country", "year", "n"]
        assert sorted(frame["n"]) == [1, 2, 3, 4]
        chosen = made.filter(made["country"] == "fr").to_pandas_dataframe()
        assert list(chosen["n"]) == [3]

    def test_files(self, people: Any, store: Any, capsys: pytest.CaptureFixture[str]) -> None:
        made = people.partition_by(["name"], DataPath(store, "parts"), partition_as_file_dataset=True)
        assert "Uploading" in capsys.readouterr().out
        assert (made.name, len(made.to_path()), made.partition_keys) == (None, 4, ["name"])
        assert {"name": "bob"} in made.get_partition_key_values()

    def test_wrong_keys_and_targets(self, people: Any, store: Any) -> None:
        for keys, why in (([], "one or more"), (["nope"], "'nope'"), (["id", "id"], "twice"), (None, "one or more"), ([1], "one or more")):
            with pytest.raises(UserErrorException, match=why):
                people.partition_by(keys, store)
        with pytest.raises(UserErrorException, match="target is a datastore"):
            people.partition_by(["id"], "store")


class TestFrames:
    def test_register_pandas_dataframe(self, workspace: Any, store: Any, capsys: pytest.CaptureFixture[str]) -> None:
        frame = pandas.DataFrame(
            {"a.b": [1, 2], "day": [date(2020, 1, 1), None], "text": ["x", None], 3: [1.5, None], "flag": [True, False]}, index=[7, 8]
        )
        made = Dataset.Tabular.register_pandas_dataframe(frame, (store, "frames"), "frame", description="some", tags={"a": "b"})
        assert "a.b" in capsys.readouterr().out
        assert (made.name, made.version, made.description, made.tags) == ("frame", 1, "some", {"a": "b"})
        read = made.to_pandas_dataframe()
        assert list(read.columns) == ["a_b", "day", "text", "3", "flag"]
        assert list(read.index) == [0, 1]
        assert str(read["day"].dtype) == "datetime64[ns]"
        assert list(frame.columns) == ["a.b", "day", "text", 3, "flag"]
        again = Dataset.Tabular.register_pandas_dataframe(frame, store, "frame", show_progress=False, row_group_size=1)
        assert again.version == 2
        assert capsys.readouterr().out == ""
        assert made._document()["places"][0]["path"].startswith("frames/")
        assert again._document()["places"][0]["path"].startswith("managed-dataset/")
        assert again._document()["places"][0]["path"].endswith("/dataframe.parquet")
        fixed = Dataset.Tabular.register_pandas_dataframe(
            frame, DataPath(store, "fixed"), "frame", show_progress=False, make_target_path_unique=False
        )
        assert fixed._document()["places"][0]["path"] == "fixed/dataframe.parquet"

    @pytest.mark.filterwarnings("ignore")  # what dask says about the pandas of this day
    def test_dask(self, workspace: Any, store: Any, people: Any) -> None:
        pytest.importorskip("dask.dataframe", reason="dask is not installed")
        frame = people.to_dask_dataframe(dtypes={"id": "float64"})
        assert list(frame.compute()["id"]) == [1.0, 2.0, 3.0, 4.0]
        made = Dataset.Tabular.register_dask_dataframe(frame, (store, "dask"), "dask", show_progress=False)
        assert list(made.to_pandas_dataframe()["name"]) == ["ann", "bob", "cid", "dee"]

    def test_libraries_that_are_absent_are_named(self, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        import sys

        for name in ("dask", "pyspark"):
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(UserErrorException, match="dask"):
            people.to_dask_dataframe()
        with pytest.raises(UserErrorException, match="pyspark"):
            people.to_spark_dataframe()


class TestStreams:
    def test_download_and_mount(self, workspace: Any, store: Any) -> None:
        write("up/x/1.txt", "one")
        write("up/2.txt", "two")
        store.upload("up", "up", show_progress=False)
        long = "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/up/2.txt"
        dataset = csv(
            f"file,n\nAmlDatastore://workspaceblobstore/up/x/1.txt,1\n{long},2\n,3\nAmlDatastore://workspaceblobstore/up/gone.txt,4\n",
            set_column_types={"file": DataType.to_stream(workspace)},
        )
        got = dataset.download("file", "target")
        assert sorted(Path(path).read_text() for path in got) == ["one", "two"]
        with pytest.raises(UserErrorException, match="gone"):
            dataset.download("file", "other", ignore_not_found=False)
        with dataset.take(2).mount("file") as mounted:
            assert Path(mounted.mount_point, "up/x/1.txt").read_text() == "one"
        with pytest.raises(UserErrorException, match="nope"):
            dataset.download("nope")
        with pytest.raises(UserErrorException, match="refers to no file"):
            dataset.skip(2).take(1).download("file")


class TestProfiles:
    def test_profile(self, workspace: Any, people: Any) -> None:
        experiment = Experiment(workspace, "profiles")
        with pytest.raises(UserErrorException, match="submit_profile_run"):
            people.get_profile(workspace)
        run = people.submit_profile_run("local", experiment)
        assert run.get_status() == "Completed"
        run.wait_for_completion(raise_on_error=True)
        profile = run.get_profile()
        assert profile.row_count == 4
        assert list(profile.columns) == ["id", "name", "age", "born"]
        assert profile.get_producing_run().id == run.id
        assert people.get_profile().row_count == 4
        assert [item.id for item in people.get_profile_runs()] == [run.id]
        assert not profile.is_stale()
        write("data.csv", PEOPLE + "5,eve,5,2000-01-01\n")
        assert profile.is_stale()
        second = experiment.submit(DatasetProfileRunConfig(people))
        assert second.get_profile().row_count == 5
        assert [item.id for item in people.get_profile_runs(workspace)] == [second.id, run.id]

    def test_a_profile_that_fails(self, workspace: Any, people: Any) -> None:
        os.unlink("data.csv")
        experiment = Experiment(workspace, "failing")
        with pytest.raises(DatasetExecutionError):
            people.submit_profile_run("local", experiment)
        assert list(people.get_profile_runs(workspace)) == []
        with pytest.raises(UserErrorException, match="TabularDataset"):
            DatasetProfileRunConfig("data")


def test_registered_tables_keep_all_that_was_set(workspace: Any, people: Any) -> None:
    made = people.filter(people["id"] > 1).with_timestamp_columns("born").register(workspace, "people", tags={"a": "b"})
    found = Dataset.get_by_name(workspace, "people")
    assert type(found) is type(made)
    assert found.timestamp_columns == ("born", None)
    assert found.to_pandas_dataframe().equals(made.to_pandas_dataframe())
    assert json.loads(str(found).partition("\n")[2])["definition"] == ["GetFiles", "ParseDelimited", "Filter"]
    assert found.data_changed_time == people.data_changed_time


def test_the_old_factory_of_delimited_files(workspace: Any) -> None:
    write("data.csv", PEOPLE)
    with pytest.warns(DeprecationWarning, match=r"Dataset\.Tabular"):
        dataset = Dataset.from_delimited_files("data.csv")
    assert len(dataset.to_pandas_dataframe()) == 4

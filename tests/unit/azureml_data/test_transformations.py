"""What transformations write into a dataset's document, and what they refuse; nothing is read."""

from __future__ import annotations

import copy
import pickle
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azureml.core import Dataset
from azureml.data import FileDataset, TabularDataset
from azureml.data._timestamps import between
from azureml.data.abstract_dataset import AbstractDataset
from azureml.exceptions import DatasetTimestampMissingError, UserErrorException
from penstock.model.datasets import TABULAR, Parsing, Place, format_dataset, parse_dataset
from penstock.model.datasets import Dataset as Definition


@pytest.fixture
def files(store: Any) -> FileDataset:
    return Dataset.File.from_files((store, "a/**"), validate=False, partition_format="{city}/x.csv")


@pytest.fixture
def table(store: Any) -> TabularDataset:
    return Dataset.Tabular.from_delimited_files((store, "a/*.csv"), validate=False)


@pytest.fixture(params=["files", "table"])
def either(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def _operations(dataset: Any) -> Any:
    return dataset._document().get("operations", [])


class TestBoth:
    def test_each_transformation_is_a_new_dataset(self, either: Any) -> None:
        before = either._document()
        made = either.skip(1).take(2)
        assert type(made) is type(either)
        assert _operations(made) == [{"kind": "skip", "settings": {"count": 1}}, {"kind": "take", "settings": {"count": 2}}]
        assert either._document() == before
        assert (made.id, made.name, made.version, made.description, made.tags) == (None,) * 5

    @pytest.mark.parametrize("count", [-1, 1.0, "1", None, True])
    def test_counts(self, either: Any, count: Any) -> None:
        for method in (either.take, either.skip):
            with pytest.raises(ValueError, match="whole number"):
                method(count)

    @pytest.mark.parametrize("share", [-0.1, 1.1, "0.5", None, True, float("nan")])
    def test_shares(self, either: Any, share: Any) -> None:
        for method in (either.take_sample, either.random_split):
            with pytest.raises(ValueError, match="from 0 to 1"):
                method(share)
        with pytest.raises(ValueError, match="seed"):
            either.random_split(0.5, seed="x")

    def test_samples_settle_their_chance_when_they_are_made(self, either: Any) -> None:
        (drawn,) = _operations(either.take_sample(0.5))
        assert isinstance(drawn["settings"]["seed"], int)
        assert _operations(either.take_sample(0.5, seed=3)) == [{"kind": "sample", "settings": {"probability": 0.5, "seed": 3}}]

    def test_parts_of_a_split_meet_and_share_their_seed(self, either: Any) -> None:
        first, second = either.random_split(0.7)
        (a,), (b,) = _operations(first), _operations(second)
        assert (a["settings"]["start"], a["settings"]["end"], b["settings"]["start"], b["settings"]["end"]) == (0.0, 0.7, 0.7, 1.0)
        assert a["settings"]["seed"] == b["settings"]["seed"]
        assert _operations(either.random_split(0.7, seed=1)[0]) == _operations(either.random_split(0.7, seed=1)[0])

    def test_filter(self, either: Any, caplog: pytest.LogCaptureFixture) -> None:
        made = either.filter((either["city"] == "x") & ~either["b"].is_null())
        (operation,) = _operations(made)
        assert operation["kind"] == "filter"
        assert operation["settings"]["expression"]["call"] == "and"
        with pytest.raises(UserErrorException, match="filter takes an expression"):
            either.filter("city == 'x'")

    def test_a_dataset_is_no_sequence(self, either: Any) -> None:
        with pytest.raises(TypeError):
            list(either)
        with pytest.raises(TypeError):
            "city" in either  # noqa: B015

    def test_copies_and_pickles(self, either: Any, workspace: Any) -> None:
        for made in (copy.copy(either), copy.deepcopy(either), pickle.loads(pickle.dumps(either))):  # noqa: S301
            assert type(made) is type(either)
            assert made._document() == either._document()
            assert made._workspace.name == workspace.name

    def test_documents_come_back(self, either: Any) -> None:
        made = either.filter(either["city"] == "x").take(3)
        assert format_dataset(parse_dataset(made._document())) == made._document()

    def test_changes_need_a_registration(self, either: Any) -> None:
        for change in (
            lambda: either.update("x"),
            lambda: either.add_tags({"a": "b"}),
            lambda: either.remove_tags(["a"]),
            either.unregister_all_versions,
        ):
            with pytest.raises(UserErrorException, match="needs a registered dataset"):
                change()
        with pytest.raises(UserErrorException, match="dictionary"):
            either.update(tags=["a"])

    def test_a_workspace_keeps_its_datastores(self, either: Any, other_workspace: Any) -> None:
        for use in (lambda: either.register(other_workspace, "n"), lambda: either._ensure_saved(other_workspace)):
            with pytest.raises(UserErrorException, match="'work', and it was given to 'other'"):
                use()

    def test_unknown_partition_columns(self, either: Any) -> None:
        with pytest.raises(UserErrorException, match="no partition column 'nope'"):
            either.get_partition_key_values(["nope"])


def test_datasets_are_not_constructed() -> None:
    for kind in (FileDataset, TabularDataset, AbstractDataset):
        with pytest.raises(UserErrorException, match="not constructed"):
            kind()


def test_text_of_a_dataset(table: TabularDataset) -> None:
    import json

    name, _, rest = str(table.take(1).to_csv_files()).partition("\n")
    assert name == "FileDataset"
    assert json.loads(rest) == {
        "source": ["('store', 'a/*.csv')"],
        "definition": ["GetFiles", "ParseDelimited", "Take", "WriteDelimited"],
    }


class TestFiles:
    def test_as_input(self, files: FileDataset) -> None:
        assert (files.as_mount("/x").mode, files.as_mount("/x").path_on_compute) == ("mount", "/x")
        assert files.as_download().mode == "download"
        assert files.as_hdfs().mode == "hdfs"
        assert (files.as_named_input("n").name, files.as_named_input("n").mode) == ("n", "direct")

    def test_metadata(self, files: FileDataset) -> None:
        assert repr(files.file_metadata("Size") > 3)
        with pytest.raises(UserErrorException, match="LastModifiedTime"):
            files.file_metadata("Colour")

    def test_caches_are_refused_by_name(self, files: FileDataset) -> None:
        for name in ("as_cache", "hydrate"):
            with pytest.raises(NotImplementedError, match=f"FileDataset.{name}"):
                getattr(files, name)(None)

    def test_mount_points_are_empty_folders(self, files: FileDataset, tmp_path: Any) -> None:
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "a").write_text("x")
        for name in ("full", "full/a"):
            with pytest.raises(UserErrorException, match="can't be mounted"):
                files.mount(str(tmp_path / name))


class TestColumns:
    def test_names(self, table: TabularDataset) -> None:
        assert _operations(table.keep_columns("a")) == [{"kind": "keep_columns", "settings": {"columns": ["a"]}}]
        assert _operations(table.drop_columns(["a", "b"])) == [{"kind": "drop_columns", "settings": {"columns": ["a", "b"]}}]
        for wrong in (None, 1, [1], ["a", None], {"a": 1}):
            with pytest.raises(UserErrorException, match="columns"):
                table.keep_columns(wrong)

    def test_a_time_column_that_is_dropped_takes_the_trait_with_it(self, table: TabularDataset) -> None:
        timed = table.with_timestamp_columns("t", "p")
        assert timed.keep_columns(["t", "a"]).timestamp_columns == ("t", None)
        assert timed.keep_columns(["p", "a"]).timestamp_columns is None
        assert timed.drop_columns("p").timestamp_columns == ("t", None)
        assert timed.drop_columns("t").timestamp_columns is None
        assert timed.drop_columns("a").timestamp_columns == ("t", "p")

    def test_partition_columns_that_are_dropped_are_no_keys(self, store: Any) -> None:
        made = Dataset.Tabular.from_parquet_files((store, "**"), validate=False, partition_format="{a}/{d:yyyy}/{b}.parquet")
        assert made.partition_keys == ["a", "b", "d"]
        assert made.drop_columns("b").partition_keys == ["a", "d"]
        assert made.keep_columns(["b", "x"]).partition_keys == ["b"]


class TestTimes:
    def test_columns(self, table: TabularDataset) -> None:
        assert table.timestamp_columns is None
        timed = table.with_timestamp_columns(timestamp="t", partition_timestamp="p")
        assert timed.timestamp_columns == ("t", "p")
        assert timed.with_timestamp_columns(None).timestamp_columns is None
        assert timed.with_timestamp_columns("u").timestamp_columns == ("u", None)

    def test_old_names(self, table: TabularDataset) -> None:
        with pytest.warns(DeprecationWarning, match="fine_grain_timestamp"):
            assert table.with_timestamp_columns(fine_grain_timestamp="t").timestamp_columns == ("t", None)
        with pytest.warns(DeprecationWarning, match="coarse_grain_timestamp"):
            assert table.with_timestamp_columns("t", coarse_grain_timestamp="p").timestamp_columns == ("t", "p")

    @pytest.mark.parametrize(
        "arguments", [{"partition_timestamp": "p"}, {"timestamp": "t", "partition_timestamp": "t"}, {"timestamp": 1}, {"time": "t"}]
    )
    def test_wrong_columns(self, table: TabularDataset, arguments: Any) -> None:
        with pytest.raises(UserErrorException):
            table.with_timestamp_columns(**arguments)

    def test_bounds(self, table: TabularDataset) -> None:
        timed = table.with_timestamp_columns("t")
        start, end = datetime(2020, 1, 1, 0, 0, 0, 900_000), datetime(2020, 1, 2, 0, 0, 0, 500_000)
        (operation,) = _operations(timed.time_between(start, end, include_boundary=False, validate=False))
        assert operation["settings"] == {
            "column": "t",
            "start": "2020-01-01T00:00:00",
            "end": "2020-01-02T00:00:01",
            "start_inclusive": False,
            "end_inclusive": False,
        }
        (operation,) = _operations(timed.time_before(datetime(2020, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), validate=False))
        assert operation["settings"]["end"] == "2020-01-01T00:00:00"
        assert operation["settings"].get("start") is None
        (operation,) = _operations(timed.time_after(start, validate=False))
        assert operation["settings"]["end_inclusive"] is True
        assert operation["settings"].get("end") is None

    def test_recent(self, table: TabularDataset) -> None:
        timed = table.with_timestamp_columns("t")
        before = datetime.now()
        (operation,) = _operations(timed.time_recent(timedelta(days=1), validate=False))
        start = datetime.fromisoformat(operation["settings"]["start"])
        assert before - timedelta(days=1, seconds=1) <= start <= datetime.now() - timedelta(days=1)
        for wrong in (1, None, timedelta(-1)):
            with pytest.raises(UserErrorException, match="timedelta"):
                timed.time_recent(wrong, validate=False)
        assert _operations(timed.time_recent(timedelta.max, validate=False))

    def test_without_a_time_column(self, table: TabularDataset) -> None:
        now = datetime(2020, 1, 1)
        for use in (
            lambda: table.time_before(now),
            lambda: table.time_after(now),
            lambda: table.time_between(now, now),
            lambda: table.time_recent(timedelta(1)),
        ):
            with pytest.raises(DatasetTimestampMissingError, match="with_timestamp_columns"):
                use()

    @pytest.mark.parametrize("bound", ["2020-01-01", 1, timedelta(1)])
    def test_bounds_are_datetimes(self, table: TabularDataset, bound: Any) -> None:
        with pytest.raises(UserErrorException, match="datetime"):
            table.with_timestamp_columns("t").time_before(bound, validate=False)

    @given(st.datetimes(), st.datetimes())
    def test_rounded_bounds_lie_within_a_second(self, start: datetime, end: datetime) -> None:
        definition = Definition(TABULAR, (Place(url="file:///x"),), parsing=Parsing("parquet"), timestamp="t")
        settings = between(definition, start, end, True).operations[0].settings
        low, high = datetime.fromisoformat(settings["start"]), datetime.fromisoformat(settings["end"])
        assert timedelta(0) <= start - low < timedelta(seconds=1)
        assert abs(end - high) < timedelta(seconds=1)
        assert low.microsecond == high.microsecond == 0


def test_written_files(table: TabularDataset) -> None:
    written = table.take(2).to_csv_files(separator=";")
    assert isinstance(written, FileDataset)
    document = written._document()
    assert document["written"]["kind"] == "delimited"
    assert document["written"]["separator"] == ";"
    assert document["written"]["dataset"]["operations"] == [{"kind": "take", "settings": {"count": 2}}]
    assert table.to_parquet_files()._document()["written"]["kind"] == "parquet"
    with pytest.raises(UserErrorException, match="separator"):
        table.to_csv_files("")


def test_choices_of_reading(table: TabularDataset) -> None:
    for name in ("on_error", "out_of_range_datetime"):
        with pytest.raises(UserErrorException, match=name):
            table.to_pandas_dataframe(**{name: "raise"})


class TestOldNames:
    def test_factories(self, store: Any) -> None:
        with pytest.warns(DeprecationWarning, match="Dataset.File.from_files"):
            assert isinstance(Dataset.from_binary_files((store, "a")), FileDataset)
        for option in ({"skip_rows": 1}, {"comment": "#"}, {"archive_options": object()}):
            with pytest.warns(DeprecationWarning, match="Tabular"), pytest.raises(NotImplementedError, match=next(iter(option))):
                Dataset.from_delimited_files((store, "a"), **option)

    @pytest.mark.parametrize(
        ("name", "instead"),
        [
            ("auto_read_files", "from_delimited_files"),
            ("from_excel_files", "register_pandas_dataframe"),
            ("from_json_files", "from_json_lines_files"),
            ("from_pandas_dataframe", "register_pandas_dataframe"),
        ],
    )
    def test_what_is_gone_says_what_to_use(self, name: str, instead: str) -> None:
        with pytest.raises(NotImplementedError, match=f"Dataset.{name}.*{instead}"):
            getattr(Dataset, name)("x")

    def test_where_else_the_class_is_found(self) -> None:
        from azureml.core import model

        assert model.Dataset is Dataset
        assert not hasattr(model, "nothing")
        assert Dataset.Scenario.TRAINING == "training"

    def test_the_class_itself(self) -> None:
        with pytest.raises(NotImplementedError, match=r"Dataset\.get_by_name"):
            Dataset(None)
        with pytest.warns(DeprecationWarning, match="get_by_name"), pytest.raises(UserErrorException, match="name or the id"):
            Dataset.get(None)

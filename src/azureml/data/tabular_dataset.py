"""Datasets of rows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence, Tuple, Union

from azureml.core._deprecation import note
from azureml.data._expressions import DatasetExpression, condition_of
from azureml.data._portions import Portions
from azureml.data.abstract_dataset import make

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from azureml.core.workspace import Workspace
    from azureml.data.context_managers import DatasetContextManager
    from azureml.data.dataset_profile import DatasetProfile
    from azureml.data.dataset_profile_run import DatasetProfileRun
    from azureml.data.file_dataset import FileDataset

# What is done to files, not to rows: the values of partition columns are known without reading one.
_OF_FILES = ("select_paths", "partition_values", "keep_columns", "drop_columns")


class TabularDataset(Portions):
    """Rows of delimited, Parquet or JSON Lines files, or of a SQL query. Made by the methods of `Dataset.Tabular`."""

    def __init__(self) -> None:
        super().__init__()

    # ---- reading ----

    def to_pandas_dataframe(self, on_error: str = "null", out_of_range_datetime: str = "null") -> Any:
        """Read all rows into a pandas frame. Where a timestamp column is set, the index has its values too.

        Texts have the type that pandas gives texts: `str` since pandas 3, objects before.

        Args:
            on_error: What a value becomes that can't be read as its column's type: 'null', or 'fail' to fail.
            out_of_range_datetime: The same for a time that pandas can't hold.

        Raises:
            DatasetExecutionError: The files can't be found, reached or read.
        """
        from azureml.data import _reading

        _check_choice("on_error", on_error)
        _check_choice("out_of_range_datetime", out_of_range_datetime)
        table = self._table()
        with _reading.reading_errors(self._definition):
            return table.to_pandas(on_error=on_error, out_of_range_datetime=out_of_range_datetime)

    def to_dask_dataframe(
        self, sample_size: int = 10000, dtypes: Any = None, on_error: str = "null", out_of_range_datetime: str = "null"
    ) -> Any:
        """Return a Dask frame of the rows. They are written to temporary Parquet files first, which last as long as this process.

        Args:
            sample_size: Accepted and ignored: the files tell the types.
            dtypes: Types of columns by their names, as Dask's `astype` takes them.
            on_error: As in `to_pandas_dataframe`.
            out_of_range_datetime: As in `to_pandas_dataframe`.

        Raises:
            UserErrorException: Dask is not installed.
            DatasetExecutionError: The files can't be found, reached or read.
        """
        from azureml.data import _frames

        _check_choice("on_error", on_error)
        _check_choice("out_of_range_datetime", out_of_range_datetime)
        return _frames.to_dask(self, dtypes)

    def to_spark_dataframe(self) -> Any:
        """Return a Spark frame of the rows, in the Spark session of this process.

        Raises:
            UserErrorException: PySpark is not installed.
            DatasetExecutionError: The files can't be found, reached or read.
        """
        from azureml.data import _frames

        return _frames.to_spark(self)

    def to_csv_files(self, separator: str = ",") -> FileDataset:
        """Return a dataset of CSV files with the rows; they are written where the dataset is read.

        Fields are quoted where they need it, null is an empty field, and times are ISO-8601.

        Args:
            separator: What stands between fields.
        """
        from azureml.data import _factories

        _factories.check_separator(separator)
        return self._written("delimited", separator)

    def to_parquet_files(self) -> FileDataset:
        """Return a dataset of Parquet files with the rows; they are written where the dataset is read."""
        return self._written("parquet", ",")

    def _written(self, kind: str, separator: str) -> FileDataset:
        from penstock.model.datasets import FILE, Dataset, Written

        written: FileDataset = make(Dataset(FILE, written=Written(self._definition, kind, separator)), self._workspace)
        return written

    def _table(self) -> Any:
        from azureml.data import _reading

        return _reading.open_table(self._definition, self._workspace)

    def _column_names(self) -> List[str]:
        """The columns, from the first file alone."""
        from azureml.data import _reading

        table = _reading.open_first_file(self._definition, self._workspace)
        with _reading.reading_errors(self._definition):
            return list(table.column_names())

    # ---- fewer rows ----

    def filter(self, expression: DatasetExpression) -> TabularDataset:
        """Return a dataset of the rows for which a condition holds, such as `dataset.filter(dataset['age'] > 30)`.

        Args:
            expression: Made of `dataset['column']`, constants, comparisons, arithmetic, and `&`, `|`, `~` with parentheses.

        Raises:
            UserErrorException: It is no such expression.
        """
        note("TabularDataset.filter is experimental in SDK v1.")
        return self._with("filter", expression=condition_of(expression))

    # ---- fewer columns ----

    def keep_columns(self, columns: Union[str, Sequence[str]], validate: bool = False) -> TabularDataset:
        """Return a dataset of some columns, in the order of the source. Names that it does not have are ignored.

        Args:
            columns: A name, or several.
            validate: Read the beginning of the first file now.

        Raises:
            DatasetValidationError: `validate` found nothing readable.
        """
        kept = self._choosing("keep_columns", columns)
        if validate:
            from azureml.data import _reading

            with _reading.validation_errors():
                kept._column_names()
        return kept

    def drop_columns(self, columns: Union[str, Sequence[str]]) -> TabularDataset:
        """Return a dataset without some columns. Names that it does not have are ignored.

        Args:
            columns: A name, or several.
        """
        return self._choosing("drop_columns", columns)

    def _choosing(self, kind: str, columns: Any) -> TabularDataset:
        from azureml.data import _timestamps

        chosen = self._with(kind, columns=_names(kind, columns))
        return self._then(_timestamps.without(chosen._definition, chosen._keeps))

    # ---- times ----

    def with_timestamp_columns(
        self, timestamp: Optional[str] = None, partition_timestamp: Optional[str] = None, validate: bool = False, **kwargs: Any
    ) -> TabularDataset:
        """Return a dataset with a time column, for the time filters; without one when None.

        Args:
            timestamp: The column of each row's time.
            partition_timestamp: A coarser time, from the paths of the files.
            validate: Look now whether the columns are there and hold times.
            **kwargs: The old names fine_grain_timestamp and coarse_grain_timestamp.

        Raises:
            UserErrorException: Only partition_timestamp is given, both are the same, or `validate` found no such column.
        """
        from azureml.data import _timestamps

        marked = self._then(_timestamps.with_columns(self._definition, timestamp, partition_timestamp, kwargs))
        if validate and marked.timestamp_columns is not None:
            marked._check_times([name for name in marked.timestamp_columns if name is not None])
        return marked

    @property
    def timestamp_columns(self) -> Optional[Tuple[Optional[str], Optional[str]]]:
        """The time column and the partition's, or None without a time column."""
        definition = self._definition
        return None if definition.timestamp is None else (definition.timestamp, definition.partition_timestamp)

    def time_before(self, end_time: datetime, include_boundary: bool = True, validate: bool = True) -> TabularDataset:
        """Return a dataset of the rows up to a time.

        Args:
            end_time: The time; rounded to whole seconds.
            include_boundary: Whether a row of that very time belongs to it.
            validate: Look now whether the time column is there.

        Raises:
            DatasetTimestampMissingError: The dataset has no time column.
            UserErrorException: `end_time` is no datetime, or `validate` found no such column.
        """
        return self._in_time(None, end_time, include_boundary, validate)

    def time_after(self, start_time: datetime, include_boundary: bool = True, validate: bool = True) -> TabularDataset:
        """Return a dataset of the rows from a time on; see `time_before`.

        Args:
            start_time: The time; its fraction of a second is cut off.
            include_boundary: Whether a row of that very time belongs to it.
            validate: Look now whether the time column is there.

        Raises:
            DatasetTimestampMissingError: The dataset has no time column.
            UserErrorException: `start_time` is no datetime, or `validate` found no such column.
        """
        return self._in_time(start_time, None, include_boundary, validate)

    def time_between(
        self, start_time: datetime, end_time: datetime, include_boundary: bool = True, validate: bool = True
    ) -> TabularDataset:
        """Return a dataset of the rows between two times; see `time_before` and `time_after`.

        Raises:
            DatasetTimestampMissingError: The dataset has no time column.
            UserErrorException: A bound is no datetime, or `validate` found no such column.
        """
        return self._in_time(start_time, end_time, include_boundary, validate)

    def time_recent(self, time_delta: timedelta, include_boundary: bool = True, validate: bool = True) -> TabularDataset:
        """Return a dataset of the rows since some time ago, by the clock and the time zone of this machine.

        Args:
            time_delta: How long ago.
            include_boundary: Whether a row of that very time belongs to it.
            validate: Look now whether the time column is there.

        Raises:
            DatasetTimestampMissingError: The dataset has no time column.
            UserErrorException: `time_delta` is no timedelta, or `validate` found no such column.
        """
        from azureml.data import _timestamps

        return self._in_time(_timestamps.since(time_delta), None, include_boundary, validate)

    def _in_time(self, start: Any, end: Any, include_boundary: bool, validate: bool) -> TabularDataset:
        from azureml.data import _reading, _timestamps

        filtered = self._then(_timestamps.between(self._definition, start, end, include_boundary))
        if validate and _reading.can_read():
            self._check_columns([str(self._definition.timestamp)])
        return filtered

    def _check_columns(self, names: List[str]) -> None:
        from azureml.data.dataset_error_handling import DatasetValidationError

        columns = self._column_names()
        missing = [name for name in names if name not in columns]
        if missing:
            raise DatasetValidationError(f"The dataset has no column '{missing[0]}'. There are: {', '.join(columns)}.")

    def _check_times(self, names: List[str]) -> None:
        from azureml.data import _reading
        from azureml.data.dataset_error_handling import DatasetValidationError

        self._check_columns(names)
        table = _reading.open_first_file(self._then(self._definition).take(200)._definition, self._workspace)
        with _reading.reading_errors(self._definition):
            frame = table.to_pandas()
        for name in names:
            if frame[name].dtype.kind != "M":
                raise DatasetValidationError(
                    f"The column '{name}' holds no times but {frame[name].dtype}. Give it a type: set_column_types={{'{name}': "
                    "DataType.to_datetime('%Y-%m-%d')}."
                )

    # ---- partitions ----

    def partition_by(
        self,
        partition_keys: Sequence[str],
        target: Any,
        name: Optional[str] = None,
        show_progress: bool = True,
        partition_as_file_dataset: bool = False,
    ) -> Any:
        """Write the rows as Parquet files, a folder for each combination of values, and return a dataset of them.

        Args:
            partition_keys: The columns whose values make the folders.
            target: A datastore, a DataPath, or (datastore, 'path'); a new folder below it gets the files.
            name: Register the dataset under this name, as a new version.
            show_progress: Print what is done.
            partition_as_file_dataset: Return a FileDataset instead of a TabularDataset.

        Raises:
            UserErrorException: There are no keys, one is unknown or given twice, or the target is none.
            DatasetExecutionError: The files can't be found, reached or read.
        """
        from azureml.data import _frames

        about = _frames.About(name, None, None, bool(show_progress))
        return _frames.partition(self, partition_keys, target, about, bool(partition_as_file_dataset))

    def _partitions(self, keys: List[str]) -> List[Mapping[str, Any]]:
        if all(operation.kind in _OF_FILES for operation in self._definition.operations):
            return super()._partitions(keys)
        from azureml.data import _reading

        table = self._table()
        with _reading.reading_errors(self._definition):
            values: List[Mapping[str, Any]] = table.partition_values(keys)
        return values

    # ---- files that rows refer to ----

    def download(
        self, stream_column: str, target_path: Optional[str] = None, overwrite: bool = False, ignore_not_found: bool = True
    ) -> List[str]:
        """Copy the files that a column refers to into a folder, and return where each one is.

        Args:
            stream_column: A column of the type `DataType.to_stream`, or of URLs.
            target_path: The folder, made where needed; a new temporary one when None.
            overwrite: Replace files that are there already.
            ignore_not_found: Leave out what is not there instead of failing.

        Raises:
            UserErrorException: The column is not there, or refers to no files; a file is there already and `overwrite` is false.
        """
        from azureml.data import _streams

        target = None if target_path is None else os.fspath(target_path)
        return _streams.download(self, stream_column, target, bool(overwrite), bool(ignore_not_found))

    def mount(self, stream_column: str, mount_point: Optional[str] = None) -> DatasetContextManager:
        """Return a context that shows the files that a column refers to; see `FileDataset.mount`.

        Args:
            stream_column: A column of the type `DataType.to_stream`, or of URLs.
            mount_point: An empty folder, or one that does not exist; a new temporary one when None.

        Raises:
            UserErrorException: The column is not there, or refers to no files; the folder is not empty.
        """
        from azureml.data import _streams

        mounted: DatasetContextManager = _streams.files_of(self, stream_column).mount(mount_point)
        return mounted

    # ---- profiles ----

    def submit_profile_run(self, compute_target: Any, experiment: Any, cache_datastore_name: Optional[str] = None) -> DatasetProfileRun:
        """Compute the profile of the columns, here and now, and return the finished run that holds it.

        Args:
            compute_target: Kept with the run; the rows are read by this process.
            experiment: The experiment of the run.
            cache_datastore_name: Accepted and ignored, as nothing is cached.

        Raises:
            DatasetExecutionError: The files can't be found, reached or read.
        """
        from azureml.data import _profiles

        return _profiles.submit(self, compute_target, experiment)

    def get_profile(self, workspace: Optional[Workspace] = None) -> DatasetProfile:
        """Return the newest profile of this dataset.

        Args:
            workspace: Where it was computed; the dataset's own when None.

        Raises:
            UserErrorException: None was computed.
        """
        from azureml.data import _profiles

        return _profiles.latest(self, workspace)

    def get_profile_runs(self, workspace: Optional[Workspace] = None) -> Any:
        """Return the runs that computed profiles of this dataset, newest first.

        Args:
            workspace: Where they were computed; the dataset's own when None.
        """
        from azureml.data import _profiles

        return _profiles.runs(self, workspace)


def _names(member: str, columns: Any) -> List[str]:
    from azureml.exceptions import UserErrorException

    names = [columns] if isinstance(columns, str) else list(columns) if isinstance(columns, (list, tuple, set)) else None
    if names is None or not all(isinstance(name, str) for name in names):
        raise UserErrorException(f"{member} takes the name of a column or a list of names, not {columns!r}.")
    return names


def _check_choice(name: str, value: Any) -> None:
    if value in ("null", "fail"):
        return
    from azureml.exceptions import UserErrorException

    raise UserErrorException(f"{name} is 'null' or 'fail', not {value!r}.")

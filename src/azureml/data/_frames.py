"""Frames of other libraries: written to a datastore as datasets, and made from datasets."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set

from azureml.data import _reading
from azureml.data._places import DatastorePlace, target_of

if TYPE_CHECKING:
    from azureml.data.tabular_dataset import TabularDataset

_FILE = "dataframe.parquet"
# How folders of times are named, by the length of their names.
_LAYOUTS = {10: "yyyy-MM-dd", 19: "yyyy-MM-dd-HH-mm-ss"}


class About(NamedTuple):
    """How what is written is registered, and whether it is told."""

    name: Optional[str]
    description: Optional[str]
    tags: Optional[Dict[str, str]]
    show_progress: bool

    def say(self, line: str) -> None:
        """Print a line where progress is shown."""
        if self.show_progress:
            print(line)


# ---- frames to datasets ----


def register_pandas(dataframe: Any, target: Any, about: About, row_group_size: Optional[int], is_unique: bool) -> TabularDataset:
    """Write a pandas frame and register it; see `TabularDatasetFactory.register_pandas_dataframe`."""
    try:
        import pandas
        import pyarrow.parquet
    except ImportError as error:
        raise _reading.missing_library(error.name or "pandas") from None
    if not isinstance(dataframe, pandas.DataFrame):
        raise _error(f"dataframe is a pandas DataFrame, not a {type(dataframe).__name__}.")
    place = _place_for(target, is_unique)
    table = _to_arrow(dataframe, about)
    with _folder() as folder:
        pyarrow.parquet.write_table(table, os.path.join(folder, _FILE), row_group_size=row_group_size, version="2.6")
        return _upload_and_register(folder, place, about, f"{place.path}/{_FILE}".lstrip("/"))


def register_spark(dataframe: Any, target: Any, about: About) -> TabularDataset:
    """Write a Spark frame and register it; see `TabularDatasetFactory.register_spark_dataframe`."""
    _check_library(dataframe, "pyspark", "Spark")
    return _register_written(lambda folder: dataframe.write.parquet(f"file://{folder}", mode="overwrite"), target, about)


def register_dask(dataframe: Any, target: Any, about: About) -> TabularDataset:
    """Write a Dask frame and register it; see `TabularDatasetFactory.register_dask_dataframe`."""
    _check_library(dataframe, "dask", "Dask")
    return _register_written(lambda folder: dataframe.to_parquet(folder, write_index=False), target, about)


def _check_library(dataframe: Any, library: str, shown: str) -> None:
    modules = {kind.__module__.partition(".")[0] for kind in type(dataframe).__mro__}
    if library not in modules and f"{library}_expr" not in modules:
        raise _error(f"dataframe is a {shown} DataFrame, not a {type(dataframe).__name__}. For pandas, use register_pandas_dataframe.")


def _register_written(write: Callable[[str], Any], target: Any, about: About) -> TabularDataset:
    place = _place_for(target, True)
    with _folder() as folder:
        write(folder)
        for name in os.listdir(folder):  # checksums and marks of the library
            if not name.endswith(".parquet"):
                os.unlink(os.path.join(folder, name))
        return _upload_and_register(folder, place, about, f"{place.path}/*.parquet")


def _place_for(target: Any, is_unique: bool) -> DatastorePlace:
    """Where the files go: a new folder below the target, or the target itself."""
    from penstock.model.ids import new_id

    place = target_of(target)
    if place is None:
        raise _error(f"target is a datastore, a DataPath or a tuple (datastore, 'path'), not a {type(target).__name__}.")
    path = place.path or "managed-dataset"
    return DatastorePlace(place.datastore, f"{path}/{new_id()}" if is_unique else path)


def _upload_and_register(folder: str, place: DatastorePlace, about: About, path: str) -> TabularDataset:
    from azureml.data.dataset_factory import TabularDatasetFactory

    _upload(folder, place, about)
    dataset = TabularDatasetFactory.from_parquet_files((place.datastore, path), validate=False)
    about.say(f"Registering it as '{about.name}'.")
    return dataset.register(place.datastore.workspace, str(about.name), about.description, about.tags, create_new_version=True)


def _upload(folder: str, place: DatastorePlace, about: About) -> None:
    from azureml.data._transfer import folder_pairs, upload

    about.say(f"Uploading to '{place.path}' on the datastore '{place.datastore.name}'.")
    upload(place.datastore, folder_pairs(folder, place.path), True, about.show_progress)  # data lakes have no upload


def _to_arrow(frame: Any, about: About) -> Any:
    """The frame as an Arrow table, with names and values that a dataset can hold."""
    import pyarrow

    frame = frame.copy(deep=False)
    frame.columns = _column_names(frame, about)
    for name in frame.columns:
        if frame[name].dtype == object:
            frame[name] = _checked_column(name, frame[name])
    try:
        return pyarrow.Table.from_pandas(frame, preserve_index=False)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise _error(f"The frame can't be written as Parquet: {' '.join(str(part) for part in error.args)}.") from error


def _column_names(frame: Any, about: About) -> List[str]:
    names = [str(name) for name in frame.columns]
    dotted = [name for name in names if "." in name]
    if dotted:
        about.say(f"Column names have no '.': it becomes '_' in {', '.join(dotted)}.")
    clean = [name.replace(".", "_") for name in names]
    twice = sorted({name for name in clean if clean.count(name) > 1})
    if twice:
        raise _error(f"The frame has several columns named '{twice[0]}'. Give each its own name; '.' becomes '_'.")
    return clean


def _checked_column(name: str, column: Any) -> Any:
    """A column of Python objects: dates become times, and what has no place in a cell is refused."""
    from datetime import date, datetime

    import pandas

    for value in column:
        if isinstance(value, (list, tuple, set, dict)) or type(value).__name__ == "ndarray":
            raise _error(f"The column '{name}' holds a {type(value).__name__}: a cell of a dataset is one text, number, time or null.")
    present = column.dropna()
    if len(present) and all(isinstance(value, date) and not isinstance(value, datetime) for value in present):
        return pandas.to_datetime(column)
    return column


# ---- datasets to frames ----


def to_dask(dataset: TabularDataset, dtypes: Any) -> Any:
    """Return a Dask frame; see `TabularDataset.to_dask_dataframe`."""
    try:
        import dask.dataframe
    except ImportError as error:
        raise _reading.missing_library(error.name or "dask", 'pip install "dask[dataframe]"') from None
    frame = dask.dataframe.read_parquet(_write_for_this_process(dataset))
    return frame.astype(dtypes) if dtypes else frame


def to_spark(dataset: TabularDataset) -> Any:
    """Return a Spark frame; see `TabularDataset.to_spark_dataframe`."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise _reading.missing_library("pyspark", "pip install pyspark") from None
    return SparkSession.builder.getOrCreate().read.parquet(f"file://{_write_for_this_process(dataset)}")


def _write_for_this_process(dataset: TabularDataset) -> str:
    """Write the rows as Parquet into a folder that goes when the process ends: the frame reads it later."""
    import atexit
    from shutil import rmtree
    from tempfile import mkdtemp

    folder = mkdtemp(prefix="penstock-rows-")
    atexit.register(rmtree, folder, ignore_errors=True)
    table = dataset._table()
    with _reading.reading_errors(dataset._definition):
        table.write_files("parquet", folder, ",")
    return folder


# ---- partitions ----


def partition(dataset: TabularDataset, keys: Sequence[str], target: Any, about: About, as_files: bool) -> Any:
    """Write a dataset's rows by the values of columns; see `TabularDataset.partition_by`."""
    names = _checked_keys(dataset, keys)
    place = _place_for(target, True)
    about.say(f"Writing the rows by {', '.join(names)}.")
    with _folder() as folder:
        table = dataset._table()
        with _reading.reading_errors(dataset._definition):
            written = table.write_partitioned(folder, names)
        form = _format_of(folder, written, names)
        _upload(folder, place, about)
    made = _partitioned(place, form, as_files)
    if about.name is None:
        return made
    about.say(f"Registering it as '{about.name}'.")
    return made.register(place.datastore.workspace, about.name, create_new_version=True)


def _checked_keys(dataset: TabularDataset, keys: Any) -> List[str]:
    names = [keys] if isinstance(keys, str) else list(keys) if isinstance(keys, (list, tuple)) else []
    if not names or not all(isinstance(name, str) and name for name in names):
        raise _error(f"partition_keys is a list of one or more column names, not {keys!r}.")
    if len(set(names)) != len(names):
        raise _error(f"partition_keys names a column twice: {', '.join(names)}.")
    for name in names:
        if any(letter in name for letter in "{}:") or name == "Path":
            raise _error(
                f"The column '{name}' can't be partitioned by: the name 'Path' and names with '{{', '}}' or ':' have a meaning in paths."
            )
    columns = dataset._column_names()
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise _error(f"The dataset has no column '{unknown[0]}' to partition by. There are: {', '.join(columns)}.")
    return names


def _format_of(folder: str, written: List[str], names: List[str]) -> str:
    """The partition format of the files: a key of times becomes a date where every folder of it is named alike."""
    import pyarrow
    import pyarrow.parquet

    parts, has_date = [], False
    schema = pyarrow.parquet.read_schema(os.path.join(folder, written[0])) if written else pyarrow.schema([])
    for place, name in enumerate(names):
        is_time = name in schema.names and pyarrow.types.is_timestamp(schema.field(name).type)
        layout = _layout({path.split("/")[place] for path in written}) if is_time and not has_date else None
        has_date = has_date or layout is not None
        parts.append(f"{{{name}:{layout}}}" if layout else f"{{{name}}}")
    return "/".join(parts)


def _layout(folders: Set[str]) -> Optional[str]:
    layouts = {_LAYOUTS.get(len(folder)) for folder in folders}
    return layouts.pop() if len(layouts) == 1 else None


def _partitioned(place: DatastorePlace, form: str, as_files: bool) -> Any:
    from azureml.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory

    # The new folder's own name comes first: the format can begin nowhere else.
    whole = f"{place.path.rpartition('/')[2]}/{form}/*.parquet"
    path = (place.datastore, f"{place.path}/**/*.parquet")
    if as_files:
        return FileDatasetFactory.from_files(path, validate=False, partition_format=whole)
    return TabularDatasetFactory.from_parquet_files(path, validate=False, partition_format=whole)


@contextmanager
def _folder() -> Iterator[str]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="penstock-frame-") as folder:
        yield folder


def _error(message: str) -> Exception:
    from azureml.exceptions import UserErrorException

    return UserErrorException(message)

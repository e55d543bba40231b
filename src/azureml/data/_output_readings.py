"""How an output that does not exist yet will be read as a dataset: the steps that `read_delimited_files` and its like write down."""

from __future__ import annotations

import re
import zlib
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple, Union

from penstock.model.datasets import DELIMITED, FILE, PARQUET, READING, TABULAR, Dataset, Parsing, format_dataset

# A dataset without places: they are known when the step has run.
AS_FILES = Dataset(FILE)


def as_files(partition_format: Optional[str]) -> Dataset:
    """Return the reading of an output as files, with columns from their paths.

    Raises:
        ValueError: The partition format is wrong.
    """
    return AS_FILES if partition_format is None else Dataset(FILE, partition_format=_check_partition_format(partition_format))


def as_delimited(
    include_path: bool,
    separator: str,
    header: Any,
    partition_format: Optional[str],
    set_column_types: Optional[Mapping[str, Any]],
    paths: Optional[str],
    support_multi_line: bool = False,
) -> Dataset:
    """Return the reading of an output as the rows of delimited files.

    Args:
        include_path: Whether each row tells its file, in the column Path.
        separator: What stands between the fields.
        header: A PromoteHeadersBehavior.
        partition_format: How columns are taken from paths.
        set_column_types: Types by column.
        paths: A regular expression; only files whose path has a match are read.
        support_multi_line: Whether a quoted field may hold line breaks.

    Raises:
        UserErrorException: One of them is wrong.
        ValueError: The partition format is.
    """
    from azureml.data.dataset_type_definitions import PromoteHeadersBehavior

    if not isinstance(header, PromoteHeadersBehavior):
        raise _error(f"header must be one of PromoteHeadersBehavior, not {header!r}.")
    if not isinstance(separator, str) or not separator:
        raise _error(f"separator must be a text that is not empty, not {separator!r}.")
    parsing = Parsing(
        DELIMITED,
        separator=separator,
        header=header.name,
        include_path=bool(include_path),
        column_types=_column_types(set_column_types),
        support_multi_line=bool(support_multi_line),
    )
    return _tabular(parsing, partition_format, paths)


def as_parquet(
    include_path: bool, partition_format: Optional[str], set_column_types: Optional[Mapping[str, Any]], paths: Optional[str]
) -> Dataset:
    """Return the reading of an output as the rows of Parquet files; see `as_delimited`.

    Raises:
        UserErrorException: An argument is wrong.
    """
    return _tabular(
        Parsing(PARQUET, include_path=bool(include_path), column_types=_column_types(set_column_types)), partition_format, paths
    )


def _tabular(parsing: Parsing, partition_format: Optional[str], paths: Optional[str]) -> Dataset:
    checked = _check_partition_format(partition_format) if partition_format is not None else None
    reading = Dataset(TABULAR, parsing=parsing, partition_format=checked)
    if paths is None:
        return reading
    try:
        re.compile(paths)
    except (re.error, TypeError) as error:
        raise _error(f"path_glob is a regular expression that the paths are searched for, and {paths!r} is none: {error}.") from error
    return reading.then("select_paths", pattern=paths)


def by_extension(extension: Optional[str], separator: Optional[str] = None) -> Optional[str]:
    """Return the pattern of the files that PipelineData is parsed from; None for all of them.

    An empty extension means .csv for commas, .tsv for tabs, and all files otherwise.
    """
    if extension == "":
        extension = {",": ".csv", "\t": ".tsv"}.get(separator or "")
    if not extension:
        return None
    return re.escape(extension if extension.startswith(".") else f".{extension}") + "$"


def keep(reading: Dataset, columns: Union[str, Sequence[str]]) -> Dataset:
    """Return the reading with these columns only.

    Raises:
        UserErrorException: They are no names.
    """
    return reading.then("keep_columns", columns=_check_columns(columns))


def drop(reading: Dataset, columns: Union[str, Sequence[str]]) -> Dataset:
    """Return the reading without these columns.

    Raises:
        UserErrorException: They are no names.
    """
    return reading.then("drop_columns", columns=_check_columns(columns))


def split(reading: Dataset, percentage: float, seed: Optional[int], name: str) -> Tuple[Dataset, Dataset]:
    """Return two readings that share the rows between them.

    Args:
        reading: The reading.
        percentage: The first one's share, between 0 and 1.
        seed: What decides about each row. None takes a number made from `name`, so that the next run splits alike and can be reused.
        name: The output's name.

    Raises:
        ValueError: The share or the seed is wrong.
    """
    from azureml.data.abstract_dataset import check_share, settled_seed

    share, chosen = check_share("percentage", percentage), settled_seed(zlib.crc32(name.encode()) if seed is None else seed)
    return reading.then("split", start=0.0, end=share, seed=chosen), reading.then("split", start=share, end=1.0, seed=chosen)


def to_document(reading: Dataset) -> Dict[str, Any]:
    """Return what an input or output port of a graph document says of a reading; {} for plain files."""
    whole = format_dataset(reading)
    return {name: whole[name] for name in READING if name in whole}


def _check_columns(columns: Any) -> Any:
    given = [columns] if isinstance(columns, str) else columns
    if not isinstance(given, (list, tuple)) or not given or not all(isinstance(name, str) for name in given):
        raise _error(f"columns must be the name of a column, or a list of names, not {columns!r}.")
    return list(given)


def _check_partition_format(text: Any) -> str:
    from azureml.data._partition_format import parse_partition_format

    return parse_partition_format(text).text


def _column_types(types: Any) -> Mapping[str, Any]:
    from azureml.data._column_types import to_column_types

    return to_column_types(types)


def _error(message: str) -> Exception:
    from azureml.exceptions import UserErrorException

    return UserErrorException(message)

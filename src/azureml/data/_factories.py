"""How datasets are made: arguments checked, documents built, and looked at once where `validate` asks for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Mapping, Optional

from azureml.data._partition_format import parse_partition_format
from azureml.data._places import Source, source_of, source_of_query, target_of

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.data.file_dataset import FileDataset
    from azureml.data.tabular_dataset import TabularDataset
    from penstock.model.datasets import Dataset

ENCODINGS = ("utf8", "iso88591", "latin1", "ascii", "utf16", "utf32", "utf8bom", "windows1252")


def from_files(path: Any, validate: bool, partition_format: Optional[str], is_file: bool) -> FileDataset:
    """Return a file dataset; see `FileDatasetFactory.from_files`."""
    from azureml.core._deprecation import note
    from azureml.data import _reading
    from azureml.data.abstract_dataset import make
    from penstock.model.datasets import FILE, Dataset

    source = source_of(path)
    _check_partition_format(partition_format)
    definition = Dataset(FILE, source.places, partition_format=partition_format, is_file=is_file)
    if is_file:
        note("from_files(is_file=True) takes your word that the path is one file: nothing is validated.")
    elif partition_format is not None and validate:
        with _reading.validation_errors():
            _reading.resolve(definition, source.workspace)
    dataset: FileDataset = make(definition, source.workspace)
    return dataset


def from_table_files(
    kind: str,
    path: Any,
    validate: bool,
    partition_format: Optional[str],
    types: Any,
    settings: Mapping[str, Any],
) -> TabularDataset:
    """Return a tabular dataset over files of one kind."""
    _check_partition_format(partition_format)
    return _tabular(source_of(path), kind, types, validate, settings, partition_format)


def from_sql_query(query: Any, validate: bool, types: Any, timeout: Any) -> TabularDataset:
    """Return a tabular dataset over a SQL query."""
    return _tabular(source_of_query(query, timeout), "query", types, validate, {})


def _tabular(
    source: Source, kind: str, types: Any, validate: bool, settings: Mapping[str, Any], partition_format: Optional[str] = None
) -> TabularDataset:
    from azureml.data._column_types import to_column_types, workspace_of
    from azureml.data.abstract_dataset import make
    from penstock.model.datasets import TABULAR, Dataset, Parsing

    parsing = Parsing(kind, column_types=to_column_types(types), **settings)
    definition = Dataset(TABULAR, source.places, parsing=parsing, partition_format=partition_format)
    workspace = source.workspace or workspace_of(types)
    if validate:
        check_readable(definition, workspace)
    dataset: TabularDataset = make(definition, workspace)
    return dataset


def check_readable(definition: Dataset, workspace: Optional[Workspace]) -> None:
    """Read the beginning of the first file. A process that can't read rows only looks whether the files are there.

    Raises:
        DatasetValidationError: Nothing readable is there.
    """
    from azureml.core._deprecation import note
    from azureml.data import _reading

    with _reading.validation_errors(), _reading.reading_errors(definition):
        if _reading.can_read():
            _reading.open_first_file(definition, workspace).column_names()
        else:
            _reading.resolve(definition, workspace)
            note(f"Datasets are made without a look at their rows, which needs pandas and pyarrow: {_reading.INSTALL}.")


def _check_partition_format(partition_format: Optional[str]) -> None:
    if partition_format is not None:
        parse_partition_format(partition_format)


def header_name(header: Any) -> str:
    """Return the name of the behaviour that a header argument means.

    Raises:
        UserErrorException: It means none.
    """
    from azureml.data.dataset_type_definitions import PromoteHeadersBehavior as Behavior

    if isinstance(header, bool):
        return (Behavior.ALL_FILES_HAVE_SAME_HEADERS if header else Behavior.NO_HEADERS).name
    if isinstance(header, Behavior):
        return header.name
    if isinstance(header, str) and header in Behavior.__members__:
        return header
    raise _error(f"header is True, False, or one of PromoteHeadersBehavior ({', '.join(Behavior.__members__)}), not {header!r}.")


def encoding_name(encoding: Any) -> str:
    """Return the name of an encoding.

    Raises:
        UserErrorException: v1 does not know it.
    """
    from azureml.data.dataset_type_definitions import FileEncoding

    name = encoding.name.lower() if isinstance(encoding, FileEncoding) else encoding
    if name in ENCODINGS:
        return str(name)
    near = str(name).lower().replace("-", "").replace("_", "")
    hint = f" Did you mean '{near}'?" if near in ENCODINGS else ""
    raise _error(f"encoding is one of {', '.join(ENCODINGS)}, not {encoding!r}.{hint}")


def check_separator(separator: Any) -> None:
    """Check what stands between fields.

    Raises:
        UserErrorException: It is no text, or an empty one.
    """
    if not isinstance(separator, str) or not separator:
        raise _error(f"separator is the text between two fields, such as ',' or '\\t', not {separator!r}.")


def upload_directory(src_dir: Any, target: Any, pattern: Optional[str], overwrite: bool, show_progress: bool) -> FileDataset:
    """Upload a folder's files and return a dataset of them; see `FileDatasetFactory.upload_directory`."""
    from azureml.data._transfer import file_pairs, upload

    place = target_of(target)
    if place is None:
        raise ValueError(f"target is a datastore, a DataPath or a tuple (datastore, 'path'), not a {type(target).__name__}.")
    folder = os.path.abspath(os.path.expanduser(os.fspath(src_dir)))
    files = _files_to_upload(folder, pattern)
    datastore, path = place
    if show_progress:
        there = "replaced" if overwrite else "left alone"
        print(f"Uploading {len(files)} files of {folder} to '{path or '/'}' on the datastore '{datastore.name}'.")
        print(f"Files that are there already are {there}.")
    upload(datastore, file_pairs(files, folder, path or None), overwrite, show_progress)  # data lakes have no upload_files
    if show_progress:
        print("Making a dataset of them.")
    return from_files((datastore, path), False, None, False)


def _files_to_upload(folder: str, pattern: Optional[str]) -> Any:
    from fnmatch import fnmatch

    if not os.path.isdir(folder):
        raise _error(f"The folder {folder} can't be uploaded: it is not a folder.")
    files = sorted(os.path.join(here, name) for here, _, names in os.walk(folder) for name in names)
    fitting = [file for file in files if pattern is None or fnmatch(file, pattern)]
    if not fitting:
        why = f"no file of it fits the pattern {pattern!r}; it is compared with absolute paths" if files else "it holds no file"
        raise _error(f"The folder {folder} can't be uploaded: {why}.")
    return fitting


def _error(message: str) -> Exception:
    from azureml.exceptions import UserErrorException

    return UserErrorException(message)

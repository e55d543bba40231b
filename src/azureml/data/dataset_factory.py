"""Makes datasets: `Dataset.File` and `Dataset.Tabular`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Union

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.data.dataset_type_definitions import PromoteHeadersBehavior
    from azureml.data.file_dataset import FileDataset
    from azureml.data.tabular_dataset import TabularDataset

ColumnTypes = Optional[Dict[str, "DataType"]]


class DataType:
    """The type of a column, for `set_column_types`. Values that can't be read as it become null.

    Made by the static methods, as in `{'day': DataType.to_datetime('%d.%m.%Y')}`.
    """

    def __init__(self, _about: Optional[Dict[str, Any]] = None, _workspace: Optional[Workspace] = None) -> None:
        self._about: Dict[str, Any] = _about or {"type": "string"}
        self._workspace = _workspace  # of references to files

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={value!r}" for key, value in self._about.items() if key != "type")
        return f"DataType.to_{self._about['type']}({settings})"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DataType) and self._about == other._about

    __hash__ = None  # type: ignore[assignment]

    @staticmethod
    def to_string() -> DataType:
        """Return the type of texts."""
        return DataType({"type": "string"})

    @staticmethod
    def to_long() -> DataType:
        """Return the type of whole numbers."""
        return DataType({"type": "long"})

    @staticmethod
    def to_float(decimal_mark: str = ".") -> DataType:
        """Return the type of numbers.

        Args:
            decimal_mark: '.' or ','.

        Raises:
            UserErrorException: It is another mark.
        """
        if decimal_mark not in (".", ","):
            raise _error(f"The decimal mark of DataType.to_float is '.' or ',', not {decimal_mark!r}.")
        return DataType({"type": "float", "decimal_mark": decimal_mark})

    @staticmethod
    def to_bool() -> DataType:
        """Return the type of true and false."""
        return DataType({"type": "bool"})

    @staticmethod
    def to_datetime(formats: Union[str, List[str], None] = None) -> DataType:
        """Return the type of dates and times.

        Args:
            formats: How they are written, as strptime has it; several are tried in order. Found out from the data when None.

        Raises:
            UserErrorException: A format is no text.
        """
        texts = [formats] if isinstance(formats, str) else list(formats or ())
        if not all(isinstance(text, str) and text for text in texts):
            raise _error(f"The formats of DataType.to_datetime are texts such as '%Y-%m-%d', not {formats!r}.")
        return DataType({"type": "datetime", "formats": texts} if texts else {"type": "datetime"})

    @staticmethod
    def to_stream(workspace: Workspace, escaped: bool = False) -> DataType:
        """Return the type of references to files, for `TabularDataset.download` and `mount`.

        Args:
            workspace: The workspace whose datastores the references name.
            escaped: Whether they are percent-encoded.
        """
        return DataType({"type": "stream", "escaped": True} if escaped else {"type": "stream"}, workspace)


class FileDatasetFactory:
    """`Dataset.File`: makes datasets of files."""

    @staticmethod
    def from_files(path: Any, validate: bool = True, partition_format: Optional[str] = None, is_file: bool = False) -> FileDataset:
        """Return a dataset of files. They are looked for when the dataset is read.

        Args:
            path: (datastore, 'path'), a DataPath, a DataReference, a URL or a path of this machine, or a list of them. A folder means
                all files below it. '*' stands for any text within a name, '**' for any folders, '?' and '[ab]' for one character.
            validate: With `partition_format`, look now whether the files are there and fit it.
            partition_format: Columns in the files' paths, such as '{country}/{day:yyyy/MM/dd}/data.csv'.
            is_file: The path is one file, by your word.

        Raises:
            UserErrorException: The path has no known form.
            ValueError: The partition format is wrong.
            DatasetValidationError: `validate` found nothing, or paths that do not fit.
        """
        from azureml.data import _factories

        return _factories.from_files(path, bool(validate), partition_format, bool(is_file))

    @staticmethod
    def upload_directory(
        src_dir: str, target: Any, pattern: Optional[str] = None, overwrite: bool = False, show_progress: bool = True
    ) -> FileDataset:
        """Upload the files of a folder, and return a dataset of where they are now.

        Args:
            src_dir: The folder.
            target: A datastore, a DataPath, or (datastore, 'path').
            pattern: Only files whose absolute path fits it; '*' stands for any text.
            overwrite: Replace files that are there already; otherwise they are left alone.
            show_progress: Print what is done.

        Raises:
            ValueError: The target is something else.
            UserErrorException: There is no such folder, or no file of it fits the pattern.
        """
        from azureml.data import _factories

        return _factories.upload_directory(src_dir, target, pattern, bool(overwrite), bool(show_progress))


class TabularDatasetFactory:
    """`Dataset.Tabular`: makes datasets of rows."""

    @staticmethod
    def from_delimited_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        infer_column_types: bool = True,
        set_column_types: ColumnTypes = None,
        separator: str = ",",
        header: Union[bool, str, PromoteHeadersBehavior] = True,
        partition_format: Optional[str] = None,
        support_multi_line: bool = False,
        empty_as_string: bool = False,
        encoding: str = "utf8",
    ) -> TabularDataset:
        """Return a dataset of the rows of delimited text files, such as CSV.

        Args:
            path: As in `Dataset.File.from_files`.
            validate: Read the beginning of the first file now.
            include_path: Add a first column `Path` that tells each row's file.
            infer_column_types: Find out types from the first 200 rows; otherwise all columns are texts.
            set_column_types: Types of columns by their names.
            separator: What stands between fields.
            header: True or False, or one of PromoteHeadersBehavior.
            partition_format: Columns in the files' paths.
            support_multi_line: Whether quoted fields may hold line breaks.
            empty_as_string: Read empty fields of text columns as '' instead of null.
            encoding: utf8, iso88591, latin1, ascii, utf16, utf32, utf8bom or windows1252.

        Raises:
            UserErrorException: An argument is wrong.
            ValueError: The partition format is wrong.
            DatasetValidationError: `validate` found nothing readable.
        """
        from azureml.data import _factories

        settings = {
            "separator": separator,
            "header": _factories.header_name(header),
            "encoding": _factories.encoding_name(encoding),
            "infer_column_types": bool(infer_column_types),
            "support_multi_line": bool(support_multi_line),
            "empty_as_string": bool(empty_as_string),
            "include_path": bool(include_path),
        }
        _factories.check_separator(separator)
        return _factories.from_table_files("delimited", path, bool(validate), partition_format, set_column_types, settings)

    @staticmethod
    def from_parquet_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: ColumnTypes = None,
        partition_format: Optional[str] = None,
    ) -> TabularDataset:
        """Return a dataset of the rows of Parquet files; see `from_delimited_files` for the arguments.

        Raises:
            UserErrorException: An argument is wrong.
            ValueError: The partition format is wrong.
            DatasetValidationError: `validate` found nothing readable.
        """
        from azureml.data import _factories

        settings = {"include_path": bool(include_path)}
        return _factories.from_table_files("parquet", path, bool(validate), partition_format, set_column_types, settings)

    @staticmethod
    def from_json_lines_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: ColumnTypes = None,
        partition_format: Optional[str] = None,
        invalid_lines: str = "error",
        encoding: str = "utf8",
    ) -> TabularDataset:
        """Return a dataset of the rows of JSON Lines files: one JSON object a line.

        Args:
            path: As in `Dataset.File.from_files`.
            validate: Read the beginning of the first file now.
            include_path: Add a first column `Path` that tells each row's file.
            set_column_types: Types of columns by their names.
            partition_format: Columns in the files' paths.
            invalid_lines: What a line that is no JSON object does: 'error' fails, 'drop' leaves the line out.
            encoding: As in `from_delimited_files`.

        Raises:
            UserErrorException: An argument is wrong.
            ValueError: The partition format is wrong.
            DatasetValidationError: `validate` found nothing readable.
        """
        from azureml.data import _factories

        if invalid_lines not in ("error", "drop"):
            raise _error(f"invalid_lines is 'error' or 'drop', not {invalid_lines!r}.")
        settings = {"include_path": bool(include_path), "invalid_lines": invalid_lines, "encoding": _factories.encoding_name(encoding)}
        return _factories.from_table_files("json_lines", path, bool(validate), partition_format, set_column_types, settings)

    @staticmethod
    def from_sql_query(query: Any, validate: bool = True, set_column_types: ColumnTypes = None, query_timeout: int = 30) -> TabularDataset:
        """Return a dataset of the rows that a SQL query gives.

        Args:
            query: (datastore, 'select ...') with a SQL datastore, or a DataPath on one whose path is the query.
            validate: Run the query now.
            set_column_types: Types of columns by their names.
            query_timeout: How many seconds the query may take.

        Raises:
            UserErrorException: An argument is wrong.
            DatasetValidationError: `validate` found that the query fails.
        """
        from azureml.data import _factories

        return _factories.from_sql_query(query, bool(validate), set_column_types, query_timeout)

    @staticmethod
    def register_pandas_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        show_progress: bool = True,
        row_group_size: Optional[int] = None,
        make_target_path_unique: bool = True,
    ) -> TabularDataset:
        """Write a frame to a datastore as Parquet, and register it as a new version of a dataset.

        The index is left out, and '.' in column names becomes '_'.

        Args:
            dataframe: The pandas frame.
            target: A datastore, a DataPath, or (datastore, 'path').
            name: The dataset's name.
            description: What it is, for people.
            tags: Tags of the version.
            show_progress: Print what is done.
            row_group_size: Rows in each row group of the file.
            make_target_path_unique: Write into a new folder below the target.

        Raises:
            UserErrorException: The frame can't be written, or an argument is wrong.
        """
        from azureml.data import _frames

        about = _frames.About(name, description, tags, bool(show_progress))
        return _frames.register_pandas(dataframe, target, about, row_group_size, bool(make_target_path_unique))

    @staticmethod
    def register_spark_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        show_progress: bool = True,
    ) -> TabularDataset:
        """Write a Spark frame to a datastore as Parquet, and register it; see `register_pandas_dataframe`.

        Raises:
            UserErrorException: It is no Spark frame, or an argument is wrong.
        """
        from azureml.data import _frames

        return _frames.register_spark(dataframe, target, _frames.About(name, description, tags, bool(show_progress)))

    @staticmethod
    def register_dask_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        show_progress: bool = True,
    ) -> TabularDataset:
        """Write a Dask frame to a datastore as Parquet, and register it; see `register_pandas_dataframe`.

        Raises:
            UserErrorException: It is no Dask frame, or an argument is wrong.
        """
        from azureml.data import _frames

        return _frames.register_dask(dataframe, target, _frames.About(name, description, tags, bool(show_progress)))


def _error(message: str) -> Exception:
    from azureml.exceptions import UserErrorException

    return UserErrorException(message)

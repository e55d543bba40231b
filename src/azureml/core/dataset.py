"""The door to datasets: `Dataset.File`, `Dataset.Tabular`, finding them by name and id; and what came before them in v1."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, List, Optional

from azureml.core._refusal import not_built
from azureml.data.abstract_dataset import AbstractDataset
from azureml.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory
from azureml.data.dataset_type_definitions import FileEncoding, HistogramCompareMethod, PromoteHeadersBehavior, SkipLinesBehavior

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.data.file_dataset import FileDataset
    from azureml.data.tabular_dataset import TabularDataset

_SNAPSHOTS = "Register another version instead: register(workspace, name, create_new_version=True)."
_DEFINITIONS = "A registered version is the definition: Dataset.get_by_name(workspace, name, version), and print it."
_PROFILES = "Use submit_profile_run(compute_target, experiment) and get_profile() of a TabularDataset."
_LIFE = "Use unregister_all_versions() for a dataset that is not needed any more."
_OBJECTS = "Make one with Dataset.File or Dataset.Tabular, or find one with Dataset.get_by_name."


class _Scenario:
    """What a model used a dataset for, in `Model.register(datasets=[(Dataset.Scenario.TRAINING, dataset)])`."""

    TRAINING = "training"
    VALIDATION = "validation"
    INFERENCE = "inferencing"


class Dataset(AbstractDataset):
    """Makes datasets, by `Dataset.File` and `Dataset.Tabular`, and finds them.

    v1 once had datasets of this very class. What is left of it: the static methods give a FileDataset or a TabularDataset, and
    the others say what to use instead.
    """

    Scenario = _Scenario

    def __init__(
        self, definition: Any, workspace: Optional[Workspace] = None, name: Optional[str] = None, id: Optional[str] = None
    ) -> None:
        raise not_built("Dataset", _OBJECTS)

    # ---- finding ----

    @staticmethod
    def get(workspace: Workspace, name: Optional[str] = None, id: Optional[str] = None) -> Any:
        """Return a registered dataset by its name, or a saved one by its id. Deprecated: use get_by_name and get_by_id.

        Raises:
            UserErrorException: There is no such dataset, or neither a name nor an id is given.
        """
        from azureml.exceptions import UserErrorException

        _warn("Dataset.get", "Dataset.get_by_name or Dataset.get_by_id")
        if id is not None:
            return Dataset.get_by_id(workspace, id)
        if name is None:
            raise UserErrorException("Dataset.get needs the name or the id of a dataset.")
        return Dataset.get_by_name(workspace, name)

    @staticmethod
    def list(workspace: Workspace) -> List[Any]:
        """Return the latest version of every registered dataset. Deprecated: use get_all."""
        _warn("Dataset.list", "Dataset.get_all")
        return [*Dataset.get_all(workspace).values()]

    # ---- making, as before File and Tabular ----

    @staticmethod
    def from_delimited_files(
        path: Any,
        separator: str = ",",
        header: PromoteHeadersBehavior = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        encoding: FileEncoding = FileEncoding.UTF8,
        quoting: bool = False,
        infer_column_types: bool = True,
        skip_rows: int = 0,
        skip_mode: SkipLinesBehavior = SkipLinesBehavior.NO_ROWS,
        comment: Optional[str] = None,
        include_path: bool = False,
        archive_options: Any = None,
        partition_format: Optional[str] = None,
    ) -> TabularDataset:
        """Return a dataset of the rows of delimited files. Deprecated: use Dataset.Tabular.from_delimited_files.

        Raises:
            NotImplementedError: Lines to skip, comments or archives are asked for.
        """
        _warn("Dataset.from_delimited_files", "Dataset.Tabular.from_delimited_files")
        for name, value in (("skip_rows", skip_rows), ("comment", comment), ("archive_options", archive_options)):
            if value:
                raise not_built(
                    f"Dataset.from_delimited_files({name}=...)",
                    "Clean the files with pandas in a step, and register what it writes: Dataset.Tabular.register_pandas_dataframe.",
                )
        return TabularDatasetFactory.from_delimited_files(
            path,
            include_path=include_path,
            infer_column_types=infer_column_types,
            separator=separator,
            header=header,
            partition_format=partition_format,
            support_multi_line=quoting,
            encoding=encoding.name.lower() if isinstance(encoding, FileEncoding) else encoding,
        )

    @staticmethod
    def from_parquet_files(path: Any, include_path: bool = False, partition_format: Optional[str] = None) -> TabularDataset:
        """Return a dataset of the rows of Parquet files. Deprecated: use Dataset.Tabular.from_parquet_files."""
        _warn("Dataset.from_parquet_files", "Dataset.Tabular.from_parquet_files")
        return TabularDatasetFactory.from_parquet_files(path, include_path=include_path, partition_format=partition_format)

    @staticmethod
    def from_sql_query(data_source: Any, query: str) -> TabularDataset:
        """Return a dataset of the rows of a SQL query. Deprecated: use Dataset.Tabular.from_sql_query."""
        _warn("Dataset.from_sql_query", "Dataset.Tabular.from_sql_query")
        return TabularDatasetFactory.from_sql_query((data_source, query))

    @staticmethod
    def from_binary_files(path: Any) -> FileDataset:
        """Return a dataset of files. Deprecated: use Dataset.File.from_files."""
        _warn("Dataset.from_binary_files", "Dataset.File.from_files")
        return FileDatasetFactory.from_files(path)

    # ---- what has no counterpart ----

    @staticmethod
    def auto_read_files(path: Any, include_path: Any = False, partition_format: Any = None) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built(
            "Dataset.auto_read_files", "Name the kind of the files: Dataset.Tabular.from_delimited_files or from_parquet_files."
        )

    @staticmethod
    def from_excel_files(
        path: Any,
        sheet_name: Any = None,
        use_column_headers: Any = False,
        skip_rows: Any = 0,
        include_path: Any = False,
        infer_column_types: Any = True,
        partition_format: Any = None,
    ) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built(
            "Dataset.from_excel_files", "Read it with pandas.read_excel, and register the frame: Dataset.Tabular.register_pandas_dataframe."
        )

    @staticmethod
    def from_json_files(
        path: Any,
        encoding: Any = FileEncoding.UTF8,
        flatten_nested_arrays: Any = False,
        include_path: Any = False,
        partition_format: Any = None,
    ) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built(
            "Dataset.from_json_files",
            "Use Dataset.Tabular.from_json_lines_files for one JSON object a line; else pandas.read_json and register_pandas_dataframe.",
        )

    @staticmethod
    def from_pandas_dataframe(dataframe: Any, path: Any = None, in_memory: Any = False) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.from_pandas_dataframe", "Use Dataset.Tabular.register_pandas_dataframe(dataframe, target, name).")

    def head(self, count: Any) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.head", "Use take(count).to_pandas_dataframe() of a TabularDataset.")

    def sample(self, sample_strategy: Any, arguments: Any) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.sample", "Use take_sample(probability, seed), take(count) or random_split(percentage, seed).")

    def to_pandas_dataframe(self) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.to_pandas_dataframe", _OBJECTS)

    def to_spark_dataframe(self) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.to_spark_dataframe", _OBJECTS)

    @property
    def definition(self) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.definition", _DEFINITIONS)

    @property
    def definition_version(self) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.definition_version", _DEFINITIONS)

    def get_definition(self, version_id: Any = None) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.get_definition", _DEFINITIONS)

    def get_definitions(self) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.get_definitions", _DEFINITIONS)

    def update_definition(self, definition: Any, definition_update_message: Any) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.update_definition", _DEFINITIONS)

    def generate_profile(self, compute_target: Any = None, workspace: Any = None, arguments: Any = None) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.generate_profile", _PROFILES)

    def get_profile(
        self, arguments: Any = None, generate_if_not_exist: Any = True, workspace: Any = None, compute_target: Any = None
    ) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.get_profile", _PROFILES)

    def compare_profiles(
        self,
        rhs_dataset: Any,
        profile_arguments: Any = dict(),  # noqa: B006, C408  v1's default, never used
        include_columns: Any = None,
        exclude_columns: Any = None,
        histogram_compare_method: Any = HistogramCompareMethod.WASSERSTEIN,
    ) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.compare_profiles", _PROFILES)

    def diff(self, rhs_dataset: Any, compute_target: Any = None, columns: Any = None) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.diff", "Compare the frames that to_pandas_dataframe() gives.")

    def create_snapshot(
        self, snapshot_name: Any, compute_target: Any = None, create_data_snapshot: Any = False, target_datastore: Any = None
    ) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.create_snapshot", _SNAPSHOTS)

    def get_snapshot(self, snapshot_name: Any) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.get_snapshot", _SNAPSHOTS)

    def get_all_snapshots(self) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.get_all_snapshots", _SNAPSHOTS)

    def delete_snapshot(self, snapshot_name: Any) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.delete_snapshot", _SNAPSHOTS)

    def archive(self) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.archive", _LIFE)

    def deprecate(self, deprecate_by_dataset_id: Any) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.deprecate", _LIFE)

    def reactivate(self) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.reactivate", _LIFE)

    @property
    def is_visible(self) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.is_visible", _LIFE)

    @property
    def state(self) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.state", _LIFE)

    @property
    def workspace(self) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.workspace", _OBJECTS)

    def register(
        self,
        workspace: Any,
        name: Any,
        description: Any = None,
        tags: Any = None,
        visible: Any = True,
        exist_ok: Any = False,
        update_if_exist: Any = False,
    ) -> Any:
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.register", _OBJECTS)

    def update(self, name: Any = None, description: Any = None, tags: Any = None, visible: Any = None) -> Any:  # type: ignore[override]
        """Refused: see what the error says to use instead."""
        raise not_built("Dataset.update", _OBJECTS)


def _warn(old: str, new: str) -> None:
    warnings.warn(f"{old} is deprecated: use {new}.", DeprecationWarning, stacklevel=3)

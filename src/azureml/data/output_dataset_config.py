"""Datasets as outputs: where a step's files go, and the dataset that they become.

Every method returns a copy. All copies of one output share its origin, which remembers the step that writes it: `out.as_upload()` given
to one step and `out.as_input()` given to another are connected.
"""

from __future__ import annotations

import copy
import logging
import os
import re
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, TypeVar, Union

from azureml.data._output_columns import OutputColumns
from azureml.data.constants import DIRECT_MODE, HDFS_MODE, LINK_MODE, MOUNT_MODE, UPLOAD_MODE
from azureml.data.dataset_consumption_config import FILE, TABULAR, DatasetConsumptionConfig, check_dataset_name
from azureml.data.dataset_type_definitions import PromoteHeadersBehavior
from penstock.model.ids import new_id

if TYPE_CHECKING:
    from penstock.model.datasets import Dataset

_LOGGER = logging.getLogger("penstock")
_NAME = re.compile(r"[A-Za-z_]+[A-Za-z0-9_]*")
DEFAULT_DESTINATION = "dataset/{run-id}/{output-name}"
_PLACEHOLDERS = ("run-id", "output-name")

Config = TypeVar("Config", bound="OutputDatasetConfig")


class MountOptions:
    """How an output that is written in place is treated.

    Args:
        disable_metadata_cache: Accepted; there is no such cache here.
    """

    def __init__(self, disable_metadata_cache: bool = False) -> None:
        self.disable_metadata_cache = disable_metadata_cache


class UploadOptions:
    """How an output that is uploaded at the end is treated.

    Args:
        overwrite: Whether files that are there already are replaced; otherwise they make the run fail.
        source_globs: Patterns of the files that are taken; None takes all.
    """

    def __init__(self, overwrite: bool = False, source_globs: Any = None) -> None:
        self.overwrite = overwrite
        self.source_globs = source_globs


class RegistrationConfiguration:
    """The dataset that an output becomes when its step ends well.

    Args:
        name: The dataset's name.
        description: A text for people.
        tags: Tags.
    """

    def __init__(self, name: str, description: Optional[str], tags: Optional[Dict[str, str]]) -> None:
        self.name = name
        self.description = description
        self.tags = tags


class Destination(NamedTuple):
    """Where an output goes: a datastore (the object, its name, or None for the workspace's default) and a path template there."""

    datastore: Any
    template: str


class _Origin:
    """What all copies of one output share. It stays one object when they are copied, deeply or not."""

    def __init__(self) -> None:
        self.producer: Any = None

    def __copy__(self) -> _Origin:
        return self

    def __deepcopy__(self, memo: Any) -> _Origin:
        return self


class OutputDatasetConfig:
    """The base of all dataset outputs.

    Args:
        mode: mount, upload, hdfs or link.
        name: The output's name: letters, digits, underscores; no digit first. The script finds the folder in the variable of that name.
            None makes one.
        **kwargs: `origin`, of the output that this one is a copy of.

    Attributes:
        mode: The mode.

    Raises:
        UserErrorException: The name is not allowed.
    """

    _dataset_type = FILE

    def __init__(self, mode: str, name: Optional[str] = None, **kwargs: Any) -> None:
        self.mode = mode
        self.name = name if name is not None else f"output_{new_id()[:8]}"
        self._origin: _Origin = kwargs.get("origin") or _Origin()
        self._registration: Optional[RegistrationConfiguration] = None
        self._upload_options: Optional[UploadOptions] = None
        self._mount_options: Optional[MountOptions] = None
        self._partition_format: Optional[str] = None
        self._rows: Optional[Dataset] = None  # how they are read as a table

    @property
    def name(self) -> str:
        """The output's name."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = check_dataset_name(name, _NAME, "output")

    @property
    def arg_val(self) -> str:
        """The text that stands for the folder among a script's arguments; its path takes its place when the script starts."""
        return f"DatasetOutputConfig:{self._name}"

    def __str__(self) -> str:
        return self.arg_val

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name!r}, mode={self.mode!r})"

    def __deepcopy__(self: Config, memo: Any) -> Config:
        return copy.copy(self)  # what it holds is never changed in place; a datastore leads to a workspace

    def _changed(self: Config, **members: Any) -> Config:
        changed = copy.copy(self)
        for name, value in members.items():
            setattr(changed, name, value)
        return changed

    def register_on_complete(self: Config, name: str, description: Optional[str] = None, tags: Optional[Dict[str, str]] = None) -> Config:
        """Return a copy whose data becomes a new version of a registered dataset when the step ends well.

        Args:
            name: The dataset's name.
            description: A text for people.
            tags: Tags.

        Raises:
            ValueError: The name is empty.
        """
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"The output '{self._name}' can't be registered as {name!r}: give the dataset a name.")
        return self._changed(_registration=RegistrationConfiguration(name, description, dict(tags) if tags else None))

    def as_input(self, name: Optional[str] = None) -> DatasetConsumptionConfig:
        """Return the input of a later step that reads this output.

        Args:
            name: The input's name; None makes one.

        Raises:
            NotImplementedError: A subclass has not implemented it.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement as_input(name).")

    def _as_input(self, name: Optional[str], mode: str) -> DatasetConsumptionConfig:
        return DatasetConsumptionConfig(name if name is not None else f"input_{new_id()[:8]}", self, mode)

    # What the pipeline asks of it

    @property
    def _producer(self) -> Any:
        return self._origin.producer

    def _set_producer(self, step: Any) -> None:
        self._origin.producer = step

    @property
    def _output_name(self) -> str:
        return self._name

    def _destination(self) -> Optional[Destination]:
        """Where the data goes; None for an output that is only a link."""
        return None

    def _path_on_compute(self) -> Optional[str]:
        return None

    def _reading(self) -> Dataset:
        """How the data is read as a dataset."""
        from azureml.data._output_readings import as_files

        return self._rows if self._rows is not None else as_files(self._partition_format)

    def _source_globs(self) -> Tuple[str, ...]:
        globs = self._upload_options.source_globs if self._upload_options is not None else None
        return (globs,) if isinstance(globs, str) else tuple(globs or ())

    def _to_output_data(self) -> Any:
        """The output as a section of a run configuration."""
        from azureml.data._output_section import to_section

        return to_section(self)


class TransformationMixin:
    """What turns an output of files into one of rows."""

    def read_delimited_files(
        self,
        include_path: bool = False,
        separator: str = ",",
        header: PromoteHeadersBehavior = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        partition_format: Optional[str] = None,
        path_glob: Optional[str] = None,
        set_column_types: Optional[Mapping[str, Any]] = None,
    ) -> OutputTabularDatasetConfig:
        """Return a copy that is read as the rows of delimited files, where it is consumed and where it is registered.

        Args:
            include_path: Whether each row tells its file, in the column Path.
            separator: What stands between the fields.
            header: Which files begin with column names.
            partition_format: How columns are taken from paths.
            path_glob: A regular expression, as in v1; only files whose path has a match are read.
            set_column_types: Types by column, as azureml.data.DataType makes them.

        Raises:
            UserErrorException: An argument is wrong.
        """
        from azureml.data._output_readings import as_delimited

        given = partition_format if partition_format is not None else getattr(self, "_partition_format", None)
        reading = as_delimited(include_path, separator, header, given, set_column_types, path_glob)
        return OutputTabularDatasetConfig(output_file_dataset_config=self, reading=reading)

    def read_parquet_files(
        self,
        include_path: bool = False,
        partition_format: Optional[str] = None,
        path_glob: Optional[str] = None,
        set_column_types: Optional[Mapping[str, Any]] = None,
    ) -> OutputTabularDatasetConfig:
        """Return a copy that is read as the rows of Parquet files, where it is consumed and where it is registered.

        Args:
            include_path: Whether each row tells its file, in the column Path.
            partition_format: How columns are taken from paths.
            path_glob: A regular expression, as in v1; only files whose path has a match are read.
            set_column_types: Types by column, as azureml.data.DataType makes them.

        Raises:
            UserErrorException: An argument is wrong.
        """
        from azureml.data._output_readings import as_parquet

        given = partition_format if partition_format is not None else getattr(self, "_partition_format", None)
        reading = as_parquet(include_path, given, set_column_types, path_glob)
        return OutputTabularDatasetConfig(output_file_dataset_config=self, reading=reading)


class OutputFileDatasetConfig(OutputDatasetConfig, TransformationMixin):
    """A folder that a step writes, and that becomes a dataset. The folder exists when the script starts.

    Args:
        name: The output's name; None makes one.
        destination: A tuple (datastore, path); `{run-id}` and `{output-name}` in the path are replaced. None means the folder
            `dataset/{run-id}/{output-name}` of the workspace's default datastore.
        source: The folder on the compute that the script writes; None makes one.
        partition_format: How columns are taken from paths.

    Attributes:
        destination: The destination, as given.
        source: The folder on the compute, or None.

    Raises:
        UserErrorException: The name, the destination or the partition format is wrong.
    """

    def __init__(
        self,
        name: Optional[str] = None,
        destination: Optional[Tuple[Any, str]] = None,
        source: Optional[str] = None,
        partition_format: Optional[str] = None,
    ) -> None:
        super().__init__(MOUNT_MODE, name)
        _check_destination(destination, self._name)
        self.destination = destination
        self.source = source
        self._partition_format = partition_format
        self._reading()  # a wrong partition format is found here

    def as_upload(self, overwrite: bool = False, source_globs: Optional[Union[str, Sequence[str]]] = None) -> OutputFileDatasetConfig:
        """Return a copy that is uploaded when the script has ended well.

        Args:
            overwrite: Whether files that are there already are replaced; otherwise they make the run fail.
            source_globs: Patterns of the files that are taken; None takes all.
        """
        return self._changed(mode=UPLOAD_MODE, _upload_options=UploadOptions(overwrite, source_globs), _mount_options=None)

    def as_mount(self, disable_metadata_cache: bool = False) -> OutputFileDatasetConfig:
        """Return a copy that the script writes in place.

        Args:
            disable_metadata_cache: Accepted; there is no such cache here.
        """
        return self._changed(mode=MOUNT_MODE, _mount_options=MountOptions(disable_metadata_cache), _upload_options=None)

    def as_input(self, name: Optional[str] = None) -> DatasetConsumptionConfig:
        """Return the input of a later step that reads these files in place; `.as_download()` on it copies them.

        Args:
            name: The input's name; None makes one.
        """
        return self._as_input(name, MOUNT_MODE)

    def _destination(self) -> Optional[Destination]:
        return _parse_destination(self.destination)

    def _path_on_compute(self) -> Optional[str]:
        return os.fspath(self.source) if self.source is not None else None


class OutputTabularDatasetConfig(OutputColumns, OutputDatasetConfig):
    """A folder that a step writes, and that becomes a dataset of rows. `OutputFileDatasetConfig.read_delimited_files` and
    `read_parquet_files` make it.

    Args:
        **kwargs: For these methods.

    Raises:
        ValueError: It was constructed directly.
    """

    _dataset_type = TABULAR

    def __init__(self, **kwargs: Any) -> None:
        files, reading = kwargs.get("output_file_dataset_config"), kwargs.get("reading")
        if files is None or reading is None:
            raise ValueError(
                "An OutputTabularDatasetConfig is made from files: OutputFileDatasetConfig(name).read_delimited_files(), "
                "or read_parquet_files()."
            )
        super().__init__(files.mode, files.name, origin=files._origin)
        self._files = files
        self._rows = reading
        self._registration = files._registration
        self._upload_options, self._mount_options = files._upload_options, files._mount_options

    def random_split(self, percentage: float, seed: Optional[int] = None) -> Tuple[OutputTabularDatasetConfig, OutputTabularDatasetConfig]:
        """Return two copies that share the rows between them; their names end in _1 and _2.

        Args:
            percentage: The first one's share, between 0 and 1.
            seed: What decides about each row; the same seed splits alike.

        Raises:
            ValueError: The share or the seed is wrong.
        """
        from azureml.data._output_readings import split

        first, second = split(self._reading(), percentage, seed, self._name)
        return self._changed(_rows=first, name=f"{self._name}_1"), self._changed(_rows=second, name=f"{self._name}_2")

    def as_mount(self) -> OutputTabularDatasetConfig:
        """Return a copy that the script writes in place."""
        return self._changed(mode=MOUNT_MODE, _mount_options=None, _upload_options=None)

    def as_upload(self, overwrite: bool = False, source_globs: Optional[Union[str, Sequence[str]]] = None) -> OutputTabularDatasetConfig:
        """Return a copy that is uploaded when the script has ended well.

        Args:
            overwrite: Whether files that are there already are replaced; otherwise they make the run fail.
            source_globs: Patterns of the files that are taken; None takes all.
        """
        return self._changed(mode=UPLOAD_MODE, _upload_options=UploadOptions(overwrite, source_globs), _mount_options=None)

    def as_input(self, name: Optional[str] = None) -> DatasetConsumptionConfig:
        """Return the input of a later step that reads these rows: `run.input_datasets[name].to_pandas_dataframe()`.

        Args:
            name: The input's name; None makes one.
        """
        return self._as_input(name, DIRECT_MODE)

    def _destination(self) -> Optional[Destination]:
        found: Optional[Destination] = self._files._destination()
        return found

    def _path_on_compute(self) -> Optional[str]:
        found: Optional[str] = self._files._path_on_compute()
        return found


class HDFSOutputDatasetConfig(OutputDatasetConfig, TransformationMixin):
    """A folder that a Spark step writes. This version has no Spark steps: submitting it is refused.

    Args:
        name: The output's name; None makes one.
        destination: A tuple (datastore, path), as for OutputFileDatasetConfig.

    Attributes:
        destination: The destination, as given.
        source: Always None.

    Raises:
        UserErrorException: The name or the destination is wrong.
    """

    def __init__(self, name: Optional[str] = None, destination: Optional[Tuple[Any, str]] = None) -> None:
        super().__init__(HDFS_MODE, name)
        _check_destination(destination, self._name)
        self.destination = destination
        self.source = None

    def as_input(self, name: Optional[str] = None) -> DatasetConsumptionConfig:
        """Return the input of a later step that reads these files.

        Args:
            name: The input's name; None makes one.
        """
        return self._as_input(name, HDFS_MODE)

    def _destination(self) -> Optional[Destination]:
        return _parse_destination(self.destination)


class LinkFileOutputDatasetConfig(OutputDatasetConfig):
    """An output that stands for a FileDataset: the script calls `run.output_datasets[name].link(dataset)`.

    Args:
        name: The output's name; None makes one.

    Raises:
        UserErrorException: The name is not allowed.
    """

    def __init__(self, name: Optional[str] = None) -> None:
        super().__init__(LINK_MODE, name)

    def as_input(self, name: Optional[str] = None) -> DatasetConsumptionConfig:
        """Return the input of a later step that reads the files of that dataset.

        Args:
            name: The input's name; None makes one.
        """
        return self._as_input(name, MOUNT_MODE)


class LinkTabularOutputDatasetConfig(OutputDatasetConfig):
    """An output that stands for a TabularDataset: the script calls `run.output_datasets[name].link(dataset)`.

    Args:
        name: The output's name; None makes one.

    Raises:
        UserErrorException: The name is not allowed.
    """

    _dataset_type = TABULAR

    def __init__(self, name: Optional[str] = None) -> None:
        super().__init__(LINK_MODE, name)

    def as_input(self, name: Optional[str] = None) -> DatasetConsumptionConfig:
        """Return the input of a later step that reads the rows of that dataset.

        Args:
            name: The input's name; None makes one.
        """
        return self._as_input(name, DIRECT_MODE)


def _check_destination(destination: Any, output: str) -> None:
    if destination is None:
        return
    is_pair = isinstance(destination, tuple) and len(destination) == 2 and isinstance(destination[1], (str, os.PathLike, type(None)))
    if not is_pair or not (isinstance(destination[0], str) or isinstance(getattr(destination[0], "name", None), str)):
        from azureml.exceptions import UserErrorException

        raise UserErrorException(
            f"The destination of the output '{output}' must be a tuple (datastore, path), as in (datastore, 'folder/{{run-id}}'), "
            f"not {destination!r}."
        )
    for placeholder in _other_placeholders(os.fspath(destination[1] or "")):
        _LOGGER.warning(
            "The destination of the output '%s' holds {%s}, which stays as it is: only {run-id} and {output-name} are replaced.",
            output,
            placeholder,
        )


def _other_placeholders(template: str) -> List[str]:
    return [name for name in re.findall(r"\{([^{}]*)\}", template) if name not in _PLACEHOLDERS]


def _parse_destination(destination: Any) -> Destination:
    from azureml.data._paths import clean

    if destination is None:
        return Destination(None, DEFAULT_DESTINATION)
    return Destination(destination[0], clean(destination[1]) or DEFAULT_DESTINATION)

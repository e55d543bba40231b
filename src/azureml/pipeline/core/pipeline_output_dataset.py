"""PipelineData promoted to datasets. Every method returns a copy; all copies of one promotion stand for the same output."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Tuple, TypeVar

from azureml.data._output_columns import OutputColumns
from azureml.data.dataset_consumption_config import FILE, TABULAR
from azureml.data.dataset_type_definitions import PromoteHeadersBehavior
from azureml.pipeline.core._bindings import InputPortBinding, check_port_name

if TYPE_CHECKING:
    from azureml.pipeline.core.builder import PipelineData
    from penstock.model.datasets import Dataset

Promoted = TypeVar("Promoted", bound="PipelineOutputAbstractDataset")


class DatasetRegistration:
    """How an output is registered as a dataset when its step ends.

    Args:
        name: The dataset's name.
        create_new_version: Whether a dataset of this name gets a new version.
    """

    def __init__(self, name: str, create_new_version: bool) -> None:
        self._name, self._create_new_version = name, create_new_version
        self._description: Optional[str] = None
        self._tags: Optional[Dict[str, str]] = None

    @property
    def name(self) -> str:
        """Return the dataset's name."""
        return self._name

    @property
    def create_new_version(self) -> bool:
        """Return whether a dataset of this name gets a new version."""
        return self._create_new_version


class PipelineOutputAbstractDataset:
    """The base of PipelineData that is a dataset.

    Args:
        pipeline_data: The data.

    Raises:
        ValueError: It is no PipelineData.
    """

    _dataset_type = FILE

    def __init__(self, pipeline_data: PipelineData) -> None:
        from azureml.pipeline.core.builder import PipelineData

        if not isinstance(pipeline_data, PipelineData):
            raise ValueError(f"A {type(self).__name__} is made from PipelineData, with as_dataset(), not from {pipeline_data!r}.")
        self._pipeline_data = pipeline_data
        self._registration: Optional[DatasetRegistration] = None
        self._input_name: Optional[str] = None
        self._input_mode = "mount"
        self._input_path: Optional[str] = None
        self._rows: Optional[Dataset] = None

    def __str__(self) -> str:
        return str(self._pipeline_data)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"

    def __deepcopy__(self: Promoted, memo: Any) -> Promoted:
        return copy.copy(self)  # what it holds is never changed in place, and the data must stay one object

    def _changed(self: Promoted, **members: Any) -> Promoted:
        changed = copy.copy(self)
        for name, value in members.items():
            setattr(changed, name, value)
        return changed

    @property
    def name(self) -> str:
        """Return the name of the data."""
        return self._pipeline_data.name

    @property
    def input_name(self) -> str:
        """Return the name of the input that reads it: that of `as_named_input`, or of the output."""
        return self._input_name or self._output_name

    def as_named_input(self: Promoted, name: str) -> Promoted:
        """Return a copy whose input has this name.

        Args:
            name: The name: letters, digits, underscores.

        Raises:
            ValueError: It holds another character.
        """
        check_port_name(name, f"input name of the dataset '{self.name}'")
        return self._changed(_input_name=name)

    def register(self: Promoted, name: str, create_new_version: bool = True) -> Promoted:
        """Return a copy that becomes a registered dataset when its step ends well.

        Args:
            name: The dataset's name.
            create_new_version: Whether a dataset that has this name gets a new version.

        Raises:
            ValueError: The name is empty.
        """
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"The dataset '{self.name}' can't be registered as {name!r}: give it a name.")
        return self._changed(_registration=DatasetRegistration(name, create_new_version))

    def create_input_binding(self) -> InputPortBinding:
        """Return the input that reads it."""
        from azureml.data._output_readings import to_document

        return InputPortBinding(
            self.input_name, self, self._input_mode, self._input_path, additional_transformations=to_document(self._reading())
        )

    # What the pipeline asks of it

    @property
    def _producer(self) -> Any:
        return self._pipeline_data._producer

    def _set_producer(self, step: Any) -> None:
        self._pipeline_data._set_producer(step)

    @property
    def _output_name(self) -> str:
        return self._pipeline_data._output_name

    def _reading(self) -> Dataset:
        """How the data is read as a dataset."""
        from azureml.data._output_readings import AS_FILES

        return self._rows if self._rows is not None else AS_FILES


class PipelineOutputFileDataset(PipelineOutputAbstractDataset):
    """PipelineData that is a dataset of files: `pipeline_data.as_dataset()`.

    Args:
        pipeline_data: The data.

    Raises:
        ValueError: It is no PipelineData.
    """

    def __init__(self, pipeline_data: PipelineData) -> None:
        super().__init__(pipeline_data)

    def as_mount(self, path_on_compute: Optional[str] = None) -> PipelineOutputFileDataset:
        """Return a copy whose files the script reads in place.

        Args:
            path_on_compute: Where it finds them.
        """
        return self._changed(_input_mode="mount", _input_path=path_on_compute)

    def as_download(self, path_on_compute: Optional[str] = None) -> PipelineOutputFileDataset:
        """Return a copy whose files are copied before the script starts.

        Args:
            path_on_compute: Where it finds them.
        """
        return self._changed(_input_mode="download", _input_path=path_on_compute)

    def as_direct(self) -> PipelineOutputFileDataset:
        """Return a copy of which the script gets the dataset itself, as `run.input_datasets[name]`."""
        return self._changed(_input_mode="direct", _input_path=None)

    def parse_delimited_files(
        self,
        include_path: bool = False,
        separator: str = ",",
        header: PromoteHeadersBehavior = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        partition_format: Optional[str] = None,
        file_extension: Optional[str] = "",
        set_column_types: Optional[Mapping[str, Any]] = None,
        quoted_line_breaks: bool = False,
    ) -> PipelineOutputTabularDataset:
        """Return a dataset of the rows of its delimited files.

        Args:
            include_path: Whether each row tells its file, in the column Path.
            separator: What stands between the fields.
            header: Which files begin with column names.
            partition_format: How columns are taken from paths.
            file_extension: Only files that end so are read. '' means .csv for commas and .tsv for tabs; None means all.
            set_column_types: Types by column, as azureml.data.DataType makes them.
            quoted_line_breaks: Whether a quoted field may hold line breaks.

        Raises:
            UserErrorException: An argument is wrong.
        """
        from azureml.data._output_readings import as_delimited, by_extension

        pattern = by_extension(file_extension, separator)
        return PipelineOutputTabularDataset(
            self, as_delimited(include_path, separator, header, partition_format, set_column_types, pattern, quoted_line_breaks)
        )

    def parse_parquet_files(
        self,
        include_path: bool = False,
        partition_format: Optional[str] = None,
        file_extension: Optional[str] = ".parquet",
        set_column_types: Optional[Mapping[str, Any]] = None,
    ) -> PipelineOutputTabularDataset:
        """Return a dataset of the rows of its Parquet files.

        Args:
            include_path: Whether each row tells its file, in the column Path.
            partition_format: How columns are taken from paths.
            file_extension: Only files that end so are read; None means all.
            set_column_types: Types by column, as azureml.data.DataType makes them.

        Raises:
            UserErrorException: An argument is wrong.
        """
        from azureml.data._output_readings import as_parquet, by_extension

        return PipelineOutputTabularDataset(
            self, as_parquet(include_path, partition_format, set_column_types, by_extension(file_extension))
        )


class PipelineOutputTabularDataset(OutputColumns, PipelineOutputAbstractDataset):
    """PipelineData that is a dataset of rows: `pipeline_data.as_dataset().parse_delimited_files()`. The script gets the dataset itself.

    Args:
        pipeline_output_dataset: The dataset of files.
        additional_transformations: How the files become rows.

    Raises:
        ValueError: The first is no PipelineOutputFileDataset.
    """

    _dataset_type = TABULAR

    def __init__(self, pipeline_output_dataset: PipelineOutputFileDataset, additional_transformations: Any) -> None:
        if not isinstance(pipeline_output_dataset, PipelineOutputAbstractDataset):
            raise ValueError(
                f"A PipelineOutputTabularDataset is made from a PipelineOutputFileDataset, not from {pipeline_output_dataset!r}."
            )
        super().__init__(pipeline_output_dataset._pipeline_data)
        self._registration = pipeline_output_dataset._registration
        self._input_name = pipeline_output_dataset._input_name
        self._input_mode = "direct"
        self._rows = additional_transformations

    def random_split(
        self, percentage: float, seed: Optional[int] = None
    ) -> Tuple[PipelineOutputTabularDataset, PipelineOutputTabularDataset]:
        """Return two copies that share the rows between them. To read both in one step, name them with as_named_input.

        Args:
            percentage: The first one's share, between 0 and 1.
            seed: What decides about each row; the same seed splits alike.

        Raises:
            ValueError: The share or the seed is wrong.
        """
        from azureml.data._output_readings import split

        first, second = split(self._reading(), percentage, seed, self.name)
        return self._changed(_rows=first), self._changed(_rows=second)

    def create_input_binding(self) -> InputPortBinding:
        """Return the input that reads it, in mode direct.

        Raises:
            RuntimeError: Its mode is another.
        """
        if self._input_mode != "direct":
            raise RuntimeError(f"The tabular dataset '{self.name}' can only be read in mode 'direct', not '{self._input_mode}'.")
        return super().create_input_binding()

"""Data that a step of an earlier run produced: download it, or read it in a later pipeline."""

from __future__ import annotations

import os
from typing import Any, Optional

from azureml.pipeline.core._bindings import InputPortBinding, check_mode


class PortDataReference:
    """A handle on data that a step produced.

    Args:
        context: The workspace, or an object that has one as `workspace`.
        pipeline_run_id: The pipeline run.
        data_reference: The place of the data, a DataReference.
        step_run: The step run, where it is known.

    Attributes:
        data_reference_name: The name of the output.
        pipeline_run_id: The pipeline run.
    """

    __slots__ = ("_context", "_data_reference", "_step_run", "data_reference_name", "pipeline_run_id")

    def __init__(self, context: Any, pipeline_run_id: str, data_reference: Any, step_run: Any = None) -> None:
        self._context = context
        self._data_reference = data_reference
        self._step_run = step_run
        self.data_reference_name: str = data_reference.data_reference_name
        self.pipeline_run_id = pipeline_run_id

    def __str__(self) -> str:
        return f"$AZUREML_DATAREFERENCE_{self.data_reference_name}"

    def __repr__(self) -> str:
        return self.__str__()

    @property
    def name(self) -> str:
        """Return the name of the output."""
        return self.data_reference_name

    @property
    def datastore(self) -> Any:
        """Return the datastore that holds the data."""
        return self._data_reference.datastore

    @property
    def datastore_name(self) -> str:
        """Return the name of the datastore that holds the data."""
        return str(self._data_reference.datastore.name)

    @property
    def path_on_datastore(self) -> str:
        """Return where the data lies on its datastore."""
        return str(self._data_reference.path_on_datastore or "")

    @property
    def _path_on_datastore(self) -> str:
        return self.path_on_datastore

    def download(self, local_path: str, overwrite: Optional[bool] = None, show_progress: Optional[bool] = None) -> int:
        """Copy the data into a local folder, and return the number of files copied.

        The files keep their full path on the datastore below `local_path`. What only begins with the same letters is not taken.

        Args:
            local_path: The folder; it is made when there is none.
            overwrite: Whether files that exist are replaced; otherwise they are skipped with a note.
            show_progress: Whether each file is printed.

        Raises:
            ServiceException: The datastore can't be reached.
        """
        from azureml.data._transfer import download

        target = os.fspath(local_path)
        os.makedirs(target, exist_ok=True)
        return download(
            self.datastore, target, self.path_on_datastore, bool(overwrite), bool(show_progress), is_text_prefix=False, tell_skipped=True
        )

    def as_mount(self, input_name: Optional[str] = None) -> InputPortBinding:
        """Return an input that reads the data in place.

        Args:
            input_name: The name of the input port; None takes the data's.
        """
        return self.create_input_binding(input_name, "mount")

    def as_download(
        self, input_name: Optional[str] = None, path_on_compute: Optional[str] = None, overwrite: Optional[bool] = None
    ) -> InputPortBinding:
        """Return an input that reads a copy of the data.

        Args:
            input_name: The name of the input port; None takes the data's.
            path_on_compute: Where the copy goes.
            overwrite: Whether it may replace what is there.
        """
        return self.create_input_binding(input_name, "download", path_on_compute, overwrite)

    def as_input(self, input_name: str) -> InputPortBinding:
        """Return an input of another name that reads the data in place.

        Args:
            input_name: The name of the input port.
        """
        return self.create_input_binding(input_name)

    def create_input_binding(
        self,
        input_name: Optional[str] = None,
        mode: Optional[str] = None,
        path_on_compute: Optional[str] = None,
        overwrite: Optional[bool] = None,
    ) -> InputPortBinding:
        """Return an input that reads the data.

        Args:
            input_name: The name of the input port; None takes the data's.
            mode: mount or download; None means mount.
            path_on_compute: Where a copy goes.
            overwrite: Whether it may replace what is there.

        Raises:
            ValueError: The mode is another.
        """
        check_mode(mode or "mount", ("mount", "download"), f"The input that reads '{self.data_reference_name}'")
        return InputPortBinding(input_name or self.data_reference_name, self, mode or "mount", path_on_compute, overwrite)

"""References to places on datastores, as inputs of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from azureml.data._paths import clean
from penstock.model.ids import new_id

if TYPE_CHECKING:
    from azureml.core.runconfig import DataReferenceConfiguration
    from azureml.data.datapath import DataPath, DataPathComputeBinding

_MODES = ("mount", "download", "upload")


class DataReference:
    """A place on a datastore, and how a step gets at it.

    Args:
        datastore: The datastore.
        data_reference_name: A name of its own; a random one for a place, the datastore's for its root.
        path_on_datastore: The place; the root when None.
        mode: mount, download or upload.
        path_on_compute: Where the step finds the data.
        overwrite: Replace files that are there already.

    Raises:
        UserErrorException: The mode is none of these.
    """

    def __init__(
        self,
        datastore: Any,
        data_reference_name: Optional[str] = None,
        path_on_datastore: Optional[str] = None,
        mode: str = "mount",
        path_on_compute: Optional[str] = None,
        overwrite: bool = False,
    ) -> None:
        self.datastore = datastore
        self.path_on_datastore = path_on_datastore
        self.data_reference_name = data_reference_name or (new_id().replace("-", "") if clean(path_on_datastore) else datastore.name)
        self.mode = check_mode(mode)
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite

    def __str__(self) -> str:
        return f"$AZUREML_DATAREFERENCE_{self.data_reference_name}"

    def __repr__(self) -> str:
        return self.__str__()

    def path(self, path: Optional[str] = None, data_reference_name: Optional[str] = None) -> DataReference:
        """Return a reference to a place below this one; this one for None, '.' and '/'.

        Args:
            path: The place below.
            data_reference_name: A name for the new reference; a random one when None.
        """
        if not clean(path) and not data_reference_name:
            return self
        place = clean(f"{self.path_on_datastore or ''}/{clean(path)}")
        return DataReference(self.datastore, data_reference_name, place or None, self.mode, self.path_on_compute, self.overwrite)

    def as_mount(self) -> DataReference:
        """Return a copy to be mounted: on a local datastore the step reads the place itself."""
        return self._in_mode("mount", None, False)

    def as_download(self, path_on_compute: Optional[str] = None, overwrite: bool = False) -> DataReference:
        """Return a copy to be downloaded before the step.

        Args:
            path_on_compute: Where to; a folder of its own when None.
            overwrite: Replace files that are there already.
        """
        return self._in_mode("download", path_on_compute, overwrite)

    def as_upload(self, path_on_compute: Optional[str] = None, overwrite: bool = False) -> DataReference:
        """Return a copy that takes what the step wrote.

        Args:
            path_on_compute: Where the step writes; a folder of its own when None.
            overwrite: Replace files that are there already.
        """
        return self._in_mode("upload", path_on_compute, overwrite)

    def _in_mode(self, mode: str, path_on_compute: Optional[str], overwrite: bool) -> DataReference:
        return DataReference(self.datastore, self.data_reference_name, self.path_on_datastore, mode, path_on_compute, overwrite)

    def to_config(self) -> DataReferenceConfiguration:
        """Return the form that a run configuration holds."""
        from azureml.core.runconfig import DataReferenceConfiguration

        return DataReferenceConfiguration(
            datastore_name=self.datastore.name,
            mode=self.mode,
            path_on_datastore=self.path_on_datastore,
            path_on_compute=self.path_on_compute,
            overwrite=self.overwrite,
        )

    @staticmethod
    def create(
        data_reference_name: Optional[str] = None,
        datapath: Optional[DataPath] = None,
        datapath_compute_binding: Optional[DataPathComputeBinding] = None,
    ) -> DataReference:
        """Return the reference that a data path and a binding make together.

        Raises:
            ValueError: One of them is missing.
        """
        if datapath is None or datapath_compute_binding is None:
            raise ValueError("DataReference.create needs both datapath and datapath_compute_binding.")
        return datapath.create_data_reference(data_reference_name, datapath_compute_binding)


def check_mode(mode: str) -> str:
    """Return the mode when references know it.

    Raises:
        UserErrorException: They do not.
    """
    if mode in _MODES:
        return mode
    from azureml.exceptions import UserErrorException

    raise UserErrorException(f"Data can't be referred to in mode {mode!r}: use {', '.join(_MODES[:-1])} or {_MODES[-1]}.")

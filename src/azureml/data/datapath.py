"""Places on datastores that a pipeline parameter may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from penstock.model.ids import new_id

if TYPE_CHECKING:
    from azureml.data.data_reference import DataReference


class DataPath:
    """A place on a datastore.

    Args:
        datastore: The datastore.
        path_on_datastore: The place; the root when None.
        name: A name of its own; made from the datastore's when None.

    Raises:
        ValueError: No datastore was given.
    """

    def __init__(self, datastore: Any = None, path_on_datastore: Optional[str] = None, name: Optional[str] = None) -> None:
        if datastore is None:
            raise ValueError("A DataPath needs a datastore.")
        self._datastore = datastore
        self._path_on_datastore = path_on_datastore
        self._name = name or f"{datastore.name}_{new_id()[:8]}"

    def __repr__(self) -> str:
        return f"DataPath(datastore={self.datastore_name!r}, path_on_datastore={self._path_on_datastore!r})"

    @property
    def datastore_name(self) -> str:
        """The name of the datastore."""
        return str(self._datastore.name)

    @property
    def path_on_datastore(self) -> Optional[str]:
        """The place."""
        return self._path_on_datastore

    def create_data_reference(
        self, data_reference_name: Optional[str] = None, datapath_compute_binding: Optional[DataPathComputeBinding] = None
    ) -> DataReference:
        """Return a reference to the place, for a step.

        Args:
            data_reference_name: The reference's name.
            datapath_compute_binding: How the step gets at it.

        Raises:
            ValueError: The binding is missing.
        """
        from azureml.data.data_reference import DataReference

        if datapath_compute_binding is None:
            raise ValueError(f"A reference to {self!r} needs a DataPathComputeBinding.")
        binding = datapath_compute_binding
        return DataReference(
            self._datastore,
            data_reference_name or self._name,
            self._path_on_datastore,
            binding.mode,
            binding.path_on_compute,
            binding.overwrite,
        )

    @staticmethod
    def create_from_data_reference(data_reference: DataReference) -> DataPath:
        """Return the place that a reference names."""
        return DataPath(data_reference.datastore, data_reference.path_on_datastore, data_reference.data_reference_name)


class DataPathComputeBinding:
    """How a step gets at a place on a datastore.

    Args:
        mode: mount, download or upload.
        path_on_compute: Where the step finds it.
        overwrite: Replace files that are there already.

    Raises:
        UserErrorException: The mode is none of these.
    """

    def __init__(self, mode: str = "mount", path_on_compute: Optional[str] = None, overwrite: bool = False) -> None:
        from azureml.data.data_reference import check_mode

        self.mode = check_mode(mode)
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite

    def create_data_reference(self, data_reference_name: Optional[str] = None, datapath: Optional[DataPath] = None) -> DataReference:
        """Return a reference to a place, bound in this way.

        Raises:
            ValueError: The place is missing.
        """
        if datapath is None:
            raise ValueError("A reference needs a DataPath.")
        return datapath.create_data_reference(data_reference_name, self)

    @staticmethod
    def create_from_data_reference(data_reference: DataReference) -> DataPathComputeBinding:
        """Return how a reference gets at its place."""
        return DataPathComputeBinding(data_reference.mode, data_reference.path_on_compute, data_reference.overwrite)

"""Tables and queries as inputs of a step. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built
from azureml.data.data_reference import DataReference

_INSTEAD = "Database datastores come in a later release. Export the table to a file on a datastore."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class SqlDataReference(DataReference):
    """v1's SqlDataReference. Not part of this version."""

    data_reference_name: Any
    datastore: Any
    mode: Any
    overwrite: Any
    path_on_compute: Any
    path_on_datastore: Any
    sql_query: Any
    sql_stored_procedure: Any
    sql_stored_procedure_params: Any
    sql_table: Any

    def __init__(
        self,
        datastore: Any,
        data_reference_name: Any = None,
        sql_table: Any = None,
        sql_query: Any = None,
        sql_stored_procedure: Any = None,
        sql_stored_procedure_params: Any = None,
    ) -> None:
        raise _refused("SqlDataReference")

    def as_download(self, path_on_compute: Any = None, overwrite: Any = False) -> Any:
        raise _refused("SqlDataReference.as_download")

    def as_mount(self) -> Any:
        raise _refused("SqlDataReference.as_mount")

    def as_upload(self, path_on_compute: Any = None, overwrite: Any = False) -> Any:
        raise _refused("SqlDataReference.as_upload")

    def path(self, path: Any = None, data_reference_name: Any = None) -> Any:
        raise _refused("SqlDataReference.path")

    def to_config(self) -> Any:
        raise _refused("SqlDataReference.to_config")

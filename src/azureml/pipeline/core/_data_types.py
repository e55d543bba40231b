"""Data types of ports, and the types of a stored procedure's parameters."""

from __future__ import annotations

from enum import Enum
from typing import Any, Iterable, List, Optional

_FILES = (
    "AnyFile",
    "AzureBlobReference",
    "AzureDataLakeReference",
    "AzureFilesReference",
    "AzureSqlDatabaseReference",
    "AzurePostgresDatabaseReference",
    "AzureDataLakeGen2Reference",
    "AzureMLDataset",
    "AzureMySqlDatabaseReference",
    "DBFSReference",
)
_DIRECTORIES = ("AnyDirectory",)
_FIXED = ("AnyFile", "AnyDirectory", "AzureBlobReference", "AzureDataLakeReference", "AzureFilesReference")
_DETAILS_KEY = "pipelineDataTypes"


class StoredProcedureParameterType(Enum):
    """The type of a stored procedure's parameter."""

    String = "String"
    Int = "Int"
    Decimal = "Decimal"
    Guid = "Guid"
    Boolean = "Boolean"
    Date = "Date"

    @staticmethod
    def from_str(code: str) -> StoredProcedureParameterType:
        """Return the type that a text names.

        Args:
            code: The text.
        """
        return StoredProcedureParameterType(code)


class DataType:
    """The type of a file or folder that ports exchange.

    Args:
        workspace: The workspace that knows it.
        id: Its id.
        name: Its name.
        description: A text for people.
        is_directory: Whether it is a folder.
        parent_datatype_ids: Types that it also fits.
    """

    def __init__(
        self, workspace: Any, id: str, name: str, description: str, is_directory: bool, parent_datatype_ids: Optional[Iterable[str]]
    ) -> None:
        self._workspace, self._id, self._name, self._description = workspace, id, name, description
        self._is_directory, self._parent_datatype_ids = is_directory, list(parent_datatype_ids or [])

    @property
    def id(self) -> str:
        """Return the id."""
        return self._id

    @property
    def name(self) -> str:
        """Return the name."""
        return self._name

    @property
    def description(self) -> str:
        """Return the text for people."""
        return self._description

    @property
    def is_directory(self) -> bool:
        """Return whether it is a folder."""
        return self._is_directory

    @property
    def parent_datatype_ids(self) -> List[str]:
        """Return the types that it also fits."""
        return self._parent_datatype_ids

    @staticmethod
    def create_data_type(
        workspace: Any, name: str, description: str, is_directory: bool, parent_datatypes: Optional[Iterable[DataType]] = None
    ) -> DataType:
        """Create a data type of the workspace, and return it.

        Args:
            workspace: The workspace.
            name: The name, which is also its id.
            description: A text for people.
            is_directory: Whether it is a folder.
            parent_datatypes: Types that it also fits.

        Raises:
            ValueError: The workspace has a data type of this name.
        """
        if name in {known.name for known in DataType.list_data_types(workspace)}:
            raise ValueError(f"The workspace '{workspace.name}' already has a data type '{name}'. Get it with DataType.list_data_types.")
        created = DataType(workspace, name, name, description, is_directory, [parent.id for parent in parent_datatypes or []])
        created._save()
        return created

    @staticmethod
    def list_data_types(workspace: Any) -> List[DataType]:
        """Return the data types of a workspace: the built-in ones, then those that were created.

        Args:
            workspace: The workspace.
        """
        built_in = [DataType(workspace, name, name, name, False, None) for name in _FILES]
        built_in += [DataType(workspace, name, name, name, True, None) for name in _DIRECTORIES]
        return built_in + [DataType(workspace, **item) for item in _stored(workspace).values()]

    def update(self, new_description: Optional[str] = None, new_parent_datatypes: Optional[Iterable[DataType]] = None) -> None:
        """Change the description, and add parents; none is ever removed.

        Args:
            new_description: The new text for people.
            new_parent_datatypes: Types that it also fits from now on.

        Raises:
            ValueError: It is one of the built-in types.
        """
        if self._name in _FIXED:
            raise ValueError(f"The data type '{self._name}' is built in and can't be changed. Create one of your own with it as a parent.")
        if new_description is not None:
            self._description = new_description
        for parent in new_parent_datatypes or []:
            if parent.id not in self._parent_datatype_ids:
                self._parent_datatype_ids.append(parent.id)
        self._save()

    def _save(self) -> None:
        stored = _stored(self._workspace)
        stored[self._id] = {
            "id": self._id,
            "name": self._name,
            "description": self._description,
            "is_directory": self._is_directory,
            "parent_datatype_ids": self._parent_datatype_ids,
        }
        self._workspace._client.update_workspace(_record(self._workspace)["id"], details={_DETAILS_KEY: stored})


def check_data_type(workspace: Any, name: str, place: str) -> None:
    """Do nothing for a data type that the workspace knows.

    Raises:
        ValueError: It knows none of this name.
    """
    if name in _FILES or name in _DIRECTORIES:
        return
    if name not in {known.name for known in DataType.list_data_types(workspace)}:
        raise ValueError(
            f"{place} has the data type '{name}', which the workspace does not know. Create it with DataType.create_data_type."
        )


def _record(workspace: Any) -> Any:
    return workspace._client.resolve_workspace(workspace.subscription_id, workspace.resource_group, workspace.name)


def _stored(workspace: Any) -> Any:
    return dict((_record(workspace).get("details") or {}).get(_DETAILS_KEY) or {})

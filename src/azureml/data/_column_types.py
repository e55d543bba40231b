"""Types that users give to columns, in the form that a dataset's document keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


def to_column_types(types: Any) -> Dict[str, Dict[str, Any]]:
    """Return column -> type as a document has it; {} for None.

    Args:
        types: A dictionary of column names and values of `DataType`.

    Raises:
        UserErrorException: It is something else.
    """
    from azureml.data.dataset_factory import DataType
    from azureml.exceptions import UserErrorException

    if types is None:
        return {}
    if not isinstance(types, Mapping):
        raise UserErrorException(f"set_column_types is a dictionary of column names and DataType values, not {types!r}.")
    for name, kind in types.items():
        if not isinstance(name, str) or not isinstance(kind, DataType):
            raise UserErrorException(
                f"set_column_types gives {name!r} the type {kind!r}. Use a DataType for each column name, "
                f"such as {{{str(name)!r}: DataType.to_string()}}."
            )
    return {name: dict(kind._about) for name, kind in types.items()}


def workspace_of(types: Optional[Mapping[str, Any]]) -> Optional[Workspace]:
    """Return the workspace whose datastores the columns of references to files name; None where there is no such column."""
    return next((kind._workspace for kind in (types or {}).values() if kind._workspace is not None), None)

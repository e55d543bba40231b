"""The path argument of the dataset factories, in all its forms, as places of a dataset's document."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, List, NamedTuple, Optional, Tuple

from azureml.data import constants

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from penstock.model.datasets import Place

SQL_KINDS = (constants.AZURE_SQL_DATABASE, constants.AZURE_POSTGRESQL, constants.AZURE_MYSQL)

_FORMS = (
    "Use one of, or a list of: a tuple (datastore, 'relative/path'), a DataPath, a DataReference; "
    "or a URL that begins with http://, https://, wasb://, wasbs://, abfs://, abfss://, adl:// or another scheme that fsspec knows; "
    "or a path of this machine."
)


class Source(NamedTuple):
    """Where a dataset's files are, and the workspace whose datastores they are on; None for URLs and local paths."""

    places: Tuple[Place, ...]
    workspace: Optional[Workspace]


class DatastorePlace(NamedTuple):
    """A datastore and a path, or a query, on it."""

    datastore: Any
    path: str


def source_of(path: Any) -> Source:
    """Return what the path argument of a factory means.

    Raises:
        UserErrorException: It has none of the forms that are known, mixes datastores with URLs, or carries a key.
    """
    items = list(path) if isinstance(path, list) else [path]
    if not items:
        raise _refused(path)
    places, workspaces = [], []
    for item in items:
        on_datastore = _find_datastore_place(item)
        if on_datastore is not None:
            places.append(_datastore_path(on_datastore))
            workspaces.append(on_datastore.datastore.workspace)
        else:
            places.append(_url_place(item))
    if workspaces and len(workspaces) != len(places):
        raise _error("A dataset's paths are either all on datastores or all URLs or local paths: make two datasets of them.")
    return Source(tuple(places), _only(workspaces))


def source_of_query(query: Any, timeout: Any) -> Source:
    """Return what the query argument of `from_sql_query` means.

    Raises:
        UserErrorException: It is neither (datastore, 'select ...') nor a DataPath or DataReference, or the datastore holds no tables.
    """
    from penstock.model.datasets import Place

    found = _find_datastore_place(query)
    if found is None or not found.path.strip():
        raise _error(f"A query is a tuple (datastore, 'select ...') or a DataPath that holds the query, not {_shown(query)}.")
    if isinstance(timeout, bool) or not isinstance(timeout, int) or timeout < 1:
        raise _error(f"query_timeout is a whole number of seconds, 1 or more, not {timeout!r}.")
    kind = getattr(found.datastore, "datastore_type", None)
    if kind is not None and kind in (constants.AZURE_BLOB, constants.AZURE_FILE, constants.AZURE_DATA_LAKE_GEN2, "Local"):
        raise _error(
            f"The datastore '{found.datastore.name}' holds files ({kind}), no tables to query. "
            f"Use a datastore of {', '.join(SQL_KINDS)}, or Dataset.Tabular.from_delimited_files."
        )
    return Source((Place(datastore=found.datastore.name, query=found.path, timeout=timeout),), found.datastore.workspace)


def target_of(target: Any) -> Optional[DatastorePlace]:
    """Return the place that a target argument names (a datastore, a DataPath or a tuple of both); None for anything else."""
    from azureml.data._paths import clean
    from azureml.data.abstract_datastore import AbstractDatastore

    if isinstance(target, AbstractDatastore):
        return DatastorePlace(target, "")
    try:
        found = _find_datastore_place(target)
    except Exception as error:  # a tuple of something else; the caller names what it wants
        from azureml.exceptions import UserErrorException

        if not isinstance(error, UserErrorException):
            raise
        return None
    return None if found is None else DatastorePlace(found.datastore, clean(found.path))


def _find_datastore_place(item: Any) -> Optional[DatastorePlace]:
    from azureml.data.abstract_datastore import AbstractDatastore
    from azureml.data.data_reference import DataReference
    from azureml.data.datapath import DataPath

    if isinstance(item, DataPath):
        return DatastorePlace(item._datastore, item.path_on_datastore or "")
    if isinstance(item, DataReference):
        return DatastorePlace(item.datastore, item.path_on_datastore or "")
    if not isinstance(item, tuple):
        return None
    if len(item) != 2 or not isinstance(item[0], AbstractDatastore) or not isinstance(item[1], (str, os.PathLike)):
        raise _error(
            f"A tuple that names data is (datastore, 'relative/path') with a datastore object, not {_shown(item)}. "
            "Get the object with Datastore.get(workspace, name) or workspace.get_default_datastore()."
        )
    return DatastorePlace(item[0], os.fspath(item[1]))


def _datastore_path(found: DatastorePlace) -> Place:
    from penstock.model.datasets import Place

    kind = getattr(found.datastore, "datastore_type", None)
    if kind in SQL_KINDS:
        raise _error(f"The datastore '{found.datastore.name}' holds tables ({kind}), no files. Use Dataset.Tabular.from_sql_query.")
    return Place(datastore=found.datastore.name, path=found.path.lstrip("/"))


def _url_place(item: Any) -> Place:
    from penstock.model.datasets import Place

    if not isinstance(item, (str, os.PathLike)) or not os.fspath(item) or isinstance(os.fspath(item), bytes):
        raise _refused(item)
    text = os.fspath(item)
    scheme, found, rest = text.partition("://")
    if not found:
        return Place(url=_file_url(os.path.expanduser(text)))
    if scheme.lower() == "file":
        if not rest.startswith("/"):
            raise _error(f"The URL {text} names no file of this machine: write file:///absolute/path, or the path itself.")
        return Place(url=_file_url(rest))
    if scheme.lower() == "azureml":
        raise _refused(item)
    _check_no_key(text)
    return Place(url=text)


def _file_url(path: str) -> str:
    is_folder = path.endswith(os.sep)
    absolute = os.path.abspath(path)
    return f"file://{absolute}" + (os.sep if is_folder and absolute != os.sep else "")


def _check_no_key(url: str) -> None:
    """A key in a URL would be stored with the dataset, for everybody who can list datasets."""
    from urllib.parse import urlsplit

    from penstock.model.datasets import find_secret

    parts = urlsplit(url)
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    secret = find_secret(url)
    if secret:
        raise _error(
            f"The URL {shown} carries {secret}. A dataset keeps its URL for all to read: register a datastore with the "
            "credential, and name the files as (datastore, 'path')."
        )


def _only(workspaces: List[Any]) -> Optional[Workspace]:
    """The one workspace of all datastores."""
    if not workspaces:
        return None
    first: Workspace = workspaces[0]
    for other in workspaces[1:]:
        if other is not first and other._id != first._id:
            raise _error(
                f"A dataset's datastores belong to one workspace; these belong to '{first.name}' and '{other.name}'. "
                "Register the datastore in one of them."
            )
    return first


def _refused(path: Any) -> Exception:
    return _error(f"A dataset can't be made from {_shown(path)}. {_FORMS}")


def _shown(path: Any) -> str:
    """A path argument as a message shows it; a URL in it may carry a key, so its query stays out."""
    if isinstance(path, str):
        return repr(path.partition("?")[0])
    if isinstance(path, (tuple, list)):
        inner = ", ".join(_shown(item) for item in path)
        return f"({inner})" if isinstance(path, tuple) else f"[{inner}]"
    return repr(path) if path is None or isinstance(path, (bytes, int, float)) else f"a {type(path).__name__}"


def _error(message: str) -> Exception:
    from azureml.exceptions import UserErrorException

    return UserErrorException(message)

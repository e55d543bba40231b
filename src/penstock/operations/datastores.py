"""Datastores: named places under which data lies, on this machine or elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from penstock.model.datasets import Place
from penstock.model.errors import AlreadyExists, Invalid, NotFound, Refused, Unavailable
from penstock.operations import secrets as kept
from penstock.operations.context import Context
from penstock.operations.names import as_json, check_name, check_request_id
from penstock.operations.workspaces import get_workspace
from penstock.storage.paths import clean_relative
from penstock.storage.stores import Store, definitions


def list_datastores(context: Context, workspace_id: str) -> list[dict[str, Any]]:
    """Return the datastores of a workspace, oldest first."""
    get_workspace(context, workspace_id)
    rows = context.database.all("select * from datastores where workspace_id = ? order by created_at, rowid", (workspace_id,))
    names = kept.list_secret_names(context, workspace_id)
    return [_document(context, row, names) for row in rows]


def get_datastore(context: Context, workspace_id: str, name: str) -> dict[str, Any]:
    """Return one datastore; its secrets only by their names.

    Raises:
        NotFound: The workspace has none of this name; the message gives the nearest.
    """
    return _document(context, _get_row(context, workspace_id, name), kept.list_secret_names(context, workspace_id))


def _get_row(context: Context, workspace_id: str, name: str) -> dict[str, Any]:
    row = context.database.first(  # names have no capitals, and as in v1 they are found with capitals all the same
        "select * from datastores where workspace_id = ? and name in (?, ?) order by name = ? desc",
        (workspace_id, name, name.lower(), name),
    )
    if row is None:
        workspace = get_workspace(context, workspace_id)
        known = [item["name"] for item in list_datastores(context, workspace_id)]
        raise NotFound.named("datastore", name, known, f"workspace '{workspace['name']}'")
    return row


def get_datastore_secrets(context: Context, workspace_id: str, name: str) -> dict[str, str]:
    """Return the secrets of a datastore in clear, by name.

    Raises:
        NotFound: The workspace has no datastore of this name.
        Unavailable: The file with the key is missing or not private.
    """
    row = _get_row(context, workspace_id, name)
    found = kept.get_secrets(context, workspace_id, _owner(row["name"]))
    if row["type"] != definitions.FSSPEC:
        return found
    values = {key: json.loads(value) for key, value in found.items()}
    return {key: value if isinstance(value, str) else found[key] for key, value in values.items()}


def get_default_datastore(context: Context, workspace_id: str) -> dict[str, Any]:
    """Return the datastore that is used where a script names none."""
    row = context.database.first("select * from datastores where workspace_id = ? and is_default = 1", (workspace_id,))
    if row is None:
        workspace = get_workspace(context, workspace_id)
        raise NotFound(f"The workspace '{workspace['name']}' has no default datastore; set one with Workspace.set_default_datastore.")
    return get_datastore(context, workspace_id, row["name"])


def register_datastore(
    context: Context,
    workspace_id: str,
    name: str,
    type: str,  # the word of v1 and of the row
    root: str | None = None,
    definition: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    secrets: Mapping[str, str] | None = None,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Register a datastore; nothing is asked of a network. Sent twice with the same `request_id`, it is one registration.

    Args:
        context: The surroundings.
        workspace_id: The workspace.
        name: The datastore's name.
        type: Its kind.
        root: Its folder, for one of this machine; made when it does not exist yet.
        definition: What else there is to know of it.
        overwrite: Replace the datastore of this name, and its secrets.
        secrets: Credentials by name; they are kept encrypted, and never shown with the datastore.
        request_id: Of the request.

    Raises:
        AlreadyExists: The name is taken, and `overwrite` is False.
        Invalid: The root is not an absolute path, or is a file, or can't be made; or a secret is no text.
        Unavailable: There are secrets, and the file with their key can't be used.
    """
    check_name("datastore", name)
    request_id = check_request_id(request_id)
    plain, hidden = dict(definition or {}), dict(secrets or {})
    if type == definitions.FSSPEC:
        plain, hidden, root = _separate(name, plain, hidden)
    folder = _prepare_root(name, root) if root is not None else None
    with context.change() as change:
        workspace = get_workspace(context, workspace_id)
        old = change.rows.first("select * from datastores where workspace_id = ? and name = ?", (workspace_id, name))
        if old and request_id and old["request_id"] == request_id:
            return get_datastore(context, workspace_id, name)  # the first try arrived after all
        if old and not overwrite:
            raise AlreadyExists(f"The workspace '{workspace['name']}' has a datastore '{name}' already. Pass overwrite=True to replace it.")
        row = {"type": type, "root": folder, "definition": as_json(plain), "request_id": request_id}
        if old:
            change.rows.execute(
                "update datastores set type = :type, root = :root, definition = :definition, request_id = :request_id"
                " where workspace_id = :workspace and name = :name",
                {**row, "workspace": workspace_id, "name": name},
            )
        else:
            change.rows.insert("datastores", {**row, "workspace_id": workspace_id, "name": name, "created_at": change.at})
        kept.replace_secrets(context, change, workspace_id, _owner(name), hidden)
        return get_datastore(context, workspace_id, name)


def _separate(name: str, definition: dict[str, Any], secrets: dict[str, str]) -> tuple[dict[str, Any], dict[str, str], str | None]:
    """Return the definition of an fsspec URL without secrets, these, and its folder on this machine; refuse a URL that leads nowhere."""
    plain, hidden = definitions.split_secrets(definition, secrets)
    store = definitions.make_store(name, definitions.FSSPEC, plain, hidden, None)
    return plain, hidden, store.root if store.is_local else None


def _owner(name: str) -> str:
    return f"datastore/{name}"


def _prepare_root(name: str, root: str) -> str:
    if "\0" in root or not os.path.isabs(root):
        raise Invalid(f"The root of the datastore '{name}' must be an absolute path, not {root!r}.")
    try:
        os.makedirs(root, exist_ok=True)
    except OSError as error:
        raise Invalid(f"The folder {root} of the datastore '{name}' can't be used: {error.strerror}.") from error
    return os.path.normpath(root)


def set_default_datastore(context: Context, workspace_id: str, name: str) -> dict[str, Any]:
    """Make a datastore the one that is used where a script names none."""
    with context.change() as change:
        name = _get_row(context, workspace_id, name)["name"]
        change.rows.execute("update datastores set is_default = (name = ?) where workspace_id = ?", (name, workspace_id))
        return get_datastore(context, workspace_id, name)


def unregister_datastore(context: Context, workspace_id: str, name: str) -> None:
    """Forget a datastore; what lies in it stays.

    Raises:
        Refused: It is the default one.
    """
    with context.change() as change:
        row = _get_row(context, workspace_id, name)
        name = row["name"]
        if row["is_default"]:
            raise Refused(f"'{name}' is the default datastore of its workspace. Make another one the default first.")
        kept.remove_secrets(change, workspace_id, _owner(name))
        change.rows.execute("delete from datastores where workspace_id = ? and name = ?", (workspace_id, name))


def _document(context: Context, row: Mapping[str, Any], secret_names: Mapping[str, list[str]]) -> dict[str, Any]:
    definition = json.loads(row["definition"])
    redirect = _find_redirect(context, row["name"], definition)
    root = row["root"] if redirect is None else _local_folder(redirect)
    return {
        **{key: row[key] for key in ("name", "type", "created_at")},
        "root": root,
        "definition": definition,
        "is_default": bool(row["is_default"]),
        "is_remote": root is None,
        "redirected_to": redirect and definitions.mask_url(redirect),
        "secret_names": secret_names.get(_owner(row["name"]), []),
    }


# Where their files are


def store_of(context: Context, workspace_id: str, name: str) -> Store:
    """Return the store of a datastore, with its secrets; an operator's redirect comes before what was registered.

    Raises:
        NotFound: The workspace has no datastore of this name; the message gives the nearest.
        Unsupported: Nothing here can reach its kind.
        Unavailable: Its secrets can't be read, or its folder can't be made.
    """
    row = _get_row(context, workspace_id, name)
    name, definition = row["name"], json.loads(row["definition"])
    redirect = _find_redirect(context, name, definition)
    if redirect is not None:
        return _redirected(name, row["type"], redirect)
    secrets = kept.get_secrets(context, workspace_id, _owner(name))
    return definitions.make_store(name, row["type"], definition, secrets, row["root"])


def store_of_url(context: Context, url: str) -> tuple[Store, str]:
    """Return the store that a URL or a local path leads to, and the path or pattern in it.

    Raises:
        Invalid: It is no URL, or holds a secret.
        Unsupported: It leads to a place that nothing here can reach.
    """
    store, path = definitions.store_of_url(url)
    account = store.options.get("account_name")
    redirect = _find_redirect(context, "", {"account_name": account, "container_name": store.root}) if account else None
    return (_redirected(store.name, "", redirect), path) if redirect is not None else (store, path)


def place_store(context: Context, workspace_id: str, place: Place) -> tuple[Store, str]:
    """Return the store of a dataset's place, and the path or pattern in it; '' for all that is there, and for a query.

    Raises:
        NotFound: The workspace has no such datastore.
        Invalid: The path leads upwards, the URL is none, or the datastore holds no files.
        Unsupported: Nothing here can reach it.
    """
    if place.url is not None:
        return store_of_url(context, place.url)
    if place.query is not None:
        return store_of(context, workspace_id, str(place.datastore)), ""
    return file_store_of(context, workspace_id, str(place.datastore)), clean_pattern(place.path or "")


def file_store_of(context: Context, workspace_id: str, name: str) -> Store:
    """Return the store of a datastore that holds files; the errors are those of `store_of`, and Invalid for a database."""
    store = store_of(context, workspace_id, name)
    if store.protocol == definitions.SQL:
        raise Invalid(f"The datastore '{name}' is a database: it holds no files. Read its rows with Dataset.Tabular.from_sql_query.")
    return store


def clean_pattern(path: str) -> str:
    """Return a path or pattern on a datastore in its plain form; '' for the root.

    Raises:
        Invalid: It leads upwards, or can't be a path.
    """
    inner = path.lstrip("/")
    return clean_relative(inner) if any(part not in ("", ".") for part in inner.split("/")) else ""


def _find_redirect(context: Context, name: str, definition: Mapping[str, Any]) -> str | None:
    redirects = {key.lower(): value for key, value in context.settings.datastore_redirects}
    return redirects.get(name.lower()) or redirects.get(definitions.account_and_container(definition) or "")


def _redirected(name: str, type: str, redirect: str) -> Store:
    if type in definitions.SQL_KINDS:
        return definitions.redirected_sql(name, redirect)
    folder = _local_folder(redirect)
    if folder is None:
        return definitions.store_at(name, redirect)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The folder {folder}, to which the setting datastore_redirects sends the datastore '{name}', can't be used: {error.strerror}."
        ) from error
    return Store(name, "file", folder)


def _local_folder(place: str) -> str | None:
    """Return the folder that a redirect names; None for a URL of another machine."""
    path = place.partition("file://")[2] if place.startswith("file://") else place
    return None if "://" in path else os.path.normpath(os.path.expanduser(path))

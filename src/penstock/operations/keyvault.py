"""The key vault of a workspace: secrets that scripts keep by name, encrypted like those of datastores, and hidden where they would show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.model.errors import Invalid, NotFound, Unavailable
from penstock.model.masking import mask
from penstock.operations.context import Context
from penstock.operations.secrets import decrypt, encrypt
from penstock.operations.workspaces import get_workspace

_OWNER = "keyvault"
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}", re.ASCII)
_LONGEST_CONTENT_TYPE = 255
_RENEWAL = "ws.get_default_keyvault().set_secret(name, value)"
# As in Azure, a name is the same in capitals and in small letters; what was set first is how it is spelled.
_MATCHES = "workspace_id = ? and owner = ? and name = ? collate nocase"


def set_secrets(context: Context, workspace_id: str, secrets: Mapping[str, Any], content_type: str | None = None) -> None:
    """Keep secrets under their names, all or none; one that is there already gets the new value.

    Raises:
        NotFound: There is no such workspace.
        Invalid: A name or a value can't be kept.
        Unavailable: The key's file can't be made or is not private.
    """
    for name in secrets:
        _check_name(name)
    if content_type is not None and len(content_type) > _LONGEST_CONTENT_TYPE:
        raise Invalid(f"The content type of a secret has at most {_LONGEST_CONTENT_TYPE} characters, not {len(content_type)}.")
    hidden = encrypt(context, secrets)
    with context.change() as change:
        get_workspace(context, workspace_id)
        for name, value in hidden.items():
            place = (workspace_id, _OWNER, name)
            sql = f"update secrets set value = ?, content_type = ?, created_at = ? where {_MATCHES}"
            if not change.rows.execute(sql, (value, content_type, change.at, *place)):
                row = {"workspace_id": workspace_id, "owner": _OWNER, "name": name, "value": value}
                change.rows.insert("secrets", {**row, "content_type": content_type, "created_at": change.at})


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Invalid(f"A secret's name has 1 to 127 letters, digits and '-'; {str(name)[:130]!r} has others, or another length.")


def get_secret(context: Context, workspace_id: str, name: str) -> dict[str, Any]:
    """Return name, value and content type of a secret.

    Raises:
        NotFound: The key vault has none of this name; the message gives the nearest.
        Unavailable: The key's file is missing, not private, or another one.
    """
    row = context.database.first(f"select * from secrets where {_MATCHES}", (workspace_id, _OWNER, name))
    if row is None:
        raise _not_found(context, workspace_id, name)
    value = decrypt(context, "the key vault", {row["name"]: row["value"]}, _RENEWAL)[row["name"]]
    return {"name": row["name"], "value": value, "content_type": row["content_type"]}


def _not_found(context: Context, workspace_id: str, name: str) -> NotFound:
    workspace = get_workspace(context, workspace_id)
    known = [item["name"] for item in list_secrets(context, workspace_id)]
    return NotFound.named("secret", name[:127], known, f"the key vault of the workspace '{workspace['name']}'")


def get_secrets(context: Context, workspace_id: str, names: Sequence[str]) -> dict[str, str | None]:
    """Return the values of several secrets by the names asked for; None where there is no such secret.

    Raises:
        NotFound: There is no such workspace.
        Unavailable: The key's file is missing, not private, or another one.
    """
    get_workspace(context, workspace_id)
    found = {name.lower(): value for name, value in _read_all(context, workspace_id, {name.lower() for name in names}).items()}
    return {name: found.get(name.lower()) for name in names}


def _read_all(context: Context, workspace_id: str, wanted: set[str] | None = None) -> dict[str, str]:
    rows = context.database.all("select name, value from secrets where workspace_id = ? and owner = ?", (workspace_id, _OWNER))
    hidden = {row["name"]: row["value"] for row in rows if wanted is None or row["name"].lower() in wanted}
    return decrypt(context, "the key vault", hidden, _RENEWAL)


def list_secrets(context: Context, workspace_id: str) -> list[dict[str, Any]]:
    """Return name, content type and time of each secret, by name; no values."""
    get_workspace(context, workspace_id)
    return context.database.all(
        "select name, content_type, created_at from secrets where workspace_id = ? and owner = ? order by name", (workspace_id, _OWNER)
    )


def delete_secret(context: Context, workspace_id: str, name: str) -> None:
    """Forget a secret.

    Raises:
        NotFound: The key vault has none of this name.
    """
    with context.change() as change:
        if not change.rows.execute(f"delete from secrets where {_MATCHES}", (workspace_id, _OWNER, name)):
            raise _not_found(context, workspace_id, name)


def hide_secrets(context: Context, run_id: str, shown: Any) -> Any:
    """Return what a run will show of itself, such as its error, with `***` in place of the secrets of its workspace.

    Args:
        context: The surroundings.
        run_id: The run.
        shown: A text, or lists and objects with texts in them.
    """
    run = context.database.first("select workspace_id from runs where id = ?", (run_id,))
    try:
        secrets = _read_all(context, run["workspace_id"]).values() if run else ()
    except Unavailable:  # without its key no secret leaves the rows, and a run's end must be written down all the same
        return shown
    return _hide(shown, secrets) if secrets else shown


def _hide(shown: Any, secrets: Iterable[str]) -> Any:
    if isinstance(shown, str):
        return mask(shown, secrets)
    if isinstance(shown, Mapping):
        return {key: _hide(value, secrets) for key, value in shown.items()}
    return [_hide(value, secrets) for value in shown] if isinstance(shown, (list, tuple)) else shown

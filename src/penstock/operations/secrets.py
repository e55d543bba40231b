"""Secrets: kept encrypted in rows, with a key that lies outside of the database and that only its owner can read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.model.errors import Invalid, Unavailable
from penstock.operations.context import Change, Context
from penstock.storage.private_files import read_private

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_LONGEST_SECRET = 64 * 1024


def replace_secrets(context: Context, change: Change, workspace_id: str, owner: str, secrets: Mapping[str, str]) -> None:
    """Make these the secrets of an owner, in place of all that it had.

    Raises:
        Invalid: A secret is no text, or too long.
        Unavailable: The key's file can't be made or is not private.
    """
    rows = encrypt(context, secrets) if secrets else {}
    remove_secrets(change, workspace_id, owner)
    for name, value in rows.items():
        row = {"workspace_id": workspace_id, "owner": owner, "name": name, "value": value, "created_at": change.at}
        change.rows.insert("secrets", row)


def encrypt(context: Context, secrets: Mapping[str, str]) -> dict[str, bytes]:
    """Return secrets as rows hold them, by name; the key is made when there is none yet.

    Raises:
        Invalid: A secret is no text, or too long.
        Unavailable: The key's file can't be made or is not private.
    """
    for name, value in secrets.items():
        if not isinstance(value, str) or not value or len(value) > _LONGEST_SECRET:
            raise Invalid(f"The secret '{name}' must be a text of 1 to {_LONGEST_SECRET} characters.")
    cipher = _cipher(context.home.path / "secret.key", is_made=True)
    return {name: cipher.encrypt(value.encode("utf-8")) for name, value in secrets.items()}


def remove_secrets(change: Change, workspace_id: str, owner: str) -> None:
    """Forget all secrets of an owner."""
    change.rows.execute("delete from secrets where workspace_id = ? and owner = ?", (workspace_id, owner))


def list_secret_names(context: Context, workspace_id: str) -> dict[str, list[str]]:
    """Return owner -> the names of its secrets, sorted."""
    rows = context.database.all("select owner, name from secrets where workspace_id = ? order by owner, name", (workspace_id,))
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["owner"], []).append(row["name"])
    return found


def get_secrets(context: Context, workspace_id: str, owner: str) -> dict[str, str]:
    """Return the secrets of an owner in clear, by name.

    Raises:
        Unavailable: The key's file is missing, not private, or not the one that they were encrypted with.
    """
    rows = context.database.all("select name, value from secrets where workspace_id = ? and owner = ?", (workspace_id, owner))
    return decrypt(context, owner, {row["name"]: row["value"] for row in rows}, "register the datastore with overwrite=True")


def decrypt(context: Context, owner: str, rows: Mapping[str, bytes], renewal: str) -> dict[str, str]:
    """Return secrets in clear, by name.

    Args:
        context: The surroundings.
        owner: Whose they are, for messages.
        rows: The secrets as `encrypt` made them.
        renewal: How to give them again when the key is lost, for messages.

    Raises:
        Unavailable: The key's file is missing, not private, or not the one that they were encrypted with.
    """
    if not rows:
        return {}
    from cryptography.fernet import InvalidToken

    path = context.home.path / "secret.key"
    cipher = _cipher(path, is_made=False)
    try:
        return {name: cipher.decrypt(value).decode("utf-8") for name, value in rows.items()}
    except InvalidToken:
        raise Unavailable(
            f"The secrets of {owner} were encrypted with another key than {path} holds."
            f" Put that key's file back, or give the secrets again: {renewal}."
        ) from None


def _cipher(path: Path, is_made: bool) -> Fernet:
    from cryptography.fernet import Fernet

    try:
        key = read_private(path, "the key of all secrets", f"Run: chmod 600 {path}", Fernet.generate_key if is_made else None)
        return Fernet(key.strip())
    except FileNotFoundError:
        raise Unavailable(
            f"{path} is missing, without which no secret can be read. Put the file back, or give the secrets again:"
            " register their datastores with overwrite=True, and set those of the key vault."
        ) from None
    except ValueError:
        raise Unavailable(
            f"{path} holds no key: 32 bytes in base64. Put the right file back, or remove it and give the secrets again."
        ) from None

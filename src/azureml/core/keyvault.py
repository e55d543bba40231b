"""The key vault of a workspace: secrets by name."""

from __future__ import annotations

from enum import Enum
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Union

from azureml.core._errors import v1_errors


class KeyVaultContentType(Enum):
    """What a secret holds."""

    not_provided = "Not provided"


class Keyvault:
    """Secrets of a workspace. They are kept encrypted, and hidden in what Penstock itself writes about runs.

    A name has letters, digits and '-'; it is the same in capitals and in small letters.

    Args:
        workspace: The workspace.
    """

    def __init__(self, workspace: Any) -> None:
        self.workspace = workspace

    def __repr__(self) -> str:
        return f"Keyvault(workspace='{self.workspace.name}')"

    def set_secret(
        self, name: str, value: str, content_type: Union[KeyVaultContentType, str, None] = KeyVaultContentType.not_provided
    ) -> None:
        """Keep a secret, over an older one of its name.

        Args:
            name: 1 to 127 letters, digits or '-'.
            value: The secret, a text that is not empty.
            content_type: A word on what it holds.

        Raises:
            UserErrorException: The name or the value can't be kept.
        """
        self._set({name: value}, _content_type(content_type))

    def set_secrets(self, secrets_batch: Mapping[str, str]) -> None:
        """Keep several secrets, all or none.

        Raises:
            UserErrorException: They are no dictionary, or one of them can't be kept.
        """
        from azureml.exceptions import UserErrorException

        if not isinstance(secrets_batch, Mapping):
            raise UserErrorException(f"set_secrets takes a dictionary of names and values, not a {type(secrets_batch).__name__}.")
        self._set(secrets_batch, None)

    def _set(self, secrets: Mapping[str, str], content_type: Optional[str]) -> None:
        _check(secrets)
        with v1_errors():
            self.workspace._client.set_secrets(self.workspace._id, secrets, content_type)
        _remember(secrets.values())

    def get_secret(self, name: str) -> str:
        """Return a secret.

        Raises:
            ServiceException: There is none of this name; its `status_code` is 404.
        """
        value = str(self._get(name)["value"])
        _remember([value])
        return value

    def _get(self, name: str) -> Dict[str, Any]:
        with v1_errors():
            found: Dict[str, Any] = self.workspace._client.get_secret(self.workspace._id, name)
        return found

    def get_secrets(self, secrets: Sequence[str]) -> Dict[str, Optional[str]]:
        """Return several secrets by name; None for one that is not there."""
        with v1_errors():
            found: Dict[str, Optional[str]] = self.workspace._client.get_secrets(self.workspace._id, _names(secrets))
        _remember(value for value in found.values() if value is not None)
        return found

    def get_secret_content_type(self, name: str) -> str:
        """Return what was said about a secret when it was set; 'Not provided' when nothing was.

        Raises:
            ServiceException: There is no such secret; its `status_code` is 404.
        """
        return str(self._get(name)["content_type"] or KeyVaultContentType.not_provided.value)

    def list_secrets(self) -> List[Dict[str, Any]]:
        """Return {"name": name} of each secret, with its `content_type` where it has one. No values."""
        with v1_errors():
            records = self.workspace._client.list_secrets(self.workspace._id)
        return [{key: record[key] for key in ("name", "content_type") if record[key] is not None} for record in records]

    def delete_secret(self, name: str) -> None:
        """Forget a secret.

        Raises:
            ServiceException: There is none of this name; its `status_code` is 404.
        """
        with v1_errors():
            self.workspace._client.delete_secret(self.workspace._id, name)

    def delete_secrets(self, secrets: Sequence[str]) -> None:
        """Forget several secrets.

        Raises:
            ServiceException: One of them is not there; those before it are gone.
        """
        for name in _names(secrets):
            self.delete_secret(name)


# What this process was told of; the log that it keeps of itself hides them.
_KNOWN: Set[str] = set()


def _remember(values: Any) -> None:
    _KNOWN.update(values)


def hide_known_secrets(text: str) -> str:
    """Return `text` without the secrets that this process has set or read."""
    if not _KNOWN:
        return text
    from penstock.model.masking import mask

    return mask(text, _KNOWN)


def _content_type(given: Union[KeyVaultContentType, str, None]) -> Optional[str]:
    if given is None or given is KeyVaultContentType.not_provided:
        return None
    return str(given.value) if isinstance(given, Enum) else str(given)


def _check(secrets: Mapping[str, str]) -> None:
    """The service checks too; but a value that is no text might not even travel."""
    from azureml.exceptions import UserErrorException

    for name, value in secrets.items():
        if not isinstance(name, str):
            raise UserErrorException(f"A secret's name is a text, not a {type(name).__name__}.")
        if not isinstance(value, str):
            raise UserErrorException(f"The value of the secret '{name}' must be a text, not a {type(value).__name__}.")


def _names(given: Sequence[str]) -> List[str]:
    from azureml.exceptions import UserErrorException

    if isinstance(given, str) or not all(isinstance(name, str) for name in given):
        raise UserErrorException(f"Name the secrets in a list of texts, such as ['password'], not {type(given).__name__}.")
    return list(given)

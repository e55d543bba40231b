"""Secrets of a workspace. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from enum import Enum
from typing import Any

from azureml.core._refusal import not_built


class KeyVaultContentType(Enum):
    """What a secret holds."""

    not_provided = "Not provided"


_INSTEAD = "Key vaults come in a later release. Give the secret to the step in an environment variable."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class Keyvault:
    """v1's Keyvault. Not part of this version."""

    workspace: Any

    def __init__(self, workspace: Any) -> None:
        self.workspace = workspace

    def delete_secret(self, name: Any) -> Any:
        raise _refused("Keyvault.delete_secret")

    def delete_secrets(self, secrets: Any) -> Any:
        raise _refused("Keyvault.delete_secrets")

    def get_secret(self, name: Any) -> Any:
        raise _refused("Keyvault.get_secret")

    def get_secret_content_type(self, name: Any) -> Any:
        raise _refused("Keyvault.get_secret_content_type")

    def get_secrets(self, secrets: Any) -> Any:
        raise _refused("Keyvault.get_secrets")

    def list_secrets(self) -> Any:
        raise _refused("Keyvault.list_secrets")

    def set_secret(self, name: Any, value: Any, content_type: Any = KeyVaultContentType.not_provided) -> Any:
        raise _refused("Keyvault.set_secret")

    def set_secrets(self, secrets_batch: Any) -> Any:
        raise _refused("Keyvault.set_secrets")

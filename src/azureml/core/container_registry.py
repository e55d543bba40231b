"""Where docker images come from: kept as part of an environment."""

from __future__ import annotations

from typing import Optional

from azureml.core._section import Section


class RegistryIdentity(Section):
    """The managed identity that reads a registry."""

    _fields = {"resource_id": None, "client_id": None}

    def __init__(self) -> None:
        self.resource_id: Optional[str] = None
        self.client_id: Optional[str] = None


class ContainerRegistry(Section):
    """A registry with its account. The password stays in this object and in files that the script saves."""

    _fields = {"address": None, "username": None, "password": None, "registry_identity": RegistryIdentity}
    _secrets = frozenset({"password"})

    def __init__(self) -> None:
        self.address: Optional[str] = None
        self.username: Optional[str] = None
        self.password: Optional[str] = None
        self.registry_identity: Optional[RegistryIdentity] = None

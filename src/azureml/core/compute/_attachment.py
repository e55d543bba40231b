"""The checks that configurations of attached targets share: name a thing by its resource id, or by its parts."""

from __future__ import annotations

from typing import Optional

from azureml.exceptions import ComputeTargetException

_PARTS = 9  # /subscriptions/S/resourceGroups/G/providers/P/kind/name, split at the slashes


def check_place(resource_id: Optional[str], provider: str, **parts: Optional[str]) -> None:
    """Do nothing when either `resource_id` or all of `parts` are given.

    Raises:
        ComputeTargetException: Both, neither, too few, or a resource id of another provider.
    """
    if resource_id:
        given = [name for name, value in parts.items() if value]
        if given:
            raise ComputeTargetException(
                f"Give resource_id or {' and '.join(parts)}, not both; {', '.join(given)} came with a resource_id."
            )
        check_resource_id(resource_id, provider)
        return
    missing = [name for name, value in parts.items() if not value]
    if missing:
        raise ComputeTargetException(f"Give resource_id, or {' and '.join(parts)}; {', '.join(missing)} is missing.")


def check_resource_id(resource_id: str, *providers: str) -> None:
    """Do nothing when `resource_id` names a thing of one of these providers."""
    parts = resource_id.split("/")
    if len(parts) != _PARTS or parts[6].lower() not in {provider.lower() for provider in providers}:
        shape = f"/subscriptions/<id>/resourceGroups/<group>/providers/{providers[0]}/<kind>/<name>"
        raise ComputeTargetException(f"'{resource_id}' is not a resource id of the form {shape}.")


def check_login(username: Optional[str], password: Optional[str], private_key_file: Optional[str]) -> None:
    """Do nothing when there is a user name with a password or a key file."""
    if not username:
        raise ComputeTargetException("username is missing.")
    if not (password or private_key_file):
        raise ComputeTargetException(f"The user '{username}' needs a password or a private_key_file.")


def check_network(group: Optional[str], network: Optional[str], subnet: Optional[str]) -> None:
    """Do nothing when all or none of the three names of a network are given."""
    names = {"vnet_resourcegroup_name": group, "vnet_name": network, "subnet_name": subnet}
    missing = [name for name, value in names.items() if not value]
    if missing and len(missing) < len(names):
        raise ComputeTargetException(f"A network needs all of {', '.join(names)}; {', '.join(missing)} is missing.")

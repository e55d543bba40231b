"""DatabricksCompute: a Databricks workspace; here a record."""

from __future__ import annotations

from typing import Any, NoReturn, Optional

from azureml.core._refusal import not_built
from azureml.core.compute._attachment import check_place
from azureml.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration


class DatabricksAttachConfiguration(ComputeTargetAttachConfiguration):
    """Names a Databricks workspace. The token is not kept."""

    _secrets = frozenset({"access_token"})

    def __init__(
        self,
        resource_group: Optional[str] = None,
        workspace_name: Optional[str] = None,
        resource_id: Optional[str] = None,
        access_token: str = "",
    ) -> None:
        super().__init__(DatabricksCompute)
        self.resource_group = resource_group
        self.workspace_name = workspace_name
        self.resource_id = resource_id
        self.access_token = access_token
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        place = {"resource_group": self.resource_group, "workspace_name": self.workspace_name}
        check_place(self.resource_id, "Microsoft.Databricks", **place)


class DatabricksCompute(ComputeTarget):
    """A Databricks workspace, as a record."""

    _compute_type = "Databricks"
    _can_delete = False

    @staticmethod
    def attach_configuration(
        resource_group: Optional[str] = None,
        workspace_name: Optional[str] = None,
        resource_id: Optional[str] = None,
        access_token: str = "",
    ) -> DatabricksAttachConfiguration:
        """Return what such a target is attached from.

        Raises:
            ComputeTargetException: The values do not go together; the message says which.
        """
        return DatabricksAttachConfiguration(resource_group, workspace_name, resource_id, access_token)

    @staticmethod
    def attach(workspace: Any, name: str, resource_id: str, access_token: str) -> Any:  # type: ignore[override]  # v1's older signature
        """Record a target by its resource id and return it."""
        return ComputeTarget.attach(workspace, name, DatabricksAttachConfiguration(resource_id=resource_id, access_token=access_token))

    def get_credentials(self) -> NoReturn:
        """Refuse: tokens are not kept."""
        raise not_built("DatabricksCompute.get_credentials", "The access token is not kept; take it from where the script got it.")

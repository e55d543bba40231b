"""KustoCompute: a Kusto cluster; here a record."""

from __future__ import annotations

from typing import NoReturn, Optional

from azureml.core._refusal import not_built
from azureml.core.compute._attachment import check_place, check_resource_id
from azureml.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration


class KustoAttachConfiguration(ComputeTargetAttachConfiguration):
    """Names a Kusto cluster, and the application that reads it. The application's key is not kept."""

    _secrets = frozenset({"application_key", "kusto_connection_string"})

    def __init__(
        self,
        resource_group: Optional[str] = None,
        workspace_name: Optional[str] = None,
        resource_id: Optional[str] = None,
        tenant_id: Optional[str] = None,
        kusto_connection_string: Optional[str] = None,
        application_id: Optional[str] = None,
        application_key: Optional[str] = None,
    ) -> None:
        super().__init__(KustoCompute)
        self.resource_group = resource_group
        self.workspace_name = workspace_name
        self.resource_id = resource_id
        self.tenant_id = tenant_id
        self.kusto_connection_string = kusto_connection_string
        self.application_id = application_id
        self.application_key = application_key
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        if self.resource_id:  # group and workspace may come with it: they are the workspace's, and not the cluster's
            check_resource_id(self.resource_id, "Microsoft.Kusto")
        else:
            check_place(None, "Microsoft.Kusto", resource_group=self.resource_group, workspace_name=self.workspace_name)


class KustoCompute(ComputeTarget):
    """A Kusto cluster, as a record."""

    _compute_type = "Kusto"
    _can_delete = False

    @staticmethod
    def attach_configuration(
        resource_group: Optional[str] = None,
        workspace_name: Optional[str] = None,
        resource_id: Optional[str] = None,
        tenant_id: Optional[str] = None,
        kusto_connection_string: Optional[str] = None,
        application_id: Optional[str] = None,
        application_key: Optional[str] = None,
    ) -> KustoAttachConfiguration:
        """Return what such a target is attached from.

        Raises:
            ComputeTargetException: The values do not go together; the message says which.
        """
        return KustoAttachConfiguration(
            resource_group, workspace_name, resource_id, tenant_id, kusto_connection_string, application_id, application_key
        )

    def get_credentials(self) -> NoReturn:
        """Refuse: keys are not kept."""
        raise not_built("KustoCompute.get_credentials", "The application's key is not kept; take it from where the script got it.")

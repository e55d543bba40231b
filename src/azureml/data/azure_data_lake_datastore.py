"""Data lakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml.data import constants
from azureml.data._credentials import Credential
from azureml.data.abstract_datastore import AbstractDatastore

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class AbstractADLSDatastore(AbstractDatastore):
    """What both generations of data lakes have in common."""

    client_secret = Credential()

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        datastore_type: Any,
        tenant_id: Any,
        client_id: Any,
        client_secret: Any,
        resource_url: Any,
        authority_url: Any,
        service_data_access_auth_identity: Any,
    ) -> None:
        super().__init__(workspace, name, datastore_type)
        self.tenant_id = tenant_id
        self.client_id = client_id
        self.client_secret = client_secret
        self.resource_url = resource_url
        self.authority_url = authority_url
        self.service_data_access_auth_identity = service_data_access_auth_identity


class AzureDataLakeDatastore(AbstractADLSDatastore):
    """A data lake of the first generation. Kept as registered; Azure retired the service, and reading it says so."""

    _SHOWN = ("store_name",)

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        store_name: Any,
        tenant_id: Any,
        client_id: Any,
        client_secret: Any,
        resource_url: Any = None,
        authority_url: Any = None,
        subscription_id: Any = None,
        resource_group: Any = None,
        service_data_access_auth_identity: Any = None,
    ) -> None:
        super().__init__(
            workspace,
            name,
            constants.AZURE_DATA_LAKE,
            tenant_id,
            client_id,
            client_secret,
            resource_url,
            authority_url,
            service_data_access_auth_identity,
        )
        self.store_name = store_name
        self._subscription_id = subscription_id
        self._resource_group = resource_group

    @property
    def resource_group(self) -> Any:
        """As registered."""
        return self._resource_group

    @resource_group.setter
    def resource_group(self, value: Any) -> None:
        self._resource_group = value

    @property
    def subscription_id(self) -> Any:
        """As registered."""
        return self._subscription_id

    @subscription_id.setter
    def subscription_id(self, value: Any) -> None:
        self._subscription_id = value


class AzureDataLakeGen2Datastore(AbstractADLSDatastore):
    """A data lake of the second generation: the place of datasets, data references and outputs."""

    _SHOWN = ("container_name", "account_name", "protocol", "endpoint")

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        container_name: Any,
        account_name: Any,
        tenant_id: Any = None,
        client_id: Any = None,
        client_secret: Any = None,
        resource_url: Any = None,
        authority_url: Any = None,
        protocol: Any = None,
        endpoint: Any = None,
        service_data_access_auth_identity: Any = None,
    ) -> None:
        super().__init__(
            workspace,
            name,
            constants.AZURE_DATA_LAKE_GEN2,
            tenant_id,
            client_id,
            client_secret,
            resource_url,
            authority_url,
            service_data_access_auth_identity,
        )
        self.container_name = container_name
        self.account_name = account_name
        self.protocol = protocol
        self.endpoint = endpoint

"""Datastores of files under the names that v1 gave to Azure's storage, and folders of this machine.

A workspace's built-in datastores have these classes too; they are folders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from azureml.core._refusal import not_built
from azureml.data import constants
from azureml.data._credentials import Credential, credential_names
from azureml.data._file_datastore import AbstractFileDatastore

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace

FOLDER = 0
EMPTY_FILE = 1
FILE = 2


class AbstractAzureStorageDatastore(AbstractFileDatastore):
    """A datastore of files.

    Args:
        workspace: The workspace it belongs to.
        name: Its name.
        datastore_type: 'AzureBlob' or 'AzureFile'.
        container_name: The container or file share.
        account_name: The storage account.
        sas_token: For this object only; None takes what was registered, when it is asked for.
        account_key: For this object only; None takes what was registered, when it is asked for.
        protocol: http or https.
        endpoint: The cloud's suffix, or the address of a server.
    """

    _SHOWN = ("container_name", "account_name", "protocol", "endpoint")
    sas_token = Credential()
    account_key = Credential()

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        datastore_type: str,
        container_name: str,
        account_name: str,
        sas_token: Optional[str] = None,
        account_key: Optional[str] = None,
        protocol: Optional[str] = None,
        endpoint: Optional[str] = None,
    ) -> None:
        super().__init__(workspace, name, datastore_type)
        self.container_name = container_name
        self.account_name = account_name
        self.sas_token = sas_token
        self.account_key = account_key
        self.protocol = protocol or "https"
        self.endpoint = endpoint or "core.windows.net"

    @property
    def credential_type(self) -> str:
        """What it was registered with: 'Sas', 'AccountKey' or 'None'."""
        names = credential_names(self)
        return constants.SAS if "sas_token" in names else constants.ACCOUNT_KEY if "account_key" in names else constants.NONE

    @property
    def is_sas(self) -> bool:
        """Tell whether it was registered with a token."""
        return self.credential_type == constants.SAS


class AzureBlobDatastore(AbstractAzureStorageDatastore):
    """A blob container; see the base class for the arguments."""

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        container_name: str,
        account_name: str,
        sas_token: Optional[str] = None,
        account_key: Optional[str] = None,
        protocol: Optional[str] = None,
        endpoint: Optional[str] = None,
        request_session: Any = None,
        workspace_msi_has_access: bool = False,
        subscription_id: Optional[str] = None,
        resource_group: Optional[str] = None,
        service_data_access_auth_identity: Any = None,
    ) -> None:
        super().__init__(workspace, name, constants.AZURE_BLOB, container_name, account_name, sas_token, account_key, protocol, endpoint)
        self.workspace_msi_has_access = workspace_msi_has_access
        self.subscription_id = subscription_id
        self.resource_group = resource_group
        self.service_data_access_auth_identity = service_data_access_auth_identity

    @property
    def blob_service(self) -> Any:
        """Refused: Azure's own client of the container."""
        raise not_built("AzureBlobDatastore.blob_service", "Use upload, upload_files and download of the datastore.")


class AzureFileDatastore(AbstractAzureStorageDatastore):
    """A file share; see the base class for the arguments."""

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        container_name: str,
        account_name: str,
        sas_token: Optional[str] = None,
        account_key: Optional[str] = None,
        protocol: Optional[str] = None,
        endpoint: Optional[str] = "core.windows.net",
        request_session: Any = None,
    ) -> None:
        super().__init__(workspace, name, constants.AZURE_FILE, container_name, account_name, sas_token, account_key, protocol, endpoint)

    @property
    def file_service(self) -> Any:
        """Refused: Azure's own client of the share."""
        raise not_built("AzureFileDatastore.file_service", "Use upload, upload_files and download of the datastore.")


class LocalDatastore(AbstractAzureStorageDatastore):
    """A folder of this machine that `Datastore.register_local` named."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__(workspace, name, constants.LOCAL, name, "local")

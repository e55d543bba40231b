"""Datastores of files. In Penstock each is a folder of this machine, under the names that v1 gave to Azure's storage."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, List, Optional

from azureml.core._refusal import not_built
from azureml.data import constants
from azureml.data.abstract_datastore import AbstractDatastore

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.data.data_reference import DataReference

FOLDER = 0
EMPTY_FILE = 1
FILE = 2

_REMOTE = (
    "Remote stores come in a later release. Register a folder of this machine under that name instead: "
    "Datastore.register_local(workspace, '{name}', folder)."
)


class AbstractAzureStorageDatastore(AbstractDatastore):
    """A datastore of files.

    Args:
        workspace: The workspace it belongs to.
        name: Its name.
        datastore_type: 'AzureBlob' or 'AzureFile'.
        container_name: The container or file share; kept.
        account_name: The storage account; kept.
        sas_token: Kept on this object only, never stored.
        account_key: Kept on this object only, never stored.
        protocol: Kept.
        endpoint: Kept.
    """

    _SHOWN = ("container_name", "account_name", "protocol", "endpoint")

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
        self.credential_type = constants.SAS if sas_token else constants.ACCOUNT_KEY if account_key else constants.NONE

    @property
    def is_sas(self) -> bool:
        """Tell whether it was registered with a token."""
        return self.credential_type == constants.SAS

    def _root(self, member: str) -> str:
        """The datastore's folder; a kind without one refuses the member that needs it."""
        root = self._record.get("root")
        if not root:
            raise not_built(
                f"'{self.name}' is a remote {self.datastore_type} datastore, and {member} on it", _REMOTE.format(name=self.name)
            )
        os.makedirs(root, exist_ok=True)
        return str(root)

    # ---- references ----

    def path(self, path: Optional[str] = None, data_reference_name: Optional[str] = None) -> DataReference:
        """Return a reference to a place on this datastore.

        Args:
            path: The place; the root when None.
            data_reference_name: The reference's name; a random one when None.
        """
        from azureml.data.data_reference import DataReference

        return DataReference(self).path(path, data_reference_name)

    def as_mount(self) -> DataReference:
        """Return a reference to the root, to be mounted."""
        return self.path().as_mount()

    def as_download(self, path_on_compute: Optional[str] = None) -> DataReference:
        """Return a reference to the root, to be downloaded."""
        return self.path().as_download(path_on_compute)

    def as_upload(self, path_on_compute: Optional[str] = None) -> DataReference:
        """Return a reference to the root, to be uploaded to."""
        return self.path().as_upload(path_on_compute)

    # ---- files ----

    def upload(self, src_dir: str, target_path: Optional[str] = None, overwrite: bool = False, show_progress: bool = True) -> DataReference:
        """Copy a folder's content to the datastore and return a reference to it.

        Args:
            src_dir: The folder.
            target_path: Where to on the datastore; the root when None.
            overwrite: Replace files that are there already; otherwise they are left alone.
            show_progress: Print a line for each file.

        Raises:
            UserErrorException: There is no such folder.
        """
        from azureml.data._transfer import folder_pairs, upload

        upload(self._root("upload"), folder_pairs(os.fspath(src_dir), target_path), overwrite, show_progress)
        return self._uploaded(target_path)

    def upload_files(
        self,
        files: List[str],
        relative_root: Optional[str] = None,
        target_path: Optional[str] = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataReference:
        """Copy files to the datastore and return a reference to where they are.

        Args:
            files: The files.
            relative_root: Their paths below this folder are kept; by default below the folder that they share.
            target_path: Where to on the datastore; the root when None.
            overwrite: Replace files that are there already; otherwise they are left alone.
            show_progress: Print a line for each file.

        Raises:
            UserErrorException: A file does not exist, or lies outside the root.
        """
        from azureml.data._transfer import file_pairs, upload

        upload(self._root("upload_files"), file_pairs(files, relative_root, target_path), overwrite, show_progress)
        return self._uploaded(target_path)

    def _uploaded(self, target_path: Optional[str]) -> DataReference:
        from azureml.data._paths import clean
        from azureml.data.data_reference import DataReference

        return DataReference(self, path_on_datastore=clean(target_path))

    def download(self, target_path: str, prefix: Optional[str] = None, overwrite: bool = False, show_progress: bool = True) -> int:
        """Copy files from the datastore and return how many.

        Args:
            target_path: The folder that gets them, each with its whole path on the datastore.
            prefix: Only files whose path begins with this text.
            overwrite: Replace files that are there already; otherwise they are left alone.
            show_progress: Print a line for each file.
        """
        from azureml.data._transfer import download

        return download(self._root("download"), os.fspath(target_path), prefix, overwrite, show_progress)


class AzureBlobDatastore(AbstractAzureStorageDatastore):
    """A blob container by its v1 name; see the base class for the arguments."""

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
    """A file share by its v1 name; see the base class for the arguments."""

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
        super().__init__(workspace, name, "Local", name, "local")

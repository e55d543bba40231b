"""Hadoop file systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml.data import constants
from azureml.data.abstract_datastore import AbstractDatastore

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class HDFSDatastore(AbstractDatastore):
    """A Hadoop file system. Kept as registered; reading it comes in a later release."""

    _SHOWN = ("protocol", "namenode_address")

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        protocol: Any,
        namenode_address: Any,
        hdfs_server_certificate_data: Any,
        kerberos_realm: Any,
        kerberos_kdc_address: Any,
        kerberos_principal: Any,
        credential_value: Any,
        credential_type: Any,
    ) -> None:
        super().__init__(workspace, name, constants.HDFS)
        self.protocol = protocol
        self.namenode_address = namenode_address
        self.hdfs_server_certificate_data = hdfs_server_certificate_data
        self.kerberos_realm = kerberos_realm
        self.kerberos_kdc_address = kerberos_kdc_address
        self.kerberos_principal = kerberos_principal
        self.credential_value = credential_value
        self.credential_type = credential_type

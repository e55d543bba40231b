"""Hadoop file systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml.data import constants
from azureml.data._credentials import Credential
from azureml.data.abstract_datastore import AbstractDatastore

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class HDFSDatastore(AbstractDatastore):
    """A Hadoop file system. Kept as registered; it needs a connector that this version does not have."""

    _SHOWN = ("protocol", "namenode_address")
    _keytab = Credential("kerberos_keytab")
    _password = Credential("kerberos_password")

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
        self.credential_type = credential_type
        self._keytab = self._password = None
        if credential_type == constants.KERBEROS_KEYTAB:
            self._keytab = credential_value
        else:
            self._password = credential_value

    @property
    def credential_value(self) -> Any:
        """The keytab's bytes in base64, or the password."""
        return self._keytab if self.credential_type == constants.KERBEROS_KEYTAB else self._password

"""The door to a workspace's datastores: getting, registering, choosing the default."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

from azureml.core._errors import v1_errors
from azureml.data import constants

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.data.abstract_datastore import AbstractDatastore

_LOGGER = logging.getLogger("penstock")
LOCAL = "Local"


class Datastore:
    """Gives datastores: `Datastore(workspace, 'name')` returns the object that fits the datastore's kind.

    Args:
        workspace: The workspace.
        name: The datastore's name; the default one when None.

    Raises:
        UserErrorException: There is no such datastore.
    """

    def __new__(cls, workspace: Workspace, name: Optional[str] = None) -> Any:
        return Datastore.get_default(workspace) if name is None else Datastore.get(workspace, name)

    def __init__(self, workspace: Workspace, name: Optional[str] = None) -> None:
        # Never runs: `__new__` returns another class's object. It shows what such an object has.
        self.workspace = workspace
        self.name = name

    @staticmethod
    def get(workspace: Workspace, datastore_name: str) -> Any:
        """Return the datastore of this name.

        Raises:
            UserErrorException: There is no such datastore.
        """
        from azureml.exceptions import UserErrorException

        with v1_errors(not_found=UserErrorException):
            return _make(workspace, workspace._client.get_datastore(workspace._id, datastore_name))

    @staticmethod
    def get_default(workspace: Workspace) -> Any:
        """Return the workspace's default datastore."""
        with v1_errors():
            return _make(workspace, workspace._client.get_default_datastore(workspace._id))

    def set_as_default(self) -> None:
        """Make it the workspace's default datastore."""
        self.workspace.set_default_datastore(str(self.name))

    def unregister(self) -> None:
        """Take it out of the workspace. Its data stays."""
        with v1_errors():
            self.workspace._client.unregister_datastore(self.workspace._id, self.name)

    @staticmethod
    def register_local(workspace: Workspace, datastore_name: str, path: Any, overwrite: bool = False) -> Any:
        """Give a folder of this machine a name, and return the datastore. Not in v1.

        Args:
            workspace: The workspace.
            datastore_name: The datastore's name.
            path: The folder; made when it does not exist.
            overwrite: Replace the datastore of this name.

        Raises:
            UserErrorException: The folder can't be made.
            ServiceException: The name is taken, and `overwrite` is false.
        """
        from azureml.exceptions import UserErrorException

        root = os.path.abspath(os.path.expanduser(os.fspath(path)))
        try:
            os.makedirs(root, exist_ok=True)
        except OSError as error:
            raise UserErrorException(f"The datastore '{datastore_name}' can't use the folder {root}: {error.strerror}.") from error
        return _register(workspace, datastore_name, LOCAL, {}, overwrite, root=root)

    @staticmethod
    def register_azure_blob_container(
        workspace: Workspace,
        datastore_name: str,
        container_name: str,
        account_name: str,
        sas_token: Optional[str] = None,
        account_key: Optional[str] = None,
        protocol: Optional[str] = None,
        endpoint: Optional[str] = None,
        overwrite: bool = False,
        create_if_not_exists: bool = False,
        skip_validation: bool = False,
        blob_cache_timeout: Optional[int] = None,
        grant_workspace_access: bool = False,
        subscription_id: Optional[str] = None,
        resource_group: Optional[str] = None,
    ) -> Any:
        """Keep what a blob container is called, and return the datastore. Credentials are not stored.

        Raises:
            ServiceException: The name is taken, and `overwrite` is false.
        """
        facts = {"container_name": container_name, "account_name": account_name, "protocol": protocol, "endpoint": endpoint}
        facts.update({"subscription_id": subscription_id, "resource_group": resource_group})
        return _register(workspace, datastore_name, constants.AZURE_BLOB, facts, overwrite, sas_token=sas_token, account_key=account_key)

    @staticmethod
    def register_azure_file_share(
        workspace: Workspace,
        datastore_name: str,
        file_share_name: str,
        account_name: str,
        sas_token: Optional[str] = None,
        account_key: Optional[str] = None,
        protocol: Optional[str] = None,
        endpoint: Optional[str] = None,
        overwrite: bool = False,
        create_if_not_exists: bool = False,
        skip_validation: bool = False,
    ) -> Any:
        """Keep what a file share is called, and return the datastore. Credentials are not stored.

        Raises:
            ServiceException: The name is taken, and `overwrite` is false.
        """
        facts = {"container_name": file_share_name, "account_name": account_name, "protocol": protocol, "endpoint": endpoint}
        return _register(workspace, datastore_name, constants.AZURE_FILE, facts, overwrite, sas_token=sas_token, account_key=account_key)

    @staticmethod
    def register_azure_data_lake(
        workspace: Workspace,
        datastore_name: str,
        store_name: str,
        tenant_id: Optional[str] = None,
        client_id: Optional[str] = None,
        client_secret: Optional[str] = None,
        resource_url: Optional[str] = None,
        authority_url: Optional[str] = None,
        subscription_id: Optional[str] = None,
        resource_group: Optional[str] = None,
        overwrite: bool = False,
        grant_workspace_access: bool = False,
    ) -> Any:
        """Keep what a data lake is called, and return the datastore. Credentials are not stored.

        Raises:
            ServiceException: The name is taken, and `overwrite` is false.
        """
        facts = {"store_name": store_name, "tenant_id": tenant_id, "client_id": client_id, "resource_url": resource_url}
        facts.update({"authority_url": authority_url, "subscription_id": subscription_id, "resource_group": resource_group})
        return _register(workspace, datastore_name, constants.AZURE_DATA_LAKE, facts, overwrite, client_secret=client_secret)

    @staticmethod
    def register_azure_data_lake_gen2(
        workspace: Workspace,
        datastore_name: str,
        filesystem: str,
        account_name: str,
        tenant_id: Optional[str] = None,
        client_id: Optional[str] = None,
        client_secret: Optional[str] = None,
        resource_url: Optional[str] = None,
        authority_url: Optional[str] = None,
        protocol: Optional[str] = None,
        endpoint: Optional[str] = None,
        overwrite: bool = False,
        subscription_id: Optional[str] = None,
        resource_group: Optional[str] = None,
        grant_workspace_access: bool = False,
    ) -> Any:
        """Keep what a data lake of the second generation is called, and return the datastore. Credentials are not stored.

        Raises:
            UserErrorException: Some, but not all of tenant_id, client_id and client_secret were given.
            ServiceException: The name is taken, and `overwrite` is false.
        """
        _all_or_none(tenant_id=tenant_id, client_id=client_id, client_secret=client_secret)
        facts = {"container_name": filesystem, "account_name": account_name, "tenant_id": tenant_id, "client_id": client_id}
        facts.update({"resource_url": resource_url, "authority_url": authority_url, "protocol": protocol, "endpoint": endpoint})
        return _register(workspace, datastore_name, constants.AZURE_DATA_LAKE_GEN2, facts, overwrite, client_secret=client_secret)

    @staticmethod
    def register_azure_sql_database(
        workspace: Workspace,
        datastore_name: str,
        server_name: str,
        database_name: str,
        tenant_id: Optional[str] = None,
        client_id: Optional[str] = None,
        client_secret: Optional[str] = None,
        resource_url: Optional[str] = None,
        authority_url: Optional[str] = None,
        endpoint: Optional[str] = None,
        overwrite: bool = False,
        username: Optional[str] = None,
        password: Optional[str] = None,
        subscription_id: Optional[str] = None,
        resource_group: Optional[str] = None,
        grant_workspace_access: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Keep what a SQL database is called, and return the datastore. Credentials are not stored.

        Raises:
            ServiceException: The name is taken, and `overwrite` is false.
        """
        facts = {"server_name": server_name, "database_name": database_name, "tenant_id": tenant_id, "client_id": client_id}
        facts.update({"resource_url": resource_url, "authority_url": authority_url, "username": username})
        secrets = {"client_secret": client_secret, "password": password}
        return _register(workspace, datastore_name, constants.AZURE_SQL_DATABASE, facts, overwrite, **secrets)

    @staticmethod
    def register_azure_postgre_sql(
        workspace: Workspace,
        datastore_name: str,
        server_name: str,
        database_name: str,
        user_id: str,
        user_password: str,
        port_number: Optional[str] = None,
        endpoint: Optional[str] = None,
        overwrite: bool = False,
        enforce_ssl: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Keep what a PostgreSQL database is called, and return the datastore. The password is not stored.

        Raises:
            UserErrorException: A name or the password is empty.
            ServiceException: The name is taken, and `overwrite` is false.
        """
        _all_given(server_name=server_name, database_name=database_name, user_id=user_id, user_password=user_password)
        facts: Dict[str, Any] = {"server_name": server_name, "database_name": database_name, "user_id": user_id}
        facts.update({"port_number": port_number, "enforce_ssl": enforce_ssl})
        return _register(workspace, datastore_name, constants.AZURE_POSTGRESQL, facts, overwrite, user_password=user_password)

    @staticmethod
    def register_azure_my_sql(
        workspace: Workspace,
        datastore_name: str,
        server_name: str,
        database_name: str,
        user_id: str,
        user_password: str,
        port_number: Optional[str] = None,
        endpoint: Optional[str] = None,
        overwrite: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Keep what a MySQL database is called, and return the datastore. The password is not stored.

        Raises:
            UserErrorException: A name or the password is empty.
            ServiceException: The name is taken, and `overwrite` is false.
        """
        _all_given(server_name=server_name, database_name=database_name, user_id=user_id, user_password=user_password)
        facts = {"server_name": server_name, "database_name": database_name, "user_id": user_id, "port_number": port_number}
        return _register(workspace, datastore_name, constants.AZURE_MYSQL, facts, overwrite, user_password=user_password)

    @staticmethod
    def register_dbfs(workspace: Workspace, datastore_name: str) -> Any:
        """Keep the name of a Databricks file system, and return the datastore."""
        return _register(workspace, datastore_name, constants.DBFS, {}, True)

    @staticmethod
    def register_hdfs(
        workspace: Workspace,
        datastore_name: str,
        protocol: str,
        namenode_address: str,
        hdfs_server_certificate: str,
        kerberos_realm: str,
        kerberos_kdc_address: str,
        kerberos_principal: str,
        kerberos_keytab: Optional[str] = None,
        kerberos_password: Optional[str] = None,
        overwrite: bool = False,
    ) -> Any:
        """Keep what a Hadoop file system is called, and return the datastore. Credentials are not stored.

        Raises:
            UserErrorException: Not exactly one of kerberos_keytab and kerberos_password was given.
            ServiceException: The name is taken, and `overwrite` is false.
        """
        from azureml.exceptions import UserErrorException

        if (kerberos_keytab is None) == (kerberos_password is None):
            raise UserErrorException(f"The datastore '{datastore_name}' needs either kerberos_keytab or kerberos_password.")
        facts = {"protocol": protocol, "namenode_address": namenode_address, "kerberos_realm": kerberos_realm}
        facts.update({"kerberos_kdc_address": kerberos_kdc_address, "kerberos_principal": kerberos_principal})
        return _register(workspace, datastore_name, constants.HDFS, facts, overwrite)


def _register(
    workspace: Workspace, name: str, kind: str, facts: Dict[str, Any], overwrite: bool, root: Optional[str] = None, **secrets: Any
) -> Any:
    """Store a datastore's record and return its object. Secrets live on that object only."""
    lowered = name.lower()
    if lowered != name:
        _LOGGER.warning("Names of datastores have no capitals: '%s' becomes '%s'.", name, lowered)
    definition = {key: value for key, value in facts.items() if value is not None}
    with v1_errors():
        record = workspace._client.register_datastore(workspace._id, lowered, kind, root=root, definition=definition, overwrite=overwrite)
    return _make(workspace, record, secrets)


def _make(workspace: Workspace, record: Dict[str, Any], secrets: Optional[Dict[str, Any]] = None) -> AbstractDatastore:
    """Return the object for a datastore's record."""
    maker = _MAKERS.get(record["type"], _other)
    datastore = maker(workspace, record, {**(record.get("definition") or {}), **(secrets or {})})
    datastore._known = record
    return datastore


_Facts = Dict[str, Any]


def _blob(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.azure_storage_datastore import AzureBlobDatastore

    return AzureBlobDatastore(workspace, record["name"], *_container(record, facts), **_credentials(facts))


def _file(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.azure_storage_datastore import AzureFileDatastore

    return AzureFileDatastore(workspace, record["name"], *_container(record, facts), **_credentials(facts))


def _local(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.azure_storage_datastore import LocalDatastore

    return LocalDatastore(workspace, record["name"])


def _container(record: _Facts, facts: _Facts) -> Any:
    return facts.get("container_name") or record["name"], facts.get("account_name") or "local"


def _credentials(facts: _Facts) -> _Facts:
    return {name: facts.get(name) for name in ("sas_token", "account_key", "protocol", "endpoint")}


def _data_lake(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.azure_data_lake_datastore import AzureDataLakeDatastore

    names = ("store_name", "tenant_id", "client_id", "client_secret", "resource_url", "authority_url", "subscription_id", "resource_group")
    return AzureDataLakeDatastore(workspace, record["name"], **{name: facts.get(name) for name in names})


def _data_lake_2(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.azure_data_lake_datastore import AzureDataLakeGen2Datastore

    names = ("tenant_id", "client_id", "client_secret", "resource_url", "authority_url", "protocol", "endpoint")
    return AzureDataLakeGen2Datastore(workspace, record["name"], *_container(record, facts), **{name: facts.get(name) for name in names})


def _sql(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.azure_sql_database_datastore import AzureSqlDatabaseDatastore

    names = (
        "server_name",
        "database_name",
        "tenant_id",
        "client_id",
        "client_secret",
        "resource_url",
        "authority_url",
        "username",
        "password",
    )
    return AzureSqlDatabaseDatastore(workspace, record["name"], **{name: facts.get(name) for name in names})


def _postgre_sql(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.azure_postgre_sql_datastore import AzurePostgreSqlDatastore

    names = ("server_name", "database_name", "user_id", "user_password", "port_number", "enforce_ssl")
    return AzurePostgreSqlDatastore(workspace, record["name"], **{name: facts.get(name) for name in names})


def _my_sql(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.azure_my_sql_datastore import AzureMySqlDatastore

    names = ("server_name", "database_name", "user_id", "user_password", "port_number")
    return AzureMySqlDatastore(workspace, record["name"], **{name: facts.get(name) for name in names})


def _dbfs(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.dbfs_datastore import DBFSDatastore

    return DBFSDatastore(workspace, record["name"])


def _hdfs(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.hdfs_datastore import HDFSDatastore

    names = ("protocol", "namenode_address", "hdfs_server_certificate_data", "kerberos_realm", "kerberos_kdc_address", "kerberos_principal")
    given = {name: facts.get(name) for name in (*names, "credential_value", "credential_type")}
    return HDFSDatastore(workspace, record["name"], **given)


def _other(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.abstract_datastore import AbstractDatastore

    return AbstractDatastore(workspace, record["name"], record["type"])


_MAKERS: Dict[str, Callable[..., AbstractDatastore]] = {
    LOCAL: _local,
    constants.AZURE_BLOB: _blob,
    constants.AZURE_FILE: _file,
    constants.AZURE_DATA_LAKE: _data_lake,
    constants.AZURE_DATA_LAKE_GEN2: _data_lake_2,
    constants.AZURE_SQL_DATABASE: _sql,
    constants.AZURE_POSTGRESQL: _postgre_sql,
    constants.AZURE_MYSQL: _my_sql,
    constants.DBFS: _dbfs,
    constants.HDFS: _hdfs,
}


def _all_given(**values: Any) -> None:
    from azureml.exceptions import UserErrorException

    empty = [name for name, value in values.items() if not value]
    if empty:
        raise UserErrorException(f"The datastore needs {', '.join(empty)}.")


def _all_or_none(**values: Any) -> None:
    from azureml.exceptions import UserErrorException

    empty = [name for name, value in values.items() if not value]
    if empty and len(empty) < len(values):
        raise UserErrorException(f"Give all of {', '.join(values)} or none of them; {', '.join(empty)} is missing.")

"""The door to a workspace's datastores: getting, registering, choosing the default."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Type

from azureml.core._errors import v1_errors
from azureml.data import constants

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.data.abstract_datastore import AbstractDatastore

_LOGGER = logging.getLogger("penstock")


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
        with v1_errors(not_found=_missing_datastore()):
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
        return _register(workspace, datastore_name, constants.LOCAL, {}, overwrite, root=root)

    @staticmethod
    def register_s3(
        workspace: Workspace,
        datastore_name: str,
        bucket: str,
        prefix: str = "",
        endpoint_url: Optional[str] = None,
        access_key_id: Optional[str] = None,
        secret_access_key: Optional[str] = None,
        region: Optional[str] = None,
        anonymous: bool = False,
        overwrite: bool = False,
    ) -> Any:
        """Give a bucket of S3, or of a server that speaks like it, a name, and return the datastore. Not in v1.

        Nothing is asked of a network before the datastore is used. Without keys, the service uses those of its own environment.

        Args:
            workspace: The workspace.
            datastore_name: The datastore's name.
            bucket: The bucket.
            prefix: The folder of the bucket that is the datastore's root.
            endpoint_url: The server; Amazon's when None.
            access_key_id: The key's id.
            secret_access_key: The key; kept encrypted.
            region: The bucket's region.
            anonymous: Read a bucket that is open to everybody.
            overwrite: Replace the datastore of this name.

        Raises:
            UserErrorException: One half of the key is missing.
            ServiceException: The name is taken, and `overwrite` is false.
        """
        _all_or_none(access_key_id=access_key_id, secret_access_key=secret_access_key)
        facts = {"bucket": bucket, "prefix": prefix, "endpoint_url": endpoint_url, "region": region, "anonymous": anonymous}
        secrets = {"access_key_id": access_key_id, "secret_access_key": secret_access_key}
        return _register(workspace, datastore_name, constants.S3, facts, overwrite, **secrets)

    @staticmethod
    def register_gcs(
        workspace: Workspace,
        datastore_name: str,
        bucket: str,
        prefix: str = "",
        project: Optional[str] = None,
        token: Any = None,
        endpoint_url: Optional[str] = None,
        anonymous: bool = False,
        overwrite: bool = False,
    ) -> Any:
        """Give a bucket of Google Cloud Storage a name, and return the datastore. Not in v1.

        Nothing is asked of a network before the datastore is used. Without a token, the service uses the credentials of its
        own environment.

        Args:
            workspace: The workspace.
            datastore_name: The datastore's name.
            bucket: The bucket.
            prefix: The folder of the bucket that is the datastore's root.
            project: The project that pays.
            token: The path of a service account's key file, or what such a file holds, as text or as a dict; kept encrypted.
            endpoint_url: The server; Google's when None.
            anonymous: Read a bucket that is open to everybody.
            overwrite: Replace the datastore of this name.

        Raises:
            ServiceException: The name is taken, and `overwrite` is false.
        """
        facts = {"bucket": bucket, "prefix": prefix, "project": project, "endpoint_url": endpoint_url, "anonymous": anonymous}
        return _register(workspace, datastore_name, constants.GCS, facts, overwrite, token=_token_text(token))

    @staticmethod
    def register_fsspec(workspace: Workspace, datastore_name: str, url: str, overwrite: bool = False, **storage_options: Any) -> Any:
        """Give a place that fsspec knows a name, and return the datastore. Not in v1.

        Nothing is asked of a network before the datastore is used.

        Args:
            workspace: The workspace.
            datastore_name: The datastore's name.
            url: The place, such as 'sftp://user@host/folder'.
            overwrite: Replace the datastore of this name.
            storage_options: fsspec's options for the place. Those below `secrets`, and those whose names say that they are a key, a
                secret, a token or a password, are kept encrypted.

        Raises:
            UserErrorException: The URL leads to nothing that Penstock can reach, or an option is no plain value.
            ServiceException: The name is taken, and `overwrite` is false.
        """
        secrets = storage_options.pop("secrets", None) or {}
        facts = {"url": url, "options": _plain_options(storage_options), "secrets": _plain_options(secrets)}
        return _register(workspace, datastore_name, constants.FSSPEC, facts, overwrite)

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
        """Give a blob container a name, and return the datastore.

        Nothing is asked of a network before the datastore is used; `skip_validation` is taken and changes nothing.

        Args:
            workspace: The workspace.
            datastore_name: The datastore's name.
            container_name: The container.
            account_name: The storage account.
            sas_token: A signature that opens the container; kept encrypted.
            account_key: The account's key; kept encrypted.
            protocol: http or https; https when None.
            endpoint: The cloud's suffix, 'core.windows.net' when None; or the address of a server: 'host:port' or a URL, as of an emulator.
            overwrite: Replace the datastore of this name.
            create_if_not_exists: Make the container before the first file is put there, when it is missing.
            skip_validation: Taken, as all of v1's; see above.
            blob_cache_timeout: Taken.
            grant_workspace_access: Taken.
            subscription_id: Kept.
            resource_group: Kept.

        Raises:
            ServiceException: The name is taken, and `overwrite` is false.
        """
        facts: Dict[str, Any] = {"container_name": container_name, "account_name": account_name, "protocol": protocol, "endpoint": endpoint}
        facts.update({"subscription_id": subscription_id, "resource_group": resource_group})
        facts["create_if_not_exists"] = create_if_not_exists or None
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
        """Give a file share a name, and return the datastore.

        Nothing is asked of a network before the datastore is used; `skip_validation` is taken and changes nothing. The arguments are
        those of `register_azure_blob_container`.

        Raises:
            ServiceException: The name is taken, and `overwrite` is false.
        """
        facts: Dict[str, Any] = {"container_name": file_share_name, "account_name": account_name}
        facts.update({"protocol": protocol, "endpoint": endpoint})
        facts["create_if_not_exists"] = create_if_not_exists or None
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
        """Keep what a data lake of the first generation is called, and return the datastore. Azure retired the service: using it says so.

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
        """Give a data lake of the second generation a name, and return the datastore.

        Nothing is asked of a network before the datastore is used. Without a client's credentials, the service uses those of its own
        environment.

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
        """Give an Azure SQL database a name, and return the datastore. Nothing is asked of a network before a query is run.

        Raises:
            ServiceException: The name is taken, and `overwrite` is false.
        """
        facts = {"server_name": server_name, "database_name": database_name, "tenant_id": tenant_id, "client_id": client_id}
        facts.update({"resource_url": resource_url, "authority_url": authority_url, "username": username, "endpoint": endpoint})
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
        """Give a PostgreSQL database a name, and return the datastore. Nothing is asked of a network before a query is run.

        Raises:
            UserErrorException: A name or the password is empty.
            ServiceException: The name is taken, and `overwrite` is false.
        """
        _all_given(server_name=server_name, database_name=database_name, user_id=user_id, user_password=user_password)
        facts: Dict[str, Any] = {"server_name": server_name, "database_name": database_name, "user_id": user_id}
        facts.update({"port_number": port_number, "enforce_ssl": enforce_ssl, "endpoint": endpoint})
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
        """Give a MySQL database a name, and return the datastore. Nothing is asked of a network before a query is run.

        Raises:
            UserErrorException: A name or the password is empty.
            ServiceException: The name is taken, and `overwrite` is false.
        """
        _all_given(server_name=server_name, database_name=database_name, user_id=user_id, user_password=user_password)
        facts: Dict[str, Any] = {"server_name": server_name, "database_name": database_name, "user_id": user_id}
        facts.update({"port_number": port_number, "endpoint": endpoint})
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
        """Keep what a Hadoop file system is called, and return the datastore. It needs a connector: using it says so.

        Raises:
            UserErrorException: Not exactly one of kerberos_keytab and kerberos_password was given, or a file of theirs can't be read.
            ServiceException: The name is taken, and `overwrite` is false.
        """
        from azureml.exceptions import UserErrorException

        if (kerberos_keytab is None) == (kerberos_password is None):
            raise UserErrorException(f"The datastore '{datastore_name}' needs either kerberos_keytab or kerberos_password.")
        facts: Dict[str, Any] = {"protocol": protocol, "namenode_address": namenode_address, "kerberos_realm": kerberos_realm}
        facts.update({"kerberos_kdc_address": kerberos_kdc_address, "kerberos_principal": kerberos_principal})
        facts["credential_type"] = constants.KERBEROS_KEYTAB if kerberos_keytab else constants.KERBEROS_PASSWORD
        facts["hdfs_server_certificate_data"] = _file_text(datastore_name, hdfs_server_certificate)
        secrets = {"kerberos_keytab": _file_text(datastore_name, kerberos_keytab), "kerberos_password": kerberos_password}
        return _register(workspace, datastore_name, constants.HDFS, facts, overwrite, **secrets)


def _register(
    workspace: Workspace, name: str, kind: str, facts: Dict[str, Any], overwrite: bool, root: Optional[str] = None, **secrets: Any
) -> Any:
    """Store a datastore's record and return its object. Secrets travel beside the definition, and are not kept on the object."""
    if not isinstance(name, str):
        from azureml.exceptions import UserErrorException

        raise UserErrorException(f"The name of a datastore is a text, not {name!r}.")
    lowered = name.lower()
    if lowered != name:
        _LOGGER.warning("Names of datastores have no capitals: '%s' becomes '%s'.", name, lowered)
    definition = {key: value for key, value in facts.items() if value is not None}
    with v1_errors():
        record = workspace._client.register_datastore(
            workspace._id,
            lowered,
            kind,
            root=root,
            definition=definition,
            overwrite=overwrite,
            secrets={key: value for key, value in secrets.items() if value},
        )
    return _make(workspace, record)


def _plain_options(options: Dict[str, Any]) -> Dict[str, Any]:
    """Options travel to the service and are kept there, so they are made of JSON's values."""
    import json

    from azureml.exceptions import UserErrorException

    for name, value in options.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            raise UserErrorException(
                f"The option {name} can't be kept: it is a {type(value).__name__}. Use texts, numbers, lists and dicts."
            ) from None
    return options


def _token_text(token: Any) -> Optional[str]:
    import json

    return json.dumps(token) if isinstance(token, dict) else os.fspath(token) if token is not None else None


def _file_text(name: str, path: Optional[str]) -> Optional[str]:
    """What a file holds, in base64; None for no file."""
    if not path:
        return None
    import base64

    from azureml.exceptions import UserErrorException

    try:
        with open(path, "rb") as file:
            return base64.b64encode(file.read()).decode("ascii")
    except OSError as error:
        raise UserErrorException(f"The datastore '{name}' can't be registered: {path} can't be read: {error.strerror}.") from error


def _missing_datastore() -> Type[Exception]:
    """The exception for a datastore that does not exist: msrest's too where a script imported that, as v1 raised it in its first years."""
    from azureml.exceptions import UserErrorException

    msrest = sys.modules.get("msrest.exceptions")
    if msrest is None:
        return UserErrorException

    class WithoutAnswer(msrest.HttpOperationError):  # type: ignore[misc,name-defined]
        def __init__(self, message: str) -> None:
            Exception.__init__(self, message)  # theirs wants the answer to a request
            self.error = self.response = None

    return type("UserErrorException", (UserErrorException, WithoutAnswer), {})


def _make(workspace: Workspace, record: Dict[str, Any]) -> AbstractDatastore:
    """Return the object for a datastore's record."""
    maker = _MAKERS.get(record["type"], _other)
    datastore = maker(workspace, record, record.get("definition") or {})
    datastore._known = record
    return datastore


_Facts = Dict[str, Any]


def _blob(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.azure_storage_datastore import AzureBlobDatastore

    given = {**_credentials(facts), **{name: facts.get(name) for name in ("subscription_id", "resource_group")}}
    return AzureBlobDatastore(workspace, record["name"], *_container(record, facts), **given)


def _file(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.azure_storage_datastore import AzureFileDatastore

    return AzureFileDatastore(workspace, record["name"], *_container(record, facts), **_credentials(facts))


def _local(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.azure_storage_datastore import LocalDatastore

    return LocalDatastore(workspace, record["name"])


def _container(record: _Facts, facts: _Facts) -> Any:
    return facts.get("container_name") or record["name"], facts.get("account_name") or "local"


def _credentials(facts: _Facts) -> _Facts:
    return {name: facts.get(name) for name in ("protocol", "endpoint")}


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
    given = {name: facts.get(name) for name in (*names, "credential_type")}
    return HDFSDatastore(workspace, record["name"], credential_value=None, **given)


def _bucket(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.remote_datastores import GCSDatastore, S3Datastore

    if record["type"] == constants.S3:
        names: Any = ("bucket", "prefix", "endpoint_url", "region", "anonymous")
        return S3Datastore(workspace, record["name"], **{name: facts.get(name) for name in names})
    names = ("bucket", "prefix", "project", "endpoint_url", "anonymous")
    return GCSDatastore(workspace, record["name"], **{name: facts.get(name) for name in names})


def _fsspec(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.remote_datastores import FsspecDatastore

    return FsspecDatastore(workspace, record["name"], facts.get("url"))


def _other(workspace: Workspace, record: _Facts, facts: _Facts) -> AbstractDatastore:
    from azureml.data.abstract_datastore import AbstractDatastore

    return AbstractDatastore(workspace, record["name"], record["type"])


_MAKERS: Dict[str, Callable[..., AbstractDatastore]] = {
    constants.LOCAL: _local,
    constants.S3: _bucket,
    constants.GCS: _bucket,
    constants.FSSPEC: _fsspec,
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

"""SQL databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml.data import constants
from azureml.data._credentials import Credential
from azureml.data.abstract_datastore import AbstractDatastore

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class AzureSqlDatabaseDatastore(AbstractDatastore):
    """An Azure SQL database, for `Dataset.Tabular.from_sql_query`."""

    _SHOWN = ("server_name", "database_name")
    client_secret = Credential()
    password = Credential()

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        server_name: Any,
        database_name: Any,
        tenant_id: Any = None,
        client_id: Any = None,
        client_secret: Any = None,
        resource_url: Any = None,
        authority_url: Any = None,
        username: Any = None,
        password: Any = None,
        auth_type: Any = None,
        service_data_access_auth_identity: Any = None,
    ) -> None:
        super().__init__(workspace, name, constants.AZURE_SQL_DATABASE)
        self.server_name = server_name
        self.database_name = database_name
        self.tenant_id = tenant_id
        self.client_id = client_id
        self.client_secret = client_secret
        self.resource_url = resource_url
        self.authority_url = authority_url
        self.username = username
        self.password = password
        self.auth_type = auth_type
        self.service_data_access_auth_identity = service_data_access_auth_identity

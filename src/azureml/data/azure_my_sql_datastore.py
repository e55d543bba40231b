"""MySQL databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml.data import constants
from azureml.data._credentials import Credential
from azureml.data.abstract_datastore import AbstractDatastore

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class AzureMySqlDatastore(AbstractDatastore):
    """A MySQL database, for `Dataset.Tabular.from_sql_query`."""

    _SHOWN = ("server_name", "database_name", "user_id", "port_number")
    user_password = Credential()

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        server_name: Any,
        database_name: Any,
        user_id: Any,
        user_password: Any,
        port_number: Any = None,
    ) -> None:
        super().__init__(workspace, name, constants.AZURE_MYSQL)
        self.server_name = server_name
        self.database_name = database_name
        self.user_id = user_id
        self.user_password = user_password
        self.port_number = port_number

"""Tables, queries and stored procedures of a database, as a data transfer step names them."""

from __future__ import annotations

from typing import Any, Optional

from azureml.core._refusal import not_built
from azureml.data.data_reference import DataReference


class SqlDataReference(DataReference):
    """A table, a query or a stored procedure of a database.

    It says where data is and reads nothing. To read a query's rows, use `Dataset.Tabular.from_sql_query`.

    Args:
        datastore: The database.
        data_reference_name: A name of its own; the datastore's when None.
        sql_table: A table.
        sql_query: A query.
        sql_stored_procedure: A stored procedure.
        sql_stored_procedure_params: Its parameters, as StoredProcedureParameter.

    Raises:
        UserErrorException: Not exactly one of table, query and stored procedure was given.
    """

    def __init__(
        self,
        datastore: Any,
        data_reference_name: Optional[str] = None,
        sql_table: Optional[str] = None,
        sql_query: Optional[str] = None,
        sql_stored_procedure: Optional[str] = None,
        sql_stored_procedure_params: Any = None,
    ) -> None:
        from azureml.exceptions import UserErrorException

        super().__init__(datastore, data_reference_name)
        if sum(bool(given) for given in (sql_table, sql_query, sql_stored_procedure)) != 1:
            raise UserErrorException("A SqlDataReference needs one of sql_table, sql_query and sql_stored_procedure.")
        self.sql_table = sql_table
        self.sql_query = sql_query
        self.sql_stored_procedure = sql_stored_procedure
        self.sql_stored_procedure_params = sql_stored_procedure_params

    def path(self, path: Any = None, data_reference_name: Any = None) -> DataReference:
        """Refused: a database has no paths."""
        raise _no_files("path")

    def as_mount(self) -> DataReference:
        """Refused: a database has no files."""
        raise _no_files("as_mount")

    def as_download(self, path_on_compute: Any = None, overwrite: Any = False) -> DataReference:
        """Refused: a database has no files."""
        raise _no_files("as_download")

    def as_upload(self, path_on_compute: Any = None, overwrite: Any = False) -> DataReference:
        """Refused: a database has no files."""
        raise _no_files("as_upload")

    def to_config(self) -> Any:
        """Refused: a run configuration names files only."""
        raise _no_files("to_config")


def _no_files(member: str) -> NotImplementedError:
    return not_built(f"SqlDataReference.{member}", "A database has no files: read rows with Dataset.Tabular.from_sql_query.")

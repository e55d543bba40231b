"""References to databases, and what kinds of datastores offer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from azureml.data.azure_data_lake_datastore import AzureDataLakeGen2Datastore
from azureml.data.azure_storage_datastore import AzureBlobDatastore
from azureml.data.data_reference import DataReference
from azureml.data.remote_datastores import FsspecDatastore, GCSDatastore, S3Datastore
from azureml.data.sql_data_reference import SqlDataReference
from azureml.data.stored_procedure_parameter import StoredProcedureParameter, StoredProcedureParameterType
from azureml.exceptions import UserErrorException

STORE = SimpleNamespace(name="sales")
WORKSPACE: Any = SimpleNamespace(_id="w", _client=None)


def test_a_reference_to_a_database_names_one_thing() -> None:
    query = SqlDataReference(STORE, sql_query="select 1")
    assert (query.data_reference_name, query.sql_query, query.mode, query.path_on_datastore) == ("sales", "select 1", "mount", None)
    assert isinstance(query, DataReference)
    parameter = StoredProcedureParameter("p", "1", StoredProcedureParameterType.Int)
    stored = SqlDataReference(STORE, "name", sql_stored_procedure="sp", sql_stored_procedure_params=[parameter])
    assert (str(stored), stored.sql_stored_procedure_params) == ("$AZUREML_DATAREFERENCE_name", [parameter])


@pytest.mark.parametrize("given", [{}, {"sql_table": "t", "sql_query": "select 1"}])
def test_a_reference_to_a_database_names_not_none_and_not_two(given: Any) -> None:
    with pytest.raises(UserErrorException, match="one of sql_table, sql_query and sql_stored_procedure"):
        SqlDataReference(STORE, **given)


@pytest.mark.parametrize("member", ["path", "as_mount", "as_download", "as_upload", "to_config"])
def test_a_database_has_no_files(member: str) -> None:
    with pytest.raises(NotImplementedError, match=rf"SqlDataReference.{member} .*from_sql_query"):
        getattr(SqlDataReference(STORE, sql_table="t"), member)()


FILES = ("upload", "upload_files", "download", "path", "as_mount", "as_download", "as_upload")


@pytest.mark.parametrize(
    ("store", "has_files"),
    [
        (AzureBlobDatastore(WORKSPACE, "n", "box", "acc"), True),
        (S3Datastore(WORKSPACE, "n", "bucket"), True),
        (GCSDatastore(WORKSPACE, "n", "bucket"), True),
        (FsspecDatastore(WORKSPACE, "n", "sftp://host/folder"), True),
        (AzureDataLakeGen2Datastore(WORKSPACE, "n", "fs", "acc"), False),
    ],
)
def test_which_kinds_copy_files(store: Any, has_files: bool) -> None:
    assert all(hasattr(store, name) is has_files for name in FILES)
    assert store.name in repr(store)


def test_credentials_given_to_the_constructor_stay_on_the_object_and_out_of_sight() -> None:
    store = AzureBlobDatastore(WORKSPACE, "n", "box", "acc", account_key="hidden-one")
    assert (store.account_key, store.credential_type) == ("hidden-one", "AccountKey")
    assert "hidden-one" not in repr(store) + str(store)

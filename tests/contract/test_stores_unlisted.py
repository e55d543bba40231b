"""Stores that give their files to who names them, and their list to nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.parts.azurite import Azurite

from penstock.model.errors import NotFound, Refused
from penstock.storage.stores import Store
from penstock.storage.stores.home_stores import HomeStores


@pytest.fixture
def unlisted(azurite: Azurite) -> Store:
    """A container of one blob, with a token that may read and not list."""
    from azure.storage.blob import ContainerClient

    container = azurite.new_container()
    with ContainerClient.from_connection_string(azurite.connection_string, container) as client:
        client.upload_blob("demo/table.csv", b"a,b\n1,2\n")
    login = f"BlobEndpoint={azurite.endpoint};SharedAccessSignature={azurite.sas_token(container, 'r')}"
    return Store("unlisted", "abfs", container, {"account_name": azurite.account_name, "connection_string": login})


def test_a_file_that_is_named_needs_no_list(tmp_path: Path, unlisted: Store) -> None:
    stores = HomeStores(tmp_path, 1 << 20)
    try:
        assert [(found.path, found.size) for found in stores.list(unlisted, "demo/table.csv")] == [("demo/table.csv", 8)]
        with pytest.raises(Refused, match="access was refused"):
            stores.list(unlisted, "demo/*.csv")
        with pytest.raises((NotFound, Refused), match="can't be listed"):
            stores.list(unlisted, "demo")
    finally:
        stores.close()

"""Registered datastores and their secrets, at the service's own door."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.datasets import Place
from penstock.model.errors import AlreadyExists, Invalid, NotFound, Unavailable, Unsupported
from penstock.operations import datastores, secrets
from penstock.storage.files import write_once
from penstock.storage.stores import definitions

SECRET = "a-secret-that-nobody-sees"  # noqa: S105 - it opens nothing


@pytest.fixture
def key_file(rest: Any) -> Iterator[Path]:
    """The key's file, put back after the test."""
    path = rest.home.path / "secret.key"
    before = path.read_bytes() if path.exists() else None
    yield path
    if path.is_symlink() or path.exists():
        path.unlink()
    if before is not None:
        path.write_bytes(before)
        path.chmod(0o600)


def register(rest: Any, name: str = "far", type: str = "AzureBlob", **more: Any) -> dict[str, Any]:
    about = {"definition": {"account_name": "acc", "container_name": "box"}, "secrets": {"account_key": SECRET}, **more}
    found: dict[str, Any] = rest.client.register_datastore(rest.workspace_id, name, type, **about)
    return found


def files_with(rest: Any, text: str) -> list[Path]:
    return [path for path in rest.home.path.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


# Secrets


def test_secrets_are_written_and_read_and_shown_by_name_only(rest: Any) -> None:
    made = register(rest)
    assert (made["secret_names"], made["is_remote"], made["redirected_to"], made["root"]) == (["account_key"], True, None, None)
    assert rest.client.get_datastore_secrets(rest.workspace_id, "far") == {"account_key": SECRET}
    assert SECRET not in str(rest.client.list_datastores(rest.workspace_id)) + str(rest.client.get_datastore(rest.workspace_id, "far"))
    assert files_with(rest, SECRET) == []
    assert (rest.home.path / "secret.key").stat().st_mode & 0o777 == 0o600


def test_a_new_registration_replaces_all_secrets(rest: Any) -> None:
    register(rest)
    with pytest.raises(AlreadyExists):
        register(rest, secrets={"sas_token": "other"})
    assert rest.client.get_datastore_secrets(rest.workspace_id, "far") == {"account_key": SECRET}
    assert register(rest, secrets={"sas_token": "other"}, overwrite=True)["secret_names"] == ["sas_token"]
    assert register(rest, secrets=None, overwrite=True)["secret_names"] == []
    assert rest.client.get_datastore_secrets(rest.workspace_id, "far") == {}


def test_secrets_go_with_their_datastore(rest: Any) -> None:
    register(rest)
    rest.client.unregister_datastore(rest.workspace_id, "far")
    with pytest.raises(NotFound):
        rest.client.get_datastore_secrets(rest.workspace_id, "far")
    count = "select count(*) as left from secrets where workspace_id = ?"
    assert rest.context.database.first(count, (rest.workspace_id,)) == {"left": 0}


@pytest.mark.parametrize("value", ["", "x" * 70_000, 7, None])
def test_a_secret_is_a_text(rest: Any, value: Any) -> None:
    with pytest.raises(Invalid, match="'account_key' must be a text of 1 to"):
        register(rest, secrets={"account_key": value})
    with pytest.raises(NotFound):
        rest.client.get_datastore(rest.workspace_id, "far")


def test_a_key_that_others_can_read_is_refused(rest: Any, key_file: Path) -> None:
    register(rest)
    key_file.chmod(0o640)
    for use in (lambda: rest.client.get_datastore_secrets(rest.workspace_id, "far"), lambda: register(rest, "more")):
        with pytest.raises(Unavailable, match=rf"mode 0640\). Run: chmod 600 {key_file}"):
            use()


def test_a_key_behind_a_link_is_refused(rest: Any, key_file: Path, tmp_path: Path) -> None:
    register(rest)
    key_file.rename(tmp_path / "key")
    key_file.symlink_to(tmp_path / "key")
    with pytest.raises(Unavailable, match="chmod 600"):
        rest.client.get_datastore_secrets(rest.workspace_id, "far")


def test_a_key_that_is_gone_or_another(rest: Any, key_file: Path) -> None:
    register(rest)
    key_file.unlink()
    with pytest.raises(Unavailable, match=r"secret.key is missing.*overwrite=True"):
        rest.client.get_datastore_secrets(rest.workspace_id, "far")
    register(rest, "near")  # makes a new key
    with pytest.raises(Unavailable, match=r"datastore/far were encrypted with another key"):
        rest.client.get_datastore_secrets(rest.workspace_id, "far")
    assert register(rest, overwrite=True)["secret_names"] == ["account_key"]
    assert rest.client.get_datastore_secrets(rest.workspace_id, "far") == {"account_key": SECRET}
    key_file.write_text("nonsense")
    with pytest.raises(Unavailable, match="holds no key"):
        rest.client.get_datastore_secrets(rest.workspace_id, "far")


def test_many_registrations_at_once_make_one_key(rest: Any, key_file: Path) -> None:
    key_file.unlink(missing_ok=True)
    threads = [threading.Thread(target=register, args=(rest, f"far{number}")) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(rest.client.get_datastore_secrets(rest.workspace_id, f"far{number}") == {"account_key": SECRET} for number in range(8))


def test_a_file_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    write_once(tmp_path / "key", b"first")
    write_once(tmp_path / "key", b"second")
    assert [(path.name, path.read_bytes(), path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [("key", b"first", 0o600)]


def test_secrets_of_an_fsspec_url_are_found(rest: Any) -> None:
    definition = {
        "url": f"sftp://me:{SECRET}@host/folder",
        "options": {"port": 22, "token": {"deep": SECRET}, "client_kwargs": {"aws_secret_access_key": SECRET}, "pkeyPassphrase": SECRET},
        "secrets": {"plain": SECRET},
    }
    made = register(rest, type="Fsspec", definition=definition, secrets=None)
    assert made["definition"] == {"url": "sftp://me@host/folder", "options": {"port": 22}}
    assert made["secret_names"] == ["client_kwargs", "password", "pkeyPassphrase", "plain", "token"]
    assert files_with(rest, SECRET) == []
    found = rest.client.get_datastore_secrets(rest.workspace_id, "far")
    assert (found["password"], found["token"]) == (SECRET, f'{{"deep": "{SECRET}"}}')
    store = datastores.store_of(rest.context, rest.workspace_id, "far")
    assert (store.protocol, store.root) == ("sftp", "/folder")
    wanted = {"host": "host", "username": "me", "password": SECRET, "port": 22, "plain": SECRET}
    assert {name: store.options[name] for name in wanted} == wanted
    assert SECRET not in repr(store)


# Kinds

KINDS: dict[str, dict[str, Any]] = {
    "AzureBlob": {"account_name": "acc", "container_name": "box"},
    "AzureFile": {"account_name": "acc", "container_name": "share"},
    "AzureDataLakeGen2": {"account_name": "acc", "container_name": "fs"},
    "AzureDataLake": {"store_name": "lake"},
    "AzureSqlDatabase": {"server_name": "server", "database_name": "base", "username": "me"},
    "AzurePostgreSql": {"server_name": "server", "database_name": "base", "user_id": "me"},
    "AzureMySql": {"server_name": "server", "database_name": "base", "user_id": "me"},
    "DBFS": {},
    "Hdfs": {"namenode_address": "name"},
    "S3": {"bucket": "bucket"},
    "GCS": {"bucket": "bucket"},
    "Fsspec": {"url": "memory://place"},
    "OneLake": {},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_registered_listed_made_default_and_forgotten(rest: Any, kind: str) -> None:
    made = register(rest, "mine", kind, definition=KINDS[kind], secrets=None)
    assert (made["type"], made["is_remote"]) == (kind, True)
    assert "mine" in [item["name"] for item in rest.client.list_datastores(rest.workspace_id)]
    rest.client.set_default_datastore(rest.workspace_id, "mine")
    assert rest.client.get_default_datastore(rest.workspace_id)["name"] == "mine"
    rest.client.set_default_datastore(rest.workspace_id, "workspaceblobstore")
    rest.client.unregister_datastore(rest.workspace_id, "mine")
    assert "mine" not in [item["name"] for item in rest.client.list_datastores(rest.workspace_id)]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("AzureDataLake", r"'mine' is an Azure Data Lake Storage Gen1 account; Azure retired.*register_azure_data_lake_gen2"),
        ("DBFS", r"'mine' is a Databricks file system.*register_fsspec"),
        ("Hdfs", r"'mine' is a Hadoop file system.*webhdfs"),
        ("AzureFile", r"'mine' is an Azure file share.*account_key"),
        ("OneLake", r"'mine' is of the kind OneLake.*register_fsspec"),
    ],
)
def test_what_nothing_reaches_says_so_at_use(rest: Any, kind: str, words: str) -> None:
    register(rest, "mine", kind, definition=KINDS[kind], secrets=None)
    with pytest.raises(Unsupported, match=f"{words}.*datastore_redirects"):
        datastores.store_of(rest.context, rest.workspace_id, "mine")


def test_a_database_has_no_files(rest: Any) -> None:
    register(rest, "mine", "AzurePostgreSql", definition=KINDS["AzurePostgreSql"], secrets={"user_password": SECRET})
    with pytest.raises(Invalid, match=r"'mine' is a database.*from_sql_query"):
        datastores.place_store(rest.context, rest.workspace_id, Place(datastore="mine", path="x"))
    with pytest.raises(Invalid, match="'mine' is a database"):
        rest.client.list_files_on(rest.workspace_id, "mine")
    assert SECRET in datastores.store_of(rest.context, rest.workspace_id, "mine").options["url"]


# Redirects


def redirected(rest: Any, **places: str) -> Any:
    return replace(rest.context, settings=replace(rest.context.settings, datastore_redirects=tuple(places.items())))


def test_an_operator_sends_a_datastore_elsewhere(rest: Any, tmp_path: Path) -> None:
    register(rest, "one")
    register(rest, "two", definition={"account_name": "Acc", "container_name": "BOX"})
    register(rest, "sql", "AzureSqlDatabase", definition=KINDS["AzureSqlDatabase"])
    register(rest, "gen1", "AzureDataLake", definition={})
    context = redirected(
        rest,
        **{"ONE": str(tmp_path / "one"), "acc/box": "s3://bucket/deep", "sql": "sqlite:////tmp/x?password=y", "gen1": f"file://{tmp_path}"},
    )
    shown = {item["name"]: item for item in datastores.list_datastores(context, rest.workspace_id)}
    assert (shown["one"]["redirected_to"], shown["one"]["root"], shown["one"]["is_remote"]) == (
        str(tmp_path / "one"),
        str(tmp_path / "one"),
        False,
    )
    assert (shown["two"]["redirected_to"], shown["two"]["root"], shown["two"]["is_remote"]) == ("s3://bucket/deep", None, True)
    assert shown["sql"]["redirected_to"] == "sqlite:////tmp/x"
    stores = {name: datastores.store_of(context, rest.workspace_id, name) for name in ("one", "two", "sql", "gen1")}
    assert (stores["one"].is_local, stores["one"].root, (tmp_path / "one").is_dir()) == (True, str(tmp_path / "one"), True)
    assert (stores["two"].protocol, stores["two"].root, stores["two"].name) == ("s3", "bucket/deep", "two")
    assert (stores["sql"].protocol, stores["gen1"].root) == ("sql", str(tmp_path))
    store, path = datastores.store_of_url(context, "wasbs://box@acc.blob.core.windows.net/a/*.csv")
    assert (store.protocol, store.root, path) == ("s3", "bucket/deep", "a/*.csv")


def test_a_redirect_to_a_folder_that_can_not_be(rest: Any, tmp_path: Path) -> None:
    register(rest, "one")
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=r"setting datastore_redirects sends the datastore 'one'"):
        datastores.store_of(redirected(rest, one=str(tmp_path / "file" / "below")), rest.workspace_id, "one")


# Addresses


@pytest.mark.parametrize(
    ("protocol", "endpoint", "address"),
    [
        (None, None, "https://acc.blob.core.windows.net"),
        ("http", None, "http://acc.blob.core.windows.net"),
        (None, "core.chinacloudapi.cn", "https://acc.blob.core.chinacloudapi.cn"),
        (None, "127.0.0.1:10000", "http://127.0.0.1:10000/acc"),
        ("https", "azurite:10000", "https://azurite:10000/acc"),
        (None, "http://127.0.0.1:10000/devstoreaccount1/", "http://127.0.0.1:10000/devstoreaccount1"),
        (None, "http://localhost:10000", "http://localhost:10000/acc"),
        (None, "https://blobs.example.org", "https://blobs.example.org"),
    ],
)
def test_where_an_account_is(protocol: Any, endpoint: Any, address: str) -> None:
    assert definitions.storage_address("acc", "blob", protocol, endpoint) == address


@pytest.mark.parametrize(
    ("kind", "definition", "hidden", "url"),
    [
        (
            "AzurePostgreSql",
            {"server_name": "s", "user_id": "me@s"},
            "p/w@",
            "postgresql://me%40s:p%2Fw%40@s.postgres.database.azure.com/b?sslmode=require",
        ),
        (
            "AzurePostgreSql",
            {"server_name": "127.0.0.1", "port_number": "5433", "user_id": "me", "enforce_ssl": False},
            "p",
            "postgresql://me:p@127.0.0.1:5433/b",
        ),
        (
            "AzurePostgreSql",
            {"server_name": "s", "endpoint": "db.org", "user_id": "me", "enforce_ssl": False},
            "p",
            "postgresql://me:p@s.db.org/b",
        ),
        ("AzureMySql", {"server_name": "s", "user_id": "me"}, "p", "mysql://me:p@s.mysql.database.azure.com/b?ssl=true"),
        ("AzureMySql", {"server_name": "localhost", "user_id": "me"}, "p", "mysql://me:p@localhost/b"),
        ("AzureSqlDatabase", {"server_name": "s", "username": "me"}, "p", "mssql://me:p@s.database.windows.net/b"),
    ],
)
def test_where_a_database_is(kind: str, definition: dict[str, Any], hidden: str, url: str) -> None:
    name = "password" if kind == "AzureSqlDatabase" else "user_password"
    store = definitions.make_store("x", kind, {**definition, "database_name": "b"}, {name: hidden}, None)
    assert (store.protocol, store.options["url"]) == ("sql", url)
    assert hidden not in store.root or hidden == "p"


def test_a_sql_server_with_a_client() -> None:
    facts = {"server_name": "s", "database_name": "b", "client_id": "c"}
    store = definitions.make_store("x", "AzureSqlDatabase", facts, {"client_secret": "q"}, None)
    assert store.options["url"] == "mssql://c:q@s.database.windows.net/b?Authentication=ActiveDirectoryServicePrincipal"


@pytest.mark.parametrize(
    ("url", "protocol", "root", "path"),
    [
        ("https://host.org:8000/a/b%20c.csv?x=1", "http", "https://host.org:8000", "a/b%20c.csv?x=1"),
        ("https://acc.blob.core.windows.net/box/a%20b/*.csv", "abfs", "box", "a b/*.csv"),
        ("https://acc.blob.core.windows.net/top.csv", "abfs", "$root", "top.csv"),
        ("wasbs://box@acc.blob.core.windows.net/a/", "abfs", "box", "a/"),
        ("abfss://fs@acc.dfs.core.windows.net/a/**", "abfs", "fs", "a/**"),
        ("abfs://box/a", "abfs", "box", "a"),
        ("s3a://bucket/a/b", "s3", "bucket", "a/b"),
        ("gcs://bucket", "gs", "bucket", ""),
        ("file:///a/b%20c/", "file", "/", "a/b%20c/"),
        ("/a/../b", "file", "/", "b"),
        ("ftp://me@host:21/a/b", "ftp", "/", "a/b"),
        ("smb://host/share/a/b", "smb", "/share", "a/b"),
    ],
)
def test_where_a_url_leads(url: str, protocol: str, root: str, path: str) -> None:
    store, found = definitions.store_of_url(url)
    assert (store.protocol, store.root, found) == (protocol, root, path)


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("https://acc.blob.core.windows.net/box/a?sv=1&sig=SECRETSIGN", Invalid, "shared access signature.*sas_token"),
        ("https://me:SECRETSIGN@host/a", Invalid, "holds a password"),
        ("adl://store.azuredatalakestore.net/a", Unsupported, "Gen1"),
        ("azureml://datastores/x/paths/y", Unsupported, "SDK v2"),
        ("abfss://fs@nowhere/a", Invalid, "must name a container and an account"),
        ("zip://a.csv::s3://bucket/x.zip", Unsupported, "chains file systems"),
        ("https:///a", Invalid, "names no host"),
        ("  ", Invalid, "neither a path nor a URL"),
        ("a\0b", Invalid, "neither a path nor a URL"),
    ],
)
def test_where_no_url_leads(url: str, error: Any, words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        definitions.store_of_url(url)
    assert "SECRETSIGN" not in str(caught.value)


@pytest.mark.parametrize("path", ["..", "a/../../b", "a\0", "/../x"])
def test_a_path_that_leads_upwards(rest: Any, path: str) -> None:
    with pytest.raises(Invalid):
        datastores.place_store(rest.context, rest.workspace_id, Place(datastore="workspaceblobstore", path=path))


@pytest.mark.parametrize(("path", "plain"), [("", ""), ("/", ""), (".", ""), ("/a//b/./*.csv", "a/b/*.csv"), ("a/**", "a/**")])
def test_a_path_in_its_plain_form(path: str, plain: str) -> None:
    assert datastores.clean_pattern(path) == plain


# Rules

WORDS = st.dictionaries(
    st.text(min_size=1, max_size=12),
    st.recursive(st.integers() | st.text(max_size=5), lambda inner: st.dictionaries(st.text(max_size=8), inner, max_size=2), max_leaves=4),
    max_size=5,
)


@given(WORDS, WORDS)
def test_splitting_secrets_loses_nothing(options: dict[str, Any], hidden: dict[str, Any]) -> None:
    import json

    plain, found = definitions.split_secrets({"url": "s3://b", "options": options, "secrets": hidden})
    assert not [name for name in plain["options"] if definitions.is_secret(name)]
    assert {**hidden, **options} == {
        **plain["options"],
        **{name: json.loads(value) for name, value in found.items()},
        **{n: options[n] for n in options if n in hidden},
    }


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        *(
            (name, True)
            for name in ("key", "account_key", "secretKey", "client_secret", "SAS_token", "connection_string", "password", "apiToken")
        ),
        *((name, False) for name in ("host", "keyboard", "monkey", "endpoint_url", "client_id", "anon", "path")),
    ],
)
def test_what_looks_like_a_secret(name: str, is_secret: bool) -> None:
    assert definitions.is_secret(name) is is_secret


def test_the_owner_of_secrets_is_its_datastore(rest: Any) -> None:
    register(rest)
    assert secrets.list_secret_names(rest.context, rest.workspace_id) == {"datastore/far": ["account_key"]}
    assert secrets.get_secrets(rest.context, rest.workspace_id, "datastore/other") == {}

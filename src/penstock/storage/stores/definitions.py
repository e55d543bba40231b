"""What a registered datastore, or a URL, means: the store that it names.

Nothing here touches a network or loads a library. A kind that nothing here can reach says so when it is used, not when it is registered.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from penstock.model.errors import Invalid, Unsupported
from penstock.storage.paths import clean_relative
from penstock.storage.stores import Store

FSSPEC = "Fsspec"  # our own kind: any URL that fsspec knows
SQL = "sql"  # the protocol of databases; `options["url"]` is SQLAlchemy's, without a driver

Definition = Mapping[str, Any]
Secrets = Mapping[str, str]
_Maker = Callable[[str, Definition, Secrets], Store]

_SUFFIX = "core.windows.net"
_BLOB_HOST = re.compile(r"(?P<account>[a-z0-9-]+)\.(?:blob|dfs)\.(?P<suffix>core\.[a-z0-9.-]+)", re.ASCII)
_IS_LOCAL_HOST = re.compile(r"localhost|[\d.]+|\[.*\]")
_SECRET_WORDS = {"key", "secret", "token", "password", "passphrase", "credential", "credentials"}
_REDIRECT = "An operator can send '{name}' to a folder or another store with the setting datastore_redirects."


# Registered datastores


def make_store(name: str, type: str, definition: Definition, secrets: Secrets, root: str | None) -> Store:
    """Return the store of a registered datastore.

    Args:
        name: The datastore's name, for messages.
        type: Its kind, as v1 calls it.
        definition: What it was registered with, without secrets.
        secrets: Its secrets by name.
        root: Its folder, when it is one of this machine.

    Raises:
        Unsupported: Nothing here can reach this kind; the message says what to do instead.
        Invalid: What it was registered with does not say where it is.
    """
    if root is not None:
        return Store(name, "file", root)
    maker = _MAKERS.get(type)
    if maker is None:
        raise Unsupported(
            f"The datastore '{name}' is of the kind {type}, which Penstock can't reach."
            f" Register its place with Datastore.register_fsspec instead. {_REDIRECT.format(name=name)}"
        )
    try:
        return maker(name, definition, secrets)
    except (TypeError, ValueError, AttributeError, KeyError):
        raise Invalid(
            f"The datastore '{name}' was registered with values of the wrong kind. Register it again with overwrite=True."
        ) from None


def account_and_container(definition: Definition) -> str | None:
    """Return 'account/container' of a datastore in an Azure storage account, by which an operator may redirect it."""
    account, container = definition.get("account_name"), definition.get("container_name")
    return f"{account}/{container}".lower() if account and container else None


def _blob(name: str, definition: Definition, secrets: Secrets) -> Store:
    place = storage_address(_text(definition, "account_name"), "blob", definition.get("protocol"), definition.get("endpoint"))
    return _azure(name, _text(definition, "container_name"), place, _text(definition, "account_name"), secrets, definition)


def storage_address(account: str, service: str, protocol: str | None = None, endpoint: str | None = None) -> str:
    """Return the address of one service of a storage account.

    Args:
        account: The account's name.
        service: blob or file.
        protocol: http or https.
        endpoint: A cloud's suffix, such as core.windows.net; or where one server answers: 'host:port', or a URL.
    """
    endpoint = (endpoint or _SUFFIX).rstrip("/")
    if "://" not in endpoint and not _is_one_host(endpoint):
        return f"{protocol or 'https'}://{account}.{service}.{endpoint}"
    if "://" not in endpoint:
        endpoint = f"{protocol or ('http' if _is_address(endpoint) else 'https')}://{endpoint}"
    parts = urlsplit(endpoint)
    needs_account = not parts.path.strip("/") and (parts.port is not None or _is_address(parts.netloc))
    return f"{endpoint}/{account}" if needs_account else endpoint


def _is_one_host(endpoint: str) -> bool:
    return _is_address(endpoint) or ":" in endpoint


def _is_address(host: str) -> bool:
    return _IS_LOCAL_HOST.fullmatch(re.sub(r":\d+$", "", host)) is not None


def _azure(name: str, container: str, address: str, account: str, secrets: Secrets, definition: Definition) -> Store:
    """A connection string says all there is to say, so that no variable of the environment can add another account's credentials."""
    parts = [f"BlobEndpoint={address}", *_azure_login(account, secrets)]
    options = {"connection_string": ";".join(parts), "account_name": account, "anon": True}
    return Store(name, "abfs", container, options, bool(definition.get("create_if_not_exists")))


def _azure_login(account: str, secrets: Secrets) -> list[str]:
    if secrets.get("account_key"):
        return [f"AccountName={account}", f"AccountKey={secrets['account_key']}"]
    return [f"SharedAccessSignature={secrets['sas_token'].lstrip('?')}"] if secrets.get("sas_token") else []


def _data_lake(name: str, definition: Definition, secrets: Secrets) -> Store:
    """A data lake of the second generation, read through its blob interface; without credentials as whom Azure's tools know."""
    account, container = _text(definition, "account_name"), _text(definition, "container_name")
    address = storage_address(account, "blob", definition.get("protocol"), definition.get("endpoint"))
    options: dict[str, Any] = {"account_name": account, "account_host": address.partition("://")[2], "anon": False}
    if secrets.get("client_secret"):
        options |= {key: definition.get(key) for key in ("tenant_id", "client_id")}
        options["client_secret"] = secrets["client_secret"]
    return Store(name, "abfs", container, options)


def _file_share(name: str, definition: Definition, secrets: Secrets) -> Store:
    if not secrets.get("account_key") and not secrets.get("sas_token"):
        raise Unsupported(
            f"The datastore '{name}' is an Azure file share, which nobody can read without a key or a token; it was registered without one."
            f" Register it again with account_key and overwrite=True. {_REDIRECT.format(name=name)}"
        )
    account = _text(definition, "account_name")
    address = storage_address(account, "file", definition.get("protocol"), definition.get("endpoint"))
    parts = [f"FileEndpoint={address}", *_azure_login(account, secrets)]
    options = {"connection_string": ";".join(parts), "account_name": account}
    return Store(name, "azfile", _text(definition, "container_name"), options, bool(definition.get("create_if_not_exists")))


def _s3(name: str, definition: Definition, secrets: Secrets) -> Store:
    options: dict[str, Any] = {"anon": bool(definition.get("anonymous"))}
    if definition.get("endpoint_url"):
        options["endpoint_url"] = definition["endpoint_url"]
    if definition.get("region"):
        options["client_kwargs"] = {"region_name": definition["region"]}
    if secrets.get("access_key_id"):
        options |= {"key": secrets["access_key_id"], "secret": secrets.get("secret_access_key")}
    return Store(name, "s3", _bucket(definition), options, bool(definition.get("create_if_not_exists")))


def _gcs(name: str, definition: Definition, secrets: Secrets) -> Store:
    options: dict[str, Any] = {key: definition[key] for key in ("project", "endpoint_url") if definition.get(key)}
    token = secrets.get("token")
    if token:
        options["token"] = json.loads(token) if token.lstrip().startswith("{") else token
    elif definition.get("anonymous"):
        options["token"] = "anon"  # noqa: S105 - gcsfs's word for none
    return Store(name, "gs", _bucket(definition), options)


def _bucket(definition: Definition) -> str:
    prefix = str(definition.get("prefix") or "").strip("/")
    return "/".join([_text(definition, "bucket"), *([clean_relative(prefix)] if prefix else [])])


def _fsspec(name: str, definition: Definition, secrets: Secrets) -> Store:
    hidden = {key: json.loads(value) for key, value in secrets.items()}
    return store_at(name, _text(definition, "url"), {**(definition.get("options") or {}), **hidden})


def _text(definition: Definition, name: str) -> str:
    value = definition.get(name)
    if not isinstance(value, str) or not value:
        raise Invalid(f"The datastore was registered without '{name}'. Register it again with overwrite=True.")
    return value


# Databases


def _postgresql(name: str, definition: Definition, secrets: Secrets) -> Store:
    query = {} if definition.get("enforce_ssl") is False else {"sslmode": "require"}
    return _sql(name, "postgresql", "postgres.database.azure.com", definition, ("user_id", secrets.get("user_password")), query)


def _mysql(name: str, definition: Definition, secrets: Secrets) -> Store:
    is_azure = _sql_host(definition, "mysql.database.azure.com").endswith(".azure.com")
    query = {"ssl": "true"} if is_azure else {}
    return _sql(name, "mysql", "mysql.database.azure.com", definition, ("user_id", secrets.get("user_password")), query)


def _sql_server(name: str, definition: Definition, secrets: Secrets) -> Store:
    if secrets.get("client_secret"):
        query = {"Authentication": "ActiveDirectoryServicePrincipal"}
        return _sql(name, "mssql", "database.windows.net", definition, ("client_id", secrets["client_secret"]), query)
    return _sql(name, "mssql", "database.windows.net", definition, ("username", secrets.get("password")), {})


def _sql(name: str, dialect: str, suffix: str, definition: Definition, user: tuple[str, str | None], query: Mapping[str, str]) -> Store:
    host, database = _sql_host(definition, suffix), _text(definition, "database_name")
    member, password = user
    who = quote(str(definition.get(member) or ""), safe="")
    login = f"{who}:{quote(password, safe='')}@" if password else f"{who}@" if who else ""
    port = f":{definition['port_number']}" if definition.get("port_number") else ""
    asked = "?" + "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items()) if query else ""
    url = f"{dialect}://{login}{host}{port}/{quote(database, safe='')}{asked}"
    return Store(name, SQL, f"{host}/{database}", {"url": url})


def _sql_host(definition: Definition, suffix: str) -> str:
    """A server's whole name is kept as it is; a plain one is a name inside of Azure's domain, or the one that was given."""
    server, endpoint = _text(definition, "server_name"), definition.get("endpoint")
    if endpoint:
        return f"{server}.{endpoint}"
    return server if "." in server or ":" in server or server == "localhost" else f"{server}.{suffix}"


def redirected_sql(name: str, url: str) -> Store:
    """Return the store of a database that an operator named by a SQLAlchemy URL."""
    parts = urlsplit(url)
    return Store(name, SQL, f"{parts.hostname or ''}{parts.path}", {"url": url})


# What can't be reached


def _refuse(why: str, instead: str) -> _Maker:
    def refused(name: str, definition: Definition, secrets: Secrets) -> Store:
        raise Unsupported(f"The datastore '{name}' {why} {instead} {_REDIRECT.format(name=name)}")

    return refused


_GEN1_WHY = "is an Azure Data Lake Storage Gen1 account; Azure retired that service in 2024."
_GEN1_INSTEAD = "Register the account that its data moved to with Datastore.register_azure_data_lake_gen2."

_MAKERS: dict[str, _Maker] = {
    "AzureBlob": _blob,
    "AzureFile": _file_share,
    "AzureDataLakeGen2": _data_lake,
    "S3": _s3,
    "GCS": _gcs,
    FSSPEC: _fsspec,
    "AzureSqlDatabase": _sql_server,
    "AzurePostgreSql": _postgresql,
    "AzureMySql": _mysql,
    "AzureDataLake": _refuse(_GEN1_WHY, _GEN1_INSTEAD),
    "DBFS": _refuse(
        "is a Databricks file system; v1 reached it from inside of a Databricks cluster only, and this version has no connector for it.",
        "Name it with Datastore.register_fsspec(workspace, name, 'dbfs://', instance=..., token=...).",
    ),
    "Hdfs": _refuse(
        "is a Hadoop file system with Kerberos, which needs a connector that this version does not have.",
        "Name it with Datastore.register_fsspec(workspace, name, 'webhdfs://namenode:9870/folder', ...).",
    ),
}

SQL_KINDS = ("AzureSqlDatabase", "AzurePostgreSql", "AzureMySql")


# URLs

_ALIASES = {"az": "abfs", "abfss": "abfs", "wasb": "abfs", "wasbs": "abfs", "s3a": "s3", "s3n": "s3", "gcs": "gs", "local": "file"}
_WITH_HOSTS = {"ftp", "sftp", "ssh", "smb", "hdfs", "webhdfs", "dbfs"}  # their host is an option, and not a part of the path
_NOT_HERE = {
    "adl": f"is in Azure Data Lake Storage Gen1. {_GEN1_WHY.partition('; ')[2]} Name the place that the data moved to.",
    "azureml": "is of SDK v2. Name the datastore and the path on it: (datastore, 'path').",
}


def store_of_url(url: str, options: Mapping[str, Any] | None = None, name: str | None = None) -> tuple[Store, str]:
    """Return the store that a URL leads to, and the path or pattern in it.

    Args:
        url: http, https, file, wasb, abfs, s3 and whatever else fsspec knows; or a path of this machine.
        options: fsspec's options for it, which may hold secrets.
        name: What messages call the store; the URL's host when None.

    Raises:
        Invalid: It is no URL, or holds a secret.
        Unsupported: It leads to a place that nothing here can reach.
    """
    if "\0" in url or not url.strip():
        raise Invalid(f"{url!r} is neither a path nor a URL.")
    try:
        return _parse_url(url, options, name)
    except ValueError as error:
        raise Invalid(f"The URL {url.partition('?')[0].rpartition('@')[2][:200]} can't be one: {error}.") from None


def _parse_url(url: str, options: Mapping[str, Any] | None, name: str | None) -> tuple[Store, str]:
    scheme, separator, rest = url.partition("://")
    if not separator:
        place = os.path.expanduser(url)
        if not os.path.isabs(place):  # whose working directory would be meant? not the service's
            raise Invalid(f"'{url[:200]}' is neither a URL nor an absolute path.")
        return Store(name or "this machine", "file", "/"), os.path.normpath(place).lstrip("/")
    protocol = _ALIASES.get(scheme.lower(), scheme.lower())
    if "::" in url:
        raise Unsupported(f"The URL {mask_url(url)} chains file systems, which Penstock can't read. Name the place itself.")
    if protocol in _NOT_HERE:
        raise Unsupported(f"The URL {mask_url(url)} {_NOT_HERE[protocol]}")
    if protocol in ("http", "https"):
        return _web_store(url, dict(options or {}), name)
    if protocol == "file":
        return Store(name or "this machine", "file", "/"), rest.removeprefix("localhost").lstrip("/")
    if protocol == "abfs":
        return _azure_url(url, dict(options or {}), name)
    if protocol in _WITH_HOSTS:
        return _host_store(protocol, url, dict(options or {}), name)
    bucket, _, path = rest.partition("/")
    return Store(name or bucket or protocol, protocol, bucket, dict(options or {})), path.lstrip("/")


def store_at(name: str, url: str, options: Mapping[str, Any] | None = None) -> Store:
    """Return the store whose root is the place that a URL or a local path names; the errors are those of `store_of_url`."""
    store, path = store_of_url(url, options, name)
    path = path.rstrip("/")
    return replace(store, root=f"{store.root.rstrip('/')}/{path}") if path else store


def _web_store(url: str, options: dict[str, Any], name: str | None) -> tuple[Store, str]:
    parts = urlsplit(url)
    if not parts.hostname:
        raise Invalid(f"The URL {mask_url(url)} names no host.")
    blob = _BLOB_HOST.fullmatch(parts.hostname)
    if blob:
        return _blob_url(url, blob, name)
    if parts.password or parts.username:
        raise Invalid(
            f"The URL {mask_url(url)} holds a password, which would be kept in clear with the dataset."
            " Register the place with Datastore.register_fsspec, and name the path on that datastore."
        )
    path = url.partition("://")[2].partition("/")[2]
    return Store(name or parts.hostname, "http", f"{parts.scheme}://{parts.netloc}", options), path


def _blob_url(url: str, blob: re.Match[str], name: str | None) -> tuple[Store, str]:
    """A container that everybody may read is read as a container: folders and patterns work."""
    parts = urlsplit(url)
    if re.search(r"(^|&)sig=", parts.query):
        raise Invalid(
            f"The URL {mask_url(url)} holds a shared access signature, which would be kept in clear with the dataset."
            " Register the container with Datastore.register_azure_blob_container(..., sas_token=...), and name the path on that datastore."
        )
    container, _, path = unquote(parts.path).strip("/").partition("/")
    if not path:
        container, path = "$root", container
    return _anonymous(name or str(parts.hostname), blob, container, parts.scheme), path


def _azure_url(url: str, options: dict[str, Any], name: str | None) -> tuple[Store, str]:
    scheme, _, rest = url.partition("://")
    place, _, path = rest.partition("/")
    container, _, host = place.partition("@")
    if not host:  # abfs://container/path, the account among the options
        return Store(name or container, "abfs", container, options), path.lstrip("/")
    blob = _BLOB_HOST.fullmatch(host.lower())
    if not container or not blob:
        raise Invalid(f"The URL {mask_url(url)} must name a container and an account: {scheme}://container@account.blob.{_SUFFIX}/path.")
    if options:
        facts = {"account_name": blob["account"], "account_host": f"{blob['account']}.blob.{blob['suffix']}"}
        return Store(name or host, "abfs", container, {**facts, **options}), path.lstrip("/")
    return _anonymous(name or host, blob, container, "https"), path.lstrip("/")


def _anonymous(name: str, blob: re.Match[str], container: str, scheme: str) -> Store:
    return _azure(name, container, f"{scheme}://{blob['account']}.blob.{blob['suffix']}", blob["account"], {}, {})


def _host_store(protocol: str, url: str, options: dict[str, Any], name: str | None) -> tuple[Store, str]:
    parts = urlsplit(url)
    found = {"host": parts.hostname, "port": parts.port, "username": parts.username, "password": parts.password}
    given = {key: unquote(value) if isinstance(value, str) else value for key, value in found.items() if value is not None}
    share, _, path = parts.path.lstrip("/").partition("/") if protocol == "smb" else ("", "", parts.path.strip("/"))
    return Store(name or parts.hostname or protocol, protocol, f"/{share}", {**given, **options}), path


# Secrets


def is_secret(name: str) -> bool:
    """Tell whether an option's value is a secret, by the option's name."""
    words = set(re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()))
    return bool(words & _SECRET_WORDS) or "connection_string" in name.lower() or "sas" in words


def split_secrets(definition: Definition, secrets: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the definition of an fsspec datastore without its secrets, and these, each as JSON text.

    Secret are the options below `secrets` and those of the argument, those whose name says so or that hold such a name, and a password
    inside of the URL.

    Raises:
        Invalid: It has no URL, or its options are none.
    """
    options, hidden = _mapping(definition, "options"), {**_mapping(definition, "secrets"), **(secrets or {})}
    for name in [name for name, value in options.items() if is_secret(name) or _holds_secret(value)]:
        hidden[name] = options.pop(name)
    url, password = _without_password(_text(definition, "url"))
    if password:
        hidden.setdefault("password", password)
    rest = {key: value for key, value in definition.items() if key not in ("options", "secrets", "url")}
    return {**rest, "url": url, "options": options}, {name: json.dumps(value) for name, value in hidden.items()}


def _mapping(definition: Definition, name: str) -> dict[str, Any]:
    value = definition.get(name) or {}
    if not isinstance(value, Mapping):
        raise Invalid(f"The '{name}' of a datastore must be an object of names and values, not {type(value).__name__}.")
    return dict(value)


def _holds_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and any(is_secret(str(name)) or _holds_secret(item) for name, item in value.items())


def _without_password(url: str) -> tuple[str, str | None]:
    try:
        parts = urlsplit(url) if "://" in url else None
    except ValueError:
        raise Invalid(f"The URL {url.partition('?')[0].rpartition('@')[2][:200]} can't be one.") from None
    if parts is None or not parts.password:
        return url, None
    login, _, host = parts.netloc.rpartition("@")
    return url.replace(parts.netloc, f"{login.partition(':')[0]}@{host}", 1), unquote(parts.password)


def mask_url(url: str) -> str:
    """Return a URL as messages show it: without a password, and without its query, where signatures are."""
    return _without_password(url)[0].partition("?")[0][:200]

"""A store as messages call it and as the cache knows it: by its address, never by its secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.storage.stores import Store
from penstock.storage.stores.definitions import is_secret

_ENDPOINT = re.compile(r"(?:BlobEndpoint|AccountName|EndpointSuffix)=([^;]*)", re.IGNORECASE)
_SECRET_PARTS = re.compile(r"(?:AccountKey|SharedAccessSignature)=([^;]*)", re.IGNORECASE)
_SHORTEST_SECRET = 4  # shorter ones would mask every other word of a message

# What libraries write that nobody should read, wherever it comes from.
_LOOKS_SECRET = re.compile(
    r"((?:sig|signature|accountkey|sharedaccesssignature|x-amz-signature|x-amz-credential|x-amz-security-token|password|token|secret)=)[^&;\s'\"]+"
    r"|(authorization['\"]?\s*[:=]\s*['\"]?)[^'\"\n]+"
    r"|(://[^/\s:@]*:)[^/\s@]+(?=@)",
    re.IGNORECASE,
)


def describe(store: Store) -> str:
    """Return a store as a message calls it."""
    return f"the host '{store.name}'" if store.protocol in ("http", "https") else f"the datastore '{store.name}'"


def describe_path(store: Store, path: str) -> str:
    """Return a path as a message shows it; of a URL without its query, where signatures are."""
    return path.partition("?")[0] if store.protocol in ("http", "https") else path


def address_of(store: Store) -> str:
    """Return what tells this store from others, as text without secrets."""
    return json.dumps([store.protocol, store.root, _plain(store.options)], sort_keys=True, default=str)


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in options.items():
        if name == "connection_string":
            shown[name] = _ENDPOINT.findall(str(value))
        elif isinstance(value, Mapping):
            shown[name] = _plain(value)
        elif not is_secret(name):
            shown[name] = value
    return shown


def redact(store: Store, text: str) -> str:
    """Return a text without the secrets of a store, and without what looks like one."""
    for secret in sorted(set(_secrets(store.options)), key=len, reverse=True):
        text = text.replace(secret, "***")
    return _LOOKS_SECRET.sub(lambda found: f"{found[1] or found[2] or found[3]}***", text)


def _secrets(options: Mapping[str, Any], within: bool = False) -> Iterator[str]:
    for name, value in options.items():
        hidden = within or is_secret(str(name))
        if isinstance(value, Mapping):
            yield from _secrets(value, hidden)
        elif name == "connection_string":
            yield from (part for part in _SECRET_PARTS.findall(str(value)) if len(part) >= _SHORTEST_SECRET)
        elif hidden and isinstance(value, str) and len(value) >= _SHORTEST_SECRET:
            yield value

"""What stores and their libraries say when something fails, in our words: which store, which path, why, and what to do.

The libraries' errors are told by their names and their HTTP status, so that none of them has to be loaded for it.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import random
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from penstock.model.errors import Invalid, NotFound, PenstockError, Refused, Unavailable, Unsupported
from penstock.storage.stores import Store
from penstock.storage.stores.addresses import describe, describe_path, redact

log = logging.getLogger("penstock.storage")

T = TypeVar("T")

_DELAYS = (0.4, 1.0, 2.0)  # seconds before the second, third and fourth try
_LONGEST_SECONDS = 20.0  # after this, no further try is begun
_MOST_LETTERS = 300  # of what a library says

_TRANSIENT_STATUS = {408, 429, 500, 502, 503, 504}
_REFUSED_STATUS = {401, 403}
_CONNECTION = {  # base classes, by name
    "ConnectionError", "HTTPClientError", "EndpointConnectionError", "ConnectTimeoutError",  # Python, botocore
    "ClientConnectionError", "ClientPayloadError", "IncompleteRead",  # aiohttp, http.client
    "ServiceRequestError", "ServiceResponseError", "IncompleteReadError",  # azure.core
    "gaierror", "TimeoutError", "FSTimeoutError", "SSHException",
}  # fmt: skip
_CERTIFICATE = {"ClientConnectorCertificateError", "SSLCertVerificationError"}
_NO_CREDENTIALS = {
    "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "CredentialUnavailableError", "ClientAuthenticationError",
    "AzureSigningError", "AuthenticationException", "AuthenticationError", "LogonFailure",
}  # fmt: skip
_NO_CONTAINER = {"ContainerNotFound", "NoSuchBucket", "ContainerBeingDeleted", "ShareNotFound", "ContainerDisabled"}
_NOT_ALLOWED = {
    "PublicAccessNotPermitted", "InvalidAuthenticationInfo", "AuthenticationFailed", "AuthorizationFailure", "NoAuthenticationInformation",
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "AuthorizationHeaderMalformed", "ExpiredToken", "InvalidToken",
}  # fmt: skip
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class Changed(Exception):
    """The file is not the one that was listed any more."""


class Broken(ConnectionError):
    """Fewer bytes came than belong to the file, or others."""


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what caused it."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        item = pending.pop()
        if item is not None and id(item) not in seen:
            seen.add(id(item))
            yield item
            inner = getattr(item, "inner_exception", None)
            pending += [item.__cause__ or item.__context__, inner if isinstance(inner, BaseException) else None]


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for item in chain(error) for kind in type(item).__mro__}


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an error reports, if it reports one."""
    for item in chain(error):
        if "HttpProcessingError" in {kind.__name__ for kind in type(item).__mro__}:
            continue  # aiohttp's own word for an answer that broke off: no server said so
        response = getattr(item, "response", None)
        if isinstance(response, dict):  # botocore
            return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) or None
        for name in ("status_code", "status", "code"):
            value = getattr(item, name, None)
            if isinstance(value, int) and 100 <= value < 600:
                return value
    return None


def code_of(error: BaseException) -> str:
    """Return the store's own word for an error, such as ContainerNotFound; '' without one."""
    for item in chain(error):
        response = getattr(item, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        if word := getattr(item, "error_code", None):
            return str(getattr(word, "value", word))
    return ""


def is_transient(error: BaseException) -> bool:
    """Tell whether the same request may well succeed in a moment."""
    if isinstance(error, PenstockError | Changed):
        return False
    names = _names(error)
    if names & _CERTIFICATE:
        return False
    status = status_of(error)
    return status in _TRANSIENT_STATUS if status is not None else bool(names & _CONNECTION)


async def persistently(work: Callable[[], Awaitable[T]]) -> T:
    """Do some work; where its failure may pass, try again a few times, later and later."""
    began = time.monotonic()
    for delay in _DELAYS:
        try:
            return await work()
        except Exception as error:
            if not is_transient(error) or time.monotonic() - began > _LONGEST_SECONDS:
                raise
        await asyncio.sleep(delay * random.uniform(0.75, 1.25))  # noqa: S311 - so that many do not come back at once
    return await work()


def explain(store: Store, path: str, verb: str, error: BaseException) -> PenstockError:
    """Return what a failure means.

    Args:
        store: Where it happened.
        path: What was being worked on; '' for the store itself.
        verb: What could not be done: 'read', 'written', 'listed', 'removed'.
        error: What the library raised.
    """
    if isinstance(error, PenstockError):
        return error
    where, shown = describe(store), describe_path(store, path)
    what = f"'{shown}' on {where} can't be {verb}" if shown else f"{where[0].upper()}{where[1:]} can't be {verb}"
    about = {"datastore": store.name, "path": shown}
    kind, reason = _reason(store, path, error)
    return kind(f"{what}: {reason}", **about)


def _reason(store: Store, path: str, error: BaseException) -> tuple[type[PenstockError], str]:
    """Return which of our errors this is, and why and what to do as a text."""
    status, code, names = status_of(error), code_of(error), _names(error)
    said = _said(store, error)
    if isinstance(error, Changed):
        return Unavailable, "it changed while it was being read. Nothing of it was kept; try again."
    if code in _NO_CONTAINER or (status == 404 and not path):
        container = store.root.partition("/")[0]
        return NotFound, f"there is no '{container}' there. Create it, or register the datastore again with the right name."
    if status in _REFUSED_STATUS or code in _NOT_ALLOWED or names & _NO_CREDENTIALS:
        return Refused, f"access was refused ({code or status or said}). {_mend_credentials(store)}"
    if status == 404 or "FileNotFoundError" in names:
        return NotFound, "it is not there. Check the path, and list what is there."
    if status in (409, 412, 416):
        return Refused, f"it is being changed by someone else ({code or status}). Try again when that is over."
    if names & _CERTIFICATE:
        return (
            Unavailable,
            f"its certificate is not trusted ({said}). Name the file of its authority with SSL_CERT_FILE, and restart the service.",
        )
    if is_transient(error):
        tried = f"tried {1 + len(_DELAYS)} times"
        return Unavailable, f"{_say_trouble(status, code, names, said)}; {tried}. Check that it can be reached from here, and try again."
    if status is not None:
        return Unavailable, f"it answered {status} {code or said}. Check how the datastore is registered, and try again."
    if isinstance(error, NotImplementedError):
        return Unsupported, f"the file system '{store.protocol}' can't do that. {said}".strip()
    if isinstance(error, PermissionError):
        return Refused, f"access was refused ({said}). {_mend_credentials(store)}"
    _log_unforeseen(store, error)
    if isinstance(error, TypeError | ValueError | KeyError | AttributeError):
        return Invalid, f"{said}. Check the options that the datastore was registered with."
    return Unavailable, f"{said}. Try again; if it stays so, check how the datastore is registered."


def _log_unforeseen(store: Store, error: BaseException) -> None:
    """Keep where it came from: it may be a mistake of ours and none of the datastore's."""
    log.warning("store.unforeseen store=%s\n%s", store.name, redact(store, "".join(traceback.format_exception(error))))


def _mend_credentials(store: Store) -> str:
    if store.protocol in ("http", "https"):
        return "Name a URL that needs no login, or register the host with Datastore.register_fsspec and its credentials."
    return "Check its credentials, and register the datastore again with overwrite=True."


def _say_trouble(status: int | None, code: str, names: set[str], said: str) -> str:
    if status is not None:
        return f"it answered {status} {code}".strip()
    if "Broken" in names:
        return said
    return f"the connection failed ({said})"


def is_missing_container(error: BaseException) -> bool:
    """Tell whether a store says that the container or bucket itself does not exist."""
    return code_of(error) in _NO_CONTAINER


def _said(store: Store, error: BaseException) -> str:
    """Return what a library said: its first line, without secrets."""
    text = next((line for line in str(error).splitlines() if line.strip()), "").strip()
    return redact(store, f"{type(error).__name__}: {text}" if text else type(error).__name__)[:_MOST_LETTERS].rstrip(".")


def explain_disk(error: OSError, target: str) -> PenstockError:
    """Return what it means that a file of this machine can't be written."""
    what = f"{target} can't be written: {error.strerror or error}."
    if error.errno in _NO_ROOM:
        return Unavailable(f"{what} Nothing half-written was left; free some room and try again.")
    return Refused(f"{what} Mend the permissions there, or choose another place.")

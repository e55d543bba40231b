"""What is said of a failure, and what is tried again: told by the shape of the libraries' errors."""

from __future__ import annotations

import asyncio
import errno

import pytest

from penstock.model.errors import Invalid, NotFound, PenstockError, Refused, Unavailable
from penstock.storage.stores import Store
from penstock.storage.stores import failures as rules
from penstock.storage.stores.addresses import redact
from penstock.storage.stores.failures import Broken, Changed, explain, explain_disk, is_transient, persistently

KEY = "c2VjcmV0LWtleS1vZi10aGUtYWNjb3VudA=="
STORE = Store(
    "mydata", "abfs", "container", {"account_name": "acc", "account_key": KEY, "client_kwargs": {"headers": {"x-token": "t0ps3cret"}}}
)


class HttpError(Exception):
    """As azure's and aiohttp's: a status, and maybe a word."""

    def __init__(self, status: int, word: str = "", text: str = "") -> None:
        super().__init__(text)
        self.status_code, self.error_code = status, word


class ClientError(Exception):
    """As botocore's."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"An error occurred ({code})")
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}, "Error": {"Code": code}}


class EndpointConnectionError(Exception):
    """As botocore's, which is no OSError."""


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (HttpError(404, "ContainerNotFound"), NotFound, "there is no 'container' there"),
        (ClientError(404, "NoSuchBucket"), NotFound, "there is no 'container' there"),
        (HttpError(404, "BlobNotFound"), NotFound, "it is not there"),
        (FileNotFoundError("x"), NotFound, "it is not there"),
        (HttpError(403, "AuthenticationFailed"), Refused, "access was refused (AuthenticationFailed)"),
        (ClientError(403, "SignatureDoesNotMatch"), Refused, "register the datastore again"),
        (HttpError(409, "PublicAccessNotPermitted"), Refused, "access was refused"),
        (HttpError(412, "ConditionNotMet"), Refused, "is being changed"),
        (HttpError(503, "ServerBusy"), Unavailable, "it answered 503 ServerBusy; tried 4 times"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), Unavailable, "the connection failed"),
        (EndpointConnectionError("Could not connect"), Unavailable, "the connection failed"),
        (Broken("the connection ended after 3 of 5 bytes"), Unavailable, "after 3 of 5 bytes"),
        (Changed(), Unavailable, "changed while it was being read"),
        (TypeError("unexpected keyword 'x'"), Invalid, "the options"),
        (HttpError(418), Unavailable, "it answered 418"),
    ],
)
def test_each_failure_in_our_words(error: Exception, kind: type[PenstockError], says: str) -> None:
    told = explain(STORE, "a/b.csv", "read", error)
    assert type(told) is kind
    assert told.message.startswith("'a/b.csv' on the datastore 'mydata' can't be read: ")
    assert says in told.message


def test_the_cause_tells_when_the_error_itself_does_not() -> None:
    error = OSError("wrapped")
    error.__cause__ = ClientError(404, "NoSuchBucket")
    assert isinstance(explain(STORE, "", "listed", error), NotFound)


@pytest.mark.parametrize(
    "text",
    [
        f"AccountKey={KEY};more",
        f"signed with {KEY} here",
        "https://x/y?sv=1&sig=abc%2Bdef%3D&se=2",
        "SharedAccessSignature=sv=1&sig=abc%2Bdef%3D",
        "https://me:abc%2Bdef%3D@host/path",
        "X-Amz-Signature=abc%2Bdef%3D",
        "'Authorization': 'SharedKey acc:abc%2Bdef%3D'",
        "header x-token t0ps3cret",
    ],
)
def test_no_secret_is_said(text: str) -> None:
    for shown in (redact(STORE, text), explain(STORE, "x", "read", ValueError(text)).message):
        assert not any(secret in shown for secret in (KEY, "abc%2Bdef%3D", "t0ps3cret"))


def test_a_url_is_shown_without_its_query() -> None:
    store = Store("example.org", "https", "https://example.org")
    assert "sig" not in explain(store, "a.csv?sig=abc", "read", HttpError(404)).message


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass(status: int) -> None:
    assert is_transient(HttpError(status))
    assert is_transient(ClientError(status, "x"))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 501])
def test_what_will_not_pass(status: int) -> None:
    assert not is_transient(HttpError(status))


def test_a_certificate_that_is_not_trusted_does_not_pass() -> None:
    import ssl

    error = ConnectionError("no")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed")
    assert not is_transient(error)
    assert "SSL_CERT_FILE" in explain(STORE, "x", "read", error).message


@pytest.mark.parametrize(("failures", "tries"), [(0, 1), (2, 3), (3, 4)])
def test_work_is_done_again_a_few_times(failures: int, tries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_DELAYS", (0, 0, 0))
    done: list[int] = []

    async def work() -> int:
        done.append(1)
        if len(done) <= failures:
            raise ConnectionResetError
        return len(done)

    assert asyncio.run(persistently(work)) == tries


@pytest.mark.parametrize(
    ("error", "tries"), [(ConnectionResetError(), 4), (HttpError(403), 1), (Changed(), 1), (Unavailable("disk full"), 1)]
)
def test_work_is_not_done_for_ever(error: Exception, tries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_DELAYS", (0, 0, 0))
    done: list[int] = []

    async def work() -> None:
        done.append(1)
        raise error

    with pytest.raises(type(error)):
        asyncio.run(persistently(work))
    assert len(done) == tries


def test_a_full_disk_is_called_so() -> None:
    told = explain_disk(OSError(errno.ENOSPC, "No space left on device"), "/data/x")
    assert isinstance(told, Unavailable)
    assert "/data/x" in told.message

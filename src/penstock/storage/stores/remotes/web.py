"""Files of a web server, by their URLs. It can't be listed, and is not written to."""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from typing import Any

import aiohttp
import yarl

from penstock.model.errors import Unsupported
from penstock.storage.stores import Found, Store
from penstock.storage.stores.addresses import describe
from penstock.storage.stores.failures import Broken, Changed
from penstock.storage.stores.remotes import Write
from penstock.storage.stores.times import format_time

_PIECE = 1 << 18
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
_PLAIN = {"Accept-Encoding": "identity"}  # packed on the way, a file would have neither its size nor its ranges


class Web:
    """The files of one host."""

    width = 16
    read_bytes = 0
    can_list = False

    def __init__(self, store: Store, session: aiohttp.ClientSession, asked: Mapping[str, Any]) -> None:
        self._store = store
        self._session = session
        self._asked = asked

    @classmethod
    async def open(cls, store: Store) -> Web:
        """Return a host; the options are fsspec's for http."""
        options = dict(store.options)
        session = {"timeout": _TIMEOUT, "trust_env": True, **options.pop("client_kwargs", {})}
        return cls(store, aiohttp.ClientSession(**session), options)

    def _ask(self, method: str, path: str, **headers: str) -> Any:
        url = yarl.URL(f"{self._store.root.rstrip('/')}/{path}", encoded="%" in path)
        given = self._asked.get("headers", {})
        return self._session.request(method, url, **{**self._asked, "headers": {**given, **_PLAIN, **headers}})

    async def page(self, prefix: str, is_flat: bool, after: Any) -> tuple[list[Found], Any]:
        """Refuse: nobody can say what a web server holds."""
        raise Unsupported(f"The files of {describe(self._store)} can't be listed over http. Name each file by its URL.")

    async def find(self, path: str) -> Found | None:
        """Return what the server says of a file; servers that refuse HEAD are asked for the file itself, and not listened to."""
        for method in ("HEAD", "GET"):
            async with self._ask(method, path) as answer:
                if answer.status in (404, 410):
                    return None
                if method == "GET" or answer.status < 400 or answer.status >= 500:
                    answer.raise_for_status()
                    return _found(path, answer.headers)
        return None

    async def read(self, file: Found, start: int, length: int, write: Write) -> None:
        """Pass bytes of a file on; where a server ignores the wish for a part, what comes before it is left out."""
        async with self._ask("GET", file.path, **({"Range": f"bytes={start}-"} if start else {})) as answer:
            answer.raise_for_status()
            if answer.status != 206 and file.token and _found(file.path, answer.headers).token != file.token:
                raise Changed
            if answer.status == 206 and _tag(answer.headers) not in ("", file.token):
                raise Changed
            aside = start if answer.status != 206 else 0
            async for piece in answer.content.iter_chunked(_PIECE):
                write(piece[aside:])
                aside = max(aside - len(piece), 0)
            if aside:
                raise Broken("the file became shorter")

    async def put_file(self, path: str, source: str) -> None:
        """Refuse."""
        raise self._no_writing()

    async def delete(self, path: str) -> None:
        """Refuse."""
        raise self._no_writing()

    async def make(self) -> None:
        """Nothing to make."""

    def _no_writing(self) -> Unsupported:
        return Unsupported(f"{describe(self._store)[4:].capitalize()} is read over http; nothing can be written there. Choose a datastore.")


def _tag(headers: Mapping[str, str]) -> str:
    tag = headers.get("ETag", "").removeprefix("W/").strip('"')
    return f"etag:{tag}" if tag else ""


def _found(path: str, headers: Mapping[str, str]) -> Found:
    packed = headers.get("Content-Encoding", "identity") != "identity"
    length = headers.get("Content-Length", "")
    size = int(length) if length.isdigit() and not packed else -1
    modified = _modified_at(headers.get("Last-Modified", ""))
    token = _tag(headers) or (f"modified:{modified}:{size}" if modified and size >= 0 else "")
    return Found(path, size, token, modified)


def _modified_at(text: str) -> str | None:
    try:
        return format_time(email.utils.parsedate_to_datetime(text))
    except (ValueError, TypeError):
        return None

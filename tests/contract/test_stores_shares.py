"""File shares. No emulator has them, so a small server speaks as much of their REST protocol as is documented and we use."""

from __future__ import annotations

import email.utils
import http.server
import os
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from tests.parts.azurite import KEY

from penstock.model.errors import NotFound
from penstock.storage.stores import Store
from penstock.storage.stores.home_stores import HomeStores


class _Share(http.server.BaseHTTPRequestHandler):
    """One account with the share 'share', its files below `root`."""

    protocol_version = "HTTP/1.1"
    root: Path

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep quiet."""

    def do_any(self) -> None:
        """Answer a request."""
        parts = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(parts.query))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _, share, *names = urllib.parse.unquote(parts.path).strip("/").split("/")
        self.place = self.root.joinpath(*names)
        if share != "share":
            return self.answer(404, code="ShareNotFound")
        verb = self.query.get("comp") or self.query.get("restype") or "file"
        return getattr(self, f"{self.command.lower()}_{verb}")()

    do_GET = do_HEAD = do_PUT = do_DELETE = do_any  # noqa: N815

    def answer(self, status: int, body: bytes = b"", code: str = "", **headers: str) -> None:
        """Send an answer."""
        self.send_response(status)
        if code:
            headers["x-ms-error-code"] = code
            body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
            headers["Content-Type"] = "application/xml"
        for name, value in {"x-ms-version": "2021-08-06", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def stamps(self, place: Path) -> dict[str, str]:
        about = place.stat()
        modified = email.utils.formatdate(about.st_mtime, usegmt=True)
        return {"ETag": f'"0x{about.st_mtime_ns:X}"', "Last-Modified": modified, "x-ms-type": "File"}

    def get_list(self) -> None:
        if not self.place.is_dir():
            return self.answer(404, code="ResourceNotFound")
        entries = "".join(
            f"<Directory><Name>{escape(path.name)}</Name><Properties/></Directory>"
            if path.is_dir()
            else f"<File><Name>{escape(path.name)}</Name><Properties><Content-Length>{path.stat().st_size}</Content-Length>"
            f"<Last-Modified>{self.stamps(path)['Last-Modified']}</Last-Modified><Etag>{escape(self.stamps(path)['ETag'])}</Etag>"
            "</Properties></File>"
            for path in self.place.iterdir()
        )
        head = '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="x" ShareName="share" DirectoryPath="">'
        body = f"{head}<Prefix/><Entries>{entries}</Entries><NextMarker/></EnumerationResults>"
        return self.answer(200, body.encode(), Content_Type="application/xml")

    def put_directory(self) -> None:
        if self.place.is_dir():
            return self.answer(409, code="ResourceAlreadyExists")
        if not self.place.parent.is_dir():
            return self.answer(404, code="ParentNotFound")
        self.place.mkdir()
        return self.answer(201)

    def put_file(self) -> None:
        if not self.place.parent.is_dir():
            return self.answer(404, code="ParentNotFound")
        self.place.write_bytes(b"\0" * int(self.headers["x-ms-content-length"]))
        return self.answer(201)

    def put_range(self) -> None:
        first = int(self.headers["x-ms-range"].removeprefix("bytes=").split("-")[0])
        with open(self.place, "r+b") as file:
            file.seek(first)
            file.write(self.body)
        self.answer(201)

    def put_properties(self) -> None:
        self.answer(200)

    def put_rename(self) -> None:
        source = urllib.parse.unquote(urllib.parse.urlsplit(self.headers["x-ms-file-rename-source"]).path)
        if self.place.exists() and self.headers.get("x-ms-file-rename-replace-if-exists") != "true":
            return self.answer(409, code="ResourceAlreadyExists")
        os.replace(self.root.joinpath(*source.strip("/").split("/")[2:]), self.place)
        return self.answer(200)

    def head_file(self) -> None:
        if not self.place.is_file():
            return self.answer(404, code="ResourceNotFound")
        self.send_response(200)
        for name, value in {**self.stamps(self.place), "Content-Length": str(self.place.stat().st_size)}.items():
            self.send_header(name, value)
        return self.end_headers()

    def get_file(self) -> None:
        if not self.place.is_file():
            return self.answer(404, code="ResourceNotFound")
        data = self.place.read_bytes()
        first, _, last = self.headers["x-ms-range"].removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last) + 1 if last else len(data), len(data))
        return self.answer(206, data[start:end], **self.stamps(self.place), Content_Range=f"bytes {start}-{end - 1}/{len(data)}")

    def delete_file(self) -> None:
        if not self.place.is_file():
            return self.answer(404, code="ResourceNotFound")
        self.place.unlink()
        return self.answer(202)


@pytest.fixture
def share(tmp_path: Path) -> Iterator[Store]:
    pytest.importorskip("azure.storage.fileshare", reason="the package azure-storage-file-share is not installed")
    (tmp_path / "share").mkdir()
    handler = type("Handler", (_Share,), {"root": tmp_path / "share"})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}/acc"
    yield Store("mydata", "azfile", "share", {"connection_string": f"FileEndpoint={address};AccountName=acc;AccountKey={KEY}"})
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[HomeStores]:
    (tmp_path / "home").mkdir()
    made = HomeStores(tmp_path / "home", 2**30)
    yield made
    made.close()


def test_files_of_a_share(stores: HomeStores, share: Store, tmp_path: Path) -> None:
    contents = {"a/b/large.bin": os.urandom(10_000_000), "a/b/it's 100% ü.txt": b"small", "a/empty": b"", "top.csv": b"x"}
    files = []
    for number, (path, data) in enumerate(contents.items()):
        (tmp_path / str(number)).write_bytes(data)
        files.append((str(tmp_path / str(number)), path))
    for overwrite in (False, True):
        assert [(item.path, item.size) for item in stores.put(share, files, overwrite)] == [
            (path, len(contents[path])) for path in contents
        ]
    found = stores.list(share, "")
    assert [item.path for item in found] == sorted(contents)
    assert [Path(path).read_bytes() for path in stores.fetch(share, found)] == [contents[item.path] for item in found]
    assert [item.path for item in stores.list(share, "a/*")] == ["a/empty"]
    assert [item.path for item in stores.list(share, "**/*.txt")] == ["a/b/it's 100% ü.txt"]
    assert [item.path for item in stores.list_prefix(share, "a/b/l")] == ["a/b/large.bin"]
    assert stores.list(share, "a/b/large.bin")[0].token == found[1 if found[1].path.endswith("bin") else 0].token
    stores.delete(share, ["top.csv", "a/never"])
    assert stores.list(share, "top.csv") == []
    assert sorted(path.name for path in (tmp_path / "share").rglob("*") if path.is_file()) == ["empty", "it's 100% ü.txt", "large.bin"]


def test_a_share_that_does_not_exist(stores: HomeStores, share: Store) -> None:
    with pytest.raises(NotFound, match="there is no 'other' there"):
        stores.list(Store("mydata", "azfile", "other", share.options), "a")

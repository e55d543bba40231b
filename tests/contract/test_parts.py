"""The real parts themselves: they start, hold what is put into them, and fail as they are told to."""

from __future__ import annotations

import contextlib
import http.client
import socket
import urllib.parse
from pathlib import Path

from tests.parts.azurite import Azurite
from tests.parts.postgres import Postgres
from tests.parts.proxy import proxy_to
from tests.parts.s3 import S3Server
from tests.parts.web import HttpServer


def test_azurite_holds_blobs(azurite: Azurite) -> None:
    from azure.storage.blob import ContainerClient

    name = azurite.new_container()
    with ContainerClient(azurite.endpoint, name, credential=azurite.sas_token(name)) as client:
        client.upload_blob("a/b.txt", b"x")
    assert azurite.names(name) == ["a/b.txt"]


def test_s3_holds_objects(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    s3_server.client().put_object(Bucket=bucket, Key="a/b.txt", Body=b"x")
    assert s3_server.names(bucket) == ["a/b.txt"]


def test_postgres_holds_rows(postgres: Postgres) -> None:
    import psycopg

    database = postgres.new_database()
    postgres.execute("create table numbers as select generate_series(1, 3) as n", database)
    with psycopg.connect(postgres.url(database).replace("+psycopg", "")) as connection:
        assert connection.execute("select sum(n) from numbers").fetchone() == (6,)


def get(url: str, **headers: str) -> tuple[int, bytes]:
    """Ask for a URL; return the status and the body."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    with contextlib.closing(connection):
        connection.request("GET", parts.path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_the_web_server_gives_files_and_parts(http_server: HttpServer) -> None:
    folder, url = http_server.new_folder()
    (folder / "a b.txt").write_bytes(b"0123456789")
    assert get(f"{url}/a%20b.txt", Range="bytes=2-4") == (206, b"234")
    assert http_server.count(folder / "a b.txt") == 1
    http_server.answer(folder / "a b.txt", 503, times=1)
    assert get(f"{url}/a%20b.txt") == (503, b"")
    assert get(f"{url}/a%20b.txt") == (200, b"0123456789")


def test_a_connection_drops_where_it_is_told(http_server: HttpServer, tmp_path: Path) -> None:
    folder, url = http_server.new_folder()
    (folder / "a").write_bytes(b"x" * 100_000)
    with proxy_to(http_server.port) as proxy:
        proxy.cut(5_000, times=1)
        with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
            connection.sendall(f"GET /{url.rsplit('/', 1)[1]}/a HTTP/1.0\r\n\r\n".encode())
            received = b""
            while data := connection.recv(65536):
                received += data
        assert 0 < len(received) < 5_000

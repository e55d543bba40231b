from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import pytest

from penstock.client import transport
from penstock.compile import snapshots
from penstock.compile.manifests import Entry, manifest_digest
from penstock.compile.snapshots import take_snapshot, upload_snapshot
from penstock.model.errors import Invalid, NotFound, Refused, TooLarge
from penstock.operations import blobs


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# Source folders


def test_only_new_files_travel(rest: Any, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print(1)")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.sh").write_text("true")
    os.chmod(tmp_path / "sub" / "b.sh", 0o700)
    snapshot = take_snapshot(str(tmp_path))
    digests = [entry.digest for entry in snapshot.files]
    assert rest.client.missing_blobs(digests) == digests
    upload_snapshot(rest.client, snapshot)
    assert rest.client.missing_blobs([*digests, "0" * 64]) == ["0" * 64]
    assert blobs.get_snapshot(rest.context, snapshot.digest) == snapshot.files
    assert blobs.blob_path(rest.context, digests[0]).read_bytes() == b"print(1)"
    upload_snapshot(rest.client, snapshot)


def test_large_blob_is_streamed(rest: Any) -> None:
    data = os.urandom(900_000)
    rest.client.put_blob(sha256(data), io.BytesIO(data))
    assert blobs.blob_path(rest.context, sha256(data)).read_bytes() == data


def test_blob_with_another_digest_leaves_nothing(rest: Any) -> None:
    digest = sha256(b"right")
    with pytest.raises(Invalid, match="nothing was stored"):
        rest.client.put_blob(digest, b"wrong")
    assert not blobs.blob_path(rest.context, digest).exists()
    assert os.listdir(rest.home.blobs / "incoming") == []


def test_blob_that_is_too_large(rest: Any) -> None:
    with pytest.raises(TooLarge, match="snapshot_bytes"):
        rest.client.put_blob(sha256(b""), b"x" * 1_000_001)
    rest.client.service_info()


def frames(*files: bytes) -> bytes:
    return b"".join(f"{sha256(data)} {len(data)}\n".encode() + data for data in files)


def send(rest: Any, body: bytes) -> Any:
    return b"".join(rest.client._transport.stream("POST", "/blobs", body=io.BytesIO(body)))


def test_small_files_travel_together(rest: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = transport.Transport.stream

    def stream(self: transport.Transport, method: str, path: str, **more: Any) -> Any:
        asked.append(path)
        return real(self, method, path, **more)

    monkeypatch.setattr(transport.Transport, "stream", stream)
    monkeypatch.setattr(snapshots, "_SMALL_BYTES", 300_000)
    for number in range(200):
        (tmp_path / f"{number}.py").write_bytes(f"print({number})\n".encode() * number)
    (tmp_path / "large.bin").write_bytes(os.urandom(400_000))
    snapshot = take_snapshot(str(tmp_path))
    upload_snapshot(rest.client, snapshot)
    assert asked == ["/blobs", f"/blobs/{sha256((tmp_path / 'large.bin').read_bytes())}"]
    assert rest.client.missing_blobs([entry.digest for entry in snapshot.files]) == []
    for entry in snapshot.files:
        assert blobs.blob_path(rest.context, entry.digest).read_bytes() == (tmp_path / entry.path).read_bytes()


def test_blobs_that_are_there_are_passed_over(rest: Any) -> None:
    old, new = os.urandom(1000), os.urandom(1000)
    rest.client.put_blob(sha256(old), old)
    before = blobs.blob_path(rest.context, sha256(old)).stat()
    assert send(rest, frames(old, b"", new, old)) == b'{"count":4}'
    assert blobs.blob_path(rest.context, sha256(new)).read_bytes() == new
    assert blobs.blob_path(rest.context, sha256(old)).stat() == before


@pytest.mark.parametrize("piece", [1, 7, 64, 65, 66, 70])
def test_blobs_come_in_any_pieces(rest: Any, piece: int) -> None:
    files = [os.urandom(size) for size in (0, 1, 100, 65, 3)]
    body = frames(*files)
    with blobs.IncomingBlobs(rest.context) as incoming:
        for start in range(0, len(body), piece):
            incoming.write(body[start : start + piece])
        incoming.finish()
    assert [blobs.blob_path(rest.context, sha256(data)).read_bytes() for data in files] == files


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda good: good[:-1], "in the middle of its file number 2"),
        (lambda good: good[:70], "in the middle of its file number 1"),
        (lambda good: good + b"x", "in the middle of its file number 3"),
        (lambda good: good + b"x" * 200, "is not the line"),
        (lambda good: good + b"0" * 64 + b" -1\n", "is not the line"),
        (lambda good: good + b"0" * 64 + b" \xb2\n", "is not the line"),
        (lambda good: good + b"../../../x 1\nx", "is not a sha256"),
        (lambda good: good + b"0" * 64 + b" 1\nx", "nothing was stored"),
    ],
)
def test_blobs_that_are_none(rest: Any, spoil: Any, found: str) -> None:
    with pytest.raises(Invalid, match=found):
        send(rest, spoil(frames(os.urandom(200), os.urandom(200))))
    assert os.listdir(rest.home.blobs / "incoming") == []


def test_blobs_that_are_too_many(rest: Any) -> None:
    with pytest.raises(TooLarge, match="snapshot_bytes"):
        send(rest, frames(*(os.urandom(100_000) for _ in range(11))))
    rest.client.service_info()


@pytest.mark.parametrize("digest", ["", "x", "A" * 64, "0" * 63, "../" + "0" * 61])
def test_blob_with_no_digest(rest: Any, digest: str) -> None:
    with pytest.raises((Invalid, NotFound)):
        rest.client.put_blob(digest, b"")
    with pytest.raises(Invalid):
        rest.client.missing_blobs([digest])


def test_snapshot_needs_its_bytes(rest: Any) -> None:
    entry = Entry("a.py", 3, sha256(b"never sent"))
    with pytest.raises(NotFound, match="1 files of the snapshot were not sent") as caught:
        rest.client.put_snapshot(manifest_digest([entry]), [entry])
    assert caught.value.details["missing"] == [entry.digest]


@pytest.mark.parametrize("path", ["../a", "/etc/passwd", "a/../../b", "./a", "a//b", "", "a\0b"])
def test_snapshot_does_not_leave_its_folder(rest: Any, path: str) -> None:
    entry = Entry(path, 0, sha256(b""))
    with pytest.raises(Invalid):
        rest.client.put_snapshot(manifest_digest([entry]), [entry])


@pytest.mark.parametrize(
    "entry", [None, [], ["a", "1", "0" * 64, False], ["a", -1, "0" * 64, False], ["a", 1, "x", False], ["a", 1, "0" * 64, 1]]
)
def test_snapshot_entry_that_is_none(rest: Any, entry: Any) -> None:
    with pytest.raises(Invalid):
        rest.client._send("PUT", "/snapshots/" + "0" * 64, entries=[entry])


# Files of runs


@pytest.fixture
def run_id(rest: Any) -> str:
    return str(rest.client.create_run(rest.workspace_id, "e")["id"])


def test_file_comes_back(rest: Any, run_id: str, tmp_path: Path) -> None:
    data = os.urandom(2_000_000)
    (tmp_path / "in").write_bytes(data)
    rest.client.put_file(run_id, "outputs/sub/ä b?#%.bin", tmp_path / "in")
    rest.client.put_file(run_id, "stream", io.BytesIO(b"1234"))
    assert rest.client.list_files(run_id) == [{"name": "outputs/sub/ä b?#%.bin", "size": 2_000_000}, {"name": "stream", "size": 4}]
    assert rest.client.read_file(run_id, "outputs/sub/ä b?#%.bin") == data
    rest.client.download_file(run_id, "outputs/sub/ä b?#%.bin", tmp_path / "new" / "out")
    assert (tmp_path / "new" / "out").read_bytes() == data
    assert os.listdir(tmp_path / "new") == ["out"]


def test_file_is_replaced(rest: Any, run_id: str) -> None:
    rest.client.put_file(run_id, "f", io.BytesIO(b"old"))
    rest.client.put_file(run_id, "f", io.BytesIO(b"new!"))
    assert rest.client.read_file(run_id, "f") == b"new!"
    rest.client.put_file(run_id, "folder/below", io.BytesIO(b""))
    for name in ("f/below", "folder"):
        with pytest.raises(Refused, match="the same name"):
            rest.client.put_file(run_id, name, io.BytesIO(b""))
    assert os.listdir(rest.home.run_folder(run_id) / "incoming") == []


def test_missing_file_names_the_nearest(rest: Any, run_id: str, tmp_path: Path) -> None:
    rest.client.put_file(run_id, "outputs/model.pkl", io.BytesIO(b""))
    with pytest.raises(NotFound, match=r"Did you mean 'outputs/model\.pkl'"):
        rest.client.read_file(run_id, "outputs/modle.pkl")
    with pytest.raises(NotFound):
        rest.client.download_file(run_id, "nothing", tmp_path / "deep" / "x")
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/passwd", "//etc/passwd", "..", "a\0b", "x" * 300, "outputs/../../y", "%2e%2e/x"]
)
def test_hostile_names(rest: Any, run_id: str, name: str) -> None:
    rest.write(run_id, "metrics.jsonl", b"secret")
    for call in (lambda: rest.client.read_file(run_id, name), lambda: rest.client.put_file(run_id, name, io.BytesIO(b"x"))):
        if name.startswith("%") and call.__code__.co_names[1] == "put_file":
            continue  # a harmless name: it is not decoded twice
        with pytest.raises((Invalid, NotFound)):
            call()


def test_link_does_not_lead_out(rest: Any, run_id: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    outputs = rest.write(run_id, "work/outputs/mine", b"m").parent
    (outputs / "link").symlink_to(tmp_path / "secret")
    (outputs / "inside").symlink_to(outputs / "mine")
    assert [item["name"] for item in rest.client.list_files(run_id)] == ["outputs/inside", "outputs/mine"]
    assert rest.client.read_file(run_id, "outputs/inside") == b"m"
    with pytest.raises(Invalid, match="symbolic link"):
        rest.client.read_file(run_id, "outputs/link")


def test_live_files_and_logs(rest: Any, chain: Any) -> None:
    step = rest.submit(chain(1))["steps"][0]["id"]
    rest.write(step, "work/outputs/a.txt", b"live")
    rest.write(step, "work/logs/b.txt", b"log")
    rest.write(step, "work/other.txt", b"private")
    rest.write(step, "user_logs/std_log.txt", b"line 1\nline 2\n")
    sizes = {item["name"]: item["size"] for item in rest.client.list_files(step)}
    assert set(sizes) == {
        *("outputs/a.txt", "logs/b.txt", "user_logs/std_log.txt", "azureml-logs/70_driver_log.txt"),
        *("logs/azureml/executionlogs.txt", "logs/azureml/stdoutlogs.txt", "logs/azureml/stderrlogs.txt"),
    }
    assert all(len(rest.client.read_file(step, name)) == size for name, size in sizes.items())
    assert rest.client.read_file(step, "outputs/a.txt") == b"live"
    rest.write(step, "files/outputs/a.txt", b"collected")
    assert rest.client.read_file(step, "outputs/a.txt") == b"collected"
    assert rest.client.read_file(step, "logs/azureml/stdoutlogs.txt") == b"line 1\nline 2\n"


def test_no_log_is_read_to_list_it(rest: Any, chain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from penstock.operations import files

    answer = rest.submit(chain(2))
    run, step = answer["run"]["id"], answer["steps"][0]["id"]
    error = '{"code": "UserError", "message": "schön"}'
    rest.execute("update runs set error = ?, name = 'größer' where id in (?, ?)", error, run, step)
    os.truncate(rest.write(step, "user_logs/std_log.txt", b""), 10**9)
    monkeypatch.setattr(files, "_read_whole", lambda path: pytest.fail("it was read"))
    listed = {run_id: {item["name"]: item["size"] for item in rest.client.list_files(run_id)} for run_id in (run, step)}
    assert listed[step]["logs/azureml/stdoutlogs.txt"] == listed[step]["user_logs/std_log.txt"] == 10**9
    assert "logs/azureml/stdoutlogs.txt" in listed[run]
    for run_id in (run, step):
        for name in ("logs/azureml/executionlogs.txt", "logs/azureml/stderrlogs.txt"):
            assert listed[run_id][name] == len(rest.client.read_file(run_id, name)) > 0


def test_log_is_followed_by_offset(rest: Any, chain: Any) -> None:
    step = rest.submit(chain(1))["steps"][0]["id"]
    for name in ("user_logs/std_log.txt", "azureml-logs/70_driver_log.txt"):
        rest.write(step, "user_logs/std_log.txt", b"line 1\n")
        first = rest.client.read_file(step, name)
        assert rest.client.read_file(step, name, offset=len(first)) == b""
        assert rest.client.read_file(step, name, offset=1000) == b""
        rest.write(step, "user_logs/std_log.txt", b"line 1\nline 2\n")
        assert rest.client.read_file(step, name, offset=len(first)) == b"line 2\n"


def test_log_of_a_pipeline_run_tells_its_events(rest: Any, chain: Any) -> None:
    run = rest.submit(chain(2))["run"]["id"]
    lines = rest.client.read_file(run, "logs/azureml/executionlogs.txt").decode().splitlines()
    assert len(lines) == 3
    assert "step 1" in lines[2]
    assert "NotStarted" in lines[2]


def test_reused_step_shows_the_original(rest: Any, chain: Any) -> None:
    first, second = rest.submit(chain(1)), rest.submit(chain(1), "other")
    original, reused = first["steps"][0]["id"], second["steps"][0]["id"]
    rest.write(original, "user_logs/std_log.txt", b"said")
    rest.write(original, "files/outputs/m", b"model")
    rest.client.log_metrics(original, [{"name": "a", "kind": "scalar", "value": 1}])
    made = '[{"name": "result", "datastore": "workspaceblobstore", "path": "azureml/x/result", "files": 2, "bytes": 9}]'
    rest.execute("update step_runs set outputs = ? where run_id = ?", made, original)
    rest.execute("update step_runs set reused_run_id = ?, reason = 'same' where run_id = ?", original, reused)
    assert rest.client.read_file(reused, "outputs/m") == b"model"
    assert rest.client.read_file(reused, "azureml-logs/70_driver_log.txt") == b"said"
    assert rest.client.list_metrics(second["run"]["id"], recursive=True)[reused][0]["name"] == "a"
    assert rest.client.get_run(reused)["reused"] == {
        "run_id": original,
        "node_id": "node0",
        "pipeline_run_id": first["run"]["id"],
        "experiment_name": "work",
    }
    output = {
        "name": "result",
        "datastore": "workspaceblobstore",
        "path": "azureml/x/result",
        "is_published": True,
        "pipeline_output_name": "final",
        "files": 2,
        "bytes": 9,
    }
    assert rest.client.list_outputs(reused) == [output]
    assert rest.client.list_outputs(second["run"]["id"]) == [{**output, "step_run_id": reused}]


def test_outputs_before_they_are_there(rest: Any, chain: Any) -> None:
    answer = rest.submit(chain(2))
    (output,) = rest.client.list_outputs(answer["steps"][0]["id"])
    assert (output["is_published"], output["path"], output["pipeline_output_name"]) == (False, None, None)
    assert [item["step_run_id"] for item in rest.client.list_outputs(answer["run"]["id"])] == [answer["steps"][1]["id"]]

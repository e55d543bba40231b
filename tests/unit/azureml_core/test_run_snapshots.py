"""Snapshots of interactive runs: taken, kept once, and got back."""

from __future__ import annotations

import os
import stat
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from azureml.core import Run
from azureml.exceptions import ServiceException, SnapshotException, UserErrorException


def names_in(path: str) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The current folder, with a script that may be executed, and a file that is ignored."""
    (tmp_path / "train.py").write_text("print(1)")
    (tmp_path / "train.py").chmod(0o755)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "words.txt").write_text("words")
    (tmp_path / "big.bin").write_text("big")
    (tmp_path / ".amlignore").write_text("*.bin\n")
    return tmp_path


def test_the_current_folder_is_kept_unasked(experiment: Any, folder: Path) -> None:
    run = experiment.start_logging(outputs=False)
    assert run.get_snapshot_id() == run.properties["ContentSnapshotId"]
    path = run.restore_snapshot()
    assert path == str(folder / f"{run.get_snapshot_id()}.zip")
    assert names_in(path) == [".amlignore", "sub/words.txt", "train.py"]
    with zipfile.ZipFile(path) as archive:
        assert archive.read("train.py") == b"print(1)"
        assert stat.S_IMODE(archive.getinfo("train.py").external_attr >> 16) == 0o755
    os.unlink(path)
    assert experiment.start_logging(outputs=False).get_snapshot_id() == run.get_snapshot_id()
    (folder / "train.py").write_text("print(2)")
    assert experiment.start_logging(outputs=False).get_snapshot_id() != run.get_snapshot_id()
    run.complete()


def test_a_named_folder_or_none(experiment: Any, folder: Path) -> None:
    run = experiment.start_logging(outputs=False, snapshot_directory="sub")
    assert names_in(run.restore_snapshot(path="there/sub.zip")) == ["words.txt"]
    assert os.path.isfile("there/sub.zip")
    bare = experiment.start_logging("name", None, False, None)  # by position, as v1 had it
    assert bare.get_snapshot_id() is None
    assert "ContentSnapshotId" not in bare.properties
    with pytest.raises(SnapshotException, match="has no snapshot"):
        bare.restore_snapshot()
    assert names_in(bare.restore_snapshot(run.get_snapshot_id(), "elsewhere")) == ["words.txt"]


def test_a_run_has_one_snapshot(experiment: Any, folder: Path) -> None:
    run = experiment.start_logging(outputs=False, snapshot_directory=None)
    taken = run.take_snapshot("sub/words.txt")
    assert taken == run.get_snapshot_id() == Run.get(experiment.workspace, run.id).get_snapshot_id()
    assert names_in(run.restore_snapshot()) == ["words.txt"]
    with pytest.raises(SnapshotException, match="already"):
        run.take_snapshot("sub")
    child = run.child_run("kid")
    assert child.take_snapshot("sub") == taken  # the same files have the same name


def test_what_cannot_be_taken(experiment: Any, folder: Path) -> None:
    run = experiment.start_logging(outputs=False, snapshot_directory=None)
    for use in (lambda: run.take_snapshot("nowhere"), lambda: experiment.start_logging(snapshot_directory="nowhere")):
        with pytest.raises(SnapshotException, match=r"nowhere.*does not exist"):
            use()
    with pytest.raises(ServiceException, match="no snapshot 0000") as caught:
        run.restore_snapshot("0" * 64)
    assert caught.value.status_code == 404
    with pytest.raises(UserErrorException, match="sha256"):
        run.restore_snapshot("another")


def test_a_folder_that_is_too_large_says_how_to_do_without(experiment: Any, folder: Path) -> None:
    with open("huge", "wb") as file:
        file.truncate(3 * 1024**3)
    with pytest.raises(SnapshotException, match=r"huge.*snapshot_directory=None"):
        experiment.start_logging(outputs=False)
    with pytest.raises(SnapshotException, match="at most"):
        experiment.start_logging(outputs=False, snapshot_directory=None).take_snapshot("huge")


def test_a_folder_that_cannot_travel_stops_nobody_unasked(experiment: Any, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "outputs").write_text("a file where every run gets a folder")
    run = experiment.start_logging(outputs=False)
    assert run.get_snapshot_id() is None
    assert "no snapshot of the current folder" in caplog.text
    with pytest.raises(SnapshotException, match="named 'outputs'"):
        experiment.start_logging(outputs=False, snapshot_directory=".")


def test_a_log_that_grows_meanwhile_stops_nobody(experiment: Any, folder: Path) -> None:
    is_done = threading.Event()

    def grow() -> None:
        with open("growing.log", "w", encoding="utf-8") as file:
            while not is_done.wait(0.001):
                file.write("one more line\n")
                file.flush()

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        runs = [experiment.start_logging(outputs=False) for _ in range(3)]
    finally:
        is_done.set()
        writer.join()
    for run in runs:  # either way
        if run.get_snapshot_id():
            assert "growing.log" in names_in(run.restore_snapshot(path=f"{run.id}.zip"))
    assert experiment.start_logging(outputs=False).get_snapshot_id()


def test_the_home_folder_is_nobodys_source(experiment: Any, service_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = service_home.parent / "beside-the-home"
    beside.mkdir(exist_ok=True)
    (beside / "own.txt").write_text("own")
    (beside / "link").symlink_to(service_home) if not (beside / "link").exists() else None
    monkeypatch.chdir(beside)
    run = experiment.start_logging(outputs=False)
    assert names_in(run.restore_snapshot(path="restored.zip")) == ["own.txt"]
    os.unlink("restored.zip")


def test_an_interactive_run_in_words(experiment: Any) -> None:
    run = experiment.start_logging(outputs=False)
    assert run.get_details()["target"] == "sdk"
    with pytest.raises(UserErrorException, match="environment"):
        run.get_environment()
    assert run.get_details_with_logs()["logFiles"] == {}
    assert run.get_all_logs() == []
    run.upload_file("logs/mine.txt", __file__)
    assert run.get_all_logs() == [os.path.abspath(os.path.join("assets", run.id, "logs", "mine.txt"))]
    Path("a-file").write_text("")
    with pytest.raises(UserErrorException, match="a-file is a file"):
        run.get_all_logs("a-file")

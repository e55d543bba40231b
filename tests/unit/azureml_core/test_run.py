"""Runs against a real service: interactive ones, their children, and the run of a step's process."""

from __future__ import annotations

import os
import threading
import time
from io import BytesIO
from pathlib import Path
from typing import Any, Iterator

import pytest

from azureml.core import Run, Workspace, get_run
from azureml.core import run as module
from azureml.core._run_details import LogScreen
from azureml.core._run_types import _PROVIDERS
from azureml.core.run import _follow, _SubmittedRun
from azureml.exceptions import ActivityFailedException, ExperimentExecutionException, ServiceException, UserErrorException


def test_life_of_an_interactive_run(experiment: Any, tmp_path: Path) -> None:
    run = experiment.start_logging(name="mine", tags={"t": "1"}, workspace="old keyword", history_name="another")
    assert (run.status, run.name, run.number, run.type) == ("Running", "mine", 1, None)
    assert (tmp_path / "outputs").is_dir()
    run.log("a", 1)
    assert run.get_metrics() == {"a": 1}
    assert run.get_metrics("unknown") == {}
    (tmp_path / "outputs" / "model.txt").write_text("weights")
    os.chdir("/")
    run.complete()
    assert run.get_status() == "Completed"
    assert run.get_file_names() == ["outputs/model.txt"]
    details = run.wait_for_completion()
    assert (details["runId"], details["status"]) == (run.id, "Completed")
    assert {
        "target",
        "startTimeUtc",
        "endTimeUtc",
        "services",
        "properties",
        "inputDatasets",
        "outputDatasets",
        "logFiles",
        "submittedBy",
    } <= set(details)
    assert repr(run) == f"Run(Experiment: experiment,\nId: {run.id},\nType: None,\nStatus: Completed)"


def test_with_block_completes_and_keeps_the_console(experiment: Any) -> None:
    with experiment.start_logging(outputs=False) as run:
        print("words for the log")
    assert run.get_status() == "Completed"
    run.download_file("logs/user_log.txt", "log.txt")
    assert Path("log.txt").read_text() == "words for the log\n"
    (log,) = run.get_all_logs("logs")
    assert Path(log).read_text() == "words for the log\n"
    assert run.get_details_with_logs()["logFiles"] == {"logs/user_log.txt": "words for the log\n"}
    assert run.get_details()["logFiles"]["logs/user_log.txt"].startswith("file://")


def test_with_block_fails_with_the_exception(experiment: Any) -> None:
    with pytest.raises(ValueError, match="boom"), experiment.start_logging(outputs=False) as run:
        raise ValueError("boom")
    assert run.get_status() == "Failed"
    assert run.get_details()["error"]["error"] == {
        "code": "UserError",
        "message": "User program failed with ValueError: boom",
        "messageParameters": {},
        "details": [],
    }
    with pytest.raises(ActivityFailedException, match="ValueError: boom") as caught:
        run.wait_for_completion()
    assert caught.value.message.startswith("Activity Failed:\n{\n")
    assert run.wait_for_completion(raise_on_error=False)["status"] == "Failed"


def test_with_block_may_end_the_run_itself(experiment: Any) -> None:
    with experiment.start_logging(outputs=False) as run:
        run.complete()
        run.complete()
    with experiment.start_logging(outputs=False) as failed:
        failed.fail(ValueError("no"), error_code="Mine")
    assert failed.get_details()["error"]["error"]["code"] == "Mine"
    with experiment.start_logging(outputs=False) as left:
        raise SystemExit(0)
    assert left.get_status() == "Completed"
    with pytest.raises(TypeError):
        left.fail(3)


def test_tags_properties_and_names(experiment: Any) -> None:
    run = experiment.start_logging(outputs=False)
    run.tag("plain")
    run.set_tags({"number": 3})
    assert run.get_tags() == {"plain": None, "number": "3"}
    run.remove_tags(["plain"])
    assert run.tags == {"number": "3"}
    run.add_properties({"p": 1})
    assert run.get_properties()["p"] == "1"
    with pytest.raises(ServiceException, match="'p'"):
        run.add_properties({"p": 2})
    run.display_name, run.description = "shown", "words"
    again = get_run(experiment, run.id)
    assert (again.display_name, again.description) == ("shown", "words")
    run.complete()


def test_files(experiment: Any, tmp_path: Path) -> None:
    run = experiment.start_logging(outputs=None, snapshot_directory=None)
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "e" / "x.txt").write_text("x")
    run.upload_folder("folder", "d")
    run.upload_files(["one", "/../two"], ["d/e/x.txt", "d/e/x.txt"])
    with open("d/e/x.txt", "rb") as stream:
        run.upload_file("stream", stream)
    assert run.get_file_names() == ["folder/e/x.txt", "one", "stream", "two"]
    run.download_file("folder/e/x.txt", "new/place.txt")
    run.download_file("one")
    run.download_files("folder", "whole")
    run.download_files("folder", "cut", append_prefix=False)
    for place in ("new/place.txt", "one", "whole/folder/e/x.txt", "cut/e/x.txt"):
        assert Path(place).read_text() == "x"
    with pytest.raises(UserErrorException, match=r"no file 'three'.*one"):
        run.download_file("three")
    with pytest.raises(UserErrorException, match="does not exist"):
        run.upload_file("name", "not there")
    with pytest.raises(UserErrorException, match="not a int"):
        run.upload_file("name", 3)
    with pytest.raises(TypeError):
        run.upload_files(["a"], [])
    with pytest.raises(UserErrorException):
        run.upload_folder("name", "d/e/x.txt")
    run.complete()


def test_children(experiment: Any) -> None:
    run = experiment.start_logging(name="top", outputs=False)
    with run.child_run("kid") as kid:
        kid.log("m", 1)
    assert (kid.name, kid.parent.id, kid.get_status()) == ("top>kid", run.id, "Completed")
    folds = run.create_children(tag_key="fold", tag_values=[1, 2])
    run.create_children(2)
    assert [child.id for child in run.get_children(tags={"fold": "2"})] == [folds[1].id]
    assert len(list(run.get_children())) == 5
    assert [child.id for child in run.get_children(status="Completed")] == [kid.id]
    assert run.get_metrics(recursive=True) == {kid.id: {"m": 1}}
    for bad in ({}, {"count": 1, "tag_key": "k", "tag_values": [1]}, {"tag_key": "k"}, {"count": 101}):
        with pytest.raises(UserErrorException):
            run.create_children(**bad)
    assert len(list(experiment.get_runs())) == 1
    assert len(list(experiment.get_runs(include_children=True))) == 6
    run.cancel()


def test_runs_are_listed_newest_first(experiment: Any) -> None:
    made = [experiment.start_logging(outputs=False, tags={"n": str(number)}) for number in range(3)]
    assert [run.id for run in experiment.get_runs()] == [run.id for run in reversed(made)]
    assert next(experiment.get_runs()).id == made[-1].id
    assert [run.id for run in experiment.get_runs(tags={"n": "1"})] == [made[1].id]
    assert list(experiment.get_runs(type="azureml.PipelineRun")) == []
    for run in made:
        run.complete()


def test_unknown_run_is_a_404(workspace: Any, experiment: Any) -> None:
    for get in (lambda: Run(experiment, "nope"), lambda: Run.get(workspace, "nope"), lambda: workspace.get_run("nope")):
        with pytest.raises(ServiceException) as caught:
            get()
        assert caught.value.status_code == 404
    run = experiment.start_logging(outputs=False)
    with pytest.raises(ServiceException):
        Workspace.create("another", exist_ok=True).get_run(run.id)
    run.complete()


def test_types_are_rehydrated_by_their_provider(experiment: Any, workspace: Any) -> None:
    class Special(Run):
        pass

    Run.add_type_provider("test.special", lambda experiment, record: Special(experiment, record["id"], _record=record))
    try:
        record = workspace._client.create_run(workspace._id, "experiment", type="test.special")
        assert type(workspace.get_run(record["id"])) is Special
        assert type(get_run(experiment, record["id"], rehydrate=False)) is Run
        with pytest.raises(ValueError, match=r"test\.special"):
            Run.add_type_provider("test.special", Special)
        unknown = workspace._client.create_run(workspace._id, "experiment", type="test.unknown")
        assert type(workspace.get_run(unknown["id"])) is Run
    finally:
        _PROVIDERS.pop("test.special")


def test_following_notices_the_end_at_once(experiment: Any) -> None:
    run = experiment.start_logging(outputs=False)
    ended: list[float] = []
    ender = threading.Timer(0.3, lambda: (get_run(experiment, run.id).complete(), ended.append(time.monotonic())))
    ender.start()
    events: list[Any] = []
    record = _follow(run._client, run.id, events.append)
    noticed = time.monotonic()
    ender.join()
    assert record["status"] == "Completed"
    assert events[-1]["status"] == "Completed"
    assert noticed - ended[0] < 5


def test_following_honours_a_deadline_and_an_interrupt(experiment: Any) -> None:
    run = experiment.start_logging(outputs=False)
    assert _follow(run._client, run.id, deadline=time.monotonic() + 0.05)["status"] == "Running"

    def interrupt(record: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(ExperimentExecutionException, match="goes on") as caught:
        _follow(run._client, run.id, on_round=interrupt)
    assert f"run {run.id} was" in caught.value.message
    assert f"`penstock cancel {run.id[:8]}`" in caught.value.message
    assert f"`penstock logs {run.id[:8]} --follow`" in caught.value.message
    run.complete()


def test_output_of_waiting(experiment: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with experiment.start_logging(outputs=False) as run:
        run._store_file("azureml-logs/70_driver_log.txt", BytesIO(b"one\ntwo\n"))
    run.wait_for_completion(show_output=True)
    printed = capsys.readouterr().out
    assert printed.startswith(f"RunId: {run.id}\nWeb View: ")
    name = "azureml-logs/70_driver_log.txt"
    assert f"\nStreaming {name}\n{'=' * (len(name) + 10)}\n\none\ntwo\n" in printed
    assert "\nExecution Summary\n=================\n" in printed


@pytest.fixture
def step(experiment: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The environment of a step's process, below a run that is its pipeline run."""
    top = experiment.start_logging(name="top", outputs=False)
    record = top.child_run("step")._refresh()
    os.makedirs(record["folder"], exist_ok=True)
    variables = {
        "AZUREML_RUN_ID": record["id"],
        "AZUREML_ARM_SUBSCRIPTION": experiment.workspace.subscription_id,
        "AZUREML_ARM_RESOURCEGROUP": experiment.workspace.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": experiment.workspace.name,
        "AZUREML_ARM_PROJECT_NAME": experiment.name,
        "AZUREML_EXPERIMENT_ID": experiment.id,
        "AZUREML_WORKSPACE_ID": experiment.workspace._id,
        "AZUREML_PARENT_RUN_ID": top.id,
        "PENSTOCK_RUN_FOLDER": record["folder"],
        "AZUREML_DATASET_ENVIRONMENT_VARS": "data:mount, more:download",
        "data": "/data",
        "more": "/more",
        "AZUREML_DATASET_FILE_OUTPUTS": "out",
        "out": "/out",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    yield top
    module._CURRENT.clear()


def test_context_is_one_object_and_asks_nobody(step: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.client.connect", lambda: pytest.fail("asked the service"))
    run = Run.get_context()
    os.chdir("/")
    assert type(run) is _SubmittedRun
    assert run is Run.get_context(allow_offline=False)
    run.log("m", 1, step=2)
    run.log("m", 2)
    run.upload_file("../x/model.txt", BytesIO(b"weights"))
    run.complete()
    run.fail("only a note")
    run.cancel()
    run.flush()
    assert run.experiment.workspace.name
    assert run.experiment.name == "experiment"
    assert run.input_datasets == {"data": "/data", "more": "/more"}
    assert run.output_datasets == {"out": "/out"}
    with run:
        pass


def test_what_a_step_logs_is_visible_at_once(step: Any) -> None:
    run = Run.get_context()
    run.log("m", 1)
    assert run.get_metrics() == {"m": 1}
    run.upload_file("x/model.txt", BytesIO(b"weights"))
    assert run.get_file_names() == ["x/model.txt"]
    assert run.get_status() == "Running"


def test_a_step_reaches_its_parent_and_workspace(step: Any) -> None:
    run = Run.get_context()
    assert run.parent.id == step.id
    run.parent.log("x", 1)
    run.parent.tag("k", "v")
    assert step.get_metrics() == {"x": 1}
    assert step.get_tags() == {"k": "v"}
    assert Workspace.from_config()._id == step.experiment.workspace._id
    kid = run.child_run("kid")
    kid.log("z", 1)
    kid.complete()
    assert run.get_metrics(recursive=True)[kid.id] == {"z": 1}
    run.parent.cancel()
    assert step.get_status() in ("CancelRequested", "Canceled")


def test_a_metric_that_cannot_be_stored_stops_nothing(step: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_RUN_FOLDER", "/proc/nowhere")
    module._CURRENT.clear()
    Run.get_context().log("m", 1)
    assert "'m' was not stored" in caplog.text


def test_a_letter_that_comes_in_two_pieces_is_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    pieces = [b"caf\xc3", b"\xa9 \xf0\x9f", b"\x98\x80\n", b"cut \xc3"]

    class Growing:
        """A run whose log grows by one piece at each look."""

        id = "r"

        def __init__(self) -> None:
            self._client = self

        def get_file_names(self) -> list[str]:
            return ["user_logs/std_log.txt"]

        def read_file(self, run_id: str, name: str, offset: int) -> bytes:
            return pieces.pop(0)

    screen = LogScreen(Growing())  # type: ignore[arg-type]
    for status in ("Running", "Running", "Running", "Completed"):
        screen.show_news({"status": status})
    assert capsys.readouterr().out.endswith("\ncaf\u00e9 \U0001f600\ncut \ufffd")


@pytest.mark.parametrize("name", ["../../x", "x", "x/y/z/deeper", "outputs", "logs/"])
def test_a_file_can_not_have_the_name_of_a_folder(experiment: Any, name: str) -> None:
    run = experiment.start_logging(outputs=False)
    run.upload_file("x/y/z", BytesIO(b"1"))
    with pytest.raises(UserErrorException, match=r"a file and a folder would have the same name|is a folder of every run") as caught:
        run.upload_file(name, BytesIO(b"2"))
    assert ".part" not in str(caught.value)
    assert run.get_file_names() == ["x/y/z"]
    run.complete()


@pytest.mark.parametrize("name", ["../../x", "x", "x/y/z/deeper", "outputs"])
def test_nor_can_it_inside_a_step(step: Any, name: str) -> None:
    run = Run.get_context()
    run.upload_file("x/y/z", BytesIO(b"1"))
    with pytest.raises(UserErrorException, match=r"a file and a folder would have the same name|is a folder of every run") as caught:
        run.upload_file(name, BytesIO(b"2"))
    assert ".part" not in str(caught.value)
    assert run.get_file_names() == ["x/y/z"]

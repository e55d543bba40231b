"""Odd values in what a v1 script calls: refused by name, or taken as what they mean; never an error from deep inside."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from azureml.core import Experiment, Keyvault, Model, Run, ScriptRunConfig, Workspace
from azureml.exceptions import AzureMLException, UserErrorException, WebserviceException


@pytest.fixture
def run(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that this process drives, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return Experiment(workspace, "odd").start_logging(outputs=False, snapshot_directory=None)


def submit(workspace: Workspace, folder: Path, *arguments: Any, **more: Any) -> Run:
    return Experiment(workspace, "odd").submit(ScriptRunConfig(str(folder), "train.py", list(arguments)), **more)


def error_of(run: Run) -> dict[str, Any]:
    error: dict[str, Any] = run.wait_for_completion(raise_on_error=False)["error"]["error"]
    return error


# ---- tags and properties ----


def test_tags_and_properties_are_dictionaries(run: Run, scripts: Any) -> None:
    workspace = run.experiment.workspace
    for attempt in (
        lambda: run.set_tags(["a"]),  # type: ignore[arg-type]
        lambda: run.add_properties(None),  # type: ignore[arg-type]
        lambda: submit(workspace, scripts(train=""), tags=["a"]),
    ):
        with pytest.raises(UserErrorException, match="give a dictionary such as"):
            attempt()
    run.remove_tags(None)  # type: ignore[arg-type]
    assert run.get_tags() == {}


# ---- images and files ----


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"path": "absent.png"}, "there is no file /.*absent.png"),
        ({"path": "text.png"}, "text.png is no image file"),
        ({"path": object()}, "has a object as its path: give a figure as plot=..."),
        ({"plot": 5}, "has a int as its plot: give pyplot"),
        ({"path": "text.png", "plot": object()}, "either path or plot, and not both"),
    ],
)
def test_what_is_no_image_is_told_apart(run: Run, given: dict[str, Any], told: str) -> None:
    Path("text.png").write_text("no image")
    with pytest.raises(AzureMLException, match=told):
        run.log_image("picture", **given)


def test_plots_of_one_name_are_files_of_their_own(run: Run) -> None:
    class Figure:
        def savefig(self, path: str) -> None:
            Path(path).write_bytes(b"\x89PNG\r\n\x1a\n")

    for _ in range(3):
        run.log_image("roc", plot=Figure())
    assert len(run.get_file_names()) == 3
    assert run.get_metrics()["roc"].endswith(run.get_file_names()[-1])


def test_a_stream_of_text_is_no_file(run: Run) -> None:
    with pytest.raises(UserErrorException, match="open it with mode 'rb'"):
        run.upload_file("notes.txt", io.StringIO("text"))
    assert run.get_file_names() == []


# ---- arguments ----


@pytest.mark.parametrize("argument", ["a\0b", "\udcff"])
def test_an_argument_that_no_process_can_be_given_is_refused_at_once(workspace: Workspace, scripts: Any, argument: str) -> None:
    with pytest.raises(UserErrorException, match=r"as arguments\[1\], which no process can be given"):
        submit(workspace, scripts(train=""), "good", argument)


def test_arguments_that_are_too_long_are_told(workspace: Workspace, scripts: Any) -> None:
    error = error_of(submit(workspace, scripts(train=""), "x" * 200_000))
    assert error["code"] == "UserError"
    assert (
        "The arguments and environment variables are longer than this machine passes to a process. Write what is long" in error["message"]
    )


# ---- how scripts end ----


def test_an_error_without_a_text_is_its_type(workspace: Workspace, scripts: Any) -> None:
    assert error_of(submit(workspace, scripts(train="raise MemoryError")))["message"].startswith("MemoryError. Its log: ")


def test_a_deep_recursion_keeps_as_many_frames_as_are_printed(workspace: Workspace, scripts: Any) -> None:
    # Two functions in turn: lines that repeat would be told as one.
    script = "import sys; sys.setrecursionlimit(5000)\ndef f(): g()\ndef g(): f()\nf()"
    trace = error_of(submit(workspace, scripts(train=script)))["additionalInfo"]["traceback"]
    assert trace.count("train.py") <= 1000


# ---- names ----


def test_a_name_that_is_none_is_told_by_its_kind(run: Run) -> None:
    workspace = run.experiment.workspace
    Path("m.pkl").write_bytes(b"model")
    with pytest.raises(UserErrorException, match="None can't be the id of a run"):
        Run.get(workspace, None)  # type: ignore[arg-type]
    with pytest.raises(UserErrorException, match="None can't be the name of a secret"):
        Keyvault(workspace).get_secret(None)  # type: ignore[arg-type]
    with pytest.raises(WebserviceException, match="None can't be the name of a model"):
        Model.register(workspace, "m.pkl", None)  # type: ignore[arg-type]
    with pytest.raises(UserErrorException, match="takes a compute target, as"):
        Run.list_by_compute("cpu-cluster")


def test_what_is_no_path_of_a_model_is_told(run: Run) -> None:
    workspace = run.experiment.workspace
    Path("net").mkdir()
    for name in ("net/weights", "beside"):
        Path(name).write_bytes(b"model")
    with pytest.raises(WebserviceException, match="must be the path of a file or folder, not a NoneType"):
        Model.register(workspace, None, "net")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match=r"child_paths names \.\./beside, which is not in"):
        Model.register(workspace, "net", "net", child_paths=["../beside"])

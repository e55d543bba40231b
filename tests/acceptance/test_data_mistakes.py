"""What users get wrong with data, and what they are told: the thing, the place and the next step."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from azureml.core import Dataset, Datastore, Experiment, Workspace
from azureml.exceptions import UserErrorException
from azureml.pipeline.core import Pipeline, PipelineRun
from azureml.pipeline.steps import PythonScriptStep


@pytest.fixture
def table(workspace: Workspace, tmp_path: Path):
    """A table of one file on the default datastore."""
    (tmp_path / "rows.csv").write_text("number,text\n1,a\n2,b\n")
    store = workspace.get_default_datastore()
    store.upload_files([str(tmp_path / "rows.csv")], target_path="rows", show_progress=False)
    return Dataset.Tabular.from_delimited_files((store, "rows/rows.csv"))


def run_to_failure(workspace: Workspace, folder: Path, *arguments: object) -> tuple[PipelineRun, str]:
    """Run one step that can't end well; return its run and its log."""
    step = PythonScriptStep("read.py", "read", list(arguments), "local", source_directory=str(folder))
    run = Experiment(workspace, "mistakes").submit(Pipeline(workspace, steps=[step]))
    assert run.wait_for_completion(show_output=False, raise_on_error=False) == "Failed"
    return run, run.find_step_run("read")[0].get_job_log()


def test_a_datastore_is_found_by_the_name_it_was_registered_with(workspace: Workspace, tmp_path: Path):
    Datastore.register_azure_blob_container(workspace, "SharedBlob", "container", "account", account_key="a2V5")
    assert Datastore.get(workspace, "SharedBlob").name == "sharedblob"
    assert Datastore(workspace, "SHAREDBLOB").account_key == "a2V5"
    Datastore.register_local(workspace, "MyStore", str(tmp_path / "store"))
    workspace.set_default_datastore("MyStore")
    store = workspace.get_default_datastore()
    assert store.name == "mystore"
    workspace.set_default_datastore("workspaceblobstore")
    Datastore.get(workspace, "SharedBlob").unregister()
    with pytest.raises(UserErrorException, match="There is no datastore 'SharedBlob'"):
        Datastore.get(workspace, "SharedBlob")


def test_a_script_of_v1s_early_years_catches_msrests_error(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    class HttpOperationError(Exception):
        """As msrest has it."""

        def __init__(self, deserialize: Any, response: Any, resp_type: Any = None) -> None:
            super().__init__(f"{deserialize} {response} {resp_type}")

    msrest: Any = ModuleType("msrest.exceptions")
    msrest.HttpOperationError = HttpOperationError
    monkeypatch.setitem(sys.modules, "msrest.exceptions", msrest)
    for expected in (HttpOperationError, UserErrorException):
        with pytest.raises(expected, match="UserErrorException:\n\tMessage: There is no datastore 'nowhere'"):
            Datastore(workspace, "nowhere")


@pytest.mark.parametrize("name", ["", "a/b"])
def test_what_can_not_be_a_name_is_refused_as_one(workspace: Workspace, table, tmp_path: Path, name: str):
    for attempt in (
        lambda: table.register(workspace, name),
        lambda: Dataset.get_by_name(workspace, name),
        lambda: Datastore.register_local(workspace, name, str(tmp_path)),
    ):
        with pytest.raises(UserErrorException, match=f"'{name}' can't be a name"):
            attempt()


def test_a_file_with_letters_of_patterns_in_its_name(workspace: Workspace, tmp_path: Path):
    (tmp_path / "data [1].csv").write_text("a\n1\n")
    store = workspace.get_default_datastore()
    store.upload_files([str(tmp_path / "data [1].csv")], target_path="odd", show_progress=False)
    with pytest.raises(UserErrorException, match=r"No file .* fits 'odd/data \[1\]\.csv'.*write them as"):
        Dataset.File.from_files((store, "odd/data [1].csv")).to_path()
    assert Dataset.File.from_files((store, "odd/data [[]1].csv")).download(str(tmp_path / "copy")) == [
        str(tmp_path / "copy/odd/data [1].csv")
    ]


def test_the_log_of_a_step_that_could_not_start_says_why(workspace: Workspace, scripts):
    store = workspace.get_default_datastore()
    _, log = run_to_failure(workspace, scripts(read="print(1)"), Dataset.File.from_files((store, "nowhere")).as_mount())
    assert "There is no file 'nowhere' on the datastore 'workspaceblobstore'" in log


def test_a_path_on_compute_that_leads_out_is_named(workspace: Workspace, table, scripts):
    rows = Dataset.File.from_files((workspace.get_default_datastore(), "rows"))
    _, log = run_to_failure(workspace, scripts(read="print(1)"), rows.as_named_input("rows").as_download("../../elsewhere"))
    assert "The input 'rows' can't be put where its path_on_compute says" in log


def test_files_that_can_not_be_written_from_a_table_are_told_of_by_their_input(workspace: Workspace, table, scripts):
    given = table.filter(table["nothing"] > 1).to_csv_files().as_named_input("chosen").as_mount()
    run, log = run_to_failure(workspace, scripts(read="print(1)"), given)
    message = "The files of the input 'chosen' can't be written from its table: There is no column 'nothing'. There are: number, text."
    assert message in log
    assert log.count("File ") == 1, "not our frames, beyond the one that speaks"
    assert message in str(run.find_step_run("read")[0].get_details()["error"])


def test_a_download_to_a_place_that_can_not_be_written_blames_that_place(workspace: Workspace, table):
    rows = Dataset.File.from_files((workspace.get_default_datastore(), "rows"))
    with pytest.raises(UserErrorException, match=r"can't be downloaded to /proc/nowhere/rows\.csv"):
        rows.download("/proc/nowhere", ignore_not_found=True)

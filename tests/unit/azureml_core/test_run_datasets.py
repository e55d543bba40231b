"""What a step's script sees of its dataset inputs and outputs, from the variables of its process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from azureml.core import Dataset
from azureml.core.run import InputDatasets, LinkOutput, OutputDatasets


class Workspace:
    """A workspace that knows how to save a dataset."""

    name, subscription_id, resource_group, _id = "w", "s", "g", "w1"

    @property
    def _client(self) -> Any:
        return self

    def save_dataset(self, workspace_id: str, document: Any) -> Any:
        return {"id": "the-id"}


def test_paths_come_from_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZUREML_DATASET_ENVIRONMENT_VARS", "one:mount, two:download")
    monkeypatch.setenv("one", "/place/one")
    monkeypatch.setenv("two", "/place/two")
    inputs = InputDatasets(Workspace())  # type: ignore[arg-type]
    assert inputs == {"one": "/place/one", "two": "/place/two"}
    with pytest.raises(KeyError):
        inputs["three"]
    inputs["three"] = "mine"  # as one public notebook does
    assert inputs["three"] == "mine"


def test_outputs_are_paths_or_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZUREML_DATASET_FILE_OUTPUTS", "a;b")
    monkeypatch.setenv("AZUREML_LINK_DATASET_OUTPUTS", "c")
    monkeypatch.setenv("a", "/place/a")
    monkeypatch.setenv("b", "/place/b")
    outputs = OutputDatasets(Workspace())  # type: ignore[arg-type]
    assert (outputs["a"], outputs["b"]) == ("/place/a", "/place/b")
    assert isinstance(outputs["c"], LinkOutput)


def test_a_link_is_written_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PENSTOCK_RUN_FOLDER", str(tmp_path))
    link = LinkOutput(Workspace(), "out")  # type: ignore[arg-type]
    link.link(Dataset.File.from_files("/data/files", validate=False))
    link.link(Dataset.File.from_files("/data/others", validate=False), run="ignored")
    lines = [json.loads(line) for line in (tmp_path / "links.jsonl").read_text().splitlines()]
    assert lines == [{"out": {"id": "the-id"}}] * 2


def test_only_datasets_are_linked_and_only_in_a_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PENSTOCK_RUN_FOLDER", str(tmp_path))
    for wrong in ("text", None, tmp_path):
        with pytest.raises(RuntimeError, match="'out' is linked to a FileDataset or a TabularDataset"):
            LinkOutput(Workspace(), "out").link(wrong)  # type: ignore[arg-type]
    monkeypatch.delenv("PENSTOCK_RUN_FOLDER")
    with pytest.raises(RuntimeError, match="in the script of its step"):
        LinkOutput(Workspace(), "out").link(Dataset.File.from_files("/data/files", validate=False))  # type: ignore[arg-type]

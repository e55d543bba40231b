"""What a step's script sees of its dataset inputs and outputs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Optional

from penstock.runtime.context import RUN_FOLDER, dataset_inputs, dataset_outputs, link_outputs

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class InputDatasets(Dict[str, Any]):
    """The dataset inputs of the run that this process belongs to: name -> path, or the dataset in direct mode.

    Args:
        workspace: The run's workspace, where datasets are looked up.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        for name, mode, value in dataset_inputs():
            self[name] = _dataset(workspace, value) if mode == "direct" else value


def _dataset(workspace: Workspace, dataset_id: str) -> Any:
    from azureml.data.abstract_dataset import AbstractDataset

    return AbstractDataset.get_by_id(workspace, dataset_id)


class OutputDatasets(Dict[str, Any]):
    """The dataset outputs of the run that this process belongs to: name -> the path to write to.

    Args:
        workspace: The run's workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(dataset_outputs())
        self.workspace = workspace
        for name in link_outputs():
            self[name] = LinkOutput(workspace, name)


class LinkOutput:
    """An output that stands for a dataset that exists already.

    Args:
        workspace: The run's workspace.
        name: The output's name.
    """

    def __init__(self, workspace: Workspace, name: Optional[str] = None) -> None:
        self.workspace = workspace
        self.name = name

    def link(self, dataset: Any, run: Any = None) -> None:
        """Let a dataset be this output. Later steps read it, and it is registered if the output says so, when the script has ended well.

        A second call takes the place of the first.

        Args:
            dataset: A FileDataset or TabularDataset; one that has no id yet is saved.
            run: Accepted and ignored.

        Raises:
            RuntimeError: It is no dataset, or this process runs no step.
            UserErrorException: The dataset can't be saved.
        """
        from azureml.data.dataset_consumption_config import is_dataset

        folder = os.environ.get(RUN_FOLDER)
        if not is_dataset(dataset):
            raise RuntimeError(
                f"The output '{self.name}' is linked to a FileDataset or a TabularDataset, not to a {type(dataset).__name__}."
            )
        if not self.name or not folder:
            raise RuntimeError(
                f"The output '{self.name}' can only be linked in the script of its step, as run.output_datasets[name].link(...)."
            )
        _write_link(folder, self.name, dataset._ensure_saved(self.workspace))


def _write_link(folder: str, name: str, dataset_id: str) -> None:
    """Tell the engine, which reads the file when the step has ended well."""
    import json

    with open(os.path.join(folder, "links.jsonl"), "a", encoding="utf-8") as file:
        file.write(json.dumps({name: {"id": dataset_id}}) + "\n")

"""What a step's script sees of its dataset inputs and outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Optional

from azureml.core._refusal import not_built
from penstock.runtime.context import dataset_inputs, dataset_outputs, link_outputs

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
    from azureml.core.dataset import Dataset

    return Dataset.get_by_id(workspace, dataset_id)


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
        """Refused: datasets come in a later release."""
        raise not_built("LinkOutput.link", "Datasets come in a later release. Copy the files into an output of the step.")

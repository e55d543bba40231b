"""A run's models: files of it that are registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from azureml.core._interactive import TrackedFolders
from azureml.core._run_files import RunFiles

if TYPE_CHECKING:
    from azureml.core.model import Model
    from azureml.core.resource_configuration import ResourceConfiguration


class RunModels(RunFiles):
    """The part of a run that registers models."""

    _folders: TrackedFolders

    def register_model(
        self,
        model_name: str,
        model_path: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        properties: Optional[Dict[str, str]] = None,
        model_framework: Optional[str] = None,
        model_framework_version: Optional[str] = None,
        description: Optional[str] = None,
        datasets: Optional[List[Tuple[str, Any]]] = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Optional[ResourceConfiguration] = None,
        **kwargs: Any,
    ) -> Model:
        """Register a file or a folder of the run as the next version of a model. What lies in its ./outputs counts before it ends, too.

        Args:
            model_name: The model's name.
            model_path: The file or folder among the run's files, such as 'outputs/model.pkl'; the model's name when None.
            tags: Names and texts; they can be changed.
            properties: Names and texts; they stay as they are.
            model_framework: What it was made with; see `Model.Framework`.
            model_framework_version: In which version.
            description: What it is.
            datasets: Pairs of a scenario, such as Dataset.Scenario.TRAINING, and a dataset.
            sample_input_dataset: Examples of what it takes.
            sample_output_dataset: Examples of what it gives.
            resource_configuration: How much of a machine it needs.
            **kwargs: Accepted and ignored, as in v1.

        Raises:
            ModelPathNotFoundException: The run has nothing at the path; the message lists its files.
            WebserviceException: The name can't be a model's, or another argument is not what it should be.
        """
        from azureml.core import _model_record as words
        from azureml.core._model_errors import model_errors
        from azureml.core.model import Model

        about = {
            "tags": words.check_texts("tags", tags),
            "properties": words.check_texts("properties", properties),
            "description": description,
            **words.check_framework(model_framework, model_framework_version),
        }
        workspace, path = self.experiment.workspace, model_path or model_name
        self._folders.store_early(self, path)
        with model_errors():
            about["details"] = words.format_details(
                workspace, datasets, sample_input_dataset, sample_output_dataset, resource_configuration
            )
            record = workspace._client.register_model(workspace._id, model_name, run_id=self.id, path=path, **about)
        return Model._of(workspace, record)

"""What v1 deploys models with. Penstock deploys nothing: these names import and keep what they are given, and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built

_INSTEAD = (
    "Penstock deploys nothing. Load the model in a process of your own: Model(workspace, name).download(folder), then call the init() and "
    "run() of the scoring script."
)


def refuse_deployment(name: str) -> NotImplementedError:
    """Return the error for a member that deploys."""
    return not_built(name, _INSTEAD)


class InferenceConfig:
    """How a scoring script would be run. Keeps its arguments, for code that reads them again."""

    def __init__(
        self,
        entry_script: Any,
        runtime: Any = None,
        conda_file: Any = None,
        extra_docker_file_steps: Any = None,
        source_directory: Any = None,
        enable_gpu: Any = None,
        description: Any = None,
        base_image: Any = None,
        base_image_registry: Any = None,
        cuda_version: Any = None,
        environment: Any = None,
    ) -> None:
        self.entry_script = entry_script
        self.runtime = runtime
        self.conda_file = conda_file
        self.extra_docker_file_steps = extra_docker_file_steps
        self.source_directory = source_directory
        self.enable_gpu = enable_gpu
        self.description = description
        self.base_image = base_image
        self.base_image_registry = base_image_registry
        self.cuda_version = cuda_version
        self.environment = environment

    def build_create_payload(self, workspace: Any, name: Any, model_ids: Any) -> Any:
        """Refuse: there are no images to build."""
        raise refuse_deployment("InferenceConfig.build_create_payload")

    def build_profile_payload(
        self,
        profile_name: Any,
        input_data: Any = None,
        workspace: Any = None,
        models: Any = None,
        dataset_id: Any = None,
        container_resource_requirements: Any = None,
        description: Any = None,
    ) -> Any:
        """Refuse: there are no profiles."""
        raise refuse_deployment("InferenceConfig.build_profile_payload")

    def validate_configuration(self) -> Any:
        """Refuse: there is nothing to check it against."""
        raise refuse_deployment("InferenceConfig.validate_configuration")

    def validation_script_content(self) -> Any:
        """Refuse: there is nothing to check it against."""
        raise refuse_deployment("InferenceConfig.validation_script_content")


class ModelPackage:
    """A model in an image. Penstock makes none, so there is none to look at."""

    workspace: Any

    def __init__(self, workspace: Any, operation_id: Any, environment: Any) -> None:
        raise refuse_deployment("ModelPackage")

    def get_container_registry(self) -> Any:
        """Refuse: there are no packages."""
        raise refuse_deployment("ModelPackage.get_container_registry")

    def get_logs(self, decode: Any = True, offset: Any = 0) -> Any:
        """Refuse: there are no packages."""
        raise refuse_deployment("ModelPackage.get_logs")

    def pull(self) -> Any:
        """Refuse: there are no packages."""
        raise refuse_deployment("ModelPackage.pull")

    def save(self, output_directory: Any) -> Any:
        """Refuse: there are no packages."""
        raise refuse_deployment("ModelPackage.save")

    def serialize(self) -> Any:
        """Refuse: there are no packages."""
        raise refuse_deployment("ModelPackage.serialize")

    def update_creation_state(self) -> Any:
        """Refuse: there are no packages."""
        raise refuse_deployment("ModelPackage.update_creation_state")

    def wait_for_creation(self, show_output: Any = False) -> Any:
        """Refuse: there are no packages."""
        raise refuse_deployment("ModelPackage.wait_for_creation")

"""Registered models. Not part of this version: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built

MODELS_DIR = "azureml-models"


def __getattr__(name: str) -> Any:
    if name != "Dataset":  # some scripts import it from here
        raise AttributeError(f"module 'azureml.core.model' has no attribute '{name}'")
    from azureml.core.dataset import Dataset

    return Dataset


_INSTEAD = "Models come in a later release. Keep the file with the run: run.upload_file(name, path)."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class Model:
    """v1's Model. Not part of this version."""

    created_by: Any
    created_time: Any
    datasets: Any
    description: Any
    experiment_name: Any
    id: Any
    mime_type: Any
    model_framework: Any
    name: Any
    properties: Any
    resource_configuration: Any
    run: Any
    run_id: Any
    sample_input_dataset: Any
    sample_output_dataset: Any
    tags: Any
    unpack: Any
    url: Any
    version: Any
    workspace: Any

    def __init__(
        self,
        workspace: Any,
        name: Any = None,
        id: Any = None,
        tags: Any = None,
        properties: Any = None,
        version: Any = None,
        run_id: Any = None,
        model_framework: Any = None,
        expand: Any = True,
        **kwargs: Any,
    ) -> None:
        raise _refused("Model")

    def add_dataset_references(self, datasets: Any) -> Any:
        raise _refused("Model.add_dataset_references")

    def add_properties(self, properties: Any) -> Any:
        raise _refused("Model.add_properties")

    def add_tags(self, tags: Any) -> Any:
        raise _refused("Model.add_tags")

    def delete(self) -> Any:
        raise _refused("Model.delete")

    @staticmethod
    def deploy(
        workspace: Any,
        name: Any,
        models: Any,
        inference_config: Any = None,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: Any = False,
        show_output: Any = False,
    ) -> Any:
        raise _refused("Model.deploy")

    @staticmethod
    def deserialize(workspace: Any, model_payload: Any) -> Any:
        raise _refused("Model.deserialize")

    def download(self, target_dir: Any = ".", exist_ok: Any = False, exists_ok: Any = None) -> Any:
        raise _refused("Model.download")

    @staticmethod
    def get_model_path(model_name: Any, version: Any = None, _workspace: Any = None) -> Any:
        raise _refused("Model.get_model_path")

    def get_sas_urls(self) -> Any:
        raise _refused("Model.get_sas_urls")

    @staticmethod
    def list(
        workspace: Any,
        name: Any = None,
        tags: Any = None,
        properties: Any = None,
        run_id: Any = None,
        latest: Any = False,
        dataset_id: Any = None,
        expand: Any = True,
        page_count: Any = 255,
        model_framework: Any = None,
    ) -> Any:
        raise _refused("Model.list")

    @staticmethod
    def package(
        workspace: Any,
        models: Any,
        inference_config: Any = None,
        generate_dockerfile: Any = False,
        image_name: Any = None,
        image_label: Any = None,
    ) -> Any:
        raise _refused("Model.package")

    @staticmethod
    def print_configuration(models: Any, inference_config: Any, deployment_config: Any, deployment_target: Any) -> Any:
        raise _refused("Model.print_configuration")

    @staticmethod
    def profile(
        workspace: Any,
        profile_name: Any,
        models: Any,
        inference_config: Any,
        input_dataset: Any,
        cpu: Any = None,
        memory_in_gb: Any = None,
        description: Any = None,
    ) -> Any:
        raise _refused("Model.profile")

    @staticmethod
    def register(
        workspace: Any,
        model_path: Any,
        model_name: Any,
        tags: Any = None,
        properties: Any = None,
        description: Any = None,
        datasets: Any = None,
        model_framework: Any = None,
        model_framework_version: Any = None,
        child_paths: Any = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
    ) -> Any:
        raise _refused("Model.register")

    def remove_tags(self, tags: Any) -> Any:
        raise _refused("Model.remove_tags")

    def serialize(self) -> Any:
        raise _refused("Model.serialize")

    def update(
        self,
        tags: Any = None,
        description: Any = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
    ) -> Any:
        raise _refused("Model.update")

    def update_tags_properties(self, add_tags: Any = None, remove_tags: Any = None, add_properties: Any = None) -> Any:
        raise _refused("Model.update_tags_properties")


class InferenceConfig:
    """v1's InferenceConfig. Not part of this version."""

    base_image: Any
    base_image_registry: Any
    conda_file: Any
    cuda_version: Any
    description: Any
    enable_gpu: Any
    entry_script: Any
    environment: Any
    extra_docker_file_steps: Any
    runtime: Any
    source_directory: Any

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
        raise _refused("InferenceConfig.build_create_payload")

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
        raise _refused("InferenceConfig.build_profile_payload")

    def validate_configuration(self) -> Any:
        raise _refused("InferenceConfig.validate_configuration")

    def validation_script_content(self) -> Any:
        raise _refused("InferenceConfig.validation_script_content")


class ModelPackage:
    """v1's ModelPackage. Not part of this version."""

    workspace: Any

    def __init__(self, workspace: Any, operation_id: Any, environment: Any) -> None:
        raise _refused("ModelPackage")

    def get_container_registry(self) -> Any:
        raise _refused("ModelPackage.get_container_registry")

    def get_logs(self, decode: Any = True, offset: Any = 0) -> Any:
        raise _refused("ModelPackage.get_logs")

    def pull(self) -> Any:
        raise _refused("ModelPackage.pull")

    def save(self, output_directory: Any) -> Any:
        raise _refused("ModelPackage.save")

    def serialize(self) -> Any:
        raise _refused("ModelPackage.serialize")

    def update_creation_state(self) -> Any:
        raise _refused("ModelPackage.update_creation_state")

    def wait_for_creation(self, show_output: Any = False) -> Any:
        raise _refused("ModelPackage.wait_for_creation")

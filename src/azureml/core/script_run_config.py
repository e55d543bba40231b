"""The description of a single script's run."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Union

from azureml.core._experiment_method import experiment_method

if TYPE_CHECKING:
    from azureml.core.runconfig import RunConfiguration
    from azureml.core.workspace import Workspace

MAX_DURATION_SECONDS_DEFAULT = 30 * 24 * 3600
_LOGGER = logging.getLogger("penstock")


def submit(
    script_run_config: ScriptRunConfig,
    workspace: Workspace,
    experiment_name: str,
    run_id: Optional[str] = None,
    _parent_run_id: Optional[str] = None,
    credential_passthrough: bool = False,
    tags: Optional[Mapping[str, Any]] = None,
) -> Any:
    """Submit a script or a command, and return its run; see `Experiment.submit`."""
    from azureml.core._script_submission import submit_script

    return submit_script(script_run_config, workspace, experiment_name, run_id, _parent_run_id, tags)


class ScriptRunConfig:
    """What a run of one script needs.

    Args:
        source_directory: The folder that travels with the run.
        script: The script, relative to the folder.
        arguments: What the script gets: a list, or one text. Datasets among them are named, `dataset.as_named_input(name)`.
        run_config: A run configuration. `compute_target`, `environment`, `distributed_job_config`, `max_run_duration_seconds` and
            `docker_runtime_config` are then ignored.
        compute_target: A compute target or its name; 'local' when None.
        environment: The environment; the default one when None.
        distributed_job_config: MpiConfiguration, PyTorchConfiguration or TensorflowConfiguration.
        resume_from: A DataPath with the files of an earlier run, for the script's `--resume-from`.
        max_run_duration_seconds: The run is stopped after this time.
        command: A command instead of script and arguments: a list or one text.
        docker_runtime_config: A DockerConfiguration.

    Raises:
        UserErrorException: `resume_from` is no DataPath, the run configuration is none, or a dataset among the arguments has no name.
        RunConfigurationException: `distributed_job_config` or `docker_runtime_config` is of another class.
    """

    MAX_DURATION_SECONDS_DEFAULT = MAX_DURATION_SECONDS_DEFAULT

    @experiment_method(submit_function=submit)
    def __init__(
        self,
        source_directory: str,
        script: Optional[str] = None,
        arguments: Optional[Union[List[Any], str]] = None,
        run_config: Optional[RunConfiguration] = None,
        _telemetry_values: Any = None,
        compute_target: Any = None,
        environment: Any = None,
        distributed_job_config: Any = None,
        resume_from: Any = None,
        max_run_duration_seconds: int = MAX_DURATION_SECONDS_DEFAULT,
        command: Optional[Union[List[Any], str]] = None,
        docker_runtime_config: Any = None,
    ) -> None:
        from azureml.core.runconfig import RunConfiguration
        from azureml.exceptions import UserErrorException

        if run_config is not None and not isinstance(run_config, RunConfiguration):
            raise UserErrorException(f"run_config must be a RunConfiguration, not a {type(run_config).__name__}.")
        self.source_directory = os.fspath(source_directory) if source_directory is not None else "."
        self.script = script
        self.arguments = arguments if arguments is not None else []
        self.command = command
        for given in (self.arguments, self.command):
            if not isinstance(given, str):
                _check_datasets(given or [])
        self._telemetry_values = _telemetry_values
        if run_config is not None:
            ignored = {"compute_target": compute_target, "environment": environment, "distributed_job_config": distributed_job_config}
            ignored["docker_runtime_config"] = docker_runtime_config
            _warn_ignored([name for name, value in ignored.items() if value is not None])
            self.run_config = run_config
            self._take_over()
        else:
            self.run_config = _fresh(compute_target, environment, max_run_duration_seconds)
            _set_docker(self.run_config, docker_runtime_config)
            _set_distribution(self.run_config, distributed_job_config)
        if resume_from is not None:
            self._resume_from(resume_from)

    def _take_over(self) -> None:
        """Script, arguments and command come from the run configuration where this object has none of its own."""
        for name in ("script", "arguments", "command"):
            inner = getattr(self.run_config, name, None)
            if not inner:
                continue
            if getattr(self, name):
                _LOGGER.warning("The %s of the ScriptRunConfig wins over that of its run_config.", name)
            elif name != "command" or not self.script:
                setattr(self, name, inner)

    def _resume_from(self, place: Any) -> None:
        from azureml.data.datapath import DataPath, DataPathComputeBinding
        from azureml.exceptions import UserErrorException

        if not isinstance(place, DataPath):
            raise UserErrorException(f"resume_from must be a DataPath, not a {type(place).__name__}.")
        reference = place.create_data_reference("MODEL_LOCATION", DataPathComputeBinding(mode="mount"))
        self.run_config.data_references = {**(self.run_config.data_references or {}), "MODEL_LOCATION": reference.to_config()}
        given = [self.arguments] if isinstance(self.arguments, str) else list(self.arguments)
        self.arguments = [*given, "--resume-from", str(reference)]

    def __repr__(self) -> str:
        return f"ScriptRunConfig(source_directory={self.source_directory!r}, script={self.script!r}, target={self.run_config.target!r})"


def _warn_ignored(names: List[str]) -> None:
    if names:
        _LOGGER.warning("A ScriptRunConfig with a run_config ignores %s: set it on the run_config.", ", ".join(names))


def _fresh(compute_target: Any, environment: Any, max_run_duration_seconds: int) -> RunConfiguration:
    from azureml.core.runconfig import RunConfiguration

    run_config = RunConfiguration()
    run_config.target = compute_target if compute_target is not None else "local"
    if environment is not None:
        run_config.environment = environment
    run_config.max_run_duration_seconds = max_run_duration_seconds
    return run_config


def _set_docker(run_config: RunConfiguration, docker: Any) -> None:
    from azureml.core.runconfig import DockerConfiguration
    from azureml.exceptions import RunConfigurationException

    if docker is None:
        return
    if not isinstance(docker, DockerConfiguration):
        raise RunConfigurationException(f"docker_runtime_config must be a DockerConfiguration, not a {type(docker).__name__}.")
    run_config.docker = docker


def _set_distribution(run_config: RunConfiguration, distribution: Any) -> None:
    from azureml.core.runconfig import MpiConfiguration, PyTorchConfiguration, TensorflowConfiguration
    from azureml.exceptions import RunConfigurationException

    if distribution is None:
        return
    if isinstance(distribution, TensorflowConfiguration):
        run_config.framework, run_config.communicator = "TensorFlow", "ParameterServer"
        run_config.tensorflow, run_config.node_count = distribution, distribution.worker_count
    elif isinstance(distribution, MpiConfiguration):
        run_config.framework, run_config.communicator = "Python", "IntelMpi"
        run_config.mpi, run_config.node_count = distribution, distribution.node_count
    elif isinstance(distribution, PyTorchConfiguration):
        run_config.framework, run_config.communicator = "PyTorch", str(distribution.communication_backend).capitalize()
        run_config.pytorch, run_config.node_count = distribution, distribution.node_count
    else:
        raise RunConfigurationException(
            f"distributed_job_config must be an MpiConfiguration, PyTorchConfiguration or TensorflowConfiguration, "
            f"not a {type(distribution).__name__}."
        )


def get_run_config_from_script_run(script_run_config: ScriptRunConfig) -> RunConfiguration:
    """Return a copy of the run configuration with script, arguments and command in it. The original stays as it is.

    A dataset input or output among the arguments is kept in the copy's `data` or `output_data`; a text stands for it.

    Raises:
        UserErrorException: A dataset among the arguments has no name.
    """
    import copy

    run_config = copy.deepcopy(script_run_config.run_config)
    run_config.script = script_run_config.script
    run_config.arguments = _take_datasets(script_run_config.arguments, run_config)
    if script_run_config.command:
        run_config.command = _take_datasets(script_run_config.command, run_config)
    return run_config


def _check_datasets(arguments: Any) -> None:
    from azureml.core.runconfig import Data, OutputData
    from azureml.data.dataset_consumption_config import is_dataset
    from azureml.exceptions import UserErrorException

    for item in arguments:
        if is_dataset(item):
            raise UserErrorException(
                f"A {type(item).__name__} stands among the arguments itself. Name it, dataset.as_named_input('name'), "
                "or for a FileDataset mount it, dataset.as_mount()."
            )
        if isinstance(item, (Data, OutputData)):
            kind, member = ("Data", "data") if isinstance(item, Data) else ("OutputData", "output_data")
            raise UserErrorException(
                f"{kind} can't stand among the arguments. Put it into run_config.{member}, or pass dataset.as_named_input('name') here."
            )


def _take_datasets(arguments: Any, run_config: RunConfiguration) -> Any:
    from azureml.data.data_reference import DataReference
    from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
    from azureml.data.output_dataset_config import OutputDatasetConfig

    if isinstance(arguments, str):
        return arguments
    _check_datasets(arguments)
    taken: List[Any] = []
    for item in arguments:
        if isinstance(item, (DatasetConsumptionConfig, OutputDatasetConfig)):
            _keep(run_config.data if isinstance(item, DatasetConsumptionConfig) else run_config.output_data, item)
            item = item.arg_val
        elif isinstance(item, DataReference):
            run_config.data_references = {item.data_reference_name: item.to_config(), **(run_config.data_references or {})}
            item = str(item)
        taken.append(item)
    return taken


def _keep(known: Any, item: Any) -> None:
    if item.name in known and known[item.name] is not item:
        _LOGGER.warning("Two datasets have the name '%s'; the first one counts. Give the other another name.", item.name)
    known.setdefault(item.name, item)

"""v1's estimators: a script, its packages and its parameters in one object. They run as ScriptRunConfigs do."""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING, Any, ClassVar, Dict, List, Mapping, Optional, Tuple

from azureml.core._deprecation import deprecated
from azureml.core._experiment_method import ExperimentSubmitRegistrar
from azureml.core.runconfig import RunConfiguration
from azureml.core.script_run_config import ScriptRunConfig, get_run_config_from_script_run
from azureml.exceptions import AzureMLException, ServiceException, TrainingException
from azureml.train._distribution import DistributedTraining, check_count, choose
from azureml.train._estimator_environment import make_environment
from azureml.train._estimator_inputs import gather

if TYPE_CHECKING:
    from azureml.core.conda_dependencies import CondaDependencies
    from azureml.core.workspace import Workspace

__all__ = ["Estimator", "MMLBaseEstimator"]

_OVERRIDES = ("script_params", "inputs", "source_directory_data_store")


class MMLBaseEstimator:
    """Base of all estimators. What it says is kept as a RunConfiguration, `run_config`, which may be changed before the submission.

    Args:
        source_directory: The folder that travels with the run.
        compute_target: A compute target or its name.
        vm_size: Instead of a compute target; the run then takes place on this machine.
        vm_priority: Kept.
        entry_script: The script, relative to the folder.
        script_params: Flags and their values; {'--flag': ''} gives a flag without a value.
        node_count: How many nodes.
        process_count_per_node: How many processes on each.
        distributed_backend: The old form of `distributed_training`: 'mpi', 'ps', 'gloo' or 'nccl'.
        distributed_training: How several processes talk to each other: Mpi(), ParameterServer(), Gloo() or Nccl().
        use_gpu: Kept; a GPU that is there can be used.
        use_docker: Whether a container may be used, where the service is set up for containers.
        custom_docker_base_image: The old name of `custom_docker_image`.
        custom_docker_image: The container's image.
        image_registry_details: The registry with that image.
        user_managed: Use the interpreter that is there; install nothing.
        conda_packages: Packages.
        pip_packages: Packages.
        conda_dependencies_file_path: The old name of `conda_dependencies_file`.
        pip_requirements_file_path: The old name of `pip_requirements_file`.
        conda_dependencies_file: A conda specification, relative to the folder.
        pip_requirements_file: A requirements file, relative to the folder.
        environment_variables: Variables that the script sees.
        environment_definition: An Environment instead of all arguments about packages and images.
        inputs: Datastores, DataReferences, and datasets with a name, `dataset.as_named_input(name)`.
        source_directory_data_store: Kept.
        shm_size: The container's shared memory.
        resume_from: A DataPath with the files of an earlier run, for the script's `--resume-from`.
        max_run_duration_seconds: The run is stopped after this time.

    Raises:
        TrainingException: Arguments are missing, exclude each other or have a wrong type; or folder or script do not exist.
        UserErrorException: An input or a parameter can't be given to a script.
        FileNotFoundError: A file of packages is not there.
    """

    # How the processes of this kind of estimator may talk to each other.
    _BACKENDS: ClassVar[Tuple[str, ...]] = ("mpi",)

    def __init__(
        self,
        source_directory: str,
        *,
        compute_target: Any = None,
        vm_size: Optional[str] = None,
        vm_priority: Optional[str] = None,
        entry_script: Optional[str] = None,
        script_params: Optional[Mapping[str, Any]] = None,
        node_count: int = 1,
        process_count_per_node: int = 1,
        distributed_backend: Optional[str] = None,
        distributed_training: Any = None,
        use_gpu: bool = False,
        use_docker: bool = True,
        custom_docker_base_image: Optional[str] = None,
        custom_docker_image: Optional[str] = None,
        image_registry_details: Any = None,
        user_managed: bool = False,
        conda_packages: Optional[List[str]] = None,
        pip_packages: Optional[List[str]] = None,
        conda_dependencies_file_path: Optional[str] = None,
        pip_requirements_file_path: Optional[str] = None,
        conda_dependencies_file: Optional[str] = None,
        pip_requirements_file: Optional[str] = None,
        environment_variables: Optional[Mapping[str, str]] = None,
        environment_definition: Any = None,
        inputs: Optional[List[Any]] = None,
        source_directory_data_store: Any = None,
        shm_size: Optional[str] = None,
        resume_from: Any = None,
        max_run_duration_seconds: Optional[int] = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
        deprecated(f"{self._name()} is deprecated in SDK v1. Use ScriptRunConfig of azureml.core with an Environment.")
        self._source_directory = _check_source(self._name(), source_directory, entry_script)
        _check_compute(self._name(), compute_target, vm_size)
        self._script_params, self._inputs = script_params, inputs
        run_config = RunConfiguration()
        _set_compute(run_config, compute_target, vm_size, vm_priority)
        self._set_distribution(run_config, given)
        run_config.environment = make_environment(self._name(), self._source_directory, given, self._requirements(use_gpu))
        run_config.environment_variables = dict(environment_variables or {})
        run_config.max_run_duration_seconds = max_run_duration_seconds
        run_config.source_directory_data_store = _store_name(source_directory_data_store)
        self._run_config = self._with_script(run_config, entry_script, resume_from)

    def _name(self) -> str:
        return type(self).__name__

    def _requirements(self, use_gpu: bool) -> List[str]:
        """What the framework needs, as pip takes it."""
        return []

    def _set_distribution(self, run_config: RunConfiguration, given: Mapping[str, Any]) -> None:
        nodes = check_count("node_count", given["node_count"])
        processes = check_count("process_count_per_node", given["process_count_per_node"])
        found = self._choose_distribution(given, processes)
        if found is not None:
            found._apply(run_config, nodes)
        elif nodes > 1 or processes > 1:
            kinds = ", ".join(f"'{word}'" for word in self._BACKENDS)
            raise TrainingException(
                f"{self._name()}: with node_count={nodes} and process_count_per_node={processes}, distributed_training must say how the "
                f"processes talk to each other ({kinds})."
            )

    def _choose_distribution(self, given: Mapping[str, Any], processes: int) -> Optional[DistributedTraining]:
        return choose(given["distributed_training"], given["distributed_backend"], processes, self._BACKENDS, self._name())

    def _with_script(self, run_config: RunConfiguration, entry_script: Optional[str], resume_from: Any) -> RunConfiguration:
        given = gather(self._script_params, self._inputs)
        given.put_into(run_config)
        config = ScriptRunConfig(
            self._source_directory, script=entry_script, arguments=given.arguments, run_config=run_config, resume_from=resume_from
        )
        return get_run_config_from_script_run(config)

    @property
    def run_config(self) -> RunConfiguration:
        """How the script runs. What is changed here counts."""
        return self._run_config

    @property
    def source_directory(self) -> str:
        """The folder that travels with the run."""
        return self._source_directory

    @property
    def conda_dependencies(self) -> CondaDependencies:
        """The packages of the environment."""
        found: CondaDependencies = self._run_config.environment.python.conda_dependencies
        return found

    def __repr__(self) -> str:
        return f"{self._name()}(source_directory={self._source_directory!r}, entry_script={self._run_config.script!r})"

    def _run_config_with(self, overrides: Mapping[str, Any]) -> RunConfiguration:
        """The run configuration of one submission; the estimator's own stays as it is."""
        if not overrides:
            return self._run_config
        run_config = copy.deepcopy(self._run_config)
        if "source_directory_data_store" in overrides:
            run_config.source_directory_data_store = _store_name(overrides["source_directory_data_store"])
        params = {**(self._script_params or {}), **(overrides.get("script_params") or {})}
        given = gather(params, overrides.get("inputs") or self._inputs)
        given.put_into(run_config)
        if not overrides.get("script_params"):
            return run_config
        run_config.arguments = []
        return get_run_config_from_script_run(ScriptRunConfig(self._source_directory, arguments=given.arguments, run_config=run_config))


def _check_source(owner: str, folder: Any, script: Any) -> str:
    if not isinstance(folder, (str, os.PathLike)) or not os.path.isdir(folder):
        raise TrainingException(f"{owner}: the source_directory {folder!r} is not a folder.")
    path = os.fspath(folder)
    if not isinstance(script, (str, os.PathLike)) or not os.fspath(script):
        raise TrainingException(f"{owner} needs an entry_script, the script's path in {path}.")
    if not os.path.isfile(os.path.join(path, script)):
        raise TrainingException(f"{owner}: there is no entry_script '{os.fspath(script)}' in {os.path.abspath(path)}.")
    return str(path)


def _check_compute(owner: str, compute_target: Any, vm_size: Optional[str]) -> None:
    if compute_target is not None and vm_size is not None:
        raise TrainingException(f"{owner}: give compute_target or vm_size, not both.")
    if compute_target is None and vm_size is None:
        raise TrainingException(f"{owner} needs a compute_target: a compute target, its name, or 'local'.")


def _set_compute(run_config: RunConfiguration, compute_target: Any, vm_size: Optional[str], vm_priority: Optional[str]) -> None:
    if compute_target is not None:
        run_config.target = compute_target
    run_config.amlcompute.vm_size, run_config.amlcompute.vm_priority = vm_size, vm_priority


def _store_name(datastore: Any) -> Optional[str]:
    return datastore if datastore is None or isinstance(datastore, str) else str(datastore.name)


class Estimator(MMLBaseEstimator):
    """A script with the packages that it names. The arguments are those of MMLBaseEstimator."""


def submit(
    estimator: MMLBaseEstimator, workspace: Workspace, experiment_name: str, tags: Optional[Mapping[str, Any]] = None, **kwargs: Any
) -> Any:
    """Submit an estimator's script, and return its run; see `Experiment.submit`.

    Args:
        estimator: The estimator. It stays as it is.
        workspace: Where.
        experiment_name: The experiment.
        tags: The run's first tags.
        **kwargs: `script_params`, `inputs` and `source_directory_data_store` replace what the estimator says, for this run.

    Raises:
        TrainingException: Another keyword is given, or the script can't be submitted; then `inner_exception` has the reason.
        UserErrorException: An input or a parameter can't be given to a script.
    """
    overrides, others = _split(estimator, kwargs)
    config = ScriptRunConfig(estimator.source_directory, run_config=estimator._run_config_with(overrides))
    try:
        return ExperimentSubmitRegistrar.get_submit_function(config)(config, workspace, experiment_name, tags=tags, **others)
    except (AzureMLException, ServiceException) as error:
        raise TrainingException(error.message, inner_exception=error) from error


def _split(estimator: MMLBaseEstimator, kwargs: Mapping[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    overrides = {name: value for name, value in kwargs.items() if name in _OVERRIDES and value is not None}
    # What Run.submit_child adds.
    names = {"_parent_run_id": "_parent_run_id", "parent_run_id": "_parent_run_id"}
    others = {names[name]: value for name, value in kwargs.items() if name in names}
    unknown = sorted(set(kwargs) - set(_OVERRIDES) - set(names))
    if unknown:
        raise TrainingException(
            f"An {estimator._name()} can't be submitted with {', '.join(unknown)}. It takes {', '.join(_OVERRIDES)}; "
            "all else belongs to the estimator itself."
        )
    return overrides, others


ExperimentSubmitRegistrar.register_submit_function(MMLBaseEstimator, submit)

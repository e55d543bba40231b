"""The step that runs a script on a Spark pool of Synapse. It takes its place in a pipeline; this version can't run it."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.data.output_dataset_config import HDFSOutputDatasetConfig
from azureml.pipeline.steps._described_step import DescribedStep, need_kind, need_target, need_text

_Paths = Optional[Union[str, Sequence[str]]]
_LISTS = {"py_files": "spark.submit.pyFiles", "jars": "spark.yarn.dist.jars", "files": "spark.files"}
_SIZES = {
    "driver_memory": "spark.driver.memory",
    "driver_cores": "spark.driver.cores",
    "executor_memory": "spark.executor.memory",
    "executor_cores": "spark.executor.cores",
    "num_executors": "spark.executor.instances",
}
_MAY_DIFFER = "spark.yarn.maxAppAttempts"  # a step is tried once


class SynapseSparkStep(DescribedStep):
    """A step that runs a script on a Spark pool of Synapse.

    It can be built, drawn and written to YAML. Nothing here can run it: a pipeline that has one is refused when it is submitted or
    published.

    Args:
        file: The script, relative to `source_directory`.
        source_directory: The folder of the script.
        compute_target: A SynapseCompute, or its name.
        driver_memory: Memory of the driver, such as "2g".
        driver_cores: Cores of the driver.
        executor_memory: Memory of each executor.
        executor_cores: Cores of each executor.
        num_executors: How many executors.
        name: The step's name; None takes the script's.
        app_name: The name of the application; None takes the step's.
        environment: The environment; its conda packages count.
        arguments: What the script is given.
        inputs: Datasets, in mode direct or hdfs.
        outputs: HDFSOutputDatasetConfig objects.
        conf: Settings of Spark.
        py_files: Files for Python's path.
        jars: JARs.
        files: Files for the folder of each executor.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.
        version: A text that forces a new definition when it changes.

    Raises:
        ValueError: An argument is missing or of the wrong type, or `conf` says another thing than an argument.
    """

    _kind, _execution_type = "SynapseSparkStep", "synapsecloud"
    _target_kind = "SynapseSpark"
    _fixes_collisions = True

    def __init__(
        self,
        file: str,
        source_directory: str,
        compute_target: Any,
        driver_memory: str,
        driver_cores: int,
        executor_memory: str,
        executor_cores: int,
        num_executors: int,
        name: Optional[str] = None,
        app_name: Optional[str] = None,
        environment: Any = None,
        arguments: Optional[Sequence[Any]] = None,
        inputs: Optional[Sequence[Any]] = None,
        outputs: Optional[Sequence[Any]] = None,
        conf: Optional[Mapping[str, Any]] = None,
        py_files: _Paths = None,
        jars: _Paths = None,
        files: _Paths = None,
        allow_reuse: bool = True,
        version: Optional[str] = None,
    ) -> None:
        need_text("a SynapseSparkStep", file=file, source_directory=source_directory)
        place = f"Step '{name or file}'"
        _check_target(place, compute_target)
        need_text(place, driver_memory=driver_memory, executor_memory=executor_memory)
        cores = {"driver_cores": driver_cores, "executor_cores": executor_cores, "num_executors": num_executors}
        _check_cores(place, cores)
        need_kind(place, str, "a text", name=name, app_name=app_name)
        need_kind(place, Mapping, "a dictionary", conf=conf)
        lists = {key: _paths(place, key, value) for key, value in (("py_files", py_files), ("jars", jars), ("files", files))}
        _check_data(place, inputs, outputs)
        app = {"app_name": app_name or name or file, "driver_memory": driver_memory, "executor_memory": executor_memory, **cores}
        super().__init__(
            name or file,
            compute_target,
            {**app, "conf": dict(conf or {}), **lists},
            inputs=inputs,
            outputs=outputs,
            arguments=arguments,
            script_name=file,
            source_directory=source_directory,
            runconfig=_run_config(environment, _configuration(place, app, lists, conf or {}), place),
            allow_reuse=allow_reuse,
            version=version,
        )


def _check_target(place: str, target: Any) -> None:
    need_target(place, target)
    if isinstance(target, str) and target.lower() == "local":
        raise ValueError(f"{place} needs a Spark pool as its compute_target, not 'local'.")


def _check_cores(place: str, cores: Mapping[str, Any]) -> None:
    missing = [name for name, value in cores.items() if value is None]
    if missing:
        raise ValueError(f"{place} needs {', '.join(missing)}.")
    need_kind(place, int, "a whole number", **cores)


def _paths(place: str, name: str, value: Any) -> List[str]:
    found = [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else None if value is not None else []
    if found is None or not all(isinstance(item, str) for item in found):
        raise ValueError(f"{place}: {name} must be a text or a list of texts, not {value!r:.60}.")
    return found


def _check_data(place: str, inputs: Any, outputs: Any) -> None:
    for item in inputs or ():
        if not isinstance(item, DatasetConsumptionConfig) or item.mode not in ("direct", "hdfs"):
            mode = f" in mode '{item.mode}'" if isinstance(item, DatasetConsumptionConfig) else ""
            raise ValueError(
                f"{place}: inputs must be datasets in mode direct or hdfs - dataset.as_named_input('name').as_hdfs() - "
                f"not a {type(item).__name__}{mode}."
            )
    for item in outputs or ():
        if not isinstance(item, HDFSOutputDatasetConfig):
            raise ValueError(f"{place}: outputs must be HDFSOutputDatasetConfig objects, not a {type(item).__name__}.")


def _configuration(place: str, app: Mapping[str, Any], lists: Mapping[str, List[str]], conf: Mapping[str, Any]) -> Dict[str, Any]:
    """What Spark is told: the arguments under Spark's names, and `conf`."""
    told: Dict[str, Any] = {"spark.app.name": app["app_name"], _MAY_DIFFER: 1}
    told.update({key: app[name] for name, key in _SIZES.items()})
    told.update({key: ",".join(lists[name]) for name, key in _LISTS.items() if lists[name]})
    for key, value in conf.items():
        if key in _LISTS.values() and told.get(key):
            told[key] = f"{told[key]},{value}"
        elif key in told and key != _MAY_DIFFER and key not in _LISTS.values() and str(told[key]) != str(value):
            raise ValueError(f"{place}: conf has {key}={value!r}, and an argument of the step says {told[key]!r}. Say it once.")
        else:
            told[key] = value
    return told


def _run_config(environment: Any, configuration: Dict[str, Any], place: str) -> Any:
    from azureml.core.environment import Environment
    from azureml.core.runconfig import RunConfiguration

    need_kind(place, Environment, "an Environment", environment=environment)
    run_config = RunConfiguration(framework="PySpark")
    if environment is not None:
        run_config.environment = environment
    run_config.spark.configuration = configuration
    return run_config


__all__ = ["SynapseSparkStep"]

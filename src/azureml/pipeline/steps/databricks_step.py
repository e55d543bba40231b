"""The step that runs a notebook, a script or a JAR on Databricks. It takes its place in a pipeline; this version can't run it."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence

from azureml.core._deprecation import deprecated
from azureml.core.databricks import EggLibrary, JarLibrary, MavenLibrary, PyPiLibrary, RCranLibrary
from azureml.pipeline.steps._described_step import DescribedStep, need_kind, need_target, need_text

_SPARK, _NODE = "10.4.x-scala2.12", "Standard_D3_v2"
_VARIABLES = {"PYSPARK_PYTHON": "/databricks/python3/bin/python3"}
_CODE = ("notebook_path", "python_script_path", "python_script_name", "main_class_name")
_LIBRARIES = {
    "maven_libraries": MavenLibrary,
    "pypi_libraries": PyPiLibrary,
    "egg_libraries": EggLibrary,
    "jar_libraries": JarLibrary,
    "rcran_libraries": RCranLibrary,
}
_CLUSTER = (
    "existing_cluster_id",
    "spark_version",
    "node_type",
    "instance_pool_id",
    "num_workers",
    "min_workers",
    "max_workers",
    "spark_env_variables",
    "spark_conf",
    "init_scripts",
    "cluster_log_dbfs_path",
    "permit_cluster_restart",
)
# Which values are of which kind: names, type, and how a message calls it.
_KINDS = (
    (
        (
            "existing_cluster_id",
            "spark_version",
            "node_type",
            "instance_pool_id",
            "cluster_log_dbfs_path",
            "run_name",
            *_CODE,
        ),
        str,
        "a text",
    ),
    (("num_workers", "min_workers", "max_workers", "timeout_seconds"), int, "a whole number"),
    (("spark_env_variables", "spark_conf", "notebook_params"), Mapping, "a dictionary"),
    (("init_scripts", "python_script_params", "jar_params", *_LIBRARIES), (list, tuple), "a list"),
)


class DatabricksStep(DescribedStep):
    """A step that runs a notebook, a script or a JAR on Databricks.

    It can be built, drawn and written to YAML. Nothing here can run it: a pipeline that has one is refused when it is submitted or
    published.

    Args:
        name: The step's name.
        inputs: What it reads.
        outputs: What it writes.
        existing_cluster_id: A cluster that is there; else one is made of what follows.
        spark_version: The runtime of a new cluster.
        node_type: The kind of its nodes.
        instance_pool_id: The pool of its nodes, instead of their kind.
        num_workers: The number of its workers.
        min_workers: The least number of workers of one that scales.
        max_workers: The largest number of workers of one that scales.
        spark_env_variables: Variables of its processes.
        spark_conf: Settings of Spark.
        init_scripts: Deprecated.
        cluster_log_dbfs_path: Where its logs go.
        notebook_path: A notebook in the Databricks workspace.
        notebook_params: Its parameters.
        python_script_path: A script on DBFS.
        python_script_params: Arguments of the script.
        main_class_name: A class of a JAR.
        jar_params: Its arguments.
        python_script_name: A script in `source_directory`.
        source_directory: The folder that travels.
        hash_paths: Deprecated, and without effect.
        run_name: The name of the run in Databricks.
        timeout_seconds: The longest time of the run.
        runconfig: A run configuration, instead of libraries and of a cluster.
        maven_libraries: Packages of Maven.
        pypi_libraries: Packages of PyPI.
        egg_libraries: Eggs.
        jar_libraries: JARs.
        rcran_libraries: Packages of CRAN.
        compute_target: A DatabricksCompute, or its name.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.
        version: A text that forces a new definition when it changes.
        permit_cluster_restart: Whether the existing cluster may be started again.

    Raises:
        ValueError: An argument is missing or of the wrong type, or two exclude each other.
    """

    _kind, _execution_type = "DatabricksStep", "DatabricksCloud"

    def __init__(
        self,
        name: str,
        inputs: Optional[Sequence[Any]] = None,
        outputs: Optional[Sequence[Any]] = None,
        existing_cluster_id: Any = None,
        spark_version: Any = None,
        node_type: Any = None,
        instance_pool_id: Any = None,
        num_workers: Any = None,
        min_workers: Any = None,
        max_workers: Any = None,
        spark_env_variables: Optional[Mapping[str, str]] = None,
        spark_conf: Optional[Mapping[str, str]] = None,
        init_scripts: Optional[Sequence[str]] = None,
        cluster_log_dbfs_path: Optional[str] = None,
        notebook_path: Optional[str] = None,
        notebook_params: Optional[Mapping[str, Any]] = None,
        python_script_path: Optional[str] = None,
        python_script_params: Optional[Sequence[Any]] = None,
        main_class_name: Optional[str] = None,
        jar_params: Optional[Sequence[Any]] = None,
        python_script_name: Optional[str] = None,
        source_directory: Any = None,
        hash_paths: Optional[Sequence[str]] = None,
        run_name: Optional[str] = None,
        timeout_seconds: Any = None,
        runconfig: Any = None,
        maven_libraries: Optional[Sequence[Any]] = None,
        pypi_libraries: Optional[Sequence[Any]] = None,
        egg_libraries: Optional[Sequence[Any]] = None,
        jar_libraries: Optional[Sequence[Any]] = None,
        rcran_libraries: Optional[Sequence[Any]] = None,
        compute_target: Any = None,
        allow_reuse: bool = True,
        version: Optional[str] = None,
        permit_cluster_restart: Optional[bool] = None,
    ) -> None:
        scope = dict(locals())
        given: Dict[str, Any] = {key: scope[key] for key in (*_CLUSTER, *_OWN, *_LIBRARIES)}
        need_text("a DatabricksStep", name=name)
        place = f"Step '{name}'"
        need_target(place, compute_target)
        for keys, kind, word in _KINDS:
            need_kind(place, kind, word, **{key: given[key] for key in keys})
        _check_code(given, source_directory, place)
        _check_libraries(given, runconfig, place)
        _check_cluster(given, runconfig, place)
        if init_scripts:
            deprecated("init_scripts of a DatabricksStep is deprecated in SDK v1, as Databricks takes none from DBFS.")
        arguments = jar_params if main_class_name else python_script_params
        super().__init__(
            name,
            compute_target,
            {**given, **_defaults(given, runconfig), _ARGUMENTS_OF[bool(main_class_name)]: None},
            inputs=inputs,
            outputs=outputs,
            arguments=arguments,
            script_name=python_script_name,
            source_directory=source_directory,
            runconfig=runconfig,
            allow_reuse=allow_reuse,
            version=version,
        )


_OWN = ("notebook_params", "python_script_params", "jar_params", "run_name", "timeout_seconds", *_CODE)
_ARGUMENTS_OF = {True: "jar_params", False: "python_script_params"}  # these stand among the node's arguments


def _check_code(given: Mapping[str, Any], source_directory: Any, place: str) -> None:
    named = [name for name in _CODE if given[name]]
    if len(named) != 1:
        found = f"it has {' and '.join(named)}" if named else "it has none"
        raise ValueError(f"{place} needs exactly one of {', '.join(_CODE)}; {found}.")
    if given["python_script_name"] and source_directory is None:
        raise ValueError(f"{place} has python_script_name, so it needs source_directory, the folder of the script.")


def _check_libraries(given: Mapping[str, Any], runconfig: Any, place: str) -> None:
    for name, kind in _LIBRARIES.items():
        for item in given[name] or ():
            if not isinstance(item, kind):
                raise ValueError(f"{place}: {name} must hold {kind.__name__} objects, not a {type(item).__name__}.")
    named = [name for name in _LIBRARIES if given[name]]
    if runconfig is not None and named:
        raise ValueError(f"{place} has a runconfig and {', '.join(named)}. Put the libraries into runconfig.environment.databricks.")


def _cluster_of(runconfig: Any) -> Any:
    return getattr(getattr(getattr(runconfig, "environment", None), "databricks", None), "cluster", None)


def _check_cluster(given: Mapping[str, Any], runconfig: Any, place: str) -> None:
    named = [name for name in _CLUSTER if given[name] is not None]
    if _cluster_of(runconfig) is not None:
        if named:
            raise ValueError(f"{place}: its runconfig has a Databricks cluster, so leave out {', '.join(named)}.")
        return
    if given["node_type"] is not None and given["instance_pool_id"] is not None:
        raise ValueError(f"{place}: give node_type or instance_pool_id, not both.")
    if given["existing_cluster_id"] is not None:
        return
    if given["permit_cluster_restart"] is not None:
        raise ValueError(f"{place}: permit_cluster_restart needs existing_cluster_id.")
    scales = [given["min_workers"], given["max_workers"]]
    is_fixed, is_scaled = given["num_workers"] is not None, None not in scales
    if is_fixed == is_scaled or (is_fixed and scales != [None, None]):
        raise ValueError(f"{place} needs existing_cluster_id, or for a new cluster either num_workers, or min_workers and max_workers.")


def _defaults(given: Mapping[str, Any], runconfig: Any) -> Dict[str, Any]:
    """What a new cluster has where nothing is said."""
    if given["existing_cluster_id"] is not None or _cluster_of(runconfig) is not None:
        return {}
    defaults: Dict[str, Any] = {"spark_version": _SPARK, "spark_env_variables": _VARIABLES}
    if given["instance_pool_id"] is None:
        defaults["node_type"] = _NODE
    return {name: value for name, value in defaults.items() if given[name] is None}


__all__ = ["DatabricksStep"]

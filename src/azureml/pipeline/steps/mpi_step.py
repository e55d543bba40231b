"""The step that runs a script under MPI."""

from __future__ import annotations

import logging
from typing import Any, Dict, Optional, Sequence

from azureml.core._deprecation import deprecated
from azureml.pipeline.core._parameters import PipelineParameter
from azureml.pipeline.core._settings import to_settings
from azureml.pipeline.steps.estimator_step import without_script
from azureml.pipeline.steps.python_script_step import PythonScriptStep

_LOGGER = logging.getLogger("penstock")
_KEYWORDS = (
    "environment_variables",
    "use_gpu",
    "use_docker",
    "custom_docker_image",
    "image_registry_details",
    "user_managed",
    "conda_packages",
    "pip_packages",
    "pip_requirements_file_path",
    "environment_definition",
)
_KINDS = ("AmlCompute", "Kubernetes", "BatchAI", "Cmk", "local")


class MpiStep(PythonScriptStep):
    """A step that runs a script under MPI.

    With one node and one process it runs as a Python script does. A pipeline that has one of several processes is refused when it is
    submitted or published.

    Args:
        name: The step's name.
        source_directory: The folder of the script.
        script_name: The script there.
        arguments: What the script is given.
        compute_target: A compute target or its name.
        node_count: How many nodes; a pipeline parameter may say it.
        process_count_per_node: How many processes on each; a pipeline parameter may say it.
        inputs: What the script reads.
        outputs: What it writes.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.
        version: A text that forces a new definition when it changes.
        hash_paths: Deprecated, and without effect.
        **kwargs: environment_variables, use_gpu, use_docker, custom_docker_image, image_registry_details, user_managed, conda_packages,
            pip_packages, pip_requirements_file_path and environment_definition, as for an Estimator.

    Raises:
        ValueError: One of the first seven arguments is missing, or an argument, input, output or name is not allowed.
        TypeError: The compute target is of a kind that has no MPI.
        TrainingException: The folder or the script does not exist, or the keywords exclude each other.
    """

    def __init__(
        self,
        name: Optional[str] = None,
        source_directory: Any = None,
        script_name: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
        compute_target: Any = None,
        node_count: Any = None,
        process_count_per_node: Any = None,
        inputs: Optional[Sequence[Any]] = None,
        outputs: Optional[Sequence[Any]] = None,
        allow_reuse: bool = True,
        version: Optional[str] = None,
        hash_paths: Optional[Sequence[str]] = None,
        **kwargs: Any,
    ) -> None:
        deprecated("MpiStep is deprecated in SDK v1. Use CommandStep with an MpiConfiguration.")
        _check_given(
            name=name,
            source_directory=source_directory,
            script_name=script_name,
            arguments=arguments,
            compute_target=compute_target,
            node_count=node_count,
            process_count_per_node=process_count_per_node,
        )
        _check_target(compute_target)
        counts = {"node_count": node_count, "process_count_per_node": process_count_per_node}
        self._counts = counts
        super().__init__(
            script_name=str(script_name),
            name=name,
            arguments=arguments,
            compute_target=compute_target,
            runconfig=_run_config(source_directory, script_name, compute_target, counts, kwargs),
            runconfig_pipeline_params={key: counts[count] for key, count in _SET_BY if isinstance(counts[count], PipelineParameter)},
            inputs=inputs,
            outputs=outputs,
            params=kwargs.get("environment_variables"),
            source_directory=source_directory,
            allow_reuse=allow_reuse,
            version=version,
            hash_paths=hash_paths,
        )
        self.step_type = MpiStep.__name__  # also of subclasses: it says what may run it

    def _settings(self) -> Dict[str, Any]:
        return to_settings(self._counts)


_SET_BY = (("NodeCount", "node_count"), ("MpiProcessCountPerNode", "process_count_per_node"))


def _check_given(**given: Any) -> None:
    missing = [name for name, value in given.items() if value is None]
    if missing:
        raise ValueError(f"An MpiStep needs {', '.join(missing)}.")


def _check_target(target: Any) -> None:
    kind = target[1] if isinstance(target, tuple) and len(target) == 2 else getattr(target, "type", None)
    if isinstance(kind, str) and kind.lower() not in map(str.lower, _KINDS):
        raise TypeError(f"An MpiStep needs a compute target with nodes, an AmlCompute or KubernetesCompute, not one of the type {kind}.")


def _run_config(folder: Any, script: Any, target: Any, counts: Dict[str, Any], keywords: Dict[str, Any]) -> Any:
    from azureml.train.estimator import Estimator

    unknown = sorted(set(keywords) - set(_KEYWORDS))
    if unknown:
        _LOGGER.warning("An MpiStep ignores %s. Besides its arguments it takes %s.", ", ".join(unknown), ", ".join(_KEYWORDS))
    plain = {name: value.default_value if isinstance(value, PipelineParameter) else value for name, value in counts.items()}
    known = {name: value for name, value in keywords.items() if name in _KEYWORDS}
    name = target[0] if isinstance(target, tuple) else target
    estimator = Estimator(folder, entry_script=script, compute_target=name, distributed_backend="mpi", **plain, **known)
    return without_script(estimator.run_config)


__all__ = ["MpiStep"]

"""The step that runs an R script."""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Sequence

from azureml.core._deprecation import deprecated
from azureml.pipeline.core._python_script_step_base import _PythonScriptStepBase
from azureml.pipeline.steps.command_step import reference
from penstock.model.graph import LITERAL, Argument

if TYPE_CHECKING:
    from azureml.pipeline.core._nodes import ModuleNode
    from azureml.pipeline.core._parameters import PipelineParameter

_LOGGER = logging.getLogger("penstock")
_RSCRIPT = "Rscript"


class RScriptStep(_PythonScriptStepBase):
    """A step that runs an R script: `Rscript` of this machine, or the program that environment.r.rscript_path names.

    Data and parameters reach the script as they reach a Python script. R packages are not installed: those of this machine's R are there.

    Args:
        script_name: The script, relative to `source_directory`.
        name: The step's name; None takes the script's.
        arguments: What the script is given. Data among them must also be an input or output.
        compute_target: A compute target, its name, or a pair (name, type); None means the run configuration's.
        runconfig: The run configuration. Its environment must have an RSection: environment.r = RSection().
        runconfig_pipeline_params: Settings of the run that pipeline parameters give; see PythonScriptStep.
        inputs: What the script reads.
        outputs: What it writes.
        params: Values by name: plain ones, or pipeline parameters.
        source_directory: The folder of the script; None means the pipeline's default, or the current folder.
        use_gpu: Kept; a GPU that is there can be used.
        custom_docker_image: The image of the environment, where it names none.
        cran_packages: Deprecated, and without effect, as in v1.
        github_packages: Deprecated, and without effect, as in v1.
        custom_url_packages: Deprecated, and without effect, as in v1.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.
        version: A text that forces a new definition when it changes.

    Raises:
        ValueError: The run configuration has no R, or an argument, input, output or name is not allowed.
    """

    _runs_command = True

    def __init__(
        self,
        script_name: str,
        name: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
        compute_target: Any = None,
        runconfig: Any = None,
        runconfig_pipeline_params: Optional[Mapping[str, PipelineParameter]] = None,
        inputs: Optional[Sequence[Any]] = None,
        outputs: Optional[Sequence[Any]] = None,
        params: Optional[Mapping[str, Any]] = None,
        source_directory: Any = None,
        use_gpu: bool = False,
        custom_docker_image: Optional[str] = None,
        cran_packages: Optional[Sequence[Any]] = None,
        github_packages: Optional[Sequence[Any]] = None,
        custom_url_packages: Optional[Sequence[Any]] = None,
        allow_reuse: bool = True,
        version: Optional[str] = None,
    ) -> None:
        deprecated("RScriptStep is deprecated in SDK v1. Use CommandStep with an Environment.")
        _check_r(runconfig, custom_docker_image, script_name)
        given = {"cran_packages": cran_packages, "github_packages": github_packages, "custom_url_packages": custom_url_packages}
        for keyword in (keyword for keyword, value in given.items() if value):
            deprecated(f"{keyword} of an RScriptStep is deprecated in SDK v1 and has no effect. Set it on environment.r.")
        self._image = custom_docker_image
        super().__init__(
            script_name=script_name,
            name=name,
            arguments=arguments,
            compute_target=compute_target,
            runconfig=runconfig,
            runconfig_pipeline_params=runconfig_pipeline_params,
            inputs=inputs,
            outputs=outputs,
            params=params,
            source_directory=source_directory,
            allow_reuse=allow_reuse,
            version=version,
        )

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> ModuleNode:
        """Add the step's node to a graph, and return it.

        Args:
            graph: The graph.
            default_datastore: The datastore of outputs that name none.
            context: The graph's context.

        Raises:
            ValueError: The script or the compute target does not exist.
        """
        return super().create_node(graph, default_datastore, context)

    def _command(self, arguments: Sequence[Argument]) -> Sequence[str]:
        program = self._runconfig.environment.r.rscript_path or _RSCRIPT
        words = [item.value if item.kind == LITERAL else reference(item) for item in arguments]
        return (str(program), str(self._script_name), *words)

    def _settings(self) -> Dict[str, Any]:
        return {"script_name": self._script_name}

    def _own_run_config(self, run_config: Any) -> Any:
        own = copy.copy(run_config)
        own.script, own.arguments, own.command = None, [], ""
        if self._image:
            own.environment = copy.copy(run_config.environment)
            own.environment.docker = copy.copy(run_config.environment.docker)
            own.environment.docker.base_image = self._image
        return own


def _check_r(runconfig: Any, image: Optional[str], script: Any) -> None:
    place = f"The RScriptStep of '{script}'"
    environment = getattr(runconfig, "environment", None)
    section = getattr(environment, "r", None)
    if section is None:
        raise ValueError(f"{place} needs a run configuration whose environment says which R: environment.r = RSection().")
    if image and not section.user_managed:
        raise ValueError(f"{place} has a custom_docker_image, so environment.r.user_managed must be True: nothing is installed into it.")
    wanted = [
        name for name in ("cran_packages", "github_packages", "custom_url_packages", "bioconductor_packages") if getattr(section, name)
    ]
    if wanted and not section.user_managed:
        _LOGGER.warning("%s: %s of environment.r are not installed. Install them in this machine's R.", place, ", ".join(wanted))


__all__ = ["RScriptStep"]

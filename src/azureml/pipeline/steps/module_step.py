"""The step that is made of a registered module."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence

from azureml.pipeline.core.graph import PipelineParameter
from azureml.pipeline.core.module import Module, ModuleVersion
from azureml.pipeline.core.module_step_base import ModuleStepBase


class ModuleStep(ModuleStepBase):
    """A step that is made of a registered module: the script and its folder come with the module, the data from here.

    Args:
        module: The module; which of its versions is meant is decided when the pipeline is built.
        version: The name of a version of `module`; None means its default, else its highest.
        module_version: A version itself, instead of `module`.
        inputs_map: Name of the module's input -> the data that it reads. Optional inputs may be left out.
        outputs_map: Name of the module's output -> the data that it writes. Outputs that nobody reads may be left out.
        compute_target: Where it runs.
        runconfig: Its run configuration; None takes that of the version.
        runconfig_pipeline_params: Run settings that pipeline parameters give.
        arguments: What the script is given; None takes the arguments of the version.
        params: Values of the module's parameters: plain ones, or pipeline parameters. The others have their defaults.
        name: The step's name; None takes the module's.
        _workflow_provider: Accepted and ignored.

    Raises:
        ValueError: Neither or both of `module` and `module_version` are given, or data can't stand behind a port.
    """

    def __init__(
        self,
        module: Optional[Module] = None,
        version: Optional[str] = None,
        module_version: Optional[ModuleVersion] = None,
        inputs_map: Optional[Mapping[str, Any]] = None,
        outputs_map: Optional[Mapping[str, Any]] = None,
        compute_target: Any = None,
        runconfig: Any = None,
        runconfig_pipeline_params: Optional[Mapping[str, PipelineParameter]] = None,
        arguments: Optional[Sequence[Any]] = None,
        params: Optional[Mapping[str, Any]] = None,
        name: Optional[str] = None,
        _workflow_provider: Any = None,
    ) -> None:
        super().__init__(
            module=module,
            version=version,
            module_version=module_version,
            inputs_map=inputs_map,
            outputs_map=outputs_map,
            compute_target=compute_target,
            runconfig=runconfig,
            runconfig_pipeline_params=runconfig_pipeline_params,
            arguments=arguments,
            params=params,
            name=name,
            _workflow_provider=_workflow_provider,
        )

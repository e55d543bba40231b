"""Pipelines of SDK v1: describe steps and the data between them, submit them, and watch what runs.

Names load where they are first used, so that the import itself costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

import azureml.core as _core

__version__ = _core.VERSION

if TYPE_CHECKING:
    from azureml.pipeline.core.builder import PipelineData, PipelineStep, StepSequence
    from azureml.pipeline.core.graph import (
        InputPortBinding,
        OutputPortBinding,
        PipelineDataset,
        PipelineParameter,
        PortDataReference,
        PublishedPipeline,
        TrainingOutput,
    )
    from azureml.pipeline.core.module import Module, ModuleVersion, ModuleVersionDescriptor
    from azureml.pipeline.core.pipeline import Pipeline
    from azureml.pipeline.core.pipeline_draft import PipelineDraft
    from azureml.pipeline.core.pipeline_endpoint import PipelineEndpoint
    from azureml.pipeline.core.run import PipelineRun, StepRun, StepRunOutput
    from azureml.pipeline.core.schedule import Schedule, ScheduleRecurrence, TimeZone

_HOMES = {
    "InputPortBinding": "graph",
    "Module": "module",
    "ModuleVersion": "module",
    "ModuleVersionDescriptor": "module",
    "OutputPortBinding": "graph",
    "Pipeline": "pipeline",
    "PipelineData": "builder",
    "PipelineDataset": "graph",
    "PipelineDraft": "pipeline_draft",
    "PipelineEndpoint": "pipeline_endpoint",
    "PipelineParameter": "graph",
    "PipelineRun": "run",
    "PipelineStep": "builder",
    "PortDataReference": "graph",
    "PublishedPipeline": "graph",
    "Schedule": "schedule",
    "ScheduleRecurrence": "schedule",
    "StepRun": "run",
    "StepRunOutput": "run",
    "StepSequence": "builder",
    "TimeZone": "schedule",
    "TrainingOutput": "graph",
}
_MODULES = (
    *sorted(set(_HOMES.values())),
    "module_step_base",
    "pipeline_output_dataset",
)

__all__ = [
    "InputPortBinding",
    "Module",
    "ModuleVersion",
    "ModuleVersionDescriptor",
    "OutputPortBinding",
    "Pipeline",
    "PipelineData",
    "PipelineDataset",
    "PipelineDraft",
    "PipelineEndpoint",
    "PipelineParameter",
    "PipelineRun",
    "PipelineStep",
    "PortDataReference",
    "PublishedPipeline",
    "Schedule",
    "ScheduleRecurrence",
    "StepRun",
    "StepRunOutput",
    "StepSequence",
    "TimeZone",
    "TrainingOutput",
]


def __getattr__(name: str) -> Any:
    import importlib

    if name in _MODULES:  # v1's package had its modules as attributes
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    importlib.import_module(f"{__name__}.graph")  # gives the classes of the graph their public module
    found = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> List[str]:
    return sorted({*globals(), *__all__})

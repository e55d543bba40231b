"""Pipeline endpoints: not part of this version, so the names import and refuse to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

_INSTEAD = "Submit the pipeline itself: Experiment(workspace, name).submit(pipeline)."

PipelineEndpoint = refuse_class("azureml.pipeline.core.pipeline_endpoint.PipelineEndpoint", _INSTEAD)
PipelineIdVersion = refuse_class("azureml.pipeline.core.pipeline_endpoint.PipelineIdVersion", _INSTEAD)
PipelineVersion = refuse_class("azureml.pipeline.core.pipeline_endpoint.PipelineVersion", _INSTEAD)

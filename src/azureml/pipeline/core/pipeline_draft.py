"""Pipeline drafts: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

PipelineDraft = refuse_class("azureml.pipeline.core.pipeline_draft.PipelineDraft", "Change the pipeline's Python code and submit it again.")

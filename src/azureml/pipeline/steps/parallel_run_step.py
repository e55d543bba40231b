"""Parallel run steps: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

ParallelRunStep = refuse_class(
    "azureml.pipeline.steps.parallel_run_step.ParallelRunStep", "Use a PythonScriptStep that splits its input and uses multiprocessing."
)

"""Data Lake Analytics steps: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

AdlaStep = refuse_class("azureml.pipeline.steps.adla_step.AdlaStep", "Use a PythonScriptStep that runs the query with a client library.")

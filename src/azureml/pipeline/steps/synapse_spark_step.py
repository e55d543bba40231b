"""Synapse Spark steps: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

SynapseSparkStep = refuse_class(
    "azureml.pipeline.steps.synapse_spark_step.SynapseSparkStep", "Use a PythonScriptStep that uses pyspark in local mode."
)

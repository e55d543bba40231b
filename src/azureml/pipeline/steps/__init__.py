"""The kinds of steps. Names load where they are first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from azureml.pipeline.steps.adla_step import AdlaStep
    from azureml.pipeline.steps.automl_step import AutoMLStep, AutoMLStepRun
    from azureml.pipeline.steps.azurebatch_step import AzureBatchStep
    from azureml.pipeline.steps.command_step import CommandStep
    from azureml.pipeline.steps.data_transfer_step import DataTransferStep
    from azureml.pipeline.steps.databricks_step import DatabricksStep
    from azureml.pipeline.steps.estimator_step import EstimatorStep
    from azureml.pipeline.steps.hyper_drive_step import HyperDriveStep, HyperDriveStepRun
    from azureml.pipeline.steps.kusto_step import KustoStep
    from azureml.pipeline.steps.module_step import ModuleStep
    from azureml.pipeline.steps.mpi_step import MpiStep
    from azureml.pipeline.steps.parallel_run_config import ParallelRunConfig
    from azureml.pipeline.steps.parallel_run_step import ParallelRunStep
    from azureml.pipeline.steps.python_script_step import PythonScriptStep
    from azureml.pipeline.steps.r_script_step import RScriptStep
    from azureml.pipeline.steps.synapse_spark_step import SynapseSparkStep

_HOMES = {
    "AdlaStep": "adla_step",
    "AutoMLStep": "automl_step",
    "AutoMLStepRun": "automl_step",
    "AzureBatchStep": "azurebatch_step",
    "CommandStep": "command_step",
    "DataTransferStep": "data_transfer_step",
    "DatabricksStep": "databricks_step",
    "EstimatorStep": "estimator_step",
    "HyperDriveStep": "hyper_drive_step",
    "HyperDriveStepRun": "hyper_drive_step",
    "KustoStep": "kusto_step",
    "ModuleStep": "module_step",
    "MpiStep": "mpi_step",
    "ParallelRunConfig": "parallel_run_config",
    "ParallelRunStep": "parallel_run_step",
    "PythonScriptStep": "python_script_step",
    "RScriptStep": "r_script_step",
    "SynapseSparkStep": "synapse_spark_step",
}

__all__ = [
    "AdlaStep",
    "AutoMLStep",
    "AutoMLStepRun",
    "AzureBatchStep",
    "CommandStep",
    "DataTransferStep",
    "DatabricksStep",
    "EstimatorStep",
    "HyperDriveStep",
    "HyperDriveStepRun",
    "KustoStep",
    "ModuleStep",
    "MpiStep",
    "ParallelRunConfig",
    "ParallelRunStep",
    "PythonScriptStep",
    "RScriptStep",
    "SynapseSparkStep",
]


def __getattr__(name: str) -> Any:
    import importlib

    if name in _HOMES.values():  # v1's package had its modules as attributes
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    importlib.import_module("azureml.pipeline.core.graph")  # gives the classes of the graph their public module
    found = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> List[str]:
    return sorted({*globals(), *__all__})

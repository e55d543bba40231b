"""The kinds of steps that take their place in a pipeline and can't run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, Mapping, Optional

if TYPE_CHECKING:
    from penstock.model.graph import PipelineGraph, StepNode

SCRIPT_STEP = "ScriptRun"  # the one step of a script's run, which is no pipeline
AUTOML_STEP = "AutoMLStep"
SPARK_STEP = "SynapseSparkStep"  # it alone reads and writes in mode hdfs
_OF_SEVERAL_PROCESSES = ("MpiStep", "EstimatorStep")

AUTOML_INSTEAD = "Train in a PythonScriptStep that reads the same data, for instance with FLAML or scikit-learn."

_NO_CLOUD = "Penstock has no connection to it."

# Step type -> why, and what to do instead.
CANNOT_RUN: Mapping[str, str] = {
    AUTOML_STEP: f"Automated ML is not part of Penstock: its engine is closed. {AUTOML_INSTEAD}",
    "ParallelRunStep": "A ParallelRunStep can't run in this version of Penstock. Use a PythonScriptStep that reads the same input and "
    "splits it with multiprocessing.",
    "HyperDriveStep": "A HyperDriveStep can't run in this version of Penstock. Use a PythonScriptStep that tries the settings in a loop.",
    "DataTransferStep": "A DataTransferStep can't run in this version of Penstock. Use a PythonScriptStep that copies its input to its "
    "output.",
    "DatabricksStep": f"A DatabricksStep runs on Azure Databricks. {_NO_CLOUD} Use a PythonScriptStep that submits the job with a client "
    "library, or that does the work with pyspark.",
    "AzureBatchStep": f"An AzureBatchStep runs on Azure Batch. {_NO_CLOUD} Use a CommandStep that runs the program here.",
    "AdlaStep": "An AdlaStep ran on Azure Data Lake Analytics, which is closed. Use a PythonScriptStep that does the query's work.",
    "KustoStep": f"A KustoStep runs on Azure Data Explorer. {_NO_CLOUD} Use a PythonScriptStep that runs the query with the package "
    "azure-kusto-data.",
    SPARK_STEP: f"A SynapseSparkStep runs on Azure Synapse. {_NO_CLOUD} Use a PythonScriptStep that does the work with pyspark.",
}

_SEVERAL = (
    "An {} of {} processes can't run in this version of Penstock. Use node_count=1 and process_count_per_node=1, or a CommandStep that "
    "starts mpirun."
)


def find_obstacle(step: StepNode, values: Mapping[str, Any]) -> Optional[str]:
    """Return why a step can't run and what to do instead; None where it can.

    Args:
        step: The step.
        values: The values of the pipeline's parameters.
    """
    if step.step_type in CANNOT_RUN:
        return CANNOT_RUN[step.step_type]
    processes = _processes(step, values) if step.step_type in _OF_SEVERAL_PROCESSES else 1
    return None if processes == 1 else _SEVERAL.format(step.step_type, processes)


def find_refused(graph: PipelineGraph) -> List[str]:
    """Return why a pipeline can't run as a whole, one sentence for each of its steps that can't; [] where nothing is known to fail.

    A step that searches for a model is none of them: it fails when its turn comes, after all that it waits for.
    """
    values = {parameter.name: parameter.default for parameter in graph.parameters}
    found = [(step, find_obstacle(step, values)) for step in graph.steps if step.step_type != AUTOML_STEP]
    return [f"Step '{step.name}': {obstacle}" for step, obstacle in found if obstacle]


def _processes(step: StepNode, values: Mapping[str, Any]) -> int:
    mpi = step.run_config.get("mpi")
    asked = {
        "NodeCount": step.run_config.get("nodeCount"),
        "MpiProcessCountPerNode": mpi.get("processCountPerNode") if isinstance(mpi, Mapping) else None,
    }
    nodes, processes = (values.get(step.run_config_parameters.get(key, ""), count) for key, count in asked.items())
    return _count(nodes) * _count(processes)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 1

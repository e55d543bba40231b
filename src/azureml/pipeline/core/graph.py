"""The graph of a pipeline: nodes, ports, definitions, parameters and bindings, under v1's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core._bindings import InputPortBinding, OutputPortBinding, TrainingOutput
from azureml.pipeline.core._data_types import DataType, StoredProcedureParameterType
from azureml.pipeline.core._definitions import (
    DataSource,
    DataSourceDef,
    InputPortDef,
    Module,
    ModuleDef,
    OutputPortDef,
    StoredProcedureParameter,
)
from azureml.pipeline.core._graph import Graph
from azureml.pipeline.core._nodes import DataSourceNode, Edge, InputPort, ModuleNode, Node, OutputPort
from azureml.pipeline.core._parameters import Param, ParamDef, PipelineParameter
from azureml.pipeline.core._pipeline_dataset import PipelineDataset
from azureml.pipeline.core._port_data import PortDataReference
from azureml.pipeline.core._published import PublishedPipeline

if TYPE_CHECKING:
    from azureml.pipeline.core.run import PipelineRun

__all__ = [
    "DataPath",
    "DataPathComputeBinding",
    "DataReference",
    "DataSource",
    "DataSourceDef",
    "DataSourceNode",
    "DataType",
    "Edge",
    "Graph",
    "InputPort",
    "InputPortBinding",
    "InputPortDef",
    "Module",
    "ModuleDef",
    "ModuleNode",
    "Node",
    "OutputPort",
    "OutputPortBinding",
    "OutputPortDef",
    "Param",
    "ParamDef",
    "PipelineDataset",
    "PipelineParameter",
    "PipelineRun",
    "PortDataReference",
    "PublishedPipeline",
    "StoredProcedureParameter",
    "StoredProcedureParameterType",
    "TrainingOutput",
]

# This is where users know them from: in messages, in pickles, in documentation.
for _kind in (
    DataSource,
    DataSourceDef,
    DataSourceNode,
    DataType,
    Edge,
    Graph,
    InputPort,
    InputPortBinding,
    InputPortDef,
    Module,
    ModuleDef,
    ModuleNode,
    Node,
    OutputPort,
    OutputPortBinding,
    OutputPortDef,
    Param,
    ParamDef,
    PipelineDataset,
    PipelineParameter,
    PortDataReference,
    PublishedPipeline,
    StoredProcedureParameter,
    StoredProcedureParameterType,
    TrainingOutput,
):
    _kind.__module__ = __name__


def __getattr__(name: str) -> Any:
    if name == "PipelineRun":  # late, as runs know graphs
        from azureml.pipeline.core.run import PipelineRun

        return PipelineRun
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")

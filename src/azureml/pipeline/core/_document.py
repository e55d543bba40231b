"""Between v1's graph objects and the graph document that travels and is stored; the only place that knows both."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from azureml.core._places import Target
from azureml.pipeline.core._dataset_ports import DatasetOutput, describe_output, format_registration, parse_registration
from azureml.pipeline.core._definitions import (
    RUN_AFTER_INPUT,
    DataSource,
    DataSourceDef,
    InputPortDef,
    Module,
    ModuleDef,
    OutputPortDef,
    is_run_after_port,
)
from azureml.pipeline.core._graph import Graph
from azureml.pipeline.core._graph_context import ModuleBuilder, _GraphContext
from azureml.pipeline.core._nodes import DataSourceNode, InputPort, ModuleNode, Node, OutputPort
from azureml.pipeline.core._parameters import ParamDef, PipelineParameter, kind_of, plain_value
from penstock.model import graph as model
from penstock.model.steps import SPARK_STEP


def to_document(graph: Graph, snapshots: Optional[Mapping[str, str]] = None) -> model.PipelineGraph:
    """Return the graph as a plain value.

    Args:
        graph: The graph.
        snapshots: The snapshot's digest of each source folder; None while none were taken.
    """
    return model.PipelineGraph(
        name=graph._name,
        steps=tuple(_step(node, snapshots or {}) for node in graph.module_nodes),
        data=tuple(_data(node) for node in graph.datasource_nodes),
        parameters=tuple(
            model.Parameter(item.name, kind_of(item.default_value), plain_value(item.default_value, graph._context.workspace))
            for item in graph.params.values()
        ),
    )


def find_problems(graph: Graph) -> List[str]:
    """Return all that is wrong with a graph, one sentence each; [] when nothing is."""
    from penstock.compile import checks

    return list(_structure(graph)) or checks.find_problems(to_document(graph))


def find_obstacles(graph: Graph) -> List[str]:
    """Return all that keeps a graph from running: what is wrong with it, else each step of a kind that this version can't run."""
    from penstock.compile import checks

    return list(_structure(graph)) or checks.find_obstacles(to_document(graph))


def _structure(graph: Graph) -> Iterator[str]:
    if not graph.module_nodes:
        yield "The pipeline has no steps. Give it at least one: Pipeline(workspace, steps=[step])."
    for node in graph.nodes:
        if not isinstance(node, Node):
            yield f"The graph holds {node!r}, which is no Node."
            continue
        for port in node.inputs:
            edge = port.incoming_edge
            if edge is None:
                if not port.input_port_def.is_optional:
                    yield f"The input '{port.name}' of step '{node.name}' is not connected. Connect it to an output."
            elif graph.node_dict.get(edge.source_port.node.node_id) is not edge.source_port.node:
                yield f"The input '{port.name}' of step '{node.name}' reads from '{edge.source_port.node.name}', a node of another graph."
        modes = [(port.name, port.bind_mode) for port in node.inputs] + [(port.name, port.bind_mode) for port in node.outputs]
        for name, mode in modes:
            if mode == "hdfs" and not _is_spark(node):
                yield (
                    f"'{name}' of step '{node.name}' has the mode 'hdfs', which belongs to Spark steps; this version has none. "
                    "Use OutputFileDatasetConfig for what a step writes, and as_mount() or as_download() for what it reads."
                )


def _is_spark(node: Node) -> bool:
    return node.module_def is not None and node.module_def.step_type == SPARK_STEP


# Steps


def _step(node: ModuleNode, snapshots: Mapping[str, str]) -> model.StepNode:
    definition = node.module_def
    if definition is None:
        raise ValueError(f"The node '{node.name}' has no definition.")
    builder = builder_of(node)
    return model.StepNode(
        id=node.node_id,
        name=node.name,
        step_type=definition.step_type or "PythonScriptStep",
        script=builder.script,
        command=builder.command,
        snapshot=snapshots.get(builder.source_directory or "") or builder.snapshot,
        arguments=tuple(_argument(item) for item in definition._arguments),
        parameters=tuple(_parameters(node)),
        inputs=tuple(_input(port) for port in node.inputs if not is_run_after_port(port.name) and port.incoming_edge is not None),
        outputs=tuple(_output(node, port) for port in node.outputs if not is_run_after_port(port.name)),
        run_after=tuple(node._run_after_ids()),
        compute=model.ComputeRef(builder.target.name, builder.target.type) if builder.target is not None else None,
        run_config=node._runconfig or {},
        run_config_parameters={key: parameter.name for key, parameter in builder.run_config_parameters.items()},
        allow_reuse=bool(definition.allow_reuse),
        version=None if definition.version is None else str(definition.version),
        settings=builder.settings,
        module=dict(builder.module),
    )


def builder_of(node: ModuleNode) -> ModuleBuilder:
    """Return how a step's node was built; an empty answer for a node that another kind of builder made."""
    builder = node._module_builder
    return builder if isinstance(builder, ModuleBuilder) else ModuleBuilder(node.module_def)


def _argument(item: Any) -> model.Argument:
    return item if isinstance(item, model.Argument) else model.Argument(model.LITERAL, str(item))


def _parameters(node: ModuleNode) -> Iterator[model.StepParameter]:
    for param in node.params.values():
        if param.param_def.is_metadata_param:
            continue
        if isinstance(param.value, PipelineParameter):
            yield model.StepParameter(param.name, pipeline_parameter=param.value.name)
        else:
            yield model.StepParameter(param.name, value=_scalar(param.value))


def _scalar(value: Any) -> model.Scalar:
    """A step parameter's value; what is no scalar travels as its text, as in v1."""
    try:
        plain: model.Scalar = plain_value(value) if isinstance(value, (str, int, float, bool)) else str(value)
    except TypeError:
        plain = str(value)
    return plain


def _input(port: InputPort) -> model.InputPort:
    edge = port.incoming_edge
    assert edge is not None
    source = model.PortRef(edge.source_port.node.node_id, edge.source_port.name)
    path, dataset = port.path_on_compute, port.additional_transformations
    if port.input_port_def.is_resource:  # put beside the script, under the port's name
        return model.InputPort(port.name, source, "download", path or port.name, True, dataset)
    return model.InputPort(port.name, source, port.bind_mode or "mount", path, port.overwrite, dataset)


def _output(node: ModuleNode, port: OutputPort) -> model.OutputPort:
    if port.datastore_name is None:
        raise ValueError(f"Nothing says which datastore takes the output '{port.name}' of step '{node.name}'. Set its datastore_name.")
    definition, about = port._output_port_def, describe_output(port.dataset_output)
    return model.OutputPort(
        name=port.name,
        datastore=port.datastore_name,
        mode=port.bind_mode or "mount",
        path_on_compute=port.path_on_compute,
        overwrite=port.overwrite,
        is_directory=definition.is_directory,
        data_type=definition.data_type,
        pipeline_output_name=port.pipeline_output_name,
        destination=about.destination if about is not None else None,
        source_globs=about.source_globs if about is not None else (),
        dataset=_reading(about, port.dataset_registration),
        registration=format_registration(port.dataset_registration),
    )


def _reading(about: Optional[DatasetOutput], registration: Any) -> Optional[Mapping[str, Any]]:
    if about is not None:
        return about.reading
    return {} if registration is not None else None  # what is registered is a dataset, of plain files


def _data(node: DataSourceNode) -> model.DataNode:
    definition = node.datasource_def
    if definition is not None and definition._dataset is not None:
        return model.DataNode(node.node_id, node.name, parameter=node.datapath_param_name, dataset=definition._dataset)
    if definition is None or definition.datastore_name is None:
        raise ValueError(f"Nothing says on which datastore the data '{node.name}' lies.")
    return model.DataNode(node.node_id, node.name, definition.datastore_name, definition.path_on_datastore or "", node.datapath_param_name)


# And back


def from_document(document: Mapping[str, Any], context: _GraphContext, values: Optional[Mapping[str, Any]] = None) -> Graph:
    """Return the graph of a stored document: the same nodes, with finished definitions.

    Args:
        document: The document.
        context: The graph's context.
        values: The values that the run's parameters had; they become the defaults.
    """
    stored = model.parse_graph(document)
    graph = Graph(stored.name, context)
    parameters = {item.name: PipelineParameter(item.name, _value(item, values or {}, context)) for item in stored.parameters}
    graph._params.update(parameters)
    for item in stored.data:
        definition = DataSourceDef(item.name, datastore_name=item.datastore or None, path_on_datastore=item.path)
        definition._dataset = item.dataset
        source = DataSource(definition.calculate_hash(), definition)
        graph._nodes[item.id] = DataSourceNode(graph, item.id, item.name, datasource=source, datapath_param_name=item.parameter)
    for step in stored.steps:
        graph._nodes[step.id] = _node(graph, step, parameters)
    for step in stored.steps:
        _connect(graph, step)
    return graph


def _value(parameter: model.Parameter, values: Mapping[str, Any], context: _GraphContext) -> Any:
    value = values.get(parameter.name, parameter.default)
    if parameter.kind == "dataset":
        from azureml.data.abstract_dataset import AbstractDataset

        return AbstractDataset.get_by_id(context.workspace, value["id"])
    if parameter.kind != "datapath":
        return value
    from azureml.core.datastore import Datastore
    from azureml.data.datapath import DataPath

    return DataPath(
        datastore=Datastore.get(context.workspace, value["datastore"]), path_on_datastore=value.get("path", ""), name=parameter.name
    )


def _node(graph: Graph, step: model.StepNode, parameters: Mapping[str, PipelineParameter]) -> ModuleNode:
    from penstock.compile.fingerprints import definition_id

    settings: Dict[str, Any] = {"Script": step.script}
    if step.compute is not None:
        settings.update({"Target": step.compute.name, "MLCComputeType": step.compute.type})
    definition = ModuleDef(
        name=step.name,
        description=step.name,
        input_port_defs=[_input_def(port) for port in step.inputs] + [_order_def(index) for index in range(len(step.run_after))],
        output_port_defs=[_output_def(port) for port in step.outputs],
        param_defs=[ParamDef(item.name, item.value, set_env_var=True) for item in step.parameters]
        + [ParamDef(name, value, is_metadata_param=True) for name, value in settings.items() if value is not None],
        module_execution_type="escloud",
        allow_reuse=step.allow_reuse,
        version=step.version,
        step_type=step.step_type,
        arguments=step.arguments,
    )
    builder = ModuleBuilder(
        definition,
        script=step.script,
        target=Target(step.compute.name, step.compute.type) if step.compute is not None else None,
        run_config_parameters={key: parameters[name] for key, name in step.run_config_parameters.items()},
        command=step.command,
        settings=step.settings,
    )
    builder.snapshot = step.snapshot
    builder.module = dict(step.module)
    node = ModuleNode(
        graph,
        step.id,
        module=Module(definition_id(step), definition),
        module_builder=builder,
        runconfig=dict(step.run_config),
    )
    for item in step.parameters:
        if item.pipeline_parameter:
            node.params[item.name].set_value(parameters[item.pipeline_parameter])
    for port in step.outputs:
        written = node.output_dict[port.name]
        written.pipeline_output_name = port.pipeline_output_name
        written.dataset_registration = parse_registration(port.registration)
        if port.dataset is not None:
            written.dataset_output = DatasetOutput(port.dataset, port.destination, port.source_globs)
    return node


def _input_def(port: model.InputPort) -> InputPortDef:
    return InputPortDef(
        port.name,
        default_datastore_mode=port.mode,
        default_path_on_compute=port.path_on_compute,
        default_overwrite=port.overwrite,
        default_data_reference_name=port.name,
        additional_transformations=port.dataset,
    )


def _order_def(index: int) -> InputPortDef:
    return InputPortDef(f"{RUN_AFTER_INPUT}{index}", is_optional=True)


def _output_def(port: model.OutputPort) -> OutputPortDef:
    return OutputPortDef(
        port.name,
        default_datastore_name=port.datastore,
        default_datastore_mode=port.mode,
        default_path_on_compute=port.path_on_compute,
        is_directory=port.is_directory,
        data_type=port.data_type,
        default_overwrite=port.overwrite,
    )


def _connect(graph: Graph, step: model.StepNode) -> None:
    node = graph._nodes[step.id]
    sources: List[Tuple[str, str, str]] = [(port.name, port.source.node_id, port.source.port) for port in step.inputs]
    sources += [(f"{RUN_AFTER_INPUT}{index}", node_id, ModuleDef.fake_output_name) for index, node_id in enumerate(step.run_after)]
    for name, node_id, port_name in sources:
        graph._nodes[node_id].output_dict[port_name].connect(node.input_dict[name])

"""Nodes of a graph, their ports, and the edges between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Iterable, KeysView, List, Optional, Sequence, Union, ValuesView

from azureml.pipeline.core._bindings import INPUT_MODES, OUTPUT_MODES, InputPortBinding, OutputPortBinding, check_mode
from azureml.pipeline.core._definitions import RUN_AFTER_INPUT, RUN_AFTER_OUTPUT, DataSourceDef, InputPortDef, ModuleDef, OutputPortDef
from azureml.pipeline.core._parameters import Param

if TYPE_CHECKING:
    from azureml.pipeline.core._graph import Graph


class Edge:
    """The way of data, or of mere order, from one node to another.

    Args:
        source_port: The output port where it begins.
        dest_port: The input port where it ends.
    """

    def __init__(self, source_port: OutputPort, dest_port: InputPort) -> None:
        self._source_port, self._dest_port = source_port, dest_port

    @property
    def source_port(self) -> OutputPort:
        """Return the output port where it begins."""
        return self._source_port

    @property
    def dest_port(self) -> InputPort:
        """Return the input port where it ends."""
        return self._dest_port


class InputPort:
    """An input of one node.

    Args:
        node: The node.
        input_port_def: The definition.
    """

    def __init__(self, node: Node, input_port_def: InputPortDef) -> None:
        self._node = node
        self._input_port_def = input_port_def
        self._incoming_edge: Optional[Edge] = None
        self._bind_mode = input_port_def.default_datastore_mode
        self._path_on_compute = input_port_def.default_path_on_compute
        self._overwrite = input_port_def.default_overwrite
        self._data_reference_name = input_port_def.default_data_reference_name
        self._additional_transformations = input_port_def.additional_transformations

    def connect(self, source_port: Union[OutputPort, Node]) -> Edge:
        """Connect the port to its source, and return the edge.

        Args:
            source_port: An output port, or a node that has just one.

        Raises:
            ValueError: The port already has a source, or the node has not exactly one output.
        """
        if self._incoming_edge is not None:
            raise ValueError(
                f"The input '{self.name}' of '{self._node.name}' already reads from '{self._incoming_edge.source_port.node.name}'. "
                "An input has one source; call disconnect() first, or add another input."
            )
        source = _only_output(source_port) if isinstance(source_port, Node) else source_port
        self._incoming_edge = Edge(source, self)
        return self._incoming_edge

    def disconnect(self) -> None:
        """Forget the source."""
        self._incoming_edge = None

    @property
    def name(self) -> str:
        """Return the port's name."""
        return self._input_port_def.name

    @property
    def node(self) -> Node:
        """Return the node."""
        return self._node

    @property
    def incoming_edge(self) -> Optional[Edge]:
        """Return the edge that ends here, or None."""
        return self._incoming_edge

    @property
    def input_port_def(self) -> InputPortDef:
        """Return the definition."""
        return self._input_port_def

    @property
    def data_types(self) -> List[str]:
        """Return the data types that the port takes."""
        return self._input_port_def.data_types

    @property
    def additional_transformations(self) -> Any:
        """Return what is done to a dataset before it arrives."""
        return self._additional_transformations

    @property
    def bind_mode(self) -> Optional[str]:
        """Return how the data reaches the script."""
        return self._bind_mode

    @bind_mode.setter
    def bind_mode(self, bind_mode: str) -> None:
        check_mode(bind_mode, INPUT_MODES, f"The input '{self.name}'")
        self._bind_mode = bind_mode

    @property
    def data_reference_name(self) -> Optional[str]:
        """Return the name of the data behind it, or None."""
        return self._data_reference_name

    @data_reference_name.setter
    def data_reference_name(self, data_reference_name: Optional[str]) -> None:
        self._data_reference_name = data_reference_name

    @property
    def overwrite(self) -> Optional[bool]:
        """Return whether a download may replace what is there."""
        return self._overwrite

    @overwrite.setter
    def overwrite(self, overwrite: Optional[bool]) -> None:
        self._overwrite = overwrite

    @property
    def path_on_compute(self) -> Optional[str]:
        """Return where the script finds the data, or None."""
        return self._path_on_compute

    @path_on_compute.setter
    def path_on_compute(self, path_on_compute: Optional[str]) -> None:
        self._path_on_compute = path_on_compute


class OutputPort:
    """An output of one node.

    Args:
        node: The node.
        output_port_def: The definition.
    """

    def __init__(self, node: Node, output_port_def: OutputPortDef) -> None:
        self._node = node
        self._output_port_def = output_port_def
        self._bind_mode = output_port_def.default_datastore_mode
        self._datastore_name = output_port_def.default_datastore_name
        self._path_on_compute = output_port_def.default_path_on_compute
        self._overwrite = output_port_def.default_overwrite
        self._pipeline_output_name: Optional[str] = None
        self._dataset_registration: Any = None
        self._dataset_output: Any = None

    def connect(self, dest_port: InputPort) -> Edge:
        """Connect the port to an input, and return the edge.

        Args:
            dest_port: The input.

        Raises:
            ValueError: The input already has a source.
        """
        return dest_port.connect(self)

    @property
    def name(self) -> str:
        """Return the port's name."""
        return self._output_port_def.name

    @property
    def node(self) -> Node:
        """Return the node."""
        return self._node

    @property
    def data_type(self) -> str:
        """Return the data type."""
        return self._output_port_def.data_type

    @property
    def bind_mode(self) -> Optional[str]:
        """Return how the data leaves the script."""
        return self._bind_mode

    @bind_mode.setter
    def bind_mode(self, bind_mode: str) -> None:
        check_mode(bind_mode, OUTPUT_MODES, f"The output '{self.name}'")
        self._bind_mode = bind_mode

    @property
    def dataset_output(self) -> Any:
        """Return the OutputDatasetConfig behind it, or None."""
        return self._dataset_output

    @dataset_output.setter
    def dataset_output(self, dataset_output: Any) -> None:
        self._dataset_output = dataset_output

    @property
    def dataset_registration(self) -> Any:
        """Return how it is registered as a dataset, or None."""
        return self._dataset_registration

    @dataset_registration.setter
    def dataset_registration(self, dataset_registration: Any) -> None:
        self._dataset_registration = dataset_registration

    @property
    def datastore_name(self) -> Optional[str]:
        """Return the datastore that takes the data."""
        return self._datastore_name

    @datastore_name.setter
    def datastore_name(self, datastore_name: Optional[str]) -> None:
        self._datastore_name = datastore_name

    @property
    def overwrite(self) -> Optional[bool]:
        """Return whether an upload may replace what is there."""
        return self._overwrite

    @overwrite.setter
    def overwrite(self, overwrite: Optional[bool]) -> None:
        self._overwrite = overwrite

    @property
    def path_on_compute(self) -> Optional[str]:
        """Return what is uploaded, or None."""
        return self._path_on_compute

    @path_on_compute.setter
    def path_on_compute(self, path_on_compute: Optional[str]) -> None:
        self._path_on_compute = path_on_compute

    @property
    def pipeline_output_name(self) -> Optional[str]:
        """Return the name by which PipelineRun.get_pipeline_output finds it, or None."""
        return self._pipeline_output_name

    @pipeline_output_name.setter
    def pipeline_output_name(self, pipeline_output_name: Optional[str]) -> None:
        self._pipeline_output_name = pipeline_output_name


class Node:
    """A place in a graph.

    Args:
        graph: The graph.
        node_id: The id, unique in the graph.
        name: The name; None takes the definition's.
        module: A finished definition of a step.
        module_builder: An object whose `module_def` becomes the definition.
        datasource: A finished definition of data.
        datasource_builder: An object whose `datasource_def` becomes the definition.
        module_wiring: How a registered module's ports are wired; kept, not read.
    """

    def __init__(
        self,
        graph: Graph,
        node_id: str,
        name: Optional[str] = None,
        module: Any = None,
        module_builder: Any = None,
        datasource: Any = None,
        datasource_builder: Any = None,
        module_wiring: Any = None,
    ) -> None:
        self._graph, self._node_id, self._name = graph, node_id, name
        self._module, self._module_builder, self._module_wiring = module, module_builder, module_wiring
        self._datasource, self._datasource_builder = datasource, datasource_builder
        self._inputs: Dict[str, InputPort] = {}
        self._outputs: Dict[str, OutputPort] = {}
        self._params: Dict[str, Param] = {}
        self._followed: Dict[str, InputPort] = {}
        self._make_ports()

    def _make_ports(self) -> None:
        definition = self.module_def
        if definition is not None:
            self._inputs = {item.name: InputPort(self, item) for item in definition.input_port_defs}
            self._outputs = {item.name: OutputPort(self, item) for item in definition.output_port_defs}
            self._params = {item.name: Param(item) for item in definition.param_defs}
        elif self.datasource_def is not None:
            only = self.datasource_def.output_port_def
            self._outputs = {only.name: OutputPort(self, only)}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, node_id={self._node_id!r})"

    @property
    def name(self) -> str:
        """Return the name."""
        definition = self.module_def or self.datasource_def
        return self._name or (definition.name if definition is not None else self._node_id)

    @property
    def node_id(self) -> str:
        """Return the id, unique in the graph."""
        return self._node_id

    @property
    def module_def(self) -> Optional[ModuleDef]:
        """Return the step's definition; None for data."""
        holder = self._module if self._module is not None else self._module_builder
        return holder.module_def if holder is not None else None

    @property
    def datasource_def(self) -> Optional[DataSourceDef]:
        """Return the data's definition; None for a step."""
        holder = self._datasource if self._datasource is not None else self._datasource_builder
        return holder.datasource_def if holder is not None else None

    @property
    def inputs(self) -> ValuesView[InputPort]:
        """Return the inputs."""
        return self._inputs.values()

    @property
    def outputs(self) -> ValuesView[OutputPort]:
        """Return the outputs."""
        return self._outputs.values()

    @property
    def input_dict(self) -> Dict[str, InputPort]:
        """Return the inputs by name."""
        return self._inputs

    @property
    def output_dict(self) -> Dict[str, OutputPort]:
        """Return the outputs by name."""
        return self._outputs

    @property
    def params(self) -> Dict[str, Param]:
        """Return the parameters by name."""
        return self._params

    def get_input(self, name: str) -> Optional[InputPort]:
        """Return an input; None for an unknown name.

        Args:
            name: The port's name.
        """
        return self._inputs.get(name)

    def get_output(self, name: str) -> Optional[OutputPort]:
        """Return an output; None for an unknown name.

        Args:
            name: The port's name.
        """
        return self._outputs.get(name)

    def get_param(self, name: str) -> Optional[Param]:
        """Return a parameter; None for an unknown name.

        Args:
            name: The parameter's name.
        """
        return self._params.get(name)

    def run_after(self, node: Node) -> None:
        """Let this node start only after another has ended.

        Args:
            node: The other node.

        Raises:
            ValueError: This node's definition is finished, or it is no step.
            RuntimeError: The other node has no port for it.
        """
        if node.node_id in self._followed:
            return
        if self._module is not None or self._module_builder is None:
            raise ValueError(f"'{self.name}' can't run after '{node.name}': its definition is finished. Call run_after on the step before.")
        source = node.get_output(RUN_AFTER_OUTPUT)
        if source is None:
            raise RuntimeError(f"Nothing can run after '{node.name}': its definition has no port for run_after.")
        port = InputPort(self, self._module_builder.module_def.add_fake_sequencing_input_port())
        self._inputs[port.name] = port
        self._followed[node.node_id] = port
        source.connect(port)

    def sequence(self, nodes: Sequence[Node]) -> None:
        """Let nodes run one after another, the first of them after this one.

        Args:
            nodes: The nodes.
        """
        for before, after in zip([self, *nodes], nodes):
            after.run_after(before)


class ModuleNode(Node):
    """A step's place in a graph.

    Args:
        graph: The graph.
        node_id: The id, unique in the graph.
        name: The name; None takes the definition's.
        module: A finished definition.
        module_builder: An object whose `module_def` becomes the definition.
        module_wiring: How a registered module's ports are wired; kept, not read.
        runconfig: The run configuration's document.
        cloud_settings: Settings of the cloud service; kept, not read.
        regenerate_outputs: Whether it runs even when an earlier result fits.
    """

    def __init__(
        self,
        graph: Graph,
        node_id: str,
        name: Optional[str] = None,
        module: Any = None,
        module_builder: Any = None,
        module_wiring: Any = None,
        runconfig: Any = None,
        cloud_settings: Any = None,
        regenerate_outputs: Optional[bool] = None,
    ) -> None:
        super().__init__(graph, node_id, name, module=module, module_builder=module_builder, module_wiring=module_wiring)
        self._runconfig = runconfig
        self._cloud_settings = cloud_settings
        self._regenerate_outputs = regenerate_outputs

    def _predecessors(self) -> List[Node]:
        edges = [port.incoming_edge for port in self._inputs.values()]
        return [edge.source_port.node for edge in edges if edge is not None]

    def _bind(self, inputs: Iterable[InputPortBinding], outputs: Iterable[OutputPortBinding]) -> None:
        """Take over what the bindings say beyond the definition."""
        for binding in inputs:
            port = self._inputs[binding.name]
            port.data_reference_name = port.data_reference_name or binding.data_reference_name
        for output in outputs:
            place = self._outputs[output._output_name]
            place.pipeline_output_name = output.pipeline_output_name
            place.dataset_registration = output.dataset_registration
            place.dataset_output = output._dataset_output

    def _run_after_ids(self) -> KeysView[str]:
        return {
            edge.source_port.node.node_id: None
            for name, edge in ((port.name, port.incoming_edge) for port in self._inputs.values())
            if edge is not None and name.startswith(RUN_AFTER_INPUT)
        }.keys()


class DataSourceNode(Node):
    """The place in a graph of data that exists before the run.

    Args:
        graph: The graph.
        node_id: The id, unique in the graph.
        name: The name; None takes the definition's.
        datasource: A finished definition.
        datasource_builder: An object whose `datasource_def` becomes the definition.
        datapath_param_name: The pipeline parameter that may replace the path.
    """

    datapath_param_name: Optional[str] = None

    def __init__(
        self,
        graph: Graph,
        node_id: str,
        name: Optional[str] = None,
        datasource: Any = None,
        datasource_builder: Any = None,
        datapath_param_name: Optional[str] = None,
    ) -> None:
        super().__init__(graph, node_id, name, datasource=datasource, datasource_builder=datasource_builder)
        self.datapath_param_name = datapath_param_name


def _only_output(node: Node) -> OutputPort:
    ports = [port for port in node.outputs if port.name != RUN_AFTER_OUTPUT]
    if len(ports) != 1:
        raise ValueError(f"'{node.name}' has {len(ports)} outputs; name the port: node.get_output(name).")
    return ports[0]

"""Turns what a user lists as steps into a graph: closure, edges, order."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from azureml.core._nearest import nearest
from azureml.data.data_reference import DataReference
from azureml.pipeline.core import _arguments
from azureml.pipeline.core._bindings import InputPortBinding, data_path_of, is_data_path_pair
from azureml.pipeline.core._definitions import DataSource, DataSourceDef
from azureml.pipeline.core._graph import Graph
from azureml.pipeline.core._graph_context import DataSourceBuilder
from azureml.pipeline.core._nodes import InputPort, Node
from azureml.pipeline.core._parameters import PipelineParameter
from azureml.pipeline.core._pipeline_dataset import PipelineDataset
from azureml.pipeline.core._port_data import PortDataReference
from azureml.pipeline.core.builder import PipelineStep, StepSequence
from azureml.pipeline.core.pipeline_output_dataset import PipelineOutputAbstractDataset


class _Wish(NamedTuple):
    """A step that another one needs, and why."""

    step: PipelineStep
    wanted_by: PipelineStep
    reason: str


class GraphBuilder:
    """Builds the graph of one pipeline.

    Args:
        name: The graph's name.
        context: The graph's context.
        default_datastore: The datastore of outputs that name none.
        resolve_closure: Whether steps that others need are added without being listed.
    """

    def __init__(self, name: Optional[str], context: Any, default_datastore: Any, resolve_closure: bool = True) -> None:
        self._context = context
        self._default_datastore = default_datastore
        self._resolve_closure = resolve_closure
        self._graph = Graph(name, context)
        self._built: Dict[int, Tuple[PipelineStep, Node]] = {}
        self._missing: List[_Wish] = []
        self._orders: List[List[List[Node]]] = []

    def build(self, steps: Any) -> Graph:
        """Return the graph of what the user listed.

        Raises:
            ValueError: A step is wrong or missing.
            NotImplementedError: Something listed is neither a step nor a list of steps.
        """
        self._add(steps)
        self._check_missing()
        self._check_producers()
        for step, node in self._built.values():
            self._connect(step, node)
        for groups in self._orders:
            self._put_in_order(groups)
        return self._graph

    # Which steps there are

    def _add(self, item: Any) -> List[Node]:
        """Add what an item of `steps` stands for, and return its nodes: the step's own, and those that came along with it."""
        if isinstance(item, PipelineStep):
            return self._add_step(item)
        if isinstance(item, StepSequence):
            return self._add_sequence(item)
        if type(item).__name__ == "list":
            return [node for member in item for node in self._add(member)]
        if _arguments.is_produced(item):
            return self._add_step(_producer_of(item))
        raise NotImplementedError(
            f"The steps of a pipeline can't hold a {type(item).__name__}. Use steps, PipelineData, lists and StepSequence; "
            "turn other collections into a list."
        )

    def _add_sequence(self, sequence: StepSequence) -> List[Node]:
        groups = [self._add(member) for member in sequence]
        self._orders.append(groups)
        return [node for group in groups for node in group]

    def _add_step(self, step: PipelineStep) -> List[Node]:
        if id(step) in self._built:
            return [self._built[id(step)][1]]
        added: List[Node] = []
        waiting = [step]
        while waiting:
            current = waiting.pop()
            if id(current) in self._built:
                continue
            added.append(self._create_node(current))
            needed = _needs(current)
            if self._resolve_closure:
                waiting += [wish.step for wish in reversed(needed)]
            else:
                self._missing += needed
        return added

    def _create_node(self, step: PipelineStep) -> Node:
        node = step.create_node(self._graph, self._default_datastore, self._context)
        if not isinstance(node, Node):
            raise ValueError(f"create_node of step '{step.name}' must return the Node that graph.add_module_node gave, not {node!r}.")
        self._built[id(step)] = (step, node)
        return node

    def _check_missing(self) -> None:
        for wish in self._missing:
            if id(wish.step) not in self._built:
                raise ValueError(
                    f"Step '{wish.wanted_by.name}' {wish.reason} '{wish.step.name}', which is not among the steps of the pipeline. "
                    "Add it to steps, or build the pipeline with resolve_closure=True."
                )

    def _check_producers(self) -> None:
        for step, _ in self._built.values():
            for output in step._outputs:
                producer = output._producer
                if producer is not step:
                    raise ValueError(
                        f"Two steps have the output '{output.name}': '{step.name}' and '{producer.name}'. "
                        "Data has one producer; give each step an output of its own."
                    )

    # How they hang together

    def _connect(self, step: PipelineStep, node: Node) -> None:
        for item in [*step._inputs, *step._resource_inputs]:
            binding = _arguments.bind_input(item, f"Step '{step.name}'")
            port = node.get_input(binding.name)
            if port is None:
                hint = nearest(binding.name, node.input_dict, "ports")
                raise ValueError(f"The node of step '{step.name}' has no port for its input '{binding.name}'.{hint}")
            if port.incoming_edge is None:  # a step of its own kind may have connected it itself
                self._connect_input(step, binding, port)
        for earlier in step.run_after_steps:
            node.run_after(self._built[id(earlier)][1])

    def _connect_input(self, step: PipelineStep, binding: InputPortBinding, port: InputPort) -> None:
        data = binding.bind_object
        if not _arguments.is_produced(data):
            self._data_source(binding).output_dict[DataSource.DATASOURCE_PORT_NAME].connect(port)
            return
        producer, node = self._built[id(_producer_of(data))]
        source = node.get_output(_find_written(data, producer, step))
        if source is None:
            raise ValueError(f"Step '{producer.name}' has no output '{data._output_name}', which step '{step.name}' reads.")
        source.connect(port)

    def _data_source(self, binding: InputPortBinding) -> Node:
        data = binding.bind_object
        if isinstance(data, PipelineDataset):
            return self._dataset_source(data)
        parameter: Optional[PipelineParameter] = None
        if isinstance(data, PortDataReference):
            definition = DataSourceDef.create_from_data_reference(data._data_reference)
        elif isinstance(data, DataReference):
            definition = DataSourceDef.create_from_data_reference(data)
        elif is_data_path_pair(data):
            parameter = data[0] if isinstance(data[0], PipelineParameter) else None
            definition = DataSourceDef._create_from_data_path(str(binding.data_reference_name), data_path_of(data))
        else:
            raise ValueError(f"The input '{binding.name}' is bound to a {type(data).__name__}, which is no data that a step can read.")
        if parameter is not None:
            self._graph._add_parameter(parameter, f"the input '{binding.name}'")
        return self._graph.add_datasource_node(
            definition.name,
            datasource_builder=DataSourceBuilder(definition),
            datapath_param_name=parameter.name if parameter is not None else None,
        )

    def _dataset_source(self, dataset: PipelineDataset) -> Node:
        if dataset._parameter is not None:
            self._graph._add_parameter(dataset._parameter, f"the input '{dataset.name}'")
        definition = DataSourceDef._create_from_dataset(dataset, self._context.workspace)
        return self._graph.add_datasource_node(
            definition.name, datasource_builder=DataSourceBuilder(definition), datapath_param_name=dataset.parameter_name
        )

    def _put_in_order(self, groups: Sequence[Sequence[Node]]) -> None:
        filled = [group for group in groups if group]
        for before, after in zip(filled, filled[1:]):
            done: Set[str] = set()
            for later in after:
                if later.node_id in done:
                    continue
                done.add(later.node_id)
                for earlier in before:
                    if earlier is not later:  # closure may have put one step into both groups
                        later.run_after(earlier)


def _needs(step: PipelineStep) -> List[_Wish]:
    found: List[_Wish] = []
    for item in [*step._inputs, *step._resource_inputs]:
        data = _arguments.produced_behind(item)
        if data is not None:
            found.append(_Wish(_producer_of(data, step), step, f"reads '{data.name}' of step"))
    for earlier in step.run_after_steps:
        if not isinstance(earlier, PipelineStep):
            raise ValueError(f"Step '{step.name}' is to run after {earlier!r}, a {type(earlier).__name__}; run_after takes a step.")
        found.append(_Wish(earlier, step, "runs after step"))
    return found


def _find_written(data: Any, producer: PipelineStep, reader: PipelineStep) -> str:
    """The producer's port for data that a step reads. Copies of one output may have names of their own, so the data counts.

    Raises:
        ValueError: The reader wants a dataset, and the producer writes mere PipelineData.
    """
    written = [output for output in producer._outputs if _arguments.data_of(output) is _arguments.data_of(data)]
    chosen = next((output for output in written if output._output_name == data._output_name), written[0] if written else data)
    if isinstance(data, PipelineOutputAbstractDataset) and not isinstance(chosen, PipelineOutputAbstractDataset):
        raise ValueError(
            f"Step '{reader.name}' reads '{data.name}' as a dataset, but step '{producer.name}' has the mere PipelineData in its outputs. "
            "Put what as_dataset() returned into the outputs of that step."
        )
    return producer._port_of(chosen)


def _producer_of(data: Any, reader: Optional[PipelineStep] = None) -> PipelineStep:
    producer = data._producer
    if producer is None:
        reads = f"Step '{reader.name}' reads '{data.name}'" if reader is not None else f"The steps list the data '{data.name}'"
        raise ValueError(f"{reads}, but no step produces it. Add it to the outputs of the step that writes it.")
    if not isinstance(producer, PipelineStep):
        raise ValueError(f"The producer of '{data.name}' is a {type(producer).__name__}, not a step.")
    return producer

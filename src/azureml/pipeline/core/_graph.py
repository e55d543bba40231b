"""The graph of a pipeline, as v1's users meet it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Optional, Sequence, Tuple, ValuesView

from azureml.core._nearest import nearest
from azureml.pipeline.core._bindings import InputPortBinding, OutputPortBinding
from azureml.pipeline.core._nodes import DataSourceNode, Edge, ModuleNode, Node
from azureml.pipeline.core._parameters import Param, PipelineParameter, merge_parameter

if TYPE_CHECKING:
    from azureml.pipeline.core.run import PipelineRun


class Graph:
    """The nodes of a pipeline, and what connects them.

    Args:
        name: The name; runs show it as their description.
        context: What the graph's parts share: the workspace, the default source folder.
    """

    def __init__(self, name: Optional[str], context: Any) -> None:
        self._name = name
        self._context = context
        self._nodes: Dict[str, Node] = {}
        self._params: Dict[str, PipelineParameter] = {}
        self._output_places: Dict[str, str] = {}

    def __str__(self) -> str:
        return f"Graph(name:{self._name})"

    def __repr__(self) -> str:
        return self.__str__()

    # What is there

    @property
    def nodes(self) -> ValuesView[Node]:
        """Return all nodes, in the order in which they were added."""
        return self._nodes.values()

    @property
    def module_nodes(self) -> ValuesView[ModuleNode]:
        """Return the nodes of steps."""
        return {key: node for key, node in self._nodes.items() if isinstance(node, ModuleNode)}.values()

    @property
    def datasource_nodes(self) -> ValuesView[DataSourceNode]:
        """Return the nodes of data that exists before the run."""
        return {key: node for key, node in self._nodes.items() if isinstance(node, DataSourceNode)}.values()

    @property
    def node_dict(self) -> Dict[str, Node]:
        """Return the nodes by id."""
        return self._nodes

    @property
    def node_name_dict(self) -> Dict[str, List[Node]]:
        """Return the nodes by name: a list each, as names may repeat."""
        named: Dict[str, List[Node]] = {}
        for node in self._nodes.values():
            named.setdefault(node.name, []).append(node)
        return named

    @property
    def edges(self) -> List[Edge]:
        """Return what connects the nodes, order without data included."""
        ports = [port for node in self._nodes.values() for port in node.inputs]
        return [port.incoming_edge for port in ports if port.incoming_edge is not None]

    @property
    def params(self) -> Dict[str, PipelineParameter]:
        """Return the pipeline parameters that the steps use, by name."""
        return self._params

    def get_node(self, node_id: str) -> Node:
        """Return a node.

        Args:
            node_id: Its id.

        Raises:
            KeyError: There is none with this id.
        """
        found = self._nodes.get(node_id)
        if found is None:
            raise KeyError(f"The graph has no node '{node_id}'.{nearest(node_id, self._nodes, 'node ids')}")
        return found

    # How it grows

    def add_module_node(
        self,
        name: str,
        input_bindings: Iterable[InputPortBinding],
        output_bindings: Optional[Iterable[OutputPortBinding]] = None,
        param_bindings: Optional[Dict[str, Any]] = None,
        module: Any = None,
        module_builder: Any = None,
        module_wiring: Any = None,
        runconfig: Any = None,
        cloud_settings: Any = None,
    ) -> ModuleNode:
        """Add the node of a step, and return it.

        Args:
            name: The step's name.
            input_bindings: Its inputs; each is a port of the definition.
            output_bindings: Its outputs.
            param_bindings: Values of its parameters: plain ones, or pipeline parameters.
            module: A finished definition.
            module_builder: An object whose `module_def` becomes the definition.
            module_wiring: How a registered module's ports are wired.
            runconfig: The run configuration's document.
            cloud_settings: Settings of the cloud service.

        Raises:
            ValueError: A value is given for a parameter that the step does not have, or a pipeline_output_name occurs twice.
        """
        node = ModuleNode(
            self,
            self._new_id(),
            name,
            module=module,
            module_builder=module_builder,
            module_wiring=module_wiring,
            runconfig=runconfig,
            cloud_settings=cloud_settings,
        )
        outputs = list(output_bindings or [])
        self._check_output_names(name, outputs)
        node._bind(input_bindings, outputs)
        for port in node.outputs:
            if port.dataset_output is not None and port.datastore_name is None:
                port.datastore_name = self._context.default_datastore_name(f"the output '{port.name}' of step '{name}'")
        for key, value in (param_bindings or {}).items():
            self._set_param(node, key, value)
        self._nodes[node.node_id] = node
        return node

    def add_datasource_node(
        self, name: str, datasource: Any = None, datasource_builder: Any = None, datapath_param_name: Optional[str] = None
    ) -> DataSourceNode:
        """Add the node of data that exists before the run, and return it.

        Args:
            name: The data's name.
            datasource: A finished definition.
            datasource_builder: An object whose `datasource_def` becomes the definition.
            datapath_param_name: The pipeline parameter that may replace the path.
        """
        node = DataSourceNode(
            self,
            self._new_id(),
            name,
            datasource=datasource,
            datasource_builder=datasource_builder,
            datapath_param_name=datapath_param_name,
        )
        self._nodes[node.node_id] = node
        return node

    def _new_id(self) -> str:
        while True:
            node_id = os.urandom(4).hex()
            if node_id not in self._nodes:
                return node_id

    def _check_output_names(self, step: str, outputs: Sequence[OutputPortBinding]) -> None:
        for binding in outputs:
            name = binding.pipeline_output_name
            if name is None:
                continue
            if name in self._output_places:
                raise ValueError(
                    f"The pipeline_output_name '{name}' stands for an output of step '{self._output_places[name]}' and for one of step "
                    f"'{step}'. Give one of them another name."
                )
            self._output_places[name] = step

    def _set_param(self, node: ModuleNode, name: str, value: Any) -> None:
        param: Optional[Param] = node.get_param(name)
        if param is None:
            raise ValueError(f"Step '{node.name}' has no parameter '{name}'.{nearest(name, node.params, 'parameters')}")
        param.set_value(value)
        if isinstance(value, PipelineParameter):
            self._add_parameter(value, f"step '{node.name}'")

    def _add_parameter(self, parameter: PipelineParameter, place: str) -> None:
        merge_parameter(self._params, parameter, place)

    def sequence(self, nodes: Sequence[Node]) -> None:
        """Let nodes run one after another.

        Args:
            nodes: The nodes.
        """
        for before, after in zip(nodes, list(nodes)[1:]):
            after.run_after(before)

    def delete_node(self, node_id: str) -> None:
        """Refuse, as in v1: nodes can't be removed.

        Args:
            node_id: The id.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("A node can't be deleted from a graph. Build a new Pipeline without the step.")

    def connect(self, source_port: Any, dest_port: Any) -> None:
        """Refuse, as in v1: ports are connected by themselves.

        Args:
            source_port: The output port.
            dest_port: The input port.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("Graph.connect is not supported. Connect the ports themselves: dest_port.connect(source_port).")

    # What becomes of it

    def validate(self) -> List[str]:
        """Return all that is wrong with the graph, one sentence each; [] when nothing is."""
        from azureml.pipeline.core._document import find_problems

        return find_problems(self)

    def finalize(self, dry_run: Optional[bool] = None, regenerate_outputs: bool = False) -> Dict[str, Tuple[str, bool]]:
        """Take the snapshots of the source folders and give them to the service.

        Args:
            dry_run: Only take them; nothing travels.
            regenerate_outputs: Accepted; what is run again is decided by `submit`.

        Returns:
            For each node, the id of its definition and whether this graph never had it before.
        """
        from azureml.pipeline.core._submission import finalize

        return finalize(self, dry_run=bool(dry_run))

    def submit(
        self,
        pipeline_parameters: Optional[Dict[str, Any]] = None,
        continue_on_step_failure: bool = False,
        regenerate_outputs: bool = False,
        parent_run_id: Optional[str] = None,
        **kwargs: Any,
    ) -> PipelineRun:
        """Submit the graph, and return the run.

        Args:
            pipeline_parameters: Values of pipeline parameters, by name.
            continue_on_step_failure: Whether steps that do not depend on a failed one still run.
            regenerate_outputs: Whether every step runs, even when an earlier result fits.
            parent_run_id: The run that the new one belongs to.
            **kwargs: `credential_passthrough` and `enable_email_notification` are accepted.

        Raises:
            ValueError: The graph is not valid, or no experiment was named.
        """
        from azureml.pipeline.core._submission import Submission, submit

        return submit(
            self,
            Submission(
                experiment_name=self._context.experiment_name,
                parameters=pipeline_parameters,
                continue_on_step_failure=continue_on_step_failure,
                regenerate_outputs=regenerate_outputs,
                parent_run_id=parent_run_id,
                description=self._name,
                tags=kwargs.get("tags"),
            ),
        )

    def generate_yaml(self) -> Dict[str, Any]:
        """Return what a YAML file says of the graph, as plain values: what `PipelineRun.save` and its like write."""
        from azureml.pipeline.core._yaml_writing import generate_yaml

        return generate_yaml(self)

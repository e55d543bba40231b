"""Steps and data as a saved pipeline describes them: they need no class of their own, and no source folder."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional, Sequence

from azureml.core._places import Target
from azureml.pipeline.core._bindings import InputPortBinding
from azureml.pipeline.core._definitions import DataSource, DataSourceDef
from azureml.pipeline.core._graph_context import DataSourceBuilder, ModuleBuilder
from azureml.pipeline.core._nodes import DataSourceNode, ModuleNode
from azureml.pipeline.core._parameters import ParamDef, PipelineParameter
from azureml.pipeline.core.builder import PipelineStep
from azureml.pipeline.core.module_step_base import ModuleStepBase
from penstock.model import graph as model


class SavedData:
    """Data that exists before the run, as a file names it. Nothing is looked up: the submission does that.

    Args:
        described: What the graph document says of it; its id does not count.
        parameter: The pipeline parameter whose value replaces it.

    Attributes:
        name: Its name.
    """

    data_type = None

    def __init__(self, described: model.DataNode, parameter: Optional[PipelineParameter] = None) -> None:
        self.name = described.name
        self._described, self._parameter = described, parameter
        self._node: Optional[DataSourceNode] = None

    def node_in(self, graph: Any) -> DataSourceNode:
        """Return its node, which all its readers share; the first one adds it to the graph."""
        if self._node is None:
            about = self._described
            definition = DataSourceDef(about.name, datastore_name=about.datastore or None, path_on_datastore=about.path)
            definition._dataset = about.dataset
            if self._parameter is not None:
                graph._add_parameter(self._parameter, f"the data '{about.name}'")
            self._node = graph.add_datasource_node(
                about.name,
                datasource_builder=DataSourceBuilder(definition),
                datapath_param_name=self._parameter.name if self._parameter is not None else None,
            )
        return self._node


def connect_saved(graph: Any, node: ModuleNode, inputs: Iterable[InputPortBinding]) -> None:
    """Connect the inputs of a node that are bound to SavedData. The rest is left to who builds the graph."""
    for binding in inputs:
        if isinstance(binding.bind_object, SavedData):
            binding.bind_object.node_in(graph).output_dict[DataSource.DATASOURCE_PORT_NAME].connect(node.input_dict[binding.name])


class SavedContent(NamedTuple):
    """What a saved step has beside its ports: see penstock.model.graph.StepNode, whose members these are."""

    step_type: str
    script: Optional[str] = None
    command: Sequence[str] = ()
    snapshot: Optional[str] = None
    source_directory: Optional[str] = None  # taken anew, in place of a snapshot
    arguments: Sequence[model.Argument] = ()
    parameters: Mapping[str, Any] = {}  # plain values, or pipeline parameters
    target: Optional[Target] = None
    run_config: Mapping[str, Any] = {}
    run_config_parameters: Mapping[str, PipelineParameter] = {}
    allow_reuse: bool = True
    version: Optional[str] = None
    settings: Mapping[str, Any] = {}


class SavedStep(PipelineStep):
    """A step of any kind, as it was saved.

    Args:
        name: The step's name.
        inputs: Its inputs, bound to SavedData or to the output of another step.
        outputs: Its outputs.
        content: All else.

    Raises:
        ValueError: A port's name is not allowed.
    """

    def __init__(self, name: str, inputs: Sequence[InputPortBinding], outputs: Sequence[Any], content: SavedContent) -> None:
        super().__init__(name, [item for item in inputs if not isinstance(item.bind_object, SavedData)], outputs)
        self.step_type = content.step_type
        self._all_inputs, self._content = list(inputs), content

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> ModuleNode:
        """Add the step's node to a graph, connect the data that exists already, and return the node.

        Args:
            graph: The graph.
            default_datastore: The datastore of outputs that name none.
            context: The graph's context.

        Raises:
            ValueError: The source folder does not exist.
        """
        content = self._content
        inputs, outputs = self.create_input_output_bindings(self._all_inputs, self._outputs, default_datastore)
        definition = self.create_module_def(
            "escloud",
            inputs,
            outputs,
            param_defs=self._param_defs(),
            allow_reuse=content.allow_reuse,
            version=content.version,
            arguments=content.arguments,
        )
        for parameter in content.run_config_parameters.values():
            graph._add_parameter(parameter, self._place)
        node: ModuleNode = graph.add_module_node(
            self.name,
            inputs,
            outputs,
            param_bindings=dict(content.parameters),
            module_builder=self._builder(definition, context),
            runconfig=dict(content.run_config),
        )
        connect_saved(graph, node, inputs)
        return node

    def _builder(self, definition: Any, context: Any) -> ModuleBuilder:
        content = self._content
        folder = content.source_directory
        builder = ModuleBuilder(
            definition,
            None if folder is None else self.get_source_directory(context, folder, content.script),
            content.script,
            content.target,
            dict(content.run_config_parameters),
            command=content.command,
            settings=content.settings,
        )
        builder.snapshot = content.snapshot
        return builder

    def _param_defs(self) -> Sequence[ParamDef]:
        content = self._content
        shown: Dict[str, Any] = {"Script": content.script}
        if content.target is not None:
            shown.update({"Target": content.target.name, "MLCComputeType": content.target.type})
        defs = [ParamDef(name, set_env_var=True) for name in content.parameters]
        return defs + [
            ParamDef(name, value, is_metadata_param=True, calculate_hash=False)
            for name, value in shown.items()
            if value is not None and name not in content.parameters
        ]


class SavedModuleStep(ModuleStepBase):
    """A step of a registered module, as it was saved; for the arguments see ModuleStep."""

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> ModuleNode:
        """Add the step's node to a graph, connect the data that exists already, and return the node.

        Args:
            graph: The graph.
            default_datastore: The datastore of outputs that name none.
            context: The graph's context.

        Raises:
            ValueError: The module is disabled, or no longer has a port or a parameter.
        """
        node = super().create_node(graph, default_datastore, context)
        connect_saved(graph, node, self._inputs_map.values())
        return node

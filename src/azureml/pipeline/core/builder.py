"""What a user writes a pipeline with: data between steps, sequences, and the base of all steps."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from azureml.core._source_folders import find_script
from azureml.pipeline.core import _arguments, _dataset_ports
from azureml.pipeline.core._bindings import InputPortBinding, OutputPortBinding, TrainingOutput, check_mode, check_port_name
from azureml.pipeline.core._definitions import InputPortDef, ModuleDef, OutputPortDef, datastore_name
from penstock.model.graph import Argument

if TYPE_CHECKING:
    from azureml.pipeline.core._nodes import Node
    from azureml.pipeline.core._parameters import ParamDef
    from azureml.pipeline.core.pipeline_output_dataset import PipelineOutputFileDataset


class PipelineData:
    """Data that one step produces and others read.

    Args:
        name: The name: letters, digits, underscores. The script finds the path in AZUREML_DATAREFERENCE_<name>.
        datastore: The datastore that takes it; None means the pipeline's default.
        output_name: The name of the producer's output port; None means `name`.
        output_mode: mount (the script writes to the path it is given) or upload (from `output_path_on_compute`).
        output_path_on_compute: What is uploaded, in mode upload.
        output_overwrite: Whether an upload may replace what is there.
        data_type: A data type of the workspace.
        is_directory: Whether it is a folder. The script makes the folder itself.
        pipeline_output_name: The name by which PipelineRun.get_pipeline_output finds it.
        training_output: Which of a training step's extra outputs it is.

    Raises:
        ValueError: A name or the mode is not allowed.
    """

    def __init__(
        self,
        name: str,
        datastore: Any = None,
        output_name: Optional[str] = None,
        output_mode: str = "mount",
        output_path_on_compute: Optional[str] = None,
        output_overwrite: Optional[bool] = None,
        data_type: Optional[str] = None,
        is_directory: Optional[bool] = None,
        pipeline_output_name: Optional[str] = None,
        training_output: Optional[TrainingOutput] = None,
    ) -> None:
        check_port_name(name, "name of PipelineData")
        check_port_name(output_name or name, "output_name of PipelineData")
        check_mode(output_mode, ("mount", "upload"), f"The PipelineData '{name}'")
        self._name = name
        self._datastore = datastore
        self._output_name = output_name or name
        self._output_mode = output_mode
        self._output_path_on_compute = output_path_on_compute
        self._output_overwrite = output_overwrite
        self._data_type = data_type
        self._output_is_directory = is_directory
        self._pipeline_output_name = pipeline_output_name
        self._training_output = training_output
        self._producer: Optional[PipelineStep] = None

    def __str__(self) -> str:
        return self.get_env_variable_name()

    def __repr__(self) -> str:
        return self.__str__()

    @property
    def name(self) -> str:
        """Return the name."""
        return self._name

    @property
    def datastore(self) -> Any:
        """Return the datastore, or None where the pipeline's default takes the data."""
        return self._datastore

    @property
    def data_type(self) -> Optional[str]:
        """Return the data type, or None."""
        return self._data_type

    def get_env_variable_name(self) -> str:
        """Return the variable that holds the path in a script, `$` included; it may stand inside a longer argument."""
        return f"$AZUREML_DATAREFERENCE_{self._name}"

    def as_mount(self, input_name: Optional[str] = None) -> InputPortBinding:
        """Return an input that reads the data in place.

        Args:
            input_name: The name of the input port; None takes the data's.
        """
        return self.create_input_binding(input_name, "mount")

    def as_download(
        self, input_name: Optional[str] = None, path_on_compute: Optional[str] = None, overwrite: Optional[bool] = None
    ) -> InputPortBinding:
        """Return an input that reads a copy of the data.

        Args:
            input_name: The name of the input port; None takes the data's.
            path_on_compute: Where the copy goes.
            overwrite: Whether it may replace what is there.
        """
        return self.create_input_binding(input_name, "download", path_on_compute, overwrite)

    def as_input(self, input_name: str) -> InputPortBinding:
        """Return an input of another name that reads the data in place.

        Args:
            input_name: The name of the input port.
        """
        return self.create_input_binding(input_name)

    def create_input_binding(
        self,
        input_name: Optional[str] = None,
        mode: Optional[str] = None,
        path_on_compute: Optional[str] = None,
        overwrite: Optional[bool] = None,
    ) -> InputPortBinding:
        """Return an input that reads the data.

        Args:
            input_name: The name of the input port; None takes the data's.
            mode: mount or download; None means mount.
            path_on_compute: Where a copy goes.
            overwrite: Whether it may replace what is there.

        Raises:
            ValueError: The mode is another.
        """
        check_mode(mode or "mount", ("mount", "download"), f"The input that reads '{self._name}'")
        return InputPortBinding(input_name or self._name, self, mode or "mount", path_on_compute, overwrite)

    def as_dataset(self) -> PipelineOutputFileDataset:
        """Return the data as a dataset of files. Put what this returns into the outputs of the step that writes the data."""
        from azureml.pipeline.core.pipeline_output_dataset import PipelineOutputFileDataset

        return PipelineOutputFileDataset(self)

    def _set_producer(self, step: PipelineStep) -> None:
        self._producer = step


class StepSequence:
    """Steps that run one after another. A list among them is a group whose members run side by side.

    Args:
        steps: The steps and groups.
    """

    def __init__(self, steps: Optional[Sequence[Any]] = None) -> None:
        self._steps = [] if steps is None else steps

    def __iter__(self) -> Iterator[Any]:
        return iter(self._steps)


class PipelineStep:
    """The base of all steps, and what own kinds of steps derive from.

    A subclass implements `create_node`; the other public methods help it to.

    Args:
        name: The step's name.
        inputs: What it reads.
        outputs: What it writes.
        arguments: What its script is given; data among them must also be an input or output.
        fix_port_name_collisions: Whether an input that has an output's name becomes INPUT_<name>.
        resource_inputs: Inputs that are put beside the script.

    Attributes:
        name: The name.
        run_after_steps: The steps that come first without giving it data.
        step_type: The class, as users know it.

    Raises:
        ValueError: An input, output, argument or port name is not allowed.
    """

    def __init__(
        self,
        name: str,
        inputs: Optional[Sequence[Any]],
        outputs: Optional[Sequence[Any]],
        arguments: Optional[Sequence[Any]] = None,
        fix_port_name_collisions: bool = False,
        resource_inputs: Optional[Sequence[Any]] = None,
    ) -> None:
        self.name = name
        self.run_after_steps: List[PipelineStep] = []
        self.step_type = _step_type(type(self).__name__)
        # Copies: the caller may use one list for two steps.
        self._arguments, self._inputs, self._outputs = _dataset_ports.adopt(
            _as_list(arguments, "arguments", self._place),
            _as_list(inputs, "inputs", self._place),
            _as_list(outputs, "outputs", self._place),
            self._place,
        )
        self._resource_inputs = _as_list(resource_inputs, "resource_inputs", self._place)
        self._check_port_names(fix_port_name_collisions)
        _arguments.resolve(self._arguments, self._inputs, self._outputs, {}, self._place)
        for output in self._outputs:
            output._set_producer(self)

    @property
    def _place(self) -> str:
        return f"Step '{self.name}'"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"

    def _check_port_names(self, fix_collisions: bool) -> None:
        outputs = [_arguments.output_name(item, self._place) for item in self._outputs]
        inputs = [_arguments.input_name(item, self._place) for item in self._inputs]
        resources = [_arguments.input_name(item, self._place) for item in self._resource_inputs]
        for side, names in (("input", inputs + resources), ("output", outputs)):
            for name in names:
                check_port_name(name, f"name of an {side} of step '{self.name}'")
                if names.count(name) > 1:
                    raise ValueError(
                        f"{self._place} has two {side}s named '{name}'. Give one another name, for instance with as_input(name), "
                        "or as_named_input(name) for a dataset."
                    )
        for index, name in enumerate(inputs):
            if name in outputs:
                self._resolve_collision(index, name, fix_collisions)

    def _resolve_collision(self, index: int, name: str, fix: bool) -> None:
        if not fix:
            raise ValueError(f"{self._place} has an input and an output named '{name}'. Give the input another name with as_input(name).")
        collided = self._inputs[index]
        renamed = _arguments.bind_input(collided, self._place)._renamed(f"INPUT_{name}")
        for position, item in enumerate(self._arguments):
            if _arguments.is_data(item) and _arguments.find_input(item, [collided], self._place) is not None:
                self._arguments[position] = renamed
        self._inputs[index] = renamed

    def _port_of(self, output: Any) -> str:
        """The port of the step's node by which one of its outputs leaves."""
        return str(output._output_name)

    def run_after(self, step: PipelineStep) -> None:
        """Let this step start only after another has ended, though it reads nothing of it.

        Args:
            step: The other step.
        """
        self.run_after_steps.append(step)

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> Node:
        """Add the step's node to a graph, and return it. Each kind of step has its own.

        Args:
            graph: The graph.
            default_datastore: The datastore of outputs that name none.
            context: The graph's context.

        Raises:
            NotImplementedError: The subclass has not implemented it.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement create_node(graph, default_datastore, context).")

    def create_input_output_bindings(
        self, inputs: Sequence[Any], outputs: Sequence[Any], default_datastore: Any, resource_inputs: Optional[Sequence[Any]] = None
    ) -> Tuple[List[InputPortBinding], List[OutputPortBinding]]:
        """Return the bindings that inputs and outputs become.

        Args:
            inputs: What the step reads.
            outputs: What it writes.
            default_datastore: The datastore of outputs that name none.
            resource_inputs: Inputs that are put beside the script.

        Raises:
            ValueError: An output has no datastore, and there is no default.
        """
        read = [_arguments.bind_input(item, self._place) for item in inputs]
        read += [_arguments.bind_input(item, self._place).as_resource() for item in resource_inputs or []]
        return read, [_arguments.bind_output(item, default_datastore, self._place) for item in outputs]

    def create_module_def(
        self,
        execution_type: str,
        input_bindings: Sequence[InputPortBinding],
        output_bindings: Sequence[OutputPortBinding],
        param_defs: Optional[Sequence[ParamDef]] = None,
        create_sequencing_ports: bool = True,
        allow_reuse: bool = True,
        version: Optional[str] = None,
        module_type: Any = None,
        arguments: Optional[Sequence[Any]] = None,
        runconfig: Any = None,
        cloud_settings: Any = None,
    ) -> ModuleDef:
        """Return the step's definition.

        Args:
            execution_type: The kind of execution; script steps say "escloud".
            input_bindings: Its inputs.
            output_bindings: Its outputs.
            param_defs: Its parameters.
            create_sequencing_ports: Whether `run_after` can be used.
            allow_reuse: Whether an earlier result may be taken.
            version: The user's lever to force a new definition.
            module_type: A module type.
            arguments: The arguments, as `resolve_input_arguments` returns them.
            runconfig: A run configuration that belongs to the definition.
            cloud_settings: Settings of the cloud service.

        Raises:
            ValueError: An output asks for a training output, which only training steps have.
        """
        for binding in output_bindings:
            if binding.training_output is not None and execution_type not in ("AutoMLCloud", "HyperDriveCloud"):
                raise ValueError(
                    f"{self._place}: the output '{binding.name}' has a TrainingOutput, which only AutoML and HyperDrive steps have."
                )
        return ModuleDef(
            name=self.name,
            description=self.name,
            input_port_defs=[input_port_def(binding) for binding in input_bindings],
            output_port_defs=[output_port_def(binding) for binding in output_bindings],
            param_defs=param_defs,
            module_execution_type=execution_type,
            create_sequencing_ports=create_sequencing_ports,
            allow_reuse=allow_reuse,
            version=version,
            module_type=module_type,
            step_type=self.step_type,
            arguments=arguments,
            runconfig=runconfig,
            cloud_settings=cloud_settings,
        )

    def get_source_directory(self, context: Any, source_directory: Any, script_name: Optional[str]) -> str:
        """Return the source folder of a step: its own, or the pipeline's default.

        Args:
            context: The graph's context.
            source_directory: The step's own, or None.
            script_name: The script that must be there; None checks nothing.

        Raises:
            ValueError: There is no such folder, or the script is not in it; the message names the nearest files.
        """
        given = os.fspath(source_directory or getattr(context, "given_source_directory", None) or os.curdir)
        # The default stands for the folder that was current when the pipeline was made.
        chosen = os.path.abspath(given if source_directory else getattr(context, "default_source_directory", None) or given)
        if script_name is not None:
            find_script(chosen, script_name, self._place, given)
        return chosen

    @staticmethod
    def resolve_input_arguments(
        arguments: Optional[Sequence[Any]], inputs: Sequence[Any], outputs: Sequence[Any], params: Optional[Mapping[str, Any]]
    ) -> List[Argument]:
        """Return what each argument means: a literal, a parameter, an input or an output.

        Args:
            arguments: The arguments.
            inputs: What the step reads.
            outputs: What it writes.
            params: Its parameters, by name.

        Raises:
            ValueError: An argument is data that is neither an input nor an output.
        """
        return _arguments.resolve(arguments or [], inputs or [], outputs or [], params or {}, "The step")

    @staticmethod
    def validate_arguments(arguments: Optional[Sequence[Any]], inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Do nothing when all data among the arguments is an input or an output.

        Args:
            arguments: The arguments.
            inputs: What the step reads.
            outputs: What it writes.

        Raises:
            ValueError: Some is not.
        """
        _arguments.resolve(arguments or [], inputs or [], outputs or [], {}, "The step")


def _step_type(class_name: str) -> str:
    name = class_name[: -len("Base")] if class_name.endswith("Base") else class_name
    return name.lstrip("_")


def _as_list(given: Optional[Sequence[Any]], what: str, place: str) -> List[Any]:
    if given is None:
        return []
    if isinstance(given, (str, bytes, InputPortBinding, Dict)) or _arguments.is_produced(given) or _arguments.is_data(given):
        raise ValueError(f"{place}: {what} must be a list, not a {type(given).__name__}. Write {what}=[...].")
    return list(given)


def input_port_def(binding: InputPortBinding) -> InputPortDef:
    """Return what a definition says of an input that is bound so."""
    data_type = binding.data_type
    return InputPortDef(
        name=binding.name,
        data_types=[data_type] if data_type else None,
        default_datastore_mode=binding.bind_mode,
        default_path_on_compute=binding.path_on_compute,
        default_overwrite=binding.overwrite,
        default_data_reference_name=binding.data_reference_name,
        is_resource=binding.is_resource,
        additional_transformations=binding.additional_transformations,
    )


def output_port_def(binding: OutputPortBinding) -> OutputPortDef:
    """Return what a definition says of an output that is bound so."""
    return OutputPortDef(
        name=binding._output_name,
        default_datastore_name=datastore_name(binding.datastore),
        default_datastore_mode=binding.bind_mode,
        default_path_on_compute=binding.path_on_compute,
        is_directory=binding.is_directory,
        data_type=binding.data_type,
        default_overwrite=binding.overwrite,
        training_output=binding.training_output,
    )

"""Pipelines from YAML: v1's format, typed and deprecated spellings, and what `_yaml_writing` writes."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Mapping, Optional

from azureml.core._nearest import find_nearest, nearest
from azureml.core._places import Places, Target
from azureml.pipeline.core._parameters import PipelineParameter
from azureml.pipeline.core._saved_step import SavedContent, SavedModuleStep, SavedStep
from azureml.pipeline.core._yaml_data import Data
from azureml.pipeline.core._yaml_entries import Entry, shown
from azureml.pipeline.core.builder import PipelineStep
from azureml.pipeline.core.pipeline import Pipeline
from penstock.model import graph as model

# The keys that stood in place of `type` in v1's first files, each with a mapping of its own.
_DEPRECATED = {
    "module": "ModuleStep",
    "python_script_step": "PythonScriptStep",
    "parallel_run_step": "ParallelRunStep",
    "adla_step": "AdlaStep",
    "data_transfer_step": "DataTransferStep",
    "databricks_step": "DatabricksStep",
    "azurebatch_step": "AzureBatchStep",
}
_LITERAL = "literal"
_COMPLETE = "complete"  # of a run configuration that has no section but those that are given


def load_pipeline(workspace: Any, filename: str) -> Pipeline:
    """Return the pipeline that a YAML file describes.

    Args:
        workspace: The workspace.
        filename: The file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no YAML, or describes no pipeline; the message names the place in it.
        NotImplementedError: A step has a type that files can't describe.
    """
    from azureml.pipeline.core._yaml_documents import read_document

    path = os.fspath(filename)
    return _Reader(workspace, path, read_document(path)).read()


class _Step:
    """A step of the file, before its data is known.

    Args:
        key: Its key.
        entry: What stands there.

    Raises:
        ValueError: Nothing says what type it has.
    """

    def __init__(self, key: str, entry: Entry) -> None:
        self.key, self.type = key, entry.text("type")
        old = next((name for name in _DEPRECATED if name in entry), None)
        if not self.type and old is None:
            near = next(filter(None, (find_nearest(name, ["type", *_DEPRECATED]) for name in entry)), None)
            hint = f"Did you mean '{near}'?" if near else f"Give it a type: {', '.join(_DEPRECATED.values())}."
            raise entry.error(f"nothing says what kind of step it is. {hint}")
        self.type = self.type or _DEPRECATED[str(old)]
        self.own = entry.entry(old) if old is not None and self.type == _DEPRECATED[old] else entry
        self.entry = entry.with_members(self.own) if old != "module" else entry
        self.is_saved = entry.says("snapshot")


class _Parts:
    """What a step class is given of what all steps have.

    Args:
        reader: The reader of the file.
        step: The step.
        outputs: Its outputs by port.

    Raises:
        ValueError: An input or a parameter is wrong.
    """

    def __init__(self, reader: _Reader, step: _Step, outputs: Dict[str, Any]) -> None:
        self.workspace, self.find_file, self.entry = reader.workspace, reader.find_file, step.entry
        self._data, self._default_compute = reader.data, reader.default_compute
        data, entry = reader.data, step.entry
        read = data.saved_input if step.is_saved else data.typed_input
        self.inputs = {port: read(port, about) for port, about in entry.entries("inputs").items()}
        self.side_inputs = {port: data.typed_input(port, about) for port, about in entry.entries("side_inputs").items()}
        self.outputs = outputs
        self.params = data.values(entry, "parameters")
        self.run_params = data.run_parameters(entry)

    def one(self, key: str) -> Any:
        """The one piece of data below a key, with a port's name above it or without."""
        about = self.entry.entry(key)
        if about.says("source"):
            return self._data.typed_input(str(about.value("source")), about)
        ports = self.entry.entries(key)
        if len(ports) != 1:
            raise self.entry.error(f"'{key}' must name one piece of data, as {{source: name}}; it names {len(ports)}.")
        return next(self._data.typed_input(port, inner) for port, inner in ports.items())

    @property
    def compute(self) -> Any:
        """The compute target: the step's own, or the pipeline's; a pair where a saved step knows its type."""
        name, kind = self.entry.text("compute") or self._default_compute, self.entry.text("compute_type")
        return (name, kind) if name is not None and kind is not None else name

    @property
    def run_config(self) -> Any:
        """The run configuration, from a file or as it stands there; None where the step names none."""
        from azureml.core.runconfig import RunConfiguration

        given = self.entry.get("runconfig", (str, dict))
        if isinstance(given, str):
            return RunConfiguration.load(self.find_file(given))
        return None if given is None else _parse_run_config({key: value for key, value in given.items() if key != _COMPLETE}, self.entry)

    @property
    def source_directory(self) -> Optional[str]:
        """The source folder, or None."""
        given = self.entry.text("source_directory")
        return None if given is None else self.find_file(given)

    def arguments(self, parameter: Callable[[str], Any] = lambda name: f"parameter:{name}") -> Optional[List[Any]]:
        """The arguments: data, parameters as the step class takes them, and texts; None where there are none."""
        given = self.entry.get("arguments", list)
        return None if given is None else [self._argument(item, parameter) for item in given]

    def _argument(self, item: Any, parameter: Callable[[str], Any]) -> Any:
        text = _literal(item, self.entry)
        if isinstance(item, dict):
            return text
        mark, _, name = text.partition(":")
        known: Mapping[str, Any] = {"input": self.inputs, "side_input": self.side_inputs, "output": self.outputs}.get(mark, {})
        if name in known:
            return known[name]
        return parameter(name) if mark == "parameter" and name in self.params else text

    def value_of(self, name: str) -> Any:
        """A parameter's value, for classes that take no parameters."""
        return self.params[name]

    def parameter_of(self, name: str) -> Any:
        """A parameter, for classes that take some from their arguments."""
        value = self.params[name]
        return value if isinstance(value, PipelineParameter) and value.name == name else f"parameter:{name}"

    def common(self, *keys: str) -> Dict[str, Any]:
        """The keywords that script steps share."""
        entry = self.entry
        found = {
            "name": entry.text("name"),
            "inputs": list(self.inputs.values()),
            "outputs": list(self.outputs.values()),
            "compute_target": self.compute,
            "source_directory": self.source_directory,
            "allow_reuse": entry.flag("allow_reuse", True),
            "version": entry.label("version"),
            "hash_paths": entry.texts("hash_paths"),
        }
        return {key: value for key, value in found.items() if key in keys}


class _Reader:
    """Reads one file.

    Args:
        workspace: The workspace.
        path: The file.
        document: What it says.

    Raises:
        ValueError: It says nothing of a pipeline.
    """

    def __init__(self, workspace: Any, path: str, document: Any) -> None:
        file = Entry(document, f"'{path}'")
        if "pipeline" not in file:
            raise file.missing("pipeline", "there is no key 'pipeline', below which the pipeline stands.")
        self.workspace, self._path = workspace, path
        self._pipeline = pipeline = Entry(file.value("pipeline"), f"'{path}', pipeline")
        if "steps" not in pipeline:
            raise pipeline.missing("steps", "there are no 'steps'.")
        self._places = Places(workspace)
        self.default_compute = pipeline.text("default_compute")
        self.data = Data(workspace, pipeline)

    def read(self) -> Pipeline:
        """Return the pipeline."""
        steps = [_Step(key, entry) for key, entry in self._pipeline.entries("steps").items()]
        outputs = [self.data.declare(step.key, step.entry, step.is_saved) for step in steps]
        built = {step.key: self._build(step, written) for step, written in zip(steps, outputs)}
        for step in steps:
            for earlier in step.entry.texts("run_after") or ():
                built[step.key].run_after(_find_step(earlier, built, step.entry))
        # The file lists every step, so there is no closure to resolve; its order is that of the graph.
        pipeline: Pipeline = Pipeline(
            self.workspace,
            list(built.values()),
            description=self._pipeline.label("description") or self._pipeline.label("name"),
            resolve_closure=False,
        )
        used = pipeline.graph._params
        pipeline.graph._params = {name: used[name] for name in self.data.parameters if name in used}
        return pipeline

    def find_file(self, given: str) -> str:
        """Return the path of a file or folder that the file names: from the current folder, else beside the file."""
        folder = os.path.dirname(os.path.abspath(self._path))
        spellings = (given, given.replace("\\", "/"))  # a file may have been written on Windows
        places = [place for spelling in spellings for place in (spelling, os.path.join(folder, spelling))]
        return next((place for place in places if os.path.exists(place)), given)

    def _build(self, step: _Step, outputs: Dict[str, Any]) -> PipelineStep:
        if step.is_saved and step.type != "ModuleStep":
            return self._saved_step(step, outputs)
        build = _BUILDERS.get(str(step.type))
        if build is None:
            raise NotImplementedError(
                f"{step.entry.place}: a file can't describe a step of the type '{step.type}', unless save() wrote it."
                f"{nearest(str(step.type), _BUILDERS, 'types')}"
            )
        try:
            with step.entry.located():
                found: PipelineStep = build(_Parts(self, step, outputs), step)
        except (ValueError, TypeError, AssertionError) as error:
            if str(error).startswith(f"'{self._path}'"):
                raise
            raise ValueError(f"{step.entry.place}: {error}") from error
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{step.entry.place}: {error}") from None
        return found

    # Steps as they were saved

    def _saved_step(self, step: _Step, outputs: Dict[str, Any]) -> SavedStep:
        entry = step.entry
        inputs = [self.data.saved_input(port, about) for port, about in entry.entries("inputs").items()]
        parameters = self.data.values(entry, "parameters")
        folder = entry.text("source_directory")
        names = {"input": [item.name for item in inputs], "output": list(outputs), "parameter": list(parameters)}
        content = SavedContent(
            step_type=str(step.type),
            script=entry.text("script_name"),
            command=entry.texts("command") or (),
            snapshot=entry.text("snapshot"),
            source_directory=None if folder is None else self.find_file(folder),
            arguments=[_saved_argument(item, entry, names) for item in entry.get("arguments", list) or ()],
            parameters=parameters,
            target=self._saved_target(entry),
            run_config=_saved_run_config(entry) if "runconfig" in entry else {},
            run_config_parameters=self.data.run_parameters(entry),
            allow_reuse=bool(entry.flag("allow_reuse", True)),
            version=entry.label("version"),
            settings=entry.mapping("settings"),
        )
        return SavedStep(entry.text("name") or step.key, inputs, list(outputs.values()), content)

    def _saved_target(self, entry: Entry) -> Optional[Target]:
        name = entry.text("compute") or self.default_compute
        if name is not None and entry.says("compute_type"):
            return Target(name, entry.text("compute_type"))
        return self._places.find_target(name, entry.place)


# What each type takes


def _python_script(parts: _Parts, step: _Step) -> Any:
    from azureml.pipeline.steps import PythonScriptStep

    keys = ("name", "inputs", "outputs", "compute_target", "source_directory", "allow_reuse", "version", "hash_paths")
    return PythonScriptStep(
        step.entry.required_text("script_name"),
        arguments=parts.arguments(),
        runconfig=parts.run_config,
        runconfig_pipeline_params=parts.run_params or None,
        params=parts.params or None,
        **parts.common(*keys),
    )


def _parallel_run(parts: _Parts, step: _Step) -> Any:
    from azureml.pipeline.steps import ParallelRunConfig, ParallelRunStep

    path = step.entry.required_text("parallel_run_config", " It is the path of a file with a ParallelRunConfig.")
    if not parts.outputs:
        raise step.entry.error("a ParallelRunStep needs an output; the first of 'outputs' is used.")
    return ParallelRunStep(
        name=step.entry.text("name") or step.key,
        parallel_run_config=ParallelRunConfig.load_yaml(parts.workspace, parts.find_file(path)),
        inputs=list(parts.inputs.values()),
        output=next(iter(parts.outputs.values())),
        side_inputs=list(parts.side_inputs.values()) or None,
        arguments=parts.arguments(parts.value_of),
        allow_reuse=bool(step.entry.flag("allow_reuse", True)),
    )


def _adla(parts: _Parts, step: _Step) -> Any:
    from azureml.pipeline.steps import AdlaStep

    keys = ("name", "inputs", "outputs", "compute_target", "source_directory", "allow_reuse", "version", "hash_paths")
    return AdlaStep(
        step.entry.required_text("script_name"),
        params=parts.params or None,
        **_of_kinds(step.entry, {"degree_of_parallelism": int, "priority": int, "runtime_version": str}, "AdlaStep"),
        **parts.common(*keys),
    )


def _data_transfer(parts: _Parts, step: _Step) -> Any:
    from azureml.pipeline.steps import DataTransferStep

    return DataTransferStep(
        name=step.entry.text("name") or step.key,
        source_data_reference=parts.one("source_data_reference"),
        destination_data_reference=parts.one("destination_data_reference"),
        compute_target=parts.compute,
        allow_reuse=bool(step.entry.flag("allow_reuse", True)),
        **_of_kinds(step.entry, {"source_reference_type": str, "destination_reference_type": str}, "DataTransferStep"),
    )


_DATABRICKS: Dict[str, Any] = {
    **dict.fromkeys(("existing_cluster_id", "spark_version", "node_type", "instance_pool_id", "cluster_log_dbfs_path"), str),
    **dict.fromkeys(("notebook_path", "python_script_path", "main_class_name", "python_script_name", "run_name"), str),
    **dict.fromkeys(("timeout_seconds", "num_workers", "min_workers", "max_workers"), int),
    **dict.fromkeys(("spark_env_variables", "spark_conf", "notebook_params"), dict),
    **dict.fromkeys(("init_scripts", "python_script_params", "jar_params"), list),
    "permit_cluster_restart": (bool, str),  # v1's reader took texts only, and its step a bool
}
_LIBRARIES = (
    "maven_libraries",
    "pypi_libraries",
    "egg_libraries",
    "jar_libraries",
    "rcran_libraries",
    "maven_libabries",
    "rcran_libabries",
)


def _databricks(parts: _Parts, step: _Step) -> Any:
    from azureml.pipeline.steps import DatabricksStep

    for key in _LIBRARIES:
        if key in step.entry:
            raise step.entry.error(
                f"'{key}' can't stand in a file: name the libraries in a run configuration, and the file of it as 'runconfig'."
            )
    keys = ("inputs", "outputs", "compute_target", "source_directory", "allow_reuse", "version", "hash_paths")
    found = _of_kinds(step.entry, _DATABRICKS, "DatabricksStep")
    if "permit_cluster_restart" in found:
        found["permit_cluster_restart"] = str(found["permit_cluster_restart"]).lower() == "true"
    return DatabricksStep(name=step.entry.text("name") or step.key, runconfig=parts.run_config, **found, **parts.common(*keys))


_AZURE_BATCH: Dict[str, Any] = {
    **dict.fromkeys(("vm_size", "executable", "pool_id", "vm_image_urn"), str),
    **dict.fromkeys(("create_pool", "delete_batch_job_after_finish", "delete_batch_pool_after_finish"), bool),
    **dict.fromkeys(("is_positive_exit_code_failure", "run_task_as_admin"), bool),
    "target_compute_nodes": int,
}


def _azure_batch(parts: _Parts, step: _Step) -> Any:
    from azureml.pipeline.steps import AzureBatchStep

    return AzureBatchStep(
        name=step.entry.text("name") or step.key,
        arguments=parts.arguments(parts.value_of),
        **_of_kinds(step.entry, _AZURE_BATCH, "AzureBatchStep"),
        **parts.common("inputs", "outputs", "compute_target", "source_directory", "allow_reuse", "version"),
    )


def _module(parts: _Parts, step: _Step) -> Any:
    from azureml.pipeline.core import Module
    from azureml.pipeline.steps import ModuleStep

    name, identity = step.own.text("name"), step.own.text("id")
    if identity is None and name is None:
        raise step.own.error("a module is named by its 'id' or its 'name', and neither is there.")
    build = SavedModuleStep if step.is_saved else ModuleStep
    return build(
        module=Module.get(parts.workspace, module_id=identity, name=None if identity is not None else name),
        version=step.own.label("version"),
        inputs_map=parts.inputs,
        outputs_map=parts.outputs,
        compute_target=parts.compute,
        runconfig=parts.run_config,
        runconfig_pipeline_params=parts.run_params or None,
        arguments=parts.arguments(parts.parameter_of) or ([] if step.is_saved else None),
        params=parts.params,
        name=(step.entry.text("name") if step.is_saved else None) or step.key,
    )


_BUILDERS: Mapping[str, Callable[[_Parts, _Step], Any]] = {
    "ModuleStep": _module,
    "PythonScriptStep": _python_script,
    "ParallelRunStep": _parallel_run,
    "AdlaStep": _adla,
    "DataTransferStep": _data_transfer,
    "DatabricksStep": _databricks,
    "AzureBatchStep": _azure_batch,
}


def _of_kinds(entry: Entry, kinds: Mapping[str, Any], step_type: str) -> Dict[str, Any]:
    """The members of an entry that stand there, each checked to be of its kind."""
    try:
        return {key: entry.get(key, kind) for key, kind in kinds.items() if key in entry}
    except ValueError as error:
        raise ValueError(f"{error} It is a key of {step_type}.") from None


# Values


def complete_run_config(given: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the document of a run configuration: the sections that are given, and the others' defaults."""
    from azureml.core.runconfig import RunConfiguration, to_document

    if given.get(_COMPLETE):
        return {key: value for key, value in given.items() if key != _COMPLETE}
    return {**to_document(RunConfiguration()), **given}


def _saved_run_config(entry: Entry) -> Dict[str, Any]:
    """The document of a run configuration as it was saved; what is none is found now and not when the step is to run."""
    document = complete_run_config(entry.mapping("runconfig"))
    _parse_run_config(document, entry)
    return document


def _parse_run_config(document: Mapping[str, Any], entry: Entry) -> Any:
    from azureml.core.runconfig import from_document
    from azureml.exceptions import UserErrorException

    Entry(document.get("environment"), f"{entry.place}.runconfig.environment")
    try:
        return from_document(document)
    except (AttributeError, TypeError, UserErrorException) as error:
        raise entry.error(f"'runconfig' is no run configuration: {getattr(error, 'message', error)}") from None


def _literal(item: Any, entry: Entry) -> str:
    """An argument's text."""
    value = item.get(_LITERAL) if isinstance(item, dict) else item
    if isinstance(value, (dict, list)) or value is None:
        raise entry.error(
            f"the arguments hold {shown(item)}. An argument is a text, or {{{_LITERAL}: text}} for one that looks like a port."
        )
    return str(value)


def _saved_argument(item: Any, entry: Entry, names: Mapping[str, List[str]]) -> model.Argument:
    from azureml.pipeline.core._yaml_writing import has_meaning

    text = _literal(item, entry)
    if isinstance(item, dict) or not has_meaning(text, names):
        return model.Argument(model.LITERAL, text)
    mark, _, name = text.partition(":")
    return model.Argument(mark, name)


def _find_step(key: str, built: Mapping[str, PipelineStep], entry: Entry) -> PipelineStep:
    if key not in built:
        raise entry.error(f"'run_after' names the step '{key}', which is not there.{nearest(key, built, 'steps')}")
    return built[key]

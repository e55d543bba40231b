"""Registered modules: steps that are shared under a name, in versions that never change.

They have nothing to do with `azureml.pipeline.core.graph.Module`, a definition inside one graph.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NoReturn, Optional, Sequence

from azureml.core._nearest import nearest
from azureml.core._refusal import not_built
from azureml.core._source_folders import find_script, plain_path
from azureml.pipeline.core._definitions import ModuleDef
from azureml.pipeline.core._errors import ModuleError
from azureml.pipeline.core._service_errors import pipeline_errors
from penstock.model.entity_status import ACTIVE, DEPRECATED, DISABLED
from penstock.model.modules import ASKED, ModuleDefinition, format_module, parse_module

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.pipeline.core._module_definitions import Interface

_LOGGER = logging.getLogger("penstock")

_SCRIPT_EXECUTION = "escloud"  # v1's word for a Python script on a compute target


class Module:
    """A step that is shared under a name. `Module.create` makes one, `Module.get` finds it, `ModuleStep` puts it into a pipeline.

    Args:
        workspace: The workspace.
        module_id: Its id.
        name: Its name.
        description: A text for people.
        status: Active, Deprecated or Disabled.
        default_version: The version that is meant where none is named; None while none was chosen.
        module_version_list: Descriptors of its versions.
        _module_provider: Accepted and ignored.
        _module_version_provider: Accepted and ignored.
    """

    def __init__(
        self,
        workspace: Workspace,
        module_id: str,
        name: str,
        description: Optional[str],
        status: str,
        default_version: Optional[str],
        module_version_list: Optional[Sequence[ModuleVersionDescriptor]],
        _module_provider: Any = None,
        _module_version_provider: Any = None,
    ) -> None:
        self._workspace = workspace
        self._id = module_id
        self._name = name
        self._description = description
        self._status = status
        self._default_version = default_version
        self._versions = list(module_version_list or [])

    @classmethod
    def _from_record(cls, workspace: Any, record: Dict[str, Any]) -> Module:
        module = cls(workspace, record["id"], record["name"], None, ACTIVE, None, None)
        module._adopt(record)
        return module

    def _adopt(self, record: Dict[str, Any]) -> None:
        """Take over what the service says of the module now."""
        self._name, self._description, self._status = record["name"], record["description"], record["status"]
        self._default_version = record["default_version"]
        self._versions = [ModuleVersionDescriptor(item["version"], item["id"]) for item in record["versions"]]

    def __repr__(self) -> str:
        return f"Module(Name: {self.name}, Id: {self.id}, Status: {self.status}, Default version: {self.default_version})"

    # What it is

    @property
    def id(self) -> str:
        """Return the id."""
        return self._id

    @property
    def name(self) -> str:
        """Return the name."""
        return self._name

    @property
    def description(self) -> Optional[str]:
        """Return the description."""
        return self._description

    @property
    def status(self) -> str:
        """Return the status: Active, Deprecated or Disabled."""
        return self._status

    @property
    def default_version(self) -> Optional[str]:
        """Return the version that is meant where none is named; None while none was chosen."""
        return self._default_version

    def module_version_list(self) -> List[ModuleVersionDescriptor]:
        """Return descriptors of the versions, the oldest first."""
        return list(self._versions)

    # Making and finding

    @staticmethod
    def create(workspace: Workspace, name: str, description: Optional[str], _workflow_provider: Any = None) -> Module:
        """Make a module that has no versions yet.

        Args:
            workspace: The workspace.
            name: Its name.
            description: A text for people.
            _workflow_provider: Accepted and ignored.

        Raises:
            ErrorResponseException: The workspace has a module of this name, or no module may have it.
            ModuleError: The name is None.
        """
        with pipeline_errors():
            return Module._from_record(workspace, workspace._client.create_module(workspace._id, _given("name", name), description))

    @staticmethod
    def get(workspace: Workspace, module_id: Optional[str] = None, name: Optional[str] = None, _workflow_provider: Any = None) -> Module:
        """Return a module by its id, else by its name.

        Args:
            workspace: The workspace.
            module_id: Its id.
            name: Its name, where no id is given.
            _workflow_provider: Accepted and ignored.

        Raises:
            ModuleError: Neither is given.
            ErrorResponseException: The workspace has no such module; the message gives the nearest name.
        """
        wanted = module_id or name
        if not wanted:
            raise ModuleError("Say which module is meant: Module.get(workspace, name='...') or module_id='...'.")
        with pipeline_errors():
            return Module._from_record(workspace, workspace._client.get_module(workspace._id, wanted))

    @staticmethod
    def get_versions(workspace: Workspace, name: str, _workflow_provider: Any = None) -> List[ModuleVersionDescriptor]:
        """Return descriptors of the versions of a module, the oldest first.

        Args:
            workspace: The workspace.
            name: The module's name.
            _workflow_provider: Accepted and ignored.

        Raises:
            ErrorResponseException: The workspace has no such module.
        """
        return Module.get(workspace, name=name).module_version_list()

    # Versions

    def publish_python_script(
        self,
        script_name: str,
        description: Optional[str],
        inputs: Optional[Sequence[Any]],
        outputs: Optional[Sequence[Any]],
        params: Optional[Mapping[str, Any]] = None,
        create_sequencing_ports: bool = True,
        version: Optional[str] = None,
        is_default: bool = False,
        source_directory: Optional[str] = None,
        hash_paths: Optional[Sequence[str]] = None,
        category: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
        runconfig: Any = None,
    ) -> ModuleVersion:
        """Add a version that runs a Python script. The source folder is kept with it, so who uses it needs none.

        Args:
            script_name: The script, relative to `source_directory`.
            description: A text for people.
            inputs: InputPortDefs: what the script reads.
            outputs: OutputPortDefs: what it writes.
            params: Name -> default, or ParamDef. The script sees AML_PARAMETER_<name>.
            create_sequencing_ports: Whether steps of it may run after others without reading their data.
            version: Its name; None takes the next whole number.
            is_default: Whether it is the one that is meant from now on where none is named.
            source_directory: The folder of the script; None means the current one.
            hash_paths: Accepted and ignored: all of the folder counts.
            category: A word for people.
            arguments: What the script is given where a step gives nothing else: texts, PipelineParameters, definitions of ports.
            runconfig: The RunConfiguration of steps that have none.

        Raises:
            ValueError: The script does not exist, or a port, a parameter or an argument is wrong.
            ModuleError: The module has this version already, or an argument is of a class that it can't be.
            SnapshotException: The source folder is too large, or holds what can't travel.
        """
        if hash_paths:
            _LOGGER.warning("hash_paths of a module is deprecated and has no effect: all of source_directory counts.")
        folder = Module.process_source_directory(self.name, source_directory, script_name)
        definition = self._define(script_name, inputs, outputs, params, arguments, runconfig, create_sequencing_ports)
        about = {"version": None if version is None else str(version), "is_default": bool(is_default)}
        return self._publish(folder, definition, {**about, "description": description, "category": category})

    def _define(
        self,
        script_name: str,
        inputs: Optional[Sequence[Any]],
        outputs: Optional[Sequence[Any]],
        params: Optional[Mapping[str, Any]],
        arguments: Optional[Sequence[Any]],
        runconfig: Any,
        create_sequencing_ports: bool,
    ) -> ModuleDefinition:
        from dataclasses import replace

        from azureml.pipeline.core import _module_definitions as definitions

        place = f"The module '{self.name}'"
        parts = ModuleDefinition(
            script=plain_path(script_name),
            snapshot="",
            inputs=definitions.read_inputs(inputs, place),
            outputs=definitions.read_outputs(outputs, place),
            parameters=definitions.read_parameters(params, arguments or (), place),
            run_config=self._describe_run_config(runconfig, place),
            can_be_ordered=bool(create_sequencing_ports),
        )
        return replace(parts, arguments=definitions.read_arguments(arguments, parts, place))

    def _describe_run_config(self, runconfig: Any, place: str) -> Dict[str, Any]:
        from azureml.pipeline.core._graph_context import _GraphContext
        from azureml.pipeline.core._python_script_step_base import check_run_config

        if check_run_config(runconfig, place) is None:
            return {}
        described: Dict[str, Any] = _GraphContext(None, self._workspace).describe_run_config(runconfig, place)
        return described

    def _publish(self, folder: str, definition: ModuleDefinition, about: Dict[str, Any]) -> ModuleVersion:
        """Give the service the source folder and the version, and return it."""
        from dataclasses import replace

        from penstock.model.errors import AlreadyExists, Invalid

        client = self._workspace._client
        with pipeline_errors():
            digest = _send_folder(client, folder, definition.script, f"The module '{self.name}'")
            document = format_module(replace(definition, snapshot=digest))
            try:
                record = client.publish_module_version(self._workspace._id, self.id, document, **about)
            except AlreadyExists as error:
                raise ModuleError(error.message) from None
            except Invalid as error:
                raise ValueError(f"The module '{self.name}' can't be published: {error.message}") from None
            self._adopt(client.get_module(self._workspace._id, self.id))
        return ModuleVersion._from_record(self._workspace, record)

    def publish(
        self,
        description: Optional[str],
        execution_type: str,
        inputs: Optional[Sequence[Any]],
        outputs: Optional[Sequence[Any]],
        param_defs: Optional[Sequence[Any]] = None,
        create_sequencing_ports: bool = True,
        version: Optional[str] = None,
        is_default: bool = False,
        content_path: Optional[str] = None,
        hash_paths: Optional[Sequence[str]] = None,
        category: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
        runconfig: Any = None,
    ) -> ModuleVersion:
        """Add a version of any kind of execution. Of v1's kinds, this version of Penstock has the Python script ("escloud").

        Args:
            description: A text for people.
            execution_type: The kind of execution: "escloud".
            inputs: InputPortDefs.
            outputs: OutputPortDefs.
            param_defs: ParamDefs; that named "Script" says which script is run.
            create_sequencing_ports: Whether steps of it may run after others without reading their data.
            version: Its name; None takes the next whole number.
            is_default: Whether it is the one that is meant from now on where none is named.
            content_path: The source folder.
            hash_paths: Accepted and ignored.
            category: A word for people.
            arguments: What the script is given where a step gives nothing else.
            runconfig: The RunConfiguration of steps that have none.

        Raises:
            NotImplementedError: It is another kind of execution.
            ValueError: No parameter "Script" names a script, or as for `publish_python_script`.
        """
        if str(execution_type).lower() != _SCRIPT_EXECUTION:
            raise not_built(
                f"Module.publish with the execution type {execution_type!r}", f"Publish a Python script: the type '{_SCRIPT_EXECUTION}'."
            )
        named = {item.name: item for item in param_defs or ()}
        script = named.pop("Script", None)
        if script is None or not isinstance(script.default_value, str):
            raise ValueError("Nothing says which script the module runs. Add ParamDef('Script', 'train.py') to param_defs.")
        return self.publish_python_script(
            script.default_value,
            description,
            inputs,
            outputs,
            params={name: item for name, item in named.items() if not item.is_metadata_param},
            create_sequencing_ports=create_sequencing_ports,
            version=version,
            is_default=is_default,
            source_directory=content_path,
            hash_paths=hash_paths,
            category=category,
            arguments=arguments,
            runconfig=runconfig,
        )

    def publish_adla_script(
        self,
        script_name: str,
        description: Optional[str],
        inputs: Optional[Sequence[Any]],
        outputs: Optional[Sequence[Any]],
        params: Optional[Mapping[str, Any]] = None,
        create_sequencing_ports: bool = True,
        degree_of_parallelism: Optional[int] = None,
        priority: Optional[int] = None,
        runtime_version: Optional[str] = None,
        compute_target: Any = None,
        version: Optional[str] = None,
        is_default: bool = False,
        source_directory: Optional[str] = None,
        hash_paths: Optional[Sequence[str]] = None,
        category: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
    ) -> NoReturn:
        """Refuse: Data Lake Analytics is a service of the cloud, which ended in 2024.

        Args:
            script_name: Ignored, as are all others.
            description: Ignored.
            inputs: Ignored.
            outputs: Ignored.
            params: Ignored.
            create_sequencing_ports: Ignored.
            degree_of_parallelism: Ignored.
            priority: Ignored.
            runtime_version: Ignored.
            compute_target: Ignored.
            version: Ignored.
            is_default: Ignored.
            source_directory: Ignored.
            hash_paths: Ignored.
            category: Ignored.
            arguments: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise not_built("Module.publish_adla_script", "Write the U-SQL script in Python and use Module.publish_python_script.")

    def publish_azure_batch(
        self,
        description: Optional[str],
        compute_target: Any,
        inputs: Optional[Sequence[Any]],
        outputs: Optional[Sequence[Any]],
        params: Optional[Mapping[str, Any]] = None,
        create_sequencing_ports: bool = True,
        version: Optional[str] = None,
        is_default: bool = False,
        create_pool: bool = False,
        pool_id: Optional[str] = None,
        delete_batch_job_after_finish: bool = False,
        delete_batch_pool_after_finish: bool = False,
        is_positive_exit_code_failure: bool = True,
        vm_image_urn: str = "urn:MicrosoftWindowsServer:WindowsServer:2012-R2-Datacenter",
        run_task_as_admin: bool = False,
        target_compute_nodes: int = 1,
        vm_size: str = "standard_d1_v2",
        executable: Optional[str] = None,
        source_directory: Optional[str] = None,
        category: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
    ) -> NoReturn:
        """Refuse: Azure Batch is a service of the cloud.

        Args:
            description: Ignored, as are all others.
            compute_target: Ignored.
            inputs: Ignored.
            outputs: Ignored.
            params: Ignored.
            create_sequencing_ports: Ignored.
            version: Ignored.
            is_default: Ignored.
            create_pool: Ignored.
            pool_id: Ignored.
            delete_batch_job_after_finish: Ignored.
            delete_batch_pool_after_finish: Ignored.
            is_positive_exit_code_failure: Ignored.
            vm_image_urn: Ignored.
            run_task_as_admin: Ignored.
            target_compute_nodes: Ignored.
            vm_size: Ignored.
            executable: Ignored.
            source_directory: Ignored.
            category: Ignored.
            arguments: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise not_built(
            "Module.publish_azure_batch", "Let a Python script start the executable, with subprocess.run, and use publish_python_script."
        )

    @staticmethod
    def process_source_directory(name: str, source_directory: Optional[str], script_name: str) -> str:
        """Return the full path of a source folder that holds a script.

        Args:
            name: The module's name, for messages.
            source_directory: The folder; None means the current one.
            script_name: The script, relative to it.

        Raises:
            ValueError: There is no such folder, or the script is not in it; the message names the nearest files.
        """
        if not isinstance(script_name, str) or not script_name:
            raise ValueError(f"script_name must be the path of a script in source_directory, a text, not {script_name!r}.")
        given = os.fspath(source_directory or os.curdir)
        folder = os.path.abspath(given)
        find_script(folder, script_name, f"The module '{name}'", given)
        return folder

    @staticmethod
    def module_def_builder(
        name: str,
        description: Optional[str],
        execution_type: str,
        input_bindings: Sequence[Any],
        output_bindings: Sequence[Any],
        param_defs: Optional[Sequence[Any]] = None,
        create_sequencing_ports: bool = True,
        allow_reuse: bool = True,
        version: Optional[str] = None,
        module_type: Any = None,
        step_type: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
        runconfig: Any = None,
        cloud_settings: Any = None,
    ) -> ModuleDef:
        """Return the definition that a step of a module has in a graph.

        Args:
            name: The step's name.
            description: A text for people.
            execution_type: The kind of execution.
            input_bindings: Its inputs: definitions, or bindings.
            output_bindings: Its outputs.
            param_defs: Its parameters.
            create_sequencing_ports: Whether `run_after` can be used.
            allow_reuse: Whether an earlier result may be taken.
            version: The user's lever to force a new definition.
            module_type: A module type.
            step_type: The class of step.
            arguments: The resolved arguments.
            runconfig: A run configuration that belongs to the definition.
            cloud_settings: Settings of the cloud service.
        """
        from azureml.pipeline.core._bindings import InputPortBinding, OutputPortBinding
        from azureml.pipeline.core.builder import input_port_def, output_port_def

        return ModuleDef(
            name=name,
            description=description,
            input_port_defs=[input_port_def(item) if isinstance(item, InputPortBinding) else item for item in input_bindings],
            output_port_defs=[output_port_def(item) if isinstance(item, OutputPortBinding) else item for item in output_bindings],
            param_defs=param_defs,
            module_execution_type=execution_type,
            create_sequencing_ports=create_sequencing_ports,
            allow_reuse=allow_reuse,
            version=version,
            module_type=module_type,
            step_type=step_type,
            arguments=arguments,
            runconfig=runconfig,
            cloud_settings=cloud_settings,
        )

    # Which version is meant

    def resolve(self, version: Optional[str] = None) -> ModuleVersion:
        """Return the version that a step takes: that of this name; else the default; else the highest number; else the newest.

        A version that does not exist gives another one, as in v1, and a warning says which. Disabled ones are taken only by name.

        Args:
            version: The version's name.

        Raises:
            ErrorResponseException: The module has no version that is not disabled.
        """
        wanted = None if version is None else str(version)
        with pipeline_errors():
            record = self._workspace._client.resolve_module_version(self._workspace._id, self.id, wanted)
        if wanted is not None and record["chosen"] != ASKED:
            hint = nearest(wanted, [item.version for item in self._versions], "versions")
            _LOGGER.warning(
                "The module '%s' has no version '%s'.%s Its %s version '%s' is taken instead.",
                *(self.name, wanted, hint, record["chosen"], record["version"]),
            )
        return ModuleVersion._from_record(self._workspace, record)

    def get_default(self) -> ModuleVersion:
        """Return the version that is meant where none is named.

        Raises:
            ModuleError: None was chosen yet.
        """
        if self._default_version is None:
            raise ModuleError(f"The module '{self.name}' has no default version. Choose one: module.set_default_version(version).")
        return ModuleVersion.get(self._workspace, self._id_of(self._default_version))

    def get_default_version(self) -> Optional[str]:
        """Return the name of the version that is meant where none is named; None while none was chosen."""
        return self._default_version

    def set_default_version(self, version_id: str) -> None:
        """Choose the version that is meant where none is named.

        Args:
            version_id: The version's name.

        Raises:
            ModuleError: The module has no such version.
            ErrorResponseException: The version is disabled.
        """
        self._id_of(str(version_id))
        self._update(default_version=str(version_id))

    def _id_of(self, version: str) -> str:
        """The id of a version, looked up anew where this object has not heard of it."""
        for item in self._versions:
            if item.version == version:
                return item.module_version_id
        self._refresh()
        known = {item.version: item.module_version_id for item in self._versions}
        if version not in known:
            raise ModuleError(f"The module '{self.name}' has no version '{version}'.{nearest(version, known, 'versions')}")
        return known[version]

    def _refresh(self) -> None:
        with pipeline_errors():
            self._adopt(self._workspace._client.get_module(self._workspace._id, self.id))

    # Changing

    def set_name(self, name: str) -> None:
        """Rename the module. Pipelines that use it go on.

        Args:
            name: The new name.

        Raises:
            ModuleError: It is None.
            ErrorResponseException: Another module has it.
        """
        self._update(name=_given("name", name))

    def set_description(self, description: str) -> None:
        """Describe the module.

        Args:
            description: A text for people.

        Raises:
            ModuleError: It is None.
        """
        self._update(description=_given("description", description))

    def enable(self) -> None:
        """Let new pipelines use the module again."""
        self._update(status=ACTIVE)

    def disable(self) -> None:
        """Let no new pipeline use the module. Those that were submitted or published go on."""
        self._update(status=DISABLED)

    def deprecate(self) -> None:
        """Warn who uses the module from now on."""
        self._update(status=DEPRECATED)

    def _update(self, **changes: str) -> None:
        with pipeline_errors():
            self._adopt(self._workspace._client.update_module(self._workspace._id, self.id, **changes))


class ModuleVersion:
    """One version of a module. What it runs never changes.

    Args:
        workspace: The workspace.
        module_entity: What the service says about it.
        version: Its name.
        _module_version_provider: Accepted and ignored.
    """

    def __init__(self, workspace: Workspace, module_entity: Dict[str, Any], version: str, _module_version_provider: Any) -> None:
        self._workspace = workspace
        self._record = module_entity
        self._version = version
        self._definition = parse_module(module_entity["definition"])

    @classmethod
    def _from_record(cls, workspace: Any, record: Dict[str, Any]) -> ModuleVersion:
        return cls(workspace, record, record["version"], None)

    def __repr__(self) -> str:
        return f"ModuleVersion(Module: {self._record['module_name']}, Version: {self.version}, Status: {self.status})"

    @property
    def status(self) -> str:
        """Return the status: Active, Deprecated or Disabled."""
        return str(self._record["status"])

    @property
    def module_id(self) -> str:
        """Return the id of the module."""
        return str(self._record["module_id"])

    @property
    def module_version_id(self) -> str:
        """Return the id of the version."""
        return str(self._record["id"])

    @property
    def description(self) -> Optional[str]:
        """Return the description."""
        description: Optional[str] = self._record["description"]
        return description

    @property
    def version(self) -> str:
        """Return the version's name."""
        return self._version

    @property
    def category(self) -> Optional[str]:
        """Return the category, or None."""
        category: Optional[str] = self._record["category"]
        return category

    @property
    def interface(self) -> Interface:
        """Return what it takes and gives: `inputs`, `outputs` and `parameters` with their defaults, and `arguments`."""
        from azureml.pipeline.core._module_definitions import interface_of

        return interface_of(self._definition)

    @property
    def runconfig(self) -> Any:
        """Return the RunConfiguration that it was published with, or None."""
        if not self._definition.run_config:
            return None
        from azureml.core.runconfig import from_document

        return from_document(self._definition.run_config)

    def module(self, _workflow_provider: Any = None) -> Module:
        """Return the module.

        Args:
            _workflow_provider: Accepted and ignored.
        """
        return Module.get(self._workspace, module_id=self.module_id)

    @staticmethod
    def get(workspace: Workspace, module_version_id: Optional[str] = None, _workflow_provider: Any = None) -> ModuleVersion:
        """Return a version by its id.

        Args:
            workspace: The workspace.
            module_version_id: The id of the version.
            _workflow_provider: Accepted and ignored.

        Raises:
            ModuleError: No id is given.
            ErrorResponseException: The workspace has no version with this id.
        """
        if not module_version_id:
            raise ModuleError("Say which version is meant: ModuleVersion.get(workspace, module_version_id).")
        with pipeline_errors():
            return ModuleVersion._from_record(workspace, workspace._client.get_module_version(workspace._id, module_version_id))

    def set_description(self, description: str) -> None:
        """Describe the version.

        Args:
            description: A text for people.

        Raises:
            ModuleError: It is None.
        """
        self._update(description=_given("description", description))

    def enable(self) -> None:
        """Let new pipelines use the version again."""
        self._update(status=ACTIVE)

    def disable(self) -> None:
        """Let no new pipeline use the version. Those that were submitted or published go on."""
        self._update(status=DISABLED)

    def deprecate(self) -> None:
        """Warn who uses the version from now on."""
        self._update(status=DEPRECATED)

    def _update(self, **changes: str) -> None:
        with pipeline_errors():
            self._record = self._workspace._client.update_module_version(self._workspace._id, self.module_version_id, **changes)


class ModuleVersionDescriptor:
    """The name of a version, and its id.

    Args:
        version: Its name.
        module_version_id: Its id.
    """

    def __init__(self, version: str, module_version_id: str) -> None:
        self._version, self._module_version_id = version, module_version_id

    def __repr__(self) -> str:
        return f"ModuleVersionDescriptor(version={self._version!r}, module_version_id={self._module_version_id!r})"

    @property
    def version(self) -> str:
        """Return the version's name."""
        return self._version

    @property
    def module_version_id(self) -> str:
        """Return the id of the version."""
        return self._module_version_id


def _given(what: str, value: Optional[str]) -> str:
    if value is None:
        raise ModuleError(f"Give the {what} as a text; None can't be the {what}.")
    return value


def _send_folder(client: Any, folder: str, script: str, place: str) -> str:
    """Give the service a source folder, and return the digest of its snapshot; only files that are new to it travel."""
    from azureml.core._source_folders import check_in_snapshot
    from azureml.exceptions import SnapshotException
    from penstock.compile.snapshots import take_snapshot, upload_snapshot
    from penstock.model.errors import PenstockError

    limits = client.service_info()["limits"]
    try:
        snapshot = take_snapshot(folder, limits["snapshot_bytes"], limits["snapshot_files"])
    except PenstockError as error:
        raise SnapshotException(f"{place}: {error.message}") from error
    check_in_snapshot(snapshot, script, place)
    upload_snapshot(client, snapshot)
    return snapshot.digest

"""What a script's run reads and writes: the data of a run configuration as ports of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, Mapping, NamedTuple, Optional

from azureml.core.runconfig import Data, OutputData
from azureml.data.output_dataset_config import DEFAULT_DESTINATION
from azureml.exceptions import UserErrorException
from penstock.model.graph import DataNode, InputPort, OutputPort, PortRef, Registration

if TYPE_CHECKING:
    from azureml.core.runconfig import RunConfiguration
    from azureml.core.workspace import Workspace


class Ports(NamedTuple):
    """The inputs and outputs of a step, and the data behind its inputs."""

    inputs: List[InputPort]
    outputs: List[OutputPort]
    data: List[DataNode]


def find_ports(run_config: RunConfiguration, workspace: Workspace, place: str) -> Ports:
    """Return what `data`, `output_data` and `data_references` of a run configuration ask for. Datasets without an id are saved.

    Args:
        run_config: The run configuration.
        workspace: Its datasets and datastores are meant.
        place: Whose run configuration it is, for messages.

    Raises:
        UserErrorException: Something can't be read or written like that.
    """
    found = _Finder(workspace, place)
    for name, item in (run_config.data or {}).items():
        found.add_data(name, item)
    for name, item in (run_config.output_data or {}).items():
        found.add_output(name, item)
    for name, item in (run_config.data_references or {}).items():
        found.add_reference(name, item)
    return found.ports


class _Finder:
    def __init__(self, workspace: Workspace, place: str) -> None:
        self._workspace, self._place = workspace, place
        self._store: Optional[str] = None
        self.ports = Ports([], [], [])

    def _refuse(self, what: str, why: str) -> UserErrorException:
        return UserErrorException(f"{self._place}: {what} {why}")

    # Inputs

    def add_data(self, name: str, item: Any) -> None:
        """Add what the script reads under a name: a dataset as it is consumed, or a section of a run configuration."""
        if isinstance(item, Data):
            self._add_section(name, item)
        elif hasattr(item, "dataset") and hasattr(item, "mode"):
            self._add_consumed(item)
        else:
            raise self._refuse(f"data['{name}']", f"is a {type(item).__name__}. Put dataset.as_named_input('{name}') there.")

    def _add_consumed(self, item: Any) -> None:
        from azureml.pipeline.core._pipeline_dataset import PipelineDataset

        if hasattr(item.dataset, "_set_producer"):
            raise self._refuse(
                f"the input '{item.name}'", "reads the output of another script, which only a step of the same pipeline can."
            )
        node = DataNode(f"data{len(self.ports.data)}", item.name, dataset=PipelineDataset.create(item)._describe(self._workspace))
        self._add_input(node, item.name, item.mode, item.path_on_compute, None, {})

    def _add_section(self, name: str, section: Data) -> None:
        location, node_id = section.data_location, f"data{len(self.ports.data)}"
        wanted, path = (location.dataset, location.data_path) if location is not None else (None, None)
        mode = str(section.mechanism or "mount").lower()
        if wanted is not None and (wanted.id or wanted.name):
            node = DataNode(node_id, name, dataset=self._named(name, wanted))
            self._add_input(node, name, mode, section.path_on_compute, section.overwrite, {})
        elif path is not None and path.datastore_name:
            node = DataNode(node_id, name, path.datastore_name, path.relative_path or "")
            self._add_input(node, name, mode, section.path_on_compute, section.overwrite, None)
        else:
            raise self._refuse(f"data['{name}']", "names neither a dataset nor a path on a datastore, so there is nothing to read.")

    def _named(self, name: str, wanted: Any) -> Mapping[str, Any]:
        """What names a dataset: its id, or a name with a version, None for the latest."""
        if wanted.id:
            return {"id": wanted.id}
        version = None if wanted.version in (None, "latest") else str(wanted.version)
        if version is not None and not version.isdigit():
            raise self._refuse(f"data['{name}']", f"names the version '{version}' of the dataset '{wanted.name}'. A version is a number.")
        return {"name": wanted.name, "version": int(version) if version is not None else None}

    def add_reference(self, name: str, item: Any) -> None:
        """Add a path on a datastore that the script reads, or in mode upload writes."""
        config = item.to_config() if hasattr(item, "to_config") else item
        if not hasattr(config, "data_store_name"):
            raise self._refuse(f"data_references['{name}']", f"is a {type(item).__name__}. Put datastore.path('folder').as_mount() there.")
        store, path, mode = config.data_store_name, config.path_on_data_store or "", str(config.mode or "mount").lower()
        if not store:
            raise self._refuse(f"data_references['{name}']", "names no datastore. Make it of one: datastore.path('folder').as_mount().")
        if mode == "upload":
            place = {"path_on_compute": config.path_on_compute, "overwrite": bool(config.overwrite)}
            self.ports.outputs.append(OutputPort(name, store, mode, is_directory=True, destination=path, **place))
            return
        node = DataNode(f"data{len(self.ports.data)}", name, store, path)
        self._add_input(node, name, mode, config.path_on_compute, config.overwrite, None)

    def _add_input(
        self, node: DataNode, name: str, mode: str, path: Optional[str], overwrite: Optional[bool], dataset: Optional[Mapping[str, Any]]
    ) -> None:
        if mode == "hdfs":
            raise self._refuse(
                f"the input '{name}'", "has the mode 'hdfs', which belongs to Spark clusters. Use as_mount() or as_download()."
            )
        self.ports.data.append(node)
        self.ports.inputs.append(InputPort(name, PortRef(node.id, "data"), mode, path, overwrite or None, dataset))

    # Outputs

    def add_output(self, name: str, item: Any) -> None:
        """Add what the script writes under a name: an OutputFileDatasetConfig, or a section of a run configuration."""
        if isinstance(item, OutputData):
            self._add_output_section(name, item)
        elif hasattr(item, "_to_output_data"):
            self._add_config(item)
        else:
            raise self._refuse(f"output_data['{name}']", f"is a {type(item).__name__}. Put an OutputFileDatasetConfig there.")

    def _add_config(self, config: Any) -> None:
        from azureml.pipeline.core._dataset_ports import bind_dataset_output, format_registration

        bound = bind_dataset_output(config)
        if bound.bind_mode == "hdfs":
            raise self._refuse(f"the output '{config.name}'", "has the mode 'hdfs', which belongs to Spark clusters. Use as_mount().")
        about = bound._dataset_output
        assert about is not None
        self.ports.outputs.append(
            OutputPort(
                config.name,
                self._store_name(bound.datastore, config.name),
                config.mode,
                path_on_compute=bound.path_on_compute,
                overwrite=bound.overwrite,
                is_directory=True,
                destination=about.destination,
                source_globs=about.source_globs,
                dataset=about.reading,
                registration=format_registration(bound.dataset_registration),
            )
        )

    def _add_output_section(self, name: str, section: OutputData) -> None:
        place = section.output_location.data_path if section.output_location is not None else None
        options = section.additional_options
        upload = options.upload_options if options is not None else None
        wanted = options.registration_options if options is not None else None
        globs = upload.source_globs.patterns if upload is not None and upload.source_globs is not None else None
        self.ports.outputs.append(
            OutputPort(
                name,
                self._store_name(place.datastore_name if place is not None else None, name),
                str(section.mechanism or "mount").lower(),
                path_on_compute=options.path_on_compute if options is not None else None,
                overwrite=bool(upload.overwrite) if upload is not None else None,
                is_directory=True,
                destination=(place.relative_path if place is not None else None) or DEFAULT_DESTINATION,
                source_globs=tuple(globs or ()),
                dataset={},
                registration=_registration(wanted),
            )
        )

    def _store_name(self, datastore: Any, output: str) -> str:
        if datastore is not None:
            return str(datastore if isinstance(datastore, str) else datastore.name)
        if self._store is None:
            from azureml.core._places import Places

            try:
                self._store = Places(self._workspace).default_datastore_name(f"the output '{output}'")
            except ValueError as error:
                raise UserErrorException(str(error)) from error
        return self._store


def _registration(wanted: Any) -> Optional[Registration]:
    if wanted is None or not wanted.name:
        return None
    return Registration(wanted.name, wanted.description, {str(key): str(value) for key, value in (wanted.tags or {}).items()})

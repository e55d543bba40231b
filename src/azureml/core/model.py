"""Registered models: files under a name and a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple, Union

from azureml.core import _model_files as files
from azureml.core import _model_record as words
from azureml.core._inference import InferenceConfig, ModelPackage, refuse_deployment
from azureml.core._model_errors import model_errors
from azureml.core._model_files import MODELS_DIR
from azureml.core._times import parse_time
from azureml.core.resource_configuration import ResourceConfiguration

if TYPE_CHECKING:
    from azureml.core.run import Run
    from azureml.core.workspace import Workspace

__all__ = ["MODELS_DIR", "InferenceConfig", "Model", "ModelPackage"]

_LEAST_PAGE, _MOST_PAGE = 20, 255

Pairs = Union[str, Dict[str, Any], List[Any], None]


def __getattr__(name: str) -> Any:
    if name != "Dataset":  # some scripts import it from here
        raise AttributeError(f"module 'azureml.core.model' has no attribute '{name}'")
    from azureml.core.dataset import Dataset

    return Dataset


class Model:
    """One version of a registered model.

    Args:
        workspace: Where it is registered; None for an empty object.
        name: Its name; the newest version that fits the rest is taken.
        id: Its name and version, as 'name:version'.
        tags: Keys that its tags have, or [key, value] pairs.
        properties: The same for its properties.
        version: Its version.
        run_id: The run that it comes from.
        model_framework: What it was made with.
        expand: Accepted: datasets are loaded when they are asked for.
        **kwargs: Accepted and ignored, as in v1.

    Raises:
        WebserviceException: There is none; the message begins with `ModelNotFound`. Or neither `name` nor `id` is given.
    """

    class Framework:
        """Names of frameworks."""

        CUSTOM = "Custom"
        TENSORFLOW = "TensorFlow"
        SCIKITLEARN = "ScikitLearn"
        ONNX = "Onnx"
        TFKERAS = "TfKeras"
        PYTORCH = "PyTorch"
        MULTI = "Multi"

    created_by: Optional[str]
    created_time: Any
    description: Optional[str]
    experiment_name: Optional[str]
    id: Optional[str]
    mime_type: Optional[str]
    model_framework: Optional[str]
    model_framework_version: Optional[str]
    name: Optional[str]
    parent_id: Optional[str]
    properties: Dict[str, Optional[str]]
    resource_configuration: Optional[ResourceConfiguration]
    run_id: Optional[str]
    tags: Dict[str, Optional[str]]
    unpack: Optional[bool]
    url: Optional[str]
    version: Optional[int]
    workspace: Any

    def __init__(
        self,
        workspace: Optional[Workspace],
        name: Optional[str] = None,
        id: Optional[str] = None,
        tags: Pairs = None,
        properties: Pairs = None,
        version: Optional[int] = None,
        run_id: Optional[str] = None,
        model_framework: Optional[str] = None,
        expand: bool = True,
        **kwargs: Any,
    ) -> None:
        if workspace is None:
            self._take(None, words.EMPTY)
        elif id:
            found_name, _, found_version = str(id).rpartition(":")
            self._take(workspace, _get(workspace, found_name or str(id), found_version if found_name else None))
        elif name:
            wanted = {"tags": tags, "properties": properties, "run_id": run_id, "framework": model_framework}
            self._take(workspace, _find(workspace, name, version, wanted))
        else:
            raise words.refusal("A model is found by its name or its id: Model(workspace, name) or Model(workspace, id='name:version').")

    @classmethod
    def _of(cls, workspace: Any, record: Dict[str, Any]) -> Model:
        """Return the object for a record of the service."""
        model = cls.__new__(cls)
        model._take(workspace, record)
        return model

    def _take(self, workspace: Any, record: Dict[str, Any]) -> None:
        self.workspace = workspace
        self._record = record
        self._loaded: Dict[str, Any] = {}
        for name in ("created_by", "description", "experiment_name", "name", "run_id", "unpack", "version"):
            setattr(self, name, record[name])
        self.created_time = parse_time(record["created_at"])
        self.id = None if record["name"] is None else f"{record['name']}:{record['version']}"
        self.mime_type = self.id and words.MIME_TYPE
        self.url = self.id and f"aml://asset/{self.id}"
        self.model_framework, self.model_framework_version = record["framework"], record["framework_version"]
        self.tags, self.properties = dict(record["tags"]), dict(record["properties"])
        self.resource_configuration = ResourceConfiguration.deserialize(record["details"].get("resources"))
        self.parent_id = None
        self.derived_model_ids: List[str] = []

    def _files(self) -> List[Tuple[str, int, str]]:
        """(path, bytes, sha256) of each file; asked for when they are first needed, as lists leave them out."""
        if "files" not in self._record:
            self._record = {**self._record, "files": self._read()["files"]}
        return [tuple(entry) for entry in self._record["files"]]

    def _read(self) -> Dict[str, Any]:
        return _get(self.workspace, str(self.name), self.version)

    def __repr__(self) -> str:
        facts = {"workspace": self.workspace, "name": self.name, "id": self.id, "version": self.version}
        shown = ", ".join(f"{key}={value}" for key, value in {**facts, "tags": self.tags, "properties": self.properties}.items())
        return f"Model({shown})"

    # ---- what it refers to ----

    @property
    def run(self) -> Optional[Run]:
        """The run that it comes from, or None; also when that run was deleted."""
        if "run" not in self._loaded:
            self._loaded["run"] = self._find_run()
        found: Optional[Run] = self._loaded["run"]
        return found

    def _find_run(self) -> Optional[Run]:
        from azureml.core._run_types import rehydrate
        from penstock.model.errors import NotFound

        if self.run_id is None or self.workspace is None:
            return None
        with model_errors():
            try:
                return rehydrate(self.workspace, self.workspace._client.get_run(self.run_id))
            except NotFound:
                return None

    @property
    def datasets(self) -> Dict[str, List[Any]]:
        """The datasets that it was registered with, by scenario."""
        if "datasets" not in self._loaded:
            found: Dict[str, List[Any]] = {}
            for use in self._record["details"].get("datasets", []):
                found.setdefault(use["scenario"], []).append(self._dataset(use["id"]))
            self._loaded["datasets"] = found
        loaded: Dict[str, List[Any]] = self._loaded["datasets"]
        return loaded

    @property
    def sample_input_dataset(self) -> Any:
        """A dataset with examples of what it takes, or None."""
        return self._dataset(self._record["details"].get("sample_input_dataset"))

    @property
    def sample_output_dataset(self) -> Any:
        """A dataset with examples of what it gives, or None."""
        return self._dataset(self._record["details"].get("sample_output_dataset"))

    def _dataset(self, dataset_id: Optional[str]) -> Any:
        if dataset_id is None:
            return None
        if dataset_id not in self._loaded:
            from azureml.core.dataset import Dataset

            self._loaded[dataset_id] = Dataset.get_by_id(self.workspace, dataset_id)
        return self._loaded[dataset_id]

    # ---- registering and finding ----

    @staticmethod
    def register(
        workspace: Workspace,
        model_path: str,
        model_name: str,
        tags: Optional[Dict[str, str]] = None,
        properties: Optional[Dict[str, str]] = None,
        description: Optional[str] = None,
        datasets: Optional[List[Tuple[str, Any]]] = None,
        model_framework: Optional[str] = None,
        model_framework_version: Optional[str] = None,
        child_paths: Optional[List[str]] = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Optional[ResourceConfiguration] = None,
    ) -> Model:
        """Register a file or a folder of this machine as the next version of a model.

        Inside a run, the model also tells that it comes from there.

        Args:
            workspace: Where.
            model_path: The file or folder, wherever it is.
            model_name: The model's name.
            tags: Names and texts; they can be changed.
            properties: Names and texts; they stay as they are.
            description: What it is.
            datasets: Pairs of a scenario, such as Dataset.Scenario.TRAINING, and a dataset.
            model_framework: What it was made with; see `Model.Framework`.
            model_framework_version: In which version.
            child_paths: Only these files and folders of the folder.
            sample_input_dataset: Examples of what it takes.
            sample_output_dataset: Examples of what it gives.
            resource_configuration: How much of a machine it needs.

        Raises:
            FileNotFoundError: There is nothing at the path.
            WebserviceException: The name can't be a model's, or another argument is not what it should be.
        """
        about = {
            "tags": words.check_texts("tags", tags),
            "properties": words.check_texts("properties", properties),
            "description": description,
            **words.check_framework(model_framework, model_framework_version),
        }
        found = files.read_local(model_path, child_paths)
        print(f"Registering model {model_name}")
        with model_errors():
            about["details"] = words.format_details(
                workspace, datasets, sample_input_dataset, sample_output_dataset, resource_configuration
            )
            record = workspace._client.register_model(
                workspace._id,
                model_name,
                files=found.entries,
                sources=found.sources,
                unpack=found.is_folder,
                run_id=_own_run_id(workspace),
                **about,
            )
        return Model._of(workspace, record)

    @staticmethod
    def list(
        workspace: Workspace,
        name: Optional[str] = None,
        tags: Pairs = None,
        properties: Pairs = None,
        run_id: Optional[str] = None,
        latest: bool = False,
        dataset_id: Optional[str] = None,
        expand: bool = True,
        page_count: int = 255,
        model_framework: Optional[str] = None,
    ) -> List[Model]:
        """Return registered models, newest first.

        Args:
            workspace: Where.
            name: Only versions of this model.
            tags: Only those whose tags have these keys, or [key, value] pairs.
            properties: The same for properties.
            run_id: Only models that come from this run.
            latest: Of each name only the newest that fits.
            dataset_id: Only models that were registered with this dataset.
            expand: Accepted: datasets are loaded when they are asked for.
            page_count: Accepted, between 20 and 255.
            model_framework: Only models made with this framework.

        Raises:
            UserErrorException: A filter or `page_count` is not what it should be.
        """
        _check_page_count(page_count)
        wanted = {"tags": tags, "properties": properties, "run_id": run_id, "framework": model_framework}
        return [Model._of(workspace, record) for record in _list(workspace, name, wanted, latest=bool(latest), dataset_id=dataset_id)]

    @staticmethod
    def get_model_path(model_name: str, version: Optional[int] = None, _workspace: Optional[Workspace] = None) -> str:
        """Return where a model's file or folder lies on this machine.

        Inside a run, and with `_workspace`, it is fetched below `azureml-models` when it is not there yet. Elsewhere nobody is asked: that
        folder, AZUREML_MODEL_DIR, and a file or folder of the model's name are looked at.

        Args:
            model_name: The model's name.
            version: Its version; the newest when None.
            _workspace: The workspace that has it.

        Raises:
            ModelNotFoundException: There is no such model.
            WebserviceException: The version is no number.
        """
        if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
            raise words.refusal(f"The version of a model is a whole number, not {version!r}.")
        from azureml.core.workspace import Workspace
        from azureml.exceptions import ModelNotFoundException

        workspace = _workspace if _workspace is not None else Workspace._of_this_run()
        if workspace is not None:
            return files.fetch_into_cache(Model._of(workspace, _get_or_raise(ModelNotFoundException, workspace, model_name, version)))
        found = files.find_offline(model_name, version)
        if found is None:
            which = "" if version is None else f" in version {version}"
            raise ModelNotFoundException(
                f"ModelNotFound: there is no model {model_name}{which} on this machine: neither below {MODELS_DIR}, nor where "
                f"AZUREML_MODEL_DIR says, nor a file of that name. Model(workspace, '{model_name}').download() fetches it."
            )
        return found

    # ---- files ----

    def download(self, target_dir: str = ".", exist_ok: bool = False, exists_ok: Optional[bool] = None) -> str:
        """Fetch the files and return where they are: the file, or the folder that was registered.

        Args:
            target_dir: The folder that gets them; it is made.
            exist_ok: Replace files that are there.
            exists_ok: Another name of `exist_ok`.

        Raises:
            WebserviceException: The file or folder exists, and `exist_ok` is false.
        """
        return files.download(self, str(target_dir), bool(exist_ok or exists_ok))

    def get_sas_urls(self) -> Dict[str, str]:
        """Return for each file an address that it can be read from: on this machine, a `file:` URL."""
        home = self.workspace._client.home
        return {path: home.blob(digest).as_uri() for path, _, digest in self._files()}

    # ---- changing ----

    def update(
        self,
        tags: Optional[Dict[str, str]] = None,
        description: Optional[str] = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Optional[ResourceConfiguration] = None,
    ) -> None:
        """Replace what is given; the rest stays.

        Args:
            tags: All tags from now on.
            description: What it is.
            sample_input_dataset: Examples of what it takes.
            sample_output_dataset: Examples of what it gives.
            resource_configuration: How much of a machine it needs.
        """
        new = words.check_texts("tags", tags)
        gone = None if new is None else [key for key in self._read()["tags"] if key not in new]
        with model_errors():
            details = words.format_details(self.workspace, None, sample_input_dataset, sample_output_dataset, resource_configuration)
        self._change("Model updated.", tags=new, remove_tags=gone, description=description, details=details or None)

    def add_tags(self, tags: Dict[str, str]) -> None:
        """Set these tags; others stay."""
        self._change("Model tags added.", tags=words.check_texts("tags", tags))

    def remove_tags(self, tags: List[str]) -> None:
        """Remove the tags of these names."""
        self._change("Model tags removed.", remove_tags=words.check_names("Tags", tags))

    def add_properties(self, properties: Dict[str, str]) -> None:
        """Add properties. Each can be set once and stays as it is.

        Raises:
            WebserviceException: One of them has another value already.
        """
        self._change("Model properties added.", properties=words.check_texts("properties", properties))

    def update_tags_properties(
        self,
        add_tags: Optional[Dict[str, str]] = None,
        remove_tags: Optional[List[str]] = None,
        add_properties: Optional[Dict[str, str]] = None,
    ) -> None:
        """Set and remove tags and add properties, all at once or not at all.

        Args:
            add_tags: Tags to set.
            remove_tags: Names of tags to remove.
            add_properties: Properties to add.
        """
        changes = {
            "tags": words.check_texts("tags", add_tags),
            "remove_tags": None if remove_tags is None else words.check_names("Tags", remove_tags),
            "properties": words.check_texts("properties", add_properties),
        }
        self._change("Model tags and properties updated.", **changes)

    def add_dataset_references(self, datasets: List[Tuple[str, Any]]) -> None:
        """Add datasets that have to do with the model.

        Args:
            datasets: Pairs of a scenario, such as Dataset.Scenario.TRAINING, and a dataset.
        """
        with model_errors():
            added = words.format_datasets(self.workspace, datasets)
        known = self._read()["details"].get("datasets", [])
        self._change("Model datasets added.", details={"datasets": [*known, *(use for use in added if use not in known)]})

    def _change(self, done: str, **changes: Any) -> None:
        with model_errors():
            self._take(self.workspace, self.workspace._client.update_model(self.workspace._id, self.name, self.version, **changes))
        print(done)

    def delete(self) -> None:
        """Forget this version. Its number is not given again.

        Raises:
            WebserviceException: There is no such version any more.
        """
        with model_errors():
            self.workspace._client.delete_model(self.workspace._id, self.name, self.version)
        print("Model deleted.")

    # ---- as JSON ----

    def serialize(self) -> Dict[str, Any]:
        """Return the JSON form."""
        return words.serialize(self._record)

    @staticmethod
    def deserialize(workspace: Workspace, model_payload: Dict[str, Any]) -> Model:
        """Return the model that a JSON form describes, without looking whether there is one."""
        return Model._of(workspace, words.deserialize(model_payload))

    # ---- deployment ----

    @staticmethod
    def deploy(
        workspace: Any,
        name: Any,
        models: Any,
        inference_config: Any = None,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: Any = False,
        show_output: Any = False,
    ) -> Any:
        """Refuse: Penstock deploys nothing."""
        raise refuse_deployment("Model.deploy")

    @staticmethod
    def package(
        workspace: Any,
        models: Any,
        inference_config: Any = None,
        generate_dockerfile: Any = False,
        image_name: Any = None,
        image_label: Any = None,
    ) -> Any:
        """Refuse: Penstock makes no images."""
        raise refuse_deployment("Model.package")

    @staticmethod
    def print_configuration(models: Any, inference_config: Any, deployment_config: Any, deployment_target: Any) -> Any:
        """Refuse: Penstock deploys nothing."""
        raise refuse_deployment("Model.print_configuration")

    @staticmethod
    def profile(
        workspace: Any,
        profile_name: Any,
        models: Any,
        inference_config: Any,
        input_dataset: Any,
        cpu: Any = None,
        memory_in_gb: Any = None,
        description: Any = None,
    ) -> Any:
        """Refuse: Penstock measures no deployments."""
        raise refuse_deployment("Model.profile")


def _get(workspace: Workspace, name: str, version: Any = None) -> Dict[str, Any]:
    with model_errors():
        found: Dict[str, Any] = workspace._client.get_model(workspace._id, name, version)
        return found


def _get_or_raise(kind: Any, workspace: Workspace, name: str, version: Any) -> Dict[str, Any]:
    """Return a record; raise an exception of this kind when there is none."""
    from penstock.model.errors import NotFound

    with model_errors():
        try:
            found: Dict[str, Any] = workspace._client.get_model(workspace._id, name, version)
        except NotFound as error:
            raise kind(error.message) from None
        return found


def _find(workspace: Workspace, name: str, version: Any, wanted: Dict[str, Any]) -> Dict[str, Any]:
    """Return the newest version of a name that fits."""
    asked = {key: value for key, value in wanted.items() if value}
    if not asked:
        return _get(workspace, name, version)
    for record in _list(workspace, name, wanted):
        if version is None or str(record["version"]) == str(version):
            return record
    conditions = ", ".join(f"{key} {value!r}" for key, value in {**({} if version is None else {"version": version}), **asked}.items())
    raise words.refusal(f"ModelNotFound: Model with name {name} and {conditions} not found in workspace '{workspace.name}'.")


def _list(workspace: Workspace, name: Optional[str], wanted: Dict[str, Any], **more: Any) -> List[Dict[str, Any]]:
    pairs = {kind: words.format_filter(kind, wanted[kind]) for kind in ("tags", "properties")}
    with model_errors():
        found: List[Dict[str, Any]] = workspace._client.list_models(workspace._id, name=name, **{**wanted, **pairs}, **more)
    return found


def _check_page_count(page_count: Any) -> None:
    if isinstance(page_count, int) and _LEAST_PAGE <= page_count <= _MOST_PAGE:
        return
    from azureml.exceptions import UserErrorException

    raise UserErrorException(f"page_count is a number from {_LEAST_PAGE} to {_MOST_PAGE}, not {page_count!r}.")


def _own_run_id(workspace: Workspace) -> Optional[str]:
    """The run that this process belongs to, where it is one of this workspace."""
    from penstock.runtime.context import find_context

    context = find_context()
    return context.run_id if context is not None and context.workspace_id == workspace._id else None

"""Pipeline endpoints, as v1's users meet them: one address with numbered versions of published pipelines, and a default among them."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence

from azureml.core._experiment_method import experiment_method
from azureml.pipeline.core._published import PublishedPipeline, choose_parameters, publish_graph, wanted_run
from azureml.pipeline.core._service_errors import pipeline_errors
from penstock.model.entity_status import ACTIVE, DISABLED
from penstock.model.errors import AlreadyExists, NotFound

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.pipeline.core.run import PipelineRun

_LOGGER = logging.getLogger("penstock")


def _submit_endpoint(
    endpoint: PipelineEndpoint,
    workspace: Any,
    experiment_name: str,
    pipeline_parameters: Optional[Dict[str, Any]] = None,
    pipeline_params: Optional[Dict[str, Any]] = None,
    parent_run_id: Optional[str] = None,
    _parent_run_id: Optional[str] = None,
    pipeline_version: Optional[str] = None,
    tags: Optional[Dict[str, str]] = None,
) -> PipelineRun:
    """Run a version of an endpoint for Experiment.submit; these are the keywords that it understands."""
    parameters = choose_parameters(pipeline_parameters, pipeline_params)
    return endpoint._submit(experiment_name, parameters, pipeline_version, parent_run_id=parent_run_id or _parent_run_id, tags=tags)


class PipelineIdVersion:
    """A version of an endpoint, with the id of its pipeline.

    Args:
        version: The number, as text.
        pipeline_id: The id of the published pipeline.
    """

    def __init__(self, version: str, pipeline_id: str) -> None:
        self._version = version
        self._pipeline_id = pipeline_id

    def __repr__(self) -> str:
        return f"PipelineIdVersion(version='{self._version}', pipeline_id='{self._pipeline_id}')"

    @property
    def version(self) -> str:
        """Return the number, as text."""
        return self._version

    @property
    def pipeline_id(self) -> str:
        """Return the id of the published pipeline."""
        return self._pipeline_id


class PipelineVersion:
    """A version of an endpoint, with its pipeline.

    Args:
        version: The number, as text.
        pipeline: The published pipeline.
    """

    def __init__(self, version: str, pipeline: PublishedPipeline) -> None:
        self._version = version
        self._pipeline = pipeline

    def __repr__(self) -> str:
        return f"PipelineVersion(version='{self._version}', pipeline={self._pipeline!r})"

    @property
    def version(self) -> str:
        """Return the number, as text."""
        return self._version

    @property
    def pipeline(self) -> PublishedPipeline:
        """Return the published pipeline."""
        return self._pipeline


class PipelineEndpoint:
    """One address with numbered versions of published pipelines: '0', '1', ..., and a default that runs when none is named.

    `PipelineEndpoint.publish` makes it, `PipelineEndpoint.get` finds it. A version never changes; which is the default does.

    Args:
        workspace: The workspace.
        id: Its id.
        name: Its name, which no other endpoint of the workspace has.
        description: A text for people.
        status: Active or Disabled.
        default_version: The number of the default version, as text.
        endpoint: The address that other programs post to; None asks the service when it is needed.
        pipeline_version_list: The versions.
        _pipeline_endpoint_provider: Accepted and ignored.
        _published_pipeline_provider: Accepted and ignored.
        _swaggerurl: Where the description of the address is; None asks the service when it is needed.
    """

    @experiment_method(submit_function=_submit_endpoint)
    def __init__(
        self,
        workspace: Any,
        id: str,
        name: str,
        description: Optional[str],
        status: str,
        default_version: str,
        endpoint: Optional[str],
        pipeline_version_list: Sequence[PipelineIdVersion],
        _pipeline_endpoint_provider: Any = None,
        _published_pipeline_provider: Any = None,
        _swaggerurl: Optional[str] = None,
    ) -> None:
        self._workspace = workspace
        self._id = id
        self._name = name
        self._description = description
        self._status = status
        self._default_version = default_version
        self._endpoint = endpoint
        self._versions = [*pipeline_version_list]
        self._swaggerurl = _swaggerurl

    @classmethod
    def _from_record(cls, workspace: Any, record: Dict[str, Any]) -> PipelineEndpoint:
        return cls(
            workspace=workspace,
            id=record["id"],
            name=record["name"],
            description=record["description"],
            status=record["status"],
            default_version=record["default_version"],
            endpoint=None,
            pipeline_version_list=[PipelineIdVersion(item["version"], item["pipeline_id"]) for item in record["versions"]],
        )

    def _take(self, record: Dict[str, Any]) -> None:
        """Hold what the service says after a change."""
        self._name, self._description, self._status = record["name"], record["description"], record["status"]
        self._default_version = record["default_version"]
        self._versions = [PipelineIdVersion(item["version"], item["pipeline_id"]) for item in record["versions"]]

    def __repr__(self) -> str:
        return f"PipelineEndpoint(Name: {self.name}, Id: {self.id}, Status: {self.status}, Default version: {self.default_version})"

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
        """Return the status: Active or Disabled."""
        return self._status

    @property
    def default_version(self) -> str:
        """Return the number of the version that runs when none is named, as text."""
        return self._default_version

    @property
    def endpoint(self) -> str:
        """Return the address that other programs post to. From now on the service stays until it is stopped.

        Raises:
            ErrorResponseException: No listener can be opened on this machine.
        """
        if self._endpoint is None:
            self._endpoint = self._address("endpoint")
        return self._endpoint

    @property
    def swaggerurl(self) -> str:
        """Return where the description of the address is.

        Raises:
            ErrorResponseException: No listener can be opened on this machine.
        """
        if self._swaggerurl is None:
            self._swaggerurl = self._address("swagger")
        return self._swaggerurl

    def _address(self, kind: str) -> str:
        with pipeline_errors():
            address: str = self._workspace._client.rest_address(self._workspace._id, kind, self.id)
        return address

    @property
    def pipeline_version_list(self) -> List[PipelineIdVersion]:
        """Return the versions with the ids of their pipelines, in the order of their numbers."""
        return self._versions

    # Making and looking up

    @staticmethod
    def publish(
        workspace: Workspace,
        name: str,
        description: str,
        pipeline: Any,
        _workflow_provider: Any = None,
        _service_endpoint: Optional[str] = None,
    ) -> PipelineEndpoint:
        """Make an endpoint whose first version, the default, is this pipeline.

        Args:
            workspace: The workspace.
            name: The name, which no other endpoint of the workspace may have.
            description: A text for people.
            pipeline: A published pipeline, or a Pipeline that is published first.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.

        Raises:
            ValueError: There is an endpoint of this name, or the pipeline is of another class.
        """
        client = workspace._client
        with pipeline_errors():
            if client.list_pipeline_endpoints(workspace._id, name=name):  # before the pipeline is published in vain
                raise ValueError(_taken(name))
        published = _publish(pipeline, name)
        with pipeline_errors():
            try:
                record = client.create_pipeline_endpoint(workspace._id, name, published.id, description)
            except AlreadyExists:  # somebody was quicker
                raise ValueError(_taken(name)) from None
        return PipelineEndpoint._from_record(workspace, record)

    @staticmethod
    def get(
        workspace: Workspace,
        id: Optional[str] = None,
        name: Optional[str] = None,
        _workflow_provider: Any = None,
        _service_endpoint: Optional[str] = None,
    ) -> PipelineEndpoint:
        """Return an endpoint.

        Args:
            workspace: The workspace.
            id: Its id; it wins over the name.
            name: Its name.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.

        Raises:
            ErrorResponseException: The workspace has none with this id or name.
            ValueError: Neither is given.
        """
        if not id and not name:
            raise ValueError("Which endpoint? Name its id or its name: PipelineEndpoint.get(workspace, name='...').")
        client = workspace._client
        with pipeline_errors():
            found = client.get_pipeline_endpoint(workspace._id, id) if id else client.get_pipeline_endpoint_by_name(workspace._id, name)
        return PipelineEndpoint._from_record(workspace, found)

    @staticmethod
    def list(
        workspace: Workspace,
        active_only: bool = True,
        max_results: int = 100,
        _workflow_provider: Any = None,
        _service_endpoint: Optional[str] = None,
    ) -> List[PipelineEndpoint]:
        """Return the endpoints of a workspace, newest first.

        Args:
            workspace: The workspace.
            active_only: Without those that are disabled.
            max_results: At most so many.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.
        """
        if max_results <= 0:
            return []
        with pipeline_errors():
            found = workspace._client.list_pipeline_endpoints(workspace._id, active_only=bool(active_only), limit=max_results)
        return [PipelineEndpoint._from_record(workspace, record) for record in found]

    @staticmethod
    def get_all(
        workspace: Workspace, active_only: bool = True, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None
    ) -> List[PipelineEndpoint]:
        """Return what `list` returns; this is its old name.

        Args:
            workspace: The workspace.
            active_only: Without those that are disabled.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.
        """
        _LOGGER.warning("PipelineEndpoint.get_all is deprecated; use PipelineEndpoint.list.")
        return PipelineEndpoint.list(workspace, active_only)

    # Versions

    def add(self, pipeline: Any) -> None:
        """Add a pipeline as the next version; the default stays.

        Args:
            pipeline: A published pipeline, or a Pipeline that is published first.

        Raises:
            ValueError: It is a version of this endpoint already, or of another class.
        """
        self._add(pipeline, default=False)

    def add_default(self, pipeline: Any) -> None:
        """Add a pipeline as the next version, and make it the default.

        Args:
            pipeline: A published pipeline, or a Pipeline that is published first.

        Raises:
            ValueError: It is a version of this endpoint already, or of another class.
        """
        self._add(pipeline, default=True)

    def _add(self, pipeline: Any, default: bool) -> None:
        published = _publish(pipeline, self.name)
        with pipeline_errors():
            try:
                self._take(self._workspace._client.add_pipeline_endpoint_version(self._workspace._id, self.id, published.id, default))
            except AlreadyExists as error:
                raise ValueError(error.message) from None

    def set_default_version(self, version: str) -> None:
        """Make a version the one that runs when none is named.

        Args:
            version: Its number, as text.

        Raises:
            ValueError: The endpoint has no such version.
        """
        self._set_default(version=str(version))

    def set_default(self, pipeline: PublishedPipeline) -> None:
        """Make the version of a published pipeline the one that runs when none is named.

        Args:
            pipeline: The published pipeline.

        Raises:
            ValueError: No version of the endpoint is this pipeline.
        """
        if not isinstance(pipeline, PublishedPipeline):
            raise ValueError(
                f"The default of an endpoint is a PublishedPipeline among its versions, not a {type(pipeline).__name__}. "
                "Use add_default(pipeline) for a new version."
            )
        self._set_default(pipeline_id=pipeline.id)

    def _set_default(self, **named: str) -> None:
        with pipeline_errors():
            try:
                self._take(self._workspace._client.set_default_pipeline_version(self._workspace._id, self.id, **named))
            except NotFound as error:
                raise ValueError(error.message) from None

    def get_default_version(self) -> str:
        """Return the number of the version that runs when none is named, as the service knows it now."""
        self._refresh()
        return self.default_version

    def _refresh(self) -> None:
        with pipeline_errors():
            self._take(self._workspace._client.get_pipeline_endpoint(self._workspace._id, self.id))

    def get_pipeline(self, version: Optional[str] = None) -> PublishedPipeline:
        """Return the published pipeline of a version.

        Args:
            version: Its number, as text; None means the default one.

        Raises:
            ValueError: The endpoint has no such version.
        """
        from azureml.core._nearest import nearest

        self._refresh()
        wanted = self.default_version if version is None else str(version)
        versions = {item.version: item.pipeline_id for item in self._versions}
        if wanted not in versions:
            raise ValueError(f"The pipeline endpoint '{self.name}' has no version '{wanted}'.{nearest(wanted, versions, 'versions')}")
        return PublishedPipeline.get(self._workspace, versions[wanted])

    def list_versions(self, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None) -> List[PipelineVersion]:
        """Return the versions with their pipelines, in the order of their numbers.

        Args:
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.
        """
        self._refresh()
        return [PipelineVersion(item.version, PublishedPipeline.get(self._workspace, item.pipeline_id)) for item in self._versions]

    def get_all_versions(self, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None) -> List[PipelineVersion]:
        """Return what `list_versions` returns; this is its old name.

        Args:
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.
        """
        _LOGGER.warning("PipelineEndpoint.get_all_versions is deprecated; use list_versions.")
        return self.list_versions()

    def list_pipelines(
        self, active_only: bool = True, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None
    ) -> List[PublishedPipeline]:
        """Return the published pipelines that are versions of this endpoint, in the order of their numbers.

        Args:
            active_only: Without those that are disabled or deprecated.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.
        """
        return [item.pipeline for item in self.list_versions() if item.pipeline.status == ACTIVE or not active_only]

    def get_all_pipelines(
        self, active_only: bool = True, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None
    ) -> List[PublishedPipeline]:
        """Return what `list_pipelines` returns; this is its old name.

        Args:
            active_only: Without those that are disabled or deprecated.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.
        """
        _LOGGER.warning("PipelineEndpoint.get_all_pipelines is deprecated; use list_pipelines.")
        return self.list_pipelines(active_only)

    # Changing

    def set_name(self, name: str) -> None:
        """Rename the endpoint.

        Args:
            name: The new name, which no other endpoint of the workspace may have.

        Raises:
            ErrorResponseException: Another endpoint has it, or it can't be a name.
        """
        self._update(name=name)

    def enable(self) -> None:
        """Let the endpoint be called again."""
        self._update(status=ACTIVE)

    def disable(self) -> None:
        """Let the endpoint be called no more, until it is enabled."""
        self._update(status=DISABLED)

    def archive(self) -> None:
        """Disable the endpoint and give its name free; `reactivate` brings it back."""
        self._update(status=DISABLED, name=str(uuid.uuid4()))

    def reactivate(self, name: str) -> PipelineEndpoint:
        """Enable an archived endpoint under a name, and return it.

        Args:
            name: The name, which no other endpoint of the workspace may have.

        Raises:
            ErrorResponseException: Another endpoint has it, or it can't be a name.
        """
        self._update(status=ACTIVE, name=name)
        return PipelineEndpoint.get(self._workspace, id=self.id)

    def _update(self, **changes: str) -> None:
        with pipeline_errors():
            self._take(self._workspace._client.update_pipeline_endpoint(self._workspace._id, self.id, **changes))

    # Running

    def submit(
        self,
        experiment_name: str,
        pipeline_parameters: Optional[Dict[str, Any]] = None,
        parent_run_id: Optional[str] = None,
        pipeline_version: Optional[str] = None,
    ) -> PipelineRun:
        """Run a version of the endpoint, and return the run.

        Args:
            experiment_name: The experiment that the run belongs to.
            pipeline_parameters: Values of pipeline parameters, by name; the others have their defaults.
            parent_run_id: The run that the new one belongs to.
            pipeline_version: The number of the version, as text; None means the default one.

        Raises:
            ValueError: The endpoint is not active or has no such version, or a value is of a class that no parameter takes.
            ErrorResponseException: A parameter's name or value is wrong, or the version's pipeline is disabled.
        """
        return self._submit(experiment_name, pipeline_parameters, pipeline_version, parent_run_id=parent_run_id)

    def _submit(self, experiment_name: str, parameters: Any, version: Optional[str], **more: Any) -> PipelineRun:
        from azureml.pipeline.core._submission import run_of

        if self.status != ACTIVE:
            raise ValueError(f"The pipeline endpoint '{self.name}' is {self.status} and can't be run. Enable it first: endpoint.enable().")
        wanted = wanted_run(self._workspace, experiment_name, parameters, **more)
        asked = None if version is None else str(version)
        with pipeline_errors():
            try:
                record = self._workspace._client.submit_pipeline_endpoint(self._workspace._id, self.id, wanted, asked)
            except NotFound as error:
                if error.details.get("kind") != "version":
                    raise
                raise ValueError(error.message) from None
        return run_of(self._workspace, record)


def _taken(name: str) -> str:
    return (
        f"There is a pipeline endpoint '{name}' already. Add a version to it, "
        f"PipelineEndpoint.get(workspace, name='{name}').add_default(pipeline), or choose another name."
    )


def _publish(pipeline: Any, name: str) -> PublishedPipeline:
    """Return the published pipeline that a version is made of; a Pipeline is published first, under a name of its own."""
    from azureml.pipeline.core.pipeline import Pipeline

    if isinstance(pipeline, PublishedPipeline):
        return pipeline
    if isinstance(pipeline, Pipeline):
        return publish_graph(pipeline.graph, f"{name}-{datetime.now():%m-%d-%Y-%H-%M}-Pipeline", None, None, None)
    raise ValueError(
        f"A version of an endpoint is a Pipeline or a PublishedPipeline, not a {type(pipeline).__name__}. "
        "Publish a run first: run.publish_pipeline(name, description, version)."
    )

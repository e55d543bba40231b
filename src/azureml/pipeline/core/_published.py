"""Published pipelines, as v1's users meet them: under an id, to be run again and again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from azureml.core._errors import v1_errors
from azureml.core._experiment_method import experiment_method
from azureml.core._portal import HasPipelinePortal
from azureml.pipeline.core._service_errors import pipeline_errors
from penstock.model.entity_status import ACTIVE, DISABLED

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.pipeline.core._graph import Graph
    from azureml.pipeline.core.run import PipelineRun

_LOGGER = logging.getLogger("penstock")


def _submit_published(
    published: PublishedPipeline,
    workspace: Any,
    experiment_name: str,
    pipeline_parameters: Optional[Dict[str, Any]] = None,
    pipeline_params: Optional[Dict[str, Any]] = None,
    parent_run_id: Optional[str] = None,
    _parent_run_id: Optional[str] = None,
    continue_on_step_failure: Optional[bool] = None,
    tags: Optional[Dict[str, str]] = None,
) -> PipelineRun:
    """Run a published pipeline for Experiment.submit; these are the keywords that it understands."""
    return published._submit(
        workspace,
        experiment_name,
        choose_parameters(pipeline_parameters, pipeline_params),
        parent_run_id=parent_run_id or _parent_run_id,
        continue_on_step_failure=continue_on_step_failure,
        tags=tags,
    )


def choose_parameters(pipeline_parameters: Any, pipeline_params: Any) -> Any:
    """Return the parameters of a submission, under their new keyword or the deprecated one."""
    if pipeline_params is None:
        return pipeline_parameters
    _LOGGER.warning("The keyword pipeline_params is deprecated; use pipeline_parameters.")
    return pipeline_params if pipeline_parameters is None else pipeline_parameters


class PublishedPipeline(HasPipelinePortal):
    """A pipeline under an id, which others run. What it runs never changes.

    `Pipeline.publish` and `PipelineRun.publish_pipeline` make it, `PublishedPipeline.get` finds it.

    Args:
        name: The name; several may have it.
        graph_id: The id of its graph.
        description: A text for people.
        version: The publisher's own word.
        published_pipeline_id: Its id.
        status: Active, Deprecated or Disabled.
        endpoint: The address that other programs post to; None asks the service when it is needed.
        total_run_steps: How many steps a run of it has.
        workspace: The workspace.
        continue_on_step_failure: Whether steps that do not depend on a failed one still run.
        _pipeline_provider: Accepted and ignored.
        **kwargs: Accepted and ignored, as in v1.

    Attributes:
        workspace: The workspace.
    """

    workspace: Any

    @experiment_method(submit_function=_submit_published)
    def __init__(
        self,
        name: str,
        graph_id: str,
        description: Optional[str],
        version: Optional[str],
        published_pipeline_id: str,
        status: str,
        endpoint: Optional[str],
        total_run_steps: int,
        workspace: Any,
        continue_on_step_failure: Optional[bool] = None,
        _pipeline_provider: Any = None,
        **kwargs: Any,
    ) -> None:
        self.workspace = workspace
        self._name = name
        self._graph_id = graph_id
        self._description = description
        self._version = version
        self._id = published_pipeline_id
        self._status = status
        self._endpoint = endpoint
        self._total_run_steps = total_run_steps
        self._continue_on_step_failure = continue_on_step_failure

    @classmethod
    def _from_record(cls, workspace: Any, record: Dict[str, Any]) -> PublishedPipeline:
        return cls(
            name=record["name"],
            graph_id=record["graph_id"],
            description=record["description"],
            version=record["version"],
            published_pipeline_id=record["id"],
            status=record["status"],
            endpoint=None,
            total_run_steps=record["step_count"],
            workspace=workspace,
            continue_on_step_failure=record["continue_on_step_failure"],
        )

    def __str__(self) -> str:
        return "Pipeline(" + ",\n".join(f"{name}: {value}" for name, value in self._facts().items()) + ")"

    def __repr__(self) -> str:
        return f"PublishedPipeline(Name: {self.name}, Id: {self.id}, Status: {self.status})"

    def _repr_html_(self) -> str:
        from azureml.core._html import table

        return table(self._facts(), {"Report Page": self.get_portal_url()})

    def _facts(self) -> Dict[str, str]:
        """Return what a notebook shows. Showing must not fail where nothing can listen: the reason stands in the address's place."""
        from azureml.exceptions import ServiceException

        try:
            endpoint = self.endpoint
        except ServiceException as error:
            endpoint = error.message
        return {"Name": self.name, "Id": self.id, "Status": self.status, "Endpoint": endpoint}

    # What it is

    @property
    def name(self) -> str:
        """Return the name."""
        return self._name

    @property
    def description(self) -> Optional[str]:
        """Return the description."""
        return self._description

    @property
    def version(self) -> Optional[str]:
        """Return the version, the publisher's own word."""
        return self._version

    @property
    def id(self) -> str:
        """Return the id."""
        return self._id

    @property
    def graph_id(self) -> str:
        """Return the id of the graph; equal graphs have one."""
        return self._graph_id

    @property
    def status(self) -> str:
        """Return the status: Active, Deprecated or Disabled."""
        return self._status

    @property
    def endpoint(self) -> str:
        """Return the address that other programs post to. From now on the service stays until it is stopped.

        Raises:
            ErrorResponseException: No listener can be opened on this machine.
        """
        if self._endpoint is None:
            with pipeline_errors():
                self._endpoint = self.workspace._client.rest_address(self.workspace._id, "pipeline", self.id)
        return self._endpoint

    @property
    def total_run_steps(self) -> int:
        """Return how many steps a run of it has."""
        return self._total_run_steps

    @property
    def continue_on_step_failure(self) -> Optional[bool]:
        """Return whether steps that do not depend on a failed one still run."""
        return self._continue_on_step_failure

    # Looking up

    @staticmethod
    def get(workspace: Workspace, id: str, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None) -> PublishedPipeline:
        """Return a published pipeline.

        Args:
            workspace: The workspace.
            id: Its id.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.

        Raises:
            ErrorResponseException: The workspace has none with this id.
        """
        with pipeline_errors():
            return PublishedPipeline._from_record(workspace, workspace._client.get_pipeline(workspace._id, id))

    @staticmethod
    def list(workspace: Workspace, active_only: bool = True, _service_endpoint: Optional[str] = None) -> List[PublishedPipeline]:
        """Return the published pipelines of a workspace, newest first.

        Args:
            workspace: The workspace.
            active_only: Without those that are disabled or deprecated.
            _service_endpoint: Accepted and ignored.
        """
        with pipeline_errors():
            found = workspace._client.list_pipelines(workspace._id, active_only=bool(active_only))
        return [PublishedPipeline._from_record(workspace, record) for record in found]

    @staticmethod
    def get_all(workspace: Workspace, active_only: bool = True, _service_endpoint: Optional[str] = None) -> List[PublishedPipeline]:
        """Return what `list` returns; this is its old name.

        Args:
            workspace: The workspace.
            active_only: Without those that are disabled or deprecated.
            _service_endpoint: Accepted and ignored.
        """
        _LOGGER.warning("PublishedPipeline.get_all is deprecated; use PublishedPipeline.list.")
        return PublishedPipeline.list(workspace, active_only)

    def get_graph(self, _workflow_provider: Any = None) -> Graph:
        """Return the graph, read from the service.

        Args:
            _workflow_provider: Accepted and ignored.
        """
        from azureml.pipeline.core._document import from_document
        from azureml.pipeline.core._graph_context import _GraphContext

        with pipeline_errors():
            document = self.workspace._client.get_pipeline_graph(self.workspace._id, self.id)
        return from_document(document, _GraphContext(None, self.workspace))

    def get_step_names(self, _workflow_provider: Any = None) -> List[str]:
        """Return the names of the steps.

        Args:
            _workflow_provider: Accepted and ignored.
        """
        return [node.name for node in self.get_graph().module_nodes]

    # Using it

    def submit(
        self,
        workspace: Workspace,
        experiment_name: str,
        pipeline_parameters: Optional[Dict[str, Any]] = None,
        _workflow_provider: Any = None,
        _service_endpoint: Optional[str] = None,
        parent_run_id: Optional[str] = None,
        continue_on_step_failure: Optional[bool] = None,
    ) -> PipelineRun:
        """Run the pipeline, and return the run.

        Args:
            workspace: The workspace; it wins over the object's own.
            experiment_name: The experiment that the run belongs to.
            pipeline_parameters: Values of pipeline parameters, by name; the others have their defaults.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.
            parent_run_id: The run that the new one belongs to.
            continue_on_step_failure: Whether steps that do not depend on a failed one still run; None means as it was published.

        Raises:
            ErrorResponseException: The pipeline is disabled, or a parameter's name or value is wrong.
            ValueError: The name can't be that of an experiment, or a value is of a class that no parameter takes.
        """
        return self._submit(
            workspace,
            experiment_name,
            pipeline_parameters,
            parent_run_id=parent_run_id,
            continue_on_step_failure=continue_on_step_failure,
        )

    def _submit(self, workspace: Any, experiment_name: str, parameters: Any, **more: Any) -> PipelineRun:
        from azureml.pipeline.core._submission import announce

        wanted = wanted_run(workspace, experiment_name, parameters, **more)
        with pipeline_errors():
            record = workspace._client.submit_published(workspace._id, self.id, wanted)
        return announce(workspace, record)

    def enable(self) -> None:
        """Let the pipeline be run again."""
        self._set_status(ACTIVE)

    def disable(self) -> None:
        """Let the pipeline be run no more, until it is enabled; its runs stay."""
        self._set_status(DISABLED)

    def _set_status(self, status: str) -> None:
        with pipeline_errors():
            self._status = self.workspace._client.set_pipeline_status(self.workspace._id, self.id, status)["status"]

    def save(self, path: Optional[str] = None, _workflow_provider: Any = None) -> None:
        """Write the pipeline to a YAML file. `Pipeline.load_yaml` reads it.

        Args:
            path: The file; or a folder, which gets a file named after the pipeline; None means the current folder.
            _workflow_provider: Accepted and ignored.

        Raises:
            ValueError: There is no such folder.
        """
        from azureml.pipeline.core._yaml_writing import save_graph

        save_graph(self.get_graph(), path, self.name)


def wanted_run(workspace: Any, experiment_name: str, parameters: Any, **more: Any) -> Dict[str, Any]:
    """Return what is asked of one run of something published, as the client takes it.

    Raises:
        ValueError: The name can't be that of an experiment, or a value is of a class that no parameter takes.
        TypeError: The parameters or tags are no dictionary.
    """
    from azureml.core._names import check_experiment_name
    from azureml.pipeline.core._submission import check_mapping, plain_values

    check_experiment_name(experiment_name)
    tags = {str(key): str(value) for key, value in check_mapping("tags", more.pop("tags", None)).items()}
    values = plain_values(check_mapping("pipeline_parameters", parameters), workspace)
    return {"experiment_name": experiment_name, "parameters": values, "tags": tags, "run_source": "SDK", "run_type": "SDK", **more}


def publish_graph(
    graph: Graph, name: Optional[str], description: Optional[str], version: Any, continue_on_step_failure: Optional[bool]
) -> PublishedPipeline:
    """Publish a graph, say so on the console as v1 did when it was finalized, and return what became of it.

    Raises:
        ValueError: The graph is wrong; every problem is listed.
        SnapshotException: A source folder is too large, or holds what can't travel.
    """
    from azureml.pipeline.core._submission import send_graph, tell_definitions

    workspace = graph._context.workspace
    wanted = {**send_graph(graph), **_about(name, description, version, continue_on_step_failure)}
    with v1_errors():
        record = workspace._client.publish_pipeline(workspace._id, wanted)
    tell_definitions(graph, record["definitions"])
    return PublishedPipeline._from_record(workspace, record)


def publish_run(
    workspace: Any, run_id: str, name: str, description: str, version: Any, continue_on_step_failure: Optional[bool]
) -> PublishedPipeline:
    """Publish the graph of a run, with the defaults of its parameters, and return what became of it."""
    wanted = {"run_id": run_id, **_about(name, description, version, continue_on_step_failure)}
    with v1_errors():
        return PublishedPipeline._from_record(workspace, workspace._client.publish_pipeline(workspace._id, wanted))


def _about(name: Any, description: Any, version: Any, continue_on_step_failure: Optional[bool]) -> Dict[str, Any]:
    """Return what is said of a pipeline; numbers as versions are common, and become texts."""
    said = {"name": name, "description": description, "version": version}
    about: Dict[str, Any] = {key: None if value is None else str(value) for key, value in said.items()}
    about["continue_on_step_failure"] = None if continue_on_step_failure is None else bool(continue_on_step_failure)
    return about

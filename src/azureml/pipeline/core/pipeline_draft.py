"""Drafts: pipelines that are kept to be changed, run and published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from azureml.core._errors import v1_errors
from azureml.core._experiment_method import experiment_method
from azureml.pipeline.core._service_errors import pipeline_errors

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.pipeline.core._graph import Graph
    from azureml.pipeline.core.graph import PublishedPipeline
    from azureml.pipeline.core.run import PipelineRun


def _submit_draft(
    draft: PipelineDraft,
    workspace: Any,
    experiment_name: str,
    _parent_run_id: Optional[str] = None,
    tags: Optional[Dict[str, str]] = None,
) -> PipelineRun:
    """Run a draft for Experiment.submit, in the experiment whose method was called, and for Run.submit_child."""
    return draft._submit(experiment_name=experiment_name, parent_run_id=_parent_run_id, tags=_texts("tags", tags))


class _Wish(NamedTuple):
    """What a user says of a draft beside its pipeline; None leaves it open."""

    name: Optional[str]
    description: Optional[str]
    experiment_name: Optional[str]
    continue_on_step_failure: Optional[bool]
    tags: Optional[Mapping[str, Any]]

    def document(self) -> Dict[str, Any]:
        """Return it as the service takes it."""
        from azureml.core._names import check_experiment_name

        if self.experiment_name is not None:
            check_experiment_name(self.experiment_name)
        go_on = self.continue_on_step_failure
        return {
            "name": self.name,
            "description": self.description,
            "experiment_name": self.experiment_name,
            "continue_on_step_failure": None if go_on is None else bool(go_on),
            "tags": _texts("tags", self.tags),
        }


class PipelineDraft:
    """A pipeline that is kept to be changed, run and published. `PipelineDraft.create` makes one, `PipelineDraft.get` finds it.

    Args:
        workspace: The workspace.
        id: Its id.
        name: Its name; several may have it.
        description: A text for people.
        experiment_name: The experiment that its runs belong to.
        tags: Its tags; its runs get them.
        properties: Its properties, which never change; its runs get them.
        graph_draft_id: The id of its graph.
        parent_pipeline_id: The published pipeline that it was cloned from.
        parent_pipeline_run_id: The run that it was cloned from.
        parent_step_run_ids: The runs of that run's steps.
        parent_pipeline_draft_id: The draft that it was cloned from.
        last_submitted_pipeline_run_id: Its last run.
        _pipeline_draft_provider: Accepted and ignored.
    """

    @experiment_method(submit_function=_submit_draft)
    def __init__(
        self,
        workspace: Workspace,
        id: str,
        name: Optional[str] = None,
        description: Optional[str] = None,
        experiment_name: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        properties: Optional[Dict[str, str]] = None,
        graph_draft_id: Optional[str] = None,
        parent_pipeline_id: Optional[str] = None,
        parent_pipeline_run_id: Optional[str] = None,
        parent_step_run_ids: Optional[Sequence[str]] = None,
        parent_pipeline_draft_id: Optional[str] = None,
        last_submitted_pipeline_run_id: Optional[str] = None,
        _pipeline_draft_provider: Any = None,
    ) -> None:
        self._workspace = workspace
        self._id = id
        self._name = name
        self._description = description
        self._experiment_name = experiment_name
        self._tags = dict(tags or {})
        self._properties = dict(properties or {})
        self._graph_id = graph_draft_id
        self._parent_pipeline_id = parent_pipeline_id
        self._parent_pipeline_run_id = parent_pipeline_run_id
        self._parent_step_run_ids = list(parent_step_run_ids or [])
        self._parent_draft_id = parent_pipeline_draft_id
        self._last_run_id = last_submitted_pipeline_run_id

    @classmethod
    def _from_record(cls, workspace: Any, record: Dict[str, Any]) -> PipelineDraft:
        draft = cls(workspace, record["id"])
        draft._adopt(record)
        return draft

    def _adopt(self, record: Dict[str, Any]) -> None:
        """Take over what the service says of the draft now."""
        self._name, self._description, self._experiment_name = record["name"], record["description"], record["experiment_name"]
        self._tags, self._properties, self._graph_id = record["tags"], record["properties"], record["graph_id"]
        self._parent_pipeline_id, self._parent_pipeline_run_id = record["parent_pipeline_id"], record["parent_pipeline_run_id"]
        self._parent_step_run_ids, self._parent_draft_id = record["parent_step_run_ids"], record["parent_draft_id"]
        self._last_run_id = record["last_run_id"]

    def __str__(self) -> str:
        facts = {
            "Name": self.name,
            "Id": self.id,
            "Tags": self.tags,
            "Properties": self.properties,
            "Last Submitted Pipeline Run Id": self.last_submitted_pipeline_run_id,
        }
        return "Pipeline({})".format(",\n".join(f"{label}: {value}" for label, value in facts.items()))

    def __repr__(self) -> str:
        return self.__str__()

    # What it is

    @property
    def id(self) -> str:
        """Return the id."""
        return self._id

    @property
    def name(self) -> Optional[str]:
        """Return the name."""
        return self._name

    @property
    def description(self) -> Optional[str]:
        """Return the description."""
        return self._description

    @property
    def tags(self) -> Dict[str, str]:
        """Return the tags."""
        return self._tags

    @property
    def properties(self) -> Dict[str, str]:
        """Return the properties."""
        return self._properties

    @property
    def parent_pipeline_id(self) -> Optional[str]:
        """Return the id of the published pipeline that it was cloned from, or None."""
        return self._parent_pipeline_id

    @property
    def parent_pipeline_run_id(self) -> Optional[str]:
        """Return the id of the run that it was cloned from, or None."""
        return self._parent_pipeline_run_id

    @property
    def parent_step_run_ids(self) -> List[str]:
        """Return the ids of the steps' runs of the run that it was cloned from."""
        return self._parent_step_run_ids

    @property
    def parent_pipeline_draft_id(self) -> Optional[str]:
        """Return the id of the draft that it was cloned from, or None."""
        return self._parent_draft_id

    @property
    def last_submitted_pipeline_run_id(self) -> Optional[str]:
        """Return the id of its last run, or None."""
        return self._last_run_id

    # Making and finding

    @staticmethod
    def create(
        workspace: Workspace,
        pipeline: Any,
        name: Optional[str] = None,
        description: Optional[str] = None,
        experiment_name: Optional[str] = None,
        pipeline_parameters: Optional[Mapping[str, Any]] = None,
        continue_on_step_failure: Optional[bool] = None,
        tags: Optional[Mapping[str, str]] = None,
        properties: Optional[Mapping[str, str]] = None,
        _workflow_provider: Any = None,
        _service_endpoint: Optional[str] = None,
    ) -> PipelineDraft:
        """Make a draft of a pipeline, or clone one from a draft, a run or a published pipeline.

        Args:
            workspace: The workspace.
            pipeline: A Pipeline, PipelineDraft, PipelineRun or PublishedPipeline.
            name: The draft's name; a Pipeline needs one, a clone has the original's where None is given.
            description: A text for people; of a clone, None means the original's.
            experiment_name: The experiment of its runs; a Pipeline needs one, a clone has the original's where None is given.
            pipeline_parameters: The values that its runs get, by name; of a clone, None means the original's.
            continue_on_step_failure: Whether steps that do not depend on a failed one still run; of a clone, None means as the original.
            tags: Tags; of a clone, None means the original's.
            properties: Properties; of a clone, None means the original's.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.

        Raises:
            ValueError: `pipeline` is none of these, a Pipeline comes without name or experiment_name, or it is wrong.
            PipelineParameterError: The pipeline has no such parameter, or the value does not fit.
        """
        from azureml.pipeline.core._submission import tell_definitions
        from azureml.pipeline.core.pipeline import Pipeline

        wish = _Wish(name, description, experiment_name, continue_on_step_failure, tags).document()
        wish["properties"] = _texts("properties", properties)
        if type(pipeline) is Pipeline:
            wish.update(_describe_new(pipeline, name, experiment_name, pipeline_parameters, wish["properties"]))
        else:
            wish.update(_describe_clone(pipeline, workspace, pipeline_parameters))
        with v1_errors():
            record = workspace._client.create_draft(workspace._id, wish)
        if "graph" in wish:
            tell_definitions(pipeline.graph, record["definitions"])
        return PipelineDraft._from_record(workspace, record)

    @staticmethod
    def get(workspace: Workspace, id: str, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None) -> PipelineDraft:
        """Return a draft.

        Args:
            workspace: The workspace.
            id: Its id.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.

        Raises:
            ErrorResponseException: The workspace has none with this id.
        """
        with pipeline_errors():
            return PipelineDraft._from_record(workspace, workspace._client.get_draft(workspace._id, id))

    @staticmethod
    def list(workspace: Workspace, tags: Any = None, _workflow_provider: Any = None) -> List[PipelineDraft]:
        """Return the drafts of a workspace, newest first.

        Args:
            workspace: The workspace.
            tags: A tag's name, or pairs that must all match; a value that is None means any.
            _workflow_provider: Accepted and ignored.
        """
        with pipeline_errors():
            found = workspace._client.list_drafts(workspace._id, tags=tags)
        return [PipelineDraft._from_record(workspace, record) for record in found]

    def get_graph(self, _workflow_provider: Any = None) -> Graph:
        """Return the graph, read from the service. The values that the draft sets are its parameters' defaults.

        Args:
            _workflow_provider: Accepted and ignored.
        """
        from azureml.pipeline.core._document import from_document
        from azureml.pipeline.core._graph_context import _GraphContext

        client, place = self._workspace._client, (self._workspace._id, self.id)
        with pipeline_errors():
            document, values = client.get_draft_graph(*place), client.get_draft(*place)["parameters"]
        return from_document(document, _GraphContext(self._experiment_name, self._workspace), values)

    # Changing

    def update(
        self,
        pipeline: Any = None,
        name: Optional[str] = None,
        description: Optional[str] = None,
        experiment_name: Optional[str] = None,
        tags: Optional[Mapping[str, str]] = None,
        pipeline_parameters: Optional[Mapping[str, Any]] = None,
        continue_on_step_failure: Optional[bool] = None,
        _workflow_provider: Any = None,
    ) -> None:
        """Change the draft. What is None stays; tags and parameters are replaced by what is given.

        Args:
            pipeline: A Pipeline that takes the place of the draft's.
            name: Another name.
            description: Another description.
            experiment_name: Another experiment for its runs.
            tags: Other tags.
            pipeline_parameters: Other values for its runs.
            continue_on_step_failure: Whether steps that do not depend on a failed one still run.
            _workflow_provider: Accepted and ignored.

        Raises:
            ValueError: `pipeline` is no Pipeline, or it is wrong.
            PipelineParameterError: The pipeline has no such parameter, or the value does not fit.
            UserErrorException: The draft's own values do not fit the new pipeline.
        """
        from azureml.pipeline.core._submission import tell_definitions

        changes = _Wish(name, description, experiment_name, continue_on_step_failure, tags).document()
        if pipeline is not None:
            changes.update({key: value for key, value in _send(pipeline).items() if key != "properties"})  # those never change
        if pipeline_parameters is not None:
            graph = self.get_graph() if pipeline is None else pipeline.graph
            changes["parameters"] = _values(graph, pipeline_parameters, self._workspace)
        with v1_errors():
            record = self._workspace._client.update_draft(self._workspace._id, self.id, changes)
        if pipeline is not None:
            tell_definitions(pipeline.graph, record["definitions"])
        self._adopt(record)

    def delete(self, _workflow_provider: Any = None) -> None:
        """Forget the draft. Its runs, and what was published from it, stay.

        Args:
            _workflow_provider: Accepted and ignored.

        Raises:
            ErrorResponseException: It is gone already.
        """
        with pipeline_errors():
            self._workspace._client.delete_draft(self._workspace._id, self.id)

    # What becomes of it

    def submit_run(self, _workflow_provider: Any = None) -> PipelineRun:
        """Run the draft in its experiment, and return the run. `Experiment.submit(draft)` runs it in that experiment.

        Args:
            _workflow_provider: Accepted and ignored.

        Raises:
            UserErrorException: The pipeline can't run; every problem is listed.
        """
        return self._submit()

    def _submit(self, **wanted: Any) -> PipelineRun:
        from azureml.pipeline.core._submission import announce

        with v1_errors():
            answer = self._workspace._client.submit_draft(self._workspace._id, self.id, wanted)
        self._last_run_id = answer["run"]["id"]
        return announce(self._workspace, answer["run"])

    def publish(self, _workflow_provider: Any = None) -> PublishedPipeline:
        """Publish the draft. What is published does what the draft would do: the values that the draft sets are its defaults.

        Args:
            _workflow_provider: Accepted and ignored.

        Raises:
            UserErrorException: The pipeline can't run; every problem is listed.
        """
        from azureml.pipeline.core.graph import PublishedPipeline

        with v1_errors():
            record = self._workspace._client.publish_draft(self._workspace._id, self.id)
        published: PublishedPipeline = PublishedPipeline._from_record(self._workspace, record)
        return published

    def save(self, path: Optional[str] = None, _workflow_provider: Any = None) -> None:
        """Write the draft as YAML, which Pipeline.load_yaml reads.

        Args:
            path: The file; in a folder, and for None in the current one, it is named after the draft.
            _workflow_provider: Accepted and ignored.
        """
        from azureml.pipeline.core._yaml_writing import save_graph

        save_graph(self.get_graph(), path, f"{self.name}.yml")


def _describe_new(
    pipeline: Any, name: Optional[str], experiment_name: Optional[str], parameters: Optional[Mapping[str, Any]], properties: Any
) -> Dict[str, Any]:
    """What a draft gets of a pipeline: its graph, the values of its parameters, and where its source folder stands in git."""
    for keyword, value in (("name", name), ("experiment_name", experiment_name)):
        if not value:
            raise ValueError(f"A draft of a Pipeline needs {keyword}: PipelineDraft.create(workspace, pipeline, {keyword}='...').")
    values = _values(pipeline.graph, parameters, pipeline.graph._context.workspace)
    sent = _send(pipeline)
    return {**sent, "parameters": values, "properties": {**sent.pop("properties"), **(properties or {})}}


def _send(pipeline: Any) -> Dict[str, Any]:
    """Give the service a pipeline's source folders, and return what a request says of it."""
    from azureml.pipeline.core._submission import send_graph
    from azureml.pipeline.core.pipeline import Pipeline

    if type(pipeline) is not Pipeline:
        raise ValueError(f"A draft's pipeline is replaced by a Pipeline, not by {pipeline!r}, a {type(pipeline).__name__}.")
    return send_graph(pipeline.graph)


def _describe_clone(original: Any, workspace: Any, parameters: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    """What a draft gets of something that has a graph on the service already."""
    from azureml.pipeline.core.graph import PublishedPipeline
    from azureml.pipeline.core.run import PipelineRun

    kinds = ((PipelineDraft, "draft_id"), (PublishedPipeline, "pipeline_id"), (PipelineRun, "run_id"))
    member = next((member for kind, member in kinds if isinstance(original, kind)), None)
    if member is None:
        raise ValueError(
            f"A draft is made of a Pipeline, PipelineDraft, PipelineRun or PublishedPipeline, not of {original!r}, "
            f"a {type(original).__name__}."
        )
    return {member: original.id, "parameters": None if parameters is None else _values(original.get_graph(), parameters, workspace)}


def _values(graph: Graph, given: Optional[Mapping[str, Any]], workspace: Any) -> Dict[str, Any]:
    from azureml.pipeline.core._submission import check_mapping, check_values

    return check_values(graph.params, check_mapping("pipeline_parameters", given), workspace)


def _texts(keyword: str, given: Optional[Mapping[str, Any]]) -> Optional[Dict[str, str]]:
    from azureml.pipeline.core._submission import check_mapping

    return None if given is None else {str(key): str(value) for key, value in check_mapping(keyword, given).items()}

"""The pipeline: steps, put together and submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional

from azureml.core._experiment_method import experiment_method
from azureml.pipeline.core._graph import Graph
from azureml.pipeline.core._graph_builder import GraphBuilder
from azureml.pipeline.core._graph_context import _GraphContext

if TYPE_CHECKING:
    from azureml.pipeline.core._published import PublishedPipeline
    from azureml.pipeline.core.run import PipelineRun


def _submit_pipeline(
    pipeline: Pipeline,
    workspace: Any,
    experiment_name: str,
    pipeline_parameters: Optional[Dict[str, Any]] = None,
    pipeline_params: Optional[Dict[str, Any]] = None,
    continue_on_step_failure: bool = False,
    regenerate_outputs: bool = False,
    parent_run_id: Optional[str] = None,
    _parent_run_id: Optional[str] = None,
    credential_passthrough: Optional[bool] = None,
    enable_email_notification: Optional[bool] = None,
    tags: Optional[Dict[str, str]] = None,
) -> PipelineRun:
    """Submit a pipeline for Experiment.submit; these are the keywords that it understands."""
    from azureml.pipeline.core._published import choose_parameters

    return pipeline._submit(
        experiment_name,
        parameters=choose_parameters(pipeline_parameters, pipeline_params),
        continue_on_step_failure=continue_on_step_failure,
        regenerate_outputs=regenerate_outputs,
        parent_run_id=parent_run_id or _parent_run_id,
        tags=tags,
    )


class Pipeline:
    """Steps that run in the order of their data.

    Args:
        workspace: The workspace.
        steps: Steps, PipelineData (its producer is meant), lists of these, StepSequence.
        description: A text for people; the first experiment's name takes its place where there is none.
        default_datastore: The datastore of outputs that name none; None means the workspace's default.
        default_source_directory: The source folder of steps that name none; None means the current one.
        resolve_closure: Whether steps that others need are added without being listed.
        _workflow_provider: Accepted and ignored.
        _service_endpoint: Accepted and ignored.
        **kwargs: `enable_email_notification` is accepted.

    Raises:
        ValueError: A step is wrong or missing, or a keyword is unknown.
        NotImplementedError: Something in `steps` is neither a step nor a list.
    """

    @experiment_method(submit_function=_submit_pipeline)
    def __init__(
        self,
        workspace: Any,
        steps: Any,
        description: Optional[str] = None,
        default_datastore: Any = None,
        default_source_directory: Optional[str] = None,
        resolve_closure: bool = True,
        _workflow_provider: Any = None,
        _service_endpoint: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        check_keywords("Pipeline", kwargs)
        if workspace is None:
            raise ValueError("A Pipeline needs a workspace, for instance Workspace.from_config().")
        self._workspace = workspace
        self._name = description
        self._enable_email_notification = kwargs.get("enable_email_notification")
        self._context = _GraphContext(None, workspace, default_source_directory, _workflow_provider, _service_endpoint)
        datastore = default_datastore if default_datastore is not None else self._context.default_datastore()
        self._graph = GraphBuilder(description, self._context, datastore, resolve_closure).build(steps)

    def __repr__(self) -> str:
        return f"Pipeline(Name: {self._name},\nWorkspace: {self._workspace.name})"

    def _set_experiment_name(self, name: str) -> None:
        self._context.experiment_name = name
        if self._name is None:
            self._name = self._graph._name = name

    @property
    def graph(self) -> Graph:
        """Return the graph."""
        return self._graph

    def service_endpoint(self) -> str:
        """Return the address of the service; Penstock's is found through the home folder, so this only names it."""
        return str(self._context.service_endpoint or getattr(self._workspace, "portal_url", "penstock://local"))

    def validate(self) -> List[str]:
        """Return all that is wrong with the pipeline, one sentence each; [] when nothing is."""
        return self._graph.validate()

    def submit(
        self,
        experiment_name: str,
        pipeline_parameters: Optional[Dict[str, Any]] = None,
        continue_on_step_failure: bool = False,
        regenerate_outputs: bool = False,
        parent_run_id: Optional[str] = None,
        credential_passthrough: Optional[bool] = None,
        **kwargs: Any,
    ) -> PipelineRun:
        """Submit the pipeline, and return the run.

        The source folders are read now, so edits since the last submission count.

        Args:
            experiment_name: The experiment that the run belongs to.
            pipeline_parameters: Values of pipeline parameters, by name; the others keep their defaults.
            continue_on_step_failure: Whether steps that do not depend on a failed one still run.
            regenerate_outputs: Whether every step runs, even when an earlier result fits.
            parent_run_id: The run that the new one belongs to.
            credential_passthrough: Accepted and ignored; steps run as the user.
            **kwargs: `enable_email_notification` is accepted.

        Raises:
            ValueError: The pipeline or a parameter's value is wrong, or a keyword is unknown.
        """
        check_keywords("Pipeline.submit", kwargs)
        return self._submit(
            experiment_name,
            parameters=pipeline_parameters,
            continue_on_step_failure=continue_on_step_failure,
            regenerate_outputs=regenerate_outputs,
            parent_run_id=parent_run_id,
        )

    def _submit(self, experiment_name: str, **wanted: Any) -> PipelineRun:
        from azureml.core._names import check_experiment_name
        from azureml.pipeline.core._submission import Submission, submit

        check_experiment_name(experiment_name)
        self._set_experiment_name(experiment_name)
        return submit(self._graph, Submission(experiment_name, description=self._name, **wanted))

    def publish(
        self,
        name: Optional[str] = None,
        description: Optional[str] = None,
        version: Optional[str] = None,
        continue_on_step_failure: Optional[bool] = None,
    ) -> PublishedPipeline:
        """Publish the pipeline, so that others can run it by its id. Nothing is run now.

        Args:
            name: The name; several may have it. None means the description.
            description: A text for people.
            version: The publisher's own word.
            continue_on_step_failure: As for `submit`; each run may say otherwise.

        Raises:
            ValueError: The pipeline is wrong; every problem is listed.
            SnapshotException: A source folder is too large, or holds what can't travel.
        """
        from azureml.pipeline.core._published import publish_graph

        return publish_graph(self._graph, name, description, version, continue_on_step_failure)

    @staticmethod
    def load_yaml(workspace: Any, filename: str, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None) -> Pipeline:
        """Return the pipeline that a YAML file describes: one written by hand, or by `save`.

        Args:
            workspace: The workspace.
            filename: The file.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is no YAML, or describes no pipeline; the message names the place in it.
            NotImplementedError: A step has a type that files can't describe.
        """
        from azureml.pipeline.core._yaml_reading import load_pipeline

        return load_pipeline(workspace, filename)


def check_keywords(place: str, given: Dict[str, Any]) -> None:
    """Do nothing for the one keyword that v1 accepted beside arguments; raise ValueError for others."""
    unknown = [name for name in given if name != "enable_email_notification"]
    if unknown:
        raise ValueError(
            f"{place} does not know {', '.join(map(repr, unknown))}. Besides its arguments it takes only 'enable_email_notification'."
        )

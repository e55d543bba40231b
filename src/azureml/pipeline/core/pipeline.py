"""The pipeline: steps, put together and submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional

from azureml.core._experiment_method import experiment_method
from azureml.core._refusal import not_built
from azureml.pipeline.core._graph import Graph
from azureml.pipeline.core._graph_builder import GraphBuilder
from azureml.pipeline.core._graph_context import _GraphContext

if TYPE_CHECKING:
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
    if pipeline_params is not None:
        import logging

        logging.getLogger("penstock").warning("The keyword pipeline_params is deprecated; use pipeline_parameters.")
    return pipeline._submit(
        experiment_name,
        parameters=pipeline_parameters if pipeline_parameters is not None else pipeline_params,
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
        _check_keywords("Pipeline", kwargs)
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
        _check_keywords("Pipeline.submit", kwargs)
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
    ) -> Any:
        """Refuse: this version does not publish pipelines.

        Args:
            name: The name.
            description: A text for people.
            version: The version.
            continue_on_step_failure: As for `submit`.

        Raises:
            NotImplementedError: Always.
        """
        raise not_built("Pipeline.publish", "Submit the pipeline itself: Experiment(workspace, name).submit(pipeline).")

    @staticmethod
    def load_yaml(workspace: Any, filename: str, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None) -> Pipeline:
        """Refuse: this version does not read pipelines from YAML.

        Args:
            workspace: The workspace.
            filename: The file.
            _workflow_provider: Ignored.
            _service_endpoint: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise not_built("Pipeline.load_yaml", f"Write the steps of {filename} in Python and pass them to Pipeline(workspace, steps).")


def _check_keywords(place: str, given: Dict[str, Any]) -> None:
    unknown = [name for name in given if name != "enable_email_notification"]
    if unknown:
        raise ValueError(
            f"{place} does not know {', '.join(map(repr, unknown))}. Besides its arguments it takes only 'enable_email_notification'."
        )

"""Runs of pipelines and of their steps, and what the steps produced."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional

from azureml.core._errors import v1_errors
from azureml.core.run import Run
from azureml.pipeline.core._graph_context import _GraphContext
from azureml.pipeline.core._port_data import PortDataReference
from azureml.pipeline.core._watching import Wait, wait_for_pipeline, watch_step
from penstock.model import status as words
from penstock.model.errors import NotFound
from penstock.model.run_types import PIPELINE_RUN, STEP_RUN

if TYPE_CHECKING:
    from typing import Literal  # novm

    from azureml.core.experiment import Experiment
    from azureml.core.workspace import Workspace
    from azureml.pipeline.core._graph import Graph
    from azureml.pipeline.core._published import PublishedPipeline

RUNNING_STATES = ["NotStarted", "Running", "Queued", "Unknown"]

_LOG = "user_logs/std_log.txt"
_WHY = "logs/azureml/stderrlogs.txt"  # of a step that ended before its script began


class StepRuns(List["StepRun"]):
    """Step runs, newest start first. A list that also answers `next()`, as v1's generator did."""

    def __init__(self, steps: List[StepRun]) -> None:
        super().__init__(steps)
        self._rest: Optional[Iterator[StepRun]] = None

    def __next__(self) -> StepRun:
        if self._rest is None:
            self._rest = iter(list(self))
        return next(self._rest)


class PipelineRun(Run):
    """One execution of a pipeline.

    Args:
        experiment: The experiment that it belongs to.
        run_id: Its id.
        _service_endpoint: Accepted and ignored.
        **kwags: Handed to Run.

    Raises:
        ServiceException: There is no such run.
    """

    def __init__(self, experiment: Experiment, run_id: str, _service_endpoint: Optional[str] = None, **kwags: Any) -> None:
        super().__init__(experiment, run_id, **kwags)
        self._graph: Optional[Graph] = None

    @classmethod
    def _from_record(cls, experiment: Experiment, record: Dict[str, Any]) -> PipelineRun:
        return cls(experiment, record["id"], _record=record)

    def _step_run(self, record: Dict[str, Any]) -> StepRun:
        return StepRun(self.experiment, record["id"], self.id, record["node_id"], _record=record)

    # Looking up

    @staticmethod
    def get(workspace: Workspace, run_id: str, _service_endpoint: Optional[str] = None) -> PipelineRun:
        """Return a pipeline run.

        Args:
            workspace: The workspace.
            run_id: Its id.
            _service_endpoint: Accepted and ignored.

        Raises:
            ServiceException: The workspace has no pipeline run of this id.
        """
        from azureml.core.experiment import Experiment

        with v1_errors():
            record = workspace._client.get_run(run_id)
            if record["workspace_id"] != workspace._id or record.get("type") != PIPELINE_RUN:
                raise NotFound(f"The workspace '{workspace.name}' has no pipeline run '{run_id}'.")
        experiment = Experiment(workspace, record["experiment_name"], _skip_name_validation=True, _id=record["experiment_id"])
        return PipelineRun._from_record(experiment, record)

    @staticmethod
    def get_pipeline_runs(workspace: Workspace, pipeline_id: str, _service_endpoint: Optional[str] = None) -> List[PipelineRun]:
        """Return the runs of a published pipeline, whoever started them, newest first.

        Args:
            workspace: The workspace.
            pipeline_id: The published pipeline's id.
            _service_endpoint: Accepted and ignored.

        Raises:
            ErrorResponseException: The workspace has no published pipeline of this id.
        """
        from azureml.pipeline.core._service_errors import pipeline_errors
        from azureml.pipeline.core._submission import run_of

        with pipeline_errors():
            records = workspace._client.list_runs_of_pipeline(workspace._id, pipeline_id)
        return [run_of(workspace, record) for record in records]

    def get_status(self) -> str:
        """Return the status now: NotStarted, Running, Failed, Finished or Canceled."""
        return words.pipeline_spelling(self._refresh()["status"])

    def get_tags(self) -> Dict[str, Any]:
        """Return the tags as they are now."""
        return super().get_tags()

    def get_steps(self) -> List[StepRun]:
        """Return the step runs, newest start first; steps that were skipped because another failed have none."""
        return StepRuns([self._step_run(record) for record in self._step_records()])

    def find_step_run(self, name: str) -> List[StepRun]:
        """Return the step runs of a step; [] when there are none.

        Args:
            name: The step's name.
        """
        return [self._step_run(record) for record in self._step_records() if record["name"] == name]

    def _step_records(self) -> List[Dict[str, Any]]:
        with v1_errors():
            records = self._client.list_children(self.id, type=STEP_RUN)
        return [record for record in records if record["status"] != words.SKIPPED]

    def get_graph(self) -> Graph:
        """Return the graph that runs; later calls give the same object."""
        if self._graph is None:
            from azureml.pipeline.core._document import from_document

            with v1_errors():
                document = self._client.get_graph(self.id)
            self._graph = from_document(document, _context(self.experiment), self._record.get("parameters"))
        return self._graph

    def get_pipeline_output(self, pipeline_output_name: str) -> PortDataReference:
        """Return the data that a step declared with `pipeline_output_name`.

        Args:
            pipeline_output_name: That name.

        Raises:
            ErrorResponseException: No output has this name, or it is not there yet.
        """
        from azureml.pipeline.core._restclients.aeva.models.error_response import ErrorResponseException

        with v1_errors():
            outputs = self._client.list_outputs(self.id)
        for output in outputs:
            if output.get("pipeline_output_name") == pipeline_output_name:
                if not output.get("path"):
                    raise ErrorResponseException(NotFound(f"The output '{pipeline_output_name}' of run {self.id} is not there yet."))
                return _port_data(self.experiment, self.id, pipeline_output_name, output, None)
        known = [str(output["pipeline_output_name"]) for output in outputs if output.get("pipeline_output_name")]
        raise ErrorResponseException(NotFound.named("pipeline output", pipeline_output_name, known, f"run {self.id}"))

    # Life

    def wait_for_completion(self, show_output: bool = True, timeout_seconds: float = sys.maxsize, raise_on_error: bool = True) -> str:
        """Wait until the run has ended, and return its status: Finished, Failed or Canceled.

        Args:
            show_output: Whether the steps' logs are printed while they grow, one step after another.
            timeout_seconds: How long to wait at most; the status returned is then that of a running pipeline.
            raise_on_error: Whether a failed run, or with output a failed step, raises.

        Raises:
            ActivityFailedException: The run failed, and `raise_on_error` is true.
            ExperimentExecutionException: The user interrupted the wait. The run goes on.
        """
        return wait_for_pipeline(self, Wait(timeout_seconds, raise_on_error), show_output)

    def cancel(self) -> None:
        """Ask the run to stop, with all its steps. It may still run for a moment afterwards."""
        super().cancel()

    def complete(self) -> None:  # type: ignore[override]
        """Refuse, as in v1: a pipeline run completes when its steps do.

        Raises:
            NotImplementedError: Always.
        """
        raise _unsupported("complete", "pipeline", "It completes when its steps do.")

    def fail(self) -> None:  # type: ignore[override]
        """Refuse, as in v1: a pipeline run fails when a step does.

        Raises:
            NotImplementedError: Always.
        """
        raise _unsupported("fail", "pipeline", "Use cancel() to stop it.")

    def child_run(self, name: Optional[str] = None, run_id: Optional[str] = None, outputs: Any = None) -> Any:
        """Refuse, as in v1: the children of a pipeline run are its steps.

        Args:
            name: Ignored.
            run_id: Ignored.
            outputs: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise _unsupported("child_run", "pipeline", "Its children are its steps; see get_steps().")

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Literal[False]:
        return False  # a `with` block does not decide how a pipeline ends

    # What becomes of it

    def publish_pipeline(
        self, name: str, description: str, version: str, continue_on_step_failure: Optional[bool] = None, **kwargs: Any
    ) -> PublishedPipeline:
        """Publish the pipeline that ran, so that others can run it by its id. Its parameters have their defaults, not this run's values.

        Args:
            name: The name; several may have it.
            description: A text for people.
            version: The publisher's own word.
            continue_on_step_failure: As for `Pipeline.submit`; each run may say otherwise.
            **kwargs: `enable_email_notification` is accepted.

        Raises:
            ValueError: A keyword is unknown.
            UserErrorException: The pipeline can't run any more, a datastore is gone for instance.
        """
        from azureml.pipeline.core._published import publish_run
        from azureml.pipeline.core.pipeline import check_keywords

        check_keywords("PipelineRun.publish_pipeline", kwargs)
        return publish_run(self.experiment.workspace, self.id, name, description, version, continue_on_step_failure)

    def save(self, path: Optional[str] = None) -> None:
        """Write the pipeline that ran to a YAML file, with the values that its parameters had. `Pipeline.load_yaml` reads it.

        Args:
            path: The file; or a folder, which gets `pipeline.yml`; None means the current folder.

        Raises:
            ValueError: There is no such folder.
        """
        from azureml.pipeline.core._yaml_writing import save_graph

        save_graph(self.get_graph(), path, "pipeline")


class StepRun(Run):
    """One execution of a step, or an earlier one that was reused.

    Args:
        experiment: The experiment that it belongs to.
        step_run_id: Its id.
        pipeline_run_id: The pipeline run.
        node_id: The step's place in the graph.
        _service_endpoint: Accepted and ignored.
        _is_reused: Whether an earlier result was taken; None asks the service.
        _current_node_id: The node in this pipeline, for a run of another one.
        _reused_run_id: The step run that was reused.
        _reused_node_id: Its node.
        _reused_pipeline_run_id: Its pipeline run.
        **kwargs: Handed to Run.

    Raises:
        ServiceException: There is no such run.
    """

    def __init__(
        self,
        experiment: Experiment,
        step_run_id: str,
        pipeline_run_id: str,
        node_id: str,
        _service_endpoint: Optional[str] = None,
        _is_reused: bool = False,
        _current_node_id: Optional[str] = None,
        _reused_run_id: Optional[str] = None,
        _reused_node_id: Optional[str] = None,
        _reused_pipeline_run_id: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(experiment, step_run_id, **kwargs)
        self._pipeline_run_id = pipeline_run_id
        self._node_id = _current_node_id or node_id
        self._given_reuse = {"run_id": _reused_run_id, "node_id": _reused_node_id, "pipeline_run_id": _reused_pipeline_run_id}
        self._given_is_reused = _is_reused or _reused_run_id is not None
        self._adopt_experiment()

    def _adopt_experiment(self) -> None:
        """The run's own experiment counts, whatever was given."""
        name = self._record.get("experiment_name")
        if name and name != self._experiment.name:
            from azureml.core.experiment import Experiment

            self._experiment = Experiment(self._experiment.workspace, name, _skip_name_validation=True, _id=self._record["experiment_id"])

    # What it is

    @property
    def pipeline_run_id(self) -> str:
        """Return the id of the pipeline run."""
        return self._pipeline_run_id

    @property
    def node_id(self) -> str:
        """Return the step's place in the graph."""
        return self._node_id

    @property
    def is_reused(self) -> bool:
        """Return whether the result of an earlier run was taken instead of running the step."""
        return self._given_is_reused or self._reuse() is not None

    @property
    def reused_run_id(self) -> Optional[str]:
        """Return the id of the step run whose result was taken, or None."""
        return (self._reuse() or self._given_reuse).get("run_id")

    @property
    def reused_pipeline_run_id(self) -> Optional[str]:
        """Return the id of the pipeline run whose step's result was taken, or None."""
        return (self._reuse() or self._given_reuse).get("pipeline_run_id")

    def _reuse(self) -> Optional[Dict[str, Any]]:
        if not self._record.get("reused") and not words.is_final(self._record["status"]):
            self._refresh()
        return self._record.get("reused")

    def get_status(self) -> str:
        """Return the status now: NotStarted, Queued, Running, Failed, Finished, Canceled or Bypassed."""
        return words.step_spelling(self._refresh()["status"])

    # Logs

    def get_job_log(self) -> str:
        """Return the log of the step: what its script printed, and how it ended.

        Raises:
            ServiceException: There is none yet.
        """
        return self._log()

    def get_stdout_log(self) -> str:
        """Return what the script printed; both streams are in it, in the order of time.

        Raises:
            ServiceException: There is none yet.
        """
        return self._log()

    def get_stderr_log(self) -> str:
        """Return what the script printed; both streams are in it, in the order of time.

        Raises:
            ServiceException: There is none yet.
        """
        return self._log()

    def _log(self) -> str:
        from azureml.exceptions import ServiceException

        try:
            return self._read_text(_LOG)
        except ServiceException:
            original = self.reused_run_id
            if original is None:
                if not words.is_final(self._refresh()["status"]):
                    raise
                return self._read_text(_WHY)
            with v1_errors():
                content: bytes = self._client.read_file(original, _LOG)
            return content.decode("utf-8", errors="replace")

    def get_details_with_logs(self) -> Dict[str, Any]:
        """Return the details with the text of each log, and STDOUT, STDERR and JOBLOG."""
        from azureml.exceptions import ServiceException

        details = super().get_details_with_logs()
        try:
            log = self._log()
        except ServiceException:  # the step has not begun
            log = ""
        details["logFiles"].update({"STDOUT": log, "STDERR": log, "JOBLOG": log})
        return details

    # Outputs

    def get_outputs(self) -> Dict[str, StepRunOutput]:
        """Return the outputs by the names of their ports."""
        with v1_errors():
            outputs = self._client.list_outputs(self.id)
        context = _context(self.experiment)
        return {output["name"]: StepRunOutput(context, self.pipeline_run_id, self, output["name"], output) for output in outputs}

    def get_output(self, name: str) -> StepRunOutput:
        """Return one output.

        Args:
            name: The name of its port.

        Raises:
            KeyError: The step has none of this name.
        """
        outputs = self.get_outputs()
        if name not in outputs:
            from azureml.core._nearest import nearest

            raise KeyError(f"The step '{self.name}' has no output '{name}'.{nearest(name, outputs, 'outputs')}")
        return outputs[name]

    def get_output_data(self, name: str) -> PortDataReference:
        """Return the data of one output.

        Args:
            name: The name of its port.

        Raises:
            KeyError: The step has none of this name.
        """
        return self.get_output(name).get_port_data_reference()

    # Life

    def wait_for_completion(self, show_output: bool = True, timeout_seconds: float = sys.maxsize, raise_on_error: bool = True) -> str:
        """Wait until the step has ended, and return its status: Finished, Failed, Canceled or Bypassed.

        Args:
            show_output: Whether its log is printed while it grows.
            timeout_seconds: How long to wait at most; the status returned is then that of a running step.
            raise_on_error: Whether a failed step raises.

        Raises:
            ActivityFailedException: The step failed, and `raise_on_error` is true.
            ExperimentExecutionException: The user interrupted the wait. The run goes on.
        """
        return watch_step(self, Wait(timeout_seconds, raise_on_error), show_output)

    def complete(self) -> None:  # type: ignore[override]
        """Refuse, as in v1: a step completes when its script ends.

        Raises:
            NotImplementedError: Always.
        """
        raise _unsupported("complete", "step", "It completes when its script ends.")

    def fail(self) -> None:  # type: ignore[override]
        """Refuse, as in v1: a step fails when its script does.

        Raises:
            NotImplementedError: Always.
        """
        raise _unsupported("fail", "step", "Use cancel() to stop it.")

    def child_run(self, name: Optional[str] = None, run_id: Optional[str] = None, outputs: Any = None) -> Any:
        """Refuse, as in v1: only the script itself can start runs below its step.

        Args:
            name: Ignored.
            run_id: Ignored.
            outputs: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise _unsupported("child_run", "step", "The script can: Run.get_context().child_run().")

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Literal[False]:
        return False  # a `with` block does not decide how a step ends


class StepRunOutput:
    """An output of a step run.

    Args:
        context: What the graph's parts share.
        pipeline_run_id: The pipeline run.
        step_run: The step run.
        name: The name of the output's port.
        step_output: What the service says about it.

    Attributes:
        context: What the graph's parts share.
        pipeline_run_id: The pipeline run.
        step_run: The step run.
        name: The name of the output's port.
        step_output: What the service says about it.
    """

    def __init__(self, context: Any, pipeline_run_id: str, step_run: StepRun, name: str, step_output: Any) -> None:
        self.context = context
        self.pipeline_run_id = pipeline_run_id
        self.step_run = step_run
        self.name = name
        self.step_output = step_output

    def get_port_data_reference(self) -> PortDataReference:
        """Return a handle on the data.

        Raises:
            AttributeError: The service names no place of it.
        """
        if not self.step_output or not self.step_output.get("path"):
            raise AttributeError(f"The output '{self.name}' of step run {self.step_run.id} has no place on a datastore (yet).")
        return _port_data(self.step_run.experiment, self.pipeline_run_id, self.name, self.step_output, self.step_run)


def _port_data(experiment: Experiment, pipeline_run_id: str, name: str, output: Dict[str, Any], step_run: Any) -> PortDataReference:
    from azureml.core.datastore import Datastore
    from azureml.data.data_reference import DataReference

    datastore = Datastore.get(experiment.workspace, output["datastore"])
    reference = DataReference(datastore=datastore, data_reference_name=name, path_on_datastore=output["path"])
    return PortDataReference(_context(experiment), pipeline_run_id, reference, step_run)


def _context(experiment: Experiment) -> _GraphContext:
    return _GraphContext(experiment.name, experiment.workspace)


def _unsupported(operation: str, kind: str, instead: str) -> NotImplementedError:
    return NotImplementedError(f"{operation}() is unsupported for a {kind} run. {instead}")

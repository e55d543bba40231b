"""Runs: one execution each, of a pipeline, a step, a script, or of the process that logs into it."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Union

from azureml.core._errors import v1_errors
from azureml.core._filters import check_filters
from azureml.core._follow import follow as _follow
from azureml.core._interactive import Console, TrackedFolders
from azureml.core._offline import _OfflineRun
from azureml.core._run_datasets import InputDatasets, LinkOutput, OutputDatasets
from azureml.core._run_details import RunDetails
from azureml.core._run_metrics import RunMetrics
from azureml.core._run_models import RunModels
from azureml.core._run_sources import RunSources
from azureml.core._run_types import RunFactory, add_provider, rehydrate
from penstock.model import status as words
from penstock.model.errors import Refused
from penstock.runtime.metrics import append

if TYPE_CHECKING:
    from azureml.core.experiment import Experiment, Filter
    from azureml.core.workspace import Workspace
    from penstock.runtime.context import RunContext

__all__ = [
    "POST_PROCESSING_STATES",
    "RUNNING_STATES",
    "InputDatasets",
    "LinkOutput",
    "OutputDatasets",
    "Run",
    "_OfflineRun",
    "_SubmittedRun",
    "_follow",
    "get_run",
]

_LOGGER = logging.getLogger("penstock")

RUNNING_STATES = [
    "NotStarted",
    "Queued",
    "Preparing",
    "Provisioning",
    "Starting",
    "Running",
    "Unapproved",
    "NotResponding",
    "Pausing",
    "Paused",
]
POST_PROCESSING_STATES = ["CancelRequested", "Finalizing"]

_MOST_CHILDREN = 100


class Run(RunMetrics, RunDetails, RunModels, RunSources):
    """One execution.

    Args:
        experiment: The experiment it belongs to.
        run_id: Its id.
        outputs: Folders whose files are stored when the run ends; for runs that this process drives.
        **kwargs: Accepted and ignored, as in v1.

    Raises:
        ServiceException: There is no such run; its `status_code` is 404.
    """

    def __init__(self, experiment: Experiment, run_id: str, outputs: Any = None, **kwargs: Any) -> None:
        self._experiment = experiment
        self._run_id = run_id
        self._parent: Optional[Run] = None
        self._cached: Optional[Dict[str, Any]] = kwargs.get("_record")
        self._folders = TrackedFolders(outputs)
        self._console: Optional[Console] = kwargs.get("_console")
        if self._cached is None and not kwargs.get("_lazy"):
            self._refresh()

    # ---- finding ----

    @staticmethod
    def get(workspace: Workspace, run_id: str) -> Run:
        """Return the run of this id, as the class that fits its type.

        Raises:
            ServiceException: The workspace has no such run; its `status_code` is 404.
        """
        from penstock.model.errors import NotFound

        with v1_errors():
            record = workspace._client.get_run(run_id)
            if record["workspace_id"] != workspace._id:
                raise NotFound(f"There is no run '{run_id}' in the workspace '{workspace.name}'.")
        return rehydrate(workspace, record)

    @staticmethod
    def list(
        experiment: Experiment,
        type: Optional[str] = None,
        tags: Filter = None,
        properties: Filter = None,
        status: Optional[str] = None,
        include_children: bool = False,
        _rehydrate_runs: bool = True,
    ) -> Iterator[Run]:
        """Give the runs of an experiment, newest first.

        Args:
            experiment: The experiment.
            type: Only runs of this type.
            tags: A tag's name, or pairs that must all match.
            properties: The same for properties.
            status: Only runs in this status.
            include_children: Also the runs below others.

        Raises:
            ValueError: A filter is neither text nor a dictionary.
        """
        check_filters(tags=tags, properties=properties)
        filters: Dict[str, Any] = {"type": type, "tags": tags, "properties": properties, "status": status}
        filters["include_children"] = include_children
        return _listed(experiment.workspace, _rehydrate_runs, experiment_name=experiment.name, **filters)

    @staticmethod
    def list_by_compute(
        compute: Any, type: Optional[str] = None, tags: Filter = None, properties: Filter = None, status: Optional[str] = None
    ) -> Iterator[Run]:
        """Give the runs that a compute target has had, newest first. Filters as in `list`.

        Raises:
            UserErrorException: `compute` is no compute target, but a name, say.
        """
        if not hasattr(compute, "workspace"):
            from azureml.exceptions import UserErrorException

            raise UserErrorException(f"list_by_compute takes a compute target, as workspace.compute_targets[name] is, not {compute!r:.60}.")
        check_filters(tags=tags, properties=properties)
        filters: Dict[str, Any] = {"type": type, "tags": tags, "properties": properties, "status": status, "include_children": True}
        return _listed(compute.workspace, True, target=compute.name, **filters)

    @classmethod
    def get_context(cls, allow_offline: bool = True, used_for_context_manager: bool = False, **kwargs: Any) -> Any:
        """Return the run that this process belongs to, the same object each time. The service is asked only when it must be.

        Args:
            allow_offline: Outside a run, return an object that prints what it is given.

        Raises:
            RunEnvironmentException: There is no run, and `allow_offline` is false.
        """
        from penstock.runtime.context import find_context

        context = find_context()
        if context is not None:
            return _submitted_run(context)
        if allow_offline:
            return _OfflineRun()
        from azureml.exceptions import RunEnvironmentException

        error = RunEnvironmentException()
        error.inner_exception = RunEnvironmentException()
        raise error

    @classmethod
    def get_submitted_run(cls, **kwargs: Any) -> Any:
        """Return the run that this process belongs to; the old form of `get_context(allow_offline=False)`."""
        return cls.get_context(allow_offline=False)

    @staticmethod
    def add_type_provider(runtype: str, run_factory: RunFactory) -> None:
        """Let `run_factory(experiment, record)` make the objects for runs of a type.

        Raises:
            ValueError: The type has a factory already.
        """
        add_provider(runtype, run_factory)

    # ---- relatives ----

    @property
    def parent(self) -> Optional[Run]:
        """The run above this one, or None."""
        parent_id = self._parent_id()
        if self._parent is None and parent_id:
            with v1_errors():
                record = self._client.get_run(parent_id)
            self._parent = rehydrate(self._experiment.workspace, record)
        return self._parent

    def _parent_id(self) -> Optional[str]:
        found = self._record.get("parent_run_id")
        return None if found is None else str(found)

    def get_children(
        self,
        recursive: bool = False,
        tags: Filter = None,
        properties: Filter = None,
        type: Optional[str] = None,
        status: Optional[str] = None,
        _rehydrate_runs: bool = True,
    ) -> Iterator[Run]:
        """Give the runs below this one, newest start first. Filters as in `list`.

        Args:
            recursive: Also those below them.

        Raises:
            ValueError: A filter is neither text nor a dictionary.
        """
        check_filters(tags=tags, properties=properties)
        filters = {"recursive": recursive, "type": type, "tags": tags, "properties": properties, "status": status}
        return self._children(filters, _rehydrate_runs)

    def _children(self, filters: Dict[str, Any], as_types: bool) -> Iterator[Run]:
        with v1_errors():
            records = self._client.list_children(self.id, **filters)
        for record in records:
            if record["status"] != words.SKIPPED:  # in v1 a skipped step has no run
                yield rehydrate(self._experiment.workspace, record, as_types)

    def child_run(self, name: Optional[str] = None, run_id: Optional[str] = None, outputs: Any = None) -> Run:
        """Start a run below this one, driven by this process.

        Args:
            name: Its name goes after this run's name and a `>`.
            run_id: Its id; the service makes one when None.
            outputs: Folders whose files are stored when it ends.
        """
        return self._start_child(name, run_id, outputs)

    def _start_child(self, name: Optional[str], run_id: Optional[str] = None, outputs: Any = None, tags: Any = None) -> Run:
        full_name = ">".join(part for part in (self.name, name) if part) if name else None
        with v1_errors():
            record = self._client.create_run(
                self.experiment.workspace._id,
                self.experiment.name,
                name=full_name,
                run_id=run_id,
                parent_run_id=self.id,
                tags=tags,
                status=words.RUNNING,
            )
        return Run(self.experiment, record["id"], outputs=outputs, _record=record)

    def create_children(
        self, count: Optional[int] = None, tag_key: Optional[str] = None, tag_values: Optional[List[Any]] = None
    ) -> List[Run]:
        """Start several runs below this one, told apart by a tag.

        Args:
            count: How many, at most 100; they are numbered by the tag `azureml.batch_child_number`.
            tag_key: The tag's name, instead of `count`.
            tag_values: Its value for each of them.

        Raises:
            UserErrorException: Both ways or none were used, or there are too many.
        """
        tags = _children_tags(count, tag_key, tag_values)
        return [self._start_child(None, tags=tag) for tag in tags]

    def submit_child(self, config: Any, tags: Optional[Dict[str, str]] = None, **kwargs: Any) -> Run:
        """Submit what `config` describes as a run below this one; see `Experiment.submit`."""
        import inspect

        from azureml.core._experiment_method import get_submit_function

        submit = get_submit_function(config)
        keyword = next(
            (name for name in ("parent_run_id", "_parent_run_id") if name in inspect.signature(submit).parameters), "parent_run_id"
        )
        return self.experiment.submit(config, tags=tags, **{**kwargs, keyword: self.id})

    # ---- life ----

    def start(self) -> None:
        """Mark the run as running."""
        self._set_status(words.RUNNING)

    def complete(self, _set_status: bool = True) -> None:
        """Store the tracked folders' files and mark the run as completed."""
        self._folders.store(self)
        if _set_status:
            self._set_status(words.COMPLETED)

    def fail(self, error_details: Any = None, error_code: Optional[str] = None, _set_status: bool = True) -> None:
        """Mark the run as failed.

        Args:
            error_details: What went wrong: text or an exception.
            error_code: A word for it; 'UserError' when None.

        Raises:
            TypeError: `error_details` is neither text nor an exception.
        """
        message = _failure(error_details)
        self._folders.store(self)
        if _set_status:
            self._set_status(words.FAILED, {"code": error_code or "UserError", "message": message, "details": {}})

    def _set_status(self, status: str, error: Optional[Dict[str, Any]] = None) -> None:
        with v1_errors():
            try:
                self._record = self._client.set_run_status(self.id, status, error=error)
            except Refused:
                # Saying the same twice is no error: `complete()` inside a `with` block ends the run before the block does.
                if self._refresh()["status"] != status:
                    raise

    def cancel(self) -> None:
        """Ask the run to stop, with all below it. It may still run for a moment afterwards."""
        with v1_errors():
            self._record = self._client.cancel_run(self.id)

    def clean(self) -> None:
        """Do nothing: a run leaves no temporary files on the caller's side."""

    def __enter__(self) -> Run:
        if self._console is not None:
            self._console.start()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        harmless = error is None or (isinstance(error, SystemExit) and error.code in (0, None))
        if self._console is not None:
            self._console.stop(self)
        if words.is_final(self.get_status()):
            return error is not None and harmless
        if harmless:
            self.complete()
        else:
            self.fail(f"User program failed with {type(error).__name__}: {error}")
        return error is not None and harmless


class _SubmittedRun(Run):
    """The run that this process belongs to. What it logs and stores goes into the run's own folder, without the service."""

    def __init__(self, experiment: Experiment, context: RunContext) -> None:
        super().__init__(experiment, context.run_id, _lazy=True)
        self._context = context
        self._datasets: Optional[InputDatasets] = None
        self._outputs: Optional[OutputDatasets] = None

    def __deepcopy__(self, memo: Any) -> _SubmittedRun:
        return self

    def _parent_id(self) -> Optional[str]:
        return self._context.parent_run_id or super()._parent_id()

    def _write_metric(self, record: Dict[str, Any]) -> None:
        if self._context.folder is None:
            super()._write_metric(record)
            return
        try:
            append(self._context.folder, record)
        except (OSError, TypeError, ValueError) as error:
            _LOGGER.warning("The metric '%s' was not stored: %s", record["name"], error)

    def _store_file(self, name: str, path_or_stream: Any) -> None:
        if self._context.folder is None:
            super()._store_file(name, path_or_stream)
            return
        from azureml.data._copying import put_inside

        put_inside(os.path.join(self._context.folder, "files"), name, path_or_stream)

    @property
    def input_datasets(self) -> InputDatasets:
        """The dataset inputs by name: a path, or the dataset in direct mode."""
        if self._datasets is None:
            self._datasets = InputDatasets(self.experiment.workspace)
        return self._datasets

    @property
    def output_datasets(self) -> OutputDatasets:
        """The dataset outputs by name: the path to write to."""
        if self._outputs is None:
            self._outputs = OutputDatasets(self.experiment.workspace)
        return self._outputs

    def complete(self, _set_status: bool = True) -> None:
        """Do nothing: the exit of the process completes the run."""

    def fail(self, error_details: Any = None, error_code: Optional[str] = None, _set_status: bool = True) -> None:
        """Write the error to the log. The run fails by the exit status of its process.

        Raises:
            TypeError: `error_details` is neither text nor an exception.
        """
        from azureml.core.keyvault import hide_known_secrets

        message = hide_known_secrets(_failure(error_details))
        _LOGGER.warning("The script reported a failure (%s): %s", error_code or "UserError", message)

    def cancel(self) -> None:
        """Do nothing but warn: a step does not cancel itself. `run.parent.cancel()` cancels the pipeline run."""
        _LOGGER.warning("A run can't cancel itself: leave the script, or cancel the whole pipeline with run.parent.cancel().")

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:  # type: ignore[override]  # swallows nothing
        self.complete()


_CURRENT: Dict[str, _SubmittedRun] = {}


def _submitted_run(context: RunContext) -> _SubmittedRun:
    """The one object for the run of this process. By id, because a warm interpreter's child gets its run late."""
    if context.run_id not in _CURRENT:
        from azureml.core.experiment import Experiment
        from azureml.core.workspace import Workspace

        workspace = Workspace._of_this_run()
        assert workspace is not None
        experiment = Experiment(
            workspace, context.experiment_name, _skip_name_validation=True, _id=context.experiment_id, _create_in_cloud=False
        )
        _CURRENT.clear()
        _CURRENT[context.run_id] = _SubmittedRun(experiment, context)
    return _CURRENT[context.run_id]


def _listed(workspace: Workspace, as_types: bool, **filters: Any) -> Iterator[Run]:
    """A generator that asks for a page at a time, so that the first of many runs comes quickly."""
    page_size, before = 100, None
    while True:
        with v1_errors():
            records = workspace._client.list_runs(workspace._id, limit=page_size, before=before, **filters)
        for record in records:
            if record["status"] != words.SKIPPED:
                yield rehydrate(workspace, record, as_types)
        if len(records) < page_size:
            return
        before = records[-1]["id"]


def _children_tags(count: Optional[int], tag_key: Optional[str], tag_values: Optional[List[Any]]) -> List[Dict[str, str]]:
    from azureml.exceptions import UserErrorException

    if (count is None) == (tag_key is None) or (tag_key is None) != (tag_values is None):
        raise UserErrorException("create_children needs either count, or tag_key together with tag_values.")
    tags = (
        [{str(tag_key): str(value)} for value in tag_values]
        if tag_values is not None
        else [{"azureml.batch_child_number": str(number)} for number in range(count or 0)]
    )
    if len(tags) > _MOST_CHILDREN:
        raise UserErrorException(f"create_children can start {_MOST_CHILDREN} runs at once, not {len(tags)}: call it several times.")
    return tags


def _failure(error_details: Union[str, BaseException, None]) -> str:
    if error_details is None:
        return "The run was marked as failed without details."
    if not isinstance(error_details, (str, BaseException)):
        raise TypeError(f"error_details must be text or an exception, not a {type(error_details).__name__}.")
    return error_details if isinstance(error_details, str) else f"{type(error_details).__name__}: {error_details}"


def get_run(experiment: Experiment, run_id: str, rehydrate: bool = True, clean_up: bool = True) -> Run:
    """Return a run of an experiment.

    Args:
        experiment: The experiment.
        run_id: The run's id.
        rehydrate: As the class that fits its type; a plain Run when false.
        clean_up: Accepted and ignored.

    Raises:
        ServiceException: There is no such run; its `status_code` is 404.
    """
    run = Run(experiment, run_id)
    if not rehydrate:
        return run
    from azureml.core._run_types import rehydrate as as_type

    return as_type(experiment.workspace, run._record)

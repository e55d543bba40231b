"""Schedules: published pipelines that run again and again, by the clock or when data changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional

from azureml.core._deprecation import deprecated
from azureml.core._errors import v1_errors
from azureml.core._html import table
from azureml.core._names import check_experiment_name
from azureml.pipeline.core import _recurrence as recurrences
from azureml.pipeline.core._recurrence import ScheduleRecurrence
from azureml.pipeline.core._time_zones import TimeZone
from penstock.model.entity_status import ACTIVE, DISABLED

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from azureml.pipeline.core.run import PipelineRun

__all__ = ["Schedule", "ScheduleRecurrence", "TimeZone"]

# This is where users know them from: in messages, in pickles, in documentation.
for _kind in (ScheduleRecurrence, TimeZone):
    _kind.__module__ = __name__

_STATUSES = (ACTIVE, DISABLED)
_DATA_DRIVEN = "DataStore"
_POLLING_MINUTES = 5


class Schedule:
    """A published pipeline, or the default version of an endpoint, that runs by itself. Not for users: `create` makes one.

    Args:
        workspace: The workspace.
        id: Its id.
        name: Its name; others may have the same.
        description: A text for people; its runs have it, too.
        pipeline_id: The published pipeline that it runs.
        status: Active or Disabled.
        recurrence: When it runs, or None.
        datastore_name: The datastore that it watches, or None.
        polling_interval: How many minutes lie between two looks at the datastore.
        data_path_parameter_name: The pipeline parameter that gets the path of what changed.
        continue_on_step_failure: Whether other steps of its runs go on when one fails; None: as the pipeline was published.
        path_on_datastore: The folder that it watches; None for the top folder.
        _schedule_provider: Accepted and ignored.
        pipeline_endpoint_id: The endpoint that it runs, instead of a pipeline.
    """

    def __init__(
        self,
        workspace: Workspace,
        id: str,
        name: str,
        description: Optional[str],
        pipeline_id: Optional[str],
        status: str,
        recurrence: Optional[ScheduleRecurrence],
        datastore_name: Optional[str],
        polling_interval: Optional[int],
        data_path_parameter_name: Optional[str],
        continue_on_step_failure: Optional[bool],
        path_on_datastore: Optional[str],
        _schedule_provider: Any = None,
        pipeline_endpoint_id: Optional[str] = None,
    ) -> None:
        self._workspace = workspace
        self._id = id
        self._name = name
        self._description = description
        self._pipeline_id = pipeline_id
        self._pipeline_endpoint_id = pipeline_endpoint_id
        self._status = status
        self._recurrence = recurrence
        self._datastore_name = datastore_name
        self._polling_interval = polling_interval
        self._data_path_parameter_name = data_path_parameter_name
        self._continue_on_step_failure = continue_on_step_failure
        self._path_on_datastore = path_on_datastore

    @classmethod
    def _of(cls, workspace: Any, record: Mapping[str, Any]) -> Schedule:
        """Return the object for a record of the service."""
        schedule = cls.__new__(cls)
        schedule._take(workspace, record)
        return schedule

    def _take(self, workspace: Any, record: Mapping[str, Any]) -> None:
        trigger, recurrence = record.get("trigger") or {}, record.get("recurrence")
        Schedule.__init__(
            self,
            workspace,
            record["id"],
            record["name"],
            record.get("description"),
            record.get("pipeline_id"),
            record["status"],
            recurrences.from_document(recurrence) if recurrence else None,
            trigger.get("datastore"),
            trigger.get("polling_interval"),
            trigger.get("parameter"),
            (record.get("submission") or {}).get("continue_on_step_failure"),
            trigger.get("path"),
            pipeline_endpoint_id=record.get("endpoint_id"),
        )

    # Making

    @staticmethod
    def create(
        workspace: Workspace,
        name: str,
        pipeline_id: str,
        experiment_name: str,
        recurrence: Optional[ScheduleRecurrence] = None,
        description: Optional[str] = None,
        pipeline_parameters: Optional[Mapping[str, Any]] = None,
        wait_for_provisioning: Optional[bool] = False,
        wait_timeout: Optional[float] = 3600,
        datastore: Any = None,
        polling_interval: Optional[int] = _POLLING_MINUTES,
        data_path_parameter_name: Optional[str] = None,
        continue_on_step_failure: Optional[bool] = None,
        path_on_datastore: Optional[str] = None,
        _workflow_provider: Any = None,
        _service_endpoint: Optional[str] = None,
    ) -> Schedule:
        """Make a schedule of a published pipeline, and return it. It is active at once.

        Args:
            workspace: The workspace.
            name: Its name.
            pipeline_id: The published pipeline's id.
            experiment_name: The experiment of its runs.
            recurrence: When it runs.
            description: A text for people; its runs have it, too.
            pipeline_parameters: Values for the pipeline's parameters.
            wait_for_provisioning: Whether to say that it is ready. It is when this returns.
            wait_timeout: Accepted; there is nothing to wait for.
            datastore: Instead of a recurrence: the datastore, of any kind, whose new and changed files start runs.
            polling_interval: How many minutes lie between two looks at the datastore.
            data_path_parameter_name: The DataPath parameter that gets the path of a changed file: each gets a run of its own.
            continue_on_step_failure: Whether other steps go on when one fails; None: as the pipeline was published.
            path_on_datastore: The folder to watch, without the folders below it; None for the top folder.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.

        Raises:
            ValueError: The recurrence is wrong, or comes with a datastore's arguments, or there is neither.
            ErrorResponseException: There is no such pipeline.
            UserErrorException: A value does not fit the pipeline's parameters.
        """
        return _create(
            workspace,
            name,
            {"pipeline_id": _check_id("pipeline_id", pipeline_id)},
            experiment_name,
            recurrence,
            description,
            pipeline_parameters,
            wait_for_provisioning,
            datastore,
            polling_interval,
            data_path_parameter_name,
            continue_on_step_failure,
            path_on_datastore,
        )

    @staticmethod
    def create_for_pipeline_endpoint(
        workspace: Workspace,
        name: str,
        pipeline_endpoint_id: str,
        experiment_name: str,
        recurrence: Optional[ScheduleRecurrence] = None,
        description: Optional[str] = None,
        pipeline_parameters: Optional[Mapping[str, Any]] = None,
        wait_for_provisioning: Optional[bool] = False,
        wait_timeout: Optional[float] = 3600,
        datastore: Any = None,
        polling_interval: Optional[int] = _POLLING_MINUTES,
        data_path_parameter_name: Optional[str] = None,
        continue_on_step_failure: Optional[bool] = None,
        path_on_datastore: Optional[str] = None,
        _workflow_provider: Any = None,
        _service_endpoint: Optional[str] = None,
    ) -> Schedule:
        """Make a schedule that runs what is the default version of a pipeline endpoint each time. The other arguments are `create`'s.

        Args:
            workspace: The workspace.
            name: Its name.
            pipeline_endpoint_id: The endpoint's id.
            experiment_name: The experiment of its runs.
            recurrence: When it runs.
            description: A text for people; its runs have it, too.
            pipeline_parameters: Values for the pipeline's parameters.
            wait_for_provisioning: Whether to say that it is ready. It is when this returns.
            wait_timeout: Accepted; there is nothing to wait for.
            datastore: Instead of a recurrence: the datastore whose new and changed files start runs.
            polling_interval: How many minutes lie between two looks at the datastore.
            data_path_parameter_name: The DataPath parameter that gets the path of a changed file.
            continue_on_step_failure: Whether other steps go on when one fails.
            path_on_datastore: The folder to watch; None for the top folder.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.

        Raises:
            ValueError: As for `create`.
            ErrorResponseException: There is no such endpoint.
            UserErrorException: A value does not fit the pipeline's parameters.
        """
        return _create(
            workspace,
            name,
            {"endpoint_id": _check_id("pipeline_endpoint_id", pipeline_endpoint_id)},
            experiment_name,
            recurrence,
            description,
            pipeline_parameters,
            wait_for_provisioning,
            datastore,
            polling_interval,
            data_path_parameter_name,
            continue_on_step_failure,
            path_on_datastore,
        )

    @staticmethod
    def load_yaml(
        workspace: Workspace, filename: str, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None
    ) -> Dict[str, Any]:
        """Return what a YAML file says of a schedule, as arguments for `create`: Schedule.create(..., **Schedule.load_yaml(...)).

        Args:
            workspace: The workspace of the datastore that it names.
            filename: The file.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.

        Raises:
            ValueError: The file has no section `Schedule`, or says what no schedule can be.
            UserErrorException: It is no YAML.
        """
        from azureml.pipeline.core._schedule_yaml import load_arguments

        return load_arguments(workspace, filename)

    # Finding

    @staticmethod
    def get(workspace: Workspace, id: str, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None) -> Schedule:
        """Return a schedule.

        Args:
            workspace: The workspace.
            id: Its id.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.

        Raises:
            ErrorResponseException: The workspace has no such schedule.
        """
        with _errors():
            return Schedule._of(workspace, workspace._client.get_schedule(workspace._id, _check_id("id", id)))

    @staticmethod
    def list(
        workspace: Workspace,
        active_only: bool = True,
        pipeline_id: Optional[str] = None,
        pipeline_endpoint_id: Optional[str] = None,
        _workflow_provider: Any = None,
        _service_endpoint: Optional[str] = None,
    ) -> List[Schedule]:
        """Return schedules: those that are active, or all of a pipeline or an endpoint, or all.

        Args:
            workspace: The workspace.
            active_only: Whether disabled ones are left out; as in v1, it does not count beside one of the next two.
            pipeline_id: Only those of this published pipeline.
            pipeline_endpoint_id: Only those of this endpoint.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.
        """
        if pipeline_id is not None:
            about: Dict[str, Any] = {"pipeline_id": pipeline_id}
        elif pipeline_endpoint_id is not None:
            about = {"endpoint_id": pipeline_endpoint_id}
        else:
            about = {"active_only": bool(active_only)}
        with _errors():
            found = workspace._client.list_schedules(workspace._id, **about)
        return [Schedule._of(workspace, record) for record in found]

    @staticmethod
    def get_all(
        workspace: Workspace,
        active_only: bool = True,
        pipeline_id: Optional[str] = None,
        pipeline_endpoint_id: Optional[str] = None,
        _workflow_provider: Any = None,
        _service_endpoint: Optional[str] = None,
    ) -> List[Schedule]:
        """Return what `list` returns; deprecated.

        Args:
            workspace: The workspace.
            active_only: As for `list`.
            pipeline_id: As for `list`.
            pipeline_endpoint_id: As for `list`.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.
        """
        deprecated("Schedule.get_all is deprecated. Use Schedule.list.")
        return Schedule.list(workspace, active_only, pipeline_id, pipeline_endpoint_id)

    @staticmethod
    def get_schedules_for_pipeline_id(
        workspace: Workspace, pipeline_id: str, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None
    ) -> List[Schedule]:
        """Return all schedules of a published pipeline, disabled ones too.

        Args:
            workspace: The workspace.
            pipeline_id: The published pipeline's id.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.
        """
        return Schedule.list(workspace, pipeline_id=_check_id("pipeline_id", pipeline_id))

    @staticmethod
    def get_schedules_for_pipeline_endpoint_id(
        workspace: Workspace, pipeline_endpoint_id: str, _workflow_provider: Any = None, _service_endpoint: Optional[str] = None
    ) -> List[Schedule]:
        """Return all schedules of a pipeline endpoint, disabled ones too.

        Args:
            workspace: The workspace.
            pipeline_endpoint_id: The endpoint's id.
            _workflow_provider: Accepted and ignored.
            _service_endpoint: Accepted and ignored.
        """
        return Schedule.list(workspace, pipeline_endpoint_id=_check_id("pipeline_endpoint_id", pipeline_endpoint_id))

    # Changing

    def update(
        self,
        name: Optional[str] = None,
        description: Optional[str] = None,
        recurrence: Optional[ScheduleRecurrence] = None,
        pipeline_parameters: Optional[Mapping[str, Any]] = None,
        status: Optional[str] = None,
        wait_for_provisioning: Optional[bool] = False,
        wait_timeout: Optional[float] = 3600,
        datastore: Any = None,
        polling_interval: Optional[int] = None,
        data_path_parameter_name: Optional[str] = None,
        continue_on_step_failure: Optional[bool] = None,
        path_on_datastore: Optional[str] = None,
    ) -> None:
        """Change the schedule; what is None stays as it is. It can't turn from one with a recurrence into one of a datastore, or back.

        Args:
            name: Its name.
            description: A text for people.
            recurrence: When it runs.
            pipeline_parameters: Values for the pipeline's parameters, in place of all it had.
            status: Active or Disabled.
            wait_for_provisioning: Whether to say that the change is done. It is when this returns.
            wait_timeout: Accepted; there is nothing to wait for.
            datastore: The datastore to watch.
            polling_interval: How many minutes lie between two looks at it.
            data_path_parameter_name: The DataPath parameter that gets the path of a changed file.
            continue_on_step_failure: Whether other steps go on when one fails.
            path_on_datastore: The folder to watch.

        Raises:
            ValueError: The schedule is of the other kind, or a value can't be.
            ErrorResponseException: The schedule is gone.
        """
        if status is not None and status not in _STATUSES:
            raise ValueError(f"The status of a schedule is Active or Disabled, not {status!r}.")
        trigger = _trigger(datastore, polling_interval, data_path_parameter_name, path_on_datastore)
        self._refuse_other_kind(recurrence, trigger)
        submission: Dict[str, Any] = {}
        if pipeline_parameters is not None:
            submission["parameters"] = _plain_parameters(self._workspace, pipeline_parameters)
        if continue_on_step_failure is not None:
            submission["continue_on_step_failure"] = _flag(continue_on_step_failure)
        changes = {
            "name": name,
            "description": description,
            "status": status,
            "recurrence": _recurrence(recurrence),
            "trigger": trigger or None,
            "submission": submission or None,
        }
        self._change(wait_for_provisioning, **{key: value for key, value in changes.items() if value is not None})

    def _refuse_other_kind(self, recurrence: Any, trigger: Mapping[str, Any]) -> None:
        if self._recurrence is None and recurrence is not None:
            raise ValueError(
                f"The schedule '{self._name}' watches a datastore and can't get a recurrence. Disable it, and make one with a recurrence."
            )
        if self._recurrence is not None and trigger:
            given = ", ".join(_ARGUMENTS[member] for member in trigger)
            raise ValueError(
                f"The schedule '{self._name}' has a recurrence and can't watch a datastore ({given}). Disable it, and make one for it."
            )

    def enable(self, wait_for_provisioning: Optional[bool] = False, wait_timeout: Optional[float] = 3600) -> None:
        """Let the schedule run its pipeline from now on.

        Args:
            wait_for_provisioning: Whether to say that it is done. It is when this returns.
            wait_timeout: Accepted; there is nothing to wait for.
        """
        self._change(wait_for_provisioning, status=ACTIVE)

    def disable(self, wait_for_provisioning: Optional[bool] = False, wait_timeout: Optional[float] = 3600) -> None:
        """Let the schedule rest until it is enabled; runs that it started go on.

        Args:
            wait_for_provisioning: Whether to say that it is done. It is when this returns.
            wait_timeout: Accepted; there is nothing to wait for.
        """
        self._change(wait_for_provisioning, status=DISABLED)

    def _change(self, tells: Optional[bool], **changes: Any) -> None:
        with _errors():
            self._take(self._workspace, self._workspace._client.update_schedule(self._workspace._id, self._id, **changes))
        _tell_provisioning(tells)

    # Its runs

    def get_pipeline_runs(self) -> List[PipelineRun]:
        """Return the runs that the schedule started, newest first."""
        return self._list_runs(None)

    def get_last_pipeline_run(self) -> Optional[PipelineRun]:
        """Return the run that the schedule started last, or None."""
        newest = self._list_runs(1)
        return newest[0] if newest else None

    def _list_runs(self, limit: Optional[int]) -> List[PipelineRun]:
        from azureml.core.experiment import Experiment
        from azureml.pipeline.core.run import PipelineRun

        with _errors():
            records = self._workspace._client.list_runs_of_schedule(self._workspace._id, self._id, limit=limit)
        return [
            PipelineRun._from_record(
                Experiment(self._workspace, record["experiment_name"], _skip_name_validation=True, _id=record["experiment_id"]), record
            )
            for record in records
        ]

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
    def pipeline_id(self) -> Optional[str]:
        """Return the id of the published pipeline; None for a schedule of an endpoint."""
        return self._pipeline_id

    @property
    def pipeline_endpoint_id(self) -> Optional[str]:
        """Return the id of the pipeline endpoint; None for a schedule of a pipeline."""
        return self._pipeline_endpoint_id

    @property
    def status(self) -> str:
        """Return Active or Disabled, as it was when this object was made or last changed."""
        return self._status

    @property
    def recurrence(self) -> Optional[ScheduleRecurrence]:
        """Return when it runs; None for a schedule of a datastore."""
        return self._recurrence

    @property
    def datastore_name(self) -> Optional[str]:
        """Return the name of the datastore that it watches; None for one with a recurrence."""
        return self._datastore_name

    @property
    def polling_interval(self) -> Optional[int]:
        """Return how many minutes lie between two looks at the datastore; None for one with a recurrence."""
        return self._polling_interval

    @property
    def data_path_parameter_name(self) -> Optional[str]:
        """Return the name of the parameter that gets the path of a changed file, or None."""
        return self._data_path_parameter_name

    @property
    def continue_on_step_failure(self) -> Optional[bool]:
        """Return whether other steps of its runs go on when one fails; None: as the pipeline was published."""
        return self._continue_on_step_failure

    @property
    def path_on_datastore(self) -> Optional[str]:
        """Return the folder that it watches; None for the top folder, and for one with a recurrence."""
        return self._path_on_datastore

    def __str__(self) -> str:
        return "Pipeline(" + ",\n".join(f"{name}: {value}" for name, value in self._shown().items()) + ")"

    def __repr__(self) -> str:
        return self.__str__()

    def _repr_html_(self) -> str:
        return table(self._shown())

    def _shown(self) -> Dict[str, Any]:
        shown: Dict[str, Any] = {
            "Name": self._name,
            "Id": self._id,
            "Status": self._status,
            "Pipeline Id": self._pipeline_id,
            "Pipeline Endpoint Id": self._pipeline_endpoint_id,
        }
        if self._recurrence is not None:
            shown["Recurrence Details"] = f"Runs {recurrences.describe(self._recurrence)}"
        else:
            shown.update({"Datastore": self._datastore_name, "Path on Datastore": self._path_on_datastore})
        return shown


# The members of a trigger, by the arguments that set them.
_ARGUMENTS = {
    "datastore": "datastore",
    "polling_interval": "polling_interval",
    "parameter": "data_path_parameter_name",
    "path": "path_on_datastore",
}


def _create(
    workspace: Any,
    name: str,
    target: Mapping[str, str],
    experiment_name: str,
    recurrence: Optional[ScheduleRecurrence],
    description: Optional[str],
    pipeline_parameters: Optional[Mapping[str, Any]],
    wait_for_provisioning: Optional[bool],
    datastore: Any,
    polling_interval: Optional[int],
    data_path_parameter_name: Optional[str],
    continue_on_step_failure: Optional[bool],
    path_on_datastore: Optional[str],
) -> Schedule:
    _refuse_both(recurrence, datastore=datastore, data_path_parameter_name=data_path_parameter_name, path_on_datastore=path_on_datastore)
    trigger = None
    if recurrence is None:
        minutes = _POLLING_MINUTES if polling_interval is None else polling_interval
        trigger = _trigger(datastore, minutes, data_path_parameter_name, path_on_datastore)
    submission = {
        "experiment_name": check_experiment_name(experiment_name),
        "parameters": _plain_parameters(workspace, pipeline_parameters),
        "continue_on_step_failure": None if continue_on_step_failure is None else _flag(continue_on_step_failure),
    }
    with _errors():
        record = workspace._client.create_schedule(
            workspace._id,
            name,
            description=description,
            submission=submission,
            recurrence=_recurrence(recurrence),
            trigger=trigger,
            **target,
        )
    _tell_provisioning(wait_for_provisioning)
    return Schedule._of(workspace, record)


def _refuse_both(recurrence: Any, **of_datastore: Any) -> None:
    """A schedule is of one kind."""
    if recurrence is not None:
        given = [name for name, value in of_datastore.items() if value is not None]
        if given:
            raise ValueError(f"A schedule with a recurrence watches no datastore: leave {' and '.join(given)} out, or the recurrence.")
    elif of_datastore["datastore"] is None:
        raise ValueError("A schedule needs a recurrence, or a datastore to watch. Give one of them.")


def _recurrence(recurrence: Any) -> Optional[Dict[str, Any]]:
    if recurrence is None:
        return None
    if not isinstance(recurrence, ScheduleRecurrence):
        raise ValueError(f"A recurrence is a ScheduleRecurrence, not {recurrence!r}, a {type(recurrence).__name__}.")
    recurrence.validate()
    return recurrences.to_document(recurrence)


def _trigger(datastore: Any, polling_interval: Any, parameter: Optional[str], path: Optional[str]) -> Dict[str, Any]:
    """Return those members of a trigger that are given."""
    members = {
        "datastore": None if datastore is None else _datastore_name(datastore),
        "polling_interval": None if polling_interval is None else _minutes(polling_interval),
        "parameter": parameter,
        "path": path,
    }
    return {name: value for name, value in members.items() if value is not None}


def _datastore_name(datastore: Any) -> str:
    name = datastore if isinstance(datastore, str) else getattr(datastore, "name", None)
    if not isinstance(name, str) or not name:
        raise ValueError(f"The datastore to watch is a datastore, such as Datastore.get(workspace, 'name'), not {datastore!r}.")
    return name


def _minutes(polling_interval: Any) -> int:
    if not recurrences._is_number(polling_interval) or polling_interval < 1:
        raise ValueError(f"The polling_interval of a schedule is a whole number of minutes, 1 or more, not {polling_interval!r}.")
    return int(polling_interval)


def _flag(continue_on_step_failure: Any) -> bool:
    if isinstance(continue_on_step_failure, str):  # each text would be true, 'False' as well
        raise ValueError(f"continue_on_step_failure is True, False or None, not the text {continue_on_step_failure!r}.")
    return bool(continue_on_step_failure)


def _plain_parameters(workspace: Any, given: Any) -> Dict[str, Any]:
    from azureml.pipeline.core._parameters import plain_value

    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"pipeline_parameters must be a dictionary of names and values, not {given!r}, a {type(given).__name__}.")
    return {str(name): plain_value(value, workspace) for name, value in given.items()}


def _check_id(argument: str, given: Any) -> str:
    if not isinstance(given, str) or not given:
        hint = f" Give its id: {getattr(given, 'id', None)!r}." if isinstance(getattr(given, "id", None), str) else ""
        raise ValueError(f"The argument {argument} is the text of an id, not {given!r}.{hint}")
    return given


def _tell_provisioning(tells: Optional[bool]) -> None:
    if tells:
        print("Provisioning status: Completed")


def _errors() -> v1_errors:
    from azureml.pipeline.core._restclients.aeva.models.error_response import ErrorResponseException

    return v1_errors(not_found=ErrorResponseException)

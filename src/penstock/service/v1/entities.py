"""Our documents in v1's form: PascalCase, and codes where v1 has codes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from penstock.model.entity_status import ACTIVE, STATUSES
from penstock.model.status import pipeline_spelling
from penstock.operations.schedules import DATASTORE, RECURRENCE
from penstock.recurrence.recurrence import FREQUENCIES, WEEK_DAYS
from penstock.service.v1.submissions import RUN_TYPES

# In the order of their codes.
_RUN_STATUSES = ("NotStarted", "Running", "Failed", "Finished", "Canceled")
_FREQUENCIES = tuple(reversed(FREQUENCIES))
_SCHEDULE_KINDS = (RECURRENCE, DATASTORE)
_UPLOADED, _PROVISIONED = 1, 0

Entity = dict[str, Any]


def run_entity(run: Mapping[str, Any], step_count: int) -> Entity:
    """Return a PipelineRunEntity."""
    properties = run["properties"]
    modified = run["ended_at"] or run["started_at"] or run["created_at"]
    return {
        "Description": run["description"],
        "Status": {
            "StatusCode": _RUN_STATUSES.index(pipeline_spelling(run["status"])),
            "StatusDetail": run["error"]["message"] if run["error"] else None,
            "CreationTime": _time(run["created_at"]),
            "EndTime": _time(run["ended_at"]),
        },
        "GraphId": run["graph_id"],
        "IsSubmitted": True,
        "HasErrors": bool(run["error"]),
        "HasWarnings": bool(run["warnings"]),
        "UploadState": _UPLOADED,
        **_assignments(run["parameters"]),
        "RunHistoryExperimentName": run["experiment_name"],
        "PipelineId": properties.get("azureml.pipelineid"),
        "RunSource": properties.get("runSource"),
        "RunType": _code(RUN_TYPES, properties.get("runType")),
        "TotalRunSteps": step_count,
        "ScheduleId": properties.get("azureml.scheduleid"),
        "tags": run["tags"],
        "Properties": properties,
        **_about(run["id"], ACTIVE, run["created_at"], modified, run["status"]),
    }


def pipeline_entity(pipeline: Mapping[str, Any], address: str) -> Entity:
    """Return a PipelineEntity; `address` is where it is run."""
    defaults = {parameter["name"]: parameter.get("default") for parameter in pipeline["parameters"]}
    return {
        **{key: pipeline[key.lower()] for key in ("Name", "Description", "Version")},
        "GraphId": pipeline["graph_id"],
        "TotalRunSteps": pipeline["step_count"],
        **_assignments(defaults),
        "Url": address,
        "ContinueRunOnStepFailure": pipeline["continue_on_step_failure"],
        "EnableNotification": False,
        "tags": pipeline["tags"],
        "Properties": pipeline["properties"],
        **_about(pipeline["id"], pipeline["status"], pipeline["created_at"], pipeline["modified_at"]),
    }


def schedule_entity(schedule: Mapping[str, Any]) -> Entity:
    """Return a PipelineScheduleEntity."""
    return {
        "Name": schedule["name"],
        "PipelineId": schedule["pipeline_id"],
        "PipelineEndpointId": schedule["endpoint_id"],
        "ProvisioningStatus": _PROVISIONED,
        "PipelineSubmissionInfo": _submission(schedule),
        "Recurrence": _recurrence(schedule["recurrence"]),
        "DataStoreTriggerInfo": _trigger(schedule["trigger"]),
        "ScheduleType": _code(_SCHEDULE_KINDS, schedule["kind"]),
        **_about(schedule["id"], schedule["status"], schedule["created_at"], schedule["modified_at"]),
    }


def _about(id: str, status: str, created_at: str, modified_at: str, *more: str) -> Entity:
    """Return what every entity has. Its tag changes with it, so that a caller sees whether it did."""
    tag = hashlib.sha256("\n".join((id, status, modified_at, *more)).encode()).hexdigest()[:32]
    return {
        "EntityStatus": _code(STATUSES, status),
        "Id": id,
        "Etag": f'"{tag}"',
        "CreatedDate": _time(created_at),
        "LastModifiedDate": _time(modified_at),
    }


def _assignments(values: Mapping[str, Any]) -> Entity:
    """Return the values of parameters: datasets by their ids, data paths as `<datastore>/<path>`, all else as text."""
    saved = {name: value for name, value in values.items() if isinstance(value, Mapping) and "id" in value}
    return {
        "ParameterAssignments": {name: _value_text(value) for name, value in values.items() if value is not None and name not in saved},
        "DataSetDefinitionValueAssignments": {name: {"SavedDataSetReference": {"Id": value["id"]}} for name, value in saved.items()},
    }


def _value_text(value: Any) -> str:
    return f"{value['datastore']}/{value.get('path', '')}" if isinstance(value, Mapping) else str(value)


def _submission(schedule: Mapping[str, Any]) -> Entity:
    submission = schedule["submission"]
    return {
        "ExperimentName": submission.get("experiment_name"),
        "Description": submission.get("description"),
        **_assignments(submission.get("parameters") or {}),
        "RunType": RUN_TYPES.index("Schedule"),
        "ScheduleId": schedule["id"],
        "ContinueRunOnStepFailure": submission.get("continue_on_step_failure"),
        "tags": submission.get("tags") or {},
        "Properties": submission.get("properties") or {},
    }


def _recurrence(recurrence: Mapping[str, Any] | None) -> Entity | None:
    if recurrence is None:
        return None
    days = recurrence.get("week_days")
    times = {
        "Hours": recurrence.get("hours"),
        "Minutes": recurrence.get("minutes"),
        "WeekDays": [_code(WEEK_DAYS, day) for day in days] if days else None,
    }
    return {
        "Frequency": _code(_FREQUENCIES, recurrence["frequency"]),
        "Interval": recurrence["interval"],
        "StartTime": recurrence.get("start_time"),
        "TimeZone": recurrence.get("time_zone"),
        "Schedule": times if any(times.values()) else None,
    }


def _trigger(trigger: Mapping[str, Any] | None) -> Entity | None:
    if trigger is None:
        return None
    return {
        "DataStoreName": trigger.get("datastore"),
        "PollingInterval": trigger.get("polling_interval"),
        "DataPathParameterName": trigger.get("parameter"),
        "PathOnDataStore": trigger.get("path"),
    }


def _code(words: Iterable[str], word: str | None) -> int | str | None:
    """Return the code of a word; a word that v1 does not have stays as it is, as its client lets it pass."""
    codes = {name: code for code, name in enumerate(words)}
    return codes.get(word, word) if word is not None else None


def _time(moment: str | None) -> str | None:
    return moment and moment.replace("Z", "+00:00")

"""The nouns of the interface: what an answer looks like, as JSON Schema. The names are what routes state as their answers."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

from penstock.model import graph, modules, status

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
STATUS: Schema = {"type": "string", "enum": list(status.ALL)}
ANYTHING: Schema = {}
OBJECT: Schema = {"type": "object"}
PAIRS: Schema = {"type": "object", "additionalProperties": {"type": ["string", "null"]}}
TEXTS: Schema = {"type": "array", "items": TEXT}
DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

# Answers that are not JSON.
MEDIA = {
    "Bytes": ("application/octet-stream", "The bytes."),
    "EventStream": (
        "text/event-stream",
        "Events as they come, each with its sequence as id, `run` as event, and the schema Event as data. Comments are signs of life.",
    ),
}


def one(name: str) -> Schema:
    """Return a reference to a schema of this interface."""
    return {"$ref": f"#/components/schemas/{name}"}


def many(items: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def maybe(schema: Schema) -> Schema:
    """Return the schema of a value that may be null."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def record(description: str, needed: Mapping[str, Schema], others: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of an object with members that are always there, and others that may be."""
    return {"type": "object", "description": description, "properties": {**needed, **(others or {})}, "required": sorted(needed)}


def _same(schema: Schema, names: str) -> dict[str, Schema]:
    return dict.fromkeys(names.split(), schema)


def _row(length: int) -> Schema:
    return {"type": "array", "items": {"type": ["string", "integer", "boolean"]}, "minItems": length, "maxItems": length}


def _of_dataclass(kind: type, description: str | None = None) -> Schema:
    """Return the schema of a part of a graph: members that hold their default are left out of its document."""
    hints, parts = typing.get_type_hints(kind), dataclasses.fields(kind)
    needed = [part.name for part in parts if part.default is dataclasses.MISSING and part.default_factory is dataclasses.MISSING]
    members = {part.name: _of_hint(hints[part.name]) for part in parts}
    about = description or " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
    return {"type": "object", "description": about, "properties": members, "required": sorted(needed)}


def _of_hint(hint: Any) -> Schema:
    """Return the schema of what a member of a graph may hold."""
    inner = typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return one(hint.__name__)  # type: ignore[union-attr]
    if type(None) in inner:
        return maybe(_of_hint(typing.Union[tuple(item for item in inner if item is not type(None))]))
    if hint == graph.Scalar:
        return {"type": ["string", "number", "boolean"]}
    if typing.get_origin(hint) is tuple:
        return many(_of_hint(inner[0]))
    if typing.get_origin(hint) is not None:
        return OBJECT if inner[1] is Any else {"type": "object", "additionalProperties": _of_hint(inner[1])}
    return _PLAIN[hint]


_PLAIN: dict[Any, Schema] = {str: TEXT, bool: FLAG, int: WHOLE, Any: ANYTHING}

_PARTS = (
    *(graph.Argument, graph.PortRef, graph.InputPort, graph.Registration, graph.OutputPort, graph.StepParameter, graph.ComputeRef),
    *(graph.StepNode, graph.DataNode, graph.Parameter, modules.ModuleInput, modules.ModuleOutput, modules.ModuleParameter),
)


def _document(kind: type, description: str, version: int) -> Schema:
    """Return the schema of a whole document: it names its format."""
    whole = _of_dataclass(kind, f"{description} Members that hold their default are left out.")
    return {
        **whole,
        "properties": {"format": {"const": version}, **whole["properties"]},
        "required": sorted([*whole["required"], "format"]),
    }


_OF_PIPELINE_RUNS = {
    "parameters": OBJECT,
    **_same(FLAG, "continue_on_step_failure regenerate_outputs"),
    "graph_id": TEXT,
    **_same(maybe(TEXT), "pipeline_id endpoint_id schedule_id"),
}
_OF_STEP_RUNS = {
    **_same(TEXT, "pipeline_run_id node_id"),
    "attempt": WHOLE,
    "reason": maybe(TEXT),
    "reused": maybe(one("Reused")),
    "run_definition": maybe(OBJECT),
}
_OF_MODELS = {
    **_same(TEXT, "name"),
    **_same(WHOLE, "version file_count size"),
    **_same(maybe(TEXT), "description run_id experiment_name framework framework_version created_by"),
    **_same(TIME, "created_at modified_at"),
    "unpack": FLAG,
    **_same(PAIRS, "tags properties"),
    "details": OBJECT,
}
_OF_PIPELINES = {
    **_same(TEXT, "id workspace_id name status graph_id"),
    **_same(maybe(TEXT), "description version source_run_id created_by"),
    "step_count": WHOLE,
    "continue_on_step_failure": FLAG,
    "parameters": many(one("Parameter")),
    **_same(PAIRS, "tags properties"),
    **_same(TIME, "created_at modified_at"),
}
_OF_DRAFTS = {
    **_same(TEXT, "id workspace_id name experiment_name graph_id"),
    **_same(maybe(TEXT), "description parent_pipeline_id parent_pipeline_run_id parent_draft_id last_run_id created_by"),
    **_same(TIME, "created_at modified_at"),
    "continue_on_step_failure": FLAG,
    "parameters": OBJECT,
    **_same(PAIRS, "tags properties"),
    "parent_step_run_ids": TEXTS,
}
_OF_MODULE_VERSIONS = {
    **_same(TEXT, "id version status"),
    **_same(maybe(TEXT), "description category created_by"),
    **_same(TIME, "created_at modified_at"),
}
_HELD_BY_MODULE_VERSIONS = {**_same(TEXT, "module_id module_name module_status"), "definition": one("ModuleDefinition")}
_OF_TRANSFERS = {
    **_same(TEXT, "id kind state"),
    "events": many(one("TransferEvent")),
    **_same(WHOLE, "last files_total files_done bytes_done"),
    "error": maybe(one("Failure")),
    "result": ANYTHING,
}
_DEFINITIONS = {"type": "object", "additionalProperties": one("StepDefinition")}

SCHEMAS: dict[str, Schema] = {
    "Anything": {"description": "JSON."},
    "Nothing": {"type": "object", "description": "It is done.", "maxProperties": 0},
    "Count": record("How many were stored.", {"count": WHOLE}),
    "Digest": {**DIGEST, "description": "A sha256."},
    "Failure": record("What went wrong.", _same(TEXT, "code message"), {"details": OBJECT}),
    "Error": record("An error; its message names the thing, the place and the next step.", {"error": one("Failure")}),
    # The service
    "Service": record(
        "What answers here.",
        {"version": TEXT, "pid": WHOLE},
        {
            **_same(WHOLE, "api"),
            "home": TEXT,
            "started_at": TIME,
            "idle_seconds": {"type": "number"},
            "limits": {"type": "object", "additionalProperties": WHOLE},
            "stays": maybe(TEXT),
        },
    ),
    "Description": {
        "type": "object",
        "description": "This interface as OpenAPI 3.1.",
        "required": ["openapi", "info", "paths", "components"],
    },
    # Workspaces and what they have
    "Workspace": record(
        "A workspace.",
        {
            **_same(TEXT, "id name subscription_id resource_group folder"),
            "location": maybe(TEXT),
            "created_at": TIME,
            "tags": PAIRS,
            "details": OBJECT,
        },
    ),
    "Experiment": record(
        "An experiment.", {**_same(TEXT, "id workspace_id name"), "created_at": TIME, "archived_at": maybe(TIME), "tags": PAIRS}
    ),
    "Datastore": record(
        "A datastore; its credentials are not in it.",
        {
            **_same(TEXT, "name type"),
            "created_at": TIME,
            **_same(maybe(TEXT), "root redirected_to"),
            "definition": OBJECT,
            **_same(FLAG, "is_default is_remote"),
            "secret_names": TEXTS,
        },
    ),
    "Secrets": {"type": "object", "description": "Credentials in clear, by name.", "additionalProperties": TEXT},
    "ComputeTarget": record(
        "A compute target.",
        {
            **_same(TEXT, "name type"),
            **_same(TIME, "created_at modified_at"),
            **_same(WHOLE, "active_runs nodes_at_once"),
            "definition": OBJECT,
        },
    ),
    "Environment": record(
        "A version of a registered environment.", {**_same(TEXT, "name version hash"), "created_at": TIME, "definition": OBJECT}
    ),
    "EnvironmentRequest": record(
        "A request to build an environment, and what has become of it.",
        {
            **_same(TEXT, "id workspace_id name version status"),
            **_same(maybe(TEXT), "interpreter key python chosen_interpreter error"),
            "requested_at": TIME,
            "ended_at": maybe(TIME),
            "definition": OBJECT,
            "notes": TEXTS,
        },
    ),
    "EnvironmentBuild": record(
        "A built environment.",
        {
            **_same(TEXT, "key status"),
            **_same(maybe(TEXT), "interpreter error folder"),
            "requested_at": TIME,
            **_same(maybe(TIME), "started_at ended_at used_at"),
            "specification": OBJECT,
            "notes": TEXTS,
            "steps": WHOLE,
        },
    ),
    "Secret": record("A secret without its value.", {"name": TEXT, "content_type": maybe(TEXT), "created_at": TIME}),
    "SecretValue": record("A secret.", {**_same(TEXT, "name value"), "content_type": maybe(TEXT)}),
    "SecretValues": {**PAIRS, "description": "The values of secrets by the names asked for; null where there is none."},
    "MlflowAddress": record("Where MLflow's clients find a workspace; the token that they need stands in it.", {"tracking_uri": TEXT}),
    "Address": record("Where programs call something published.", {"address": TEXT}),
    "Token": record(
        "A token for the interfaces over loopback, and the second since 1970 at which it ends.", {"token": TEXT, "expires_on": WHOLE}
    ),
    # Runs
    "Run": record(
        "A run of any kind. Those of pipelines and of steps have more members than others.",
        {
            **_same(TEXT, "id workspace_id experiment_id experiment_name root_run_id folder"),
            "number": WHOLE,
            **_same(maybe(TEXT), "type name display_name description parent_run_id target created_by"),
            "status": STATUS,
            "created_at": TIME,
            **_same(maybe(TIME), "queued_at started_at ended_at"),
            "warnings": many(ANYTHING),
            **_same(PAIRS, "tags properties"),
            "error": maybe(one("Failure")),
        },
        {**_OF_PIPELINE_RUNS, **_OF_STEP_RUNS},
    ),
    "Reused": record("The step run whose outputs a step took.", _same(TEXT, "run_id node_id pipeline_run_id experiment_name")),
    "StepDefinition": record(
        "What a step is, by the hash of what decides it, and whether the workspace had it before.", {"definition_id": TEXT, "known": FLAG}
    ),
    "Submission": record(
        "What to run, and how. A pipeline or a script has a `graph` here; what a schedule runs has one already, and an `experiment_name`.",
        {},
        {
            "graph": one("Graph"),
            "experiment_name": TEXT,
            "parameters": OBJECT,
            **_same(maybe(FLAG), "continue_on_step_failure regenerate_outputs"),
            **_same(maybe(TEXT), "description display_name interpreter parent_run_id run_id run_source submitter_run_id request_id"),
            **_same(maybe(OBJECT), "tags properties step_tags"),
        },
    ),
    "Submitted": record("A pipeline run and its step runs.", {"run": one("Run"), "steps": many(one("Run")), "definitions": _DEFINITIONS}),
    "Event": record(
        "What became of a run, by whom and why.",
        {
            "sequence": WHOLE,
            **_same(TEXT, "run_id actor"),
            "at": TIME,
            "status": maybe(STATUS),
            "reason": maybe(TEXT),
            "detail": maybe(OBJECT),
        },
        _same(TEXT, "workspace_id root_run_id"),
    ),
    "RunNews": record(
        "A run, and the events after one.", {"run": one("Run"), "events": many(one("Event")), "last": WHOLE, "is_full": FLAG}
    ),
    "Graph": _document(graph.PipelineGraph, "The graph of a pipeline.", graph.FORMAT),
    "Output": record(
        "An output of a step.",
        {
            **_same(TEXT, "name datastore"),
            "path": maybe(TEXT),
            "is_published": FLAG,
            "pipeline_output_name": maybe(TEXT),
            **_same(maybe(WHOLE), "files bytes"),
        },
        {"step_run_id": TEXT},
    ),
    "Explanation": record(
        "Why a step ran or was reused: a component that differs.", {**_same(TEXT, "component reason"), **_same(ANYTHING, "old new")}
    ),
    "Metrics": {
        "type": "object",
        "description": "Run id -> what it logged, in that order. Runs that logged nothing are absent.",
        "additionalProperties": many(one("Metric")),
    },
    "Metric": record("What was logged.", {**_same(TEXT, "name kind"), "value": ANYTHING}, {"step": maybe(WHOLE), "at": TEXT}),
    "MetricValues": {
        "type": "object",
        "description": "Run id -> v1's dictionary of metrics, and the names of those that are files. Runs that logged nothing are absent.",
        "additionalProperties": record("The metrics of a run.", {"values": OBJECT, "artifacts": TEXTS}),
    },
    "RecordCount": {**WHOLE, "description": "How many records were logged."},
    # Files
    "Stored": record("What was stored.", {"digest": DIGEST}),
    "Snapshot": record("A source folder.", {"digest": DIGEST, "files": WHOLE}),
    "SnapshotEntry": {**_row(4), "description": "A file of a source folder: its path, size, sha256, and whether it is executable."},
    "RunFile": record("A file of a run.", {"name": TEXT, "size": WHOLE}),
    # Datasets
    "SavedDataset": record(
        "The definition of a dataset.",
        {
            "id": TEXT,
            "definition": OBJECT,
            "created_at": TIME,
            "registrations": many(record("A name that it is registered under.", {"name": TEXT, "version": WHOLE})),
        },
    ),
    "Dataset": record(
        "A version of a registered dataset.",
        {
            **_same(TEXT, "id name"),
            "version": WHOLE,
            "description": maybe(TEXT),
            **_same(TIME, "created_at modified_at"),
            "definition": OBJECT,
            "tags": PAIRS,
        },
    ),
    "ResolvedDataset": record("The files of a dataset.", {"files": many(one("DatasetFile")), "folder": maybe(TEXT), "is_single": FLAG}),
    "DatasetFile": record(
        "A file of a dataset.",
        {"path": TEXT, "size": maybe(WHOLE), **_same(maybe(TEXT), "token modified_at local"), "partition": OBJECT},
    ),
    "Lineage": record(
        "A run read or wrote a dataset.",
        {
            **_same(TEXT, "run_id experiment_name status direction port dataset_id type"),
            **_same(maybe(TEXT), "run_name run_type pipeline_run_id reused_run_id mode name"),
            "version": maybe(WHOLE),
            "places": TEXTS,
            "at": TIME,
        },
    ),
    # Models
    "ModelSummary": record("A version of a model.", _OF_MODELS),
    "Model": record(
        "A version of a model, with its files as [path, size, sha256].",
        {
            **_OF_MODELS,
            "files": many(_row(3)),
        },
    ),
    # Transfers
    "TransferStarted": record("A transfer that has begun.", {"id": TEXT}),
    "TransferEvent": record("What became of a file.", {**_same(WHOLE, "sequence bytes"), **_same(TEXT, "path what")}),
    "Transfer": record("How a transfer stands, and its events after one.", _OF_TRANSFERS),
    # What is published
    "Pipeline": record("A published pipeline.", _OF_PIPELINES),
    "NewPipeline": record(
        "A pipeline just published, and what the workspace knew of its steps.", {**_OF_PIPELINES, "definitions": _DEFINITIONS}
    ),
    "PipelineEndpoint": record(
        "An endpoint: a name for versions of published pipelines.",
        {
            **_same(TEXT, "id workspace_id name status default_version"),
            **_same(maybe(TEXT), "description created_by"),
            **_same(TIME, "created_at modified_at"),
            "versions": many(record("A version.", _same(TEXT, "version pipeline_id"))),
            **_same(PAIRS, "tags properties"),
        },
    ),
    "Schedule": record(
        "A schedule: when something published runs.",
        {
            **_same(TEXT, "id workspace_id name status kind when"),
            **_same(maybe(TEXT), "description pipeline_id endpoint_id catch_up error created_by"),
            **_same(maybe(TIME), "next_at seen_at"),
            **_same(TIME, "created_at modified_at"),
            "submission": OBJECT,
            **_same(maybe(OBJECT), "recurrence trigger"),
        },
    ),
    "Tick": record(
        "A time that a schedule was due, and what became of it.",
        {
            **_same(TIME, "due_at at"),
            **_same(TEXT, "outcome reason"),
            **_same(maybe(TEXT), "run_id subject"),
            "missed_count": WHOLE,
            "missed_until": maybe(TIME),
        },
    ),
    "SchedulePreview": record(
        "When a schedule is due next.",
        {
            "description": TEXT,
            "time_zone": maybe(TEXT),
            "ticks": many(record("A time to come, in UTC and in the time zone of the schedule.", _same(TIME, "at local"))),
        },
    ),
    "Draft": record("A draft of a pipeline.", _OF_DRAFTS),
    "NewDraft": record("A draft, and what the workspace knows of its steps.", {**_OF_DRAFTS, "definitions": _DEFINITIONS}),
    "Module": record(
        "A module with its versions.",
        {
            **_same(TEXT, "id workspace_id name status"),
            **_same(maybe(TEXT), "description default_version created_by"),
            **_same(TIME, "created_at modified_at"),
            "versions": many(one("ModuleVersionSummary")),
        },
    ),
    "ModuleDefinition": _document(modules.ModuleDefinition, "What a version of a module is.", modules.FORMAT),
    "ModuleVersionSummary": record("A version of a module.", _OF_MODULE_VERSIONS),
    "ModuleVersion": record("A version of a module, with what it holds.", {**_OF_MODULE_VERSIONS, **_HELD_BY_MODULE_VERSIONS}),
    "ResolvedModuleVersion": record(
        "The version of a module that a step takes, and why this one.",
        {**_OF_MODULE_VERSIONS, **_HELD_BY_MODULE_VERSIONS, "chosen": TEXT},
    ),
    **{part.__name__: _of_dataclass(part) for part in _PARTS},
}

# Members of bodies that look the same wherever they are asked for.
_GIVEN_PAIRS: Schema = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}
MEMBERS: dict[str, Schema] = {
    **_same(_GIVEN_PAIRS, "tags properties step_tags"),
    "request_id": {
        "type": "string",
        "format": "uuid",
        "description": "Made by the client. Sent twice with the same one, a request finds its own work.",
    },
    "graph": one("Graph"),
    "submission": one("Submission"),
    "records": many(one("Metric")),
    "entries": many(one("SnapshotEntry")),
}

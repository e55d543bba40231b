"""The description of how endpoints are called, at the place where v1 has it, in the form of its time: Swagger 2.0."""

from __future__ import annotations

from typing import Any

import penstock

DESCRIPTION = "/pipelines/swagger/pipelineendpointsubmit/swagger.json"  # in lower case

_BASE = (
    "/pipelines/v1.0/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
    "/providers/Microsoft.MachineLearningServices/workspaces/{workspaceName}/PipelineRuns"
)
_TEXT, _TEXTS = {"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}
_PATH = {"type": "object", "properties": {"DataStoreName": _TEXT, "RelativePath": _TEXT}}
_DEFINITIONS: dict[str, Any] = {
    "PipelineSubmissionInfo": {
        "type": "object",
        "required": ["ExperimentName"],
        "properties": {
            "ExperimentName": _TEXT,
            "Description": _TEXT,
            "ParameterAssignments": _TEXTS,
            "DataPathAssignments": {"type": "object", "additionalProperties": {"$ref": "#/definitions/DataPath"}},
            "DataSetDefinitionValueAssignments": {
                "type": "object",
                "additionalProperties": {"$ref": "#/definitions/DataSetDefinitionValue"},
            },
            "RunSource": _TEXT,
            "RunType": {"type": "string", "enum": ["HTTP", "SDK", "Schedule", "Portal"]},
            "ParentRunId": _TEXT,
            "ContinueRunOnStepFailure": {"type": "boolean"},
            "Tags": _TEXTS,
            "StepTags": _TEXTS,
            "Properties": _TEXTS,
        },
    },
    "DataPath": _PATH,
    "DataSetDefinitionValue": {
        "type": "object",
        "properties": {
            "SavedDataSetReference": {"type": "object", "properties": {"Id": _TEXT}},
            "DataSetReference": {"type": "object", "properties": {"Id": _TEXT, "Name": _TEXT, "Version": _TEXT}},
            "LiteralValue": {"$ref": "#/definitions/DataPath"},
        },
    },
    "PipelineRun": {"type": "object", "required": ["Id"], "properties": {"Id": _TEXT}},
    "ErrorResponse": {
        "type": "object",
        "properties": {
            "Error": {
                "type": "object",
                "properties": {
                    "Code": _TEXT,
                    "Message": _TEXT,
                    "Target": _TEXT,
                    "Details": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"Code": _TEXT, "Message": _TEXT, "Target": _TEXT}},
                    },
                },
            },
            "Correlation": _TEXTS,
        },
    },
}
_PATHS = {
    f"{_BASE}/PipelineSubmit/{{pipelineId}}": "Run a published pipeline.",
    f"{_BASE}/PipelineEndpointSubmit/Id/{{pipelineEndpointId}}": "Run the default version of a pipeline endpoint.",
    f"{_BASE}/PipelineEndpointSubmit/Id/{{pipelineEndpointId}}/{{version}}": "Run a version of a pipeline endpoint.",
    f"{_BASE}/PipelineEndpointSubmit/Name": "Run the default version of the pipeline endpoint of a name.",
}


def describe_endpoints() -> dict[str, Any]:
    """Return the description."""
    return {
        "swagger": "2.0",
        "info": {"title": "Published pipelines and pipeline endpoints", "version": penstock.__version__},
        "schemes": ["http"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": {"token": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Bearer <token>"}},
        "security": [{"token": []}],
        "paths": {path: {"post": _operation(path, summary)} for path, summary in _PATHS.items()},
        "definitions": _DEFINITIONS,
    }


def _operation(path: str, summary: str) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    asked = [{"name": "name", "in": "query", "required": True, "type": "string"}] if path.endswith("/Name") else []
    return {
        "summary": summary,
        "parameters": [
            *({"name": name, "in": "path", "required": True, "type": "string"} for name in names),
            *asked,
            {"name": "parentRunId", "in": "query", "type": "string"},
            {"name": "body", "in": "body", "required": True, "schema": {"$ref": "#/definitions/PipelineSubmissionInfo"}},
        ],
        "responses": {
            "200": {"description": "The run was accepted.", "schema": {"$ref": "#/definitions/PipelineRun"}},
            "default": {"description": "What is wrong.", "schema": {"$ref": "#/definitions/ErrorResponse"}},
        },
    }

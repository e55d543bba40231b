"""Errors in v1's form: what is wrong, with which member of the request, and the words to find it in the log."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from penstock.model.errors import PenstockError
from penstock.model.ids import new_id
from penstock.service.answers import error_answer, json_answer

_USER, _SERVICE = "UserError", "ServiceError"
_OF_PARAMETERS = "ParameterAssignments"
# Our word for a member of a submission -> v1's.
_MEMBERS = {
    "experiment_name": "ExperimentName",
    "parameters": _OF_PARAMETERS,
    "continue_on_step_failure": "ContinueRunOnStepFailure",
    "parent_run_id": "ParentRunId",
    "request_id": "RequestId",
    "description": "Description",
    "tags": "Tags",
    "step_tags": "StepTags",
    "properties": "Properties",
}
_OPERATION = re.compile(r"[A-Za-z0-9._-]{1,64}")


def v1_error(request: Request, error: Exception, places: Mapping[str, str] | None = None) -> Response:
    """Return the answer that tells of an error.

    Args:
        request: What was asked.
        error: What went wrong.
        places: Name of a parameter -> the member of the request that gave its value, where that is not ParameterAssignments.
    """
    if not isinstance(error, PenstockError):
        told = json.loads(bytes(error_answer(error).body))["error"]["message"]  # it is in the log, under a name
        error = PenstockError(told)
    code = _USER if error.status < 500 else _SERVICE
    found = _list_problems(error, places or {})
    document = {
        "Error": {
            "Code": code,
            "Message": error.message,
            "Target": found[0][0] if found else None,
            "Details": [{"Code": error.code, "Message": message, "Target": target} for target, message in found],
            "InnerError": {"Code": error.code},
        },
        "Correlation": {"operation": _operation(request), "request": new_id()},
    }
    return json_answer(document, error.status)


def _list_problems(error: PenstockError, places: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the members of the request that are wrong, each with what is wrong with it."""
    details: Mapping[str, Any] = error.details
    if details.get("target"):
        return [(str(details["target"]), error.message)]
    if details.get("member"):
        return [(_MEMBERS.get(details["member"], str(details["member"])), error.message)]
    names, problems = details.get("parameters") or [], details.get("problems") or []
    return [(f"{places.get(name, _OF_PARAMETERS)}.{name}", text) for name, text in zip(names, problems, strict=False) if name]


def _operation(request: Request) -> str:
    """Return the id that the caller gave its request, so that it finds the answer in its own log; else a new one."""
    asked = request.headers.get("x-ms-client-request-id", "")
    return asked if _OPERATION.fullmatch(asked) else new_id()

"""Where programs on this machine that speak plain HTTP find the service, and what is published in it."""

from __future__ import annotations

import json
from urllib.parse import quote

from penstock.client.home import Home
from penstock.model.errors import Invalid, NotFound, Unavailable
from penstock.operations.context import Context
from penstock.operations.workspaces import get_workspace

_WORKSPACE = (
    "/pipelines/v1.0/subscriptions/{subscription_id}/resourceGroups/{resource_group}"
    "/providers/Microsoft.MachineLearningServices/workspaces/{name}"
)
_PIPELINE, _ENDPOINT, _DESCRIPTION = "pipeline", "endpoint", "swagger"
_PATHS = {
    _PIPELINE: _WORKSPACE + "/PipelineRuns/PipelineSubmit/{subject}",
    _ENDPOINT: _WORKSPACE + "/PipelineRuns/PipelineEndpointSubmit/Id/{subject}",
    _DESCRIPTION: "/pipelines/swagger/pipelineendpointsubmit/swagger.json",
}
_THINGS = {
    _PIPELINE: ("published pipeline", "select 1 from pipelines where id = ? and workspace_id = ?"),
    _ENDPOINT: ("pipeline endpoint", "select 1 from pipeline_endpoints where id = ? and workspace_id = ?"),
}


def get_address(context: Context, workspace_id: str, kind: str, subject: str, version: str | None = None) -> dict[str, str]:
    """Return the address that starts what is published, in v1's form: {"address"}.

    Args:
        context: The surroundings.
        workspace_id: Where it is published.
        kind: pipeline, endpoint, or swagger for the description of all endpoints.
        subject: The id of the pipeline or the endpoint; any word for the description.
        version: One version of an endpoint; None for the default one.

    Raises:
        Invalid: There is no such kind, or the version is no number.
        NotFound: The workspace has no such thing.
        Unavailable: The service can't listen on this machine's own address; the message says why.
    """
    if kind not in _PATHS:
        raise Invalid(f"Nothing of the kind '{kind[:40]}' has an address. There are: {', '.join(_PATHS)}.")
    workspace = get_workspace(context, workspace_id)
    _check_subject(context, workspace, kind, subject)
    words = {key: quote(workspace[key], safe="") for key in ("subscription_id", "resource_group", "name")}
    path = _PATHS[kind].format(subject=quote(subject, safe=""), **words)
    return {"address": f"{base_address(context.home)}{path}{_version_part(kind, version)}"}


def _check_subject(context: Context, workspace: dict[str, str], kind: str, subject: str) -> None:
    if kind in _THINGS:
        noun, statement = _THINGS[kind]
        if context.database.first(statement, (subject, workspace["id"])) is None:
            raise NotFound(f"The workspace '{workspace['name']}' has no {noun} with the id '{subject}'.")


def _version_part(kind: str, version: str | None) -> str:
    if version is None:
        return ""
    if kind != _ENDPOINT or not (version.isascii() and version.isdigit()):
        raise Invalid(f"'{version[:40]}' is no version of a pipeline endpoint: those are '0', '1' and so on.")
    return f"/{version}"


def base_address(home: Home) -> str:
    """Return the address of this machine at which the service listens.

    Raises:
        Unavailable: It listens at none; the message says why.
    """
    port = find_port(home)
    if port is None:
        raise Unavailable(
            f"The service of {home.path} can't be reached over HTTP: it could not listen on 127.0.0.1 ({_find_reason(home)}). "
            "Mend that, and start the service again: penstock service stop, penstock service start."
        )
    return f"http://127.0.0.1:{port}"


def find_port(home: Home) -> int | None:
    """Return the port at which the service listens; None where it could not."""
    found = _read(home)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _find_reason(home: Home) -> str:
    found = _read(home)
    return str(found["reason"]) if isinstance(found, dict) and "reason" in found else "its log says why"


def _read(home: Home) -> object:
    try:
        return json.loads(home.port.read_text())
    except (OSError, ValueError):
        return None

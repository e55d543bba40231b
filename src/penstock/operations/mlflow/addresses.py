"""Where MLflow's clients find a workspace, and what a step's environment tells them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from penstock.client.home import Home
from penstock.model.errors import Refused, Unavailable
from penstock.operations import tokens
from penstock.operations.addresses import find_port
from penstock.operations.context import Context
from penstock.operations.workspaces import get_workspace

_log = logging.getLogger(__name__)


def get_address(context: Context, workspace_id: str) -> dict[str, str]:
    """Return the address of a workspace for MLflow; the token that it needs stands in it.

    Raises:
        Refused: The service could not listen on this machine's own address.
    """
    get_workspace(context, workspace_id)
    port = find_port(context.home)
    if port is None:
        raise Refused(
            "MLflow can't reach this service: it could not listen on 127.0.0.1. Its log says why; start it again when that is mended."
        )
    token = tokens.workspace_token(context, workspace_id)
    return {"tracking_uri": f"http://penstock:{token}@127.0.0.1:{port}/mlflow/{workspace_id}"}


def step_variables(home: Home, run: Mapping[str, Any], experiment: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables by which an unmodified MLflow logs into a run; none where it could not reach the service."""
    port = find_port(home)
    token = find_token(home, run) if port else None
    if token is None:
        return {}
    return {
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}/mlflow/{run['workspace_id']}",
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_RUN_ID": run["id"],
        "MLFLOW_EXPERIMENT_ID": experiment["id"],
        "MLFLOW_EXPERIMENT_NAME": experiment["name"],
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # there is no page of MLflow's at this address
    }


def find_token(home: Home, run: Mapping[str, Any]) -> str | None:
    """Return the token of a run; None where none can be made. A step runs without it, too."""
    try:
        return tokens.run_token(home, run["workspace_id"], run["id"])
    except Unavailable as error:
        _log.warning("token.unavailable run_id=%s message=%s", run["id"], error.message)
        return None

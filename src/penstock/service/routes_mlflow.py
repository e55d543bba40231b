"""The route by which our own client learns where MLflow's clients find a workspace."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.operations.mlflow import addresses
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()


@table.add("GET", "/workspaces/{workspace_id}/mlflow", Role.CONTRIBUTOR, answer="MlflowAddress")
def get_address(call: Call) -> Callable[[], Any]:
    """Read where MLflow's clients find a workspace, with a token."""
    return partial(addresses.get_address, call.context, call.path["workspace_id"])

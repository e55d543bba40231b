"""v1's bridge to MLflow: where MLflow logs to, so that it lands in the runs of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace

__all__ = ["get_mlflow_tracking_uri"]


def get_mlflow_tracking_uri(ws: Workspace) -> str:
    """Return the address for `mlflow.set_tracking_uri`: the workspace's own."""
    return ws.get_mlflow_tracking_uri()

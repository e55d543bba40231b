"""The verb by which MLflow finds a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.client.transport import quoted

if TYPE_CHECKING:
    from penstock.client.transport import Transport


class MlflowVerbs:
    """What a client may ask for MLflow."""

    _transport: Transport

    def get_mlflow_address(self, workspace_id: str) -> str:
        """Return where MLflow finds a workspace; a token stands in it, so it is not to be shown.

        Raises:
            Refused: The service could not listen on this machine's own address.
        """
        return str(self._transport.call("GET", f"/workspaces/{quoted(workspace_id)}/mlflow")["tracking_uri"])

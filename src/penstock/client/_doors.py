"""The verbs by which programs that speak plain HTTP find the service and get in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Optional

from penstock.client.transport import quoted

if TYPE_CHECKING:
    from penstock.client.transport import Transport


class DoorVerbs:
    """What a client may ask for callers that can't use the home folder's socket."""

    _transport: Transport

    def user_token(self) -> Dict[str, Any]:
        """Return the token that opens all workspaces of this home folder, and the second (since 1970) at which it ends.

        It is as good as a password, so it is not to be shown: {"token", "expires_on"}. What a script starts with it is known as started by
        the script's run.
        """
        found: Dict[str, Any] = self._transport.call("GET", "/service/token", {"run_id": os.environ.get("AZUREML_RUN_ID")})
        return found

    def rest_address(self, workspace_id: str, kind: str, id: str, version: Optional[str] = None) -> str:
        """Return the address that starts a published thing by POST. The service stays from now on until it is stopped.

        Args:
            workspace_id: Where it is published.
            kind: pipeline, endpoint, or swagger for the description of all endpoints.
            id: That of the pipeline or the endpoint; any word for the description.
            version: One version of an endpoint; None for the default one.

        Raises:
            NotFound: There is no such thing.
            Unavailable: The service can't listen on this machine's own address.
        """
        place = "/".join(quoted(part) for part in (workspace_id, "addresses", kind, id))
        return str(self._transport.call("GET", f"/workspaces/{place}", {"version": version})["address"])

"""The verbs of a workspace's key vault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence

from penstock.client.transport import quoted

if TYPE_CHECKING:
    from penstock.client.transport import Transport

Document = Dict[str, Any]


class KeyvaultVerbs:
    """What a client may ask of a key vault. Names are the same in capitals and in small letters."""

    _transport: Transport

    def set_secrets(self, workspace_id: str, secrets: Mapping[str, str], content_type: Optional[str] = None) -> None:
        """Keep secrets by name, all or none, over older ones.

        Raises:
            Invalid: A name or a value can't be kept.
        """
        self._transport.call("PUT", _secrets(workspace_id), document={"secrets": dict(secrets), "content_type": content_type})

    def get_secret(self, workspace_id: str, name: str) -> Document:
        """Return {"name", "value", "content_type"}; NotFound when there is no such secret."""
        found: Document = self._transport.call("GET", _secrets(workspace_id, quoted(name, kind="the name of a secret")))
        return found

    def get_secrets(self, workspace_id: str, names: Sequence[str]) -> Dict[str, Optional[str]]:
        """Return name -> value; None for a secret that is not there."""
        found: Dict[str, Optional[str]] = self._transport.call("POST", _secrets(workspace_id, "read"), document={"names": list(names)})
        return found

    def list_secrets(self, workspace_id: str) -> List[Document]:
        """Return name, content_type and created_at of each secret, by name."""
        found: List[Document] = self._transport.call("GET", _secrets(workspace_id))
        return found

    def delete_secret(self, workspace_id: str, name: str) -> None:
        """Forget a secret; NotFound when there is none."""
        self._transport.delete(_secrets(workspace_id, quoted(name, kind="the name of a secret")))


def _secrets(workspace_id: str, *parts: str) -> str:
    return "/".join(["/workspaces", quoted(workspace_id), "secrets", *parts])

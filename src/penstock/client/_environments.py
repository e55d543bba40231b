"""The verbs of environments: registered ones, and those that were built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional

from penstock.client.transport import quoted
from penstock.model.errors import NotFound
from penstock.model.ids import new_id

if TYPE_CHECKING:
    from penstock.client.transport import Transport

Document = Dict[str, Any]


class EnvironmentVerbs:
    """What a client may ask of environments."""

    _transport: Transport

    # Registered

    def register_environment(self, workspace_id: str, name: str, definition: Mapping[str, Any], version: Optional[str] = None) -> Document:
        """Keep an environment: equal content keeps its version, other content gets the next number."""
        about = {"definition": definition, "version": version}
        environment: Document = self._transport.call("POST", _named(workspace_id, name), document=about)
        return environment

    def get_environment(self, workspace_id: str, name: str, version: Optional[str] = None) -> Document:
        """Return one version of an environment, the newest when none is named."""
        environment: Document = self._transport.call("GET", _named(workspace_id, name), {"version": version})
        return environment

    def list_environments(self, workspace_id: str) -> List[Document]:
        """Return the newest version of each environment, by name."""
        found: List[Document] = self._transport.call("GET", f"/workspaces/{quoted(workspace_id)}/environments")
        return found

    # Requests

    def request_environment_build(
        self, workspace_id: str, name: str, version: Optional[str] = None, interpreter: Optional[str] = None
    ) -> Document:
        """Ask for a registered environment to be built; return the request, which `get_environment_request` follows.

        Args:
            workspace_id: Where it is registered.
            name: Its name.
            version: Its version; the newest by default.
            interpreter: The interpreter that asks: where it provides all that is wanted, nothing is built.
        """
        about = {"version": version, "interpreter": interpreter, "request_id": new_id()}
        request: Document = self._transport.call("POST", f"{_named(workspace_id, name)}/builds", document=about)
        return request

    def list_environment_requests(self, workspace_id: str, name: str, version: Optional[str] = None) -> List[Document]:
        """Return what was asked to be built of an environment, the newest first."""
        found: List[Document] = self._transport.call("GET", f"{_named(workspace_id, name)}/builds", {"version": version})
        return found

    def get_environment_request(self, request_id: str) -> Document:
        """Return a request: its status (Queued, Running, Succeeded, Failed), key, python, notes and error."""
        request: Document = self._transport.call("GET", f"/environment-requests/{quoted(request_id)}")
        return request

    def read_environment_request_log(self, request_id: str, offset: int = 0) -> bytes:
        """Return the log of the build that serves a request, from an offset on; b"" while there is none."""
        return self._read_log(f"/environment-requests/{quoted(request_id)}/log", offset)

    # Builds

    def list_environment_builds(self) -> List[Document]:
        """Return what was built, the newest first."""
        found: List[Document] = self._transport.call("GET", "/environment-builds")
        return found

    def get_environment_build(self, key: str) -> Document:
        """Return the build whose key begins with `key`."""
        build: Document = self._transport.call("GET", f"/environment-builds/{quoted(key)}")
        return build

    def read_environment_log(self, key: str, offset: int = 0) -> bytes:
        """Return the log of a build, from an offset on."""
        return b"".join(self._stream(f"/environment-builds/{quoted(key)}/log", offset))

    def remove_environment_build(self, key: str) -> None:
        """Remove a built environment; Refused while it is being built or in use."""
        self._transport.delete(f"/environment-builds/{quoted(key)}")

    def _read_log(self, path: str, offset: int) -> bytes:
        try:
            return b"".join(self._stream(path, offset))
        except NotFound:
            return b""

    def _stream(self, path: str, offset: int) -> Iterator[bytes]:
        return self._transport.stream("GET", path, {"offset": offset or None})


def _named(workspace_id: str, name: str) -> str:
    return f"/workspaces/{quoted(workspace_id)}/environments/{quoted(name)}"

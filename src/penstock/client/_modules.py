"""The verbs of modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional

from penstock.client.transport import quoted
from penstock.model.ids import new_id

if TYPE_CHECKING:
    from penstock.client.transport import Transport

Document = Dict[str, Any]


class ModuleVerbs:
    """What a client may ask about modules. A module is named by its id or its name."""

    _transport: Transport

    def create_module(self, workspace_id: str, name: str, description: Optional[str] = None) -> Document:
        """Make a module without versions; AlreadyExists when its name is taken."""
        document = {"name": name, "description": description, "request_id": new_id()}
        module: Document = self._transport.call("POST", _modules(workspace_id), document=document)
        return module

    def get_module(self, workspace_id: str, module: str) -> Document:
        """Return a module with its versions; NotFound when there is none."""
        found: Document = self._transport.call("GET", _modules(workspace_id, module))
        return found

    def list_modules(self, workspace_id: str, active_only: bool = False) -> List[Document]:
        """Return modules by name."""
        found: List[Document] = self._transport.call("GET", _modules(workspace_id), {"active_only": active_only})
        return found

    def update_module(self, workspace_id: str, module: str, **changes: Optional[str]) -> Document:
        """Change name, description, status or default_version; what is None stays.

        Raises:
            NotFound: There is no such module or version.
            AlreadyExists: Another module has the name.
            Refused: The version that is to be the default is disabled.
        """
        found: Document = self._transport.call("PATCH", _modules(workspace_id, module), document=changes)
        return found

    def publish_module_version(self, workspace_id: str, module: str, definition: Mapping[str, Any], **about: Any) -> Document:
        """Add a version to a module, and return it. A call that is repeated because an answer was lost adds no second one.

        Args:
            workspace_id: Where.
            module: The module.
            definition: What it is; see penstock.model.modules.
            about: version, description, category, is_default.

        Raises:
            AlreadyExists: The module has this version.
            Invalid: The definition is wrong.
        """
        document = {"definition": dict(definition), "request_id": new_id(), **about}
        version: Document = self._transport.call("POST", _modules(workspace_id, module, "versions"), document=document)
        return version

    def resolve_module_version(self, workspace_id: str, module: str, version: Optional[str] = None) -> Document:
        """Return the version that a step takes; `chosen` says why it is this one."""
        found: Document = self._transport.call("GET", _modules(workspace_id, module, "resolve"), {"version": version})
        return found

    def list_runs_of_module(self, workspace_id: str, module: str, limit: Optional[int] = None) -> List[Document]:
        """Return the pipeline runs that have a step of a module, newest first."""
        found: List[Document] = self._transport.call("GET", _modules(workspace_id, module, "runs"), {"limit": limit})
        return found

    def get_module_version(self, workspace_id: str, version_id: str) -> Document:
        """Return a version of a module by its id; NotFound when there is none."""
        version: Document = self._transport.call("GET", _version(workspace_id, version_id))
        return version

    def update_module_version(
        self, workspace_id: str, version_id: str, description: Optional[str] = None, status: Optional[str] = None
    ) -> Document:
        """Describe a version, or make it Active, Deprecated or Disabled."""
        document = {"description": description, "status": status}
        version: Document = self._transport.call("PATCH", _version(workspace_id, version_id), document=document)
        return version


def _modules(workspace_id: str, *parts: str) -> str:
    named = [quoted(part, kind="the name of a module") for part in parts]
    return "/".join(["/workspaces", quoted(workspace_id), "modules", *named])


def _version(workspace_id: str, version_id: str) -> str:
    return f"/workspaces/{quoted(workspace_id)}/module-versions/{quoted(version_id, kind='the id of a version')}"

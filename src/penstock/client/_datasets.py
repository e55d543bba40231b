"""The verbs of datasets and of lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Union

from penstock.client.transport import quoted
from penstock.model.ids import new_id

if TYPE_CHECKING:
    from penstock.client.transport import Transport

Document = Dict[str, Any]

SEARCH_SECONDS = 3600.0  # a far store with very many files, or a slow query


class DatasetVerbs:
    """What a client may ask about datasets. Definitions are documents as penstock.model.datasets writes them."""

    _transport: Transport

    def save_dataset(self, workspace_id: str, document: Mapping[str, Any]) -> Document:
        """Keep a definition; return {"id", "definition", "created_at", "registrations"}. The same definition has the same id."""
        saved: Document = self._transport.call("POST", _in(workspace_id, "saved-datasets"), document={"dataset": document})
        return saved

    def get_dataset(self, workspace_id: str, dataset_id: str) -> Document:
        """Return a saved dataset, registered or not."""
        saved: Document = self._transport.call("GET", _in(workspace_id, "saved-datasets", dataset_id))
        return saved

    def resolve_dataset(self, workspace_id: str, document: Mapping[str, Any]) -> Document:
        """Return {"files", "folder", "is_single"}: where the files of a dataset are now. Nothing is copied.

        Raises:
            NotFound: There is nothing at one of its places.
            Invalid: Its definition can't be followed.
        """
        found: Document = self._transport.call(
            "POST", _in(workspace_id, "resolved-datasets"), document={"dataset": document}, wait_seconds=SEARCH_SECONDS
        )
        return found

    def register_dataset(
        self,
        workspace_id: str,
        document: Mapping[str, Any],
        name: str,
        description: Optional[str] = None,
        tags: Optional[Mapping[str, Any]] = None,
        create_new_version: bool = False,
    ) -> Document:
        """Register a definition under a name; return the version, which is an old one where it has the same definition.

        Raises:
            AlreadyExists: The name is taken, and `create_new_version` is False.
        """
        about = {"dataset": document, "description": description, "tags": tags, "create_new_version": create_new_version}
        version: Document = self._transport.call("POST", _in(workspace_id, "datasets", name), document={**about, "request_id": new_id()})
        return version

    def get_dataset_version(self, workspace_id: str, name: str, version: Union[int, str, None] = None) -> Document:
        """Return one version of a registered dataset; the newest for None and 'latest'."""
        found: Document = self._transport.call("GET", _in(workspace_id, "datasets", name), {"version": version})
        return found

    def list_datasets(self, workspace_id: str) -> List[Document]:
        """Return the newest version of each registered dataset, by name."""
        found: List[Document] = self._transport.call("GET", _in(workspace_id, "datasets"))
        return found

    def list_dataset_versions(self, workspace_id: str, name: str) -> List[Document]:
        """Return all versions of a registered dataset, oldest first."""
        found: List[Document] = self._transport.call("GET", _in(workspace_id, "datasets", name, "versions"))
        return found

    def update_dataset_version(
        self,
        workspace_id: str,
        name: str,
        version: Union[int, str],
        description: Optional[str] = None,
        tags: Optional[Mapping[str, Any]] = None,
        remove_tags: Optional[Sequence[str]] = None,
    ) -> Document:
        """Describe a version, merge tags into it, remove tags from it."""
        changes = {"description": description, "tags": tags, "remove_tags": None if remove_tags is None else list(remove_tags)}
        path = _in(workspace_id, "datasets", name, "versions", str(version))
        found: Document = self._transport.call("PATCH", path, document=changes)
        return found

    def unregister_dataset(self, workspace_id: str, name: str) -> None:
        """Forget a registered dataset with all of its versions; its definitions and the lineage stay."""
        self._transport.delete(_in(workspace_id, "datasets", name))

    # Lineage

    def record_lineage(
        self,
        run_id: str,
        direction: str,
        dataset_id: str,
        port: str = "",
        mode: Optional[str] = None,
        name: Optional[str] = None,
        version: Optional[int] = None,
    ) -> None:
        """Note that a run read ('input') or wrote ('output') a saved dataset."""
        about = {"direction": direction, "dataset_id": dataset_id, "port": port, "mode": mode, "name": name, "version": version}
        self._transport.call("POST", f"/runs/{quoted(run_id)}/lineage", document=about)

    def list_lineage(
        self,
        workspace_id: str,
        run_id: Optional[str] = None,
        dataset_id: Optional[str] = None,
        name: Optional[str] = None,
        version: Union[int, str, None] = None,
        limit: Optional[int] = None,
    ) -> List[Document]:
        """Return what runs read and wrote, newest first: of a run and its steps, of a dataset, or of a name, in one version or all."""
        query = {"run_id": run_id, "dataset_id": dataset_id, "name": name, "version": version, "limit": limit}
        found: List[Document] = self._transport.call("GET", _in(workspace_id, "lineage"), query)
        return found


def _in(workspace_id: str, *parts: str) -> str:
    return "/".join(["/workspaces", *(quoted(part) for part in (workspace_id, *parts))])

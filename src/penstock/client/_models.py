"""The verbs of registered models."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union, cast

from penstock.client._files import Frames, write_parts
from penstock.client.transport import quoted
from penstock.model.errors import Invalid, NotFound, Refused
from penstock.model.ids import new_id

if TYPE_CHECKING:
    from penstock.client.transport import Transport

Document = Dict[str, Any]
Version = Union[int, str, None]
Pairs = Union[str, Mapping[str, Any], None]  # a key, or pairs; a value that is None means any
FileEntry = Tuple[str, int, str]  # path inside the model, bytes, sha256

KEEP_SECONDS = 3600.0  # how long the service may take to copy a run's files
_TRIES = 3
_SMALL_BYTES = 1 << 20  # what is read whole
_SMALL_TOGETHER = 64


class ModelVerbs:
    """What a client may ask about registered models."""

    _transport: Transport

    if TYPE_CHECKING:  # of the whole client

        def missing_blobs(self, digests: Sequence[str]) -> List[str]: ...

    def put_model_file(self, digest: str, data: Union[bytes, IO[bytes]]) -> None:
        """Give the service the bytes of a model's file under their sha256."""
        for _ in self._transport.stream("PUT", f"/model-files/{quoted(digest)}", body=data):
            pass

    def put_model_files(self, files: Sequence[Tuple[str, str]]) -> None:
        """Give the service many small files of models in one request: pairs of their sha256 and their path."""
        for _ in self._transport.stream("POST", "/model-files", body=cast("IO[bytes]", Frames(files))):
            pass

    def register_model(
        self,
        workspace_id: str,
        name: str,
        files: Optional[Sequence[FileEntry]] = None,
        run_id: Optional[str] = None,
        path: Optional[str] = None,
        unpack: bool = False,
        sources: Optional[Mapping[str, str]] = None,
        **about: Any,
    ) -> Document:
        """Register the next version of a model; return it with its files.

        A call that is repeated because an answer was lost registers no second version.

        Args:
            workspace_id: Where.
            name: The model's name.
            files: Path inside the model, size and sha256 of each file. None to take them from the run.
            run_id: The run that it comes from.
            path: A file or a folder of that run.
            unpack: Whether `files` are those of a folder.
            sources: sha256 -> where the bytes lie on this machine; those that the service has not are sent.
            about: description, tags, properties, experiment_name, framework, framework_version, details.

        Raises:
            NotFound: There is no such run, or nothing in it under this path.
            Invalid: The name can't be a model's, or tags or properties hold more than texts.
        """
        document = {"files": None if files is None else [list(entry) for entry in files], "run_id": run_id, "path": path, "unpack": unpack}
        document.update({**about, "request_id": new_id()})
        places = sources or {}
        for _ in range(_TRIES - 1):
            self._send_files(places)
            try:
                return self._register(workspace_id, name, document)
            except NotFound as error:  # somebody deleted a model with the same bytes meanwhile
                if not places or "missing" not in error.details:
                    raise
        self._send_files(places)
        return self._register(workspace_id, name, document)

    def _send_files(self, sources: Mapping[str, str]) -> None:
        """Send the bytes that the service has not, the small files together."""
        missing = [(digest, sources[digest]) for digest in (self.missing_blobs(list(sources)) if sources else ())]
        sizes = {digest: os.path.getsize(path) for digest, path in missing}
        small = [pair for pair in missing if sizes[pair[0]] < _SMALL_BYTES]
        for begin in range(0, len(small), _SMALL_TOGETHER):
            self.put_model_files(small[begin : begin + _SMALL_TOGETHER])
        for digest, path in missing:
            if sizes[digest] >= _SMALL_BYTES:
                self._send_file(digest, path)

    def _send_file(self, digest: str, path: str) -> None:
        try:
            with open(path, "rb") as file:
                self.put_model_file(digest, file)
        except Invalid:
            raise Refused(f"{path} changed while it was sent; nothing was registered. Register it when it is written.") from None

    def _register(self, workspace_id: str, name: str, document: Document) -> Document:
        path = _in(workspace_id, name)
        model: Document = self._transport.call("POST", path, document=document, wait_seconds=KEEP_SECONDS)
        return model

    def get_model(self, workspace_id: str, name: str, version: Version = None) -> Document:
        """Return one version of a model with its files; the newest for None and 'latest'."""
        found: Document = self._transport.call("GET", _in(workspace_id, name), {"version": version})
        return found

    def list_models(
        self,
        workspace_id: str,
        name: Optional[str] = None,
        tags: Pairs = None,
        properties: Pairs = None,
        run_id: Optional[str] = None,
        dataset_id: Optional[str] = None,
        framework: Optional[str] = None,
        latest: bool = False,
        limit: Optional[int] = None,
    ) -> List[Document]:
        """Return versions of models, newest first, without their files; with `latest` only the newest match of each name."""
        query = {
            "name": name,
            "tags": tags if tags is None or isinstance(tags, str) else dict(tags),
            "properties": properties if properties is None or isinstance(properties, str) else dict(properties),
            "run_id": run_id,
            "dataset_id": dataset_id,
            "framework": framework,
            "latest": latest,
            "limit": limit,
        }
        found: List[Document] = self._transport.call("GET", _in(workspace_id), query)
        return found

    def update_model(
        self,
        workspace_id: str,
        name: str,
        version: Version,
        description: Optional[str] = None,
        tags: Optional[Mapping[str, Any]] = None,
        remove_tags: Optional[Sequence[str]] = None,
        properties: Optional[Mapping[str, Any]] = None,
        details: Optional[Mapping[str, Any]] = None,
    ) -> Document:
        """Describe a version, merge tags and details into it, remove tags, add properties; Refused where one has another value."""
        changes: Document = {"description": description, "tags": tags, "properties": properties, "details": details}
        changes["remove_tags"] = None if remove_tags is None else list(remove_tags)
        found: Document = self._transport.call("PATCH", _in(workspace_id, name, "versions", str(version)), document=changes)
        return found

    def delete_model(self, workspace_id: str, name: str, version: Version) -> None:
        """Forget a version of a model; its number is not given again."""
        self._transport.delete(_in(workspace_id, name, "versions", str(version)))

    def stream_model_file(self, workspace_id: str, name: str, version: Version, path: str) -> Iterator[bytes]:
        """Yield the bytes of one file of a model."""
        place = f"{_in(workspace_id, name, 'versions', str(version), 'files')}/{quoted(path, safe='/')}"
        return self._transport.stream("GET", place)

    def download_model_file(
        self, workspace_id: str, name: str, version: Version, path: str, target_path: Union[str, os.PathLike[str]]
    ) -> None:
        """Write a file of a model to a path, whole or not at all; folders on the way are made."""
        write_parts(self.stream_model_file(workspace_id, name, version, path), target_path)


def _in(workspace_id: str, *parts: str) -> str:
    return "/".join(["/workspaces", quoted(workspace_id), "models", *(quoted(part, kind="the name of a model") for part in parts)])

"""The verbs of the service, as methods. Values are plain JSON; errors are those of penstock.model.errors."""

from __future__ import annotations

import io
import os
import time
from typing import IO, TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union, cast

from penstock.client._datasets import DatasetVerbs
from penstock.client._doors import DoorVerbs
from penstock.client._drafts import DraftVerbs
from penstock.client._environments import EnvironmentVerbs
from penstock.client._files import Frames, write_parts
from penstock.client._keyvault import KeyvaultVerbs
from penstock.client._mlflow import MlflowVerbs
from penstock.client._models import ModelVerbs
from penstock.client._modules import ModuleVerbs
from penstock.client._pipelines import PipelineVerbs, signed
from penstock.client._schedules import ScheduleVerbs
from penstock.client._transfers import TransferVerbs
from penstock.client.transport import Transport, quoted
from penstock.model.errors import Unavailable
from penstock.model.ids import new_id, script_run_id

if TYPE_CHECKING:
    from penstock.client.home import Home

Document = Dict[str, Any]
Pairs = Union[str, Mapping[str, Any], None]
Words = Union[str, Sequence[str], None]


class Client(
    DatasetVerbs,
    DoorVerbs,
    DraftVerbs,
    EnvironmentVerbs,
    KeyvaultVerbs,
    MlflowVerbs,
    ModelVerbs,
    ModuleVerbs,
    PipelineVerbs,
    ScheduleVerbs,
    TransferVerbs,
):
    """The service of one home folder. The first call that needs it starts it. Threads may share a client."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._transport = Transport(home)

    def _get(self, path: str, **query: Any) -> Any:
        return self._transport.call("GET", path, query)

    def _send(self, method: str, path: str, **document: Any) -> Any:
        return self._transport.call(method, path, document=document)

    def _delete(self, path: str) -> None:
        self._transport.delete(path)

    # The service

    def service_info(self, start: bool = True) -> Document:
        """Return version, api, pid, home, started_at and idle_seconds; with `start` False, raise Unavailable when none runs."""
        info: Document = self._transport.call("GET", "/service", start=start)
        return info

    def stop_service(self) -> None:
        """Ask the service to leave; one that does not run is left alone. Steps go on without it."""
        try:
            self._transport.call("POST", "/service/stop", document={}, start=False)
        except Unavailable:
            pass

    # Workspaces

    def resolve_workspace(self, subscription_id: str, resource_group: str, name: str, create: bool = True) -> Document:
        """Return the workspace that a triple names, made on first use unless `create` is False."""
        triple = {"subscription_id": subscription_id, "resource_group": resource_group, "name": name}
        workspace: Document = self._send("POST", "/workspaces/resolve", create=create, **triple)
        return workspace

    def create_workspace(
        self,
        name: str,
        subscription_id: Optional[str] = None,
        resource_group: Optional[str] = None,
        location: Optional[str] = None,
        tags: Optional[Mapping[str, Any]] = None,
        details: Optional[Mapping[str, Any]] = None,
        exist_ok: bool = False,
    ) -> Document:
        """Create a workspace; AlreadyExists when the triple is taken, unless `exist_ok`."""
        workspace: Document = self._send(
            "POST",
            "/workspaces",
            name=name,
            subscription_id=subscription_id,
            resource_group=resource_group,
            location=location,
            tags=tags,
            details=details,
            exist_ok=exist_ok,
            request_id=new_id(),
        )
        return workspace

    def list_workspaces(self, subscription_id: Optional[str] = None, resource_group: Optional[str] = None) -> List[Document]:
        """Return all workspaces by name, or those of one subscription or group."""
        found: List[Document] = self._get("/workspaces", subscription_id=subscription_id, resource_group=resource_group)
        return found

    def get_workspace(self, workspace_id: str) -> Document:
        """Return one workspace."""
        workspace: Document = self._get(f"/workspaces/{quoted(workspace_id)}")
        return workspace

    def update_workspace(
        self, workspace_id: str, tags: Optional[Mapping[str, Any]] = None, details: Optional[Mapping[str, Any]] = None
    ) -> Document:
        """Merge tags and details into a workspace."""
        workspace: Document = self._send("PATCH", f"/workspaces/{quoted(workspace_id)}", tags=tags, details=details)
        return workspace

    def delete_workspace(self, workspace_id: str) -> None:
        """Forget a workspace and its runs; the data on its datastores stays."""
        self._delete(f"/workspaces/{quoted(workspace_id)}")

    def default_workspace(self) -> Document:
        """Return the workspace of scripts that name none."""
        workspace: Document = self._send("POST", "/workspaces/default")
        return workspace

    # Experiments

    def ensure_experiment(self, workspace_id: str, name: str) -> Document:
        """Return the experiment of this name, made on first use."""
        experiment: Document = self._send("PUT", _in(workspace_id, "experiments", name))
        return experiment

    def list_experiments(self, workspace_id: str, include_archived: bool = False) -> List[Document]:
        """Return the experiments of a workspace by name."""
        found: List[Document] = self._get(_in(workspace_id, "experiments"), include_archived=include_archived)
        return found

    def get_experiment(self, experiment_id: str) -> Document:
        """Return one experiment."""
        experiment: Document = self._get(f"/experiments/{quoted(experiment_id)}")
        return experiment

    def update_experiment(
        self,
        experiment_id: str,
        tags: Optional[Mapping[str, Any]] = None,
        remove_tags: Optional[Sequence[str]] = None,
        archived: Optional[bool] = None,
    ) -> Document:
        """Merge and remove tags; archive or bring back an experiment."""
        changes = {"tags": tags, "remove_tags": None if remove_tags is None else list(remove_tags), "archived": archived}
        experiment: Document = self._send("PATCH", f"/experiments/{quoted(experiment_id)}", **changes)
        return experiment

    def delete_experiment(self, experiment_id: str) -> None:
        """Delete an experiment without runs; Refused when it has some."""
        self._delete(f"/experiments/{quoted(experiment_id)}")

    # Datastores

    def list_datastores(self, workspace_id: str) -> List[Document]:
        """Return the datastores of a workspace, oldest first."""
        found: List[Document] = self._get(_in(workspace_id, "datastores"))
        return found

    def get_datastore(self, workspace_id: str, name: str) -> Document:
        """Return one datastore."""
        datastore: Document = self._get(_in(workspace_id, "datastores", name))
        return datastore

    def get_default_datastore(self, workspace_id: str) -> Document:
        """Return the datastore that is used where a script names none."""
        datastore: Document = self._get(_in(workspace_id, "default-datastore"))
        return datastore

    def register_datastore(
        self,
        workspace_id: str,
        name: str,
        type: str,
        root: Optional[str] = None,
        definition: Optional[Mapping[str, Any]] = None,
        overwrite: bool = False,
        secrets: Optional[Mapping[str, str]] = None,
    ) -> Document:
        """Register a datastore; AlreadyExists when the name is taken, unless `overwrite`. Secrets are kept encrypted, and not shown."""
        about = {"type": type, "root": root, "definition": definition, "overwrite": overwrite, "secrets": secrets, "request_id": new_id()}
        datastore: Document = self._send("PUT", _in(workspace_id, "datastores", name), **about)
        return datastore

    def get_datastore_secrets(self, workspace_id: str, name: str) -> Dict[str, str]:
        """Return the credentials of a datastore in clear, by name."""
        found: Dict[str, str] = self._get(_in(workspace_id, "datastores", name, "secrets"))
        return found

    def set_default_datastore(self, workspace_id: str, name: str) -> Document:
        """Make a datastore the one that is used where a script names none."""
        datastore: Document = self._send("PUT", _in(workspace_id, "default-datastore"), name=name)
        return datastore

    def unregister_datastore(self, workspace_id: str, name: str) -> None:
        """Forget a datastore; what lies in it stays."""
        self._delete(_in(workspace_id, "datastores", name))

    # Compute targets

    def list_compute_targets(self, workspace_id: str) -> List[Document]:
        """Return the compute targets of a workspace by name."""
        found: List[Document] = self._get(_in(workspace_id, "compute-targets"))
        return found

    def get_compute_target(self, workspace_id: str, name: str) -> Document:
        """Return one compute target; NotFound when there is none of this name."""
        target: Document = self._get(_in(workspace_id, "compute-targets", name))
        return target

    def put_compute_target(
        self, workspace_id: str, name: str, type: str, definition: Mapping[str, Any], overwrite: bool = False
    ) -> Document:
        """Create a compute target, or replace it with `overwrite`; `max_nodes` of the definition limits its steps."""
        about = {"type": type, "definition": definition, "overwrite": overwrite, "request_id": new_id()}
        target: Document = self._send("PUT", _in(workspace_id, "compute-targets", name), **about)
        return target

    def delete_compute_target(self, workspace_id: str, name: str) -> None:
        """Forget a compute target; Refused while steps run on it."""
        self._delete(_in(workspace_id, "compute-targets", name))

    # Source folders

    def missing_blobs(self, digests: Sequence[str]) -> List[str]:
        """Return those of these sha256 whose bytes the service does not have yet."""
        found: List[str] = self._send("POST", "/blobs/missing", digests=list(digests))
        return found

    def put_blob(self, digest: str, data: Union[bytes, IO[bytes]]) -> None:
        """Give the service bytes under their sha256."""
        for _ in self._transport.stream("PUT", f"/blobs/{quoted(digest)}", body=data):
            pass

    def put_blobs(self, files: Sequence[Tuple[str, str]]) -> None:
        """Give the service many small files in one request: pairs of their sha256 and their path. Each is read whole, one at a time."""
        for _ in self._transport.stream("POST", "/blobs", body=cast("IO[bytes]", Frames(files))):
            pass

    def put_snapshot(self, digest: str, entries: Sequence[Sequence[Any]]) -> Document:
        """Give the service the list of a source folder's files: [path, size, sha256, executable]; their bytes must be there."""
        snapshot: Document = self._send("PUT", f"/snapshots/{quoted(digest)}", entries=[list(entry) for entry in entries])
        return snapshot

    def get_snapshot(self, digest: str) -> List[List[Any]]:
        """Return the files of a snapshot: [path, size, sha256, executable]; NotFound when there is none."""
        entries: List[List[Any]] = self._get(f"/snapshots/{quoted(digest)}")
        return entries

    def read_blob(self, digest: str) -> Iterator[bytes]:
        """Yield the bytes that have a sha256; NotFound when there are none."""
        return self._transport.stream("GET", f"/blobs/{quoted(digest)}")

    # Runs

    def submit_pipeline(self, workspace_id: str, experiment_name: str, submission: Mapping[str, Any]) -> Document:
        """Start a pipeline run; return {"run", "steps", "definitions"}.

        The submission gets a `request_id` when it has none, so a call that is repeated after a crash starts no second run.

        Raises:
            InvalidGraph: The pipeline can't run; every problem is listed.
            Invalid: A parameter's name or value is wrong.
        """
        answer: Document = self._send(
            "POST", _in(workspace_id, "pipeline-runs"), experiment_name=experiment_name, submission=signed(submission)
        )
        return answer

    def submit_script(self, workspace_id: str, experiment_name: str, submission: Mapping[str, Any]) -> Document:
        """Start the run of one script or command; return the run.

        The submission is that of a pipeline whose graph has one step. It gets a `run_id` and a `request_id` when it has none, so a call
        that is repeated after a crash starts no second run.

        Raises:
            InvalidGraph: The script can't run; every problem is listed.
            AlreadyExists: There is another run of this `run_id`.
        """
        named = signed(submission)
        named["run_id"] = named.get("run_id") or script_run_id(experiment_name, time.time())
        run: Document = self._send("POST", _in(workspace_id, "experiments", experiment_name, "script-runs"), submission=named)
        return run

    def get_run(self, run_id: str) -> Document:
        """Return one run; NotFound when there is none."""
        run: Document = self._get(_run(run_id))
        return run

    def list_runs(
        self,
        workspace_id: Optional[str] = None,
        experiment_name: Optional[str] = None,
        type: Optional[str] = None,
        tags: Pairs = None,
        properties: Pairs = None,
        status: Words = None,
        include_children: bool = False,
        limit: Optional[int] = None,
        before: Optional[str] = None,
        id_prefix: Optional[str] = None,
        target: Optional[str] = None,
    ) -> List[Document]:
        """Return runs, newest first; `before` is the id of a run that all of them are older than, `id_prefix` how all of theirs begin."""
        found: List[Document] = self._get(
            "/runs",
            workspace_id=workspace_id,
            experiment_name=experiment_name,
            type=type,
            tags=_filter(tags),
            properties=_filter(properties),
            status=_words(status),
            include_children=include_children,
            limit=limit,
            before=before,
            id_prefix=id_prefix,
            target=target,
        )
        return found

    def list_children(
        self,
        run_id: str,
        recursive: bool = False,
        type: Optional[str] = None,
        tags: Pairs = None,
        properties: Pairs = None,
        status: Words = None,
    ) -> List[Document]:
        """Return the runs below a run: the newest start first, those that did not start last. Their `run_definition` is left out."""
        found: List[Document] = self._get(
            _run(run_id, "children"),
            recursive=recursive,
            type=type,
            tags=_filter(tags),
            properties=_filter(properties),
            status=_words(status),
        )
        return found

    def update_run(
        self,
        run_id: str,
        tags: Optional[Mapping[str, Any]] = None,
        remove_tags: Optional[Sequence[str]] = None,
        properties: Optional[Mapping[str, Any]] = None,
        display_name: Optional[str] = None,
        description: Optional[str] = None,
    ) -> Document:
        """Merge and remove tags, add properties (written once), name or describe a run."""
        run: Document = self._send(
            "PATCH",
            _run(run_id),
            tags=tags,
            remove_tags=None if remove_tags is None else list(remove_tags),
            properties=properties,
            display_name=display_name,
            description=description,
        )
        return run

    def create_run(
        self,
        workspace_id: str,
        experiment_name: str,
        name: Optional[str] = None,
        run_id: Optional[str] = None,
        parent_run_id: Optional[str] = None,
        type: Optional[str] = None,
        tags: Optional[Mapping[str, Any]] = None,
        properties: Optional[Mapping[str, Any]] = None,
        display_name: Optional[str] = None,
        description: Optional[str] = None,
        status: str = "Running",
        request_id: Optional[str] = None,
    ) -> Document:
        """Create a run that this client drives itself; AlreadyExists when the `run_id` is taken. Its id is else the `request_id`."""
        about = {
            "request_id": request_id or new_id(),
            "experiment_name": experiment_name,
            "name": name,
            "run_id": run_id,
            "parent_run_id": parent_run_id,
            "type": type,
            "tags": tags,
            "properties": properties,
            "display_name": display_name,
            "description": description,
            "status": status,
        }
        # A second try under a chosen id would meet the first one; under the request's id it finds it.
        run: Document = self._transport.call("POST", _in(workspace_id, "runs"), document=about, can_repeat=run_id is None)
        return run

    def set_run_status(self, run_id: str, status: str, error: Optional[Mapping[str, Any]] = None) -> Document:
        """Move a run that this client drives; Refused for runs of pipelines and steps, and where the status can't follow."""
        run: Document = self._send("PUT", _run(run_id, "status"), status=status, error=error)
        return run

    def cancel_run(self, run_id: str) -> Document:
        """Ask a run and all below it to stop; return the run as it is now."""
        run: Document = self._send("POST", _run(run_id, "cancel"))
        return run

    def follow_run(self, run_id: str, after: int = 0, wait_seconds: float = 0) -> Document:
        """Return {"events", "last", "run", "is_full"}: the events after number `after`, as soon as there are any within `wait_seconds`.

        For a pipeline run they are those of the whole tree. When `is_full`, there may be more already: ask again. A run that has ended
        is never waited for. A service that dies meanwhile is started again, and the call goes on.
        """
        query = {"after": after, "wait_seconds": wait_seconds or None}
        answer: Document = self._transport.call("GET", _run(run_id, "events"), query, wait_seconds=wait_seconds)
        return answer

    def get_graph(self, run_id: str) -> Document:
        """Return the graph document of a pipeline run."""
        graph: Document = self._get(_run(run_id, "graph"))
        return graph

    def list_outputs(self, run_id: str) -> List[Document]:
        """Return the outputs of a step run, or those of a pipeline run that have a pipeline_output_name."""
        found: List[Document] = self._get(_run(run_id, "outputs"))
        return found

    def explain(self, run_id: str) -> List[Document]:
        """Return why a step ran or was reused: [{"component", "old", "new", "reason"}]."""
        found: List[Document] = self._get(_run(run_id, "explanation"))
        return found

    # Metrics and files

    def list_metrics(self, run_id: str, recursive: bool = False) -> Dict[str, List[Document]]:
        """Return run id -> records, with `recursive` of all runs below too; runs without records are absent."""
        found: Dict[str, List[Document]] = self._get(_run(run_id, "metrics"), recursive=recursive)
        return found

    def list_metric_values(self, run_id: str, recursive: bool = False, name: Optional[str] = None) -> Dict[str, Document]:
        """Return run id -> {"values": v1's dictionary of metrics, "artifacts": the names that are files}; runs without any are absent."""
        found: Dict[str, Document] = self._get(_run(run_id, "metrics", "values"), recursive=recursive, name=name)
        return found

    def log_metrics(self, run_id: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Append records to a run, for code that runs outside of a step."""
        self._transport.call("POST", _run(run_id, "metrics"), document={"records": list(records), "request_id": new_id()})

    def list_files(self, run_id: str) -> List[Document]:
        """Return name and size of every file of a run, by name."""
        found: List[Document] = self._get(_run(run_id, "files"))
        return found

    def read_file(self, run_id: str, name: str, offset: int = 0) -> bytes:
        """Return a file of a run, from an offset on; b"" behind its end."""
        return b"".join(self._stream_file(run_id, name, offset))

    def _stream_file(self, run_id: str, name: str, offset: int = 0) -> Iterator[bytes]:
        return self._transport.stream("GET", _file(run_id, name), {"offset": offset or None})

    def put_file(self, run_id: str, name: str, path_or_stream: Union[str, os.PathLike[str], IO[bytes]]) -> None:
        """Keep a file with a run, over an older one of the name."""
        if isinstance(path_or_stream, (str, os.PathLike)):
            with open(path_or_stream, "rb") as file:
                return self.put_file(run_id, name, file)
        stream = path_or_stream if _is_seekable(path_or_stream) else io.BytesIO(path_or_stream.read())
        for _ in self._transport.stream("PUT", _file(run_id, name), body=stream):
            pass

    def download_file(self, run_id: str, name: str, target_path: Union[str, os.PathLike[str]]) -> None:
        """Write a file of a run to a path, whole or not at all; folders on the way are made."""
        write_parts(self._stream_file(run_id, name), target_path)


def _in(workspace_id: str, *parts: str) -> str:
    return "/".join(["/workspaces", *(quoted(part) for part in (workspace_id, *parts))])


def _run(run_id: str, *parts: str) -> str:
    return "/".join(["/runs", quoted(run_id, kind="the id of a run"), *parts])


def _file(run_id: str, name: str) -> str:
    return _run(run_id, "files", quoted(name, safe="/"))


def _filter(pairs: Pairs) -> Pairs:
    return dict(pairs) if isinstance(pairs, Mapping) else pairs


def _words(words: Words) -> Optional[str]:
    return words if words is None or isinstance(words, str) else ",".join(words)


def _is_seekable(stream: IO[bytes]) -> bool:
    try:
        return stream.seekable()
    except AttributeError:
        return False

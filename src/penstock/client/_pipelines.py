"""The verbs of published pipelines and their endpoints."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional

from penstock.client.transport import quoted
from penstock.model.ids import new_id

if TYPE_CHECKING:
    from penstock.client.transport import Transport

Document = Dict[str, Any]


class PipelineVerbs:
    """What a client may ask about what is published."""

    _transport: Transport

    # Pipelines

    def publish_pipeline(self, workspace_id: str, wanted: Mapping[str, Any]) -> Document:
        """Publish a graph, or that of a run; return the pipeline, with what the workspace knows of its steps as `definitions`.

        A call that is repeated because an answer was lost publishes no second one.

        Args:
            workspace_id: Where.
            wanted: `graph` and `interpreter`, or `run_id`; name, description, version, continue_on_step_failure, tags, properties.

        Raises:
            InvalidGraph: The pipeline could not run; every problem is listed.
            NotFound: There is no such pipeline run.
        """
        pipeline: Document = self._transport.call("POST", _pipelines(workspace_id), document={"request_id": new_id(), **wanted})
        return pipeline

    def get_pipeline(self, workspace_id: str, pipeline_id: str) -> Document:
        """Return one published pipeline; NotFound when there is none with this id."""
        pipeline: Document = self._transport.call("GET", _pipelines(workspace_id, pipeline_id))
        return pipeline

    def list_pipelines(
        self, workspace_id: str, active_only: bool = False, name: Optional[str] = None, limit: Optional[int] = None
    ) -> List[Document]:
        """Return published pipelines, newest first."""
        query = {"active_only": active_only, "name": name, "limit": limit}
        found: List[Document] = self._transport.call("GET", _pipelines(workspace_id), query)
        return found

    def get_pipeline_graph(self, workspace_id: str, pipeline_id: str) -> Document:
        """Return the graph document of a published pipeline."""
        graph: Document = self._transport.call("GET", _pipelines(workspace_id, pipeline_id, "graph"))
        return graph

    def set_pipeline_status(self, workspace_id: str, pipeline_id: str, status: str) -> Document:
        """Make a published pipeline Active, Deprecated or Disabled."""
        pipeline: Document = self._transport.call("PUT", _pipelines(workspace_id, pipeline_id, "status"), document={"status": status})
        return pipeline

    def submit_published(self, workspace_id: str, pipeline_id: str, wanted: Mapping[str, Any]) -> Document:
        """Run a published pipeline; return the run.

        Args:
            workspace_id: Where.
            pipeline_id: The pipeline.
            wanted: `experiment_name`; parameters, description, tags, step_tags, properties, continue_on_step_failure, parent_run_id,
                run_source, run_type.

        Raises:
            NotFound: There is no such pipeline or parent run.
            Refused: The pipeline is disabled.
            Invalid: A parameter's name or value is wrong.
        """
        run: Document = self._transport.call("POST", _pipelines(workspace_id, pipeline_id, "runs"), document=signed(wanted))
        return run

    def list_runs_of_pipeline(self, workspace_id: str, pipeline_id: str, limit: Optional[int] = None) -> List[Document]:
        """Return the runs of a published pipeline, newest first."""
        found: List[Document] = self._transport.call("GET", _pipelines(workspace_id, pipeline_id, "runs"), {"limit": limit})
        return found

    # Endpoints

    def create_pipeline_endpoint(
        self, workspace_id: str, name: str, pipeline_id: str, description: Optional[str] = None, **about: Any
    ) -> Document:
        """Make an endpoint whose version 0 is a published pipeline; AlreadyExists when the name is taken."""
        document = {"name": name, "pipeline_id": pipeline_id, "description": description, "request_id": new_id(), **about}
        endpoint: Document = self._transport.call("POST", _endpoints(workspace_id), document=document)
        return endpoint

    def get_pipeline_endpoint(self, workspace_id: str, endpoint_id: str) -> Document:
        """Return one endpoint with its versions; NotFound when there is none with this id."""
        endpoint: Document = self._transport.call("GET", _endpoints(workspace_id, endpoint_id))
        return endpoint

    def get_pipeline_endpoint_by_name(self, workspace_id: str, name: str) -> Document:
        """Return the endpoint of a name; NotFound, with the nearest name, when there is none."""
        path = f"/workspaces/{quoted(workspace_id)}/named-pipeline-endpoint"
        endpoint: Document = self._transport.call("GET", path, {"name": name})
        return endpoint

    def list_pipeline_endpoints(
        self, workspace_id: str, active_only: bool = False, name: Optional[str] = None, limit: Optional[int] = None
    ) -> List[Document]:
        """Return endpoints with their versions, newest first."""
        query = {"active_only": active_only, "name": name, "limit": limit}
        found: List[Document] = self._transport.call("GET", _endpoints(workspace_id), query)
        return found

    def update_pipeline_endpoint(
        self,
        workspace_id: str,
        endpoint_id: str,
        name: Optional[str] = None,
        description: Optional[str] = None,
        status: Optional[str] = None,
    ) -> Document:
        """Rename, describe, enable or disable an endpoint, all at once."""
        changes = {"name": name, "description": description, "status": status}
        endpoint: Document = self._transport.call("PATCH", _endpoints(workspace_id, endpoint_id), document=changes)
        return endpoint

    def add_pipeline_endpoint_version(self, workspace_id: str, endpoint_id: str, pipeline_id: str, default: bool = False) -> Document:
        """Add a published pipeline as the next version; AlreadyExists when it is one of the endpoint's versions."""
        document = {"pipeline_id": pipeline_id, "default": default, "request_id": new_id()}
        endpoint: Document = self._transport.call("POST", _endpoints(workspace_id, endpoint_id, "versions"), document=document)
        return endpoint

    def set_default_pipeline_version(
        self, workspace_id: str, endpoint_id: str, version: Optional[str] = None, pipeline_id: Optional[str] = None
    ) -> Document:
        """Make a version the default one, by its number or by its pipeline; NotFound when there is none such."""
        document = {"version": version, "pipeline_id": pipeline_id}
        endpoint: Document = self._transport.call("PUT", _endpoints(workspace_id, endpoint_id, "default-version"), document=document)
        return endpoint

    def submit_pipeline_endpoint(
        self, workspace_id: str, endpoint_id: str, wanted: Mapping[str, Any], version: Optional[str] = None
    ) -> Document:
        """Run a version of an endpoint, the default one for None; return the run. See `submit_published`."""
        document = {**signed(wanted), "version": version}
        run: Document = self._transport.call("POST", _endpoints(workspace_id, endpoint_id, "runs"), document=document)
        return run

    def list_runs_of_pipeline_endpoint(self, workspace_id: str, endpoint_id: str, limit: Optional[int] = None) -> List[Document]:
        """Return the runs that were asked of an endpoint, newest first."""
        found: List[Document] = self._transport.call("GET", _endpoints(workspace_id, endpoint_id, "runs"), {"limit": limit})
        return found


def signed(wanted: Mapping[str, Any]) -> Document:
    """Return what is asked of a run with an id of its own, and with the run that this process belongs to: while that waits, it takes no
    slot."""
    return {"request_id": new_id(), "submitter_run_id": os.environ.get("AZUREML_RUN_ID"), **wanted}


def _pipelines(workspace_id: str, *parts: str) -> str:
    return _in(workspace_id, "pipelines", "the id of a published pipeline", parts)


def _endpoints(workspace_id: str, *parts: str) -> str:
    return _in(workspace_id, "pipeline-endpoints", "the id of a pipeline endpoint", parts)


def _in(workspace_id: str, aggregate: str, kind: str, parts: Any) -> str:
    return "/".join(["/workspaces", quoted(workspace_id), aggregate, *(quoted(part, kind=kind) for part in parts)])

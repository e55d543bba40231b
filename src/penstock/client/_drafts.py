"""The verbs of drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Union

from penstock.client._pipelines import signed
from penstock.client.transport import quoted
from penstock.model.ids import new_id

if TYPE_CHECKING:
    from penstock.client.transport import Transport

Document = Dict[str, Any]


class DraftVerbs:
    """What a client may ask about drafts of pipelines."""

    _transport: Transport

    def create_draft(self, workspace_id: str, wanted: Mapping[str, Any]) -> Document:
        """Make a draft, and return it. A call that is repeated because an answer was lost makes no second one.

        Args:
            workspace_id: Where.
            wanted: `graph` and `interpreter`, or `pipeline_id`, `run_id` or `draft_id` of what is cloned; name, description,
                experiment_name, parameters, continue_on_step_failure, tags, properties.

        Raises:
            InvalidGraph: The graph is wrong; every problem is listed.
            Invalid: Another part is wrong.
            NotFound: What is to be cloned is not there.
        """
        draft: Document = self._transport.call("POST", _drafts(workspace_id), document={"request_id": new_id(), **wanted})
        return draft

    def get_draft(self, workspace_id: str, draft_id: str) -> Document:
        """Return one draft; NotFound when there is none with this id."""
        draft: Document = self._transport.call("GET", _drafts(workspace_id, draft_id))
        return draft

    def list_drafts(
        self, workspace_id: str, tags: Union[str, Mapping[str, Any], None] = None, limit: Optional[int] = None
    ) -> List[Document]:
        """Return drafts, newest first; those that have a tag, or all pairs of tags."""
        query = {"tags": tags if tags is None or isinstance(tags, str) else dict(tags), "limit": limit}
        found: List[Document] = self._transport.call("GET", _drafts(workspace_id), query)
        return found

    def get_draft_graph(self, workspace_id: str, draft_id: str) -> Document:
        """Return the graph document of a draft."""
        graph: Document = self._transport.call("GET", _drafts(workspace_id, draft_id, "graph"))
        return graph

    def update_draft(self, workspace_id: str, draft_id: str, changes: Mapping[str, Any]) -> Document:
        """Change members of a draft; what is None stays, tags and parameters are replaced."""
        draft: Document = self._transport.call("PATCH", _drafts(workspace_id, draft_id), document=dict(changes))
        return draft

    def delete_draft(self, workspace_id: str, draft_id: str) -> None:
        """Forget a draft; its runs stay."""
        self._transport.delete(_drafts(workspace_id, draft_id))

    def submit_draft(self, workspace_id: str, draft_id: str, wanted: Mapping[str, Any]) -> Document:
        """Run a draft; return `run`, `steps` and `definitions`, as a submission does.

        Args:
            workspace_id: Where.
            draft_id: The draft.
            wanted: What differs from the draft: experiment_name, parameters, tags, parent_run_id, run_source.

        Raises:
            InvalidGraph: The pipeline can't run; every problem is listed.
            NotFound: There is no such draft or parent run.
        """
        answer: Document = self._transport.call("POST", _drafts(workspace_id, draft_id, "runs"), document=signed(wanted))
        return answer

    def list_runs_of_draft(self, workspace_id: str, draft_id: str, limit: Optional[int] = None) -> List[Document]:
        """Return the runs that a draft was submitted as, newest first."""
        found: List[Document] = self._transport.call("GET", _drafts(workspace_id, draft_id, "runs"), {"limit": limit})
        return found

    def publish_draft(self, workspace_id: str, draft_id: str) -> Document:
        """Publish a draft; return the published pipeline."""
        pipeline: Document = self._transport.call("POST", _drafts(workspace_id, draft_id, "publish"), document={"request_id": new_id()})
        return pipeline


def _drafts(workspace_id: str, *parts: str) -> str:
    return "/".join(["/workspaces", quoted(workspace_id), "drafts", *(quoted(part, kind="the id of a draft") for part in parts)])

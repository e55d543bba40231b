"""The verbs of schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional

from penstock.client.transport import quoted
from penstock.model.ids import new_id

if TYPE_CHECKING:
    from penstock.client.transport import Transport

Document = Dict[str, Any]


class ScheduleVerbs:
    """What a client may ask of schedules."""

    _transport: Transport

    def create_schedule(
        self,
        workspace_id: str,
        name: str,
        submission: Mapping[str, Any],
        pipeline_id: Optional[str] = None,
        endpoint_id: Optional[str] = None,
        recurrence: Optional[Mapping[str, Any]] = None,
        trigger: Optional[Mapping[str, Any]] = None,
        description: Optional[str] = None,
        catch_up: Optional[str] = None,
    ) -> Document:
        """Create a schedule, which is active at once; return it. A call that is repeated because an answer was lost makes no second one.

        Args:
            workspace_id: Where.
            name: Its name.
            submission: What its runs are submitted with: experiment_name, parameters, description, continue_on_step_failure.
            pipeline_id: The published pipeline that it runs; or else:
            endpoint_id: The endpoint.
            recurrence: When it is due: frequency, interval, start_time, time_zone, hours, minutes, week_days; or else:
            trigger: Which files it watches: datastore, polling_interval, path, parameter.
            description: What it is.
            catch_up: none, last or all.

        Raises:
            NotFound: There is no such pipeline, endpoint or datastore.
            Refused: The pipeline or the endpoint is disabled.
            Invalid: A member or a parameter is wrong.
        """
        about = {
            "name": name,
            "submission": dict(submission),
            "pipeline_id": pipeline_id,
            "endpoint_id": endpoint_id,
            "recurrence": recurrence and dict(recurrence),
            "trigger": None if trigger is None else dict(trigger),
            "description": description,
            "catch_up": catch_up,
            "request_id": new_id(),
        }
        schedule: Document = self._transport.call("POST", _in(workspace_id), document=about)
        return schedule

    def get_schedule(self, workspace_id: str, schedule_id: str) -> Document:
        """Return a schedule; NotFound when there is none with this id."""
        schedule: Document = self._transport.call("GET", _in(workspace_id, schedule_id))
        return schedule

    def list_schedules(
        self,
        workspace_id: str,
        active_only: bool = False,
        pipeline_id: Optional[str] = None,
        endpoint_id: Optional[str] = None,
        name: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> List[Document]:
        """Return schedules, newest first: all, or those of a pipeline, of an endpoint, of a name, only active ones."""
        about = {"active_only": active_only, "pipeline_id": pipeline_id, "endpoint_id": endpoint_id, "name": name, "limit": limit}
        found: List[Document] = self._transport.call("GET", _in(workspace_id), about)
        return found

    def update_schedule(
        self,
        workspace_id: str,
        schedule_id: str,
        name: Optional[str] = None,
        description: Optional[str] = None,
        status: Optional[str] = None,
        submission: Optional[Mapping[str, Any]] = None,
        recurrence: Optional[Mapping[str, Any]] = None,
        trigger: Optional[Mapping[str, Any]] = None,
        catch_up: Optional[str] = None,
    ) -> Document:
        """Change a schedule and return it; None leaves things as they are, and so do missing members of `submission` and `trigger`."""
        about = {
            "name": name,
            "description": description,
            "status": status,
            "submission": submission,
            "recurrence": recurrence,
            "trigger": trigger,
            "catch_up": catch_up,
        }
        schedule: Document = self._transport.call("PATCH", _in(workspace_id, schedule_id), document=about)
        return schedule

    def delete_schedule(self, workspace_id: str, schedule_id: str) -> None:
        """Forget a schedule and its ticks; its runs stay."""
        self._transport.delete(_in(workspace_id, schedule_id))

    def list_schedule_ticks(self, workspace_id: str, schedule_id: str, limit: Optional[int] = None) -> List[Document]:
        """Return the times that a schedule was due, the last first: due_at, at, outcome, run_id, reason, subject, missed_count, ..."""
        found: List[Document] = self._transport.call("GET", _in(workspace_id, schedule_id, "ticks"), {"limit": limit})
        return found

    def preview_schedule(self, workspace_id: str, schedule_id: str, count: int = 10) -> Document:
        """Return {"description", "time_zone", "ticks": [{"at", "local"}]}: when a schedule is due next."""
        found: Document = self._transport.call("GET", _in(workspace_id, schedule_id, "preview"), {"count": count})
        return found

    def list_runs_of_schedule(self, workspace_id: str, schedule_id: str, limit: Optional[int] = None) -> List[Document]:
        """Return the runs that a schedule started, newest first."""
        found: List[Document] = self._transport.call("GET", _in(workspace_id, schedule_id, "runs"), {"limit": limit})
        return found

    def run_schedule(self, workspace_id: str, schedule_id: str, parameters: Optional[Mapping[str, Any]] = None) -> Document:
        """Start what a schedule runs, now, and return the run; sent again, it is the same run. `parameters` come before its own."""
        about = {"parameters": parameters and dict(parameters), "request_id": new_id()}
        run: Document = self._transport.call("POST", _in(workspace_id, schedule_id, "runs"), document=about)
        return run


def _in(workspace_id: str, *parts: str) -> str:
    return "/".join(["/workspaces", quoted(workspace_id), "schedules", *(quoted(part) for part in parts)])

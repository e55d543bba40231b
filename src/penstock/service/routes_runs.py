"""Routes of runs: submit, read, follow, change, cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.model import status
from penstock.operations import metrics, outputs, reuse, runs, submit, submit_script
from penstock.service.bulletin import Listener
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()
Verb = Callable[[], Any]

_LONGEST_WAIT = 60.0
_HANDFUL_SECONDS = 0.05  # news that come this close together travel together; the end of the run itself does not wait
_TOUCH_SECONDS = 1.0  # a client that waits is a client: the service does not grow idle under it


@table.add("POST", "/workspaces/{workspace_id}/pipeline-runs", Role.CONTRIBUTOR, answer="Submitted")
def submit_pipeline(call: Call) -> Verb:
    """Start a pipeline run."""
    wanted = call.body.text("experiment_name"), call.body.mapping("submission")
    return partial(submit.submit_pipeline, call.context, call.path["workspace_id"], *wanted)


@table.add("POST", "/workspaces/{workspace_id}/experiments/{name}/script-runs", Role.CONTRIBUTOR, answer="Run")
def submit_script_run(call: Call) -> Verb:
    """Start the run of one script or command."""
    path = call.path["workspace_id"], call.path["name"]
    return partial(submit_script.submit_script, call.context, *path, call.body.mapping("submission"))


@table.add("POST", "/workspaces/{workspace_id}/runs", Role.CONTRIBUTOR, answer="Run")
def create_run(call: Call) -> Verb:
    """Create a run that its client drives."""
    texts = ("name", "run_id", "parent_run_id", "type", "display_name", "description", "request_id")
    return partial(
        runs.create_run,
        call.context,
        call.path["workspace_id"],
        call.body.text("experiment_name"),
        tags=call.body.mapping("tags", None),
        properties=call.body.mapping("properties", None),
        status=call.body.text("status", status.RUNNING),
        **{name: call.body.text(name, None) for name in texts},
    )


@table.add("GET", "/runs", Role.READER, answer=("Run",))
def list_runs(call: Call) -> Verb:
    """List runs, newest first."""
    texts = ("workspace_id", "experiment_name", "type", "before", "id_prefix", "target")
    return partial(
        runs.list_runs,
        call.context,
        tags=call.query.filter("tags"),
        properties=call.query.filter("properties"),
        status=call.query.words("status"),
        include_children=call.query.flag("include_children"),
        limit=call.query.number("limit"),
        **{name: call.query.text(name, None) for name in texts},
    )


@table.add("GET", "/runs/{run_id}", Role.READER, answer="Run")
def get_run(call: Call) -> Verb:
    """Read a run."""
    return partial(runs.get_run, call.context, call.path["run_id"])


@table.add("PATCH", "/runs/{run_id}", Role.CONTRIBUTOR, answer="Run")
def update_run(call: Call) -> Verb:
    """Tag, describe or name a run."""
    return partial(
        runs.update_run,
        call.context,
        call.path["run_id"],
        tags=call.body.mapping("tags", None),
        remove_tags=call.body.texts("remove_tags", None),
        properties=call.body.mapping("properties", None),
        display_name=call.body.text("display_name", None),
        description=call.body.text("description", None),
    )


@table.add("GET", "/runs/{run_id}/children", Role.READER, answer=("Run",))
def list_children(call: Call) -> Verb:
    """List the runs below a run."""
    return partial(
        runs.list_children,
        call.context,
        call.path["run_id"],
        recursive=call.query.flag("recursive"),
        type=call.query.text("type", None),
        tags=call.query.filter("tags"),
        properties=call.query.filter("properties"),
        status=call.query.words("status"),
    )


@table.add("PUT", "/runs/{run_id}/status", Role.CONTRIBUTOR, answer="Run")
def set_run_status(call: Call) -> Verb:
    """Move a run that its client drives."""
    return partial(runs.set_status, call.context, call.path["run_id"], call.body.text("status"), call.body.mapping("error", None))


@table.add("POST", "/runs/{run_id}/cancel", Role.CONTRIBUTOR, answer="Run")
def cancel_run(call: Call) -> Verb:
    """Ask a run to stop."""
    return partial(runs.cancel_run, call.context, call.path["run_id"])


@table.add("GET", "/runs/{run_id}/graph", Role.READER, answer="Graph")
def get_graph(call: Call) -> Verb:
    """Read the graph of a pipeline run."""
    return partial(runs.get_graph, call.context, call.path["run_id"])


@table.add("GET", "/runs/{run_id}/outputs", Role.READER, answer=("Output",))
def list_outputs(call: Call) -> Verb:
    """List the outputs of a run."""
    return partial(outputs.list_outputs, call.context, call.path["run_id"])


@table.add("GET", "/runs/{run_id}/explanation", Role.READER, answer=("Explanation",))
def explain(call: Call) -> Verb:
    """Tell why a step ran or was reused."""
    return partial(reuse.explain, call.context, call.path["run_id"])


@table.add("GET", "/runs/{run_id}/metrics", Role.READER, answer="Metrics")
def list_metrics(call: Call) -> Verb:
    """List what a run logged."""
    return partial(metrics.list_metrics, call.context, call.path["run_id"], call.query.flag("recursive"))


@table.add("GET", "/runs/{run_id}/metrics/values", Role.READER, answer="MetricValues")
def list_metric_values(call: Call) -> Verb:
    """Give what a run logged in v1's shapes: values, lists, columns."""
    flags = {"recursive": call.query.flag("recursive"), "name": call.query.text("name", None)}
    return partial(metrics.list_metric_values, call.context, call.path["run_id"], **flags)


@table.add("POST", "/runs/{run_id}/metrics", Role.CONTRIBUTOR, answer="RecordCount")
def log_metrics(call: Call) -> Verb:
    """Log records for a run."""
    request_id = call.body.text("request_id", None)
    return partial(metrics.log_metrics, call.context, call.path["run_id"], call.body.items("records"), request_id)


# Following


@table.add("GET", "/runs/{run_id}/events", Role.READER, answer="RunNews")
async def follow_run(call: Call) -> dict[str, Any]:
    """Give the events after one, at once or as soon as there are any, and the run with them."""
    after, seconds = call.query.number("after", 0), call.query.seconds("wait_seconds", 0.0, _LONGEST_WAIT)
    call.reject_others()
    read = partial(runs.read_events, call.context, call.path["run_id"], after)
    answer: dict[str, Any] = await call.run(read)
    if not seconds or _is_news(answer):
        return answer
    with call.service.bulletin.listen(answer["run"]["root_run_id"]) as listener:
        return await _wait_for_news(call, read, listener, seconds)


async def _wait_for_news(call: Call, read: Verb, listener: Listener, seconds: float) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    answer: dict[str, Any] = await call.run(read)  # once more: something may have come before we listened
    while not _is_news(answer) and not listener.is_dismissed and loop.time() < deadline:
        call.service.touch()
        if await listener.wait(min(_TOUCH_SECONDS, max(deadline - loop.time(), 0))):
            await listener.wait_for_end(call.path["run_id"], _HANDFUL_SECONDS)
            answer = await call.run(read)
    return answer


def _is_news(answer: dict[str, Any]) -> bool:
    return bool(answer["events"]) or status.is_final(answer["run"]["status"])

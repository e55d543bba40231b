"""MLflow's search for runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from penstock.model.errors import NotFound
from penstock.operations.context import Context
from penstock.operations.mlflow import experiments, filters, points, runs, words
from penstock.operations.mlflow.artifacts import Client, run_address
from penstock.operations.tokens import Grant
from penstock.persistence.database import Row

_NEWEST_FIRST = "order by runs.created_at desc, runs.number desc, runs.id"
_VIEWS = {
    experiments.ACTIVE_ONLY: "runs.deleted_at is null",
    experiments.DELETED_ONLY: "runs.deleted_at is not null",
    experiments.ALL: "1 = 1",
}


def search_runs(
    context: Context,
    grant: Grant,
    client: Client,
    experiment_ids: Sequence[str],
    filter: str,
    view: str,
    size: int,
    order_by: Sequence[str],
    token: str | None,
) -> dict[str, Any]:
    """Return the runs that a filter leaves, those of pipelines and steps among them, a page at a time, the newest first.

    Raises:
        Invalid: The filter or the order is not understood.
    """
    search = _Search(context, client, filters.parse_filter(filter), filters.parse_orders(order_by))
    found = search.list_ids(f"runs.workspace_id = ? and {_VIEWS.get(view, '1 = 1')}", grant, experiment_ids)
    shown, after = filters.page(found, token, size)
    rows = {row["id"]: row for row in _rows(context, "runs.id in (select value from json_each(?))", json.dumps(shown))}
    listed = runs.documents(context, [rows[run_id] for run_id in shown if run_id in rows], client)
    return {"runs": listed, **({"next_page_token": after} if after else {})}


def _rows(context: Context, where: str, *values: Any) -> list[Row]:
    return context.database.all(f"{runs.SELECT} where {where} {_NEWEST_FIRST}", values)


class _Search:
    """One search: what it asks for is read once for each run, and only if it is asked for."""

    def __init__(
        self, context: Context, client: Client, comparisons: tuple[filters.Comparison, ...], orders: tuple[filters.Order, ...]
    ) -> None:
        self._context, self._client = context, client
        self._comparisons, self._orders = comparisons, orders
        self._params: dict[str, dict[str, str]] = {}
        self._metrics: dict[str, dict[str, points.Point]] = {}

    def list_ids(self, where: str, grant: Grant, experiment_ids: Sequence[str]) -> list[str]:
        """Return the ids of the runs, all of them, in order."""
        wanted = json.dumps([item for item in (_existing(self._context, grant, one) for one in experiment_ids) if item])
        where = f"{where} and runs.experiment_id in (select value from json_each(?))"
        if not self._comparisons and not self._orders:  # the usual one: nothing needs to be looked into
            rows = self._context.database.all(f"select id from runs where {where} {_NEWEST_FIRST}", (grant.workspace_id, wanted))
            return [row["id"] for row in rows]
        rows = _rows(self._context, where, grant.workspace_id, wanted)
        if filters.PARAM in {item.kind for item in self._comparisons} | {item.kind for item in self._orders}:
            self._params = runs.params_of(self._context, [row["id"] for row in rows])
        found = [row for row in rows if filters.matches(self._comparisons, lambda kind, name, row=row: self._value(row, kind, name))]  # type: ignore[misc]
        return [row["id"] for row in filters.ordered(found, self._orders, self._value)]

    def _value(self, row: Row, kind: str, name: str) -> Any:
        if kind == filters.METRIC:
            point = self._latest(row["id"]).get(name)
            return point and point.value
        if kind == filters.PARAM:
            return self._params.get(row["id"], {}).get(name)
        return runs.tags_of(row).get(name) if kind == filters.TAG else self._attribute(row, name)

    def _latest(self, run_id: str) -> dict[str, points.Point]:
        if run_id not in self._metrics:
            self._metrics[run_id] = points.latest(self._context, run_id)
        return self._metrics[run_id]

    def _attribute(self, row: Row, name: str) -> Any:
        known: dict[str, Callable[[], Any]] = {
            "run_id": lambda: row["id"],
            "run_name": lambda: runs.name_of(row),
            "status": lambda: words.mlflow_status(row["status"]),
            "start_time": lambda: words.milliseconds(row["started_at"] or row["created_at"]),
            "end_time": lambda: words.milliseconds(row["ended_at"]),
            "user_id": lambda: row["created_by"],
            "experiment_id": lambda: row["experiment_id"],
            "artifact_uri": lambda: run_address(self._context, row["id"], self._client),
        }
        return known[filters.check_attribute(name, known)]()


def _existing(context: Context, grant: Grant, experiment_id: str) -> str | None:
    try:
        return str(experiments.find(context, grant, experiment_id)["id"])
    except NotFound:
        return None

"""MLflow's search for runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

from penstock.operations import metrics
from penstock.operations.context import Context
from penstock.operations.mlflow import experiments, filters, points, runs, words
from penstock.operations.mlflow.artifacts import Client, run_address
from penstock.operations.mlflow.narrowing import narrow
from penstock.operations.tokens import Grant
from penstock.persistence.database import Row

_NEWEST_FIRST = "order by runs.created_at desc, runs.number desc, runs.id"
_VIEWS = {
    experiments.ACTIVE_ONLY: "runs.deleted_at is null",
    experiments.DELETED_ONLY: "runs.deleted_at is not null",
    experiments.ALL: "1 = 1",
}
_RUNS_AT_ONCE = 500  # whose rows are in memory at a time while a filter looks into them
_PAGE_BYTES = 64 * 1024 * 1024  # of metrics: a page that would read more ends early, and clients ask for the next


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
    found = search.list_ids(_VIEWS[view], grant, experiment_ids, filters.end_of_page(token, size))
    shown, after = filters.page(found, token, size)
    fitting = _count_fitting(context, shown)
    if fitting < len(shown):
        shown, after = filters.page(found, token, fitting)
    listed = [document for rows in _rows(context, shown) for document in runs.documents(context, rows, client)]
    return {"runs": listed, **({"next_page_token": after} if after else {})}


def _count_fitting(context: Context, run_ids: Sequence[str]) -> int:
    """Return how many of these runs, one at least, have metrics that may be read for one page."""
    left = _PAGE_BYTES
    for count, run_id in enumerate(run_ids):
        left -= metrics.count_bytes(context, run_id)
        if left < 0:
            return max(count, 1)
    return len(run_ids)


def _rows(context: Context, run_ids: Sequence[str]) -> Iterator[list[Row]]:
    """Yield the rows of runs in the order of their ids, some at a time."""
    for start in range(0, len(run_ids), _RUNS_AT_ONCE):
        part = run_ids[start : start + _RUNS_AT_ONCE]
        found = context.database.all(f"{runs.SELECT} where runs.id in (select value from json_each(?))", (json.dumps(part),))
        rows = {row["id"]: row for row in found}
        yield [rows[run_id] for run_id in part if run_id in rows]


class _Search:
    """One search: what it asks for is read once for each run, only if it is asked for, and not kept."""

    def __init__(
        self, context: Context, client: Client, comparisons: tuple[filters.Comparison, ...], orders: tuple[filters.Order, ...]
    ) -> None:
        self._context, self._client = context, client
        self._comparisons, self._orders = comparisons, orders
        self._needs_params = filters.PARAM in {item.kind for item in comparisons} | {item.kind for item in orders}

    def list_ids(self, view: str, grant: Grant, experiment_ids: Sequence[str], most: int) -> list[str]:
        """Return the ids of the runs in order: all of them, or more than `most`."""
        narrowed, values = narrow(self._comparisons)
        wanted = json.dumps(experiments.existing_ids(self._context, grant, experiment_ids))
        rows = self._context.database.all(
            "select runs.id from runs left join step_runs on step_runs.run_id = runs.id where runs.workspace_id = ?"
            f" and runs.experiment_id in (select value from json_each(?)) and {view} and {narrowed} {_NEWEST_FIRST}",
            (grant.workspace_id, wanted, *values),
        )
        candidates = [row["id"] for row in rows]
        if not self._comparisons and not self._orders:  # the usual one: nothing needs to be looked into
            return candidates
        return self._sorted(self._left(candidates, None if self._orders else most))

    def _left(self, candidates: Sequence[str], most: int | None) -> dict[str, tuple[Any, ...]]:
        """Return the runs that the filter leaves, and for each what it is ordered by."""
        found: dict[str, tuple[Any, ...]] = {}
        for rows in _rows(self._context, candidates):
            for run in self._looked_into(rows):
                if filters.matches(self._comparisons, run.value):
                    found[run.id] = tuple(run.value(order.kind, order.name) for order in self._orders)
            if most is not None and len(found) > most:
                break
        return found

    def _looked_into(self, rows: Sequence[Row]) -> Iterator[_Run]:
        params = runs.params_of(self._context, [row["id"] for row in rows]) if self._needs_params else {}
        for row in rows:
            yield _Run(self._context, self._client, row, params.get(row["id"], {}))

    def _sorted(self, found: dict[str, tuple[Any, ...]]) -> list[str]:
        places = {(order.kind, order.name): place for place, order in enumerate(self._orders)}
        return filters.ordered(list(found), self._orders, lambda run_id, kind, name: found[run_id][places[kind, name]])


class _Run:
    """What a filter asks of one run."""

    def __init__(self, context: Context, client: Client, row: Row, params: dict[str, str]) -> None:
        self.id = str(row["id"])
        self._context, self._client, self._row, self._params = context, client, row, params

    def value(self, kind: str, name: str) -> Any:
        """Return what a name holds; None for nothing."""
        if kind == filters.METRIC:
            point = self._metrics.get(name)
            return point and point.value
        if kind == filters.PARAM:
            return self._params.get(name)
        return self._tags.get(name) if kind == filters.TAG else self._attribute(name)

    @cached_property
    def _metrics(self) -> dict[str, points.Point]:
        return points.latest(self._context, self.id)

    @cached_property
    def _tags(self) -> dict[str, str | None]:
        return runs.tags_of(self._row)

    def _attribute(self, name: str) -> Any:
        row = self._row
        known: dict[str, Callable[[], Any]] = {
            "run_id": lambda: row["id"],
            "run_name": lambda: runs.name_of(row),
            "status": lambda: words.mlflow_status(row["status"]),
            "start_time": lambda: words.milliseconds(row["started_at"] or row["created_at"]),
            "end_time": lambda: words.milliseconds(row["ended_at"]),
            "user_id": lambda: row["created_by"],
            "experiment_id": lambda: row["experiment_id"],
            "artifact_uri": lambda: run_address(self._context, self.id, self._client),
        }
        return known[filters.check_attribute(name, known)]()

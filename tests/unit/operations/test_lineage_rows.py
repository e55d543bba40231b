"""Questions about datasets and lineage find their rows through an index, however many runs there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.client.home import Home
from penstock.model.datasets import FILE, Dataset, Place, format_dataset
from penstock.operations import datasets, lineage, runs, workspaces
from penstock.operations.context import Context
from penstock.persistence.database import Database
from penstock.settings import Settings


class Watched(Database):
    """A database that remembers how it looked for the rows of each question."""

    plans: list[str]

    def _explain(self, sql: str, values: Any) -> None:
        self.plans += [row["detail"] for row in super().all(f"explain query plan {sql}", values)]

    def all(self, sql: str, values: Any = ()) -> list[dict[str, Any]]:
        self._explain(sql, values)
        return super().all(sql, values)

    def first(self, sql: str, values: Any = ()) -> dict[str, Any] | None:
        self._explain(sql, values)
        return super().first(sql, values)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    home = Home(tmp_path)
    home.create()
    database = Watched(home.database)
    database.plans = []
    yield Context(database, home, Settings())
    database.close()


def test_no_table_is_read_whole(context: Context) -> None:
    workspace = workspaces.create_workspace(context, "w")["id"]
    document = format_dataset(Dataset(FILE, (Place("store", "x"),)))
    saved = datasets.register_dataset(context, workspace, document, "x")
    run = runs.create_run(context, workspace, "e")["id"]
    lineage.record_lineage(context, run, "input", saved["id"], name="x", version=1)
    database = context.database
    assert isinstance(database, Watched)
    database.plans = []
    for which in ({"run_id": run}, {"dataset_id": saved["id"]}, {"name": "x"}, {"name": "x", "version": 1}, {"name": "x", "limit": 1}):
        assert len(lineage.list_lineage(context, workspace, **which)) == 1  # type: ignore[arg-type]
    datasets.get_dataset_version(context, workspace, "x")
    datasets.get_dataset_version(context, workspace, "x", 1)
    datasets.list_dataset_versions(context, workspace, "x")
    datasets.get_dataset(context, workspace, saved["id"])
    passing = ("tree", "CONSTANT ROW", "subquery", "(subquery", "json_each")  # what a statement made itself, a row at a time
    assert not [line for line in database.plans if line.startswith("SCAN") and not any(word in line for word in passing)], database.plans

"""The datasets of a step run: what it read and wrote is saved, registered and linked to it, as parts of the transactions of its life."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.model.datasets import Place, literal, over_place
from penstock.model.graph import OutputPort, Registration
from penstock.operations.context import Change
from penstock.operations.datasets import register_within, save_within
from penstock.operations.lineage import INPUT, OUTPUT, record_lineage_within


@dataclass(frozen=True)
class UsedDataset:
    """A dataset that a step reads: its id, and the name and version under which it was asked for."""

    dataset_id: str
    name: str | None = None
    version: int | None = None


def record_inputs(change: Change, run_id: str, used: Mapping[str, tuple[str, UsedDataset]]) -> None:
    """Link the datasets that a step reads, given as port -> (mode, dataset); what an earlier attempt was given counts no more."""
    if used:
        change.rows.execute("delete from lineage where run_id = ? and direction = ?", [run_id, INPUT])
    for port, (mode, dataset) in used.items():
        record_lineage_within(change, run_id, INPUT, dataset.dataset_id, port, mode, dataset.name, dataset.version)


def record_outputs(
    change: Change, workspace_id: str, run_id: str, ports: Sequence[OutputPort], outputs: Iterable[Mapping[str, Any]]
) -> None:
    """Save, register and link the datasets over what a step wrote; `outputs` are those of `ports`, in the same order."""
    for port, output in zip(ports, outputs, strict=True):
        if not output["is_published"] or not makes_dataset(port):
            continue
        document = _definition(change, port, output)
        version = _register(change, workspace_id, document, port.registration) if port.registration else None
        dataset_id = save_within(change, workspace_id, document)
        name, number = (version["name"], version["version"]) if version else (None, None)
        record_lineage_within(change, run_id, OUTPUT, dataset_id, port.name, port.mode, name, number)


def makes_dataset(port: OutputPort) -> bool:
    """Tell whether an output is a dataset, and not a bare path."""
    return port.dataset is not None or port.destination is not None or port.mode == "link"


def _definition(change: Change, port: OutputPort, output: Mapping[str, Any]) -> dict[str, Any]:
    if output.get("dataset_id"):
        row = change.rows.first("select definition from datasets where id = ?", [output["dataset_id"]])
        assert row is not None, output
        found: dict[str, Any] = json.loads(row["definition"])
        return found
    return over_place(Place(output["datastore"], literal(output["path"])), port.dataset or {})


def _register(change: Change, workspace_id: str, document: Mapping[str, Any], wanted: Registration) -> dict[str, Any] | None:
    """Register a dataset as its port asks; a name that is taken stays what it is where no new version was asked for."""
    if not wanted.create_new_version and change.rows.first(
        "select 1 from dataset_versions where workspace_id = ? and name = ?", [workspace_id, wanted.name]
    ):
        return None
    return register_within(
        change, workspace_id, document, wanted.name, wanted.description, wanted.tags, create_new_version=wanted.create_new_version
    )

"""Where outputs end up, and where scripts write them until then."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from penstock.compile.manifests import UNFINISHED
from penstock.model.graph import OutputPort
from penstock.operations.context import Context
from penstock.operations.datastores import store_of
from penstock.storage.stores import Store

UNPUBLISHED = "unpublished"  # in a run's folder: outputs that are not in their places yet, or never came there


@dataclass(frozen=True)
class OutputPlace:
    """Where an output ends up on its datastore, and where on this machine it is written.

    `is_final`: it is written in its place at once, which is nobody else's; what is left there of a step that fails is no result.
    """

    store: Store
    path: str
    writing: str
    is_final: bool


def output_path(port: OutputPort, step_run_id: str) -> str:
    """Return where an output lies on its datastore: as its destination says, else `azureml/<step run id>/<output name>`, as v1 laid it."""
    if port.destination is None:
        return f"azureml/{step_run_id}/{port.name}"
    return port.destination.replace("{run-id}", step_run_id).replace("{output-name}", port.name).strip("/")


def is_shared(port: OutputPort) -> bool:
    """Tell whether other step runs may write to the place of an output, too."""
    return port.destination is not None and "{run-id}" not in port.destination


def find_place(context: Context, workspace_id: str, step_run_id: str, port: OutputPort) -> OutputPlace:
    """Return the place of an output. It is the same whenever it is asked for, while the datastore is.

    Raises:
        NotFound: There is no such datastore.
        Unsupported: Nothing here can write to it.
        Invalid: The path leaves the datastore.
    """
    store, path = store_of(context, workspace_id, port.datastore), output_path(port, step_run_id)
    if store.is_local and port.destination is None:
        return OutputPlace(store, path, context.stores.local_path(store, path), is_final=True)
    return OutputPlace(store, path, os.path.join(writing_folder(context, step_run_id, store), port.name), is_final=False)


def writing_folder(context: Context, step_run_id: str, store: Store) -> str:
    """Return where outputs are written before they go to their places: in the run's folder, or beside the data if that is on another disk.

    From there they are moved in one step, and need no room twice.
    """
    folder = str(context.home.run_folder(step_run_id) / UNPUBLISHED)
    if not store.is_local or _disk(store.root) == _disk(str(context.home.runs)):
        return folder
    return os.path.join(store.root, f"{UNFINISHED}{step_run_id}")


def _disk(folder: str) -> int:
    while True:
        try:
            return os.stat(folder).st_dev
        except FileNotFoundError:
            folder = str(Path(folder).parent)

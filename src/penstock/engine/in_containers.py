"""A step's order, put into a container: what it sees there of this machine, and which variables it gets."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import replace

from penstock.client.home import Home
from penstock.compile.fingerprints import digest
from penstock.engine import step_environment
from penstock.engine.environments import IN_IMAGE, Choice
from penstock.engine.environments.containers import Container, find_engine, list_folders
from penstock.engine.executors import StepOrder
from penstock.engine.executors.attempts import MARK
from penstock.model.errors import Unsupported
from penstock.settings import Settings


def put_in_container(order: StepOrder, choice: Choice, paths: Iterable[str], home: Home, library: str, settings: Settings) -> StepOrder:
    """Return the order that runs in a container of the choice's image; its environment is that of the process that starts the container.

    Args:
        order: What would run without.
        choice: The image, and whose Python runs there.
        paths: What the script is told of its inputs: paths, or the ids of datasets.
        home: The home folder.
        library: The folder of our packages that is on the step's path.
        settings: They name the engine.

    Raises:
        Unsupported: An output lies where the container can't leave it, or the Python can't be shown to the container.
    """
    assert choice.image is not None
    run = str(home.run_folder(order.step_run_id))
    is_ours = choice.kind != IN_IMAGE
    container = Container(
        engine=find_engine(settings.container_engine),
        name=f"penstock-{digest([run, order.attempt])[:16]}",
        image=choice.image,
        folder=os.path.join(run, "work"),
        leads_path=os.path.dirname(order.interpreter) if is_ours else None,
        variables=(*order.environment, MARK),
        shared=_list_shared(order, paths, run),
        read_only=_unique([*_list_own(home, library), *(list_folders(order.interpreter) if is_ours else ())]),
        grace_seconds=settings.cancel_grace_seconds,
    )
    return replace(order, environment={**step_environment.inherited(sys.executable), **order.environment}, container=container)


def _list_shared(order: StepOrder, paths: Iterable[str], run: str) -> tuple[str, ...]:
    """Return the run's folder, and what lies outside of it of a step's inputs and outputs."""
    linked = [source if os.path.isdir(source) else os.path.dirname(source) for source, _ in order.links]  # the cache is in the home folder
    outside = [path for path in (*paths, *order.folders, *linked) if os.path.isabs(path) and not path.startswith(run + os.sep)]
    for output in order.outputs:
        if os.path.isabs(output.upload_from) and output.upload_from not in outside:
            raise Unsupported(
                f"The output '{output.name}' is written to {output.upload_from}, which would stay in the container. Give it a relative "
                "path_on_compute, or set docker.enabled = False."
            )
    return _unique([run, *outside])


def _list_own(home: Home, library: str) -> list[str]:
    """Return the folders of Penstock: by them a script finds its service, and what it imports of ours."""
    packages = [os.path.realpath(os.path.join(library, name)) for name in ("penstock", "azureml")]
    return [str(home.path), str(home.socket.parent), *packages]


def _unique(paths: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(paths))

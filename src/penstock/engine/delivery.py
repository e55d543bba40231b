"""Where a script finds its inputs: what is linked or copied for it, and the paths it is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.engine.inputs import ById, Fetched, InPlace, Source, Written
from penstock.model.errors import Invalid
from penstock.model.graph import InputPort, StepNode
from penstock.storage.paths import safe_join

Pairs = list[tuple[str, str]]  # from an absolute path to one in the working directory, or an absolute one


@dataclass
class Delivery:
    """What has to be done before a script begins, and what it is told of its inputs."""

    paths: dict[str, str] = field(default_factory=dict)  # port -> path, or the id of a dataset
    copies: Pairs = field(default_factory=list)
    links: Pairs = field(default_factory=list)  # to what stays where it is
    cached: Pairs = field(default_factory=list)  # to files of the cache, which must outlive it
    folders: list[str] = field(default_factory=list)
    written: list[dict[str, Any]] = field(default_factory=list)  # files to be written from tables: document and folder


def deliver(node: StepNode, sources: Mapping[str, Source], work: str, own: str) -> Delivery:
    """Return how a step's inputs reach it.

    Args:
        node: The step.
        sources: What its inputs read; all of it is on this machine.
        work: The working directory.
        own: A folder of the step's own, for inputs that have no place elsewhere.

    Raises:
        Invalid: A path on the compute leaves the working directory.
    """
    delivery = Delivery()
    for port in node.inputs:
        delivery.paths[port.name] = _deliver(delivery, port, sources[port.name], work, own)
    return delivery


def _deliver(delivery: Delivery, port: InputPort, source: Source, work: str, own: str) -> str:
    if isinstance(source.data, ById):
        return source.data.dataset_id
    target = _target(port, source, work, own)
    if isinstance(source.data, Written):
        delivery.folders.append(target)
        delivery.written.append({"name": port.name, "dataset": dict(source.data.document), "target": target})
        return target
    if isinstance(source.data, InPlace):
        return _deliver_in_place(delivery, port, source.data, target)
    assert isinstance(source.data, Fetched), port
    return _deliver_files(delivery, port, source.data, target)


def _target(port: InputPort, source: Source, work: str, own: str) -> str:
    """Return where an input is put; a relative path is one of the working directory."""
    wanted = port.path_on_compute
    if not wanted:
        if port.mode != "download" or port.dataset is not None:
            return os.path.join(own, port.name)
        wanted = source.usual_target
    if not os.path.isabs(wanted):
        try:
            safe_join(Path(work), wanted)  # refuses to leave the working directory
        except Invalid as error:
            raise Invalid(f"The input '{port.name}' can't be put where its path_on_compute says. {error.message}") from None
    return os.path.join(work, wanted)


def _deliver_in_place(delivery: Delivery, port: InputPort, data: InPlace, target: str) -> str:
    if port.mode == "download":
        is_file_of_dataset = port.dataset is not None and os.path.isfile(data.place)  # a dataset is downloaded into a folder, always
        delivery.copies.append((data.place, os.path.join(target, os.path.basename(data.place)) if is_file_of_dataset else target))
        return target
    if not port.path_on_compute:
        return data.place
    delivery.links.append((data.place, target))
    return target


def _deliver_files(delivery: Delivery, port: InputPort, data: Fetched, target: str) -> str:
    handed_over = target
    if data.is_single and not (port.mode == "download" and port.dataset is not None):
        has_own_name = bool(port.path_on_compute) or port.mode == "download"
        handed_over = target if has_own_name else os.path.join(target, data.files[0].path)
        pairs = [(data.files[0], handed_over)]
    else:
        delivery.folders.append(target)
        pairs = [(file, os.path.join(target, file.path)) for file in data.files]
    for file, place in pairs:
        way = delivery.copies if port.mode == "download" else delivery.cached if file.is_cached else delivery.links
        way.append((file.place, place))
    return handed_over

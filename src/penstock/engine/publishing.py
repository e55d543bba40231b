"""Outputs on their way to their places: moved there, or uploaded, after the script ended well and before the step counts as completed.

All of it may be done again: after a crash of the service the next one begins anew, and meets what the first one left.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from penstock.compile.manifests import UNFINISHED, Entry, manifest_digest, pack_entries, unpack_entries
from penstock.engine.aside import Aside, Check
from penstock.engine.executors import Published
from penstock.engine.executors.attempts import copy_file
from penstock.engine.places import OutputPlace, find_place
from penstock.model.datasets import definition_hash
from penstock.model.errors import NotFound, PenstockError, Refused, Unavailable
from penstock.model.graph import OutputPort, StepNode
from penstock.model.ids import new_id
from penstock.operations.context import Context
from penstock.operations.datasets import get_dataset
from penstock.operations.manifests import Digests, list_path
from penstock.operations.reuse import BYTES, TOKENS, list_stored
from penstock.persistence.database import Row
from penstock.storage.discards import discard

THREADS = 8  # as in staging
LINKS = "links.jsonl"  # in a run's folder: the datasets that its script named as outputs

_WAIT_SECONDS = 0.2  # between two looks at `check`
_PLACE_TAKEN = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}


@dataclass(frozen=True)
class Made:
    """An output as it is written down, the packed manifest behind its digest, and the folder where it was written before it came there."""

    document: dict[str, Any]
    manifest: bytes = b""
    left_behind: str = ""


class Turns:
    """Lets one step at a time write to a place: two at once would leave a mixture of both there, and each would take it for its own."""

    def __init__(self) -> None:
        self._taken: list[str] = []
        self._freed = threading.Condition()

    @contextlib.contextmanager
    def hold(self, place: OutputPlace, check: Check) -> Iterator[None]:
        """Hold a place, and all above and below it, while the block lasts; wait for it before. `check` may end the waiting."""
        root = os.path.realpath(place.store.root) if place.store.is_local else place.store.root
        mine = f"{place.store.protocol}:{root}/{place.path}".rstrip("/") + "/"
        with self._freed:
            while any(mine.startswith(other) or other.startswith(mine) for other in self._taken):
                self._freed.wait(_WAIT_SECONDS)
                check()
            self._taken.append(mine)
        try:
            check()
            yield
        finally:
            with self._freed:
                self._taken.remove(mine)
                self._freed.notify_all()


class Publishing:
    """Puts outputs in their places, a few steps at a time."""

    def __init__(self, context: Context, wake: Callable[[], None]) -> None:
        self._context = context
        self._digests = Digests(context)
        self._turns = Turns()
        self._aside: Aside[list[Made]] = Aside("publishing", THREADS, wake, fresh_seconds=float("inf"))

    def forget_others(self, run_ids: set[str]) -> None:
        """End the transfers for steps that are not among these: they were cancelled."""
        self._aside.forget_others(run_ids)

    def take(self, row: Row, node: StepNode, published: Sequence[Published]) -> list[Made] | None:
        """Return a step's outputs when all of them are in their places, or None while that takes its time.

        Raises:
            PenstockError: One can't be put there; the message names it, its datastore and its path.
        """
        places = {
            port.name: find_place(self._context, row["workspace_id"], row["id"], port) for port in node.outputs if port.mode != "link"
        }
        if all(place.is_final for place in places.values()):
            return self._publish(row, node, places, published, lambda: None)
        made = self._aside.take(row["id"])
        if made is None:
            self._aside.begin(row["id"], partial(self._publish, row, node, places, published))
        return made

    def clear_up(self, made: Sequence[Made]) -> None:
        """Remove what is left of published outputs where they were written."""
        for folder in {item.left_behind for item in made} - {""}:
            if folder.startswith(str(self._context.home.path)):
                discard(self._context.home.discarded, [Path(folder)])
            else:  # on another disk
                threading.Thread(target=shutil.rmtree, args=(folder,), kwargs={"ignore_errors": True}, name="discard", daemon=True).start()

    # One step

    def _publish(
        self, row: Row, node: StepNode, places: Mapping[str, OutputPlace], published: Sequence[Published], check: Check
    ) -> list[Made]:
        by_name = {item.name: item for item in published}
        return [
            self._link(row, port) if port.mode == "link" else self._publish_port(row, port, places[port.name], by_name[port.name], check)
            for port in node.outputs
        ]

    def _publish_port(self, row: Row, port: OutputPort, place: OutputPlace, item: Published, check: Check) -> Made:
        document = {
            "name": port.name,
            "datastore": port.datastore,
            "path": place.path,
            "is_published": item.exists,
            "files": item.files,
            "bytes": item.bytes,
            "digest": item.digest,
            "pipeline_output_name": port.pipeline_output_name,
        }
        if place.is_final or not item.exists:
            return Made(document, item.manifest)
        try:
            with self._turns.hold(place, check):
                return self._bring(row, port, place, document, unpack_entries(item.manifest), check)
        except PenstockError as error:
            error.begin_with(f"Its output '{port.name}' can't be published:")
            raise

    def _bring(self, row: Row, port: OutputPort, place: OutputPlace, document: dict[str, Any], entries: list[Entry], check: Check) -> Made:
        """Put an output in its place. What is written down is what this step put there, so that one in whose place others have written
        since then never passes for its result.
        """
        if port.mode == "upload" and port.destination is not None and not port.overwrite:
            self._refuse_conflicts(row, port, place, entries, check)
        if place.store.is_local:
            target = self._context.stores.local_path(place.store, place.path)
            with _troubles(place):
                self._digests.note(target, move(place.writing, target, entries, is_whole=not port.source_globs))
            own = {entry.path: entry for entry in entries}
            there = [own.pop(entry.path, entry) for entry in self._digests.of(target, check, within=True)]
            there = sorted([*there, *own.values()])
            stored = {"by": BYTES, "digest": manifest_digest(there)}
        else:
            files = [(_join(place.writing, entry.path), _join(place.path, entry.path)) for entry in entries]
            self._context.stores.put(place.store, files, True, check)
            seen = list_stored(self._context, place.store, place.path, check)
            stored = {"by": TOKENS, "digest": manifest_digest(seen)}
            known = {entry.path: entry for entry in entries}
            there = [known.get(entry.path, entry) for entry in seen]
        document = {**document, "digest": manifest_digest(there), "stored": stored}
        return Made(document, pack_entries(there), left_behind=os.path.dirname(place.writing))

    def _refuse_conflicts(self, row: Row, port: OutputPort, place: OutputPlace, entries: list[Entry], check: Check) -> None:
        """Refuse to replace files. Once nothing was in the way, what is there later is our own, from before a crash."""
        mark = self._context.home.run_folder(row["id"]) / f"free.{port.name}"
        if mark.exists():
            return
        wanted = {_join(place.path, entry.path) for entry in entries}
        taken = sorted(wanted & {found.path for found in list_path(self._context, place.store, place.path, check)})
        if taken:
            more = f", and {len(taken) - 1} more" if len(taken) > 1 else ""
            raise Refused(
                f"'{taken[0]}'{more} is on datastore '{place.store.name}' already. "
                "Pass overwrite=True to as_upload, or name a destination with {run-id}."
            )
        mark.touch()

    # Links

    def _link(self, row: Row, port: OutputPort) -> Made:
        """Return the output that is a dataset which the script named."""
        dataset_id = _read_links(str(self._context.home.run_folder(row["id"]) / LINKS)).get(port.name)
        document = {
            "name": port.name,
            "datastore": port.datastore,
            "path": None,
            "is_published": dataset_id is not None,
            "files": 0,
            "bytes": 0,
            "digest": "",
            "pipeline_output_name": port.pipeline_output_name,
        }
        if dataset_id is None:
            return Made(document)
        saved = get_dataset(self._context, row["workspace_id"], dataset_id)
        return Made({**document, "digest": definition_hash(saved["definition"]), "dataset_id": dataset_id})


def _read_links(path: str) -> dict[str, str]:
    """Return output name -> dataset id; what was said last counts."""
    found: dict[str, str] = {}
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as file:
        for line in file:
            with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):  # torn by a kill
                found.update({name: about["id"] for name, about in json.loads(line).items()})
    return found


def _join(folder: str, path: str) -> str:
    return f"{folder}/{path}" if path else folder


@contextlib.contextmanager
def _troubles(place: OutputPlace) -> Iterator[None]:
    """Say of what the system refuses where it was."""
    try:
        yield
    except OSError as error:
        text = f"'{place.path}' on datastore '{place.store.name}' ({error.filename}): {error.strerror}."
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable(f"{text} Free some room.") from error
        raise Refused(f"{text} Mend that, or name another destination.") from error


# Moving


def move(source: str, target: str, entries: Sequence[Entry], is_whole: bool = True) -> list[Entry]:
    """Move the files of a folder to their place: all at once where the place is free, else one by one, over those of the same name.

    Done again after it was interrupted, it goes on where it was. `is_whole`: there are no other files in the folder.
    Returns the entries that were moved now: where others lie now, somebody else may have written since.

    Raises:
        NotFound: A file is neither here nor there.
        OSError: The system refuses.
    """
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if is_whole and not _holds_links(source):
        try:
            os.rename(source, target)
            return list(entries)
        except FileNotFoundError:  # moved already
            pass
        except OSError as error:
            if error.errno not in _PLACE_TAKEN:
                raise
    os.makedirs(target, exist_ok=True)
    linked = {entry.path for entry in entries if _is_behind_link(source, entry.path)}
    ordered = sorted(entries, key=lambda item: item.path not in linked)  # first what links lead to, while it is there
    return [
        entry for entry in ordered if _move_file(os.path.join(source, entry.path), os.path.join(target, entry.path), entry.path in linked)
    ]


def _is_behind_link(top: str, path: str) -> bool:
    return os.path.realpath(os.path.join(top, path)) != os.path.join(os.path.realpath(top), path)


def _move_file(source: str, target: str, is_linked: bool) -> bool:
    """Move a file; tell whether it was not there already."""
    if not os.path.exists(source):
        if os.path.exists(target):
            return False
        raise NotFound(f"The file {source} is gone.")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not is_linked:
        os.replace(source, target)
        return True
    temporary = os.path.join(os.path.dirname(target), f"{UNFINISHED}{new_id()}")  # its bytes are what was meant
    copy_file(source, temporary)
    os.replace(temporary, target)
    return True


def _holds_links(folder: str) -> bool:
    return any(os.path.islink(os.path.join(top, name)) for top, folders, names in os.walk(folder) for name in (*folders, *names))

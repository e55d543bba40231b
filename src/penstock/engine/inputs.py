"""What a step reads: where it lies, what it holds, and in which form it is handed over."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.compile.fingerprints import Content
from penstock.compile.manifests import Entry
from penstock.model.datasets import READING, TABULAR, Dataset, Place, definition_hash, format_dataset, literal, over_place, parse_dataset
from penstock.model.errors import Invalid, NotFound
from penstock.model.graph import DataNode, InputPort
from penstock.operations.context import Context
from penstock.operations.datasets import dataset_id_of, get_dataset, get_dataset_version
from penstock.operations.datastores import place_store, store_of
from penstock.operations.manifests import Digests, Unread, list_path, remember, stored_entry
from penstock.operations.reuse import list_stored
from penstock.operations.selection import Resolved, fetch, resolve
from penstock.operations.step_data import UsedDataset
from penstock.storage.stores import Check, Found, Store


@dataclass(frozen=True)
class InPlace:
    """Data that is read where it lies: a file or folder of this machine."""

    place: str


@dataclass(frozen=True)
class OnStore:
    """A path of a datastore on another machine; what lies there is listed when it is fetched."""

    store: Store
    path: str


@dataclass(frozen=True)
class Part:
    """One file of an input: where it lies, and its path below the input."""

    store: Store
    found: Found
    path: str


@dataclass(frozen=True)
class Files:
    """Files of one store or several. `is_single`: what is handed over is the one file, and not a folder with it."""

    parts: tuple[Part, ...]
    is_single: bool


@dataclass(frozen=True)
class Unlisted:
    """A dataset whose files are looked for when they are fetched."""

    dataset: Dataset


@dataclass(frozen=True)
class ById:
    """A dataset that the script opens by its id."""

    dataset_id: str


@dataclass(frozen=True)
class Written:
    """Files that are written from a table, just before the script begins."""

    document: Mapping[str, Any]


@dataclass(frozen=True)
class Here:
    """One file of an input, on this machine. `is_cached`: its place is the cache's, which may be cleared while the step runs."""

    place: str
    path: str
    is_cached: bool


@dataclass(frozen=True)
class Fetched:
    """Files that are all on this machine now; their paths are relative to the input. `is_single`: the input is the one file itself."""

    files: tuple[Here, ...]
    is_single: bool


Data = InPlace | OnStore | Files | Unlisted | Fetched | ById | Written
AWAY = (OnStore, Files, Unlisted)  # what must be brought to this machine before a step can start


@dataclass(frozen=True)
class Source:
    """What one input port reads."""

    content: Content
    data: Data
    unread: Unread | None = None  # its content is not known yet
    usual_target: str = ""  # where in the working directory a download of a path lies, unless the port says
    dataset: UsedDataset | None = None
    definition: Mapping[str, Any] | None = None  # of a dataset that is not saved yet


class Inputs:
    """Finds what steps read."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._digests = Digests(context)

    # Data that exists before the run

    def read_node(
        self, node: DataNode, port: InputPort, parameters: Mapping[str, Any], workspace_id: str, most_bytes: int | None, check: Check
    ) -> Source:
        """Return what an input reads of data that was there before the run; its content is read, which may take long.

        Files of this machine that were not read before, and have more than `most_bytes` together, are left unread.

        Raises:
            NotFound: There is no such datastore or dataset, or nothing lies there; the message names them.
            Unavailable: A datastore can't be reached.
        """
        given = parameters.get(node.parameter) if node.parameter else None
        if node.dataset is not None or (isinstance(given, Mapping) and "datastore" not in given and "id" in given):
            return self._read_dataset(self._find_dataset(given or node.dataset or {}, workspace_id), port, workspace_id, most_bytes, check)
        datastore, path = (given["datastore"], given.get("path") or "") if isinstance(given, Mapping) else (node.datastore, node.path)
        return self._read_path(store_of(self._context, workspace_id, datastore), path.strip("/"), most_bytes, check)

    def _read_path(self, store: Store, path: str, most_bytes: int | None, check: Check) -> Source:
        path = "" if path == "." else path
        target = f"{store.name}/{path}".rstrip("/")
        if store.is_local:
            place = self._context.stores.local_path(store, path)
            if not os.path.exists(place):
                raise _nothing_at(store, path, place)
            digest, unread, _ = self._read_folder(place, most_bytes, check)
            return Source(Content(digest), InPlace(place), unread, target)
        files = self.list_files(OnStore(store, path), "", check)
        digest, _ = self._digest(files.parts, None, check)
        return Source(Content(digest), files, usual_target=target)

    def _find_dataset(self, asked: Mapping[str, Any], workspace_id: str) -> tuple[dict[str, Any], UsedDataset]:
        """Return definition and identity of a dataset that is named by its id, or by name and version; the newest one for no version."""
        if asked.get("id"):
            saved = get_dataset(self._context, workspace_id, asked["id"])
            named = {"name": asked.get("name"), "version": asked.get("version")}
            return saved["definition"], UsedDataset(saved["id"], **(named if named["name"] and named["version"] else {}))
        version = get_dataset_version(self._context, workspace_id, asked["name"], asked.get("version"))
        return version["definition"], UsedDataset(version["id"], version["name"], version["version"])

    def _read_dataset(
        self, found: tuple[dict[str, Any], UsedDataset], port: InputPort, workspace_id: str, most_bytes: int | None, check: Check
    ) -> Source:
        document, used = found
        dataset = parse_dataset(document)
        _check_mode(dataset, port)
        base = dataset
        while base.written is not None:
            base = base.written.dataset
        digest, unread, lies = self._look_up(base, port, workspace_id, most_bytes, check)
        if port.mode == "direct":
            lies = ById(used.dataset_id)
        elif dataset.written is not None:
            lies = Written(document)
        return Source(Content(digest, definition_hash(document)), lies, unread, dataset=used)

    def _look_up(
        self, dataset: Dataset, port: InputPort, workspace_id: str, most_bytes: int | None, check: Check
    ) -> tuple[str | None, Unread | None, Data]:
        """Return the digest of a dataset's files, or what is known of unread ones, and where they lie."""
        folder = self._find_whole_folder(dataset, workspace_id)
        if folder is not None:
            digest, unread, is_empty = self._read_folder(folder, most_bytes, check)
            if not is_empty:
                return digest, unread, InPlace(folder)
        resolved = resolve(self._context, workspace_id, dataset, check)
        digest, unread = self._digest(_parts(resolved), most_bytes, check)
        return digest, unread, self._place_of(resolved, port)

    def _find_whole_folder(self, dataset: Dataset, workspace_id: str) -> str | None:
        """Return the folder of this machine that a dataset is, as a whole: it need not be resolved file by file."""
        place = dataset.places[0]
        if len(dataset.places) > 1 or dataset.operations or dataset.partition_format or not place.path or literal(place.path) != place.path:
            return None
        store, path = place_store(self._context, workspace_id, place)
        folder = self._context.stores.local_path(store, path) if store.is_local else ""
        return folder if os.path.isdir(folder) else None

    def _read_folder(self, place: str, most_bytes: int | None, check: Check) -> tuple[str | None, Unread | None, bool]:
        """Return the digest of a file or folder, or what is known of it unread, and whether it holds no file."""
        found = None if most_bytes is None else self._digests.measure(place, most_bytes)
        if isinstance(found, Unread):
            return None, found, False
        entries = found or self._digests.of(place, check)
        return remember(self._context, entries), None, not entries

    def _place_of(self, resolved: Resolved, port: InputPort) -> Data:
        first = resolved.files[0] if resolved.files else None
        if first and first.store.is_local and (resolved.folder is not None or (resolved.is_single and port.mode == "mount")):
            path = first.found.path if resolved.is_single else resolved.folder or ""
            return InPlace(self._context.stores.local_path(first.store, path))
        return Files(_parts(resolved), resolved.is_single)

    # What the step before left

    def read_output(self, output: Mapping[str, Any], port: InputPort, workspace_id: str, is_fixed: bool, check: Check) -> Source:
        """Return what an input reads of an output of an earlier step.

        Args:
            output: The output, as it was written down.
            port: The input.
            workspace_id: Whose datastores are meant.
            is_fixed: Others may write to the same place: what lies there now is read, and not what its step left.
            check: Called now and then; it raises to end a long reading.
        """
        if output.get("dataset_id"):
            found = self._find_dataset({"id": output["dataset_id"]}, workspace_id)
            found = _transformed(found, port, workspace_id)
            return replace(self._read_dataset(found, port, workspace_id, None, check), definition=found[0])
        store = store_of(self._context, workspace_id, output["datastore"])
        digest = self._digest_now(store, output["path"], check) if is_fixed else output["digest"]
        if port.dataset is None:
            place = InPlace(self._context.stores.local_path(store, output["path"])) if store.is_local else OnStore(store, output["path"])
            return Source(Content(digest), place, usual_target=f"{store.name}/{output['path']}")
        dataset = parse_dataset(over_place(Place(output["datastore"], literal(output["path"])), port.dataset))
        _check_mode(dataset, port)
        definition = format_dataset(dataset)
        used = UsedDataset(dataset_id_of(workspace_id, definition))
        reading = definition_hash({**definition, "places": []})  # where it lies does not count
        data = self._over_output(store, output["path"], dataset, used, port)
        return Source(Content(digest, reading), data, dataset=used, definition=definition)

    def _over_output(self, store: Store, path: str, dataset: Dataset, used: UsedDataset, port: InputPort) -> Data:
        if port.mode == "direct":
            return ById(used.dataset_id)
        if not dataset.operations and dataset.partition_format is None:
            return InPlace(self._context.stores.local_path(store, path)) if store.is_local else OnStore(store, path)
        return Unlisted(dataset)

    def _digest_now(self, store: Store, path: str, check: Check) -> str:
        if store.is_local:
            return remember(self._context, self._digests.of(self._context.stores.local_path(store, path), check, within=True))
        return remember(self._context, list_stored(self._context, store, path, check))

    # Content

    def _digest(self, parts: Sequence[Part], most_bytes: int | None, check: Check) -> tuple[str | None, Unread | None]:
        """Return the digest of files wherever they lie: of their bytes on this machine, else of what their stores say of them.

        It is None where more than `most_bytes` had to be read for it.
        """
        told: list[Entry] = []
        silent: list[Part] = []  # of these nothing is told: their bytes say what they hold, and those of others must be fetched for that
        for part in parts:
            known = None if part.store.is_local and not part.found.token else stored_entry(part.found, part.path)
            if known:
                told.append(known)
            else:
                silent.append(part)
        places = fetch(self._context, [(part.store, part.found) for part in silent], check)
        here = [(place, part.path) for place, part in zip(places, silent, strict=True)]
        found = None if most_bytes is None or not here else self._digests.measure_files(here, most_bytes)
        if isinstance(found, Unread):
            return None, found._replace(shape=(*found.shape, *((entry.path, entry.size) for entry in told)))
        read = found or (self._digests.of_files(here, check) if here else [])
        return remember(self._context, sorted([*told, *read])), None

    # Handing over

    def list_files(self, data: OnStore | Unlisted, workspace_id: str, check: Check) -> Files:
        """Return the files of data that was not looked at yet; NotFound when there are none."""
        if isinstance(data, Unlisted):
            resolved = resolve(self._context, workspace_id, data.dataset, check)
            return Files(_parts(resolved), resolved.is_single)
        found = list_path(self._context, data.store, data.path, check)
        if not found:
            raise _nothing_at(data.store, data.path)
        parts = tuple(Part(data.store, item, item.path[len(data.path) :].lstrip("/")) for item in found)
        return Files(parts, found[0].path == data.path)


def _nothing_at(store: Store, path: str, place: str = "") -> NotFound:
    shown = f" ({place})" if place else ""
    return NotFound(f"There is nothing at '{path}' on datastore '{store.name}'{shown}. Upload the data first, or mend the path.")


def _check_mode(dataset: Dataset, port: InputPort) -> None:
    if dataset.type == TABULAR and port.mode != "direct":
        raise Invalid(
            f"The input '{port.name}' is a table, and its mode is '{port.mode}'. Tables are handed over by their id (as_direct); "
            "to_csv_files() or to_parquet_files() makes files of one."
        )


def _parts(resolved: Resolved) -> tuple[Part, ...]:
    return tuple(Part(file.store, file.found, file.path.lstrip("/")) for file in resolved.files)


def _transformed(found: tuple[dict[str, Any], UsedDataset], port: InputPort, workspace_id: str) -> tuple[dict[str, Any], UsedDataset]:
    """Return a dataset that a script linked, read as the port says."""
    document, used = found
    chosen = over_place(Place("any", "path"), port.dataset or {})
    if not set(chosen) & set(READING):
        return document, used
    more = parse_dataset(chosen)
    dataset = parse_dataset(document)
    read = format_dataset(
        replace(
            dataset,
            type=more.type if more.parsing else dataset.type,
            parsing=more.parsing or dataset.parsing,
            partition_format=more.partition_format or dataset.partition_format,
            operations=(*dataset.operations, *more.operations),
        )
    )
    return read, UsedDataset(dataset_id_of(workspace_id, read))
